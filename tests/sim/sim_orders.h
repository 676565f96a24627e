// SPDX-License-Identifier: MIT
/*
 * sim_orders.h - somebody who asks things of single tables while the world goes on: pauses,
 * resumes, rewinds, and copies beside, whose rows are read from the source as it is at some
 * moment. One question is on its way at a time; what it leaves unfinished when the process dies is
 * taken up in the next life, under the same name, as the pipeline's book has it.
 */
#ifndef MR_TESTS_SIM_SIM_ORDERS_H
#define MR_TESTS_SIM_SIM_ORDERS_H

#include "loader.h"
#include "sim_plan.h"
#include "sim_sink.h"
#include "sim_source.h"
#include "stream.h"

enum sim_copy_step {
    SIM_COPY_NONE,
    SIM_COPY_RESERVE,
    SIM_COPY_BEGIN,
    SIM_COPY_RELEASE,
    SIM_COPY_ROWS,
    SIM_COPY_FINISH,
};

/** What outlives a process. */
struct sim_wishes {
    uint64_t random;
    uint32_t number;
    char wanted[SIM_TABLES][SIM_ID_BYTES]; /* copies that are not complete; "": none */
    bool is_steady;                        /* ask for nothing more, and bring all to an end */
};

/** What a process has. */
struct sim_orders {
    struct sim_wishes *wishes;
    const struct sim_plan *plan;
    const struct sim_server *server;
    struct mr_loader *loader;
    struct mr_stream *stream;
    const struct mr_stream_ops *stream_ops;
    const struct mr_schema *schemas[SIM_TABLES];
    struct mr_batch_pool *pool;

    struct mr_promise promise;
    bool waits; /* for the promise */
    struct mr_table_order order;

    enum sim_copy_step step; /* of the copy at work, of `table` */
    uint8_t table;
    uint32_t piece;
    uint64_t high;
    struct mr_load_place place;
    struct mr_copy_request request;
    struct mr_copy_taken taken;
    uint8_t pieces[SIM_PIECES];
};

void sim_orders_init(struct sim_orders *orders, struct sim_wishes *wishes,
                     const struct sim_server *server, struct mr_catalog *catalog);
/** After the loader has been shut. */
void sim_orders_done(struct sim_orders *orders);

/** Does one thing, or waits for an answer. */
void sim_orders_step(struct sim_orders *orders);

#endif
