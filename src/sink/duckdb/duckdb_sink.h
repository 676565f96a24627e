// SPDX-License-Identifier: MIT
/*
 * duckdb_sink.h - the DuckDB sink from inside (struct mr_sink, for upkeep.c), and what the pipeline
 * asks of it beyond sink.h: the gate through which the console's queries come.
 */
#ifndef MR_SINK_DUCKDB_DUCKDB_SINK_H
#define MR_SINK_DUCKDB_DUCKDB_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "apply.h"
#include "sink.h"
#include "state.h"
#include "target.h"
#include "warehouse.h"

struct mr_duckdb_config {
    const char *path;
    uint64_t batch_rows_max;
    uint64_t flush_interval_ms; /* MR_DURATION_AUTO: at once when idle; read by the pipeline */
    uint64_t memory_bytes;      /* 0: the pipeline's share */
    uint64_t temp_bytes_max;
    uint64_t threads;
    uint64_t wal_bytes_max;
    uint64_t queries_max;
    struct mr_string_map properties;
};

struct mr_sink_counters {
    atomic_uint_fast64_t rows_total;
    atomic_uint_fast64_t commits_total;
    atomic_uint_fast64_t errors_total;
    atomic_uint_fast64_t checkpoints_total;
    atomic_uint_fast64_t checkpoint_us_last;
    atomic_uint_fast64_t commit_us_last;
    atomic_uint_fast64_t wal_bytes;
};

struct mr_sink {
    const struct mr_env *env;
    const struct mr_duckdb_config *config;
    const char *const *source_names;
    uint32_t source_count;
    struct mr_warehouse *warehouse;
    struct mr_state state;
    struct mr_quarantine quarantine;
    struct mr_aparts aparts;
    struct mr_targets targets;
    struct mr_apply apply;
    struct mr_progress *progress;
    struct mr_sink_position *positions; /* scratch of mr_state_open() */
    duckdb_prepared_statement begin, commit;
    uint32_t rows_max;         /* of one reduction when memory is not short */
    uint32_t good_commits;     /* since memory was short */
    uint64_t rows_since_check; /* applied since the last checkpoint */
    uint64_t deletes_checked;  /* apply.deletes_total at the last checkpoint, or look at memory */
    uint64_t memory_bytes;     /* the engine's limit */
    bool memory_was_short;     /* make a checkpoint before anything else */
    uint64_t commit_ns_last;   /* when the last commit returned, monotonic */
    bool in_transaction;
    bool outcome_is_unknown; /* a COMMIT failed: it may have been done all the same */
    struct mr_sink_counters counters;
};

/** Opens the database again where that is needed; every call of the contract begins so. */
bool mr_duckdb_ensure_open(struct mr_sink *sink, struct mr_error *err) MR_MUST_CHECK;

/** The same, and opens a transaction when there is none. */
bool mr_duckdb_begin(struct mr_sink *sink, struct mr_error *err) MR_MUST_CHECK;

/** Commits what is in the transaction, with the positions that moved. */
bool mr_duckdb_commit(struct mr_sink *sink, struct mr_error *err) MR_MUST_CHECK;

/** Counts a failure; returns false. */
bool mr_duckdb_fail(struct mr_sink *sink, struct mr_error *err);

/** A checkpoint before BEGIN, when memory was short: it frees what deletes hold. Never fails. */
void mr_upkeep_free_memory(struct mr_sink *sink);

/** Checkpoints and compaction, when due (upkeep.c). */
bool mr_upkeep_run(struct mr_sink *sink, bool idle, struct mr_error *err) MR_MUST_CHECK;

#endif
