// SPDX-License-Identifier: MIT
/*
 * log_writer.c - appends batches as frames, group-commits them and begins new segments.
 *
 * Order of things in append(), so that a failure anywhere leaves the log as it was: the frame is
 * encoded in memory; room is looked for; a new segment is begun if this one is full; schemas that
 * the log does not hold yet are written; then the frame, with one call. Only after that does the
 * place of the next frame move.
 *
 * INVARIANTS
 *   - readers are told of a frame by settle() alone, and that comes after a successful fdatasync;
 *   - `place` describes exactly what lies before active.end;
 *   - before a segment is sealed, all of it is durable; before a frame is written to a new segment,
 *     that segment and its name are.
 *
 * FAILURE
 *   - No space, or retention_size is reached: MR_E_FULL, MR_RETRY; the same call may be repeated.
 *   - A failed sync poisons the stream: the kernel may have dropped the dirty pages, and would
 *     report success the next time.
 */
#include "log_writer.h"

#include <inttypes.h>
#include <string.h>

#include "body.h"
#include "retention.h"

#define START_FRACTION 4 /* a segment holds at least so many times the frames it begins with */

static bool check_usable(const struct mr_stream *stream, struct mr_error *err)
{
    if (!stream->is_poisoned) {
        return true;
    }
    return mr_fail(err, MR_E_IO, MR_STOP,
                   "an earlier sync of the stream failed, so nobody knows what is on the disk; "
                   "check the disk and start again: the log recovers what is there");
}

static uint64_t visible_frame(const struct mr_stream *stream)
{
    return stream->place.inside ? stream->chain_frame : stream->place.number;
}

void mr_log_writer_settle(struct mr_stream *stream)
{
    mr_log_state_lock(stream);
    MR_ASSERT(stream->durable_frame <= stream->place.number);
    MR_ASSERT(stream->visible_frame <= visible_frame(stream));
    stream->synced = stream->place.number;
    stream->durable_frame = stream->place.number;
    stream->durable_sequence = stream->place.sequence;
    stream->durable_end = stream->active.end;
    if (stream->visible_frame < visible_frame(stream)) {
        stream->visible_frame = visible_frame(stream);
        const int failed = pthread_cond_broadcast(&stream->moved);
        MR_ASSERT(failed == 0);
    }
    mr_log_state_unlock(stream);
}

/* Writes an encoded frame at *place of a segment and moves *place behind it. */
static bool write_frame(const struct mr_stream *stream, struct mr_segment *segment,
                        struct mr_place *place, struct mr_frame *frame, uint8_t *bytes,
                        struct mr_error *err)
{
    frame->number = place->number;
    frame->first_sequence = place->sequence;
    frame->synced = stream->synced;
    if (!mr_segment_append(segment, frame, bytes, err)) {
        return false;
    }
    const bool follows = mr_place_follow(place, frame);
    MR_ASSERT(follows);
    return true;
}

/* As write_frame(), in the active segment, which readers look up in the index. */
static bool append_frame(struct mr_stream *stream, struct mr_frame *frame, uint8_t *bytes,
                         struct mr_error *err)
{
    const int64_t offset = stream->active.end;
    if (!write_frame(stream, &stream->active, &stream->place, frame, bytes, err)) {
        return false;
    }
    stream->is_proven = frame->kind == MR_FRAME_STATE && frame->synced == frame->number;
    mr_log_state_lock(stream);
    mr_index_append(&stream->index, frame, offset);
    stream->written_bytes += mr_frame_size(frame);
    mr_log_state_unlock(stream);
    MR_ASSERT(stream->active.end == offset + (int64_t)mr_frame_size(frame));
    return true;
}

static bool encode_state(struct mr_stream *stream, struct mr_frame *frame, uint8_t **bytes,
                         struct mr_error *err)
{
    *frame = (struct mr_frame){
        .kind = MR_FRAME_STATE,
        .flags = mr_position_is_set(&stream->appended) ? MR_FRAME_POSITION : 0,
    };
    return mr_body_write_position(&stream->appended, mr_encoder_begin(&stream->side), err) &&
           mr_encoder_finish(&stream->side, frame, bytes, err);
}

/* What every segment begins with: all schemas, and the position. */
static bool write_start(struct mr_stream *stream, struct mr_segment *segment,
                        struct mr_place *place, struct mr_error *err)
{
    struct mr_frame frame = {.kind = MR_FRAME_SCHEMA};
    uint8_t *bytes = NULL;
    if (stream->schemas.used > 0 &&
        (!mr_schemas_write(&stream->schemas, NULL, 0, mr_encoder_begin(&stream->side), err) ||
         !mr_encoder_finish(&stream->side, &frame, &bytes, err) ||
         !write_frame(stream, segment, place, &frame, bytes, err))) {
        return false;
    }
    return encode_state(stream, &frame, &bytes, err) &&
           write_frame(stream, segment, place, &frame, bytes, err);
}

