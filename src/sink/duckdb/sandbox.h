// SPDX-License-Identifier: MIT
/*
 * sandbox.h - what a user's statement may say: exactly one SELECT, or EXPLAIN of one.
 *
 * DuckDB's own switches (no external access, locked configuration, a read-only transaction) keep
 * files, settings and tables safe, but leave functions that act: enable_logging(), checkpoint(),
 * write_log(). So the statement is parsed first, by the engine's own parser, and looked through:
 *   - it must be SELECT (VALUES, FROM, DESCRIBE, SUMMARIZE and SHOW are), alone;
 *   - every table function must be on the list below; everything else is refused, known or not;
 *   - no table name that looks like a file's: the engine would open it, and its own database and
 *     temporary files are open to it;
 *   - no scalar function that acts, waits or has state (all that the engine calls volatile, but for
 *     random numbers and the like).
 * Views are trusted: only the operator can make them.
 */
#ifndef MR_SINK_DUCKDB_SANDBOX_H
#define MR_SINK_DUCKDB_SANDBOX_H

#include <duckdb.h>
#include <stdbool.h>

#include "compiler.h"
#include "error.h"

/**
 * Checks a statement on the connection it will run on. MR_E_CONFIG, MR_STOP says what is refused;
 * MR_E_LIMIT, MR_STOP that it could not be parsed for lack of memory.
 */
bool mr_sandbox_check(duckdb_connection connection, const char *sql,
                      struct mr_error *err) MR_MUST_CHECK;

/** Fills in *err from the engine's complaint about a user's statement. Returns false. */
bool mr_sandbox_fail(duckdb_error_type type, const char *message, struct mr_error *err);

#endif
