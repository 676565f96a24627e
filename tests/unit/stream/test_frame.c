// SPDX-License-Identifier: MIT
/*
 * test_frame.c - bytes of the log: the test vector of FORMAT.md, headers that are damaged, and the
 * rule by which frames follow one another.
 *
 * The vector is read from FORMAT.md itself (its path is the only argument), so that text and code
 * cannot part. When they do, the test prints what the code writes.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "crc32c.h"
#include "encoder.h"
#include "frame.h"
#include "log_fixture.h"
#include "schemas.h"

#define VECTOR_BYTES_MAX 2048

static const char *format_path;

static const struct mr_segment_header vector_header = {
    .salt = UINT64_C(0x0123456789abcdef),
    .first_sequence = 1,
    .first_frame = 1,
    .created_us = INT64_C(1700000000000000),
    .start_count = 1,
    .epoch = "e1",
};

/* Reads the lines "0000  4d 52 ..." of FORMAT.md. */
static size_t read_vector(uint8_t *bytes)
{
    char line[256];
    size_t count = 0;
    FILE *file = fopen(format_path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        char *end = NULL;
        const unsigned long offset = strtoul(line, &end, 16);
        if (end != line + 4 || strncmp(end, "  ", 2) != 0) {
            continue;
        }
        assert_int_equal(offset, count);
        for (const char *at = end + 2; at[0] != '\n' && at[0] != '\0' && at[0] != ' ';) {
            assert_true(count < VECTOR_BYTES_MAX);
            bytes[count++] = (uint8_t)strtoul(at, &end, 16);
            assert_int_equal(end - at, 2);
            at = *end == ' ' ? end + 1 : end;
        }
    }
    (void)fclose(file);
    return count;
}

struct vector {
    uint8_t bytes[VECTOR_BYTES_MAX];
    size_t length;
    struct mr_place place;
};

static void add_frame(struct vector *vector, struct mr_encoder *encoder, struct mr_frame *frame)
{
    struct mr_error err = {0};
    uint8_t *bytes = NULL;
    assert_true(mr_encoder_finish(encoder, frame, &bytes, &err));
    const size_t size = (size_t)mr_frame_size(frame);
    assert_true(vector->length + size <= VECTOR_BYTES_MAX);
    frame->number = vector->place.number;
    frame->first_sequence = vector->place.sequence;
    frame->synced = frame->number;
    frame->payload_crc = mr_crc32c(0, bytes + MR_FRAME_HEADER_SIZE, size - MR_FRAME_HEADER_SIZE);
    mr_frame_write(frame, vector_header.salt, (int64_t)vector->length, bytes);
    memcpy(vector->bytes + vector->length, bytes, size);
    vector->length += size;
    assert_true(mr_place_follow(&vector->place, frame));
}

/* One transaction: a row (7, NULL) into shop.small; committed at 5/0, xid 42. */
static void fill_vector_batch(struct mr_batch *batch, const struct mr_schema *schema)
{
    struct mr_error err = {0};
    uint16_t index = 0;
    const struct mr_native_position end = {.major = 5};
    assert_true(mr_batch_begin(batch, 42, 0, &err));
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
    assert_non_null(chunk);
    mr_put_i32(&chunk->columns[0], chunk->row_count, 7);
    mr_put_null(&chunk->columns[1], chunk->row_count);
    const uint16_t row = mr_chunk_end_row(chunk);
    assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, index, row, MR_NO_CHUNK, 0, &err));
    mr_batch_commit(batch, end, INT64_C(1700000000000001));
    assert_true(mr_batch_set_position(batch, mr_slice_of("e1"), mr_slice_of("p5"), end, &err));
}

