// SPDX-License-Identifier: MIT
/*
 * Walking a stream's rows and showing them as JSON: places over transactions that span batches,
 * rows that are skipped, every kind of event, every kind of value.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "record_json.h"
#include "schema.h"
#include "stream_walk.h"

#define BATCHES_MAX 4

struct mr_stream {
    struct mr_batch *batches[BATCHES_MAX];
    uint32_t count;
};

struct mr_stream_reader {
    struct mr_stream *stream;
    uint32_t next;
};

static struct mr_stream_reader *open_reader(struct mr_stream *stream, uint64_t first_sequence,
                                            struct mr_error *err)
{
    if (first_sequence == 999) {
        mr_fail(err, MR_E_LIMIT, MR_STOP, "sequence 999 is deleted");
        return NULL;
    }
    struct mr_stream_reader *reader = calloc(1, sizeof(*reader));
    reader->stream = stream;
    return reader;
}

static struct mr_batch *next_batch(struct mr_stream_reader *reader, uint32_t wait_ms,
                                   struct mr_error *err)
{
    (void)wait_ms;
    err->code = MR_OK;
    if (reader->next >= reader->stream->count) {
        return NULL;
    }
    struct mr_batch *batch = reader->stream->batches[reader->next++];
    mr_batch_retain(batch);
    return batch;
}

static void close_reader(struct mr_stream_reader *reader)
{
    free(reader);
}

static const struct mr_stream_ops stream_ops = {
    .reader_open = open_reader,
    .reader_next = next_batch,
    .reader_close = close_reader,
};

struct fixture {
    struct mr_batch_pool *pool;
    struct mr_catalog *catalog;
    const struct mr_schema *schema;
    struct mr_stream stream;
};

static int set_up(void **state)
{
    static const struct mr_column columns[] = {
        {.name = "id", .source_type = "bigint", .type = MR_TYPE_I64, .key_index = 0},
        {.name = "big",
         .source_type = "u",
         .type = MR_TYPE_U64,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "price",
         .source_type = "d",
         .type = MR_TYPE_DECIMAL,
         .precision = 9,
         .scale = 2,
         .key_index = MR_NOT_IN_KEY},
        {.name = "note",
         .source_type = "t",
         .type = MR_TYPE_TEXT,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "ratio", .source_type = "f", .type = MR_TYPE_F64, .key_index = MR_NOT_IN_KEY},
        {.name = "small", .source_type = "s", .type = MR_TYPE_U8, .key_index = MR_NOT_IN_KEY},
        {.name = "raw", .source_type = "b", .type = MR_TYPE_BYTES, .key_index = MR_NOT_IN_KEY},
        {.name = "ok", .source_type = "bool", .type = MR_TYPE_BOOL, .key_index = MR_NOT_IN_KEY},
    };
    const struct mr_schema draft = {.space = "parking",
                                    .table = "payment",
                                    .columns = columns,
                                    .column_count = MR_ARRAY_LEN(columns)};
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct mr_error err = {0};
    fixture->pool = mr_batch_pool_open(BATCHES_MAX, (size_t)16 << 20, 0, &err);
    fixture->catalog = mr_catalog_open();
    assert_non_null(fixture->pool);
    fixture->schema = mr_catalog_intern(fixture->catalog, &draft, &err);
    assert_non_null(fixture->schema);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t i = 0; i < fixture->stream.count; i++) {
        mr_batch_release(fixture->stream.batches[i]);
    }
    mr_batch_pool_close(fixture->pool);
    mr_catalog_close(fixture->catalog);
    free(fixture);
    return 0;
}

static struct mr_batch *add_batch(struct fixture *fixture, uint64_t first_sequence)
{
    struct mr_batch *batch = mr_batch_take(fixture->pool, 0);
    assert_non_null(batch);
    batch->first_sequence = first_sequence;
    fixture->stream.batches[fixture->stream.count++] = batch;
    return batch;
}

static uint16_t put_row(struct mr_batch *batch, const struct mr_schema *schema, int64_t id,
                        uint16_t *chunk_index)
{
    struct mr_error err = {0};
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, chunk_index, &err);
    assert_non_null(chunk);
    const uint32_t row = chunk->row_count;
    mr_put_i64(&chunk->columns[0], row, id);
    mr_put_u64(&chunk->columns[1], row, UINT64_MAX);
    mr_put_decimal(&chunk->columns[2], row, -1250);
    assert_true(mr_put_bytes(&chunk->columns[3], &batch->arena, row, "a\"\xff", 3));
    mr_put_f64(&chunk->columns[4], row, id == 13 ? (double)__builtin_nanf("") : 0.5);
    mr_put_u8(&chunk->columns[5], row, 200);
    assert_true(mr_put_bytes(&chunk->columns[6], &batch->arena, row, "\0\1\2", 3));
    mr_put_u8(&chunk->columns[7], row, 1);
    return mr_chunk_end_row(chunk);
}

static void insert(struct mr_batch *batch, const struct mr_schema *schema, int64_t id)
{
    struct mr_error err = {0};
    uint16_t chunk = 0;
    const uint16_t row = put_row(batch, schema, id, &chunk);
    assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, chunk, row, MR_NO_CHUNK, 0, &err));
}

static void begin(struct mr_batch *batch)
{
    struct mr_error err = {0};
    assert_true(mr_batch_begin(batch, 1, 1700000000123456, &err));
}

/* Transactions: 5 of two rows, 6 of three rows that span two batches, 7 of one. */
static void fill_stream(struct fixture *fixture)
{
    struct mr_batch *first = add_batch(fixture, 5);
    begin(first);
    insert(first, fixture->schema, 50);
    insert(first, fixture->schema, 51);
    mr_batch_commit(first, (struct mr_native_position){5, 0}, 1700000000123456);
    begin(first);
    insert(first, fixture->schema, 60);
    mr_batch_suspend(first);
    struct mr_batch *second = add_batch(fixture, 6);
    second->continues = true;
    begin(second);
    insert(second, fixture->schema, 61);
    insert(second, fixture->schema, 62);
    mr_batch_commit(second, (struct mr_native_position){6, 0}, 1700000000123456);
    begin(second);
    insert(second, fixture->schema, 70);
    mr_batch_commit(second, (struct mr_native_position){7, 0}, 1700000000123456);
}

