// SPDX-License-Identifier: MIT
/*
 * json_binary.c - walks a binary JSON document and prints it.
 *
 * Recursion is bounded by MR_JSON_DEPTH_MAX, and a child starts behind its parent's header, so
 * every step down is a shorter slice.
 */
#include "json_binary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "json_walk.h"
#include "mysql_types.h"
#include "reader.h"
#include "temporal.h"

#define DIGITS_MAX        17 /* of a double, so that it reads back the same */
#define DECIMAL_POINT_MAX 15 /* numbers up to 10^15, and down to 10^-15, print without exponent */
#define BASE64_LINE       76 /* the server breaks lines here */
#define PACKED_TIME_SIZE  8

bool mr_json_fail(struct mr_error *err, const char *what)
{
    MR_ASSERT(what != NULL && err != NULL);
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "binary JSON: %s", what);
}

static bool fail_document(const struct mr_json_printer *printer, const char *what)
{
    return mr_json_fail(printer->err, what);
}

bool mr_json_fits(const struct mr_json_printer *printer)
{
    MR_ASSERT(printer->to->limit > 0);
    return !printer->to->failed ||
           mr_fail(printer->err, MR_E_LIMIT, MR_STOP,
                   "a JSON value takes more than %zu bytes as text; raise value_max",
                   printer->to->limit);
}

static void put_text(struct mr_writer *to, const char *text)
{
    mr_write_bytes(to, text, strlen(text));
}

/* ---- Numbers. ---- */

/** Splits a finite double into its shortest digits and the place of the point before them. */
static int shortest_digits(double number, char digits[DIGITS_MAX + 1], int *point)
{
    MR_ASSERT(isfinite(number) && !signbit(number));
    char text[DIGITS_MAX + 12];
    for (int count = 1; count <= DIGITS_MAX; count++) {
        (void)snprintf(text, sizeof(text), "%.*e", count - 1, number);
        if (count == DIGITS_MAX || strtod(text, NULL) == number) {
            break;
        }
    }
    int length = 0;
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') {
            digits[length++] = *at;
        }
    }
    while (length > 1 && digits[length - 1] == '0') {
        length--;
    }
    MR_ASSERT(length >= 1 && length <= DIGITS_MAX);
    *point = (int)strtol(at + 1, NULL, 10) + 1;
    return length;
}

static void print_plain(const char *digits, int length, int point, struct mr_writer *to)
{
    MR_ASSERT(length >= 1 && length <= DIGITS_MAX);
    if (point <= 0) {
        put_text(to, "0.");
        for (int i = point; i < 0; i++) {
            mr_write_u8(to, '0');
        }
        mr_write_bytes(to, digits, (size_t)length);
        return;
    }
    for (int i = 0; i < length || i < point; i++) {
        if (i == point) {
            mr_write_u8(to, '.');
        }
        mr_write_u8(to, i < length ? (uint8_t)digits[i] : '0');
    }
    if (length <= point) {
        put_text(to, ".0"); /* so that it stays a double for whoever reads it */
    }
}

void mr_json_binary_print_double(double number, struct mr_writer *to)
{
    if (!isfinite(number)) {
        put_text(to, "0.0"); /* the server's own answer; JSON has no such numbers */
        return;
    }
    if (signbit(number)) {
        mr_write_u8(to, '-');
        number = -number;
    }
    char digits[DIGITS_MAX + 1];
    int point = 1;
    const int length = shortest_digits(number, digits, &point);
    if (point > -DECIMAL_POINT_MAX && (point <= DECIMAL_POINT_MAX || length > point)) {
        print_plain(digits, length, point, to);
        return;
    }
    char exponent[16];
    (void)snprintf(exponent, sizeof(exponent), "e%d", point - 1);
    mr_write_bytes(to, digits, 1);
    if (length > 1) {
        mr_write_u8(to, '.');
        mr_write_bytes(to, digits + 1, (size_t)length - 1);
    }
    put_text(to, exponent);
}

static bool print_integer(struct mr_json_printer *printer, uint8_t type, struct mr_slice value)
{
    MR_ASSERT(type >= MR_JSON_INT16 && type <= MR_JSON_UINT64);
    struct mr_reader in = mr_reader_init(value.bytes, value.length);
    char text[24];
    const bool is_signed = type == MR_JSON_INT16 || type == MR_JSON_INT32 || type == MR_JSON_INT64;
    const unsigned width = type <= MR_JSON_UINT16 ? 2 : type <= MR_JSON_UINT32 ? 4 : 8;
    uint64_t number = mr_read_uint_le(&in, width);
    if (!mr_reader_ok(&in)) {
        return fail_document(printer, "a number is cut off");
    }
    if (is_signed) {
        const unsigned unused = 64 - 8 * width;
        const int64_t wide = (int64_t)(number << unused) >> unused;
        (void)snprintf(text, sizeof(text), "%lld", (long long)wide);
    } else {
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    }
    put_text(printer->to, text);
    return true;
}

