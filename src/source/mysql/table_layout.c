// SPDX-License-Identifier: MIT
/*
 * table_layout.c - joins a table map with what information_schema says, column by column.
 *
 * The map rules: it was written with the rows. information_schema tells the state of now, which may
 * be newer than the rows; it gives what the map lacks and must agree with what the map has. Where
 * the map has it all (binlog_row_metadata=FULL) it adds the type as printed and the default, so
 * that snapshot and stream make the same schema version.
 */
#include "table_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "mysql_column.h"
#include "reader.h"

#define LAYOUT_BYTES_MAX ((size_t)16 << 20) /* of address space */
#define TYPE_NAME_BYTES  64

static bool fail_room(struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP, "the table's description does not fit %zu bytes",
                   LAYOUT_BYTES_MAX);
}

static struct mr_mysql_layout *open_layout(uint16_t column_count, struct mr_error *err)
{
    struct mr_mysql_layout *layout = mr_memory_new(1, sizeof(*layout));
    if (!mr_arena_init(&layout->arena, LAYOUT_BYTES_MAX, 0, err)) {
        free(layout);
        return NULL;
    }
    const size_t count = column_count;
    layout->columns = MR_ARENA_NEW(&layout->arena, struct mr_mysql_column, count);
    layout->column_count = column_count;
    MR_ASSERT(layout->columns != NULL && column_count <= MR_COLUMN_COUNT_MAX);
    return layout;
}

void mr_mysql_layout_close(struct mr_mysql_layout *layout)
{
    if (layout == NULL) {
        return;
    }
    for (uint16_t i = 0; i < layout->column_count; i++) {
        mr_mysql_column_done(&layout->columns[i]);
    }
    mr_arena_done(&layout->arena);
    free(layout);
}

struct key {
    const uint16_t *columns;
    uint16_t count;
};

static enum mr_on_type_error find_policy(const struct mr_mysql_layout_terms *terms,
                                         const struct mr_schema *draft, const char *column)
{
    MR_ASSERT(terms->policies == NULL || terms->source != NULL);
    const struct mr_table_policy *policy = mr_policies_find(
        terms->policies, terms->source == NULL ? "" : terms->source, draft->space, draft->table);
    return mr_table_policy_on_type_error(policy, column);
}

/** Places the key, and enters the finished columns in the catalog. */
static bool intern(struct mr_mysql_layout *layout, struct mr_schema draft, struct key key,
                   const struct mr_mysql_layout_terms *terms, struct mr_error *err)
{
    MR_ASSERT(layout->schema == NULL && layout->key_end == 0);
    for (uint16_t i = 0; i < key.count; i++) {
        if (key.columns[i] >= layout->column_count ||
            layout->columns[key.columns[i]].core.key_index != MR_NOT_IN_KEY) {
            return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "its key names column %u of %u",
                           key.columns[i], layout->column_count);
        }
        layout->columns[key.columns[i]].core.key_index = i;
        layout->key_end =
            key.columns[i] >= layout->key_end ? (uint16_t)(key.columns[i] + 1) : layout->key_end;
    }
    struct mr_column *columns =
        MR_ARENA_NEW(&layout->arena, struct mr_column, layout->column_count);
    if (columns == NULL) {
        return fail_room(err);
    }
    for (uint16_t i = 0; i < layout->column_count; i++) {
        if (!mr_mysql_column_null_misfits(&layout->columns[i], terms->nulled, i, &layout->arena)) {
            return fail_room(err);
        }
        columns[i] = layout->columns[i].core;
    }
    draft.columns = columns;
    draft.column_count = layout->column_count;
    draft.key_count = key.count;
    draft.key = key.columns;
    draft.full_before = key.count == 0;
    layout->schema = mr_catalog_follow(terms->catalog, terms->follows, &draft, err);
    for (uint16_t i = 0; i < layout->column_count; i++) {
        if (layout->columns[i].misfits != NULL) {
            layout->columns[i].misfits->schema = layout->schema;
        }
    }
    return layout->schema != NULL;
}

