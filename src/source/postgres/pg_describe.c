// SPDX-License-Identifier: MIT
/*
 * pg_describe.c - one query a table over pg_attribute and what hangs on it.
 *
 * Numbers of the answer's fields are the enum below. Which columns make up the replica identity is
 * taken from the index that the server itself would use: for DEFAULT the primary key unless it is
 * deferrable, for INDEX the one that was named.
 */
#include "pg_describe.h"

#include <stdlib.h>
#include <string.h>

#include "pg_describe_types.h"

#define GENERATED_VERSION_MIN 180000

enum field {
    FIELD_NAME,
    FIELD_TYPE,
    FIELD_MODIFIER,
    FIELD_NOT_NULL,
    FIELD_FALLBACK,
    FIELD_IN_PRIMARY_KEY,
    FIELD_IN_IDENTITY,
    FIELD_BASE_TYPE,
    FIELD_BASE_MODIFIER,
    FIELD_IS_ENUM,
    FIELD_TYPE_NAME,
    FIELD_LABELS,
    FIELD_IS_GENERATED,
};

#define KEY_COLUMNS(index) "(" index ".indkey::int2[])[0:" index ".indnkeyatts - 1]"

static const char describe_query[] =
    "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, "
    "CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END, "
    "coalesce(a.attnum = ANY (" KEY_COLUMNS(
        "k") "), false), "
             "CASE c.relreplident WHEN 'f' THEN true "
             "WHEN 'd' THEN coalesce(k.indimmediate AND a.attnum = ANY (" KEY_COLUMNS(
                 "k") "), false) "
                      "WHEN 'i' THEN coalesce(a.attnum = ANY (" KEY_COLUMNS(
                          "r") "), false) ELSE false END, "
                               "b.oid, b.modifier, b.typtype = 'e', "
                               "pg_catalog.format_type(a.atttypid, a.atttypmod), "
                               "(SELECT pg_catalog.string_agg(e.enumlabel, E'\\x1f' ORDER BY "
                               "e.enumsortorder) "
                               "FROM pg_catalog.pg_enum e WHERE e.enumtypid = b.oid), "
                               "a.attgenerated <> '' "
                               "FROM pg_catalog.pg_attribute a "
                               "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
                               "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND "
                               "d.adnum = a.attnum "
                               "LEFT JOIN pg_catalog.pg_index k ON k.indrelid = a.attrelid AND "
                               "k.indisprimary "
                               "LEFT JOIN pg_catalog.pg_index r ON r.indrelid = a.attrelid AND "
                               "r.indisreplident "
                               "CROSS JOIN LATERAL (WITH RECURSIVE base(oid, typtype, typbasetype, "
                               "modifier) AS ("
                               "SELECT t.oid, t.typtype, t.typbasetype, "
                               "CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END "
                               "FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid UNION ALL "
                               "SELECT t.oid, t.typtype, t.typbasetype, "
                               "CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE base.modifier END "
                               "FROM base JOIN pg_catalog.pg_type t ON t.oid = base.typbasetype "
                               "WHERE base.typtype = 'd') "
                               "SELECT base.oid, base.modifier, base.typtype FROM base WHERE "
                               "base.typtype <> 'd') b "
                               "WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT "
                               "a.attisdropped "
                               "ORDER BY a.attnum";

static PGresult *ask(struct mr_pg_connection *connection, uint32_t oid, struct mr_error *err)
{
    MR_ASSERT(oid != 0);
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", oid);
    const char *const parameters[] = {text};
    return mr_pg_query(connection, describe_query, parameters, 1, err);
}

static bool is_true(const PGresult *result, int row, enum field field)
{
    return strcmp(mr_pg_field(result, row, (int)field), "t") == 0;
}

static uint32_t to_oid(const PGresult *result, int row, enum field field)
{
    return (uint32_t)strtoul(mr_pg_field(result, row, (int)field), NULL, 10);
}

static int32_t to_modifier(const PGresult *result, int row, enum field field)
{
    return (int32_t)strtol(mr_pg_field(result, row, (int)field), NULL, 10);
}

/* A copy in the arena, NULL for a null; *ok turns false when the arena is full. */
static const char *to_text(const PGresult *result, int row, enum field field,
                           struct mr_arena *arena, bool *ok)
{
    if (PQgetisnull(result, row, (int)field)) {
        return NULL;
    }
    const char *copy = mr_pg_arena_text(arena, mr_slice_of(mr_pg_field(result, row, (int)field)));
    *ok = *ok && copy != NULL;
    return copy;
}

