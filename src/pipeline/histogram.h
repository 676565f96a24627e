// SPDX-License-Identifier: MIT
/*
 * histogram.h - how long something took, counted in fixed buckets from 100 us to 100 s.
 *
 * Bounds are the Renard numbers R20 (ISO 3): 20 a decade, each about 12% above the one before, so a
 * percentile is within 12% without any configuration. Prometheus is shown 3 a decade (1, 2.5, 5),
 * which are all in the series; it interpolates on its own.
 *
 * Threads: any number may record and read at the same time. Counters are atomic, one by one; a
 * reader that comes in between sees a value in its bucket or not at all, and takes the total from
 * the buckets it read, so what it shows always adds up.
 */
#ifndef MR_PIPELINE_HISTOGRAM_H
#define MR_PIPELINE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "exposition.h"
#include "writer.h"

#define MR_HISTOGRAM_BOUNDS 121 /* 100 us, 112 us, ... 90 s, 100 s: 6 decades of 20, and the end */

struct mr_histogram {
    atomic_uint_fast64_t buckets[MR_HISTOGRAM_BOUNDS + 1]; /* the last: above every bound */
    atomic_uint_fast64_t sum_us;
    atomic_uint_fast64_t max_us;
};

/** Counts one value, in microseconds; a negative one (clocks differ) counts as 0. */
void mr_histogram_record(struct mr_histogram *histogram, int64_t us);

uint64_t mr_histogram_count(const struct mr_histogram *histogram);
uint64_t mr_histogram_max_us(const struct mr_histogram *histogram);

/**
 * The value, in microseconds, that `percent` (0 to 100) of all recorded ones do not exceed,
 * interpolated within its bucket and never above the greatest recorded. 0 when nothing was
 * recorded.
 */
double mr_histogram_percentile_us(const struct mr_histogram *histogram, double percent);

/**
 * Appends the samples name_bucket{...,le="..."}, name_sum and name_count, in seconds. The family's
 * head is the caller's (mr_exposition_family), because several label sets share one.
 */
void mr_histogram_expose(const struct mr_histogram *histogram, const char *name,
                         const struct mr_label *labels, struct mr_writer *out);

#endif
