// SPDX-License-Identifier: MIT
/*
 * record_json.c - see record_json.h.
 */
#include "record_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "memory.h"

#define EXACT_MAX      (INT64_C(1) << 53) /* integers a double holds exactly */
#define TEXT_BYTES     256
#define HEAD_BYTES_MAX 1000
#define NAME_BYTES_MAX 1024

static const char *kind_name(enum mr_event_kind kind)
{
    switch (kind) {
    case MR_EVENT_INSERT:
        return "insert";
    case MR_EVENT_UPDATE:
        return "update";
    case MR_EVENT_DELETE:
        return "delete";
    case MR_EVENT_TRUNCATE:
        return "truncate";
    case MR_EVENT_READ:
        return "read";
    case MR_EVENT_NOTE:
        return "note";
    }
    return "unknown";
}

static int64_t signed_of(struct mr_slice bytes)
{
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;

    switch (bytes.length) {
    case sizeof(i8):
        memcpy(&i8, bytes.bytes, sizeof(i8));
        return i8;
    case sizeof(i16):
        memcpy(&i16, bytes.bytes, sizeof(i16));
        return i16;
    case sizeof(i32):
        memcpy(&i32, bytes.bytes, sizeof(i32));
        return i32;
    default:
        MR_ASSERT(bytes.length == sizeof(i64));
        memcpy(&i64, bytes.bytes, sizeof(i64));
        return i64;
    }
}

static void put_signed(struct mr_json *json, int64_t number)
{
    char text[32];

    if (number >= -EXACT_MAX && number <= EXACT_MAX) {
        mr_json_int(json, number);
        return;
    }
    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    mr_json_string(json, text);
}

static void put_unsigned(struct mr_json *json, struct mr_slice bytes)
{
    uint64_t number = 0;
    char text[32];

    MR_ASSERT(bytes.length <= sizeof(number));
    if (bytes.length == sizeof(number)) {
        memcpy(&number, bytes.bytes, sizeof(number));
    } else {
        const uint64_t mask = (UINT64_C(1) << (8 * bytes.length)) - 1;
        number = (uint64_t)signed_of(bytes) & mask;
    }
    if (number <= (uint64_t)EXACT_MAX) {
        mr_json_uint(json, number);
        return;
    }
    (void)snprintf(text, sizeof(text), "%" PRIu64, number);
    mr_json_string(json, text);
}

/* A value in the words of mr_cell_print(), as a string. */
static void put_printed(struct mr_json *json, const struct mr_column *column,
                        const struct mr_column_chunk *cells, uint32_t row)
{
    char text[TEXT_BYTES];
    const size_t length = mr_cell_print(column, cells, row, text, sizeof(text));

    if (length < sizeof(text)) {
        mr_json_slice(json, (struct mr_slice){(const uint8_t *)text, length});
        return;
    }
    char *longer = mr_memory_new(length + 1, 1);
    (void)mr_cell_print(column, cells, row, longer, length + 1);
    mr_json_slice(json, (struct mr_slice){(const uint8_t *)longer, length});
    free(longer);
}

static void put_real(struct mr_json *json, double number, const struct mr_column *column,
                     const struct mr_column_chunk *cells, uint32_t row)
{
    if (isfinite(number)) {
        mr_json_double(json, number);
    } else {
        put_printed(json, column, cells, row);
    }
}

static void put_large(struct mr_json *json, struct mr_slice bytes, bool is_text)
{
    MR_ASSERT(bytes.length > HEAD_BYTES_MAX);

    mr_json_object_begin(json);
    mr_json_key(json, "size");
    mr_json_uint(json, bytes.length);
    mr_json_key(json, "head");
    if (is_text) {
        mr_json_slice(json, (struct mr_slice){bytes.bytes, HEAD_BYTES_MAX});
    } else {
        mr_json_null(json);
    }
    mr_json_object_end(json);
}

static void put_value(struct mr_json *json, const struct mr_column *column,
                      const struct mr_column_chunk *cells, uint32_t row)
{
    MR_ASSERT(mr_cell_state(cells, row) == MR_CELL_VALUE);

    const struct mr_slice bytes = mr_cell(cells, row);
    float f32;
    double f64;

    if (bytes.length > MR_RECORD_VALUE_BYTES_MAX) {
        put_large(json, bytes, column->type != MR_TYPE_BYTES);
        return;
    }
    switch (column->type) {
    case MR_TYPE_BOOL:
        mr_json_bool(json, bytes.bytes[0] != 0);
        return;
    case MR_TYPE_I8:
    case MR_TYPE_I16:
    case MR_TYPE_I32:
    case MR_TYPE_I64:
        put_signed(json, signed_of(bytes));
        return;
    case MR_TYPE_U8:
    case MR_TYPE_U16:
    case MR_TYPE_U32:
    case MR_TYPE_U64:
        put_unsigned(json, bytes);
        return;
    case MR_TYPE_F32:
        memcpy(&f32, bytes.bytes, sizeof(f32));
        put_real(json, (double)f32, column, cells, row);
        return;
    case MR_TYPE_F64:
        memcpy(&f64, bytes.bytes, sizeof(f64));
        put_real(json, f64, column, cells, row);
        return;
    case MR_TYPE_TEXT:
    case MR_TYPE_JSON:
        mr_json_slice(json, bytes);
        return;
    case MR_TYPE_DECIMAL:
    case MR_TYPE_DATE:
    case MR_TYPE_TIME:
    case MR_TYPE_DURATION:
    case MR_TYPE_TIMESTAMP:
    case MR_TYPE_TIMESTAMPTZ:
    case MR_TYPE_INTERVAL:
    case MR_TYPE_UUID:
    case MR_TYPE_BYTES:
        put_printed(json, column, cells, row);
        return;
    }
}

