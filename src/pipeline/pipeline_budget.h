// SPDX-License-Identifier: MIT
/*
 * pipeline_budget.h - how memory_max is divided. One value of value_max comes on top (promise 5).
 *
 *   1/2   the warehouse engines (their memory_limit); less below 192 MiB, see PROGRAM
 *   1/8   batches on their way, over all sources
 *   rest  the program, client libraries, the engine's overhead, the console
 *
 * PROGRAM: what the rest takes whatever memory_max is (measured: 42 MiB at rest, the engine's code
 * and catalog among it, some 30 MiB more while a large transaction is applied).
 */
#ifndef MR_PIPELINE_PIPELINE_BUDGET_H
#define MR_PIPELINE_PIPELINE_BUDGET_H

#include <stdint.h>

#define MR_BUDGET_POOL_BATCHES 32 /* a source; most are small ones of an idle or paced source */
#define MR_BUDGET_INBOX        8  /* batches between link and journal */
#define MR_BUDGET_TAIL_BATCHES 12 /* synced batches kept for the sinks */
#define MR_BUDGET_TARGET_MIN   (UINT64_C(256) << 10)
#define MR_BUDGET_TARGET_MAX   (UINT64_C(2) << 20)
#define MR_BUDGET_PROGRAM      (UINT64_C(72) << 20)
#define MR_BUDGET_ENGINE_MIN   (UINT64_C(24) << 20)

struct mr_budget {
    uint64_t engine_bytes;    /* a sink */
    uint64_t target_bytes;    /* a batch */
    uint64_t tail_bytes;      /* a source */
    uint64_t pool_kept_bytes; /* a batch at rest */
};

static inline uint64_t mr_budget_engines(uint64_t memory_bytes_max)
{
    const uint64_t half = memory_bytes_max / 2;
    const uint64_t taken = memory_bytes_max / 8 + MR_BUDGET_PROGRAM;
    const uint64_t left = memory_bytes_max > taken ? memory_bytes_max - taken : 0;
    const uint64_t engines = left < half ? left : half;
    return engines < MR_BUDGET_ENGINE_MIN ? MR_BUDGET_ENGINE_MIN : engines;
}

static inline struct mr_budget mr_budget_of(uint64_t memory_bytes_max, uint32_t source_count,
                                            uint32_t sink_count)
{
    const uint64_t sources = source_count == 0 ? 1 : source_count;
    const uint64_t sinks = sink_count == 0 ? 1 : sink_count;
    const uint64_t source_bytes = memory_bytes_max / 8 / sources;
    uint64_t target = source_bytes / 16;
    if (target < MR_BUDGET_TARGET_MIN) {
        target = MR_BUDGET_TARGET_MIN;
    }
    if (target > MR_BUDGET_TARGET_MAX) {
        target = MR_BUDGET_TARGET_MAX;
    }
    return (struct mr_budget){
        .engine_bytes = mr_budget_engines(memory_bytes_max) / sinks,
        .target_bytes = target,
        .tail_bytes = source_bytes / 2,
        .pool_kept_bytes = source_bytes / 4 / MR_BUDGET_POOL_BATCHES,
    };
}

#endif
