// SPDX-License-Identifier: MIT
/*
 * ddl_alter.c - the clauses of ALTER TABLE, one after the other, on a table's shape.
 *
 * Clauses speak of columns by the names that these had before the statement. A column that is there
 * already when it is added, or is gone when it is dropped, is taken as it comes: a statement may be
 * read twice, and the shape may have been known in its newer form.
 */
#include <stdlib.h>
#include <string.h>

#include "ddl_column.h"
#include "ddl_internal.h"
#include "memory.h"

struct alter {
    struct mr_scan scan;
    struct mr_table_shape *shape;
    struct mr_ddl_altered *altered;
    bool is_maria;
};

static bool take_if_exists(struct mr_scan *scan)
{
    if (mr_scan_take(scan, "IF")) {
        (void)mr_scan_take(scan, "NOT");
        return mr_scan_take(scan, "EXISTS");
    }
    return false;
}

static char *read_name(struct mr_scan *scan)
{
    const struct mr_token token = mr_scan_next(scan);
    return mr_token_unquote(&token);
}

/* FIRST, AFTER x: where a column of the shape goes. */
static void read_place(struct alter *alter, uint16_t index)
{
    if (mr_scan_take(&alter->scan, "FIRST")) {
        mr_table_shape_move(alter->shape, index, 0);
        return;
    }
    if (!mr_scan_take(&alter->scan, "AFTER")) {
        return;
    }
    char *name = read_name(&alter->scan);
    int before = mr_table_shape_find(alter->shape, name);
    before = before < 0 ? mr_table_shape_find_former(alter->shape, name) : before;
    free(name);
    if (before >= 0 && before != index) {
        mr_table_shape_move(alter->shape, index, (uint16_t)(before < index ? before + 1 : before));
    }
}

/* Puts a definition in the place of a column; what it was called before stays known. */
static void replace(struct alter *alter, uint16_t index, struct mr_shape_column *column,
                    bool is_key)
{
    struct mr_shape_column *old = &alter->shape->columns[index];
    column->former = old->former;
    old->former = NULL;
    column->key_index = old->key_index;
    column->nullable = column->nullable && old->key_index == MR_NOT_IN_KEY;
    if (column->charset == NULL && column->charset_is_guessed && old->charset != NULL &&
        mr_ddl_type_has_charset(old->type)) {
        /* Not said: the table's own, which the column most likely had. */
        column->charset = mr_memory_copy_text(old->charset, strlen(old->charset));
    }
    mr_shape_column_done(old);
    *old = *column;
    if (is_key) {
        mr_table_shape_drop_key(alter->shape);
        old->key_index = 0;
    }
}

static bool add_column(struct alter *alter)
{
    struct mr_shape_column column = {0};
    bool is_key = false;
    if (!mr_ddl_column_read(&alter->scan, alter->is_maria, &column, &is_key)) {
        return false;
    }
    const int there = mr_table_shape_find(alter->shape, column.name);
    uint16_t index = alter->shape->count;
    const bool is_renamed_away = there >= 0 && alter->shape->columns[there].former != NULL &&
                                 strcmp(alter->shape->columns[there].former, column.name) != 0;
    if (there >= 0 && !is_renamed_away) {
        index = (uint16_t)there;
        replace(alter, index, &column, is_key);
    } else {
        column.key_index = MR_NOT_IN_KEY;
        if (!mr_table_shape_insert(alter->shape, index, &column)) {
            return false;
        }
        if (is_key) {
            mr_table_shape_drop_key(alter->shape);
            alter->shape->columns[index].key_index = 0;
        }
    }
    read_place(alter, index);
    return true;
}

static bool add(struct alter *alter)
{
    (void)mr_scan_take(&alter->scan, "COLUMN");
    (void)take_if_exists(&alter->scan);
    if (mr_scan_take_mark(&alter->scan, '(')) {
        do {
            if (!add_column(alter)) {
                return false;
            }
        } while (mr_scan_take_mark(&alter->scan, ','));
        return mr_scan_take_mark(&alter->scan, ')');
    }
    struct mr_token token = mr_scan_peek(&alter->scan);
    if (mr_scan_take(&alter->scan, "CONSTRAINT")) {
        const struct mr_token name = mr_scan_peek(&alter->scan);
        if (!mr_ddl_starts_index(&name)) {
            (void)mr_scan_next(&alter->scan);
        }
        token = mr_scan_peek(&alter->scan);
    }
    if (mr_token_is(&token, "PRIMARY")) {
        return mr_ddl_key_read(&alter->scan, alter->shape);
    }
    if (mr_ddl_starts_index(&token) || mr_token_is(&token, "PARTITION") ||
        mr_token_is(&token, "SYSTEM")) {
        return true;
    }
    return add_column(alter);
}

