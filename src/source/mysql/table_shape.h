// SPDX-License-Identifier: MIT
/*
 * table_shape.h - a table's columns as DDL leaves them: made from a schema of the catalog or from a
 * CREATE statement, changed by ALTER, and given back as a description like information_schema's.
 *
 * A shape remembers what its columns were called before the statement at hand, so that a rename is
 * told from a column that went and another that came.
 */
#ifndef MR_SOURCE_MYSQL_TABLE_SHAPE_H
#define MR_SOURCE_MYSQL_TABLE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "mysql_types.h"
#include "schema.h"
#include "writer.h"

struct mr_shape_column {
    char *name;
    char *former; /* before the statement; NULL: the column is new */
    char *type;   /* as COLUMN_TYPE prints it */
    char *charset;
    char *fallback;
    uint16_t key_index; /* from 0; MR_NOT_IN_KEY */
    bool nullable;
    bool charset_is_guessed;
    bool is_json; /* MariaDB's JSON, which is a text */
    bool is_generated;
};

struct mr_table_shape {
    struct mr_shape_column *columns;
    uint16_t count;
    uint16_t capacity;
    struct mr_mysql_column_info *info; /* of the last mr_table_shape_describe() */
    uint16_t *key;
};

/** Each accepts a zeroed shape; what was in it is freed. */
void mr_table_shape_done(struct mr_table_shape *shape);
void mr_table_shape_from_schema(struct mr_table_shape *shape, const struct mr_schema *schema);
void mr_table_shape_copy(struct mr_table_shape *shape, const struct mr_table_shape *from);

/** A statement begins: columns are called what they are called. */
void mr_table_shape_begin(struct mr_table_shape *shape);

/** By its present name, without case; -1: there is none. */
int mr_table_shape_find(const struct mr_table_shape *shape, const char *name);
/** By its name before the statement, or that of a column that is new. */
int mr_table_shape_find_former(const struct mr_table_shape *shape, const char *name);

/** Takes the column's texts over, at `index`. False: too many columns; they are freed. */
bool mr_table_shape_insert(struct mr_table_shape *shape, uint16_t index,
                           const struct mr_shape_column *column);
void mr_table_shape_remove(struct mr_table_shape *shape, uint16_t index);
void mr_table_shape_move(struct mr_table_shape *shape, uint16_t from, uint16_t to);
void mr_shape_column_done(struct mr_shape_column *column);

void mr_table_shape_drop_key(struct mr_table_shape *shape);

/** As information_schema would tell it; borrows the shape and both names. */
struct mr_mysql_table_info mr_table_shape_describe(struct mr_table_shape *shape, const char *space,
                                                   const char *table);

/** Appends old and new names of the columns that were renamed, as struct mr_note has them. */
void mr_table_shape_renamed(const struct mr_table_shape *shape, struct mr_writer *names);

#endif
