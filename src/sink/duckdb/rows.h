// SPDX-License-Identifier: MIT
/*
 * rows.h - rows of batches, shown to DuckDB as a table function: millrace_rows(slot).
 *
 * Why: `INSERT INTO t SELECT * FROM millrace_rows(7)`, prepared once, copies column runs straight
 * from a batch's chunks into the engine's vectors. Measured against the appender it needs one copy
 * less, no buffer of its own and no re-creation (docs/decisions/0003-duckdb-apply.md); and the same
 * function joins keys to a table for DELETE without a staging table.
 *
 * A slot is a list of columns with their types, fixed while statements use it, and a list of row
 * runs, set anew before each run of such a statement. Columns are named c0, c1, ...; slots can add
 * an `ord` column (the row's number in the list, from 0) and an `n` column (a count a row).
 *
 * Ownership: runs, chunks and counts are borrowed until mr_rows_clear(); the statement that reads
 * them runs in between.
 *
 * Threads: the sink's. DuckDB calls the function from its own threads, one at a time (max_threads
 * is 1), while the sink's thread waits in the statement. Users' queries cannot name it (sandbox.c).
 */
#ifndef MR_SINK_DUCKDB_ROWS_H
#define MR_SINK_DUCKDB_ROWS_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "chunk.h"
#include "compiler.h"
#include "error.h"
#include "schema.h"

/** Consecutive rows of a chunk. */
struct mr_row_run {
    const struct mr_chunk *chunk;
    uint32_t row;
    uint32_t count;
};

struct mr_row_list {
    const struct mr_row_run *runs;
    uint32_t run_count;
    const uint32_t *counts; /* one a row in list order, for the `n` column; else NULL */
};

enum mr_rows_columns {
    MR_ROWS_ALL, /* every column of the schema; runs are FULL images */
    MR_ROWS_KEY, /* the key's columns; runs are KEY or FULL images */
};

struct mr_rows_registry;

/** Makes the registry and registers the table function. */
struct mr_rows_registry *mr_rows_registry_open(duckdb_connection connection, struct mr_error *err);
void mr_rows_registry_close(struct mr_rows_registry *registry); /* accepts NULL */

/** A new slot's number for rows of `schema`, which is borrowed until mr_rows_drop(). */
uint32_t mr_rows_add(struct mr_rows_registry *registry, const struct mr_schema *schema,
                     enum mr_rows_columns columns);
void mr_rows_drop(struct mr_rows_registry *registry, uint32_t slot);

/** What the slot shows from now on, and forgetting it. */
void mr_rows_set(struct mr_rows_registry *registry, uint32_t slot, const struct mr_row_list *list);
void mr_rows_clear(struct mr_rows_registry *registry, uint32_t slot);

/** Adds a run to an array of runs, or lengthens the last one. */
static inline void mr_row_run_add(struct mr_row_run *runs, uint32_t *run_count,
                                  const struct mr_chunk *chunk, uint32_t row, uint32_t count)
{
    MR_ASSERT(runs != NULL && count > 0);
    struct mr_row_run *last = *run_count == 0 ? NULL : &runs[*run_count - 1];
    if (last != NULL && last->chunk == chunk && last->row + last->count == row) {
        last->count += count;
        return;
    }
    runs[(*run_count)++] = (struct mr_row_run){.chunk = chunk, .row = row, .count = count};
}

#endif
