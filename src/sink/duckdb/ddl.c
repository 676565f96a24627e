// SPDX-License-Identifier: MIT
/*
 * ddl.c - SQL text from schemas. The only place that builds SQL from names.
 */
#include "ddl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cells.h"
#include "memory.h"

#define SQL_BYTES_MIN 256

static char *reserve(struct mr_sql *sql, size_t count)
{
    if (sql->length + count + 1 > sql->capacity) {
        size_t capacity = sql->capacity < SQL_BYTES_MIN ? SQL_BYTES_MIN : sql->capacity;
        while (capacity < sql->length + count + 1) {
            capacity *= 2;
        }
        sql->text = mr_memory_resize(sql->text, capacity, 1);
        sql->capacity = capacity;
    }
    return sql->text + sql->length;
}

static void add_bytes(struct mr_sql *sql, const char *bytes, size_t count)
{
    memcpy(reserve(sql, count), bytes, count);
    sql->length += count;
    sql->text[sql->length] = '\0';
    MR_ASSERT(sql->length < sql->capacity);
}

void mr_sql_add(struct mr_sql *sql, const char *text)
{
    add_bytes(sql, text, strlen(text));
}

void mr_sql_addf(struct mr_sql *sql, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    MR_ASSERT(length >= 0);
    char *to = reserve(sql, (size_t)length);
    va_start(arguments, format);
    (void)vsnprintf(to, (size_t)length + 1, format, arguments);
    va_end(arguments);
    sql->length += (size_t)length;
}

static void add_quoted(struct mr_sql *sql, const char *text, char quote)
{
    add_bytes(sql, &quote, 1);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == quote) {
            add_bytes(sql, c, 1);
        }
        add_bytes(sql, c, 1);
    }
    add_bytes(sql, &quote, 1);
}

void mr_sql_add_identifier(struct mr_sql *sql, const char *name)
{
    add_quoted(sql, name, '"');
}

void mr_sql_add_literal(struct mr_sql *sql, const char *text)
{
    add_quoted(sql, text, '\'');
}

void mr_sql_done(struct mr_sql *sql)
{
    free(sql->text);
    *sql = (struct mr_sql){0};
}

char *mr_ddl_schema_name(const char *source, const struct mr_schema *schema)
{
    struct mr_sql name = {0};
    mr_sql_addf(&name, "%s_%s", source, schema->space);
    return name.text;
}

static void add_schema(struct mr_sql *sql, const char *source, const struct mr_schema *schema)
{
    char *name = mr_ddl_schema_name(source, schema);
    mr_sql_add_identifier(sql, name);
    free(name);
}

void mr_ddl_add_target(struct mr_sql *sql, const char *source, const struct mr_schema *schema)
{
    add_schema(sql, source, schema);
    mr_sql_add(sql, ".");
    mr_sql_add_identifier(sql, schema->table);
}

bool mr_ddl_check(const struct mr_schema *schema, const char *table, struct mr_error *err)
{
    for (uint16_t i = 0; i < schema->column_count; i++) {
        for (uint16_t k = 0; k < i; k++) {
            if (strcasecmp(schema->columns[i].name, schema->columns[k].name) == 0) {
                return mr_fail(err, MR_E_TYPE, MR_STOP,
                               "table \"%s\": the columns \"%s\" and \"%s\" differ only in case, "
                               "which DuckDB cannot keep apart; rename or exclude one",
                               table, schema->columns[k].name, schema->columns[i].name);
            }
        }
        if (schema->key_count == 0 && strcasecmp(schema->columns[i].name, "rowid") == 0) {
            return mr_fail(err, MR_E_TYPE, MR_STOP,
                           "table \"%s\" has no key and a column named \"%s\", which hides the "
                           "row number that deletes need; give the table a key",
                           table, schema->columns[i].name);
        }
    }
    return true;
}

void mr_ddl_create_schema(struct mr_sql *sql, const char *source, const struct mr_schema *schema)
{
    mr_sql_add(sql, "CREATE SCHEMA IF NOT EXISTS ");
    add_schema(sql, source, schema);
}

static void add_column_definition(struct mr_sql *sql, const struct mr_column *column)
{
    char type[MR_DUCKDB_TYPE_BYTES_MAX];

    mr_cells_type_name(column, type, sizeof(type));
    mr_sql_add_identifier(sql, column->name);
    mr_sql_add(sql, " ");
    mr_sql_add(sql, type);
}

