// SPDX-License-Identifier: MIT
/*
 * table_shape.c - see table_shape.h.
 */
#include "table_shape.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "batch.h"
#include "memory.h"

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : mr_memory_copy_text(text, strlen(text));
}

void mr_shape_column_done(struct mr_shape_column *column)
{
    free(column->name);
    free(column->former);
    free(column->type);
    free(column->charset);
    free(column->fallback);
    *column = (struct mr_shape_column){.key_index = MR_NOT_IN_KEY};
}

void mr_table_shape_done(struct mr_table_shape *shape)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        mr_shape_column_done(&shape->columns[i]);
    }
    free(shape->columns);
    free(shape->info);
    free(shape->key);
    *shape = (struct mr_table_shape){0};
}

bool mr_table_shape_insert(struct mr_table_shape *shape, uint16_t index,
                           const struct mr_shape_column *column)
{
    MR_ASSERT(index <= shape->count && column->name != NULL && column->type != NULL);
    if (shape->count == MR_COLUMN_COUNT_MAX) {
        struct mr_shape_column dropped = *column;
        mr_shape_column_done(&dropped);
        return false;
    }
    if (shape->count == shape->capacity) {
        shape->capacity = shape->capacity == 0 ? 16 : (uint16_t)(shape->capacity * 2);
        shape->columns = mr_memory_resize(shape->columns, shape->capacity, sizeof(*shape->columns));
    }
    memmove(&shape->columns[index + 1], &shape->columns[index],
            (size_t)(shape->count - index) * sizeof(*shape->columns));
    shape->columns[index] = *column;
    shape->count++;
    return true;
}

/* Of a type without the mark that its column is generated. */
static size_t plain_length(const char *type)
{
    const size_t length = strlen(type);
    const size_t mark = strlen(MR_MYSQL_GENERATED);
    return length > mark && strcmp(type + length - mark, MR_MYSQL_GENERATED) == 0 ? length - mark
                                                                                  : length;
}

void mr_table_shape_from_schema(struct mr_table_shape *shape, const struct mr_schema *schema)
{
    mr_table_shape_done(shape);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        const struct mr_column *from = &schema->columns[i];
        const size_t length = plain_length(from->source_type);
        const struct mr_shape_column column = {
            .name = copy_text(from->name),
            .former = copy_text(from->name),
            .type = mr_memory_copy_text(from->source_type, length),
            .is_generated = from->source_type[length] != '\0',
            .charset = copy_text(from->charset),
            .fallback = copy_text(from->fallback),
            .key_index = from->key_index,
            .nullable = from->nullable,
            .is_json = from->type == MR_TYPE_JSON && strcmp(from->source_type, "json") != 0,
        };
        const bool fits = mr_table_shape_insert(shape, i, &column);
        MR_ASSERT(fits);
    }
}

void mr_table_shape_copy(struct mr_table_shape *shape, const struct mr_table_shape *from)
{
    MR_ASSERT(shape != from);
    mr_table_shape_done(shape);
    for (uint16_t i = 0; i < from->count; i++) {
        struct mr_shape_column column = from->columns[i];
        column.name = copy_text(from->columns[i].name);
        column.former = NULL;
        column.type = copy_text(from->columns[i].type);
        column.charset = copy_text(from->columns[i].charset);
        column.fallback = copy_text(from->columns[i].fallback);
        const bool fits = mr_table_shape_insert(shape, i, &column);
        MR_ASSERT(fits);
    }
}

void mr_table_shape_begin(struct mr_table_shape *shape)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        free(shape->columns[i].former);
        shape->columns[i].former = copy_text(shape->columns[i].name);
    }
}

int mr_table_shape_find(const struct mr_table_shape *shape, const char *name)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        if (strcasecmp(shape->columns[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int mr_table_shape_find_former(const struct mr_table_shape *shape, const char *name)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        if (shape->columns[i].former != NULL && strcasecmp(shape->columns[i].former, name) == 0) {
            return i;
        }
    }
    const int index = mr_table_shape_find(shape, name);
    return index >= 0 && shape->columns[index].former == NULL ? index : -1;
}

/* The places behind a column that leaves the key move up. */
static void leave_key(struct mr_table_shape *shape, uint16_t key_index)
{
    for (uint16_t i = 0; key_index != MR_NOT_IN_KEY && i < shape->count; i++) {
        uint16_t *each = &shape->columns[i].key_index;
        if (*each != MR_NOT_IN_KEY && *each > key_index) {
            (*each)--;
        }
    }
}

void mr_table_shape_remove(struct mr_table_shape *shape, uint16_t index)
{
    MR_ASSERT(index < shape->count);
    leave_key(shape, shape->columns[index].key_index);
    mr_shape_column_done(&shape->columns[index]);
    shape->count--;
    memmove(&shape->columns[index], &shape->columns[index + 1],
            (size_t)(shape->count - index) * sizeof(*shape->columns));
}

void mr_table_shape_move(struct mr_table_shape *shape, uint16_t from, uint16_t to)
{
    MR_ASSERT(from < shape->count && to < shape->count);
    const struct mr_shape_column moved = shape->columns[from];
    memmove(&shape->columns[from], &shape->columns[from + 1],
            (size_t)(shape->count - 1 - from) * sizeof(*shape->columns));
    memmove(&shape->columns[to + 1], &shape->columns[to],
            (size_t)(shape->count - 1 - to) * sizeof(*shape->columns));
    shape->columns[to] = moved;
}

void mr_table_shape_drop_key(struct mr_table_shape *shape)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        shape->columns[i].key_index = MR_NOT_IN_KEY;
    }
}

struct mr_mysql_table_info mr_table_shape_describe(struct mr_table_shape *shape, const char *space,
                                                   const char *table)
{
    uint16_t key_count = 0;
    free(shape->info);
    free(shape->key);
    shape->info = mr_memory_new((size_t)shape->count + 1, sizeof(*shape->info));
    shape->key = mr_memory_new((size_t)shape->count + 1, sizeof(*shape->key));
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct mr_shape_column *column = &shape->columns[i];
        shape->info[i] = (struct mr_mysql_column_info){
            .name = column->name,
            .column_type = column->type,
            .charset = column->charset,
            .fallback = column->fallback,
            .nullable = column->nullable,
            .charset_is_guessed = column->charset_is_guessed,
            .is_json = column->is_json,
            .is_generated = column->is_generated,
        };
        if (column->key_index != MR_NOT_IN_KEY) {
            MR_ASSERT(column->key_index < shape->count);
            shape->key[column->key_index] = i;
            key_count++;
        }
    }
    return (struct mr_mysql_table_info){
        .space = space,
        .table = table,
        .columns = shape->info,
        .key = shape->key,
        .column_count = shape->count,
        .key_count = key_count,
    };
}

static void write_name(struct mr_writer *names, const char *name)
{
    mr_write_bytes(names, name, strlen(name));
    mr_write_u8(names, MR_NOTE_NAME_END);
}

void mr_table_shape_renamed(const struct mr_table_shape *shape, struct mr_writer *names)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct mr_shape_column *column = &shape->columns[i];
        if (column->former != NULL && strcmp(column->former, column->name) != 0) {
            write_name(names, column->former);
            write_name(names, column->name);
        }
    }
}
