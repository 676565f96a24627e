// SPDX-License-Identifier: MIT
/*
 * pgoutput_kit.h - writes pgoutput messages as a server does, for tests of the decoder.
 */
#ifndef MR_TESTS_UNIT_PGOUTPUT_KIT_H
#define MR_TESTS_UNIT_PGOUTPUT_KIT_H

#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "pgoutput.h"
#include "writer.h"

/** A decoder with its surroundings. */
struct kit {
    struct mr_pgoutput decoder;
    struct mr_string_list include;
    struct mr_string_list exclude;
    struct mr_batch_pool *pool;
    struct mr_batch *batch;
    struct mr_writer message;
    struct mr_error err;
};

void kit_open(struct kit *kit, size_t batch_bytes, uint64_t resume_lsn);
void kit_close(struct kit *kit);

/** Decodes what was written into kit->message, and empties it. */
enum mr_pg_decoded kit_decode(struct kit *kit);
/** Hands the batch on and takes an empty one. */
void kit_next_batch(struct kit *kit);

void kit_u8(struct kit *kit, uint8_t value);
void kit_u16(struct kit *kit, uint16_t value);
void kit_u32(struct kit *kit, uint32_t value);
void kit_u64(struct kit *kit, uint64_t value);
void kit_text(struct kit *kit, const char *text); /* with its NUL */

struct kit_column {
    const char *name;
    uint32_t type;
    int32_t modifier;
    bool in_identity;
};

void kit_begin(struct kit *kit, uint64_t lsn, uint32_t xid);
void kit_commit(struct kit *kit, uint64_t lsn, uint64_t end_lsn);
void kit_relation(struct kit *kit, uint32_t oid, const char *table, char identity,
                  const struct kit_column *columns, uint16_t count);

/** Cells: kind and bytes; 'i' is a binary int4 written from `number`. */
struct kit_cell {
    char kind; /* 'b', 't', 'n', 'u', or 'i' */
    const char *text;
    int32_t number;
};
void kit_tuple(struct kit *kit, const struct kit_cell *cells, uint16_t count);
/** 'I', 'U' or 'D', the relation, and the tag of the first tuple. */
void kit_row(struct kit *kit, char tag, uint32_t oid, char tuple);

/** Prints all events of the batch, one a line, transactions in braces; valid until the next
 * call. */
const char *kit_print(const struct kit *kit);

#endif
