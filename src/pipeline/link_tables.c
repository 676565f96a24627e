// SPDX-License-Identifier: MIT
/*
 * link_tables.c - a link's part in copying single tables: a queue of wishes, one copy at a time,
 * with pauses after failures that may pass. The stream goes on all the while.
 *
 * Whoever asked is told of the end (options.table_copied); what is to survive a restart is theirs
 * to keep and to ask for again under the same id.
 */
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "link_internal.h"
#include "log.h"
#include "memory.h"

#define NS_PER_MS UINT64_C(1000000)

struct mr_link_wish {
    struct mr_link_wish *next;
    struct mr_copy_wish wish; /* its texts are these: */
    char *space;
    char *table;
    char *id;
    char *where;
    atomic_bool is_cancelled;
};

static void free_wish(struct mr_link_wish *wish)
{
    if (wish != NULL) {
        free(wish->space);
        free(wish->table);
        free(wish->id);
        free(wish->where);
        free(wish);
    }
}

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : mr_memory_copy_text(text, strlen(text));
}

static bool is_of(const struct mr_link_wish *wish, const char *space, const char *table)
{
    return strcmp(wish->space, space) == 0 && strcmp(wish->table, table) == 0;
}

/* Takes a table's waiting wish out of the queue; under the lock. NULL: none. */
static struct mr_link_wish *take_out(struct mr_link *link, const char *space, const char *table)
{
    struct mr_link_wish **at = &link->wishes;
    while (*at != NULL && !is_of(*at, space, table)) {
        at = &(*at)->next;
    }
    struct mr_link_wish *found = *at;
    if (found != NULL) {
        *at = found->next;
    }
    return found;
}

void mr_link_request_copy(struct mr_link *link, const struct mr_copy_wish *wish)
{
    struct mr_link_wish *made = mr_memory_new(1, sizeof(*made));
    made->space = copy_text(wish->space);
    made->table = copy_text(wish->table);
    made->id = copy_text(wish->id);
    made->where = copy_text(wish->where);
    made->wish = (struct mr_copy_wish){
        .space = made->space, .table = made->table, .id = made->id, .where = made->where};
    (void)pthread_mutex_lock(&link->lock);
    struct mr_link_wish *former = take_out(link, wish->space, wish->table);
    struct mr_link_wish **end = &link->wishes;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = made;
    (void)pthread_mutex_unlock(&link->lock);
    free_wish(former);
}

void mr_link_cancel_copy(struct mr_link *link, const char *space, const char *table)
{
    (void)pthread_mutex_lock(&link->lock);
    struct mr_link_wish *waiting = take_out(link, space, table);
    if (link->wish_at_work != NULL && is_of(link->wish_at_work, space, table)) {
        atomic_store(&link->wish_at_work->is_cancelled, true);
    }
    (void)pthread_mutex_unlock(&link->lock);
    free_wish(waiting);
}

void mr_link_reopen(struct mr_link *link)
{
    atomic_store(&link->reopen_wanted, true);
}

bool mr_link_wished(struct mr_link *link, const char *space, const char *table,
                    struct mr_copy_progress *progress)
{
    *progress = (struct mr_copy_progress){0};
    (void)pthread_mutex_lock(&link->lock);
    bool found = link->wish_at_work != NULL && is_of(link->wish_at_work, space, table);
    if (found && link->table_copy != NULL) {
        (void)mr_copy_progress(link->table_copy, 0, progress);
    }
    for (const struct mr_link_wish *wish = link->wishes; wish != NULL && !found;
         wish = wish->next) {
        found = is_of(wish, space, table);
    }
    (void)pthread_mutex_unlock(&link->lock);
    return found;
}

static void set_copy(struct mr_link *link, struct mr_copy *copy)
{
    (void)pthread_mutex_lock(&link->lock);
    link->table_copy = copy;
    (void)pthread_mutex_unlock(&link->lock);
}

/* The wish is over, done or not. */
static void end_wish(struct mr_link *link, const struct mr_error *err)
{
    (void)pthread_mutex_lock(&link->lock);
    struct mr_link_wish *wish = link->wish_at_work;
    link->wish_at_work = NULL;
    (void)pthread_mutex_unlock(&link->lock);
    link->wish_attempt = 0;
    link->wish_retry_at_ns = 0;
    if (link->options.table_copied != NULL && !atomic_load(&wish->is_cancelled)) {
        link->options.table_copied(link->options.table_context, &wish->wish, err);
    }
    free_wish(wish);
}

