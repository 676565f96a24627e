// SPDX-License-Identifier: MIT
/*
 * pg_tree_print.c - values of types that are made of types, to JSON or text.
 *
 *   array      := i32 dimension_count, i32 has_nulls, u32 element_type,
 *                 { i32 size, i32 lower_bound }, elements
 *   range      := u8 flags, [lower], [upper], each i32 length, bytes
 *   multirange := i32 count, { i32 length, range }
 *   composite  := i32 count, { u32 type, element }
 *   hstore     := i32 count, { i32 length, key, element }
 *   element    := i32 length (-1: null), bytes
 *
 * Bounds: recursion follows the type, whose depth is limited, never the bytes; every count is
 * compared with the bytes that are left.
 *
 * Source: PostgreSQL, array_send(), range_send(), multirange_send(), record_send() in
 * src/backend/utils/adt; hstore_send() in contrib/hstore.
 */
#include <string.h>

#include "pg_tree.h"
#include "reader.h"

#define DIMENSIONS_MAX 6 /* MAXDIM of the server */
#define NULL_LENGTH    UINT32_MAX

#define RANGE_EMPTY          0x01
#define RANGE_LOWER_INCLUDED 0x02
#define RANGE_UPPER_INCLUDED 0x04
#define RANGE_LOWER_INFINITE 0x08
#define RANGE_UPPER_INFINITE 0x10
#define RANGE_FLAGS          0x1F

static enum mr_pg_put print_json(struct mr_pg_out *out, const struct mr_pg_type *type,
                                 struct mr_slice wire);

/* A length and its bytes; *is_null for -1. */
static struct mr_slice read_element(struct mr_reader *in, bool *is_null)
{
    const uint32_t length = mr_read_u32_be(in);
    *is_null = length == NULL_LENGTH;
    return *is_null ? (struct mr_slice){0} : mr_read_slice(in, length);
}

/* One that may be null, in JSON. */
static enum mr_pg_put print_element(struct mr_pg_out *out, const struct mr_pg_type *type,
                                    struct mr_reader *in)
{
    bool is_null = false;
    const struct mr_slice element = read_element(in, &is_null);
    if (!mr_reader_ok(in)) {
        return MR_PG_PUT_MALFORMED;
    }
    if (is_null) {
        mr_pg_out_text(out, "null");
        return MR_PG_PUT_OK;
    }
    return print_json(out, type, element);
}

/* ---- Arrays. ---- */

struct array {
    uint32_t dimension_count;
    uint32_t sizes[DIMENSIONS_MAX];
    int32_t lower[DIMENSIONS_MAX];
};

static bool read_header(struct mr_reader *in, const struct mr_pg_type *type, struct array *array)
{
    array->dimension_count = mr_read_u32_be(in);
    const uint32_t has_nulls = mr_read_u32_be(in);
    const uint32_t element_oid = mr_read_u32_be(in);
    if (!mr_reader_ok(in) || array->dimension_count > DIMENSIONS_MAX || has_nulls > 1 ||
        element_oid != type->element_oid) {
        return false;
    }
    uint64_t count = 1;
    for (uint32_t i = 0; i < array->dimension_count; i++) {
        array->sizes[i] = mr_read_u32_be(in);
        array->lower[i] = (int32_t)mr_read_u32_be(in);
        count *= array->sizes[i];
        if (count > mr_reader_left(in)) {
            return false;
        }
    }
    if (count == 0) { /* int2vector and oidvector have a dimension even when they are empty */
        array->dimension_count = 0;
    }
    return mr_reader_ok(in);
}

static enum mr_pg_put print_elements(struct mr_pg_out *out, const struct mr_pg_type *type,
                                     const struct array *array, struct mr_reader *in)
{
    MR_ASSERT(array->dimension_count > 0);
    const uint32_t last = array->dimension_count - 1;
    uint32_t at[DIMENSIONS_MAX] = {0};
    uint32_t opened = 0; /* dimensions whose bracket is open */
    for (;;) {
        for (; opened < array->dimension_count; opened++) {
            mr_pg_out_char(out, '[');
        }
        const enum mr_pg_put put = print_element(out, type->element, in);
        if (put != MR_PG_PUT_OK) {
            return put;
        }
        uint32_t dimension = last;
        while (++at[dimension] == array->sizes[dimension]) {
            mr_pg_out_char(out, ']');
            opened--;
            at[dimension] = 0;
            if (dimension-- == 0) {
                return MR_PG_PUT_OK;
            }
        }
        mr_pg_out_char(out, ',');
    }
}

