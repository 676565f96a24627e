// SPDX-License-Identifier: MIT
/*
 * histogram.c - see histogram.h.
 */
#include "histogram.h"

#include <stddef.h>
#include <stdio.h>

#include "compiler.h"

#define DECADE_STEPS  20
#define US_PER_SECOND 1e6
#define LABELS_MAX    8

/* R20, in hundredths: exact multiples of 100 us from the first decade on. */
static const uint16_t series[DECADE_STEPS] = {100, 112, 125, 140, 160, 180, 200, 224, 250, 280,
                                              315, 355, 400, 450, 500, 560, 630, 710, 800, 900};

/* Places in the series that Prometheus is shown: 1, 2.5 and 5. */
static const uint8_t shown[] = {0, 8, 14};

_Static_assert(MR_HISTOGRAM_BOUNDS == 6 * DECADE_STEPS + 1, "six decades and their end");

/* Upper bound of a bucket, inclusive, in microseconds. */
static uint64_t bound_us(size_t bucket)
{
    MR_ASSERT(bucket < MR_HISTOGRAM_BOUNDS);
    uint64_t bound = series[bucket % DECADE_STEPS];
    for (size_t decade = bucket / DECADE_STEPS; decade > 0; decade--) {
        bound *= 10;
    }
    return bound;
}

static size_t bucket_of(uint64_t us)
{
    size_t low = 0;
    size_t high = MR_HISTOGRAM_BOUNDS; /* above every bound */

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (us <= bound_us(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

void mr_histogram_record(struct mr_histogram *histogram, int64_t us)
{
    MR_ASSERT(histogram != NULL);

    const uint64_t value = us > 0 ? (uint64_t)us : 0;

    atomic_fetch_add_explicit(&histogram->buckets[bucket_of(value)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, value, memory_order_relaxed);
    uint_fast64_t max = atomic_load_explicit(&histogram->max_us, memory_order_relaxed);
    while (value > max &&
           !atomic_compare_exchange_weak_explicit(&histogram->max_us, &max, value,
                                                  memory_order_relaxed, memory_order_relaxed)) {
        /* max was reloaded by the exchange */
    }
}

static uint64_t bucket_count(const struct mr_histogram *histogram, size_t bucket)
{
    return atomic_load_explicit(&histogram->buckets[bucket], memory_order_relaxed);
}

uint64_t mr_histogram_count(const struct mr_histogram *histogram)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= MR_HISTOGRAM_BOUNDS; i++) {
        count += bucket_count(histogram, i);
    }
    return count;
}

uint64_t mr_histogram_max_us(const struct mr_histogram *histogram)
{
    return atomic_load_explicit(&histogram->max_us, memory_order_relaxed);
}

double mr_histogram_percentile_us(const struct mr_histogram *histogram, double percent)
{
    MR_ASSERT(percent >= 0.0 && percent <= 100.0);

    uint64_t counts[MR_HISTOGRAM_BOUNDS + 1];
    uint64_t total = 0;
    for (size_t i = 0; i <= MR_HISTOGRAM_BOUNDS; i++) {
        counts[i] = bucket_count(histogram, i);
        total += counts[i];
    }
    if (total == 0) {
        return 0.0;
    }

    const double max = (double)mr_histogram_max_us(histogram);
    const double wanted = percent / 100.0 * (double)total;
    double below = 0.0;
    for (size_t i = 0; i < MR_HISTOGRAM_BOUNDS; i++) {
        const double here = (double)counts[i];
        if (here > 0.0 && below + here >= wanted) {
            const double from = i == 0 ? 0.0 : (double)bound_us(i - 1);
            const double to = (double)bound_us(i);
            const double value = from + (to - from) * (wanted - below) / here;
            return value < max ? value : max;
        }
        below += here;
    }
    return max;
}

void mr_histogram_expose(const struct mr_histogram *histogram, const char *name,
                         const struct mr_label *labels, struct mr_writer *out)
{
    char bucket_name[96];
    char sum_name[96];
    char count_name[96];
    char le[32];
    struct mr_label with_le[LABELS_MAX + 2] = {{0}};
    size_t label_count = 0;

    for (; labels != NULL && labels[label_count].name != NULL; label_count++) {
        MR_ASSERT(label_count < LABELS_MAX);
        with_le[label_count] = labels[label_count];
    }
    with_le[label_count] = (struct mr_label){.name = "le", .value = le};
    (void)snprintf(bucket_name, sizeof(bucket_name), "%s_bucket", name);
    (void)snprintf(sum_name, sizeof(sum_name), "%s_sum", name);
    (void)snprintf(count_name, sizeof(count_name), "%s_count", name);

    uint64_t total = 0;
    for (size_t i = 0; i < MR_HISTOGRAM_BOUNDS; i++) {
        total += bucket_count(histogram, i);
        for (size_t s = 0; s < MR_ARRAY_LEN(shown); s++) {
            if (i % DECADE_STEPS == shown[s]) {
                (void)snprintf(le, sizeof(le), "%g", (double)bound_us(i) / US_PER_SECOND);
                mr_exposition_uint(out, bucket_name, with_le, total);
            }
        }
    }
    total += bucket_count(histogram, MR_HISTOGRAM_BOUNDS);
    (void)snprintf(le, sizeof(le), "+Inf");
    mr_exposition_uint(out, bucket_name, with_le, total);
    const uint64_t sum_us = atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
    mr_exposition_double(out, sum_name, labels, (double)sum_us / US_PER_SECOND);
    mr_exposition_uint(out, count_name, labels, total);
}
