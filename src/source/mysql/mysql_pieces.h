// SPDX-License-Identifier: MIT
/*
 * mysql_pieces.h - a keyed table cut into ranges of its leading key column, and the SELECT of each.
 *
 * Only an integer leading key is cut: its range between the least and the greatest value is divided
 * evenly, into about piece_rows rows each where keys are dense. The first piece is open below and
 * the last above, so no row is missed whatever comes after the bounds were read. Other tables are
 * one piece: boundaries of other keys would cost the scan of the table that pieces are to save.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_PIECES_H
#define MR_SOURCE_MYSQL_MYSQL_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "chunk.h"
#include "compiler.h"
#include "error.h"
#include "mysql_connection.h"
#include "table_layout.h"
#include "writer.h"

#define MR_MYSQL_PIECES_MAX     4096
#define MR_MYSQL_PLAN_BYTES_MAX 160

struct mr_mysql_pieces {
    mr_i128 low;    /* least key */
    mr_i128 high;   /* greatest key */
    uint32_t count; /* at least 1 */
};

/** Reads the bounds and decides on the number. */
bool mr_mysql_pieces_plan(struct mr_mysql_connection *connection,
                          const struct mr_mysql_layout *layout, uint64_t rows_estimate,
                          uint64_t piece_rows, struct mr_mysql_pieces *pieces,
                          struct mr_error *err) MR_MUST_CHECK;

/** Divides low..high; pure. */
struct mr_mysql_pieces mr_mysql_pieces_divide(mr_i128 low, mr_i128 high, uint64_t rows_estimate,
                                              uint64_t piece_rows);

/** First key of piece i (0 < i < count). */
mr_i128 mr_mysql_pieces_bound(const struct mr_mysql_pieces *pieces, uint32_t i);

/** The pieces as a text, and back from it; false for a text that is none, or not of such a key. */
void mr_mysql_pieces_print(const struct mr_mysql_pieces *pieces,
                           char text[MR_MYSQL_PLAN_BYTES_MAX]);
bool mr_mysql_pieces_parse(const char *text, const struct mr_mysql_layout *layout,
                           struct mr_mysql_pieces *pieces);

/** Appends the SELECT of a piece, NUL-terminated. `where` is a condition more; NULL: none. */
void mr_mysql_pieces_select(const struct mr_mysql_pieces *pieces,
                            const struct mr_mysql_layout *layout, uint32_t piece, const char *where,
                            struct mr_writer *sql);

#endif
