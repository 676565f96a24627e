// SPDX-License-Identifier: MIT
/*
 * connections.h - deadlines of the open connections.
 *
 * libmicrohttpd ends connections that are silent; a client that sends, or takes, one byte now and
 * then is never silent and would hold its place for ever. So each phase of a connection has an end,
 * and a thread of our own shuts the sockets that pass theirs. The place itself is freed when
 * libmicrohttpd notices, so a descriptor is never closed twice.
 */
#ifndef MR_CONSOLE_CONNECTIONS_H
#define MR_CONSOLE_CONNECTIONS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "console.h"
#include "env.h"

/* libmicrohttpd may tell of a new connection before it has told of the end of an old one. */
#define MR_CONNECTIONS_PLACES (MR_CONSOLE_CONNECTIONS_MAX * 2)

enum mr_connection_phase {
    MR_CONNECTION_FREE,
    MR_CONNECTION_IDLE,      /* kept open between requests */
    MR_CONNECTION_RECEIVING, /* from the connection's, or the request's, first byte */
    MR_CONNECTION_ANSWERING, /* a handler runs, or a tail follows: no end of ours */
    MR_CONNECTION_SENDING,
};

struct mr_connection {
    enum mr_connection_phase phase;
    int socket;
    uint64_t ends_ns; /* monotonic; 0: never */
};

struct mr_connections {
    const struct mr_env *env;
    uint64_t receive_ms_max;
    pthread_mutex_t lock;
    pthread_t sweeper;
    atomic_bool is_stopping;
    bool is_running;
    struct mr_connection places[MR_CONNECTIONS_PLACES];
};

/** Starts the sweeper of a zeroed struct. */
void mr_connections_init(struct mr_connections *connections, uint64_t receive_ms_max,
                         const struct mr_env *env);

/** Ends the sweeper. Accepts a zeroed struct. */
void mr_connections_done(struct mr_connections *connections);

/** A place for a new connection, RECEIVING. NULL when all are taken: the caller must refuse it. */
struct mr_connection *mr_connections_add(struct mr_connections *connections, int socket);

/** Moves a connection on; sets the end that goes with the phase. NULL is ignored. */
void mr_connections_move(struct mr_connections *connections, struct mr_connection *connection,
                         enum mr_connection_phase phase);

#endif
