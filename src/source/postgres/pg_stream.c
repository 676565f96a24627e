// SPDX-License-Identifier: MIT
/*
 * pg_stream.c - reading a stream: the copy protocol around pgoutput, and when to hand a batch on.
 *
 *   XLogData    'w' u64 start, u64 end, i64 time, bytes...    one pgoutput message
 *   Keepalive   'k' u64 log_end, i64 time, u8 reply_wanted
 *
 * WHEN A BATCH IS HANDED ON
 *   - full (target_bytes, or the arena): at once, also in the middle of a transaction;
 *   - the server is up to date: as soon as a transaction is whole and the socket has no more. One
 *     that has begun behind it is waited for a moment only, and then cut (`continued`);
 *   - there is a backlog (the commits are older than BACKLOG_US): a batch is filled for up to
 *     BACKLOG_HOLD_NS, since small ones would only cost more on their way.
 *
 * An idle database: the server says in keepalives how far its log has been read. When no
 * transaction is open, everything before that has been decoded, so the place itself is a position.
 * It is handed on at most once a second and, once acked, lets the server drop its log.
 *
 * FAILURE: when a message cannot be decoded, or the connection ends, what was decoded before it is
 * handed on first and the error is the next answer, so that no good transaction is held up by a bad
 * one behind it.
 */
#include "pg_stream.h"
#include "pg_change.h"

#include <stdlib.h>
#include <string.h>

#include "reader.h"

#define NS_PER_US        UINT64_C(1000)
#define NS_PER_MS        UINT64_C(1000000)
#define ACK_INTERVAL_NS  (100 * NS_PER_MS)
#define IDLE_POSITION_NS (1000 * NS_PER_MS)
#define BACKLOG_US       100000
#define BACKLOG_HOLD_NS  (10 * NS_PER_MS)
#define LIVE_HOLD_NS     (2 * NS_PER_MS)
#define LIVE_TAIL_NS     (300 * NS_PER_US)
#define FULL_READ_BYTES  200000 /* see mr_pg_connection_widen() */
#define XLOG_DATA_HEADER 25

#define SQLSTATE_INTERNAL "XX000"

/* Room for what a batch says of its end. */
struct position_room {
    char epoch[MR_EPOCH_BYTES_MAX];
    char text[MR_PG_LSN_TEXT_BYTES];
};

enum drained {
    DRAINED_EMPTY, /* libpq has no further message */
    DRAINED_FULL,  /* the batch takes no more */
    DRAINED_FAILED,
};

/* One call of next(). */
struct filling {
    struct mr_batch *batch;
    struct position_room
        *position;     /* set aside, so that a full batch can still say where it ends */
    uint64_t whole_ns; /* when its first transaction was whole; 0: none is */
    uint64_t empty_ns; /* when the socket was first found empty since; 0: not yet */
    bool has_looked;   /* the socket was read at least once */
};

static uint64_t monotonic_ns(const struct mr_source *source)
{
    return source->context->env->monotonic_ns(source->context->env);
}

static uint32_t whole_count(const struct mr_source *source, const struct mr_batch *batch)
{
    MR_ASSERT(!source->decoder.is_begun || batch->transaction_count > 0);
    return batch->transaction_count - (source->decoder.is_begun ? 1u : 0u);
}

/* ---- Messages. ---- */

/*
 * Leaves a mark, so that the next connection asks for whole transactions.
 *   - A server that streams decodes with the catalogs of a moment within the transaction. It gets
 *     them wrong after a change of a table was rolled back to a savepoint and another one followed
 *     (seen with 15.18 and 18.4: XX000, "could not map filenode"), again each time. Sent whole at
 *     its commit the same transaction is fine.
 *   - Our disk is full: the server then keeps it on its own, and what is small goes on.
 */
static void ask_for_whole(struct mr_source *source, struct mr_error *err)
{
    struct mr_error ignored = {0};
    if (source->is_streaming && mr_pg_spool_refuse(source->spool, &ignored)) {
        err->recovery = MR_RETRY;
        (void)mr_error_context(err, "transactions in progress cannot be taken; the server is asked "
                                    "for whole ones next");
    }
}

/* The stream ended: the server's words if it sent an error, else that it hung up. */
static bool fail_ended(struct mr_source *source, struct mr_error *err)
{
    PGresult *result = PQgetResult(source->replication.pg);
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
        (void)mr_pg_fail_result(&source->replication, result, "stream", err);
        if (strcmp(mr_pg_sqlstate(result), SQLSTATE_INTERNAL) == 0) {
            ask_for_whole(source, err);
        }
        if (err->recovery == MR_STOP && strcmp(mr_pg_sqlstate(result), "42704") == 0) {
            (void)mr_error_context(err, "the publication was made after the slot, or dropped; drop "
                                        "the slot and copy the tables anew");
        }
    } else {
        (void)mr_fail(err, MR_E_NET, MR_RETRY,
                      "stream: the server ended it, as it does when it shuts down");
    }
    PQclear(result);
    return false;
}