static bool fill(const PGresult *result, int row, struct mr_pg_column *column,
                 struct mr_arena *arena)
{
    MR_ASSERT(row < PQntuples(result));
    bool ok = true;
    column->known = true;
    column->is_not_null = is_true(result, row, FIELD_NOT_NULL);
    column->fallback = to_text(result, row, FIELD_FALLBACK, arena, &ok);
    column->in_primary_key = is_true(result, row, FIELD_IN_PRIMARY_KEY);
    column->base_oid = to_oid(result, row, FIELD_BASE_TYPE);
    column->base_modifier = to_modifier(result, row, FIELD_BASE_MODIFIER);
    column->is_enum = is_true(result, row, FIELD_IS_ENUM);
    column->type_name = to_text(result, row, FIELD_TYPE_NAME, arena, &ok);
    column->is_generated = is_true(result, row, FIELD_IS_GENERATED);
    column->labels = to_text(result, row, FIELD_LABELS, arena, &ok);
    return ok;
}

static bool fail_full(const struct mr_pg_table *table, struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP, "table \"%s.%s\": its description is too large",
                   table->space, table->name);
}

bool mr_pg_describe(void *connection, struct mr_pg_table *table, struct mr_arena *arena,
                    struct mr_error *err)
{
    MR_ASSERT(table->oid != 0);
    PGresult *result = ask(connection, table->oid, err);
    bool ok = true;
    if (result == NULL) {
        return false;
    }
    int row = 0;
    const int row_count = PQntuples(result);
    for (uint16_t i = 0; i < table->column_count && ok; i++) {
        struct mr_pg_column *column = &table->columns[i];
        /* Both lists are in the order of the attributes, so the search goes on from where it
         * was. */
        for (int tried = 0; tried < row_count && !column->known; tried++) {
            if (strcmp(mr_pg_field(result, row, FIELD_NAME), column->name) == 0 &&
                to_oid(result, row, FIELD_TYPE) == column->type_oid) {
                ok = fill(result, row, column, arena);
            }
            row = row + 1 == row_count ? 0 : row + 1;
        }
        if (column->known && column->base_oid == column->type_oid) {
            column->base_modifier = column->modifier; /* the log's own, which may be older */
        }
    }
    PQclear(result);
    return (ok || fail_full(table, err)) && mr_pg_describe_types(connection, table, err);
}

/* Whether name is one of those joined by '\x1f'. */
static bool is_listed(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, '\x1f')) {
        at += *at == '\x1f' ? 1 : 0;
        if (strncmp(at, name, length) == 0 && (at[length] == '\0' || at[length] == '\x1f')) {
            return true;
        }
    }
    return false;
}

/* Before 18 a generated column is never sent, though the publication lists it. */
static bool is_sent(const PGresult *result, int row, const char *published, int version)
{
    MR_ASSERT(row < PQntuples(result));
    if (is_true(result, row, FIELD_IS_GENERATED) &&
        (published == NULL || version < GENERATED_VERSION_MIN)) {
        return false;
    }
    return published == NULL || is_listed(published, mr_pg_field(result, row, FIELD_NAME));
}

bool mr_pg_describe_whole(struct mr_pg_connection *connection, struct mr_pg_table *table,
                          const char *published, struct mr_arena *arena, struct mr_error *err)
{
    PGresult *result = ask(connection, table->oid, err);
    if (result == NULL) {
        return false;
    }
    const int row_count = PQntuples(result);
    MR_ASSERT(row_count <= MR_COLUMN_COUNT_MAX); /* the server's limit is 1,600 */
    bool ok = true;
    table->column_count = 0;
    table->columns = MR_ARENA_NEW(arena, struct mr_pg_column, row_count);
    for (int row = 0; row < row_count && table->columns != NULL; row++) {
        if (is_sent(result, row, published, PQserverVersion(connection->pg))) {
            struct mr_pg_column *column = &table->columns[table->column_count++];
            column->name = to_text(result, row, FIELD_NAME, arena, &ok);
            column->type_oid = to_oid(result, row, FIELD_TYPE);
            column->modifier = to_modifier(result, row, FIELD_MODIFIER);
            column->in_identity = is_true(result, row, FIELD_IN_IDENTITY);
            ok = fill(result, row, column, arena) && ok;
        } else if (is_true(result, row, FIELD_IS_GENERATED)) {
            table->left_out = to_text(result, row, FIELD_NAME, arena, &ok);
        }
    }
    ok = ok && table->columns != NULL;
    PQclear(result);
    return (ok || fail_full(table, err)) && mr_pg_describe_types(connection, table, err);
}
