// SPDX-License-Identifier: MIT
/*
 * test_recovery.c - a log whose last frames were torn, or that rotted: what opening it makes of it.
 *
 * The walks cut the file at every byte of its tail and damage every byte of it. After each, opening
 * must either give a log with everything that was reported as durable and nothing that is wrong, or
 * say MR_E_CORRUPT with file, offset and cure.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "frame.h"
#include "log_fixture.h"

struct image {
    char path[128];
    uint8_t *bytes;
    size_t length;
};

static void take_image(struct log_fixture *fixture, struct image *image)
{
    const uint8_t *bytes = NULL;
    log_fixture_newest(fixture, image->path);
    assert_true(mr_fake_env_peek(fixture->fake, image->path, &bytes, &image->length));
    image->bytes = malloc(image->length);
    assert_non_null(image->bytes);
    memcpy(image->bytes, bytes, image->length);
}

static struct mr_segment_header header_of(const struct image *image)
{
    struct mr_segment_header header;
    struct mr_error err = {0};
    assert_true(mr_segment_header_read(image->bytes, &header, &err));
    return header;
}

/* Offsets of the frames; returns how many. */
static size_t find_frames(const struct image *image, size_t *offsets, size_t offsets_max)
{
    const struct mr_segment_header header = header_of(image);
    struct mr_frame frame;
    size_t count = 0;
    size_t at = MR_SEGMENT_HEADER_SIZE;
    while (at + MR_FRAME_HEADER_SIZE <= image->length &&
           mr_frame_read(image->bytes + at, header.salt, (int64_t)at, &frame) ==
               MR_FRAME_IS_VALID) {
        assert_true(count < offsets_max);
        offsets[count++] = at;
        at += (size_t)mr_frame_size(&frame);
    }
    assert_true(count + 1 < offsets_max);
    offsets[count] = at;
    return count;
}

/* A stream of a few frames whose process dies without closing it. */
static void write_log(struct log_fixture *fixture, struct image *image, bool synced)
{
    struct mr_error err = {0};
    log_fixture_init(fixture, 11);
    fixture->config.segment_bytes_max = 1 << 20;
    assert_true(log_fixture_open(fixture, &err));
    assert_true(log_fixture_append(fixture, 1, 2, 4, &err));
    assert_true(log_fixture_sync(fixture, &err));
    assert_true(log_fixture_append(fixture, 3, 1, 3, &err));
    assert_true(log_fixture_sync(fixture, &err));
    assert_true(log_fixture_append(fixture, 4, 1, 2, &err));
    if (synced) {
        assert_true(log_fixture_sync(fixture, &err));
    }
    take_image(fixture, image);
    log_fixture_close(fixture);
}

/* Opens what is on the disk; true if it opened, and then what is read is right. */
static bool opens_soundly(struct log_fixture *fixture, uint32_t whole_least)
{
    struct mr_error err = {0};
    if (!log_fixture_open(fixture, &err)) {
        if (err.code != MR_E_CORRUPT && err.code != MR_E_CONFIG) {
            fail_msg("open: %d %s", (int)err.code, err.message);
        }
        assert_int_equal(err.recovery, MR_STOP);
        assert_non_null(strstr(err.message, ".seg"));
        assert_non_null(strstr(err.message, ";"));
        return false;
    }
    struct mr_stream_observation seen;
    mr_stream_log.observe(fixture->stream, &seen);
    assert_true(seen.last_sequence >= whole_least);
    assert_true(seen.last_sequence <= fixture->appended);
    log_fixture_read_all(fixture, 1, seen.last_sequence);
    /* and it can go on */
    const uint32_t appended = fixture->appended;
    fixture->appended = (uint32_t)seen.last_sequence;
    assert_true(log_fixture_append(fixture, 77, 1, 1, &err));
    assert_true(log_fixture_sync(fixture, &err));
    log_fixture_read_all(fixture, 1, seen.last_sequence + 1);
    log_fixture_close(fixture);
    fixture->appended = appended;
    return true;
}

/* The model holds what was appended; each round restores it. */
struct saved_model {
    uint32_t sums[8];
};

