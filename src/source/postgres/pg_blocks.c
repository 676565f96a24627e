// SPDX-License-Identifier: MIT
/*
 * pg_blocks.c - transactions that are kept until they are decided.
 *
 * Protocol 2, `streaming`: while a transaction goes on its changes come in blocks, between those of
 * others. Every message of a block has the number of its sub-transaction after its tag.
 *
 *   Stream Start   'S' u32 xid, u8 is_first
 *   Stream Stop    'E'
 *   Stream Commit  'c' u32 xid, u8 flags, u64 commit_lsn, u64 end_lsn, i64 commit_time
 *   Stream Abort   'A' u32 xid, u32 subxid [, u64 abort_lsn, i64 abort_time: version 4, parallel]
 *
 * Protocol 3, `two_phase`: a prepared transaction comes at PREPARE TRANSACTION, in one block and
 * without numbers, or is a streamed one that gets prepared.
 *
 *   Begin Prepare     'b' u64 prepare_lsn, u64 end_lsn, i64 time, u32 xid, cstring gid
 *   Prepare           'P' u8 flags, then as Begin Prepare
 *   Stream Prepare    'p' as Prepare
 *   Commit Prepared   'K' u8 flags, u64 commit_lsn, u64 end_lsn, i64 commit_time, u32 xid, gid
 *   Rollback Prepared 'r' u8 flags, u64 prepare_end_lsn, u64 end_lsn, i64 prepare_time, i64 time,
 *                         u32 xid, cstring gid
 *
 * At the commit the messages are decoded as if the transaction came then, whole: this is its place
 * in the order. It is handed on in batches of target_bytes.
 *
 * RELATIONS. A streamed transaction describes its tables anew, and the server forgets that it did
 * when any part of it is rolled back, so what is cut away is never missed. They are valid for this
 * transaction alone while it is decoded. When it commits, the server counts them as known: so do
 * we, unless the table was described after that outside of it. (Each block is kept with its place
 * among all messages, to tell what came later.) A prepared transaction may rely on descriptions
 * that came before it; these are kept with it.
 *
 * Source: PostgreSQL manual, "Logical Replication Message Formats"; src/backend/replication:
 * pgoutput/pgoutput.c (when a schema counts as sent), logical/reorderbuffer.c (what is streamed).
 */
#include "pg_blocks.h"

#include <string.h>

#define BLOCK_RECORD '\0' /* a record of our own: u64, where in the stream the block began */

static bool fail_place(const char *what, uint32_t xid, const char *why, struct mr_error *err)
{
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput %s of transaction %u %s", what, xid, why);
}

static bool check_open(const struct mr_pgoutput *decoder, const char *what, struct mr_error *err)
{
    if (decoder->spool == NULL) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput %s, which we did not ask for", what);
    }
    if (decoder->in_transaction && decoder->replayed == NULL) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput %s inside a transaction", what);
    }
    return true;
}

/* ---- Keeping. ---- */

static bool open_block(struct mr_pgoutput *decoder, struct mr_pg_spooled *spooled,
                       struct mr_error *err)
{
    MR_ASSERT(decoder->block == NULL);
    const struct mr_pg_record record = {
        .tag = BLOCK_RECORD,
        .xid = spooled->xid,
        .bytes = {(const uint8_t *)&decoder->message_number, sizeof(decoder->message_number)},
    };
    decoder->block = spooled;
    decoder->block_number = decoder->message_number;
    return mr_pg_spool_append(decoder->spool, spooled, &record, err);
}

