// SPDX-License-Identifier: MIT
/*
 * fuzz_segment.c - libFuzzer target: opening a log whose newest segment holds any bytes either
 * gives a stream that can be read to its end and written on, or fails with a code and a message.
 *
 * The first byte chooses: an even one takes the rest as the segment, as it is; an odd one makes
 * checksums, numbers and sizes right first, so that what lies behind them is reached. Corpus:
 * fuzz/corpus/segment.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "fake_env.h"
#include "frame.h"
#include "stream_log.h"

#define SEGMENT_BYTES_MAX ((size_t)1 << 20)
#define BODY_BYTES_MAX    ((uint32_t)1 << 20)
#define BATCH_BYTES_MAX   ((uint64_t)4 << 20)
#define PATH              "/stream/fuzz/00000000000000000001-00000000000000000001.seg"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mr_stream_log_config config = {
    .segment_bytes_max = 65536,
    .retention_ms = UINT64_MAX,
    .retention_bytes = UINT64_C(1) << 40,
    .compression = MR_CODEC_LZ4,
};

static uint32_t get_u32(const uint8_t *bytes)
{
    uint32_t value = 0;
    memcpy(&value, bytes, sizeof(value));
    return value;
}

static uint64_t get_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* A frame that is right in everything but its meaning, made of what lies at `at`. */
static size_t mend_frame(uint8_t *segment, size_t size, size_t at, struct mr_place *place)
{
    uint8_t *bytes = segment + at;
    const size_t room = (size - at - MR_FRAME_HEADER_SIZE) & ~(size_t)(MR_FRAME_ALIGN - 1);
    struct mr_frame frame = {
        .kind = (uint8_t)(1 + bytes[4] % 4),
        .flags = bytes[5] & 7,
        .codec = bytes[6] % 3,
        .number = place->number,
        .synced = get_u64(bytes + 16) % (place->number + 1),
        .first_sequence = place->sequence,
        .transaction_count = get_u32(bytes + 32) % 65,
        .row_count = get_u32(bytes + 36),
        .stored_size = get_u32(bytes + 40) % (BODY_BYTES_MAX + 1),
        .raw_size = get_u32(bytes + 44) % (BODY_BYTES_MAX + 1),
        .commit_us = (int64_t)get_u64(bytes + 52),
    };
    if (frame.stored_size > room) {
        frame.stored_size = (uint32_t)room;
    }
    if (frame.codec == MR_CODEC_NONE || frame.raw_size < frame.stored_size) {
        frame.raw_size = frame.stored_size;
    }
    frame.payload_crc = mr_crc32c(0, bytes + MR_FRAME_HEADER_SIZE, mr_frame_payload_size(&frame));
    mr_frame_write(&frame, 0, (int64_t)at, bytes);
    (void)!mr_place_follow(place, &frame);
    return at + (size_t)mr_frame_size(&frame);
}

static void mend(uint8_t *segment, size_t size)
{
    const struct mr_segment_header header = {
        .first_sequence = 1, .first_frame = 1, .start_count = 1};
    struct mr_place place = {.number = 1, .sequence = 1};
    if (size < MR_SEGMENT_HEADER_SIZE) {
        return;
    }
    mr_segment_header_write(&header, segment);
    size_t at = MR_SEGMENT_HEADER_SIZE;
    while (at + MR_FRAME_HEADER_SIZE <= size) {
        at = mend_frame(segment, size, at, &place);
    }
}

static uint64_t look_at_note(const struct mr_note *note)
{
    uint64_t sum = 0;
    sum += note->before != NULL ? note->before->schema_id : 0;
    sum += note->after != NULL ? note->after->schema_id : 0;
    sum += note->name.length > 0 ? note->name.bytes[note->name.length - 1] : 0;
    sum += note->text.length > 0 ? note->text.bytes[note->text.length - 1] : 0;
    return sum;
}

