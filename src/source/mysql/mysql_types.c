// SPDX-License-Identifier: MIT
/*
 * mysql_types.c - from a wire type, or a COLUMN_TYPE as printed, to a column that can decode.
 *
 * Both ways meet in mr_mysql_column_resolve(): a column with wire type, metadata, sign and
 * character set gets its core type, the size of its binlog cells and its two put functions.
 */
#include "mysql_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "mysql_column.h"
#include "mysql_put.h"
#include "temporal.h"

#define LABEL_SEPARATOR '\x1f'

/* ---- Resolving. ---- */

static void set_fixed(struct mr_mysql_column *column, enum mr_type type, uint32_t size,
                      mr_mysql_put_fn binlog, mr_mysql_put_fn text)
{
    MR_ASSERT(binlog != NULL && text != NULL);
    column->core.type = type;
    column->fixed_size = size;
    column->length_size = 0;
    column->put_binlog = binlog;
    column->put_text = text;
}

static void set_counted(struct mr_mysql_column *column, enum mr_type type, uint8_t length_size,
                        mr_mysql_put_fn binlog, mr_mysql_put_fn text)
{
    MR_ASSERT(length_size >= 1 && length_size <= 4);
    set_fixed(column, type, 0, binlog, text);
    column->length_size = length_size;
}

static void resolve_integer(struct mr_mysql_column *column)
{
    static const struct {
        enum mr_type plain, positive;
        uint32_t size;
        mr_mysql_put_fn put;
    } kinds[] = {
        [MR_MYSQL_TINY] = {MR_TYPE_I8, MR_TYPE_U8, 1, mr_mysql_put_fixed1},
        [MR_MYSQL_SHORT] = {MR_TYPE_I16, MR_TYPE_U16, 2, mr_mysql_put_fixed2},
        [MR_MYSQL_LONG] = {MR_TYPE_I32, MR_TYPE_U32, 4, mr_mysql_put_fixed4},
        [MR_MYSQL_LONGLONG] = {MR_TYPE_I64, MR_TYPE_U64, 8, mr_mysql_put_fixed8},
        [MR_MYSQL_INT24] = {MR_TYPE_I32, MR_TYPE_U32, 3, mr_mysql_put_int24},
    };
    MR_ASSERT(column->wire < MR_ARRAY_LEN(kinds) && kinds[column->wire].size > 0);
    set_fixed(column,
              column->is_unsigned ? kinds[column->wire].positive : kinds[column->wire].plain,
              kinds[column->wire].size, kinds[column->wire].put,
              column->is_unsigned ? mr_mysql_put_text_unsigned : mr_mysql_put_text_integer);
}

static bool resolve_decimal(struct mr_mysql_column *column, struct mr_error *err)
{
    MR_ASSERT(column->wire == MR_MYSQL_NEWDECIMAL);
    const struct mr_decimal_shape shape = {.precision = (uint8_t)(column->metadata >> 8),
                                           .scale = (uint8_t)(column->metadata & 0xff)};
    if (shape.precision == 0 || shape.precision > MR_MYSQL_DECIMAL_DIGITS_MAX ||
        shape.scale > shape.precision || shape.scale > MR_MYSQL_DECIMAL_SCALE_MAX) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "decimal(%u,%u) does not exist",
                       shape.precision, shape.scale);
    }
    const uint32_t size = mr_mysql_decimal_size(shape);
    if (shape.precision > MR_DECIMAL_DIGITS_MAX) {
        set_fixed(column, MR_TYPE_TEXT, size, mr_mysql_put_decimal_as_text,
                  mr_mysql_put_text_decimal_as_text);
        return true;
    }
    set_fixed(column, MR_TYPE_DECIMAL, size, mr_mysql_put_decimal, mr_mysql_put_text_decimal);
    column->core.precision = shape.precision;
    column->core.scale = shape.scale;
    return true;
}

