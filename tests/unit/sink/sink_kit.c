// SPDX-License-Identifier: MIT
/*
 * sink_kit.c - see sink_kit.h.
 */
#include "sink_kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "ddl.h"
#include "memory.h"
#include "result.h"

#define COLUMNS_MAX 16
#define CELL_MAX    4096

static void must(struct kit *kit, bool done)
{
    if (!done) {
        print_message("    %s\n", kit->err.message);
    }
    assert_true(done);
}

static void open_sink(struct kit *kit)
{
    const struct mr_sink_context context = {
        .name = "warehouse",
        .config = kit->config,
        .env = &mr_env_posix,
        .source_names = kit->names,
        .source_count = KIT_SOURCES,
        .memory_bytes = UINT64_C(128) << 20,
        .policies = kit->policies,
    };
    kit->sink = kit->ops->open(&context, &kit->err);
    must(kit, kit->sink != NULL);
}

void kit_open(struct kit *kit, const struct mr_sink_ops *ops, const char *const *options)
{
    *kit = (struct kit){.ops = ops, .names = {"ops", "crm"}};
    (void)snprintf(kit->dir, sizeof(kit->dir), "/tmp/mr-sink-XXXXXX");
    assert_non_null(mkdtemp(kit->dir));
    (void)snprintf(kit->path, sizeof(kit->path), "%s/w.duckdb", kit->dir);
    kit->config = mr_memory_new(1, ops->config_size);
    must(kit, mr_options_defaults(ops->options, kit->config, &kit->memory, &kit->err));
    if (mr_options_find(ops->options, "path") != NULL) {
        must(kit, mr_options_set(ops->options, kit->config, &kit->memory, "path", NULL, kit->path,
                                 &kit->err));
    }
    for (; options != NULL && options[0] != NULL; options += 2) {
        must(kit, mr_options_set(ops->options, kit->config, &kit->memory, options[0], NULL,
                                 options[1], &kit->err));
    }
    for (unsigned i = 0; i < KIT_SOURCES; i++) {
        kit->catalogs[i] = mr_catalog_open();
        kit->next_sequence[i] = 1;
    }
    kit->pool = mr_batch_pool_open(8, (size_t)64 << 20, (size_t)1 << 20, &kit->err);
    assert_non_null(kit->pool);
    open_sink(kit);
}

void kit_reopen(struct kit *kit)
{
    kit->ops->close(kit->sink);
    kit->sink = NULL;
    open_sink(kit);
}

void kit_close(struct kit *kit)
{
    kit->ops->close(kit->sink);
    mr_batch_pool_close(kit->pool);
    for (unsigned i = 0; i < KIT_SOURCES; i++) {
        mr_catalog_close(kit->catalogs[i]);
    }
    mr_options_free(&kit->memory);
    free(kit->config);
    DIR *dir = opendir(kit->dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    (void)rmdir(kit->dir);
}

const struct mr_schema *kit_schema(struct kit *kit, uint16_t source, const char *space,
                                   const char *table, const char *columns)
{
    struct mr_column made[COLUMNS_MAX] = {0};
    char *text = mr_memory_copy_text(columns, strlen(columns));
    char *rest = text;
    uint16_t count = 0;
    uint16_t key_count = 0;

    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *type = strchr(word, ':');
        assert_non_null(type);
        *type++ = '\0';
        char *key = strchr(type, ':');
        const char *fallback = NULL;
        bool is_required = key != NULL;
        if (key != NULL) {
            *key++ = '\0';
            fallback = *key == '=' ? key + 1 : NULL;
            key = strcmp(key, "key") == 0 ? key : NULL;
            is_required = is_required && fallback == NULL;
        }
        enum mr_type found = MR_TYPE_BOOL;
        while (found < MR_TYPE_COUNT && strcmp(mr_type_name(found), type) != 0) {
            found++;
        }
        assert_true(found < MR_TYPE_COUNT && count < COLUMNS_MAX);
        made[count++] = (struct mr_column){
            .name = word,
            .source_type = type,
            .type = found,
            .fallback = fallback,
            .precision = found == MR_TYPE_DECIMAL ? 10 : 0,
            .scale = found == MR_TYPE_DECIMAL ? 2 : 0,
            .nullable = !is_required,
            .key_index = key == NULL ? MR_NOT_IN_KEY : key_count,
        };
        key_count = (uint16_t)(key_count + (key != NULL));
    }
    const struct mr_schema draft = {
        .space = space, .table = table, .columns = made, .column_count = count};
    const struct mr_schema *schema = mr_catalog_intern(kit->catalogs[source], &draft, &kit->err);
    must(kit, schema != NULL);
    free(text);
    return schema;
}

