// SPDX-License-Identifier: MIT
/*
 * table_stats.c - see table_stats.h.
 */
#include "table_stats.h"

#include <stdlib.h>
#include <string.h>

#define TABLES_MIN UINT32_C(16)

void mr_table_stats_init(struct mr_table_stats *stats)
{
    *stats = (struct mr_table_stats){0};
    MR_ASSERT(pthread_mutex_init(&stats->lock, NULL) == 0);
}

void mr_table_stats_done(struct mr_table_stats *stats)
{
    free(stats->staged);
    free(stats->published);
    (void)pthread_mutex_destroy(&stats->lock);
    *stats = (struct mr_table_stats){0};
}

static struct mr_table_counts *enlarge(struct mr_table_counts *old, uint32_t from, uint32_t to)
{
    struct mr_table_counts *counts = realloc(old, to * sizeof(*counts));
    MR_ASSERT(counts != NULL);
    memset(counts + from, 0, (to - from) * sizeof(*counts));
    return counts;
}

static struct mr_table_counts *counts_of(struct mr_table_stats *stats,
                                         const struct mr_schema *schema)
{
    MR_ASSERT(schema->table_id > 0);
    if (schema->table_id > stats->capacity) {
        uint32_t capacity = stats->capacity == 0 ? TABLES_MIN : stats->capacity * 2;
        while (capacity < schema->table_id) {
            capacity *= 2;
        }
        MR_ASSERT(pthread_mutex_lock(&stats->lock) == 0);
        stats->staged = enlarge(stats->staged, stats->capacity, capacity);
        stats->published = enlarge(stats->published, stats->capacity, capacity);
        stats->capacity = capacity;
        (void)pthread_mutex_unlock(&stats->lock);
    }
    struct mr_table_counts *counts = &stats->staged[schema->table_id - 1];
    if (counts->schema == NULL || counts->schema->version < schema->version) {
        counts->schema = schema;
    }
    return counts;
}

static void count_event(struct mr_table_stats *stats, const struct mr_batch *batch,
                        const struct mr_event *event, int64_t commit_us)
{
    const struct mr_schema *schema = mr_batch_event_schema(batch, event);
    if (schema == NULL || (event->kind == MR_EVENT_NOTE &&
                           batch->notes[event->chunk].kind != MR_NOTE_SCHEMA_CHANGE)) {
        return; /* of no table, or no change of one */
    }
    struct mr_table_counts *counts = counts_of(stats, schema);
    switch ((enum mr_event_kind)event->kind) {
    case MR_EVENT_READ:
        counts->reads += event->count;
        return;
    case MR_EVENT_INSERT:
        counts->inserts += event->count;
        break;
    case MR_EVENT_UPDATE:
        counts->updates += event->count;
        break;
    case MR_EVENT_DELETE:
        counts->deletes += event->count;
        break;
    case MR_EVENT_TRUNCATE:
        counts->truncates++;
        break;
    case MR_EVENT_NOTE:
        counts->schema_changes++;
        counts->schema_change_us = commit_us;
        return;
    }
    if (commit_us > counts->last_change_us) {
        counts->last_change_us = commit_us;
    }
}

void mr_table_stats_stage(struct mr_table_stats *stats, const struct mr_batch *batch,
                          uint32_t from_transaction)
{
    if (batch->transaction_count == 0) { /* a snapshot batch */
        for (uint32_t i = 0; i < batch->event_count; i++) {
            count_event(stats, batch, &batch->events[i], 0);
        }
        return;
    }
    for (uint32_t t = from_transaction; t < batch->transaction_count; t++) {
        const struct mr_transaction *transaction = &batch->transactions[t];
        const uint32_t end = transaction->first_event + transaction->event_count;
        MR_ASSERT(end <= batch->event_count);
        for (uint32_t i = transaction->first_event; i < end; i++) {
            count_event(stats, batch, &batch->events[i], transaction->commit_us);
        }
    }
}

void mr_table_stats_publish(struct mr_table_stats *stats)
{
    MR_ASSERT(pthread_mutex_lock(&stats->lock) == 0);
    for (uint32_t i = 0; i < stats->capacity; i++) {
        struct mr_table_counts *staged = &stats->staged[i];
        struct mr_table_counts *counts = &stats->published[i];
        if (staged->schema == NULL) {
            continue;
        }
        counts->schema = staged->schema;
        counts->reads += staged->reads;
        counts->inserts += staged->inserts;
        counts->updates += staged->updates;
        counts->deletes += staged->deletes;
        counts->truncates += staged->truncates;
        counts->schema_changes += staged->schema_changes;
        if (staged->schema_change_us > counts->schema_change_us) {
            counts->schema_change_us = staged->schema_change_us;
        }
        if (staged->last_change_us > counts->last_change_us) {
            counts->last_change_us = staged->last_change_us;
        }
        *staged = (struct mr_table_counts){0};
    }
    (void)pthread_mutex_unlock(&stats->lock);
}

void mr_table_stats_discard(struct mr_table_stats *stats)
{
    if (stats->capacity > 0) {
        memset(stats->staged, 0, stats->capacity * sizeof(*stats->staged));
    }
}

bool mr_table_stats_get(struct mr_table_stats *stats, uint32_t index,
                        struct mr_table_counts *counts)
{
    MR_ASSERT(pthread_mutex_lock(&stats->lock) == 0);
    const bool found = index < stats->capacity;
    if (found) {
        *counts = stats->published[index];
    }
    (void)pthread_mutex_unlock(&stats->lock);
    return found;
}