void mr_ddl_create_table(struct mr_sql *sql, const char *source, const struct mr_schema *schema)
{
    MR_ASSERT(schema->column_count > 0);
    mr_sql_add(sql, "CREATE TABLE ");
    mr_ddl_add_target(sql, source, schema);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        mr_sql_add(sql, i == 0 ? " (" : ", ");
        add_column_definition(sql, &schema->columns[i]);
    }
    mr_sql_add(sql, ")");
}

/*
 * The text of a constant default as the servers print it: 5, -1.5, abc, 'it''s', 'x'::text, true.
 * False: an expression. The result is a copy; free() it.
 */
static bool constant_of(const char *printed, char **constant)
{
    static const char *const words[] = {"current_timestamp", "current_date", "current_time",
                                        "localtimestamp",    "localtime",    "current_user",
                                        "session_user",      "user"};
    const char *from = printed;
    char *text = mr_memory_copy_text(printed, strlen(printed));
    char *to = text;
    unsigned long long bits = 0;

    if (strncmp(from, "b'", 2) == 0) { /* b'101', of a BIT column */
        for (from += 2; *from == '0' || *from == '1'; from++) {
            bits = bits * 2 + (*from == '1' ? 1 : 0);
        }
        free(text);
        text = mr_memory_new(24, 1);
        (void)snprintf(text, 24, "%llu", bits);
        *constant = text;
        return true;
    }
    if (*from == '\'') {
        for (from++; *from != '\0'; from++) {
            if (*from == '\'' && *++from != '\'') {
                break;
            }
            *to++ = *from;
        }
        *to = '\0';
        if (*from == '\0' || strncmp(from, "::", 2) == 0) {
            *constant = text;
            return true;
        }
    }
    bool is_constant = printed[0] != '\'' && strpbrk(printed, "()") == NULL;
    for (size_t i = 0; is_constant && i < MR_ARRAY_LEN(words); i++) {
        is_constant = strcasecmp(printed, words[i]) != 0;
    }
    char *cast = strstr(text, "::");
    if (cast != NULL) {
        *cast = '\0';
    }
    *constant = text;
    return is_constant;
}

/*
 * What MySQL fills in for a column that is NOT NULL and has no default: 0, '', the first label.
 * Dates get a zero date, which nobody can hold: NULL here.
 */
static void add_implicit(struct mr_sql *sql, const struct mr_column *column)
{
    switch (column->type) {
    case MR_TYPE_BOOL:
    case MR_TYPE_I8:
    case MR_TYPE_I16:
    case MR_TYPE_I32:
    case MR_TYPE_I64:
    case MR_TYPE_U8:
    case MR_TYPE_U16:
    case MR_TYPE_U32:
    case MR_TYPE_U64:
    case MR_TYPE_F32:
    case MR_TYPE_F64:
    case MR_TYPE_DECIMAL:
        mr_sql_add(sql, "0");
        return;
    case MR_TYPE_DURATION:
    case MR_TYPE_INTERVAL:
        mr_sql_add(sql, "INTERVAL 0 SECONDS");
        return;
    case MR_TYPE_JSON:
        mr_sql_add(sql, "'null'");
        return;
    case MR_TYPE_TEXT: {
        const char *labels = column->labels != NULL ? column->labels : "";
        const bool is_set = strncasecmp(column->source_type, "set", 3) == 0;
        char *first = mr_memory_copy_text(labels, is_set ? 0 : strcspn(labels, "\x1f"));
        mr_sql_add_literal(sql, first);
        free(first);
        return;
    }
    case MR_TYPE_BYTES:
        mr_sql_add(sql, "''::BLOB");
        return;
    case MR_TYPE_DATE:
    case MR_TYPE_TIME:
    case MR_TYPE_TIMESTAMP:
    case MR_TYPE_TIMESTAMPTZ:
    case MR_TYPE_UUID:
        break;
    }
    mr_sql_add(sql, "NULL");
}

bool mr_ddl_old_value(struct mr_sql *sql, const struct mr_column *column)
{
    char *constant = NULL;
    bool is_known = true;

    if (column->fallback == NULL && !column->nullable) {
        add_implicit(sql, column);
    } else if (column->fallback == NULL || strcasecmp(column->fallback, "null") == 0 ||
               strncasecmp(column->fallback, "null::", 6) == 0) {
        mr_sql_add(sql, "NULL");
    } else if ((column->type != MR_TYPE_BYTES || column->fallback[0] == '\0') &&
               constant_of(column->fallback, &constant)) {
        mr_sql_add_literal(sql, constant);
    } else {
        is_known = false;
    }
    free(constant);
    return is_known;
}

