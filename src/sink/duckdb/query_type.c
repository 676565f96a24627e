// SPDX-License-Identifier: MIT
/*
 * query_type.c - see query_type.h.
 */
#include "query_type.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const char *const type_names[] = {
    [DUCKDB_TYPE_BOOLEAN] = "BOOLEAN",
    [DUCKDB_TYPE_TINYINT] = "TINYINT",
    [DUCKDB_TYPE_SMALLINT] = "SMALLINT",
    [DUCKDB_TYPE_INTEGER] = "INTEGER",
    [DUCKDB_TYPE_BIGINT] = "BIGINT",
    [DUCKDB_TYPE_UTINYINT] = "UTINYINT",
    [DUCKDB_TYPE_USMALLINT] = "USMALLINT",
    [DUCKDB_TYPE_UINTEGER] = "UINTEGER",
    [DUCKDB_TYPE_UBIGINT] = "UBIGINT",
    [DUCKDB_TYPE_FLOAT] = "FLOAT",
    [DUCKDB_TYPE_DOUBLE] = "DOUBLE",
    [DUCKDB_TYPE_TIMESTAMP] = "TIMESTAMP",
    [DUCKDB_TYPE_DATE] = "DATE",
    [DUCKDB_TYPE_TIME] = "TIME",
    [DUCKDB_TYPE_INTERVAL] = "INTERVAL",
    [DUCKDB_TYPE_HUGEINT] = "HUGEINT",
    [DUCKDB_TYPE_VARCHAR] = "VARCHAR",
    [DUCKDB_TYPE_BLOB] = "BLOB",
    [DUCKDB_TYPE_TIMESTAMP_S] = "TIMESTAMP_S",
    [DUCKDB_TYPE_TIMESTAMP_MS] = "TIMESTAMP_MS",
    [DUCKDB_TYPE_TIMESTAMP_NS] = "TIMESTAMP_NS",
    [DUCKDB_TYPE_ENUM] = "ENUM",
    [DUCKDB_TYPE_UUID] = "UUID",
    [DUCKDB_TYPE_BIT] = "BIT",
    [DUCKDB_TYPE_TIME_TZ] = "TIME WITH TIME ZONE",
    [DUCKDB_TYPE_TIMESTAMP_TZ] = "TIMESTAMP WITH TIME ZONE",
    [DUCKDB_TYPE_UHUGEINT] = "UHUGEINT",
    [DUCKDB_TYPE_SQLNULL] = "\"NULL\"",
    [DUCKDB_TYPE_TIME_NS] = "TIME_NS",
};

static bool is_nested(duckdb_type id)
{
    return id == DUCKDB_TYPE_LIST || id == DUCKDB_TYPE_ARRAY || id == DUCKDB_TYPE_STRUCT ||
           id == DUCKDB_TYPE_UNION || id == DUCKDB_TYPE_MAP || id == DUCKDB_TYPE_DECIMAL;
}

static duckdb_logical_type child_of(const struct mr_query_type *type, uint64_t i)
{
    if (type->id == DUCKDB_TYPE_LIST) {
        return duckdb_list_type_child_type(type->logical);
    }
    if (type->id == DUCKDB_TYPE_ARRAY) {
        return duckdb_array_type_child_type(type->logical);
    }
    if (type->id == DUCKDB_TYPE_MAP) {
        return i == 0 ? duckdb_map_type_key_type(type->logical)
                      : duckdb_map_type_value_type(type->logical);
    }
    return type->id == DUCKDB_TYPE_STRUCT ? duckdb_struct_type_child_type(type->logical, i)
                                          : duckdb_union_type_member_type(type->logical, i);
}

static uint64_t count_children(const struct mr_query_type *type)
{
    if (type->id == DUCKDB_TYPE_LIST || type->id == DUCKDB_TYPE_ARRAY) {
        return 1;
    }
    if (type->id == DUCKDB_TYPE_MAP) {
        return 2;
    }
    if (type->id == DUCKDB_TYPE_STRUCT) {
        return duckdb_struct_type_child_count(type->logical);
    }
    return type->id == DUCKDB_TYPE_UNION ? duckdb_union_type_member_count(type->logical) : 0;
}

