// SPDX-License-Identifier: MIT
/*
 * gate.c - leases in a fixed array under one mutex, and the watchdog that keeps their deadlines.
 *
 * The watchdog sleeps while nothing is lent and looks every WATCH_MS otherwise.
 */
#include "gate.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "memory.h"

#define WATCH_MS  20
#define NS_PER_MS UINT64_C(1000000)

struct gate_slot {
    duckdb_connection connection;
    uint64_t deadline_ns;
    enum mr_interrupt interrupt;
    bool taken;
};

struct mr_gate {
    const struct mr_env *env;
    uint32_t count_max;
    pthread_t watchdog;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a lease came back, was given, or the gate stops */
    struct gate_slot slots[MR_GATE_LEASES_MAX];
    uint32_t taken_count;
    duckdb_database database; /* NULL while shut */
    uint64_t closed_until_ns; /* no leases before this time */
    bool stops;
};

static uint64_t now_ns(const struct mr_gate *gate)
{
    return gate->env->monotonic_ns(gate->env);
}

/* Waits for a change, at most ms; the mutex is held. The bound keeps a lost wake-up harmless. */
static void wait_changed(struct mr_gate *gate, uint64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    const uint64_t ns = (uint64_t)until.tv_nsec + ms % 1000 * NS_PER_MS;
    until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    (void)pthread_cond_timedwait(&gate->changed, &gate->mutex, &until);
}

static void interrupt_slot(struct gate_slot *slot, enum mr_interrupt why)
{
    MR_ASSERT(slot->taken && why != MR_INTERRUPT_NONE);
    if (slot->interrupt == MR_INTERRUPT_NONE) {
        slot->interrupt = why;
    }
    duckdb_interrupt(slot->connection);
}

static uint32_t interrupt_all(struct mr_gate *gate, enum mr_interrupt why)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < gate->count_max; i++) {
        if (gate->slots[i].taken) {
            interrupt_slot(&gate->slots[i], why);
            count++;
        }
    }
    MR_ASSERT(count == gate->taken_count);
    return count;
}

static void *watch(void *context)
{
    struct mr_gate *gate = context;

    (void)pthread_mutex_lock(&gate->mutex);
    while (!gate->stops) {
        if (gate->taken_count == 0) {
            (void)pthread_cond_wait(&gate->changed, &gate->mutex);
            continue;
        }
        wait_changed(gate, WATCH_MS);
        const uint64_t now = now_ns(gate);
        for (uint32_t i = 0; i < gate->count_max; i++) {
            struct gate_slot *slot = &gate->slots[i];
            if (slot->taken && (slot->interrupt != MR_INTERRUPT_NONE || now >= slot->deadline_ns)) {
                interrupt_slot(slot, MR_INTERRUPT_TIME);
            }
        }
    }
    (void)pthread_mutex_unlock(&gate->mutex);
    return NULL;
}

struct mr_gate *mr_gate_new(const struct mr_env *env, uint32_t count_max)
{
    MR_ASSERT(count_max > 0 && count_max <= MR_GATE_LEASES_MAX);
    struct mr_gate *gate = mr_memory_new(1, sizeof(*gate));
    pthread_condattr_t attributes;

    gate->env = env;
    gate->count_max = count_max;
    (void)pthread_mutex_init(&gate->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&gate->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    const int started = pthread_create(&gate->watchdog, NULL, watch, gate);
    MR_ASSERT(started == 0); /* as libc out of memory: the process restarts */
    return gate;
}

void mr_gate_free(struct mr_gate *gate)
{
    if (gate == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&gate->mutex);
    MR_ASSERT(gate->taken_count == 0);
    gate->stops = true;
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->mutex);
    (void)pthread_join(gate->watchdog, NULL);
    (void)pthread_cond_destroy(&gate->changed);
    (void)pthread_mutex_destroy(&gate->mutex);
    free(gate);
}

void mr_gate_open(struct mr_gate *gate, duckdb_database database)
{
    MR_ASSERT(database != NULL);
    (void)pthread_mutex_lock(&gate->mutex);
    MR_ASSERT(gate->taken_count == 0);
    gate->database = database;
    gate->closed_until_ns = 0;
    (void)pthread_mutex_unlock(&gate->mutex);
}

