// SPDX-License-Identifier: MIT
/*
 * quarantine.h - tables that are set aside: they stand still exactly before the transaction that
 * they could not take, while all others go on.
 *
 *   millrace.quarantine(source, space, "table", sequence, position, reason, "at")
 *
 * A decision is made in the middle of a transaction, when rows of that very transaction may be in
 * the table already. So it is only remembered, and everything rolled back; when the transaction is
 * applied again, the table's events are passed over from its start, and the row is written in the
 * same commit. A copy of the table lifts it.
 *
 * Threads: the sink's own; mr_quarantine_reason() and mr_quarantine_count() from any.
 */
#ifndef MR_SINK_DUCKDB_QUARANTINE_H
#define MR_SINK_DUCKDB_QUARANTINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "schema.h"
#include "warehouse.h"

struct mr_quarantined {
    struct mr_quarantined *next;
    uint16_t source_index;
    char *space;
    char *table;
    char *reason;
    uint64_t sequence; /* of the first transaction whose events are passed over */
    bool is_written;   /* its row is in the open transaction, or committed */
    bool is_committed;
    bool is_lifted; /* in the open transaction */
};

struct mr_quarantine {
    struct mr_warehouse *warehouse;
    const char *const *source_names;
    uint32_t source_count;
    struct mr_quarantined *all;
    atomic_uint count; /* committed */
    pthread_mutex_t lock;
};

void mr_quarantine_init(struct mr_quarantine *quarantine);

/** Makes the table when it is not there, and reads it; what was known is forgotten. */
bool mr_quarantine_open(struct mr_quarantine *quarantine, struct mr_warehouse *warehouse,
                        const char *const *source_names, uint32_t source_count,
                        struct mr_error *err) MR_MUST_CHECK;
void mr_quarantine_done(struct mr_quarantine *quarantine);

/** Whether a table's events of that transaction are passed over. sequence 0 (a copy's): never. */
bool mr_quarantine_holds(const struct mr_quarantine *quarantine, uint16_t source_index,
                         const struct mr_schema *schema, uint64_t sequence);

/** From that transaction on. What is applied of it must be rolled back. */
void mr_quarantine_decide(struct mr_quarantine *quarantine, uint16_t source_index,
                          const struct mr_schema *schema, uint64_t sequence, const char *reason);

/** Writes the rows of decisions at or before that transaction, in the open transaction. */
bool mr_quarantine_write(struct mr_quarantine *quarantine, uint16_t source_index, uint64_t sequence,
                         const char *position, struct mr_error *err) MR_MUST_CHECK;

/** A copy of the table begins: it is free again, in the open transaction. */
bool mr_quarantine_lift(struct mr_quarantine *quarantine, uint16_t source_index,
                        const struct mr_schema *schema, struct mr_error *err) MR_MUST_CHECK;

void mr_quarantine_settle(struct mr_quarantine *quarantine); /* committed */
void mr_quarantine_forget(struct mr_quarantine *quarantine); /* rolled back */

uint32_t mr_quarantine_count(struct mr_quarantine *quarantine);

/** Copies why a table is set aside; false when it is not. */
bool mr_quarantine_reason(struct mr_quarantine *quarantine, uint16_t source_index,
                          const char *space, const char *table, char *reason, size_t size);

#endif
