// SPDX-License-Identifier: MIT
/*
 * tail.c - GET /api/v1/topics/{topic}/tail: records as server-sent events; and those of dashboards,
 * which have no place.
 *
 *   id: 1234-5          the record's place: a client that reconnects sends it as Last-Event-ID
 *   data: {...}
 *
 * Source: WHATWG HTML, "Server-sent events". Nothing is queued for a viewer: the next record is
 * fetched when the last one is sent, so one that reads slowly is behind and costs nothing. After
 * MR_CONSOLE_TAIL_SILENT_MS_MAX without a record a comment goes out; that is also when the end of a
 * viewer that went away is noticed.
 */
#include "console_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define WAIT_MS       200 /* between looks at is_closing */
#define EVENT_HEAD    64  /* bytes of "id: ...\ndata: " */
#define OPENING       ": following\n\n"
#define SILENT_SIGNAL ": nothing new\n\n"

struct tail {
    struct mr_console *console;
    struct mr_console_tail *source; /* the backend's; NULL: */
    struct mr_console_live *live;   /* a dashboard is followed */
    struct mr_json record;
    char head[EVENT_HEAD];
    const char *pieces[3]; /* of the event that is being sent; pieces[piece] from offset on */
    size_t lengths[3];
    size_t piece;
    size_t offset;
    struct mr_console_cursor skip_up_to; /* the viewer has this one (Last-Event-ID) */
    bool has_skip;
};

static void set_pieces(struct tail *tail, const char *head, const char *body, size_t body_length,
                       const char *end)
{
    MR_ASSERT(head != NULL && end != NULL);

    tail->pieces[0] = head;
    tail->lengths[0] = strlen(head);
    tail->pieces[1] = body;
    tail->lengths[1] = body_length;
    tail->pieces[2] = end;
    tail->lengths[2] = strlen(end);
    tail->piece = 0;
    tail->offset = 0;
}

static bool is_seen(const struct tail *tail, const struct mr_console_cursor *cursor)
{
    return tail->has_skip && cursor->sequence == tail->skip_up_to.sequence &&
           cursor->index <= tail->skip_up_to.index;
}

/* A record without a place of its own (sequence 0: a tail of all topics) gets no id. */
static void set_head(struct tail *tail, const struct mr_console_cursor *cursor)
{
    if (cursor->sequence == 0) {
        (void)snprintf(tail->head, sizeof(tail->head), "data: ");
    } else {
        (void)snprintf(tail->head, sizeof(tail->head),
                       "id: %" PRIu64 "-%" PRIu32 "\ndata: ", cursor->sequence, cursor->index);
    }
}

static enum mr_console_next ask_backend(struct tail *tail, struct mr_console_cursor *cursor)
{
    const struct mr_console_backend *backend = &tail->console->backend;

    return tail->live != NULL ? backend->live_next(tail->live, WAIT_MS, &tail->record)
                              : backend->tail_next(tail->source, WAIT_MS, &tail->record, cursor);
}

/* Waits for a record, or for the time of a comment. False when the stream ends. */
static bool fetch_event(struct tail *tail)
{
    MR_ASSERT(tail->source != NULL || tail->live != NULL);

    const struct mr_env *env = tail->console->settings.env;
    const uint64_t silent_until_ns =
        env->monotonic_ns(env) + (uint64_t)MR_CONSOLE_TAIL_SILENT_MS_MAX * 1000000;

    while (!atomic_load(&tail->console->is_closing)) {
        struct mr_console_cursor cursor = {0};
        mr_json_reset(&tail->record);
        switch (ask_backend(tail, &cursor)) {
        case MR_CONSOLE_NEXT_END:
            return false;
        case MR_CONSOLE_NEXT_IDLE:
            break;
        case MR_CONSOLE_NEXT_RECORD:
            if (is_seen(tail, &cursor)) {
                break;
            }
            set_head(tail, &cursor);
            set_pieces(tail, tail->head, tail->record.text, tail->record.length, "\n\n");
            return true;
        }
        if (env->monotonic_ns(env) >= silent_until_ns) {
            set_pieces(tail, SILENT_SIGNAL, "", 0, "");
            return true;
        }
    }
    return false;
}

