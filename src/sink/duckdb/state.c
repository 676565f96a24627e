// SPDX-License-Identifier: MIT
/*
 * state.c - positions and snapshot marks in the schema `millrace`.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "result.h"

static const char *const create_statements[] = {
    "CREATE SCHEMA IF NOT EXISTS millrace",
    "CREATE TABLE IF NOT EXISTS millrace.position (source VARCHAR, seq UBIGINT, major UBIGINT, "
    "minor UBIGINT, epoch VARCHAR, position VARCHAR, committed_at TIMESTAMP WITH TIME ZONE)",
    "CREATE TABLE IF NOT EXISTS millrace.snapshot (seq UBIGINT, source VARCHAR, space VARCHAR, "
    "name VARCHAR, state VARCHAR, high_major UBIGINT, high_minor UBIGINT, exact BOOLEAN)",
};

static bool find_source(const struct mr_state *state, const char *name, uint16_t *index)
{
    for (uint32_t i = 0; i < state->source_count; i++) {
        if (strcmp(state->source_names[i], name) == 0) {
            *index = (uint16_t)i;
            return true;
        }
    }
    return false; /* a source that was removed from the configuration */
}

static bool read_positions(const struct mr_state *state, struct mr_sink_position *positions,
                           struct mr_error *err)
{
    struct mr_result result = {0};

    if (!mr_result_query(state->warehouse,
                         "SELECT source, max(seq), arg_max(major, seq), arg_max(minor, seq) "
                         "FROM millrace.position GROUP BY source",
                         &result, err)) {
        return mr_error_context(err, "read the positions");
    }
    while (mr_result_next(&result)) {
        char *name = mr_result_text(&result, 0);
        uint16_t index;
        if (find_source(state, name, &index)) {
            positions[index] = (struct mr_sink_position){
                .sequence = mr_result_u64(&result, 1),
                .native = {mr_result_u64(&result, 2), mr_result_u64(&result, 3)},
            };
        }
        free(name);
    }
    mr_result_done(&result);
    return true;
}

static void note(struct mr_state *state, uint16_t source_index, const char *space,
                 const char *table, const struct mr_snapshot_mark *mark)
{
    struct mr_state_copy *copy = state->copies;

    while (copy != NULL && (copy->source_index != source_index || strcmp(copy->space, space) != 0 ||
                            strcmp(copy->table, table) != 0)) {
        copy = copy->next;
    }
    if (copy == NULL) {
        copy = mr_memory_new(1, sizeof(*copy));
        copy->source_index = source_index;
        copy->space = mr_memory_copy_text(space, strlen(space));
        copy->table = mr_memory_copy_text(table, strlen(table));
        copy->next = state->copies;
        state->copies = copy;
    }
    copy->finished = mark != NULL;
    copy->mark = mark == NULL ? (struct mr_snapshot_mark){0} : *mark;
}

static void read_copy(struct mr_state *state, struct mr_result *result)
{
    char *name = mr_result_text(result, 1);
    char *space = mr_result_text(result, 2);
    char *table = mr_result_text(result, 3);
    const struct mr_snapshot_mark mark = {
        .high = {mr_result_u64(result, 5), mr_result_u64(result, 6)},
        .exact = mr_result_bool(result, 7),
    };
    uint16_t index;

    state->next_copy_seq = mr_result_u64(result, 0) + 1;
    if (find_source(state, name, &index)) {
        note(state, index, space, table, mr_result_bool(result, 4) ? &mark : NULL);
    }
    free(name);
    free(space);
    free(table);
}

static bool read_copies(struct mr_state *state, struct mr_error *err)
{
    struct mr_result result = {0};

    if (!mr_result_query(state->warehouse,
                         "SELECT seq, source, space, name, state = 'finished', high_major, "
                         "high_minor, exact FROM millrace.snapshot ORDER BY seq",
                         &result, err)) {
        return mr_error_context(err, "read the snapshot marks");
    }
    state->next_copy_seq = 1;
    while (mr_result_next(&result)) {
        read_copy(state, &result); /* in order: the last one of a table wins */
    }
    mr_result_done(&result);
    return true;
}

bool mr_state_open(struct mr_state *state, struct mr_warehouse *warehouse,
                   const char *const *source_names, uint32_t source_count,
                   struct mr_sink_position *positions, struct mr_error *err)
{
    *state = (struct mr_state){
        .warehouse = warehouse,
        .source_names = source_names,
        .source_count = source_count,
    };
    memset(positions, 0, source_count * sizeof(*positions));
    for (size_t i = 0; i < MR_ARRAY_LEN(create_statements); i++) {
        if (!mr_warehouse_exec(warehouse, create_statements[i], err)) {
            return mr_error_context(err, "make the sink's own tables");
        }
    }
    return mr_warehouse_prepare(warehouse,
                                "INSERT INTO millrace.position VALUES ($1, $2, $3, $4, $5, $6, $7)",
                                &state->append_position, err) &&
           mr_warehouse_prepare(
               warehouse, "INSERT INTO millrace.snapshot VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
               &state->append_copy, err) &&
           read_positions(state, positions, err) && read_copies(state, err);
}

void mr_state_done(struct mr_state *state)
{
    if (state->append_position != NULL) {
        duckdb_destroy_prepare(&state->append_position);
    }
    if (state->append_copy != NULL) {
        duckdb_destroy_prepare(&state->append_copy);
    }
    while (state->copies != NULL) {
        struct mr_state_copy *copy = state->copies;
        state->copies = copy->next;
        free(copy->space);
        free(copy->table);
        free(copy);
    }
    *state = (struct mr_state){0};
}

