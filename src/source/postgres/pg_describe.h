// SPDX-License-Identifier: MIT
/*
 * pg_describe.h - what the server's catalogs say of a table.
 */
#ifndef MR_SOURCE_POSTGRES_PG_DESCRIBE_H
#define MR_SOURCE_POSTGRES_PG_DESCRIBE_H

#include "pg_connection.h"
#include "pg_table.h"

/**
 * As mr_pg_describer.describe; context is a struct mr_pg_connection. Adds to the columns that the
 * catalogs know under the same name and type. A table that is gone is left as it is.
 */
bool mr_pg_describe(void *connection, struct mr_pg_table *table, struct mr_arena *arena,
                    struct mr_error *err) MR_MUST_CHECK;

/**
 * Describes a table from the catalogs alone, for a snapshot: oid, space, name and identity are
 * given. `published` lists the columns that are sent, joined by '\x1f'; NULL: all but generated
 * ones.
 */
bool mr_pg_describe_whole(struct mr_pg_connection *connection, struct mr_pg_table *table,
                          const char *published, struct mr_arena *arena,
                          struct mr_error *err) MR_MUST_CHECK;

#endif
