// SPDX-License-Identifier: MIT
/*
 * query_text.c - see query_text.h. What comes from the warehouse is shown without control
 * characters: a value must not be able to move the reader's cursor.
 */
#include "query_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "memory.h"

#define WIDTH_MAX        60 /* of a table's column, in characters */
#define NUMBER_BYTES_MAX 64

struct columns {
    const json_t *names;
    const json_t *rows;
    size_t count;
    size_t *widths;
    bool *is_number; /* every value of it is */
};

/* A value as text: `buffer` is used for numbers; NULL for null. */
static const char *text_of(const json_t *value, char buffer[NUMBER_BYTES_MAX], char **owned)
{
    *owned = NULL;
    switch (json_typeof(value)) {
    case JSON_NULL:
        return NULL;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_STRING:
        return json_string_value(value);
    case JSON_INTEGER:
        (void)snprintf(buffer, NUMBER_BYTES_MAX, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
        return buffer;
    case JSON_REAL:
        (void)snprintf(buffer, NUMBER_BYTES_MAX, "%.17g", json_real_value(value));
        return buffer;
    case JSON_OBJECT:
    case JSON_ARRAY:
        *owned = json_dumps(value, JSON_COMPACT);
        return *owned;
    }
    return NULL;
}

/* A decimal is a string in JSON, and still a number to the reader. */
static bool is_number_type(const json_t *column)
{
    static const char *const prefixes[] = {
        "DECIMAL",  "HUGEINT",   "UHUGEINT", "BIGINT",   "UBIGINT", "INTEGER", "UINTEGER",
        "SMALLINT", "USMALLINT", "TINYINT",  "UTINYINT", "DOUBLE",  "FLOAT"};
    const char *type = json_string_value(json_object_get(column, "type"));

    for (size_t i = 0; type != NULL && i < MR_ARRAY_LEN(prefixes); i++) {
        const size_t length = strlen(prefixes[i]);
        if (strncmp(type, prefixes[i], length) == 0 &&
            (type[length] == '\0' || type[length] == '(')) {
            return true;
        }
    }
    return false;
}

/* Characters, not bytes: continuation bytes of UTF-8 have no width. At most WIDTH_MAX count. */
static size_t width_of(const char *text)
{
    MR_ASSERT(text != NULL);

    size_t width = 0;

    for (; *text != '\0' && width < WIDTH_MAX; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

static void put_padded(FILE *out, const char *text, size_t width, bool to_the_right)
{
    MR_ASSERT(width <= WIDTH_MAX);

    const size_t used = width_of(text);
    const int padding = width > used ? (int)(width - used) : 0;
    size_t shown = 0;

    if (to_the_right) {
        (void)fprintf(out, "%*s", padding, "");
    }
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char byte = (unsigned char)*at;
        shown += (byte & 0xc0) != 0x80;
        if (shown > WIDTH_MAX) {
            break;
        }
        (void)fputc(byte < 0x20 || byte == 0x7f ? '.' : byte, out);
    }
    if (!to_the_right) {
        (void)fprintf(out, "%*s", padding, "");
    }
}

static bool find_columns(const json_t *answer, struct columns *columns)
{
    *columns = (struct columns){
        .names = json_object_get(answer, "columns"),
        .rows = json_object_get(answer, "rows"),
    };
    columns->count = json_array_size(columns->names);
    return json_is_array(columns->names) && json_is_array(columns->rows);
}

static const char *column_name(const struct columns *columns, size_t index)
{
    const char *name =
        json_string_value(json_object_get(json_array_get(columns->names, index), "name"));
    return name != NULL ? name : "";
}

static void measure(struct columns *columns)
{
    MR_ASSERT(columns->widths == NULL);

    columns->widths = mr_memory_new(columns->count + 1, sizeof(*columns->widths));
    columns->is_number = mr_memory_new(columns->count + 1, sizeof(*columns->is_number));
    for (size_t c = 0; c < columns->count; c++) {
        columns->widths[c] = width_of(column_name(columns, c));
        columns->is_number[c] = is_number_type(json_array_get(columns->names, c));
    }
    for (size_t r = 0; r < json_array_size(columns->rows); r++) {
        const json_t *row = json_array_get(columns->rows, r);
        for (size_t c = 0; c < columns->count && c < json_array_size(row); c++) {
            char buffer[NUMBER_BYTES_MAX];
            char *owned = NULL;
            const char *text = text_of(json_array_get(row, c), buffer, &owned);
            const size_t width = width_of(text != NULL ? text : "NULL");
            columns->widths[c] = width > columns->widths[c] ? width : columns->widths[c];
            free(owned);
        }
    }
}

static void put_table_row(FILE *out, const struct columns *columns, const json_t *row)
{
    MR_ASSERT(columns->widths != NULL);

    for (size_t c = 0; c < columns->count; c++) {
        char buffer[NUMBER_BYTES_MAX];
        char *owned = NULL;
        const json_t *value = json_array_get(row, c);
        const char *text = value != NULL ? text_of(value, buffer, &owned) : "";
        (void)fputs(c > 0 ? " | " : " ", out);
        put_padded(out, text != NULL ? text : "NULL", columns->widths[c], columns->is_number[c]);
        free(owned);
    }
    (void)fputc('\n', out);
}

bool mr_query_text_table(FILE *out, const json_t *answer)
{
    struct columns columns;

    if (!find_columns(answer, &columns)) {
        return false;
    }
    measure(&columns);
    for (size_t c = 0; c < columns.count; c++) {
        (void)fputs(c > 0 ? " | " : " ", out);
        put_padded(out, column_name(&columns, c), columns.widths[c], columns.is_number[c]);
    }
    (void)fputc('\n', out);
    for (size_t c = 0; c < columns.count; c++) {
        (void)fputs(c > 0 ? "-+-" : "-", out);
        for (size_t i = 0; i < columns.widths[c]; i++) {
            (void)fputc('-', out);
        }
    }
    (void)fputs("-\n", out);
    for (size_t r = 0; r < json_array_size(columns.rows); r++) {
        put_table_row(out, &columns, json_array_get(columns.rows, r));
    }
    const size_t count = json_array_size(columns.rows);
    (void)fprintf(out, "(%zu row%s%s, %.1f ms)\n", count, count == 1 ? "" : "s",
                  json_is_true(json_object_get(answer, "truncated")) ? ", there are more" : "",
                  json_number_value(json_object_get(answer, "elapsed_ms")));
    free(columns.widths);
    free(columns.is_number);
    return true;
}

static void put_csv_field(FILE *out, const char *text)
{
    if (text == NULL) {
        return;
    }
    if (text[0] != '\0' && strpbrk(text, ",\"\r\n") == NULL) {
        (void)fputs(text, out);
        return;
    }
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            (void)fputc('"', out);
        }
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

bool mr_query_text_csv(FILE *out, const json_t *answer)
{
    struct columns columns;

    if (!find_columns(answer, &columns)) {
        return false;
    }
    for (size_t c = 0; c < columns.count; c++) {
        (void)fputs(c > 0 ? "," : "", out);
        put_csv_field(out, column_name(&columns, c));
    }
    (void)fputs("\r\n", out);
    for (size_t r = 0; r < json_array_size(columns.rows); r++) {
        const json_t *row = json_array_get(columns.rows, r);
        for (size_t c = 0; c < columns.count; c++) {
            char buffer[NUMBER_BYTES_MAX];
            char *owned = NULL;
            const json_t *value = json_array_get(row, c);
            (void)fputs(c > 0 ? "," : "", out);
            put_csv_field(out, value != NULL ? text_of(value, buffer, &owned) : NULL);
            free(owned);
        }
        (void)fputs("\r\n", out);
    }
    return true;
}
