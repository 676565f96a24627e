// SPDX-License-Identifier: MIT
/*
 * conversion.h - which changes of a column's type the warehouse may follow by a cast of its own.
 *
 * Types are DuckDB's, as it prints them. docs/SCHEMA_CHANGES.md has the table.
 */
#ifndef MR_SINK_DUCKDB_CONVERSION_H
#define MR_SINK_DUCKDB_CONVERSION_H

#include <stdbool.h>

/** A cast gives what the server made of its own rows, or fails where a value does not fit. */
bool mr_conversion_is_faithful(const char *from, const char *to);

/** Every value of `narrow` has a place in a column of type `wide`, and is found there again. */
bool mr_conversion_is_held_by(const char *narrow, const char *wide);

#endif
