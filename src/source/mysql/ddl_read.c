// SPDX-License-Identifier: MIT
/*
 * ddl_read.c - see ddl_read.h: the first words of a statement, and the columns of CREATE TABLE.
 */
#include "ddl_read.h"

#include <stdlib.h>
#include <string.h>

#include "ddl_column.h"
#include "ddl_internal.h"
#include "memory.h"

void mr_ddl_done(struct mr_ddl *ddl)
{
    for (uint32_t i = 0; i < ddl->name_count; i++) {
        free(ddl->names[i].space);
        free(ddl->names[i].table);
    }
    free(ddl->names);
    *ddl = (struct mr_ddl){0};
}

static bool is_name(const struct mr_token *token)
{
    return token->kind == MR_TOKEN_WORD || token->kind == MR_TOKEN_NAME ||
           (token->kind == MR_TOKEN_TEXT && token->mark == '"'); /* ANSI_QUOTES */
}

bool mr_ddl_name_read(struct mr_scan *scan, struct mr_ddl_name *name)
{
    struct mr_scan ahead = *scan;
    (void)mr_scan_take_mark(&ahead, '.'); /* ".table" is a table of the session's database */
    struct mr_token token = mr_scan_next(&ahead);
    *name = (struct mr_ddl_name){0};
    if (!is_name(&token) || token.length == 0) {
        return false;
    }
    if (mr_scan_take_mark(&ahead, '.')) {
        const struct mr_token table = mr_scan_next(&ahead);
        if (!is_name(&table) || table.length == 0) {
            return false;
        }
        name->space = mr_token_unquote(&token);
        token = table;
    }
    name->table = mr_token_unquote(&token);
    *scan = ahead;
    return true;
}

static bool add_name(struct mr_ddl *ddl, struct mr_scan *scan)
{
    struct mr_ddl_name name = {0};
    if (ddl->name_count == MR_DDL_NAMES_MAX || !mr_ddl_name_read(scan, &name)) {
        return false;
    }
    ddl->names = mr_memory_resize(ddl->names, ddl->name_count + 1u, sizeof(*ddl->names));
    ddl->names[ddl->name_count++] = name;
    return true;
}

static bool take_if_exists(struct mr_scan *scan)
{
    if (!mr_scan_take(scan, "IF")) {
        return false;
    }
    (void)mr_scan_take(scan, "NOT");
    return mr_scan_take(scan, "EXISTS");
}

/* RENAME TABLE a [WAIT n | NOWAIT] TO b, c TO d */
static enum mr_ddl_kind read_rename(struct mr_scan *scan, struct mr_ddl *ddl)
{
    if (!mr_scan_take(scan, "TABLE") && !mr_scan_take(scan, "TABLES")) {
        return MR_DDL_NONE; /* RENAME USER */
    }
    (void)take_if_exists(scan);
    do {
        if (!add_name(ddl, scan)) {
            return MR_DDL_UNKNOWN;
        }
        if (mr_scan_take(scan, "WAIT")) {
            (void)mr_scan_next(scan);
        }
        (void)mr_scan_take(scan, "NOWAIT");
        if (!mr_scan_take(scan, "TO") || !add_name(ddl, scan)) {
            return MR_DDL_UNKNOWN;
        }
    } while (mr_scan_take_mark(scan, ','));
    return MR_DDL_RENAME;
}

static bool takes_space(struct mr_scan *scan)
{
    return mr_scan_take(scan, "DATABASE") || mr_scan_take(scan, "SCHEMA");
}

/* Is it another kind of thing than a table? Stops before TABLE. */
static bool is_no_table(struct mr_scan *scan)
{
    static const char *const fillers[] = {"OR", "REPLACE", "ONLINE", "OFFLINE", "IGNORE", NULL};
    for (;;) {
        const struct mr_token token = mr_scan_peek(scan);
        bool is_filler = false;
        for (const char *const *word = fillers; *word != NULL; word++) {
            is_filler = is_filler || mr_token_is(&token, *word);
        }
        if (!is_filler) {
            return !mr_token_is(&token, "TABLE") && !mr_token_is(&token, "TABLES");
        }
        (void)mr_scan_next(scan);
    }
}

