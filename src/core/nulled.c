// SPDX-License-Identifier: MIT
/*
 * nulled.c - see nulled.h. Columns are told apart by table and name, over the versions of a table.
 */
#include "nulled.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct mr_nulled {
    pthread_mutex_t lock;
    struct mr_nulled_count *counts;
    uint32_t count;
    uint32_t capacity;
};

struct mr_nulled *mr_nulled_open(void)
{
    struct mr_nulled *nulled = mr_memory_new(1, sizeof(*nulled));
    MR_ASSERT(pthread_mutex_init(&nulled->lock, NULL) == 0);
    return nulled;
}

void mr_nulled_close(struct mr_nulled *nulled)
{
    if (nulled == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&nulled->lock);
    free(nulled->counts);
    free(nulled);
}

static bool is_same(const struct mr_nulled_count *count, const struct mr_schema *schema,
                    uint16_t column)
{
    return count->schema->table_id == schema->table_id &&
           strcmp(count->schema->columns[count->column].name, schema->columns[column].name) == 0;
}

static struct mr_nulled_count *entry_of(struct mr_nulled *nulled, const struct mr_schema *schema,
                                        uint16_t column)
{
    MR_ASSERT(column < schema->column_count && nulled->count <= nulled->capacity);
    for (uint32_t i = 0; i < nulled->count; i++) {
        if (is_same(&nulled->counts[i], schema, column)) {
            return &nulled->counts[i];
        }
    }
    if (nulled->count == nulled->capacity) {
        nulled->capacity = nulled->capacity == 0 ? 8 : nulled->capacity * 2;
        nulled->counts =
            mr_memory_resize(nulled->counts, nulled->capacity, sizeof(*nulled->counts));
    }
    struct mr_nulled_count *entry = &nulled->counts[nulled->count++];
    *entry = (struct mr_nulled_count){.schema = schema, .column = column};
    return entry;
}

void mr_nulled_add(struct mr_nulled *nulled, const struct mr_schema *schema, uint16_t column)
{
    if (nulled == NULL) {
        return;
    }
    MR_ASSERT(pthread_mutex_lock(&nulled->lock) == 0);
    entry_of(nulled, schema, column)->count++;
    (void)pthread_mutex_unlock(&nulled->lock);
}

bool mr_nulled_get(struct mr_nulled *nulled, uint32_t index, struct mr_nulled_count *count)
{
    MR_ASSERT(pthread_mutex_lock(&nulled->lock) == 0);
    const bool found = index < nulled->count;
    if (found) {
        *count = nulled->counts[index];
    }
    (void)pthread_mutex_unlock(&nulled->lock);
    return found;
}
