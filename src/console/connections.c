// SPDX-License-Identifier: MIT
/*
 * connections.c - see connections.h.
 */
#include "connections.h"

#include <sys/socket.h>

#define SWEEP_US 100000

static uint64_t phase_ms_max(const struct mr_connections *connections,
                             enum mr_connection_phase phase)
{
    switch (phase) {
    case MR_CONNECTION_FREE:
    case MR_CONNECTION_ANSWERING:
        return 0;
    case MR_CONNECTION_IDLE:
        return MR_CONSOLE_IDLE_MS_MAX;
    case MR_CONNECTION_RECEIVING:
        return connections->receive_ms_max;
    case MR_CONNECTION_SENDING:
        return MR_CONSOLE_SEND_MS_MAX;
    }
    return 0;
}

static void set_phase(struct mr_connections *connections, struct mr_connection *connection,
                      enum mr_connection_phase phase)
{
    const uint64_t ms = phase_ms_max(connections, phase);

    connection->phase = phase;
    connection->ends_ns =
        ms == 0 ? 0 : connections->env->monotonic_ns(connections->env) + ms * 1000000;
}

static void sweep(struct mr_connections *connections)
{
    MR_ASSERT(connections->env != NULL);

    const uint64_t now_ns = connections->env->monotonic_ns(connections->env);

    for (size_t i = 0; i < MR_ARRAY_LEN(connections->places); i++) {
        struct mr_connection *connection = &connections->places[i];
        if (connection->phase != MR_CONNECTION_FREE && connection->ends_ns != 0 &&
            connection->ends_ns <= now_ns) {
            (void)shutdown(connection->socket, SHUT_RDWR);
            connection->ends_ns = 0; /* once is enough */
        }
    }
}

static void *run_sweeper(void *argument)
{
    struct mr_connections *connections = argument;

    while (!atomic_load(&connections->is_stopping)) {
        connections->env->sleep_us(connections->env, SWEEP_US);
        pthread_mutex_lock(&connections->lock);
        sweep(connections);
        pthread_mutex_unlock(&connections->lock);
    }
    return NULL;
}

void mr_connections_init(struct mr_connections *connections, uint64_t receive_ms_max,
                         const struct mr_env *env)
{
    MR_ASSERT(receive_ms_max > 0);
    connections->receive_ms_max = receive_ms_max;
    connections->env = env;
    MR_ASSERT(!connections->is_running);
    MR_ASSERT(pthread_mutex_init(&connections->lock, NULL) == 0);
    MR_ASSERT(pthread_create(&connections->sweeper, NULL, run_sweeper, connections) == 0);
    connections->is_running = true;
}

void mr_connections_done(struct mr_connections *connections)
{
    if (!connections->is_running) {
        return;
    }
    atomic_store(&connections->is_stopping, true);
    (void)pthread_join(connections->sweeper, NULL);
    (void)pthread_mutex_destroy(&connections->lock);
    connections->is_running = false;
}

struct mr_connection *mr_connections_add(struct mr_connections *connections, int socket)
{
    struct mr_connection *added = NULL;

    MR_ASSERT(socket >= 0);
    pthread_mutex_lock(&connections->lock);
    for (size_t i = 0; i < MR_ARRAY_LEN(connections->places) && added == NULL; i++) {
        if (connections->places[i].phase == MR_CONNECTION_FREE) {
            added = &connections->places[i];
            added->socket = socket;
            set_phase(connections, added, MR_CONNECTION_RECEIVING);
        }
    }
    pthread_mutex_unlock(&connections->lock);
    return added;
}

void mr_connections_move(struct mr_connections *connections, struct mr_connection *connection,
                         enum mr_connection_phase phase)
{
    if (connection == NULL) {
        return;
    }
    pthread_mutex_lock(&connections->lock);
    MR_ASSERT(connection->phase != MR_CONNECTION_FREE);
    set_phase(connections, connection, phase);
    pthread_mutex_unlock(&connections->lock);
}
