// SPDX-License-Identifier: MIT
/*
 * ddl.h - a source table's shape as SQL text: names, CREATE TABLE, the sink's
 * statements.
 *
 * Target of `space`.`table` from source `source` is the table "<table>" in the schema
 * "<source>_<space>". Identifiers are always quoted. DuckDB compares names without case.
 *
 * Keys are not declared in DuckDB: a PRIMARY KEY is an index that costs memory and blocks ALTER,
 * and the sink does not need it (docs/decisions/0003-duckdb-apply.md).
 */
#ifndef MR_SINK_DUCKDB_DDL_H
#define MR_SINK_DUCKDB_DDL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "schema.h"

/** A growing SQL text. A zeroed struct is empty; free with mr_sql_done(). */
struct mr_sql {
    char *text;
    size_t length;
    size_t capacity;
};

void mr_sql_add(struct mr_sql *sql, const char *text);
void mr_sql_addf(struct mr_sql *sql, const char *format, ...) MR_PRINTF(2, 3);
void mr_sql_add_identifier(struct mr_sql *sql, const char *name); /* "na""me" */
void mr_sql_add_literal(struct mr_sql *sql, const char *text);    /* 'te''xt' */
void mr_sql_done(struct mr_sql *sql);

/** Adds "schema"."table" of the target. */
void mr_ddl_add_target(struct mr_sql *sql, const char *source, const struct mr_schema *schema);

/** Schema name of the target, unquoted; free() it. */
char *mr_ddl_schema_name(const char *source, const struct mr_schema *schema);

/** Two columns whose names differ only in case cannot both be in a DuckDB table: MR_E_TYPE. */
bool mr_ddl_check(const struct mr_schema *schema, const char *table,
                  struct mr_error *err) MR_MUST_CHECK;

void mr_ddl_create_schema(struct mr_sql *sql, const char *source, const struct mr_schema *schema);
void mr_ddl_create_table(struct mr_sql *sql, const char *source, const struct mr_schema *schema);

/**
 * What rows that exist get in a new column: its default where that is a constant, what the server
 * fills in where there is none, else NULL. False: the default is an expression.
 */
bool mr_ddl_old_value(struct mr_sql *sql, const struct mr_column *column);

/** INSERT of all columns from millrace_rows(slot). */
void mr_ddl_insert(struct mr_sql *sql, const char *source, const struct mr_schema *schema,
                   uint32_t slot);

/** DELETE of the rows whose key is in millrace_rows(slot). */
void mr_ddl_delete_keys(struct mr_sql *sql, const char *source, const struct mr_schema *schema,
                        uint32_t slot);

/** SELECT of number (ord) and all columns of the rows whose key is in millrace_rows(slot). */
void mr_ddl_fetch(struct mr_sql *sql, const char *source, const struct mr_schema *schema,
                  uint32_t slot);

/** DELETE of `n` rows equal to each row of millrace_rows(slot), for tables without a key. */
void mr_ddl_delete_duplicates(struct mr_sql *sql, const char *source,
                              const struct mr_schema *schema, uint32_t slot);

#endif