/* DROP TABLE a, b; DROP DATABASE d */
static enum mr_ddl_kind read_drop(struct mr_scan *scan, struct mr_ddl *ddl)
{
    if (takes_space(scan)) {
        (void)take_if_exists(scan);
        if (!add_name(ddl, scan) || ddl->names[0].space != NULL) {
            return MR_DDL_UNKNOWN;
        }
        ddl->names[0].space = ddl->names[0].table;
        ddl->names[0].table = NULL;
        return MR_DDL_DROP_SPACE;
    }
    if (is_no_table(scan)) {
        return MR_DDL_NONE;
    }
    (void)mr_scan_next(scan);
    (void)take_if_exists(scan);
    do {
        if (!add_name(ddl, scan)) {
            return MR_DDL_UNKNOWN;
        }
    } while (mr_scan_take_mark(scan, ','));
    return MR_DDL_DROP;
}

/* CREATE [OR REPLACE] TABLE [IF NOT EXISTS] a (...) | LIKE b | (LIKE b) */
static enum mr_ddl_kind read_create(struct mr_scan *scan, struct mr_ddl *ddl)
{
    const struct mr_scan start = *scan;
    if (is_no_table(scan)) {
        return MR_DDL_NONE;
    }
    struct mr_scan words = start;
    ddl->or_replace = mr_scan_take(&words, "OR") && mr_scan_take(&words, "REPLACE");
    (void)mr_scan_next(scan);
    ddl->if_not_exists = take_if_exists(scan);
    if (!add_name(ddl, scan)) {
        return MR_DDL_UNKNOWN;
    }
    ddl->body = *scan;
    struct mr_scan ahead = *scan;
    (void)mr_scan_take_mark(&ahead, '(');
    if (mr_scan_take(&ahead, "LIKE")) {
        ddl->is_like = add_name(ddl, &ahead);
        return ddl->is_like ? MR_DDL_CREATE : MR_DDL_UNKNOWN;
    }
    return MR_DDL_CREATE;
}

static enum mr_ddl_kind read_alter(struct mr_scan *scan, struct mr_ddl *ddl)
{
    if (is_no_table(scan)) {
        return MR_DDL_NONE;
    }
    (void)mr_scan_next(scan);
    (void)take_if_exists(scan);
    if (!add_name(ddl, scan)) {
        return MR_DDL_UNKNOWN;
    }
    if (mr_scan_take(scan, "WAIT")) {
        (void)mr_scan_next(scan);
    }
    (void)mr_scan_take(scan, "NOWAIT");
    ddl->body = *scan;
    return MR_DDL_ALTER;
}

/* Statements that neither make nor change a table, by their first word. */
static bool is_harmless(const struct mr_token *token)
{
    static const char *const words[] = {
        "GRANT",     "REVOKE", "SET",     "FLUSH",  "ANALYZE", "OPTIMIZE",  "REPAIR",
        "CHECK",     "LOCK",   "UNLOCK",  "CALL",   "USE",     "INSTALL",   "KILL",
        "RESET",     "PURGE",  "CHANGE",  "START",  "STOP",    "BEGIN",     "COMMIT",
        "ROLLBACK",  "INSERT", "UPDATE",  "DELETE", "REPLACE", "SAVEPOINT", "RELEASE",
        "UNINSTALL", "DO",     "EXECUTE", "SELECT", "XA",      "COMMENT",   NULL};
    for (const char *const *word = words; *word != NULL; word++) {
        if (mr_token_is(token, *word)) {
            return true;
        }
    }
    return token->kind == MR_TOKEN_END;
}

