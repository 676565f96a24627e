// SPDX-License-Identifier: MIT
/*
 * query_cell.h - a cell of a result as JSON (warehouse_query.h says how each type looks).
 */
#ifndef MR_SINK_DUCKDB_QUERY_CELL_H
#define MR_SINK_DUCKDB_QUERY_CELL_H

#include <duckdb.h>
#include <stdint.h>

#include "json.h"
#include "query_type.h"

/** Writes the cell at `row`. The type must be supported. */
void mr_query_cell_write(struct mr_json *out, const struct mr_query_type *type,
                         duckdb_vector vector, uint64_t row);

#endif
