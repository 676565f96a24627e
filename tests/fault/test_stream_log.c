// SPDX-License-Identifier: MIT
/*
 * test_stream_log.c - the segment log on a system that fails: a walk over every call of mr_env.
 *
 *   fault walk   call number n fails, once or for good, with EIO or ENOSPC; the log is opened again
 *                with a system that works, as the next process would, with and without a power loss
 *   crash walk   the process dies in call number n and the disk forgets what was not synced; then
 *                the same again during the recovery from that
 *   full disk    space runs out at every point of a run, comes back, and the run goes on
 *
 * After each, the log must hold every transaction that was synced, whole and in order, the position
 * behind the last one, and nothing that was not appended.
 */
#include "check.h"

#include <errno.h>
#include <string.h>

#include "log_fixture.h"

#define CALLS_MAX 2000 /* of one run: every walk has a bound */

/* What one run does; false when a step failed for good. Full disks are tried once more. */
static bool again_if_full(bool done, struct mr_error *err, bool *again)
{
    *again = !done && err->code == MR_E_FULL && err->recovery == MR_RETRY;
    return done;
}

static bool step_append(struct log_fixture *fixture, uint64_t seed, uint32_t rows,
                        struct mr_error *err)
{
    bool again = false;
    return again_if_full(log_fixture_append(fixture, seed, 2, rows, err), err, &again) ||
           (again && log_fixture_append(fixture, seed, 2, rows, err));
}

static bool step_part(struct log_fixture *fixture, uint64_t seed, enum log_part part,
                      struct mr_error *err)
{
    bool again = false;
    return again_if_full(log_fixture_append_part(fixture, seed, 10, part, err), err, &again) ||
           (again && log_fixture_append_part(fixture, seed, 10, part, err));
}

static bool step_abort(struct log_fixture *fixture, struct mr_error *err)
{
    bool again = false;
    return again_if_full(log_fixture_abort(fixture, err), err, &again) ||
           (again && log_fixture_abort(fixture, err));
}

/* Several segments, an open transaction over a sync, an aborted one, retention. */
static bool run(struct log_fixture *fixture, struct mr_error *err)
{
    if (!log_fixture_open(fixture, err)) {
        return false;
    }
    for (uint64_t i = 0; i < 6; i++) {
        if (!step_append(fixture, 100 + i * 2, 6, err) ||
            (i % 2 == 1 && !log_fixture_sync(fixture, err))) {
            return false;
        }
    }
    if (!step_part(fixture, 200, LOG_BEGIN, err) || !log_fixture_sync(fixture, err) ||
        !step_part(fixture, 201, LOG_MIDDLE, err) || !step_part(fixture, 202, LOG_END, err) ||
        !log_fixture_sync(fixture, err)) {
        return false;
    }
    if (!step_part(fixture, 210, LOG_BEGIN, err) || !step_part(fixture, 211, LOG_MIDDLE, err) ||
        !log_fixture_sync(fixture, err) || !step_abort(fixture, err) ||
        !step_append(fixture, 220, 20, err) || !log_fixture_sync(fixture, err)) {
        return false;
    }
    mr_stream_log.release(fixture->stream, 0, fixture->synced);
    if (!mr_stream_log.expire(fixture->stream, err) ||
        !mr_stream_log.expire(fixture->stream, err)) {
        return false;
    }
    return step_append(fixture, 230, 5, err) && log_fixture_sync(fixture, err);
}

static void init(struct log_fixture *fixture, uint64_t seed)
{
    log_fixture_init(fixture, seed);
    fixture->config.segment_bytes_max = 4096;
    fixture->config.retention_bytes = 20000;
    mr_fake_env_sync_all(fixture->fake);
}

static void reopen_root(struct log_fixture *fixture)
{
    fixture->data_dir_fd = fixture->env->open_dir(fixture->env, MR_ENV_CWD, "/");
    assert_true(fixture->data_dir_fd >= 0);
}

