// SPDX-License-Identifier: MIT
/*
 * mysql_put_forms.c - cells whose form depends on more than the wire type: dates as text, values
 * that become NULL, addresses, UUIDs, vectors, geometry, packed columns.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_put.h"
#include "reader.h"
#include "temporal.h"

#define ZLIB_CONST // NOLINT(readability-identifier-naming): zlib asks for it
#include <zlib.h>

#define UUID_BYTES       16 /* of an inet6 too */
#define INET6_GROUPS     8
#define UUID_TEXT_BYTES  36
#define FLOAT_BYTES      4
#define FLOAT_TEXT_BYTES 24
#define SRID_BYTES       4
#define WKB_HEAD_BYTES   5 /* byte order, type */
#define EWKB_HAS_SRID    0x20000000u
#define PACKED_ZLIB      0x80 /* what the first byte of a packed cell says */
#define PACKED_RAW       0x08 /* deflate without zlib's head and checksum */
#define PACKED_WIDTH     0x07 /* bytes of the length that follows */

static bool put_text(const struct mr_mysql_cell *to, const char *text, struct mr_error *err)
{
    MR_ASSERT(to->cells->type == MR_TYPE_TEXT);
    return mr_put_bytes(to->cells, to->arena, to->row, text, strlen(text)) ||
           mr_mysql_fail_full(err);
}

/* ---- Dates as the server prints them. ---- */

MR_MYSQL_PUT(date_as_text)
{
    (void)column;
    char text[MR_MYSQL_CIVIL_TEXT_BYTES];
    struct mr_mysql_civil civil = {0};
    if (!mr_mysql_date_split(bytes, &civil, err)) {
        return false;
    }
    mr_mysql_date_print(&civil, text);
    return put_text(to, text, err);
}

MR_MYSQL_PUT(datetime_as_text)
{
    char text[MR_MYSQL_CIVIL_TEXT_BYTES];
    struct mr_mysql_civil civil = {0};
    if (!mr_mysql_datetime_split(bytes, column->metadata, &civil, err)) {
        return false;
    }
    mr_mysql_datetime_print(&civil, column->metadata, text);
    return put_text(to, text, err);
}

MR_MYSQL_PUT(timestamp_as_text)
{
    char text[MR_MYSQL_CIVIL_TEXT_BYTES];
    struct mr_mysql_civil civil = {0};
    if (!mr_mysql_timestamp_split(bytes, column->metadata, &civil, err)) {
        return false;
    }
    mr_mysql_datetime_print(&civil, column->metadata, text);
    return put_text(to, text, err);
}

/* ---- Values that become NULL. ---- */

static bool or_null(mr_mysql_put_fn put, const struct mr_mysql_column *column,
                    struct mr_slice bytes, const struct mr_mysql_cell *to, struct mr_error *err)
{
    MR_ASSERT(column->misfits != NULL && column->core.nullable);
    const uint32_t heap_size = to->cells->heap_size;
    struct mr_error why = {0};
    if (put(column, bytes, to, &why)) {
        return true;
    }
    if (why.code != MR_E_TYPE) {
        *err = why;
        return false;
    }
    to->cells->heap_size = heap_size;
    to->cells->valid[to->row >> 6] &= ~(UINT64_C(1) << (to->row & 63));
    mr_put_null(to->cells, to->row);
    mr_nulled_add(column->misfits->nulled, column->misfits->schema, column->misfits->index);
    return true;
}

MR_MYSQL_PUT(or_null)
{
    return or_null(column->misfits->put_binlog, column, bytes, to, err);
}

MR_MYSQL_PUT(text_or_null)
{
    return or_null(column->misfits->put_text, column, bytes, to, err);
}

/* ---- MariaDB's addresses and UUIDs. ---- */

/** The bytes of a fixed-size value whose trailing zero bytes were left out. */
static bool fill(const struct mr_mysql_column *column, struct mr_slice bytes, uint8_t *full,
                 struct mr_error *err)
{
    MR_ASSERT(column->pad_size > 0 && column->pad_size <= UUID_BYTES);
    if (bytes.length > column->pad_size) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "%zu bytes for a type of %u", bytes.length,
                       column->pad_size);
    }
    memcpy(full, bytes.bytes, bytes.length);
    memset(full + bytes.length, 0, column->pad_size - bytes.length);
    return true;
}

/* Zero groups that print as "::". */
struct gap {
    unsigned at;
    unsigned count;
};

/** The first of the longest runs of zero groups; one group is a run too, unlike in inet_ntop(). */
static struct gap find_gap(const uint16_t groups[INET6_GROUPS])
{
    struct gap longest = {0};
    struct gap run = {0};
    for (unsigned i = 0; i < INET6_GROUPS; i++) {
        run = groups[i] != 0   ? (struct gap){0}
              : run.count == 0 ? (struct gap){.at = i, .count = 1}
                               : (struct gap){.at = run.at, .count = run.count + 1};
        longest = run.count > longest.count ? run : longest;
    }
    return longest;
}