static bool drop(struct alter *alter)
{
    static const char *const others[] = {"INDEX",      "KEY",    "FOREIGN", "CHECK",
                                         "CONSTRAINT", "SYSTEM", "PERIOD",  NULL};
    struct mr_token token = mr_scan_peek(&alter->scan);
    if (mr_token_is(&token, "PRIMARY")) {
        mr_table_shape_drop_key(alter->shape);
        return true;
    }
    if (mr_token_is(&token, "PARTITION")) {
        alter->altered->moves_rows = true;
        return true;
    }
    for (const char *const *word = others; *word != NULL; word++) {
        if (mr_token_is(&token, *word)) {
            return true;
        }
    }
    (void)mr_scan_take(&alter->scan, "COLUMN");
    (void)take_if_exists(&alter->scan);
    char *name = read_name(&alter->scan);
    const int index = mr_table_shape_find_former(alter->shape, name);
    free(name);
    if (index >= 0) {
        mr_table_shape_remove(alter->shape, (uint16_t)index);
    }
    return true;
}

/* CHANGE old definition; MODIFY definition. */
static bool change(struct alter *alter, bool has_old_name)
{
    struct mr_shape_column column = {0};
    bool is_key = false;
    (void)mr_scan_take(&alter->scan, "COLUMN");
    const bool may_lack = take_if_exists(&alter->scan);
    char *old = has_old_name ? read_name(&alter->scan) : NULL;
    if (!mr_ddl_column_read(&alter->scan, alter->is_maria, &column, &is_key)) {
        free(old);
        return false;
    }
    int index = mr_table_shape_find_former(alter->shape, old != NULL ? old : column.name);
    index = index < 0 ? mr_table_shape_find(alter->shape, column.name) : index;
    free(old);
    if (index < 0) {
        mr_shape_column_done(&column);
        mr_ddl_skip_clause(&alter->scan);
        return may_lack;
    }
    replace(alter, (uint16_t)index, &column, is_key);
    read_place(alter, (uint16_t)index);
    return true;
}

/* ALTER [COLUMN] c SET DEFAULT x | DROP DEFAULT | SET VISIBLE */
static bool alter_default(struct alter *alter)
{
    const struct mr_token token = mr_scan_peek(&alter->scan);
    if (mr_token_is(&token, "INDEX") || mr_token_is(&token, "CHECK") ||
        mr_token_is(&token, "CONSTRAINT") || mr_token_is(&token, "KEY")) {
        return true;
    }
    (void)mr_scan_take(&alter->scan, "COLUMN");
    (void)take_if_exists(&alter->scan);
    char *name = read_name(&alter->scan);
    const int index = mr_table_shape_find_former(alter->shape, name);
    free(name);
    if (index < 0) {
        return false;
    }
    struct mr_shape_column *column = &alter->shape->columns[index];
    if (mr_scan_take(&alter->scan, "DROP")) {
        free(column->fallback);
        column->fallback = NULL;
    } else if (mr_scan_take(&alter->scan, "SET") && mr_scan_take(&alter->scan, "DEFAULT")) {
        free(column->fallback);
        column->fallback = mr_ddl_default_read(&alter->scan, alter->is_maria);
    }
    return true;
}

static bool rename_something(struct alter *alter)
{
    if (mr_scan_take(&alter->scan, "INDEX") || mr_scan_take(&alter->scan, "KEY")) {
        return true;
    }
    if (!mr_scan_take(&alter->scan, "COLUMN")) {
        (void)(mr_scan_take(&alter->scan, "TO") || mr_scan_take(&alter->scan, "AS") ||
               mr_scan_take_mark(&alter->scan, '='));
        free(alter->altered->renamed_to.space);
        free(alter->altered->renamed_to.table);
        return mr_ddl_name_read(&alter->scan, &alter->altered->renamed_to);
    }
    (void)take_if_exists(&alter->scan);
    char *old = read_name(&alter->scan);
    const int index = mr_table_shape_find_former(alter->shape, old);
    free(old);
    if (!mr_scan_take(&alter->scan, "TO")) {
        return false;
    }
    char *new = read_name(&alter->scan);
    if (index < 0) {
        const bool is_done = mr_table_shape_find(alter->shape, new) >= 0;
        free(new);
        return is_done;
    }
    free(alter->shape->columns[index].name);
    alter->shape->columns[index].name = new;
    return new[0] != '\0';
}

/* CONVERT TO CHARACTER SET x [COLLATE y] */
static bool convert(struct alter *alter)
{
    (void)mr_scan_take(&alter->scan, "TO");
    if (mr_scan_take(&alter->scan, "PARTITION") || mr_scan_take(&alter->scan, "TABLE")) {
        alter->altered->moves_rows = true;
        return true;
    }
    if (!mr_scan_take(&alter->scan, "CHARSET")) {
        if (!(mr_scan_take(&alter->scan, "CHARACTER") || mr_scan_take(&alter->scan, "CHAR")) ||
            !mr_scan_take(&alter->scan, "SET")) {
            return false;
        }
    }
    char *charset = mr_ddl_charset_read(&alter->scan);
    for (uint16_t i = 0; i < alter->shape->count; i++) {
        struct mr_shape_column *column = &alter->shape->columns[i];
        if (mr_ddl_type_has_charset(column->type)) {
            free(column->charset);
            column->charset = mr_memory_copy_text(charset, strlen(charset));
            /* The server makes a text wider where more bytes need it. */
            column->charset_is_guessed = false;
        }
    }
    free(charset);
    return true;
}