static bool resolve_temporal(struct mr_mysql_column *column, struct mr_error *err)
{
    MR_ASSERT(column->wire >= MR_MYSQL_TIMESTAMP2 && column->wire <= MR_MYSQL_TIME2);
    const uint32_t digits = column->metadata;
    if (digits > MR_MYSQL_FRACTION_DIGITS_MAX) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a time with %u fractional digits", digits);
    }
    const uint32_t fraction = mr_mysql_fraction_size(digits);
    const bool as_text = column->on_type_error == MR_ON_TYPE_ERROR_TEXT;
    if (column->wire == MR_MYSQL_TIMESTAMP2 && as_text) {
        set_fixed(column, MR_TYPE_TEXT, 4 + fraction, mr_mysql_put_timestamp_as_text,
                  mr_mysql_put_bytes);
    } else if (column->wire == MR_MYSQL_DATETIME2 && as_text) {
        set_fixed(column, MR_TYPE_TEXT, 5 + fraction, mr_mysql_put_datetime_as_text,
                  mr_mysql_put_bytes);
    } else if (column->wire == MR_MYSQL_TIMESTAMP2) {
        set_fixed(column, MR_TYPE_TIMESTAMPTZ, 4 + fraction, mr_mysql_put_timestamp,
                  mr_mysql_put_text_datetime);
    } else if (column->wire == MR_MYSQL_DATETIME2) {
        set_fixed(column, MR_TYPE_TIMESTAMP, 5 + fraction, mr_mysql_put_datetime,
                  mr_mysql_put_text_datetime);
    } else {
        set_fixed(column, MR_TYPE_DURATION, 3 + fraction, mr_mysql_put_time,
                  mr_mysql_put_text_time);
    }
    column->core.precision = column->core.type == MR_TYPE_TEXT ? 0 : (uint8_t)digits;
    return true;
}

static void resolve_date(struct mr_mysql_column *column)
{
    MR_ASSERT(column->wire == MR_MYSQL_DATE || column->wire == MR_MYSQL_NEWDATE);
    if (column->on_type_error == MR_ON_TYPE_ERROR_TEXT) {
        set_fixed(column, MR_TYPE_TEXT, 3, mr_mysql_put_date_as_text, mr_mysql_put_bytes);
    } else {
        set_fixed(column, MR_TYPE_DATE, 3, mr_mysql_put_date, mr_mysql_put_text_date);
    }
}

/** MariaDB's addresses and UUIDs: binary strings of a fixed size whose names say what they are. */
static bool resolve_form(struct mr_mysql_column *column, uint8_t length_size, struct mr_error *err)
{
    static const struct {
        uint16_t size;
        enum mr_type type;
        mr_mysql_put_fn binlog, text;
    } forms[] = {
        [MR_MYSQL_INET4] = {4, MR_TYPE_TEXT, mr_mysql_put_inet, mr_mysql_put_text_utf8},
        [MR_MYSQL_INET6] = {16, MR_TYPE_TEXT, mr_mysql_put_inet, mr_mysql_put_text_utf8},
        [MR_MYSQL_UUID] = {16, MR_TYPE_UUID, mr_mysql_put_uuid, mr_mysql_put_text_uuid},
        [MR_MYSQL_FLOATS] = {0, MR_TYPE_TEXT, mr_mysql_put_floats, mr_mysql_put_floats},
    };
    MR_ASSERT(column->form < MR_ARRAY_LEN(forms) && forms[column->form].binlog != NULL);
    if (forms[column->form].size != 0 && column->metadata != forms[column->form].size) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "%u bytes for a type of %u", column->metadata,
                       forms[column->form].size);
    }
    column->pad_size = forms[column->form].size; /* trailing zero bytes are left out */
    set_counted(column, forms[column->form].type, length_size, forms[column->form].binlog,
                forms[column->form].text);
    return true;
}

