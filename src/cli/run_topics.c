// SPDX-License-Identifier: MIT
/*
 * run_topics.c - the stream browser on a pipeline's streams: topics, pages of records, tails.
 *
 * A page looks at a bounded number of rows: where few of them belong to the topic, it ends early,
 * and `next` says where to go on. So no request costs more than PAGE_ROWS_MAX rows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "record_json.h"
#include "run_backend.h"
#include "stream_walk.h"

#define NAME_BYTES_MAX   1024
#define PLACE_BYTES_MAX  48
#define PAGE_ROWS_MAX    200000
#define PAGE_BYTES_MAX   ((size_t)8 << 20)
#define TAIL_ROWS_MAX    50000 /* looked at before a tail says that there is nothing */
#define TAIL_SOURCES_MAX 64

_Static_assert(TAIL_SOURCES_MAX >= MR_CONFIG_SOURCES_MAX, "a tail of all sources");

/* ---- Topics. ---- */

static void put_topic(struct mr_json *out, const char *source, const struct mr_schema *schema,
                      const struct mr_stream_observation *stream)
{
    char text[NAME_BYTES_MAX];

    (void)snprintf(text, sizeof(text), "%s.%s.%s", source, schema->space, schema->table);
    mr_json_object_begin(out);
    mr_json_key(out, "name");
    mr_json_string(out, text);
    mr_json_key(out, "first");
    (void)snprintf(text, sizeof(text), "%" PRIu64, stream->first_sequence);
    mr_json_string(out, text);
    mr_json_key(out, "last");
    (void)snprintf(text, sizeof(text), "%" PRIu64, stream->last_sequence);
    mr_json_string(out, text);
    mr_json_object_end(out);
}

void mr_run_topics(void *context, struct mr_json *out)
{
    struct mr_pipeline *pipeline = context;

    mr_json_object_begin(out);
    mr_json_key(out, "topics");
    mr_json_array_begin(out);
    for (uint32_t s = 0; mr_pipeline_source_name(pipeline, s) != NULL; s++) {
        const char *source = mr_pipeline_source_name(pipeline, s);
        const struct mr_stream_ops *ops = NULL;
        struct mr_stream_observation observation = {0};
        struct mr_stream *stream = mr_pipeline_stream(pipeline, source, &ops);
        if (stream != NULL) {
            ops->observe(stream, &observation);
        }
        for (uint32_t t = 0; mr_pipeline_table(pipeline, s, t) != NULL; t++) {
            put_topic(out, source, mr_pipeline_table(pipeline, s, t), &observation);
        }
    }
    mr_json_array_end(out);
    mr_json_object_end(out);
}

/* A topic's name taken apart: the source, and "space.table". */
struct topic {
    uint32_t source_index;
    const char *source;
    char table[NAME_BYTES_MAX];
};

static bool is_table(const struct topic *topic, const struct mr_schema *schema)
{
    if (schema == NULL) { /* a note of no table: in the tail of all topics alone */
        return false;
    }
    const size_t space_length = strlen(schema->space);

    return strncmp(topic->table, schema->space, space_length) == 0 &&
           topic->table[space_length] == '.' &&
           strcmp(topic->table + space_length + 1, schema->table) == 0;
}

static bool find_topic(struct mr_pipeline *pipeline, const char *name, struct topic *topic,
                       struct mr_console_problem *problem)
{
    MR_ASSERT(name != NULL);

    const size_t length = strcspn(name, ".");

    for (uint32_t s = 0; mr_pipeline_source_name(pipeline, s) != NULL; s++) {
        const char *source = mr_pipeline_source_name(pipeline, s);
        if (strlen(source) != length || strncmp(source, name, length) != 0 || name[length] != '.') {
            continue;
        }
        *topic = (struct topic){.source_index = s, .source = source};
        (void)snprintf(topic->table, sizeof(topic->table), "%s", name + length + 1);
        for (uint32_t t = 0; mr_pipeline_table(pipeline, s, t) != NULL; t++) {
            if (is_table(topic, mr_pipeline_table(pipeline, s, t))) {
                return true;
            }
        }
    }
    return mr_run_problem(problem, 404,
                          "there is no topic of that name; GET /api/v1/topics lists them");
}

