// SPDX-License-Identifier: MIT
/*
 * mysql_preflight_tables.c - the preflight's look at databases, tables and the locks of their copy.
 *
 * SELECT is tried by an empty query on each table: that sees roles and partial revokes as the
 * server does. RELOAD and LOCK TABLES cannot be tried without effects, so those are looked up in
 * SHOW GRANTS.
 */
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "mysql_grants.h"
#include "mysql_preflight_state.h"
#include "table_layout.h"
#include "writer.h"

#define GRANTS_BYTES_MAX    (256u << 10)
#define TABLES_TRIED_MAX    1000
#define TABLE_FINDINGS_MAX  8 /* of a kind: the first ones name the cure for all */
#define STATEMENT_BYTES_MAX 4096

/** The first database of the list on which a privilege is not granted; NULL when none. */
static const char *find_missing(const struct mr_mysql_preflight *preflight, struct mr_slice grants,
                                const char *privilege, bool locked_only)
{
    MR_ASSERT(privilege != NULL);
    for (uint32_t i = 0; i < preflight->list.count; i++) {
        const char *space = preflight->list.tables[i].space;
        if ((!locked_only || preflight->needs_lock[i]) &&
            !mr_mysql_grants_has(grants, privilege, space)) {
            return space;
        }
    }
    return NULL;
}

/**
 * MySQL's snapshot starts a new binlog file (RELOAD), or locks its tables for an instant (LOCK
 * TABLES). Tables without a key are locked for an instant, those without transactions for longer.
 */
bool mr_mysql_preflight_snapshot_lock(struct mr_mysql_preflight *preflight)
{
    MR_ASSERT(preflight->list.count == 0 || preflight->needs_lock != NULL);
    struct mr_error err = {0};
    struct mr_writer lines = {0};
    mr_writer_init(&lines, GRANTS_BYTES_MAX);
    if (!mr_mysql_grants_read(preflight->connection, &lines, &err)) {
        mr_writer_done(&lines);
        return mr_mysql_note_failure(preflight, "RELOAD", &err);
    }
    struct mr_slice grants = {lines.bytes, lines.length};
    bool is_maria = preflight->connection->is_maria;
    const char *unlocked = find_missing(preflight, grants, "LOCK TABLES", false);
    const char *unlocked_keyless = find_missing(preflight, grants, "LOCK TABLES", true);
    bool has_reload = mr_mysql_grants_has(grants, "RELOAD", NULL);
    if (is_maria || has_reload || unlocked == NULL) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, "snapshot", "its start can be fixed");
    } else {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, "RELOAD",
                        "the snapshot must know an instant at which data and binlog agree; run "
                        "GRANT RELOAD ON *.* TO %s, or GRANT LOCK TABLES ON `%s`.* TO %s",
                        preflight->account, unlocked, preflight->account);
    }
    if (unlocked_keyless != NULL) {
        mr_findings_add(
            preflight->findings, has_reload && !is_maria ? MR_FINDING_WARNING : MR_FINDING_ERROR,
            "LOCK TABLES",
            "tables of \"%s\" without a primary key, or without transactions, are copied "
            "behind a lock; run GRANT LOCK TABLES ON `%s`.* TO %s",
            unlocked_keyless, unlocked_keyless, preflight->account);
    }
    mr_writer_done(&lines);
    return true;
}

/** A pattern without wildcards before its dot names a database, which must be there. */
bool mr_mysql_preflight_databases(struct mr_mysql_preflight *preflight)
{
    const struct mr_string_list *patterns = &preflight->config->tables;
    for (size_t i = 0; i < patterns->count; i++) {
        const char *dot = strchr(patterns->items[i], '.');
        char space[256];
        if (dot == NULL || (size_t)(dot - patterns->items[i]) >= sizeof(space)) {
            continue;
        }
        (void)snprintf(space, sizeof(space), "%.*s", (int)(dot - patterns->items[i]),
                       patterns->items[i]);
        if (strpbrk(space, "*?") != NULL) {
            continue;
        }
        struct mr_error err = {0};
        uint64_t count = 0;
        struct mr_writer sql = {0};
        mr_writer_init(&sql, STATEMENT_BYTES_MAX);
        static const char before[] =
            "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ";
        mr_write_bytes(&sql, before, sizeof(before) - 1);
        mr_mysql_write_literal(&sql, space);
        mr_write_u8(&sql, 0);
        MR_ASSERT(!sql.failed);
        bool read =
            mr_mysql_query_uint(preflight->connection, (const char *)sql.bytes, &count, &err);
        mr_writer_done(&sql);
        if (!read && !mr_mysql_note_failure(preflight, "tables", &err)) {
            return false;
        }
        if (read && count == 0) {
            mr_findings_add(preflight->findings, MR_FINDING_ERROR, "tables",
                            "database \"%s\" does not exist, or the account may not see it; create "
                            "it, or run GRANT SELECT ON `%s`.* TO %s",
                            space, space, preflight->account);
        }
    }
    return true;
}