/** Character and binary strings: what they become is the character set's to say. */
static bool resolve_string(struct mr_mysql_column *column, uint8_t length_size,
                           struct mr_error *err)
{
    MR_ASSERT(length_size >= 1 && length_size <= 4);
    const struct mr_charset *charset = column->charset;
    if (charset == NULL) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "its character set is not known");
    }
    if (charset->kind == MR_CHARSET_BINARY && column->form > MR_MYSQL_TEXT_OF_JSON) {
        return resolve_form(column, length_size, err);
    }
    if (charset->kind == MR_CHARSET_BINARY) {
        const bool is_padded = column->wire == MR_MYSQL_STRING;
        column->pad_size = is_padded ? column->metadata : 0;
        set_counted(column, MR_TYPE_BYTES, length_size,
                    is_padded ? mr_mysql_put_padded : mr_mysql_put_bytes, mr_mysql_put_bytes);
        return true;
    }
    const mr_mysql_put_fn put =
        charset->kind == MR_CHARSET_UTF8 ? mr_mysql_put_utf8 : mr_mysql_put_other_charset;
    column->core.charset = charset->name;
    set_counted(column, column->form == MR_MYSQL_TEXT_OF_JSON ? MR_TYPE_JSON : MR_TYPE_TEXT,
                length_size, put, put);
    return true;
}

static bool resolve_blob(struct mr_mysql_column *column, struct mr_error *err)
{
    if (column->metadata < 1 || column->metadata > 4) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a blob whose length takes %u bytes",
                       column->metadata);
    }
    const uint8_t length_size = (uint8_t)column->metadata;
    if (column->wire == MR_MYSQL_JSON) {
        set_counted(column, MR_TYPE_JSON, length_size, mr_mysql_put_json, mr_mysql_put_text_utf8);
        return true;
    }
    if (column->wire == MR_MYSQL_GEOMETRY) {
        set_counted(column, MR_TYPE_BYTES, length_size, mr_mysql_put_geometry,
                    mr_mysql_put_geometry);
        return true;
    }
    if (column->wire == MR_MYSQL_VECTOR) {
        set_counted(column, MR_TYPE_TEXT, length_size, mr_mysql_put_floats, mr_mysql_put_floats);
        return true;
    }
    return resolve_string(column, length_size, err);
}

/** COMPRESSED columns of MariaDB, whose cells are packed in the binlog alone. */
static bool resolve_packed(struct mr_mysql_column *column, struct mr_error *err)
{
    const bool resolved = column->wire == MR_MYSQL_BLOB_COMPRESSED
                              ? resolve_blob(column, err)
                              : resolve_string(column, column->metadata > 255 ? 2 : 1, err);
    column->put_unpacked = column->put_binlog;
    column->put_binlog = mr_mysql_put_packed;
    return resolved;
}

/** Labels print in the column's character set. */
static mr_mysql_put_fn label_text(const struct mr_charset *charset)
{
    const bool is_utf8 =
        charset == NULL || charset->kind == MR_CHARSET_UTF8 || charset->kind == MR_CHARSET_BINARY;
    return is_utf8 ? mr_mysql_put_text_utf8 : mr_mysql_put_other_charset;
}

static bool resolve_labels(struct mr_mysql_column *column, struct mr_error *err)
{
    MR_ASSERT((column->labels != NULL) == (column->label_count > 0));
    const bool is_set = column->wire == MR_MYSQL_SET;
    const uint16_t size = column->metadata;
    if (size < 1 || size > 8 || (!is_set && size > 2)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "an enum or set of %u bytes", size);
    }
    if (column->label_count == 0 || (is_set && column->label_count > 64)) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP, "the labels of its enum or set are not known");
    }
    column->core.charset = column->charset == NULL ? NULL : column->charset->name;
    set_fixed(column, MR_TYPE_TEXT, size, is_set ? mr_mysql_put_set : mr_mysql_put_enum,
              label_text(column->charset));
    return true;
}