static void build_vector(struct vector *vector, struct log_fixture *fixture)
{
    struct mr_encoder encoder;
    struct mr_error err = {0};
    struct mr_position position = {0};
    const struct mr_native_position native = {.major = 4};
    memset(vector, 0, sizeof(*vector));
    vector->place = (struct mr_place){.number = 1, .sequence = 1};
    mr_segment_header_write(&vector_header, vector->bytes);
    vector->length = MR_SEGMENT_HEADER_SIZE;
    mr_encoder_init(&encoder, MR_CODEC_NONE);

    assert_true(mr_position_set(&position, mr_slice_of("e1"), mr_slice_of("p4"), native, &err));
    struct mr_frame state = {.kind = MR_FRAME_STATE, .flags = MR_FRAME_POSITION};
    assert_true(mr_body_write_position(&position, mr_encoder_begin(&encoder), &err));
    add_frame(vector, &encoder, &state);

    const struct mr_schema *schema = log_fixture_schema(fixture, 1);
    struct mr_schemas schemas = {0};
    struct mr_frame frame = {.kind = MR_FRAME_SCHEMA};
    assert_true(mr_schemas_write(&schemas, &schema, 1, mr_encoder_begin(&encoder), &err));
    add_frame(vector, &encoder, &frame);

    struct mr_batch *batch = log_fixture_take(fixture);
    fill_vector_batch(batch, schema);
    struct mr_frame data = {.kind = MR_FRAME_BATCH,
                            .flags = MR_FRAME_POSITION,
                            .transaction_count = 1,
                            .row_count = 1,
                            .commit_us = INT64_C(1700000000000001)};
    assert_true(mr_body_write(batch, mr_encoder_begin(&encoder), &err));
    add_frame(vector, &encoder, &data);
    mr_batch_release(batch);
    mr_position_done(&position);
    mr_schemas_done(&schemas);
    mr_encoder_done(&encoder);
}

static void print_vector(const struct vector *vector)
{
    for (size_t i = 0; i < vector->length; i++) {
        if (i % 16 == 0) {
            print_message("%s%04zx  ", i > 0 ? "\n" : "", i);
        }
        print_message("%02x%s", vector->bytes[i], i % 16 == 15 ? "" : " ");
    }
    print_message("\n");
}

static void the_code_writes_what_format_md_says(void **state)
{
    (void)state;
    struct log_fixture fixture;
    static struct vector vector;
    uint8_t expected[VECTOR_BYTES_MAX];
    log_fixture_init(&fixture, 1);
    fixture.catalog = mr_catalog_open();
    build_vector(&vector, &fixture);
    const size_t length = read_vector(expected);
    if (length != vector.length || memcmp(expected, vector.bytes, length) != 0) {
        print_vector(&vector);
        fail_msg("FORMAT.md says something else (%zu bytes)", length);
    }
    mr_catalog_close(fixture.catalog);
    fixture.catalog = NULL;
    log_fixture_done(&fixture);
}

static void the_code_reads_what_format_md_says(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    uint8_t bytes[VECTOR_BYTES_MAX];
    log_fixture_init(&fixture, 1);
    const size_t length = read_vector(bytes);
    mr_fake_env_put(fixture.fake, "/stream/ops/00000000000000000001-00000000000000000001.seg",
                    bytes, length);
    if (!log_fixture_open(&fixture, &err)) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(mr_stream_log.position(fixture.stream)->text, "p5");
    struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
    struct mr_batch *batch = mr_stream_log.reader_next(reader, 0, &err);
    assert_non_null(batch);
    assert_int_equal(batch->transaction_count, 1);
    assert_int_equal(batch->transactions[0].number, 42);
    assert_int_equal(batch->transactions[0].commit_us, INT64_C(1700000000000001));
    assert_int_equal(batch->event_count, 1);
    const struct mr_chunk *chunk = batch->chunks[batch->events[0].chunk];
    int32_t id = 0;
    memcpy(&id, mr_cell(&chunk->columns[0], 0).bytes, sizeof(id));
    assert_int_equal(id, 7);
    assert_int_equal(mr_cell_state(&chunk->columns[1], 0), MR_CELL_NULL);
    assert_string_equal(chunk->schema->table, "small");
    mr_batch_release(batch);
    mr_stream_log.reader_close(reader);
    log_fixture_done(&fixture);
}

