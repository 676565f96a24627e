// SPDX-License-Identifier: MIT
/*
 * console.h - the HTTP server that people, scripts and Prometheus talk to.
 *
 * It owns sockets, limits and forms of answers, and nothing else: everything it shows comes through
 * struct mr_console_backend, so that it can be tested, and run, without a pipeline.
 *
 * Everything that arrives is hostile: sizes, times and numbers are bounded (the MR_CONSOLE_ limits
 * below), and a page in somebody's browser must not reach a console on that machine: without a
 * token only requests for an IP address or "localhost" are answered (no DNS rebinding), and a body
 * must be declared as application/json (no plain form from another site).
 *
 * Errors are problem documents (RFC 9457). docs/API.md and assets/openapi.json describe all routes.
 */
#ifndef MR_CONSOLE_CONSOLE_H
#define MR_CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "env.h"
#include "error.h"
#include "json.h"
#include "writer.h"

#define MR_CONSOLE_CONNECTIONS_MAX    64
#define MR_CONSOLE_HEADER_BYTES_MAX   ((size_t)32 << 10) /* request line and headers together */
#define MR_CONSOLE_BODY_BYTES_MAX     ((size_t)1 << 20)
#define MR_CONSOLE_RECEIVE_MS_MAX     10000 /* for a whole request, however it trickles in */
#define MR_CONSOLE_IDLE_MS_MAX        30000 /* of a kept connection between two requests */
#define MR_CONSOLE_SEND_MS_MAX        60000 /* for a whole answer, a tail's aside */
#define MR_CONSOLE_METRICS_BYTES_MAX  ((size_t)16 << 20)
#define MR_CONSOLE_QUERIES_MAX        4   /* at the same time; one more is told to come back */
#define MR_CONSOLE_PARAMETERS_MAX     256 /* of one query */
#define MR_CONSOLE_TAILS_MAX          16
#define MR_CONSOLE_TAIL_SILENT_MS_MAX 10000 /* then a comment goes out, so that both sides know */
#define MR_CONSOLE_RECORDS_MAX        1000  /* of one page */
#define MR_CONSOLE_TOPIC_BYTES_MAX    512
#define MR_CONSOLE_FILTERS_MAX        8 /* of a dashboard */

/** Why a request was not answered as asked. */
struct mr_console_problem {
    unsigned status;  /* HTTP, 400 to 599 */
    char detail[640]; /* one sentence for people, without secrets */
};

/** One value for a ? or $1 of a query. */
struct mr_console_parameter {
    enum {
        MR_CONSOLE_NULL,
        MR_CONSOLE_BOOL,
        MR_CONSOLE_INT,
        MR_CONSOLE_REAL,
        MR_CONSOLE_TEXT,
    } kind;
    bool boolean;
    int64_t integer;
    double real;
    const char *text; /* UTF-8, NUL-terminated */
};

struct mr_console_query {
    const char *sql; /* UTF-8, NUL-terminated */
    const struct mr_console_parameter *parameters;
    size_t parameter_count;
    uint64_t rows_max; /* more rows than this: cut there, and say "truncated": true */
    uint64_t time_ms_max;
};

/** A place in a source's sequence of transactions: written "1234" or "1234-5". */
struct mr_console_cursor {
    enum { MR_CONSOLE_FROM_EARLIEST, MR_CONSOLE_FROM_LATEST, MR_CONSOLE_FROM_SEQUENCE } from;
    uint64_t sequence; /* of the transaction; inclusive */
    uint32_t index;    /* of the row in it; inclusive */
};

struct mr_console_records {
    const char *topic; /* "source.space.table" */
    struct mr_console_cursor from;
    uint32_t limit;
};

/** What is wanted of one table; NULL where the body did not say. */
struct mr_console_table {
    const char *topic; /* "source.space.table" */
    const char *verb;  /* "add", "snapshot", ...: the path's last segment */
    const char *where;
    const char *from;
    bool purge;
};

enum mr_console_next {
    MR_CONSOLE_NEXT_RECORD,
    MR_CONSOLE_NEXT_IDLE, /* none within the wait */
    MR_CONSOLE_NEXT_END,  /* no more will come */
};

struct mr_console_tail; /* the backend's own */
struct mr_console_live; /* likewise: a viewer of a dashboard */

/** A dashboard with the values of its filters. */
struct mr_console_dashboard {
    const char *name;
    struct {
        const char *name;
        const char *value; /* NULL: not set */
    } filters[MR_CONSOLE_FILTERS_MAX];
    size_t filter_count;
};

