// SPDX-License-Identifier: MIT
/*
 * statement.h - what a statement in a QUERY event means for capture.
 *
 * No SQL parser: the first words decide, comments skipped. Whatever is not recognised is OTHER, for
 * which the caller assumes the worst: any table's definition may have changed.
 */
#ifndef MR_SOURCE_MYSQL_STATEMENT_H
#define MR_SOURCE_MYSQL_STATEMENT_H

#include <stdbool.h>

#include "slice.h"

#define MR_IDENTIFIER_BYTES_MAX 256 /* 64 characters of 4 bytes */

enum mr_statement_kind {
    MR_STATEMENT_BEGIN,       /* BEGIN, XA START */
    MR_STATEMENT_COMMIT,      /* COMMIT, XA COMMIT */
    MR_STATEMENT_ROLLBACK,    /* ROLLBACK, XA ROLLBACK */
    MR_STATEMENT_ROLLBACK_TO, /* ... a savepoint */
    MR_STATEMENT_INSIDE,      /* SAVEPOINT, RELEASE, XA END: nothing for us */
    MR_STATEMENT_DML,         /* a change logged as a statement; its one table named, or none */
    MR_STATEMENT_TRUNCATE,    /* one table, named */
    MR_STATEMENT_TABLE,       /* CREATE, ALTER, DROP of one table, named */
    MR_STATEMENT_PARTITION,   /* ALTER TABLE that moves or removes rows unlogged, table named */
    MR_STATEMENT_NO_TABLE,    /* users, views, routines, ...: no table's columns change */
    MR_STATEMENT_OTHER,
};

struct mr_statement {
    enum mr_statement_kind kind;
    char space[MR_IDENTIFIER_BYTES_MAX + 1]; /* "" when the statement names none */
    char table[MR_IDENTIFIER_BYTES_MAX + 1]; /* TRUNCATE, TABLE, and DML: "" if not sure */
};

/** Classifies a statement. Never fails: see OTHER. */
void mr_statement_read(struct mr_slice text, struct mr_statement *statement);

#endif
