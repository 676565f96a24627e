// SPDX-License-Identifier: MIT
/*
 * The fake system itself: a simulation is worth what its disk forgets. Each test says over many
 * seeds what a crash must keep, and sees that it does lose everything it may lose.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "check.h"
#include "compiler.h"
#include "fake_env.h"

#define SEEDS 300

static int create(const struct mr_env *env, const char *name)
{
    const int fd = env->open(env, MR_ENV_CWD, name, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    return fd;
}

static int open_root(const struct mr_env *env)
{
    const int fd = env->open_dir(env, MR_ENV_CWD, "/");
    assert_true(fd >= 0);
    return fd;
}

static bool has_content(struct mr_fake_env *fake, const char *name, const char *content)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    return mr_fake_env_peek(fake, name, &bytes, &length) && length == strlen(content) &&
           (length == 0 || memcmp(bytes, content, length) == 0);
}

static bool exists(struct mr_fake_env *fake, const char *name)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    return mr_fake_env_peek(fake, name, &bytes, &length);
}

static void what_was_synced_survives(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct mr_fake_env *fake = mr_fake_env_open(seed);
        const struct mr_env *env = mr_fake_env_as_env(fake);
        const int fd = create(env, "a");
        assert_int_equal(env->pwrite(env, fd, "hello", 5, 0), 5);
        assert_int_equal(env->fdatasync(env, fd), 0);
        assert_int_equal(env->fsync(env, open_root(env)), 0);
        assert_int_equal(env->pwrite(env, fd, "HELLO", 5, 5), 5);
        mr_fake_env_crash(fake);
        const uint8_t *bytes = NULL;
        size_t length = 0;
        assert_true(mr_fake_env_peek(fake, "a", &bytes, &length));
        assert_true(length >= 5 && length <= 10);
        assert_memory_equal(bytes, "hello", 5);
        mr_fake_env_close(fake);
    }
}

static void what_was_not_synced_is_kept_lost_or_torn(void **state)
{
    (void)state;
    unsigned kept = 0;
    unsigned lost = 0;
    unsigned torn = 0;
    static uint8_t new_bytes[3 * 512];
    static uint8_t old_bytes[3 * 512];
    memset(new_bytes, 'n', sizeof(new_bytes));
    memset(old_bytes, 'o', sizeof(old_bytes));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct mr_fake_env *fake = mr_fake_env_open(seed);
        const struct mr_env *env = mr_fake_env_as_env(fake);
        mr_fake_env_put(fake, "a", old_bytes, sizeof(old_bytes));
        const int fd = create(env, "a");
        assert_int_equal(env->pwrite(env, fd, new_bytes, sizeof(new_bytes), 0),
                         (ssize_t)sizeof(new_bytes));
        mr_fake_env_crash(fake);
        const uint8_t *bytes = NULL;
        size_t length = 0;
        assert_true(mr_fake_env_peek(fake, "a", &bytes, &length));
        assert_int_equal(length, sizeof(new_bytes));
        const bool is_new = memcmp(bytes, new_bytes, length) == 0;
        const bool is_old = memcmp(bytes, old_bytes, length) == 0;
        kept += is_new ? 1 : 0;
        lost += is_old ? 1 : 0;
        torn += !is_new && !is_old ? 1 : 0;
        mr_fake_env_close(fake);
    }
    print_message("    kept %u, lost %u, torn %u of %d\n", kept, lost, torn, SEEDS);
    assert_true(kept > SEEDS / 10 && lost > SEEDS / 10 && torn > SEEDS / 10);
}

static void a_name_needs_its_directory_synced(void **state)
{
    (void)state;
    unsigned missing = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct mr_fake_env *fake = mr_fake_env_open(seed);
        const struct mr_env *env = mr_fake_env_as_env(fake);
        const int fd = create(env, "a");
        assert_int_equal(env->pwrite(env, fd, "x", 1, 0), 1);
        assert_int_equal(env->fsync(env, fd), 0);
        mr_fake_env_crash(fake);
        assert_true(!exists(fake, "a") || has_content(fake, "a", "x"));
        missing += exists(fake, "a") ? 0 : 1;
        mr_fake_env_close(fake);
    }
    assert_true(missing > SEEDS / 10 && missing < SEEDS);
}

/* Write beside, sync, rename over: the old or the new content, never anything else. */
static void a_rename_is_one_step(void **state)
{
    (void)state;
    unsigned old = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct mr_fake_env *fake = mr_fake_env_open(seed);
        const struct mr_env *env = mr_fake_env_as_env(fake);
        mr_fake_env_put(fake, "a", "old", 3);
        const int fd = create(env, "a.new");
        assert_int_equal(env->pwrite(env, fd, "new", 3, 0), 3);
        assert_int_equal(env->fdatasync(env, fd), 0);
        assert_int_equal(env->rename(env, MR_ENV_CWD, "a.new", "a"), 0);
        assert_true(has_content(fake, "a", "new"));
        const bool synced = seed % 2 == 0;
        if (synced) {
            assert_int_equal(env->fsync(env, open_root(env)), 0);
        }
        mr_fake_env_crash(fake);
        assert_true(has_content(fake, "a", "new") || (!synced && has_content(fake, "a", "old")));
        old += has_content(fake, "a", "old") ? 1 : 0;
        mr_fake_env_close(fake);
    }
    assert_true(old > SEEDS / 20);
}