static void every_flipped_bit_of_a_header_is_noticed(void **state)
{
    (void)state;
    uint8_t segment[MR_SEGMENT_HEADER_SIZE];
    uint8_t bytes[MR_FRAME_HEADER_SIZE];
    struct mr_segment_header header;
    struct mr_frame found;
    struct mr_error err = {0};
    const struct mr_frame frame = {.kind = MR_FRAME_BATCH,
                                   .flags = MR_FRAME_CONTINUED,
                                   .codec = MR_CODEC_LZ4,
                                   .number = 9,
                                   .synced = 4,
                                   .first_sequence = 3,
                                   .transaction_count = 2,
                                   .row_count = 5,
                                   .stored_size = 100,
                                   .raw_size = 200,
                                   .payload_crc = 77,
                                   .commit_us = -5};
    mr_segment_header_write(&vector_header, segment);
    assert_true(mr_segment_header_read(segment, &header, &err));
    assert_string_equal(header.epoch, "e1");
    assert_int_equal(header.salt, vector_header.salt);
    for (size_t bit = 0; bit < sizeof(segment) * 8; bit++) {
        segment[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(mr_segment_header_read(segment, &header, &err));
        assert_int_equal(err.code, MR_E_CORRUPT);
        segment[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    mr_frame_write(&frame, 5, 192, bytes);
    assert_int_equal(mr_frame_read(bytes, 5, 192, &found), MR_FRAME_IS_VALID);
    assert_int_equal(found.number, 9);
    assert_int_equal(found.commit_us, -5);
    assert_int_equal(found.raw_size, 200);
    /* at another place, or in another file, it is no frame */
    assert_int_equal(mr_frame_read(bytes, 5, 200, &found), MR_FRAME_IS_NOT);
    assert_int_equal(mr_frame_read(bytes, 6, 192, &found), MR_FRAME_IS_NOT);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(mr_frame_read(bytes, 5, 192, &found), MR_FRAME_IS_NOT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

#define BATCH(n, seq, count, with)                                                                 \
    {                                                                                              \
        .kind = MR_FRAME_BATCH, .number = n, .first_sequence = seq, .transaction_count = count,    \
        .flags = with                                                                              \
    }

static const struct follow_case {
    const char *label;
    struct mr_place place;
    struct mr_frame frame;
    bool follows;
    struct mr_place next;
} follow_cases[] = {
    {"whole", {5, 10, false}, BATCH(5, 10, 3, 0), true, {6, 13, false}},
    {"position alone", {5, 10, false}, BATCH(5, 10, 0, 0), true, {6, 10, false}},
    {"begins", {5, 10, false}, BATCH(5, 10, 3, MR_FRAME_CONTINUED), true, {6, 12, true}},
    {"middle",
     {5, 10, true},
     BATCH(5, 10, 1, MR_FRAME_CONTINUES | MR_FRAME_CONTINUED),
     true,
     {6, 10, true}},
    {"ends", {5, 10, true}, BATCH(5, 10, 1, MR_FRAME_CONTINUES), true, {6, 11, false}},
    {"ends and begins",
     {5, 10, true},
     BATCH(5, 10, 2, MR_FRAME_CONTINUES | MR_FRAME_CONTINUED),
     true,
     {6, 11, true}},
    {"wrong number", {5, 10, false}, BATCH(6, 10, 3, 0), false, {0}},
    {"wrong sequence", {5, 10, false}, BATCH(5, 11, 3, 0), false, {0}},
    {"continues nothing", {5, 10, false}, BATCH(5, 10, 1, MR_FRAME_CONTINUES), false, {0}},
    {"does not continue", {5, 10, true}, BATCH(5, 10, 1, 0), false, {0}},
    {"continues without one", {5, 10, true}, BATCH(5, 10, 0, MR_FRAME_CONTINUES), false, {0}},
    {"continued without one", {5, 10, false}, BATCH(5, 10, 0, MR_FRAME_CONTINUED), false, {0}},
    {"overflow", {5, UINT64_MAX, false}, BATCH(5, UINT64_MAX, 1, 0), false, {0}},
    {"abort",
     {5, 10, true},
     {.kind = MR_FRAME_ABORT, .number = 5, .first_sequence = 10},
     true,
     {6, 10, false}},
    {"abort of nothing",
     {5, 10, false},
     {.kind = MR_FRAME_ABORT, .number = 5, .first_sequence = 10},
     false,
     {0}},
    {"schema inside",
     {5, 10, true},
     {.kind = MR_FRAME_SCHEMA, .number = 5, .first_sequence = 10},
     true,
     {6, 10, true}},
    {"state",
     {5, 10, false},
     {.kind = MR_FRAME_STATE, .number = 5, .first_sequence = 10},
     true,
     {6, 10, false}},
};

static void frames_follow_or_do_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(follow_cases); i++) {
        const struct follow_case *c = &follow_cases[i];
        struct mr_place place = c->place;
        print_message("    %s\n", c->label);
        assert_int_equal(mr_place_follow(&place, &c->frame), c->follows);
        const struct mr_place *expected = c->follows ? &c->next : &c->place;
        assert_int_equal(place.number, expected->number);
        assert_int_equal(place.sequence, expected->sequence);
        assert_int_equal(place.inside, expected->inside);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_writes_what_format_md_says),
        cmocka_unit_test(the_code_reads_what_format_md_says),
        cmocka_unit_test(every_flipped_bit_of_a_header_is_noticed),
        cmocka_unit_test(frames_follow_or_do_not),
    };
    if (argc != 2) {
        (void)fprintf(stderr, "usage: test_frame FORMAT.md\n");
        return 2;
    }
    format_path = argv[1];
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