/* EXCHANGE PARTITION p WITH TABLE t */
static bool exchange(struct alter *alter)
{
    return mr_scan_take(&alter->scan, "PARTITION") && mr_scan_next(&alter->scan).length > 0 &&
           mr_scan_take(&alter->scan, "WITH") && mr_scan_take(&alter->scan, "TABLE") &&
           alter->altered->exchanged.table == NULL &&
           mr_ddl_name_read(&alter->scan, &alter->altered->exchanged);
}

/* Clauses that say nothing of columns. */
/* NOLINTNEXTLINE(readability-function-size): a list of words, one after the other */
static bool is_harmless(const struct mr_token *token)
{
    static const char *const words[] = {"ENGINE",
                                        "TYPE",
                                        "AUTO_INCREMENT",
                                        "COMMENT",
                                        "ALGORITHM",
                                        "LOCK",
                                        "FORCE",
                                        "ROW_FORMAT",
                                        "ENABLE",
                                        "DISABLE",
                                        "ORDER",
                                        "PARTITION",
                                        "REMOVE",
                                        "REORGANIZE",
                                        "COALESCE",
                                        "REBUILD",
                                        "OPTIMIZE",
                                        "ANALYZE",
                                        "CHECK",
                                        "REPAIR",
                                        "DEFAULT",
                                        "CHARACTER",
                                        "CHARSET",
                                        "COLLATE",
                                        "AVG_ROW_LENGTH",
                                        "CHECKSUM",
                                        "COMPRESSION",
                                        "CONNECTION",
                                        "DATA",
                                        "INDEX",
                                        "DELAY_KEY_WRITE",
                                        "ENCRYPTION",
                                        "INSERT_METHOD",
                                        "KEY_BLOCK_SIZE",
                                        "MAX_ROWS",
                                        "MIN_ROWS",
                                        "PACK_KEYS",
                                        "PASSWORD",
                                        "STATS_AUTO_RECALC",
                                        "STATS_PERSISTENT",
                                        "STATS_SAMPLE_PAGES",
                                        "TABLESPACE",
                                        "UNION",
                                        "WITH",
                                        "WITHOUT",
                                        "WAIT",
                                        "NOWAIT",
                                        "PAGE_CHECKSUM",
                                        "PAGE_COMPRESSED",
                                        "PAGE_COMPRESSION_LEVEL",
                                        "ENCRYPTED",
                                        "ENCRYPTION_KEY_ID",
                                        "TRANSACTIONAL",
                                        "SEQUENCE",
                                        "IETF_QUOTES",
                                        "SECONDARY_ENGINE",
                                        "SECONDARY_LOAD",
                                        "SECONDARY_UNLOAD",
                                        "ENGINE_ATTRIBUTE",
                                        "SECONDARY_ENGINE_ATTRIBUTE",
                                        "AUTOEXTEND_SIZE",
                                        "START",
                                        NULL};
    for (const char *const *word = words; *word != NULL; word++) {
        if (mr_token_is(token, *word)) {
            return true;
        }
    }
    return token->kind == MR_TOKEN_END || token->kind == MR_TOKEN_NAME ||
           token->kind == MR_TOKEN_MARK;
}

static bool read_clause(struct alter *alter)
{
    const struct mr_token verb = mr_scan_next(&alter->scan);
    if (mr_token_is(&verb, "ADD")) {
        return add(alter);
    }
    if (mr_token_is(&verb, "DROP")) {
        return drop(alter);
    }
    if (mr_token_is(&verb, "CHANGE") || mr_token_is(&verb, "MODIFY")) {
        return change(alter, mr_token_is(&verb, "CHANGE"));
    }
    if (mr_token_is(&verb, "ALTER")) {
        return alter_default(alter);
    }
    if (mr_token_is(&verb, "RENAME")) {
        return rename_something(alter);
    }
    if (mr_token_is(&verb, "CONVERT")) {
        return convert(alter);
    }
    if (mr_token_is(&verb, "TRUNCATE") || mr_token_is(&verb, "EXCHANGE") ||
        mr_token_is(&verb, "DISCARD") || mr_token_is(&verb, "IMPORT")) {
        alter->altered->moves_rows = true;
        return !mr_token_is(&verb, "EXCHANGE") || exchange(alter);
    }
    return is_harmless(&verb);
}

void mr_ddl_alter(const struct mr_ddl *ddl, bool is_maria, struct mr_table_shape *shape,
                  struct mr_ddl_altered *altered)
{
    struct alter alter = {
        .scan = ddl->body, .shape = shape, .altered = altered, .is_maria = is_maria};
    MR_ASSERT(ddl->kind == MR_DDL_ALTER);
    *altered = (struct mr_ddl_altered){.is_understood = true};
    mr_table_shape_begin(shape);
    do {
        if (!read_clause(&alter)) {
            altered->is_understood = false;
        }
        mr_ddl_skip_clause(&alter.scan);
        (void)mr_scan_take_mark(&alter.scan, ')'); /* more closed than opened: never mind */
    } while (mr_scan_take_mark(&alter.scan, ','));
    mr_ddl_fill_charsets(shape, NULL);
}
