// SPDX-License-Identifier: MIT
/*
 * pg_copy.h - rows of COPY ... TO STDOUT (FORMAT binary) into column chunks, as READ events.
 */
#ifndef MR_SOURCE_POSTGRES_PG_COPY_H
#define MR_SOURCE_POSTGRES_PG_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "nulled.h"
#include "pg_types.h"
#include "pgoutput.h"

struct mr_pg_copy {
    const struct mr_schema *schema;
    const struct mr_pg_plan *plans;
    uint64_t value_bytes_max;
    bool nulls_large_values;
    struct mr_nulled *nulled; /* counts values that became NULL; NULL: nobody does */
    size_t offset;            /* in the message at hand: rows before it are in a batch */
    bool has_header;          /* the signature came */
    bool has_trailer;         /* the mark after the last row came */
};

/** Decodes one CopyData message, which holds whole rows (the protocol promises one). */
enum mr_pg_decoded mr_pg_copy_decode(struct mr_pg_copy *copy, struct mr_batch *batch,
                                     const void *bytes, size_t length, struct mr_error *err);

#endif
