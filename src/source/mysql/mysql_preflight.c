// SPDX-License-Identifier: MIT
/*
 * mysql_preflight.c - see mysql_preflight.h.
 *
 * The privileges of a replica are tried: registering as one and reading the end of the binlog are
 * harmless, and see roles and partial revokes as the server does.
 */
#include "mysql_preflight.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mysql_dump.h"
#include "mysql_preflight_state.h"

#define DAY_SECONDS     86400
#define VALUE_BYTES_MAX 256

bool mr_mysql_note_failure(struct mr_mysql_preflight *preflight, const char *what,
                           const struct mr_error *err)
{
    MR_ASSERT(err->code != MR_OK);
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
    const char *wanted;    /* compared without case */
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
};

static bool check_variables(struct mr_mysql_preflight *preflight)
{
    MR_ASSERT(preflight->connection != NULL);
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
            if (!mr_mysql_note_failure(preflight, rule->name, &err)) {
                return false;
            }
            continue;
        }
        if (strcasecmp(value, rule->wanted) == 0) {
            mr_findings_add(preflight->findings, MR_FINDING_OK, rule->name, "%s", value);
        } else {
            mr_findings_add(preflight->findings, MR_FINDING_ERROR, rule->name,
                            "%s is \"%s\": %s; %s", rule->name, value, rule->why, fix);
        }
    }
    return true;
}

/** MySQL and MariaDB: how long a binlog is kept at least. */
static bool check_expiry(struct mr_mysql_preflight *preflight)
{
    struct mr_error err = {0};
    uint64_t seconds = 0;
    if (!mr_mysql_query_uint(preflight->connection, "SELECT @@global.binlog_expire_logs_seconds",
                             &seconds, &err)) {
        return mr_mysql_note_failure(preflight, "binlog_expire_logs_seconds", &err);
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
    struct mr_mysql_preflight *preflight = context;
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

static bool check_binlog_privileges(struct mr_mysql_preflight *preflight, uint32_t server_id)
{
    MR_ASSERT(server_id != 0 && preflight->account[0] != '\0');
    struct mr_error err = {0};
    const char *client = preflight->connection->is_maria ? "BINLOG MONITOR" : "REPLICATION CLIENT";
    if (mr_mysql_each_row(preflight->connection, mr_mysql_show_place_sql(preflight->connection), 1,
                          take_binlog_filters, preflight, &err)) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, client, "granted");
    } else if (err.code == MR_E_CONFIG) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, client,
                        "the account may not read the end of the binlog; run GRANT %s ON *.* TO %s",
                        client, preflight->account);
    } else if (!mr_mysql_note_failure(preflight, client, &err)) {
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
    return mr_mysql_note_failure(preflight, "REPLICATION SLAVE", &err);
}

static bool count_row(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    (void)row;
    (void)err;
    (*(uint32_t *)context)++;
    return true;
}

/** A replica that does not log what it applies has nothing for us. Who may not ask goes without. */
static bool check_replica(struct mr_mysql_preflight *preflight)
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
        return err.code != MR_E_NET || mr_mysql_note_failure(preflight, name, &err);
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
static bool check_server_id(struct mr_mysql_preflight *preflight, uint32_t server_id)
{
    MR_ASSERT(server_id != 0);
    struct mr_error err = {0};
    uint64_t theirs = 0;
    if (!mr_mysql_query_uint(preflight->connection, "SELECT @@global.server_id", &theirs, &err)) {
        return mr_mysql_note_failure(preflight, "server_id", &err);
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
        return err.code != MR_E_NET || mr_mysql_note_failure(preflight, "server_id", &err);
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

bool mr_mysql_preflight(const struct mr_source_context *context, struct mr_findings *findings,
                        struct mr_error *err)
{
    MR_ASSERT(context->config != NULL && findings != NULL);
    struct mr_mysql_preflight preflight = {
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
    bool looked =
        mr_mysql_read_account(preflight.connection, preflight.account, err) &&
        check_variables(&preflight) && check_expiry(&preflight) && check_replica(&preflight) &&
        check_server_id(&preflight, server_id) && check_binlog_privileges(&preflight, server_id) &&
        mr_mysql_preflight_databases(&preflight) && mr_mysql_preflight_tables(&preflight) &&
        mr_mysql_preflight_rows(&preflight) && mr_mysql_preflight_cascades(&preflight) &&
        mr_mysql_preflight_prepared(&preflight) && mr_mysql_preflight_snapshot_lock(&preflight) &&
        mr_mysql_doctor(&preflight);
    free(preflight.needs_lock);
    mr_mysql_list_done(&preflight.list);
    mr_mysql_disconnect(preflight.connection);
    return looked;
}
