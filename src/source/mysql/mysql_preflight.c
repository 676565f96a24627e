// SPDX-License-Identifier: MIT
/*
 * mysql_preflight.c - see mysql_preflight.h.
 *
 * Privileges are tried where trying is harmless (registering as a replica, reading the end of the
 * binlog, an empty SELECT on each table): that sees roles and partial revokes as the server does.
 * RELOAD and LOCK TABLES cannot be tried without effects, so those are looked up in SHOW GRANTS.
 */
#include "mysql_preflight.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "mysql_barrier.h"
#include "mysql_config.h"
#include "mysql_connection.h"
#include "mysql_dump.h"
#include "mysql_grants.h"
#include "mysql_info.h"
#include "mysql_server.h"
#include "table_layout.h"
#include "writer.h"

#define DAY_SECONDS         86400
#define GRANTS_BYTES_MAX    (256u << 10)
#define TABLES_TRIED_MAX    1000
#define TABLE_FINDINGS_MAX  8 /* of a kind: the first ones name the cure for all */
#define STATEMENT_BYTES_MAX 4096
#define VALUE_BYTES_MAX     256

struct preflight {
    const struct mr_source_context *context;
    const struct mr_mysql_config *config;
    struct mr_mysql_connection *connection;
    struct mr_findings *findings;
    struct mr_error *err; /* of a connection that is lost on the way */
    char account[MR_MYSQL_ACCOUNT_BYTES_MAX];
    struct mr_mysql_list list;
    bool *needs_lock; /* as list.tables: its copy locks the table */
    uint32_t denied_count;
    uint32_t refused_count;
    uint32_t locked_count;
};

/** A failed look: a lost connection ends the preflight, anything else is a finding. */
static bool note_failure(struct preflight *preflight, const char *what, const struct mr_error *err)
{
    if (err->code == MR_E_NET) {
        *preflight->err = *err;
        return false;
    }
    mr_findings_add(preflight->findings, MR_FINDING_ERROR, what, "%s", err->message);
    return true;
}

/** What a server variable must be, and how to say so. */
struct variable_rule {
    const char *name;
    const char *wanted;    /* compared without case; a leading '!' means: must not contain */
    const char *mysql_fix; /* NULL: the variable is not MySQL's */
    const char *maria_fix; /* NULL: the variable is not MariaDB's */
    const char *why;
};

static const struct variable_rule variable_rules[] = {
    {.name = "log_bin",
     .wanted = "1",
     .mysql_fix = "start the server with --log-bin=mysql-bin --server-id=1",
     .maria_fix = "set log_bin=mysql-bin and server_id=1 under [mysqld] in my.cnf and restart",
     .why = "the server writes no binlog"},
    {.name = "binlog_format",
     .wanted = "ROW",
     .mysql_fix = "run SET PERSIST binlog_format=ROW, and reconnect the applications",
     .maria_fix = "run SET GLOBAL binlog_format=ROW, set binlog_format=ROW under [mysqld] in "
                  "my.cnf, and reconnect the applications",
     .why = "only row events carry data"},
    {.name = "binlog_row_image",
     .wanted = "FULL",
     .mysql_fix = "run SET PERSIST binlog_row_image=FULL, and reconnect the applications",
     .maria_fix = "run SET GLOBAL binlog_row_image=FULL, set binlog_row_image=FULL under [mysqld] "
                  "in my.cnf, and reconnect the applications",
     .why = "rows would lack columns"},
    {.name = "binlog_row_value_options",
     .wanted = "!PARTIAL_JSON",
     .mysql_fix = "run SET PERSIST binlog_row_value_options='', and reconnect the applications",
     .why = "partial JSON updates cannot be decoded"},
    {.name = "binlog_transaction_compression",
     .wanted = "0",
     .mysql_fix = "run SET PERSIST binlog_transaction_compression=OFF, and reconnect the "
                  "applications",
     .why = "compressed transactions cannot be decoded"},
    {.name = "log_bin_compress",
     .wanted = "0",
     .maria_fix = "run SET GLOBAL log_bin_compress=OFF, and set log_bin_compress=OFF under "
                  "[mysqld] in my.cnf",
     .why = "compressed events cannot be decoded"},
};

static bool meets(const char *value, const char *wanted)
{
    return wanted[0] == '!' ? strcasestr(value, wanted + 1) == NULL
                            : strcasecmp(value, wanted) == 0;
}

static bool check_variables(struct preflight *preflight)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(variable_rules); i++) {
        const struct variable_rule *rule = &variable_rules[i];
        const char *fix = preflight->connection->is_maria ? rule->maria_fix : rule->mysql_fix;
        char sql[128];
        char value[VALUE_BYTES_MAX];
        struct mr_error err = {0};
        if (fix == NULL) {
            continue;
        }
        (void)snprintf(sql, sizeof(sql), "SELECT @@global.%s", rule->name);
        if (!mr_mysql_query_text(preflight->connection, sql, value, sizeof(value), &err)) {
            /* Gone in a later version: then its one remaining behaviour is the default. */
            if (mr_mysql_error_number(preflight->connection) == ER_UNKNOWN_SYSTEM_VARIABLE) {
                continue;
            }
            if (!note_failure(preflight, rule->name, &err)) {
                return false;
            }
            continue;
        }
        if (meets(value, rule->wanted)) {
            mr_findings_add(preflight->findings, MR_FINDING_OK, rule->name, "%s", value);
        } else {
            mr_findings_add(preflight->findings, MR_FINDING_ERROR, rule->name,
                            "%s is \"%s\": %s; %s", rule->name, value, rule->why, fix);
        }
    }
    return true;
}

