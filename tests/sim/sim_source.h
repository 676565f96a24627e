// SPDX-License-Identifier: MIT
/*
 * sim_source.h - a source that plays a plan, and the server behind it: it breaks connections, sends
 * transactions in parts, moves its position while idle, and forgets what was acknowledged.
 *
 * The server notices what would be data loss on a real one: a connection that resumes before what
 * was acknowledged (that log is gone), or after what it was ever sent.
 */
#ifndef MR_TESTS_SIM_SIM_SOURCE_H
#define MR_TESTS_SIM_SIM_SOURCE_H

#include "sim_plan.h"
#include "source.h"

struct sim_server {
    const struct sim_plan *plan;
    uint64_t random;
    uint64_t acked;     /* transaction number */
    uint64_t sent;      /* newest transaction ever sent whole */
    bool is_steady;     /* no faults any more */
    const char *broken; /* the broken promise, NULL while all is well */
    uint32_t connections;
};

/** Its config is a `struct sim_server *`. */
extern const struct mr_source_ops sim_source;

/** One of its tables, in a catalog. */
const struct mr_schema *sim_source_table(struct mr_catalog *catalog, uint8_t table,
                                         struct mr_error *err);

#endif
