// SPDX-License-Identifier: MIT
/*
 * The book of single tables: it survives a power loss at any call, and holds names of any kind.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "data_dir.h"
#include "fake_env.h"
#include "table_book.h"

struct seen {
    char text[2048];
};

static void see_choice(void *context, const char *space, const char *table, enum mr_choice choice)
{
    struct seen *seen = context;
    const size_t length = strlen(seen->text);
    (void)snprintf(seen->text + length, sizeof(seen->text) - length, "[%s|%s|%d]", space, table,
                   (int)choice);
}

static void see_wish(void *context, const struct mr_copy_wish *wish)
{
    struct seen *seen = context;
    const size_t length = strlen(seen->text);
    (void)snprintf(seen->text + length, sizeof(seen->text) - length, "[%s|%s|%s|%s]", wish->space,
                   wish->table, wish->id, wish->where == NULL ? "" : wish->where);
}

static void expect_book(const struct mr_env *env, int dir_fd, const char *source,
                        const char *const *wanted)
{
    struct mr_error err = {0};
    struct mr_table_book *book = mr_table_book_open(env, dir_fd, &err);
    assert_non_null(book);
    struct seen seen = {0};
    mr_table_book_each(book, source, see_choice, see_wish, &seen);
    for (; *wanted != NULL; wanted++) {
        assert_non_null(strstr(seen.text, *wanted));
    }
    mr_table_book_close(book);
}

static void names_of_any_kind_are_found_again(void **state)
{
    (void)state;
    struct mr_fake_env *fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(fake);
    struct mr_error err = {0};
    struct mr_data_dir dir;
    assert_true(mr_data_dir_open(&dir, env, "data", &err));
    struct mr_table_book *book = mr_table_book_open(env, dir.fd, &err);
    assert_non_null(book);
    const struct mr_copy_wish wish = {
        .space = "a\tb", .table = "50% \"off\"\n", .id = "1-2", .where = "x = 'y\tz'"};
    assert_true(mr_table_book_choose(book, "s", "p", "t", MR_CHOICE_ADDED, &err));
    assert_true(mr_table_book_choose(book, "s", "p", "\xc3\xa4", MR_CHOICE_DROPPED, &err));
    assert_true(mr_table_book_choose(book, "other", "p", "t", MR_CHOICE_DROPPED, &err));
    assert_true(mr_table_book_want(book, "s", &wish, &err));
    mr_table_book_close(book);
    mr_data_dir_close(&dir, env);
    mr_fake_env_crash(fake);
    assert_true(mr_data_dir_open(&dir, env, "data", &err));
    const char *const wanted[] = {"[p|t|1]", "[p|\xc3\xa4|2]",
                                  "[a\tb|50% \"off\"\n|1-2|x = 'y\tz']", NULL};
    expect_book(env, dir.fd, "s", wanted);
    book = mr_table_book_open(env, dir.fd, &err);
    assert_true(mr_table_book_end(book, "s", "a\tb", "50% \"off\"\n", "another", &err));
    assert_true(mr_table_book_choose(book, "s", "p", "t", MR_CHOICE_NONE, &err));
    struct seen seen = {0};
    mr_table_book_each(book, "s", see_choice, see_wish, &seen);
    assert_non_null(strstr(seen.text, "1-2")); /* another id ends no copy */
    assert_null(strstr(seen.text, "[p|t|1]"));
    assert_true(mr_table_book_end(book, "s", "a\tb", "50% \"off\"\n", "1-2", &err));
    memset(&seen, 0, sizeof(seen));
    mr_table_book_each(book, "s", see_choice, see_wish, &seen);
    assert_string_equal(seen.text, "[p|\xc3\xa4|2]");
    mr_table_book_close(book);
    mr_data_dir_close(&dir, env);
    mr_fake_env_close(fake);
}

static void a_crash_at_any_call_leaves_the_old_or_the_new(void **state)
{
    (void)state;
    uint64_t deaths = 0;
    for (uint64_t call = 0; call < 200; call++) {
        struct mr_fake_env *fake = mr_fake_env_open(call + 1);
        const struct mr_env *env = mr_fake_env_as_env(fake);
        struct mr_error err = {0};
        struct mr_data_dir dir;
        assert_true(mr_data_dir_open(&dir, env, "data", &err));
        struct mr_table_book *book = mr_table_book_open(env, dir.fd, &err);
        assert_true(mr_table_book_choose(book, "s", "p", "t", MR_CHOICE_ADDED, &err));
        mr_fake_env_crash_at(fake, call);
        const bool saved = mr_table_book_choose(book, "s", "p", "u", MR_CHOICE_ADDED, &err);
        const bool died = mr_fake_env_is_dead(fake);
        mr_table_book_close(book);
        mr_data_dir_close(&dir, env);
        mr_fake_env_crash(fake);
        assert_true(mr_data_dir_open(&dir, env, "data", &err));
        const char *const old[] = {"[p|t|1]", NULL};
        const char *const both[] = {"[p|t|1]", "[p|u|1]", NULL};
        expect_book(env, dir.fd, "s", saved ? both : old);
        mr_data_dir_close(&dir, env);
        mr_fake_env_close(fake);
        deaths += died;
        if (!died) {
            break;
        }
    }
    assert_true(deaths > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_any_kind_are_found_again),
        cmocka_unit_test(a_crash_at_any_call_leaves_the_old_or_the_new),
    };
    return cmocka_run_group_tests_name("table_book", tests, NULL, NULL);
}
