// SPDX-License-Identifier: MIT
/*
 * schema.c - the catalog: every version of every captured table, by number and by name.
 *
 * A schema is one block of memory (struct, columns, key, strings) that lives as long as the
 * catalog. Tables are found by name through an open-addressed hash table; a table's versions are
 * chained from the newest placed one, so that interning a known schema is a lookup and mostly one
 * comparison.
 *
 * Invariants:
 *   - schemas[i]->schema_id == i + 1; NULL where a restored catalog has a gap (retention may have
 *     deleted the segment in which a version was last written);
 *   - tables[i].table_id == i + 1 where the table is known (latest != 0);
 *   - no two versions of a table have one number, no two tables one name.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "memory.h"

#define BUCKETS_MIN 64

const struct mr_schema mr_schema_whole_source = {.space = "", .table = ""};

struct table {
    const char *space; /* borrowed from a version */
    const char *table;
    uint32_t latest;  /* schema_id of the version with the highest number; 0: no such table */
    uint32_t newest;  /* schema_id of the version placed last: start of the chain */
    uint32_t current; /* schema_id that mr_catalog_set_current() was given; 0: none */
};

struct mr_catalog {
    pthread_mutex_t *lock; /* of all but reading schemas[]; no part of what const means */
    _Atomic(struct mr_schema *) *schemas; /* by schema_id - 1; MR_CATALOG_COUNT_MAX, never moved:
                                             others may look up while the source's thread adds */
    uint32_t *previous;                   /* by schema_id - 1: next in the table's chain, or 0 */
    uint32_t schema_count;                /* highest id */
    uint32_t previous_capacity;
    struct table *tables; /* by table_id - 1 */
    uint32_t table_count; /* highest id */
    uint32_t table_capacity;
    uint32_t *buckets; /* table_id, or 0 */
    uint32_t bucket_count;
    uint32_t buckets_used;
};

struct mr_catalog *mr_catalog_open(void)
{
    struct mr_catalog *catalog = mr_memory_new(1, sizeof(*catalog));
    catalog->lock = mr_memory_new(1, sizeof(pthread_mutex_t));
    const int made = pthread_mutex_init(catalog->lock, NULL);
    MR_ASSERT(made == 0);
    catalog->schemas = mr_memory_new(MR_CATALOG_COUNT_MAX, sizeof(*catalog->schemas));
    catalog->buckets = mr_memory_new(BUCKETS_MIN, sizeof(*catalog->buckets));
    catalog->bucket_count = BUCKETS_MIN;
    return catalog;
}

void mr_catalog_close(struct mr_catalog *catalog)
{
    if (catalog == NULL) {
        return;
    }
    for (uint32_t i = 0; i < catalog->schema_count; i++) {
        free(catalog->schemas[i]);
    }
    free(catalog->schemas);
    free(catalog->previous);
    free(catalog->tables);
    free(catalog->buckets);
    (void)pthread_mutex_destroy(catalog->lock);
    free(catalog->lock);
    free(catalog);
}

/* FNV-1a over both names with a zero between. */
static uint32_t hash_name(const char *space, const char *table)
{
    uint32_t hash = UINT32_C(2166136261);
    for (const char *c = space; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT32_C(16777619);
    }
    hash *= UINT32_C(16777619);
    for (const char *c = table; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT32_C(16777619);
    }
    return hash;
}

/* The bucket of a name: where it is, or the empty one where it belongs. */
static uint32_t *find_bucket(const struct mr_catalog *catalog, const char *space, const char *table)
{
    MR_ASSERT(catalog->buckets_used < catalog->bucket_count);
    const uint32_t mask = catalog->bucket_count - 1;
    uint32_t at = hash_name(space, table) & mask;
    while (catalog->buckets[at] != 0) {
        const struct table *found = &catalog->tables[catalog->buckets[at] - 1];
        if (strcmp(found->table, table) == 0 && strcmp(found->space, space) == 0) {
            break;
        }
        at = (at + 1) & mask;
    }
    return &catalog->buckets[at];
}

static void grow_buckets(struct mr_catalog *catalog)
{
    uint32_t *old = catalog->buckets;
    const uint32_t old_count = catalog->bucket_count;
    catalog->bucket_count = old_count * 2;
    catalog->buckets = mr_memory_new(catalog->bucket_count, sizeof(*catalog->buckets));
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i] != 0) {
            const struct table *table = &catalog->tables[old[i] - 1];
            *find_bucket(catalog, table->space, table->table) = old[i];
        }
    }
    free(old);
}

