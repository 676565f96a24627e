// SPDX-License-Identifier: MIT
/*
 * test_stream_log.c - the stream's contract, seen through its ops on a fake disk.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "log_fixture.h"
#include "log_state.h"

static void append_ok(struct log_fixture *fixture, uint64_t seed, uint32_t transactions,
                      uint32_t rows)
{
    struct mr_error err = {0};
    if (!log_fixture_append(fixture, seed, transactions, rows, &err)) {
        fail_msg("append: %s", err.message);
    }
}

static void part_ok(struct log_fixture *fixture, uint64_t seed, uint32_t rows, enum log_part part)
{
    struct mr_error err = {0};
    if (!log_fixture_append_part(fixture, seed, rows, part, &err)) {
        fail_msg("append: %s", err.message);
    }
}

static void abort_ok(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    assert_true(log_fixture_abort(fixture, &err));
}

static void sync_ok(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    assert_true(log_fixture_sync(fixture, &err));
}

static void open_ok(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    if (!log_fixture_open(fixture, &err)) {
        fail_msg("open: %s", err.message);
    }
}

static void reopen_ok(struct log_fixture *fixture)
{
    log_fixture_close(fixture);
    open_ok(fixture);
}

static struct mr_stream_observation observe(struct log_fixture *fixture)
{
    struct mr_stream_observation observation;
    mr_stream_log.observe(fixture->stream, &observation);
    return observation;
}

/* Each compression, read from the segments with nothing in memory. */
static void what_is_written_is_read(void **state)
{
    (void)state;
    for (unsigned compression = 0; compression <= MR_CODEC_ZSTD; compression++) {
        struct log_fixture fixture;
        log_fixture_init(&fixture, 1);
        fixture.config.compression = compression;
        open_ok(&fixture);
        assert_null(mr_stream_log.position(fixture.stream)->text);
        for (uint64_t i = 0; i < 40; i++) {
            append_ok(&fixture, 100 + i * 10, 1 + (uint32_t)i % 4, 1 + (uint32_t)(i * i) % 90);
        }
        sync_ok(&fixture);
        const uint64_t last = fixture.appended;
        assert_string_equal(mr_stream_log.position(fixture.stream)->text, "at/493");
        assert_int_equal(log_fixture_read_all(&fixture, 1, last), last);
        for (uint64_t first = 1; first <= last + 1; first++) {
            log_fixture_read_all(&fixture, first, last);
        }
        reopen_ok(&fixture);
        assert_string_equal(mr_stream_log.position(fixture.stream)->text, "at/493");
        assert_string_equal(mr_stream_log.position(fixture.stream)->epoch, "epoch-1");
        assert_int_equal(mr_stream_log.position(fixture.stream)->native.major, 493);
        for (uint64_t first = 1; first <= last + 1; first++) {
            log_fixture_read_all(&fixture, first, last);
        }
        const struct mr_stream_observation seen = observe(&fixture);
        assert_true(seen.segment_count > 3);
        assert_int_equal(seen.last_sequence, last);
        assert_int_equal(seen.first_sequence, 1);
        log_fixture_done(&fixture);
    }
}

static void schemas_come_back(void **state)
{
    (void)state;
    struct log_fixture fixture;
    log_fixture_init(&fixture, 2);
    open_ok(&fixture);
    append_ok(&fixture, 5, 2, 60);
    sync_ok(&fixture);
    assert_int_equal(mr_catalog_count(fixture.catalog), 3);
    const uint32_t wide = mr_catalog_latest(fixture.catalog, "shop", "wide")->schema_id;
    reopen_ok(&fixture);
    assert_int_equal(mr_catalog_count(fixture.catalog), 3);
    const struct mr_schema *schema = mr_catalog_latest(fixture.catalog, "shop", "wide");
    assert_non_null(schema);
    assert_int_equal(schema->schema_id, wide);
    assert_int_equal(schema->key_count, 2);
    assert_string_equal(schema->columns[schema->key[0]].name, "region");
    /* Segments on: the newest one alone gives the catalog. */
    for (uint64_t i = 0; i < 60; i++) {
        append_ok(&fixture, 1000 + i, 1, 50);
    }
    sync_ok(&fixture);
    assert_true(observe(&fixture).segment_count > 2);
    reopen_ok(&fixture);
    assert_int_equal(mr_catalog_count(fixture.catalog), 3);
    log_fixture_read_all(&fixture, 1, fixture.appended);
    log_fixture_done(&fixture);
}

