// SPDX-License-Identifier: MIT
/*
 * schemas.h - the schema versions that the log holds, by id.
 *
 * They are written before their first use and all again at each segment's start, so that the newest
 * segment alone restores the catalog. The pointers are the catalog's and live as long as it does.
 */
#ifndef MR_STREAM_LOG_SCHEMAS_H
#define MR_STREAM_LOG_SCHEMAS_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "schema.h"
#include "slice.h"
#include "writer.h"

struct mr_schemas {
    const struct mr_schema **by_id; /* by schema_id - 1; NULL: not in the log */
    uint32_t count;                 /* highest id */
    uint32_t capacity;
    uint32_t used; /* how many are there */
};

/** NULL when the log does not hold it. */
const struct mr_schema *mr_schemas_find(const struct mr_schemas *schemas, uint32_t schema_id);

void mr_schemas_add(struct mr_schemas *schemas, const struct mr_schema *schema);

/** The body of a SCHEMA frame: `count` schemas, or with `wanted` NULL all that the log holds. */
bool mr_schemas_write(const struct mr_schemas *schemas, const struct mr_schema *const *wanted,
                      uint32_t count, struct mr_writer *out, struct mr_error *err) MR_MUST_CHECK;

/** Restores the schemas of such a body into the catalog and adds them. */
bool mr_schemas_restore(struct mr_schemas *schemas, struct mr_slice body,
                        struct mr_catalog *catalog, struct mr_error *err) MR_MUST_CHECK;

void mr_schemas_done(struct mr_schemas *schemas);

#endif
