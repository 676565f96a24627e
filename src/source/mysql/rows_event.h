// SPDX-License-Identifier: MIT
/*
 * rows_event.h - WRITE, UPDATE and DELETE_ROWS, versions 1 and 2, straight into column chunks.
 *
 *   body := u48 table_id, u16 flags, [v2: u16 n, extra[n - 2]], lenenc columns, present[...],
 *           [update: present of the after image], row*
 *   row  := null_bits over the present columns, the cells that are not null
 *
 * Every column must be present (binlog_row_image=FULL). An update is compared by the bytes of its
 * key columns: within one table map, equal bytes are equal values.
 *
 * Source: MySQL, libs/mysql/binlog/event/rows_event.h, class Rows_event.
 */
#ifndef MR_SOURCE_MYSQL_ROWS_EVENT_H
#define MR_SOURCE_MYSQL_ROWS_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "slice.h"
#include "table_layout.h"

#define MR_ROWS_KEY_COLUMNS_MAX    64 /* the servers allow 16 and 32 */
#define MR_ROWS_FLAG_STATEMENT_END 0x0001
#define MR_ROWS_DUMMY_TABLE        UINT64_C(0xffffff) /* no rows: ends a statement */

struct mr_rows_event {
    uint64_t table_id;
    uint16_t flags;
    uint8_t kind;         /* enum mr_event_kind: INSERT, UPDATE or DELETE */
    struct mr_slice rest; /* behind the extra bytes: column count, bitmaps, rows */
};

/** Reads what tells the table. `type` must be one of the six rows events. */
bool mr_rows_event_open(uint8_t type, struct mr_slice body, struct mr_rows_event *rows,
                        struct mr_error *err) MR_MUST_CHECK;

/** Where the key's cells of an image lie, in key order; bytes NULL for SQL's NULL. */
struct mr_rows_key {
    struct mr_slice cells[MR_ROWS_KEY_COLUMNS_MAX];
};

/** Row by row through an event; `at` goes on where a full batch ended. */
struct mr_rows_cursor {
    const struct mr_mysql_layout *layout;
    struct mr_writer *scratch; /* its limit bounds JSON as text */
    struct mr_slice rows;
    size_t at; /* offset of the next row in rows */
    uint64_t value_bytes_max;
    uint8_t kind;
    struct mr_rows_key
        before_key; /* of the current row: here, so that they are not cleared a row */
    struct mr_rows_key after_key;
};

/**
 * Checks the bitmaps and places the cursor on the first row; layout, scratch and value_bytes_max
 * are set by the caller before. Errors: MR_E_SOURCE when columns are missing from the images.
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