static bool texts_equal(const char *left, const char *right)
{
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static bool columns_equal(const struct mr_column *left, const struct mr_column *right)
{
    return left->type == right->type && left->precision == right->precision &&
           left->scale == right->scale && left->key_index == right->key_index &&
           left->nullable == right->nullable && texts_equal(left->name, right->name) &&
           texts_equal(left->source_type, right->source_type) &&
           texts_equal(left->fallback, right->fallback) &&
           texts_equal(left->labels, right->labels) && texts_equal(left->charset, right->charset);
}

bool mr_schema_equals(const struct mr_schema *left, const struct mr_schema *right)
{
    if (left->column_count != right->column_count || left->full_before != right->full_before ||
        !texts_equal(left->space, right->space) || !texts_equal(left->table, right->table)) {
        return false;
    }
    for (uint16_t i = 0; i < left->column_count; i++) {
        if (!columns_equal(&left->columns[i], &right->columns[i])) {
            return false;
        }
    }
    return true;
}

bool mr_schema_check(const struct mr_schema *schema, struct mr_error *err)
{
    MR_ASSERT(schema->space != NULL && schema->table != NULL);
    uint32_t key_count = 0;
    if (schema->column_count > MR_COLUMN_COUNT_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "table \"%s.%s\" has %u columns; the limit is %d",
                       schema->space, schema->table, schema->column_count, MR_COLUMN_COUNT_MAX);
    }
    for (uint16_t i = 0; i < schema->column_count; i++) {
        key_count += schema->columns[i].key_index != MR_NOT_IN_KEY ? 1 : 0;
    }
    bool taken[MR_COLUMN_COUNT_MAX] = {false};
    for (uint16_t i = 0; i < schema->column_count; i++) {
        const struct mr_column *column = &schema->columns[i];
        MR_ASSERT(column->name != NULL);
        if (mr_type_name(column->type) == NULL ||
            (column->type == MR_TYPE_DECIMAL &&
             (column->precision == 0 || column->precision > MR_DECIMAL_DIGITS_MAX ||
              column->scale > MR_DECIMAL_DIGITS_MAX))) {
            return mr_fail(err, MR_E_TYPE, MR_STOP,
                           "column \"%s\" of \"%s.%s\" has no usable type (%d, precision %u, "
                           "scale %u)",
                           column->name, schema->space, schema->table, (int)column->type,
                           column->precision, column->scale);
        }
        if (column->key_index == MR_NOT_IN_KEY) {
            continue;
        }
        if (column->key_index >= key_count || taken[column->key_index]) {
            return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                           "column \"%s\" of \"%s.%s\" has place %u in a key of %u", column->name,
                           schema->space, schema->table, column->key_index, key_count);
        }
        taken[column->key_index] = true;
    }
    return true;
}

