// SPDX-License-Identifier: MIT
/*
 * mysql_reread.h - a second, short-lived dump: the rows of an XA transaction that commits are read
 * again from where they were logged when it was prepared.
 *
 * It has a server id of its own (derived from the source's name), since the server ends a dump when
 * another one begins under the same number.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_REREAD_H
#define MR_SOURCE_MYSQL_MYSQL_REREAD_H

#include "binlog_stream.h"
#include "compiler.h"
#include "mysql_config.h"
#include "mysql_connection.h"
#include "mysql_dump.h"
#include "source.h"

/** Zeroed: closed. */
struct mr_mysql_reread {
    struct mr_mysql_connection *connection; /* NULL: closed */
    struct mr_mysql_dump dump;
    struct mr_slice event; /* borrowed from the connection until the next read */
    bool has_event;        /* `event` is still to be fed */
};

/** Begins at a place of the server that `endpoint` is. */
bool mr_mysql_reread_open(struct mr_mysql_reread *reread, const struct mr_source_context *context,
                          const struct mr_mysql_endpoint *endpoint, struct mr_binlog_wanted wanted,
                          struct mr_error *err) MR_MUST_CHECK;
void mr_mysql_reread_close(struct mr_mysql_reread *reread); /* accepts a closed one */

enum mr_reread {
    MR_REREAD_DONE,    /* the stream has all of it; closed */
    MR_REREAD_FULL,    /* the batch is to be handed on; then again */
    MR_REREAD_NOTHING, /* nothing came within wait_ms */
    MR_REREAD_ERROR,
};

/** Feeds the stream until one of these. */
enum mr_reread mr_mysql_reread_run(struct mr_mysql_reread *reread, struct mr_binlog_stream *stream,
                                   struct mr_batch *batch, uint32_t wait_ms, struct mr_error *err);

#endif
