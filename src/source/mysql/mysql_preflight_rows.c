// SPDX-License-Identifier: MIT
/*
 * mysql_preflight_rows.c - the preflight's look at what the binlog will and will not say of rows:
 * images without all columns, changes that a foreign key makes by itself, XA transactions that are
 * prepared already.
 */
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mysql_preflight_state.h"
#include "writer.h"

#define SETTING_BYTES_MAX   64
#define TABLE_FINDINGS_MAX  8 /* of a kind: the first ones name the cure for all */
#define TABLES_TRIED_MAX    1000
#define STATEMENT_BYTES_MAX 4096

/** A query whose rows are about captured tables, and what they mean. */
struct look {
    struct mr_mysql_preflight *preflight;
    const char *setting;
    uint32_t count;
};

static bool is_captured(const struct look *look, const struct mr_mysql_result_row *row)
{
    return row->count >= 3 && row->cells[0] != NULL && row->cells[1] != NULL &&
           row->cells[2] != NULL &&
           mr_mysql_is_captured(look->preflight->context, row->cells[0], row->cells[1]);
}

/* ---- Row images. ---- */

/** (space, table, column): a virtual column of a table. */
static bool take_virtual(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct look *look = context;
    (void)err;
    if (is_captured(look, row) && look->count++ < TABLE_FINDINGS_MAX) {
        mr_findings_add(look->preflight->findings, MR_FINDING_ERROR, "binlog_row_image",
                        "\"%s\".\"%s\": column \"%s\" is generated, and MariaDB logs rows without "
                        "it, so changes cannot be captured; run SET %s binlog_row_image=FULL, and "
                        "reconnect the applications",
                        row->cells[0], row->cells[1], row->cells[2], look->setting);
    }
    return true;
}

/** (space, table, index): a table without a primary key, and a unique index that stands in. */
static bool take_unique(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct look *look = context;
    (void)err;
    if (is_captured(look, row) && look->count++ < TABLE_FINDINGS_MAX) {
        mr_findings_add(look->preflight->findings, MR_FINDING_ERROR, "binlog_row_image",
                        "\"%s\".\"%s\" has no primary key, and rows are logged with the columns of "
                        "index \"%s\" alone, so changes cannot be captured; run SET %s "
                        "binlog_row_image=FULL and reconnect the applications, or make the index "
                        "the primary key",
                        row->cells[0], row->cells[1], row->cells[2], look->setting);
    }
    return true;
}

/** Runs a query; a failure is a finding. */
static bool look_at(struct look *look, const char *sql, mr_mysql_row_fn take, const char *what)
{
    struct mr_error err = {0};
    return mr_mysql_each_row(look->preflight->connection, sql, UINT64_MAX, take, look, &err) ||
           mr_mysql_note_failure(look->preflight, what, &err);
}

bool mr_mysql_preflight_rows(struct mr_mysql_preflight *preflight)
{
    MR_ASSERT(preflight->connection != NULL);
    const bool is_maria = preflight->connection->is_maria;
    struct look virtual = {preflight, is_maria ? "GLOBAL" : "PERSIST", 0};
    struct look unique = virtual;
    struct mr_error err = {0};
    char image[SETTING_BYTES_MAX];
    if (!mr_mysql_query_text(preflight->connection, "SELECT @@global.binlog_row_image", image,
                             sizeof(image), &err)) {
        return mr_mysql_note_failure(preflight, "binlog_row_image", &err);
    }
    mr_findings_add(preflight->findings, MR_FINDING_OK, "binlog_row_image", "%s", image);
    if (strncasecmp(image, "FULL", 4) == 0) {
        return true;
    }
    static const char virtual_sql[] =
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS "
        "WHERE EXTRA LIKE '%VIRTUAL GENERATED%'";
    static const char unique_sql[] =
        "SELECT TABLE_SCHEMA, TABLE_NAME, MIN(INDEX_NAME) FROM information_schema.STATISTICS "
        "GROUP BY TABLE_SCHEMA, TABLE_NAME HAVING SUM(INDEX_NAME = 'PRIMARY') = 0 AND "
        "SUM(NON_UNIQUE = 0 AND NULLABLE <> 'YES') > 0";
    return (!is_maria || look_at(&virtual, virtual_sql, take_virtual, "binlog_row_image")) &&
           look_at(&unique, unique_sql, take_unique, "binlog_row_image");
}

/* ---- Foreign keys. ---- */

struct cascade {
    const char *space;
    const char *child;
    const char *parent;
    const char *rule;
};

static void add_cascade(struct look *look, const struct cascade *cascade)
{
    if (look->count++ >= TABLE_FINDINGS_MAX) {
        return;
    }
    mr_findings_add(look->preflight->findings, MR_FINDING_WARNING, "foreign keys",
                    "changes of \"%s\".\"%s\" that follow its parent \"%s\" (%s) are not in the "
                    "binlog, so the copy goes stale: %s",
                    cascade->space, cascade->child, cascade->parent, cascade->rule, look->setting);
}

enum { CASCADE_SPACE, CASCADE_CHILD, CASCADE_PARENT, CASCADE_RULE, CASCADE_CELLS };

static bool take_cascade(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    (void)err;
    if (row->count == CASCADE_CELLS && is_captured(context, row) &&
        row->cells[CASCADE_RULE] != NULL) {
        const struct cascade cascade = {row->cells[CASCADE_SPACE], row->cells[CASCADE_CHILD],
                                        row->cells[CASCADE_PARENT], row->cells[CASCADE_RULE]};
        add_cascade(context, &cascade);
    }
    return true;
}

