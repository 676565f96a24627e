// SPDX-License-Identifier: MIT
/*
 * pg_message.h - logical messages (pg_logical_emit_message). Used by pgoutput.c alone.
 */
#ifndef MR_SOURCE_POSTGRES_PG_MESSAGE_H
#define MR_SOURCE_POSTGRES_PG_MESSAGE_H

#include "pgoutput.h"
#include "reader.h"

/** The prefix of what we write ourselves, which is not captured. */
#define MR_PG_MESSAGE_PREFIX "millrace"

/** Decodes what follows the tag 'M'. FULL: again, after the batch was handed on. */
enum mr_pg_decoded mr_pg_message_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                        struct mr_reader *in, struct mr_error *err);

#endif
