// SPDX-License-Identifier: MIT
/*
 * mysql_connection.h - one connection to a MySQL or MariaDB server, through MariaDB Connector/C.
 *
 * Bought: handshake, authentication and TLS. The library would also read option files and hand out
 * local files to a server that asks; both are off, and so is every authentication method that sends
 * the password as it is.
 *
 * Every failure is mapped to what may be done about it: the network and a server that goes down are
 * MR_E_NET, MR_RETRY; what the operator must change is MR_E_CONFIG, MR_STOP with the cure in the
 * message; a statement that may work later is MR_E_SOURCE, MR_RETRY; the rest MR_E_SOURCE, MR_STOP.
 *
 * Source: MariaDB Connector/C, mysql.h; MySQL manual, "Server Error Message Reference".
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_CONNECTION_H
#define MR_SOURCE_MYSQL_MYSQL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mysql.h>

#include "compiler.h"
#include "error.h"
#include "mysql_config.h"
#include "source.h"

/** The widest row of a query helper's result, and the longest cell it gives. */
#define MR_MYSQL_RESULT_COLUMNS_MAX 32

enum mr_mysql_purpose {
    MR_MYSQL_CONTROL,  /* short statements: each is bounded by wait_ms_max */
    MR_MYSQL_DUMP,     /* the binlog stream: silence is bounded by the caller */
    MR_MYSQL_SNAPSHOT, /* long reads */
};

struct mr_mysql_connection {
    MYSQL *mysql;
    const struct mr_mysql_endpoint *endpoint; /* of the configuration: who answered */
    const char *user;                         /* borrowed from the configuration */
    const struct mr_env *env;
    unsigned version; /* 80031 is 8.0.31, 101119 is 10.11.19 */
    bool is_maria;
    bool is_encrypted;
    char server[64]; /* "MySQL 8.0.31" */
};

/**
 * Connects and prepares the session (UTF-8, UTC). `pinned` NULL: the configuration's hosts are
 * tried in order; otherwise that one alone, so that all connections of a source meet one server.
 * Returns NULL and *err on failure.
 */
struct mr_mysql_connection *mr_mysql_connect(const struct mr_source_context *context,
                                             enum mr_mysql_purpose purpose,
                                             const struct mr_mysql_endpoint *pinned,
                                             struct mr_error *err);

void mr_mysql_disconnect(struct mr_mysql_connection *connection); /* accepts NULL */

/** Runs a statement; rows of its result are read and dropped. */
bool mr_mysql_execute(struct mr_mysql_connection *connection, const char *sql,
                      struct mr_error *err) MR_MUST_CHECK;

/** One row of a result: cells are NUL-terminated, NULL for SQL NULL, valid during the call. */
struct mr_mysql_result_row {
    const char *const *cells;
    const unsigned long *lengths;
    unsigned count;
};

/** Takes a row; false with *err ends the query with that failure. */
typedef bool (*mr_mysql_row_fn)(void *context, const struct mr_mysql_result_row *row,
                                struct mr_error *err);

/** Runs a query and hands each row to `take`. More than rows_max rows: MR_E_LIMIT, MR_STOP. */
bool mr_mysql_each_row(struct mr_mysql_connection *connection, const char *sql, uint64_t rows_max,
                       mr_mysql_row_fn take, void *context, struct mr_error *err) MR_MUST_CHECK;

/**
 * Copies the first cell of a query's first row, NUL-terminated; "" when it is NULL or there is no
 * row. MR_E_LIMIT when it does not fit.
 */
bool mr_mysql_query_text(struct mr_mysql_connection *connection, const char *sql, char *text,
                         size_t size, struct mr_error *err) MR_MUST_CHECK;

/** As mr_mysql_query_text() for a number; 0 when the cell is NULL or there is no row. */
bool mr_mysql_query_uint(struct mr_mysql_connection *connection, const char *sql, uint64_t *number,
                         struct mr_error *err) MR_MUST_CHECK;

/** Fills *err from the library's last error, "what" first, and returns false. */
bool mr_mysql_fail(const struct mr_mysql_connection *connection, const char *what,
                   struct mr_error *err);

/** The server's number of the last error; 0 none. */
unsigned mr_mysql_error_number(const struct mr_mysql_connection *connection);

/** Waits until bytes can be read without blocking, up to wait_ms. False: none came. */
bool mr_mysql_wait_readable(const struct mr_mysql_connection *connection, uint32_t wait_ms);

/** Our clock minus the server's, in microseconds: best of a few round trips. */
bool mr_mysql_measure_skew(struct mr_mysql_connection *connection, int64_t *skew_us,
                           struct mr_error *err) MR_MUST_CHECK;

/** True when the server is at least this version of MySQL (never for MariaDB). */
static inline bool mr_mysql_is_at_least(const struct mr_mysql_connection *connection,
                                        unsigned mysql_version)
{
    return !connection->is_maria && connection->version >= mysql_version;
}

#endif
