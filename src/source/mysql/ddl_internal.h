// SPDX-License-Identifier: MIT
/*
 * ddl_internal.h - what ddl_read.c and ddl_alter.c share.
 */
#ifndef MR_SOURCE_MYSQL_DDL_INTERNAL_H
#define MR_SOURCE_MYSQL_DDL_INTERNAL_H

#include <stdbool.h>

#include "ddl_read.h"

/** "table" or "space.table". */
bool mr_ddl_name_read(struct mr_scan *scan, struct mr_ddl_name *name);

/** The columns of a primary key, in brackets behind words that do not matter. */
bool mr_ddl_key_read(struct mr_scan *scan, struct mr_table_shape *shape);

/** Whether a definition is of an index or a constraint rather than of a column. */
bool mr_ddl_starts_index(const struct mr_token *token);

/** Steps before the ',' or ')' that ends a clause, or to the end. */
void mr_ddl_skip_clause(struct mr_scan *scan);

/** Gives character columns without a character set the known one, or a guess. */
void mr_ddl_fill_charsets(struct mr_table_shape *shape, const char *known);

#endif
