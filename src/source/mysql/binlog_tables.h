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
#include "table_shape.h"

#define MR_BINLOG_ACTIVE_TABLES_MAX 4096 /* table maps of one statement */

struct mr_binlog_table {
    struct mr_binlog_table *next; /* in its bucket */
    char *space;
    char *table;
    uint8_t *shape; /* of the table map that layout was made from */
    size_t shape_size;
    const struct mr_schema *current; /* as the log has it so far; NULL: not known, or dropped */
    const struct mr_schema *changed_from; /* its rows showed a change that nobody has told of yet */
    struct mr_table_shape *kept;          /* of a table that is not captured, if known */
    struct mr_mysql_layout *layout;       /* NULL until a captured table's map has been seen */
    uint32_t hash;
    bool is_captured;
    bool is_asked;     /* is_captured is known */
    bool is_looked_up; /* current was taken from the catalog, or is known otherwise */
    bool is_uncertain; /* a statement that was not understood may have changed it */
    bool is_changed;   /* current is not in the catalog yet */
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
    bool has_changed;                /* some table's current is not in the catalog yet */
    bool has_doubt;                  /* of every table that is looked up from here on */
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

/* ---- What DDL does. None of these may be called while rows of a statement are awaited. ---- */

/** The entry of a table, made when new. */
struct mr_binlog_table *mr_binlog_tables_get(struct mr_binlog_tables *tables, const char *space,
                                             const char *table);

bool mr_binlog_table_captured(struct mr_binlog_tables *tables, struct mr_binlog_table *table);

/** The table's shape at this place of the log; NULL: not known, dropped, or not captured. */
const struct mr_schema *mr_binlog_table_current(struct mr_binlog_tables *tables,
                                                struct mr_binlog_table *table);

/** The version that a new one of the table is to follow; NULL: there was none. */
const struct mr_schema *mr_binlog_table_known(struct mr_binlog_tables *tables,
                                              struct mr_binlog_table *table);

/** The table has this shape from here on. */
void mr_binlog_table_set(struct mr_binlog_tables *tables, struct mr_binlog_table *table,
                         const struct mr_schema *schema);

/** The table is gone, or nothing is known of it: its rows, and information_schema, must tell. */
void mr_binlog_table_lose(struct mr_binlog_tables *tables, struct mr_binlog_table *table);

/** Forgets how its rows decode. */
void mr_binlog_table_forget(struct mr_binlog_table *table);

/** Any table may have changed. */
void mr_binlog_tables_doubt(struct mr_binlog_tables *tables);

/** A batch is handed on: what the log says up to its end becomes current in the catalog. */
void mr_binlog_tables_publish(struct mr_binlog_tables *tables);

#endif
