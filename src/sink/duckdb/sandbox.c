// SPDX-License-Identifier: MIT
/*
 * sandbox.c - looks through the tree that json_serialize_sql() makes of a statement: the engine's
 * own parser, without binding, so nothing is opened or run while looking.
 *
 * In the tree, a table function is {"type": "TABLE_FUNCTION", "function": {"function_name": ...}},
 * and every other function has a "function_name", too. Names come lower-case or as quoted; they are
 * compared without case, since the engine resolves them so.
 */
#include "sandbox.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "warehouse.h"

#define TREE_DEPTH_MAX 2000

/* Table functions that read the warehouse, its catalog, or make rows from their arguments. */
static const char *const table_functions[] = {
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_databases",
    "duckdb_functions",
    "duckdb_indexes",
    "duckdb_keywords",
    "duckdb_schemas",
    "duckdb_sequences",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "histogram",
    "histogram_values",
    "icu_calendar_names",
    "json_each",
    "json_tree",
    "pg_timezone_names",
    "pragma_show",
    "pragma_table_info",
    "pragma_version",
    "range",
    "repeat",
    "repeat_row",
    "summary",
    "unnest",
};

/* Scalar functions that act, wait or have a state: the engine's volatile ones (duckdb_functions(),
 * stability), without random(), setseed(), uuid*(), error(), stats() and the current_* numbers. The
 * suite compares this list with the engine's, so that a new version's additions are seen. */
static const char *const scalar_functions[] = {
    "currval", "nextval", "sleep_ms", "write_log", "getenv", "getvariable",
};

static bool is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool mr_sandbox_fail(duckdb_error_type type, const char *message, struct mr_error *err)
{
    const char *text = message == NULL ? "no message" : message;
    const int length = mr_duckdb_first_line(text);

    if (type == DUCKDB_ERROR_OUT_OF_MEMORY || strncmp(text, "Out of Memory", 13) == 0) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP,
                       "the query needs more memory than queries have: %.*s", length, text);
    }
    return mr_fail(err, MR_E_CONFIG, MR_STOP, "%.*s", length, text);
}

static bool refuse(struct mr_error *err, const char *what, const char *name)
{
    return mr_fail(
        err, MR_E_CONFIG, MR_STOP,
        "%s \"%s\" is not available to queries; they may read the warehouse's tables and "
        "nothing else",
        what, name);
}

static bool check_object(const json_t *object, struct mr_error *err)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    const char *name = json_string_value(json_object_get(object, "function_name"));

    if (type != NULL && strcmp(type, "TABLE_FUNCTION") == 0) {
        const json_t *function = json_object_get(object, "function");
        const char *called = json_string_value(json_object_get(function, "function_name"));
        if (called == NULL || !is_listed(table_functions, MR_ARRAY_LEN(table_functions), called)) {
            return refuse(err, "the table function", called == NULL ? "?" : called);
        }
    }
    if (type != NULL && strcmp(type, "BASE_TABLE") == 0) {
        const char *schema = json_string_value(json_object_get(object, "schema_name"));
        const char *table = json_string_value(json_object_get(object, "table_name"));
        /* The engine would read a file of that name. Tables of ours always have a schema. */
        const bool has_schema = schema != NULL && schema[0] != '\0';
        if (table == NULL || strpbrk(has_schema ? schema : table, has_schema ? "/" : "./\\:")) {
            return refuse(err, "the file", table == NULL ? "?" : table);
        }
    }
    if (name != NULL && is_listed(scalar_functions, MR_ARRAY_LEN(scalar_functions), name)) {
        return refuse(err, "the function", name);
    }
    return true;
}