/** SELECT on one table, tried without reading a row. */
static bool try_select(struct mr_mysql_preflight *preflight, const struct mr_mysql_listed *table)
{
    struct mr_error err = {0};
    struct mr_writer sql = {0};
    mr_writer_init(&sql, STATEMENT_BYTES_MAX);
    mr_write_bytes(&sql, "SELECT * FROM ", 14);
    mr_mysql_write_table(&sql, table->space, table->table);
    mr_write_bytes(&sql, " LIMIT 0", 9);
    MR_ASSERT(!sql.failed);
    bool read = mr_mysql_execute(preflight->connection, (const char *)sql.bytes, &err);
    mr_writer_done(&sql);
    if (read) {
        return true;
    }
    if (err.code != MR_E_CONFIG) {
        return mr_mysql_note_failure(preflight, "SELECT", &err);
    }
    if (preflight->denied_count++ < TABLE_FINDINGS_MAX) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, "SELECT",
                        "the account may not read \"%s\".\"%s\"; run GRANT SELECT ON `%s`.* TO %s",
                        table->space, table->table, table->space, preflight->account);
    }
    return true;
}

/** Columns that cannot be represented are better known before than in the middle of a stream. */
static bool try_layout(struct mr_mysql_preflight *preflight, struct mr_mysql_info *info,
                       struct mr_catalog *catalog, const struct mr_mysql_listed *table)
{
    struct mr_error err = {0};
    const struct mr_mysql_table_info *described =
        mr_mysql_info_read(info, preflight->connection, table->space, table->table, &err);
    if (described == NULL) {
        return mr_mysql_note_failure(preflight, "columns", &err);
    }
    struct mr_mysql_layout_terms terms = mr_mysql_terms(preflight->context);
    terms.catalog = catalog;
    struct mr_mysql_layout *layout = mr_mysql_layout_from_info(described, &terms, &err);
    if (layout == NULL && preflight->refused_count++ < TABLE_FINDINGS_MAX) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, "columns",
                        "%s; leave the table out with exclude: [%s.%s]", err.message, table->space,
                        table->table);
    }
    if (!table->is_transactional && preflight->locked_count++ < TABLE_FINDINGS_MAX) {
        mr_findings_add(preflight->findings, MR_FINDING_WARNING, "engine",
                        "\"%s\".\"%s\" has no transactions: its copy keeps writers out until it is "
                        "done; run ALTER TABLE `%s`.`%s` ENGINE=InnoDB",
                        table->space, table->table, table->space, table->table);
    }
    bool is_keyless = layout != NULL && layout->schema->key_count == 0;
    preflight->needs_lock[table - preflight->list.tables] =
        !table->is_transactional || (is_keyless && !preflight->connection->is_maria);
    mr_mysql_layout_close(layout);
    return true;
}

bool mr_mysql_preflight_tables(struct mr_mysql_preflight *preflight)
{
    struct mr_error err = {0};
    bool going = true;
    if (!mr_mysql_list_read(&preflight->list, preflight->connection, preflight->context, &err)) {
        return mr_mysql_note_failure(preflight, "tables", &err);
    }
    uint32_t count = preflight->list.count;
    if (count == 0) {
        mr_findings_add(preflight->findings, MR_FINDING_WARNING, "tables",
                        "no table that the account may see matches `tables`; check the patterns, "
                        "or run GRANT SELECT ON *.* TO %s",
                        preflight->account);
    } else {
        mr_findings_add(preflight->findings, MR_FINDING_OK, "tables", "%u captured", count);
    }
    preflight->needs_lock = mr_memory_new((size_t)count + 1, sizeof(*preflight->needs_lock));
    struct mr_mysql_info *info = mr_mysql_info_open(&err);
    if (info == NULL) {
        return mr_mysql_note_failure(preflight, "tables", &err);
    }
    struct mr_catalog *catalog = mr_catalog_open(); /* a check leaves nothing in the real one */
    for (uint32_t i = 0; going && i < count && i < TABLES_TRIED_MAX; i++) {
        const struct mr_mysql_listed *table = &preflight->list.tables[i];
        going = try_select(preflight, table) && try_layout(preflight, info, catalog, table);
    }
    mr_catalog_close(catalog);
    mr_mysql_info_close(info);
    return going;
}