/* ---- Strings. ---- */

static void print_quoted(struct mr_slice text, struct mr_writer *to)
{
    MR_ASSERT(text.bytes != NULL || text.length == 0);
    static const char short_forms[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    size_t start = 0;
    mr_write_u8(to, '"');
    for (size_t i = 0; i < text.length; i++) {
        const uint8_t c = text.bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        mr_write_bytes(to, text.bytes + start, i - start);
        start = i + 1;
        const char *found = c == 0 ? NULL : strchr(short_forms, c);
        if (found != NULL) {
            mr_write_u8(to, '\\');
            mr_write_u8(to, (uint8_t)letters[found - short_forms]);
        } else {
            char escape[8];
            (void)snprintf(escape, sizeof(escape), "\\u%04x", c);
            put_text(to, escape);
        }
    }
    mr_write_bytes(to, text.bytes + start, text.length - start);
    mr_write_u8(to, '"');
}

bool mr_json_print_string(struct mr_json_printer *printer, struct mr_slice text)
{
    if (!mr_utf8_is_valid(text.bytes, text.length)) {
        return mr_fail(printer->err, MR_E_TYPE, MR_STOP, "a JSON string is not UTF-8");
    }
    print_quoted(text, printer->to);
    return true;
}

/** A length of 1 to 5 bytes of 7 bits each, least first, then that many bytes. */
static bool read_counted(struct mr_json_printer *printer, struct mr_reader *in,
                         struct mr_slice *bytes)
{
    uint64_t length = 0;
    for (unsigned i = 0; i < 5; i++) {
        const uint8_t byte = mr_read_u8(in);
        length |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *bytes = mr_read_slice(in, length);
            return mr_reader_ok(in) || fail_document(printer, "a string is cut off");
        }
    }
    return fail_document(printer, "a length has more than 5 bytes");
}

/* ---- Opaque values: SQL types that JSON does not have. ---- */

static bool print_opaque_decimal(struct mr_json_printer *printer, struct mr_slice bytes)
{
    MR_ASSERT(bytes.bytes != NULL);
    struct mr_reader in = mr_reader_init(bytes.bytes, bytes.length);
    const struct mr_decimal_shape shape = {.precision = mr_read_u8(&in), .scale = mr_read_u8(&in)};
    const struct mr_slice packed = mr_read_slice(&in, mr_reader_left(&in));
    char text[MR_MYSQL_DECIMAL_TEXT_BYTES_MAX];
    size_t length = 0;
    if (!mr_reader_ok(&in) || shape.precision == 0 ||
        shape.precision > MR_MYSQL_DECIMAL_DIGITS_MAX || shape.scale > shape.precision) {
        return fail_document(printer, "a decimal has no such size");
    }
    if (!mr_mysql_decimal_print(packed, shape, text, &length, printer->err)) {
        return mr_error_context(printer->err, "binary JSON");
    }
    mr_write_bytes(printer->to, text, length);
    return true;
}

static bool print_opaque_time(struct mr_json_printer *printer, uint8_t type, struct mr_slice bytes)
{
    MR_ASSERT(type == MR_MYSQL_DATE || type == MR_MYSQL_TIME_OLD || type == MR_MYSQL_DATETIME_OLD ||
              type == MR_MYSQL_TIMESTAMP_OLD);
    struct mr_reader in = mr_reader_init(bytes.bytes, bytes.length);
    const int64_t packed = (int64_t)mr_read_u64_le(&in);
    if (!mr_reader_finish(&in, "a time in binary JSON", printer->err)) {
        return false;
    }
    char text[96];
    if (type == MR_MYSQL_TIME_OLD) {
        bool is_negative;
        const struct mr_mysql_civil at = mr_mysql_packed_time(packed, &is_negative);
        (void)snprintf(text, sizeof(text), "\"%s%02u:%02u:%02u.%06u\"", is_negative ? "-" : "",
                       at.hour, at.minute, at.second, at.us);
        put_text(printer->to, text);
        return true;
    }
    const struct mr_mysql_civil at = mr_mysql_packed_datetime(packed);
    if (type == MR_MYSQL_DATE) {
        (void)snprintf(text, sizeof(text), "\"%04u-%02u-%02u\"", at.year, at.month, at.day);
    } else {
        (void)snprintf(text, sizeof(text), "\"%04u-%02u-%02u %02u:%02u:%02u.%06u\"", at.year,
                       at.month, at.day, at.hour, at.minute, at.second, at.us);
    }
    put_text(printer->to, text);
    return true;
}

