// SPDX-License-Identifier: MIT
/*
 * mysql_lab.h - a throw-away server of the MySQL family and a source that follows it, for tests.
 *
 * Servers come from tools/servers/server.sh. A kind that cannot be had here ends the test with exit
 * code 77 (skipped) and the reason on stderr. Failures of the lab itself abort the test.
 */
#ifndef MR_TESTS_E2E_MYSQL_LAB_H
#define MR_TESTS_E2E_MYSQL_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include <mysql.h>

#include "batch.h"
#include "compiler.h"
#include "mysql_config.h"
#include "options.h"
#include "position.h"
#include "schema.h"
#include "source.h"

#define LAB_SKIPPED 77

struct lab {
    const char *kind; /* "mariadb", "mysql80", "mysql9" */
    bool is_maria;
    bool has_gtids; /* of the kind that a resume can use */
    bool runs_slow_tests;
    char name[32];
    unsigned port;
    long pid;
    char root_password[64];
    char dir[512];
    MYSQL *root; /* a session that writes */
};

/** Starts a server of its own for the test `tag`: mode "plain" with the flags that every server of
 *  CI has, "gtid" with GTIDs on MySQL. */
void lab_start(struct lab *lab, const char *kind, const char *mode, const char *tag);
void lab_stop(struct lab *lab);    /* stops the server and deletes it */
void lab_restart(struct lab *lab); /* clean stop and start on the same data */

/** Runs a statement as root; aborts when it fails. */
void lab_sql(struct lab *lab, const char *format, ...) MR_PRINTF(2, 3);

/** First cell of the first row, as a number. */
uint64_t lab_number(struct lab *lab, const char *sql);

/** Another session as root, for a second thread. */
MYSQL *lab_session(const struct lab *lab);

/** A source's surroundings: configuration, catalog, batches. */
struct capture {
    struct mr_source_context context;
    struct mr_mysql_config config;
    struct mr_option_memory memory;
    struct mr_batch_pool *pool;
    struct mr_position position; /* after the last batch that was taken */
    uint32_t abort_count;        /* batches that took back what had been handed on before */
};

/** As the user, with NAME=VALUE options that end with NULL ("tables=src.*", ...). */
void capture_open(struct capture *capture, const struct lab *lab, const char *user,
                  const char *password, const char *const *options);
void capture_close(struct capture *capture);

/** Fixes a start without reading a table, and opens the source there. */
struct mr_source *capture_follow(struct capture *capture);

/** Opens the source at capture->position; aborts when it fails. */
struct mr_source *capture_resume(struct capture *capture);

/** Takes a batch for each READ, INSERT, UPDATE or DELETE run of it. */
typedef void (*capture_row_fn)(void *context, const struct mr_batch *batch,
                               const struct mr_event *event, uint16_t row);

/**
 * Calls `take` for each row until `rows` of them came or wait_ms have passed; keeps the position.
 * Returns the number of rows. Aborts on an error of the source.
 */
uint64_t capture_rows(struct capture *capture, struct mr_source *source, uint64_t rows,
                      uint32_t wait_ms, capture_row_fn take, void *context);

/** Calls next() until it fails, for at most wait_ms; returns what it failed with. */
struct mr_error capture_failure(struct capture *capture, struct mr_source *source,
                                uint32_t wait_ms);

/** The integer in a column of a row, whatever its width. */
int64_t row_integer(const struct mr_chunk *chunk, uint32_t row, const char *column);

/** Prints a row's cells, " | " between them, without the first `skipped` columns. */
void row_print(const struct mr_chunk *chunk, uint32_t row, uint16_t skipped, char *text,
               size_t size);

#endif
