// SPDX-License-Identifier: MIT
/*
 * postgres_lab.h - a throw-away PostgreSQL server and a source that follows it, for tests.
 *
 * Servers come from tools/servers/server.sh. When none can be had the test ends with exit code 77
 * (skipped) and the reason on stderr. Failures of the lab itself abort the test.
 *
 * A capture turns what its source hands on into lines, one an event and row:
 *
 *   INSERT public.t 1|a|-          - is null, ~ unchanged
 *   UPDATE public.t 1|b|- was 1    the before row, where there is one
 *   COMMIT                         one a whole transaction
 */
#ifndef MR_TESTS_E2E_POSTGRES_LAB_H
#define MR_TESTS_E2E_POSTGRES_LAB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "options.h"
#include "position.h"
#include "schema.h"
#include "source.h"

#define PG_LAB_LINE_BYTES 4096
#define PG_LAB_LINES_MAX  65536

struct pg_lab {
    char name[32];
    unsigned port;
    char password[64];
    char socket_dir[256];
    PGconn *root;
};

/** Starts (or finds) a server of this name; `options` is what follows "--", or "". */
void pg_lab_start(struct pg_lab *lab, const char *name, const char *options);
/** Stops it and deletes its data. */
void pg_lab_wipe(struct pg_lab *lab);

/** A database of its own for a test, and its end: its slots are dropped too, which are few. */
PGconn *pg_lab_new_database(const struct pg_lab *lab, const char *name);
void pg_lab_drop_database(const struct pg_lab *lab, PGconn *connection, const char *name);

PGconn *pg_lab_connect(const struct pg_lab *lab, const char *database);
void pg_lab_sql(PGconn *connection, const char *format, ...) MR_PRINTF(2, 3);
/** First field of the first row, "" when there is none; valid until the next call. */
const char *pg_lab_ask(PGconn *connection, const char *format, ...) MR_PRINTF(2, 3);

struct pg_capture {
    struct mr_source_context context;
    struct mr_option_memory memory;
    struct mr_batch_pool *pool;
    struct mr_source *source;
    struct mr_position position; /* after the last batch */
    struct mr_error err;
    char **lines;
    size_t line_count;
    uint32_t batch_count;
    uint32_t continued_count;
    uint64_t last_received_ns;
    char data_dir[64]; /* for the spool */
};

/** Options are NAME, VALUE, ..., NULL; user, password, host, port and database are filled in. */
void pg_capture_open(struct pg_capture *capture, const struct pg_lab *lab, const char *database,
                     const char *const *options);
void pg_capture_set(struct pg_capture *capture, const char *name, const char *value);
void pg_capture_close(struct pg_capture *capture);

/** Fixes the start without a copy and opens the source there. */
void pg_capture_follow(struct pg_capture *capture);
/** Opens the source at capture->position; false with capture->err. */
bool pg_capture_reopen(struct pg_capture *capture);
void pg_capture_stop(struct pg_capture *capture);

/** Calls next() once; the batch's lines are kept. */
enum mr_next pg_capture_next(struct pg_capture *capture, uint32_t wait_ms);
/** Until there are this many lines, or wait_ms are over, or an error. */
bool pg_capture_lines(struct pg_capture *capture, size_t count, uint32_t wait_ms);
/** Until next() fails; its error is in capture->err. */
bool pg_capture_fails(struct pg_capture *capture, uint32_t wait_ms);
void pg_capture_forget_lines(struct pg_capture *capture);
/** Keeps the lines of one batch (also of a snapshot's). */
void pg_capture_keep(struct pg_capture *capture, const struct mr_batch *batch);

#endif
