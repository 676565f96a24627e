// SPDX-License-Identifier: MIT
/*
 * pg_out.c - see pg_out.h.
 *
 * Quoting counts first and then moves the bytes apart from the end, so that each is moved once.
 */
#include "pg_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FORMAT_BYTES_MAX 128
#define ESCAPE_BYTES_MAX 6 /* \u001f */

uint8_t *mr_pg_out_reserve(struct mr_pg_out *out, size_t length)
{
    struct mr_column_chunk *column = out->column;
    MR_ASSERT(column->width == 0 && column->heap_size <= column->heap_capacity);
    if (out->is_full || (length > column->heap_capacity - column->heap_size &&
                         !mr_chunk_grow_heap(column, out->arena, length))) {
        out->is_full = true;
        return NULL;
    }
    uint8_t *at = column->heap + column->heap_size;
    column->heap_size += (uint32_t)length;
    return at;
}

void mr_pg_out_bytes(struct mr_pg_out *out, const void *bytes, size_t length)
{
    uint8_t *to = length == 0 ? NULL : mr_pg_out_reserve(out, length);
    if (to != NULL) {
        memcpy(to, bytes, length);
    }
}

void mr_pg_out_text(struct mr_pg_out *out, const char *text)
{
    mr_pg_out_bytes(out, text, strlen(text));
}

void mr_pg_out_format(struct mr_pg_out *out, const char *format, ...)
{
    char text[FORMAT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    MR_ASSERT(length >= 0 && (size_t)length < sizeof(text));
    mr_pg_out_bytes(out, text, (size_t)length);
}

/* What stands for a byte; the length. */
typedef size_t (*escape_fn)(uint8_t byte, char escaped[ESCAPE_BYTES_MAX + 1]);

static size_t escape_json(uint8_t byte, char escaped[ESCAPE_BYTES_MAX + 1])
{
    static const char *const digits = "0123456789abcdef";
    static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                   ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    escaped[0] = '\\';
    if (byte < sizeof(letters) && letters[byte] != 0) {
        escaped[1] = letters[byte];
        return 2;
    }
    if (byte < 0x20) {
        escaped[1] = 'u';
        escaped[2] = '0';
        escaped[3] = '0';
        escaped[4] = digits[byte >> 4];
        escaped[5] = digits[byte & 15];
        return ESCAPE_BYTES_MAX;
    }
    escaped[0] = (char)byte;
    return 1;
}

static size_t escape_bound(uint8_t byte, char escaped[ESCAPE_BYTES_MAX + 1])
{
    escaped[0] = (char)byte;
    escaped[1] = (char)byte;
    return byte == '"' || byte == '\\' ? 2 : 1;
}

/* Puts quotes around what lies since the mark, every byte replaced by what stands for it. */
static void quote(struct mr_pg_out *out, uint32_t mark, escape_fn escape)
{
    MR_ASSERT(mark <= out->column->heap_size);
    char escaped[ESCAPE_BYTES_MAX + 1];
    const uint32_t length = out->column->heap_size - mark;
    size_t more = 2;
    for (uint32_t i = 0; i < length; i++) {
        more += escape(out->column->heap[mark + i], escaped) - 1;
    }
    if (mr_pg_out_reserve(out, more) == NULL) {
        return;
    }
    uint8_t *heap = out->column->heap + mark;
    size_t to = length + more;
    heap[--to] = '"';
    if (more == 2) { /* nothing to replace */
        memmove(heap + 1, heap, length);
        to -= length;
    } else {
        for (uint32_t i = length; i > 0; i--) {
            const size_t count = escape(heap[i - 1], escaped);
            to -= count;
            memcpy(heap + to, escaped, count);
        }
    }
    heap[--to] = '"';
    MR_ASSERT(to == 0);
}

void mr_pg_out_to_json(struct mr_pg_out *out, uint32_t mark)
{
    if (!out->is_full) {
        quote(out, mark, escape_json);
    }
}

/* As range_bound_escape() of the server. */
void mr_pg_out_to_bound(struct mr_pg_out *out, uint32_t mark)
{
    if (out->is_full) {
        return;
    }
    bool is_plain = mark < out->column->heap_size;
    for (uint32_t i = mark; is_plain && i < out->column->heap_size; i++) {
        const uint8_t byte = out->column->heap[i];
        is_plain = byte == 0 || strchr("\"\\()[], \t\n\r\v\f", byte) == NULL;
    }
    if (!is_plain) {
        quote(out, mark, escape_bound);
    }
}

bool mr_pg_out_end(struct mr_pg_out *out, uint32_t row)
{
    if (out->is_full) {
        mr_pg_out_drop(out, row);
        return false;
    }
    MR_ASSERT(out->column->offsets[row] <= out->column->heap_size);
    out->column->offsets[row + 1] = out->column->heap_size;
    mr_put_valid(out->column, row);
    return true;
}

void mr_pg_out_drop(struct mr_pg_out *out, uint32_t row)
{
    MR_ASSERT(out->column->offsets[row] <= out->column->heap_size);
    out->column->heap_size = out->column->offsets[row];
}
