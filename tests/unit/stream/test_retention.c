// SPDX-License-Identifier: MIT
/*
 * test_retention.c - what is deleted, what is kept, and what happens when neither may be.
 */
#include "check.h"

#include <string.h>

#include "log_fixture.h"

#define HOUR_US (UINT64_C(3600) * 1000000)

static struct mr_stream_observation observe(struct log_fixture *fixture)
{
    struct mr_stream_observation observation;
    mr_stream_log.observe(fixture->stream, &observation);
    return observation;
}

static void init(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    log_fixture_init(fixture, 21);
    fixture->config.segment_bytes_max = 8192;
    assert_true(log_fixture_open(fixture, &err));
}

static void append_some(struct log_fixture *fixture, uint32_t count)
{
    struct mr_error err = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (!log_fixture_append(fixture, fixture->appended + 1, 1, 20, &err)) {
            fail_msg("append: %s", err.message);
        }
    }
    assert_true(log_fixture_sync(fixture, &err));
}

static void expire_ok(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    if (!mr_stream_log.expire(fixture->stream, &err)) {
        fail_msg("expire: %s", err.message);
    }
}

static void reopen(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    log_fixture_close(fixture);
    assert_true(log_fixture_open(fixture, &err));
}

/* Old segments go once every sink has committed them, and not before. */
static void age_deletes_what_is_released(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 22);
    fixture.config.segment_bytes_max = 8192;
    fixture.config.retention_ms = 3600 * 1000;
    assert_true(log_fixture_open(&fixture, &err));
    mr_stream_log.release(fixture.stream, 0, 0);
    mr_stream_log.release(fixture.stream, 5, 0);
    append_some(&fixture, 60);
    const uint64_t count = observe(&fixture).segment_count;
    assert_true(count > 5);
    expire_ok(&fixture);
    assert_int_equal(observe(&fixture).segment_count, count); /* too young */
    mr_fake_env_advance_us(fixture.fake, 2 * HOUR_US);
    expire_ok(&fixture);
    assert_int_equal(observe(&fixture).segment_count, count); /* not released */
    mr_stream_log.release(fixture.stream, 0, 60);
    mr_stream_log.release(fixture.stream, 5, 20);
    assert_int_equal(observe(&fixture).released_sequence, 20);
    expire_ok(&fixture);
    const struct mr_stream_observation seen = observe(&fixture);
    assert_true(seen.segment_count < count && seen.segment_count > 1);
    assert_true(seen.first_sequence > 1 && seen.first_sequence <= 21); /* 21 is still wanted */
    log_fixture_read_all(&fixture, 21, 60);
    assert_null(mr_stream_log.reader_open(fixture.stream, seen.first_sequence - 1, &err));
    assert_int_equal(err.code, MR_E_LOST);
    mr_stream_log.release(fixture.stream, 5, 60);
    expire_ok(&fixture);
    assert_int_equal(observe(&fixture).segment_count, 1); /* the last one is never deleted */
    reopen(&fixture);
    assert_int_equal(observe(&fixture).segment_count, 1);
    append_some(&fixture, 1);
    log_fixture_read_all(&fixture, observe(&fixture).first_sequence, 61);
    log_fixture_done(&fixture);
}

/* At retention_size intake waits for the slowest sink, and goes on after it. */
static void size_pauses_intake(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 23);
    fixture.config.retention_bytes = 40000;
    assert_true(log_fixture_open(&fixture, &err));
    mr_stream_log.release(fixture.stream, 0, 0);
    while (log_fixture_append(&fixture, fixture.appended + 1, 1, 20, &err)) {
        assert_true(log_fixture_sync(&fixture, &err));
        assert_true(fixture.appended < 1000);
    }
    assert_int_equal(err.code, MR_E_FULL);
    assert_int_equal(err.recovery, MR_RETRY);
    assert_non_null(strstr(err.message, "retention_size"));
    assert_true(observe(&fixture).intake_paused);
    assert_true(observe(&fixture).size_bytes >= 40000);
    log_fixture_read_all(&fixture, 1, fixture.appended);
    mr_stream_log.release(fixture.stream, 0, fixture.appended);
    append_some(&fixture, 1);
    assert_false(observe(&fixture).intake_paused);
    assert_true(observe(&fixture).size_bytes < 45000);
    for (int i = 0; i < 200; i++) {
        append_some(&fixture, 1);
        mr_stream_log.release(fixture.stream, 0, fixture.appended);
    }
    assert_true(observe(&fixture).size_bytes < 50000);
    log_fixture_read_all(&fixture, observe(&fixture).first_sequence, fixture.appended);
    log_fixture_done(&fixture);
}

