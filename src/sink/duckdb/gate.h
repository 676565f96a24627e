// SPDX-License-Identifier: MIT
/*
 * gate.h - lends connections of the database to queries, and takes them back.
 *
 * Invariants:
 *   - at most `count_max` leases are out at once;
 *   - every lease has a deadline; the watchdog thread interrupts the connection at the deadline and
 *     goes on doing so until the lease is returned (an interrupt sent while the engine is between
 *     two statements is lost);
 *   - while the gate is shut no lease is out and none is given.
 *
 * Interrupting is best effort: inside one long string function the engine looks at the flag only
 * when the function returns. Whoever waits for a lease to come back therefore waits with a bound.
 *
 * Threads: every function may be called from any thread.
 */
#ifndef MR_SINK_DUCKDB_GATE_H
#define MR_SINK_DUCKDB_GATE_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "env.h"
#include "error.h"

#define MR_GATE_LEASES_MAX 32

struct mr_gate;

enum mr_interrupt {
    MR_INTERRUPT_NONE = 0,
    MR_INTERRUPT_TIME,   /* over its time limit */
    MR_INTERRUPT_MEMORY, /* the sink needed the memory */
    MR_INTERRUPT_CLOSE,  /* the database closes */
};

/** A connection lent to one query; zero it before the first use. */
struct mr_lease {
    duckdb_connection connection;
    uint32_t slot;
};

struct mr_gate *mr_gate_new(const struct mr_env *env, uint32_t count_max);
void mr_gate_free(struct mr_gate *gate); /* shut before; accepts NULL */

/** Leases may be taken from `database` from now on. */
void mr_gate_open(struct mr_gate *gate, duckdb_database database);

/** Interrupts all leases and waits up to wait_ms until they are back; false: some are not. */
bool mr_gate_shut(struct mr_gate *gate, uint32_t wait_ms);

/**
 * Lends a connection, waiting up to wait_ms for one. Errors: MR_E_LIMIT, MR_RETRY: too many queries
 * run, or the sink needs the memory; MR_E_SINK, MR_RETRY: the warehouse is closed.
 */
bool mr_gate_lease(struct mr_gate *gate, uint32_t wait_ms, uint64_t time_ms_max,
                   struct mr_lease *lease, struct mr_error *err) MR_MUST_CHECK;

/** Why the lease was told to end, if it was. */
enum mr_interrupt mr_gate_interrupt_of(struct mr_gate *gate, const struct mr_lease *lease);

/** Disconnects and gives the lease back. Accepts one that was never given. */
void mr_gate_return(struct mr_gate *gate, struct mr_lease *lease);

/** Interrupts all leases and gives none for pause_ms. Returns how many were out. */
uint32_t mr_gate_make_room(struct mr_gate *gate, uint32_t pause_ms);

#endif
