// SPDX-License-Identifier: MIT
/*
 * stream_walk.h - the rows of a stream, one by one, from a place on: what the stream browser and
 * `millrace tail` show.
 *
 * A place is the transaction's sequence and the row's number in it, counted over all tables, so
 * that it names the same row whichever topic is looked at.
 */
#ifndef MR_CLI_STREAM_WALK_H
#define MR_CLI_STREAM_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "stream.h"

struct mr_stream_place {
    uint64_t sequence;
    uint32_t index;
};

/** A zeroed walk is closed. Belongs to one thread at a time. */
struct mr_stream_walk {
    const struct mr_stream_ops *ops;
    struct mr_stream_reader *reader;
    struct mr_stream_place from; /* rows before it are skipped */
    struct mr_batch *batch;      /* being walked; a reference is held */
    uint32_t transaction;        /* of the batch */
    uint32_t event;              /* of the transaction */
    uint32_t row;                /* of the event */
    uint32_t index;              /* of the next row in its transaction */
};

/** One row of one event, or a note; borrowed until the next call. */
struct mr_stream_row {
    struct mr_stream_place place;
    enum mr_event_kind kind;
    const struct mr_schema *schema; /* NULL: a note that is of no table */
    const struct mr_note *note;     /* NULL: not a note */
    int64_t commit_us;
    const struct mr_chunk *after; /* NULL: the event has none */
    uint32_t after_row;
    const struct mr_chunk *before;
    uint32_t before_row;
};

enum mr_walk { MR_WALK_ROW, MR_WALK_IDLE, MR_WALK_ERROR };

/** Errors: those of reader_open(); MR_E_LIMIT: the place was deleted by retention. */
bool mr_stream_walk_open(struct mr_stream_walk *walk, const struct mr_stream_ops *ops,
                         struct mr_stream *stream, struct mr_stream_place from,
                         struct mr_error *err) MR_MUST_CHECK;
void mr_stream_walk_close(struct mr_stream_walk *walk);

/** Steps to the next row; waits up to wait_ms when there is none yet. */
enum mr_walk mr_stream_walk_next(struct mr_stream_walk *walk, uint32_t wait_ms,
                                 struct mr_stream_row *row, struct mr_error *err);

#endif