/** MariaDB hides REFERENTIAL_CONSTRAINTS from an account that may only read: the table's own
 *  CREATE TABLE has one constraint a line. */
struct definition {
    struct look *look;
    const struct mr_mysql_listed *table;
};

static bool take_definition(void *context, const struct mr_mysql_result_row *row,
                            struct mr_error *err)
{
    static const char mark[] = " REFERENCES `";
    const struct definition *definition = context;
    (void)err;
    const char *line = row->count < 2 ? NULL : row->cells[1];
    while (line != NULL && (line = strstr(line, mark)) != NULL) {
        char parent[256];
        char rule[64];
        line += sizeof(mark) - 1;
        (void)snprintf(parent, sizeof(parent), "%.*s", (int)strcspn(line, "`\n"), line);
        const size_t length = strcspn(line, "\n");
        const char *on = memmem(line, length, " ON ", 4);
        const size_t rule_length = on == NULL ? 0 : strcspn(on + 1, ",\n");
        (void)snprintf(rule, sizeof(rule), "%.*s", (int)rule_length, on == NULL ? "" : on + 1);
        if (strstr(rule, "CASCADE") != NULL || strstr(rule, "SET ") != NULL) {
            const struct cascade cascade = {definition->table->space, definition->table->table,
                                            parent, rule};
            add_cascade(definition->look, &cascade);
        }
    }
    return true;
}

static bool look_at_definitions(struct look *look)
{
    const struct mr_mysql_list *list = &look->preflight->list;
    for (uint32_t i = 0; i < list->count && i < TABLES_TRIED_MAX; i++) {
        struct definition definition = {look, &list->tables[i]};
        struct mr_writer sql = {0};
        struct mr_error err = {0};
        mr_writer_init(&sql, STATEMENT_BYTES_MAX);
        mr_write_bytes(&sql, "SHOW CREATE TABLE ", 18);
        mr_mysql_write_table(&sql, list->tables[i].space, list->tables[i].table);
        mr_write_u8(&sql, 0);
        MR_ASSERT(!sql.failed);
        const bool read = mr_mysql_each_row(look->preflight->connection, (const char *)sql.bytes, 1,
                                            take_definition, &definition, &err);
        mr_writer_done(&sql);
        /* A table that may not be read is a finding of its own already. */
        if (!read && err.code == MR_E_NET) {
            return mr_mysql_note_failure(look->preflight, "foreign keys", &err);
        }
    }
    return true;
}

/**
 * InnoDB changes child rows below the binlog. MySQL 9.6 moved that above it, unless it is told not
 * to (innodb_native_foreign_keys).
 */
bool mr_mysql_preflight_cascades(struct mr_mysql_preflight *preflight)
{
    struct mr_error err = {0};
    char native[SETTING_BYTES_MAX];
    const bool can_log =
        mr_mysql_query_text(preflight->connection, "SELECT @@global.innodb_native_foreign_keys",
                            native, sizeof(native), &err);
    if (!can_log && mr_mysql_error_number(preflight->connection) != ER_UNKNOWN_SYSTEM_VARIABLE) {
        return mr_mysql_note_failure(preflight, "foreign keys", &err);
    }
    if (can_log && strcmp(native, "0") == 0) {
        return true;
    }
    const bool is_maria = preflight->connection->is_maria;
    struct look look = {preflight,
                        can_log ? "restart the server without innodb_native_foreign_keys"
                        : is_maria
                            ? "change child rows in the application, or by a trigger on the "
                              "parent, and make the constraint RESTRICT"
                            : "change child rows in the application, or by a trigger on the "
                              "parent, and make the constraint RESTRICT; or run MySQL 9.6 or "
                              "later",
                        0};
    if (is_maria) {
        return look_at_definitions(&look);
    }
    return look_at(&look,
                   "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, REFERENCED_TABLE_NAME, "
                   "CONCAT('ON DELETE ', DELETE_RULE, ' ON UPDATE ', UPDATE_RULE) "
                   "FROM information_schema.REFERENTIAL_CONSTRAINTS "
                   "WHERE DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION') "
                   "OR UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION')",
                   take_cascade, "foreign keys");
}

/* ---- XA. ---- */

static bool count_prepared(void *context, const struct mr_mysql_result_row *row,
                           struct mr_error *err)
{
    struct look *look = context;
    (void)row;
    (void)err;
    look->count++;
    return true;
}

/** Their rows are in the binlog before our start, and their commit after it. Whoever may not list
 *  them (XA_RECOVER_ADMIN) goes without. */
bool mr_mysql_preflight_prepared(struct mr_mysql_preflight *preflight)
{
    struct look look = {preflight, "", 0};
    struct mr_error err = {0};
    if (!mr_mysql_each_row(preflight->connection, "XA RECOVER", UINT64_MAX, count_prepared, &look,
                           &err)) {
        return err.code != MR_E_NET || mr_mysql_note_failure(preflight, "XA RECOVER", &err);
    }
    if (look.count > 0) {
        mr_findings_add(preflight->findings, MR_FINDING_WARNING, "XA RECOVER",
                        "%u XA transactions are prepared: one whose rows were logged before the "
                        "first copy and that commits after it cannot be captured; run XA RECOVER, "
                        "and XA COMMIT or XA ROLLBACK what it lists before the first start",
                        look.count);
    }
    return true;
}
