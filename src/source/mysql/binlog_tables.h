// SPDX-License-Identifier: MIT
/*
 * binlog_tables.h - the tables a binlog speaks of: which are captured, and how their rows decode.
 *
 * A table map costs a hash, and a comparison of its shape with the one seen last; only when the
 * shape is new is it taken apart. A layout is dropped when DDL may have changed the table.
 */
#ifndef MR_SOURCE_MYSQL_BINLOG_TABLES_H
#define MR_SOURCE_MYSQL_BINLOG_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "binlog_stream.h"
#include "error.h"
#include "table_layout.h"
#include "table_map.h"

#define MR_BINLOG_ACTIVE_TABLES_MAX 4096 /* table maps of one statement */

struct mr_binlog_table {
    struct mr_binlog_table *next; /* in its bucket */
    char *space;
    char *table;
    uint8_t *shape; /* of the table map that layout was made from */
    size_t shape_size;
    struct mr_mysql_layout *layout; /* NULL until a captured table's map has been seen */
    uint32_t hash;
    bool is_captured;
    bool is_asked; /* is_captured is known */
};

struct mr_binlog_active {
    uint64_t table_id;
    struct mr_binlog_table *table;
};

struct mr_binlog_tables {
    struct mr_binlog_callbacks callbacks;
    struct mr_mysql_layout_terms terms;
    bool is_maria;
    struct mr_binlog_table **buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t count;
    struct mr_binlog_active *active; /* table maps since the last statement's end */
    uint32_t active_count;
    uint32_t active_capacity;
};

void mr_binlog_tables_init(struct mr_binlog_tables *tables,
                           const struct mr_binlog_callbacks *callbacks,
                           const struct mr_mysql_layout_terms *terms, bool is_maria);
void mr_binlog_tables_done(struct mr_binlog_tables *tables);

/** Takes in a TABLE_MAP event's body. */
bool mr_binlog_tables_map(struct mr_binlog_tables *tables, struct mr_slice body,
                          struct mr_error *err) MR_MUST_CHECK;

/** The table behind an id of the current statement, or NULL. */
struct mr_binlog_table *mr_binlog_tables_find(const struct mr_binlog_tables *tables,
                                              uint64_t table_id);

/** A statement has ended: its table ids mean nothing any more. */
void mr_binlog_tables_end_statement(struct mr_binlog_tables *tables);

/** Is the table captured? Asks once. */
bool mr_binlog_tables_captures(struct mr_binlog_tables *tables, const char *space,
                               const char *table);

/**
 * The newest schema known for a captured table: from its rows, the catalog or the server. NULL
 * without an error when the server has no such table any more and we never saw it.
 */
bool mr_binlog_tables_schema(struct mr_binlog_tables *tables, const char *space, const char *table,
                             const struct mr_schema **schema, struct mr_error *err) MR_MUST_CHECK;

/** Forgets what is known of one table; of all of them when table is NULL. */
void mr_binlog_tables_forget(struct mr_binlog_tables *tables, const char *space, const char *table);

#endif