static size_t print_inet4(const uint8_t *address, char *to, size_t room)
{
    const int length =
        snprintf(to, room, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
    MR_ASSERT(length > 0 && (size_t)length < room);
    return (size_t)length;
}

/** As MariaDB prints it; addresses that hold an IPv4 one end in it. */
static void print_inet6(const uint8_t address[UUID_BYTES], char text[INET6_ADDRSTRLEN])
{
    uint16_t groups[INET6_GROUPS];
    for (size_t i = 0; i < INET6_GROUPS; i++) {
        groups[i] = (uint16_t)(address[2 * i] << 8 | address[2 * i + 1]);
    }
    const struct gap gap = find_gap(groups);
    const bool holds_inet4 =
        gap.at == 0 && (gap.count == 6 || (gap.count == 5 && groups[5] == UINT16_MAX));
    size_t at = 0;
    for (unsigned i = 0; i < INET6_GROUPS; i++) {
        MR_ASSERT(at + 5 < INET6_ADDRSTRLEN);
        if (gap.count > 0 && i == gap.at) {
            at += (size_t)snprintf(text + at, INET6_ADDRSTRLEN - at, i == 0 ? "::" : ":");
            i += gap.count - 1;
        } else if (i == 6 && holds_inet4) {
            (void)print_inet4(address + 12, text + at, INET6_ADDRSTRLEN - at);
            return;
        } else {
            at += (size_t)snprintf(text + at, INET6_ADDRSTRLEN - at,
                                   i + 1 < INET6_GROUPS ? "%x:" : "%x", groups[i]);
        }
    }
    MR_ASSERT(at < INET6_ADDRSTRLEN);
    text[at] = '\0';
}

MR_MYSQL_PUT(inet)
{
    uint8_t address[UUID_BYTES] = {0};
    char text[INET6_ADDRSTRLEN];
    if (!fill(column, bytes, address, err)) {
        return false;
    }
    if (column->form == MR_MYSQL_INET4) {
        (void)print_inet4(address, text, sizeof(text));
    } else {
        print_inet6(address, text);
    }
    return put_text(to, text, err);
}

MR_MYSQL_PUT(uuid)
{
    MR_ASSERT(to->cells->type == MR_TYPE_UUID);
    uint8_t uuid[UUID_BYTES] = {0};
    if (!fill(column, bytes, uuid, err)) {
        return false;
    }
    memcpy(to->cells->values + (size_t)to->row * UUID_BYTES, uuid, UUID_BYTES);
    mr_put_valid(to->cells, to->row);
    return true;
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

MR_MYSQL_PUT(text_uuid)
{
    MR_ASSERT(to->cells->type == MR_TYPE_UUID);
    uint8_t uuid[UUID_BYTES] = {0};
    unsigned digits = 0;
    for (size_t i = 0; i < bytes.length && digits <= 2 * UUID_BYTES; i++) {
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        const int digit = hex_digit(bytes.bytes[i]);
        if (is_dash != (bytes.bytes[i] == '-') || (!is_dash && digit < 0) ||
            digits + (is_dash ? 0 : 1) > 2 * UUID_BYTES) {
            digits = UINT32_MAX;
            break;
        }
        if (!is_dash) {
            uuid[digits / 2] = (uint8_t)(uuid[digits / 2] << 4 | digit);
            digits++;
        }
    }
    if (digits != 2 * UUID_BYTES || bytes.length != UUID_TEXT_BYTES) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "a text of %zu bytes is no %s", bytes.length,
                       column->core.source_type);
    }
    memcpy(to->cells->values + (size_t)to->row * UUID_BYTES, uuid, UUID_BYTES);
    mr_put_valid(to->cells, to->row);
    return true;
}

/* ---- Vectors. ---- */

/** The fewest digits that read back as the same number; its length. */
static size_t print_float(float number, char text[FLOAT_TEXT_BYTES])
{
    int length = 0;
    for (int digits = 6; digits <= 9; digits++) {
        length = snprintf(text, FLOAT_TEXT_BYTES, "%.*g", digits, (double)number);
        if (strtof(text, NULL) == number) {
            break;
        }
    }
    MR_ASSERT(length > 0 && length < FLOAT_TEXT_BYTES);
    return (size_t)length;
}