/* Reads every cell of every event, as a sink would. */
static uint64_t look_at(const struct mr_batch *batch)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < batch->event_count; i++) {
        const struct mr_event *event = &batch->events[i];
        if (event->kind == MR_EVENT_NOTE) {
            sum += look_at_note(&batch->notes[event->chunk]);
            continue;
        }
        if (event->kind == MR_EVENT_TRUNCATE) {
            sum += batch->truncated[event->chunk]->schema_id;
            continue;
        }
        const struct mr_chunk *chunk =
            batch->chunks[event->chunk != MR_NO_CHUNK ? event->chunk : event->before_chunk];
        for (uint16_t column = 0; column < chunk->column_count; column++) {
            for (uint32_t row = 0; row < chunk->row_count; row++) {
                const struct mr_slice cell = mr_cell(&chunk->columns[column], row);
                sum += mr_cell_state(&chunk->columns[column], row);
                sum += cell.length > 0 ? cell.bytes[0] + cell.bytes[cell.length - 1] : 0;
            }
        }
    }
    return sum;
}

static void read_all(struct mr_stream *stream)
{
    struct mr_error err = {0};
    struct mr_stream_observation seen;
    mr_stream_log.observe(stream, &seen);
    struct mr_stream_reader *reader = mr_stream_log.reader_open(stream, seen.first_sequence, &err);
    struct mr_batch *batch = NULL;
    uint64_t sum = 0;
    while (reader != NULL && (batch = mr_stream_log.reader_next(reader, 0, &err)) != NULL) {
        sum += look_at(batch);
        mr_batch_release(batch);
    }
    /* The sum is used, so that no read is optimised away. */
    if ((err.code != MR_OK && err.message[0] == '\0') || sum == UINT64_MAX) {
        abort();
    }
    mr_stream_log.reader_close(reader);
}

/* A position alone: it can always be appended. */
static void write_on(struct mr_stream *stream)
{
    struct mr_error err = {0};
    const struct mr_native_position native = {.major = 1};
    struct mr_batch_pool *pool = mr_batch_pool_open(1, 65536, 65536, &err);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    if (!mr_batch_set_position(batch, mr_slice_of("e"), mr_slice_of("p"), native, &err) ||
        !mr_stream_log.append(stream, batch, &err) || !mr_stream_log.sync(stream, &err)) {
        abort();
    }
    mr_batch_release(batch);
    mr_stream_log.close(stream);
    mr_batch_pool_close(pool);
}

static bool open_once(const struct mr_env *env, bool writes)
{
    struct mr_error err = {0};
    struct mr_catalog *catalog = mr_catalog_open();
    const int dir_fd = env->open_dir(env, MR_ENV_CWD, "/");
    const struct mr_stream_context context = {
        .source = "fuzz",
        .config = &config,
        .env = env,
        .data_dir_fd = dir_fd,
        .catalog = catalog,
        .batch_bytes_max = BATCH_BYTES_MAX,
    };
    struct mr_stream *stream = mr_stream_log.open(&context, &err);
    if (stream == NULL) {
        if (err.code == MR_OK || err.message[0] == '\0') {
            abort();
        }
    } else {
        read_all(stream);
        if (writes) {
            write_on(stream);
        } else {
            mr_stream_log.close(stream);
        }
    }
    (void)env->close(env, dir_fd);
    mr_catalog_close(catalog);
    return stream != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > SEGMENT_BYTES_MAX) {
        return 0;
    }
    uint8_t *segment = malloc(size);
    if (segment == NULL) {
        return 0;
    }
    memcpy(segment, data + 1, size - 1);
    if (data[0] % 2 == 1) {
        mend(segment, size - 1);
    }
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(fake);
    mr_fake_env_put(fake, PATH, segment, size - 1);
    /* What opens once, and is written on, opens again. */
    if (open_once(env, true) && !open_once(env, false)) {
        abort();
    }
    mr_fake_env_close(fake);
    free(segment);
    return 0;
}