static void every_cut_of_the_tail_is_survived(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct image image;
    size_t offsets[32];
    write_log(&fixture, &image, false);
    struct saved_model saved;
    memcpy(saved.sums, fixture.model, sizeof(saved.sums));
    const size_t count = find_frames(&image, offsets, MR_ARRAY_LEN(offsets));
    assert_true(count >= 5);
    const size_t end = offsets[count];
    /* the last frame was never synced: any part of it may be missing */
    for (size_t cut = offsets[count - 1]; cut <= end; cut++) {
        for (int zeros = 0; zeros <= 1; zeros++) {
            uint8_t *bytes = calloc(image.length, 1);
            memcpy(bytes, image.bytes, cut);
            mr_fake_env_put(fixture.fake, image.path, bytes, zeros != 0 ? image.length : cut);
            free(bytes);
            memcpy(fixture.model, saved.sums, sizeof(saved.sums));
            assert_true(opens_soundly(&fixture, cut == end ? 4 : 3));
        }
    }
    /* a cut further ahead loses what was synced, but is never taken for something else */
    for (size_t cut = 0; cut < offsets[count - 1]; cut += 7) {
        mr_fake_env_put(fixture.fake, image.path, image.bytes, cut);
        memcpy(fixture.model, saved.sums, sizeof(saved.sums));
        (void)opens_soundly(&fixture, 0);
    }
    free(image.bytes);
    log_fixture_done(&fixture);
}

/* The last frame of the log, flipped at any byte: it was not synced, so it is cut. */
static void every_flip_in_an_unsynced_frame_is_cut(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct image image;
    size_t offsets[32];
    write_log(&fixture, &image, false);
    struct saved_model saved;
    memcpy(saved.sums, fixture.model, sizeof(saved.sums));
    const size_t count = find_frames(&image, offsets, MR_ARRAY_LEN(offsets));
    for (size_t at = offsets[count - 1]; at < offsets[count]; at++) {
        image.bytes[at] ^= (uint8_t)(1 << at % 8);
        mr_fake_env_put(fixture.fake, image.path, image.bytes, image.length);
        image.bytes[at] ^= (uint8_t)(1 << at % 8);
        memcpy(fixture.model, saved.sums, sizeof(saved.sums));
        assert_true(opens_soundly(&fixture, 3));
    }
    free(image.bytes);
    log_fixture_done(&fixture);
}

/* Any other byte: a later frame says that it was synced. Never a cut, never a wrong batch. */
static void every_flip_in_a_synced_frame_is_corruption(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct image image;
    size_t offsets[32];
    write_log(&fixture, &image, false);
    struct saved_model saved;
    memcpy(saved.sums, fixture.model, sizeof(saved.sums));
    const size_t count = find_frames(&image, offsets, MR_ARRAY_LEN(offsets));
    for (size_t at = 0; at < offsets[count - 1]; at++) {
        image.bytes[at] ^= (uint8_t)(1 << at % 8);
        mr_fake_env_put(fixture.fake, image.path, image.bytes, image.length);
        image.bytes[at] ^= (uint8_t)(1 << at % 8);
        memcpy(fixture.model, saved.sums, sizeof(saved.sums));
        assert_false(opens_soundly(&fixture, 3));
    }
    free(image.bytes);
    log_fixture_done(&fixture);
}

/* A stream that was closed, or idle, has proof of its last frames too. */
static void a_closed_stream_is_proven_to_its_end(void **state)
{
    (void)state;
    for (int idle = 0; idle <= 1; idle++) {
        struct log_fixture fixture;
        struct image image;
        struct mr_error err = {0};
        size_t offsets[32];
        log_fixture_init(&fixture, 12);
        assert_true(log_fixture_open(&fixture, &err));
        assert_true(log_fixture_append(&fixture, 1, 2, 4, &err));
        assert_true(log_fixture_sync(&fixture, &err));
        if (idle != 0) {
            for (int i = 0; i < 5; i++) {
                assert_true(mr_stream_log.expire(fixture.stream, &err));
            }
            take_image(&fixture, &image);
            log_fixture_close(&fixture);
        } else {
            log_fixture_close(&fixture);
            take_image(&fixture, &image);
        }
        const size_t count = find_frames(&image, offsets, MR_ARRAY_LEN(offsets));
        assert_int_equal(count, 4); /* state, schemas, batch, state */
        for (size_t at = 0; at < offsets[count - 1]; at++) {
            image.bytes[at] ^= 0x10;
            mr_fake_env_put(fixture.fake, image.path, image.bytes, image.length);
            image.bytes[at] ^= 0x10;
            assert_false(opens_soundly(&fixture, 2));
        }
        free(image.bytes);
        log_fixture_done(&fixture);
    }
}