struct mr_mysql_layout *mr_mysql_layout_from_info(const struct mr_mysql_table_info *info,
                                                  const struct mr_mysql_layout_terms *terms,
                                                  struct mr_error *err)
{
    MR_ASSERT(info->space != NULL && info->table != NULL && terms->catalog != NULL);
    if (info->column_count == 0 || info->column_count > MR_COLUMN_COUNT_MAX) {
        mr_fail(err, MR_E_LIMIT, MR_STOP, "table \"%s\".\"%s\" has %u columns", info->space,
                info->table, info->column_count);
        return NULL;
    }
    struct mr_mysql_layout *layout = open_layout(info->column_count, err);
    const struct mr_schema draft = {.space = info->space, .table = info->table};
    bool good = layout != NULL;
    for (uint16_t i = 0; good && i < info->column_count; i++) {
        struct mr_mysql_column_info column = info->columns[i];
        column.on_type_error = find_policy(terms, &draft, column.name);
        good = mr_mysql_column_from_info(&column, &layout->arena, &layout->columns[i], err);
    }
    good = good && intern(layout, draft, (struct key){info->key, info->key_count}, terms, err);
    if (!good) {
        mr_error_context(err, "table \"%s\".\"%s\"", info->space, info->table);
        mr_mysql_layout_close(layout);
        return NULL;
    }
    return layout;
}

/* ---- Do the map and information_schema speak of the same column? ---- */

static bool is_blob(uint8_t wire)
{
    return (wire >= MR_MYSQL_TINY_BLOB && wire <= MR_MYSQL_BLOB) ||
           wire == MR_MYSQL_BLOB_COMPRESSED;
}

static bool is_string(uint8_t wire)
{
    return wire == MR_MYSQL_STRING || wire == MR_MYSQL_VARCHAR || wire == MR_MYSQL_VAR_STRING ||
           wire == MR_MYSQL_VARCHAR_COMPRESSED;
}

static bool has_sign(uint8_t wire)
{
    return wire == MR_MYSQL_TINY || wire == MR_MYSQL_SHORT || wire == MR_MYSQL_INT24 ||
           wire == MR_MYSQL_LONG || wire == MR_MYSQL_LONGLONG;
}

/** MariaDB's JSON is a long text: information_schema may know better what it holds. */
static bool is_json_as_text(const struct mr_mysql_column *told, uint8_t wire)
{
    return told->wire == MR_MYSQL_JSON && is_blob(wire);
}

static uint32_t bit_bytes(uint16_t metadata)
{
    return ((metadata >> 8) * 8u + (metadata & 0xff) + 7) / 8;
}

static bool wires_agree(uint8_t left, uint8_t right)
{
    return left == right ||
           (is_blob(left) && is_blob(right) &&
            (left == MR_MYSQL_BLOB_COMPRESSED) == (right == MR_MYSQL_BLOB_COMPRESSED)) ||
           (left == MR_MYSQL_DATE && right == MR_MYSQL_NEWDATE) ||
           (left == MR_MYSQL_VARCHAR && right == MR_MYSQL_VAR_STRING);
}

static bool metadata_agrees(const struct mr_mysql_column *told,
                            const struct mr_table_map_column *mapped, bool exactly)
{
    MR_ASSERT(wires_agree(told->wire, mapped->wire));
    if (mapped->wire == MR_MYSQL_BIT) {
        return bit_bytes(told->metadata) == bit_bytes(mapped->metadata);
    }
    const bool is_length = is_string(mapped->wire) || is_blob(mapped->wire);
    return told->metadata == mapped->metadata || (is_length && !exactly) || has_sign(mapped->wire);
}

/**
 * Same kind of value? Lengths of strings may differ unless `exactly`: a column that was made wider
 * since decodes just as well. Without character sets in the map, lengths are all that would give
 * away that one has changed, so they must be the same.
 */
