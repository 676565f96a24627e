// SPDX-License-Identifier: MIT
/*
 * pg_blocks.h - the messages of transactions that have not committed: streamed while they go on, or
 * prepared. Used by pgoutput.c alone.
 */
#ifndef MR_SOURCE_POSTGRES_PG_BLOCKS_H
#define MR_SOURCE_POSTGRES_PG_BLOCKS_H

#include "pgoutput.h"
#include "reader.h"

/** What follows a tag that opens a block or decides a transaction: 'S', 'c', 'A', 'b', 'K', 'r',
 *  'p'. FULL: give it again after the batch was handed on. */
enum mr_pg_decoded mr_pg_blocks_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                       uint8_t tag, struct mr_reader *in, struct mr_error *err);

/** What follows any tag while a block is open: it is kept, or closes the block. */
bool mr_pg_blocks_take(struct mr_pgoutput *decoder, uint8_t tag, struct mr_reader *in,
                       struct mr_error *err) MR_MUST_CHECK;

#endif
