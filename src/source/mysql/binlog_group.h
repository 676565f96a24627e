// SPDX-License-Identifier: MIT
/*
 * binlog_group.h - the transaction the binlog is in the middle of, and its part of the batch.
 *
 *   NONE --GTID--> ANNOUNCED --BEGIN--> OPEN --XID, COMMIT--> NONE
 *                      |                  |
 *                      +--DDL-> NONE      +--ROLLBACK, crash of the server--> NONE (dropped)
 *
 * A transaction enters the batch with its first captured row; one without such rows only moves the
 * position. One that turns out to be prepared only (XA) is dropped likewise: see binlog_xa.h.
 */
#ifndef MR_SOURCE_MYSQL_BINLOG_GROUP_H
#define MR_SOURCE_MYSQL_BINLOG_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "gtid.h"

enum mr_group_state { MR_GROUP_NONE, MR_GROUP_ANNOUNCED, MR_GROUP_OPEN };

enum mr_group_gtid { MR_GTID_NONE, MR_GTID_MYSQL, MR_GTID_MARIA };

struct mr_binlog_group {
    enum mr_group_state state;
    enum mr_group_gtid gtid_kind;
    struct mr_gtid_origin origin; /* MySQL */
    struct mr_maria_gtid maria;
    uint64_t number;    /* gno, or MariaDB's sequence; 0 when there is none */
    int64_t commit_us;  /* 0: the end's time stamp tells */
    uint64_t start;     /* offset of its first event */
    bool handed_on;     /* a part of it left in an earlier batch */
    bool has_rows;      /* captured ones, so far */
    bool is_xa;         /* will be prepared, or committed in one phase */
    bool is_announcing; /* MariaDB: of an ALTER that has only begun, or failed: says nothing yet */
};

/** Makes sure that the batch has the transaction open. */
bool mr_group_enter(struct mr_binlog_group *group, struct mr_batch *batch,
                    struct mr_error *err) MR_MUST_CHECK;

/** Ends it: the batch's transaction is closed, if there is one. The group is NONE afterwards. */
bool mr_group_commit(struct mr_binlog_group *group, struct mr_batch *batch,
                     struct mr_native_position end, int64_t end_us,
                     struct mr_error *err) MR_MUST_CHECK;

/** Takes its events out of the batch, and tells (batch->aborts) if a part had left before. */
void mr_group_drop(struct mr_binlog_group *group, struct mr_batch *batch);

/** Takes the open transaction's events out of the batch; the group stays as it is. */
void mr_group_undo(struct mr_batch *batch);

/** The batch is handed on in the middle of the transaction. */
void mr_group_suspend(struct mr_binlog_group *group, struct mr_batch *batch);

#endif
