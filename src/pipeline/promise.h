// SPDX-License-Identifier: MIT
/*
 * promise.h - one answer from one thread to another that waits for it.
 */
#ifndef MR_PIPELINE_PROMISE_H
#define MR_PIPELINE_PROMISE_H

#include <pthread.h>
#include <stdbool.h>

#include "error.h"

struct mr_promise {
    pthread_mutex_t lock;
    pthread_cond_t settled;
    bool is_settled;
    bool succeeded;
    bool answer;
    struct mr_error error; /* when it did not succeed */
};

void mr_promise_init(struct mr_promise *promise);
void mr_promise_done(struct mr_promise *promise);

/** Settles it: error NULL means success with this answer. */
void mr_promise_settle(struct mr_promise *promise, bool answer, const struct mr_error *error);

/** Waits until it is settled. */
bool mr_promise_wait(struct mr_promise *promise, bool *answer, struct mr_error *err) MR_MUST_CHECK;

#endif