/* A column that the server did not send (unchanged, absent) is left out. */
static void put_image(struct mr_json *json, const struct mr_chunk *chunk, uint32_t row)
{
    MR_ASSERT(chunk == NULL || row < chunk->row_count);

    if (chunk == NULL) {
        mr_json_null(json);
        return;
    }
    mr_json_object_begin(json);
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        const struct mr_column *column = mr_chunk_column(chunk, i);
        switch (mr_cell_state(&chunk->columns[i], row)) {
        case MR_CELL_VALUE:
            mr_json_key(json, column->name);
            put_value(json, column, &chunk->columns[i], row);
            break;
        case MR_CELL_NULL:
            mr_json_key(json, column->name);
            mr_json_null(json);
            break;
        case MR_CELL_UNCHANGED:
        case MR_CELL_ABSENT:
            break;
        }
    }
    mr_json_object_end(json);
}

/* Microseconds since 1970 in the words of mr_cell_print(): a time with its zone. */
static void put_time(struct mr_json *json, int64_t us)
{
    static const struct mr_column column = {.type = MR_TYPE_TIMESTAMPTZ, .precision = 6};
    uint64_t valid = 1;
    uint8_t bytes[sizeof(us)];
    const struct mr_column_chunk cells = {
        .values = bytes, .valid = &valid, .width = sizeof(us), .type = MR_TYPE_TIMESTAMPTZ};

    if (us == 0) {
        mr_json_null(json);
        return;
    }
    memcpy(bytes, &us, sizeof(us));
    put_printed(json, &column, &cells, 0);
}

static const char *note_name(enum mr_note_kind kind)
{
    switch (kind) {
    case MR_NOTE_MESSAGE:
        return "message";
    case MR_NOTE_SCHEMA_CHANGE:
        return "schema_change";
    case MR_NOTE_QUARANTINE:
        return "quarantine";
    case MR_NOTE_STATEMENT:
        return "statement";
    }
    return "note";
}

static void put_schema(struct mr_json *json, const struct mr_schema *schema)
{
    if (schema == NULL) {
        mr_json_null(json);
        return;
    }
    mr_json_object_begin(json);
    mr_json_key(json, "schema");
    mr_json_string(json, schema->space);
    mr_json_key(json, "table");
    mr_json_string(json, schema->table);
    mr_json_key(json, "version");
    mr_json_uint(json, schema->version);
    mr_json_key(json, "columns");
    mr_json_array_begin(json);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        const struct mr_column *column = &schema->columns[i];
        mr_json_object_begin(json);
        mr_json_key(json, "name");
        mr_json_string(json, column->name);
        mr_json_key(json, "type");
        mr_json_string(json, column->source_type);
        mr_json_key(json, "nullable");
        mr_json_bool(json, column->nullable);
        mr_json_key(json, "key");
        mr_json_bool(json, column->key_index != MR_NOT_IN_KEY);
        mr_json_object_end(json);
    }
    mr_json_array_end(json);
    mr_json_object_end(json);
}

static void put_text(struct mr_json *json, struct mr_slice text)
{
    if (text.length > MR_RECORD_VALUE_BYTES_MAX) {
        put_large(json, text, true);
    } else {
        mr_json_slice(json, text);
    }
}

/* A note's own keys; before and after are the table's shapes. */
static void put_note(struct mr_json *json, const struct mr_note *note)
{
    MR_ASSERT(note->before == NULL || note->before->column_count > 0);
    mr_json_key(json, "name");
    put_text(json, note->name);
    mr_json_key(json, "text");
    put_text(json, note->text);
    if (note->kind == MR_NOTE_MESSAGE) {
        mr_json_key(json, "transactional");
        mr_json_bool(json, (note->flags & MR_NOTE_TRANSACTIONAL) != 0);
    }
    mr_json_key(json, "before");
    put_schema(json, note->before);
    mr_json_key(json, "after");
    put_schema(json, note->after);
}

static void put_topic(struct mr_json *json, const char *source, const struct mr_schema *schema)
{
    char text[NAME_BYTES_MAX];

    mr_json_key(json, "topic");
    if (schema == NULL) {
        mr_json_null(json);
        return;
    }
    (void)snprintf(text, sizeof(text), "%s.%s.%s", source, schema->space, schema->table);
    mr_json_string(json, text);
}

void mr_record_json(struct mr_json *json, const char *source, const struct mr_stream_row *row)
{
    char text[NAME_BYTES_MAX];

    MR_ASSERT(row->schema != NULL || row->note != NULL);
    mr_json_object_begin(json);
    put_topic(json, source, row->schema);
    (void)snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu32, row->place.sequence,
                   row->place.index);
    mr_json_key(json, "place");
    mr_json_string(json, text);
    mr_json_key(json, "op");
    mr_json_string(json, row->note != NULL ? note_name((enum mr_note_kind)row->note->kind)
                                           : kind_name(row->kind));
    mr_json_key(json, "committed_at");
    put_time(json, row->commit_us);
    if (row->note != NULL) {
        put_note(json, row->note);
    } else {
        mr_json_key(json, "before");
        put_image(json, row->before, row->before_row);
        mr_json_key(json, "after");
        put_image(json, row->after, row->after_row);
    }
    mr_json_object_end(json);
}
