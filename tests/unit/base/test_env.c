// SPDX-License-Identifier: MIT
/* The real system behind mr_env: one walk over a directory that is made and removed again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "env.h"
#include "fake_env.h"

static const struct mr_env *const env = &mr_env_posix;

struct place {
    char path[32];
    int dir_fd;
};

static int make_place(void **state)
{
    static struct place place;
    (void)snprintf(place.path, sizeof(place.path), "mr-env-XXXXXX");
    if (mkdtemp(place.path) == NULL) {
        return -1;
    }
    place.dir_fd = env->open_dir(env, MR_ENV_CWD, place.path);
    *state = &place;
    return place.dir_fd < 0 ? -1 : 0;
}

static int remove_place(void **state)
{
    const struct place *place = *state;
    return env->close(env, place->dir_fd) == 0 && rmdir(place->path) == 0 ? 0 : -1;
}

static bool count_entry(void *context, const char *name)
{
    size_t *count = context;
    assert_string_equal(name, "b");
    (*count)++;
    return true;
}

static void a_file_lives_and_goes(void **state)
{
    const struct place *place = *state;
    struct mr_error err = {0};
    char bytes[16] = "";
    size_t count = 0;
    int fd = env->open(env, place->dir_fd, "a", O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true(mr_env_write_fully(env, fd, "hello", 5, 3, &err));
    assert_int_equal(env->file_size(env, fd), 8);
    assert_int_equal(env->fdatasync(env, fd), 0);
    assert_true(mr_env_read_fully(env, fd, bytes, sizeof(bytes), 3, &count, &err));
    assert_int_equal(count, 5);
    assert_memory_equal(bytes, "hello", 5);
    assert_int_equal(env->allocate(env, fd, 0, 4096), 0);
    assert_int_equal(env->file_size(env, fd), 4096);
    assert_int_equal(env->truncate(env, fd, 4), 0);
    assert_int_equal(env->file_size(env, fd), 4);
    assert_int_equal(env->rename(env, place->dir_fd, "a", "b"), 0);
    assert_int_equal(env->fsync(env, place->dir_fd), 0);
    size_t entries = 0;
    assert_int_equal(env->list_dir(env, place->dir_fd, count_entry, &entries), 0);
    assert_int_equal(env->list_dir(env, place->dir_fd, count_entry, &entries), 0);
    assert_int_equal(entries, 2);
    assert_true(env->free_bytes(env, place->dir_fd) > 0);
    assert_true(env->free_bytes(env, MR_ENV_CWD) > 0);
    assert_int_equal(env->close(env, fd), 0);
    assert_int_equal(env->unlink(env, place->dir_fd, "b"), 0);
    assert_int_equal(env->open(env, place->dir_fd, "b", O_RDONLY, 0), -1);
    assert_int_equal(errno, ENOENT);
}

static void a_lock_excludes_another(void **state)
{
    const struct place *place = *state;
    int first = env->open(env, place->dir_fd, "lock", O_RDWR | O_CREAT, 0600);
    int second = env->open(env, place->dir_fd, "lock", O_RDWR, 0600);
    assert_int_equal(env->lock(env, first), 0);
    assert_int_equal(env->lock(env, second), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_int_equal(env->close(env, first), 0);
    assert_int_equal(env->lock(env, second), 0);
    assert_int_equal(env->close(env, second), 0);
    assert_int_equal(env->unlink(env, place->dir_fd, "lock"), 0);
}

static void clocks_go_forward_and_sleep_sleeps(void **state)
{
    (void)state;
    const uint64_t start = env->monotonic_ns(env);
    const int64_t wall = env->unix_us(env);
    env->sleep_us(env, 2000);
    assert_true(env->monotonic_ns(env) - start >= 2000000);
    assert_true(env->unix_us(env) > INT64_C(1600000000000000) && wall > 0);
    assert_true(env->random(env) != env->random(env));
}

static void failures_say_what_failed(void **state)
{
    (void)state;
    struct mr_error err = {0};
    size_t count = 7;
    char byte = 0;
    assert_false(mr_env_write_fully(env, -1, "x", 1, 0, &err));
    assert_int_equal(err.code, MR_E_IO);
    assert_int_equal(err.sys_errno, EBADF);
    assert_false(mr_env_read_fully(env, -1, &byte, 1, 0, &count, &err));
    assert_int_equal(err.sys_errno, EBADF);
    assert_int_equal(count, 7);
    assert_int_equal(env->allocate(env, -1, 0, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(env->file_size(env, -1), -1);
    assert_int_equal(env->list_dir(env, -1, count_entry, NULL), -1);
}

/* Short transfers and a full disk need the fake system. */
static void short_transfers_are_continued(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *short_env = mr_fake_env_as_env(fake);
    uint8_t bytes[300];
    uint8_t back[400];
    size_t count = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    mr_fake_env_set_short_io(fake, true);
    const int fd = short_env->open(short_env, MR_ENV_CWD, "a", O_RDWR | O_CREAT, 0600);
    assert_true(mr_env_write_fully(short_env, fd, bytes, sizeof(bytes), 0, &err));
    assert_true(mr_env_read_fully(short_env, fd, back, sizeof(back), 0, &count, &err));
    assert_int_equal(count, sizeof(bytes));
    assert_memory_equal(back, bytes, sizeof(bytes));
    mr_fake_env_set_space(fake, 310);
    assert_false(mr_env_write_fully(short_env, fd, bytes, 11, 300, &err));
    assert_int_equal(err.code, MR_E_FULL);
    assert_int_equal(err.recovery, MR_RETRY);
    mr_fake_env_close(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_lives_and_goes, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_lock_excludes_another, make_place, remove_place),
        cmocka_unit_test(clocks_go_forward_and_sleep_sleeps),
        cmocka_unit_test(failures_say_what_failed),
        cmocka_unit_test(short_transfers_are_continued),
    };
    return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
