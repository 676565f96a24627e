// SPDX-License-Identifier: MIT
/*
 * mysql_resume.h - from a stored position to the place where the server's stream is asked for.
 *
 *   the server that wrote it, file still there   by file and offset: exact
 *   otherwise, GTIDs in the position and here    by GTIDs
 *   otherwise                                    MR_E_LOST, MR_STOP: names the position, what the
 *                                                server still has, and the cure
 *
 * A server that never executed transactions which we have already taken is behind (a replica that
 * may catch up: MR_RETRY), or its history is another one (the same server, reset or restored; a
 * server that takes writes without them: MR_E_LOST).
 *
 * Of several hosts the one whose stream we follow is preferred; another one is taken only where
 * that one is away or cannot go on, and by GTIDs.
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
    bool keeps_gtids;    /* the server has GTIDs and the position too */
    uint64_t generation; /* of the places from now on, see binlog_stream.h */
};

/**
 * Connects to the server that can go on from a position, and plans how. Errors are those of
 * mr_mysql_resume_plan(); with several hosts MR_RETRY while any of them may still come to it.
 */
struct mr_mysql_connection *mr_mysql_resume_connect(const struct mr_source_context *context,
                                                    const struct mr_position *from,
                                                    struct mr_mysql_resume *resume,
                                                    char epoch[MR_EPOCH_BYTES_MAX],
                                                    struct mr_error *err);

/** Connects to the server that a position is of; MR_RETRY when none of the hosts is. */
struct mr_mysql_connection *mr_mysql_resume_connect_same(const struct mr_source_context *context,
                                                         const struct mr_position *from,
                                                         struct mr_error *err);

bool mr_mysql_resume_plan(struct mr_mysql_connection *connection, const struct mr_position *from,
                          const char *epoch, struct mr_mysql_resume *resume,
                          struct mr_error *err) MR_MUST_CHECK;

/**
 * Says that the server refused or lacks a position: fills *err (MR_E_LOST, MR_STOP) with the
 * position, what the server still has, its own words (may be "") and the cure; returns false.
 */
bool mr_mysql_resume_explain(struct mr_mysql_connection *connection, const char *position,
                             const char *server_says, struct mr_error *err);

#endif