static void places_count_over_batches(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        struct mr_stream_place from;
        const char *ids;
        const char *places;
    } cases[] = {
        {{1, 0}, "50 51 60 61 62 70 ", "5-0 5-1 6-0 6-1 6-2 7-0 "},
        {{5, 1}, "51 60 61 62 70 ", "5-1 6-0 6-1 6-2 7-0 "},
        {{6, 0}, "60 61 62 70 ", "6-0 6-1 6-2 7-0 "},
        {{6, 2}, "62 70 ", "6-2 7-0 "},
        {{6, 3}, "70 ", "7-0 "},
        {{8, 0}, "", ""},
    };
    fill_stream(fixture);
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct mr_stream_walk walk = {0};
        struct mr_stream_row row;
        struct mr_error err = {0};
        char ids[100] = "";
        char places[100] = "";
        print_message("    from %u-%u\n", (unsigned)cases[i].from.sequence, cases[i].from.index);
        assert_true(mr_stream_walk_open(&walk, &stream_ops, &fixture->stream, cases[i].from, &err));
        while (mr_stream_walk_next(&walk, 0, &row, &err) == MR_WALK_ROW) {
            int64_t id;
            memcpy(&id, mr_cell(&row.after->columns[0], row.after_row).bytes, sizeof(id));
            (void)snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%d ", (int)id);
            (void)snprintf(places + strlen(places), sizeof(places) - strlen(places), "%u-%u ",
                           (unsigned)row.place.sequence, row.place.index);
        }
        assert_string_equal(ids, cases[i].ids);
        assert_string_equal(places, cases[i].places);
        mr_stream_walk_close(&walk);
    }
}