static void print_base64(struct mr_slice bytes, struct mr_writer *to)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t line = 0;
    for (size_t i = 0; i < bytes.length; i += 3) {
        const size_t left = bytes.length - i;
        if (line == BASE64_LINE) {
            put_text(to, "\\n");
            line = 0;
        }
        const uint32_t group = (uint32_t)bytes.bytes[i] << 16 |
                               (left > 1 ? (uint32_t)bytes.bytes[i + 1] << 8 : 0) |
                               (left > 2 ? bytes.bytes[i + 2] : 0);
        mr_write_u8(to, (uint8_t)alphabet[group >> 18]);
        mr_write_u8(to, (uint8_t)alphabet[group >> 12 & 63]);
        mr_write_u8(to, left > 1 ? (uint8_t)alphabet[group >> 6 & 63] : '=');
        mr_write_u8(to, left > 2 ? (uint8_t)alphabet[group & 63] : '=');
        line += 4;
    }
}

static bool print_opaque(struct mr_json_printer *printer, struct mr_slice value)
{
    struct mr_reader in = mr_reader_init(value.bytes, value.length);
    const uint8_t type = mr_read_u8(&in);
    struct mr_slice bytes = {0};
    if (!mr_reader_ok(&in)) {
        return fail_document(printer, "an opaque value is cut off");
    }
    if (!read_counted(printer, &in, &bytes)) {
        return false;
    }
    if (type == MR_MYSQL_NEWDECIMAL) {
        return print_opaque_decimal(printer, bytes);
    }
    if (type == MR_MYSQL_DATE || type == MR_MYSQL_TIME_OLD || type == MR_MYSQL_DATETIME_OLD ||
        type == MR_MYSQL_TIMESTAMP_OLD) {
        return print_opaque_time(printer, type, bytes);
    }
    if (type == MR_MYSQL_VAR_STRING) {
        return mr_json_print_string(printer, bytes);
    }
    char head[32];
    (void)snprintf(head, sizeof(head), "\"base64:type%u:", type);
    put_text(printer->to, head);
    print_base64(bytes, printer->to);
    mr_write_u8(printer->to, '"');
    return true;
}

/* ---- Objects and arrays. ---- */

bool mr_json_container_open(struct mr_json_value value, struct mr_json_container *container,
                            struct mr_error *err)
{
    MR_ASSERT(mr_json_is_container(value.type));
    struct mr_reader in = mr_reader_init(value.bytes.bytes, value.bytes.length);
    const size_t width =
        value.type == MR_JSON_LARGE_OBJECT || value.type == MR_JSON_LARGE_ARRAY ? 4 : 2;
    const uint64_t count = mr_read_uint_le(&in, width);
    const uint64_t size = mr_read_uint_le(&in, width);
    const bool is_object = value.type == MR_JSON_SMALL_OBJECT || value.type == MR_JSON_LARGE_OBJECT;
    const size_t key_size = is_object ? width + 2 : 0;
    if (!mr_reader_ok(&in) || size > value.bytes.length || size < 2 * width ||
        count > (size - 2 * width) / (key_size + width + 1)) {
        return mr_json_fail(err, "an object or array does not fit its size");
    }
    *container = (struct mr_json_container){
        .bytes = {value.bytes.bytes, size},
        .count = count,
        .width = width,
        .keys_at = 2 * width,
        .values_at = 2 * width + count * key_size,
        .header_size = 2 * width + count * (key_size + width + 1),
        .is_object = is_object,
    };
    return true;
}

bool mr_json_container_key(const struct mr_json_container *container, uint64_t index,
                           struct mr_slice *key, struct mr_error *err)
{
    MR_ASSERT(container->is_object && index < container->count);
    const size_t entry = container->keys_at + index * (container->width + 2);
    struct mr_reader in = mr_reader_init(container->bytes.bytes + entry, container->width + 2);
    const uint64_t offset = mr_read_uint_le(&in, container->width);
    const uint64_t length = mr_read_u16_le(&in);
    MR_ASSERT(mr_reader_ok(&in));
    if (offset < container->header_size || offset > container->bytes.length ||
        length > container->bytes.length - offset) {
        return mr_json_fail(err, "a key lies outside its object");
    }
    *key = (struct mr_slice){container->bytes.bytes + offset, length};
    return true;
}

/** True when the entry holds the value itself instead of its offset. */
static bool is_inlined(uint8_t type, size_t width)
{
    MR_ASSERT(width == 2 || width == 4);
    return type == MR_JSON_LITERAL || type == MR_JSON_INT16 || type == MR_JSON_UINT16 ||
           (width == 4 && (type == MR_JSON_INT32 || type == MR_JSON_UINT32));
}

