// SPDX-License-Identifier: MIT
/*
 * pg_connection.h - connections through libpq, with a bound on every wait and errors a caller can
 * act on.
 *
 * libpq connects, authenticates and frames; everything is asked without blocking and waited for
 * here, so that a server that hangs costs wait_ms_max and no more. What a failure means is read off
 * its SQLSTATE, never off its text, which the server may send in any language.
 */
#ifndef MR_SOURCE_POSTGRES_PG_CONNECTION_H
#define MR_SOURCE_POSTGRES_PG_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "postgres_config.h"
#include "source.h"

enum mr_pg_connection_kind {
    MR_PG_CONNECTION_SQL,
    MR_PG_CONNECTION_REPLICATION, /* may stream, create slots with a snapshot, and ask SQL too */
};

struct mr_pg_connection {
    PGconn *pg; /* NULL: not connected */
    const struct mr_env *env;
    const struct mr_pg_config *config;
    uint64_t wait_ms_max;
    enum mr_pg_connection_kind kind;
    const struct mr_pg_endpoint *endpoint; /* the one that answered */
};

/**
 * Connects to the first endpoint that takes us.
 * Errors: MR_E_CONFIG, MR_STOP: password, role, database, or no REPLICATION attribute.
 *         MR_E_NET, MR_RETRY: unreachable, starting, shutting down, too many connections.
 */
bool mr_pg_connection_open(struct mr_pg_connection *connection,
                           const struct mr_source_context *context, enum mr_pg_connection_kind kind,
                           struct mr_error *err) MR_MUST_CHECK;
void mr_pg_connection_close(struct mr_pg_connection *connection); /* accepts a zeroed one */

/** Runs one statement and returns its (last) result, or NULL. Parameters are text. */
PGresult *mr_pg_query(struct mr_pg_connection *connection, const char *sql,
                      const char *const *parameters, int parameter_count, struct mr_error *err);

/** Runs one command of the replication protocol, which takes no parameters. */
PGresult *mr_pg_command(struct mr_pg_connection *connection, const char *sql, struct mr_error *err);

/** Waits for the last result of what was sent; a failed one counts more than those after it. */
PGresult *mr_pg_collect(struct mr_pg_connection *connection, struct mr_error *err);

/** mr_pg_query() for statements without a result. */
bool mr_pg_run(struct mr_pg_connection *connection, const char *sql,
               struct mr_error *err) MR_MUST_CHECK;

/** As mr_pg_query() with one parameter in its type's binary form. */
PGresult *mr_pg_query_binary(struct mr_pg_connection *connection, const char *sql, uint32_t type,
                             struct mr_slice value, struct mr_error *err);

/**
 * Makes later reads larger. libpq reads into a buffer of 16 KiB, which it makes larger for a
 * message that does not fit and never smaller again; so one long row is asked for before a long
 * stream, and each read can then bring some 256 KiB, with a fraction of the system calls.
 */
bool mr_pg_connection_widen(struct mr_pg_connection *connection,
                            struct mr_error *err) MR_MUST_CHECK;

/** A standby: it replays another server's log, and nothing can be written on it. */
bool mr_pg_connection_is_standby(const struct mr_pg_connection *connection);

/** TCP between two ends on this very machine. */
bool mr_pg_connection_is_local_tcp(const struct mr_pg_connection *connection);

/** Milliseconds since the peer last sent a byte, as the kernel has it; 0 where it does not know. */
uint64_t mr_pg_connection_silent_ms(const struct mr_pg_connection *connection);

/** Gives the socket a receive buffer of its own size (the kernel doubles it); false: it refused. */
bool mr_pg_connection_set_buffer(const struct mr_pg_connection *connection, int bytes);

/** Waits until the socket is readable (or writable); false on a timeout or when poll failed. */
bool mr_pg_connection_wait(const struct mr_pg_connection *connection, bool writable,
                           uint64_t wait_us);

/** Fills in the error for a result that failed (NULL: for the connection itself); false. */
bool mr_pg_fail_result(const struct mr_pg_connection *connection, const PGresult *result,
                       const char *what, struct mr_error *err);

/** The SQLSTATE of a failed result, "" when it has none. */
const char *mr_pg_sqlstate(const PGresult *result);

/** A field as text; "" when it is null. */
const char *mr_pg_field(const PGresult *result, int row, int column);

/** name as a quoted identifier, text as a quoted literal; cut at size (asserted to fit). */
void mr_pg_quote_identifier(const char *name, char *quoted, size_t size);
void mr_pg_quote_literal(const char *text, char *quoted, size_t size);

#endif
