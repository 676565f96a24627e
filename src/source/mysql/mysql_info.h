// SPDX-License-Identifier: MIT
/*
 * mysql_info.h - tables and columns as information_schema has them now.
 *
 * Views, sequences, temporary tables and the server's own schemas are never captured.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_INFO_H
#define MR_SOURCE_MYSQL_MYSQL_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "error.h"
#include "mysql_config.h"
#include "mysql_connection.h"
#include "mysql_types.h"
#include "source.h"
#include "table_layout.h"
#include "writer.h"

#define MR_MYSQL_TABLES_MAX 65536

/** Appends 'text' as a string literal (for sessions with sql_mode '', as ours are). */
void mr_mysql_write_literal(struct mr_writer *sql, const char *text);

/** Appends `name` as a quoted identifier. */
void mr_mysql_write_name(struct mr_writer *sql, const char *name);

/** Appends `space`.`table`. */
void mr_mysql_write_table(struct mr_writer *sql, const char *space, const char *table);

/** Whether the configuration captures a table. */
bool mr_mysql_is_captured(const struct mr_source_context *context, const char *space,
                          const char *table);

/** What tables' layouts are made with, as the context has it. */
static inline struct mr_mysql_layout_terms mr_mysql_terms(const struct mr_source_context *context)
{
    return (struct mr_mysql_layout_terms){
        .catalog = context->catalog,
        .policies = context->policies,
        .source = context->name,
        .nulled = context->nulled,
    };
}

/** Reads one table's description; holds the last answer. */
struct mr_mysql_info;

struct mr_mysql_info *mr_mysql_info_open(struct mr_error *err);
void mr_mysql_info_close(struct mr_mysql_info *info); /* accepts NULL */

/**
 * The table's columns and primary key, valid until the next call. NULL on failure: MR_E_SOURCE when
 * there is no such table, or none that this account may see.
 */
const struct mr_mysql_table_info *mr_mysql_info_read(struct mr_mysql_info *info,
                                                     struct mr_mysql_connection *connection,
                                                     const char *space, const char *table,
                                                     struct mr_error *err);

/** A captured table, as the list of tables has it. */
struct mr_mysql_listed {
    char *space; /* both owned by the list */
    char *table;
    uint64_t rows_estimate;
    bool is_transactional; /* its engine gives consistent reads */
};

/** Owns the list's text. Zeroed: empty. */
struct mr_mysql_list {
    struct mr_mysql_listed *tables;
    uint32_t count;
    uint32_t capacity;
};

/** The captured tables that exist, by name, or the wished one. MR_E_LIMIT past
 *  MR_MYSQL_TABLES_MAX. */
bool mr_mysql_list_read(struct mr_mysql_list *list, struct mr_mysql_connection *connection,
                        const struct mr_source_context *context,
                        struct mr_error *err) MR_MUST_CHECK;
void mr_mysql_list_done(struct mr_mysql_list *list);

#endif
