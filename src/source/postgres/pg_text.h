// SPDX-License-Identifier: MIT
/*
 * pg_text.h - the built-in scalar types whose binary form we can print as the server does.
 *
 * The text is that of the server's output function under TimeZone UTC, DateStyle ISO, IntervalStyle
 * postgres, bytea_output hex and the default extra_float_digits, so that what is inside an array or
 * a range reads as it would in psql; but for
 *   money   a plain decimal ("-1234.56"): the server's form depends on lc_monetary;
 *   reg*    the number of the object, which is what is stored: its name may change.
 */
#ifndef MR_SOURCE_POSTGRES_PG_TEXT_H
#define MR_SOURCE_POSTGRES_PG_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "pg_out.h"
#include "pg_types.h"
#include "slice.h"

/** How a value stands in JSON. */
enum mr_pg_json {
    MR_PG_JSON_STRING,  /* its text, quoted */
    MR_PG_JSON_LITERAL, /* its text as it is: numbers */
    MR_PG_JSON_BOOL,
    MR_PG_JSON_FLOAT, /* a number, or the string NaN, Infinity, -Infinity */
};

/** Appends the text of a value; OK, MALFORMED or ENCODING (whether it fitted is out's to say). */
typedef enum mr_pg_put (*mr_pg_print_fn)(struct mr_pg_out *out, uint8_t scale,
                                         struct mr_slice wire);

struct mr_pg_scalar {
    uint32_t oid;
    uint32_t array_oid; /* 0: there is no array of it */
    const char *name;   /* as format_type() prints it, modifier aside */
    mr_pg_print_fn print;
    enum mr_pg_json json;
};

/** The type of that number, or NULL: none of the built-in scalars. */
const struct mr_pg_scalar *mr_pg_scalar_find(uint32_t oid);
/** The type whose array that is, or NULL. */
const struct mr_pg_scalar *mr_pg_scalar_of_array(uint32_t array_oid);
/** The type by its place, NULL past the last. */
const struct mr_pg_scalar *mr_pg_scalar_at(uint32_t index);

/* Those that types outside the table share. */
enum mr_pg_put mr_pg_print_text(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_versioned(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);

/* Geometry (pg_text_geometry.c). */
enum mr_pg_put mr_pg_print_point(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_lseg(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_box(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_path(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_polygon(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_line(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_circle(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);

/* Times (pg_text_time.c). */
enum mr_pg_put mr_pg_print_date(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_time(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_timetz(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_timestamp(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_timestamptz(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_interval(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);

/* Addresses and positions (pg_text_network.c). */
enum mr_pg_put mr_pg_print_inet(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_macaddr(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);
enum mr_pg_put mr_pg_print_macaddr8(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire);

/** A float8 as the server prints it: the fewest digits that read back as the same number. */
void mr_pg_print_real(struct mr_pg_out *out, double number, bool is_single);

#endif
