// SPDX-License-Identifier: MIT
/*
 * table_map.c - a table map's columns, from their types to the optional fields behind them.
 *
 * Optional fields speak of columns in groups: signs of the numeric ones, character sets of the
 * character ones or of the enums and sets, labels of the enums or of the sets, each in column
 * order. Fields we have no use for (visibility, vector sizes, ...) are stepped over: they do not
 * change what the rows mean.
 */
#include "table_map.h"

#include <string.h>

#include "mysql_types.h"

enum field_type {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_COLUMN_NAME = 4,
    FIELD_SET_LABELS = 5,
    FIELD_ENUM_LABELS = 6,
    FIELD_GEOMETRY_TYPE = 7,
    FIELD_SIMPLE_KEY = 8,
    FIELD_KEY_WITH_PREFIX = 9,
    FIELD_ENUM_SET_DEFAULT_CHARSET = 10,
    FIELD_ENUM_SET_COLUMN_CHARSET = 11,
};

/* Which columns a field speaks of. */
enum column_group {
    GROUP_NUMERIC,
    GROUP_CHARACTER,
    GROUP_ENUM_SET,
    GROUP_ENUM,
    GROUP_SET,
    GROUP_GEOMETRY
};

uint64_t mr_read_lenenc(struct mr_reader *reader)
{
    const uint8_t lead = mr_read_u8(reader);
    switch (lead) {
    case 252:
        return mr_read_u16_le(reader);
    case 253:
        return mr_read_uint_le(reader, 3);
    case 254:
        return mr_read_u64_le(reader);
    case 251: /* NULL, which has no place in an event */
    case 255:
        reader->failed = true;
        return 0;
    default:
        return lead;
    }
}

/** A name: u8 length, bytes, NUL; no NUL within. */
static struct mr_slice read_name(struct mr_reader *in)
{
    const uint8_t length = mr_read_u8(in);
    const struct mr_slice name = mr_read_slice(in, length);
    const uint8_t nul = mr_read_u8(in);
    if (mr_reader_ok(in) && (nul != 0 || length == 0 || memchr(name.bytes, 0, length) != NULL)) {
        in->failed = true;
    }
    return name;
}

bool mr_table_map_peek(struct mr_slice body, struct mr_table_map *map, struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(body.bytes, body.length);
    struct mr_table_map peeked = {0};
    peeked.table_id = mr_read_uint_le(&in, 6);
    mr_read_skip(&in, 2); /* flags */
    const size_t shape_at = in.offset;
    peeked.space = read_name(&in);
    peeked.table = read_name(&in);
    if (!mr_reader_check(&in, "binlog TABLE_MAP", err)) {
        return false;
    }
    peeked.shape = (struct mr_slice){body.bytes + shape_at, body.length - shape_at};
    *map = peeked;
    return true;
}

