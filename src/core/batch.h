// SPDX-License-Identifier: MIT
/*
 * batch.h - a run of whole source transactions: column chunks, an event index, one arena.
 *
 * Decoders write each cell once, into the column chunk of its table; log frames hold the same
 * chunks, compressed; sinks borrow them. There is no object per row or cell.
 *
 *   chunk   rows of one (schema, image), at most MR_CHUNK_ROWS_MAX, column by column
 *   event   a run of consecutive rows of one kind: {kind, chunk, row, count, before}. Events are in
 *           the source's order; rows of a chunk are too, but chunks of different tables interleave.
 *   transaction   a run of events with its native position, number and commit time
 *
 * Which rows an event has:
 *
 *   kind      row (after image)   before row
 *   INSERT    FULL image          none
 *   READ      FULL image          none           a snapshot row
 *   UPDATE    FULL image          none: the key is unchanged (keyed tables only)
 *                                 KEY or FULL image: the old row; the key changed, or no key
 *   DELETE    none                KEY or FULL image of the old row
 *   TRUNCATE  none                none; `chunk` indexes truncated[]
 *   NOTE      none                none; `chunk` indexes notes[]
 *
 * A note is what happened between rows and is none: a schema change, a logical message, a table
 * that is set aside. It stands in order with the rows around it and counts no row. Readers that
 * need not act on a note pass over it.
 *
 * A KEY image chunk has key_count columns: column i is schema->key[i]. Keyed tables use KEY images
 * for before rows unless the source sends and somebody wants more; tables without a key use FULL.
 *
 * A batch ends at a transaction's end unless `continued`; then the next batch of the source either
 * goes on with it (`continues`) or drops it (`aborts`: the connection was lost in the middle).
 *
 * Life: a source's thread fills it, the stream writer numbers it and makes it durable, sinks borrow
 * it. It is reference-counted (mr_batch_retain/release) and returns to its pool at zero.
 */
#ifndef MR_CORE_BATCH_H
#define MR_CORE_BATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "chunk.h"
#include "compiler.h"
#include "error.h"
#include "schema.h"
#include "slice.h"

#define MR_BATCH_EVENTS_MAX       UINT32_C(131072)
#define MR_BATCH_CHUNKS_MAX       UINT32_C(4096)
#define MR_BATCH_TRANSACTIONS_MAX UINT32_C(65536)
#define MR_NO_CHUNK               UINT16_MAX

enum mr_event_kind {
    MR_EVENT_INSERT = 1, /* numbers are written to the log: append only */
    MR_EVENT_UPDATE = 2,
    MR_EVENT_DELETE = 3,
    MR_EVENT_TRUNCATE = 4,
    MR_EVENT_READ = 5,
    MR_EVENT_NOTE = 6,
};

enum mr_note_kind {
    MR_NOTE_MESSAGE = 1,       /* numbers are written to the log: append only */
    MR_NOTE_SCHEMA_CHANGE = 2, /* of the table `before`, which is `after` from here on */
    MR_NOTE_QUARANTINE = 3,    /* the table `before` stands still before this transaction */
    MR_NOTE_STATEMENT = 4,     /* a statement that changed rows without row events */
};

#define MR_NOTE_TRANSACTIONAL UINT8_C(1) /* of a MESSAGE: it was sent within its transaction */

#define MR_NOTE_NAME_END '\x1f'

/** What the texts mean, by kind:
 *    MESSAGE        name: the prefix; text: the content, any bytes
 *    SCHEMA_CHANGE  name: create, alter, rename, drop, truncate; text: the statement where known;
 *                   renamed: old and new names of columns, each ended by MR_NOTE_NAME_END
 *    QUARANTINE     text: the reason
 *    STATEMENT      name: the database it ran in; text: the statement */
struct mr_note {
    uint8_t kind;
    uint8_t flags;
    const struct mr_schema *before; /* NULL: there is none */
    const struct mr_schema *after;
    struct mr_slice name;
    struct mr_slice text;
    struct mr_slice renamed;
};

