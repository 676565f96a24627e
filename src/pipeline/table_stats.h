// SPDX-License-Identifier: MIT
/*
 * table_stats.h - what was committed, counted by table: one set of counters a (loader, source).
 *
 * The loader stages counts while it applies a group and publishes them when the group is committed,
 * so that the numbers people see never run ahead of the target.
 */
#ifndef MR_PIPELINE_TABLE_STATS_H
#define MR_PIPELINE_TABLE_STATS_H

#include <pthread.h>
#include <stdint.h>

#include "batch.h"

struct mr_table_counts {
    const struct mr_schema *schema; /* newest version seen; NULL: no such table yet */
    uint64_t reads;                 /* snapshot rows */
    uint64_t inserts;
    uint64_t updates;
    uint64_t deletes;
    uint64_t truncates;
    uint64_t schema_changes;  /* notes of them */
    int64_t last_change_us;   /* source's commit time of the newest change; 0 none */
    int64_t schema_change_us; /* likewise of the newest schema change */
};

struct mr_table_stats {
    pthread_mutex_t lock;           /* of `published` */
    struct mr_table_counts *staged; /* by table_id - 1; the loader's thread alone */
    struct mr_table_counts *published;
    uint32_t capacity;
};

void mr_table_stats_init(struct mr_table_stats *stats);
void mr_table_stats_done(struct mr_table_stats *stats);

/** Counts a batch's events from transaction `from` on. */
void mr_table_stats_stage(struct mr_table_stats *stats, const struct mr_batch *batch,
                          uint32_t from_transaction);
void mr_table_stats_publish(struct mr_table_stats *stats);
void mr_table_stats_discard(struct mr_table_stats *stats);

/** Copies the counts of table `index` (from 0); false past the last. From any thread. */
bool mr_table_stats_get(struct mr_table_stats *stats, uint32_t index,
                        struct mr_table_counts *counts);

#endif