static void an_unlink_may_come_undone(void **state)
{
    (void)state;
    unsigned back = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct mr_fake_env *fake = mr_fake_env_open(seed);
        const struct mr_env *env = mr_fake_env_as_env(fake);
        mr_fake_env_put(fake, "d/a", "old", 3);
        const int dir_fd = env->open_dir(env, MR_ENV_CWD, "d");
        assert_int_equal(env->unlink(env, dir_fd, "a"), 0);
        assert_false(exists(fake, "d/a"));
        mr_fake_env_crash(fake);
        assert_true(!exists(fake, "d/a") || has_content(fake, "d/a", "old"));
        back += exists(fake, "d/a") ? 1 : 0;
        mr_fake_env_close(fake);
    }
    assert_true(back > SEEDS / 10 && back < SEEDS);
}

/* The bug of retrying fsync: the second one succeeds, and the bytes are gone all the same. */
static void a_failed_sync_drops_what_it_failed_for(void **state)
{
    (void)state;
    unsigned gone = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct mr_fake_env *fake = mr_fake_env_open(seed);
        const struct mr_env *env = mr_fake_env_as_env(fake);
        mr_fake_env_put(fake, "a", "", 0);
        const int fd = create(env, "a");
        assert_int_equal(env->pwrite(env, fd, "x", 1, 0), 1);
        mr_fake_env_fail(fake, (struct mr_fake_fault){.call = MR_FAKE_FDATASYNC});
        assert_int_equal(env->fdatasync(env, fd), -1);
        assert_int_equal(errno, EIO);
        assert_int_equal(mr_fake_env_fault_count(fake), 1);
        assert_int_equal(env->fdatasync(env, fd), 0);
        assert_true(has_content(fake, "a", "x"));
        mr_fake_env_crash(fake);
        gone += has_content(fake, "a", "x") ? 0 : 1;
        mr_fake_env_close(fake);
    }
    assert_true(gone > SEEDS / 10);
}

static void nothing_happens_after_death(void **state)
{
    (void)state;
    unsigned effects = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct mr_fake_env *fake = mr_fake_env_open(seed);
        const struct mr_env *env = mr_fake_env_as_env(fake);
        mr_fake_env_put(fake, "a", "old", 3);
        const int fd = create(env, "a");
        mr_fake_env_crash_at(fake, 0);
        assert_int_equal(env->pwrite(env, fd, "new", 3, 0), -1);
        assert_true(mr_fake_env_is_dead(fake));
        effects += has_content(fake, "a", "new") ? 1 : 0;
        const bool had_effect = has_content(fake, "a", "new");
        assert_int_equal(env->unlink(env, MR_ENV_CWD, "a"), -1);
        assert_int_equal(env->fdatasync(env, fd), -1);
        assert_int_equal(env->truncate(env, fd, 0), -1);
        assert_int_equal(env->close(env, fd), -1);
        assert_int_equal(has_content(fake, "a", "new"), had_effect);
        assert_int_equal(mr_fake_env_misuse_count(fake), 0);
        mr_fake_env_crash(fake);
        assert_false(mr_fake_env_is_dead(fake));
        assert_true(exists(fake, "a"));
        assert_int_equal(env->close(env, fd), -1);
        assert_int_equal(mr_fake_env_misuse_count(fake), 0);
        mr_fake_env_close(fake);
    }
    assert_true(effects > SEEDS / 4 && effects < SEEDS);
}