/* An unsynced group can be torn anywhere: valid frames behind a torn one prove nothing. */
static void a_torn_frame_before_valid_ones_is_cut(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct image image;
    struct mr_error err = {0};
    size_t offsets[32];
    log_fixture_init(&fixture, 13);
    assert_true(log_fixture_open(&fixture, &err));
    assert_true(log_fixture_append(&fixture, 1, 1, 4, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    for (uint64_t i = 2; i <= 5; i++) {
        assert_true(log_fixture_append(&fixture, i, 1, 4, &err));
    }
    take_image(&fixture, &image);
    log_fixture_close(&fixture);
    struct saved_model saved;
    memcpy(saved.sums, fixture.model, sizeof(saved.sums));
    const size_t count = find_frames(&image, offsets, MR_ARRAY_LEN(offsets));
    assert_true(count >= 7);
    for (size_t frame = 0; frame < 4; frame++) {
        const size_t at = offsets[count - 4 + frame] + 70;
        image.bytes[at] ^= 1;
        mr_fake_env_put(fixture.fake, image.path, image.bytes, image.length);
        image.bytes[at] ^= 1;
        memcpy(fixture.model, saved.sums, sizeof(saved.sums));
        assert_true(opens_soundly(&fixture, 1));
    }
    free(image.bytes);
    log_fixture_done(&fixture);
}

/* What was cut never comes back, not even when what is written next fits exactly before it. */
static void what_was_cut_stays_away(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct image image;
    struct mr_error err = {0};
    struct mr_stream_observation seen;
    size_t offsets[32];
    log_fixture_init(&fixture, 17);
    assert_true(log_fixture_open(&fixture, &err));
    for (uint64_t i = 1; i <= 5; i++) {
        assert_true(log_fixture_append(&fixture, i, 1, 4, &err));
    }
    take_image(&fixture, &image);
    log_fixture_close(&fixture);
    const size_t count = find_frames(&image, offsets, MR_ARRAY_LEN(offsets));
    image.bytes[offsets[count - 3] + 70] ^= 1; /* transaction 3 */
    mr_fake_env_put(fixture.fake, image.path, image.bytes, image.length);
    assert_true(log_fixture_open(&fixture, &err));
    mr_stream_log.observe(fixture.stream, &seen);
    assert_int_equal(seen.last_sequence, 2);
    assert_int_equal(seen.cut_bytes, offsets[count] - offsets[count - 3]);
    fixture.appended = 2;
    assert_true(log_fixture_append(&fixture, 3, 1, 4, &err)); /* the same bytes again */
    assert_true(log_fixture_sync(&fixture, &err));
    mr_fake_env_crash_at(fixture.fake, 0); /* it dies without closing */
    log_fixture_close(&fixture);
    mr_fake_env_crash(fixture.fake);
    fixture.data_dir_fd = fixture.env->open_dir(fixture.env, MR_ENV_CWD, "/");
    assert_true(log_fixture_open(&fixture, &err));
    mr_stream_log.observe(fixture.stream, &seen);
    assert_int_equal(seen.last_sequence, 3);
    log_fixture_read_all(&fixture, 1, 3);
    free(image.bytes);
    log_fixture_done(&fixture);
}

static int refuse_sync(const struct mr_env *env, int fd)
{
    (void)env;
    (void)fd;
    return -1;
}

/* A process was killed before its sync: what the next one finds in the cache and shows to readers
 * must be durable by then. */
static void what_recovery_shows_is_durable(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct log_fixture fixture;
        struct mr_error err = {0};
        struct mr_stream_observation seen;
        log_fixture_init(&fixture, seed);
        assert_true(log_fixture_open(&fixture, &err));
        mr_fake_env_sync_all(fixture.fake);
        log_fixture_close(&fixture);
        const struct mr_env *env = fixture.env;
        struct mr_env killed = *env;
        killed.fdatasync = refuse_sync;
        fixture.env = &killed;
        assert_true(log_fixture_open(&fixture, &err));
        assert_true(log_fixture_append(&fixture, 1, 1, 30, &err));
        assert_true(log_fixture_append(&fixture, 2, 1, 30, &err));
        assert_false(log_fixture_sync(&fixture, &err));
        log_fixture_close(&fixture);
        fixture.env = env;
        assert_true(log_fixture_open(&fixture, &err));
        mr_stream_log.observe(fixture.stream, &seen);
        assert_int_equal(seen.last_sequence, 2);
        fixture.synced = 2;
        mr_fake_env_crash_at(fixture.fake, 0);
        log_fixture_close(&fixture);
        mr_fake_env_crash(fixture.fake);
        fixture.data_dir_fd = env->open_dir(env, MR_ENV_CWD, "/");
        if (!log_fixture_survives(&fixture, &err)) {
            fail_msg("seed %d: %s", (int)seed, err.message);
        }
        log_fixture_done(&fixture);
    }
}

/* Damage in a sealed segment is found by whoever reads it, with file, offset and cure. */
static void damage_in_a_sealed_segment_is_found_when_it_is_read(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct image image;
    struct mr_error err = {0};
    size_t offsets[512];
    log_fixture_init(&fixture, 14);
    fixture.config.segment_bytes_max = 8192;
    assert_true(log_fixture_open(&fixture, &err));
    assert_true(log_fixture_append(&fixture, 1, 1, 4, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    log_fixture_newest(&fixture, image.path);
    for (uint64_t i = 2; i <= 30; i++) {
        assert_true(log_fixture_append(&fixture, i, 1, 20, &err));
    }
    assert_true(log_fixture_sync(&fixture, &err));
    log_fixture_close(&fixture);
    const uint8_t *bytes = NULL;
    assert_true(mr_fake_env_peek(fixture.fake, image.path, &bytes, &image.length));
    image.bytes = malloc(image.length);
    memcpy(image.bytes, bytes, image.length);
    const size_t count = find_frames(&image, offsets, MR_ARRAY_LEN(offsets));
    assert_int_equal(offsets[count], image.length); /* sealed: nothing unused */
    for (size_t at = 0; at < image.length; at += 7) {
        image.bytes[at] ^= 4;
        mr_fake_env_put(fixture.fake, image.path, image.bytes, image.length);
        image.bytes[at] ^= 4;
        if (at < MR_SEGMENT_HEADER_SIZE) {
            assert_false(log_fixture_open(&fixture, &err));
            assert_int_equal(err.code, MR_E_CORRUPT);
            continue;
        }
        if (!log_fixture_open(&fixture, &err)) {
            fail_msg("byte %zu: %s", at, err.message);
        }
        struct log_check check = {.fixture = &fixture, .next = 1};
        struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
        struct mr_batch *batch = NULL;
        while (reader != NULL && (batch = mr_stream_log.reader_next(reader, 0, &err)) != NULL) {
            log_check_batch(&check, batch);
            mr_batch_release(batch);
        }
        if (at >= offsets[0] + MR_FRAME_HEADER_SIZE && at < offsets[1]) {
            /* the payload of a state frame is not looked at when reading */
            assert_int_equal(err.code, MR_OK);
        } else if (err.code != MR_E_CORRUPT) {
            /* nor that of a schema frame: the newest segment has them all */
            struct mr_frame frame;
            size_t i = 0;
            while (offsets[i + 1] <= at) {
                i++;
            }
            (void)mr_frame_read(image.bytes + offsets[i], header_of(&image).salt,
                                (int64_t)offsets[i], &frame);
            assert_int_not_equal(frame.kind, MR_FRAME_BATCH);
            err.code = MR_OK;
        } else {
            assert_int_equal(err.recovery, MR_STOP);
            assert_non_null(strstr(err.message, ".seg\" is damaged at offset"));
            assert_non_null(strstr(err.message, "copied anew"));
        }
        mr_stream_log.reader_close(reader);
        log_fixture_close(&fixture);
    }
    free(image.bytes);
    log_fixture_done(&fixture);
}

static void a_missing_segment_is_noticed(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    char path[128];
    char oldest[128];
    log_fixture_init(&fixture, 15);
    fixture.config.segment_bytes_max = 8192;
    assert_true(log_fixture_open(&fixture, &err));
    log_fixture_newest(&fixture, oldest);
    memcpy(path, oldest, sizeof(path));
    uint64_t seed = 1;
    while (strcmp(path, oldest) == 0) {
        assert_true(log_fixture_append(&fixture, seed++, 1, 20, &err));
        log_fixture_newest(&fixture, path);
    }
    for (int i = 0; i < 20; i++) {
        assert_true(log_fixture_append(&fixture, seed++, 1, 20, &err));
    }
    assert_true(log_fixture_sync(&fixture, &err));
    log_fixture_close(&fixture);
    const int dir_fd = fixture.env->open_dir(fixture.env, MR_ENV_CWD, "/");
    assert_int_equal(fixture.env->unlink(fixture.env, dir_fd, path), 0);
    assert_false(log_fixture_open(&fixture, &err));
    assert_int_equal(err.code, MR_E_CORRUPT);
    assert_non_null(strstr(err.message, "is missing"));
    /* without the oldest it is merely shorter */
    assert_int_equal(fixture.env->unlink(fixture.env, dir_fd, oldest), 0);
    (void)fixture.env->close(fixture.env, dir_fd);
    assert_true(log_fixture_open(&fixture, &err));
    assert_null(mr_stream_log.reader_open(fixture.stream, 1, &err));
    assert_int_equal(err.code, MR_E_LOST);
    struct mr_stream_observation seen;
    mr_stream_log.observe(fixture.stream, &seen);
    assert_true(seen.first_sequence > 1);
    log_fixture_read_all(&fixture, seen.first_sequence, fixture.appended);
    log_fixture_done(&fixture);
}

/* A header or frame of a later version is refused, not cut. */
static void later_versions_are_refused(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct image image;
    struct mr_error err = {0};
    size_t offsets[32];
    write_log(&fixture, &image, true);
    const size_t count = find_frames(&image, offsets, MR_ARRAY_LEN(offsets));
    uint8_t *header = image.bytes;
    header[4] = 2;
    uint32_t crc = mr_crc32c(0, header, MR_SEGMENT_HEADER_SIZE - 4);
    memcpy(header + MR_SEGMENT_HEADER_SIZE - 4, &crc, sizeof(crc));
    mr_fake_env_put(fixture.fake, image.path, image.bytes, image.length);
    assert_false(log_fixture_open(&fixture, &err));
    assert_int_equal(err.code, MR_E_CONFIG);
    assert_non_null(strstr(err.message, "version 2"));
    header[4] = 1;
    crc = mr_crc32c(0, header, MR_SEGMENT_HEADER_SIZE - 4);
    memcpy(header + MR_SEGMENT_HEADER_SIZE - 4, &crc, sizeof(crc));

    /* the last frame becomes one of kind 9 */
    const int64_t at = (int64_t)offsets[count - 1];
    const struct mr_segment_header read = header_of(&image);
    uint8_t place[16];
    uint8_t *frame = image.bytes + at;
    memcpy(place, &read.salt, 8);
    memcpy(place + 8, &at, 8);
    frame[4] = 9;
    crc = mr_crc32c(mr_crc32c(0, place, sizeof(place)), frame, MR_FRAME_HEADER_SIZE - 4);
    memcpy(frame + MR_FRAME_HEADER_SIZE - 4, &crc, sizeof(crc));
    mr_fake_env_put(fixture.fake, image.path, image.bytes, image.length);
    assert_false(log_fixture_open(&fixture, &err));
    assert_int_equal(err.code, MR_E_CONFIG);
    free(image.bytes);
    log_fixture_done(&fixture);
}

/* A tail that ends inside a transaction: it is aborted, and the source resumes before it. */
static void an_unfinished_transaction_is_dropped(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 16);
    assert_true(log_fixture_open(&fixture, &err));
    assert_true(log_fixture_append(&fixture, 1, 1, 4, &err));
    assert_true(log_fixture_append_part(&fixture, 2, 30, LOG_BEGIN, &err));
    assert_true(log_fixture_append_part(&fixture, 3, 30, LOG_MIDDLE, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    log_fixture_close(&fixture);
    mr_fake_env_crash(fixture.fake);
    fixture.data_dir_fd = fixture.env->open_dir(fixture.env, MR_ENV_CWD, "/");
    assert_true(log_fixture_open(&fixture, &err));
    assert_string_equal(mr_stream_log.position(fixture.stream)->text, "at/1");
    log_fixture_read_all(&fixture, 1, 1);
    assert_true(log_fixture_append(&fixture, 9, 1, 4, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    log_fixture_read_all(&fixture, 1, 2);
    log_fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_of_the_tail_is_survived),
        cmocka_unit_test(every_flip_in_an_unsynced_frame_is_cut),
        cmocka_unit_test(every_flip_in_a_synced_frame_is_corruption),
        cmocka_unit_test(a_closed_stream_is_proven_to_its_end),
        cmocka_unit_test(a_torn_frame_before_valid_ones_is_cut),
        cmocka_unit_test(what_was_cut_stays_away),
        cmocka_unit_test(what_recovery_shows_is_durable),
        cmocka_unit_test(damage_in_a_sealed_segment_is_found_when_it_is_read),
        cmocka_unit_test(a_missing_segment_is_noticed),
        cmocka_unit_test(later_versions_are_refused),
        cmocka_unit_test(an_unfinished_transaction_is_dropped),
    };
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
