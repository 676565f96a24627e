// SPDX-License-Identifier: MIT
/*
 * nulled.h - counts of values that a column's core type could not hold and that became NULL,
 * because the column's policy says so (on_type_error: null): a loss that was asked for, and that
 * shows in status and metrics.
 *
 * One for each source. Counting is for the rare value, so it takes a lock. A batch that is decoded
 * twice (a connection lost half-way) counts twice.
 */
#ifndef MR_CORE_NULLED_H
#define MR_CORE_NULLED_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "schema.h"

struct mr_nulled;

struct mr_nulled_count {
    const struct mr_schema *schema; /* of the first such value */
    uint16_t column;
    uint64_t count;
};

struct mr_nulled *mr_nulled_open(void);
void mr_nulled_close(struct mr_nulled *nulled); /* accepts NULL */

/** One more. From any thread; nulled may be NULL. */
void mr_nulled_add(struct mr_nulled *nulled, const struct mr_schema *schema, uint16_t column);

/** The counts, one a column, in the order of their first value; false past the last. */
bool mr_nulled_get(struct mr_nulled *nulled, uint32_t index, struct mr_nulled_count *count);

#endif
