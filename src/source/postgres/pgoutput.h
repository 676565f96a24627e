// SPDX-License-Identifier: MIT
/*
 * pgoutput.h - decodes the messages of PostgreSQL's logical replication (protocol versions 1 to 4,
 * sent with `binary`) straight into the column chunks of a batch.
 *
 * One decoder a connection: its relation cache is what the server has described on that connection.
 * It has no socket and no clock, so that recorded bytes and a fuzzer drive it as a server does.
 *
 * Transactions that have not committed are kept in a spool (pg_blocks.c) and decoded when they do;
 * without a spool they were not asked for, and are refused. All others pass as they come.
 *
 * Resuming: transactions whose commit lies before `resume_lsn` are stepped over; their Relation
 * messages count all the same.
 */
#ifndef MR_SOURCE_POSTGRES_PGOUTPUT_H
#define MR_SOURCE_POSTGRES_PGOUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "nulled.h"
#include "pg_relation.h"
#include "pg_spool.h"
#include "pg_table.h"
#include "pg_tree.h"
#include "reader.h"
#include "slice.h"
#include "table_filter.h"

#define MR_PG_ORIGIN_BYTES_MAX 512

enum mr_pg_decoded {
    MR_PG_DECODED,
    MR_PG_BATCH_FULL, /* nothing was taken: hand the batch on, then give the message again */
    MR_PG_FAILED,     /* *err says why */
};

/** A value of the old or new row as it lies in the message. */
struct mr_pg_wire_cell {
    uint8_t kind; /* 'b', 't', 'n', 'u' */
    struct mr_slice value;
};

struct mr_pgoutput {
    /* Given by the owner before the first message. */
    struct mr_catalog *catalog;
    struct mr_table_filter filter;
    struct mr_pg_describer describer; /* describe NULL: the messages are all there is */
    uint64_t value_bytes_max;
    bool nulls_large_values;
    uint64_t resume_lsn;
    struct mr_pg_spool *spool; /* borrowed; NULL: whole transactions only */
    uint64_t target_bytes;     /* of a batch, while what was kept is decoded; 0: until it is full */
    bool keeps_relations;      /* prepared transactions are to come */
    bool refuses_foreign;      /* transactions that have an origin are stepped over */
    const char *source;        /* its name, by which policies are found */
    const struct mr_policies *policies;    /* NULL: the defaults */
    struct mr_nulled *nulled;              /* counts values that became NULL; NULL: nobody does */
    const struct mr_string_list *messages; /* prefixes of logical messages, globs; NULL: all */

    /* The transaction that is open on the wire. */
    bool in_transaction;
    bool is_skipped;   /* it lies at or before resume_lsn */
    bool is_foreign;   /* it has an origin, and such are refused */
    bool is_begun;     /* the batch at hand has it open */
    bool is_continued; /* an earlier batch holds its first part */
    uint32_t xid;
    uint64_t final_lsn;
    int64_t commit_us;
    char origin[MR_PG_ORIGIN_BYTES_MAX];
    size_t origin_length;

    /* The end of the last transaction that ended, whether it had events or not; 0 before any. */
    uint64_t end_lsn;

    /* Messages so far; a place in the stream. */
    uint64_t message_number;

    /* The block that is open on the wire, of a transaction that has not committed. */
    struct mr_pg_spooled *block; /* NULL: none */
    bool block_has_xids;         /* streamed; else prepared */
    uint64_t block_number;       /* its place in the stream */

    /* The transaction that was kept and is being decoded. */
    struct mr_pg_spooled *replayed; /* NULL: none */
    uint64_t replayed_number;       /* place in the stream of the block at hand */
    struct mr_pg_relations replayed_relations;

    struct mr_pg_relations relations;
    struct mr_pg_relations *described; /* those that rows refer to now, one of the two */
    struct mr_pg_types types;
    struct mr_arena scratch; /* of one message */
    struct mr_pg_wire_cell *old_row;
    struct mr_pg_wire_cell *new_row;
};

/** Prepares a zeroed decoder whose given fields are filled in. */
bool mr_pgoutput_init(struct mr_pgoutput *decoder, struct mr_error *err) MR_MUST_CHECK;
void mr_pgoutput_done(struct mr_pgoutput *decoder); /* accepts a zeroed one */

/** Decodes one message (the payload of an XLogData) into the batch. */
enum mr_pg_decoded mr_pgoutput_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                      const void *bytes, size_t length, struct mr_error *err);

/** The server must not be told of positions past this one: UINT64_MAX unless something prepared
 *  is not decided. */
uint64_t mr_pgoutput_held_lsn(const struct mr_pgoutput *decoder);

/** Closes the batch's part of an open transaction, if it has one, before it is handed on. */
void mr_pgoutput_hand_on(struct mr_pgoutput *decoder, struct mr_batch *batch);

/** "16/B374D848", the way the server writes a log position; at most 18 bytes with the NUL. */
#define MR_PG_LSN_TEXT_BYTES 18
void mr_pg_lsn_format(uint64_t lsn, char text[MR_PG_LSN_TEXT_BYTES]);
bool mr_pg_lsn_parse(const char *text, uint64_t *lsn) MR_MUST_CHECK;

/* ---- pgoutput.c for pg_blocks.c ---- */

struct mr_pg_commit {
    uint32_t xid;
    uint8_t flags;
    uint64_t lsn;
    uint64_t end_lsn;
    int64_t time; /* as on the wire */
};

/** Opens a transaction. */
bool mr_pgoutput_begin(struct mr_pgoutput *decoder, const struct mr_pg_commit *commit,
                       struct mr_error *err) MR_MUST_CHECK;
/** Closes it. FULL: again, after the batch was handed on. */
enum mr_pg_decoded mr_pgoutput_end(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                   const struct mr_pg_commit *commit, struct mr_error *err);
/** What follows the tag of a Relation. */
bool mr_pgoutput_decode_relation(struct mr_pgoutput *decoder, struct mr_reader *in,
                                 struct mr_error *err) MR_MUST_CHECK;
/** What follows any tag that stands inside a transaction, except its ends. */
enum mr_pg_decoded mr_pgoutput_decode_change(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                             uint8_t tag, struct mr_reader *in,
                                             struct mr_error *err);

#endif