static void check_survival(struct log_fixture *fixture, const char *what, uint64_t number)
{
    struct mr_error err = {0};
    if (!log_fixture_survives(fixture, &err)) {
        fail_msg("%s %llu: does not open again: %s", what, (unsigned long long)number, err.message);
    }
}

static const struct fault_case {
    const char *label;
    bool for_good;
    bool power_loss;
    int sys_errno;
} fault_cases[] = {
    {"EIO once", false, false, EIO},
    {"EIO for good", true, false, EIO},
    {"EIO once, then power loss", false, true, EIO},
    {"EIO for good, then power loss", true, true, EIO},
    {"ENOSPC once", false, false, ENOSPC},
    {"ENOSPC once, then power loss", false, true, ENOSPC},
    {"ENOSPC for good, then power loss", true, true, ENOSPC},
};

/* One run with a fault at call n; returns whether the fault was met. */
static bool run_with_fault(const struct fault_case *c, uint64_t n)
{
    struct log_fixture fixture;
    struct mr_error err = {0};
    init(&fixture, 1000 + n);
    mr_fake_env_fail(fixture.fake, (struct mr_fake_fault){.call = MR_FAKE_ANY_CALL,
                                                          .after = n,
                                                          .for_good = c->for_good,
                                                          .sys_errno = c->sys_errno});
    const bool done = run(&fixture, &err);
    const bool was_hit = mr_fake_env_fault_count(fixture.fake) > 0;
    if (!done) {
        assert_true(was_hit);
        assert_int_not_equal(err.code, MR_OK);
        assert_true(err.message[0] != '\0');
        assert_int_not_equal(err.code, MR_E_CORRUPT); /* a fault is never taken for damage */
    }
    log_fixture_close(&fixture);
    assert_int_equal(mr_fake_env_misuse_count(fixture.fake), 0);
    mr_fake_env_heal(fixture.fake);
    if (c->power_loss) {
        mr_fake_env_crash(fixture.fake);
        reopen_root(&fixture);
    } else {
        assert_int_equal(mr_fake_env_open_count(fixture.fake), 1); /* the data directory */
    }
    check_survival(&fixture, c->label, n);
    log_fixture_done(&fixture);
    return was_hit;
}

static void every_call_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(fault_cases); i++) {
        uint64_t n = 0;
        while (run_with_fault(&fault_cases[i], n)) {
            n++;
            assert_true(n < CALLS_MAX);
        }
        print_message("    %s: walked %llu calls\n", fault_cases[i].label, (unsigned long long)n);
        assert_true(n > 100);
    }
}

/* What the next process does first, while it may die at any call. */
static bool reopen_and_append(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    struct mr_stream_observation seen;
    if (!log_fixture_open(fixture, &err)) {
        assert_int_not_equal(err.code, MR_E_CORRUPT);
        return false;
    }
    mr_stream_log.observe(fixture->stream, &seen);
    assert_true(seen.last_sequence >= fixture->synced);
    fixture->appended = (uint32_t)seen.last_sequence;
    fixture->synced = fixture->appended;
    const bool done = log_fixture_append(fixture, 700000 + fixture->appended, 2, 3, &err) &&
                      log_fixture_sync(fixture, &err);
    log_fixture_close(fixture);
    return done;
}

/* The process dies in call n of a run, then in call m of the recovery. */
static bool run_with_crash(uint64_t seed, uint64_t n, uint64_t m)
{
    struct log_fixture fixture;
    struct mr_error err = {0};
    init(&fixture, seed);
    mr_fake_env_crash_at(fixture.fake, n);
    const bool done = run(&fixture, &err);
    const bool was_hit = mr_fake_env_is_dead(fixture.fake);
    assert_true(was_hit || done);
    log_fixture_close(&fixture);
    mr_fake_env_crash(fixture.fake);
    reopen_root(&fixture);
    bool was_hit_again = true;
    if (m != MR_FAKE_NEVER) {
        mr_fake_env_crash_at(fixture.fake, m);
        const bool survived = reopen_and_append(&fixture);
        was_hit_again = mr_fake_env_is_dead(fixture.fake);
        assert_true(was_hit_again || survived);
        mr_fake_env_crash(fixture.fake);
        reopen_root(&fixture);
    }
    check_survival(&fixture, "crash", n);
    log_fixture_done(&fixture);
    return was_hit && was_hit_again;
}