/** A column that may hold what its core type cannot. */
static bool may_misfit(const struct mr_mysql_column *column)
{
    const enum mr_type type = column->core.type;
    return type == MR_TYPE_DATE || type == MR_TYPE_TIMESTAMP || type == MR_TYPE_TIMESTAMPTZ ||
           ((type == MR_TYPE_TEXT || type == MR_TYPE_JSON) && column->charset != NULL &&
            column->labels == NULL);
}

bool mr_mysql_column_null_misfits(struct mr_mysql_column *column, struct mr_nulled *nulled,
                                  uint16_t index, struct mr_arena *arena)
{
    MR_ASSERT(column->put_binlog != NULL && column->misfits == NULL);
    if (column->on_type_error != MR_ON_TYPE_ERROR_NULL || !may_misfit(column) ||
        column->core.key_index != MR_NOT_IN_KEY) {
        return true;
    }
    struct mr_mysql_misfits *misfits = MR_ARENA_NEW(arena, struct mr_mysql_misfits, 1);
    if (misfits == NULL) {
        return false;
    }
    *misfits = (struct mr_mysql_misfits){.put_binlog = column->put_binlog,
                                         .put_text = column->put_text,
                                         .nulled = nulled,
                                         .index = index};
    column->misfits = misfits;
    column->put_binlog = mr_mysql_put_or_null;
    column->put_text = mr_mysql_put_text_or_null;
    column->core.nullable = true;
    return true;
}

static bool fail_unsupported(const struct mr_mysql_column *column, struct mr_error *err)
{
    MR_ASSERT(column->put_binlog == NULL);
    const uint8_t wire = column->wire;
    if (wire == MR_MYSQL_TIMESTAMP_OLD || wire == MR_MYSQL_TIME_OLD ||
        wire == MR_MYSQL_DATETIME_OLD) {
        return mr_fail(err, MR_E_TYPE, MR_STOP,
                       "it is stored in the date format from before MySQL 5.6; rebuild the table "
                       "with ALTER TABLE ... FORCE (MariaDB: with mysql56_temporal_format=ON)");
    }
    if (wire == MR_MYSQL_DECIMAL_OLD) {
        return mr_fail(err, MR_E_TYPE, MR_STOP,
                       "it is a decimal from before MySQL 5.0; rebuild the table with ALTER TABLE "
                       "... FORCE");
    }
    return mr_fail(err, MR_E_TYPE, MR_STOP,
                   "its type (number %u in the binlog) is not supported; exclude the table", wire);
}

