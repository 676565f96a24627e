// SPDX-License-Identifier: MIT
/*
 * mysql_pieces.c - see mysql_pieces.h.
 */
#include "mysql_pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_info.h"

#define BOUNDS_SQL_BYTES_MAX 4096
#define DIGITS_MAX           48

struct mr_mysql_pieces mr_mysql_pieces_divide(mr_i128 low, mr_i128 high, uint64_t rows_estimate,
                                              uint64_t piece_rows)
{
    MR_ASSERT(low <= high && piece_rows > 0);
    mr_i128 keys = high - low + 1;
    uint64_t wanted = rows_estimate / piece_rows + (rows_estimate % piece_rows != 0 ? 1 : 0);
    if (wanted > MR_MYSQL_PIECES_MAX) {
        wanted = MR_MYSQL_PIECES_MAX;
    }
    if ((mr_i128)wanted > keys) {
        wanted = (uint64_t)keys;
    }
    return (struct mr_mysql_pieces){
        .low = low,
        .high = high,
        .count = wanted == 0 ? 1 : (uint32_t)wanted,
    };
}

mr_i128 mr_mysql_pieces_bound(const struct mr_mysql_pieces *pieces, uint32_t i)
{
    MR_ASSERT(i > 0 && i < pieces->count);
    return pieces->low + (pieces->high - pieces->low + 1) * i / pieces->count;
}

static bool is_integer(enum mr_type type)
{
    return type >= MR_TYPE_I8 && type <= MR_TYPE_U64;
}

static mr_i128 parse_key(const char *text)
{
    return text[0] == '-' ? (mr_i128)strtoll(text, NULL, 10) : (mr_i128)strtoull(text, NULL, 10);
}

struct bounds {
    mr_i128 low;
    mr_i128 high;
    bool found;
};

static bool take_bounds(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct bounds *bounds = context;
    (void)err;
    MR_ASSERT(row->count == 2);
    if (row->cells[0] != NULL && row->cells[1] != NULL) {
        bounds->low = parse_key(row->cells[0]);
        bounds->high = parse_key(row->cells[1]);
        bounds->found = bounds->low <= bounds->high;
    }
    return true;
}

bool mr_mysql_pieces_plan(struct mr_mysql_connection *connection,
                          const struct mr_mysql_layout *layout, uint64_t rows_estimate,
                          uint64_t piece_rows, struct mr_mysql_pieces *pieces, struct mr_error *err)
{
    MR_ASSERT(piece_rows > 0);
    const struct mr_schema *schema = layout->schema;
    struct bounds bounds = {0};
    *pieces = (struct mr_mysql_pieces){.count = 1};
    if (schema->key_count == 0 || rows_estimate <= piece_rows ||
        !is_integer(schema->columns[schema->key[0]].type)) {
        return true;
    }
    struct mr_writer sql = {0};
    mr_writer_init(&sql, BOUNDS_SQL_BYTES_MAX);
    const char *key = schema->columns[schema->key[0]].name;
    mr_write_bytes(&sql, "SELECT MIN(", 11);
    mr_mysql_write_name(&sql, key);
    mr_write_bytes(&sql, "), MAX(", 7);
    mr_mysql_write_name(&sql, key);
    mr_write_bytes(&sql, ") FROM ", 7);
    mr_mysql_write_table(&sql, schema->space, schema->table);
    mr_write_u8(&sql, 0);
    MR_ASSERT(!sql.failed); /* names have at most 64 characters */
    bool read =
        mr_mysql_each_row(connection, (const char *)sql.bytes, 1, take_bounds, &bounds, err);
    mr_writer_done(&sql);
    if (read && bounds.found) {
        *pieces = mr_mysql_pieces_divide(bounds.low, bounds.high, rows_estimate, piece_rows);
    }
    return read;
}

/** A key fits 64 bits, signed or unsigned; its bound may lie one past the greatest. The digits end
 *  where digits[] does; returned is where they begin. */
