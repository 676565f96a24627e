// SPDX-License-Identifier: MIT
/*
 * pg_text_geometry.c - points and what is made of them, as the server prints them.
 *
 *   point "(x,y)", lseg "[(..),(..)]", box "(..),(..)", path "((..),..)" or, open, "[(..),..]",
 *   polygon "((..),..)", line "{A,B,C}", circle "<(x,y),r>"; all of float8, big-endian; path and
 *   polygon count their points, a path says before whether it is closed.
 *
 * Source: PostgreSQL, src/backend/utils/adt/geo_ops.c.
 */
#include <string.h>

#include "pg_text.h"
#include "reader.h"

#define POINT_BYTES ((size_t)16)

static double read_real(struct mr_reader *in)
{
    double number;
    const uint64_t bits = mr_read_u64_be(in);
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static void print_pair(struct mr_pg_out *out, struct mr_reader *in)
{
    mr_pg_print_real(out, read_real(in), false);
    mr_pg_out_char(out, ',');
    mr_pg_print_real(out, read_real(in), false);
}

/* `count` points in parentheses with commas between; the caller has seen that they are there. */
static void print_points(struct mr_pg_out *out, struct mr_reader *in, size_t count)
{
    MR_ASSERT(mr_reader_left(in) >= count * POINT_BYTES);
    for (size_t i = 0; i < count; i++) {
        mr_pg_out_text(out, i == 0 ? "(" : ",(");
        print_pair(out, in);
        mr_pg_out_char(out, ')');
    }
}

enum mr_pg_put mr_pg_print_point(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    (void)scale;
    if (wire.length != POINT_BYTES) {
        return MR_PG_PUT_MALFORMED;
    }
    print_points(out, &in, 1);
    return MR_PG_PUT_OK;
}

static enum mr_pg_put print_two(struct mr_pg_out *out, struct mr_slice wire, const char *open,
                                const char *close)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    if (wire.length != 2 * POINT_BYTES) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_text(out, open);
    print_points(out, &in, 2);
    mr_pg_out_text(out, close);
    return MR_PG_PUT_OK;
}

enum mr_pg_put mr_pg_print_lseg(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    (void)scale;
    return print_two(out, wire, "[", "]");
}

enum mr_pg_put mr_pg_print_box(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    (void)scale;
    return print_two(out, wire, "", "");
}

static enum mr_pg_put print_counted(struct mr_pg_out *out, struct mr_reader *in, bool is_closed)
{
    const uint32_t count = mr_read_u32_be(in);
    if (!mr_reader_ok(in) || mr_reader_left(in) != (uint64_t)count * POINT_BYTES) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_char(out, is_closed ? '(' : '[');
    print_points(out, in, count);
    mr_pg_out_char(out, is_closed ? ')' : ']');
    return MR_PG_PUT_OK;
}

enum mr_pg_put mr_pg_print_path(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint8_t closed = mr_read_u8(&in);
    (void)scale;
    return closed > 1 ? MR_PG_PUT_MALFORMED : print_counted(out, &in, closed == 1);
}

enum mr_pg_put mr_pg_print_polygon(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    (void)scale;
    return print_counted(out, &in, true);
}

enum mr_pg_put mr_pg_print_line(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    (void)scale;
    if (wire.length != 3 * sizeof(double)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_char(out, '{');
    print_pair(out, &in);
    mr_pg_out_char(out, ',');
    mr_pg_print_real(out, read_real(&in), false);
    mr_pg_out_char(out, '}');
    return MR_PG_PUT_OK;
}

enum mr_pg_put mr_pg_print_circle(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    (void)scale;
    if (wire.length != 3 * sizeof(double)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_pg_out_char(out, '<');
    print_points(out, &in, 1);
    mr_pg_out_char(out, ',');
    mr_pg_print_real(out, read_real(&in), false);
    mr_pg_out_char(out, '>');
    return MR_PG_PUT_OK;
}
