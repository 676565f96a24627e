// SPDX-License-Identifier: MIT
/*
 * pg_spool.h - the changes of transactions that have not committed yet, as they came.
 *
 * The server sends a large transaction while it is still going on (`streaming`), and a prepared one
 * before it is decided (`two_phase`). Nothing of it may go further until it commits, and most of it
 * may yet be taken back. So the messages are kept raw, each transaction by itself: in memory while
 * they are few, then in <data_dir>/spool/<source>/<xid>. They are decoded once, at the commit.
 *
 * Why raw: keeping a million rows and reading them back takes 0.08 CPU s (bench/bench_pg_spool.c),
 * a rollback is a truncation, and a table that changes within the transaction needs no thought.
 *
 * SUB-TRANSACTIONS. When one is rolled back, so is all that the transaction did since it began
 * (what came later lies within it, or after its roll-back). So rolling back `subxid` cuts the spool
 * at the first message of a sub-transaction that is not older than it. Where these begin is kept
 * as a list that grows in both number and place, of bounded length: older entries are thinned out,
 * and the messages between two that are left are looked through when it comes to that.
 *
 * Bounds, whatever the number and size of transactions: MR_PG_SPOOL_MEMORY_BYTES_MAX of messages in
 * memory, MR_PG_SPOOL_CUTS_MAX places, one window to read through.
 *
 * Nothing here outlives the connection: the server sends all of it again, so files are never synced
 * and those of an earlier run are deleted at the start.
 */
#ifndef MR_SOURCE_POSTGRES_PG_SPOOL_H
#define MR_SOURCE_POSTGRES_PG_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "env.h"
#include "error.h"
#include "slice.h"

/* Bytes of messages in memory: of one transaction, and of all. */
#define MR_PG_SPOOL_BUFFER_BYTES_MAX (UINT32_C(512) << 10)
#define MR_PG_SPOOL_MEMORY_BYTES_MAX (UINT32_C(4) << 20)
/* Places of sub-transactions that are remembered, in all and at least for each transaction. */
#define MR_PG_SPOOL_CUTS_MAX         65536
#define MR_PG_SPOOL_CUTS_MIN         64

/** A message of a transaction. */
struct mr_pg_record {
    uint8_t tag;
    uint32_t xid;          /* the sub-transaction it belongs to, or the transaction itself */
    struct mr_slice bytes; /* what follows tag and xid */
};

/** Where a sub-transaction begins. */
struct mr_pg_cut {
    uint32_t xid;
    bool has_gap; /* places between the entry before and this one were thinned out */
    uint64_t offset;
};

/** A transaction. The first bytes are in the file, the rest in the buffer. */
struct mr_pg_spooled {
    uint32_t xid;
    bool is_prepared;
    bool tail_has_gap;    /* as mr_pg_cut.has_gap, for what follows the last place */
    uint64_t prepare_lsn; /* where the server wrote that it is prepared; 0: it is not */

    uint8_t *buffer;
    uint32_t buffered;
    uint32_t buffer_capacity;
    uint64_t file_bytes;
    bool has_file;

    struct mr_pg_cut *cuts;
    uint32_t cut_count;
    uint32_t cut_capacity;

    uint64_t read_offset; /* of the next record to be read */
    struct mr_pg_spooled *next;
};

struct mr_pg_spool;

/**
 * An empty spool; files of this source that an earlier run left are deleted. Borrows name.
 * Errors: MR_E_IO.
 */
struct mr_pg_spool *mr_pg_spool_open(const struct mr_env *env, int data_dir_fd, const char *source,
                                     struct mr_error *err);
void mr_pg_spool_close(struct mr_pg_spool *spool); /* with all files; accepts NULL */

/**
 * Leaves a mark that transactions in progress could not be taken; was_refused() then says so after
 * the next open(), which takes the mark away.
 */
bool mr_pg_spool_refuse(struct mr_pg_spool *spool, struct mr_error *err) MR_MUST_CHECK;
bool mr_pg_spool_was_refused(const struct mr_pg_spool *spool);

/** Transactions that are kept, and their bytes, in memory and on disk. */
uint32_t mr_pg_spool_count(const struct mr_pg_spool *spool);
uint64_t mr_pg_spool_bytes(const struct mr_pg_spool *spool);

/** The least prepare_lsn of the transactions that are kept; UINT64_MAX: none is prepared. */
uint64_t mr_pg_spool_prepared_lsn(const struct mr_pg_spool *spool);

/** The transaction of that number, or NULL. */
struct mr_pg_spooled *mr_pg_spool_find(const struct mr_pg_spool *spool, uint32_t xid);
/** Begins an empty one; there must be none of that number. */
struct mr_pg_spooled *mr_pg_spool_begin(struct mr_pg_spool *spool, uint32_t xid);
/** Forgets a transaction and deletes its file. */
void mr_pg_spool_drop(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled);

/**
 * Appends a message.
 * Errors: MR_E_FULL, MR_RETRY: the disk is full (the server keeps what we cannot);
 *         MR_E_IO: the file cannot be written.
 */
bool mr_pg_spool_append(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled,
                        const struct mr_pg_record *record, struct mr_error *err) MR_MUST_CHECK;

/** Takes back what came since the sub-transaction began, which must not be the whole one. */
bool mr_pg_spool_cut(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled, uint32_t subxid,
                     struct mr_error *err) MR_MUST_CHECK;

/** Goes to the first record. One transaction is read at a time, and not appended to any more. */
void mr_pg_spool_rewind(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled);

/**
 * Shows the next record, without stepping over it; *has is false after the last one. Its bytes are
 * valid until the next call for any transaction. Errors: MR_E_IO.
 */
bool mr_pg_spool_read(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled,
                      struct mr_pg_record *record, bool *has, struct mr_error *err) MR_MUST_CHECK;
void mr_pg_spool_step(struct mr_pg_spooled *spooled, const struct mr_pg_record *record);

#endif
