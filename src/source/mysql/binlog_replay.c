// SPDX-License-Identifier: MIT
/*
 * binlog_replay.c - XA transactions: kept when they are prepared, delivered when they commit.
 *
 * The rows of an XA transaction are decoded as they come, since it may yet commit in one phase; at
 * a real prepare they are dropped again, and the transaction joins the list (binlog_xa.h). At XA
 * COMMIT its events run through the decoder a second time, from memory or from the binlog.
 */
#include <stdio.h>
#include <string.h>

#include "binlog_internal.h"
#include "reader.h"

#define EVENT_SIZE_OFFSET 9

void mr_binlog_gather(struct mr_binlog_stream *stream, const struct mr_binlog_event *event)
{
    if (!stream->group.is_xa || stream->is_pending || stream->replay.is_active) {
        return;
    }
    /* The body follows its header in one piece; its checksum is left behind. */
    mr_xa_gather(&stream->xa, (struct mr_slice){event->body.bytes - MR_BINLOG_HEADER_SIZE,
                                                event->body.length + MR_BINLOG_HEADER_SIZE});
}

/** body := u8 one_phase, u32 format, u32 n, u32 m, gtrid[n], bqual[m] */
static bool read_prepare(const struct mr_binlog_event *event, bool *is_one_phase,
                         struct mr_xa_name *name, struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(event->body.bytes, event->body.length);
    *is_one_phase = mr_read_u8(&in) != 0;
    const uint32_t format = mr_read_u32_le(&in);
    const uint32_t gtrid_size = mr_read_u32_le(&in);
    const uint32_t bqual_size = mr_read_u32_le(&in);
    const struct mr_slice gtrid = mr_read_slice(&in, gtrid_size);
    const struct mr_slice bqual = mr_read_slice(&in, bqual_size);
    return mr_reader_check(&in, mr_binlog_event_name(event->header.type), err) &&
           (mr_xa_make_name(gtrid, bqual, format, name) ||
            mr_fail(err, MR_E_PROTOCOL, MR_STOP, "an XA transaction has a name that is too long"));
}

bool mr_binlog_xa_prepare(struct mr_binlog_stream *stream, const struct mr_binlog_event *event,
                          struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(event->header.type == MR_BINLOG_XA_PREPARE && !stream->is_pending);
    struct mr_xa_name name = {{0}};
    bool is_one_phase = false;
    if (!read_prepare(event, &is_one_phase, &name, err)) {
        return false;
    }
    if (is_one_phase) {
        return mr_binlog_end_group(stream, event->header.time_s, batch, err);
    }
    const char *file = stream->group.has_rows ? stream->file : NULL;
    return mr_xa_prepare(&stream->xa, &name, file, stream->group.start, err) &&
           mr_binlog_roll_back(stream, event->header.time_s, batch, err);
}

static bool fail_unknown(const struct mr_xa_name *name, struct mr_error *err)
{
    return mr_fail(err, MR_E_SOURCE, MR_STOP,
                   "XA transaction \"%s\" commits, but was prepared before the capture began: its "
                   "changes are not known; copy the tables anew, while XA RECOVER lists nothing",
                   name->text);
}

bool mr_binlog_xa_rollback(struct mr_binlog_stream *stream, const struct mr_xa_name *name,
                           uint32_t time_s, struct mr_batch *batch, struct mr_error *err)
{
    struct mr_xa_prepared *prepared = mr_xa_find(&stream->xa, name);
    if (prepared != NULL) {
        mr_xa_forget(&stream->xa, prepared);
    }
    return mr_binlog_roll_back(stream, time_s, batch, err);
}

/** Runs the events kept through the decoder. */
static enum mr_binlog_fed replay_kept(struct mr_binlog_stream *stream,
                                      const struct mr_xa_prepared *prepared, struct mr_batch *batch,
                                      struct mr_error *err)
{
    struct mr_binlog_replay *replay = &stream->replay;
    while (replay->at < prepared->event_bytes) {
        struct mr_binlog_event event = {0};
        uint32_t size = 0;
        MR_ASSERT(prepared->event_bytes - replay->at >= MR_BINLOG_HEADER_SIZE);
        memcpy(&size, prepared->events + replay->at + EVENT_SIZE_OFFSET, sizeof(size));
        MR_ASSERT(size <= prepared->event_bytes - replay->at);
        const struct mr_slice bytes = {prepared->events + replay->at, size};
        if (!mr_binlog_event_split(bytes, &mr_binlog_format_plain, &event, err)) {
            return MR_BINLOG_ERROR;
        }
        const enum mr_binlog_fed fed = mr_binlog_take_event(stream, &event, batch, err);
        if (fed != MR_BINLOG_DONE) {
            return fed;
        }
        replay->at += size;
    }
    return MR_BINLOG_DONE;
}