/** "[1,-2,0.5]": little-endian floats, as many as fit the bytes. */
MR_MYSQL_PUT(floats)
{
    (void)column;
    const size_t count = bytes.length / FLOAT_BYTES;
    if (bytes.length % FLOAT_BYTES != 0) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "a vector of %zu bytes", bytes.length);
    }
    const size_t room = count * (FLOAT_TEXT_BYTES + 1) + 2;
    uint8_t *cell = mr_put_reserve(to->cells, to->arena, to->row, room);
    if (cell == NULL) {
        return mr_mysql_fail_full(err);
    }
    size_t at = 0;
    cell[at++] = '[';
    for (size_t i = 0; i < count; i++) {
        char text[FLOAT_TEXT_BYTES];
        float number;
        memcpy(&number, bytes.bytes + i * FLOAT_BYTES, sizeof(number));
        const size_t length = print_float(number, text);
        memcpy(cell + at, text, length);
        at += length;
        cell[at++] = ',';
    }
    at -= count > 0 ? 1 : 0;
    cell[at++] = ']';
    MR_ASSERT(at <= room);
    to->cells->heap_size -= (uint32_t)(room - at);
    to->cells->offsets[to->row + 1] = to->cells->heap_size;
    return true;
}

/* ---- Geometry. ---- */

/**
 * SRID and WKB become WKB, or where the SRID is not 0 EWKB, in which it lies behind the type: what
 * PostGIS and DuckDB's spatial extension read. Coordinates stay as stored: longitude before
 * latitude in geographic systems.
 */
MR_MYSQL_PUT(geometry)
{
    (void)column;
    MR_ASSERT(to->cells->type == MR_TYPE_BYTES);
    if (bytes.length < SRID_BYTES + WKB_HEAD_BYTES || bytes.bytes[SRID_BYTES] != 1) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "a geometry of %zu bytes that is no WKB",
                       bytes.length);
    }
    uint32_t srid;
    uint32_t type;
    memcpy(&srid, bytes.bytes, sizeof(srid));
    memcpy(&type, bytes.bytes + SRID_BYTES + 1, sizeof(type));
    const uint8_t *rest = bytes.bytes + SRID_BYTES + WKB_HEAD_BYTES;
    const size_t rest_size = bytes.length - SRID_BYTES - WKB_HEAD_BYTES;
    const size_t head = WKB_HEAD_BYTES + (srid == 0 ? 0 : SRID_BYTES);
    uint8_t *cell = mr_put_reserve(to->cells, to->arena, to->row, head + rest_size);
    if (cell == NULL) {
        return mr_mysql_fail_full(err);
    }
    type |= srid == 0 ? 0 : EWKB_HAS_SRID;
    cell[0] = 1;
    memcpy(cell + 1, &type, sizeof(type));
    if (srid != 0) {
        memcpy(cell + WKB_HEAD_BYTES, &srid, sizeof(srid));
    }
    memcpy(cell + head, rest, rest_size);
    return true;
}

/* ---- COMPRESSED columns of MariaDB. ---- */

/** Inflates into the scratch writer, to exactly `size` bytes. */
static bool inflate_cell(struct mr_slice packed, bool is_raw, size_t size, struct mr_writer *to,
                         struct mr_error *err)
{
    MR_ASSERT(to != NULL && to->limit > 0);
    mr_writer_reset(to);
    uint8_t *room = mr_writer_reserve(to, size);
    if (room == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP,
                       "a packed value of %zu bytes exceeds value_max; raise value_max, or exclude "
                       "the table",
                       size);
    }
    z_stream zlib = {.next_in = packed.bytes,
                     .avail_in = (uInt)packed.length,
                     .next_out = room,
                     .avail_out = (uInt)size};
    if (inflateInit2(&zlib, is_raw ? -MAX_WBITS : MAX_WBITS) != Z_OK) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "no memory to unpack a value");
    }
    const bool is_whole =
        inflate(&zlib, Z_FINISH) == Z_STREAM_END && zlib.avail_out == 0 && zlib.avail_in == 0;
    (void)inflateEnd(&zlib);
    return is_whole || mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a packed value cannot be unpacked");
}

/** u8 method, [unless 0: the length big-endian, then deflated bytes]; nothing at all is ''. */
MR_MYSQL_PUT(packed)
{
    MR_ASSERT(column->put_unpacked != NULL);
    if (bytes.length == 0) {
        return column->put_unpacked(column, bytes, to, err);
    }
    struct mr_reader in = mr_reader_init(bytes.bytes, bytes.length);
    const uint8_t mark = mr_read_u8(&in);
    if (mark == 0) {
        return column->put_unpacked(column, mr_read_slice(&in, mr_reader_left(&in)), to, err);
    }
    const uint64_t size = mr_read_uint_be(&in, mark & PACKED_WIDTH);
    const struct mr_slice packed = mr_read_slice(&in, mr_reader_left(&in));
    if (!mr_reader_ok(&in) || (mark & ~(PACKED_RAW | PACKED_WIDTH)) != PACKED_ZLIB ||
        size > UINT32_MAX) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a value is packed in an unknown way (%u)",
                       mark);
    }
    return inflate_cell(packed, (mark & PACKED_RAW) != 0, size, to->scratch, err) &&
           column->put_unpacked(column, (struct mr_slice){to->scratch->bytes, to->scratch->length},
                                to, err);
}
