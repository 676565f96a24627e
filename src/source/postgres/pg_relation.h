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
#include "slice.h"

struct mr_pg_relation {
    uint32_t oid;
    uint16_t column_count; /* as the server sends them, also when the table is not captured */
    char identity;         /* enum mr_pg_identity */
    bool is_captured;
    const struct mr_schema *schema;       /* NULL unless captured */
    const struct mr_schema *changed_from; /* what it was, until a note has told of it; else NULL */
    struct mr_pg_plan *plans;             /* column_count of them; owned */
    uint64_t described_at;                /* place of the description among the stream's messages */

    /* The description as it came, where prepared transactions are kept; owned. */
    uint8_t *message;
    uint32_t message_length;
    uint64_t kept_at; /* the prepared transaction it was kept with last */
};

struct mr_pg_relations {
    struct mr_pg_relation **slots; /* open addressing by oid; a power of two */
    uint32_t capacity;
    uint32_t count;
    bool has_changed;            /* since the last batch that was handed on */
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

/** Keeps a copy of the description as it came. */
void mr_pg_relation_keep(struct mr_pg_relation *relation, struct mr_slice message);

/**
 * Moves those of `from` that were described later than the same in `to`; `from` is then to be
 * done with. MR_E_LIMIT as above.
 */
bool mr_pg_relations_merge(struct mr_pg_relations *to, struct mr_pg_relations *from,
                           struct mr_error *err) MR_MUST_CHECK;

#endif