/* One batch may be larger than all that may be kept: it goes in, and goes again. */
static void a_batch_larger_than_retention_size_does_not_block(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 24);
    fixture.config.retention_bytes = 20000;
    fixture.config.compression = 0;
    assert_true(log_fixture_open(&fixture, &err));
    mr_stream_log.release(fixture.stream, 0, 0);
    assert_true(log_fixture_append(&fixture, 1, 1, 400, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    assert_true(observe(&fixture).size_bytes > 40000);
    assert_false(log_fixture_append(&fixture, 2, 1, 400, &err));
    assert_int_equal(err.code, MR_E_FULL);
    mr_stream_log.release(fixture.stream, 0, 1);
    assert_true(log_fixture_append(&fixture, 2, 1, 400, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    log_fixture_read_all(&fixture, 2, 2);
    log_fixture_done(&fixture);
}

/* retention_force: a sink that is too slow loses, and is told so. */
static void force_deletes_what_a_sink_still_needs(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, 25);
    fixture.config.retention_bytes = 40000;
    fixture.config.retention_force = true;
    assert_true(log_fixture_open(&fixture, &err));
    mr_stream_log.release(fixture.stream, 0, 0);
    struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
    assert_non_null(reader);
    struct mr_batch *batch = NULL;
    append_some(&fixture, 2);
    batch = mr_stream_log.reader_next(reader, 0, &err);
    assert_non_null(batch);
    mr_batch_release(batch);
    append_some(&fixture, 150);
    assert_true(observe(&fixture).first_sequence > 10);
    /* the reader gets what it still can, in order, and then the truth */
    do {
        batch = mr_stream_log.reader_next(reader, 0, &err);
        mr_batch_release(batch);
    } while (batch != NULL);
    assert_int_equal(err.code, MR_E_LOST);
    assert_int_equal(err.recovery, MR_STOP);
    assert_non_null(strstr(err.message, "deleted by retention"));
    mr_stream_log.reader_close(reader);
    assert_null(mr_stream_log.reader_open(fixture.stream, 3, &err));
    assert_int_equal(err.code, MR_E_LOST);
    log_fixture_read_all(&fixture, observe(&fixture).first_sequence, fixture.appended);
    log_fixture_done(&fixture);
}

/* A segment in which an open transaction began is needed until that transaction is committed. */
static void the_beginning_of_a_transaction_is_kept(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    init(&fixture);
    mr_stream_log.release(fixture.stream, 0, 0);
    fixture.config.retention_ms = 0;
    log_fixture_close(&fixture);
    assert_true(log_fixture_open(&fixture, &err));
    mr_stream_log.release(fixture.stream, 0, 0);
    append_some(&fixture, 1);
    assert_true(log_fixture_append_part(&fixture, 500, 40, LOG_BEGIN, &err));
    for (uint64_t i = 0; i < 10; i++) {
        assert_true(log_fixture_append_part(&fixture, 501 + i, 40, LOG_MIDDLE, &err));
    }
    assert_true(log_fixture_sync(&fixture, &err));
    mr_stream_log.release(fixture.stream, 0, 1);
    mr_fake_env_advance_us(fixture.fake, HOUR_US);
    const uint64_t count = observe(&fixture).segment_count;
    assert_true(count > 4);
    expire_ok(&fixture);
    assert_true(observe(&fixture).segment_count >= count - 1); /* transaction 1 may go */
    assert_true(observe(&fixture).first_sequence <= 2);
    assert_true(log_fixture_append_part(&fixture, 600, 4, LOG_END, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    expire_ok(&fixture);
    log_fixture_read_all(&fixture, 2, 2);
    mr_stream_log.release(fixture.stream, 0, 2);
    expire_ok(&fixture);
    assert_int_equal(observe(&fixture).segment_count, 1);
    /* what is left begins inside of it: transaction 2 cannot be read any more, 3 can */
    assert_int_equal(observe(&fixture).first_sequence, 3);
    assert_null(mr_stream_log.reader_open(fixture.stream, 2, &err));
    append_some(&fixture, 1);
    log_fixture_read_all(&fixture, 3, 3);
    reopen(&fixture);
    log_fixture_read_all(&fixture, 3, 3);
    log_fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(age_deletes_what_is_released),
        cmocka_unit_test(size_pauses_intake),
        cmocka_unit_test(a_batch_larger_than_retention_size_does_not_block),
        cmocka_unit_test(force_deletes_what_a_sink_still_needs),
        cmocka_unit_test(the_beginning_of_a_transaction_is_kept),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