bool mr_mysql_column_resolve(struct mr_mysql_column *column, struct mr_error *err)
{
    MR_ASSERT(column->put_binlog == NULL);
    switch ((enum mr_mysql_wire)column->wire) {
    case MR_MYSQL_TINY:
    case MR_MYSQL_SHORT:
    case MR_MYSQL_INT24:
    case MR_MYSQL_LONG:
    case MR_MYSQL_LONGLONG:
        resolve_integer(column);
        return true;
    case MR_MYSQL_FLOAT:
        set_fixed(column, MR_TYPE_F32, 4, mr_mysql_put_fixed4, mr_mysql_put_text_f32);
        return true;
    case MR_MYSQL_DOUBLE:
        set_fixed(column, MR_TYPE_F64, 8, mr_mysql_put_fixed8, mr_mysql_put_text_f64);
        return true;
    case MR_MYSQL_NEWDECIMAL:
        return resolve_decimal(column, err);
    case MR_MYSQL_BIT: {
        /* Bits past whole bytes in the low byte, whole bytes in the high one. */
        const uint32_t bits = (column->metadata >> 8) * 8u + (column->metadata & 0xff);
        if (bits == 0 || bits > 64) {
            return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "bit(%u) does not exist", bits);
        }
        set_fixed(column, MR_TYPE_U64, (bits + 7) / 8, mr_mysql_put_bit, mr_mysql_put_bit);
        return true;
    }
    case MR_MYSQL_YEAR:
        set_fixed(column, MR_TYPE_U16, 1, mr_mysql_put_year, mr_mysql_put_text_unsigned);
        return true;
    case MR_MYSQL_DATE:
    case MR_MYSQL_NEWDATE:
        resolve_date(column);
        return true;
    case MR_MYSQL_TIMESTAMP2:
    case MR_MYSQL_DATETIME2:
    case MR_MYSQL_TIME2:
        return resolve_temporal(column, err);
    case MR_MYSQL_VARCHAR:
    case MR_MYSQL_VAR_STRING:
    case MR_MYSQL_STRING:
        return resolve_string(column, column->metadata > 255 ? 2 : 1, err);
    case MR_MYSQL_TINY_BLOB:
    case MR_MYSQL_MEDIUM_BLOB:
    case MR_MYSQL_LONG_BLOB:
    case MR_MYSQL_BLOB:
    case MR_MYSQL_JSON:
    case MR_MYSQL_GEOMETRY:
    case MR_MYSQL_VECTOR:
        return resolve_blob(column, err);
    case MR_MYSQL_BLOB_COMPRESSED:
    case MR_MYSQL_VARCHAR_COMPRESSED:
        return resolve_packed(column, err);
    case MR_MYSQL_ENUM:
    case MR_MYSQL_SET:
        return resolve_labels(column, err);
    case MR_MYSQL_DECIMAL_OLD:
    case MR_MYSQL_NULL:
    case MR_MYSQL_TIMESTAMP_OLD:
    case MR_MYSQL_TIME_OLD:
    case MR_MYSQL_DATETIME_OLD:
    case MR_MYSQL_TYPED_ARRAY:
        break;
    }
    return fail_unsupported(column, err);
}

void mr_mysql_column_done(struct mr_mysql_column *column)
{
    if (column != NULL && column->converter != NULL) {
        mr_charset_close(column->converter);
    }
}

/* ---- COLUMN_TYPE. ---- */

struct type_name {
    const char *name;
    uint8_t wire;
    uint16_t metadata; /* where the name alone decides it */
    enum { ARG_NONE, ARG_IGNORED, ARG_FRACTION, ARG_DECIMAL, ARG_BITS, ARG_CHARS, ARG_LABELS } arg;
};

static const struct type_name type_names[] = {
    {"tinyint", MR_MYSQL_TINY, 0, ARG_IGNORED},
    {"smallint", MR_MYSQL_SHORT, 0, ARG_IGNORED},
    {"mediumint", MR_MYSQL_INT24, 0, ARG_IGNORED},
    {"int", MR_MYSQL_LONG, 0, ARG_IGNORED},
    {"bigint", MR_MYSQL_LONGLONG, 0, ARG_IGNORED},
    {"decimal", MR_MYSQL_NEWDECIMAL, 0, ARG_DECIMAL},
    {"float", MR_MYSQL_FLOAT, 4, ARG_IGNORED},
    {"double", MR_MYSQL_DOUBLE, 8, ARG_IGNORED},
    {"bit", MR_MYSQL_BIT, 0, ARG_BITS},
    {"year", MR_MYSQL_YEAR, 0, ARG_IGNORED},
    {"date", MR_MYSQL_DATE, 0, ARG_NONE},
    {"time", MR_MYSQL_TIME2, 0, ARG_FRACTION},
    {"datetime", MR_MYSQL_DATETIME2, 0, ARG_FRACTION},
    {"timestamp", MR_MYSQL_TIMESTAMP2, 0, ARG_FRACTION},
    {"char", MR_MYSQL_STRING, 0, ARG_CHARS},
    {"varchar", MR_MYSQL_VARCHAR, 0, ARG_CHARS},
    {"binary", MR_MYSQL_STRING, 0, ARG_CHARS},
    {"varbinary", MR_MYSQL_VARCHAR, 0, ARG_CHARS},
    {"tinytext", MR_MYSQL_BLOB, 1, ARG_NONE},
    {"text", MR_MYSQL_BLOB, 2, ARG_NONE},
    {"mediumtext", MR_MYSQL_BLOB, 3, ARG_NONE},
    {"longtext", MR_MYSQL_BLOB, 4, ARG_NONE},
    {"tinyblob", MR_MYSQL_BLOB, 1, ARG_NONE},
    {"blob", MR_MYSQL_BLOB, 2, ARG_NONE},
    {"mediumblob", MR_MYSQL_BLOB, 3, ARG_NONE},
    {"longblob", MR_MYSQL_BLOB, 4, ARG_NONE},
    {"enum", MR_MYSQL_ENUM, 0, ARG_LABELS},
    {"set", MR_MYSQL_SET, 0, ARG_LABELS},
    {"json", MR_MYSQL_JSON, 4, ARG_NONE},
    {"geometry", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"point", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"linestring", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"polygon", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"multipoint", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"multilinestring", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"multipolygon", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"geomcollection", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"geometrycollection", MR_MYSQL_GEOMETRY, 4, ARG_NONE},
    {"vector", MR_MYSQL_VECTOR, 4, ARG_IGNORED},
    {"inet4", MR_MYSQL_STRING, 4, ARG_NONE},
    {"inet6", MR_MYSQL_STRING, 16, ARG_NONE},
    {"uuid", MR_MYSQL_STRING, 16, ARG_NONE},
};

