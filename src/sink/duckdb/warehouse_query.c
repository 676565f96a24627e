// SPDX-License-Identifier: MIT
/*
 * warehouse_query.c - one query, from lease to return.
 *
 *   lease -> sandbox -> BEGIN READ ONLY -> prepare -> bind -> run (streaming) -> rows -> ROLLBACK
 *
 * The result is streamed, so a query that yields too many rows costs no more memory than those that
 * are written.
 */
#include "warehouse_query.h"

#include <stdlib.h>
#include <string.h>

#include "duckdb_sink.h"
#include "gate.h"
#include "memory.h"
#include "query_cell.h"
#include "query_type.h"
#include "sandbox.h"

#define NS_PER_US 1000

struct run {
    const struct mr_query *query;
    struct mr_gate *gate;
    struct mr_lease lease;
    duckdb_extracted_statements statements;
    duckdb_prepared_statement prepared;
    duckdb_pending_result pending;
    duckdb_result result;
    bool has_result;
    struct mr_query_type *types;
    uint64_t column_count;
};

/* What to say when the engine stopped: the reason it was interrupted for, or its complaint. */
static bool fail_run(struct run *run, duckdb_error_type type, const char *message,
                     struct mr_error *err)
{
    switch (mr_gate_interrupt_of(run->gate, &run->lease)) {
    case MR_INTERRUPT_TIME:
        return mr_fail(err, MR_E_CANCELLED, MR_STOP, "the query ran longer than %llu ms",
                       (unsigned long long)run->query->time_ms_max);
    case MR_INTERRUPT_MEMORY:
        return mr_fail(err, MR_E_LIMIT, MR_RETRY,
                       "the query was ended: the sink needed the memory; try again");
    case MR_INTERRUPT_CLOSE:
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the query was ended: the warehouse closes");
    case MR_INTERRUPT_NONE:
        break;
    }
    return mr_sandbox_fail(type, message, err);
}

static bool exec(struct run *run, const char *sql, struct mr_error *err)
{
    duckdb_result result;
    const bool done = duckdb_query(run->lease.connection, sql, &result) == DuckDBSuccess;

    if (!done) {
        fail_run(run, duckdb_result_error_type(&result), duckdb_result_error(&result), err);
    }
    duckdb_destroy_result(&result);
    return done;
}

static bool prepare(struct run *run, struct mr_error *err)
{
    const idx_t count =
        duckdb_extract_statements(run->lease.connection, run->query->sql, &run->statements);

    if (count == 0) {
        return fail_run(run, DUCKDB_ERROR_INVALID, duckdb_extract_statements_error(run->statements),
                        err);
    }
    if (count != 1) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "exactly one statement can be run at a time");
    }
    if (duckdb_prepare_extracted_statement(run->lease.connection, run->statements, 0,
                                           &run->prepared) == DuckDBError) {
        return fail_run(run, DUCKDB_ERROR_INVALID, duckdb_prepare_error(run->prepared), err);
    }
    const duckdb_statement_type type = duckdb_prepared_statement_type(run->prepared);
    if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "only one SELECT, or EXPLAIN of one, can be run here");
    }
    return true;
}

static duckdb_state bind_one(duckdb_prepared_statement prepared, idx_t index,
                             const struct mr_query_parameter *parameter)
{
    switch (parameter->kind) {
    case MR_QUERY_NULL:
        return duckdb_bind_null(prepared, index);
    case MR_QUERY_BOOL:
        return duckdb_bind_boolean(prepared, index, parameter->boolean);
    case MR_QUERY_INT:
        return duckdb_bind_int64(prepared, index, parameter->integer);
    case MR_QUERY_REAL:
        return duckdb_bind_double(prepared, index, parameter->real);
    case MR_QUERY_TEXT:
        return duckdb_bind_varchar(prepared, index, parameter->text);
    }
    return DuckDBError;
}

static bool bind(struct run *run, struct mr_error *err)
{
    const struct mr_query *query = run->query;

    if (duckdb_nparams(run->prepared) != query->parameter_count) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "the statement has %llu parameters, %zu are given",
                       (unsigned long long)duckdb_nparams(run->prepared), query->parameter_count);
    }
    for (size_t i = 0; i < query->parameter_count; i++) {
        if (bind_one(run->prepared, i + 1, &query->parameters[i]) == DuckDBError) {
            return mr_fail(err, MR_E_CONFIG, MR_STOP, "parameter %zu cannot be used", i + 1);
        }
    }
    return true;
}

static bool start(struct run *run, struct mr_error *err)
{
    if (duckdb_pending_prepared_streaming(run->prepared, &run->pending) == DuckDBError) {
        return fail_run(run, DUCKDB_ERROR_INVALID, duckdb_pending_error(run->pending), err);
    }
    run->has_result = true;
    if (duckdb_execute_pending(run->pending, &run->result) == DuckDBError) {
        return fail_run(run, duckdb_result_error_type(&run->result),
                        duckdb_result_error(&run->result), err);
    }
    return true;
}

