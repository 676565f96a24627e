// SPDX-License-Identifier: MIT
/*
 * pg_types.h - PostgreSQL's types: which core type a column becomes, and how its binary wire form
 * goes into a column chunk. The stream (pgoutput with `binary`) and the snapshot (COPY BINARY) send
 * the same bytes, so both decode through this one table.
 *
 *   PostgreSQL                          core          note
 *   boolean                             BOOL
 *   smallint, integer, bigint           I16, I32, I64
 *   real, double precision              F32, F64
 *   numeric(p,s) of up to 38 digits     DECIMAL(p,s)  a decimal cannot hold NaN; with a scale
 *                                                     outside 0..p, the decimal that holds it
 *   other numeric                       TEXT          as the server prints it, NaN and Infinity too
 *   money                               DECIMAL(19,s) s: what the server's lc_monetary has
 *   text, varchar, char(n), name, enum  TEXT          char(n) with its padding
 *   bytea                               BYTES
 *   date, time, timestamp, timestamptz  DATE, TIME, TIMESTAMP, TIMESTAMPTZ, infinities too; not a
 *                                       timestamp after the year 294246
 *   interval                            INTERVAL      not the infinite ones of 17 and later
 *   uuid                                UUID
 *   json, jsonb                         JSON
 *   oid, xid, cid, reg*; xid8           U32; U64
 *   arrays, composites, hstore          JSON          pg_tree.h
 *   everything else                     TEXT          pg_text.h, pg_tree.h
 *
 * A domain counts as its base type. Only what the server itself cannot send is not captured (an
 * array of a type without a binary form): the caller says which table, column and type.
 *
 * What on_type_error is about, for a value that the core type cannot hold: DECIMAL, TIMESTAMP,
 * TIMESTAMPTZ and INTERVAL columns are TEXT from the start where it says text; any column takes
 * NULL for such a value where it says null, unless it is in the key.
 */
#ifndef MR_SOURCE_POSTGRES_PG_TYPES_H
#define MR_SOURCE_POSTGRES_PG_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "chunk.h"
#include "compiler.h"
#include "error.h"
#include "schema.h"
#include "slice.h"
#include "table_policy.h"

/* 2000-01-01, from where PostgreSQL counts, in Unix time. */
#define MR_PG_EPOCH_DAYS 10957
#define MR_PG_EPOCH_US   (INT64_C(86400000000) * MR_PG_EPOCH_DAYS)

/** What became of a cell. All but OK leave the row incomplete. */
enum mr_pg_put {
    MR_PG_PUT_OK,
    MR_PG_PUT_FULL,      /* the arena has no room */
    MR_PG_PUT_MALFORMED, /* the bytes are not of this type: the peer broke the protocol */
    MR_PG_PUT_NAN,       /* values that exist on the server and have no place in the core type */
    MR_PG_PUT_INFINITY,
    MR_PG_PUT_RANGE,
    MR_PG_PUT_ENCODING, /* text that is not UTF-8 */
    MR_PG_PUT_FOREIGN,  /* a binary form that only the server can read: ask it for the text */
    MR_PG_PUT_ALTERED,  /* a composite type has other fields than it had: learn of it anew */
};

struct mr_pg_plan;
struct mr_pg_type;
struct mr_pg_types;

typedef enum mr_pg_put (*mr_pg_put_fn)(struct mr_column_chunk *column, struct mr_arena *arena,
                                       uint32_t row, const struct mr_pg_plan *plan,
                                       struct mr_slice wire);

/** How one column is decoded; resolved once per relation, called once per cell. */
struct mr_pg_plan {
    mr_pg_put_fn put;
    uint8_t precision;
    uint8_t scale;
    bool text_is_same; /* the text form has the bytes of the binary one */
    bool is_nullable;
    uint8_t on_error; /* enum mr_on_type_error: a value that the core type cannot hold */
    const struct mr_pg_type
        *type; /* what `put` goes by where it follows a type's tree, else NULL */
};

/** True for a value that exists on the server and has no place in the core type. */
static inline bool mr_pg_put_is_type_error(enum mr_pg_put result)
{
    return result == MR_PG_PUT_NAN || result == MR_PG_PUT_INFINITY || result == MR_PG_PUT_RANGE ||
           result == MR_PG_PUT_ENCODING;
}

/** A type as the catalogs have it, domains already taken back to their base. */
struct mr_pg_type_ref {
    uint32_t oid;
    int32_t modifier; /* -1: none */
    bool is_enum;
    enum mr_on_type_error on_type_error;
    struct mr_pg_types *types; /* what is known of the database's types */
};

/**
 * Sets type, precision and scale of *column and how it is decoded. False when the server cannot
 * send the type; the column is then TEXT.
 */
bool mr_pg_type_resolve(struct mr_pg_type_ref ref, struct mr_column *column,
                        struct mr_pg_plan *plan) MR_MUST_CHECK;

/**
 * The type's name as format_type() of the server prints it ("numeric(12,2)"), for built-in scalar
 * types and arrays of them; false for others, and where the modifier is not understood. At most
 * MR_PG_TYPE_NAME_BYTES with its NUL.
 */
#define MR_PG_TYPE_NAME_BYTES 72
bool mr_pg_type_format(uint32_t oid, int32_t modifier,
                       char text[MR_PG_TYPE_NAME_BYTES]) MR_MUST_CHECK;

/** The put function of text, for values that the server printed. */
enum mr_pg_put mr_pg_put_text(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                              const struct mr_pg_plan *plan, struct mr_slice wire);

/** Fills in the error for a cell that could not be put (not for OK and FULL); returns false. */
bool mr_pg_put_fail(enum mr_pg_put result, const struct mr_schema *schema, uint16_t column,
                    struct mr_error *err);

/** True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms) without NUL. */
bool mr_pg_text_is_utf8(const uint8_t *bytes, size_t length);

#endif