void mr_ddl_read(struct mr_slice text, struct mr_ddl *ddl)
{
    struct mr_scan scan = mr_scan_start(text);
    *ddl = (struct mr_ddl){.kind = MR_DDL_NONE};
    while (mr_scan_take_mark(&scan, ';') || mr_scan_take_mark(&scan, '(')) {
    }
    const bool is_set = mr_scan_take(&scan, "SET");
    if (is_set && !mr_scan_take(&scan, "STATEMENT")) {
        return;
    }
    if (is_set) {
        /* MariaDB: SET STATEMENT variable = value FOR statement */
        while (!mr_scan_take(&scan, "FOR") && mr_scan_next(&scan).kind != MR_TOKEN_END) {
        }
    }
    const struct mr_token verb = mr_scan_next(&scan);
    if (mr_token_is(&verb, "RENAME")) {
        ddl->kind = read_rename(&scan, ddl);
    } else if (mr_token_is(&verb, "DROP")) {
        ddl->kind = read_drop(&scan, ddl);
    } else if (mr_token_is(&verb, "CREATE")) {
        ddl->kind = read_create(&scan, ddl);
    } else if (mr_token_is(&verb, "ALTER")) {
        ddl->kind = read_alter(&scan, ddl);
    } else {
        ddl->kind = is_harmless(&verb) ? MR_DDL_NONE : MR_DDL_UNKNOWN;
    }
    MR_ASSERT(scan.at <= scan.end);
}

/* ---- The columns of a new table. ---- */

bool mr_ddl_key_read(struct mr_scan *scan, struct mr_table_shape *shape)
{
    uint16_t place = 0;
    while (!mr_scan_take_mark(scan, '(')) {
        const struct mr_token token = mr_scan_next(scan); /* a name, USING BTREE */
        if (token.kind == MR_TOKEN_END) {
            return false;
        }
    }
    mr_table_shape_drop_key(shape);
    for (;;) {
        const struct mr_token token = mr_scan_next(scan);
        if (token.kind == MR_TOKEN_END || mr_token_is_mark(&token, ')')) {
            return token.kind != MR_TOKEN_END;
        }
        if (mr_token_is_mark(&token, '(')) {
            mr_scan_close_bracket(scan); /* a prefix's length */
        } else if (token.kind != MR_TOKEN_MARK && !mr_token_is(&token, "ASC") &&
                   !mr_token_is(&token, "DESC")) {
            char *name = mr_token_unquote(&token);
            const int index = mr_table_shape_find(shape, name);
            free(name);
            if (index >= 0 && shape->columns[index].key_index == MR_NOT_IN_KEY) {
                shape->columns[index].key_index = place++;
                shape->columns[index].nullable = false;
            }
        }
    }
}

bool mr_ddl_starts_index(const struct mr_token *token)
{
    static const char *const words[] = {"CONSTRAINT", "PRIMARY",  "KEY",     "INDEX",
                                        "UNIQUE",     "FULLTEXT", "SPATIAL", "FOREIGN",
                                        "CHECK",      "PERIOD",   "VECTOR",  NULL};
    for (const char *const *word = words; *word != NULL; word++) {
        if (mr_token_is(token, *word)) {
            return true;
        }
    }
    return false;
}

/* An index or a constraint: only a primary key says something of columns. Stops before , or ). */
static void read_index(struct mr_scan *scan, struct mr_table_shape *shape, bool *has_key,
                       struct mr_scan *key)
{
    (void)shape;
    if (mr_scan_take(scan, "CONSTRAINT")) {
        const struct mr_token name = mr_scan_peek(scan);
        if (!mr_ddl_starts_index(&name)) {
            (void)mr_scan_next(scan);
        }
    }
    if (mr_scan_take(scan, "PRIMARY")) {
        *has_key = true;
        *key = *scan; /* its columns may come later */
    }
    mr_ddl_skip_clause(scan);
}