/* Makes sure that there is a message; *has is false when libpq holds none that is complete. */
static bool fetch(struct mr_source *source, bool *has, struct mr_error *err)
{
    MR_ASSERT(!source->has_failed);
    *has = source->message != NULL;
    if (*has) {
        return true;
    }
    const int length = PQgetCopyData(source->replication.pg, &source->message, 1);
    if (MR_UNLIKELY(length < 0)) {
        return length == -1 ? fail_ended(source, err)
                            : mr_pg_fail_result(&source->replication, NULL, "stream", err);
    }
    *has = length > 0;
    source->message_length = (size_t)length;
    if (*has) {
        mr_pg_pace_read(&source->pace, (uint64_t)length);
        source->received_bytes += (uint64_t)length;
    }
    return true;
}

static void note_idle(struct mr_source *source, uint64_t lsn)
{
    MR_ASSERT(source->idle_lsn >= source->handed_lsn || lsn != 0);
    source->is_repeating = source->is_repeating && lsn < source->decoder.resume_lsn;
    if (!source->decoder.in_transaction && lsn > source->idle_lsn) {
        source->idle_lsn = lsn;
    }
}

static enum mr_pg_decoded take_data(struct mr_source *source, struct mr_batch *batch,
                                    struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(in->offset == 1);
    const uint64_t start = mr_read_u64_be(in);
    mr_read_skip(in, 2 * sizeof(uint64_t));
    if (!mr_reader_check(in, "XLogData", err)) {
        return MR_PG_FAILED;
    }
    MR_ASSERT(in->offset == XLOG_DATA_HEADER);
    const enum mr_pg_decoded decoded = mr_pgoutput_decode(
        &source->decoder, batch, in->base + XLOG_DATA_HEADER, in->length - XLOG_DATA_HEADER, err);
    if (start > source->received_lsn) {
        source->received_lsn = start;
    }
    note_idle(source, source->decoder.end_lsn);
    return decoded;
}

static enum mr_pg_decoded take_keepalive(struct mr_source *source, struct mr_reader *in,
                                         struct mr_error *err)
{
    MR_ASSERT(in->offset == 1);
    const uint64_t log_end = mr_read_u64_be(in);
    mr_read_skip(in, sizeof(uint64_t));
    const uint8_t reply_wanted = mr_read_u8(in);
    if (!mr_reader_finish(in, "keepalive", err)) {
        return MR_PG_FAILED;
    }
    note_idle(source, log_end);
    source->status_due = source->status_due || reply_wanted != 0;
    if (reply_wanted != 0) {
        source->status_sent_ns = 0; /* at once */
    }
    return MR_PG_DECODED;
}

static enum mr_pg_decoded take_message(struct mr_source *source, struct mr_batch *batch,
                                       struct mr_error *err)
{
    MR_ASSERT(source->message != NULL);
    struct mr_reader in = mr_reader_init(source->message, source->message_length);
    const uint8_t tag = mr_read_u8(&in);
    if (MR_LIKELY(tag == 'w')) {
        return take_data(source, batch, &in, err);
    }
    if (tag == 'k') {
        return take_keepalive(source, &in, err);
    }
    (void)mr_fail(err, MR_E_PROTOCOL, MR_STOP, "replication message with tag 0x%02x", tag);
    return MR_PG_FAILED;
}

/* Decodes what libpq holds. */
static enum drained drain(struct mr_source *source, struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(!source->has_failed);
    for (;;) {
        bool has = false;
        if (batch->event_count > 0 && mr_batch_is_filled(batch, source->context->target_bytes)) {
            return DRAINED_FULL;
        }
        if (!fetch(source, &has, err)) {
            return DRAINED_FAILED;
        }
        if (!has) {
            return DRAINED_EMPTY;
        }
        const enum mr_pg_decoded decoded = take_message(source, batch, err);
        if (MR_UNLIKELY(decoded == MR_PG_FAILED && err->code == MR_E_FULL)) {
            ask_for_whole(source, err);
        }
        if (decoded == MR_PG_BATCH_FULL) {
            return DRAINED_FULL;
        }
        PQfreemem(source->message);
        source->message = NULL;
        if (MR_UNLIKELY(decoded == MR_PG_FAILED)) {
            return DRAINED_FAILED;
        }
    }
}

/* ---- Handing on. ---- */

