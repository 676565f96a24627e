// SPDX-License-Identifier: MIT
/*
 * pg_rows.h - the row messages of pgoutput: Insert, Update, Delete, and what Truncate does to one
 * table. Used by pgoutput.c alone.
 */
#ifndef MR_SOURCE_POSTGRES_PG_ROWS_H
#define MR_SOURCE_POSTGRES_PG_ROWS_H

#include "pgoutput.h"
#include "reader.h"

/** Opens the transaction at hand in the batch. FULL when another batch must take it. */
enum mr_pg_decoded mr_pg_rows_begin(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                    struct mr_error *err);

/** Decodes what follows the tag 'I', 'U' or 'D'. */
enum mr_pg_decoded mr_pg_rows_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                     uint8_t tag, struct mr_reader *in, struct mr_error *err);

/** Adds a TRUNCATE event of one relation, if it is captured. */
enum mr_pg_decoded mr_pg_rows_truncate(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                       uint32_t oid, struct mr_error *err);

#endif
