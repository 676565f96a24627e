// SPDX-License-Identifier: MIT
/*
 * loader_follow.c - the loader's part in letting one table go its own way: a second reader of the
 * stream brings the table what it missed, a part a step between two groups of everything else,
 * until it stands where the sink does; then it joins (sink.h, 7).
 *
 * One table at a time catches up, so one more reader's memory is the price, whatever waits. A step
 * takes more than a group does, so the table comes nearer while the stream goes on.
 *
 * Failure: as everywhere in the loader. A stream that no longer holds what the table missed (it was
 * deleted by force) pauses the table, with the reason; copying it anew is the cure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash_point.h"
#include "loader_internal.h"
#include "log.h"
#include "memory.h"

#define FOLLOW_BATCHES_MAX 64
#define FOLLOW_ROWS_MAX    100000
#define FOLLOW_WAIT_MS     1000

void mr_loader_release(struct mr_loader *loader, uint16_t source_index)
{
    struct mr_loader_source *source = &loader->sources[source_index];
    uint64_t pinned = source->reserved;
    if (loader->ops->pinned != NULL) {
        const uint64_t apart = loader->ops->pinned(loader->sink, source_index);
        pinned = apart < pinned ? apart : pinned;
    }
    atomic_store(&source->pinned_shown, pinned);
    source->ops->release(source->stream, loader->sink_index,
                         pinned < source->committed ? pinned : source->committed);
}

/* ---- What people see. ---- */

static void free_seen(struct mr_apart_seen *seen, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free(seen[i].space);
        free(seen[i].table);
    }
    free(seen);
}

static void copy_names(struct mr_apart_seen *seen)
{
    seen->space = mr_memory_copy_text(seen->view.space, strlen(seen->view.space));
    seen->table = mr_memory_copy_text(seen->view.table, strlen(seen->view.table));
    seen->view.space = seen->space;
    seen->view.table = seen->table;
}

static void show_list(struct mr_loader *loader, struct mr_apart_seen *seen, uint32_t count)
{
    (void)pthread_mutex_lock(&loader->apart_lock);
    struct mr_apart_seen *old = loader->apart;
    const uint32_t old_count = loader->apart_count;
    loader->apart = seen;
    loader->apart_count = count;
    (void)pthread_mutex_unlock(&loader->apart_lock);
    free_seen(old, old_count);
}

void mr_loader_show_apart(struct mr_loader *loader)
{
    struct mr_apart_view view;
    if (loader->ops->apart == NULL || loader->sink == NULL) {
        return;
    }
    uint32_t count = 0;
    while (count < MR_LOADER_APART_MAX && loader->ops->apart(loader->sink, count, &view)) {
        count++;
    }
    if (count == 0 && loader->apart_count == 0) {
        return;
    }
    struct mr_apart_seen *seen = mr_memory_new((size_t)count + 1, sizeof(*seen));
    for (uint32_t i = 0; i < count; i++) {
        if (!loader->ops->apart(loader->sink, i, &seen[i].view)) {
            count = i;
            break;
        }
        copy_names(&seen[i]);
        if (loader->follow_error[0] != '\0' && seen[i].view.state == MR_SHOWN_PAUSED) {
            memcpy(seen[i].error, loader->follow_error, sizeof(seen[i].error));
        }
    }
    show_list(loader, seen, count);
}

void mr_loader_hide_apart(struct mr_loader *loader)
{
    show_list(loader, NULL, 0);
}

bool mr_loader_apart(struct mr_loader *loader, uint32_t index, struct mr_apart_seen *seen)
{
    (void)pthread_mutex_lock(&loader->apart_lock);
    const bool found = index < loader->apart_count;
    if (found) {
        *seen = loader->apart[index];
        copy_names(seen);
    }
    (void)pthread_mutex_unlock(&loader->apart_lock);
    return found;
}

/* ---- Catching up. ---- */

void mr_loader_follow_reset(struct mr_loader *loader)
{
    mr_batch_release(loader->follow_pending);
    loader->follow_pending = NULL;
    if (loader->is_following) {
        const struct mr_loader_source *source = &loader->sources[loader->follow.source_index];
        source->ops->reader_close(loader->follow_reader);
    }
    loader->follow_reader = NULL;
    loader->is_following = false;
}

/* What the table missed is not there any more. */
static bool give_up(struct mr_loader *loader, const struct mr_follow *what, const char *reason,
                    struct mr_error *err)
{
    const struct mr_table_order order = {
        .verb = MR_TABLE_PAUSE, .space = what->space, .table = what->table};
    mr_log(MR_LOG_ERROR, "table.lost", MR_LOG_S("table", what->table), MR_LOG_S("error", reason));
    (void)snprintf(loader->follow_error, sizeof(loader->follow_error), "%.255s", reason);
    if (!loader->ops->order(loader->sink, what->source_index, &order, err)) {
        return false;
    }
    mr_loader_show_apart(loader);
    return true;
}