static enum mr_next hand_on(struct mr_source *source, const struct filling *filling)
{
    struct mr_batch *batch = filling->batch;
    const uint32_t whole = whole_count(source, batch);
    uint64_t lsn = 0;
    mr_pgoutput_hand_on(&source->decoder, batch);
    if (whole > 0) {
        lsn = batch->transactions[whole - 1].end.major;
    } else if (batch->transaction_count == 0) {
        MR_ASSERT(!source->decoder.in_transaction || source->idle_lsn > source->handed_lsn);
        lsn = source->idle_lsn;
        source->idle_handed_ns = monotonic_ns(source);
    }
    if (lsn != 0) {
        MR_ASSERT(lsn > source->handed_lsn);
        struct position_room *room = filling->position;
        MR_ASSERT(room != NULL);
        memcpy(room->epoch, source->identity.epoch, sizeof(room->epoch));
        mr_pg_lsn_format(lsn, room->text);
        batch->epoch = mr_slice_of(room->epoch);
        batch->position = mr_slice_of(room->text);
        batch->native = (struct mr_native_position){.major = lsn};
        source->handed_lsn = lsn;
    }
    mr_pg_change_publish(&source->decoder);
    batch->received_ns = source->read_ns;
    batch->clock_skew_us = source->clock_skew_us;
    return MR_NEXT_BATCH;
}

static enum mr_next fail(struct mr_source *source, const struct filling *filling,
                         struct mr_error *err)
{
    MR_ASSERT(!source->has_failed || err->code == source->failure.code);
    MR_ASSERT(err->code != MR_OK);
    source->has_failed = true;
    source->failure = *err;
    if (filling->batch->transaction_count == 0) {
        return MR_NEXT_ERROR;
    }
    *err = (struct mr_error){0};
    return hand_on(source, filling);
}

static bool is_backlog(const struct mr_source *source)
{
    const struct mr_env *env = source->context->env;
    const int64_t age_us = env->unix_us(env) - source->clock_skew_us - source->decoder.commit_us;
    return age_us > BACKLOG_US;
}

/* How long a batch with whole transactions may still wait; 0: hand it on. */
static uint64_t hold_ns(const struct mr_source *source, const struct filling *filling,
                        uint64_t now_ns)
{
    MR_ASSERT(filling->whole_ns != 0);
    const uint64_t held_ns = now_ns - filling->whole_ns;
    if (is_backlog(source)) {
        return held_ns < BACKLOG_HOLD_NS ? BACKLOG_HOLD_NS - held_ns : 0;
    }
    if (held_ns >= LIVE_HOLD_NS) {
        return 0;
    }
    if (filling->empty_ns == 0) {
        return NS_PER_US; /* look into the socket once more */
    }
    const uint64_t empty_ns = now_ns - filling->empty_ns;
    return source->decoder.in_transaction && empty_ns < LIVE_TAIL_NS ? LIVE_TAIL_NS - empty_ns : 0;
}

/* ---- Waiting. ---- */

/* Reads what the socket has; whether that was anything shows in what fetch() then finds. */
static bool consume(struct mr_source *source, struct mr_error *err)
{
    if (PQconsumeInput(source->replication.pg) == 0) {
        return mr_pg_fail_result(&source->replication, NULL, "stream", err);
    }
    return true;
}

/* Nanoseconds until something of our own is due. */
static uint64_t due_ns(const struct mr_source *source, const struct mr_batch *batch,
                       uint64_t now_ns)
{
    MR_ASSERT(now_ns >= source->status_sent_ns);
    const struct mr_pg_config *config = source->context->config;
    const uint64_t interval =
        source->status_due ? ACK_INTERVAL_NS : config->status_interval_ms * NS_PER_MS;
    const uint64_t since_status = now_ns - source->status_sent_ns;
    uint64_t due = since_status >= interval ? 0 : interval - since_status;
    if (batch->transaction_count == 0 && source->idle_lsn > source->handed_lsn &&
        !source->decoder.in_transaction) {
        const uint64_t since_idle = now_ns - source->idle_handed_ns;
        const uint64_t left = since_idle >= IDLE_POSITION_NS ? 0 : IDLE_POSITION_NS - since_idle;
        due = left < due ? left : due;
    }
    return due;
}

/* `has_looked`: the socket was found empty just now, so that silence is not our own slowness. */
static bool tend(struct mr_source *source, bool has_looked, uint64_t now_ns, struct mr_error *err)
{
    const struct mr_pg_config *config = source->context->config;
    const uint64_t interval =
        source->status_due ? ACK_INTERVAL_NS : config->status_interval_ms * NS_PER_MS;
    if (now_ns - source->status_sent_ns >= interval &&
        !mr_pg_stream_send_status(source, now_ns, err)) {
        return false;
    }
    return (!has_looked || mr_pg_stream_check_silence(source, now_ns, err)) &&
           mr_pg_stream_heartbeat(source, now_ns, err);
}

