// SPDX-License-Identifier: MIT
/*
 * golden_tables.c - NAME.columns: table, column, type, charset, default (hex), nullable, key place.
 */
#include "golden_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *golden_read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    const long size = ftell(file);
    char *text = malloc((size_t)size + 1);
    rewind(file);
    if (text == NULL || size < 0 || fread(text, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(2);
    }
    (void)fclose(file);
    text[size] = '\0';
    *length = (size_t)size;
    return text;
}

/** Turns hex into text in place; "-" is no default. */
static const char *unhex(char *text)
{
    if (strcmp(text, "-") == 0) {
        return NULL;
    }
    size_t at = 0;
    for (size_t i = 0; text[i] != '\0' && text[i + 1] != '\0'; i += 2) {
        const char pair[3] = {text[i], text[i + 1], '\0'};
        text[at++] = (char)strtol(pair, NULL, 16);
    }
    text[at] = '\0';
    return text;
}

static void add_line(struct golden_tables *tables, char *line)
{
    char *fields[7] = {0};
    for (size_t i = 0; i < 7; i++) {
        fields[i] = strsep(&line, "\t");
        MR_ASSERT(fields[i] != NULL);
    }
    struct golden_table *table = tables->count == 0 ? NULL : &tables->tables[tables->count - 1];
    if (table == NULL || strcmp(table->info.table, fields[0]) != 0) {
        MR_ASSERT(tables->count < GOLDEN_TABLES_MAX);
        table = &tables->tables[tables->count++];
        table->info = (struct mr_mysql_table_info){
            .space = "golden", .table = fields[0], .columns = table->columns, .key = table->key};
    }
    MR_ASSERT(table->info.column_count < GOLDEN_COLUMNS_MAX);
    const uint16_t index = table->info.column_count++;
    table->columns[index] = (struct mr_mysql_column_info){
        .name = fields[1],
        .column_type = fields[2],
        .charset = strcmp(fields[3], "-") == 0 ? NULL : fields[3],
        .fallback = unhex(fields[4]),
        .nullable = strcmp(fields[5], "YES") == 0,
    };
    const int place = (int)strtol(fields[6], NULL, 10);
    if (place > 0) {
        table->key[place - 1] = index;
        table->info.key_count++;
    }
}

void golden_tables_read(struct golden_tables *tables, const char *path)
{
    size_t length;
    *tables = (struct golden_tables){0};
    tables->text = golden_read_file(path, &length);
    char *rest = tables->text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && line[0] != '\0';) {
        add_line(tables, line);
    }
}

void golden_tables_done(struct golden_tables *tables)
{
    free(tables->text);
}

bool golden_is_captured(void *context, const char *space, const char *table)
{
    (void)context;
    return strcmp(space, "golden") == 0 && strcmp(table, "outside") != 0;
}

const struct mr_mysql_table_info *golden_table_info(void *context, const char *space,
                                                    const char *table, struct mr_error *err)
{
    const struct golden_tables *tables = context;
    for (unsigned i = 0; i < tables->count; i++) {
        if (strcmp(tables->tables[i].info.table, table) == 0) {
            return &tables->tables[i].info;
        }
    }
    (void)mr_fail(err, MR_E_SOURCE, MR_STOP, "there is no table \"%s\".\"%s\"", space, table);
    return NULL;
}
