// SPDX-License-Identifier: MIT
/*
 * rows_event.h - WRITE, UPDATE and DELETE_ROWS, versions 1 and 2, straight into column chunks.
 *
 *   body := u48 table_id, u16 flags, [v2: u16 n, extra[n - 2]], lenenc columns, present[...],
 *           [update: present of the after image], row*      (MariaDB, compressed: the rows packed)
 *   row  := [after image of PARTIAL_UPDATE_ROWS: lenenc options, with option 1 a bit a JSON column
 *           of the table], null_bits over the present columns, the cells that are not null
 *
 * Images without some columns (binlog_row_image=MINIMAL, NOBLOB) give whole rows where the event
 * says enough, and cells that are ABSENT where the target's own value stays: see rows_partial.c.
 * An update is compared by the bytes of its key columns: within one table map, equal bytes are
 * equal values.
 *
 * Source: MySQL, libs/mysql/binlog/event/rows_event.h, class Rows_event; sql/rpl_record.cc.
 */
#ifndef MR_SOURCE_MYSQL_ROWS_EVENT_H
#define MR_SOURCE_MYSQL_ROWS_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "nulled.h"
#include "slice.h"
#include "table_layout.h"

#define MR_ROWS_KEY_COLUMNS_MAX    64 /* the servers allow 16 and 32 */
#define MR_ROWS_FLAG_STATEMENT_END 0x0001
#define MR_ROWS_DUMMY_TABLE        UINT64_C(0xffffff) /* no rows: ends a statement */

struct mr_rows_event {
    uint64_t table_id;
    uint16_t flags;
    uint8_t kind;         /* enum mr_event_kind: INSERT, UPDATE or DELETE */
    bool is_compressed;   /* MariaDB's log_bin_compress */
    bool is_partial;      /* after images may hold JSON diffs */
    struct mr_slice rest; /* behind the extra bytes: column count, bitmaps, rows */
};

/** True for every type that mr_rows_event_open() reads. */
bool mr_rows_is_rows_event(uint8_t type);

/** Reads what tells the table. */
bool mr_rows_event_open(uint8_t type, struct mr_slice body, struct mr_rows_event *rows,
                        struct mr_error *err) MR_MUST_CHECK;

/** Where the key's cells of an image lie, in key order; bytes NULL for SQL's NULL. */
struct mr_rows_key {
    struct mr_slice cells[MR_ROWS_KEY_COLUMNS_MAX];
};

/** A cell of an image that may lack columns. */
struct mr_rows_cell {
    struct mr_slice bytes;
    uint8_t state; /* enum mr_cell_state: VALUE, NULL or ABSENT */
    bool is_diff;  /* bytes are JSON diffs against the before image */
};

struct mr_rows_image {
    struct mr_rows_cell *cells; /* MR_COLUMN_COUNT_MAX; NULL until an event needs them */
    const uint8_t *present;     /* a bit a column of the table; borrowed from the event */
    uint16_t count;             /* of bits set */
};

/** Row by row through an event; `at` goes on where a full batch ended. Zeroed: owns nothing. */
struct mr_rows_cursor {
    const struct mr_mysql_layout *layout;
    struct mr_writer *scratch; /* its limit bounds JSON as text */
    struct mr_slice rows;
    size_t at; /* offset of the next row in rows */
    uint64_t value_bytes_max;
    struct mr_nulled *nulled; /* counts what became NULL; NULL: nobody does */
    bool nulls_large_values;
    uint8_t kind;
    bool is_maria;
    bool is_partial; /* an image lacks columns, or may hold diffs */
    bool has_diffs;
    struct mr_rows_image before;
    struct mr_rows_image after;
    struct mr_writer unpacked; /* of MariaDB's compressed events; its limit bounds one */
    struct mr_rows_key
        before_key; /* of the current row: here, so that they are not cleared a row */
    struct mr_rows_key after_key;
};

void mr_rows_cursor_done(struct mr_rows_cursor *cursor);

/**
 * Checks the bitmaps and makes ready for the row at `at`; layout, scratch, unpacked, the bounds and
 * `at` (0 for an event's first row) are set by the caller before.
 */
bool mr_rows_cursor_start(struct mr_rows_cursor *cursor, const struct mr_rows_event *rows,
                          struct mr_error *err) MR_MUST_CHECK;

static inline bool mr_rows_cursor_is_at_end(const struct mr_rows_cursor *cursor)
{
    return cursor->at >= cursor->rows.length;
}

/**
 * Decodes the next row into the batch's open transaction and adds its event. On failure the cursor
 * stays and no event has been added. MR_E_LIMIT may mean that the batch is full, or that a value is
 * too large: with an empty batch it is the latter.
 */
bool mr_rows_cursor_next(struct mr_rows_cursor *cursor, struct mr_batch *batch,
                         struct mr_error *err) MR_MUST_CHECK;

#endif
