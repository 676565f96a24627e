// SPDX-License-Identifier: MIT
/*
 * pg_message.c - logical messages become notes.
 *
 *   Message  'M' u8 flags (1: transactional), u64 lsn, cstring prefix, u32 length, bytes[length]
 *
 * A transactional one is a note among the events of its transaction. Any other was written where it
 * stands, whatever becomes of the transaction that wrote it; it is a transaction of its own, with
 * the number 0 and no commit time, which the server does not say. Its end is one byte past the
 * beginning of its record: after all that ended before it, before all that follows, and a stream
 * that starts there does not repeat it.
 */
#include "pg_message.h"

#include <string.h>

#include "pg_rows.h"

#define NOTE_ROOM_BYTES  2048 /* for what a note needs beside its texts */
#define PREFIX_BYTES_MAX 1024

struct message {
    uint8_t flags;
    uint64_t lsn;
    struct mr_slice prefix;
    struct mr_slice content;
};

static bool read_message(struct mr_reader *in, struct message *message, struct mr_error *err)
{
    message->flags = mr_read_u8(in);
    message->lsn = mr_read_u64_be(in);
    message->prefix = mr_read_cstring(in);
    const uint32_t length = mr_read_u32_be(in);
    message->content = mr_read_slice(in, length);
    if (!mr_reader_finish(in, "pgoutput Message", err)) {
        return false;
    }
    if (message->flags > MR_NOTE_TRANSACTIONAL || message->lsn == 0 ||
        message->prefix.length > PREFIX_BYTES_MAX ||
        !mr_pg_text_is_utf8(message->prefix.bytes, message->prefix.length)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "pgoutput Message with flags 0x%02x, a prefix of %zu bytes", message->flags,
                       message->prefix.length);
    }
    return true;
}

static bool is_wanted(const struct mr_pgoutput *decoder, const char *prefix)
{
    const struct mr_string_list *wanted = decoder->messages;
    if (strcmp(prefix, MR_PG_MESSAGE_PREFIX) == 0) {
        return false;
    }
    bool is_wanted = wanted == NULL || wanted->count == 0;
    for (size_t i = 0; !is_wanted && i < wanted->count; i++) {
        is_wanted = mr_glob_matches(wanted->items[i], prefix);
    }
    return is_wanted;
}

/* Makes sure that the note will fit, so that it is taken whole or not at all. */
static enum mr_pg_decoded check_room(const struct mr_pgoutput *decoder,
                                     const struct mr_batch *batch, const struct message *message,
                                     struct mr_error *err)
{
    const size_t size = message->prefix.length + message->content.length + NOTE_ROOM_BYTES;
    if (message->content.length > decoder->value_bytes_max) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP,
                      "a logical message of %zu bytes with the prefix \"%.*s\" is larger than "
                      "value_max (%llu); raise value_max, or leave the prefix out of \"messages\"",
                      message->content.length, (int)message->prefix.length,
                      (const char *)message->prefix.bytes,
                      (unsigned long long)decoder->value_bytes_max);
        return MR_PG_FAILED;
    }
    const bool is_full = batch->event_count >= MR_BATCH_EVENTS_MAX ||
                         batch->note_count >= MR_NO_CHUNK ||
                         batch->transaction_count >= MR_BATCH_TRANSACTIONS_MAX ||
                         size > batch->arena.capacity - batch->arena.used;
    return is_full && batch->event_count > 0 ? MR_PG_BATCH_FULL : MR_PG_DECODED;
}

static enum mr_pg_decoded add_note(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                   const struct message *message, struct mr_error *err)
{
    MR_ASSERT(decoder->in_transaction);
    const struct mr_note note = {
        .kind = MR_NOTE_MESSAGE,
        .flags = message->flags,
        .name = message->prefix,
        .text = message->content,
    };
    if (!decoder->is_begun) {
        const enum mr_pg_decoded begun = mr_pg_rows_begin(decoder, batch, err);
        if (begun != MR_PG_DECODED) {
            return begun;
        }
    }
    return mr_batch_add_note(batch, &note, err) ? MR_PG_DECODED : MR_PG_FAILED;
}

/* A message that stands by itself. */
static enum mr_pg_decoded add_alone(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                    const struct message *message, struct mr_error *err)
{
    const int64_t commit_us = decoder->commit_us; /* of the last transaction: tells a backlog */
    const struct mr_pg_commit commit = {
        .lsn = message->lsn,
        .end_lsn = message->lsn + 1,
        .time = -MR_PG_EPOCH_US,
    };
    if (!mr_pgoutput_begin(decoder, &commit, err)) {
        return MR_PG_FAILED;
    }
    enum mr_pg_decoded done =
        decoder->is_skipped ? MR_PG_DECODED : add_note(decoder, batch, message, err);
    if (done == MR_PG_DECODED) {
        done = mr_pgoutput_end(decoder, batch, &commit, err);
    }
    MR_ASSERT(done != MR_PG_BATCH_FULL || !decoder->is_begun);
    if (done == MR_PG_BATCH_FULL) {
        decoder->in_transaction = false;
    }
    decoder->commit_us = commit_us;
    return done;
}

enum mr_pg_decoded mr_pg_message_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                        struct mr_reader *in, struct mr_error *err)
{
    struct message message;
    if (!read_message(in, &message, err)) {
        return MR_PG_FAILED;
    }
    const bool is_transactional = message.flags == MR_NOTE_TRANSACTIONAL;
    if (is_transactional != decoder->in_transaction) {
        (void)mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput Message %s a transaction",
                      is_transactional ? "of a transaction outside of" : "of none inside");
        return MR_PG_FAILED;
    }
    if (decoder->is_skipped || decoder->is_foreign ||
        !is_wanted(decoder, (const char *)message.prefix.bytes)) {
        return MR_PG_DECODED;
    }
    const enum mr_pg_decoded room = check_room(decoder, batch, &message, err);
    if (room != MR_PG_DECODED) {
        return room;
    }
    return is_transactional ? add_note(decoder, batch, &message, err)
                            : add_alone(decoder, batch, &message, err);
}
