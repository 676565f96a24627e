// SPDX-License-Identifier: MIT
/*
 * pgoutput.h - decodes the messages of PostgreSQL's logical replication (protocol version 1, sent
 * with `binary`) straight into the column chunks of a batch.
 *
 * One decoder a connection: its relation cache is what the server has described on that connection.
 * It has no socket and no clock, so that recorded bytes and a fuzzer drive it as a server does.
 *
 * Why version 1: versions 2 to 4 differ only in what they add when asked (streaming of transactions
 * in progress, two-phase commit, parallel apply). None of these is asked for, and then the bytes of
 * all four are the same.
 *
 * Resuming: transactions whose commit lies before `resume_lsn` are stepped over; their Relation
 * messages count all the same.
 */
#ifndef MR_SOURCE_POSTGRES_PGOUTPUT_H
#define MR_SOURCE_POSTGRES_PGOUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "pg_relation.h"
#include "pg_table.h"
#include "slice.h"
#include "table_filter.h"

#define MR_PG_ORIGIN_BYTES_MAX 512

enum mr_pg_decoded {
    MR_PG_DECODED,
    MR_PG_BATCH_FULL, /* nothing was taken: hand the batch on, then give the message again */
    MR_PG_FAILED,     /* *err says why */
};

/** A value of the old or new row as it lies in the message. */
struct mr_pg_wire_cell {
    uint8_t kind; /* 'b', 't', 'n', 'u' */
    struct mr_slice value;
};

struct mr_pgoutput {
    /* Given by the owner before the first message. */
    struct mr_catalog *catalog;
    struct mr_table_filter filter;
    struct mr_pg_describer describer; /* describe NULL: the messages are all there is */
    uint64_t value_bytes_max;
    uint64_t resume_lsn;

    /* The transaction that is open on the wire. */
    bool in_transaction;
    bool is_skipped;   /* it lies at or before resume_lsn */
    bool is_begun;     /* the batch at hand has it open */
    bool is_continued; /* an earlier batch holds its first part */
    uint32_t xid;
    uint64_t final_lsn;
    int64_t commit_us;
    char origin[MR_PG_ORIGIN_BYTES_MAX];
    size_t origin_length;

    /* The end of the last transaction that ended, whether it had events or not; 0 before any. */
    uint64_t end_lsn;

    struct mr_pg_relations relations;
    struct mr_arena scratch; /* of one message */
    struct mr_pg_wire_cell *old_row;
    struct mr_pg_wire_cell *new_row;
};

/** Prepares a zeroed decoder whose given fields are filled in. */
bool mr_pgoutput_init(struct mr_pgoutput *decoder, struct mr_error *err) MR_MUST_CHECK;
void mr_pgoutput_done(struct mr_pgoutput *decoder); /* accepts a zeroed one */

/** Decodes one message (the payload of an XLogData) into the batch. */
enum mr_pg_decoded mr_pgoutput_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                      const void *bytes, size_t length, struct mr_error *err);

/** Closes the batch's part of an open transaction, if it has one, before it is handed on. */
void mr_pgoutput_hand_on(struct mr_pgoutput *decoder, struct mr_batch *batch);

/** "16/B374D848", the way the server writes a log position; at most 18 bytes with the NUL. */
#define MR_PG_LSN_TEXT_BYTES 18
void mr_pg_lsn_format(uint64_t lsn, char text[MR_PG_LSN_TEXT_BYTES]);
bool mr_pg_lsn_parse(const char *text, uint64_t *lsn) MR_MUST_CHECK;

#endif