/** MySQL and MariaDB: how long a binlog is kept at least. */
static bool check_expiry(struct preflight *preflight)
{
    struct mr_error err = {0};
    uint64_t seconds = 0;
    if (!mr_mysql_query_uint(preflight->connection, "SELECT @@global.binlog_expire_logs_seconds",
                             &seconds, &err)) {
        return note_failure(preflight, "binlog_expire_logs_seconds", &err);
    }
    if (seconds == 0 || seconds >= DAY_SECONDS) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, "binlog_expire_logs_seconds", "%llu%s",
                        (unsigned long long)seconds, seconds == 0 ? " (kept for ever)" : "");
        return true;
    }
    mr_findings_add(preflight->findings, MR_FINDING_WARNING, "binlog_expire_logs_seconds",
                    "binlogs are kept for %llu s only: a longer stop of millrace loses them and "
                    "every table is copied anew; run SET %s binlog_expire_logs_seconds=604800",
                    (unsigned long long)seconds,
                    preflight->connection->is_maria ? "GLOBAL" : "PERSIST");
    return true;
}

/** The end of the binlog, and databases that the server leaves out of it. */
static bool take_binlog_filters(void *context, const struct mr_mysql_result_row *row,
                                struct mr_error *err)
{
    struct preflight *preflight = context;
    (void)err;
    static const char *const names[] = {"binlog_do_db", "binlog_ignore_db"};
    for (unsigned i = 0; i < MR_ARRAY_LEN(names); i++) {
        if (row->count > 2 + i && row->cells[2 + i] != NULL && row->cells[2 + i][0] != '\0') {
            mr_findings_add(preflight->findings, MR_FINDING_WARNING, names[i],
                            "the server filters its binlog (%s=%.200s): changes in other databases "
                            "never reach it; remove the option from my.cnf and restart",
                            names[i], row->cells[2 + i]);
        }
    }
    return true;
}

static bool check_binlog_privileges(struct preflight *preflight, uint32_t server_id)
{
    struct mr_error err = {0};
    const char *client = preflight->connection->is_maria ? "BINLOG MONITOR" : "REPLICATION CLIENT";
    if (mr_mysql_each_row(preflight->connection, mr_mysql_show_place_sql(preflight->connection), 1,
                          take_binlog_filters, preflight, &err)) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, client, "granted");
    } else if (err.code == MR_E_CONFIG) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, client,
                        "the account may not read the end of the binlog; run GRANT %s ON *.* TO %s",
                        client, preflight->account);
    } else if (!note_failure(preflight, client, &err)) {
        return false;
    }

    err = (struct mr_error){0};
    if (mr_mysql_dump_register(preflight->connection, server_id, &err)) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, "REPLICATION SLAVE", "granted");
        return true;
    }
    if (err.code == MR_E_CONFIG) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, "REPLICATION SLAVE",
                        "the account may not read the binlog; run GRANT REPLICATION SLAVE ON *.* "
                        "TO %s",
                        preflight->account);
        return true;
    }
    return note_failure(preflight, "REPLICATION SLAVE", &err);
}

static bool count_row(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    (void)row;
    (void)err;
    (*(uint32_t *)context)++;
    return true;
}

/** A replica that does not log what it applies has nothing for us. Who may not ask goes without. */
static bool check_replica(struct preflight *preflight)
{
    struct mr_error err = {0};
    uint32_t source_count = 0;
    uint64_t logs_updates = 0;
    const char *sql = mr_mysql_is_at_least(preflight->connection, 80022) ? "SHOW REPLICA STATUS"
                                                                         : "SHOW SLAVE STATUS";
    const char *name = mr_mysql_is_at_least(preflight->connection, 80026) ? "log_replica_updates"
                                                                          : "log_slave_updates";
    char query[64];
    (void)snprintf(query, sizeof(query), "SELECT @@global.%s", name);
    if (!mr_mysql_query_uint(preflight->connection, query, &logs_updates, &err) ||
        !mr_mysql_each_row(preflight->connection, sql, UINT64_MAX, count_row, &source_count,
                           &err)) {
        return err.code != MR_E_NET || note_failure(preflight, name, &err);
    }
    if (source_count > 0 && logs_updates == 0) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, name,
                        "the server is a replica that does not log what it applies; set %s=ON "
                        "under [mysqld] in my.cnf and restart it, or connect to its source",
                        name);
    }
    return true;
}

struct clash_search {
    uint32_t server_id;
    char host[128];
    bool found;
};

