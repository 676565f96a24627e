// SPDX-License-Identifier: MIT
/*
 * pg_relation.h - the relations that the stream has described so far, by their number.
 *
 * The server describes a relation before its first row and again after anything about it changed; a
 * new description replaces the old one whole. Nothing is ever dropped: the server may go on using a
 * number it has described once. The cache is bounded by what a catalog can hold.
 */
#ifndef MR_SOURCE_POSTGRES_PG_RELATION_H
#define MR_SOURCE_POSTGRES_PG_RELATION_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "pg_types.h"
#include "schema.h"

struct mr_pg_relation {
    uint32_t oid;
    uint16_t column_count; /* as the server sends them, also when the table is not captured */
    char identity;         /* enum mr_pg_identity */
    bool is_captured;
    const struct mr_schema *schema; /* NULL unless captured */
    struct mr_pg_plan *plans;       /* column_count of them; owned */
};

struct mr_pg_relations {
    struct mr_pg_relation **slots; /* open addressing by oid; a power of two */
    uint32_t capacity;
    uint32_t count;
    struct mr_pg_relation *last; /* the one asked for last: rows come in runs */
};

void mr_pg_relations_done(struct mr_pg_relations *relations);

/** The relation of that number, or NULL. */
struct mr_pg_relation *mr_pg_relations_find(struct mr_pg_relations *relations, uint32_t oid);

/**
 * An entry for that number, new or emptied, with room for column_count plans.
 * NULL with MR_E_LIMIT, MR_STOP past MR_CATALOG_COUNT_MAX relations.
 */
struct mr_pg_relation *mr_pg_relations_replace(struct mr_pg_relations *relations, uint32_t oid,
                                               uint16_t column_count, struct mr_error *err);

#endif
