// SPDX-License-Identifier: MIT
/*
 * binlog_tables.c - a hash table of tables by name, and the ids that stand for them at the moment.
 */
#include "binlog_tables.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define BUCKETS_MIN     64
#define TABLES_MAX      65536
#define MAP_ARENA_BYTES ((size_t)4 << 20) /* a map's columns while it is taken apart */

void mr_binlog_tables_init(struct mr_binlog_tables *tables,
                           const struct mr_binlog_callbacks *callbacks,
                           const struct mr_mysql_layout_terms *terms, bool is_maria)
{
    MR_ASSERT(callbacks->is_captured != NULL && callbacks->table_info != NULL);
    *tables =
        (struct mr_binlog_tables){.callbacks = *callbacks, .terms = *terms, .is_maria = is_maria};
    tables->bucket_count = BUCKETS_MIN;
    tables->buckets = mr_memory_new(tables->bucket_count, sizeof(struct mr_binlog_table *));
}

static void forget_layout(struct mr_binlog_table *table)
{
    mr_mysql_layout_close(table->layout);
    free(table->shape);
    table->layout = NULL;
    table->shape = NULL;
    table->shape_size = 0;
    table->changed_from = NULL;
    table->is_asked = false;
    table->is_captured = false;
}

static void drop_kept(struct mr_binlog_table *table)
{
    if (table->kept != NULL) {
        mr_table_shape_done(table->kept);
        free(table->kept);
        table->kept = NULL;
    }
}

static void drop_tables(struct mr_binlog_tables *tables)
{
    MR_ASSERT(tables->active_count == 0);
    for (uint32_t i = 0; i < tables->bucket_count; i++) {
        while (tables->buckets[i] != NULL) {
            struct mr_binlog_table *table = tables->buckets[i];
            tables->buckets[i] = table->next;
            forget_layout(table);
            drop_kept(table);
            free(table->space);
            free(table->table);
            free(table);
        }
    }
    tables->count = 0;
}

void mr_binlog_tables_done(struct mr_binlog_tables *tables)
{
    tables->active_count = 0;
    if (tables->buckets != NULL) {
        drop_tables(tables);
    }
    free(tables->buckets);
    free(tables->active);
    *tables = (struct mr_binlog_tables){0};
}

/* FNV-1a. */
static uint32_t hash_bytes(uint32_t hash, struct mr_slice bytes)
{
    MR_ASSERT(bytes.bytes != NULL || bytes.length == 0);
    for (size_t i = 0; i < bytes.length; i++) {
        hash = (hash ^ bytes.bytes[i]) * 16777619u;
    }
    return (hash ^ 0xff) * 16777619u;
}

static void grow_buckets(struct mr_binlog_tables *tables)
{
    MR_ASSERT((tables->bucket_count & (tables->bucket_count - 1)) == 0);
    const uint32_t count = tables->bucket_count * 2;
    struct mr_binlog_table **buckets = mr_memory_new(count, sizeof(struct mr_binlog_table *));
    for (uint32_t i = 0; i < tables->bucket_count; i++) {
        while (tables->buckets[i] != NULL) {
            struct mr_binlog_table *table = tables->buckets[i];
            tables->buckets[i] = table->next;
            table->next = buckets[table->hash & (count - 1)];
            buckets[table->hash & (count - 1)] = table;
        }
    }
    free(tables->buckets);
    tables->buckets = buckets;
    tables->bucket_count = count;
}

static struct mr_binlog_table *find_table(struct mr_binlog_tables *tables, struct mr_slice space,
                                          struct mr_slice table)
{
    MR_ASSERT(tables->buckets != NULL && tables->bucket_count >= BUCKETS_MIN);
    const uint32_t hash = hash_bytes(hash_bytes(2166136261u, space), table);
    struct mr_binlog_table **bucket = &tables->buckets[hash & (tables->bucket_count - 1)];
    for (struct mr_binlog_table *found = *bucket; found != NULL; found = found->next) {
        if (found->hash == hash && mr_slice_equals(mr_slice_of(found->table), table) &&
            mr_slice_equals(mr_slice_of(found->space), space)) {
            return found;
        }
    }
    if (tables->count >= TABLES_MAX && tables->active_count == 0) {
        drop_tables(tables);
    }
    if (tables->count >= tables->bucket_count) {
        grow_buckets(tables);
    }
    bucket = &tables->buckets[hash & (tables->bucket_count - 1)];
    struct mr_binlog_table *made = mr_memory_new(1, sizeof(*made));
    made->space = mr_memory_copy_text(space.bytes, space.length);
    made->table = mr_memory_copy_text(table.bytes, table.length);
    made->hash = hash;
    made->next = *bucket;
    *bucket = made;
    tables->count++;
    return made;
}

