// SPDX-License-Identifier: MIT
/*
 * pg_table.h - a table as PostgreSQL describes it, and how that becomes a schema of ours.
 *
 * The stream's Relation message says which columns a row has, their types and which belong to the
 * replica identity; it is the truth for the rows that follow. The catalogs add what it leaves out
 * (nullability, defaults, enum labels, the base of a domain, the primary key), but they show the
 * table of now, which may be ahead of the log, or gone: so they only ever add to a column of the
 * same name and type. A snapshot is described by the catalogs alone and must give an equal schema.
 */
#ifndef MR_SOURCE_POSTGRES_PG_TABLE_H
#define MR_SOURCE_POSTGRES_PG_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "error.h"
#include "pg_types.h"
#include "schema.h"
#include "table_policy.h"

/** pg_class.relreplident. */
enum mr_pg_identity {
    MR_PG_IDENTITY_DEFAULT = 'd', /* the primary key, if there is one */
    MR_PG_IDENTITY_NOTHING = 'n',
    MR_PG_IDENTITY_FULL = 'f', /* every column of the old row */
    MR_PG_IDENTITY_INDEX = 'i',
};

struct mr_pg_column {
    const char *name;
    uint32_t type_oid;
    int32_t modifier;
    bool in_identity;

    /* From the catalogs, where `known`. */
    bool known;
    bool is_not_null;
    bool in_primary_key;
    bool is_enum;
    bool is_generated;
    uint32_t base_oid; /* of a domain; else type_oid */
    int32_t base_modifier;
    const char *type_name; /* as format_type() prints it; NULL: built in, or not known */
    const char *fallback;  /* default expression, or NULL */
    const char *labels;    /* of an enum, joined by '\x1f' */
};

struct mr_pg_table {
    const struct mr_schema *follows; /* the table's version before; NULL: any equal one will do */
    uint32_t oid;
    const char *space;
    const char *name;
    char identity; /* enum mr_pg_identity */
    uint16_t column_count;
    struct mr_pg_column *columns;
    const char *left_out; /* a generated column that the server does not send; NULL: none known */

    struct mr_pg_types *types;            /* what is known of types; describing adds to it */
    const struct mr_table_policy *policy; /* NULL: the default */
    const struct mr_schema *earlier;      /* set by mr_pg_table_intern(): the last version */
};

/** Adds what the catalogs know to a table; *table lies in the arena, and so must what is added. */
struct mr_pg_describer {
    void *context;
    bool (*describe)(void *context, struct mr_pg_table *table, struct mr_arena *arena,
                     struct mr_error *err);
    /** Learns of one type anew. NULL: cannot. */
    bool (*describe_type)(void *context, uint32_t oid, struct mr_pg_types *types,
                          struct mr_error *err);
    /** Has the server print a value that it sent; *text lies in the arena. NULL: cannot. */
    bool (*print)(void *context, uint32_t oid, struct mr_slice wire, struct mr_arena *arena,
                  struct mr_slice *text, struct mr_error *err);
};

/**
 * Interns the schema of a table and says how each of its columns is decoded (plans has room for
 * column_count). NULL with MR_E_TYPE, MR_STOP for a column whose type the server
 * cannot send.
 */
const struct mr_schema *mr_pg_table_intern(struct mr_pg_table *table, struct mr_catalog *catalog,
                                           struct mr_arena *arena, struct mr_pg_plan *plans,
                                           struct mr_error *err);

/** The first column whose type the server cannot send, or NULL; its name goes to *type_name. */
const struct mr_pg_column *mr_pg_table_unsupported(const struct mr_pg_table *table,
                                                   const char **type_name);

/** The schema with one more column that may be null: what a row proved against the catalogs. */
const struct mr_schema *mr_pg_schema_loosen(const struct mr_schema *schema, uint16_t column,
                                            struct mr_catalog *catalog, struct mr_arena *arena,
                                            struct mr_error *err);

/** A NUL-terminated copy in the arena; NULL when it is full. */
const char *mr_pg_arena_text(struct mr_arena *arena, struct mr_slice text);

#endif