static const struct type_name *find_type(const char *text, size_t length)
{
    MR_ASSERT(length <= strlen(text));
    for (size_t i = 0; i < MR_ARRAY_LEN(type_names); i++) {
        if (strlen(type_names[i].name) == length && memcmp(type_names[i].name, text, length) == 0) {
            return &type_names[i];
        }
    }
    return NULL;
}

/** "(n)" or "(n,m)"; absent numbers are left alone. Returns what follows, NULL when malformed. */
static const char *parse_numbers(const char *text, unsigned long numbers[2])
{
    if (*text != '(') {
        return text;
    }
    for (int i = 0; i < 2; i++) {
        char *end = NULL;
        text++;
        numbers[i] = strtoul(text, &end, 10);
        if (end == text || numbers[i] > UINT16_MAX * 4ul) {
            return NULL;
        }
        text = end;
        if (*text != ',') {
            break;
        }
    }
    return *text == ')' ? text + 1 : NULL;
}

/** What a backslash and c stand for. */
static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case '0':
        return '\0';
    default:
        return c;
    }
}

/** One 'label' at *text, unescaped into `to`; its length, or -1. */
static int parse_label(const char **text, char *to)
{
    MR_ASSERT(*text != NULL && to != NULL);
    const char *at = *text;
    int length = 0;
    if (*at++ != '\'') {
        return -1;
    }
    for (;; at++) {
        char c = *at;
        if (c == '\0') {
            return -1;
        }
        if (c == '\'' && at[1] != '\'') {
            break;
        }
        if (c == '\'') {
            at++;
        } else if (c == '\\' && at[1] != '\0') {
            at++;
            c = unescape(*at);
        }
        to[length++] = c;
    }
    *text = at + 1;
    return length;
}

static uint16_t count_labels(const char *text)
{
    uint16_t count = 0;
    for (bool quoted = false; *text != '\0' && (quoted || *text != ')'); text++) {
        if (*text == '\\' && text[1] != '\0') {
            text++;
        } else if (*text == '\'') {
            count = (uint16_t)(count + (quoted ? 0 : 1));
            quoted = !quoted;
        }
    }
    return count; /* a doubled quote counts once more: an upper bound */
}

/**
 * "('a','b')": the labels end up one after the other in one block, a separator between, so that
 * the block is core.labels and each label a slice of it.
 */
