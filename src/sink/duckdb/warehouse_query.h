// SPDX-License-Identifier: MIT
/*
 * warehouse_query.h - one read-only statement of a user, answered as JSON.
 *
 * A query runs on the caller's thread, on a connection of its own, in a read-only transaction: it
 * sees whole commits of the sink and nothing in between, across all tables. What it may say is
 * sandbox.h's matter; how many run at once, and for how long, is gate.h's.
 *
 * Threads: any number of callers, until the sink is closed: whoever joins console and sink stops
 * the console first.
 */
#ifndef MR_SINK_DUCKDB_WAREHOUSE_QUERY_H
#define MR_SINK_DUCKDB_WAREHOUSE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "json.h"

#define MR_QUERY_SQL_BYTES_MAX  262144
#define MR_QUERY_PARAMETERS_MAX 1024

struct mr_sink;

/** A value for a ? or $1. */
struct mr_query_parameter {
    enum {
        MR_QUERY_NULL,
        MR_QUERY_BOOL,
        MR_QUERY_INT,
        MR_QUERY_REAL,
        MR_QUERY_TEXT,
    } kind;
    bool boolean;
    int64_t integer;
    double real;
    const char *text; /* UTF-8, NUL-terminated */
};

struct mr_query {
    const char *sql; /* UTF-8, NUL-terminated */
    const struct mr_query_parameter *parameters;
    size_t parameter_count;
    uint64_t rows_max;    /* more rows than this: cut there, "truncated": true */
    uint64_t bytes_max;   /* of the answer */
    uint64_t time_ms_max; /* best effort: one long string function cannot be interrupted */
    uint32_t wait_ms;     /* for other queries to end */
};

/**
 * Runs the query against a DuckDB sink and writes one object:
 *
 *   {"columns":[{"name":"id","type":"BIGINT"}],"rows":[[1]],"truncated":false,"elapsed_ms":1.25}
 *
 * Integers beyond 2^53 and decimals are strings, as are NaN and the infinities; times are ISO 8601
 * (with Z where the type has a zone), binary is base64, lists are arrays, structs are objects.
 *
 * Returns: false with *err set; what was written to *out is then of no use.
 * Errors:  MR_E_CONFIG, MR_STOP      the statement is refused, or the engine complains about it
 *          MR_E_CANCELLED, MR_STOP   over its time
 *          MR_E_LIMIT, MR_STOP       the answer is too large, or memory did not suffice
 *          MR_E_LIMIT, MR_RETRY      too many queries, or the sink needs the memory at this moment
 *          MR_E_SINK, MR_RETRY       the warehouse is closed at this moment
 */
bool mr_warehouse_query(struct mr_sink *sink, const struct mr_query *query, struct mr_json *out,
                        struct mr_error *err) MR_MUST_CHECK;

#endif