static size_t print_key(mr_i128 key, char digits[DIGITS_MAX])
{
    size_t at = DIGITS_MAX;
    bool negative = key < 0;
    mr_i128 rest = negative ? -key : key;
    do {
        MR_ASSERT(at > 1);
        digits[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest != 0);
    if (negative) {
        digits[--at] = '-';
    }
    return at;
}

static void write_key(struct mr_writer *sql, mr_i128 key)
{
    char digits[DIGITS_MAX];
    const size_t at = print_key(key, digits);
    mr_write_bytes(sql, digits + at, sizeof(digits) - at);
}

void mr_mysql_pieces_print(const struct mr_mysql_pieces *pieces, char text[MR_MYSQL_PLAN_BYTES_MAX])
{
    char low[DIGITS_MAX];
    char high[DIGITS_MAX];
    const size_t low_at = print_key(pieces->low, low);
    const size_t high_at = print_key(pieces->high, high);
    (void)snprintf(text, MR_MYSQL_PLAN_BYTES_MAX, "keys %.*s %.*s %u", (int)(DIGITS_MAX - low_at),
                   low + low_at, (int)(DIGITS_MAX - high_at), high + high_at, pieces->count);
}

bool mr_mysql_pieces_parse(const char *text, const struct mr_mysql_layout *layout,
                           struct mr_mysql_pieces *pieces)
{
    const struct mr_schema *schema = layout->schema;
    char low[DIGITS_MAX];
    char high[DIGITS_MAX];
    unsigned count = 0;
    int length = 0;
    /* NOLINTNEXTLINE(cert-err34-c): a plan of ours, checked below */
    if (sscanf(text, "keys %47[-0-9] %47[-0-9] %u%n", low, high, &count, &length) != 3 ||
        text[length] != '\0' || count == 0 || count > MR_MYSQL_PIECES_MAX) {
        return false;
    }
    const struct mr_mysql_pieces read = {
        .low = parse_key(low), .high = parse_key(high), .count = count};
    if (read.low > read.high ||
        (count > 1 &&
         (schema->key_count == 0 || !is_integer(schema->columns[schema->key[0]].type)))) {
        return false;
    }
    *pieces = read;
    return true;
}

void mr_mysql_pieces_select(const struct mr_mysql_pieces *pieces,
                            const struct mr_mysql_layout *layout, uint32_t piece, const char *where,
                            struct mr_writer *sql)
{
    const struct mr_schema *schema = layout->schema;
    MR_ASSERT(piece < pieces->count);
    mr_write_bytes(sql, "SELECT ", 7);
    for (uint16_t i = 0; i < layout->column_count; i++) {
        if (i > 0) {
            mr_write_bytes(sql, ", ", 2);
        }
        mr_mysql_column_select(&layout->columns[i], sql);
    }
    mr_write_bytes(sql, " FROM ", 6);
    mr_mysql_write_table(sql, schema->space, schema->table);
    if (pieces->count > 1) {
        /* A secondary index or a scan would read the whole table for each piece. */
        const char *key = schema->columns[schema->key[0]].name;
        mr_write_bytes(sql, " FORCE INDEX (PRIMARY) WHERE ", 29);
        if (piece > 0) {
            mr_mysql_write_name(sql, key);
            mr_write_bytes(sql, " >= ", 4);
            write_key(sql, mr_mysql_pieces_bound(pieces, piece));
        }
        if (piece > 0 && piece + 1 < pieces->count) {
            mr_write_bytes(sql, " AND ", 5);
        }
        if (piece + 1 < pieces->count) {
            mr_mysql_write_name(sql, key);
            mr_write_bytes(sql, " < ", 3);
            write_key(sql, mr_mysql_pieces_bound(pieces, piece + 1));
        }
    }
    if (where != NULL) {
        const char *before = pieces->count > 1 ? " AND (" : " WHERE (";
        mr_write_bytes(sql, before, strlen(before));
        mr_write_bytes(sql, where, strlen(where));
        mr_write_bytes(sql, ")", 1);
    }
    mr_write_u8(sql, 0);
}
