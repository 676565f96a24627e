// SPDX-License-Identifier: MIT
/*
 * pg_text.c - the table of scalar types, and the printers of numbers, bytes and identifiers.
 *
 * A printer trusts nothing: a wrong length is MALFORMED, text that is not UTF-8 is ENCODING. Types
 * that nobody keeps in a table (tsquery, statistics, node trees) are not here: the server prints
 * them for us, as it does the types of unknown extensions (pg_tree.h, FOREIGN).
 *
 * Source: the *send() and *out() functions of PostgreSQL, src/backend/utils/adt; numbers of types
 * from src/include/catalog/pg_type.dat, which never change.
 */
#include "pg_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_numeric.h"
#include "reader.h"

#define REAL_DIGITS_MAX   17
#define SINGLE_DIGITS_MAX 9

/* ---- Integers and what is one. ---- */

static bool read_signed(struct mr_slice wire, size_t width, int64_t *number)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    if (wire.length != width) {
        return false;
    }
    *number = width == 2   ? (int16_t)mr_read_u16_be(&in)
              : width == 4 ? (int32_t)mr_read_u32_be(&in)
                           : (int64_t)mr_read_u64_be(&in);
    return true;
}

static enum mr_pg_put print_signed(struct mr_pg_out *out, struct mr_slice wire, size_t width)
{
    int64_t number = 0;
    if (!read_signed(wire, width, &number)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_format(out, "%" PRId64, number);
    return MR_PG_PUT_OK;
}

#define PRINTER(name)                                                                              \
    static enum mr_pg_put print_##name(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)

PRINTER(i16)
{
    (void)scale;
    return print_signed(out, wire, sizeof(int16_t));
}

PRINTER(i32)
{
    (void)scale;
    return print_signed(out, wire, sizeof(int32_t));
}

PRINTER(i64)
{
    (void)scale;
    return print_signed(out, wire, sizeof(int64_t));
}

PRINTER(u32)
{
    int64_t number = 0;
    (void)scale;
    if (!read_signed(wire, sizeof(uint32_t), &number)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_format(out, "%" PRIu32, (uint32_t)number);
    return MR_PG_PUT_OK;
}

PRINTER(u64)
{
    int64_t number = 0;
    (void)scale;
    if (!read_signed(wire, sizeof(uint64_t), &number)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_format(out, "%" PRIu64, (uint64_t)number);
    return MR_PG_PUT_OK;
}

PRINTER(bool)
{
    (void)scale;
    if (wire.length != 1 || wire.bytes[0] > 1) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_char(out, wire.bytes[0] == 1 ? 't' : 'f');
    return MR_PG_PUT_OK;
}

/* An integer of the smallest unit; `scale` digits of it are behind the point. */
PRINTER(money)
{
    int64_t number = 0;
    if (!read_signed(wire, sizeof(number), &number)) {
        return MR_PG_PUT_MALFORMED;
    }
    const uint64_t magnitude = number < 0 ? -(uint64_t)number : (uint64_t)number;
    uint64_t unit = 1;
    for (uint8_t i = 0; i < scale; i++) {
        unit *= 10;
    }
    mr_pg_out_format(out, "%s%" PRIu64, number < 0 ? "-" : "", magnitude / unit);
    if (scale > 0) {
        mr_pg_out_format(out, ".%0*" PRIu64, (int)scale, magnitude % unit);
    }
    return MR_PG_PUT_OK;
}

PRINTER(tid)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint32_t block = mr_read_u32_be(&in);
    const uint16_t offset = mr_read_u16_be(&in);
    (void)scale;
    if (wire.length != sizeof(block) + sizeof(offset)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_format(out, "(%" PRIu32 ",%u)", block, offset);
    return MR_PG_PUT_OK;
}

PRINTER(lsn)
{
    int64_t number = 0;
    (void)scale;
    if (!read_signed(wire, sizeof(number), &number)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_format(out, "%" PRIX32 "/%" PRIX32, (uint32_t)((uint64_t)number >> 32),
                     (uint32_t)number);
    return MR_PG_PUT_OK;
}

/* One byte: none for zero, octal beyond ASCII (as 16 and later print it). */
PRINTER(char)
{
    (void)scale;
    if (wire.length != 1) {
        return MR_PG_PUT_MALFORMED;
    }
    if (wire.bytes[0] >= 0x80) {
        mr_pg_out_format(out, "\\%03o", wire.bytes[0]);
    } else if (wire.bytes[0] != 0) {
        mr_pg_out_char(out, (char)wire.bytes[0]);
    }
    return MR_PG_PUT_OK;
}

/* ---- Numbers that are no integers. ---- */

static bool reads_back(const char *text, double number, bool is_single)
{
    return is_single ? strtof(text, NULL) == (float)number : strtod(text, NULL) == number;
}

/*
 * d.ddde[+-]xx with the fewest digits. Below the normal numbers every count may be enough; above,
 * fewer digits than the type surely keeps only differ by zeros, which are cut off.
 */
static void shortest(double number, bool is_single, char text[40])
{
    const bool is_normal = is_single ? fpclassify((float)number) == FP_NORMAL : isnormal(number);
    const int most = is_single ? SINGLE_DIGITS_MAX : REAL_DIGITS_MAX;
    int digits = !is_normal ? 1 : is_single ? 6 : 15;
    do {
        (void)snprintf(text, 40, "%.*e", digits - 1, number);
    } while (digits++ < most && !reads_back(text, number, is_single));
}

/* The digits of "d.ddde+xx", without zeros at their end; how many they are. */
static int take_digits(const char *text, char digits[REAL_DIGITS_MAX + 1])
{
    int count = 0;
    for (const char *c = text; *c != 'e'; c++) {
        if (*c != '.' && *c != '-') {
            MR_ASSERT(count < REAL_DIGITS_MAX);
            digits[count++] = *c;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    digits[count] = '\0';
    return count;
}

void mr_pg_print_real(struct mr_pg_out *out, double number, bool is_single)
{
    char text[40];
    char digits[REAL_DIGITS_MAX + 1];
    if (!isfinite(number)) {
        mr_pg_out_text(out, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        return;
    }
    shortest(number < 0 ? -number : number, is_single, text);
    const int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    const int count = take_digits(text, digits);
    mr_pg_out_text(out, signbit(number) ? "-" : "");
    if (exponent < -4 || exponent >= (is_single ? 6 : 15)) {
        mr_pg_out_format(out, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1,
                         exponent < 0 ? '-' : '+', abs(exponent));
    } else if (exponent < 0) {
        mr_pg_out_format(out, "0.%.*s%s", -exponent - 1, "0000", digits);
    } else if (count <= exponent + 1) {
        mr_pg_out_format(out, "%s%.*s", digits, exponent + 1 - count, "00000000000000");
    } else {
        mr_pg_out_format(out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
    }
}

PRINTER(f32)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint32_t bits = mr_read_u32_be(&in);
    float number;
    (void)scale;
    if (wire.length != sizeof(number)) {
        return MR_PG_PUT_MALFORMED;
    }
    memcpy(&number, &bits, sizeof(number));
    mr_pg_print_real(out, (double)number, true);
    return MR_PG_PUT_OK;
}

PRINTER(f64)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint64_t bits = mr_read_u64_be(&in);
    double number;
    (void)scale;
    if (wire.length != sizeof(number)) {
        return MR_PG_PUT_MALFORMED;
    }
    memcpy(&number, &bits, sizeof(number));
    mr_pg_print_real(out, number, false);
    return MR_PG_PUT_OK;
}

PRINTER(numeric)
{
    struct mr_pg_numeric numeric;
    (void)scale;
    switch (mr_pg_numeric_parse(wire, &numeric)) {
    case MR_PG_NUMERIC_FINITE:
        break;
    case MR_PG_NUMERIC_NAN:
        mr_pg_out_text(out, "NaN");
        return MR_PG_PUT_OK;
    case MR_PG_NUMERIC_INFINITY:
        mr_pg_out_text(out, "Infinity");
        return MR_PG_PUT_OK;
    case MR_PG_NUMERIC_MINUS_INFINITY:
        mr_pg_out_text(out, "-Infinity");
        return MR_PG_PUT_OK;
    case MR_PG_NUMERIC_MALFORMED:
        return MR_PG_PUT_MALFORMED;
    }
    uint8_t *to = mr_pg_out_reserve(out, mr_pg_numeric_text_length(&numeric));
    if (to != NULL) {
        mr_pg_numeric_text(&numeric, to);
    }
    return MR_PG_PUT_OK;
}

/* ---- Bytes and text. ---- */

enum mr_pg_put mr_pg_print_text(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    (void)scale;
    if (!mr_pg_text_is_utf8(wire.bytes, wire.length)) {
        return MR_PG_PUT_ENCODING;
    }
    mr_pg_out_bytes(out, wire.bytes, wire.length);
    return MR_PG_PUT_OK;
}

/* jsonb, jsonpath, ltree: a byte that says version 1, then the text. */
enum mr_pg_put mr_pg_print_versioned(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    if (wire.length == 0 || wire.bytes[0] != 1) {
        return MR_PG_PUT_MALFORMED;
    }
    return mr_pg_print_text(out, scale, (struct mr_slice){wire.bytes + 1, wire.length - 1});
}

PRINTER(bytea)
{
    static const char hex[] = "0123456789abcdef";
    (void)scale;
    mr_pg_out_text(out, "\\x");
    uint8_t *to = mr_pg_out_reserve(out, wire.length * 2);
    for (size_t i = 0; to != NULL && i < wire.length; i++) {
        to[2 * i] = (uint8_t)hex[wire.bytes[i] >> 4];
        to[2 * i + 1] = (uint8_t)hex[wire.bytes[i] & 15];
    }
    return MR_PG_PUT_OK;
}

PRINTER(uuid)
{
    (void)scale;
    if (wire.length != 16) {
        return MR_PG_PUT_MALFORMED;
    }
    for (size_t i = 0; i < wire.length; i++) {
        const bool is_after_group = i == 4 || i == 6 || i == 8 || i == 10;
        mr_pg_out_format(out, "%s%02x", is_after_group ? "-" : "", wire.bytes[i]);
    }
    return MR_PG_PUT_OK;
}

/* bit, varbit := i32 bit_count, bytes; the first bit is the highest of the first byte. */
PRINTER(bits)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint32_t count = mr_read_u32_be(&in);
    (void)scale;
    if (!mr_reader_ok(&in) || mr_reader_left(&in) != ((uint64_t)count + 7) / 8) {
        return MR_PG_PUT_MALFORMED;
    }
    const uint8_t *bytes = mr_read_bytes(&in, mr_reader_left(&in));
    uint8_t *to = mr_pg_out_reserve(out, count);
    for (uint32_t i = 0; to != NULL && i < count; i++) {
        to[i] = (uint8_t)('0' + (bytes[i / 8] >> (7 - i % 8) & 1));
    }
    return MR_PG_PUT_OK;
}

/* Quotes and backslashes doubled, in quotes. */
static void print_lexeme(struct mr_pg_out *out, struct mr_slice lexeme)
{
    mr_pg_out_char(out, '\'');
    for (size_t i = 0; i < lexeme.length; i++) {
        const char c = (char)lexeme.bytes[i];
        if (c == '\'' || c == '\\') {
            mr_pg_out_char(out, c);
        }
        mr_pg_out_char(out, c);
    }
    mr_pg_out_char(out, '\'');
}

/* tsvector := u32 count, { cstring lexeme, u16 count, u16 weight << 14 | position } */
PRINTER(tsvector)
{
    static const char weights[] = "\0CBA";
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint32_t count = mr_read_u32_be(&in);
    (void)scale;
    for (uint32_t i = 0; mr_reader_ok(&in) && i < count; i++) {
        const struct mr_slice lexeme = mr_read_cstring(&in);
        const uint16_t position_count = mr_read_u16_be(&in);
        if (!mr_reader_ok(&in)) {
            break;
        }
        if (!mr_pg_text_is_utf8(lexeme.bytes, lexeme.length)) {
            return MR_PG_PUT_ENCODING;
        }
        mr_pg_out_text(out, i == 0 ? "" : " ");
        print_lexeme(out, lexeme);
        for (uint16_t p = 0; mr_reader_ok(&in) && p < position_count; p++) {
            const uint16_t position = mr_read_u16_be(&in);
            const char weight[] = {weights[position >> 14], '\0'};
            mr_pg_out_format(out, "%c%u%s", p == 0 ? ':' : ',', position & 0x3FFFu, weight);
        }
    }
    return mr_reader_ok(&in) && mr_reader_left(&in) == 0 ? MR_PG_PUT_OK : MR_PG_PUT_MALFORMED;
}

/* ---- The table. ---- */

static const struct mr_pg_scalar scalars[] = {
    {16, 1000, "boolean", print_bool, MR_PG_JSON_BOOL},
    {17, 1001, "bytea", print_bytea, MR_PG_JSON_STRING},
    {18, 1002, "\"char\"", print_char, MR_PG_JSON_STRING},
    {19, 1003, "name", mr_pg_print_text, MR_PG_JSON_STRING},
    {20, 1016, "bigint", print_i64, MR_PG_JSON_LITERAL},
    {21, 1005, "smallint", print_i16, MR_PG_JSON_LITERAL},
    {23, 1007, "integer", print_i32, MR_PG_JSON_LITERAL},
    {24, 1008, "regproc", print_u32, MR_PG_JSON_LITERAL},
    {25, 1009, "text", mr_pg_print_text, MR_PG_JSON_STRING},
    {26, 1028, "oid", print_u32, MR_PG_JSON_LITERAL},
    {27, 1010, "tid", print_tid, MR_PG_JSON_STRING},
    {28, 1011, "xid", print_u32, MR_PG_JSON_LITERAL},
    {29, 1012, "cid", print_u32, MR_PG_JSON_LITERAL},
    {114, 199, "json", mr_pg_print_text, MR_PG_JSON_STRING},
    {142, 143, "xml", mr_pg_print_text, MR_PG_JSON_STRING},
    {600, 1017, "point", mr_pg_print_point, MR_PG_JSON_STRING},
    {601, 1018, "lseg", mr_pg_print_lseg, MR_PG_JSON_STRING},
    {602, 1019, "path", mr_pg_print_path, MR_PG_JSON_STRING},
    {603, 1020, "box", mr_pg_print_box, MR_PG_JSON_STRING},
    {604, 1027, "polygon", mr_pg_print_polygon, MR_PG_JSON_STRING},
    {628, 629, "line", mr_pg_print_line, MR_PG_JSON_STRING},
    {650, 651, "cidr", mr_pg_print_inet, MR_PG_JSON_STRING},
    {700, 1021, "real", print_f32, MR_PG_JSON_FLOAT},
    {701, 1022, "double precision", print_f64, MR_PG_JSON_FLOAT},
    {718, 719, "circle", mr_pg_print_circle, MR_PG_JSON_STRING},
    {774, 775, "macaddr8", mr_pg_print_macaddr8, MR_PG_JSON_STRING},
    {790, 791, "money", print_money, MR_PG_JSON_STRING},
    {829, 1040, "macaddr", mr_pg_print_macaddr, MR_PG_JSON_STRING},
    {869, 1041, "inet", mr_pg_print_inet, MR_PG_JSON_STRING},
    {1042, 1014, "character", mr_pg_print_text, MR_PG_JSON_STRING},
    {1043, 1015, "character varying", mr_pg_print_text, MR_PG_JSON_STRING},
    {1082, 1182, "date", mr_pg_print_date, MR_PG_JSON_STRING},
    {1083, 1183, "time", mr_pg_print_time, MR_PG_JSON_STRING},
    {1114, 1115, "timestamp", mr_pg_print_timestamp, MR_PG_JSON_STRING},
    {1184, 1185, "timestamp", mr_pg_print_timestamptz, MR_PG_JSON_STRING},
    {1186, 1187, "interval", mr_pg_print_interval, MR_PG_JSON_STRING},
    {1266, 1270, "time", mr_pg_print_timetz, MR_PG_JSON_STRING},
    {1560, 1561, "bit", print_bits, MR_PG_JSON_STRING},
    {1562, 1563, "bit varying", print_bits, MR_PG_JSON_STRING},
    {1700, 1231, "numeric", print_numeric, MR_PG_JSON_STRING},
    {1790, 2201, "refcursor", mr_pg_print_text, MR_PG_JSON_STRING},
    {2202, 2207, "regprocedure", print_u32, MR_PG_JSON_LITERAL},
    {2203, 2208, "regoper", print_u32, MR_PG_JSON_LITERAL},
    {2204, 2209, "regoperator", print_u32, MR_PG_JSON_LITERAL},
    {2205, 2210, "regclass", print_u32, MR_PG_JSON_LITERAL},
    {2206, 2211, "regtype", print_u32, MR_PG_JSON_LITERAL},
    {2950, 2951, "uuid", print_uuid, MR_PG_JSON_STRING},
    {3220, 3221, "pg_lsn", print_lsn, MR_PG_JSON_STRING},
    {3614, 3643, "tsvector", print_tsvector, MR_PG_JSON_STRING},
    {3734, 3735, "regconfig", print_u32, MR_PG_JSON_LITERAL},
    {3769, 3770, "regdictionary", print_u32, MR_PG_JSON_LITERAL},
    {3802, 3807, "jsonb", mr_pg_print_versioned, MR_PG_JSON_STRING},
    {4072, 4073, "jsonpath", mr_pg_print_versioned, MR_PG_JSON_STRING},
    {4089, 4090, "regnamespace", print_u32, MR_PG_JSON_LITERAL},
    {4096, 4097, "regrole", print_u32, MR_PG_JSON_LITERAL},
    {4191, 4192, "regcollation", print_u32, MR_PG_JSON_LITERAL},
    {5069, 271, "xid8", print_u64, MR_PG_JSON_LITERAL},
};

const struct mr_pg_scalar *mr_pg_scalar_at(uint32_t index)
{
    return index < MR_ARRAY_LEN(scalars) ? &scalars[index] : NULL;
}

const struct mr_pg_scalar *mr_pg_scalar_find(uint32_t oid)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(scalars); i++) {
        if (scalars[i].oid == oid) {
            return &scalars[i];
        }
    }
    return NULL;
}

const struct mr_pg_scalar *mr_pg_scalar_of_array(uint32_t array_oid)
{
    for (size_t i = 0; array_oid != 0 && i < MR_ARRAY_LEN(scalars); i++) {
        if (scalars[i].array_oid == array_oid) {
            return &scalars[i];
        }
    }
    return NULL;
}