static bool take_replica(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct clash_search *search = context;
    (void)err;
    if (row->count >= 2 && row->cells[0] != NULL &&
        strtoull(row->cells[0], NULL, 10) == search->server_id) {
        search->found = true;
        (void)snprintf(search->host, sizeof(search->host), "%.100s",
                       row->cells[1] == NULL ? "" : row->cells[1]);
    }
    return true;
}

/** Looked at before we register ourselves. Who may not list replicas goes without. */
static bool check_server_id(struct preflight *preflight, uint32_t server_id)
{
    struct mr_error err = {0};
    uint64_t theirs = 0;
    if (!mr_mysql_query_uint(preflight->connection, "SELECT @@global.server_id", &theirs, &err)) {
        return note_failure(preflight, "server_id", &err);
    }
    if (theirs == 0) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, "server_id",
                        "the server's own server_id is 0, so it serves no replica; run SET GLOBAL "
                        "server_id=1 and set it in my.cnf");
        return true;
    }
    if (theirs == server_id) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, "server_id",
                        "the server itself has our server_id %u; give this source a server_id of "
                        "its own",
                        server_id);
        return true;
    }
    struct clash_search search = {.server_id = server_id};
    const char *sql =
        mr_mysql_is_at_least(preflight->connection, 80022) ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS";
    if (!mr_mysql_each_row(preflight->connection, sql, UINT64_MAX, take_replica, &search, &err)) {
        return err.code != MR_E_NET || note_failure(preflight, "server_id", &err);
    }
    if (search.found) {
        mr_findings_add(preflight->findings, MR_FINDING_WARNING, "server_id",
                        "%u is registered already, by host \"%s\": unless that is this pipeline "
                        "running, give this source a server_id of its own",
                        server_id, search.host);
    } else {
        mr_findings_add(preflight->findings, MR_FINDING_OK, "server_id", "%u", server_id);
    }
    return true;
}

/** The first database of the list on which a privilege is not granted; NULL when none. */
static const char *find_missing(const struct preflight *preflight, struct mr_slice grants,
                                const char *privilege, bool locked_only)
{
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
static bool check_snapshot_lock(struct preflight *preflight)
{
    struct mr_error err = {0};
    struct mr_writer lines = {0};
    mr_writer_init(&lines, GRANTS_BYTES_MAX);
    if (!mr_mysql_grants_read(preflight->connection, &lines, &err)) {
        mr_writer_done(&lines);
        return note_failure(preflight, "RELOAD", &err);
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
static bool check_databases(struct preflight *preflight)
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
        if (!read && !note_failure(preflight, "tables", &err)) {
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
static bool try_select(struct preflight *preflight, const struct mr_mysql_listed *table)
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
        return note_failure(preflight, "SELECT", &err);
    }
    if (preflight->denied_count++ < TABLE_FINDINGS_MAX) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, "SELECT",
                        "the account may not read \"%s\".\"%s\"; run GRANT SELECT ON `%s`.* TO %s",
                        table->space, table->table, table->space, preflight->account);
    }
    return true;
}

/** Columns that cannot be represented are better known before than in the middle of a stream. */
static bool try_layout(struct preflight *preflight, struct mr_mysql_info *info,
                       struct mr_catalog *catalog, const struct mr_mysql_listed *table)
{
    struct mr_error err = {0};
    const struct mr_mysql_table_info *described =
        mr_mysql_info_read(info, preflight->connection, table->space, table->table, &err);
    if (described == NULL) {
        return note_failure(preflight, "columns", &err);
    }
    struct mr_mysql_layout *layout = mr_mysql_layout_from_info(described, catalog, &err);
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

static bool check_tables(struct preflight *preflight)
{
    struct mr_error err = {0};
    bool going = true;
    if (!mr_mysql_list_read(&preflight->list, preflight->connection, preflight->config, &err)) {
        return note_failure(preflight, "tables", &err);
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
        return note_failure(preflight, "tables", &err);
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

bool mr_mysql_preflight(const struct mr_source_context *context, struct mr_findings *findings,
                        struct mr_error *err)
{
    struct preflight preflight = {
        .context = context,
        .config = context->config,
        .findings = findings,
        .err = err,
    };
    uint32_t server_id =
        mr_mysql_config_server_id(preflight.config, context->pipeline, context->name);
    preflight.connection = mr_mysql_connect(context, MR_MYSQL_CONTROL, NULL, err);
    if (preflight.connection == NULL) {
        return false;
    }
    mr_findings_add(findings, MR_FINDING_OK, "server", "%s at %s:%u, %s",
                    preflight.connection->server, preflight.connection->endpoint->host,
                    preflight.connection->endpoint->port,
                    preflight.connection->is_encrypted ? "encrypted" : "not encrypted");
    bool looked = mr_mysql_read_account(preflight.connection, preflight.account, err) &&
                  check_variables(&preflight) && check_expiry(&preflight) &&
                  check_replica(&preflight) && check_server_id(&preflight, server_id) &&
                  check_binlog_privileges(&preflight, server_id) && check_databases(&preflight) &&
                  check_tables(&preflight) && check_snapshot_lock(&preflight);
    free(preflight.needs_lock);
    mr_mysql_list_done(&preflight.list);
    mr_mysql_disconnect(preflight.connection);
    return looked;
}