void mr_query_type_init(struct mr_query_type *type, duckdb_logical_type logical, unsigned depth)
{
    const duckdb_type id = duckdb_get_type_id(logical);

    *type = (struct mr_query_type){.id = id, .storage = id, .logical = logical};
    type->is_supported =
        depth < MR_QUERY_TYPE_DEPTH_MAX &&
        (is_nested(id) || ((size_t)id < MR_ARRAY_LEN(type_names) && type_names[id] != NULL));
    if (!type->is_supported) {
        return;
    }
    if (id == DUCKDB_TYPE_DECIMAL) {
        type->scale = duckdb_decimal_scale(logical);
        type->storage = duckdb_decimal_internal_type(logical);
    } else if (id == DUCKDB_TYPE_ENUM) {
        type->storage = duckdb_enum_internal_type(logical);
    } else if (id == DUCKDB_TYPE_ARRAY) {
        type->array_size = duckdb_array_type_array_size(logical);
    }
    type->child_count = count_children(type);
    type->children = mr_memory_new(type->child_count + 1, sizeof(*type->children));
    type->names = mr_memory_new(type->child_count + 1, sizeof(*type->names));
    for (uint64_t i = 0; i < type->child_count; i++) {
        mr_query_type_init(&type->children[i], child_of(type, i), depth + 1);
        type->is_supported = type->is_supported && type->children[i].is_supported;
        if (id == DUCKDB_TYPE_STRUCT) {
            type->names[i] = duckdb_struct_type_child_name(logical, i);
        } else if (id == DUCKDB_TYPE_UNION) {
            type->names[i] = duckdb_union_type_member_name(logical, i);
        }
    }
}

void mr_query_type_done(struct mr_query_type *type)
{
    for (uint64_t i = 0; i < type->child_count; i++) {
        mr_query_type_done(&type->children[i]);
        duckdb_free(type->names[i]);
    }
    free(type->children);
    free(type->names);
    if (type->logical != NULL) {
        duckdb_destroy_logical_type(&type->logical);
    }
    *type = (struct mr_query_type){0};
}

static void add_members(const struct mr_query_type *type, struct mr_sql *text)
{
    for (uint64_t i = 0; i < type->child_count; i++) {
        mr_sql_add(text, i == 0 ? "(" : ", ");
        if (type->names[i] != NULL) {
            mr_sql_add_identifier(text, type->names[i]);
            mr_sql_add(text, " ");
        }
        mr_query_type_add_name(&type->children[i], text);
    }
    mr_sql_add(text, ")");
}

void mr_query_type_add_name(const struct mr_query_type *type, struct mr_sql *text)
{
    char *alias = type->logical == NULL ? NULL : duckdb_logical_type_get_alias(type->logical);

    if (alias != NULL && alias[0] != '\0') {
        mr_sql_add(text, alias);
    } else if (type->id == DUCKDB_TYPE_DECIMAL && type->logical != NULL) {
        mr_sql_addf(text, "DECIMAL(%u,%u)", (unsigned)duckdb_decimal_width(type->logical),
                    (unsigned)type->scale);
    } else if (type->id == DUCKDB_TYPE_LIST && type->child_count == 1) {
        mr_query_type_add_name(&type->children[0], text);
        mr_sql_add(text, "[]");
    } else if (type->id == DUCKDB_TYPE_ARRAY && type->child_count == 1) {
        mr_query_type_add_name(&type->children[0], text);
        mr_sql_addf(text, "[%llu]", (unsigned long long)type->array_size);
    } else if (is_nested(type->id)) {
        mr_sql_add(text, type->id == DUCKDB_TYPE_STRUCT  ? "STRUCT"
                         : type->id == DUCKDB_TYPE_UNION ? "UNION"
                                                         : "MAP");
        add_members(type, text);
    } else if ((size_t)type->id < MR_ARRAY_LEN(type_names) && type_names[type->id] != NULL) {
        mr_sql_add(text, type_names[type->id]);
    } else {
        mr_sql_add(text, "OTHER");
    }
    duckdb_free(alias);
}