static bool columns_agree(const struct mr_mysql_column *told, const struct mr_table_map *map,
                          const struct mr_table_map_column *mapped, bool exactly)
{
    MR_ASSERT(told->put_binlog != NULL); /* resolved */
    if (is_json_as_text(told, mapped->wire)) {
        return true;
    }
    if (!wires_agree(told->wire, mapped->wire) ||
        !metadata_agrees(told, mapped, exactly || !map->has_charsets)) {
        return false;
    }
    if (map->has_signs && has_sign(mapped->wire) && told->is_unsigned != mapped->is_unsigned) {
        return false;
    }
    if (map->has_charsets && mapped->collation != 0 &&
        (is_string(mapped->wire) || is_blob(mapped->wire))) {
        const struct mr_charset *charset = mr_charset_of_collation(mapped->collation);
        return charset == NULL || charset == told->charset || told->charset_is_guessed;
    }
    return true;
}

/* ---- The map's own words. ---- */

static const char *blob_name(const struct mr_mysql_column *column)
{
    static const char *const names[2][4] = {
        {"tinytext", "text", "mediumtext", "longtext"},
        {"tinyblob", "blob", "mediumblob", "longblob"},
    };
    MR_ASSERT(column->metadata >= 1 && column->metadata <= 4);
    return names[column->core.type == MR_TYPE_BYTES ? 1 : 0][column->metadata - 1];
}

static const char *integer_name(uint8_t wire)
{
    MR_ASSERT(has_sign(wire));
    return wire == MR_MYSQL_TINY    ? "tinyint"
           : wire == MR_MYSQL_SHORT ? "smallint"
           : wire == MR_MYSQL_INT24 ? "mediumint"
           : wire == MR_MYSQL_LONG  ? "int"
                                    : "bigint";
}

static void name_temporal(const struct mr_mysql_column *column, char name[TYPE_NAME_BYTES])
{
    MR_ASSERT(column->metadata <= 6);
    const char *type = column->wire == MR_MYSQL_TIMESTAMP2  ? "timestamp"
                       : column->wire == MR_MYSQL_DATETIME2 ? "datetime"
                                                            : "time";
    if (column->metadata == 0) {
        (void)snprintf(name, TYPE_NAME_BYTES, "%s", type);
    } else {
        (void)snprintf(name, TYPE_NAME_BYTES, "%s(%u)", type, column->metadata);
    }
}

static void name_string(const struct mr_mysql_column *column, char name[TYPE_NAME_BYTES])
{
    MR_ASSERT(column->charset != NULL && column->charset->char_bytes_max > 0);
    const bool is_fixed = column->wire == MR_MYSQL_STRING;
    const bool is_binary = column->core.type == MR_TYPE_BYTES;
    const char *type =
        is_fixed ? (is_binary ? "binary" : "char") : (is_binary ? "varbinary" : "varchar");
    (void)snprintf(name, TYPE_NAME_BYTES, "%s(%u)", type,
                   column->metadata / column->charset->char_bytes_max);
}

/** Types whose name is all there is to say. */
static const char *plain_name(const struct mr_mysql_column *column)
{
    static const char *const names[256] = {
        [MR_MYSQL_FLOAT] = "float",   [MR_MYSQL_DOUBLE] = "double",     [MR_MYSQL_YEAR] = "year",
        [MR_MYSQL_DATE] = "date",     [MR_MYSQL_NEWDATE] = "date",      [MR_MYSQL_JSON] = "json",
        [MR_MYSQL_VECTOR] = "vector", [MR_MYSQL_GEOMETRY] = "geometry",
    };
    return names[column->wire] != NULL ? names[column->wire] : blob_name(column);
}

static bool is_temporal(uint8_t wire)
{
    return wire == MR_MYSQL_TIMESTAMP2 || wire == MR_MYSQL_DATETIME2 || wire == MR_MYSQL_TIME2;
}

