// SPDX-License-Identifier: MIT
/*
 * result.c - chunk by chunk, row by row; for tens of rows, not for data.
 */
#include "result.h"

#include <string.h>

#include "memory.h"

bool mr_result_query(struct mr_warehouse *warehouse, const char *sql, struct mr_result *result,
                     struct mr_error *err)
{
    *result = (struct mr_result){0};
    result->is_open = mr_warehouse_exec_keep(warehouse, sql, &result->result, err);
    return result->is_open;
}

bool mr_result_run(struct mr_warehouse *warehouse, duckdb_prepared_statement statement,
                   struct mr_result *result, struct mr_error *err)
{
    *result = (struct mr_result){0};
    result->is_open = mr_warehouse_run_keep(warehouse, statement, &result->result, err);
    return result->is_open;
}

bool mr_result_next(struct mr_result *result)
{
    MR_ASSERT(result->is_open);
    if (result->chunk != NULL && ++result->row < result->row_count) {
        return true;
    }
    if (result->chunk != NULL) {
        duckdb_destroy_data_chunk(&result->chunk);
    }
    result->chunk = duckdb_fetch_chunk(result->result);
    result->row = 0;
    result->row_count = result->chunk == NULL ? 0 : duckdb_data_chunk_get_size(result->chunk);
    return result->row_count > 0;
}

static const void *cell(struct mr_result *result, uint64_t column, size_t width)
{
    MR_ASSERT(result->chunk != NULL && result->row < result->row_count);
    duckdb_vector vector = duckdb_data_chunk_get_vector(result->chunk, column);
    return (const uint8_t *)duckdb_vector_get_data(vector) + result->row * width;
}

bool mr_result_is_null(struct mr_result *result, uint64_t column)
{
    MR_ASSERT(result->chunk != NULL && result->row < result->row_count);
    const uint64_t *validity =
        duckdb_vector_get_validity(duckdb_data_chunk_get_vector(result->chunk, column));
    return validity != NULL && (validity[result->row >> 6] >> (result->row & 63) & 1) == 0;
}

uint64_t mr_result_u64(struct mr_result *result, uint64_t column)
{
    uint64_t value = 0;
    MR_ASSERT(duckdb_column_type(&result->result, column) == DUCKDB_TYPE_UBIGINT);
    if (!mr_result_is_null(result, column)) {
        memcpy(&value, cell(result, column, sizeof(value)), sizeof(value));
    }
    return value;
}

uint32_t mr_result_u32(struct mr_result *result, uint64_t column)
{
    uint32_t value = 0;
    MR_ASSERT(duckdb_column_type(&result->result, column) == DUCKDB_TYPE_UINTEGER);
    if (!mr_result_is_null(result, column)) {
        memcpy(&value, cell(result, column, sizeof(value)), sizeof(value));
    }
    return value;
}

bool mr_result_bool(struct mr_result *result, uint64_t column)
{
    MR_ASSERT(duckdb_column_type(&result->result, column) == DUCKDB_TYPE_BOOLEAN);
    return !mr_result_is_null(result, column) && *(const bool *)cell(result, column, 1);
}

char *mr_result_text(struct mr_result *result, uint64_t column)
{
    MR_ASSERT(duckdb_column_type(&result->result, column) == DUCKDB_TYPE_VARCHAR);
    if (mr_result_is_null(result, column)) {
        return mr_memory_copy_text("", 0);
    }
    duckdb_string_t string;
    memcpy(&string, cell(result, column, sizeof(string)), sizeof(string));
    return mr_memory_copy_text(duckdb_string_t_data(&string), duckdb_string_t_length(string));
}

void mr_result_done(struct mr_result *result)
{
    if (result->chunk != NULL) {
        duckdb_destroy_data_chunk(&result->chunk);
    }
    if (result->is_open) {
        duckdb_destroy_result(&result->result);
    }
    *result = (struct mr_result){0};
}