/** Reads the metadata word of one column; its size and byte order depend on the type. */
static void read_metadata(struct mr_reader *in, struct mr_table_map_column *column)
{
    MR_ASSERT(column->metadata == 0);
    const uint8_t wire = column->wire;
    if (wire == MR_MYSQL_STRING || wire == MR_MYSQL_NEWDECIMAL || wire == MR_MYSQL_ENUM ||
        wire == MR_MYSQL_SET || wire == MR_MYSQL_VAR_STRING) {
        const uint8_t first = mr_read_u8(in);
        const uint8_t second = mr_read_u8(in);
        column->metadata = (uint16_t)(first << 8 | second);
        if (wire == MR_MYSQL_STRING && (first == MR_MYSQL_ENUM || first == MR_MYSQL_SET)) {
            column->wire = first;
            column->metadata = second;
        } else if (wire == MR_MYSQL_STRING && (first & 0x30) != 0x30) {
            /* Lengths past 255: bits 8 and 9 hide, inverted, in the type. */
            column->metadata = (uint16_t)(((first & 0x30) ^ 0x30) << 4 | second);
            column->wire = (uint8_t)(first | 0x30);
        } else if (wire == MR_MYSQL_STRING) {
            column->wire = first == 0 ? wire : first;
            column->metadata = second;
        } else if (wire == MR_MYSQL_ENUM || wire == MR_MYSQL_SET) {
            column->metadata = second;
        }
    } else if (wire == MR_MYSQL_VARCHAR || wire == MR_MYSQL_BIT ||
               wire == MR_MYSQL_VARCHAR_COMPRESSED) {
        column->metadata = mr_read_u16_le(in);
    } else if (wire == MR_MYSQL_FLOAT || wire == MR_MYSQL_DOUBLE || wire == MR_MYSQL_TIMESTAMP2 ||
               wire == MR_MYSQL_DATETIME2 || wire == MR_MYSQL_TIME2 ||
               (wire >= MR_MYSQL_TINY_BLOB && wire <= MR_MYSQL_BLOB) || wire == MR_MYSQL_JSON ||
               wire == MR_MYSQL_GEOMETRY || wire == MR_MYSQL_VECTOR ||
               wire == MR_MYSQL_BLOB_COMPRESSED) {
        column->metadata = mr_read_u8(in);
    } else if (wire == MR_MYSQL_TYPED_ARRAY) {
        in->failed = true; /* only hidden columns have it, and these are not replicated */
    }
}

static bool is_in_group(const struct mr_table_map *map, const struct mr_table_map_column *column,
                        enum column_group group)
{
    const uint8_t wire = column->wire;
    switch (group) {
    case GROUP_NUMERIC:
        return wire == MR_MYSQL_TINY || wire == MR_MYSQL_SHORT || wire == MR_MYSQL_INT24 ||
               wire == MR_MYSQL_LONG || wire == MR_MYSQL_LONGLONG || wire == MR_MYSQL_NEWDECIMAL ||
               wire == MR_MYSQL_FLOAT || wire == MR_MYSQL_DOUBLE || wire == MR_MYSQL_YEAR;
    case GROUP_CHARACTER:
        return wire == MR_MYSQL_STRING || wire == MR_MYSQL_VAR_STRING || wire == MR_MYSQL_VARCHAR ||
               wire == MR_MYSQL_VARCHAR_COMPRESSED || wire == MR_MYSQL_BLOB_COMPRESSED ||
               (wire >= MR_MYSQL_TINY_BLOB && wire <= MR_MYSQL_BLOB) ||
               (wire == MR_MYSQL_GEOMETRY && map->is_maria);
    case GROUP_ENUM_SET:
        return wire == MR_MYSQL_ENUM || wire == MR_MYSQL_SET;
    case GROUP_ENUM:
        return wire == MR_MYSQL_ENUM;
    case GROUP_SET:
        return wire == MR_MYSQL_SET;
    case GROUP_GEOMETRY:
        return wire == MR_MYSQL_GEOMETRY;
    }
    return false;
}

/** The next column of a group at or after *at, or NULL. */
static struct mr_table_map_column *next_in_group(struct mr_table_map *map, enum column_group group,
                                                 uint16_t *at)
{
    MR_ASSERT(*at <= map->column_count && map->columns != NULL);
    while (*at < map->column_count) {
        struct mr_table_map_column *column = &map->columns[(*at)++];
        if (is_in_group(map, column, group)) {
            return column;
        }
    }
    return NULL;
}

static void read_signedness(struct mr_table_map *map, struct mr_reader *in)
{
    struct mr_table_map_column *column;
    uint16_t at = 0;
    uint8_t byte = 0;
    for (unsigned i = 0; (column = next_in_group(map, GROUP_NUMERIC, &at)) != NULL; i++) {
        byte = (uint8_t)(i % 8 == 0 ? mr_read_u8(in) : byte << 1);
        column->is_unsigned = (byte & 0x80) != 0;
    }
    map->has_signs = true;
}

