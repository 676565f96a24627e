// SPDX-License-Identifier: MIT
/*
 * binlog_internal.h - the stream's state, shared by binlog_stream.c (life, positions, hand-over),
 * binlog_events.c (one function an event type) and binlog_replay.c (XA).
 */
#ifndef MR_SOURCE_MYSQL_BINLOG_INTERNAL_H
#define MR_SOURCE_MYSQL_BINLOG_INTERNAL_H

#include "binlog_group.h"
#include "binlog_payload.h"
#include "binlog_stream.h"
#include "binlog_tables.h"
#include "binlog_xa.h"
#include "event_header.h"
#include "gtid.h"
#include "rows_event.h"
#include "writer.h"

/** A prepared XA transaction whose rows are being delivered, at its commit. */
struct mr_binlog_replay {
    bool is_active;
    bool is_delivered; /* by a second reading */
    struct mr_xa_name name;
    size_t at;                      /* in the events kept */
    struct mr_binlog_format format; /* of the file that is read again */
};

struct mr_binlog_stream {
    struct mr_binlog_options options; /* its texts are not kept, but for epoch */
    char *epoch;
    char file[MR_BINLOG_FILE_BYTES_MAX + 1];
    uint64_t file_number;
    uint64_t offset;       /* end of the event being taken in, or taken in last */
    uint64_t event_offset; /* where that event started, for messages */

    /* After the last whole transaction: what the next finished batch reports. */
    char resume_file[MR_BINLOG_FILE_BYTES_MAX + 1];
    struct mr_native_position resume;
    bool has_moved; /* since the last finished batch */
    bool is_placed; /* started by file, or a transaction has ended since: before that, a dump by
                       GTID runs over what we have, and its places lie behind ours */

    bool has_gtids;
    struct mr_gtid_set gtid_set;
    struct mr_maria_position maria_position;

    struct mr_binlog_format format;
    struct mr_binlog_tables tables;
    struct mr_binlog_group group;
    struct mr_writer scratch; /* JSON as text; position text */

    struct mr_rows_cursor cursor;     /* of a rows event that did not fit the batch */
    bool is_pending;                  /* cursor.at is where it goes on */
    struct mr_binlog_payload payload; /* of a compressed transaction that is being taken in */
    bool has_failed;

    struct mr_xa xa;
    struct mr_binlog_replay replay;

    struct mr_binlog_progress progress;
};

/** Takes in one event that has been split. */
enum mr_binlog_fed mr_binlog_take_event(struct mr_binlog_stream *stream,
                                        const struct mr_binlog_event *event, struct mr_batch *batch,
                                        struct mr_error *err);

/** What the inner events of a compressed transaction, and events kept, are: without checksums. */
extern const struct mr_binlog_format mr_binlog_format_plain;

/** The group ends without its rows; its GTID counts as taken all the same. */
bool mr_binlog_roll_back(struct mr_binlog_stream *stream, uint32_t time_s, struct mr_batch *batch,
                         struct mr_error *err) MR_MUST_CHECK;

/* binlog_replay.c. */

/** Keeps an event of an XA transaction. */
void mr_binlog_gather(struct mr_binlog_stream *stream, const struct mr_binlog_event *event);

bool mr_binlog_xa_prepare(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                          struct mr_batch *batch, struct mr_error *err) MR_MUST_CHECK;

/** XA COMMIT: delivers what was prepared, and ends the group. Begins, or goes on with it. */
enum mr_binlog_fed mr_binlog_xa_commit(struct mr_binlog_stream *stream,
                                       const struct mr_xa_name *name, uint32_t time_s,
                                       struct mr_batch *batch, struct mr_error *err);

/** Takes in an event, or an inner one, of a second reading. AGAIN: the next one. */
enum mr_binlog_fed mr_binlog_take_again(struct mr_binlog_stream *stream,
                                        const struct mr_binlog_event *event, struct mr_batch *batch,
                                        struct mr_error *err);

bool mr_binlog_xa_rollback(struct mr_binlog_stream *stream, const struct mr_xa_name *name,
                           uint32_t time_s, struct mr_batch *batch,
                           struct mr_error *err) MR_MUST_CHECK;

/** The group has ended at stream->offset: commits it, adds its GTID, moves the position. */
bool mr_binlog_end_group(struct mr_binlog_stream *stream, uint32_t time_s, struct mr_batch *batch,
                         struct mr_error *err) MR_MUST_CHECK;

/** The position moves to stream->offset, between transactions. */
void mr_binlog_move(struct mr_binlog_stream *stream);

/** Sets the file's name and number; MR_E_PROTOCOL when it is no binlog's name. */
bool mr_binlog_set_file(struct mr_binlog_stream *stream, struct mr_slice name,
                        struct mr_error *err) MR_MUST_CHECK;

#endif
