// SPDX-License-Identifier: MIT
/*
 * mysql_types.h - one column of MySQL or MariaDB: what it is called, how its cells lie in a binlog
 * row, how the text protocol prints them, and which core type they become.
 *
 * A column is described from two sides, and either is enough: by the table map of the binlog
 * (wire type, metadata word, optional metadata when binlog_row_metadata=FULL) and by
 * information_schema (COLUMN_TYPE as printed). Both end in the same struct mr_mysql_column and the
 * same core schema, so a snapshot and the stream give identical cells.
 *
 *   MySQL type                       core type     remark
 *   tinyint .. bigint [unsigned]     I8..I64, U8..U64; mediumint is I32, U32
 *   decimal(p,s)                     DECIMAL, p <= 38; TEXT beyond, digit for digit
 *   float, double                    F32, F64
 *   bit(n)                           U64           bit(1) too
 *   year                             U16
 *   date                             DATE
 *   datetime(f)                      TIMESTAMP
 *   timestamp(f)                     TIMESTAMPTZ
 *   time(f)                          DURATION
 *   char, varchar, *text             TEXT          converted to UTF-8
 *   binary, varbinary, *blob         BYTES         binary(n) padded to n, as the server shows it
 *   enum, set                        TEXT          labels; set joined by ','; enum index 0 is ''
 *   json (MySQL's binary JSON)       JSON          as the server prints it
 *   longtext that is JSON (MariaDB)  JSON          as it was stored
 *   geometry types                   BYTES         EWKB: WKB with the SRID where it is not 0
 *   vector                           TEXT          "[1,-2,0.5]"
 *   inet4, inet6 (MariaDB)           TEXT
 *   uuid (MariaDB)                   UUID
 *
 * MISFITS
 *   '0000-00-00', '2024-00-10' and their like have no core value, nor have bytes that their
 *   character set does not define. on_type_error says what becomes of them: stop (MR_E_TYPE,
 *   MR_STOP), text (date, datetime and timestamp columns are TEXT from the start, as the server
 *   prints them, timestamps in UTC), null (counted; never in a key, which stops).
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_TYPES_H
#define MR_SOURCE_MYSQL_MYSQL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "charset.h"
#include "chunk.h"
#include "compiler.h"
#include "error.h"
#include "nulled.h"
#include "schema.h"
#include "slice.h"
#include "table_policy.h"
#include "writer.h"

/* Column types on the wire (MySQL: enum_field_types; the last two are MariaDB's). */
enum mr_mysql_wire {
    MR_MYSQL_DECIMAL_OLD = 0,
    MR_MYSQL_TINY = 1,
    MR_MYSQL_SHORT = 2,
    MR_MYSQL_LONG = 3,
    MR_MYSQL_FLOAT = 4,
    MR_MYSQL_DOUBLE = 5,
    MR_MYSQL_NULL = 6,
    MR_MYSQL_TIMESTAMP_OLD = 7,
    MR_MYSQL_LONGLONG = 8,
    MR_MYSQL_INT24 = 9,
    MR_MYSQL_DATE = 10,
    MR_MYSQL_TIME_OLD = 11,
    MR_MYSQL_DATETIME_OLD = 12,
    MR_MYSQL_YEAR = 13,
    MR_MYSQL_NEWDATE = 14,
    MR_MYSQL_VARCHAR = 15,
    MR_MYSQL_BIT = 16,
    MR_MYSQL_TIMESTAMP2 = 17,
    MR_MYSQL_DATETIME2 = 18,
    MR_MYSQL_TIME2 = 19,
    MR_MYSQL_TYPED_ARRAY = 20,
    MR_MYSQL_BLOB_COMPRESSED = 140,
    MR_MYSQL_VARCHAR_COMPRESSED = 141,
    MR_MYSQL_VECTOR = 242,
    MR_MYSQL_JSON = 245,
    MR_MYSQL_NEWDECIMAL = 246,
    MR_MYSQL_ENUM = 247,
    MR_MYSQL_SET = 248,
    MR_MYSQL_TINY_BLOB = 249,
    MR_MYSQL_MEDIUM_BLOB = 250,
    MR_MYSQL_LONG_BLOB = 251,
    MR_MYSQL_BLOB = 252,
    MR_MYSQL_VAR_STRING = 253,
    MR_MYSQL_STRING = 254,
    MR_MYSQL_GEOMETRY = 255,
};

/** What a column holds that its wire type does not tell: known from its type's name alone. */
enum mr_mysql_form {
    MR_MYSQL_PLAIN = 0,
    MR_MYSQL_TEXT_OF_JSON, /* MariaDB: a long text that is checked to be JSON */
    MR_MYSQL_INET4,
    MR_MYSQL_INET6,
    MR_MYSQL_UUID,
    MR_MYSQL_FLOATS, /* a vector */
};

/** Ends the source_type of a generated column, so that the log's schemas tell of it. */
#define MR_MYSQL_GENERATED " GENERATED ALWAYS"