/** One collation for the group, then (index in the group, collation) for those that differ. */
static void read_default_charset(struct mr_table_map *map, enum column_group group,
                                 struct mr_reader *in)
{
    MR_ASSERT(group == GROUP_CHARACTER || group == GROUP_ENUM_SET);
    struct mr_table_map_column *column;
    const uint32_t usual = (uint32_t)mr_read_lenenc(in);
    uint64_t wanted = mr_reader_left(in) > 0 ? mr_read_lenenc(in) : UINT64_MAX;
    uint16_t at = 0;
    for (uint64_t i = 0; (column = next_in_group(map, group, &at)) != NULL; i++) {
        column->collation = usual;
        if (i == wanted) {
            column->collation = (uint32_t)mr_read_lenenc(in);
            wanted = mr_reader_left(in) > 0 ? mr_read_lenenc(in) : UINT64_MAX;
        }
    }
}

static void read_column_charset(struct mr_table_map *map, enum column_group group,
                                struct mr_reader *in)
{
    MR_ASSERT(group == GROUP_CHARACTER || group == GROUP_ENUM_SET);
    struct mr_table_map_column *column;
    uint16_t at = 0;
    while ((column = next_in_group(map, group, &at)) != NULL) {
        column->collation = (uint32_t)mr_read_lenenc(in);
    }
}

static void read_names(struct mr_table_map *map, struct mr_reader *in)
{
    MR_ASSERT(map->columns != NULL && map->column_count > 0);
    for (uint16_t i = 0; i < map->column_count; i++) {
        const uint64_t length = mr_read_lenenc(in);
        map->columns[i].name = mr_read_slice(in, length);
        if (mr_reader_ok(in) &&
            (length == 0 || memchr(map->columns[i].name.bytes, 0, length) != NULL)) {
            in->failed = true;
        }
    }
    map->has_names = true;
}

static void read_labels(struct mr_table_map *map, enum column_group group, struct mr_reader *in)
{
    MR_ASSERT(group == GROUP_ENUM || group == GROUP_SET);
    struct mr_table_map_column *column;
    uint16_t at = 0;
    while ((column = next_in_group(map, group, &at)) != NULL && mr_reader_ok(in)) {
        const size_t start = in->offset;
        const uint64_t count = mr_read_lenenc(in);
        for (uint64_t i = 0; i < count && mr_reader_ok(in); i++) {
            mr_read_skip(in, mr_read_lenenc(in));
        }
        column->labels = (struct mr_slice){in->base + start, in->offset - start};
    }
}

static void read_geometry(struct mr_table_map *map, struct mr_reader *in)
{
    struct mr_table_map_column *column;
    uint16_t at = 0;
    while ((column = next_in_group(map, GROUP_GEOMETRY, &at)) != NULL) {
        column->geometry = (uint32_t)mr_read_lenenc(in);
    }
}

static bool is_in_key(const struct mr_table_map *map, uint64_t column)
{
    MR_ASSERT(map->key_count <= map->column_count);
    for (uint16_t i = 0; i < map->key_count; i++) {
        if (map->key[i] == column) {
            return true;
        }
    }
    return false;
}

/** Key columns; a prefix length does not matter to us: whole values are unique as well. */
static void read_key(struct mr_table_map *map, bool with_prefix, struct mr_reader *in)
{
    MR_ASSERT(map->key != NULL);
    map->key_count = 0;
    while (mr_reader_left(in) > 0) {
        const uint64_t column = mr_read_lenenc(in);
        if (with_prefix) {
            (void)mr_read_lenenc(in);
        }
        if (!mr_reader_ok(in) || column >= map->column_count || is_in_key(map, column)) {
            in->failed = true;
            return;
        }
        map->key[map->key_count++] = (uint16_t)column;
    }
}