/* A reader sees a transaction only when it is synced, and whole. */
static void only_whole_synced_transactions_are_shown(void **state)
{
    (void)state;
    for (int with_tail = 0; with_tail <= 1; with_tail++) {
        struct log_fixture fixture;
        struct mr_error err = {0};
        log_fixture_init(&fixture, 3);
        fixture.tail_bytes_max = with_tail != 0 ? UINT64_C(1) << 30 : 0;
        open_ok(&fixture);
        struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
        assert_non_null(reader);
        struct log_check check = {.fixture = &fixture, .next = 1};
        append_ok(&fixture, 1, 2, 5);
        assert_null(mr_stream_log.reader_next(reader, 0, &err));
        part_ok(&fixture, 50, 20, LOG_BEGIN);
        sync_ok(&fixture);
        /* transactions 1 and 2 are in a batch of their own */
        struct mr_batch *batch = mr_stream_log.reader_next(reader, 0, &err);
        assert_non_null(batch);
        log_check_batch(&check, batch);
        mr_batch_release(batch);
        assert_int_equal(check.next, 3);
        assert_null(mr_stream_log.reader_next(reader, 0, &err));
        assert_int_equal(err.code, MR_OK);
        part_ok(&fixture, 51, 20, LOG_MIDDLE);
        sync_ok(&fixture);
        assert_null(mr_stream_log.reader_next(reader, 0, &err));
        part_ok(&fixture, 52, 20, LOG_END);
        assert_null(mr_stream_log.reader_next(reader, 0, &err));
        sync_ok(&fixture);
        while ((batch = mr_stream_log.reader_next(reader, 0, &err)) != NULL) {
            log_check_batch(&check, batch);
            mr_batch_release(batch);
        }
        assert_int_equal(check.next, 4);
        assert_false(check.is_open);
        mr_stream_log.reader_close(reader);
        log_fixture_read_all(&fixture, 1, 3);
        log_fixture_done(&fixture);
    }
}

/* A batch with whole transactions, and a last one that is continued. */
static void append_mixed(struct log_fixture *fixture, uint64_t seed, bool begins)
{
    struct mr_error err = {0};
    struct mr_batch *batch = log_fixture_take(fixture);
    log_fixture_fill(fixture, batch, seed, 4, LOG_WHOLE);
    log_fixture_fill(fixture, batch, seed + 1, 4, LOG_WHOLE);
    if (begins) {
        log_fixture_fill(fixture, batch, seed + 2, 6, LOG_BEGIN);
        batch->continues = false;
    }
    const bool appended = mr_stream_log.append(fixture->stream, batch, &err);
    assert_true(appended);
    /* the model is told by hand: these transactions may be aborted */
    mr_batch_release(batch);
}

static void aborted_transactions_are_never_shown(void **state)
{
    (void)state;
    for (int with_tail = 0; with_tail <= 1; with_tail++) {
        struct log_fixture fixture;
        struct mr_error err = {0};
        log_fixture_init(&fixture, 4);
        fixture.tail_bytes_max = with_tail != 0 ? UINT64_C(1) << 30 : 0;
        open_ok(&fixture);
        struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
        assert_non_null(reader);
        append_ok(&fixture, 1, 1, 5);
        part_ok(&fixture, 60, 20, LOG_BEGIN);
        part_ok(&fixture, 61, 20, LOG_MIDDLE);
        sync_ok(&fixture);
        abort_ok(&fixture);
        abort_ok(&fixture); /* without an open transaction it does nothing */
        append_ok(&fixture, 70, 2, 3);
        append_mixed(&fixture, 80, true);
        struct mr_batch *aborts = log_fixture_take(&fixture);
        aborts->aborts = true;
        assert_true(mr_stream_log.append(fixture.stream, aborts, &err));
        mr_batch_release(aborts);
        sync_ok(&fixture);

        uint64_t next = 1;
        struct mr_batch *batch = NULL;
        while ((batch = mr_stream_log.reader_next(reader, 0, &err)) != NULL) {
            assert_false(batch->continued);
            assert_int_equal(batch->first_sequence, next);
            uint32_t rows = 0;
            for (uint32_t i = 0; i < batch->event_count; i++) {
                rows += batch->events[i].count;
            }
            assert_int_equal(rows, batch->row_count);
            next += batch->transaction_count;
            mr_batch_release(batch);
        }
        assert_int_equal(err.code, MR_OK);
        assert_int_equal(next, 6); /* 1, 70, 71, 80, 81 */
        mr_stream_log.reader_close(reader);
        assert_int_equal(observe(&fixture).last_sequence, 5);
        assert_string_equal(mr_stream_log.position(fixture.stream)->text, "at/81");
        reopen_ok(&fixture);
        assert_int_equal(observe(&fixture).last_sequence, 5);
        fixture.appended = 3;
        fixture.is_open = false;
        struct mr_stream_reader *late = mr_stream_log.reader_open(fixture.stream, 3, &err);
        batch = mr_stream_log.reader_next(late, 0, &err);
        assert_non_null(batch);
        assert_int_equal(batch->first_sequence + batch->transaction_count, 6);
        mr_batch_release(batch);
        mr_stream_log.reader_close(late);
        log_fixture_done(&fixture);
    }
}

