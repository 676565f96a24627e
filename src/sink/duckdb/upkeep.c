// SPDX-License-Identifier: MIT
/*
 * upkeep.c - when to make a checkpoint, and when to delete old position rows.
 *
 * A checkpoint holds up the next commit for as long as it takes: some 15 ms for what single-row
 * commits leave, 40 to 250 ms after some ten thousand rows, since the table's last, partly filled
 * row group (122,880 rows) is compressed anew each time. Making them more often only adds up. They
 * are made when nothing waits and enough has come together, after a second of rest, and at once
 * when the log has reached its cap. With a reader open DuckDB still makes checkpoints, since
 * nothing here is ever UPDATEd; space of deleted rows comes back when the readers that can see
 * them are gone.
 *
 * Deletes hold memory until the next checkpoint: 16 KiB for every 2,048 rows of the table
 * that lost one, which the engine cannot spill. A thousand updates of keys that lie apart cost
 * 16 MiB so; of neighbouring keys, next to nothing. So once there were some thousand deletes the
 * engine's memory is looked at, and a checkpoint made when it is nearly full.
 *
 * Failure: a checkpoint that cannot be made at this moment (another transaction writes, which no
 * query can) is tried again later; the log grows meanwhile, and is shown.
 */
#include "duckdb_sink.h"

#include "result.h"

#define IDLE_WAL_BYTES_MIN  (UINT64_C(64) << 10) /* less is not worth a checkpoint */
#define IDLE_ROWS_MIN       UINT64_C(100000)     /* about a row group */
#define IDLE_REST_NS        UINT64_C(1000000000) /* nothing came for a second */
#define IDLE_WAL_FRACTION   2                    /* of wal_bytes_max */
#define POSITION_ROWS_MAX   UINT64_C(50000)
#define POSITION_ROWS_IDLE  UINT64_C(10000)
#define APART_ROWS_MAX      UINT64_C(20000)
#define APART_ROWS_IDLE     UINT64_C(1000)
#define DELETES_TO_LOOK     UINT64_C(1000) /* 16 MiB at worst */
#define MEMORY_FULL_PERCENT 70
#define NS_PER_US           1000

static uint64_t now_ns(const struct mr_sink *sink)
{
    return sink->env->monotonic_ns(sink->env);
}

/* Whether deletes may hold so much memory that a checkpoint should free it. */
static bool is_memory_full(struct mr_sink *sink, bool *full, struct mr_error *err)
{
    struct mr_result result = {0};

    *full = false;
    if (sink->apply.deletes_total - sink->deletes_checked < DELETES_TO_LOOK) {
        return true;
    }
    sink->deletes_checked = sink->apply.deletes_total;
    if (!mr_result_query(
            sink->warehouse,
            "SELECT sum(memory_usage_bytes)::UBIGINT, coalesce(sum(memory_usage_bytes) "
            "FILTER (tag = 'IN_MEMORY_TABLE'), 0)::UBIGINT FROM duckdb_memory()",
            &result, err)) {
        return mr_error_context(err, "look at the engine's memory");
    }
    if (mr_result_next(&result)) {
        *full = mr_result_u64(&result, 0) >= sink->memory_bytes / 100 * MEMORY_FULL_PERCENT;
        sink->apply.committed_bytes = mr_result_u64(&result, 1);
    }
    mr_result_done(&result);
    return true;
}

static bool is_checkpoint_due(const struct mr_sink *sink, bool idle, uint64_t wal_bytes)
{
    if (wal_bytes >= sink->config->wal_bytes_max) {
        return true;
    }
    if (!idle || wal_bytes < IDLE_WAL_BYTES_MIN) {
        return false;
    }
    return sink->rows_since_check >= IDLE_ROWS_MIN ||
           wal_bytes >= sink->config->wal_bytes_max / IDLE_WAL_FRACTION ||
           now_ns(sink) - sink->commit_ns_last >= IDLE_REST_NS;
}

static bool checkpoint(struct mr_sink *sink, struct mr_error *err)
{
    const uint64_t start = now_ns(sink);

    if (!mr_warehouse_exec(sink->warehouse, "CHECKPOINT", err)) {
        if (err->recovery == MR_RETRY && !mr_warehouse_is_broken(sink->warehouse)) {
            *err = (struct mr_error){0};
            return true;
        }
        return mr_error_context(err, "checkpoint");
    }
    sink->rows_since_check = 0;
    sink->deletes_checked = sink->apply.deletes_total;
    sink->apply.committed_bytes = 0;
    atomic_fetch_add(&sink->counters.checkpoints_total, 1);
    atomic_store(&sink->counters.checkpoint_us_last, (now_ns(sink) - start) / NS_PER_US);
    atomic_store(&sink->counters.wal_bytes, mr_warehouse_wal_bytes(sink->warehouse));
    return true;
}

void mr_upkeep_free_memory(struct mr_sink *sink)
{
    struct mr_error ignored = {0};

    MR_ASSERT(!sink->in_transaction);
    if (sink->memory_was_short && checkpoint(sink, &ignored)) {
        sink->memory_was_short = false;
    }
}

bool mr_upkeep_run(struct mr_sink *sink, bool idle, struct mr_error *err)
{
    MR_ASSERT(!sink->in_transaction && sink->config->wal_bytes_max > 0);
    const uint64_t wal_bytes = mr_warehouse_wal_bytes(sink->warehouse);

    atomic_store(&sink->counters.wal_bytes, wal_bytes);
    if (sink->aparts.rows >= (idle ? APART_ROWS_IDLE : APART_ROWS_MAX) &&
        !mr_aparts_compact(&sink->aparts, err)) {
        return false;
    }
    if (sink->state.position_rows >= (idle ? POSITION_ROWS_IDLE : POSITION_ROWS_MAX) &&
        !mr_state_compact(&sink->state, err)) {
        return false;
    }
    bool is_full = false;
    if (!is_memory_full(sink, &is_full, err)) {
        return false;
    }
    return !(is_full || is_checkpoint_due(sink, idle, wal_bytes)) || checkpoint(sink, err);
}
