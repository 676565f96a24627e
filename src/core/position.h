// SPDX-License-Identifier: MIT
/*
 * position.h - a place in a source, owned: what a source resumes from.
 *
 * `text` is the source's own printable form (PostgreSQL "0/16B3748"; MySQL "mysql-bin.000002:1234"
 * or that followed by ";" and a GTID set); `epoch` says in which history it counts (PostgreSQL
 * system identifier and timeline; MySQL server UUID or MariaDB server id). Positions of different
 * epochs do not compare.
 */
#ifndef MR_CORE_POSITION_H
#define MR_CORE_POSITION_H

#include <stdbool.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "slice.h"

#define MR_POSITION_BYTES_MAX 65536 /* a GTID set of some 1,500 servers */
#define MR_EPOCH_BYTES_MAX    128

struct mr_position {
    char *text; /* NUL-terminated, owned; NULL: no position yet */
    char epoch[MR_EPOCH_BYTES_MAX];
    struct mr_native_position native;
};

/** Replaces *position; MR_E_LIMIT when a part is too long. */
bool mr_position_set(struct mr_position *position, struct mr_slice epoch, struct mr_slice text,
                     struct mr_native_position native, struct mr_error *err) MR_MUST_CHECK;

void mr_position_done(struct mr_position *position);

static inline bool mr_position_is_set(const struct mr_position *position)
{
    return position->text != NULL;
}

#endif
