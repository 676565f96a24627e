// SPDX-License-Identifier: MIT
/*
 * cells.h - the core types in DuckDB: names, logical types, and copying column runs both ways.
 *
 *   core type     DuckDB                     form
 *   BOOL..F64     BOOLEAN, TINYINT .. DOUBLE as it is
 *   DECIMAL(p,s)  DECIMAL(p,s)               as it is: the widths are the same
 *   DATE          DATE                       as it is, infinities too
 *   TIME          TIME                       as it is
 *   DURATION      INTERVAL                   months 0, days 0, microseconds
 *   INTERVAL      INTERVAL                   as it is
 *   TIMESTAMP     TIMESTAMP                  as it is, infinities too
 *   TIMESTAMPTZ   TIMESTAMP WITH TIME ZONE   as it is (UTC)
 *   UUID          UUID                       128-bit integer with the top bit flipped
 *   TEXT          VARCHAR                    12 bytes in place, or prefix and pointer
 *   BYTES         BLOB                       likewise
 *   JSON          JSON                       likewise
 *
 * Copied strings point into the chunk's heap: the engine copies what it keeps.
 */
#ifndef MR_SINK_DUCKDB_CELLS_H
#define MR_SINK_DUCKDB_CELLS_H

#include <duckdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "chunk.h"
#include "compiler.h"
#include "error.h"
#include "schema.h"

#define MR_DUCKDB_TYPE_BYTES_MAX 40

/** Writes the column's type as DuckDB itself prints it ("DECIMAL(12,2)"). */
void mr_cells_type_name(const struct mr_column *column, char *text, size_t size);

/** The column's logical type; duckdb_destroy_logical_type(). */
duckdb_logical_type mr_cells_logical_type(const struct mr_column *column);

/** Copies `count` cells from row `row` of the chunk's column to the vector at `at`. */
void mr_cells_copy(duckdb_vector vector, uint32_t at, const struct mr_column_chunk *column,
                   uint32_t row, uint32_t count);

/** Puts one cell of a vector as the chunk's current row; false: the arena is full. */
bool mr_cells_put(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                  duckdb_vector vector, uint64_t at);

/** Checks every text cell of a chunk; MR_E_TYPE, MR_STOP names the table and the column. */
bool mr_cells_check_text(const struct mr_chunk *chunk, const char *table,
                         struct mr_error *err) MR_MUST_CHECK;

#endif
