// SPDX-License-Identifier: MIT
/*
 * log.c - one JSON object a line, written with one write(2) so that lines of threads never mix.
 *
 * The file-level state here is one of the three exceptions that STYLE.md allows: where lines go is
 * a fact of the process. A line that cannot be written is dropped: there is no better place to say
 * so, and no stage may fail because a terminal went away.
 */
#include "log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "env.h"
#include "json.h"

static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_least = MR_LOG_INFO;

void mr_log_configure(int fd, enum mr_log_level least)
{
    MR_ASSERT(fd >= 0);
    atomic_store_explicit(&log_fd, fd, memory_order_relaxed);
    atomic_store_explicit(&log_least, (int)least, memory_order_relaxed);
}

static const char *level_name(enum mr_log_level level)
{
    switch (level) {
    case MR_LOG_DEBUG:
        return "debug";
    case MR_LOG_INFO:
        return "info";
    case MR_LOG_WARN:
        return "warn";
    case MR_LOG_ERROR:
        return "error";
    }
    return "unknown";
}

static void write_time(struct mr_json *line)
{
    const int64_t now_us = mr_env_posix.unix_us(&mr_env_posix);
    const time_t seconds = (time_t)(now_us / 1000000);
    struct tm utc;
    char text[64];
    char stamp[32];
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc) == 0) {
        mr_json_int(line, now_us);
        return;
    }
    (void)snprintf(text, sizeof(text), "%s.%06dZ", stamp, (int)(now_us % 1000000));
    mr_json_string(line, text);
}

static void write_field(struct mr_json *line, const struct mr_log_field *field)
{
    mr_json_key(line, field->key);
    switch (field->type) {
    case MR_LOG_FIELD_STRING:
        mr_json_string(line, field->string);
        break;
    case MR_LOG_FIELD_INT:
        mr_json_int(line, field->integer);
        break;
    case MR_LOG_FIELD_DOUBLE:
        mr_json_double(line, field->real);
        break;
    }
}

void mr_log_write(enum mr_log_level level, const char *event, const struct mr_log_field *fields)
{
    MR_ASSERT(event != NULL && fields != NULL);
    if ((int)level < atomic_load_explicit(&log_least, memory_order_relaxed)) {
        return;
    }
    struct mr_json line = {0};
    mr_json_object_begin(&line);
    mr_json_key(&line, "time");
    write_time(&line);
    mr_json_key(&line, "level");
    mr_json_string(&line, level_name(level));
    mr_json_key(&line, "event");
    mr_json_string(&line, event);
    for (const struct mr_log_field *field = fields; field->key != NULL; field++) {
        write_field(&line, field);
    }
    mr_json_object_end(&line);
    MR_ASSERT(line.length < line.capacity);
    line.text[line.length] = '\n'; /* takes the place of the NUL */
    const ssize_t written =
        write(atomic_load_explicit(&log_fd, memory_order_relaxed), line.text, line.length + 1);
    (void)written;
    mr_json_done(&line);
}
