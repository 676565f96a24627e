// SPDX-License-Identifier: MIT
/*
 * rows_walk.h - one row image, cell by cell; what rows_event.c and rows_partial.c share.
 */
#ifndef MR_SOURCE_MYSQL_ROWS_WALK_H
#define MR_SOURCE_MYSQL_ROWS_WALK_H

#include "rows_event.h"

/* A walk through one image. */
struct mr_rows_walk {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *nulls; /* a bit a column that is in the image */
};

/* A row in a chunk of the batch. */
struct mr_rows_place {
    uint16_t chunk;
    uint16_t row;
};

bool mr_rows_fail_cut(const struct mr_rows_cursor *cursor, struct mr_error *err);

/** Adds table and column to an error. */
bool mr_rows_fail_value(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                        struct mr_error *err);

/** A value past value_max: NULL and counted where that was asked for and can be, else an error. */
bool mr_rows_put_large(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                       size_t length, const struct mr_mysql_cell *to, struct mr_error *err);
bool mr_rows_fail_size(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                       size_t length, struct mr_error *err);

/** Decodes the key's cells into a row of a KEY chunk. */
bool mr_rows_put_key(const struct mr_rows_cursor *cursor, const struct mr_rows_key *key,
                     struct mr_batch *batch, struct mr_rows_place *place,
                     struct mr_error *err) MR_MUST_CHECK;

bool mr_rows_keys_are_equal(const struct mr_rows_cursor *cursor, const struct mr_rows_key *left,
                            const struct mr_rows_key *right);

/** rows_partial.c: the next row of an event whose images lack columns, or hold JSON diffs. */
bool mr_rows_partial_next(struct mr_rows_cursor *cursor, const uint8_t **at, struct mr_batch *batch,
                          struct mr_error *err) MR_MUST_CHECK;

/** Places the walk behind the null bits of `count` columns. */
static inline bool mr_rows_walk_start(const struct mr_rows_cursor *cursor, const uint8_t *at,
                                      unsigned count, struct mr_rows_walk *walk)
{
    MR_ASSERT(at >= cursor->rows.bytes && at <= cursor->rows.bytes + cursor->rows.length);
    const size_t size = (count + 7u) / 8;
    walk->end = cursor->rows.bytes + cursor->rows.length;
    if ((size_t)(walk->end - at) < size) {
        return false;
    }
    walk->nulls = at;
    walk->at = at + size;
    return true;
}

static inline bool mr_rows_bit(const uint8_t *bits, unsigned index)
{
    return (bits[index / 8] >> (index % 8) & 1) != 0;
}

/** Steps over the next cell; false when it is cut off. */
static inline bool mr_rows_walk_cell(struct mr_rows_walk *walk,
                                     const struct mr_mysql_column *column, struct mr_slice *cell)
{
    MR_ASSERT(walk->at <= walk->end);
    const size_t left = (size_t)(walk->end - walk->at);
    size_t prefix = 0;
    size_t size = column->fixed_size;
    if (size == 0) {
        prefix = column->length_size;
        if (MR_UNLIKELY(left < prefix)) {
            return false;
        }
        size = walk->at[0];
        if (prefix > 1) {
            size |= (size_t)walk->at[1] << 8;
        }
        if (prefix > 2) {
            size |= (size_t)walk->at[2] << 16;
        }
        if (prefix > 3) {
            size |= (size_t)walk->at[3] << 24;
        }
    }
    if (MR_UNLIKELY(left - prefix < size || left < prefix)) {
        return false;
    }
    *cell = (struct mr_slice){walk->at + prefix, size};
    walk->at += prefix + size;
    return true;
}

/** Puts one cell, or NULL when it has no bytes pointer. */
static inline bool mr_rows_put_cell(const struct mr_rows_cursor *cursor,
                                    const struct mr_mysql_column *column, struct mr_slice cell,
                                    const struct mr_mysql_cell *to, struct mr_error *err)
{
    if (cell.bytes == NULL) {
        mr_put_null(to->cells, to->row);
        return true;
    }
    if (MR_UNLIKELY(cell.length > cursor->value_bytes_max)) {
        return mr_rows_put_large(cursor, column, cell.length, to, err);
    }
    if (MR_UNLIKELY(!column->put_binlog(column, cell, to, err))) {
        return mr_rows_fail_value(cursor, column, err);
    }
    return true;
}

#endif
