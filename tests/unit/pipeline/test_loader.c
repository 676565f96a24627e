// SPDX-License-Identifier: MIT
/*
 * The loader against a sink whose memory holds few rows: groups shrink until they fit, down to one
 * batch, and grow back. The stream is the real one; the sink counts.
 */
#include <string.h>

#include "check.h"
#include "loader.h"
#include "log_fixture.h"

#define BATCHES 300
#define ROWS    5 /* a transaction; each batch holds two */
#define FITS    900

/* The fixture's sink: what it is asked, and what its memory allows. Survives being opened anew. */
struct counting {
    uint32_t rows_max;
    uint32_t open_count;
    uint32_t refused;
    uint32_t largest; /* rows in one commit */
    uint32_t rows;    /* applied, not committed */
    uint64_t sequence, pending;
    bool stops; /* refuses for good */
};

static struct mr_sink *counting_open(const struct mr_sink_context *context, struct mr_error *err)
{
    struct counting *const *counting = context->config;
    (void)err;
    (*counting)->open_count++;
    return (struct mr_sink *)*counting;
}

static struct counting *counting_of(struct mr_sink *sink)
{
    return (struct counting *)sink;
}

static void counting_close(struct mr_sink *sink)
{
    (void)sink;
}

static bool counting_position(struct mr_sink *sink, uint16_t source_index,
                              struct mr_sink_position *position, struct mr_error *err)
{
    (void)source_index;
    (void)err;
    *position = (struct mr_sink_position){.sequence = counting_of(sink)->sequence};
    return true;
}

static bool counting_apply(struct mr_sink *sink, struct mr_batch *const *batches, uint32_t count,
                           struct mr_error *err)
{
    struct counting *counting = counting_of(sink);
    for (uint32_t i = 0; i < count; i++) {
        counting->rows += batches[i]->row_count;
        counting->pending = batches[i]->first_sequence + batches[i]->transaction_count - 1;
    }
    if (counting->rows > counting->rows_max) {
        counting->refused++;
        return mr_fail(err, MR_E_LIMIT, counting->stops ? MR_STOP : MR_RETRY, "too many rows");
    }
    return true;
}

static bool counting_commit(struct mr_sink *sink, struct mr_error *err)
{
    struct counting *counting = counting_of(sink);
    (void)err;
    counting->largest = counting->rows > counting->largest ? counting->rows : counting->largest;
    counting->sequence = counting->pending;
    counting->rows = 0;
    return true;
}

static void counting_rollback(struct mr_sink *sink)
{
    counting_of(sink)->rows = 0;
}

static bool counting_maintain(struct mr_sink *sink, bool idle, struct mr_error *err)
{
    (void)sink;
    (void)idle;
    (void)err;
    return true;
}

static const struct mr_sink_ops counting_ops = {
    .name = "counting",
    .open = counting_open,
    .close = counting_close,
    .position = counting_position,
    .apply = counting_apply,
    .commit = counting_commit,
    .rollback = counting_rollback,
    .maintain = counting_maintain,
};

struct setting {
    struct log_fixture fixture;
    struct counting counting;
    struct counting *config;
    struct mr_loader loader;
};

static void append(struct setting *setting)
{
    struct mr_error err = {0};
    for (uint32_t i = 0; i < BATCHES; i++) {
        assert_true(log_fixture_append(&setting->fixture, i, 2, ROWS, &err));
    }
    assert_true(setting->fixture.ops->sync(setting->fixture.stream, &err));
}

static void set_up(struct setting *setting, uint32_t rows_max)
{
    struct mr_error err = {0};
    static const char *const names[] = {"fixture"};
    memset(setting, 0, sizeof(*setting));
    log_fixture_init(&setting->fixture, 1);
    setting->fixture.source_index = 0;
    assert_true(log_fixture_open(&setting->fixture, &err));
    setting->counting.rows_max = rows_max;
    setting->config = &setting->counting;
    const struct mr_sink_context context = {
        .name = "counting",
        .config = &setting->config,
        .env = setting->fixture.env,
        .source_names = names,
        .source_count = 1,
        .batch_rows_max = 4000,
    };
    assert_true(mr_loader_init(&setting->loader, &counting_ops, &context, 0, &err));
    assert_true(mr_loader_add_source(&setting->loader, setting->fixture.ops,
                                     setting->fixture.stream, &err));
    mr_loader_open_gate(&setting->loader, 0);
}

static void tear_down(struct setting *setting)
{
    mr_loader_done(&setting->loader);
    log_fixture_done(&setting->fixture);
}

static void run_until(struct setting *setting, uint64_t sequence)
{
    for (int steps = 0; setting->counting.sequence < sequence; steps++) {
        struct mr_error err = {0};
        assert_true(steps < 1000);
        assert_int_not_equal(mr_loader_step(&setting->loader, 0, &err), MR_STEP_FAILED);
    }
}

static void groups_shrink_until_they_fit_and_grow_back(void **state)
{
    static struct setting setting;
    (void)state;
    set_up(&setting, FITS);
    append(&setting);
    run_until(&setting, UINT64_C(2) * BATCHES);
    assert_true(setting.counting.refused >= 1);
    assert_true(setting.counting.refused < BATCHES);
    assert_in_range(setting.counting.largest, 1, FITS);
    assert_int_equal(setting.counting.open_count, 1); /* opening anew would not help */
    setting.counting.rows_max = 100000;
    append(&setting);
    run_until(&setting, UINT64_C(4) * BATCHES);
    assert_in_range(setting.counting.largest, FITS + 1, 4000);
    tear_down(&setting);
}

static void a_sink_that_gives_up_ends_the_loader(void **state)
{
    static struct setting setting;
    struct mr_error err = {0};
    enum mr_step step = MR_STEP_IDLE;
    (void)state;
    set_up(&setting, 2 * ROWS - 1); /* not even one batch */
    append(&setting);
    for (int i = 0; i < 20 && step != MR_STEP_FAILED; i++) {
        setting.counting.stops = i == 15;
        err = (struct mr_error){0};
        step = mr_loader_step(&setting.loader, 0, &err);
    }
    assert_int_equal(step, MR_STEP_FAILED);
    assert_int_equal(err.code, MR_E_LIMIT);
    assert_int_equal(setting.loader.group_rows_now, 1);
    assert_int_equal(setting.counting.sequence, 0);
    tear_down(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_shrink_until_they_fit_and_grow_back),
        cmocka_unit_test(a_sink_that_gives_up_ends_the_loader),
    };
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