static bool decode_stream_start(struct mr_pgoutput *decoder, struct mr_reader *in,
                                struct mr_error *err)
{
    const uint32_t xid = mr_read_u32_be(in);
    const uint8_t is_first = mr_read_u8(in);
    if (!mr_reader_finish(in, "pgoutput Stream Start", err)) {
        return false;
    }
    struct mr_pg_spooled *spooled = mr_pg_spool_find(decoder->spool, xid);
    if (xid == 0 || is_first > 1 || (spooled == NULL) != (is_first == 1) ||
        (spooled != NULL && spooled->prepare_lsn != 0)) {
        return fail_place("Stream Start", xid,
                          spooled == NULL ? "goes on with what has not begun" : "begins again",
                          err);
    }
    decoder->block_has_xids = true;
    return open_block(decoder, spooled == NULL ? mr_pg_spool_begin(decoder->spool, xid) : spooled,
                      err);
}

static bool decode_stream_stop(struct mr_pgoutput *decoder, struct mr_reader *in,
                               struct mr_error *err)
{
    if (!mr_reader_finish(in, "pgoutput Stream Stop", err)) {
        return false;
    }
    if (!decoder->block_has_xids) {
        return fail_place("Stream Stop", decoder->block->xid, "ends a prepared one", err);
    }
    decoder->block = NULL;
    return true;
}

/* What a relation looked like before the block goes into it with its first row. */
static bool keep_relation(struct mr_pgoutput *decoder, uint32_t oid, struct mr_error *err)
{
    MR_ASSERT(decoder->block != NULL && !decoder->block_has_xids);
    struct mr_pg_relation *relation = mr_pg_relations_find(&decoder->relations, oid);
    if (relation == NULL || relation->kept_at == decoder->block_number ||
        relation->message == NULL) {
        return true; /* when it is not known, decoding the row says so */
    }
    relation->kept_at = decoder->block_number;
    const struct mr_pg_record record = {
        .tag = 'R',
        .xid = decoder->block->xid,
        .bytes = {relation->message, relation->message_length},
    };
    return mr_pg_spool_append(decoder->spool, decoder->block, &record, err);
}

static bool keep_truncated(struct mr_pgoutput *decoder, struct mr_reader in, struct mr_error *err)
{
    uint32_t count = mr_read_u32_be(&in);
    (void)mr_read_u8(&in);
    for (; count > 0 && mr_reader_left(&in) >= sizeof(uint32_t); count--) {
        if (!keep_relation(decoder, mr_read_u32_be(&in), err)) {
            return false;
        }
    }
    return true;
}

/* A message of a prepared transaction, before it is kept. */
static bool prepare_to_keep(struct mr_pgoutput *decoder, uint8_t tag, struct mr_reader in,
                            struct mr_error *err)
{
    MR_ASSERT(!decoder->block_has_xids);
    switch (tag) {
    case 'I':
    case 'U':
    case 'D':
        return keep_relation(decoder, mr_read_u32_be(&in), err);
    case 'T':
        return keep_truncated(decoder, in, err);
    case 'R': {
        struct mr_reader peek = in;
        const uint32_t oid = mr_read_u32_be(&peek);
        if (!mr_pgoutput_decode_relation(decoder, &in, err)) {
            return false;
        }
        mr_pg_relations_find(&decoder->relations, oid)->kept_at = decoder->block_number;
        return true;
    }
    default:
        return true;
    }
}

static bool keep(struct mr_pgoutput *decoder, uint8_t tag, struct mr_reader *in,
                 struct mr_error *err)
{
    MR_ASSERT(decoder->block != NULL);
    struct mr_pg_record record = {.tag = tag, .xid = decoder->block->xid};
    if (decoder->block_has_xids && tag != 'O') {
        record.xid = mr_read_u32_be(in);
    }
    if (!mr_reader_check(in, "pgoutput message of a block", err)) {
        return false;
    }
    if (!decoder->block_has_xids && !prepare_to_keep(decoder, tag, *in, err)) {
        return false;
    }
    record.bytes = mr_read_slice(in, mr_reader_left(in));
    return mr_pg_spool_append(decoder->spool, decoder->block, &record, err);
}

/* ---- Prepared. ---- */

struct prepared {
    uint64_t lsn;
    uint64_t end_lsn;
    uint32_t xid;
};

