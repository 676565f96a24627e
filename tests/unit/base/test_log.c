// SPDX-License-Identifier: MIT
/* The logger: one JSON object a line, levels, and lines of threads that never mix. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "log.h"

#define THREADS 4
#define LINES   200

static void read_all(int fd, char *text, size_t size)
{
    size_t length = 0;
    for (;;) {
        const ssize_t count = pread(fd, text + length, size - 1 - length, (off_t)length);
        assert_true(count >= 0);
        if (count == 0) {
            break;
        }
        length += (size_t)count;
    }
    text[length] = '\0';
}

static void a_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    char text[1024];
    FILE *file = tmpfile();
    assert_non_null(file);
    mr_log_configure(fileno(file), MR_LOG_INFO);
    mr_log(MR_LOG_DEBUG, "never.written", MR_LOG_I("n", 1));
    mr_log(MR_LOG_WARN, "source.lost", MR_LOG_S("source", "o\"ps"), MR_LOG_I("attempt", -3),
           MR_LOG_D("lag", 0.5), MR_LOG_S("nothing", NULL));
    read_all(fileno(file), text, sizeof(text));
    assert_null(strstr(text, "never"));
    /* {"time":"2026-01-31T12:34:56.123456Z", */
    assert_memory_equal(text, "{\"time\":\"20", 11);
    assert_memory_equal(text + 35, "Z\",", 3);
    assert_string_equal(text + 38, "\"level\":\"warn\",\"event\":\"source.lost\","
                                   "\"source\":\"o\\\"ps\",\"attempt\":-3,\"lag\":0.5,"
                                   "\"nothing\":null}\n");
    mr_log_configure(STDERR_FILENO, MR_LOG_INFO);
    (void)fclose(file);
}

static void *write_lines(void *context)
{
    (void)context;
    for (int i = 0; i < LINES; i++) {
        mr_log(MR_LOG_INFO, "test.line", MR_LOG_I("n", i));
    }
    return NULL;
}

static void lines_of_threads_stay_whole(void **state)
{
    (void)state;
    int ends[2];
    pthread_t threads[THREADS];
    assert_int_equal(pipe(ends), 0);
    FILE *in = fdopen(ends[0], "r");
    mr_log_configure(ends[1], MR_LOG_DEBUG);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
    }
    char line[512];
    for (int i = 0; i < THREADS * LINES; i++) {
        assert_non_null(fgets(line, sizeof(line), in));
        assert_memory_equal(line, "{\"time\":", 8);
        assert_string_equal(line + strlen(line) - 2, "}\n");
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    mr_log_configure(STDERR_FILENO, MR_LOG_INFO);
    (void)fclose(in);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_event_and_fields),
        cmocka_unit_test(lines_of_threads_stay_whole),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
