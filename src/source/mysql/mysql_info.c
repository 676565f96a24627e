// SPDX-License-Identifier: MIT
/*
 * mysql_info.c - see mysql_info.h.
 *
 * Columns come in ORDINAL_POSITION, generated and invisible ones included: that is how row images
 * have them. The key is the primary key and nothing in its place: a unique index over nullable
 * columns identifies no row.
 */
#include "mysql_info.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "schema.h"
#include "table_filter.h"

#define INFO_BYTES_MAX  (64u << 20) /* address space: 4,096 columns with long enum lists */
#define INFO_BYTES_KEPT (256u << 10)
#define QUERY_BYTES_MAX 8192

static const char *const system_schemas[] = {
    "mysql",
    "information_schema",
    "performance_schema",
    "sys",
};

static void write_quoted(struct mr_writer *sql, const char *text, char quote, bool backslashes)
{
    mr_write_u8(sql, (uint8_t)quote);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == quote || (backslashes && *at == '\\')) {
            mr_write_u8(sql, (uint8_t)*at);
        }
        mr_write_u8(sql, (uint8_t)*at);
    }
    mr_write_u8(sql, (uint8_t)quote);
}

void mr_mysql_write_literal(struct mr_writer *sql, const char *text)
{
    write_quoted(sql, text, '\'', true);
}

void mr_mysql_write_name(struct mr_writer *sql, const char *name)
{
    write_quoted(sql, name, '`', false);
}

void mr_mysql_write_table(struct mr_writer *sql, const char *space, const char *table)
{
    mr_mysql_write_name(sql, space);
    mr_write_u8(sql, '.');
    mr_mysql_write_name(sql, table);
}

bool mr_mysql_is_captured(const struct mr_source_context *context, const char *space,
                          const char *table)
{
    MR_ASSERT(space != NULL && table != NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(system_schemas); i++) {
        if (strcasecmp(space, system_schemas[i]) == 0) {
            return false;
        }
    }
    const struct mr_mysql_config *config = context->config;
    const struct mr_table_filter filter = {
        .include = &config->tables,
        .exclude = &config->exclude,
        .choices = context->choices,
    };
    return mr_table_filter_takes(&filter, space, table);
}

struct mr_mysql_info {
    struct mr_arena arena; /* of the answer */
    struct mr_mysql_table_info table;
    struct mr_mysql_column_info *columns; /* MR_COLUMN_COUNT_MAX */
    uint16_t *key;                        /* MR_COLUMN_COUNT_MAX */
};

struct mr_mysql_info *mr_mysql_info_open(struct mr_error *err)
{
    struct mr_mysql_info *info = mr_memory_new(1, sizeof(*info));
    info->columns = mr_memory_new(MR_COLUMN_COUNT_MAX, sizeof(*info->columns));
    info->key = mr_memory_new(MR_COLUMN_COUNT_MAX, sizeof(*info->key));
    if (!mr_arena_init(&info->arena, INFO_BYTES_MAX, INFO_BYTES_KEPT, err)) {
        mr_mysql_info_close(info);
        return NULL;
    }
    return info;
}

void mr_mysql_info_close(struct mr_mysql_info *info)
{
    if (info == NULL) {
        return;
    }
    mr_arena_done(&info->arena);
    free(info->columns);
    free(info->key);
    free(info);
}

/** A copy of a cell in the answer's arena, NUL-terminated; *copy NULL for NULL. */
static bool keep_cell(struct mr_mysql_info *info, const struct mr_mysql_result_row *row,
                      unsigned cell, const char **copy, struct mr_error *err)
{
    MR_ASSERT(cell < row->count);
    *copy = NULL;
    if (row->cells[cell] == NULL) {
        return true;
    }
    *copy = mr_arena_copy(&info->arena, row->cells[cell], row->lengths[cell] + 1);
    return *copy != NULL || mr_fail(err, MR_E_LIMIT, MR_STOP,
                                    "the description of \"%s\".\"%s\" is larger than %u bytes",
                                    info->table.space, info->table.table, INFO_BYTES_MAX);
}

enum {
    COLUMN_NAME,
    COLUMN_TYPE,
    COLUMN_CHARSET,
    COLUMN_DEFAULT,
    COLUMN_NULLABLE,
    COLUMN_EXPRESSION,
    COLUMN_CELLS
};