static void every_call_may_be_the_last(void **state)
{
    (void)state;
    uint64_t total = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        uint64_t n = 0;
        while (run_with_crash(seed * 7919 + n, n, MR_FAKE_NEVER)) {
            n++;
            assert_true(n < CALLS_MAX);
        }
        total += n;
    }
    print_message("    %llu crashes\n", (unsigned long long)total);
}

static void recovery_may_crash_too(void **state)
{
    (void)state;
    uint64_t total = 0;
    for (uint64_t n = 20; n < 200; n += 9) {
        uint64_t m = 0;
        while (run_with_crash(n * 31 + m, n, m)) {
            m++;
            assert_true(m < CALLS_MAX);
        }
        total += m;
    }
    print_message("    %llu crashes during recovery\n", (unsigned long long)total);
}

/* With reads and writes that are cut short all the time. */
static void short_reads_and_writes_are_continued(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_error err = {0};
    init(&fixture, 77);
    mr_fake_env_set_short_io(fixture.fake, true);
    if (!run(&fixture, &err)) {
        fail_msg("%s", err.message);
    }
    log_fixture_close(&fixture);
    check_survival(&fixture, "short", 0);
    log_fixture_done(&fixture);
}

/* The disk holds `space` bytes: intake stops cleanly; with more it goes on where it was. */
static void fill_disk(uint64_t space)
{
    struct log_fixture fixture;
    struct mr_error err = {0};
    struct mr_stream_observation seen;
    log_fixture_init(&fixture, space);
    fixture.config.segment_bytes_max = 16384;
    fixture.config.compression = 0;
    mr_fake_env_set_space(fixture.fake, space);
    if (!log_fixture_open(&fixture, &err)) {
        assert_int_equal(err.code, MR_E_FULL);
        assert_int_equal(err.recovery, MR_RETRY);
        log_fixture_done(&fixture);
        return;
    }
    uint64_t seed = 1;
    while (log_fixture_append(&fixture, seed, 1, 12, &err)) {
        seed++;
        assert_true(log_fixture_sync(&fixture, &err));
        assert_true(seed < 1000);
    }
    assert_int_equal(err.code, MR_E_FULL);
    assert_int_equal(err.recovery, MR_RETRY);
    mr_stream_log.observe(fixture.stream, &seen);
    assert_true(seen.intake_paused);
    /* it stays readable, and says the same again */
    log_fixture_read_all(&fixture, 1, fixture.appended);
    assert_false(log_fixture_append(&fixture, seed, 1, 12, &err));
    assert_int_equal(err.code, MR_E_FULL);
    assert_true(log_fixture_sync(&fixture, &err));

    mr_fake_env_set_space(fixture.fake, space + 100000);
    assert_true(log_fixture_append(&fixture, seed, 1, 12, &err));
    assert_true(log_fixture_sync(&fixture, &err));
    mr_stream_log.observe(fixture.stream, &seen);
    assert_false(seen.intake_paused);
    log_fixture_read_all(&fixture, 1, fixture.appended);
    log_fixture_close(&fixture);
    mr_fake_env_crash(fixture.fake);
    reopen_root(&fixture);
    check_survival(&fixture, "full disk", space);
    log_fixture_done(&fixture);
}

static void a_full_disk_stops_intake_until_there_is_room(void **state)
{
    (void)state;
    for (uint64_t space = 100; space < 70000; space += 1371) {
        fill_disk(space);
    }
}

