// SPDX-License-Identifier: MIT
/*
 * ddl_read.h - what a DDL statement does to tables: which it makes, drops, renames, and what
 * becomes of the columns of one that it alters.
 *
 * Tolerant: nothing stops at a statement. One whose effect is not understood is UNKNOWN, or an
 * ALTER that is not `understood`; the caller then believes only what it can check against the rows.
 */
#ifndef MR_SOURCE_MYSQL_DDL_READ_H
#define MR_SOURCE_MYSQL_DDL_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "ddl_scan.h"
#include "slice.h"
#include "table_shape.h"

#define MR_DDL_NAMES_MAX 4096 /* tables in one statement */

enum mr_ddl_kind {
    MR_DDL_NONE,       /* no table comes, goes, or looks different */
    MR_DDL_CREATE,     /* names[0]; LIKE names[1] */
    MR_DDL_ALTER,      /* names[0] */
    MR_DDL_DROP,       /* every name */
    MR_DDL_RENAME,     /* names[0] to names[1], names[2] to names[3], ..., one after the other */
    MR_DDL_DROP_SPACE, /* names[0].space */
    MR_DDL_UNKNOWN,
};

struct mr_ddl_name {
    char *space; /* NULL: the session's database */
    char *table;
};

struct mr_ddl {
    enum mr_ddl_kind kind;
    struct mr_ddl_name *names;
    uint32_t name_count;
    struct mr_scan body; /* behind the name: the clauses, the columns */
    bool if_not_exists;
    bool or_replace;
    bool is_like;
};

void mr_ddl_read(struct mr_slice text, struct mr_ddl *ddl);
void mr_ddl_done(struct mr_ddl *ddl);

/** Fills in the shape of a table that is made with a list of columns; false: it has none. */
bool mr_ddl_create(const struct mr_ddl *ddl, bool is_maria, struct mr_table_shape *shape);

/** What an ALTER does beside changing columns. */
struct mr_ddl_altered {
    struct mr_ddl_name renamed_to; /* table NULL: it keeps its name; the caller frees */
    struct mr_ddl_name exchanged;  /* a table whose rows went into a partition; likewise */
    bool moves_rows;               /* whole partitions or tablespaces: rows come or go unlogged */
    bool is_understood;
};

/** Changes the shape as the clauses say. */
void mr_ddl_alter(const struct mr_ddl *ddl, bool is_maria, struct mr_table_shape *shape,
                  struct mr_ddl_altered *altered);

#endif
