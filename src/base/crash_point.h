// SPDX-License-Identifier: MIT
/*
 * crash_point.h - named places where a test may kill the process, as `kill -9` would.
 *
 * MILLRACE_CRASH_POINT="journal.before_sync:37" ends the process by SIGKILL when it passes that
 * point for the 37th time. Without the variable a point costs one load and a branch, once a batch.
 * tests/e2e kills the real program at every class of moment so; tests/sim crashes at any call.
 */
#ifndef MR_BASE_CRASH_POINT_H
#define MR_BASE_CRASH_POINT_H

enum mr_crash_point {
    MR_CRASH_SNAPSHOT_ROWS,        /* "snapshot.rows": copied rows applied, not committed */
    MR_CRASH_JOURNAL_BEFORE_SYNC,  /* "journal.before_sync": appended, not durable */
    MR_CRASH_LOADER_BEFORE_COMMIT, /* "loader.before_commit": durable, applied, not committed */
    MR_CRASH_LINK_BEFORE_ACK,      /* "link.before_ack": committed, the server not told yet */
    MR_CRASH_SNAPSHOT_PIECE,       /* "snapshot.piece": a piece is done, not committed */
    MR_CRASH_TABLE_BEFORE_JOIN,    /* "table.before_join": caught up, not joined */
    MR_CRASH_POINT_COUNT,
};

/** Passes a point; does not return when it is the one. */
void mr_crash_point(enum mr_crash_point point);

/** Takes the variable's value ("name:count"); NULL disarms. False when it names no point. */
_Bool mr_crash_point_arm(const char *text);

#endif