/** Prints a resolved column's type as COLUMN_TYPE would, but for enum and set. */
static void name_type(const struct mr_mysql_column *column, char name[TYPE_NAME_BYTES])
{
    MR_ASSERT(column->wire != MR_MYSQL_ENUM && column->wire != MR_MYSQL_SET);
    const unsigned high = column->metadata >> 8;
    const unsigned low = column->metadata & 0xff;
    if (has_sign(column->wire)) {
        (void)snprintf(name, TYPE_NAME_BYTES, "%s%s", integer_name(column->wire),
                       column->is_unsigned ? " unsigned" : "");
    } else if (column->wire == MR_MYSQL_NEWDECIMAL) {
        (void)snprintf(name, TYPE_NAME_BYTES, "decimal(%u,%u)", high, low);
    } else if (column->wire == MR_MYSQL_BIT) {
        (void)snprintf(name, TYPE_NAME_BYTES, "bit(%u)", high * 8 + low);
    } else if (is_temporal(column->wire)) {
        name_temporal(column, name);
    } else if (is_string(column->wire)) {
        name_string(column, name);
    } else {
        (void)snprintf(name, TYPE_NAME_BYTES, "%s", plain_name(column));
    }
}

/** "enum('a','b')", with quotes and backslashes doubled. */
static const char *name_labels(const struct mr_mysql_column *column, struct mr_arena *arena)
{
    MR_ASSERT(column->labels != NULL && column->label_count > 0);
    size_t size = 8;
    for (uint16_t i = 0; i < column->label_count; i++) {
        size += 2 * column->labels[i].length + 3;
    }
    char *text = mr_arena_alloc(arena, size, 1);
    if (text == NULL) {
        return NULL;
    }
    size_t at = (size_t)snprintf(text, size, "%s(", column->wire == MR_MYSQL_SET ? "set" : "enum");
    for (uint16_t i = 0; i < column->label_count; i++) {
        text[at++] = '\'';
        for (size_t j = 0; j < column->labels[i].length; j++) {
            const char c = (char)column->labels[i].bytes[j];
            if (c == '\'' || c == '\\') {
                text[at++] = c;
            }
            text[at++] = c;
        }
        text[at++] = '\'';
        text[at++] = i + 1 < column->label_count ? ',' : ')';
    }
    text[at] = '\0';
    MR_ASSERT(at < size);
    return text;
}

static bool name_column_type(struct mr_mysql_column *column, struct mr_arena *arena)
{
    MR_ASSERT(column->put_binlog != NULL);
    char name[TYPE_NAME_BYTES];
    if (column->wire == MR_MYSQL_ENUM || column->wire == MR_MYSQL_SET) {
        column->core.source_type = name_labels(column, arena);
    } else {
        name_type(column, name);
        column->core.source_type = mr_mysql_keep_text(arena, mr_slice_of(name));
    }
    return column->core.source_type != NULL;
}

/** Labels from the map: lenenc count, lenenc strings in the column's character set. */
static bool take_labels(struct mr_mysql_column *column, struct mr_slice told,
                        struct mr_arena *arena, struct mr_error *err)
{
    MR_ASSERT(column->converter != NULL);
    struct mr_reader in = mr_reader_init(told.bytes, told.length);
    const uint64_t count = mr_read_lenenc(&in);
    if (!mr_reader_ok(&in) || count == 0 || count > mr_reader_left(&in)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "its labels cannot be read");
    }
    if (column->charset == NULL || column->charset->kind == MR_CHARSET_BINARY) {
        static const struct mr_slice utf8 = {(const uint8_t *)"utf8mb4", 7};
        column->charset = mr_charset_find(utf8);
    }
    struct mr_slice *labels = MR_ARENA_NEW(arena, struct mr_slice, count);
    uint8_t *block = mr_arena_alloc(arena, told.length * (MR_CHARSET_GROWTH_MAX + 1), 1);
    if (labels == NULL || block == NULL) {
        return fail_room(err);
    }
    size_t at = 0;
    for (uint64_t i = 0; i < count; i++) {
        const struct mr_slice label = mr_read_slice(&in, mr_read_lenenc(&in));
        size_t length = 0;
        if (!mr_reader_check(&in, "its labels", err) ||
            !mr_charset_convert(column->charset, column->converter, label, block + at, &length,
                                err)) {
            return false;
        }
        labels[i] = (struct mr_slice){block + at, length};
        at += length;
        block[at++] = '\x1f';
    }
    block[at - 1] = '\0';
    column->core.labels = (const char *)block;
    column->labels = labels;
    column->label_count = (uint16_t)count;
    return count <= UINT16_MAX || fail_room(err);
}

/* ---- One column, from both sides. ---- */

