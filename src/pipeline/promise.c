// SPDX-License-Identifier: MIT
/*
 * promise.c - see promise.h.
 */
#include "promise.h"

void mr_promise_init(struct mr_promise *promise)
{
    *promise = (struct mr_promise){0};
    MR_ASSERT(pthread_mutex_init(&promise->lock, NULL) == 0);
    MR_ASSERT(pthread_cond_init(&promise->settled, NULL) == 0);
}

void mr_promise_done(struct mr_promise *promise)
{
    (void)pthread_cond_destroy(&promise->settled);
    (void)pthread_mutex_destroy(&promise->lock);
}

void mr_promise_settle(struct mr_promise *promise, bool answer, const struct mr_error *error)
{
    MR_ASSERT(pthread_mutex_lock(&promise->lock) == 0);
    MR_ASSERT(!promise->is_settled);
    promise->is_settled = true;
    promise->succeeded = error == NULL;
    promise->answer = answer;
    if (error != NULL) {
        promise->error = *error;
    }
    (void)pthread_cond_signal(&promise->settled);
    (void)pthread_mutex_unlock(&promise->lock);
}

bool mr_promise_wait(struct mr_promise *promise, bool *answer, struct mr_error *err)
{
    MR_ASSERT(pthread_mutex_lock(&promise->lock) == 0);
    while (!promise->is_settled) {
        MR_ASSERT(pthread_cond_wait(&promise->settled, &promise->lock) == 0);
    }
    (void)pthread_mutex_unlock(&promise->lock);
    if (!promise->succeeded) {
        *err = promise->error;
        return false;
    }
    *answer = promise->answer;
    return true;
}
