// SPDX-License-Identifier: MIT
/*
 * test_log_threads.c - readers beside a writer, on the real disk. Run under ThreadSanitizer too.
 *
 * One writer appends, syncs, aborts and expires; readers follow from the start at their own pace:
 * one as fast as it can, one that naps (and so falls out of the tail and joins it again), one that
 * keeps opening anew. Each must see every transaction once, in order, and right.
 */
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "log_fixture.h"

#define TRANSACTIONS 600
#define WAIT_MS      5000

struct follower {
    struct log_fixture *fixture;
    uint64_t nap_us;
    uint32_t reopen_every; /* batches; 0: never */
    uint32_t sums[TRANSACTIONS];
    uint64_t seen;
    char failure[768];
};

/* Checks run in the main thread, after the join: here, sums are only taken. */
static void take_sums(struct follower *follower, const struct mr_batch *batch)
{
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const uint64_t sequence = batch->first_sequence + i;
        if (sequence <= follower->seen) {
            continue;
        }
        if (sequence != follower->seen + 1 || sequence > TRANSACTIONS || batch->continued ||
            batch->continues) {
            (void)snprintf(follower->failure, sizeof(follower->failure), "sequence %llu after %llu",
                           (unsigned long long)sequence, (unsigned long long)follower->seen);
            return;
        }
        follower->sums[sequence - 1] = log_fixture_sum(batch, i);
        follower->seen = sequence;
    }
}

static void *follow(void *context)
{
    struct follower *follower = context;
    const struct mr_stream_ops *ops = &mr_stream_log;
    struct mr_error err = {0};
    struct mr_stream_reader *reader = ops->reader_open(follower->fixture->stream, 1, &err);
    uint32_t batches = 0;
    while (reader != NULL && follower->failure[0] == '\0' && follower->seen < TRANSACTIONS) {
        struct mr_batch *batch = ops->reader_next(reader, WAIT_MS, &err);
        if (batch == NULL) {
            break;
        }
        take_sums(follower, batch);
        mr_batch_release(batch);
        if (follower->nap_us > 0) {
            mr_env_posix.sleep_us(&mr_env_posix, follower->nap_us);
        }
        if (follower->reopen_every > 0 && ++batches % follower->reopen_every == 0) {
            ops->reader_close(reader);
            reader = ops->reader_open(follower->fixture->stream, follower->seen + 1, &err);
        }
    }
    if (follower->seen < TRANSACTIONS && follower->failure[0] == '\0') {
        (void)snprintf(follower->failure, sizeof(follower->failure), "ended at %llu: %s",
                       (unsigned long long)follower->seen, err.message);
    }
    ops->reader_close(reader);
    return NULL;
}

static void write_all(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    struct mr_stream_observation seen;
    for (uint64_t i = 0; fixture->appended < TRANSACTIONS; i++) {
        const uint32_t left = TRANSACTIONS - fixture->appended;
        const uint32_t count = 1 + (uint32_t)(i % 3);
        assert_true(log_fixture_append(fixture, 1000 + i * 3, count < left ? count : left,
                                       1 + (uint32_t)(i % 7), &err));
        if (i % 4 != 0) {
            assert_true(log_fixture_sync(fixture, &err));
        }
        if (i % 50 == 7) {
            assert_true(log_fixture_append_part(fixture, 9000 + i, 5, LOG_BEGIN, &err));
            assert_true(log_fixture_sync(fixture, &err));
            assert_true(log_fixture_abort(fixture, &err));
        }
        if (i % 60 == 11) {
            assert_true(mr_stream_log.expire(fixture->stream, &err));
        }
        mr_stream_log.release(fixture->stream, 1, i);
        mr_stream_log.observe(fixture->stream, &seen);
    }
    assert_true(log_fixture_sync(fixture, &err));
}

static void readers_follow_a_writer(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    static struct follower followers[4];
    pthread_t threads[4];
    log_fixture_init_real(&fixture);
    assert_true(log_fixture_open(&fixture, &err));
    mr_stream_log.release(fixture.stream, 0, 0);
    memset(followers, 0, sizeof(followers));
    followers[1].nap_us = 3000;
    followers[2].reopen_every = 5;
    followers[3].nap_us = 20000;
    for (size_t i = 0; i < MR_ARRAY_LEN(followers); i++) {
        followers[i].fixture = &fixture;
        assert_int_equal(pthread_create(&threads[i], NULL, follow, &followers[i]), 0);
    }
    write_all(&fixture);
    for (size_t i = 0; i < MR_ARRAY_LEN(followers); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (followers[i].failure[0] != '\0') {
            fail_msg("follower %zu: %s", i, followers[i].failure);
        }
        assert_int_equal(followers[i].seen, TRANSACTIONS);
        assert_memory_equal(followers[i].sums, fixture.model, sizeof(followers[i].sums));
    }
    log_fixture_done(&fixture);
}

static void *wait_for_one(void *context)
{
    struct mr_stream_reader *reader = context;
    struct mr_error err = {0};
    return mr_stream_log.reader_next(reader, WAIT_MS, &err);
}

/* A reader that waits is woken by the sync, long before its time is over. */
static void sync_wakes_a_waiting_reader(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    pthread_t thread;
    void *batch = NULL;
    log_fixture_init_real(&fixture);
    assert_true(log_fixture_open(&fixture, &err));
    struct mr_stream_reader *reader = mr_stream_log.reader_open(fixture.stream, 1, &err);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_one, reader), 0);
    mr_env_posix.sleep_us(&mr_env_posix, 20000);
    const uint64_t start = mr_env_posix.monotonic_ns(&mr_env_posix);
    assert_true(log_fixture_append(&fixture, 1, 1, 1, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    assert_int_equal(pthread_join(thread, &batch), 0);
    const uint64_t took_ms = (mr_env_posix.monotonic_ns(&mr_env_posix) - start) / 1000000;
    assert_non_null(batch);
    assert_true(took_ms < WAIT_MS / 2);
    mr_batch_release(batch);
    /* and without anything to see it waits out its time */
    assert_null(mr_stream_log.reader_next(reader, 5, &err));
    assert_int_equal(err.code, MR_OK);
    mr_stream_log.reader_close(reader);
    log_fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_follow_a_writer),
        cmocka_unit_test(sync_wakes_a_waiting_reader),
    };
    return cmocka_run_group_tests_name("log_threads", tests, NULL, NULL);
}