struct mr_event {
    uint8_t kind;
    uint8_t flags; /* none yet, 0 */
    uint16_t count;
    uint16_t chunk; /* after image; MR_NO_CHUNK when there is none */
    uint16_t row;   /* first of `count` rows */
    uint16_t before_chunk;
    uint16_t before_row;
};

/** A place in the source that orders transactions of one epoch: PostgreSQL {commit end LSN, 0},
 *  MySQL and MariaDB {binlog file number, end offset}. */
struct mr_native_position {
    uint64_t major;
    uint64_t minor;
};

static inline int mr_native_position_compare(struct mr_native_position left,
                                             struct mr_native_position right)
{
    if (left.major != right.major) {
        return left.major < right.major ? -1 : 1;
    }
    return left.minor < right.minor ? -1 : left.minor > right.minor;
}

struct mr_transaction {
    struct mr_native_position end; /* of the commit; 0 while it is not known (continued) */
    uint64_t number;               /* PostgreSQL xid; MySQL gno; MariaDB sequence number */
    int64_t commit_us;             /* source's clock, microseconds since 1970; 0 unknown */
    uint32_t first_event;
    uint32_t event_count;
    uint32_t row_count;
    uint16_t
        origin; /* index into origins[]: server UUID (MySQL), "domain-server" (MariaDB), 0 else */
    uint16_t flags; /* 0 */
};

struct mr_batch_pool;

struct mr_batch {
    struct mr_arena arena;

    struct mr_chunk **chunks;
    struct mr_event *events;
    struct mr_transaction *transactions;
    const struct mr_schema **truncated;
    struct mr_slice *origins; /* [0] is the empty one */
    uint32_t chunk_count;
    uint32_t event_count;
    uint32_t transaction_count;
    struct mr_note *notes;
    uint16_t truncated_count;
    uint16_t origin_count;
    uint16_t note_count;
    uint32_t row_count; /* rows of all events, before rows not counted */

    bool continues; /* its first transaction began in the batch before */
    bool continued; /* its last transaction goes on in the next batch */
    bool aborts;    /* the unfinished transaction of the batch before will not come; no events */

    /* The resume position after the last whole transaction, in the source's printable form, and the
     * epoch it counts in. Both live in the arena; length 0: this batch moves no position. */
    struct mr_slice epoch;
    struct mr_slice position;
    struct mr_native_position native; /* the same place, ordered */

    uint16_t source_index;   /* in the pipeline's list */
    uint64_t first_sequence; /* of transactions[0], given by the stream: 1, 2, 3, ... a source */
    uint64_t received_ns;    /* monotonic: when the last byte of it came in */
    int64_t clock_skew_us;   /* our clock minus the source's, as last measured */

    /* Snapshot batches (READ events, no transactions, never in the log) say what they belong to. */
    uint32_t snapshot_table; /* index in the snapshot plan + 1; 0: not a snapshot batch */
    uint32_t snapshot_chunk; /* piece of the table the rows are from */
    bool snapshot_beside;    /* they belong to a table beside the one that people read */
    bool snapshot_again;     /* some of them may be in the target already */

    struct mr_batch_pool *pool;
    atomic_int references;

    /* The builder's own. */
    uint32_t chunks_capacity;
    uint32_t events_capacity;
    uint32_t transactions_capacity;
    uint32_t *open_chunks; /* by schema_id * 2 + image: chunk index + 1 of the one being filled */
    uint32_t open_chunks_capacity;
    bool transaction_open;
};

/**
 * A pool of batches. `count` may be out at once; each reserves capacity bytes of address space and
 * keeps `kept` resident. Aborts when libc is out of memory.
 */
struct mr_batch_pool *mr_batch_pool_open(uint32_t count, size_t capacity, size_t kept,
                                         struct mr_error *err);
void mr_batch_pool_close(struct mr_batch_pool *pool); /* all batches must be back; accepts NULL */

