// SPDX-License-Identifier: MIT
/*
 * mysql_column.h - what mysql_types.c and table_layout.c share about making a column.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_COLUMN_H
#define MR_SOURCE_MYSQL_MYSQL_COLUMN_H

#include "mysql_types.h"

/**
 * Chooses core type, cell size and put functions by wire, metadata, is_unsigned, charset, labels.
 * Errors: MR_E_TYPE for what is not supported, MR_E_PROTOCOL for what cannot be; no context added.
 */
bool mr_mysql_column_resolve(struct mr_mysql_column *column, struct mr_error *err) MR_MUST_CHECK;

/**
 * With on_type_error: null, makes a resolved column take NULL for what it cannot hold, unless it is
 * in the key. misfits->schema is the caller's to set. False: no room in the arena.
 */
bool mr_mysql_column_null_misfits(struct mr_mysql_column *column, struct mr_nulled *nulled,
                                  uint16_t index, struct mr_arena *arena) MR_MUST_CHECK;

/** A NUL-terminated copy in the arena; NULL when it does not fit. */
const char *mr_mysql_keep_text(struct mr_arena *arena, struct mr_slice text);

#endif