static bool take_column(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct mr_mysql_info *info = context;
    MR_ASSERT(row->count == COLUMN_CELLS);
    if (info->table.column_count == MR_COLUMN_COUNT_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "table \"%s\".\"%s\" has more than %d columns",
                       info->table.space, info->table.table, MR_COLUMN_COUNT_MAX);
    }
    struct mr_mysql_column_info column = {0};
    if (!keep_cell(info, row, COLUMN_NAME, &column.name, err) ||
        !keep_cell(info, row, COLUMN_TYPE, &column.column_type, err) ||
        !keep_cell(info, row, COLUMN_CHARSET, &column.charset, err) ||
        !keep_cell(info, row, COLUMN_DEFAULT, &column.fallback, err)) {
        return false;
    }
    if (column.name == NULL || column.column_type == NULL || row->cells[COLUMN_NULLABLE] == NULL) {
        return mr_fail(
            err, MR_E_PROTOCOL, MR_STOP,
            "information_schema describes a column of \"%s\".\"%s\" without name or type",
            info->table.space, info->table.table);
    }
    column.nullable = strcasecmp(row->cells[COLUMN_NULLABLE], "YES") == 0;
    column.is_generated =
        row->cells[COLUMN_EXPRESSION] != NULL && row->lengths[COLUMN_EXPRESSION] > 0;
    info->columns[info->table.column_count++] = column;
    return true;
}

static bool take_key_column(void *context, const struct mr_mysql_result_row *row,
                            struct mr_error *err)
{
    struct mr_mysql_info *info = context;
    MR_ASSERT(row->count == 1);
    for (uint16_t i = 0; row->cells[0] != NULL && i < info->table.column_count; i++) {
        if (strcmp(info->columns[i].name, row->cells[0]) == 0 &&
            info->table.key_count < MR_COLUMN_COUNT_MAX) {
            info->key[info->table.key_count++] = i;
            return true;
        }
    }
    return mr_fail(
        err, MR_E_SOURCE, MR_RETRY,
        "the primary key of \"%s\".\"%s\" names a column that is not there: the table is "
        "being altered",
        info->table.space, info->table.table);
}

static bool take_json_check(void *context, const struct mr_mysql_result_row *row,
                            struct mr_error *err)
{
    struct mr_mysql_info *info = context;
    (void)err;
    MR_ASSERT(row->count == 1);
    for (uint16_t i = 0; row->cells[0] != NULL && i < info->table.column_count; i++) {
        if (strcasecmp(info->columns[i].name, row->cells[0]) == 0) {
            info->columns[i].is_json = true;
        }
    }
    return true;
}

/** Runs `before` + WHERE of the table + `after`. */
static bool query_table(struct mr_mysql_info *info, struct mr_mysql_connection *connection,
                        const char *before, const char *after, mr_mysql_row_fn take,
                        struct mr_error *err)
{
    MR_ASSERT(info->table.space != NULL && info->table.table != NULL);
    struct mr_writer sql = {0};
    mr_writer_init(&sql, QUERY_BYTES_MAX);
    mr_write_bytes(&sql, before, strlen(before));
    mr_mysql_write_literal(&sql, info->table.space);
    mr_write_bytes(&sql, " AND TABLE_NAME = ", 18);
    mr_mysql_write_literal(&sql, info->table.table);
    mr_write_bytes(&sql, after, strlen(after) + 1);
    bool read = sql.failed ? mr_fail(err, MR_E_LIMIT, MR_STOP, "a table's name is too long")
                           : mr_mysql_each_row(connection, (const char *)sql.bytes,
                                               MR_COLUMN_COUNT_MAX + 1, take, info, err);
    mr_writer_done(&sql);
    return read;
}

