// SPDX-License-Identifier: MIT
/*
 * history.c - see history.h. A ring of samples in one array: the fixed fields of a sample, then one
 * struct a source, then one a sink.
 */
#include "history.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "pipeline_view.h"

struct source_sample {
    uint64_t rows;
    uint64_t bytes;
    int64_t lag_ms;     /* MR_LAG_UNKNOWN */
    uint64_t lag_bytes; /* UINT64_MAX unknown */
};

struct sink_sample {
    uint64_t rows;
    uint64_t commits;
    int64_t lag_ms;
};

struct mr_history {
    pthread_mutex_t lock; /* of everything below but the counts of parts */
    uint32_t source_count;
    uint32_t sink_count;
    uint32_t first; /* the oldest sample's place in the ring */
    uint32_t count;
    uint64_t due_ns;
    int64_t *at_ms;
    uint64_t *resident_bytes;
    struct source_sample *sources; /* [place * source_count + source] */
    struct sink_sample *sinks;
};

struct mr_history *mr_history_open(uint32_t source_count, uint32_t sink_count)
{
    struct mr_history *history = mr_memory_new(1, sizeof(*history));
    MR_ASSERT(pthread_mutex_init(&history->lock, NULL) == 0);
    history->source_count = source_count;
    history->sink_count = sink_count;
    history->at_ms = mr_memory_new(MR_HISTORY_SAMPLES_MAX, sizeof(*history->at_ms));
    history->resident_bytes =
        mr_memory_new(MR_HISTORY_SAMPLES_MAX, sizeof(*history->resident_bytes));
    history->sources = mr_memory_new((size_t)MR_HISTORY_SAMPLES_MAX * (source_count + 1),
                                     sizeof(*history->sources));
    history->sinks =
        mr_memory_new((size_t)MR_HISTORY_SAMPLES_MAX * (sink_count + 1), sizeof(*history->sinks));
    return history;
}

void mr_history_close(struct mr_history *history)
{
    if (history == NULL) {
        return;
    }
    free(history->at_ms);
    free(history->resident_bytes);
    free(history->sources);
    free(history->sinks);
    (void)pthread_mutex_destroy(&history->lock);
    free(history);
}

uint64_t mr_resident_bytes(const struct mr_pipeline *pipeline)
{
    const struct mr_env *env = pipeline->env;
    const int fd = env->open(env, MR_ENV_CWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        return 0;
    }
    char text[128] = "";
    const ssize_t length = env->pread(env, fd, text, sizeof(text) - 1, 0);
    (void)env->close(env, fd);
    const char *resident =
        length > 0 ? strchr(text, ' ') : NULL; /* "total resident ..." in pages */
    const long page_bytes = sysconf(_SC_PAGESIZE);
    return resident != NULL && page_bytes > 0 ? strtoull(resident, NULL, 10) * (uint64_t)page_bytes
                                              : 0;
}

static void sample_source(struct mr_lane *lane, struct source_sample *sample)
{
    struct mr_link_view view;
    struct mr_stream_observation stream = {0};
    mr_link_look(&lane->link, &view);
    lane->stream_ops->observe(lane->stream, &stream);
    sample->rows = atomic_load(&lane->link.rows_total);
    sample->bytes = stream.written_bytes;
    sample->lag_ms = mr_lane_lag_ms(lane, &view);
    sample->lag_bytes =
        view.observation.server[0] != '\0' ? view.observation.lag_bytes : UINT64_MAX;
}

static void sample_sink(struct mr_outlet *outlet, struct sink_sample *sample)
{
    sample->rows = atomic_load(&outlet->loader->rows_total);
    sample->commits = atomic_load(&outlet->loader->commits_total);
    sample->lag_ms = mr_outlet_lag_ms(outlet);
}

void mr_history_tick(struct mr_history *history, struct mr_pipeline *pipeline)
{
    const struct mr_env *env = pipeline->env;
    const uint64_t now_ns = env->monotonic_ns(env);

    MR_ASSERT(pipeline->lane_count == history->source_count);
    MR_ASSERT(pipeline->outlet_count == history->sink_count);
    if (now_ns < history->due_ns) {
        return;
    }
    history->due_ns = now_ns + (uint64_t)MR_HISTORY_INTERVAL_MS * 1000000;
    MR_ASSERT(pthread_mutex_lock(&history->lock) == 0);
    const uint32_t place = (history->first + history->count) % MR_HISTORY_SAMPLES_MAX;
    if (history->count < MR_HISTORY_SAMPLES_MAX) {
        history->count++;
    } else {
        history->first = (history->first + 1) % MR_HISTORY_SAMPLES_MAX;
    }
    history->at_ms[place] = env->unix_us(env) / 1000;
    history->resident_bytes[place] = mr_resident_bytes(pipeline);
    for (uint32_t i = 0; i < history->source_count; i++) {
        sample_source(&pipeline->lanes[i],
                      &history->sources[(size_t)place * history->source_count + i]);
    }
    for (uint32_t i = 0; i < history->sink_count; i++) {
        sample_sink(&pipeline->outlets[i],
                    &history->sinks[(size_t)place * history->sink_count + i]);
    }
    (void)pthread_mutex_unlock(&history->lock);
}

