// SPDX-License-Identifier: MIT
/*
 * binlog_stream.c - the stream's life, its positions, and the hand-over of batches.
 *
 * INVARIANTS
 *   - resume is the end of the last whole transaction, of the last event between transactions, or
 *     where the stream was opened; the GTIDs kept belong to exactly that place;
 *   - offset never goes back within a file.
 */
#include "binlog_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binlog_internal.h"
#include "memory.h"

#define OFFSET_WRAP       (UINT64_C(1) << 32)
#define FILE_DIGITS_MAX   14 /* below 2^48, see MR_BINLOG_GENERATION_SHIFT */
#define SCRATCH_BYTES_MIN (UINT64_C(1) << 20)
/* Beside the largest value, before and after: what else an event that was compressed may hold. */
#define EVENT_BYTES_MORE  (UINT64_C(32) << 20)

/* ---- Names and places. ---- */

/** The number behind the last dot: "mysql-bin.000002" is 2. */
static bool parse_file_number(struct mr_slice name, uint64_t *number)
{
    size_t at = name.length;
    uint64_t value = 0;
    uint64_t unit = 1;
    while (at > 0 && name.bytes[at - 1] >= '0' && name.bytes[at - 1] <= '9') {
        if (name.length - at >= FILE_DIGITS_MAX) {
            return false;
        }
        value += unit * (uint64_t)(name.bytes[at - 1] - '0');
        unit *= 10;
        at--;
    }
    if (at == 0 || at == name.length || name.bytes[at - 1] != '.') {
        return false;
    }
    *number = value;
    return true;
}

static bool parse_offset(struct mr_slice text, uint64_t *offset)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.length; i++) {
        const uint8_t c = text.bytes[i];
        if (c < '0' || c > '9' || value > (INT64_MAX - 9) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(c - '0');
    }
    *offset = value;
    return text.length > 0;
}

bool mr_binlog_place_parse(struct mr_slice text, struct mr_binlog_place *place,
                           struct mr_error *err)
{
    MR_ASSERT(text.bytes != NULL || text.length == 0);
    struct mr_binlog_place parsed = {0};
    const struct mr_slice whole = text;
    const uint8_t *first_colon = text.length == 0 ? NULL : memchr(text.bytes, ':', text.length);
    const uint8_t *hash =
        first_colon == NULL
            ? NULL
            : memchr(first_colon, '#', text.length - (size_t)(first_colon - text.bytes));
    if (hash != NULL) {
        text.length = (size_t)(hash - text.bytes);
        parsed.prepared = (struct mr_slice){hash, whole.length - text.length};
    }
    const uint8_t *semicolon = text.length == 0 ? NULL : memchr(text.bytes, ';', text.length);
    struct mr_slice head = text;
    if (semicolon != NULL) {
        head.length = (size_t)(semicolon - text.bytes);
        parsed.gtids = (struct mr_slice){semicolon + 1, text.length - head.length - 1};
    }
    const uint8_t *colon = head.length == 0 ? NULL : memrchr(head.bytes, ':', head.length);
    const size_t name_length = colon == NULL ? 0 : (size_t)(colon - head.bytes);
    parsed.file = (struct mr_slice){head.bytes, name_length};
    if (colon == NULL || name_length > MR_BINLOG_FILE_BYTES_MAX ||
        !parse_offset((struct mr_slice){colon + 1, head.length - name_length - 1},
                      &parsed.offset) ||
        !parse_file_number(parsed.file, &parsed.native.major)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "\"%.*s\" is no binlog position; it reads \"file.number:offset\"",
                       text.length > 100 ? 100 : (int)text.length,
                       text.length == 0 ? "" : (const char *)text.bytes);
    }
    parsed.native.minor = parsed.offset;
    *place = parsed;
    return true;
}

bool mr_binlog_set_file(struct mr_binlog_stream *stream, struct mr_slice name, struct mr_error *err)
{
    MR_ASSERT(name.bytes != NULL || name.length == 0);
    uint64_t number = 0;
    if (name.length == 0 || name.length > MR_BINLOG_FILE_BYTES_MAX ||
        memchr(name.bytes, 0, name.length) != NULL || !parse_file_number(name, &number)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "\"%.*s\" is no binlog file's name",
                       name.length > 100 ? 100 : (int)name.length,
                       name.length == 0 ? "" : (const char *)name.bytes);
    }
    memcpy(stream->file, name.bytes, name.length);
    stream->file[name.length] = '\0';
    stream->file_number = stream->options.generation << MR_BINLOG_GENERATION_SHIFT | number;
    return true;
}

/* ---- Life. ---- */