/* A transaction over many segments, then an aborted one likewise. */
static void transactions_may_span_segments(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 5);
    fixture.config.compression = MR_CODEC_NONE;
    open_ok(&fixture);
    append_ok(&fixture, 1, 1, 5);
    part_ok(&fixture, 200, 100, LOG_BEGIN);
    for (uint64_t i = 0; i < 20; i++) {
        part_ok(&fixture, 201 + i, 100, LOG_MIDDLE);
    }
    part_ok(&fixture, 299, 10, LOG_END);
    part_ok(&fixture, 300, 100, LOG_BEGIN);
    for (uint64_t i = 0; i < 20; i++) {
        part_ok(&fixture, 301 + i, 100, LOG_MIDDLE);
    }
    sync_ok(&fixture);
    assert_true(observe(&fixture).segment_count > 6);
    assert_int_equal(observe(&fixture).last_sequence, 2);
    log_fixture_read_all(&fixture, 1, 2);
    log_fixture_read_all(&fixture, 2, 2);
    /* a restart drops what was left open */
    reopen_ok(&fixture);
    assert_int_equal(observe(&fixture).last_sequence, 2);
    append_ok(&fixture, 400, 1, 5);
    sync_ok(&fixture);
    for (uint64_t first = 1; first <= 4; first++) {
        log_fixture_read_all(&fixture, first, 3);
    }
    reopen_ok(&fixture);
    for (uint64_t first = 1; first <= 4; first++) {
        log_fixture_read_all(&fixture, first, 3);
    }
    assert_null(mr_stream_log.reader_open(fixture.stream, 5, &err));
    assert_int_equal(err.code, MR_E_CONFIG);
    assert_int_equal(err.recovery, MR_STOP);
    log_fixture_done(&fixture);
}

static bool append_position(struct log_fixture *fixture, uint64_t place, struct mr_error *err)
{
    struct mr_batch *batch = log_fixture_take(fixture);
    const struct mr_native_position native = {.major = place};
    assert_true(
        mr_batch_set_position(batch, mr_slice_of("epoch-1"), mr_slice_of("idle"), native, err));
    const bool appended = mr_stream_log.append(fixture->stream, batch, err);
    mr_batch_release(batch);
    return appended;
}

static void a_position_alone_is_kept_and_shown(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 6);
    open_ok(&fixture);
    assert_true(append_position(&fixture, 9, &err));
    assert_null(mr_stream_log.position(fixture.stream)->text);
    sync_ok(&fixture);
    assert_string_equal(mr_stream_log.position(fixture.stream)->text, "idle");
    append_ok(&fixture, 10, 1, 1);
    assert_true(append_position(&fixture, 11, &err));
    sync_ok(&fixture);
    reopen_ok(&fixture);
    assert_int_equal(mr_stream_log.position(fixture.stream)->native.major, 11);
    /* a reader that has seen transaction 1 is still told of the position behind it */
    struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 2, &err);
    struct mr_batch *batch = mr_stream_log.reader_next(reader, 0, &err);
    assert_non_null(batch);
    assert_int_equal(batch->transaction_count, 0);
    assert_int_equal(batch->native.major, 11);
    assert_int_equal(batch->source_index, 3);
    mr_batch_release(batch);
    assert_null(mr_stream_log.reader_next(reader, 0, &err));
    mr_stream_log.reader_close(reader);
    log_fixture_read_all(&fixture, 1, 1);
    log_fixture_done(&fixture);
}