/** What joining needs to know. */
struct join {
    const struct mr_table_map *map;
    const struct mr_mysql_table_info *info; /* or NULL */
    const struct mr_mysql_layout_terms *terms;
    struct mr_mysql_layout *layout;
    struct mr_schema draft; /* space and table alone */
};

static const struct mr_mysql_column_info *find_info(const struct join *join, uint16_t index)
{
    MR_ASSERT(index < join->map->column_count);
    if (join->info == NULL) {
        return NULL;
    }
    if (!join->map->has_names) {
        return &join->info->columns[index];
    }
    const struct mr_slice name = join->map->columns[index].name;
    for (uint16_t i = 0; i < join->info->column_count; i++) {
        if (mr_slice_equals(mr_slice_of(join->info->columns[i].name), name)) {
            return &join->info->columns[i];
        }
    }
    return NULL;
}

static bool fail_disagreement(const struct mr_mysql_column *told, struct mr_error *err)
{
    return mr_fail(err, MR_E_SOURCE, MR_STOP,
                   "column \"%s\" is \"%s\" now, but was another type when the change was logged; "
                   "set binlog_row_metadata=FULL, then copy the table anew",
                   told->core.name, told->core.source_type);
}

/** Fills in what the map says; where it says nothing, what `told` (or NULL) says. */
static bool join_column(const struct join *join, const struct mr_table_map_column *mapped,
                        const struct mr_mysql_column *told, struct mr_mysql_column *column,
                        struct mr_error *err)
{
    MR_ASSERT(column->core.name != NULL && column->converter != NULL);
    struct mr_arena *arena = &join->layout->arena;
    column->wire = mapped->wire;
    column->metadata = mapped->metadata;
    column->core.nullable = mapped->nullable;
    column->is_unsigned =
        join->map->has_signs ? mapped->is_unsigned : told != NULL && told->is_unsigned;
    if (mapped->collation != 0) {
        column->charset = mr_charset_of_collation(mapped->collation);
    }
    if (column->charset == NULL && told != NULL) {
        column->charset = told->charset;
    }
    column->form = told != NULL ? told->form : MR_MYSQL_PLAIN;
    if (mapped->labels.length > 0) {
        if (!take_labels(column, mapped->labels, arena, err)) {
            return false;
        }
    } else if (told != NULL) {
        column->labels = told->labels;
        column->label_count = told->label_count;
        column->core.labels = told->core.labels;
    }
    if (!mr_mysql_column_resolve(column, err)) {
        return false;
    }
    if (told != NULL && is_json_as_text(told, mapped->wire)) {
        column->core.type = MR_TYPE_JSON;
        column->core.charset = told->core.charset;
    }
    return true;
}

static bool same_labels(const struct mr_mysql_column *left, const struct mr_mysql_column *right)
{
    return left->core.labels == right->core.labels ||
           (left->core.labels != NULL && right->core.labels != NULL &&
            strcmp(left->core.labels, right->core.labels) == 0);
}

static bool name_table(struct join *join, struct mr_error *err)
{
    MR_ASSERT(join->layout != NULL);
    join->draft = (struct mr_schema){
        .space = mr_mysql_keep_text(&join->layout->arena, join->map->space),
        .table = mr_mysql_keep_text(&join->layout->arena, join->map->table),
    };
    return (join->draft.space != NULL && join->draft.table != NULL) || fail_room(err);
}