const struct mr_mysql_table_info *mr_mysql_info_read(struct mr_mysql_info *info,
                                                     struct mr_mysql_connection *connection,
                                                     const char *space, const char *table,
                                                     struct mr_error *err)
{
    MR_ASSERT(info != NULL && connection != NULL);
    mr_arena_reset(&info->arena);
    info->table = (struct mr_mysql_table_info){
        .space = mr_arena_copy(&info->arena, space, strlen(space) + 1),
        .table = mr_arena_copy(&info->arena, table, strlen(table) + 1),
        .columns = info->columns,
        .key = info->key,
    };
    if (info->table.space == NULL || info->table.table == NULL) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP, "a table's name is too long");
        return NULL;
    }
    if (!query_table(info, connection,
                     "SELECT COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, COLUMN_DEFAULT, "
                     "IS_NULLABLE, GENERATION_EXPRESSION FROM information_schema.COLUMNS "
                     "WHERE TABLE_SCHEMA = ",
                     " ORDER BY ORDINAL_POSITION", take_column, err) ||
        !query_table(info, connection,
                     "SELECT COLUMN_NAME FROM information_schema.STATISTICS "
                     "WHERE INDEX_NAME = 'PRIMARY' AND TABLE_SCHEMA = ",
                     " ORDER BY SEQ_IN_INDEX", take_key_column, err)) {
        (void)mr_error_context(err, "describe \"%s\".\"%s\"", space, table);
        return NULL;
    }
    /* MariaDB's JSON is a long text with a check of its own, named like the column. */
    if (connection->is_maria &&
        !query_table(info, connection,
                     "SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS "
                     "WHERE LEVEL = 'Column' AND CHECK_CLAUSE = CONCAT('json_valid(`', "
                     "REPLACE(CONSTRAINT_NAME, '`', '``'), '`)') AND CONSTRAINT_SCHEMA = ",
                     "", take_json_check, err)) {
        (void)mr_error_context(err, "describe \"%s\".\"%s\"", space, table);
        return NULL;
    }
    if (info->table.column_count == 0) {
        (void)mr_fail(
            err, MR_E_SOURCE, MR_STOP,
            "table \"%s\".\"%s\" does not exist any more, or this account may not see it; "
            "exclude it, or GRANT SELECT on it",
            space, table);
        return NULL;
    }
    return &info->table;
}

struct list_reading {
    struct mr_mysql_list *list;
    const struct mr_source_context *context;
};

enum { LISTED_SPACE, LISTED_TABLE, LISTED_ENGINE, LISTED_ROWS, LISTED_CELLS };

static bool is_listed(const struct mr_source_context *context, const char *space, const char *table)
{
    const struct mr_snapshot_wish *wish = mr_wished_table(context);
    if (wish != NULL) {
        return strcmp(wish->space, space) == 0 && strcmp(wish->table, table) == 0;
    }
    return mr_mysql_is_captured(context, space, table);
}

static bool is_transactional_engine(const char *engine)
{
    return engine != NULL &&
           (strcasecmp(engine, "InnoDB") == 0 || strcasecmp(engine, "ROCKSDB") == 0);
}

static bool take_listed(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct list_reading *reading = context;
    struct mr_mysql_list *list = reading->list;
    MR_ASSERT(row->count == LISTED_CELLS);
    const char *space = row->cells[LISTED_SPACE];
    const char *table = row->cells[LISTED_TABLE];
    if (space == NULL || table == NULL || !is_listed(reading->context, space, table)) {
        return true;
    }
    if (list->count == MR_MYSQL_TABLES_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP,
                       "more than %d tables are captured; narrow `tables`", MR_MYSQL_TABLES_MAX);
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->tables = mr_memory_resize(list->tables, list->capacity, sizeof(*list->tables));
    }
    const char *rows = row->cells[LISTED_ROWS];
    list->tables[list->count++] = (struct mr_mysql_listed){
        .space = mr_memory_copy_text(space, row->lengths[LISTED_SPACE]),
        .table = mr_memory_copy_text(table, row->lengths[LISTED_TABLE]),
        .rows_estimate = rows == NULL ? 0 : strtoull(rows, NULL, 10),
        .is_transactional = is_transactional_engine(row->cells[LISTED_ENGINE]),
    };
    return true;
}

bool mr_mysql_list_read(struct mr_mysql_list *list, struct mr_mysql_connection *connection,
                        const struct mr_source_context *context, struct mr_error *err)
{
    struct list_reading reading = {.list = list, .context = context};
    MR_ASSERT(list->count == 0);
    if (!mr_mysql_each_row(connection,
                           "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_ROWS "
                           "FROM information_schema.TABLES "
                           "WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') "
                           "ORDER BY TABLE_SCHEMA, TABLE_NAME",
                           UINT64_MAX, take_listed, &reading, err)) {
        return mr_error_context(err, "list the tables");
    }
    return true;
}

void mr_mysql_list_done(struct mr_mysql_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        free(list->tables[i].space);
        free(list->tables[i].table);
    }
    free(list->tables);
    *list = (struct mr_mysql_list){0};
}