static size_t text_size(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static const char *copy_text(char **to, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    const size_t size = strlen(text) + 1;
    char *copy = *to;
    memcpy(copy, text, size);
    *to += size;
    return copy;
}

/* One block: struct, columns, key (key_count entries), strings. */
static struct mr_schema *copy_schema(const struct mr_schema *draft)
{
    const size_t column_count = draft->column_count;
    size_t key_count = 0;
    size_t text_bytes = text_size(draft->space) + text_size(draft->table);
    for (size_t i = 0; i < column_count; i++) {
        const struct mr_column *column = &draft->columns[i];
        key_count += column->key_index != MR_NOT_IN_KEY ? 1 : 0;
        text_bytes += text_size(column->name) + text_size(column->source_type) +
                      text_size(column->fallback) + text_size(column->labels) +
                      text_size(column->charset);
    }
    const size_t columns_bytes = column_count * sizeof(struct mr_column);
    const size_t key_bytes = key_count * sizeof(uint16_t);
    struct mr_schema *schema =
        mr_memory_new(sizeof(*schema) + columns_bytes + key_bytes + text_bytes, 1);
    struct mr_column *columns = (struct mr_column *)(schema + 1);
    uint16_t *key = (uint16_t *)(columns + column_count);
    char *texts = (char *)(key + key_count);

    *schema = *draft;
    schema->space = copy_text(&texts, draft->space);
    schema->table = copy_text(&texts, draft->table);
    schema->columns = columns;
    schema->key = key;
    schema->key_count = (uint16_t)key_count;
    for (uint16_t i = 0; i < column_count; i++) {
        const struct mr_column *from = &draft->columns[i];
        columns[i] = *from;
        columns[i].name = copy_text(&texts, from->name);
        columns[i].source_type = copy_text(&texts, from->source_type);
        columns[i].fallback = copy_text(&texts, from->fallback);
        columns[i].labels = copy_text(&texts, from->labels);
        columns[i].charset = copy_text(&texts, from->charset);
        if (from->key_index != MR_NOT_IN_KEY) {
            MR_ASSERT(from->key_index < key_count);
            key[from->key_index] = i;
        }
    }
    MR_ASSERT(texts == (char *)(key + key_count) + text_bytes);
    return schema;
}

static uint32_t doubled_over(uint32_t capacity, uint32_t needed)
{
    capacity = capacity < 16 ? 16 : capacity;
    while (capacity < needed) {
        capacity *= 2;
    }
    return capacity;
}

static void make_room(struct mr_catalog *catalog, uint32_t schema_id, uint32_t table_id)
{
    if (schema_id > catalog->previous_capacity) {
        const uint32_t capacity = doubled_over(catalog->previous_capacity, schema_id);
        catalog->previous = mr_memory_resize(catalog->previous, capacity, sizeof(uint32_t));
        catalog->previous_capacity = capacity;
    }
    for (; catalog->schema_count < schema_id; catalog->schema_count++) {
        catalog->previous[catalog->schema_count] = 0;
    }
    if (table_id > catalog->table_capacity) {
        const uint32_t capacity = doubled_over(catalog->table_capacity, table_id);
        catalog->tables = mr_memory_resize(catalog->tables, capacity, sizeof(struct table));
        catalog->table_capacity = capacity;
    }
    for (; catalog->table_count < table_id; catalog->table_count++) {
        catalog->tables[catalog->table_count] = (struct table){0};
    }
    if ((catalog->buckets_used + 1) * 2 > catalog->bucket_count) {
        grow_buckets(catalog);
    }
}

const struct mr_schema *mr_catalog_place(struct mr_catalog *catalog, const struct mr_schema *draft)
{
    MR_ASSERT(draft->schema_id > 0 && draft->schema_id <= MR_CATALOG_COUNT_MAX);
    MR_ASSERT(draft->table_id > 0 && draft->table_id <= MR_CATALOG_COUNT_MAX);
    MR_ASSERT(draft->version > 0);
    make_room(catalog, draft->schema_id, draft->table_id);
    MR_ASSERT(catalog->schemas[draft->schema_id - 1] == NULL);
    struct mr_schema *schema = copy_schema(draft);
    struct table *table = &catalog->tables[schema->table_id - 1];
    if (table->newest == 0) {
        uint32_t *bucket = find_bucket(catalog, schema->space, schema->table);
        MR_ASSERT(*bucket == 0);
        *table = (struct table){.space = schema->space, .table = schema->table};
        *bucket = schema->table_id;
        catalog->buckets_used++;
    }
    catalog->schemas[schema->schema_id - 1] = schema;
    catalog->previous[schema->schema_id - 1] = table->newest;
    table->newest = schema->schema_id;
    if (table->latest == 0 || schema->version > catalog->schemas[table->latest - 1]->version) {
        table->latest = schema->schema_id;
    }
    return schema;
}

const struct mr_schema *mr_catalog_next_version(const struct mr_catalog *catalog,
                                                const struct mr_schema *schema)
{
    if (schema == NULL) {
        return NULL;
    }
    const uint32_t id = catalog->previous[schema->schema_id - 1];
    return id == 0 ? NULL : catalog->schemas[id - 1];
}

const struct mr_schema *mr_catalog_first_version(const struct mr_catalog *catalog,
                                                 uint32_t table_id)
{
    if (table_id == 0 || table_id > catalog->table_count) {
        return NULL;
    }
    const uint32_t id = catalog->tables[table_id - 1].newest;
    return id == 0 ? NULL : catalog->schemas[id - 1];
}

/* Under the lock; the draft was checked. An equal version with a number above `above`, or a new
 * one. */
static const struct mr_schema *intern(struct mr_catalog *catalog, uint32_t above,
                                      const struct mr_schema *draft, struct mr_error *err)
{
    const uint32_t known = *find_bucket(catalog, draft->space, draft->table);
    const struct mr_schema *version = mr_catalog_first_version(catalog, known);
    for (; version != NULL; version = mr_catalog_next_version(catalog, version)) {
        if (version->version > above && mr_schema_equals(version, draft)) {
            return version;
        }
    }
    if (catalog->schema_count == MR_CATALOG_COUNT_MAX ||
        (known == 0 && catalog->table_count == MR_CATALOG_COUNT_MAX)) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP,
                      "the catalog holds at most %d schema versions; table \"%s.%s\" does not fit",
                      MR_CATALOG_COUNT_MAX, draft->space, draft->table);
        return NULL;
    }
    struct mr_schema numbered = *draft;
    numbered.schema_id = catalog->schema_count + 1;
    numbered.table_id = known != 0 ? known : catalog->table_count + 1;
    numbered.version =
        known != 0 ? catalog->schemas[catalog->tables[known - 1].latest - 1]->version + 1 : 1;
    MR_ASSERT(numbered.version > 0);
    return mr_catalog_place(catalog, &numbered);
}