static bool ask_captured(struct mr_binlog_tables *tables, struct mr_binlog_table *table)
{
    MR_ASSERT(table->is_asked || table->layout == NULL);
    if (!table->is_asked) {
        table->is_captured =
            tables->callbacks.is_captured(tables->callbacks.context, table->space, table->table);
        table->is_asked = true;
    }
    return table->is_captured;
}

/** MariaDB logs a sequence's state as inserts into a table of these columns; it is no table. */
static bool is_sequence(const struct mr_schema *schema)
{
    static const char *const names[] = {"next_not_cached_value", "minimum_value", "maximum_value",
                                        "start_value",           "increment",     "cache_size",
                                        "cycle_option",          "cycle_count"};
    MR_ASSERT(schema->column_count > 0);
    if (schema->column_count != MR_ARRAY_LEN(names)) {
        return false;
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        if (strcmp(schema->columns[i].name, names[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- Which shape do these rows have? ---- */

static struct mr_mysql_layout_terms terms_after(const struct mr_binlog_tables *tables,
                                                const struct mr_schema *follows)
{
    struct mr_mysql_layout_terms terms = tables->terms;
    terms.follows = follows;
    return terms;
}

/** A layout from a version that the log has, if it agrees with the map. */
static struct mr_mysql_layout *layout_of_version(struct mr_binlog_tables *tables,
                                                 const struct mr_table_map *map,
                                                 const struct mr_schema *version,
                                                 const struct mr_schema *follows,
                                                 struct mr_error *err)
{
    const struct mr_mysql_layout_terms terms = terms_after(tables, follows);
    struct mr_table_shape shape = {0};
    mr_table_shape_from_schema(&shape, version);
    for (uint16_t i = 0; i < shape.count; i++) {
        /* Where the statement did not say, it was a guess. */
        shape.columns[i].charset_is_guessed = map->has_charsets;
    }
    const struct mr_mysql_table_info info =
        mr_table_shape_describe(&shape, version->space, version->table);
    struct mr_mysql_layout *layout = mr_mysql_layout_from_map(map, &info, &terms, err);
    mr_table_shape_done(&shape);
    return layout;
}

/** From information_schema, which must agree with the map where the map has no names. */
static struct mr_mysql_layout *layout_of_now(struct mr_binlog_tables *tables,
                                             const struct mr_binlog_table *table,
                                             const struct mr_table_map *map,
                                             const struct mr_schema *follows, struct mr_error *err)
{
    const struct mr_binlog_callbacks *callbacks = &tables->callbacks;
    struct mr_error ignored = {0};
    const struct mr_mysql_table_info *info =
        callbacks->table_info(callbacks->context, table->space, table->table, &ignored);
    if (info == NULL && (!map->has_names || ignored.code == MR_E_NET)) {
        *err = ignored;
        (void)mr_error_context(err, "table \"%s\".\"%s\"", table->space, table->table);
        return NULL;
    }
    const struct mr_mysql_layout_terms terms = terms_after(tables, follows);
    return mr_mysql_layout_from_map(map, info, &terms, err);
}

/**
 * The table's current version, as the log has it, if it agrees with the map; else what
 * information_schema says now, if that does; else an older version that does: the newest that the
 * catalog has may come from a copy that was made later than these rows. With names in the map it is
 * right in any case, and information_schema only adds what else there is to know of new columns.
 */
static struct mr_mysql_layout *choose_layout(struct mr_binlog_tables *tables,
                                             struct mr_binlog_table *table,
                                             const struct mr_table_map *map, struct mr_error *err)
{
    const struct mr_schema *current = mr_binlog_table_current(tables, table);
    const struct mr_schema *follows = mr_binlog_table_known(tables, table);
    struct mr_error first = {0};
    if (current != NULL && !table->is_uncertain) {
        struct mr_mysql_layout *layout = layout_of_version(tables, map, current, follows, &first);
        if (layout != NULL && (layout->schema == current || !map->has_names)) {
            return layout;
        }
        mr_mysql_layout_close(layout);
    }
    struct mr_mysql_layout *layout = layout_of_now(tables, table, map, follows, err);
    if (layout != NULL || err->code == MR_E_NET) {
        return layout;
    }
    for (const struct mr_schema *version = current; layout == NULL && version != NULL;
         version = mr_catalog_older(tables->terms.catalog, version)) {
        struct mr_error ignored = {0};
        layout = layout_of_version(tables, map, version, follows, &ignored);
    }
    if (layout != NULL) {
        *err = (struct mr_error){0};
    }
    return layout;
}

static bool make_layout(struct mr_binlog_tables *tables, struct mr_binlog_table *table,
                        const struct mr_table_map *map, struct mr_error *err)
{
    MR_ASSERT(table->is_captured && map->shape.length > 0);
    const struct mr_schema *before = mr_binlog_table_current(tables, table);
    struct mr_mysql_layout *layout = choose_layout(tables, table, map, err);
    if (layout == NULL) {
        return false;
    }
    mr_mysql_layout_close(table->layout);
    free(table->shape);
    table->layout = layout;
    table->shape = mr_memory_new(map->shape.length, 1);
    table->shape_size = map->shape.length;
    memcpy(table->shape, map->shape.bytes, map->shape.length);
    table->is_captured = !is_sequence(layout->schema);
    if (table->is_captured && before != layout->schema) {
        const struct mr_schema *told = table->changed_from != NULL ? table->changed_from : before;
        table->current = layout->schema;
        table->is_changed = true;
        table->is_looked_up = true;
        tables->has_changed = true;
        table->changed_from = told != layout->schema ? told : NULL;
    }
    table->is_uncertain = false;
    return true;
}

static bool read_shape(struct mr_binlog_tables *tables, struct mr_binlog_table *table,
                       struct mr_table_map *map, struct mr_error *err)
{
    MR_ASSERT(table->is_asked);
    struct mr_arena arena = {0};
    if (!mr_arena_init(&arena, MAP_ARENA_BYTES, 0, err)) {
        return false;
    }
    const bool good = mr_table_map_read(map, &arena, err) && make_layout(tables, table, map, err);
    mr_arena_done(&arena);
    return good;
}

static bool activate(struct mr_binlog_tables *tables, uint64_t table_id,
                     struct mr_binlog_table *table, struct mr_error *err)
{
    MR_ASSERT(tables->active_count <= tables->active_capacity);
    MR_ASSERT(!table->is_captured || table->layout != NULL);
    for (uint32_t i = 0; i < tables->active_count; i++) {
        if (tables->active[i].table_id == table_id) {
            tables->active[i].table = table;
            return true;
        }
    }
    if (tables->active_count == MR_BINLOG_ACTIVE_TABLES_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "a statement changes more than %d tables",
                       MR_BINLOG_ACTIVE_TABLES_MAX);
    }
    if (tables->active_count == tables->active_capacity) {
        tables->active_capacity = tables->active_capacity == 0 ? 16 : tables->active_capacity * 2;
        tables->active =
            mr_memory_resize(tables->active, tables->active_capacity, sizeof(*tables->active));
    }
    tables->active[tables->active_count++] = (struct mr_binlog_active){table_id, table};
    return true;
}

bool mr_binlog_tables_map(struct mr_binlog_tables *tables, struct mr_slice body,
                          struct mr_error *err)
{
    struct mr_table_map map;
    if (!mr_table_map_peek(body, &map, err)) {
        return false;
    }
    map.is_maria = tables->is_maria;
    struct mr_binlog_table *table = find_table(tables, map.space, map.table);
    if (ask_captured(tables, table) &&
        (table->layout == NULL || table->shape_size != map.shape.length ||
         memcmp(table->shape, map.shape.bytes, map.shape.length) != 0) &&
        !read_shape(tables, table, &map, err)) {
        return false;
    }
    return activate(tables, map.table_id, table, err);
}

struct mr_binlog_table *mr_binlog_tables_find(const struct mr_binlog_tables *tables,
                                              uint64_t table_id)
{
    for (uint32_t i = 0; i < tables->active_count; i++) {
        if (tables->active[i].table_id == table_id) {
            return tables->active[i].table;
        }
    }
    return NULL;
}

void mr_binlog_tables_end_statement(struct mr_binlog_tables *tables)
{
    tables->active_count = 0;
}

bool mr_binlog_tables_captures(struct mr_binlog_tables *tables, const char *space,
                               const char *table)
{
    return ask_captured(tables, find_table(tables, mr_slice_of(space), mr_slice_of(table)));
}

bool mr_binlog_tables_schema(struct mr_binlog_tables *tables, const char *space, const char *table,
                             const struct mr_schema **schema, struct mr_error *err)
{
    MR_ASSERT(table[0] != '\0');
    struct mr_binlog_table *known = find_table(tables, mr_slice_of(space), mr_slice_of(table));
    *schema = mr_binlog_table_current(tables, known);
    if (*schema != NULL) {
        return true;
    }
    struct mr_error answer = {0};
    const struct mr_mysql_table_info *info =
        tables->callbacks.table_info(tables->callbacks.context, space, table, &answer);
    if (info == NULL && answer.code == MR_E_SOURCE) {
        return true;
    }
    if (info == NULL) {
        *err = answer;
        return false;
    }
    struct mr_mysql_layout *layout = mr_mysql_layout_from_info(info, &tables->terms, err);
    if (layout == NULL) {
        return false;
    }
    *schema = layout->schema;
    mr_mysql_layout_close(layout);
    return true;
}

struct mr_binlog_table *mr_binlog_tables_get(struct mr_binlog_tables *tables, const char *space,
                                             const char *table)
{
    return find_table(tables, mr_slice_of(space), mr_slice_of(table));
}

bool mr_binlog_table_captured(struct mr_binlog_tables *tables, struct mr_binlog_table *table)
{
    return ask_captured(tables, table);
}

const struct mr_schema *mr_binlog_table_current(struct mr_binlog_tables *tables,
                                                struct mr_binlog_table *table)
{
    if (!table->is_looked_up) {
        table->is_looked_up = true;
        if (ask_captured(tables, table)) {
            table->current = mr_catalog_current(tables->terms.catalog, table->space, table->table);
            table->is_uncertain = tables->has_doubt;
        }
    }
    return table->current;
}

const struct mr_schema *mr_binlog_table_known(struct mr_binlog_tables *tables,
                                              struct mr_binlog_table *table)
{
    return table->current != NULL
               ? table->current
               : mr_catalog_latest(tables->terms.catalog, table->space, table->table);
}

void mr_binlog_table_set(struct mr_binlog_tables *tables, struct mr_binlog_table *table,
                         const struct mr_schema *schema)
{
    MR_ASSERT(tables->active_count == 0 && strcmp(schema->table, table->table) == 0);
    forget_layout(table);
    drop_kept(table);
    table->current = schema;
    table->is_looked_up = true;
    table->is_uncertain = false;
    table->is_changed = true;
    tables->has_changed = true;
}

void mr_binlog_table_lose(struct mr_binlog_tables *tables, struct mr_binlog_table *table)
{
    MR_ASSERT(tables->active_count == 0);
    forget_layout(table);
    drop_kept(table);
    table->current = NULL;
    table->is_looked_up = true;
    table->is_uncertain = false;
    table->is_changed = false;
}

void mr_binlog_table_forget(struct mr_binlog_table *table)
{
    forget_layout(table);
}

void mr_binlog_tables_doubt(struct mr_binlog_tables *tables)
{
    MR_ASSERT(tables->active_count == 0); /* rows must not meet a table without a layout */
    tables->has_doubt = true;
    for (uint32_t i = 0; i < tables->bucket_count; i++) {
        for (struct mr_binlog_table *each = tables->buckets[i]; each != NULL; each = each->next) {
            forget_layout(each);
            each->is_uncertain = each->current != NULL;
        }
    }
}

void mr_binlog_tables_publish(struct mr_binlog_tables *tables)
{
    if (MR_LIKELY(!tables->has_changed)) {
        return;
    }
    for (uint32_t i = 0; i < tables->bucket_count; i++) {
        for (struct mr_binlog_table *each = tables->buckets[i]; each != NULL; each = each->next) {
            if (each->is_changed && each->current != NULL) {
                mr_catalog_set_current(tables->terms.catalog, each->current);
            }
            each->is_changed = false;
        }
    }
    tables->has_changed = false;
}
