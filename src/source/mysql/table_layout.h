// SPDX-License-Identifier: MIT
/*
 * table_layout.h - a whole table, resolved: its schema in the catalog, and a decoder a column.
 *
 * Made from information_schema alone (snapshot), or from a table map of the binlog with what
 * information_schema adds to it (stream).
 */
#ifndef MR_SOURCE_MYSQL_TABLE_LAYOUT_H
#define MR_SOURCE_MYSQL_TABLE_LAYOUT_H

#include "compiler.h"
#include "error.h"
#include "mysql_types.h"
#include "schema.h"
#include "table_map.h"

struct mr_mysql_layout {
    struct mr_arena arena; /* owns everything below but the schema */
    const struct mr_schema *schema;
    struct mr_mysql_column *columns;
    uint16_t column_count;
    uint16_t key_end; /* one past the last key column; 0 without a key */
};

/** What a layout is made with besides the description; all borrowed. */
struct mr_mysql_layout_terms {
    struct mr_catalog *catalog;         /* takes the schema */
    const struct mr_schema *follows;    /* the version before it; NULL: any equal one will do */
    const struct mr_policies *policies; /* NULL: the defaults */
    const char *source;                 /* its name, as policies have it; NULL with policies */
    struct mr_nulled *nulled;           /* counts misfits; NULL: nobody does. Outlives the layout */
};

/** For the snapshot. NULL and MR_E_TYPE for an unsupported column, named with its table. */
struct mr_mysql_layout *mr_mysql_layout_from_info(const struct mr_mysql_table_info *info,
                                                  const struct mr_mysql_layout_terms *terms,
                                                  struct mr_error *err);

/**
 * For the stream. info may be NULL when the table
 * map has names (binlog_row_metadata=FULL); it must otherwise agree with the map in the number and
 * the types of columns.
 * Errors: MR_E_SOURCE, MR_STOP: they do not agree, or names are missing; MR_E_TYPE as above.
 */
struct mr_mysql_layout *mr_mysql_layout_from_map(const struct mr_table_map *map,
                                                 const struct mr_mysql_table_info *info,
                                                 const struct mr_mysql_layout_terms *terms,
                                                 struct mr_error *err);

void mr_mysql_layout_close(struct mr_mysql_layout *layout); /* accepts NULL */

#endif
