// SPDX-License-Identifier: MIT
/*
 * test_pg_spool.c - what is kept of transactions in progress: against a model in memory, at its
 * bounds, on a disk that fails.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_disk.h"
#include "fake_env.h"
#include "memory.h"
#include "pg_spool.h"

#define SOURCE     "crm"
#define TOP        100 /* xid of the transaction at hand */
#define PLACES_MAX 4096
#define BIG_BYTES  (MR_PG_SPOOL_BUFFER_BYTES_MAX + 1000)

/* A record is told by its number, and has as many bytes as the number says. */
struct model_record {
    uint32_t xid;
    uint32_t number;
    uint32_t length;
};

struct bench {
    struct mr_fake_env *fake;
    struct mr_pg_spool *spool;
    struct mr_pg_spooled *spooled;
    struct mr_error err;
    uint8_t *bytes;
    struct model_record *model;
    size_t model_count;
    size_t model_capacity;
    uint32_t number;
};

static void open_spool(struct bench *bench)
{
    const struct mr_env *env = mr_fake_env_as_env(bench->fake);
    const int dir_fd = env->open_dir(env, MR_ENV_CWD, ".");
    bench->spool = mr_pg_spool_open(env, dir_fd, SOURCE, &bench->err);
    (void)env->close(env, dir_fd);
}

static void open_bench(struct bench *bench)
{
    *bench = (struct bench){.fake = mr_fake_env_open(1),
                            .bytes = mr_memory_new(BIG_BYTES, 1),
                            .model_capacity = 200000};
    bench->model = mr_memory_new(bench->model_capacity, sizeof(*bench->model));
    open_spool(bench);
    assert_non_null(bench->spool);
    bench->spooled = mr_pg_spool_begin(bench->spool, TOP);
}

static void close_bench(struct bench *bench)
{
    mr_pg_spool_close(bench->spool);
    assert_int_equal(mr_fake_env_open_count(bench->fake), 0);
    assert_int_equal(mr_fake_env_misuse_count(bench->fake), 0);
    mr_fake_env_close(bench->fake);
    free(bench->bytes);
    free(bench->model);
}

static bool append(struct bench *bench, uint32_t xid, uint32_t length)
{
    const uint32_t number = bench->number++;
    const size_t tagged = length < sizeof(number) ? length : sizeof(number);
    memset(bench->bytes, (int)(number & 0xff), length);
    memcpy(bench->bytes, &number, tagged);
    const struct mr_pg_record record = {.tag = 'I', .xid = xid, .bytes = {bench->bytes, length}};
    if (!mr_pg_spool_append(bench->spool, bench->spooled, &record, &bench->err)) {
        return false;
    }
    assert_true(bench->model_count < bench->model_capacity);
    bench->model[bench->model_count++] = (struct model_record){xid, number, length};
    return true;
}

/* Takes back everything since the first record of a sub-transaction that is not older. */
static void cut(struct bench *bench, uint32_t subxid)
{
    assert_true(mr_pg_spool_cut(bench->spool, bench->spooled, subxid, &bench->err));
    size_t at = 0;
    while (at < bench->model_count &&
           (bench->model[at].xid == TOP || (int32_t)(bench->model[at].xid - subxid) < 0)) {
        at++;
    }
    bench->model_count = at;
}

static void expect_model(struct bench *bench)
{
    struct mr_pg_record record = {0};
    bool has = false;
    mr_pg_spool_rewind(bench->spool, bench->spooled);
    for (size_t i = 0; i < bench->model_count; i++) {
        const struct model_record *model = &bench->model[i];
        assert_true(mr_pg_spool_read(bench->spool, bench->spooled, &record, &has, &bench->err));
        assert_true(has);
        assert_int_equal(record.tag, 'I');
        assert_int_equal(record.xid, model->xid);
        assert_int_equal(record.bytes.length, model->length);
        if (model->length >= sizeof(model->number)) {
            assert_memory_equal(record.bytes.bytes, &model->number, sizeof(model->number));
        }
        for (size_t n = sizeof(model->number); n < model->length; n += 501) {
            assert_int_equal(record.bytes.bytes[n], model->number & 0xff);
        }
        mr_pg_spool_step(bench->spooled, &record);
    }
    assert_true(mr_pg_spool_read(bench->spool, bench->spooled, &record, &has, &bench->err));
    assert_false(has);
}

