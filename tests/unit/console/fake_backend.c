// SPDX-License-Identifier: MIT
/*
 * fake_backend.c - see fake_backend.h.
 */
#include "fake_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void sleep_ms(unsigned ms)
{
    const struct timespec time = {.tv_nsec = (long)ms * 1000000};
    (void)nanosleep(&time, NULL);
}

static bool is_alive(void *context, char *detail, size_t size)
{
    const struct fake_backend *fake = context;
    if (fake->is_dead) {
        (void)snprintf(detail, size, "thread \"loader\" has ended");
    }
    return !fake->is_dead;
}

static bool ready(void *context, struct mr_json *out)
{
    const struct fake_backend *fake = context;
    mr_json_object_begin(out);
    mr_json_key(out, "ready");
    mr_json_bool(out, !fake->is_not_ready);
    mr_json_object_end(out);
    return !fake->is_not_ready;
}

static void status(void *context, struct mr_json *out)
{
    (void)context;
    mr_json_object_begin(out);
    mr_json_key(out, "pipeline");
    mr_json_string(out, "parking");
    mr_json_object_end(out);
}

static void history(void *context, struct mr_json *out)
{
    (void)context;
    mr_json_object_begin(out);
    mr_json_key(out, "interval_ms");
    mr_json_uint(out, 5000);
    mr_json_object_end(out);
}

static void dashboards(void *context, struct mr_json *out)
{
    (void)context;
    mr_json_object_begin(out);
    mr_json_key(out, "dashboards");
    mr_json_array_begin(out);
    mr_json_array_end(out);
    mr_json_object_end(out);
}

static struct mr_console_live *live_open(void *context, const struct mr_console_dashboard *wanted,
                                         struct mr_console_problem *problem)
{
    struct fake_backend *fake = context;
    if (strcmp(wanted->name, "parking") != 0) {
        problem->status = 404;
        (void)snprintf(problem->detail, sizeof(problem->detail), "no such dashboard");
        return NULL;
    }
    fake->live_count = 0;
    (void)snprintf(fake->live_filter, sizeof(fake->live_filter), "%s",
                   wanted->filter_count == 0 || wanted->filters[0].value == NULL
                       ? ""
                       : wanted->filters[0].value);
    return (struct mr_console_live *)fake;
}

/* Answers twice, then ends. */
static enum mr_console_next live_next(struct mr_console_live *live, uint32_t wait_ms,
                                      struct mr_json *out)
{
    struct fake_backend *fake = (struct fake_backend *)live;
    (void)wait_ms;
    if (fake->live_count == 2) {
        return MR_CONSOLE_NEXT_END;
    }
    fake->live_count++;
    mr_json_object_begin(out);
    mr_json_key(out, "filter");
    mr_json_string(out, fake->live_filter);
    mr_json_key(out, "count");
    mr_json_uint(out, fake->live_count);
    mr_json_object_end(out);
    return MR_CONSOLE_NEXT_RECORD;
}

static void live_close(struct mr_console_live *live)
{
    ((struct fake_backend *)live)->live_closed = true;
}

static void metrics(void *context, struct mr_writer *out)
{
    (void)context;
    mr_write_bytes(out, "millrace_up 1\n", strlen("millrace_up 1\n"));
}

static bool query(void *context, const struct mr_console_query *asked, struct mr_json *out,
                  struct mr_console_problem *problem)
{
    struct fake_backend *fake = context;
    atomic_fetch_add(&fake->queries_inside, 1);
    while (atomic_load(&fake->query_is_held)) {
        sleep_ms(5);
    }
    atomic_fetch_sub(&fake->queries_inside, 1);
    (void)pthread_mutex_lock(&fake->lock);
    (void)snprintf(fake->sql, sizeof(fake->sql), "%s", asked->sql);
    fake->rows_max = asked->rows_max;
    fake->parameter_count = asked->parameter_count;
    for (size_t i = 0; i < asked->parameter_count && i < 8; i++) {
        fake->parameters[i] = asked->parameters[i];
        if (asked->parameters[i].text != NULL) {
            (void)snprintf(fake->texts[i], sizeof(fake->texts[i]), "%s", asked->parameters[i].text);
        }
    }
    (void)pthread_mutex_unlock(&fake->lock);
    mr_json_object_begin(out);
    mr_json_key(out, "rows");
    mr_json_array_begin(out);
    mr_json_array_end(out);
    if (strcmp(asked->sql, "bad") == 0) {
        problem->status = 400;
        (void)snprintf(problem->detail, sizeof(problem->detail), "no such table: \"bad\"");
        return false;
    }
    mr_json_object_end(out);
    return true;
}