static bool read_prepared(struct mr_reader *in, const char *what, struct prepared *prepared,
                          struct mr_error *err)
{
    prepared->lsn = mr_read_u64_be(in);
    prepared->end_lsn = mr_read_u64_be(in);
    (void)mr_read_u64_be(in); /* when */
    prepared->xid = mr_read_u32_be(in);
    (void)mr_read_cstring(in); /* its name: we go by the number, which is its own while it lasts */
    if (!mr_reader_finish(in, what, err)) {
        return false;
    }
    if (prepared->lsn == 0 || prepared->end_lsn < prepared->lsn || prepared->xid == 0) {
        return fail_place(what, prepared->xid, "has no place in the log", err);
    }
    return true;
}

static bool decode_begin_prepare(struct mr_pgoutput *decoder, struct mr_reader *in,
                                 struct mr_error *err)
{
    struct prepared prepared;
    if (!read_prepared(in, "Begin Prepare", &prepared, err)) {
        return false;
    }
    if (mr_pg_spool_find(decoder->spool, prepared.xid) != NULL) {
        return fail_place("Begin Prepare", prepared.xid, "begins again", err);
    }
    struct mr_pg_spooled *spooled = mr_pg_spool_begin(decoder->spool, prepared.xid);
    spooled->prepare_lsn = prepared.lsn;
    decoder->block_has_xids = false;
    return open_block(decoder, spooled, err);
}

static bool decode_prepare(struct mr_pgoutput *decoder, struct mr_reader *in, struct mr_error *err)
{
    struct prepared prepared;
    const uint8_t flags = mr_read_u8(in);
    if (!read_prepared(in, "Prepare", &prepared, err)) {
        return false;
    }
    if (flags != 0 || decoder->block_has_xids || prepared.xid != decoder->block->xid ||
        prepared.lsn != decoder->block->prepare_lsn) {
        return fail_place("Prepare", prepared.xid, "does not match its Begin Prepare", err);
    }
    decoder->block->is_prepared = true;
    decoder->block = NULL;
    return true;
}

static bool decode_stream_prepare(struct mr_pgoutput *decoder, struct mr_reader *in,
                                  struct mr_error *err)
{
    struct prepared prepared;
    const uint8_t flags = mr_read_u8(in);
    if (!read_prepared(in, "Stream Prepare", &prepared, err)) {
        return false;
    }
    struct mr_pg_spooled *spooled = mr_pg_spool_find(decoder->spool, prepared.xid);
    if (flags != 0 || spooled == NULL || spooled->prepare_lsn != 0) {
        return fail_place("Stream Prepare", prepared.xid, "is of none that was streamed", err);
    }
    spooled->prepare_lsn = prepared.lsn;
    spooled->is_prepared = true;
    return true;
}

static bool decode_rollback_prepared(struct mr_pgoutput *decoder, struct mr_reader *in,
                                     struct mr_error *err)
{
    const uint8_t flags = mr_read_u8(in);
    (void)mr_read_u64_be(in);
    const uint64_t end_lsn = mr_read_u64_be(in);
    mr_read_skip(in, 2 * sizeof(uint64_t));
    const uint32_t xid = mr_read_u32_be(in);
    (void)mr_read_cstring(in);
    if (!mr_reader_finish(in, "pgoutput Rollback Prepared", err)) {
        return false;
    }
    if (flags != 0) {
        return fail_place("Rollback Prepared", xid, "has unknown flags", err);
    }
    struct mr_pg_spooled *spooled = mr_pg_spool_find(decoder->spool, xid);
    if (spooled != NULL) { /* else it was prepared before we came */
        mr_pg_spool_drop(decoder->spool, spooled);
    }
    if (end_lsn > decoder->end_lsn) {
        decoder->end_lsn = end_lsn;
    }
    return true;
}