/* Walks the whole tree; the parser of both engines bounds its depth, and so do we. */
static bool check_tree(const json_t *node, unsigned depth, struct mr_error *err)
{
    if (depth > TREE_DEPTH_MAX) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the statement is nested too deeply");
    }
    if (json_is_array(node)) {
        for (size_t i = 0; i < json_array_size(node); i++) {
            if (!check_tree(json_array_get(node, i), depth + 1, err)) {
                return false;
            }
        }
    } else if (json_is_object(node)) {
        const char *key;
        json_t *value;
        if (!check_object(node, err)) {
            return false;
        }
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): jansson only reads, but wants no const */
        json_object_foreach((json_t *)(uintptr_t)node, key, value)
        {
            if (!check_tree(value, depth + 1, err)) {
                return false;
            }
        }
    }
    return true;
}

static bool check_text(const char *text, size_t length, struct mr_error *err)
{
    json_error_t json_err;
    json_t *root = json_loadb(text, length, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &json_err);
    bool checked = false;

    if (root == NULL) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "the statement cannot be looked through: %s",
                json_err.text);
        goto out;
    }
    const json_t *statements = json_object_get(root, "statements");
    const char *complaint = json_string_value(json_object_get(root, "error_message"));
    if (complaint != NULL) {
        const bool is_other = strstr(complaint, "Only SELECT statements") != NULL;
        mr_fail(err, MR_E_CONFIG, MR_STOP, "%.*s", is_other ? 200 : mr_duckdb_first_line(complaint),
                is_other ? "only one SELECT, or EXPLAIN of one, can be run here" : complaint);
        goto out;
    }
    if (!json_is_array(statements) || json_array_size(statements) != 1) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "exactly one statement can be run at a time");
        goto out;
    }
    checked = check_tree(statements, 0, err);

out:
    json_decref(root);
    return checked;
}

/* Steps over white space and comments. */
static const char *skip_blank(const char *sql)
{
    for (;;) {
        while (isspace((unsigned char)*sql)) {
            sql++;
        }
        if (strncmp(sql, "--", 2) == 0) {
            sql += strcspn(sql, "\n");
        } else if (strncmp(sql, "/*", 2) == 0) {
            const char *end = strstr(sql + 2, "*/");
            sql = end == NULL ? sql + strlen(sql) : end + 2;
        } else {
            return sql;
        }
    }
}

static const char *skip_word(const char *sql, const char *word)
{
    const size_t length = strlen(word);
    const char *start = skip_blank(sql);
    const bool is_word =
        strncasecmp(start, word, length) == 0 && !isalnum((unsigned char)start[length]);
    return is_word && start[length] != '_' ? start + length : sql;
}

bool mr_sandbox_check(duckdb_connection connection, const char *sql, struct mr_error *err)
{
    duckdb_prepared_statement statement = NULL;
    duckdb_result result = {0};
    duckdb_data_chunk chunk = NULL;
    bool has_result = false;
    bool checked = false;
    /* What comes after EXPLAIN [ANALYZE] must be a SELECT by itself; other options are refused. */
    const char *after = skip_word(sql, "explain");
    const char *select = after == sql ? sql : skip_word(after, "analyze");

    if (duckdb_prepare(connection, "SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", &statement) ==
            DuckDBError ||
        duckdb_bind_varchar(statement, 1, select) == DuckDBError) {
        mr_sandbox_fail(DUCKDB_ERROR_INVALID, duckdb_prepare_error(statement), err);
        goto out;
    }
    has_result = true;
    if (duckdb_execute_prepared(statement, &result) == DuckDBError) {
        mr_sandbox_fail(duckdb_result_error_type(&result), duckdb_result_error(&result), err);
        goto out;
    }
    chunk = duckdb_fetch_chunk(result);
    if (chunk == NULL || duckdb_data_chunk_get_size(chunk) != 1) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "the statement cannot be looked through");
        goto out;
    }
    duckdb_string_t *text = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    checked = check_text(duckdb_string_t_data(text), duckdb_string_t_length(*text), err);

out:
    if (chunk != NULL) {
        duckdb_destroy_data_chunk(&chunk);
    }
    if (has_result) {
        duckdb_destroy_result(&result);
    }
    duckdb_destroy_prepare(&statement);
    return checked;
}