static void faults_hit_the_call_that_was_named(void **state)
{
    (void)state;
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(fake);
    const int fd = create(env, "a");
    mr_fake_env_fail(
        fake, (struct mr_fake_fault){.call = MR_FAKE_PWRITE, .after = 1, .sys_errno = ENOSPC});
    assert_int_equal(env->pwrite(env, fd, "x", 1, 0), 1);
    assert_int_equal(env->fdatasync(env, fd), 0);
    assert_int_equal(env->pwrite(env, fd, "x", 1, 1), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(env->pwrite(env, fd, "x", 1, 1), 1);
    mr_fake_env_fail(fake, (struct mr_fake_fault){.call = MR_FAKE_ANY_CALL, .for_good = true});
    assert_int_equal(env->fsync(env, fd), -1);
    assert_int_equal(env->file_size(env, fd), -1);
    assert_int_equal(mr_fake_env_fault_count(fake), 2);
    mr_fake_env_heal(fake);
    assert_int_equal(env->file_size(env, fd), 2);
    assert_int_equal(mr_fake_env_call_count(fake, MR_FAKE_PWRITE), 3);
    assert_int_equal(mr_fake_env_call_count(fake, MR_FAKE_ANY_CALL), 8);
    mr_fake_env_close(fake);
}

static void space_runs_out_and_comes_back(void **state)
{
    (void)state;
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(fake);
    const int fd = create(env, "a");
    const int other = create(env, "b");
    mr_fake_env_set_space(fake, 10);
    assert_int_equal(env->free_bytes(env, MR_ENV_CWD), 10);
    assert_int_equal(env->pwrite(env, fd, "123456", 6, 0), 6);
    assert_int_equal(env->pwrite(env, other, "123456", 6, 0), 4);
    assert_int_equal(env->pwrite(env, other, "5", 1, 4), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(env->allocate(env, other, 0, 5), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(env->pwrite(env, other, "9", 1, 3), 1); /* overwriting takes no space */
    assert_int_equal(env->unlink(env, MR_ENV_CWD, "a"), 0);
    assert_int_equal(env->free_bytes(env, MR_ENV_CWD), 0); /* it is still open */
    assert_int_equal(env->close(env, fd), 0);
    assert_int_equal(env->free_bytes(env, MR_ENV_CWD), 6);
    assert_int_equal(env->allocate(env, other, 0, 10), 0);
    assert_int_equal(mr_fake_env_open_count(fake), 1);
    mr_fake_env_close(fake);
}

static void locks_exclude_until_closed_or_crashed(void **state)
{
    (void)state;
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(fake);
    const int first = create(env, "lock");
    const int second = create(env, "lock");
    assert_int_equal(env->lock(env, first), 0);
    assert_int_equal(env->lock(env, first), 0);
    assert_int_equal(env->lock(env, second), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_int_equal(env->close(env, first), 0);
    assert_int_equal(env->lock(env, second), 0);
    mr_fake_env_sync_all(fake);
    mr_fake_env_crash(fake);
    assert_int_equal(env->lock(env, create(env, "lock")), 0);
    mr_fake_env_close(fake);
}

static const struct refusal_case {
    const char *label;
    const char *name;
    int flags;
    int sys_errno;
} refusal_cases[] = {
    {"no such file", "nothing", O_RDWR, ENOENT},
    {"no such directory", "nothing/a", O_RDWR | O_CREAT, ENOENT},
    {"there already", "a", O_RDWR | O_CREAT | O_EXCL, EEXIST},
    {"a directory to write", "d", O_RDWR, EISDIR},
    {"a file as directory", "a/b", O_RDWR | O_CREAT, ENOENT},
};

static void open_refuses_what_posix_refuses(void **state)
{
    (void)state;
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(fake);
    mr_fake_env_put(fake, "d/x", "1", 1);
    mr_fake_env_put(fake, "a", "1", 1);
    for (size_t i = 0; i < MR_ARRAY_LEN(refusal_cases); i++) {
        const struct refusal_case *c = &refusal_cases[i];
        print_message("    %s\n", c->label);
        assert_int_equal(env->open(env, MR_ENV_CWD, c->name, c->flags, 0600), -1);
        assert_int_equal(errno, c->sys_errno);
    }
    assert_int_equal(env->make_dir(env, MR_ENV_CWD, "d", 0700), -1);
    assert_int_equal(errno, EEXIST);
    const int fd = env->open(env, MR_ENV_CWD, "a", O_RDONLY, 0);
    assert_int_equal(env->pwrite(env, fd, "x", 1, 0), -1);
    assert_int_equal(mr_fake_env_misuse_count(fake), 1);
    mr_fake_env_close(fake);
}

static bool unlink_entry(void *context, const char *name)
{
    const struct mr_env *env = context;
    assert_int_equal(env->unlink(env, MR_ENV_CWD, name), 0);
    return true;
}

static void a_listing_may_be_unlinked_as_it_goes(void **state)
{
    (void)state;
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(fake);
    mr_fake_env_put(fake, "a", "1", 1);
    mr_fake_env_put(fake, "b", "1", 1);
    mr_fake_env_put(fake, "c", "1", 1);
    assert_int_equal(env->list_dir(env, MR_ENV_CWD, unlink_entry, (void *)(uintptr_t)env), 0);
    assert_false(exists(fake, "a") || exists(fake, "b") || exists(fake, "c"));
    mr_fake_env_close(fake);
}

static void time_moves_only_when_told(void **state)
{
    (void)state;
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(fake);
    const uint64_t start = env->monotonic_ns(env);
    const int64_t wall = env->unix_us(env);
    assert_int_equal(env->monotonic_ns(env), start);
    env->sleep_us(env, 1500);
    assert_int_equal(env->monotonic_ns(env), start + 1500000);
    assert_int_equal(env->unix_us(env), wall + 1500);
    mr_fake_env_set_unix_us(fake, 77);
    assert_int_equal(env->unix_us(env), 77);
    assert_int_equal(env->monotonic_ns(env), start + 1500000);
    mr_fake_env_set_tick_us(fake, 2);
    assert_int_equal(env->unix_us(env), 79);
    mr_fake_env_close(fake);
}

static void rot_is_durable(void **state)
{
    (void)state;
    struct mr_fake_env *fake = mr_fake_env_open(3);
    mr_fake_env_put(fake, "d/a", "abc", 3);
    assert_true(mr_fake_env_poke(fake, "d/a", 1, 'X'));
    assert_false(mr_fake_env_poke(fake, "d/a", 3, 'X'));
    mr_fake_env_crash(fake);
    assert_true(has_content(fake, "d/a", "aXc"));
    mr_fake_env_close(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_survives),
        cmocka_unit_test(what_was_not_synced_is_kept_lost_or_torn),
        cmocka_unit_test(a_name_needs_its_directory_synced),
        cmocka_unit_test(a_rename_is_one_step),
        cmocka_unit_test(an_unlink_may_come_undone),
        cmocka_unit_test(a_failed_sync_drops_what_it_failed_for),
        cmocka_unit_test(nothing_happens_after_death),
        cmocka_unit_test(faults_hit_the_call_that_was_named),
        cmocka_unit_test(space_runs_out_and_comes_back),
        cmocka_unit_test(locks_exclude_until_closed_or_crashed),
        cmocka_unit_test(open_refuses_what_posix_refuses),
        cmocka_unit_test(a_listing_may_be_unlinked_as_it_goes),
        cmocka_unit_test(time_moves_only_when_told),
        cmocka_unit_test(rot_is_durable),
    };
    return cmocka_run_group_tests_name("fake_env", tests, NULL, NULL);
}