static void deleted_place_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct mr_stream_walk walk = {0};
    struct mr_error err = {0};
    assert_false(mr_stream_walk_open(&walk, &stream_ops, &fixture->stream,
                                     (struct mr_stream_place){999, 0}, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    mr_stream_walk_close(&walk);
}

static void record(struct fixture *fixture, struct mr_json *json)
{
    struct mr_stream_walk walk = {0};
    struct mr_stream_row row;
    struct mr_error err = {0};
    mr_json_reset(json);
    assert_true(mr_stream_walk_open(&walk, &stream_ops, &fixture->stream,
                                    (struct mr_stream_place){1, 0}, &err));
    while (mr_stream_walk_next(&walk, 0, &row, &err) == MR_WALK_ROW) {
        mr_record_json(json, "ops", &row);
    }
    mr_stream_walk_close(&walk);
}

static void values_keep_their_meaning(void **state)
{
    struct fixture *fixture = *state;
    struct mr_json json = {0};
    struct mr_batch *batch = add_batch(fixture, 1);
    begin(batch);
    insert(batch, fixture->schema, INT64_C(9007199254740993));
    mr_batch_commit(batch, (struct mr_native_position){1, 0}, 1700000000123456);
    record(fixture, &json);
    assert_string_equal(
        json.text, "{\"topic\":\"ops.parking.payment\",\"place\":\"1-0\",\"op\":\"insert\","
                   "\"committed_at\":\"2023-11-14T22:13:20.123456Z\",\"before\":null,\"after\":{"
                   "\"id\":\"9007199254740993\",\"big\":\"18446744073709551615\",\"price\":"
                   "\"-12.50\",\"note\":\"a\\\"\xef\xbf\xbd\",\"ratio\":0.5,\"small\":200,"
                   "\"raw\":\"AAEC\",\"ok\":true}}");
    mr_json_done(&json);
}

static void not_a_number_is_a_text(void **state)
{
    struct fixture *fixture = *state;
    struct mr_json json = {0};
    struct mr_batch *batch = add_batch(fixture, 1);
    begin(batch);
    insert(batch, fixture->schema, 13);
    mr_batch_commit(batch, (struct mr_native_position){1, 0}, 1);
    record(fixture, &json);
    assert_non_null(strstr(json.text, "\"ratio\":\"NaN\""));
    mr_json_done(&json);
}

/* An update whose text the server did not send, a delete by key, a truncate. */
static void other_kinds_are_shown(void **state)
{
    struct fixture *fixture = *state;
    struct mr_json json = {0};
    struct mr_error err = {0};
    uint16_t after = 0;
    uint16_t key = 0;
    struct mr_batch *batch = add_batch(fixture, 1);
    begin(batch);
    struct mr_chunk *keys = mr_batch_chunk_for(batch, fixture->schema, MR_IMAGE_KEY, &key, &err);
    assert_non_null(keys);
    mr_put_i64(&keys->columns[0], 0, 4);
    const uint16_t key_row = mr_chunk_end_row(keys);
    struct mr_chunk *rows = mr_batch_chunk_for(batch, fixture->schema, MR_IMAGE_FULL, &after, &err);
    mr_put_i64(&rows->columns[0], 0, 5);
    mr_put_null(&rows->columns[1], 0);
    mr_put_decimal(&rows->columns[2], 0, 1);
    assert_true(
        mr_put_state(&rows->columns[3], &batch->arena, 0, rows->capacity, MR_CELL_UNCHANGED));
    mr_put_f64(&rows->columns[4], 0, 1);
    mr_put_u8(&rows->columns[5], 0, 0);
    assert_true(mr_put_bytes(&rows->columns[6], &batch->arena, 0, "", 0));
    mr_put_u8(&rows->columns[7], 0, 0);
    const uint16_t row = mr_chunk_end_row(rows);
    assert_true(mr_batch_add_event(batch, MR_EVENT_UPDATE, after, row, key, key_row, &err));
    assert_true(mr_batch_add_event(batch, MR_EVENT_DELETE, MR_NO_CHUNK, 0, key, key_row, &err));
    assert_true(mr_batch_add_truncate(batch, fixture->schema, &err));
    mr_batch_commit(batch, (struct mr_native_position){1, 0}, 0);
    record(fixture, &json);
    static const char *const parts[] = {
        "\"place\":\"1-0\",\"op\":\"update\",\"committed_at\":null,\"before\":{\"id\":4},\"after\":"
        "{\"id\":5,\"big\":null,\"price\":\"0.01\",\"ratio\":1",
        "\"place\":\"1-1\",\"op\":\"delete\",\"committed_at\":null,\"before\":{\"id\":4},\"after\":"
        "null}",
        "\"place\":\"1-2\",\"op\":\"truncate\",\"committed_at\":null,\"before\":null,\"after\":"
        "null}",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(parts); i++) {
        if (strstr(json.text, parts[i]) == NULL) {
            fail_msg("no %s in %s", parts[i], json.text);
        }
    }
    assert_null(strstr(json.text, "note"));
    mr_json_done(&json);
}

/* What is between rows has a place of its own; a note of no table has no topic. */
static void notes_are_shown(void **state)
{
    struct fixture *fixture = *state;
    struct mr_json json = {0};
    struct mr_error err = {0};
    struct mr_batch *batch = add_batch(fixture, 1);
    const struct mr_note notes[] = {
        {.kind = MR_NOTE_SCHEMA_CHANGE,
         .after = fixture->schema,
         .name = mr_slice_of("create"),
         .text = mr_slice_of("CREATE TABLE")},
        {.kind = MR_NOTE_MESSAGE,
         .flags = MR_NOTE_TRANSACTIONAL,
         .name = mr_slice_of("app"),
         .text = mr_slice_of("\xff!")},
        {.kind = MR_NOTE_QUARANTINE, .before = fixture->schema, .text = mr_slice_of("NaN")},
    };
    begin(batch);
    for (size_t i = 0; i < MR_ARRAY_LEN(notes); i++) {
        assert_true(mr_batch_add_note(batch, &notes[i], &err));
    }
    insert(batch, fixture->schema, 1);
    mr_batch_commit(batch, (struct mr_native_position){1, 0}, 0);
    record(fixture, &json);
    static const char *const parts[] = {
        "{\"topic\":\"ops.parking.payment\",\"place\":\"1-0\",\"op\":\"schema_change\","
        "\"committed_at\":null,\"name\":\"create\",\"text\":\"CREATE TABLE\",\"before\":null,"
        "\"after\":{\"schema\":\"parking\",\"table\":\"payment\",\"version\":1,\"columns\":[{"
        "\"name\":\"id\",\"type\":\"bigint\",\"nullable\":false,\"key\":true},",
        "{\"topic\":null,\"place\":\"1-1\",\"op\":\"message\",\"committed_at\":null,"
        "\"name\":\"app\",\"text\":\"\xef\xbf\xbd!\",\"transactional\":true,\"before\":null,"
        "\"after\":null}",
        ("\"place\":\"1-2\",\"op\":\"quarantine\",\"committed_at\":null,\"name\":\"\","
         "\"text\":\"NaN\",\"before\":{\"schema\""),
        "\"place\":\"1-3\",\"op\":\"insert\"",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(parts); i++) {
        if (strstr(json.text, parts[i]) == NULL) {
            fail_msg("no %s in %s", parts[i], json.text);
        }
    }
    mr_json_done(&json);
}

static void huge_values_are_shown_in_part(void **state)
{
    struct fixture *fixture = *state;
    struct mr_json json = {0};
    struct mr_error err = {0};
    uint16_t index = 0;
    struct mr_batch *batch = add_batch(fixture, 1);
    begin(batch);
    struct mr_chunk *chunk =
        mr_batch_chunk_for(batch, fixture->schema, MR_IMAGE_FULL, &index, &err);
    char *large = calloc(1, 100000);
    memset(large, 'y', 100000);
    for (uint16_t c = 0; c < chunk->column_count; c++) {
        if (c == 3) {
            assert_true(mr_put_bytes(&chunk->columns[c], &batch->arena, 0, large, 100000));
        } else {
            mr_put_null(&chunk->columns[c], 0);
        }
    }
    const uint16_t row = mr_chunk_end_row(chunk);
    assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, index, row, MR_NO_CHUNK, 0, &err));
    mr_batch_commit(batch, (struct mr_native_position){1, 0}, 0);
    record(fixture, &json);
    assert_non_null(strstr(json.text, "\"note\":{\"size\":100000,\"head\":\"yyyy"));
    assert_true(json.length < 2000);
    free(large);
    mr_json_done(&json);
}

#define WITH_STREAM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(places_count_over_batches), WITH_STREAM(deleted_place_is_refused),
        WITH_STREAM(values_keep_their_meaning), WITH_STREAM(not_a_number_is_a_text),
        WITH_STREAM(other_kinds_are_shown),     WITH_STREAM(huge_values_are_shown_in_part),
        WITH_STREAM(notes_are_shown),
    };
    return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