struct mr_batch *kit_batch(struct kit *kit, uint16_t source)
{
    struct mr_batch *batch = mr_batch_take(kit->pool, 1000);
    assert_non_null(batch);
    batch->source_index = source;
    batch->first_sequence = kit->next_sequence[source];
    return batch;
}

void kit_begin(struct kit *kit, struct mr_batch *batch)
{
    must(kit, mr_batch_begin(batch, 1, 1700000000000000, &kit->err));
}

void kit_commit(struct kit *kit, struct mr_batch *batch)
{
    const uint64_t sequence = kit->next_sequence[batch->source_index]++;
    const struct mr_native_position end = {sequence, 0};
    char text[32];

    (void)snprintf(text, sizeof(text), "%llu:0", (unsigned long long)sequence);
    mr_batch_commit(batch, end, 1700000000000000);
    must(kit,
         mr_batch_set_position(batch, mr_slice_of("epoch"), mr_slice_of(text), end, &kit->err));
}

void kit_suspend(struct kit *kit, struct mr_batch *batch)
{
    (void)kit;
    mr_batch_suspend(batch);
}

static void put_cell(struct kit *kit, struct mr_batch *batch, struct mr_chunk *chunk, uint16_t i,
                     const char *cell)
{
    struct mr_column_chunk *column = &chunk->columns[i];
    const uint32_t row = chunk->row_count;

    if (strcmp(cell, "~") == 0) {
        mr_put_null(column, row);
    } else if (strcmp(cell, "!") == 0) {
        must(kit, mr_put_state(column, &batch->arena, row, chunk->capacity, MR_CELL_UNCHANGED));
    } else if (column->width == 0) {
        must(kit, mr_put_bytes(column, &batch->arena, row, cell, strlen(cell)));
    } else if (column->type == MR_TYPE_F64) {
        mr_put_f64(column, row, strtod(cell, NULL));
    } else if (column->width == 2) {
        mr_put_i16(column, row, (int16_t)strtol(cell, NULL, 10));
    } else if (column->width == 8) {
        mr_put_i64(column, row, strtoll(cell, NULL, 10));
    } else {
        assert_int_equal(column->width, 4);
        mr_put_i32(column, row, (int32_t)strtol(cell, NULL, 10));
    }
}

/* Cells of "a|b|c". */
static uint16_t split(const char *row, char cells[COLUMNS_MAX][CELL_MAX])
{
    uint16_t count = 0;
    for (;;) {
        const size_t length = strcspn(row, "|");
        assert_true(count < COLUMNS_MAX && length < CELL_MAX);
        memcpy(cells[count], row, length);
        cells[count++][length] = '\0';
        if (row[length] == '\0') {
            return count;
        }
        row += length + 1;
    }
}

static char cells_buffer[COLUMNS_MAX][CELL_MAX];

static uint16_t put_row(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                        enum mr_image image, const char *row, uint16_t *number)
{
    uint16_t index;
    const uint16_t count = split(row, cells_buffer);
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, image, &index, &kit->err);

    must(kit, chunk != NULL);
    assert_int_equal(count, schema->column_count);
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        put_cell(kit, batch, chunk, i, cells_buffer[image == MR_IMAGE_KEY ? schema->key[i] : i]);
    }
    *number = mr_chunk_end_row(chunk);
    return index;
}

static void add(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                enum mr_event_kind kind, const char *rows[2])
{
    const enum mr_image image = schema->key_count > 0 ? MR_IMAGE_KEY : MR_IMAGE_FULL;
    uint16_t chunk = MR_NO_CHUNK, before_chunk = MR_NO_CHUNK, row = 0, before_row = 0;

    if (rows[0] != NULL) {
        before_chunk = put_row(kit, batch, schema, image, rows[0], &before_row);
    }
    if (rows[1] != NULL) {
        chunk = put_row(kit, batch, schema, MR_IMAGE_FULL, rows[1], &row);
    }
    must(kit, mr_batch_add_event(batch, kind, chunk, row, before_chunk, before_row, &kit->err));
}

void kit_insert(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                const char *row)
{
    add(kit, batch, schema, MR_EVENT_INSERT, (const char *[]){NULL, row});
}