const struct mr_schema *mr_catalog_intern(struct mr_catalog *catalog, const struct mr_schema *draft,
                                          struct mr_error *err)
{
    if (!mr_schema_check(draft, err)) {
        return NULL;
    }
    (void)pthread_mutex_lock(catalog->lock);
    const struct mr_schema *schema = intern(catalog, 0, draft, err);
    (void)pthread_mutex_unlock(catalog->lock);
    return schema;
}

const struct mr_schema *mr_catalog_follow(struct mr_catalog *catalog,
                                          const struct mr_schema *current,
                                          const struct mr_schema *draft, struct mr_error *err)
{
    if (current != NULL && mr_schema_equals(current, draft)) {
        return current;
    }
    if (!mr_schema_check(draft, err)) {
        return NULL;
    }
    MR_ASSERT(current == NULL || strcmp(current->table, draft->table) == 0);
    MR_ASSERT(current == NULL || strcmp(current->space, draft->space) == 0);
    (void)pthread_mutex_lock(catalog->lock);
    const struct mr_schema *schema =
        intern(catalog, current != NULL ? current->version : 0, draft, err);
    (void)pthread_mutex_unlock(catalog->lock);
    return schema;
}

void mr_catalog_set_current(struct mr_catalog *catalog, const struct mr_schema *schema)
{
    MR_ASSERT(schema->table_id > 0 && schema->table_id <= catalog->table_count);
    (void)pthread_mutex_lock(catalog->lock);
    catalog->tables[schema->table_id - 1].current = schema->schema_id;
    (void)pthread_mutex_unlock(catalog->lock);
}

const struct mr_schema *mr_catalog_older(const struct mr_catalog *catalog,
                                         const struct mr_schema *schema)
{
    pthread_mutex_t *lock = catalog->lock;
    (void)pthread_mutex_lock(lock);
    const struct mr_schema *older = mr_catalog_next_version(catalog, schema);
    (void)pthread_mutex_unlock(lock);
    return older;
}

const struct mr_schema *mr_catalog_find(const struct mr_catalog *catalog, uint32_t schema_id)
{
    return schema_id == 0 || schema_id > MR_CATALOG_COUNT_MAX ? NULL
                                                              : catalog->schemas[schema_id - 1];
}

const struct mr_schema *mr_catalog_latest(const struct mr_catalog *catalog, const char *space,
                                          const char *table)
{
    MR_ASSERT(space != NULL && table != NULL);
    (void)pthread_mutex_lock(catalog->lock);
    const uint32_t id = *find_bucket(catalog, space, table);
    const struct mr_schema *latest =
        id == 0 ? NULL : catalog->schemas[catalog->tables[id - 1].latest - 1];
    (void)pthread_mutex_unlock(catalog->lock);
    return latest;
}

const struct mr_schema *mr_catalog_current(const struct mr_catalog *catalog, const char *space,
                                           const char *table)
{
    MR_ASSERT(space != NULL && table != NULL);
    pthread_mutex_t *lock = catalog->lock;
    (void)pthread_mutex_lock(lock);
    const uint32_t id = *find_bucket(catalog, space, table);
    const struct table *found = id == 0 ? NULL : &catalog->tables[id - 1];
    const struct mr_schema *current = NULL;
    if (found != NULL) {
        current = catalog->schemas[(found->current != 0 ? found->current : found->latest) - 1];
    }
    (void)pthread_mutex_unlock(lock);
    return current;
}

uint32_t mr_catalog_count(const struct mr_catalog *catalog)
{
    pthread_mutex_t *lock = catalog->lock;
    (void)pthread_mutex_lock(lock);
    const uint32_t count = catalog->schema_count;
    (void)pthread_mutex_unlock(lock);
    return count;
}

int mr_schema_find_column(const struct mr_schema *schema, const char *name)
{
    MR_ASSERT(name != NULL);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        if (strcmp(schema->columns[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}