static bool take_start(struct mr_binlog_stream *stream, const struct mr_binlog_options *options,
                       struct mr_error *err)
{
    MR_ASSERT(stream->group.state == MR_GROUP_NONE && !stream->has_moved);
    if (options->file[0] != '\0' && !mr_binlog_set_file(stream, mr_slice_of(options->file), err)) {
        return false;
    }
    stream->offset = options->offset;
    memcpy(stream->resume_file, stream->file, sizeof(stream->file));
    stream->resume = (struct mr_native_position){stream->file_number, stream->offset};
    stream->is_placed = options->file[0] != '\0';
    if (options->prepared != NULL &&
        !mr_xa_parse(&stream->xa, mr_slice_of(options->prepared), err)) {
        return false;
    }
    stream->has_gtids = options->gtids != NULL;
    if (!stream->has_gtids) {
        return true;
    }
    const struct mr_slice text = mr_slice_of(options->gtids);
    return options->is_maria ? mr_maria_position_parse(&stream->maria_position, text, err)
                             : mr_gtid_set_parse(&stream->gtid_set, text, err);
}

struct mr_binlog_stream *mr_binlog_stream_open(const struct mr_binlog_options *options,
                                               struct mr_error *err)
{
    MR_ASSERT(options->terms.catalog != NULL && options->value_bytes_max > 0);
    struct mr_binlog_stream *stream = mr_memory_new(1, sizeof(*stream));
    stream->options = *options;
    stream->epoch = mr_memory_copy_text(options->epoch, strlen(options->epoch));
    stream->options.epoch = stream->epoch;
    stream->options.file = NULL;
    stream->options.gtids = NULL;
    stream->options.prepared = NULL;
    mr_binlog_tables_init(&stream->tables, &options->callbacks, &options->terms, options->is_maria);
    mr_writer_init(&stream->scratch, options->value_bytes_max > SCRATCH_BYTES_MIN
                                         ? options->value_bytes_max
                                         : SCRATCH_BYTES_MIN);
    const size_t event_bytes_max = (size_t)(2 * options->value_bytes_max + EVENT_BYTES_MORE);
    stream->cursor.scratch = &stream->scratch;
    stream->cursor.value_bytes_max = options->value_bytes_max;
    stream->cursor.nulls_large_values = options->nulls_large_values;
    stream->cursor.nulled = options->nulled;
    stream->cursor.is_maria = options->is_maria;
    mr_writer_init(&stream->cursor.unpacked, event_bytes_max);
    mr_binlog_payload_init(&stream->payload, event_bytes_max);
    if (!take_start(stream, options, err)) {
        mr_binlog_stream_close(stream);
        return NULL;
    }
    return stream;
}

void mr_binlog_stream_close(struct mr_binlog_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    mr_binlog_tables_done(&stream->tables);
    mr_gtid_set_done(&stream->gtid_set);
    mr_maria_position_done(&stream->maria_position);
    mr_rows_cursor_done(&stream->cursor);
    mr_binlog_payload_done(&stream->payload);
    mr_xa_done(&stream->xa);
    mr_writer_done(&stream->scratch);
    free(stream->epoch);
    free(stream);
}

/* ---- Feeding. ---- */

/**
 * The event's end in its file. The header has 32 bits of it; files may be longer, so an end that
 * seems to go far back has wrapped. Events made up for us have no place in the file.
 */
static void follow_offset(struct mr_binlog_stream *stream, const struct mr_binlog_header *header)
{
    stream->event_offset = stream->offset;
    if (header->log_pos == 0 || (header->flags & MR_BINLOG_FLAG_ARTIFICIAL) != 0 ||
        header->type == MR_BINLOG_FORMAT_DESCRIPTION || header->type == MR_BINLOG_HEARTBEAT ||
        header->type == MR_BINLOG_HEARTBEAT_V2) {
        return;
    }
    uint64_t end = (stream->offset & ~(OFFSET_WRAP - 1)) | header->log_pos;
    if (end < stream->offset && stream->offset - end > OFFSET_WRAP / 2) {
        end += OFFSET_WRAP;
    }
    if (end > stream->offset) {
        stream->offset = end;
        stream->event_offset = end > header->size ? end - header->size : 0;
    }
}

enum mr_binlog_fed mr_binlog_feed(struct mr_binlog_stream *stream, struct mr_slice bytes,
                                  struct mr_batch *batch, struct mr_error *err)
{
    struct mr_binlog_event event = {0};
    enum mr_binlog_fed fed = MR_BINLOG_ERROR;
    MR_ASSERT(!stream->has_failed);
    MR_ASSERT(!batch->continued);
    if (batch->aborts) {
        return MR_BINLOG_MORE;
    }
    if (mr_binlog_event_split(bytes, &stream->format, &event, err)) {
        if (!stream->is_pending && !stream->payload.is_open && !stream->replay.is_active) {
            follow_offset(stream, &event.header);
            stream->progress.received_bytes += bytes.length;
            stream->progress.event_count++;
        }
        fed = mr_binlog_take_event(stream, &event, batch, err);
    }
    if (fed == MR_BINLOG_ERROR) {
        mr_error_context(err, "binlog %s:%llu", stream->file,
                         (unsigned long long)stream->event_offset);
        stream->has_failed = true;
        mr_group_undo(batch);
        return fed;
    }
    stream->progress.last_event_s = event.header.time_s;
    stream->progress.received = (struct mr_native_position){stream->file_number, stream->offset};
    return fed;
}

