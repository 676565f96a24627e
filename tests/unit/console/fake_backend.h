// SPDX-License-Identifier: MIT
/*
 * fake_backend.h - a backend that remembers what it was asked, and answers from fixed texts.
 */
#ifndef MR_TESTS_CONSOLE_FAKE_BACKEND_H
#define MR_TESTS_CONSOLE_FAKE_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "console.h"

struct fake_backend {
    pthread_mutex_t lock; /* of what was asked */
    bool is_dead;
    bool is_not_ready;
    atomic_bool query_is_held; /* query() waits while this is true */
    atomic_uint queries_inside;
    char sql[512];
    size_t parameter_count;
    struct mr_console_parameter parameters[8];
    char texts[8][64];
    uint64_t rows_max;
    char topic[600];
    struct mr_console_cursor from;
    uint32_t limit;
    atomic_uint tails_open;
    unsigned tail_records; /* a tail gives this many, then none */
    size_t record_bytes;   /* of padding in each */
    char live_filter[64];
    unsigned live_count;
    atomic_bool live_closed;
};

struct mr_console_backend fake_backend_make(struct fake_backend *fake);

#endif