static enum mr_pg_put print_array(struct mr_pg_out *out, const struct mr_pg_type *type,
                                  struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    struct array array = {0};
    bool is_shifted = false;
    enum mr_pg_put put = MR_PG_PUT_OK;
    if (!read_header(&in, type, &array)) {
        return MR_PG_PUT_MALFORMED;
    }
    for (uint32_t i = 0; type->shape == MR_PG_SHAPE_ARRAY && i < array.dimension_count; i++) {
        is_shifted = is_shifted || array.lower[i] != 1;
    }
    for (uint32_t i = 0; is_shifted && i < array.dimension_count; i++) {
        mr_pg_out_format(out, "%s%d", i == 0 ? "{\"lower\":[" : ",", array.lower[i]);
    }
    mr_pg_out_text(out, is_shifted ? "],\"array\":" : "");
    if (array.dimension_count == 0) {
        mr_pg_out_text(out, "[]");
    } else {
        put = print_elements(out, type, &array, &in);
    }
    mr_pg_out_text(out, is_shifted ? "}" : "");
    return put == MR_PG_PUT_OK && mr_reader_left(&in) != 0 ? MR_PG_PUT_MALFORMED : put;
}

/* ---- Ranges. ---- */

static enum mr_pg_put print_bound(struct mr_pg_out *out, const struct mr_pg_type *type,
                                  struct mr_reader *in)
{
    bool is_null = false;
    const struct mr_slice bound = read_element(in, &is_null);
    const uint32_t mark = mr_pg_out_mark(out);
    if (!mr_reader_ok(in) || is_null) {
        return MR_PG_PUT_MALFORMED;
    }
    const enum mr_pg_put put = mr_pg_tree_print(out, type->element, bound);
    mr_pg_out_to_bound(out, mark);
    return put;
}

