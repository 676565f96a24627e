// SPDX-License-Identifier: MIT
/*
 * result.h - walking over the rows of the sink's own small queries.
 */
#ifndef MR_SINK_DUCKDB_RESULT_H
#define MR_SINK_DUCKDB_RESULT_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "warehouse.h"

/** A zeroed struct may be given to mr_result_done(). */
struct mr_result {
    duckdb_result result;
    duckdb_data_chunk chunk;
    uint64_t row;
    uint64_t row_count; /* of the chunk */
    bool is_open;
};

/** Runs a query on the writer's connection. */
bool mr_result_query(struct mr_warehouse *warehouse, const char *sql, struct mr_result *result,
                     struct mr_error *err) MR_MUST_CHECK;

/** Runs a prepared statement. */
bool mr_result_run(struct mr_warehouse *warehouse, duckdb_prepared_statement statement,
                   struct mr_result *result, struct mr_error *err) MR_MUST_CHECK;

/** Steps to the first or next row. */
bool mr_result_next(struct mr_result *result);

bool mr_result_is_null(struct mr_result *result, uint64_t column);
/** Cells of the current row by their type; 0, false or "" for NULL. */
uint64_t mr_result_u64(struct mr_result *result, uint64_t column);
uint32_t mr_result_u32(struct mr_result *result, uint64_t column);
bool mr_result_bool(struct mr_result *result, uint64_t column);
char *mr_result_text(struct mr_result *result, uint64_t column); /* a copy; free() it */

void mr_result_done(struct mr_result *result);

#endif