/**
 * Where the console gets everything from. All functions are called from several threads at once,
 * and none may wait for long but query() and tail_next(), which state their bounds.
 */
struct mr_console_backend {
    void *context; /* handed to every function */

    /** False when a thread of the process is dead; *detail (of size bytes) then says which. */
    bool (*is_alive)(void *context, char *detail, size_t size);

    /** Writes {"ready": ..., "parts": [...]} and returns whether everything is. */
    bool (*ready)(void *context, struct mr_json *out);

    void (*status)(void *context, struct mr_json *out);

    /** Writes the samples of the last hour (pipeline/history.h). */
    void (*history)(void *context, struct mr_json *out);

    /** Writes Prometheus' text format (pipeline/exposition.h). */
    void (*metrics)(void *context, struct mr_writer *out);

    /**
     * Runs one statement and writes {"columns":[{"name","type"}],"rows":[[...]],"elapsed_ms":...}.
     * Returns false with *problem set (400 for the engine's complaints, 408 for time, 413 for rows
     * or memory, 503 when there is no warehouse); what was written to *out is then dropped.
     */
    bool (*query)(void *context, const struct mr_console_query *query, struct mr_json *out,
                  struct mr_console_problem *problem);

    /** Looks at a source's server and writes {"source","findings"}. */
    bool (*findings)(void *context, const char *source, struct mr_json *out,
                     struct mr_console_problem *problem);

    /** Acts on one table and writes {"table","verb","state"}; false with *problem set. */
    bool (*table)(void *context, const struct mr_console_table *wanted, struct mr_json *out,
                  struct mr_console_problem *problem);

    /** Writes {"topics":[{"name", ...}]}. */
    void (*topics)(void *context, struct mr_json *out);

    /** Writes {"records":[...],"next":"1234-5"}: `next` is where the following page begins. */
    bool (*records)(void *context, const struct mr_console_records *wanted, struct mr_json *out,
                    struct mr_console_problem *problem);

    /** Follows a topic, or all of them for "*". NULL with *problem set when that cannot be. */
    struct mr_console_tail *(*tail_open)(void *context, const char *topic,
                                         const struct mr_console_cursor *from,
                                         struct mr_console_problem *problem);

    /** Writes the next record as one JSON object, within wait_ms; *cursor is its own place, with
     *  sequence 0 when it has none that a viewer could come back to. */
    enum mr_console_next (*tail_next)(struct mr_console_tail *tail, uint32_t wait_ms,
                                      struct mr_json *record, struct mr_console_cursor *cursor);
    void (*tail_close)(struct mr_console_tail *tail);

    /** Writes {"dashboards":[{"name","title"}]}. */
    void (*dashboards)(void *context, struct mr_json *out);

    /** Begins to look at a dashboard; NULL with *problem set when that cannot be. */
    struct mr_console_live *(*live_open)(void *context, const struct mr_console_dashboard *wanted,
                                         struct mr_console_problem *problem);

    /** Writes the dashboard and its data: at once the first time, then each time the warehouse
     *  has changed; IDLE when it did not within wait_ms. */
    enum mr_console_next (*live_next)(struct mr_console_live *live, uint32_t wait_ms,
                                      struct mr_json *out);
    void (*live_close)(struct mr_console_live *live);
};

struct mr_console_settings {
    const char *listen;   /* "127.0.0.1:8989", "[::1]:0" */
    const char *token;    /* secret; NULL: none is asked for */
    bool open_to_network; /* the operator says that the network itself keeps others out */
    uint64_t query_rows_max;
    uint64_t query_time_ms_max;
    uint64_t receive_ms_max; /* for a whole request; 0: MR_CONSOLE_RECEIVE_MS_MAX */
    const struct mr_env *env;
};

struct mr_console;

/**
 * Whether the address may be listened on: loopback, or with a token, or said to be safe.
 * Errors: MR_E_CONFIG with the cure.
 */
bool mr_console_check_settings(const struct mr_console_settings *settings,
                               struct mr_error *err) MR_MUST_CHECK;

/**
 * Listens and serves with threads of its own until mr_console_close(). Settings' strings and the
 * backend must outlive it. Returns NULL with MR_E_CONFIG or MR_E_IO (address in use) on failure.
 */
struct mr_console *mr_console_open(const struct mr_console_settings *settings,
                                   const struct mr_console_backend *backend, struct mr_error *err);

/** The port it listens on: the one asked for, or the one the system chose for 0. */
uint16_t mr_console_port(const struct mr_console *console);

/** Ends tails, waits for requests that are being answered, closes. Accepts NULL. */
void mr_console_close(struct mr_console *console);

#endif
