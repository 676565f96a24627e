// SPDX-License-Identifier: MIT
/*
 * golden_tables.h - answers the stream's questions from a recorded NAME.columns file.
 */
#ifndef MR_TESTS_GOLDEN_MYSQL_GOLDEN_TABLES_H
#define MR_TESTS_GOLDEN_MYSQL_GOLDEN_TABLES_H

#include <stdbool.h>

#include "mysql_types.h"

#define GOLDEN_TABLES_MAX  32
#define GOLDEN_COLUMNS_MAX 64

struct golden_table {
    struct mr_mysql_table_info info;
    struct mr_mysql_column_info columns[GOLDEN_COLUMNS_MAX];
    uint16_t key[GOLDEN_COLUMNS_MAX];
};

struct golden_tables {
    struct golden_table tables[GOLDEN_TABLES_MAX];
    unsigned count;
    char *text;
};

/** Reads a whole file; exits with a message when it cannot. */
char *golden_read_file(const char *path, size_t *length);

void golden_tables_read(struct golden_tables *tables, const char *path);
void golden_tables_done(struct golden_tables *tables);

/** The two callbacks of mr_binlog_callbacks; context is the tables. "outside" is not captured. */
bool golden_is_captured(void *context, const char *space, const char *table);
const struct mr_mysql_table_info *golden_table_info(void *context, const char *space,
                                                    const char *table, struct mr_error *err);

#endif