/* ---- The ends of transactions, and of batches. ---- */

void mr_binlog_move(struct mr_binlog_stream *stream)
{
    MR_ASSERT(stream->group.state == MR_GROUP_NONE);
    if (!stream->is_placed) {
        return;
    }
    if (stream->resume.major == stream->file_number && stream->resume.minor == stream->offset &&
        strcmp(stream->resume_file, stream->file) == 0) {
        return;
    }
    memcpy(stream->resume_file, stream->file, sizeof(stream->file));
    stream->resume = (struct mr_native_position){stream->file_number, stream->offset};
    stream->has_moved = true;
}

static bool add_gtid(struct mr_binlog_stream *stream, struct mr_error *err)
{
    const struct mr_binlog_group *group = &stream->group;
    if (!stream->has_gtids) {
        return true;
    }
    switch (group->gtid_kind) {
    case MR_GTID_NONE:
        return true;
    case MR_GTID_MYSQL:
        return mr_gtid_set_add(&stream->gtid_set, &group->origin,
                               (struct mr_gtid_interval){group->number, group->number}, err);
    case MR_GTID_MARIA:
        return mr_maria_position_advance(&stream->maria_position, group->maria, err);
    }
    return false;
}

bool mr_binlog_end_group(struct mr_binlog_stream *stream, uint32_t time_s, struct mr_batch *batch,
                         struct mr_error *err)
{
    MR_ASSERT(!stream->is_pending);
    const struct mr_native_position end = {stream->file_number, stream->offset};
    if (stream->file[0] == '\0') {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "a transaction ended before the server named its binlog file");
    }
    if (!add_gtid(stream, err) ||
        !mr_group_commit(&stream->group, batch, end, (int64_t)time_s * 1000000, err)) {
        return false;
    }
    mr_binlog_tables_end_statement(&stream->tables);
    stream->is_placed = true;
    MR_ASSERT(stream->group.state == MR_GROUP_NONE && !batch->transaction_open);
    mr_binlog_move(stream);
    return true;
}

bool mr_binlog_may_hand_on(const struct mr_binlog_stream *stream, const struct mr_batch *batch)
{
    return mr_batch_is_filled(batch, stream->options.target_bytes) || batch->aborts ||
           batch->event_count >= MR_BATCH_EVENTS_MAX / 2 ||
           batch->transaction_count >= MR_BATCH_TRANSACTIONS_MAX / 2 ||
           batch->chunk_count >= MR_BATCH_CHUNKS_MAX / 2;
}

bool mr_binlog_has_news(const struct mr_binlog_stream *stream, const struct mr_batch *batch)
{
    return batch->event_count > 0 || batch->transaction_count > 0 || batch->aborts ||
           stream->has_moved;
}

bool mr_binlog_in_transaction(const struct mr_binlog_stream *stream)
{
    return stream->group.state != MR_GROUP_NONE;
}

/** Writes "file:offset[;gtids][#prepared...]" into the scratch. */
static bool print_position(struct mr_binlog_stream *stream, struct mr_error *err)
{
    MR_ASSERT(stream->resume_file[0] != '\0');
    char offset[24];
    struct mr_writer *to = &stream->scratch;
    mr_writer_reset(to);
    const int length =
        snprintf(offset, sizeof(offset), ":%llu", (unsigned long long)stream->resume.minor);
    mr_write_bytes(to, stream->resume_file, strlen(stream->resume_file));
    mr_write_bytes(to, offset, (size_t)length);
    if (stream->has_gtids) {
        mr_write_u8(to, ';');
        if (stream->options.is_maria) {
            mr_maria_position_print(&stream->maria_position, to);
        } else {
            mr_gtid_set_print(&stream->gtid_set, to);
        }
    }
    mr_xa_print(&stream->xa, to);
    return !to->failed ||
           mr_fail(err, MR_E_LIMIT, MR_STOP, "the GTID set is longer than %zu bytes", to->limit);
}

bool mr_binlog_finish_batch(struct mr_binlog_stream *stream, struct mr_batch *batch,
                            struct mr_error *err)
{
    mr_group_suspend(&stream->group, batch);
    mr_binlog_tables_publish(&stream->tables);
    if (!stream->has_moved) {
        return true;
    }
    const struct mr_slice epoch = mr_slice_of(stream->epoch);
    if (!print_position(stream, err) ||
        !mr_batch_set_position(batch, epoch,
                               (struct mr_slice){stream->scratch.bytes, stream->scratch.length},
                               stream->resume, err)) {
        return false;
    }
    stream->has_moved = false;
    MR_ASSERT(!batch->transaction_open && batch->position.length > 0);
    return true;
}

struct mr_binlog_progress mr_binlog_progress(const struct mr_binlog_stream *stream)
{
    return stream->progress;
}
