// SPDX-License-Identifier: MIT
/*
 * pg_tree.h - types that are made of types: what their binary form is made of, and printing it.
 *
 *   array        JSON: [1,null,3], nested by dimension. Where a lower bound is not 1, which JSON
 *                cannot say: {"lower":[0],"array":[...]}
 *   composite    JSON: {"field":value, ...}
 *   hstore       JSON: {"key":"value","other":null}
 *   range        text as the server prints it: [1,5)
 *   multirange   text: {[1,5),[7,9)}
 *   enum, citext the label, the text
 *   foreign      a binary form that we do not know (types of most extensions, and whatever is made
 *                of them): the server is asked for the text of each value
 *   text only    a type without a binary form: the server sends its text anyway
 *
 * In JSON, integers and finite floats are numbers, booleans are booleans and everything else is a
 * string with the text that pg_text.h describes (numerics too: JSON readers would round them).
 * A domain counts as its base type, wherever it stands.
 *
 * What the types of a database are is learnt from its catalogs (pg_describe_types.c); arrays,
 * ranges and multiranges of built-in types are known without.
 */
#ifndef MR_SOURCE_POSTGRES_PG_TREE_H
#define MR_SOURCE_POSTGRES_PG_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "pg_out.h"
#include "pg_text.h"
#include "pg_types.h"
#include "slice.h"

#define MR_PG_TREE_DEPTH_MAX 16    /* of types inside types; deeper ones are foreign */
#define MR_PG_TYPES_MAX      65536 /* nodes that one connection learns of */

enum mr_pg_shape {
    MR_PG_SHAPE_SCALAR,
    MR_PG_SHAPE_ARRAY,
    MR_PG_SHAPE_VECTOR, /* int2vector, oidvector: an array whose only lower bound is always 0 */
    MR_PG_SHAPE_RANGE,
    MR_PG_SHAPE_MULTIRANGE,
    MR_PG_SHAPE_COMPOSITE,
    MR_PG_SHAPE_HSTORE,
    MR_PG_SHAPE_FOREIGN,
    MR_PG_SHAPE_TEXT_ONLY,
    MR_PG_SHAPE_UNSENDABLE, /* holds a type without a binary form: the server fails to send it */
};

struct mr_pg_type {
    uint32_t oid;
    uint8_t shape;                    /* enum mr_pg_shape */
    uint8_t json;                     /* SCALAR: enum mr_pg_json */
    uint8_t scale;                    /* money: digits behind the point */
    uint8_t depth;                    /* of the tree; a scalar is 0 */
    mr_pg_print_fn print;             /* SCALAR */
    uint32_t element_oid;             /* as the wire names it: a domain's own */
    const struct mr_pg_type *element; /* ARRAY, VECTOR, RANGE, MULTIRANGE (its range) */
    bool is_alias;                    /* a domain: what hangs on it belongs to its base */
    uint32_t field_count;             /* COMPOSITE */
    char **field_names;
    uint32_t *field_oids;
    const struct mr_pg_type **fields;
};

/** The types that a connection knows; a zeroed one knows the built-in ones. */
struct mr_pg_types {
    struct mr_pg_type **nodes; /* all that were ever made: plans may still point to old ones */
    uint32_t count;
    uint32_t capacity;
    uint8_t money_scale; /* set with has_money_scale; 2 until then */
    bool has_money_scale;
};

void mr_pg_types_done(struct mr_pg_types *types);

/** The newest description of a type; NULL: not known. */
const struct mr_pg_type *mr_pg_types_find(struct mr_pg_types *types, uint32_t oid);

/** True for types that are known without the catalogs. */
bool mr_pg_types_is_builtin(uint32_t oid);

/** What the catalogs say of a type; strings are copied. */
struct mr_pg_type_draft {
    uint32_t oid;
    uint8_t shape;
    mr_pg_print_fn print; /* SCALAR */
    uint32_t element_oid; /* 0 unless it has one */
    uint32_t field_count;
    const char *const *field_names;
    const uint32_t *field_oids;
};

/**
 * Takes a type in under its number, unless it is known just so. What it is made of must be known
 * before; a part that is not known makes it foreign.
 */
void mr_pg_types_add(struct mr_pg_types *types, const struct mr_pg_type_draft *draft);

/** A domain: the number stands for the base type. */
void mr_pg_types_add_alias(struct mr_pg_types *types, uint32_t oid, uint32_t base_oid);

/** Prints a value as it stands in a column of its own: JSON for some shapes, text for others. */
enum mr_pg_put mr_pg_tree_print(struct mr_pg_out *out, const struct mr_pg_type *type,
                                struct mr_slice wire);

/** True for a type whose values only the server can read; type may be NULL. */
static inline bool mr_pg_tree_is_foreign(const struct mr_pg_type *type)
{
    return type != NULL && type->shape == MR_PG_SHAPE_FOREIGN;
}

/** True for the shapes that are printed as JSON. */
bool mr_pg_tree_is_json(const struct mr_pg_type *type);

#endif
