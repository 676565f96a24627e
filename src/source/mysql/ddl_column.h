// SPDX-License-Identifier: MIT
/*
 * ddl_column.h - one column definition of CREATE or ALTER TABLE, as information_schema prints it.
 */
#ifndef MR_SOURCE_MYSQL_DDL_COLUMN_H
#define MR_SOURCE_MYSQL_DDL_COLUMN_H

#include <stdbool.h>

#include "compiler.h"
#include "ddl_scan.h"
#include "table_shape.h"

/**
 * Reads "name type attributes" up to the ',' or ')' or FIRST or AFTER behind it. False: it is no
 * column definition; nothing is left to free. Character columns without a character set of their
 * own have none afterwards (charset_is_guessed).
 */
bool mr_ddl_column_read(struct mr_scan *scan, bool is_maria, struct mr_shape_column *column,
                        bool *is_key) MR_MUST_CHECK;

/** Reads the value behind DEFAULT; NULL: none, or NULL. The caller frees. */
char *mr_ddl_default_read(struct mr_scan *scan, bool is_maria);

/** Reads "[=] name" and gives the character set of that name, or of the collation of that name. */
char *mr_ddl_charset_read(struct mr_scan *scan);
char *mr_ddl_collation_read(struct mr_scan *scan);

/** Whether a type is of characters, so that its column needs a character set. */
bool mr_ddl_type_has_charset(const char *type);

#endif
