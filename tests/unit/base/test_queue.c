// SPDX-License-Identifier: MIT
/* The bounded queue: order, the bound, waiting, shutting, and many threads at once. */
#include <pthread.h>
#include <stdatomic.h>

#include "check.h"
#include "env.h"
#include "queue.h"

static int numbers[8];

static void items_come_out_in_order(void **state)
{
    (void)state;
    struct mr_queue *queue = mr_queue_open(3);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++) {
            assert_true(mr_queue_push(queue, &numbers[i], 0));
        }
        assert_false(mr_queue_push(queue, &numbers[3], 0));
        assert_int_equal(mr_queue_count(queue), 3);
        for (int i = 0; i < 3; i++) {
            assert_ptr_equal(mr_queue_pop(queue, 0), &numbers[i]);
        }
        assert_null(mr_queue_pop(queue, 0));
    }
    mr_queue_close(queue);
    mr_queue_close(NULL);
}

static void a_wait_ends_when_its_time_is_over(void **state)
{
    (void)state;
    struct mr_queue *queue = mr_queue_open(1);
    const uint64_t start = mr_env_posix.monotonic_ns(&mr_env_posix);
    assert_null(mr_queue_pop(queue, 20));
    assert_true(mr_queue_push(queue, &numbers[0], 20));
    assert_false(mr_queue_push(queue, &numbers[1], 20));
    const uint64_t waited = mr_env_posix.monotonic_ns(&mr_env_posix) - start;
    assert_true(waited >= UINT64_C(40000000));
    mr_queue_close(queue);
}

static void what_is_queued_outlives_shutting(void **state)
{
    (void)state;
    struct mr_queue *queue = mr_queue_open(2);
    assert_true(mr_queue_push(queue, &numbers[0], 0));
    assert_false(mr_queue_is_shut(queue));
    mr_queue_shut(queue);
    assert_true(mr_queue_is_shut(queue));
    assert_false(mr_queue_push(queue, &numbers[1], 10000));
    assert_ptr_equal(mr_queue_pop(queue, 10000), &numbers[0]);
    assert_null(mr_queue_pop(queue, 10000));
    mr_queue_close(queue);
}

static void *pop_once(void *context)
{
    return mr_queue_pop(context, 60000);
}

static void shutting_wakes_who_waits(void **state)
{
    (void)state;
    struct mr_queue *queue = mr_queue_open(1);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, pop_once, queue), 0);
    }
    mr_env_posix.sleep_us(&mr_env_posix, 5000);
    mr_queue_shut(queue);
    for (int i = 0; i < 3; i++) {
        void *item = &numbers[0];
        assert_int_equal(pthread_join(threads[i], &item), 0);
        assert_null(item);
    }
    mr_queue_close(queue);
}

#define ITEMS     20000
#define PRODUCERS 3

struct shared {
    struct mr_queue *queue;
    atomic_int seen[ITEMS];
    int items[ITEMS];
    atomic_int next;
};

static void *produce(void *context)
{
    struct shared *shared = context;
    for (;;) {
        const int i = atomic_fetch_add(&shared->next, 1);
        if (i >= ITEMS) {
            return NULL;
        }
        shared->items[i] = i;
        MR_ASSERT(mr_queue_push(shared->queue, &shared->items[i], 60000));
    }
}

static void *consume(void *context)
{
    struct shared *shared = context;
    for (;;) {
        const int *item = mr_queue_pop(shared->queue, 60000);
        if (item == NULL) {
            return NULL;
        }
        atomic_fetch_add(&shared->seen[*item], 1);
    }
}

static void every_item_arrives_once(void **state)
{
    (void)state;
    static struct shared shared;
    pthread_t producers[PRODUCERS];
    pthread_t consumers[PRODUCERS];
    shared.queue = mr_queue_open(4);
    for (int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_create(&producers[i], NULL, produce, &shared), 0);
        assert_int_equal(pthread_create(&consumers[i], NULL, consume, &shared), 0);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_join(producers[i], NULL), 0);
    }
    mr_queue_shut(shared.queue);
    for (int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_join(consumers[i], NULL), 0);
    }
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(atomic_load(&shared.seen[i]), 1);
    }
    mr_queue_close(shared.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(a_wait_ends_when_its_time_is_over),
        cmocka_unit_test(what_is_queued_outlives_shutting),
        cmocka_unit_test(shutting_wakes_who_waits),
        cmocka_unit_test(every_item_arrives_once),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