static enum mr_pg_put print_range(struct mr_pg_out *out, const struct mr_pg_type *type,
                                  struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint8_t flags = mr_read_u8(&in);
    enum mr_pg_put put = MR_PG_PUT_OK;
    if (!mr_reader_ok(&in) || (flags & ~RANGE_FLAGS) != 0) {
        return MR_PG_PUT_MALFORMED;
    }
    if ((flags & RANGE_EMPTY) != 0) {
        mr_pg_out_text(out, "empty");
        return mr_reader_left(&in) == 0 ? MR_PG_PUT_OK : MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_char(out, (flags & RANGE_LOWER_INCLUDED) != 0 ? '[' : '(');
    if ((flags & RANGE_LOWER_INFINITE) == 0) {
        put = print_bound(out, type, &in);
    }
    mr_pg_out_char(out, ',');
    if (put == MR_PG_PUT_OK && (flags & RANGE_UPPER_INFINITE) == 0) {
        put = print_bound(out, type, &in);
    }
    mr_pg_out_char(out, (flags & RANGE_UPPER_INCLUDED) != 0 ? ']' : ')');
    return put == MR_PG_PUT_OK && mr_reader_left(&in) != 0 ? MR_PG_PUT_MALFORMED : put;
}

static enum mr_pg_put print_multirange(struct mr_pg_out *out, const struct mr_pg_type *type,
                                       struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint32_t count = mr_read_u32_be(&in);
    enum mr_pg_put put = mr_reader_ok(&in) ? MR_PG_PUT_OK : MR_PG_PUT_MALFORMED;
    mr_pg_out_char(out, '{');
    for (uint32_t i = 0; put == MR_PG_PUT_OK && i < count; i++) {
        bool is_null = false;
        const struct mr_slice range = read_element(&in, &is_null);
        if (!mr_reader_ok(&in) || is_null) {
            return MR_PG_PUT_MALFORMED;
        }
        mr_pg_out_text(out, i == 0 ? "" : ",");
        put = print_range(out, type->element, range);
    }
    mr_pg_out_char(out, '}');
    return put == MR_PG_PUT_OK && mr_reader_left(&in) != 0 ? MR_PG_PUT_MALFORMED : put;
}

/* ---- Composites and hstore. ---- */

static void print_key(struct mr_pg_out *out, const void *key, size_t length)
{
    const uint32_t mark = mr_pg_out_mark(out);
    mr_pg_out_bytes(out, key, length);
    mr_pg_out_to_json(out, mark);
    mr_pg_out_char(out, ':');
}

/*
 * A value that was sent with fewer fields than the type has now is from before the others were
 * added; one whose fields have other types, or more of them, is of a type that was altered.
 */
static enum mr_pg_put print_composite(struct mr_pg_out *out, const struct mr_pg_type *type,
                                      struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint32_t count = mr_read_u32_be(&in);
    if (!mr_reader_ok(&in) || count > mr_reader_left(&in) / (2 * sizeof(uint32_t))) {
        return MR_PG_PUT_MALFORMED;
    }
    if (count > type->field_count) {
        return MR_PG_PUT_ALTERED;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t oid = mr_read_u32_be(&in);
        if (mr_reader_ok(&in) && oid != type->field_oids[i]) {
            return MR_PG_PUT_ALTERED;
        }
        mr_pg_out_char(out, i == 0 ? '{' : ',');
        print_key(out, type->field_names[i], strlen(type->field_names[i]));
        const enum mr_pg_put put = print_element(out, type->fields[i], &in);
        if (put != MR_PG_PUT_OK) {
            return put;
        }
    }
    mr_pg_out_text(out, count == 0 ? "{}" : "}");
    return mr_reader_left(&in) == 0 ? MR_PG_PUT_OK : MR_PG_PUT_MALFORMED;
}

static enum mr_pg_put print_hstore(struct mr_pg_out *out, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint32_t count = mr_read_u32_be(&in);
    mr_pg_out_char(out, '{');
    for (uint32_t i = 0; mr_reader_ok(&in) && i < count; i++) {
        bool is_null = false;
        bool has_no_value = false;
        const struct mr_slice key = read_element(&in, &is_null);
        const struct mr_slice value = read_element(&in, &has_no_value);
        if (!mr_reader_ok(&in) || is_null) {
            return MR_PG_PUT_MALFORMED;
        }
        if (!mr_pg_text_is_utf8(key.bytes, key.length) ||
            !mr_pg_text_is_utf8(value.bytes, value.length)) {
            return MR_PG_PUT_ENCODING;
        }
        mr_pg_out_text(out, i == 0 ? "" : ",");
        print_key(out, key.bytes, key.length);
        const uint32_t mark = mr_pg_out_mark(out);
        mr_pg_out_bytes(out, value.bytes, value.length);
        if (has_no_value) {
            mr_pg_out_text(out, "null");
        } else {
            mr_pg_out_to_json(out, mark);
        }
    }
    mr_pg_out_char(out, '}');
    return mr_reader_ok(&in) && mr_reader_left(&in) == 0 ? MR_PG_PUT_OK : MR_PG_PUT_MALFORMED;
}

/* ---- Any. ---- */

static bool is_digit(const struct mr_pg_out *out, uint32_t mark)
{
    const uint8_t *text = out->column->heap + mark;
    return text[text[0] == '-' ? 1 : 0] >= '0' && text[text[0] == '-' ? 1 : 0] <= '9';
}

static enum mr_pg_put print_scalar_json(struct mr_pg_out *out, const struct mr_pg_type *type,
                                        struct mr_slice wire)
{
    MR_ASSERT(type->shape == MR_PG_SHAPE_SCALAR);
    const uint32_t mark = mr_pg_out_mark(out);
    if (type->json == MR_PG_JSON_BOOL && wire.length == 1 && wire.bytes[0] <= 1) {
        mr_pg_out_text(out, wire.bytes[0] == 1 ? "true" : "false");
        return MR_PG_PUT_OK;
    }
    const enum mr_pg_put put = type->print(out, type->scale, wire);
    if (put == MR_PG_PUT_OK && !out->is_full && type->json != MR_PG_JSON_LITERAL &&
        (type->json != MR_PG_JSON_FLOAT || !is_digit(out, mark))) {
        mr_pg_out_to_json(out, mark);
    }
    return put;
}

static enum mr_pg_put print_json(struct mr_pg_out *out, const struct mr_pg_type *type,
                                 struct mr_slice wire)
{
    if (type->shape == MR_PG_SHAPE_SCALAR) {
        return print_scalar_json(out, type, wire);
    }
    const uint32_t mark = mr_pg_out_mark(out);
    const enum mr_pg_put put = mr_pg_tree_print(out, type, wire);
    if (put == MR_PG_PUT_OK && !mr_pg_tree_is_json(type)) {
        mr_pg_out_to_json(out, mark);
    }
    return put;
}

bool mr_pg_tree_is_json(const struct mr_pg_type *type)
{
    return type->shape == MR_PG_SHAPE_ARRAY || type->shape == MR_PG_SHAPE_VECTOR ||
           type->shape == MR_PG_SHAPE_COMPOSITE || type->shape == MR_PG_SHAPE_HSTORE;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the type, which is at most MR_PG_TREE_DEPTH_MAX
enum mr_pg_put mr_pg_tree_print(struct mr_pg_out *out, const struct mr_pg_type *type,
                                struct mr_slice wire)
{
    MR_ASSERT(type != NULL && type->depth < MR_PG_TREE_DEPTH_MAX);
    switch ((enum mr_pg_shape)type->shape) {
    case MR_PG_SHAPE_SCALAR:
        return type->print(out, type->scale, wire);
    case MR_PG_SHAPE_ARRAY:
    case MR_PG_SHAPE_VECTOR:
        return print_array(out, type, wire);
    case MR_PG_SHAPE_RANGE:
        return print_range(out, type, wire);
    case MR_PG_SHAPE_MULTIRANGE:
        return print_multirange(out, type, wire);
    case MR_PG_SHAPE_COMPOSITE:
        return print_composite(out, type, wire);
    case MR_PG_SHAPE_HSTORE:
        return print_hstore(out, wire);
    case MR_PG_SHAPE_TEXT_ONLY:
        return mr_pg_print_text(out, 0, wire);
    case MR_PG_SHAPE_FOREIGN:
    case MR_PG_SHAPE_UNSENDABLE:
        return MR_PG_PUT_FOREIGN;
    }
    return MR_PG_PUT_MALFORMED;
}