static void topics(void *context, struct mr_json *out)
{
    (void)context;
    mr_json_object_begin(out);
    mr_json_key(out, "topics");
    mr_json_array_begin(out);
    mr_json_array_end(out);
    mr_json_object_end(out);
}

static bool records(void *context, const struct mr_console_records *wanted, struct mr_json *out,
                    struct mr_console_problem *problem)
{
    struct fake_backend *fake = context;
    (void)snprintf(fake->topic, sizeof(fake->topic), "%s", wanted->topic);
    fake->from = wanted->from;
    fake->limit = wanted->limit;
    if (strcmp(wanted->topic, "gone") == 0) {
        problem->status = 404;
        (void)snprintf(problem->detail, sizeof(problem->detail), "no such topic");
        return false;
    }
    mr_json_object_begin(out);
    mr_json_object_end(out);
    return true;
}

struct mr_console_tail {
    struct fake_backend *fake;
    uint64_t sequence;
    uint64_t end;
};

static struct mr_console_tail *tail_open(void *context, const char *topic,
                                         const struct mr_console_cursor *from,
                                         struct mr_console_problem *problem)
{
    struct fake_backend *fake = context;
    if (strcmp(topic, "gone") == 0) {
        problem->status = 404;
        (void)snprintf(problem->detail, sizeof(problem->detail), "no such topic");
        return NULL;
    }
    struct mr_console_tail *tail = calloc(1, sizeof(*tail));
    fake->from = *from;
    tail->fake = fake;
    tail->sequence = from->from == MR_CONSOLE_FROM_SEQUENCE ? from->sequence : 1;
    tail->end = fake->tail_records;
    atomic_fetch_add(&fake->tails_open, 1);
    return tail;
}

static enum mr_console_next tail_next(struct mr_console_tail *tail, uint32_t wait_ms,
                                      struct mr_json *record, struct mr_console_cursor *cursor)
{
    if (tail->sequence > tail->end) {
        sleep_ms(wait_ms);
        return MR_CONSOLE_NEXT_IDLE;
    }
    cursor->sequence = tail->sequence++;
    mr_json_object_begin(record);
    mr_json_key(record, "n");
    mr_json_uint(record, cursor->sequence);
    if (tail->fake->record_bytes > 0) {
        char *padding = calloc(1, tail->fake->record_bytes + 1);
        memset(padding, 'x', tail->fake->record_bytes);
        mr_json_key(record, "padding");
        mr_json_string(record, padding);
        free(padding);
    }
    mr_json_object_end(record);
    return MR_CONSOLE_NEXT_RECORD;
}

static void tail_close(struct mr_console_tail *tail)
{
    atomic_fetch_sub(&tail->fake->tails_open, 1);
    free(tail);
}

struct mr_console_backend fake_backend_make(struct fake_backend *fake)
{
    (void)pthread_mutex_init(&fake->lock, NULL);
    return (struct mr_console_backend){
        .context = fake,
        .is_alive = is_alive,
        .ready = ready,
        .status = status,
        .history = history,
        .dashboards = dashboards,
        .live_open = live_open,
        .live_next = live_next,
        .live_close = live_close,
        .metrics = metrics,
        .query = query,
        .topics = topics,
        .records = records,
        .tail_open = tail_open,
        .tail_next = tail_next,
        .tail_close = tail_close,
    };
}