/*
 * Waits up to wait_ns for bytes and reads them; paces itself while they come thick. A read that
 * filled libpq's buffer left some behind, and a mere look into the socket (wait_ns of a
 * microsecond) is for what is there already: both go on at once.
 */
static bool receive(struct mr_source *source, uint64_t wait_ns, struct mr_error *err)
{
    MR_ASSERT(source->message == NULL);
    const struct mr_env *env = source->context->env;
    const uint64_t brought_bytes = source->received_bytes - source->read_mark;
    source->read_mark = source->received_bytes;
    if (wait_ns > NS_PER_US && brought_bytes < FULL_READ_BYTES) {
        const uint32_t pause_us =
            mr_pg_pace_next(&source->pace, monotonic_ns(source), is_backlog(source));
        if (pause_us != 0) {
            env->sleep_us(env, pause_us);
        } else {
            (void)mr_pg_connection_wait(&source->replication, false, wait_ns / NS_PER_US);
        }
    }
    return consume(source, err);
}

static bool idle_position_is_due(const struct mr_source *source, const struct mr_batch *batch,
                                 uint64_t now_ns)
{
    return batch->transaction_count == 0 && !source->decoder.in_transaction &&
           source->idle_lsn > source->handed_lsn &&
           now_ns - source->idle_handed_ns >= IDLE_POSITION_NS;
}

/* After a drain that left libpq empty: whether it had brought something. */
static void note_drained(struct mr_source *source, struct filling *filling, bool has_brought,
                         uint64_t now_ns)
{
    if (has_brought) {
        source->read_ns = now_ns;
        filling->empty_ns = 0;
    } else if (filling->empty_ns == 0) {
        filling->empty_ns = now_ns;
    }
}

/* How long to wait for more: until until_ns, or as long as whole transactions may be held. */
static uint64_t patience_ns(const struct mr_source *source, struct filling *filling,
                            uint64_t until_ns, uint64_t now_ns)
{
    if (whole_count(source, filling->batch) == 0) {
        return until_ns > now_ns ? until_ns - now_ns : 0;
    }
    if (filling->whole_ns == 0) {
        filling->whole_ns = now_ns;
    }
    return hold_ns(source, filling, now_ns);
}

/* While a kept transaction is decoded nothing is read, and the server waits to hear of us. */
static enum mr_next hand_on_full(struct mr_source *source, const struct filling *filling,
                                 struct mr_error *err)
{
    if (source->decoder.replayed != NULL && !tend(source, false, monotonic_ns(source), err)) {
        return fail(source, filling, err);
    }
    return hand_on(source, filling);
}

enum mr_next mr_pg_stream_next(struct mr_source *source, struct mr_batch *batch, uint32_t wait_ms,
                               struct mr_error *err)
{
    struct filling filling = {.batch = batch};
    MR_ASSERT(batch->event_count == 0 && batch->transaction_count == 0);
    if (source->has_failed) {
        *err = source->failure;
        return MR_NEXT_ERROR;
    }
    filling.position = MR_ARENA_NEW(&batch->arena, struct position_room, 1);
    MR_ASSERT(filling.position != NULL); /* the pool's batches are larger than that */
    const uint64_t until_ns = monotonic_ns(source) + wait_ms * NS_PER_MS;
    for (;;) {
        const uint64_t received = source->received_bytes;
        const enum drained drained = drain(source, batch, err);
        if (drained == DRAINED_FAILED) {
            return fail(source, &filling, err);
        }
        if (drained == DRAINED_FULL) {
            return hand_on_full(source, &filling, err);
        }
        const uint64_t now_ns = monotonic_ns(source);
        note_drained(source, &filling, source->received_bytes != received, now_ns);
        const uint64_t wait_ns = patience_ns(source, &filling, until_ns, now_ns);
        if ((wait_ns == 0 && batch->transaction_count > 0) ||
            idle_position_is_due(source, batch, now_ns)) {
            return hand_on(source, &filling);
        }
        if (!tend(source, filling.has_looked, now_ns, err)) {
            return fail(source, &filling, err);
        }
        if (wait_ns == 0 && filling.has_looked) {
            return MR_NEXT_IDLE;
        }
        filling.has_looked = true;
        const uint64_t due = due_ns(source, batch, now_ns);
        if (!receive(source, due < wait_ns ? due + NS_PER_US : wait_ns, err)) {
            return fail(source, &filling, err);
        }
    }
}