/* A reader that keeps up gets the very batches that were appended. */
static void a_reader_that_keeps_up_reads_no_disk(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 7);
    fixture.tail_bytes_max = UINT64_C(64) << 20;
    open_ok(&fixture);
    struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
    for (uint64_t i = 0; i < 50; i++) {
        struct mr_batch *batch = log_fixture_take(&fixture);
        log_fixture_fill(&fixture, batch, 1000 + i, 30, LOG_WHOLE);
        assert_true(mr_stream_log.append(fixture.stream, batch, &err));
        sync_ok(&fixture);
        const uint64_t reads = mr_fake_env_call_count(fixture.fake, MR_FAKE_PREAD);
        struct mr_batch *seen = mr_stream_log.reader_next(reader, 0, &err);
        assert_ptr_equal(seen, batch);
        assert_int_equal(mr_fake_env_call_count(fixture.fake, MR_FAKE_PREAD), reads);
        mr_batch_release(seen);
        mr_batch_release(batch);
        assert_int_equal(fixture.stream->tail.count, 0); /* everybody has seen it */
    }
    mr_stream_log.reader_close(reader);
    log_fixture_done(&fixture);
}

/* One reader keeps up, one falls behind and catches up from the segments, then joins the tail. */
static void a_reader_that_fell_behind_joins_the_tail_again(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 8);
    fixture.tail_bytes_max = UINT64_C(64) << 20;
    open_ok(&fixture);
    struct mr_stream_reader *slow = mr_stream_log.reader_open(fixture.stream, 1, &err);
    for (uint64_t i = 0; i < 200; i++) {
        append_ok(&fixture, 1000 + i, 1, 3);
        sync_ok(&fixture);
        assert_true(fixture.stream->tail.count <= 16);
    }
    struct log_check check = {.fixture = &fixture, .next = 1};
    struct mr_batch *batch = NULL;
    while ((batch = mr_stream_log.reader_next(slow, 0, &err)) != NULL) {
        log_check_batch(&check, batch);
        mr_batch_release(batch);
    }
    assert_int_equal(check.next, 201);
    assert_true(check.batches < 10); /* small frames come joined */
    batch = log_fixture_take(&fixture);
    log_fixture_fill(&fixture, batch, 5000, 3, LOG_WHOLE);
    assert_true(mr_stream_log.append(fixture.stream, batch, &err));
    sync_ok(&fixture);
    struct mr_batch *seen = mr_stream_log.reader_next(slow, 0, &err);
    assert_ptr_equal(seen, batch);
    mr_batch_release(seen);
    mr_batch_release(batch);
    mr_stream_log.reader_close(slow);
    log_fixture_done(&fixture);
}

static void a_second_process_is_locked_out(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init_real(&fixture);
    open_ok(&fixture);
    struct mr_catalog *catalog = mr_catalog_open();
    const struct mr_stream_context context = {
        .source = "ops",
        .config = &fixture.config,
        .env = fixture.env,
        .data_dir_fd = fixture.data_dir_fd,
        .catalog = catalog,
        .batch_bytes_max = 1 << 20,
    };
    assert_null(mr_stream_log.open(&context, &err));
    assert_int_equal(err.code, MR_E_LOCKED);
    assert_int_equal(err.recovery, MR_STOP);
    assert_non_null(strstr(err.message, "in use by another process"));
    mr_catalog_close(catalog);
    append_ok(&fixture, 3, 3, 40);
    sync_ok(&fixture);
    log_fixture_read_all(&fixture, 1, 3);
    reopen_ok(&fixture);
    log_fixture_read_all(&fixture, 1, 3);
    log_fixture_done(&fixture);
}

/* A name that is no directory, or leads elsewhere, is refused. */
static void source_names_are_checked(void **state)
{
    (void)state;
    static const char *const names[] = {"", ".", "..", "a/b", "../x"};
    struct log_fixture fixture;
    log_fixture_init(&fixture, 9);
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        struct mr_error err = {0};
        const struct mr_stream_context context = {
            .source = names[i], .config = &fixture.config, .env = fixture.env};
        assert_null(mr_stream_log.open(&context, &err));
        assert_int_equal(err.code, MR_E_CONFIG);
    }
    log_fixture_done(&fixture);
}