/* ---- Writing: one array of numbers a series. ---- */

typedef void (*put_sample_fn)(const struct mr_history *history, uint32_t place, uint32_t part,
                              struct mr_json *json);

static void put_lag(struct mr_json *json, int64_t lag_ms)
{
    if (lag_ms == MR_LAG_UNKNOWN) {
        mr_json_null(json);
    } else {
        mr_json_int(json, lag_ms);
    }
}

static void put_at(const struct mr_history *history, uint32_t place, uint32_t part,
                   struct mr_json *json)
{
    (void)part;
    mr_json_int(json, history->at_ms[place]);
}

static void put_resident(const struct mr_history *history, uint32_t place, uint32_t part,
                         struct mr_json *json)
{
    (void)part;
    mr_json_uint(json, history->resident_bytes[place]);
}

static const struct source_sample *source_at(const struct mr_history *history, uint32_t place,
                                             uint32_t part)
{
    return &history->sources[(size_t)place * history->source_count + part];
}

static const struct sink_sample *sink_at(const struct mr_history *history, uint32_t place,
                                         uint32_t part)
{
    return &history->sinks[(size_t)place * history->sink_count + part];
}

static void put_source_rows(const struct mr_history *history, uint32_t place, uint32_t part,
                            struct mr_json *json)
{
    mr_json_uint(json, source_at(history, place, part)->rows);
}

static void put_source_bytes(const struct mr_history *history, uint32_t place, uint32_t part,
                             struct mr_json *json)
{
    mr_json_uint(json, source_at(history, place, part)->bytes);
}

static void put_source_lag(const struct mr_history *history, uint32_t place, uint32_t part,
                           struct mr_json *json)
{
    put_lag(json, source_at(history, place, part)->lag_ms);
}

static void put_source_lag_bytes(const struct mr_history *history, uint32_t place, uint32_t part,
                                 struct mr_json *json)
{
    const uint64_t lag = source_at(history, place, part)->lag_bytes;
    if (lag == UINT64_MAX) {
        mr_json_null(json);
    } else {
        mr_json_uint(json, lag);
    }
}

static void put_sink_rows(const struct mr_history *history, uint32_t place, uint32_t part,
                          struct mr_json *json)
{
    mr_json_uint(json, sink_at(history, place, part)->rows);
}

static void put_sink_commits(const struct mr_history *history, uint32_t place, uint32_t part,
                             struct mr_json *json)
{
    mr_json_uint(json, sink_at(history, place, part)->commits);
}

static void put_sink_lag(const struct mr_history *history, uint32_t place, uint32_t part,
                         struct mr_json *json)
{
    put_lag(json, sink_at(history, place, part)->lag_ms);
}

struct series {
    const char *key;
    put_sample_fn put;
};

static const struct series of_process[] = {{"at_ms", put_at}, {"resident_bytes", put_resident}};
static const struct series of_source[] = {{"rows", put_source_rows},
                                          {"bytes", put_source_bytes},
                                          {"lag_ms", put_source_lag},
                                          {"lag_bytes", put_source_lag_bytes}};
static const struct series of_sink[] = {
    {"rows", put_sink_rows}, {"commits", put_sink_commits}, {"lag_ms", put_sink_lag}};

static void put_series(const struct mr_history *history, const struct series *series, size_t count,
                       uint32_t part, struct mr_json *json)
{
    for (size_t s = 0; s < count; s++) {
        mr_json_key(json, series[s].key);
        mr_json_array_begin(json);
        for (uint32_t i = 0; i < history->count; i++) {
            series[s].put(history, (history->first + i) % MR_HISTORY_SAMPLES_MAX, part, json);
        }
        mr_json_array_end(json);
    }
}

static void put_part(const struct mr_history *history, const struct series *series, size_t count,
                     uint32_t part, const char *name, struct mr_json *json)
{
    mr_json_object_begin(json);
    mr_json_key(json, "name");
    mr_json_string(json, name);
    put_series(history, series, count, part, json);
    mr_json_object_end(json);
}

void mr_history_write(struct mr_history *history, const struct mr_pipeline *pipeline,
                      struct mr_json *json)
{
    MR_ASSERT(pthread_mutex_lock(&history->lock) == 0);
    mr_json_object_begin(json);
    mr_json_key(json, "interval_ms");
    mr_json_uint(json, MR_HISTORY_INTERVAL_MS);
    put_series(history, of_process, MR_ARRAY_LEN(of_process), 0, json);
    mr_json_key(json, "sources");
    mr_json_array_begin(json);
    for (uint32_t i = 0; i < history->source_count; i++) {
        put_part(history, of_source, MR_ARRAY_LEN(of_source), i, pipeline->lanes[i].config->name,
                 json);
    }
    mr_json_array_end(json);
    mr_json_key(json, "sinks");
    mr_json_array_begin(json);
    for (uint32_t i = 0; i < history->sink_count; i++) {
        put_part(history, of_sink, MR_ARRAY_LEN(of_sink), i, pipeline->outlets[i].config->name,
                 json);
    }
    mr_json_array_end(json);
    mr_json_object_end(json);
    (void)pthread_mutex_unlock(&history->lock);
}
