// SPDX-License-Identifier: MIT
/*
 * rows.c - the table function millrace_rows(slot), and its registry of slots.
 *
 * Bind looks the slot up and declares its columns; the statement is bound once and run many times.
 * Init puts the cursor at the first row; each call fills one vector's worth of rows from the runs.
 *
 * The slot array is fixed while statements run; it grows only between them (mr_rows_add()).
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "memory.h"

#define FUNCTION_NAME "millrace_rows"

struct rows_slot {
    const struct mr_schema *schema; /* NULL: free */
    enum mr_rows_columns columns;
    struct mr_row_list list;
    /* The cursor. */
    uint32_t run;
    uint32_t row; /* within the run */
    uint32_t ord; /* rows given so far */
};

struct mr_rows_registry {
    struct rows_slot *slots;
    uint32_t count;
    uint32_t capacity;
};

struct rows_bound {
    struct mr_rows_registry *registry;
    uint32_t slot;
};

static uint16_t column_count(const struct rows_slot *slot)
{
    return slot->columns == MR_ROWS_KEY ? slot->schema->key_count : slot->schema->column_count;
}

static void add_column(duckdb_bind_info info, const char *name, duckdb_logical_type type)
{
    duckdb_bind_add_result_column(info, name, type);
    duckdb_destroy_logical_type(&type);
}

static void rows_bind(duckdb_bind_info info)
{
    struct mr_rows_registry *registry = duckdb_bind_get_extra_info(info);
    duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
    const int64_t asked = duckdb_get_int64(parameter);
    duckdb_destroy_value(&parameter);

    if (asked < 0 || asked >= registry->count || registry->slots[asked].schema == NULL) {
        duckdb_bind_set_error(info, FUNCTION_NAME ": no such slot");
        return;
    }
    const uint32_t number = (uint32_t)asked;
    const struct rows_slot *slot = &registry->slots[number];
    for (uint16_t i = 0; i < column_count(slot); i++) {
        const uint16_t index = slot->columns == MR_ROWS_KEY ? slot->schema->key[i] : i;
        char name[16];
        (void)snprintf(name, sizeof(name), "c%u", (unsigned)i);
        add_column(info, name, mr_cells_logical_type(&slot->schema->columns[index]));
    }
    add_column(info, "ord", duckdb_create_logical_type(DUCKDB_TYPE_UINTEGER));
    add_column(info, "n", duckdb_create_logical_type(DUCKDB_TYPE_UINTEGER));
    /* Fewer than any table, also one that has rows of the open transaction only (the planner sees
     * none): the engine must build its hash table on these rows, not on the table. */
    duckdb_bind_set_cardinality(info, 0, false);

    struct rows_bound *bound = mr_memory_new(1, sizeof(*bound));
    *bound = (struct rows_bound){.registry = registry, .slot = number};
    duckdb_bind_set_bind_data(info, bound, free);
}

static void rows_init(duckdb_init_info info)
{
    const struct rows_bound *bound = duckdb_init_get_bind_data(info);
    struct rows_slot *slot = &bound->registry->slots[bound->slot];

    slot->run = 0;
    slot->row = 0;
    slot->ord = 0;
    duckdb_init_set_max_threads(info, 1);
}

static void copy_run(const struct rows_slot *slot, duckdb_data_chunk output, uint32_t at,
                     const struct mr_row_run *run, uint32_t count)
{
    const bool key_of_full = slot->columns == MR_ROWS_KEY && run->chunk->image == MR_IMAGE_FULL;

    MR_ASSERT(run->chunk->image == MR_IMAGE_FULL || slot->columns == MR_ROWS_KEY);
    for (uint16_t i = 0; i < column_count(slot); i++) {
        const uint16_t from = key_of_full ? run->chunk->schema->key[i] : i;
        mr_cells_copy(duckdb_data_chunk_get_vector(output, i), at, &run->chunk->columns[from],
                      run->row + slot->row, count);
    }
}

