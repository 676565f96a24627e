// SPDX-License-Identifier: MIT
/*
 * pg_slot.h - who the server is, and how our replication slot stands.
 */
#ifndef MR_SOURCE_POSTGRES_PG_SLOT_H
#define MR_SOURCE_POSTGRES_PG_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "pg_connection.h"
#include "position.h"

#define MR_PG_VERSION_MIN 140000

/** Which history positions count in: "<system identifier>/<timeline>". */
struct mr_pg_identity_of {
    char system[24];
    uint32_t timeline;
    char epoch[MR_EPOCH_BYTES_MAX];
};

/** IDENTIFY_SYSTEM; the connection is a replication one. Refuses servers before 14. */
bool mr_pg_identify(struct mr_pg_connection *connection, struct mr_pg_identity_of *identity,
                    struct mr_error *err) MR_MUST_CHECK;

/**
 * Whether a position of ours still has a meaning on this server: the same system, and the same
 * timeline or one that branched off behind the position. Otherwise MR_STOP: MR_E_LOST
 * when it branched off before it, MR_E_SOURCE when the server is another one.
 */
bool mr_pg_check_epoch(struct mr_pg_connection *connection,
                       const struct mr_pg_identity_of *identity, const struct mr_position *resume,
                       struct mr_error *err) MR_MUST_CHECK;

/**
 * Where a timeline was left, from a history file: lines of "<timeline> <tab> <position> <tab>
 * <reason>". 0 when it is not among them.
 */
uint64_t mr_pg_timeline_left_at(const char *history, uint32_t timeline);

/** The position as the pipeline stores it. */
bool mr_pg_position_set(struct mr_position *position, const struct mr_pg_identity_of *identity,
                        uint64_t lsn, struct mr_error *err) MR_MUST_CHECK;

struct mr_pg_slot {
    bool exists;
    bool is_active;
    bool is_lost; /* the server has removed log that the slot needs */
    int active_pid;
    uint64_t confirmed_lsn;
    char plugin[MR_PG_NAME_BYTES_MAX];
    char database[MR_PG_NAME_BYTES_MAX];
};

bool mr_pg_slot_read(struct mr_pg_connection *connection, const char *name, struct mr_pg_slot *slot,
                     struct mr_error *err) MR_MUST_CHECK;

/**
 * Whether the slot can be followed from `resume_lsn` (0: from wherever it stands).
 * Errors: MR_E_LOST, MR_STOP: missing, lost, moved past us.
 *         MR_E_SOURCE, MR_STOP: of another plug-in or database.
 *         MR_E_SOURCE, MR_RETRY: in use (names the process).
 */
bool mr_pg_slot_check(const struct mr_pg_slot *slot, const char *name, const char *database,
                      uint64_t resume_lsn, struct mr_error *err) MR_MUST_CHECK;

bool mr_pg_slot_drop(struct mr_pg_connection *connection, const char *name,
                     struct mr_error *err) MR_MUST_CHECK;

enum mr_pg_slot_kind {
    MR_PG_SLOT_LASTING,          /* ours, to stream from */
    MR_PG_SLOT_LASTING_EXPORTED, /* and with a snapshot of its start */
    MR_PG_SLOT_TEMPORARY,        /* for its exported snapshot only; ends with its connection */
};

/** Where a new slot starts, and the snapshot of just that moment. */
struct mr_pg_slot_start {
    uint64_t lsn;
    char snapshot[MR_PG_NAME_BYTES_MAX]; /* "" when none was exported */
};

/** Creates a slot; waits for transactions that run, at most wait_ms_max. */
bool mr_pg_slot_create(struct mr_pg_connection *connection, const char *name,
                       enum mr_pg_slot_kind kind, struct mr_pg_slot_start *start,
                       struct mr_error *err) MR_MUST_CHECK;

#endif