static bool decode_abort(struct mr_pgoutput *decoder, struct mr_reader *in, struct mr_error *err)
{
    const uint32_t xid = mr_read_u32_be(in);
    const uint32_t subxid = mr_read_u32_be(in);
    if (mr_reader_left(in) > 0) {
        mr_read_skip(in, 2 * sizeof(uint64_t));
    }
    if (!mr_reader_finish(in, "pgoutput Stream Abort", err)) {
        return false;
    }
    struct mr_pg_spooled *spooled = mr_pg_spool_find(decoder->spool, xid);
    if (spooled == NULL) {
        return true; /* nothing of it was sent */
    }
    if (subxid != xid) {
        return mr_pg_spool_cut(decoder->spool, spooled, subxid, err);
    }
    mr_pg_spool_drop(decoder->spool, spooled);
    return true;
}

/* ---- Commits. ---- */

/* Decodes what was kept, from where it stopped. */
static enum mr_pg_decoded replay(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                 struct mr_error *err)
{
    MR_ASSERT(decoder->replayed != NULL && decoder->in_transaction);
    for (;;) {
        struct mr_pg_record record = {0};
        bool has = false;
        if (decoder->target_bytes > 0 && batch->event_count > 0 &&
            mr_batch_is_filled(batch, decoder->target_bytes)) {
            return MR_PG_BATCH_FULL;
        }
        if (!mr_pg_spool_read(decoder->spool, decoder->replayed, &record, &has, err)) {
            return MR_PG_FAILED;
        }
        if (!has) {
            return MR_PG_DECODED;
        }
        struct mr_reader in = mr_reader_init(record.bytes.bytes, record.bytes.length);
        enum mr_pg_decoded done = MR_PG_DECODED;
        if (record.tag == BLOCK_RECORD) {
            MR_ASSERT(record.bytes.length == sizeof(decoder->replayed_number));
            memcpy(&decoder->replayed_number, record.bytes.bytes, sizeof(decoder->replayed_number));
        } else {
            done = mr_pgoutput_decode_change(decoder, batch, record.tag, &in, err);
        }
        if (done != MR_PG_DECODED) {
            return done;
        }
        mr_pg_spool_step(decoder->replayed, &record);
    }
}

static bool begin_replay(struct mr_pgoutput *decoder, const struct mr_pg_commit *commit,
                         struct mr_pg_spooled *spooled, struct mr_error *err)
{
    MR_ASSERT(decoder->replayed_relations.count == 0);
    if (!mr_pgoutput_begin(decoder, commit, err)) {
        return false;
    }
    decoder->replayed = spooled;
    decoder->described = &decoder->replayed_relations;
    mr_pg_spool_rewind(decoder->spool, spooled);
    return true;
}

static enum mr_pg_decoded commit_spooled(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                         const struct mr_pg_commit *commit,
                                         struct mr_pg_spooled *spooled, struct mr_error *err)
{
    MR_ASSERT(decoder->replayed == NULL || decoder->replayed == spooled);
    if (decoder->replayed == NULL && !begin_replay(decoder, commit, spooled, err)) {
        return MR_PG_FAILED;
    }
    enum mr_pg_decoded done = replay(decoder, batch, err);
    if (done == MR_PG_DECODED) {
        done = mr_pgoutput_end(decoder, batch, commit, err);
    }
    if (done != MR_PG_DECODED) {
        return done;
    }
    const bool is_streamed = spooled->prepare_lsn == 0;
    decoder->replayed = NULL;
    decoder->described = &decoder->relations;
    mr_pg_spool_drop(decoder->spool, spooled);
    if (is_streamed &&
        !mr_pg_relations_merge(&decoder->relations, &decoder->replayed_relations, err)) {
        done = MR_PG_FAILED;
    }
    mr_pg_relations_done(&decoder->replayed_relations);
    return done;
}

