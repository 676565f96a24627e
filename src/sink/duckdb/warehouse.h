// SPDX-License-Identifier: MIT
/*
 * warehouse.h - one DuckDB database and the writer's connection to it.
 *
 * Other connections, those of users' queries, are lent by the gate (gate.h), which counts them and
 * can interrupt them: DuckDB runs in our process, so a query shares its memory with the sink, and a
 * database that failed for good can be opened again only when nobody holds the old one.
 *
 * Invariants:
 *   - Only the sink's thread uses the writer connection.
 *   - All settings are made before the configuration is locked; nothing can change them afterwards.
 *
 * Failure: engine errors become MR_E_SINK (MR_STOP), or MR_RETRY where the same may work later: out
 * of memory (queries are interrupted and kept out for a while), interrupted, conflict. A fatal
 * error makes the database `broken`: mr_warehouse_reopen() must succeed before anything else does.
 */
#ifndef MR_SINK_DUCKDB_WAREHOUSE_H
#define MR_SINK_DUCKDB_WAREHOUSE_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "env.h"
#include "error.h"
#include "gate.h"
#include "options.h"

struct mr_warehouse;
struct mr_rows_registry;

struct mr_warehouse_config {
    const char *path;
    uint64_t memory_bytes;
    uint64_t temp_bytes_max;
    uint64_t threads;
    uint64_t queries_max;
    const struct mr_string_map *properties; /* DuckDB settings; may be NULL */
    const struct mr_env *env;
};

/** Opens or makes the database. MR_E_LOCKED: another process has it; MR_E_CONFIG: a setting. */
struct mr_warehouse *mr_warehouse_open(const struct mr_warehouse_config *config,
                                       struct mr_error *err);

/** Interrupts queries and waits for them, then closes. Accepts NULL. Prepared statements must have
 *  been destroyed before, here and in reopen(): they would keep the old database alive. */
void mr_warehouse_close(struct mr_warehouse *warehouse);

/** After a fatal error: closes and opens again. MR_RETRY while a query still holds the old one. */
bool mr_warehouse_reopen(struct mr_warehouse *warehouse, struct mr_error *err) MR_MUST_CHECK;

bool mr_warehouse_is_broken(const struct mr_warehouse *warehouse);

/** Whether no query was running when memory ran out last. */
bool mr_warehouse_was_alone(const struct mr_warehouse *warehouse);

/** Declares the database broken, as a fatal error of the engine does: for tests of recovery. */
void mr_warehouse_break(struct mr_warehouse *warehouse);

/** No database is open: a reopen failed. */
bool mr_warehouse_is_closed(const struct mr_warehouse *warehouse);

/** Counts the times the database was opened: prepared statements of an older one are gone. */
uint32_t mr_warehouse_generation(const struct mr_warehouse *warehouse);

struct mr_gate *mr_warehouse_gate(struct mr_warehouse *warehouse);
struct mr_rows_registry *mr_warehouse_rows(struct mr_warehouse *warehouse);

/** Runs one statement on the writer's connection and forgets its result. */
bool mr_warehouse_exec(struct mr_warehouse *warehouse, const char *sql,
                       struct mr_error *err) MR_MUST_CHECK;

/** Ends the open transaction; a COMMIT that failed has done so already, which is no error. */
void mr_warehouse_rollback(struct mr_warehouse *warehouse);

/** As mr_warehouse_exec(), keeping the result: duckdb_destroy_result() when true. */
bool mr_warehouse_exec_keep(struct mr_warehouse *warehouse, const char *sql, duckdb_result *result,
                            struct mr_error *err) MR_MUST_CHECK;

/** Prepares on the writer's connection; *statement is NULL on failure. */
bool mr_warehouse_prepare(struct mr_warehouse *warehouse, const char *sql,
                          duckdb_prepared_statement *statement, struct mr_error *err) MR_MUST_CHECK;

/** Runs a prepared statement; *changed (may be NULL) gets the number of rows it changed. */
bool mr_warehouse_run(struct mr_warehouse *warehouse, duckdb_prepared_statement statement,
                      uint64_t *changed, struct mr_error *err) MR_MUST_CHECK;

/** As mr_warehouse_run(), keeping the result: duckdb_destroy_result() when true. */
bool mr_warehouse_run_keep(struct mr_warehouse *warehouse, duckdb_prepared_statement statement,
                           duckdb_result *result, struct mr_error *err) MR_MUST_CHECK;

/** Bytes of the write-ahead log; 0 when there is none. */
uint64_t mr_warehouse_wal_bytes(const struct mr_warehouse *warehouse);

/** Path of the database file, as configured. */
const char *mr_warehouse_path(const struct mr_warehouse *warehouse);

/** The engine's text up to its first line end: what it adds below is advice on its own settings. */
int mr_duckdb_first_line(const char *message);

#endif