static bool make_column(const struct join *join, uint16_t index, struct mr_error *err)
{
    MR_ASSERT(index < join->layout->column_count);
    struct mr_arena *arena = &join->layout->arena;
    const struct mr_table_map_column *mapped = &join->map->columns[index];
    const struct mr_mysql_column_info *info = find_info(join, index);
    struct mr_mysql_column *column = &join->layout->columns[index];
    struct mr_mysql_column told = {0};
    column->core.key_index = MR_NOT_IN_KEY;
    column->converter = MR_ARENA_NEW(arena, struct mr_charset_converter, 1);
    column->core.name =
        mr_mysql_keep_text(arena, join->map->has_names ? mapped->name : mr_slice_of(info->name));
    if (column->converter == NULL || column->core.name == NULL) {
        return fail_room(err);
    }
    column->on_type_error = (uint8_t)find_policy(join->terms, &join->draft, column->core.name);
    if (info != NULL) {
        struct mr_mysql_column_info described = *info;
        described.on_type_error = column->on_type_error;
        if (!mr_mysql_column_from_info(&described, arena, &told, err)) {
            return false;
        }
    }
    told.charset_is_guessed = info != NULL && info->charset_is_guessed;
    if (info != NULL && !join->map->has_names && !columns_agree(&told, join->map, mapped, false)) {
        return fail_disagreement(&told, err);
    }
    /* With names in the map, a column of another kind is one that changed since: ignored. */
    const bool is_told = info != NULL && columns_agree(&told, join->map, mapped, false);
    if (!join_column(join, mapped, is_told ? &told : NULL, column, err)) {
        return mr_error_context(err, "column \"%s\"", column->core.name);
    }
    const bool as_printed =
        is_told && (!join->map->has_names ||
                    (columns_agree(&told, join->map, mapped, true) && same_labels(&told, column)));
    column->is_generated = told.is_generated;
    if (as_printed) {
        column->is_described = true;
        column->core.source_type = told.core.source_type;
        column->core.fallback = told.core.fallback;
        return true;
    }
    return name_column_type(column, arena) || fail_room(err);
}

/** True when information_schema lists the same columns in the same order. */
static bool lists_same_columns(const struct join *join)
{
    if (join->info == NULL || join->info->column_count != join->map->column_count) {
        return false;
    }
    for (uint16_t i = 0; join->map->has_names && i < join->map->column_count; i++) {
        if (!mr_slice_equals(mr_slice_of(join->info->columns[i].name),
                             join->map->columns[i].name)) {
            return false;
        }
    }
    return true;
}

/**
 * The map's key may be a unique one that the server uses in place of a primary key; where
 * information_schema speaks of the same columns, its word holds for snapshot and stream alike.
 */
static struct key choose_key(const struct join *join)
{
    MR_ASSERT(join->map->has_names || join->info != NULL);
    return lists_same_columns(join) ? (struct key){join->info->key, join->info->key_count}
                                    : (struct key){join->map->key, join->map->key_count};
}

static bool make_layout(const struct join *join, struct mr_error *err)
{
    MR_ASSERT(join->layout->column_count == join->map->column_count);
    const struct mr_table_map *map = join->map;
    for (uint16_t i = 0; i < map->column_count; i++) {
        if (!make_column(join, i, err)) {
            return false;
        }
    }
    return intern(join->layout, join->draft, choose_key(join), join->terms, err);
}

static bool check_sides(const struct mr_table_map *map, const struct mr_mysql_table_info *info,
                        struct mr_error *err)
{
    if (map->has_names) {
        return true;
    }
    if (info == NULL) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP,
                       "its columns have no names in the binlog; set binlog_row_metadata=FULL");
    }
    if (info->column_count != map->column_count) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP,
                       "it has %u columns now, but had %u when the change was logged; set "
                       "binlog_row_metadata=FULL, then copy the table anew",
                       info->column_count, map->column_count);
    }
    return true;
}

struct mr_mysql_layout *mr_mysql_layout_from_map(const struct mr_table_map *map,
                                                 const struct mr_mysql_table_info *info,
                                                 const struct mr_mysql_layout_terms *terms,
                                                 struct mr_error *err)
{
    MR_ASSERT(map->column_count > 0 && map->columns != NULL && terms->catalog != NULL);
    struct join join = {.map = map, .info = info, .terms = terms};
    bool good = check_sides(map, info, err);
    if (good) {
        join.layout = open_layout(map->column_count, err);
        good = join.layout != NULL && name_table(&join, err) && make_layout(&join, err);
    }
    if (!good) {
        mr_error_context(err, "table \"%.*s\".\"%.*s\"", (int)map->space.length,
                         (const char *)map->space.bytes, (int)map->table.length,
                         (const char *)map->table.bytes);
        mr_mysql_layout_close(join.layout);
        return NULL;
    }
    return join.layout;
}