bool mr_json_container_value(const struct mr_json_container *container, uint64_t index,
                             struct mr_json_value *value, struct mr_error *err)
{
    MR_ASSERT(index < container->count);
    MR_ASSERT(container->header_size <= container->bytes.length);
    const size_t entry = container->values_at + index * (container->width + 1);
    const uint8_t *bytes = container->bytes.bytes + entry;
    const uint8_t type = bytes[0];
    if (is_inlined(type, container->width)) {
        *value = (struct mr_json_value){.bytes = {bytes + 1, container->width}, .type = type};
        return true;
    }
    struct mr_reader in = mr_reader_init(bytes + 1, container->width);
    const uint64_t offset = mr_read_uint_le(&in, container->width);
    MR_ASSERT(mr_reader_ok(&in));
    if (offset < container->header_size || offset >= container->bytes.length) {
        return mr_json_fail(err, "a value lies outside its object or array");
    }
    *value = (struct mr_json_value){
        .bytes = {container->bytes.bytes + offset, container->bytes.length - offset}, .type = type};
    return true;
}

static bool print_key(struct mr_json_printer *printer, const struct mr_json_container *container,
                      uint64_t index)
{
    struct mr_slice key = {0};
    if (!mr_json_container_key(container, index, &key, printer->err) ||
        !mr_json_print_string(printer, key)) {
        return false;
    }
    put_text(printer->to, ": ");
    return true;
}

static bool print_element(struct mr_json_printer *printer,
                          const struct mr_json_container *container, uint64_t index)
{
    struct mr_json_value value = {0};
    return mr_json_container_value(container, index, &value, printer->err) &&
           mr_json_print_value(printer, value);
}

static bool print_container(struct mr_json_printer *printer, struct mr_json_value value)
{
    struct mr_json_container container = {0};
    if (!mr_json_container_open(value, &container, printer->err)) {
        return false;
    }
    if (printer->depth >= MR_JSON_DEPTH_MAX) {
        return fail_document(printer, "nested too deeply");
    }
    printer->depth++;
    mr_write_u8(printer->to, container.is_object ? '{' : '[');
    for (uint64_t i = 0; i < container.count; i++) {
        mr_write_bytes(printer->to, ", ", i == 0 ? 0 : 2);
        if ((container.is_object && !print_key(printer, &container, i)) ||
            !print_element(printer, &container, i)) {
            return false;
        }
        if (!mr_json_fits(printer)) {
            return false;
        }
    }
    mr_write_u8(printer->to, container.is_object ? '}' : ']');
    printer->depth--;
    return true;
}

bool mr_json_print_value(struct mr_json_printer *printer, struct mr_json_value of)
{
    MR_ASSERT(printer->depth <= MR_JSON_DEPTH_MAX);
    const struct mr_slice value = of.bytes;
    static const char *const literals[] = {"null", "true", "false"};
    struct mr_reader in = mr_reader_init(value.bytes, value.length);
    struct mr_slice text = {0};
    switch ((enum mr_json_type)of.type) {
    case MR_JSON_SMALL_OBJECT:
    case MR_JSON_LARGE_OBJECT:
    case MR_JSON_SMALL_ARRAY:
    case MR_JSON_LARGE_ARRAY:
        return print_container(printer, of);
    case MR_JSON_LITERAL:
        if (value.length == 0 || value.bytes[0] >= MR_ARRAY_LEN(literals)) {
            return fail_document(printer, "no such literal");
        }
        put_text(printer->to, literals[value.bytes[0]]);
        return true;
    case MR_JSON_INT16:
    case MR_JSON_UINT16:
    case MR_JSON_INT32:
    case MR_JSON_UINT32:
    case MR_JSON_INT64:
    case MR_JSON_UINT64:
        return print_integer(printer, of.type, value);
    case MR_JSON_DOUBLE: {
        const uint64_t bits = mr_read_u64_le(&in);
        double number;
        memcpy(&number, &bits, sizeof(number));
        mr_json_binary_print_double(number, printer->to);
        return mr_reader_ok(&in) || fail_document(printer, "a number is cut off");
    }
    case MR_JSON_STRING:
        return read_counted(printer, &in, &text) && mr_json_print_string(printer, text);
    case MR_JSON_OPAQUE:
        return print_opaque(printer, value);
    }
    return fail_document(printer, "no such type of value");
}

bool mr_json_binary_print(struct mr_slice document, struct mr_writer *to, struct mr_error *err)
{
    MR_ASSERT(to->limit > 0);
    if (document.length == 0) {
        put_text(to, "null");
        return true;
    }
    struct mr_json_printer printer = {.to = to, .err = err};
    const struct mr_json_value value = {.bytes = {document.bytes + 1, document.length - 1},
                                        .type = document.bytes[0]};
    if (!mr_json_print_value(&printer, value)) {
        return false;
    }
    MR_ASSERT(printer.depth == 0);
    return mr_json_fits(&printer);
}