static struct mr_segment_header next_header(struct mr_stream *stream)
{
    struct mr_segment_header header = {
        .salt = stream->env->random(stream->env),
        .first_sequence = stream->place.sequence,
        .first_frame = stream->place.number,
        .previous_frame = stream->active.fd >= 0 ? stream->active.header.first_frame : 0,
        .created_us = stream->env->unix_us(stream->env),
        .inside = stream->place.inside,
        .start_count = stream->schemas.used > 0 ? 2 : 1,
    };
    memcpy(header.epoch, stream->appended.epoch, sizeof(header.epoch));
    return header;
}

/* Makes, fills and names the next segment; *place is moved behind its first frames. */
static bool begin_segment(struct mr_stream *stream, struct mr_segment *segment,
                          struct mr_place *place, struct mr_error *err)
{
    const struct mr_segment_header header = next_header(stream);
    if (!mr_segment_create(segment, stream->env, stream->dir_fd, &header, mr_log_state_step(stream),
                           err)) {
        return false;
    }
    if (!write_start(stream, segment, place, err)) {
        mr_segment_close(segment);
        (void)stream->env->unlink(stream->env, stream->dir_fd, MR_SEGMENT_TEMPORARY);
        return false;
    }
    bool is_named = false;
    if (!mr_segment_publish(segment, &is_named, err)) {
        mr_segment_close(segment);
        return is_named ? mr_log_state_poison(stream, err) : false;
    }
    return true;
}

bool mr_log_writer_roll(struct mr_stream *stream, struct mr_error *err)
{
    struct mr_segment segment = {.fd = -1};
    const bool is_first = stream->active.fd < 0;
    if (!is_first && !mr_log_writer_sync(stream, err)) {
        return false;
    }
    if (!is_first && !mr_segment_seal(&stream->active, err)) {
        return mr_log_state_poison(stream, err);
    }
    struct mr_place place = stream->place;
    if (!begin_segment(stream, &segment, &place, err)) {
        return mr_error_context(err, "begin a segment");
    }
    MR_ASSERT(place.number == segment.header.first_frame + segment.header.start_count);
    mr_segment_close(&stream->active);
    stream->active = segment;
    stream->active_start = segment.end;
    stream->place = place;
    stream->is_proven = true;
    mr_log_state_lock(stream);
    mr_index_add(&stream->index, &segment.header, MR_SEGMENT_HEADER_SIZE);
    /* Its first frames are entered as one: readers skip them. */
    const struct mr_frame start = {.number = segment.header.first_frame,
                                   .first_sequence = segment.header.first_sequence};
    struct mr_index_segment *last = &stream->index.segments[stream->index.count - 1];
    mr_index_note(last, stream->index.spacing, &start, MR_SEGMENT_HEADER_SIZE);
    last->is_indexed = true;
    last->size = segment.end;
    stream->index.size += segment.end - MR_SEGMENT_HEADER_SIZE;
    stream->written_bytes += (uint64_t)segment.end;
    mr_log_state_unlock(stream);
    mr_encoder_trim(&stream->side);
    mr_log_writer_settle(stream);
    return true;
}

bool mr_log_writer_sync(struct mr_stream *stream, struct mr_error *err)
{
    if (!check_usable(stream, err)) {
        return false;
    }
    MR_ASSERT(stream->active.fd >= 0);
    if (stream->synced == stream->place.number) {
        MR_ASSERT(!stream->position_moved);
        return true;
    }
    if (!mr_segment_sync(&stream->active, err)) {
        return mr_log_state_poison(stream, err);
    }
    if (stream->position_moved) {
        const bool is_set =
            mr_position_set(&stream->durable, mr_slice_of(stream->appended.epoch),
                            mr_slice_of(stream->appended.text), stream->appended.native, err);
        MR_ASSERT(is_set); /* it was within the limits when it was appended */
        stream->position_moved = false;
    }
    mr_log_state_lock(stream);
    stream->sync_count++;
    mr_log_state_unlock(stream);
    mr_log_writer_settle(stream);
    return true;
}

static bool is_missing(const struct mr_stream *stream, const struct mr_schema *schema,
                       const struct mr_schema *const *missing, uint32_t count)
{
    const struct mr_schema *known = mr_schemas_find(&stream->schemas, schema->schema_id);
    MR_ASSERT(known == NULL || known == schema);
    bool is_new = known == NULL;
    for (uint32_t i = 0; is_new && i < count; i++) {
        is_new = missing[i] != schema;
    }
    return is_new;
}