bool mr_gate_shut(struct mr_gate *gate, uint32_t wait_ms)
{
    const uint64_t deadline = now_ns(gate) + wait_ms * NS_PER_MS;

    (void)pthread_mutex_lock(&gate->mutex);
    gate->database = NULL;
    while (gate->taken_count > 0 && now_ns(gate) < deadline) {
        (void)interrupt_all(gate, MR_INTERRUPT_CLOSE);
        wait_changed(gate, WATCH_MS);
    }
    const bool empty = gate->taken_count == 0;
    (void)pthread_mutex_unlock(&gate->mutex);
    return empty;
}

/* Finds a free slot; the mutex is held. NULL with *err set when there is none in time. */
static struct gate_slot *wait_slot(struct mr_gate *gate, uint64_t deadline, struct mr_error *err)
{
    for (;;) {
        const uint64_t now = now_ns(gate);
        const bool paused = now < gate->closed_until_ns;
        if (gate->database == NULL) {
            mr_fail(err, MR_E_SINK, MR_RETRY, "the warehouse is closed at this moment");
            return NULL;
        }
        for (uint32_t i = 0; !paused && i < gate->count_max; i++) {
            if (!gate->slots[i].taken) {
                return &gate->slots[i];
            }
        }
        if (now >= deadline) {
            mr_fail(err, MR_E_LIMIT, MR_RETRY, "%s; try again",
                    paused ? "queries wait: the sink needs the memory"
                           : "too many queries run at once");
            return NULL;
        }
        wait_changed(gate, WATCH_MS);
    }
}

bool mr_gate_lease(struct mr_gate *gate, uint32_t wait_ms, uint64_t time_ms_max,
                   struct mr_lease *lease, struct mr_error *err)
{
    bool given = false;

    (void)pthread_mutex_lock(&gate->mutex);
    struct gate_slot *slot = wait_slot(gate, now_ns(gate) + wait_ms * NS_PER_MS, err);
    if (slot == NULL) {
        goto out;
    }
    duckdb_connection connection = NULL;
    if (duckdb_connect(gate->database, &connection) == DuckDBError) {
        mr_fail(err, MR_E_SINK, MR_RETRY, "the warehouse gives no connection");
        goto out;
    }
    *slot = (struct gate_slot){
        .connection = connection,
        .deadline_ns = now_ns(gate) + time_ms_max * NS_PER_MS,
        .taken = true,
    };
    gate->taken_count++;
    *lease = (struct mr_lease){.connection = connection, .slot = (uint32_t)(slot - gate->slots)};
    (void)pthread_cond_broadcast(&gate->changed);
    given = true;

out:
    (void)pthread_mutex_unlock(&gate->mutex);
    return given;
}

enum mr_interrupt mr_gate_interrupt_of(struct mr_gate *gate, const struct mr_lease *lease)
{
    MR_ASSERT(lease->connection != NULL && lease->slot < gate->count_max);
    (void)pthread_mutex_lock(&gate->mutex);
    const enum mr_interrupt why = gate->slots[lease->slot].interrupt;
    (void)pthread_mutex_unlock(&gate->mutex);
    return why;
}

void mr_gate_return(struct mr_gate *gate, struct mr_lease *lease)
{
    if (lease->connection == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&gate->mutex);
    struct gate_slot *slot = &gate->slots[lease->slot];
    MR_ASSERT(slot->taken && slot->connection == lease->connection);
    /* Under the mutex: the watchdog must not interrupt a connection that is gone. */
    duckdb_disconnect(&slot->connection);
    *slot = (struct gate_slot){0};
    MR_ASSERT(gate->taken_count > 0);
    gate->taken_count--;
    lease->connection = NULL;
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->mutex);
}

uint32_t mr_gate_make_room(struct mr_gate *gate, uint32_t pause_ms)
{
    (void)pthread_mutex_lock(&gate->mutex);
    const uint32_t count = interrupt_all(gate, MR_INTERRUPT_MEMORY);
    gate->closed_until_ns = now_ns(gate) + pause_ms * NS_PER_MS;
    (void)pthread_mutex_unlock(&gate->mutex);
    return count;
}