static bool read_field(struct mr_table_map *map, uint8_t type, struct mr_slice value,
                       struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(value.bytes, value.length);
    switch ((enum field_type)type) {
    case FIELD_SIGNEDNESS:
        read_signedness(map, &in);
        break;
    case FIELD_DEFAULT_CHARSET:
        read_default_charset(map, GROUP_CHARACTER, &in);
        map->has_charsets = true;
        break;
    case FIELD_COLUMN_CHARSET:
        read_column_charset(map, GROUP_CHARACTER, &in);
        map->has_charsets = true;
        break;
    case FIELD_COLUMN_NAME:
        read_names(map, &in);
        break;
    case FIELD_SET_LABELS:
        read_labels(map, GROUP_SET, &in);
        break;
    case FIELD_ENUM_LABELS:
        read_labels(map, GROUP_ENUM, &in);
        break;
    case FIELD_GEOMETRY_TYPE:
        read_geometry(map, &in);
        break;
    case FIELD_SIMPLE_KEY:
        read_key(map, false, &in);
        break;
    case FIELD_KEY_WITH_PREFIX:
        read_key(map, true, &in);
        break;
    case FIELD_ENUM_SET_DEFAULT_CHARSET:
        read_default_charset(map, GROUP_ENUM_SET, &in);
        break;
    case FIELD_ENUM_SET_COLUMN_CHARSET:
        read_column_charset(map, GROUP_ENUM_SET, &in);
        break;
    }
    return mr_reader_check(&in, "binlog TABLE_MAP: an optional field", err);
}

static bool read_columns(struct mr_table_map *map, struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(map->columns != NULL && map->column_count > 0);
    const struct mr_slice types = mr_read_slice(in, map->column_count);
    const uint64_t metadata_size = mr_read_lenenc(in);
    const struct mr_slice metadata = mr_read_slice(in, metadata_size);
    const struct mr_slice nullable = mr_read_slice(in, (map->column_count + 7u) / 8);
    if (!mr_reader_check(in, "binlog TABLE_MAP", err)) {
        return false;
    }
    MR_ASSERT(types.bytes != NULL && nullable.bytes != NULL && map->column_count > 0);
    struct mr_reader words = mr_reader_init(metadata.bytes, metadata.length);
    for (uint16_t i = 0; i < map->column_count; i++) {
        struct mr_table_map_column *column = &map->columns[i];
        column->wire = types.bytes[i];
        column->geometry = UINT32_MAX;
        column->nullable = (nullable.bytes[i / 8] >> (i % 8) & 1) != 0;
        read_metadata(&words, column);
    }
    return mr_reader_finish(&words, "binlog TABLE_MAP: metadata", err);
}

bool mr_table_map_read(struct mr_table_map *map, struct mr_arena *arena, struct mr_error *err)
{
    MR_ASSERT(map->shape.bytes != NULL && map->columns == NULL);
    struct mr_reader in = mr_reader_init(map->shape.bytes, map->shape.length);
    mr_read_skip(&in, map->space.length + 2 + map->table.length + 2);
    const uint64_t count = mr_read_lenenc(&in);
    if (!mr_reader_ok(&in) || count == 0 || count > MR_COLUMN_COUNT_MAX ||
        count > mr_reader_left(&in)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "binlog TABLE_MAP: %llu columns",
                       (unsigned long long)count);
    }
    map->column_count = (uint16_t)count;
    map->columns = MR_ARENA_NEW(arena, struct mr_table_map_column, count);
    map->key = MR_ARENA_NEW(arena, uint16_t, count);
    if (map->columns == NULL || map->key == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "no room for a table map of %llu columns",
                       (unsigned long long)count);
    }
    if (!read_columns(map, &in, err)) {
        return false;
    }
    while (mr_reader_left(&in) > 0) {
        const uint8_t type = mr_read_u8(&in);
        const uint64_t size = mr_read_lenenc(&in);
        const struct mr_slice value = mr_read_slice(&in, size);
        if (!mr_reader_check(&in, "binlog TABLE_MAP: optional fields", err) ||
            !read_field(map, type, value, err)) {
            return false;
        }
    }
    return true;
}