/* Finds a table that waits, and opens its reader. */
static bool start(struct mr_loader *loader, struct mr_error *err)
{
    struct mr_follow what;
    bool found = false;
    if (!loader->ops->follow_next(loader->sink, &what, &found, err) || !found) {
        return err->code == MR_OK;
    }
    const struct mr_loader_source *source = &loader->sources[what.source_index];
    if (!source->gate_is_open) {
        return true;
    }
    struct mr_stream_reader *reader = NULL;
    if (what.sequence < source->committed) {
        struct mr_error gone = {0};
        reader = source->ops->reader_open(source->stream, what.sequence + 1, &gone);
        if (reader == NULL) {
            return gone.recovery == MR_STOP ? give_up(loader, &what, gone.message, err)
                                            : (*err = gone, false);
        }
    }
    loader->follow = what;
    loader->follow_reader = reader;
    loader->is_following = true;
    return true;
}

/* The next batch with something new that the sink has committed; NULL with MR_OK: none. */
static struct mr_batch *next_batch(struct mr_loader *loader, uint32_t wait_ms, struct mr_error *err)
{
    const struct mr_loader_source *source = &loader->sources[loader->follow.source_index];
    for (;;) {
        struct mr_batch *batch = loader->follow_pending;
        loader->follow_pending = NULL;
        if (batch == NULL) {
            batch = source->ops->reader_next(loader->follow_reader, wait_ms, err);
        }
        if (batch == NULL) {
            return NULL;
        }
        const uint64_t end = batch->first_sequence + batch->transaction_count;
        const bool is_new =
            batch->transaction_count > 0 && (end > loader->follow.sequence + 1 || batch->continues);
        if (is_new && end - 1 > source->committed) {
            loader->follow_pending = batch; /* everybody else has not come there yet */
            return NULL;
        }
        if (is_new) {
            return batch;
        }
        mr_batch_release(batch);
    }
}

/* A batch, and those that go on with its last transaction. */
static bool apply_whole(struct mr_loader *loader, struct mr_batch *batch, uint64_t *rows,
                        struct mr_error *err)
{
    for (;;) {
        *rows += batch->row_count;
        const bool continued = batch->continued;
        const bool applied =
            loader->ops->follow_apply(loader->sink, &loader->follow, &batch, 1, err);
        mr_batch_release(batch);
        if (!applied || !continued) {
            return applied;
        }
        batch = next_batch(loader, FOLLOW_WAIT_MS, err);
        if (batch == NULL) {
            return err->code == MR_OK
                       ? mr_fail(err, MR_E_CORRUPT, MR_RETRY,
                                 "the rest of a transaction did not come from the stream")
                       : false;
        }
    }
}

/* The sink holds nothing that is not committed: a commit of ours would take it along. */
static bool is_between_commits(const struct mr_loader *loader)
{
    for (uint32_t i = 0; i < loader->source_count; i++) {
        if (loader->sources[i].applied != loader->sources[i].committed) {
            return false;
        }
    }
    return loader->applied_rows == 0 && loader->applied_count == 0 && !loader->has_copied;
}

static bool join(struct mr_loader *loader, bool *worked, struct mr_error *err)
{
    const struct mr_loader_source *source = &loader->sources[loader->follow.source_index];
    bool joined = false;
    mr_crash_point(MR_CRASH_TABLE_BEFORE_JOIN);
    if (!loader->ops->follow_end(loader->sink, &loader->follow, source->reached, &joined, err)) {
        return false;
    }
    if (joined) {
        const uint16_t index = loader->follow.source_index;
        *worked = true;
        mr_log(MR_LOG_INFO, "table.joined", MR_LOG_I("source", index),
               MR_LOG_I("sequence", loader->follow.sequence));
        mr_loader_follow_reset(loader);
        mr_loader_release(loader, index);
        mr_loader_show_apart(loader);
    }
    return true;
}

bool mr_loader_follow(struct mr_loader *loader, bool *worked, struct mr_error *err)
{
    if (loader->ops->follow_next == NULL || !is_between_commits(loader)) {
        return true;
    }
    if (!loader->is_following && !start(loader, err)) {
        return false;
    }
    if (!loader->is_following) {
        return true;
    }
    const struct mr_loader_source *source = &loader->sources[loader->follow.source_index];
    uint64_t rows = 0;
    uint32_t count = 0;
    while (count < FOLLOW_BATCHES_MAX && rows < FOLLOW_ROWS_MAX &&
           loader->follow.sequence < source->committed) {
        if (loader->follow_reader == NULL) {
            loader->follow_reader =
                source->ops->reader_open(source->stream, loader->follow.sequence + 1, err);
        }
        struct mr_batch *batch = loader->follow_reader == NULL ? NULL : next_batch(loader, 0, err);
        if (batch == NULL) {
            break;
        }
        if (!apply_whole(loader, batch, &rows, err)) {
            return false;
        }
        count++;
    }
    if (err->code != MR_OK || (count > 0 && !mr_loader_commit(loader, err))) {
        return false;
    }
    *worked |= count > 0;
    return loader->follow.sequence < source->committed || join(loader, worked, err);
}