static bool parse_labels(const char *text, struct mr_arena *arena, struct mr_mysql_column *column,
                         struct mr_error *err)
{
    MR_ASSERT(column->wire == MR_MYSQL_ENUM || column->wire == MR_MYSQL_SET);
    char *block = mr_arena_alloc(arena, strlen(text) + 1, 1);
    struct mr_slice *labels = MR_ARENA_NEW(arena, struct mr_slice, count_labels(text) + 1);
    if (block == NULL || labels == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "no room for its labels");
    }
    uint16_t count = 0;
    size_t at = 0;
    bool good = *text == '(';
    while (good && (*text == '(' || *text == ',')) {
        text++;
        const int length = parse_label(&text, block + at);
        if (length < 0) {
            good = false;
            break;
        }
        labels[count++] = (struct mr_slice){(const uint8_t *)block + at, (size_t)length};
        at += (size_t)length;
        block[at++] = LABEL_SEPARATOR;
    }
    if (!good || *text != ')' || count == 0) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "its labels cannot be read");
    }
    block[at - 1] = '\0';
    column->labels = labels;
    column->label_count = count;
    column->core.labels = block;
    if (column->wire == MR_MYSQL_ENUM) {
        column->metadata = count < 256 ? 1 : 2;
    } else {
        column->metadata = (uint16_t)((count + 7) / 8);
        column->metadata = column->metadata > 4 ? 8 : column->metadata;
    }
    return true;
}

static bool parse_type(const char *text, struct mr_arena *arena, struct mr_mysql_column *column,
                       struct mr_error *err)
{
    MR_ASSERT(text != NULL && column->wire == 0);
    const size_t length = strcspn(text, "( ");
    const struct type_name *type = find_type(text, length);
    unsigned long numbers[2] = {0, 0};
    if (type == NULL) {
        return mr_fail(err, MR_E_TYPE, MR_STOP,
                       "its type \"%s\" is not supported; exclude the table", text);
    }
    column->wire = type->wire;
    column->metadata = type->metadata;
    if (type->arg == ARG_LABELS) {
        return parse_labels(text + length, arena, column, err);
    }
    const char *rest = parse_numbers(text + length, numbers);
    if (rest == NULL) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "its type \"%s\" cannot be read", text);
    }
    if (strstr(rest, "COMPRESSED") != NULL) {
        column->wire =
            column->wire == MR_MYSQL_BLOB ? MR_MYSQL_BLOB_COMPRESSED : MR_MYSQL_VARCHAR_COMPRESSED;
    }
    column->is_unsigned = strstr(rest, "unsigned") != NULL || strstr(rest, "zerofill") != NULL;
    const bool is_binary = type->arg == ARG_CHARS && strstr(type->name, "binary") != NULL;
    const unsigned char_bytes =
        column->charset == NULL || is_binary ? 1 : column->charset->char_bytes_max;
    switch (type->arg) {
    case ARG_FRACTION:
        column->metadata = (uint16_t)numbers[0];
        break;
    case ARG_DECIMAL:
        column->metadata = (uint16_t)((numbers[0] & 0xff) << 8 | (numbers[1] & 0xff));
        break;
    case ARG_BITS:
        column->metadata = (uint16_t)(numbers[0] / 8 << 8 | numbers[0] % 8);
        break;
    case ARG_CHARS:
        column->metadata = (uint16_t)(numbers[0] * char_bytes);
        break;
    case ARG_NONE:
    case ARG_IGNORED:
    case ARG_LABELS:
        break;
    }
    return true;
}

const char *mr_mysql_keep_text(struct mr_arena *arena, struct mr_slice text)
{
    MR_ASSERT(text.bytes != NULL);
    char *copy = mr_arena_alloc(arena, text.length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text.bytes, text.length);
        copy[text.length] = '\0';
    }
    return copy;
}

/** Types that hold bytes and print without a character set. */
static bool is_binary_type(const char *column_type)
{
    const size_t length = strcspn(column_type, "( ");
    return (length >= 4 && memcmp(column_type + length - 4, "blob", 4) == 0) ||
           (length >= 6 && memcmp(column_type + length - 6, "binary", 6) == 0);
}

