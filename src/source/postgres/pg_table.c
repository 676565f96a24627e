// SPDX-License-Identifier: MIT
/*
 * pg_table.c - descriptions of tables to schemas.
 *
 * The key of a schema:
 *   identity DEFAULT, INDEX   the columns that the identity is made of
 *   identity FULL             the primary key, if the table has one; old rows are then reduced to
 *                             it. Without one the table is keyless and its old rows come whole.
 *   identity NOTHING          none; the server itself refuses updates and deletes of such a table
 *
 * When the catalogs no longer know the table (it was dropped; the log still has rows of it), what
 * the catalogs had said before is taken over from the table's last schema.
 */
#include "pg_table.h"

#include <string.h>

#define IDENTITY_IS_KEYED(identity)                                                                \
    ((identity) == MR_PG_IDENTITY_DEFAULT || (identity) == MR_PG_IDENTITY_INDEX)

const char *mr_pg_arena_text(struct mr_arena *arena, struct mr_slice text)
{
    MR_ASSERT(text.bytes != NULL || text.length == 0);
    char *copy = mr_arena_alloc(arena, text.length + 1, 1);
    if (copy == NULL) {
        return NULL;
    }
    if (text.length > 0) {
        memcpy(copy, text.bytes, text.length);
    }
    copy[text.length] = '\0';
    return copy;
}

/* The column of the table's last schema that this one still is, or NULL. */
static const struct mr_column *earlier_column(const struct mr_schema *earlier,
                                              const struct mr_pg_column *column)
{
    MR_ASSERT(column->name != NULL);
    if (earlier == NULL || column->known) {
        return NULL;
    }
    const int index = mr_schema_find_column(earlier, column->name);
    return index < 0 ? NULL : &earlier->columns[index];
}

static struct mr_pg_type_ref type_ref(const struct mr_pg_table *table,
                                      const struct mr_pg_column *column,
                                      const struct mr_column *earlier)
{
    MR_ASSERT(table->types != NULL);
    const struct mr_table_policy *policy =
        table->policy == NULL ? &mr_table_policy_default : table->policy;
    struct mr_pg_type_ref ref = {
        .oid = column->type_oid,
        .modifier = column->modifier,
        .is_enum = earlier != NULL && earlier->labels != NULL,
        .on_type_error = mr_table_policy_on_type_error(policy, column->name),
        .types = table->types,
    };
    if (column->known) {
        ref.oid = column->base_oid;
        ref.modifier = column->base_modifier;
        ref.is_enum = column->is_enum;
    }
    return ref;
}

/* False when the server cannot send the column's type. */
static bool fill_column(const struct mr_pg_table *table, const struct mr_pg_column *from,
                        struct mr_arena *arena, struct mr_column *to, struct mr_pg_plan *plan)
{
    MR_ASSERT(from->name != NULL);
    char name[MR_PG_TYPE_NAME_BYTES];
    const struct mr_column *earlier = earlier_column(table->earlier, from);
    *to = (struct mr_column){
        .name = from->name,
        .fallback = from->known       ? from->fallback
                    : earlier != NULL ? earlier->fallback
                                      : NULL,
        .labels = from->known       ? from->labels
                  : earlier != NULL ? earlier->labels
                                    : NULL,
        .key_index = MR_NOT_IN_KEY,
        .nullable = from->known ? !from->is_not_null : earlier == NULL || earlier->nullable,
    };
    if (!mr_pg_type_resolve(type_ref(table, from, earlier), to, plan)) {
        return false;
    }
    if (mr_pg_type_format(from->type_oid, from->modifier, name)) {
        to->source_type = mr_pg_arena_text(arena, mr_slice_of(name));
    } else {
        to->source_type = from->type_name != NULL ? from->type_name
                          : earlier != NULL       ? earlier->source_type
                                                  : "?";
    }
    return true;
}

