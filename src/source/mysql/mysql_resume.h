// SPDX-License-Identifier: MIT
/*
 * mysql_resume.h - from a stored position to the place where the server's stream is asked for.
 *
 *   the server that wrote it, file still there   by file and offset: exact
 *   otherwise, GTIDs in the position and here    by GTIDs
 *   otherwise                                    MR_E_SOURCE, MR_STOP: names the position, what the
 *                                                server still has, and the cure
 *
 * A server that never executed transactions which we have already taken is behind (another server:
 * MR_RETRY, it may catch up) or its history was rewritten (the same server: MR_STOP).
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_RESUME_H
#define MR_SOURCE_MYSQL_MYSQL_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "binlog_stream.h"
#include "compiler.h"
#include "error.h"
#include "mysql_connection.h"
#include "position.h"

struct mr_mysql_resume {
    struct mr_binlog_place place; /* slices of the position's text */
    bool by_gtids;
    bool keeps_gtids; /* the server has GTIDs and the position too */
};

bool mr_mysql_resume_plan(struct mr_mysql_connection *connection, const struct mr_position *from,
                          const char *epoch, struct mr_mysql_resume *resume,
                          struct mr_error *err) MR_MUST_CHECK;

/**
 * Says that the server refused or lacks a position: fills *err (MR_E_SOURCE, MR_STOP) with the
 * position, what the server still has, its own words (may be "") and the cure; returns false.
 */
bool mr_mysql_resume_explain(struct mr_mysql_connection *connection, const char *position,
                             const char *server_says, struct mr_error *err);

/** Waits up to wait_ms until a server of the same topology has executed what `from` names. */
bool mr_mysql_resume_await(struct mr_mysql_connection *connection, const struct mr_position *from,
                           const char *epoch, uint64_t wait_ms, struct mr_error *err) MR_MUST_CHECK;

#endif