/* Reads everything although call n fails; an error that passes must not cost a transaction. */
static bool read_with_fault(struct log_fixture *fixture, uint64_t n, bool for_good)
{
    struct mr_error err = {0};
    struct log_check check = {.fixture = fixture, .next = 1};
    struct mr_stream_reader *reader = NULL;
    mr_fake_env_fail(
        fixture->fake,
        (struct mr_fake_fault){.call = MR_FAKE_ANY_CALL, .after = n, .for_good = for_good});
    for (int tries = 0; tries < 3 && reader == NULL; tries++) {
        reader = mr_stream_log.reader_open(fixture->stream, 1, &err);
    }
    for (int failures = 0; reader != NULL && failures < 3;) {
        struct mr_batch *batch = mr_stream_log.reader_next(reader, 0, &err);
        if (batch == NULL && err.code == MR_OK) {
            break;
        }
        failures += batch == NULL ? 1 : 0;
        if (batch != NULL) {
            log_check_batch(&check, batch);
            mr_batch_release(batch);
        }
    }
    mr_stream_log.reader_close(reader);
    const bool was_hit = mr_fake_env_fault_count(fixture->fake) > 0;
    mr_fake_env_heal(fixture->fake);
    if (!for_good || check.next == fixture->synced + 1) {
        assert_int_equal(check.next, fixture->synced + 1);
    } else {
        assert_true(was_hit);
        assert_int_equal(err.code, MR_E_IO);
    }
    return was_hit;
}

static void reads_may_fail(void **state)
{
    (void)state;
    for (int for_good = 0; for_good <= 1; for_good++) {
        struct log_fixture fixture;
        struct mr_error err = {0};
        init(&fixture, 88);
        fixture.config.retention_bytes = UINT64_C(1) << 30;
        assert_true(run(&fixture, &err));
        uint64_t n = 0;
        while (read_with_fault(&fixture, n, for_good != 0)) {
            n++;
            assert_true(n < CALLS_MAX);
            if (n % 10 == 0) {
                log_fixture_close(&fixture); /* segments are to be indexed anew */
                assert_true(log_fixture_open(&fixture, &err));
            }
        }
        print_message("    walked %llu calls\n", (unsigned long long)n);
        assert_true(n > 20);
        log_fixture_done(&fixture);
    }
}

/* A sync fails, and the disk may have lost what it was given; nobody else is told. */
static void fail_a_sync(uint64_t seed, int sys_errno)
{
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init(&fixture, seed);
    assert_true(log_fixture_open(&fixture, &err));
    assert_true(log_fixture_append(&fixture, 1, 1, 30, &err));
    mr_fake_env_fail(fixture.fake,
                     (struct mr_fake_fault){.call = MR_FAKE_FDATASYNC, .sys_errno = sys_errno});
    assert_false(log_fixture_sync(&fixture, &err));
    assert_int_equal(err.code, MR_E_IO);
    assert_int_equal(err.recovery, MR_STOP);
    assert_false(log_fixture_sync(&fixture, &err));
    assert_int_equal(err.recovery, MR_STOP);
    assert_false(log_fixture_append(&fixture, 2, 1, 3, &err));
    assert_int_equal(err.recovery, MR_STOP);
    assert_false(log_fixture_abort(&fixture, &err));
    log_fixture_read_all(&fixture, 1, 0);
    log_fixture_close(&fixture);
    /* The next process reads what is in the cache, and must make it durable anew. */
    check_survival(&fixture, "poison", seed);
    mr_fake_env_crash(fixture.fake);
    reopen_root(&fixture);
    check_survival(&fixture, "poison, then power loss", seed);
    log_fixture_done(&fixture);
}

/* A failed sync ends the stream's life: no later call may pretend that all is well. */
static void a_failed_sync_poisons_the_stream(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fail_a_sync(seed, seed % 2 == 0 ? EIO : ENOSPC);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_may_fail),
        cmocka_unit_test(every_call_may_be_the_last),
        cmocka_unit_test(recovery_may_crash_too),
        cmocka_unit_test(reads_may_fail),
        cmocka_unit_test(short_reads_and_writes_are_continued),
        cmocka_unit_test(a_full_disk_stops_intake_until_there_is_room),
        cmocka_unit_test(a_failed_sync_poisons_the_stream),
    };
    return cmocka_run_group_tests_name("stream_log faults", tests, NULL, NULL);
}