static void bind_text(duckdb_prepared_statement statement, idx_t index, const char *text)
{
    const duckdb_state bound = text[0] == '\0' ? duckdb_bind_null(statement, index)
                                               : duckdb_bind_varchar(statement, index, text);
    MR_ASSERT(bound == DuckDBSuccess);
}

bool mr_state_append_position(struct mr_state *state, uint16_t source_index,
                              const struct mr_state_position *position, struct mr_error *err)
{
    duckdb_prepared_statement statement = state->append_position;

    MR_ASSERT(source_index < state->source_count && position->place.sequence > 0);
    bind_text(statement, 1, state->source_names[source_index]);
    (void)duckdb_bind_uint64(statement, 2, position->place.sequence);
    (void)duckdb_bind_uint64(statement, 3, position->place.native.major);
    (void)duckdb_bind_uint64(statement, 4, position->place.native.minor);
    bind_text(statement, 5, position->epoch);
    bind_text(statement, 6, position->text);
    if (position->committed_us == 0) {
        (void)duckdb_bind_null(statement, 7);
    } else {
        (void)duckdb_bind_timestamp_tz(statement, 7,
                                       (duckdb_timestamp){.micros = position->committed_us});
    }
    state->position_rows++;
    return mr_warehouse_run(state->warehouse, statement, NULL, err) ||
           mr_error_context(err, "append the position of \"%s\"",
                            state->source_names[source_index]);
}

const struct mr_state_copy *mr_state_find_copy(const struct mr_state *state, uint16_t source_index,
                                               const struct mr_schema *schema)
{
    const struct mr_state_copy *copy = state->copies;
    while (copy != NULL &&
           (copy->source_index != source_index || strcmp(copy->space, schema->space) != 0 ||
            strcmp(copy->table, schema->table) != 0)) {
        copy = copy->next;
    }
    return copy;
}

bool mr_state_append_copy(struct mr_state *state, uint16_t source_index,
                          const struct mr_schema *schema, const struct mr_snapshot_mark *mark,
                          struct mr_error *err)
{
    duckdb_prepared_statement statement = state->append_copy;

    MR_ASSERT(source_index < state->source_count);
    (void)duckdb_bind_uint64(statement, 1, state->next_copy_seq++);
    bind_text(statement, 2, state->source_names[source_index]);
    bind_text(statement, 3, schema->space);
    bind_text(statement, 4, schema->table);
    bind_text(statement, 5, mark == NULL ? "begun" : "finished");
    if (mark == NULL) {
        (void)duckdb_bind_null(statement, 6);
        (void)duckdb_bind_null(statement, 7);
        (void)duckdb_bind_null(statement, 8);
    } else {
        (void)duckdb_bind_uint64(statement, 6, mark->high.major);
        (void)duckdb_bind_uint64(statement, 7, mark->high.minor);
        (void)duckdb_bind_boolean(statement, 8, mark->exact);
    }
    return mr_warehouse_run(state->warehouse, statement, NULL, err) ||
           mr_error_context(err, "append the snapshot mark of \"%s\"", schema->table);
}

void mr_state_note_copy(struct mr_state *state, uint16_t source_index,
                        const struct mr_schema *schema, const struct mr_snapshot_mark *mark)
{
    note(state, source_index, schema->space, schema->table, mark);
}

/* Position rows go, since the next one may repeat the highest sequence with another place. */
static bool drop_positions(struct mr_state *state, const char *source, struct mr_error *err)
{
    duckdb_prepared_statement statement = NULL;
    bool dropped = mr_warehouse_prepare(
        state->warehouse, "DELETE FROM millrace.position WHERE source = $1", &statement, err);
    if (dropped) {
        bind_text(statement, 1, source);
        dropped = mr_warehouse_run(state->warehouse, statement, NULL, err);
    }
    duckdb_destroy_prepare(&statement);
    return dropped || mr_error_context(err, "forget the positions of \"%s\"", source);
}

bool mr_state_append_restart(struct mr_state *state, uint16_t source_index, struct mr_error *err)
{
    MR_ASSERT(source_index < state->source_count);
    if (!drop_positions(state, state->source_names[source_index], err)) {
        return false;
    }
    for (const struct mr_state_copy *copy = state->copies; copy != NULL; copy = copy->next) {
        const struct mr_schema named = {.space = copy->space, .table = copy->table};
        if (copy->source_index == source_index && copy->finished &&
            !mr_state_append_copy(state, source_index, &named, NULL, err)) {
            return false;
        }
    }
    return true;
}

void mr_state_note_restart(struct mr_state *state, uint16_t source_index)
{
    for (struct mr_state_copy *copy = state->copies; copy != NULL; copy = copy->next) {
        if (copy->source_index == source_index) {
            copy->finished = false;
            copy->mark = (struct mr_snapshot_mark){0};
        }
    }
}

bool mr_state_compact(struct mr_state *state, struct mr_error *err)
{
    if (!mr_warehouse_exec(state->warehouse,
                           "DELETE FROM millrace.position AS p USING (SELECT source, max(seq) AS "
                           "seq FROM millrace.position GROUP BY source) AS last WHERE p.source = "
                           "last.source AND p.seq < last.seq",
                           err)) {
        return mr_error_context(err, "compact the positions");
    }
    state->position_rows = 0;
    return true;
}