static void start_copy(struct mr_link *link)
{
    const struct mr_copy_options options = {
        .ops = link->options.ops,
        .wish = &link->wish_at_work->wish,
        .context = &link->options.context,
        .journal = link->options.journal,
        .env = link->options.context.env,
        .loaders = link->options.loaders,
        .loader_count = link->options.loader_count,
        .source_index = link->options.source_index,
        .worker_count = link->options.copy_workers,
        .batch_bytes = link->options.context.target_bytes,
        .value_bytes_max = link->options.context.value_bytes_max,
    };
    mr_log(MR_LOG_INFO, "table.copy_started", MR_LOG_S("source", link->options.context.name),
           MR_LOG_S("space", options.wish->space), MR_LOG_S("table", options.wish->table));
    set_copy(link, mr_copy_start(&options));
}

static void take_next(struct mr_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->wish_at_work = link->wishes;
    if (link->wishes != NULL) {
        link->wishes = link->wishes->next;
        link->wish_at_work->next = NULL;
    }
    (void)pthread_mutex_unlock(&link->lock);
}

static void on_failed(struct mr_link *link)
{
    const struct mr_env *env = link->options.context.env;
    struct mr_error err = {0};
    struct mr_copy *copy = link->table_copy;
    mr_copy_error(copy, &err);
    set_copy(link, NULL);
    mr_copy_close(copy);
    if (err.recovery != MR_RETRY || atomic_load(&link->wish_at_work->is_cancelled)) {
        mr_log(MR_LOG_ERROR, "table.copy_failed", MR_LOG_S("source", link->options.context.name),
               MR_LOG_S("table", link->wish_at_work->table), MR_LOG_S("error", err.message));
        end_wish(link, &err);
        return;
    }
    link->wish_attempt++;
    const uint64_t wait_ms = mr_backoff_ms(link->wish_attempt, env->random(env));
    link->wish_retry_at_ns = env->monotonic_ns(env) + wait_ms * NS_PER_MS;
    mr_log(MR_LOG_WARN, "table.copy_backoff", MR_LOG_S("source", link->options.context.name),
           MR_LOG_S("table", link->wish_at_work->table), MR_LOG_I("wait_ms", wait_ms),
           MR_LOG_S("error", err.message));
}

void mr_link_tend_tables(struct mr_link *link)
{
    const struct mr_env *env = link->options.context.env;
    if (!link->copy_is_settled) {
        return;
    }
    if (link->wish_at_work == NULL) {
        take_next(link);
    }
    if (link->wish_at_work == NULL) {
        return;
    }
    if (link->table_copy == NULL) {
        if (atomic_load(&link->wish_at_work->is_cancelled)) {
            end_wish(link, NULL);
        } else if (env->monotonic_ns(env) >= link->wish_retry_at_ns &&
                   !atomic_load(&link->reopen_wanted)) { /* what is captured goes first */
            start_copy(link);
        }
        return;
    }
    if (atomic_load(&link->wish_at_work->is_cancelled)) {
        struct mr_copy *copy = link->table_copy;
        set_copy(link, NULL);
        mr_copy_close(copy);
        end_wish(link, NULL);
        return;
    }
    switch (mr_copy_state(link->table_copy)) {
    case MR_COPY_RUNNING:
        return;
    case MR_COPY_FAILED:
        on_failed(link);
        return;
    case MR_COPY_DONE:
        break;
    }
    struct mr_copy *copy = link->table_copy;
    mr_log(MR_LOG_INFO, "table.copied", MR_LOG_S("source", link->options.context.name),
           MR_LOG_S("table", link->wish_at_work->table),
           MR_LOG_I("elapsed_ms", mr_copy_elapsed_ms(copy)));
    set_copy(link, NULL);
    mr_copy_close(copy);
    end_wish(link, NULL);
}

void mr_link_stop_tables(struct mr_link *link)
{
    struct mr_copy *copy = link->table_copy;
    set_copy(link, NULL);
    mr_copy_close(copy);
    free_wish(link->wish_at_work);
    link->wish_at_work = NULL;
    while (link->wishes != NULL) {
        struct mr_link_wish *wish = link->wishes;
        link->wishes = wish->next;
        free_wish(wish);
    }
}