/** Takes an empty batch with one reference; waits up to wait_ms for one, then NULL. */
struct mr_batch *mr_batch_take(struct mr_batch_pool *pool, uint32_t wait_ms);

static inline void mr_batch_retain(struct mr_batch *batch)
{
    int before = atomic_fetch_add_explicit(&batch->references, 1, memory_order_relaxed);
    MR_ASSERT(before > 0);
}

/** Drops one reference; the last one empties the batch and returns it to its pool. NULL is fine. */
void mr_batch_release(struct mr_batch *batch);

/** Empties a batch in place, for a decoder that starts over; source_index stays. */
void mr_batch_clear(struct mr_batch *batch);

/* ---- Filling a batch. Every call that can run out of room fails with MR_E_LIMIT, MR_STOP. ---- */

/** Opens a transaction; `continues` of the batch is the caller's to set before the first. */
bool mr_batch_begin(struct mr_batch *batch, uint64_t number, int64_t commit_us,
                    struct mr_error *err) MR_MUST_CHECK;

/** Closes the open transaction. */
void mr_batch_commit(struct mr_batch *batch, struct mr_native_position end, int64_t commit_us);

/** Closes the open transaction of a batch that is handed on before its end: sets `continued`. */
void mr_batch_suspend(struct mr_batch *batch);

/** Index of an origin text, added when new. */
bool mr_batch_origin(struct mr_batch *batch, struct mr_slice text, uint16_t *index,
                     struct mr_error *err) MR_MUST_CHECK;

/** A chunk of (schema, image) with room for one more row; *index is its place in chunks[]. */
struct mr_chunk *mr_batch_chunk_for(struct mr_batch *batch, const struct mr_schema *schema,
                                    enum mr_image image, uint16_t *index, struct mr_error *err);

/**
 * Adds an event for one row, or lengthens the last event when the row continues it. Rows must have
 * been completed (mr_chunk_end_row) before. Use MR_NO_CHUNK where an image is absent.
 */
bool mr_batch_add_event(struct mr_batch *batch, enum mr_event_kind kind, uint16_t chunk,
                        uint16_t row, uint16_t before_chunk, uint16_t before_row,
                        struct mr_error *err) MR_MUST_CHECK;

/** Adds a TRUNCATE event; its count is 0, it has no rows. */
bool mr_batch_add_truncate(struct mr_batch *batch, const struct mr_schema *schema,
                           struct mr_error *err) MR_MUST_CHECK;

/** Adds a NOTE event; copies its texts into the arena. Its count is 0, it has no rows. */
bool mr_batch_add_note(struct mr_batch *batch, const struct mr_note *note,
                       struct mr_error *err) MR_MUST_CHECK;

/** The schema version of an event; NULL for a note that is of no table. */
const struct mr_schema *mr_batch_event_schema(const struct mr_batch *batch,
                                              const struct mr_event *event);

/** Copies epoch and position into the batch. */
bool mr_batch_set_position(struct mr_batch *batch, struct mr_slice epoch, struct mr_slice position,
                           struct mr_native_position native, struct mr_error *err) MR_MUST_CHECK;

/** Bytes of the arena in use: what a decoder compares with its target size. */
static inline size_t mr_batch_bytes(const struct mr_batch *batch)
{
    return batch->arena.used;
}

/**
 * Whether a decoder should hand the batch on: between transactions from half of its target on,
 * within one only at the target. A batch that began within a transaction ends with it, so that
 * batches that end within transactions do not form a chain: readers of the stream are given a
 * chain as a whole.
 */
static inline bool mr_batch_is_filled(const struct mr_batch *batch, uint64_t target_bytes)
{
    if (batch->transaction_open) {
        return mr_batch_bytes(batch) >= target_bytes;
    }
    return mr_batch_bytes(batch) >= target_bytes / 2 ||
           (batch->continues && batch->transaction_count > 0);
}

#endif
