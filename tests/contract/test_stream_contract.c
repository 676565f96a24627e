// SPDX-License-Identifier: MIT
/*
 * test_stream_contract.c - the five points of stream.h, for every stream that runs on mr_env.
 *
 * To add a stream: put its ops into `streams`, and what its configuration needs into the fixture.
 */
#include "check.h"

#include "log_fixture.h"

static const struct mr_stream_ops *const streams[] = {&mr_stream_log};

static void setup(struct log_fixture *fixture, const struct mr_stream_ops *ops)
{
    struct mr_error err = {0};
    log_fixture_init(fixture, 31);
    mr_fake_env_sync_all(fixture->fake);
    fixture->ops = ops;
    print_message("    %s\n", ops->name);
    if (!log_fixture_open(fixture, &err)) {
        fail_msg("%s", err.message);
    }
}

static void crash(struct log_fixture *fixture)
{
    log_fixture_close(fixture);
    mr_fake_env_crash(fixture->fake);
    fixture->data_dir_fd = fixture->env->open_dir(fixture->env, MR_ENV_CWD, "/");
    assert_true(fixture->data_dir_fd >= 0);
}

/* 1. append() numbers transactions without gaps; what was synced survives any crash. */
static void sequences_are_given_and_synced_ones_survive(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(streams); i++) {
        for (uint64_t round = 0; round < 20; round++) {
            struct log_fixture fixture;
            struct mr_error err = {0};
            setup(&fixture, streams[i]);
            for (uint32_t n = 0; n < 5 + round; n++) {
                /* the fixture compares each number with the one it expects */
                assert_true(log_fixture_append(&fixture, 10 + n * 5, 1 + n % 3, 4, &err));
                if (n % 4 == round % 4) {
                    assert_true(log_fixture_sync(&fixture, &err));
                }
            }
            const uint32_t synced = fixture.synced;
            fixture.ops->close(NULL);
            mr_fake_env_crash_at(fixture.fake, 0); /* the process dies without closing */
            crash(&fixture);
            fixture.synced = synced;
            if (!log_fixture_survives(&fixture, &err)) {
                fail_msg("%s", err.message);
            }
            log_fixture_done(&fixture);
        }
    }
}

/* 2. Readers see synced batches, in order, whole transactions once; aborted ones never. */
static void readers_see_whole_synced_transactions(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(streams); i++) {
        struct log_fixture fixture;
        struct mr_error err = {0};
        setup(&fixture, streams[i]);
        assert_true(log_fixture_append(&fixture, 1, 2, 4, &err));
        log_fixture_read_all(&fixture, 1, 0);
        assert_true(log_fixture_sync(&fixture, &err));
        log_fixture_read_all(&fixture, 1, 2);
        assert_true(log_fixture_append_part(&fixture, 7, 4, LOG_BEGIN, &err));
        assert_true(log_fixture_sync(&fixture, &err));
        log_fixture_read_all(&fixture, 1, 2);
        assert_true(log_fixture_append_part(&fixture, 8, 4, LOG_END, &err));
        log_fixture_read_all(&fixture, 1, 2);
        assert_true(log_fixture_sync(&fixture, &err));
        log_fixture_read_all(&fixture, 1, 3);
        assert_true(log_fixture_append_part(&fixture, 9, 4, LOG_BEGIN, &err));
        assert_true(log_fixture_abort(&fixture, &err));
        assert_true(log_fixture_append(&fixture, 20, 1, 4, &err));
        assert_true(log_fixture_sync(&fixture, &err));
        for (uint64_t first = 1; first <= 5; first++) {
            log_fixture_read_all(&fixture, first, 4);
        }
        log_fixture_done(&fixture);
    }
}

