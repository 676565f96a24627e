// SPDX-License-Identifier: MIT
/*
 * pg_describe_types.h - learns of types from the server's catalogs, and has the server print values
 * of types that only it can read.
 */
#ifndef MR_SOURCE_POSTGRES_PG_DESCRIBE_TYPES_H
#define MR_SOURCE_POSTGRES_PG_DESCRIBE_TYPES_H

#include "pg_connection.h"
#include "pg_table.h"
#include "pg_tree.h"

/** Learns of the types that a described table's columns have and that are not built in. */
bool mr_pg_describe_types(struct mr_pg_connection *connection, const struct mr_pg_table *table,
                          struct mr_error *err) MR_MUST_CHECK;

/** Learns of one type, and of what it is made of, anew. */
bool mr_pg_describe_type(struct mr_pg_connection *connection, uint32_t oid,
                         struct mr_pg_types *types, struct mr_error *err) MR_MUST_CHECK;

/** The text of a value in its binary form; *text lies in the arena. */
bool mr_pg_describe_print(struct mr_pg_connection *connection, uint32_t oid, struct mr_slice wire,
                          struct mr_arena *arena, struct mr_slice *text,
                          struct mr_error *err) MR_MUST_CHECK;

#endif