static enum mr_mysql_form find_form(const struct mr_mysql_column_info *info)
{
    static const struct {
        const char *name;
        enum mr_mysql_form form;
    } names[] = {{"inet4", MR_MYSQL_INET4},
                 {"inet6", MR_MYSQL_INET6},
                 {"uuid", MR_MYSQL_UUID},
                 {"vector", MR_MYSQL_FLOATS}};
    const size_t length = strcspn(info->column_type, "( ");
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        if (strlen(names[i].name) == length &&
            memcmp(names[i].name, info->column_type, length) == 0) {
            return names[i].form;
        }
    }
    return info->is_json ? MR_MYSQL_TEXT_OF_JSON : MR_MYSQL_PLAIN;
}

/* The log's schemas say in the type that a column is generated (MR_MYSQL_GENERATED). */
static const char *keep_type(const struct mr_mysql_column_info *info, struct mr_arena *arena)
{
    if (!info->is_generated) {
        return mr_mysql_keep_text(arena, mr_slice_of(info->column_type));
    }
    const size_t length = strlen(info->column_type);
    char *text = MR_ARENA_NEW(arena, char, length + sizeof(MR_MYSQL_GENERATED));
    if (text != NULL) {
        (void)snprintf(text, length + sizeof(MR_MYSQL_GENERATED), "%s" MR_MYSQL_GENERATED,
                       info->column_type);
    }
    return text;
}

bool mr_mysql_column_from_info(const struct mr_mysql_column_info *info, struct mr_arena *arena,
                               struct mr_mysql_column *column, struct mr_error *err)
{
    MR_ASSERT(info->name != NULL && info->column_type != NULL);
    static const struct mr_slice binary = {(const uint8_t *)"binary", 6};
    struct mr_mysql_column made = {0};
    made.converter = MR_ARENA_NEW(arena, struct mr_charset_converter, 1);
    made.core.name = mr_mysql_keep_text(arena, mr_slice_of(info->name));
    made.core.source_type = keep_type(info, arena);
    made.core.fallback =
        info->fallback == NULL ? NULL : mr_mysql_keep_text(arena, mr_slice_of(info->fallback));
    made.core.nullable = info->nullable;
    made.is_generated = info->is_generated;
    made.is_described = true;
    made.core.key_index = MR_NOT_IN_KEY;
    made.form = (uint8_t)find_form(info);
    made.on_type_error = (uint8_t)info->on_type_error;
    if (made.converter == NULL || made.core.name == NULL || made.core.source_type == NULL ||
        (info->fallback != NULL && made.core.fallback == NULL)) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "no room for column \"%s\"", info->name);
    }
    if (info->charset != NULL) {
        made.charset = mr_charset_find(mr_slice_of(info->charset));
        if (made.charset == NULL) {
            return mr_fail(err, MR_E_TYPE, MR_STOP,
                           "column \"%s\": character set \"%s\" is not known", info->name,
                           info->charset);
        }
    } else if (is_binary_type(info->column_type) || made.form > MR_MYSQL_TEXT_OF_JSON) {
        made.charset = mr_charset_find(binary);
    }
    if (!parse_type(made.core.source_type, arena, &made, err) ||
        !mr_mysql_column_resolve(&made, err)) {
        return mr_error_context(err, "column \"%s\"", info->name);
    }
    *column = made;
    return true;
}

void mr_mysql_column_select(const struct mr_mysql_column *column, struct mr_writer *sql)
{
    MR_ASSERT(column->core.name != NULL);
    mr_write_u8(sql, '`');
    for (const char *at = column->core.name; *at != '\0'; at++) {
        if (*at == '`') {
            mr_write_u8(sql, '`');
        }
        mr_write_u8(sql, (uint8_t)*at);
    }
    mr_write_u8(sql, '`');
    if (column->core.type == MR_TYPE_F32 || column->core.type == MR_TYPE_F64) {
        mr_write_bytes(sql, "*1e0", 4);
    }
}