/* 3. A failed sync is final; a full disk is not. */
static void failures_are_final_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(streams); i++) {
        struct log_fixture fixture;
        struct mr_error err = {0};
        setup(&fixture, streams[i]);
        assert_true(log_fixture_append(&fixture, 1, 1, 4, &err));
        assert_true(log_fixture_sync(&fixture, &err));
        mr_fake_env_fail(fixture.fake, (struct mr_fake_fault){.call = MR_FAKE_PWRITE,
                                                              .sys_errno = 28 /* ENOSPC */});
        assert_false(log_fixture_append(&fixture, 2, 1, 4, &err));
        assert_int_equal(err.code, MR_E_FULL);
        assert_int_equal(err.recovery, MR_RETRY);
        assert_true(log_fixture_append(&fixture, 2, 1, 4, &err));
        mr_fake_env_fail(fixture.fake, (struct mr_fake_fault){.call = MR_FAKE_FDATASYNC});
        assert_false(log_fixture_sync(&fixture, &err));
        assert_int_equal(err.recovery, MR_STOP);
        assert_false(log_fixture_sync(&fixture, &err));
        assert_int_equal(err.recovery, MR_STOP);
        log_fixture_done(&fixture);
    }
}

/* 4. The position behind the last durable whole transaction is kept. */
static void the_position_is_that_of_the_last_whole_transaction(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(streams); i++) {
        struct log_fixture fixture;
        struct mr_error err = {0};
        setup(&fixture, streams[i]);
        assert_null(fixture.ops->position(fixture.stream)->text);
        assert_true(log_fixture_append(&fixture, 5, 1, 4, &err));
        assert_null(fixture.ops->position(fixture.stream)->text);
        assert_true(log_fixture_sync(&fixture, &err));
        assert_string_equal(fixture.ops->position(fixture.stream)->text, "at/5");
        assert_true(log_fixture_append_part(&fixture, 6, 4, LOG_BEGIN, &err));
        assert_true(log_fixture_sync(&fixture, &err));
        assert_string_equal(fixture.ops->position(fixture.stream)->text, "at/5");
        crash(&fixture);
        assert_true(log_fixture_open(&fixture, &err));
        assert_string_equal(fixture.ops->position(fixture.stream)->text, "at/5");
        log_fixture_done(&fixture);
    }
}

/* 5. Nothing is deleted before every registered sink has committed it. */
static void nothing_goes_before_it_is_released(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(streams); i++) {
        struct log_fixture fixture;
        struct mr_error err = {0};
        struct mr_stream_observation seen;
        log_fixture_init(&fixture, 32);
        fixture.ops = streams[i];
        fixture.config.segment_bytes_max = 4096;
        fixture.config.retention_ms = 0;
        assert_true(log_fixture_open(&fixture, &err));
        fixture.ops->release(fixture.stream, 0, 0);
        fixture.ops->release(fixture.stream, 1, 0);
        for (uint32_t n = 1; n <= 40; n++) {
            assert_true(log_fixture_append(&fixture, n, 1, 10, &err));
            assert_true(log_fixture_sync(&fixture, &err));
            mr_fake_env_advance_us(fixture.fake, 1000000);
            fixture.ops->release(fixture.stream, 0, n);
            fixture.ops->release(fixture.stream, 1, n / 2);
            assert_true(fixture.ops->expire(fixture.stream, &err));
            fixture.ops->observe(fixture.stream, &seen);
            assert_true(seen.first_sequence <= n / 2 + 1);
            assert_int_equal(seen.released_sequence, n / 2);
        }
        assert_true(seen.first_sequence > 1);
        log_fixture_read_all(&fixture, 21, 40);
        log_fixture_done(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_are_given_and_synced_ones_survive),
        cmocka_unit_test(readers_see_whole_synced_transactions),
        cmocka_unit_test(failures_are_final_or_not),
        cmocka_unit_test(the_position_is_that_of_the_last_whole_transaction),
        cmocka_unit_test(nothing_goes_before_it_is_released),
    };
    return cmocka_run_group_tests_name("stream contract", tests, NULL, NULL);
}