/* Where to begin in a source's stream. A place past the end waits there for what will come. */
static bool open_walk(struct mr_pipeline *pipeline, const char *source,
                      const struct mr_console_cursor *from, struct mr_stream_walk *walk,
                      struct mr_console_problem *problem)
{
    MR_ASSERT(walk->reader == NULL);

    const struct mr_stream_ops *ops = NULL;
    struct mr_stream_observation observation = {0};
    struct mr_error err = {0};
    struct mr_stream_place place = {.sequence = from->sequence, .index = from->index};
    struct mr_stream *stream = mr_pipeline_stream(pipeline, source, &ops);

    if (stream == NULL) {
        return mr_run_problem(problem, 404, "source \"%s\" has no stream", source);
    }
    ops->observe(stream, &observation);
    if (from->from == MR_CONSOLE_FROM_EARLIEST || from->sequence == 0) {
        place = (struct mr_stream_place){.sequence = observation.first_sequence};
    }
    if (from->from == MR_CONSOLE_FROM_LATEST || place.sequence > observation.last_sequence + 1) {
        place = (struct mr_stream_place){.sequence = observation.last_sequence + 1};
    }
    place.sequence = place.sequence == 0 ? 1 : place.sequence;
    if (mr_stream_walk_open(walk, ops, stream, place, &err)) {
        return true;
    }
    if (err.code == MR_E_LOST) {
        return mr_run_problem(problem, 410, "%s", err.message);
    }
    return mr_run_problem(problem, 500, "%s", err.message);
}

/* ---- A page. ---- */

static void put_page_end(struct mr_json *out, struct mr_stream_place next)
{
    char text[PLACE_BYTES_MAX];

    (void)snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu32, next.sequence, next.index);
    mr_json_array_end(out);
    mr_json_key(out, "next");
    mr_json_string(out, text);
    mr_json_object_end(out);
}

bool mr_run_records(void *context, const struct mr_console_records *wanted, struct mr_json *out,
                    struct mr_console_problem *problem)
{
    MR_ASSERT(wanted->limit > 0);

    struct topic topic;
    struct mr_stream_walk walk = {0};
    struct mr_stream_row row;
    struct mr_error err = {0};
    uint32_t count = 0;
    enum mr_walk step = MR_WALK_IDLE;

    if (!find_topic(context, wanted->topic, &topic, problem) ||
        !open_walk(context, topic.source, &wanted->from, &walk, problem)) {
        return false;
    }
    struct mr_stream_place next = walk.from;
    mr_json_object_begin(out);
    mr_json_key(out, "records");
    mr_json_array_begin(out);
    for (uint32_t looked = 0;
         looked < PAGE_ROWS_MAX && count < wanted->limit && out->length < PAGE_BYTES_MAX;
         looked++) {
        step = mr_stream_walk_next(&walk, 0, &row, &err);
        if (step != MR_WALK_ROW) {
            break;
        }
        next = (struct mr_stream_place){row.place.sequence, row.place.index + 1};
        if (is_table(&topic, row.schema)) {
            mr_record_json(out, topic.source, &row);
            count++;
        }
    }
    put_page_end(out, next);
    mr_stream_walk_close(&walk);
    return step != MR_WALK_ERROR || mr_run_problem(problem, 500, "%s", err.message);
}

/* ---- A tail. ---- */

struct tail_source {
    const char *name;
    struct mr_stream_walk walk;
};

struct mr_console_tail {
    bool is_all; /* of every source: places are not comparable, and none is given */
    struct topic topic;
    struct tail_source sources[TAIL_SOURCES_MAX];
    uint32_t source_count;
    uint32_t turn; /* the source that is asked first */
};