/* A schema frame for `missing`, then they count as logged. */
static bool append_schemas(struct mr_stream *stream, const struct mr_schema *const *missing,
                           uint32_t count, struct mr_error *err)
{
    struct mr_frame frame = {.kind = MR_FRAME_SCHEMA};
    uint8_t *bytes = NULL;
    MR_ASSERT(count > 0);
    if (!mr_schemas_write(&stream->schemas, missing, count, mr_encoder_begin(&stream->side), err) ||
        !mr_encoder_finish(&stream->side, &frame, &bytes, err) ||
        !append_frame(stream, &frame, bytes, err)) {
        return false;
    }
    mr_log_state_lock(stream);
    for (uint32_t i = 0; i < count; i++) {
        mr_schemas_add(&stream->schemas, missing[i]);
    }
    mr_log_state_unlock(stream);
    return true;
}

/* How many places of a batch name a schema, and the schema at one of them, or NULL. */
static uint32_t schema_places(const struct mr_batch *batch)
{
    return batch->chunk_count + batch->truncated_count + 2u * batch->note_count;
}

static const struct mr_schema *schema_at(const struct mr_batch *batch, uint32_t place)
{
    MR_ASSERT(place < schema_places(batch));
    if (place < batch->chunk_count) {
        return batch->chunks[place]->schema;
    }
    place -= batch->chunk_count;
    if (place < batch->truncated_count) {
        return batch->truncated[place];
    }
    place -= batch->truncated_count;
    const struct mr_note *note = &batch->notes[place / 2];
    return place % 2 == 0 ? note->before : note->after;
}

/* Schemas that go into one frame. */
struct missing {
    const struct mr_schema *schemas[32];
    uint32_t count;
};

static bool append_gathered(struct mr_stream *stream, struct missing *missing, struct mr_error *err)
{
    const uint32_t count = missing->count;
    missing->count = 0;
    return count == 0 || append_schemas(stream, missing->schemas, count, err);
}

static bool gather(struct mr_stream *stream, const struct mr_schema *schema,
                   struct missing *missing, struct mr_error *err)
{
    if (schema != NULL && is_missing(stream, schema, missing->schemas, missing->count)) {
        missing->schemas[missing->count++] = schema;
    }
    return missing->count < MR_ARRAY_LEN(missing->schemas) || append_gathered(stream, missing, err);
}

/*
 * Writes the schemas that the log does not hold, some at a time: those of the batch, and those that
 * nobody has used yet, so that what a copy has found is known after a restart, too.
 */
static bool append_missing_schemas(struct mr_stream *stream, const struct mr_batch *batch,
                                   struct mr_error *err)
{
    struct missing missing = {.count = 0};
    const uint32_t total = schema_places(batch);
    for (uint32_t i = 0; i < total; i++) {
        if (!gather(stream, schema_at(batch, i), &missing, err)) {
            return false;
        }
    }
    const uint32_t known = mr_catalog_count(stream->catalog);
    for (uint32_t id = stream->catalog_seen + 1; id <= known; id++) {
        if (!gather(stream, mr_catalog_find(stream->catalog, id), &missing, err)) {
            return false;
        }
    }
    if (!append_gathered(stream, &missing, err)) {
        return false;
    }
    stream->catalog_seen = known;
    return true;
}

static bool segment_is_full(const struct mr_stream *stream, uint64_t frame_size)
{
    const int64_t start = stream->active_start * START_FRACTION;
    const int64_t size_max = stream->segment_bytes_max > start ? stream->segment_bytes_max : start;
    MR_ASSERT(stream->active.end >= stream->active_start);
    return stream->active.end > stream->active_start &&
           stream->active.end + (int64_t)frame_size > size_max;
}

/* Deletes what may go when retention_size is reached; without success, intake waits. */
static bool check_retention(struct mr_stream *stream, struct mr_error *err)
{
    if (!mr_retention_is_full(stream)) {
        return true;
    }
    if (!mr_retention_expire(stream, err)) {
        return false;
    }
    /* A segment can go only when it is no longer the last. */
    if (mr_retention_is_full(stream) && segment_is_full(stream, 0) &&
        (!mr_log_writer_roll(stream, err) || !mr_retention_expire(stream, err))) {
        return false;
    }
    if (mr_retention_is_full(stream)) {
        return mr_fail(err, MR_E_FULL, MR_RETRY,
                       "the stream has reached retention_size (%" PRIu64
                       " bytes) and its sinks have not committed its oldest segment yet; intake "
                       "waits for them: see the sinks' state, or raise retention_size",
                       stream->config.retention_bytes);
    }
    return true;
}