static void copy_numbers(const struct rows_slot *slot, duckdb_data_chunk output, uint32_t count)
{
    const uint16_t columns = column_count(slot);
    uint32_t *ord = duckdb_vector_get_data(duckdb_data_chunk_get_vector(output, columns));
    uint32_t *n = duckdb_vector_get_data(duckdb_data_chunk_get_vector(output, columns + 1));

    for (uint32_t i = 0; i < count; i++) {
        ord[i] = slot->ord + i;
        n[i] = slot->list.counts == NULL ? 1 : slot->list.counts[slot->ord + i];
    }
}

static void rows_next(duckdb_function_info info, duckdb_data_chunk output)
{
    const struct rows_bound *bound = duckdb_function_get_bind_data(info);
    struct rows_slot *slot = &bound->registry->slots[bound->slot];
    const uint32_t vector_size = (uint32_t)duckdb_vector_size();
    uint32_t filled = 0;

    while (filled < vector_size && slot->run < slot->list.run_count) {
        const struct mr_row_run *run = &slot->list.runs[slot->run];
        const uint32_t left = run->count - slot->row;
        const uint32_t count = left < vector_size - filled ? left : vector_size - filled;
        copy_run(slot, output, filled, run, count);
        filled += count;
        slot->row += count;
        if (slot->row == run->count) {
            slot->run++;
            slot->row = 0;
        }
    }
    copy_numbers(slot, output, filled);
    slot->ord += filled;
    duckdb_data_chunk_set_size(output, filled);
}

struct mr_rows_registry *mr_rows_registry_open(duckdb_connection connection, struct mr_error *err)
{
    struct mr_rows_registry *registry = mr_memory_new(1, sizeof(*registry));
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);

    duckdb_table_function_set_name(function, FUNCTION_NAME);
    duckdb_table_function_add_parameter(function, number);
    duckdb_table_function_set_extra_info(function, registry, NULL);
    duckdb_table_function_set_bind(function, rows_bind);
    duckdb_table_function_set_init(function, rows_init);
    duckdb_table_function_set_function(function, rows_next);
    const duckdb_state state = duckdb_register_table_function(connection, function);
    duckdb_destroy_logical_type(&number);
    duckdb_destroy_table_function(&function);
    if (state == DuckDBError) {
        free(registry);
        mr_fail(err, MR_E_SINK, MR_STOP, "DuckDB refuses the table function " FUNCTION_NAME);
        return NULL;
    }
    return registry;
}

void mr_rows_registry_close(struct mr_rows_registry *registry)
{
    if (registry != NULL) {
        free(registry->slots);
        free(registry);
    }
}

uint32_t mr_rows_add(struct mr_rows_registry *registry, const struct mr_schema *schema,
                     enum mr_rows_columns columns)
{
    uint32_t number = 0;
    while (number < registry->count && registry->slots[number].schema != NULL) {
        number++;
    }
    if (number == registry->capacity) {
        registry->capacity = registry->capacity == 0 ? 64 : registry->capacity * 2;
        registry->slots =
            mr_memory_resize(registry->slots, registry->capacity, sizeof(*registry->slots));
    }
    if (number == registry->count) {
        registry->count++;
    }
    MR_ASSERT(number < registry->capacity && registry->count <= registry->capacity);
    registry->slots[number] = (struct rows_slot){.schema = schema, .columns = columns};
    return number;
}

void mr_rows_drop(struct mr_rows_registry *registry, uint32_t slot)
{
    MR_ASSERT(slot < registry->count && registry->slots[slot].schema != NULL);
    registry->slots[slot] = (struct rows_slot){0};
}

void mr_rows_set(struct mr_rows_registry *registry, uint32_t slot, const struct mr_row_list *list)
{
    MR_ASSERT(slot < registry->count && registry->slots[slot].schema != NULL);
    MR_ASSERT(list->run_count > 0);
    registry->slots[slot].list = *list;
}

void mr_rows_clear(struct mr_rows_registry *registry, uint32_t slot)
{
    MR_ASSERT(slot < registry->count);
    registry->slots[slot].list = (struct mr_row_list){0};
}