static void read_commit(struct mr_reader *in, struct mr_pg_commit *commit)
{
    commit->flags = mr_read_u8(in);
    commit->lsn = mr_read_u64_be(in);
    commit->end_lsn = mr_read_u64_be(in);
    commit->time = (int64_t)mr_read_u64_be(in);
}

static enum mr_pg_decoded decode_stream_commit(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                               struct mr_reader *in, struct mr_error *err)
{
    struct mr_pg_commit commit = {.xid = mr_read_u32_be(in)};
    read_commit(in, &commit);
    if (!mr_reader_finish(in, "pgoutput Stream Commit", err)) {
        return MR_PG_FAILED;
    }
    struct mr_pg_spooled *spooled = mr_pg_spool_find(decoder->spool, commit.xid);
    if (spooled == NULL || spooled->prepare_lsn != 0) {
        (void)fail_place("Stream Commit", commit.xid, "is of none that was streamed", err);
        return MR_PG_FAILED;
    }
    return commit_spooled(decoder, batch, &commit, spooled, err);
}

static enum mr_pg_decoded decode_commit_prepared(struct mr_pgoutput *decoder,
                                                 struct mr_batch *batch, struct mr_reader *in,
                                                 struct mr_error *err)
{
    struct mr_pg_commit commit = {0};
    read_commit(in, &commit);
    commit.xid = mr_read_u32_be(in);
    (void)mr_read_cstring(in);
    if (!mr_reader_finish(in, "pgoutput Commit Prepared", err)) {
        return MR_PG_FAILED;
    }
    struct mr_pg_spooled *spooled = mr_pg_spool_find(decoder->spool, commit.xid);
    if (spooled == NULL && commit.end_lsn <= decoder->resume_lsn) {
        return MR_PG_DECODED;
    }
    if (spooled == NULL || !spooled->is_prepared) {
        (void)mr_fail(err, MR_E_SOURCE, MR_STOP,
                      "transaction %u was prepared before the slot's position, so that its changes "
                      "are gone: somebody else moved the slot; copy the tables anew",
                      commit.xid);
        return MR_PG_FAILED;
    }
    return commit_spooled(decoder, batch, &commit, spooled, err);
}

/* ---- Dispatch. ---- */

static enum mr_pg_decoded to_decoded(bool ok)
{
    return ok ? MR_PG_DECODED : MR_PG_FAILED;
}

enum mr_pg_decoded mr_pg_blocks_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                       uint8_t tag, struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(decoder->block == NULL);
    if (!check_open(decoder, "message of a transaction in progress", err)) {
        return MR_PG_FAILED;
    }
    switch (tag) {
    case 'S':
        return to_decoded(decode_stream_start(decoder, in, err));
    case 'c':
        return decode_stream_commit(decoder, batch, in, err);
    case 'A':
        return to_decoded(decode_abort(decoder, in, err));
    case 'b':
        return to_decoded(decode_begin_prepare(decoder, in, err));
    case 'p':
        return to_decoded(decode_stream_prepare(decoder, in, err));
    case 'K':
        return decode_commit_prepared(decoder, batch, in, err);
    default:
        MR_ASSERT(tag == 'r');
        return to_decoded(decode_rollback_prepared(decoder, in, err));
    }
}

bool mr_pg_blocks_take(struct mr_pgoutput *decoder, uint8_t tag, struct mr_reader *in,
                       struct mr_error *err)
{
    MR_ASSERT(decoder->block != NULL && decoder->spool != NULL);
    switch (tag) {
    case 'I':
    case 'U':
    case 'D':
    case 'T':
    case 'R':
    case 'Y':
    case 'O':
    case 'M':
        return keep(decoder, tag, in, err);
    case 'E':
        return decode_stream_stop(decoder, in, err);
    case 'P':
        return decode_prepare(decoder, in, err);
    default:
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "pgoutput message with tag 0x%02x inside the block of transaction %u", tag,
                       decoder->block->xid);
    }
}
