// SPDX-License-Identifier: MIT
/*
 * table_book.h - what people asked for about single tables and what must outlive a restart: tables
 * added or dropped by name, and copies that are not complete yet. Kept in the file "tables" of
 * data_dir, which is written anew, synced and renamed at each change.
 *
 * Pauses are not here: they belong to each sink's own commits (sink.h, 7).
 *
 * Threads: any.
 */
#ifndef MR_PIPELINE_TABLE_BOOK_H
#define MR_PIPELINE_TABLE_BOOK_H

#include <stdbool.h>

#include "compiler.h"
#include "copy.h"
#include "env.h"
#include "error.h"
#include "table_choices.h"

struct mr_table_book;

/** Reads the file, if there is one. MR_E_CORRUPT names the line. */
struct mr_table_book *mr_table_book_open(const struct mr_env *env, int data_dir_fd,
                                         struct mr_error *err);
void mr_table_book_close(struct mr_table_book *book); /* accepts NULL */

/** Notes that a table is added or dropped, or (NONE) that the globs decide again. */
bool mr_table_book_choose(struct mr_table_book *book, const char *source, const char *space,
                          const char *table, enum mr_choice choice,
                          struct mr_error *err) MR_MUST_CHECK;

/** Notes a copy that is wanted, in place of an earlier one of that table. */
bool mr_table_book_want(struct mr_table_book *book, const char *source,
                        const struct mr_copy_wish *wish, struct mr_error *err) MR_MUST_CHECK;

/** The copy is over; id NULL: whichever it is. */
bool mr_table_book_end(struct mr_table_book *book, const char *source, const char *space,
                       const char *table, const char *id, struct mr_error *err) MR_MUST_CHECK;

/** Calls for every choice and every wish of a source. */
typedef void (*mr_table_book_choice_fn)(void *context, const char *space, const char *table,
                                        enum mr_choice choice);
typedef void (*mr_table_book_wish_fn)(void *context, const struct mr_copy_wish *wish);
void mr_table_book_each(struct mr_table_book *book, const char *source,
                        mr_table_book_choice_fn choice, mr_table_book_wish_fn wish, void *context);

#endif
