// SPDX-License-Identifier: MIT
/*
 * link.h - one source's side of the pipeline: connect, follow, hand batches to the journal,
 * acknowledge what is durable, come back after errors.
 *
 * ORDER, on which exactly-once rests:
 *   - A connection is opened at the journal's durable position, and only when everything handed on
 *     before is settled. So what the old connection sent and what the new one sends neither overlap
 *     nor leave a gap.
 *   - The server is acknowledged the journal's durable position and nothing else.
 *   - A transaction that was handed on in part when the connection broke is dropped by an abort
 *     batch before anything else follows.
 *
 * The first connection of a new pipeline fixes the start with snapshot_open(), makes that position
 * durable, and starts the copy of the tables (copy.h) beside the stream.
 *
 * LOST POSITION (link_lost.c)
 *   A server that lacks what follows our position fails with MR_E_LOST. on_lost_position: stop
 *   ends there, with the cure; snapshot copies the tables anew from a fresh start, while other
 *   sources go on. A sink whose part of the stream was deleted (retention_force) is treated
 *   likewise, by itself.
 */
#ifndef MR_PIPELINE_LINK_H
#define MR_PIPELINE_LINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "copy.h"
#include "error.h"
#include "journal.h"
#include "link_state.h"
#include "loader.h"
#include "source.h"
#include "step.h"

struct mr_link_options {
    const struct mr_source_ops *ops;
    struct mr_source_context context;
    uint16_t source_index;
    struct mr_journal *journal;
    struct mr_loader *const *loaders;
    uint32_t loader_count;
    bool copies_tables;  /* snapshot: initial, initial_only, when_needed */
    bool ends_with_copy; /* snapshot: initial_only */
    bool recopies;       /* on_lost_position: snapshot */
    uint32_t copy_workers;
    /** Tells that a wished copy is over, from the link's thread; err NULL: it is done. */
    void (*table_copied)(void *context, const struct mr_copy_wish *wish,
                         const struct mr_error *err);
    void *table_context;
    uint32_t pool_batches;
    uint64_t pool_kept_bytes; /* resident, a batch */
};

/** What people see of a link; a copy, taken under its lock. */
struct mr_link_view {
    enum mr_link_state state;
    struct mr_source_observation observation;
    uint64_t observed_ns;       /* monotonic; 0: never */
    struct mr_error last_error; /* code MR_OK: none since the link last streamed */
    uint32_t attempt;
};

/** A table that is to be copied anew, or for the first time (link_tables.c). */
struct mr_link_wish;

struct mr_link {
    struct mr_link_options options;
    struct mr_batch_pool *pool;
    struct mr_source *source;
    struct mr_position resume;
    struct mr_batch *held; /* waits for room in the journal's inbox */
    struct mr_native_position acked;
    uint64_t pushed; /* batches handed to the journal */
    uint64_t ack_at_ns;
    uint64_t observe_at_ns;
    uint64_t backoff_until_ns;
    uint64_t copy_retry_at_ns;
    uint64_t copy_told_at_ns; /* progress in the log */
    uint32_t copy_attempt;
    bool transaction_is_open; /* the last batch handed on was `continued` */
    bool is_looked_at;        /* the preflight found nothing wrong */
    bool is_lost;             /* the server cannot go on from our position: start anew */
    uint32_t budget_level;    /* what the log was told last, see link_budget.c */
    bool has_streamed;        /* the configuration was right once */
    bool copy_is_settled;     /* every sink has every table, or none is wanted */
    int64_t clock_skew_us;

    struct mr_source_context copy_context; /* of the whole copy's snapshot */
    struct mr_snapshot_wish copy_wish;
    char *copy_plan;

    struct mr_link_wish *wish_at_work; /* of table_copy; the link's thread alone */
    uint64_t wish_retry_at_ns;
    uint32_t wish_attempt;
    atomic_bool reopen_wanted; /* what is captured has changed: connect anew */

    pthread_mutex_t lock; /* of what follows, up to `table_copy` */
    struct mr_link_view view;
    struct mr_copy *copy;
    struct mr_link_wish *wishes; /* that wait, in order */
    struct mr_copy *table_copy;
    enum mr_link_state state;
    uint32_t attempt;
    atomic_uint_fast64_t recopies_total; /* times that a lost position was replaced */
    atomic_uint_fast64_t rows_total;
    atomic_uint_fast64_t transactions_total;
    atomic_int_fast64_t commit_us_last; /* of the newest one handed on, our clock; 0 none */
};

bool mr_link_init(struct mr_link *link, const struct mr_link_options *options,
                  struct mr_error *err) MR_MUST_CHECK;

/** Closes the connection and the copy; batches still with the journal must be back after this. */
void mr_link_stop(struct mr_link *link);
void mr_link_done(struct mr_link *link);

/** One bounded piece of work; waits up to wait_ms. FAILED: *err says why, the link is stopped. */
enum mr_step mr_link_step(struct mr_link *link, uint32_t wait_ms, struct mr_error *err);

/** A copy of what people see; from any thread. */
void mr_link_look(struct mr_link *link, struct mr_link_view *view);

/** Seconds until the server may discard what we need; UINT64_MAX unknown, or no limit. */
uint64_t mr_retention_left_s(const struct mr_link_view *view, uint64_t now_ns);

/** Progress of the copy's table `index`; false when there is no (such) copy. From any thread. */
bool mr_link_copy_progress(struct mr_link *link, uint32_t index, struct mr_copy_progress *progress);

/**
 * Has one table copied beside the stream, as soon as the first copy of the source is complete and
 * other such copies are; a wish for the same table that still waits is replaced. From any thread.
 * This is what a new table that matches the globs is picked up with. Texts are copied.
 */
void mr_link_request_copy(struct mr_link *link, const struct mr_copy_wish *wish);

/** Forgets a table's wish, and cancels its copy. From any thread. */
void mr_link_cancel_copy(struct mr_link *link, const char *space, const char *table);

/** Connects anew, at the durable position: what is captured has changed. From any thread. */
void mr_link_reopen(struct mr_link *link);

/** What is known of a wished copy: waits, runs (progress), or neither (false). From any thread. */
bool mr_link_wished(struct mr_link *link, const char *space, const char *table,
                    struct mr_copy_progress *progress);

/** Progress of the whole copy; false when there is none. From any thread. */
bool mr_link_copy_totals(struct mr_link *link, struct mr_copy_totals *totals);

#endif