static bool write_columns(struct run *run, struct mr_json *out, struct mr_error *err)
{
    run->column_count = duckdb_column_count(&run->result);
    run->types = mr_memory_new(run->column_count + 1, sizeof(*run->types));
    mr_json_key(out, "columns");
    mr_json_array_begin(out);
    for (uint64_t i = 0; i < run->column_count; i++) {
        struct mr_sql name = {0};
        mr_query_type_init(&run->types[i], duckdb_column_logical_type(&run->result, i), 0);
        mr_query_type_add_name(&run->types[i], &name);
        mr_json_object_begin(out);
        mr_json_key(out, "name");
        mr_json_string(out, duckdb_column_name(&run->result, i));
        mr_json_key(out, "type");
        mr_json_string(out, name.text);
        mr_json_object_end(out);
        mr_sql_done(&name);
        if (!run->types[i].is_supported) {
            return mr_fail(err, MR_E_CONFIG, MR_STOP,
                           "column \"%.200s\" is of a type that cannot be answered; cast it to "
                           "VARCHAR",
                           duckdb_column_name(&run->result, i));
        }
    }
    mr_json_array_end(out);
    return true;
}

static bool write_chunk(struct run *run, duckdb_data_chunk chunk, uint64_t count,
                        struct mr_json *out, struct mr_error *err)
{
    for (uint64_t row = 0; row < count; row++) {
        mr_json_array_begin(out);
        for (uint64_t i = 0; i < run->column_count; i++) {
            mr_query_cell_write(out, &run->types[i], duckdb_data_chunk_get_vector(chunk, i), row);
        }
        mr_json_array_end(out);
        if (out->length > run->query->bytes_max) {
            return mr_fail(err, MR_E_LIMIT, MR_STOP,
                           "the answer is larger than %llu bytes; ask for less",
                           (unsigned long long)run->query->bytes_max);
        }
    }
    return true;
}

static bool write_rows(struct run *run, struct mr_json *out, bool *truncated, struct mr_error *err)
{
    uint64_t left = run->query->rows_max;

    *truncated = false;
    mr_json_key(out, "rows");
    mr_json_array_begin(out);
    while (!*truncated) {
        duckdb_data_chunk chunk = duckdb_fetch_chunk(run->result);
        if (chunk == NULL) {
            break;
        }
        const uint64_t size = duckdb_data_chunk_get_size(chunk);
        const uint64_t count = size < left ? size : left;
        *truncated = size > left;
        const bool written = write_chunk(run, chunk, count, out, err);
        left -= count;
        duckdb_destroy_data_chunk(&chunk);
        if (!written) {
            return false;
        }
        if (mr_gate_interrupt_of(run->gate, &run->lease) != MR_INTERRUPT_NONE) {
            return fail_run(run, DUCKDB_ERROR_INTERRUPT, NULL, err);
        }
    }
    const char *complaint = duckdb_result_error(&run->result);
    if (complaint != NULL && complaint[0] != '\0') {
        return fail_run(run, duckdb_result_error_type(&run->result), complaint, err);
    }
    mr_json_array_end(out);
    return true;
}

static void end(struct run *run)
{
    struct mr_error ignored = {0};

    for (uint64_t i = 0; run->types != NULL && i < run->column_count; i++) {
        mr_query_type_done(&run->types[i]);
    }
    free(run->types);
    if (run->has_result) {
        duckdb_destroy_result(&run->result);
    }
    if (run->pending != NULL) {
        duckdb_destroy_pending(&run->pending);
    }
    if (run->prepared != NULL) {
        duckdb_destroy_prepare(&run->prepared);
    }
    if (run->statements != NULL) {
        duckdb_destroy_extracted(&run->statements);
    }
    if (run->lease.connection != NULL && !exec(run, "ROLLBACK", &ignored)) {
        MR_ASSERT(ignored.code != MR_OK); /* there was no transaction, or the connection ends it */
    }
    mr_gate_return(run->gate, &run->lease);
}

bool mr_warehouse_query(struct mr_sink *sink, const struct mr_query *query, struct mr_json *out,
                        struct mr_error *err)
{
    struct run run = {.query = query, .gate = mr_warehouse_gate(sink->warehouse)};
    const uint64_t start_ns = sink->env->monotonic_ns(sink->env);
    bool truncated = false;
    bool answered = false;

    if (strlen(query->sql) > MR_QUERY_SQL_BYTES_MAX ||
        query->parameter_count > MR_QUERY_PARAMETERS_MAX) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the statement is too long");
    }
    mr_json_object_begin(out);
    answered = mr_gate_lease(run.gate, query->wait_ms, query->time_ms_max, &run.lease, err) &&
               mr_sandbox_check(run.lease.connection, query->sql, err) &&
               exec(&run, "BEGIN TRANSACTION READ ONLY", err) && prepare(&run, err) &&
               bind(&run, err) && start(&run, err) && write_columns(&run, out, err) &&
               write_rows(&run, out, &truncated, err);
    end(&run);
    if (!answered) {
        return false;
    }
    mr_json_key(out, "truncated");
    mr_json_bool(out, truncated);
    mr_json_key(out, "elapsed_ms");
    const uint64_t elapsed_us = (sink->env->monotonic_ns(sink->env) - start_ns) / NS_PER_US;
    mr_json_double(out, (double)elapsed_us / 1e3);
    mr_json_object_end(out);
    return true;
}