static void find_time_gives_a_place_to_start(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 10);
    mr_fake_env_set_unix_us(fixture.fake, 0);
    open_ok(&fixture);
    /* commit times are seed * 1000 */
    for (uint64_t i = 1; i <= 300; i++) {
        mr_fake_env_set_unix_us(fixture.fake, (int64_t)i * 1000);
        append_ok(&fixture, i, 1, 20);
    }
    sync_ok(&fixture);
    for (int round = 0; round < 2; round++) {
        assert_true(observe(&fixture).segment_count > 3);
        for (uint64_t i = 1; i <= 300; i += 13) {
            uint64_t sequence = 0;
            assert_true(
                mr_stream_log.find_time(fixture.stream, (int64_t)i * 1000, &sequence, &err));
            assert_true(sequence <= i);
            assert_true(sequence + 60 > i); /* not far before */
            log_fixture_read_all(&fixture, sequence, 300);
        }
        reopen_ok(&fixture);
    }
    log_fixture_done(&fixture);
}

/* A batch of many tables: more schemas than one schema frame takes. */
static void many_schemas_are_logged(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    const struct mr_native_position end = {.major = 1};
    log_fixture_init(&fixture, 41);
    open_ok(&fixture);
    struct mr_batch *batch = log_fixture_take(&fixture);
    assert_true(mr_batch_begin(batch, 1, 0, &err));
    for (int i = 0; i < 100; i++) {
        char table[16];
        (void)snprintf(table, sizeof(table), "t%d", i);
        const struct mr_column column = {
            .name = "id", .type = MR_TYPE_I32, .key_index = MR_NOT_IN_KEY};
        const struct mr_schema draft = {
            .space = "s", .table = table, .columns = &column, .column_count = 1};
        const struct mr_schema *schema = mr_catalog_intern(fixture.catalog, &draft, &err);
        if (i % 2 == 0) {
            assert_true(mr_batch_add_truncate(batch, schema, &err));
            continue;
        }
        uint16_t index = 0;
        struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
        mr_put_i32(&chunk->columns[0], chunk->row_count, i);
        const uint16_t row = mr_chunk_end_row(chunk);
        assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, index, row, MR_NO_CHUNK, 0, &err));
    }
    mr_batch_commit(batch, end, 1);
    const uint32_t sum = log_fixture_sum(batch, 0);
    assert_true(mr_stream_log.append(fixture.stream, batch, &err));
    mr_batch_release(batch);
    sync_ok(&fixture);
    reopen_ok(&fixture);
    assert_int_equal(mr_catalog_count(fixture.catalog), 100);
    struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
    batch = mr_stream_log.reader_next(reader, 0, &err);
    assert_non_null(batch);
    assert_int_equal(log_fixture_sum(batch, 0), sum);
    mr_batch_release(batch);
    mr_stream_log.reader_close(reader);
    log_fixture_done(&fixture);
}