static bool add_source(struct mr_console_tail *tail, struct mr_pipeline *pipeline,
                       const char *source, const struct mr_console_cursor *from,
                       struct mr_console_problem *problem)
{
    struct tail_source *added = &tail->sources[tail->source_count];

    MR_ASSERT(tail->source_count < TAIL_SOURCES_MAX);
    if (!open_walk(pipeline, source, from, &added->walk, problem)) {
        return false;
    }
    added->name = source;
    tail->source_count++;
    return true;
}

struct mr_console_tail *mr_run_tail_open(void *context, const char *topic,
                                         const struct mr_console_cursor *from,
                                         struct mr_console_problem *problem)
{
    MR_ASSERT(topic != NULL && from != NULL);

    struct mr_console_tail *tail = mr_memory_new(1, sizeof(*tail));
    bool opened = false;

    tail->is_all = strcmp(topic, "*") == 0;
    if (!tail->is_all) {
        opened = find_topic(context, topic, &tail->topic, problem) &&
                 add_source(tail, context, tail->topic.source, from, problem);
    } else if (from->from == MR_CONSOLE_FROM_SEQUENCE) {
        opened = mr_run_problem(problem, 400,
                                "a place belongs to one source; name a topic to begin there");
    } else {
        opened = true;
        for (uint32_t s = 0; opened && mr_pipeline_source_name(context, s) != NULL; s++) {
            opened = add_source(tail, context, mr_pipeline_source_name(context, s), from, problem);
        }
    }
    if (!opened) {
        mr_run_tail_close(tail);
        return NULL;
    }
    return tail;
}

/* The next row of one source that belongs to the tail. */
static enum mr_walk next_of(struct mr_console_tail *tail, struct tail_source *source,
                            uint32_t wait_ms, struct mr_stream_row *row)
{
    MR_ASSERT(source->walk.reader != NULL);

    struct mr_error err = {0};

    for (uint32_t looked = 0; looked < TAIL_ROWS_MAX; looked++) {
        const enum mr_walk step = mr_stream_walk_next(&source->walk, wait_ms, row, &err);
        if (step != MR_WALK_ROW || tail->is_all || is_table(&tail->topic, row->schema)) {
            return step;
        }
    }
    return MR_WALK_IDLE;
}

enum mr_console_next mr_run_tail_next(struct mr_console_tail *tail, uint32_t wait_ms,
                                      struct mr_json *record, struct mr_console_cursor *cursor)
{
    struct mr_stream_row row;

    MR_ASSERT(tail->source_count > 0);
    for (uint32_t i = 0; i < 2 * tail->source_count; i++) {
        struct tail_source *source = &tail->sources[tail->turn];
        /* First everything that is there, then wait a share of the time at each source. */
        const uint32_t share_ms = i < tail->source_count ? 0 : wait_ms / tail->source_count;
        switch (next_of(tail, source, share_ms, &row)) {
        case MR_WALK_ROW:
            mr_record_json(record, source->name, &row);
            *cursor = (struct mr_console_cursor){
                .from = MR_CONSOLE_FROM_SEQUENCE,
                .sequence = tail->is_all ? 0 : row.place.sequence,
                .index = tail->is_all ? 0 : row.place.index,
            };
            return MR_CONSOLE_NEXT_RECORD;
        case MR_WALK_IDLE:
            tail->turn = (tail->turn + 1) % tail->source_count;
            break;
        case MR_WALK_ERROR:
            return MR_CONSOLE_NEXT_END;
        }
    }
    return MR_CONSOLE_NEXT_IDLE;
}

void mr_run_tail_close(struct mr_console_tail *tail)
{
    if (tail != NULL) {
        for (uint32_t i = 0; i < tail->source_count; i++) {
            mr_stream_walk_close(&tail->sources[i].walk);
        }
        free(tail);
    }
}