static bool has_file(const struct bench *bench, uint32_t xid)
{
    char path[64];
    const uint8_t *bytes = NULL;
    size_t length = 0;
    (void)snprintf(path, sizeof(path), "spool/" SOURCE "/%u", xid);
    return mr_fake_env_peek(bench->fake, path, &bytes, &length);
}

static void what_is_small_stays_in_memory(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    for (int i = 0; i < 1000; i++) {
        assert_true(append(&bench, TOP, (uint32_t)i % 300));
    }
    expect_model(&bench);
    assert_false(has_file(&bench, TOP));
    close_bench(&bench);
}

static void what_is_large_goes_to_a_file_and_comes_back(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    mr_fake_env_set_short_io(bench.fake, true);
    for (uint32_t i = 0; i < 3000; i++) {
        assert_true(append(&bench, TOP, i * 7 % 900));
    }
    assert_true(append(&bench, TOP, BIG_BYTES)); /* larger than any buffer and the window */
    assert_true(append(&bench, TOP, 0));
    assert_true(append(&bench, TOP, BIG_BYTES));
    assert_true(append(&bench, TOP, 5));
    assert_true(has_file(&bench, TOP));
    expect_model(&bench);
    mr_pg_spool_drop(bench.spool, bench.spooled);
    assert_false(has_file(&bench, TOP));
    assert_int_equal(mr_pg_spool_count(bench.spool), 0);
    close_bench(&bench);
}

/* Sub-transactions nest; each may be rolled back while it lasts, or with one around it. */
static void roll_backs_take_what_the_model_takes(void **state)
{
    (void)state;
    struct mr_fake_random random = {42};
    for (int round = 0; round < 40; round++) {
        struct bench bench;
        uint32_t next_xid = TOP + 1;
        uint32_t open[8];
        size_t depth = 0;
        open_bench(&bench);
        for (int i = 0; i < 2000; i++) {
            const uint64_t drawn = mr_fake_random_draw(&random, 100);
            if (drawn < 12 && depth < 8) {
                open[depth++] = next_xid++;
            } else if (drawn < 20 && depth > 0) {
                depth--; /* released */
            } else if (drawn < 26 && depth > 0) {
                const size_t level = (size_t)mr_fake_random_draw(&random, depth);
                cut(&bench, open[level]); /* and, in the order of the server, all inside it */
                depth = level;
            } else {
                const uint32_t xid = depth == 0 ? TOP : open[depth - 1];
                assert_true(append(&bench, xid, (uint32_t)mr_fake_random_draw(&random, 3000)));
            }
        }
        expect_model(&bench);
        close_bench(&bench);
    }
}

/* Far more than the places that are remembered. */
static void old_sub_transactions_are_looked_for(void **state)
{
    (void)state;
    static const uint32_t rolled_back[] = {60000, 59990, 40001, 33333, 20002, 5003, 77, 1};
    struct bench bench;
    open_bench(&bench);
    for (uint32_t i = 1; i <= 60000; i++) {
        assert_true(append(&bench, TOP + i, 20));
    }
    assert_true(bench.spooled->cut_count <= PLACES_MAX);
    for (size_t i = 0; i < MR_ARRAY_LEN(rolled_back); i++) {
        cut(&bench, TOP + rolled_back[i]);
        assert_int_equal(bench.model_count, rolled_back[i] - 1);
        expect_model(&bench);
        assert_true(append(&bench, TOP + 70000 + (uint32_t)i, 30)); /* and it goes on */
        expect_model(&bench);
        cut(&bench, TOP + 70000 + (uint32_t)i);
    }
    close_bench(&bench);
}

static void numbers_may_wrap_around(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    mr_pg_spool_drop(bench.spool, bench.spooled);
    bench.spooled = mr_pg_spool_begin(bench.spool, UINT32_MAX - 1);
    static const uint32_t xids[] = {UINT32_MAX - 1, UINT32_MAX, 3, 4};
    for (size_t i = 0; i < MR_ARRAY_LEN(xids); i++) {
        assert_true(append(&bench, xids[i], 10));
    }
    assert_true(mr_pg_spool_cut(bench.spool, bench.spooled, 3, &bench.err));
    bench.model_count = 2;
    expect_model(&bench);
    close_bench(&bench);
}