/* One value of many megabytes; and a reader whose batches are too small for it. */
static void large_values_pass(void **state)
{
    (void)state;
    static uint8_t value[9 << 20];
    struct log_fixture fixture;
    struct mr_error err = {0};
    const struct mr_native_position end = {.major = 2};
    log_fixture_init(&fixture, 42);
    fixture.config.compression = MR_CODEC_NONE;
    open_ok(&fixture);
    append_ok(&fixture, 1, 1, 3);
    struct mr_batch *batch = log_fixture_take(&fixture);
    const struct mr_schema *schema = log_fixture_schema(&fixture, 2);
    uint16_t index = 0;
    for (size_t i = 0; i < sizeof(value); i++) {
        value[i] = (uint8_t)(i * 31 >> 3);
    }
    assert_true(mr_batch_begin(batch, 1, 0, &err));
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
    assert_true(mr_put_bytes(&chunk->columns[0], &batch->arena, 0, value, sizeof(value)));
    const uint16_t row = mr_chunk_end_row(chunk);
    assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, index, row, MR_NO_CHUNK, 0, &err));
    mr_batch_commit(batch, end, 1);
    const uint32_t sum = log_fixture_sum(batch, 0);
    assert_true(mr_stream_log.append(fixture.stream, batch, &err));
    mr_batch_release(batch);
    sync_ok(&fixture);
    struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 2, &err);
    batch = mr_stream_log.reader_next(reader, 0, &err);
    assert_non_null(batch);
    assert_int_equal(log_fixture_sum(batch, 0), sum);
    mr_batch_release(batch);
    mr_stream_log.reader_close(reader);
    log_fixture_close(&fixture);

    struct mr_catalog *catalog = mr_catalog_open();
    const struct mr_stream_context context = {
        .source = "ops",
        .config = &fixture.config,
        .env = fixture.env,
        .data_dir_fd = fixture.data_dir_fd,
        .catalog = catalog,
        .batch_bytes_max = 1 << 20,
    };
    struct mr_stream *stream = mr_stream_log.open(&context, &err);
    assert_non_null(stream);
    reader = mr_stream_log.reader_open(stream, 1, &err);
    batch = mr_stream_log.reader_next(reader, 0, &err);
    assert_non_null(batch); /* the first transaction fits */
    assert_int_equal(batch->transaction_count, 1);
    mr_batch_release(batch);
    assert_null(mr_stream_log.reader_next(reader, 0, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    assert_non_null(strstr(err.message, "memory_max"));
    mr_stream_log.reader_close(reader);
    mr_stream_log.close(stream);
    mr_catalog_close(catalog);
    log_fixture_done(&fixture);
}

/* A reader that is behind has a bounded number of batches; none is lost while all are out. */
static void batches_that_are_out_are_waited_for(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    struct mr_batch *out[64];
    log_fixture_init(&fixture, 43);
    fixture.tail_bytes_max = 0;
    open_ok(&fixture);
    for (uint64_t i = 0; i < 40; i++) {
        append_ok(&fixture, 10 + i, 1, 900); /* too large to be joined */
    }
    sync_ok(&fixture);
    struct log_check check = {.fixture = &fixture, .next = 1};
    struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
    uint32_t count = 0;
    while (check.next <= 40) {
        out[count] = mr_stream_log.reader_next(reader, 1, &err);
        assert_int_equal(err.code, MR_OK);
        if (out[count] != NULL) {
            log_check_batch(&check, out[count++]);
            assert_true(count < MR_ARRAY_LEN(out));
            continue;
        }
        assert_true(count > 1);
        while (count > 0) {
            mr_batch_release(out[--count]);
        }
    }
    while (count > 0) {
        mr_batch_release(out[--count]);
    }
    mr_stream_log.reader_close(reader);
    log_fixture_done(&fixture);
}

/* A batch with nothing in it is no frame. */
static void an_empty_batch_is_not_written(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 44);
    open_ok(&fixture);
    append_ok(&fixture, 1, 1, 1);
    const uint64_t size = observe(&fixture).size_bytes;
    struct mr_batch *batch = log_fixture_take(&fixture);
    assert_true(mr_stream_log.append(fixture.stream, batch, &err));
    assert_int_equal(batch->first_sequence, 2);
    mr_batch_release(batch);
    assert_int_equal(observe(&fixture).size_bytes, size);
    log_fixture_done(&fixture);
}

static void options_have_defaults(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_option_memory memory = {0};
    struct mr_stream_log_config config;
    memset(&config, 0, sizeof(config));
    assert_int_equal(mr_stream_log.config_size, sizeof(config));
    assert_true(mr_options_defaults(mr_stream_log.options, &config, &memory, &err));
    assert_int_equal(config.segment_bytes_max, UINT64_C(64) << 20);
    assert_int_equal(config.retention_ms, UINT64_C(7) * 24 * 3600 * 1000);
    assert_int_equal(config.retention_bytes, UINT64_C(20) << 30);
    assert_false(config.retention_force);
    assert_int_equal(config.compression, MR_CODEC_LZ4);
    mr_options_free(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(schemas_come_back),
        cmocka_unit_test(only_whole_synced_transactions_are_shown),
        cmocka_unit_test(aborted_transactions_are_never_shown),
        cmocka_unit_test(transactions_may_span_segments),
        cmocka_unit_test(a_position_alone_is_kept_and_shown),
        cmocka_unit_test(a_reader_that_keeps_up_reads_no_disk),
        cmocka_unit_test(a_reader_that_fell_behind_joins_the_tail_again),
        cmocka_unit_test(a_second_process_is_locked_out),
        cmocka_unit_test(source_names_are_checked),
        cmocka_unit_test(find_time_gives_a_place_to_start),
        cmocka_unit_test(many_schemas_are_logged),
        cmocka_unit_test(large_values_pass),
        cmocka_unit_test(batches_that_are_out_are_waited_for),
        cmocka_unit_test(an_empty_batch_is_not_written),
        cmocka_unit_test(options_have_defaults),
    };
    return cmocka_run_group_tests_name("stream_log", tests, NULL, NULL);
}
