// SPDX-License-Identifier: MIT
/*
 * query_type.h - the types of a result's columns as a tree, made once a result.
 */
#ifndef MR_SINK_DUCKDB_QUERY_TYPE_H
#define MR_SINK_DUCKDB_QUERY_TYPE_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "ddl.h"

#define MR_QUERY_TYPE_DEPTH_MAX 64

struct mr_query_type {
    duckdb_type id;
    duckdb_type storage;         /* of DECIMAL and ENUM: the integer beneath */
    duckdb_logical_type logical; /* kept for ENUM's labels */
    uint8_t scale;               /* DECIMAL */
    uint64_t array_size;         /* ARRAY */
    uint64_t child_count;
    struct mr_query_type *children; /* LIST, ARRAY: 1; STRUCT, UNION: members; MAP: key, value */
    char **names;                   /* STRUCT, UNION */
    bool is_supported;              /* false: somewhere in it is a type we do not write */
};

/** Fills *type from a logical type, which it takes over. */
void mr_query_type_init(struct mr_query_type *type, duckdb_logical_type logical, unsigned depth);
void mr_query_type_done(struct mr_query_type *type);

/** Adds the type's name as DuckDB writes it: "DECIMAL(12,2)", "STRUCT(a INTEGER, b VARCHAR)[]". */
void mr_query_type_add_name(const struct mr_query_type *type, struct mr_sql *text);

#endif