void mr_ddl_skip_clause(struct mr_scan *scan)
{
    for (;;) {
        const struct mr_token token = mr_scan_peek(scan);
        if (token.kind == MR_TOKEN_END || mr_token_is_mark(&token, ',') ||
            mr_token_is_mark(&token, ')')) {
            return;
        }
        (void)mr_scan_next(scan);
        if (mr_token_is_mark(&token, '(')) {
            mr_scan_close_bracket(scan);
        }
    }
}

/* The table's own character set, among its options; NULL: it says none. */
static char *find_charset(struct mr_scan scan)
{
    for (;;) {
        const struct mr_token token = mr_scan_next(&scan);
        if (token.kind == MR_TOKEN_END) {
            return NULL;
        }
        if (mr_token_is_mark(&token, '(')) {
            mr_scan_close_bracket(&scan);
        } else if (mr_token_is(&token, "CHARSET") ||
                   ((mr_token_is(&token, "CHARACTER") || mr_token_is(&token, "CHAR")) &&
                    mr_scan_take(&scan, "SET"))) {
            return mr_ddl_charset_read(&scan);
        } else if (mr_token_is(&token, "COLLATE")) {
            return mr_ddl_collation_read(&scan);
        } else if (mr_token_is(&token, "SELECT") || mr_token_is(&token, "PARTITION")) {
            return NULL;
        }
    }
}

void mr_ddl_fill_charsets(struct mr_table_shape *shape, const char *known)
{
    const char *guess = known;
    for (uint16_t i = 0; guess == NULL && i < shape->count; i++) {
        guess = shape->columns[i].charset_is_guessed ? NULL : shape->columns[i].charset;
    }
    for (uint16_t i = 0; i < shape->count; i++) {
        struct mr_shape_column *column = &shape->columns[i];
        if (column->charset == NULL && mr_ddl_type_has_charset(column->type)) {
            const char *charset = guess != NULL ? guess : "utf8mb4";
            column->charset = mr_memory_copy_text(charset, strlen(charset));
            column->charset_is_guessed = known == NULL;
        }
    }
}

static bool add_column(struct mr_scan *scan, bool is_maria, struct mr_table_shape *shape)
{
    struct mr_shape_column column = {0};
    bool is_key = false;
    if (!mr_ddl_column_read(scan, is_maria, &column, &is_key)) {
        return false;
    }
    column.key_index = is_key ? 0 : MR_NOT_IN_KEY;
    return mr_table_shape_insert(shape, shape->count, &column);
}

bool mr_ddl_create(const struct mr_ddl *ddl, bool is_maria, struct mr_table_shape *shape)
{
    struct mr_scan scan = ddl->body;
    struct mr_scan key = {0};
    bool has_key = false;
    MR_ASSERT(ddl->kind == MR_DDL_CREATE);
    mr_table_shape_done(shape);
    if (ddl->is_like || !mr_scan_take_mark(&scan, '(')) {
        return false;
    }
    do {
        const struct mr_token token = mr_scan_peek(&scan);
        if (mr_ddl_starts_index(&token)) {
            read_index(&scan, shape, &has_key, &key);
        } else if (!add_column(&scan, is_maria, shape)) {
            return false;
        } else {
            mr_ddl_skip_clause(&scan);
        }
    } while (mr_scan_take_mark(&scan, ','));
    if (!mr_scan_take_mark(&scan, ')') || shape->count == 0 ||
        (has_key && !mr_ddl_key_read(&key, shape))) {
        return false;
    }
    char *charset = find_charset(scan);
    mr_ddl_fill_charsets(shape, charset);
    free(charset);
    /* CREATE TABLE t (a INT) SELECT ...: more columns than are listed. */
    for (struct mr_token token = mr_scan_next(&scan); token.kind != MR_TOKEN_END;
         token = mr_scan_next(&scan)) {
        if (mr_token_is(&token, "SELECT")) {
            return false;
        }
    }
    return true;
}