static void memory_is_bounded_however_many_there_are(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    uint64_t in_memory = 0;
    for (uint32_t round = 0; round < 40; round++) {
        for (uint32_t i = 1; i <= 500; i++) {
            bench.spooled = mr_pg_spool_find(bench.spool, TOP + i);
            if (bench.spooled == NULL) {
                bench.spooled = mr_pg_spool_begin(bench.spool, TOP + i);
            }
            assert_true(append(&bench, TOP + i, 1000));
        }
    }
    for (uint32_t i = 1; i <= 500; i++) {
        in_memory += mr_pg_spool_find(bench.spool, TOP + i)->buffer_capacity;
    }
    assert_true(in_memory <= MR_PG_SPOOL_MEMORY_BYTES_MAX);
    assert_int_equal(mr_pg_spool_count(bench.spool), 501);
    assert_true(mr_pg_spool_bytes(bench.spool) > UINT64_C(40) * 500 * 1000);
    close_bench(&bench);
}

static void a_full_disk_is_told_and_nothing_is_left(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    mr_fake_env_set_space(bench.fake, 1000000);
    while (append(&bench, TOP, 10000)) {
    }
    print_message("    %s\n", bench.err.message);
    assert_int_equal(bench.err.code, MR_E_FULL);
    assert_int_equal(bench.err.recovery, MR_RETRY);
    assert_non_null(strstr(bench.err.message, "spool/crm/100"));
    mr_pg_spool_close(bench.spool);
    assert_false(has_file(&bench, TOP));
    bench.spool = NULL;
    close_bench(&bench);
}

static void an_earlier_run_leaves_nothing(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    assert_false(mr_pg_spool_was_refused(bench.spool));
    for (uint32_t i = 1; i < 200; i++) {
        bench.spooled = mr_pg_spool_begin(bench.spool, TOP + i);
        assert_true(append(&bench, TOP + i, BIG_BYTES));
    }
    assert_true(mr_pg_spool_refuse(bench.spool, &bench.err));
    struct mr_pg_spool *left = bench.spool; /* as if the process had died */
    open_spool(&bench);
    assert_true(mr_pg_spool_was_refused(bench.spool));
    assert_int_equal(mr_pg_spool_count(bench.spool), 0);
    for (uint32_t i = 1; i < 200; i++) {
        assert_false(has_file(&bench, TOP + i));
    }
    mr_pg_spool_close(left);
    mr_pg_spool_close(bench.spool);
    open_spool(&bench);
    assert_false(mr_pg_spool_was_refused(bench.spool));
    close_bench(&bench);
}

/* Every call of the system fails once: an error, never a wrong record. */
static void each_call_that_fails_is_told(void **state)
{
    (void)state;
    bool was_hit = true;
    unsigned failures = 0;
    for (uint64_t after = 0; was_hit; after++) {
        struct bench bench;
        open_bench(&bench);
        mr_fake_env_fail(bench.fake,
                         (struct mr_fake_fault){.call = MR_FAKE_ANY_CALL, .after = after});
        bool ok = true;
        for (uint32_t i = 0; ok && i < 150; i++) {
            ok = append(&bench, TOP + 1 + i / 50, 10000);
        }
        ok = ok && mr_pg_spool_cut(bench.spool, bench.spooled, TOP + 2, &bench.err);
        was_hit = mr_fake_env_fault_count(bench.fake) > 0;
        mr_fake_env_heal(bench.fake);
        if (ok) {
            bench.model_count = 50;
            expect_model(&bench);
        } else {
            failures++;
            assert_true(bench.err.code == MR_E_IO && bench.err.message[0] != '\0');
        }
        close_bench(&bench);
    }
    assert_true(failures > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_small_stays_in_memory),
        cmocka_unit_test(what_is_large_goes_to_a_file_and_comes_back),
        cmocka_unit_test(roll_backs_take_what_the_model_takes),
        cmocka_unit_test(old_sub_transactions_are_looked_for),
        cmocka_unit_test(numbers_may_wrap_around),
        cmocka_unit_test(memory_is_bounded_however_many_there_are),
        cmocka_unit_test(a_full_disk_is_told_and_nothing_is_left),
        cmocka_unit_test(an_earlier_run_leaves_nothing),
        cmocka_unit_test(each_call_that_fails_is_told),
    };
    return cmocka_run_group_tests_name("pg_spool", tests, NULL, NULL);
}