static struct mr_frame describe(const struct mr_batch *batch)
{
    struct mr_frame frame = {
        .kind = MR_FRAME_BATCH,
        .flags = (uint8_t)((batch->continues ? MR_FRAME_CONTINUES : 0) |
                           (batch->continued ? MR_FRAME_CONTINUED : 0) |
                           (batch->position.length > 0 ? MR_FRAME_POSITION : 0)),
        .transaction_count = batch->transaction_count,
        .row_count = batch->row_count,
    };
    const uint32_t whole = batch->transaction_count - (batch->continued ? 1 : 0);
    if (whole > 0) {
        frame.commit_us = batch->transactions[whole - 1].commit_us;
    }
    return frame;
}

/* Keeps a batch for readers, and remembers what sync() and abort() need to know of it. */
static void remember(struct mr_stream *stream, struct mr_batch *batch, uint64_t number,
                     struct mr_error *err)
{
    if (batch->continued && (!batch->continues || batch->transaction_count > 1)) {
        stream->open_frame = number;
    }
    if (batch->continued && !batch->continues) {
        stream->chain_frame = number;
    }
    if (batch->position.length > 0) {
        const bool is_set =
            mr_position_set(&stream->appended, batch->epoch, batch->position, batch->native, err);
        MR_ASSERT(is_set); /* append_batch() has checked the lengths */
        stream->position_moved = true;
    }
    mr_log_state_lock(stream);
    stream->intake_paused = false;
    mr_tail_push(&stream->tail, batch, number);
    if (stream->readers == NULL) {
        mr_tail_drop_before(&stream->tail, number + 1);
    }
    mr_log_state_unlock(stream);
}

static bool append_batch(struct mr_stream *stream, struct mr_batch *batch, struct mr_error *err)
{
    struct mr_frame frame = describe(batch);
    uint8_t *bytes = NULL;
    MR_ASSERT(batch->continues == stream->place.inside);
    MR_ASSERT(batch->transaction_count > 0 || (!batch->continues && !batch->continued));
    if (batch->epoch.length >= MR_EPOCH_BYTES_MAX ||
        batch->position.length >= MR_POSITION_BYTES_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "a position of %zu bytes is too long",
                       batch->position.length);
    }
    if (!check_retention(stream, err) ||
        !mr_body_write(batch, mr_encoder_begin(&stream->main), err) ||
        !mr_encoder_finish(&stream->main, &frame, &bytes, err)) {
        return false;
    }
    if (segment_is_full(stream, mr_frame_size(&frame)) && !mr_log_writer_roll(stream, err)) {
        return false;
    }
    if (!append_missing_schemas(stream, batch, err)) {
        return false;
    }
    batch->first_sequence = stream->place.sequence;
    const uint64_t number = stream->place.number;
    if (!append_frame(stream, &frame, bytes, err)) {
        return false;
    }
    mr_encoder_trim(&stream->main);
    remember(stream, batch, number, err);
    return true;
}

bool mr_log_writer_append(struct mr_stream *stream, struct mr_batch *batch, struct mr_error *err)
{
    if (!check_usable(stream, err)) {
        return false;
    }
    if (batch->aborts) {
        MR_ASSERT(batch->event_count == 0 && batch->transaction_count == 0);
        return mr_log_writer_abort(stream, err);
    }
    if (batch->transaction_count == 0 && batch->position.length == 0) {
        batch->first_sequence = stream->place.sequence;
        return true;
    }
    if (append_batch(stream, batch, err)) {
        return true;
    }
    if (err->code == MR_E_FULL) {
        mr_log_state_lock(stream);
        stream->intake_paused = true;
        mr_log_state_unlock(stream);
    }
    return false;
}

bool mr_log_writer_abort(struct mr_stream *stream, struct mr_error *err)
{
    uint8_t bytes[MR_FRAME_HEADER_SIZE] = {0};
    struct mr_frame frame = {.kind = MR_FRAME_ABORT};
    if (!check_usable(stream, err)) {
        return false;
    }
    if (!stream->place.inside) {
        return true;
    }
    if (!append_frame(stream, &frame, bytes, err)) {
        return false;
    }
    MR_ASSERT(!stream->place.inside);
    mr_log_state_lock(stream);
    mr_tail_abort(&stream->tail, stream->open_frame);
    mr_log_state_unlock(stream);
    stream->open_frame = 0;
    return true;
}

bool mr_log_writer_prove(struct mr_stream *stream, struct mr_error *err)
{
    struct mr_frame frame;
    uint8_t *bytes = NULL;
    if (stream->is_poisoned || stream->is_proven || stream->synced != stream->place.number) {
        return true;
    }
    if (!encode_state(stream, &frame, &bytes, err) || !append_frame(stream, &frame, bytes, err)) {
        return false;
    }
    MR_ASSERT(stream->is_proven);
    return true;
}
