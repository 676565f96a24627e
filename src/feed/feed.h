// SPDX-License-Identifier: MIT
/*
 * feed.h - load generators for the parking example: `millrace feed mysql|postgres`.
 *
 *   mysql     the live business: entries, exits, payments, corrections, at a rate
 *   postgres  N days of history in bulk, by COPY
 *
 * Both are seeded: the same seed on an empty schema makes the same visits (times aside).
 */
#ifndef MR_FEED_FEED_H
#define MR_FEED_FEED_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/** What the command line says; zero where it does not. */
struct mr_feed_options {
    const char *url;
    uint64_t rate;    /* mysql: rows a second */
    uint64_t seconds; /* mysql: 0 runs until stopped */
    uint64_t rows;    /* mysql: 0 no bound; postgres: visits to write */
    uint64_t days;    /* postgres */
    uint64_t seed;
    bool quiet; /* no progress */
};

/** Set by SIGINT and SIGTERM: finish the transaction and end. */
extern volatile sig_atomic_t mr_feed_stop;

/** argv[0] is "mysql" or "postgres". Returns the program's exit code. */
int mr_feed_main(int argc, char **argv);

bool mr_feed_mysql(const struct mr_feed_options *options, struct mr_error *err) MR_MUST_CHECK;
bool mr_feed_postgres(const struct mr_feed_options *options, struct mr_error *err) MR_MUST_CHECK;

#endif
