// SPDX-License-Identifier: MIT
/*
 * pg_stream.h - following a slot: what source.h calls open, next, ack, observe and close.
 */
#ifndef MR_SOURCE_POSTGRES_PG_STREAM_H
#define MR_SOURCE_POSTGRES_PG_STREAM_H

#include "pg_connection.h"
#include "pg_pace.h"
#include "pg_slot.h"
#include "pgoutput.h"
#include "source.h"

struct mr_source {
    const struct mr_source_context *context;
    struct mr_pg_connection replication;
    struct mr_pg_connection control; /* ordinary: catalogs, clock, the server's log end */
    struct mr_pg_identity_of identity;
    struct mr_pgoutput decoder;
    struct mr_pg_spool *spool; /* NULL: only whole transactions were asked for */
    bool is_streaming;         /* transactions in progress were asked for */
    struct mr_pg_pace pace;

    char *message; /* taken from libpq and not decoded yet; NULL: none */
    size_t message_length;

    uint64_t received_lsn; /* of the last message */
    uint64_t idle_lsn;     /* all transactions before it have been decoded */
    uint64_t handed_lsn;   /* the last position that was handed on */
    uint64_t acked_lsn;    /* durable: the only position the server is told */
    uint64_t started_lsn;  /* where the server sends from: before ours with two_phase */
    bool is_repeating;     /* what the server sends lies before ours still */
    bool status_due;       /* acked_lsn moved, or the server asked */
    uint64_t status_sent_ns;
    uint64_t idle_handed_ns;
    uint64_t read_ns; /* of the last bytes */

    uint64_t received_bytes;
    uint64_t read_mark; /* received_bytes at the last read */
    int64_t clock_skew_us;
    uint64_t server_lsn; /* the server's log end when last asked; 0: not known */
    uint64_t server_asked_ns;
    bool server_is_asked; /* a query is under way on `control` */
    uint64_t heartbeat_ns;
    uint64_t reply_asked_ns; /* the server was asked for a sign of life; 0: not, or it gave one */
    uint64_t grown_ns;       /* when server_lsn was read */
    double growth;           /* of the server's log, bytes a second */
    struct mr_retention retention;

    bool has_failed; /* after a batch was handed on in spite of it */
    struct mr_error failure;
};

struct mr_source *mr_pg_stream_open(const struct mr_source_context *context,
                                    const struct mr_position *resume, struct mr_error *err);
enum mr_next mr_pg_stream_next(struct mr_source *source, struct mr_batch *batch, uint32_t wait_ms,
                               struct mr_error *err);
bool mr_pg_stream_ack(struct mr_source *source, struct mr_native_position durable_up_to,
                      struct mr_error *err);
void mr_pg_stream_observe(struct mr_source *source, struct mr_source_observation *observation);
void mr_pg_stream_close(struct mr_source *source);

/* ---- pg_stream_open.c for pg_stream.c ---- */

/** Sends the server our acked position; what it asked for is then answered. */
bool mr_pg_stream_send_status(struct mr_source *source, uint64_t now_ns,
                              struct mr_error *err) MR_MUST_CHECK;

/** MR_E_NET, MR_RETRY once the server was silent for silence_max (pg_observe.c). */
bool mr_pg_stream_check_silence(struct mr_source *source, uint64_t now_ns,
                                struct mr_error *err) MR_MUST_CHECK;

/** Writes a marker into the server's log when the configuration wants one now. */
bool mr_pg_stream_heartbeat(struct mr_source *source, uint64_t now_ns,
                            struct mr_error *err) MR_MUST_CHECK;

#endif