/* c0, c1, ... with a prefix. */
static void add_slot_columns(struct mr_sql *sql, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        mr_sql_addf(sql, "%sc%u", i == 0 ? "" : ", ", (unsigned)i);
    }
}

static void add_table_columns(struct mr_sql *sql, const struct mr_schema *schema,
                              const char *prefix)
{
    for (uint16_t i = 0; i < schema->column_count; i++) {
        mr_sql_add(sql, i == 0 ? "" : ", ");
        mr_sql_add(sql, prefix);
        mr_sql_add_identifier(sql, schema->columns[i].name);
    }
}

/* As the schema has them: the table of a lenient policy may have wider types. */
static void add_fetched_columns(struct mr_sql *sql, const struct mr_schema *schema)
{
    for (uint16_t i = 0; i < schema->column_count; i++) {
        char type[MR_DUCKDB_TYPE_BYTES_MAX];
        mr_cells_type_name(&schema->columns[i], type, sizeof(type));
        mr_sql_add(sql, i == 0 ? "CAST(t." : ", CAST(t.");
        mr_sql_add_identifier(sql, schema->columns[i].name);
        mr_sql_addf(sql, " AS %s)", type);
    }
}

void mr_ddl_insert(struct mr_sql *sql, const char *source, const struct mr_schema *schema,
                   uint32_t slot)
{
    mr_sql_add(sql, "INSERT INTO ");
    mr_ddl_add_target(sql, source, schema);
    mr_sql_add(sql, " (");
    add_table_columns(sql, schema, "");
    mr_sql_add(sql, ") SELECT ");
    add_slot_columns(sql, schema->column_count);
    mr_sql_addf(sql, " FROM millrace_rows(%u)", (unsigned)slot);
}

/* t."a" = k.c0 AND ... over the key; a key column that may be null needs the longer form. */
static void add_key_match(struct mr_sql *sql, const struct mr_schema *schema)
{
    MR_ASSERT(schema->key_count > 0);
    for (uint16_t i = 0; i < schema->key_count; i++) {
        const struct mr_column *column = &schema->columns[schema->key[i]];
        mr_sql_add(sql, i == 0 ? "t." : " AND t.");
        mr_sql_add_identifier(sql, column->name);
        mr_sql_addf(sql, " %s k.c%u", column->nullable ? "IS NOT DISTINCT FROM" : "=", (unsigned)i);
    }
}

void mr_ddl_delete_keys(struct mr_sql *sql, const char *source, const struct mr_schema *schema,
                        uint32_t slot)
{
    mr_sql_add(sql, "DELETE FROM ");
    mr_ddl_add_target(sql, source, schema);
    mr_sql_addf(sql, " AS t USING millrace_rows(%u) AS k WHERE ", (unsigned)slot);
    add_key_match(sql, schema);
}

void mr_ddl_fetch(struct mr_sql *sql, const char *source, const struct mr_schema *schema,
                  uint32_t slot)
{
    mr_sql_add(sql, "SELECT k.ord, ");
    add_fetched_columns(sql, schema);
    mr_sql_add(sql, " FROM ");
    mr_ddl_add_target(sql, source, schema);
    mr_sql_addf(sql, " AS t, millrace_rows(%u) AS k WHERE ", (unsigned)slot);
    add_key_match(sql, schema);
}

void mr_ddl_delete_duplicates(struct mr_sql *sql, const char *source,
                              const struct mr_schema *schema, uint32_t slot)
{
    mr_sql_add(sql, "DELETE FROM ");
    mr_ddl_add_target(sql, source, schema);
    mr_sql_add(sql, " WHERE rowid IN (SELECT r FROM (SELECT t.rowid AS r, k.n AS n, "
                    "row_number() OVER (PARTITION BY k.ord) AS number FROM ");
    mr_ddl_add_target(sql, source, schema);
    mr_sql_addf(sql, " AS t, millrace_rows(%u) AS k WHERE ", (unsigned)slot);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        /* To the engine 30 days are a month: as text they are not. */
        const char *cast = schema->columns[i].type == MR_TYPE_INTERVAL ? "::VARCHAR" : "";
        mr_sql_add(sql, i == 0 ? "t." : " AND t.");
        mr_sql_add_identifier(sql, schema->columns[i].name);
        mr_sql_addf(sql, "%s IS NOT DISTINCT FROM k.c%u%s", cast, (unsigned)i, cast);
    }
    mr_sql_add(sql, ") WHERE number <= n)");
}
