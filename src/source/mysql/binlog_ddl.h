// SPDX-License-Identifier: MIT
/*
 * binlog_ddl.h - DDL of the binlog becomes shapes of tables, and notes in the batch.
 *
 * What a captured table looks like follows from the log alone: from its schema in the catalog and
 * the statements since. information_schema shows the table of now, which may be ahead of the log;
 * it is asked where the log does not tell (binlog_tables.c).
 *
 *   CREATE, ALTER, DROP       a note with the table's shape before and after
 *   RENAME                    a note each step; a table that takes the place of a captured one,
 *                             while this gets a name that is not captured (gh-ost and
 *                             pt-online-schema-change, their own tables left out), is it, altered
 *   partitions that come or go with their rows   the table is set aside, or the stream stops
 *   what is not understood    the shapes that it may have changed are uncertain from there on
 */
#ifndef MR_SOURCE_MYSQL_BINLOG_DDL_H
#define MR_SOURCE_MYSQL_BINLOG_DDL_H

#include "binlog_internal.h"

/** Takes in a statement other than TRUNCATE. `space` is the session's database. */
bool mr_binlog_take_ddl(struct mr_binlog_stream *stream, struct mr_slice space,
                        struct mr_slice text, struct mr_batch *batch,
                        struct mr_error *err) MR_MUST_CHECK;

/** Adds a note to the open group, whose transaction enters the batch with it. */
bool mr_binlog_add_note(struct mr_binlog_stream *stream, const struct mr_note *note,
                        struct mr_batch *batch, struct mr_error *err) MR_MUST_CHECK;

/** Tells of a change that no statement told of, when the table's rows show it. */
bool mr_binlog_announce(struct mr_binlog_stream *stream, struct mr_binlog_table *table,
                        struct mr_batch *batch, struct mr_error *err) MR_MUST_CHECK;

#endif