enum mr_binlog_fed mr_binlog_xa_commit(struct mr_binlog_stream *stream,
                                       const struct mr_xa_name *name, uint32_t time_s,
                                       struct mr_batch *batch, struct mr_error *err)
{
    struct mr_binlog_replay *replay = &stream->replay;
    struct mr_xa_prepared *prepared = mr_xa_find(&stream->xa, name);
    if (prepared == NULL) {
        (void)fail_unknown(name, err);
        return MR_BINLOG_ERROR;
    }
    if (!replay->is_active) {
        *replay = (struct mr_binlog_replay){.is_active = true, .name = *name};
        stream->group.state = MR_GROUP_OPEN;
    }
    if (prepared->file != NULL && prepared->events == NULL && !replay->is_delivered) {
        return MR_BINLOG_AGAIN;
    }
    if (prepared->events != NULL) {
        const enum mr_binlog_fed fed = replay_kept(stream, prepared, batch, err);
        if (fed != MR_BINLOG_DONE) {
            return fed;
        }
    }
    mr_xa_forget(&stream->xa, prepared);
    *replay = (struct mr_binlog_replay){0};
    return mr_binlog_end_group(stream, time_s, batch, err) ? MR_BINLOG_DONE : MR_BINLOG_ERROR;
}

/* ---- A second reading. ---- */

struct mr_binlog_wanted mr_binlog_wanted(const struct mr_binlog_stream *stream)
{
    MR_ASSERT(stream->replay.is_active && !stream->replay.is_delivered);
    for (uint32_t i = 0; i < stream->xa.count; i++) {
        const struct mr_xa_prepared *prepared = &stream->xa.prepared[i];
        if (strcmp(prepared->name.text, stream->replay.name.text) == 0) {
            return (struct mr_binlog_wanted){prepared->file, prepared->offset};
        }
    }
    mr_assert_failed("what is being replayed is prepared", __FILE__, __LINE__);
}

/** Is this the prepare that was looked for? Nothing else may come first. */
static enum mr_binlog_fed end_again(struct mr_binlog_stream *stream,
                                    const struct mr_binlog_event *event, struct mr_error *err)
{
    struct mr_xa_name name = {{0}};
    bool is_one_phase = false;
    if (event->header.type == MR_BINLOG_XA_PREPARE &&
        !read_prepare(event, &is_one_phase, &name, err)) {
        return MR_BINLOG_ERROR;
    }
    if (is_one_phase || strcmp(name.text, stream->replay.name.text) != 0) {
        (void)mr_fail(
            err, MR_E_SOURCE, MR_STOP,
            "the binlog has another transaction where XA transaction \"%s\" was prepared; "
            "copy the tables anew",
            stream->replay.name.text);
        return MR_BINLOG_ERROR;
    }
    stream->replay.is_delivered = true;
    return MR_BINLOG_DONE;
}

enum mr_binlog_fed mr_binlog_take_again(struct mr_binlog_stream *stream,
                                        const struct mr_binlog_event *event, struct mr_batch *batch,
                                        struct mr_error *err)
{
    const uint8_t type = event->header.type;
    if (type == MR_BINLOG_FORMAT_DESCRIPTION) {
        return mr_binlog_format_read(event->body, &stream->replay.format, err) ? MR_BINLOG_AGAIN
                                                                               : MR_BINLOG_ERROR;
    }
    if (type == MR_BINLOG_XA_PREPARE || type == MR_BINLOG_XID) {
        return end_again(stream, event, err);
    }
    if (type == MR_BINLOG_TRANSACTION_PAYLOAD || type == MR_BINLOG_TABLE_MAP ||
        mr_rows_is_rows_event(type)) {
        const enum mr_binlog_fed fed = mr_binlog_take_event(stream, event, batch, err);
        const bool is_end = fed == MR_BINLOG_DONE && stream->replay.is_delivered;
        return fed == MR_BINLOG_DONE && !is_end ? MR_BINLOG_AGAIN : fed;
    }
    return MR_BINLOG_AGAIN; /* rotate, GTID, XA START and END, what comes beside rows */
}

enum mr_binlog_fed mr_binlog_feed_again(struct mr_binlog_stream *stream, struct mr_slice bytes,
                                        struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(stream->replay.is_active && !stream->replay.is_delivered && !stream->has_failed);
    struct mr_binlog_event event = {0};
    enum mr_binlog_fed fed = MR_BINLOG_ERROR;
    if (batch->aborts) {
        return MR_BINLOG_MORE;
    }
    if (mr_binlog_event_split(bytes, &stream->replay.format, &event, err)) {
        fed = mr_binlog_take_again(stream, &event, batch, err);
    }
    if (fed == MR_BINLOG_ERROR) {
        mr_error_context(err, "read again XA transaction \"%s\"", stream->replay.name.text);
        stream->has_failed = true;
        mr_group_undo(batch);
    }
    return fed;
}
