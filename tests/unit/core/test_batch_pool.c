// SPDX-License-Identifier: MIT
/* The pool: how many may be out, references, and that what comes back is empty. */
#include <pthread.h>

#include "batch.h"
#include "check.h"

static void no_more_than_count_are_out(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_batch_pool *pool = mr_batch_pool_open(2, (size_t)1 << 20, 0, &err);
    struct mr_batch *first = mr_batch_take(pool, 0);
    struct mr_batch *second = mr_batch_take(pool, 0);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    assert_null(mr_batch_take(pool, 0));
    assert_null(mr_batch_take(pool, 10));
    mr_batch_release(first);
    assert_ptr_equal(mr_batch_take(pool, 0), first);
    mr_batch_release(first);
    mr_batch_release(second);
    mr_batch_release(NULL);
    mr_batch_pool_close(pool);
    mr_batch_pool_close(NULL);
}

static void the_last_reference_empties_it(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_batch_pool *pool = mr_batch_pool_open(1, (size_t)1 << 20, 0, &err);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    batch->source_index = 5;
    assert_true(mr_batch_begin(batch, 1, 1, &err));
    mr_batch_suspend(batch);
    mr_batch_retain(batch);
    mr_batch_release(batch);
    assert_int_equal(batch->transaction_count, 1);
    assert_null(mr_batch_take(pool, 0));
    mr_batch_release(batch);
    assert_ptr_equal(mr_batch_take(pool, 0), batch);
    assert_int_equal(batch->transaction_count, 0);
    assert_int_equal(batch->source_index, 0);
    assert_false(batch->continued);
    mr_batch_release(batch);
    mr_batch_pool_close(pool);
}

static void impossible_sizes_are_errors(void **state)
{
    (void)state;
    struct mr_error err = {0};
    assert_null(mr_batch_pool_open(1, 100, 0, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    err = (struct mr_error){0};
    assert_null(mr_batch_pool_open(3, SIZE_MAX / 4, 0, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
}

#define ROUNDS 2000

static void *take_and_release(void *context)
{
    struct mr_batch_pool *pool = context;
    struct mr_error err = {0};
    for (int i = 0; i < ROUNDS; i++) {
        struct mr_batch *batch = mr_batch_take(pool, 60000);
        MR_ASSERT(batch != NULL && batch->transaction_count == 0);
        MR_ASSERT(mr_batch_begin(batch, 1, 1, &err));
        mr_batch_commit(batch, (struct mr_native_position){1, 1}, 1);
        mr_batch_retain(batch);
        mr_batch_release(batch);
        mr_batch_release(batch);
    }
    return NULL;
}

static void threads_share_a_pool(void **state)
{
    (void)state;
    struct mr_error err = {0};
    pthread_t threads[4];
    struct mr_batch_pool *pool = mr_batch_pool_open(2, (size_t)1 << 20, 4096, &err);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_release, pool), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    mr_batch_pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_count_are_out),
        cmocka_unit_test(the_last_reference_empties_it),
        cmocka_unit_test(impossible_sizes_are_errors),
        cmocka_unit_test(threads_share_a_pool),
    };
    return cmocka_run_group_tests_name("batch_pool", tests, NULL, NULL);
}
