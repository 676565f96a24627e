// SPDX-License-Identifier: MIT
/*
 * table_map.h - the TABLE_MAP event: which table a number stands for, and its columns' types.
 *
 *   body := u48 table_id, u16 flags, u8 n, space[n] NUL, u8 n, table[n] NUL, lenenc columns,
 *           types[columns], lenenc n, metadata[n], null_bits[(columns + 7) / 8], optional fields
 *   field := u8 type, lenenc n, value[n]
 *
 * Everything after table_id and flags is the `shape`: two maps of one table with equal shapes
 * describe the same columns.
 *
 * Source: MySQL, libs/mysql/binlog/event/rows_event.h, class Table_map_event.
 */
#ifndef MR_SOURCE_MYSQL_TABLE_MAP_H
#define MR_SOURCE_MYSQL_TABLE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "error.h"
#include "reader.h"
#include "schema.h"
#include "slice.h"

struct mr_table_map_column {
    struct mr_slice name;   /* empty unless the map has names */
    struct mr_slice labels; /* enum, set: lenenc count, then lenenc strings; empty if not told */
    uint32_t collation;     /* character columns, enum and set: 0 when not told */
    uint32_t geometry;      /* geometry columns: sub-type, UINT32_MAX when not told */
    uint16_t metadata;      /* as the wire has it, with ENUM and SET already resolved */
    uint8_t wire;           /* enum mr_mysql_wire: ENUM or SET instead of STRING where it is */
    bool nullable;
    bool is_unsigned; /* meaningless unless the map has signs */
};

struct mr_table_map {
    uint64_t table_id;
    struct mr_slice space; /* followed by a NUL, as is table */
    struct mr_slice table;
    struct mr_slice shape;
    struct mr_table_map_column *columns;
    uint16_t *key; /* key_count column indexes, in key order */
    uint16_t column_count;
    uint16_t key_count;
    bool is_maria;  /* set by who peeked: geometry has a character set there */
    bool has_names; /* binlog_row_metadata=FULL */
    bool has_signs;
    bool has_charsets;
};

/** Only what names the table: all that a table already known, or not captured, costs. */
bool mr_table_map_peek(struct mr_slice body, struct mr_table_map *map,
                       struct mr_error *err) MR_MUST_CHECK;

/** Reads the columns behind a peeked map into the arena. The slices borrow map->shape's bytes. */
bool mr_table_map_read(struct mr_table_map *map, struct mr_arena *arena,
                       struct mr_error *err) MR_MUST_CHECK;

/** Reads one lenenc integer (1, 3, 4 or 9 bytes); fails the reader on 251 and 255. */
uint64_t mr_read_lenenc(struct mr_reader *reader);

#endif
