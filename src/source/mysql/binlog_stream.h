// SPDX-License-Identifier: MIT
/*
 * binlog_stream.h - one binlog event after another in, batches of whole transactions out.
 *
 * Pure: no connection, no clock, no threads. The caller reads packets, takes off the leading OK
 * byte and feeds the events in the order they came:
 *
 *   fed = mr_binlog_feed(stream, event, batch, err);
 *   DONE    the event is taken in; if mr_binlog_may_hand_on(stream, batch), hand the batch on
 *   MORE    the batch is full: hand it on and feed the same bytes again with an empty batch
 *   AGAIN   an XA transaction commits whose rows must be read again: from the place that
 *           mr_binlog_wanted() tells, with a second dump, each event to mr_binlog_feed_again()
 *           until that says DONE; then feed the same bytes again
 *   ERROR   *err says why. The batch has been cut back to its whole transactions: hand it on if
 *           mr_binlog_has_news(), then report the error. Nothing may be fed any more.
 *
 *   hand on = mr_binlog_finish_batch(stream, batch, err), then return the batch.
 *
 * When no event is at hand, the caller hands on what it has if mr_binlog_has_news() and
 * !mr_binlog_in_transaction(): the server sends the rest of an open transaction at once.
 *
 * POSITIONS
 *   text "file:offset" or "file:offset;gtids", after the last whole transaction, and then the XA
 *   transactions that are prepared (binlog_xa.h); native {number of the file, end offset}; offsets
 *   count past 4 GiB although the events' own do not. Transactions without captured rows move the
 *   position too. gtids are kept when the caller gave some ("" is the empty set, NULL is none): a
 *   MySQL GTID set or a MariaDB GTID position.
 *
 * FAILURE
 *   Anything unknown, torn or inconsistent stops: MR_E_PROTOCOL. What the server is set up wrongly
 *   for (binlog_format, binlog_row_image, a schema that changed under us) is
 *   MR_E_SOURCE with the setting in the message; a value without a core form is MR_E_TYPE with
 *   table, column and place; a value past value_bytes_max is MR_E_LIMIT.
 *
 * Source: MySQL, libs/mysql/binlog/event; MariaDB, sql/log_event.h.
 */
#ifndef MR_SOURCE_MYSQL_BINLOG_STREAM_H
#define MR_SOURCE_MYSQL_BINLOG_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "mysql_types.h"
#include "nulled.h"
#include "schema.h"
#include "slice.h"
#include "table_layout.h"

#define MR_BINLOG_FILE_BYTES_MAX 511

struct mr_binlog_stream;

/** What the stream asks of its owner. */
struct mr_binlog_callbacks {
    void *context;
    /** Is this table captured? Asked once a table, again after DDL. */
    bool (*is_captured)(void *context, const char *space, const char *table);
    /**
     * The table's columns as the server has them now: ask information_schema each time, the stream
     * caches. The answer is borrowed until the next call. NULL with *err: MR_E_SOURCE when there
     * is no such table (any more). Called when the table map lacks names (binlog_row_metadata
     * MINIMAL, NO_LOG); with FULL too, for defaults only: a failure other than MR_E_NET is then
     * ignored.
     */
    const struct mr_mysql_table_info *(*table_info)(void *context, const char *space,
                                                    const char *table, struct mr_error *err);
};

struct mr_binlog_options {
    struct mr_binlog_callbacks callbacks;
    struct mr_mysql_layout_terms terms; /* the catalog must be there */
    uint64_t value_bytes_max;
    bool nulls_large_values;  /* larger ones become NULL and are counted */
    struct mr_nulled *nulled; /* by this; NULL: nobody does */
    uint64_t target_bytes;    /* of a batch */
    bool is_maria;
    bool warns_of_statements; /* one that changes a captured table is noted instead of stopping */
    bool names_lower_case; /* @@lower_case_table_names is not 0: statements may spell either way */
    const char *epoch;     /* server UUID, or MariaDB's server id as text; copied */
    const char *file;      /* where the dump was started; "" when by GTID: the first ROTATE tells */
    uint64_t offset;       /* in the file; 4 is its start */
    uint64_t generation;   /* how often the server has changed: orders places of two servers */
    const char *gtids;     /* already taken, kept up to date and printed; NULL: no GTIDs */
    const char *prepared;  /* as the position has it; NULL or "": nothing is prepared */
};

enum mr_binlog_fed { MR_BINLOG_DONE, MR_BINLOG_MORE, MR_BINLOG_AGAIN, MR_BINLOG_ERROR };

/** NULL and MR_E_PROTOCOL when file or gtids cannot be parsed. */
struct mr_binlog_stream *mr_binlog_stream_open(const struct mr_binlog_options *options,
                                               struct mr_error *err);
void mr_binlog_stream_close(struct mr_binlog_stream *stream); /* accepts NULL */

/** Takes in one event (header to checksum). */
enum mr_binlog_fed mr_binlog_feed(struct mr_binlog_stream *stream, struct mr_slice bytes,
                                  struct mr_batch *batch, struct mr_error *err) MR_MUST_CHECK;

/** After AGAIN: where the events to feed again start. The file is borrowed, until fed. */
struct mr_binlog_wanted {
    const char *file;
    uint64_t offset;
};
struct mr_binlog_wanted mr_binlog_wanted(const struct mr_binlog_stream *stream);

/** Takes in one event of the second dump; AGAIN: the next one, DONE: that was the last. */
enum mr_binlog_fed mr_binlog_feed_again(struct mr_binlog_stream *stream, struct mr_slice bytes,
                                        struct mr_batch *batch, struct mr_error *err) MR_MUST_CHECK;

/** The batch has reached its target, or a bound is near. */
bool mr_binlog_may_hand_on(const struct mr_binlog_stream *stream, const struct mr_batch *batch);

/** The batch has events, or the position has moved since the last finished batch. */
bool mr_binlog_has_news(const struct mr_binlog_stream *stream, const struct mr_batch *batch);

/** A transaction is open: its end has not come yet. */
bool mr_binlog_in_transaction(const struct mr_binlog_stream *stream);

/** Sets epoch, position and `continued`; the batch is then ready to be handed on. */
bool mr_binlog_finish_batch(struct mr_binlog_stream *stream, struct mr_batch *batch,
                            struct mr_error *err) MR_MUST_CHECK;

/** Counters for status: bytes fed, and the time stamp (header, seconds) of the last event. */
struct mr_binlog_progress {
    uint64_t received_bytes;
    uint64_t event_count;
    uint32_t last_event_s;              /* seconds since 1970, the server's clock; 0: none yet */
    struct mr_native_position received; /* end of the last event taken in */
};
struct mr_binlog_progress mr_binlog_progress(const struct mr_binlog_stream *stream);

/**
 * Splits a position text: "file:offset[;gtids][#prepared...]". The parts are slices of `text`;
 * gtids.bytes is NULL when there is no ';'. Errors: MR_E_PROTOCOL, MR_STOP.
 */
#define MR_BINLOG_GENERATION_SHIFT 48 /* native.major: generation, then the file's number */
struct mr_binlog_place {
    struct mr_slice file;
    struct mr_slice gtids;
    struct mr_slice prepared; /* from the first '#' on */
    uint64_t offset;
    struct mr_native_position native;
};
bool mr_binlog_place_parse(struct mr_slice text, struct mr_binlog_place *place,
                           struct mr_error *err) MR_MUST_CHECK;

#endif
