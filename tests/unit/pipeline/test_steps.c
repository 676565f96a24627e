// SPDX-License-Identifier: MIT
/*
 * test_steps.c - the small parts of the pipeline: bell, promise, counters, back-off, link states.
 */
#include <pthread.h>

#include "backoff.h"
#include "check.h"
#include "crash_point.h"
#include "doorbell.h"
#include "link_state.h"
#include "promise.h"
#include "table_stats.h"

static void a_ring_before_the_wait_is_kept(void **state)
{
    (void)state;
    struct mr_doorbell bell;
    mr_doorbell_init(&bell);
    assert_false(mr_doorbell_wait(&bell, 0));
    mr_doorbell_ring(&bell);
    mr_doorbell_ring(&bell);
    assert_true(mr_doorbell_wait(&bell, 1000));
    assert_false(mr_doorbell_wait(&bell, 1)); /* two rings are one */
    mr_doorbell_done(&bell);
}

static void *settle_with_error(void *argument)
{
    struct mr_error err = {0};
    (void)mr_fail(&err, MR_E_SINK, MR_RETRY, "no");
    mr_promise_settle(argument, false, &err);
    return NULL;
}

static void a_promise_brings_its_answer_or_error(void **state)
{
    (void)state;
    struct mr_promise promise;
    struct mr_error err = {0};
    bool answer = false;
    mr_promise_init(&promise);
    mr_promise_settle(&promise, true, NULL);
    assert_true(mr_promise_wait(&promise, &answer, &err));
    assert_true(answer);
    mr_promise_done(&promise);

    pthread_t thread;
    mr_promise_init(&promise);
    assert_int_equal(pthread_create(&thread, NULL, settle_with_error, &promise), 0);
    assert_false(mr_promise_wait(&promise, &answer, &err));
    assert_int_equal(err.code, MR_E_SINK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    mr_promise_done(&promise);
}

static void backoff_doubles_up_to_its_ceiling(void **state)
{
    (void)state;
    for (uint32_t attempt = 1; attempt < 40; attempt++) {
        const uint64_t least_ms = mr_backoff_ms(attempt, 0);
        const uint64_t most_ms = mr_backoff_ms(attempt, UINT64_MAX);
        assert_in_range(least_ms, MR_BACKOFF_MS_MIN / 2, MR_BACKOFF_MS_MAX);
        assert_in_range(most_ms, least_ms, MR_BACKOFF_MS_MAX);
    }
    assert_int_equal(mr_backoff_ms(1, 0), MR_BACKOFF_MS_MIN / 2);
    assert_int_equal(mr_backoff_ms(39, 0), MR_BACKOFF_MS_MAX / 2);
}

static void a_stopped_link_stays_stopped(void **state)
{
    (void)state;
    for (unsigned to = 0; to < MR_LINK_STATE_COUNT; to++) {
        assert_false(mr_sm_may_move(mr_link_states, MR_LINK_STOPPED, to));
        assert_non_null(mr_link_states[to].name);
        if (to != MR_LINK_STOPPED) {
            assert_true(mr_sm_may_move(mr_link_states, to, MR_LINK_STOPPED));
        }
    }
    assert_false(mr_sm_may_move(mr_link_states, MR_LINK_IDLE, MR_LINK_STREAMING));
    assert_false(mr_sm_may_move(mr_link_states, MR_LINK_BACKOFF, MR_LINK_STREAMING));
}

static void crash_points_are_known_by_name(void **state)
{
    (void)state;
    assert_true(mr_crash_point_arm("journal.before_sync:1000000"));
    assert_false(mr_crash_point_arm("journal.before_sync"));
    assert_false(mr_crash_point_arm("nowhere:1"));
    assert_true(mr_crash_point_arm(NULL));
    mr_crash_point(MR_CRASH_JOURNAL_BEFORE_SYNC); /* disarmed: returns */
}

static const struct mr_schema *one_table(struct mr_catalog *catalog, const char *table)
{
    const struct mr_column columns[] = {
        {.name = "id", .source_type = "bigint", .type = MR_TYPE_I64, .key_index = 0}};
    const struct mr_schema draft = {
        .column_count = 1, .space = "s", .table = table, .columns = columns};
    struct mr_error err = {0};
    return mr_catalog_intern(catalog, &draft, &err);
}

static struct mr_batch *insert_rows(struct mr_batch_pool *pool, const struct mr_schema *schema,
                                    unsigned rows, int64_t commit_us)
{
    struct mr_error err = {0};
    struct mr_batch *batch = mr_batch_take(pool, 0);
    assert_non_null(batch);
    assert_true(mr_batch_begin(batch, 1, commit_us, &err));
    for (unsigned i = 0; i < rows; i++) {
        uint16_t index;
        struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
        assert_non_null(chunk);
        mr_put_i64(&chunk->columns[0], chunk->row_count, i);
        const uint16_t row = mr_chunk_end_row(chunk);
        assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, index, row, MR_NO_CHUNK, 0, &err));
    }
    assert_true(mr_batch_add_truncate(batch, schema, &err));
    mr_batch_commit(batch, (struct mr_native_position){.major = 1}, commit_us);
    return batch;
}

static void counts_are_shown_when_published(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_batch_pool *pool = mr_batch_pool_open(2, 1 << 20, 1 << 16, &err);
    const struct mr_schema *schema = one_table(catalog, "t");
    struct mr_table_stats stats;
    struct mr_table_counts counts;
    mr_table_stats_init(&stats);
    struct mr_batch *batch = insert_rows(pool, schema, 5, 77);

    mr_table_stats_stage(&stats, batch, 0);
    assert_true(mr_table_stats_get(&stats, 0, &counts));
    assert_int_equal(counts.inserts, 0);
    mr_table_stats_discard(&stats); /* rolled back: never seen */
    mr_table_stats_publish(&stats);
    assert_true(mr_table_stats_get(&stats, 0, &counts));
    assert_int_equal(counts.inserts, 0);

    mr_table_stats_stage(&stats, batch, 0);
    mr_table_stats_publish(&stats);
    mr_table_stats_stage(&stats, batch, 1); /* its only transaction was committed before */
    mr_table_stats_publish(&stats);
    assert_true(mr_table_stats_get(&stats, 0, &counts));
    assert_int_equal(counts.inserts, 5);
    assert_int_equal(counts.truncates, 1);
    assert_int_equal(counts.last_change_us, 77);
    assert_ptr_equal(counts.schema, schema);

    mr_batch_release(batch);
    mr_table_stats_done(&stats);
    mr_batch_pool_close(pool);
    mr_catalog_close(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_before_the_wait_is_kept),
        cmocka_unit_test(a_promise_brings_its_answer_or_error),
        cmocka_unit_test(backoff_doubles_up_to_its_ceiling),
        cmocka_unit_test(a_stopped_link_stays_stopped),
        cmocka_unit_test(crash_points_are_known_by_name),
        cmocka_unit_test(counts_are_shown_when_published),
    };
    return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