/** A column as information_schema.COLUMNS describes it. Text is UTF-8, borrowed by the callee. */
struct mr_mysql_column_info {
    const char *name;
    const char *column_type; /* COLUMN_TYPE: "bigint unsigned", "enum('a','b')" */
    const char *charset;     /* CHARACTER_SET_NAME; NULL where it does not apply */
    const char *fallback;    /* COLUMN_DEFAULT as printed; NULL when none */
    bool nullable;           /* IS_NULLABLE = 'YES' */
    bool charset_is_guessed; /* a table map that has character sets knows better */
    bool is_generated;       /* GENERATION_EXPRESSION says how */
    bool is_json;            /* MariaDB: CHECK (json_valid(it)) */
    unsigned on_type_error;  /* enum mr_on_type_error; INHERIT is STOP */
};

/** A table as information_schema describes it: every column in ORDINAL_POSITION, the invisible
 *  ones too, and the primary key (nothing else: no unique index in its place). */
struct mr_mysql_table_info {
    const char *space;
    const char *table;
    const struct mr_mysql_column_info *columns;
    const uint16_t *key; /* column indexes of the primary key, in key order */
    uint16_t column_count;
    uint16_t key_count; /* 0: no primary key */
};

struct mr_mysql_column;
struct mr_mysql_misfits;

/** Where a cell goes. */
struct mr_mysql_cell {
    struct mr_column_chunk *cells;
    struct mr_arena *arena;
    struct mr_writer
        *scratch; /* for JSON and packed cells of the binlog; NULL for text. Bounds a value */
    uint32_t row;
};

/** Puts a cell from its bytes (binlog form: length prefix removed; or text form). */
typedef bool (*mr_mysql_put_fn)(const struct mr_mysql_column *column, struct mr_slice bytes,
                                const struct mr_mysql_cell *to, struct mr_error *err);

struct mr_mysql_column {
    struct mr_column core; /* name, source_type, core type, ... as the schema will have it */
    const struct mr_charset *charset; /* NULL where it does not apply */
    const struct mr_slice *labels;    /* enum and set, UTF-8; each followed by its separator */
    mr_mysql_put_fn put_binlog;
    mr_mysql_put_fn put_text;
    mr_mysql_put_fn put_unpacked; /* COMPRESSED columns of MariaDB: takes the unpacked cell */
    struct mr_charset_converter *converter; /* for charset; the column's own */
    struct mr_mysql_misfits *misfits;       /* on_type_error: null; else NULL */
    uint32_t fixed_size;                    /* bytes of a binlog cell; 0: length_size says */
    uint16_t metadata; /* the table map's word, as expected of COLUMN_TYPE when made from it */
    uint16_t label_count;
    uint16_t pad_size;       /* binary(n): n; else 0 */
    uint8_t length_size;     /* 1 to 4 bytes of length before the cell; 0: fixed_size says */
    uint8_t wire;            /* enum mr_mysql_wire; STRING is resolved to ENUM or SET */
    uint8_t form;            /* enum mr_mysql_form */
    uint8_t on_type_error;   /* enum mr_on_type_error */
    bool charset_is_guessed; /* see struct mr_mysql_column_info */
    bool is_unsigned;
    bool is_generated;
    bool is_described; /* information_schema had it: core.fallback and is_generated are known */
};

/** What a column has whose misfits become NULL. */
struct mr_mysql_misfits {
    mr_mysql_put_fn put_binlog; /* that fails */
    mr_mysql_put_fn put_text;
    struct mr_nulled *nulled; /* borrowed; NULL: nobody counts */
    const struct mr_schema *schema;
    uint16_t index;
};

/**
 * Makes a column from information_schema. What it keeps (name, labels, ...) is copied to `arena`.
 * Errors: MR_E_TYPE, MR_STOP: a type or character set that is not supported, named.
 */
bool mr_mysql_column_from_info(const struct mr_mysql_column_info *info, struct mr_arena *arena,
                               struct mr_mysql_column *column, struct mr_error *err) MR_MUST_CHECK;

/** Closes what a column holds outside its arena (a character set converter). */
void mr_mysql_column_done(struct mr_mysql_column *column);

/**
 * Puts a value that is not NULL in its text-protocol form. The session that read it must have
 *   SET NAMES utf8mb4, character_set_results = NULL, time_zone = '+00:00',
 *   sql_mode without PAD_CHAR_TO_FULL_LENGTH,
 * so that text comes in its column's own character set, and select every column through
 * mr_mysql_column_select(). to->scratch may be NULL.
 * Errors: MR_E_TYPE for a value without a core form, MR_E_LIMIT when the arena is full; the caller
 * adds table and column as context.
 */
bool mr_mysql_put_text(const struct mr_mysql_column *column, const struct mr_mysql_cell *to,
                       struct mr_slice text, struct mr_error *err) MR_MUST_CHECK;

/**
 * Appends the select-list expression under which the text protocol gives the column unchanged:
 * `name`, quoted, but for FLOAT and DOUBLE (printed with 6 digits, or with the declared scale):
 * `name`*1e0, which prints the shortest digits that read back the same, and -0 as it is.
 */
void mr_mysql_column_select(const struct mr_mysql_column *column, struct mr_writer *sql);

#endif