static ssize_t tail_stream_next(void *stream, char *bytes, size_t size)
{
    struct tail *tail = stream;
    size_t used = 0;

    MR_ASSERT(size > 0);
    while (used == 0) {
        if (tail->piece >= MR_ARRAY_LEN(tail->pieces) && !fetch_event(tail)) {
            return -1;
        }
        while (tail->piece < MR_ARRAY_LEN(tail->pieces) && used < size) {
            const size_t left = tail->lengths[tail->piece] - tail->offset;
            const size_t step = left < size - used ? left : size - used;
            memcpy(bytes + used, tail->pieces[tail->piece] + tail->offset, step);
            used += step;
            tail->offset += step;
            if (tail->offset == tail->lengths[tail->piece]) {
                tail->piece++;
                tail->offset = 0;
            }
        }
    }
    return (ssize_t)used;
}

static void tail_stream_close(void *stream)
{
    MR_ASSERT(stream != NULL);

    struct tail *tail = stream;

    if (tail->live != NULL) {
        tail->console->backend.live_close(tail->live);
    } else {
        tail->console->backend.tail_close(tail->source);
    }
    mr_place_leave(&tail->console->tail_count);
    mr_json_done(&tail->record);
    free(tail);
}

/* Where to begin: behind the record the viewer has, where it was asked to, or now. */
static bool read_start(const struct mr_http_request *request, struct tail *tail,
                       struct mr_console_cursor *from)
{
    const struct mr_console_cursor latest = {.from = MR_CONSOLE_FROM_LATEST};

    if (request->last_event_id != NULL) {
        if (!mr_cursor_parse(request->last_event_id, latest, from)) {
            return false;
        }
        tail->has_skip = from->from == MR_CONSOLE_FROM_SEQUENCE;
        tail->skip_up_to = *from;
        return true;
    }
    return mr_cursor_parse(mr_http_parameter(request, "from"), latest, from);
}

static void start_stream(struct tail *tail, struct mr_http_response *response)
{
    set_pieces(tail, OPENING, "", 0, ""); /* so that the headers go out before the first record */
    response->status = 200;
    response->content_type = "text/event-stream";
    response->stream = tail;
    response->stream_next = tail_stream_next;
    response->stream_close = tail_stream_close;
}

void mr_api_tail(struct mr_console *console, const struct mr_http_request *request,
                 struct mr_http_response *response)
{
    MR_ASSERT(request->topic[0] != '\0');

    struct mr_console_problem problem = {0};
    struct mr_console_cursor from = {0};
    struct tail *tail = mr_memory_new(1, sizeof(*tail));

    tail->console = console;
    if (!read_start(request, tail, &from)) {
        mr_http_problem(response, 400,
                        "\"from\" (and Last-Event-ID) must be earliest, latest, or a record's "
                        "place: 1234 or 1234-5");
        free(tail);
        return;
    }
    if (!mr_place_take(&console->tail_count, MR_CONSOLE_TAILS_MAX)) {
        mr_http_problem(response, 503, "%d viewers follow already; try again later",
                        MR_CONSOLE_TAILS_MAX);
        response->retry_after_s = 5;
        free(tail);
        return;
    }
    tail->source =
        console->backend.tail_open(console->backend.context, request->topic, &from, &problem);
    if (tail->source == NULL) {
        mr_place_leave(&console->tail_count);
        mr_api_problem(response, &problem);
        free(tail);
        return;
    }
    start_stream(tail, response);
}

void mr_tail_start_live(struct mr_console *console, struct mr_console_live *live,
                        struct mr_http_response *response)
{
    struct tail *tail = mr_memory_new(1, sizeof(*tail));

    MR_ASSERT(live != NULL);
    tail->console = console;
    tail->live = live;
    start_stream(tail, response);
}