static bool is_key_column(const struct mr_pg_table *table, uint16_t index,
                          const struct mr_column *earlier)
{
    MR_ASSERT(index < table->column_count);
    const struct mr_pg_column *column = &table->columns[index];
    if (IDENTITY_IS_KEYED(table->identity)) {
        return column->in_identity;
    }
    if (table->identity == MR_PG_IDENTITY_NOTHING) {
        return false;
    }
    return column->known ? column->in_primary_key
                         : earlier != NULL && earlier->key_index != MR_NOT_IN_KEY;
}

const struct mr_pg_column *mr_pg_table_unsupported(const struct mr_pg_table *table,
                                                   const char **type_name)
{
    MR_ASSERT(table->columns != NULL || table->column_count == 0);
    for (uint16_t i = 0; i < table->column_count; i++) {
        struct mr_column column = {0};
        struct mr_pg_plan plan;
        if (!mr_pg_type_resolve(type_ref(table, &table->columns[i], NULL), &column, &plan)) {
            *type_name = table->columns[i].type_name != NULL ? table->columns[i].type_name : "?";
            return &table->columns[i];
        }
    }
    return NULL;
}

const struct mr_schema *mr_pg_table_intern(struct mr_pg_table *table, struct mr_catalog *catalog,
                                           struct mr_arena *arena, struct mr_pg_plan *plans,
                                           struct mr_error *err)
{
    MR_ASSERT(table->space != NULL && table->name != NULL);
    table->earlier = mr_catalog_latest(catalog, table->space, table->name);
    struct mr_column *columns = MR_ARENA_NEW(arena, struct mr_column, table->column_count);
    uint16_t key_count = 0;

    if (columns == NULL) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP, "table \"%s.%s\": %u columns are too many",
                      table->space, table->name, table->column_count);
        return NULL;
    }
    for (uint16_t i = 0; i < table->column_count; i++) {
        const struct mr_pg_column *from = &table->columns[i];
        if (!fill_column(table, from, arena, &columns[i], &plans[i])) {
            (void)mr_fail(err, MR_E_TYPE, MR_STOP,
                          "table \"%s.%s\": column \"%s\" has the type %s (oid %u), which holds a "
                          "type that the server cannot send; leave the column out of the "
                          "publication, or exclude the table",
                          table->space, table->name, from->name,
                          from->type_name == NULL ? "?" : from->type_name, from->type_oid);
            return NULL;
        }
        if (is_key_column(table, i, earlier_column(table->earlier, from))) {
            columns[i].key_index = key_count++;
            if (plans[i].on_error == MR_ON_TYPE_ERROR_NULL) {
                plans[i].on_error = MR_ON_TYPE_ERROR_STOP; /* a key is never null */
            }
        }
        columns[i].nullable = columns[i].key_index == MR_NOT_IN_KEY &&
                              (columns[i].nullable || plans[i].on_error == MR_ON_TYPE_ERROR_NULL);
        plans[i].is_nullable = columns[i].nullable;
    }
    const struct mr_schema draft = {
        .column_count = table->column_count,
        .space = table->space,
        .table = table->name,
        .columns = columns,
        .full_before = key_count == 0 && table->identity == MR_PG_IDENTITY_FULL,
    };
    return table->follows != NULL ? mr_catalog_follow(catalog, table->follows, &draft, err)
                                  : mr_catalog_intern(catalog, &draft, err);
}

const struct mr_schema *mr_pg_schema_loosen(const struct mr_schema *schema, uint16_t column,
                                            struct mr_catalog *catalog, struct mr_arena *arena,
                                            struct mr_error *err)
{
    MR_ASSERT(column < schema->column_count);
    MR_ASSERT(schema->columns[column].key_index == MR_NOT_IN_KEY);
    struct mr_schema draft = *schema;
    struct mr_column *columns = MR_ARENA_NEW(arena, struct mr_column, schema->column_count);
    if (columns == NULL) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP, "table \"%s.%s\": %u columns are too many",
                      schema->space, schema->table, schema->column_count);
        return NULL;
    }
    memcpy(columns, schema->columns, schema->column_count * sizeof(*columns));
    columns[column].nullable = true;
    draft.columns = columns;
    return mr_catalog_intern(catalog, &draft, err);
}