void kit_read(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
              const char *row)
{
    batch->snapshot_table = 1;
    add(kit, batch, schema, MR_EVENT_READ, (const char *[]){NULL, row});
}

void kit_update(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                const char *before, const char *after)
{
    add(kit, batch, schema, MR_EVENT_UPDATE, (const char *[]){before, after});
}

void kit_delete(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                const char *before)
{
    add(kit, batch, schema, MR_EVENT_DELETE, (const char *[]){before, NULL});
}

void kit_change(struct kit *kit, struct mr_batch *batch, const struct mr_schema *before,
                const struct mr_schema *after, const char *renamed)
{
    char *names =
        mr_memory_copy_text(renamed != NULL ? renamed : "", renamed != NULL ? strlen(renamed) : 0);
    const size_t length = strlen(names);
    for (size_t i = 0; i < length; i++) {
        names[i] = names[i] == ' ' ? MR_NOTE_NAME_END : names[i];
    }
    const struct mr_note note = {
        .kind = MR_NOTE_SCHEMA_CHANGE,
        .before = before,
        .after = after,
        .name = mr_slice_of(before == NULL  ? "create"
                            : after == NULL ? "drop"
                                            : "alter"),
        .text = mr_slice_of("DDL"),
        .renamed = {(const uint8_t *)names, length},
    };
    must(kit, mr_batch_add_note(batch, &note, &kit->err));
    free(names);
}

void kit_truncate(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema)
{
    must(kit, mr_batch_add_truncate(batch, schema, &kit->err));
}

void kit_apply(struct kit *kit, struct mr_batch *batch)
{
    must(kit, kit->ops->apply(kit->sink, &batch, 1, &kit->err));
    mr_batch_release(batch);
}

void kit_apply_commit(struct kit *kit, struct mr_batch *batch)
{
    kit_apply(kit, batch);
    must(kit, kit->ops->commit(kit->sink, &kit->err));
}

char *kit_dump(struct kit *kit, uint16_t source, const struct mr_schema *schema)
{
    struct mr_sql sql = {0};
    struct mr_sql rows = {0};
    struct mr_result result = {0};

    mr_sql_add(&sql, "SELECT concat_ws('|'");
    for (uint16_t i = 0; i < schema->column_count; i++) {
        mr_sql_add(&sql, ", coalesce(");
        mr_sql_add_identifier(&sql, schema->columns[i].name);
        mr_sql_add(&sql, "::VARCHAR, '~')");
    }
    mr_sql_add(&sql, ") AS r FROM ");
    mr_ddl_add_target(&sql, kit->names[source], schema);
    mr_sql_add(&sql, " ORDER BY r COLLATE \"binary\"");
    mr_sql_add(&rows, "");
    if (!mr_result_query(kit->sink->warehouse, sql.text, &result, &kit->err)) {
        print_message("    %s: %s\n", sql.text, kit->err.message);
        mr_sql_done(&sql);
        mr_sql_done(&rows);
        return NULL;
    }
    while (mr_result_next(&result)) {
        char *row = mr_result_text(&result, 0);
        mr_sql_add(&rows, row);
        mr_sql_add(&rows, "\n");
        free(row);
    }
    mr_result_done(&result);
    mr_sql_done(&sql);
    return rows.text;
}

bool kit_has_table(struct kit *kit, uint16_t source, const struct mr_schema *schema)
{
    struct mr_sql sql = {0};
    char *name = mr_ddl_schema_name(kit->names[source], schema);

    mr_sql_add(&sql, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = ");
    mr_sql_add_literal(&sql, name);
    mr_sql_add(&sql, " AND table_name = ");
    mr_sql_add_literal(&sql, schema->table);
    const bool has_table = kit_number(kit, sql.text) == 1;
    mr_sql_done(&sql);
    free(name);
    return has_table;
}

uint64_t kit_number(struct kit *kit, const char *sql)
{
    struct mr_sql cast = {0};
    struct mr_result result = {0};

    mr_sql_addf(&cast, "SELECT n::UBIGINT FROM (%s) AS q(n)", sql);
    must(kit, mr_result_query(kit->sink->warehouse, cast.text, &result, &kit->err));
    assert_true(mr_result_next(&result));
    const uint64_t number = mr_result_u64(&result, 0);
    mr_result_done(&result);
    mr_sql_done(&cast);
    return number;
}
