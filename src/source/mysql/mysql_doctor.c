// SPDX-License-Identifier: MIT
/*
 * mysql_doctor.c - what the preflight says beyond what stops it: each table of the server, captured
 * or not and why, and how long the binlog lasts.
 *
 * A server tells the sizes of its binlog files, not their ages; its write rate is measured over the
 * moment that the list of tables takes, which says something of a busy server only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mysql_preflight_state.h"
#include "table_filter.h"

#define WHY_BYTES       256
#define HOURS_WARNING   24
#define SECONDS_AN_HOUR 3600

enum { CELL_SPACE, CELL_TABLE, CELL_TYPE, CELL_ENGINE, CELL_HAS_KEY, CELL_GENERATED, CELLS };

static const char tables_sql[] =
    "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, "
    "EXISTS (SELECT 1 FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = t.TABLE_SCHEMA "
    "AND s.TABLE_NAME = t.TABLE_NAME AND s.INDEX_NAME = 'PRIMARY'), NULL "
    "FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA NOT IN ('mysql', 'information_schema', "
    "'performance_schema', 'sys') ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME";

/* Why a thing of this kind is never captured; NULL: it can be. */
static const char *never_captured(const char *type)
{
    if (strcasecmp(type, "BASE TABLE") == 0 || strcasecmp(type, "SYSTEM VERSIONED") == 0) {
        return NULL;
    }
    if (strcasecmp(type, "VIEW") == 0) {
        return "a view has no rows of its own: capture the tables below it";
    }
    return strcasecmp(type, "SEQUENCE") == 0 ? "a sequence has no rows" : "it is no table";
}

static bool take_table(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct mr_mysql_preflight *preflight = context;
    const struct mr_table_filter filter = {
        .include = &preflight->config->tables,
        .exclude = &preflight->config->exclude,
        .choices = preflight->context->choices,
    };
    (void)err;
    MR_ASSERT(row->count == CELLS);
    const char *space = row->cells[CELL_SPACE];
    const char *table = row->cells[CELL_TABLE];
    const char *type = row->cells[CELL_TYPE] == NULL ? "" : row->cells[CELL_TYPE];
    const char *engine = row->cells[CELL_ENGINE] == NULL ? "unknown" : row->cells[CELL_ENGINE];
    if (space == NULL || table == NULL) {
        return true;
    }
    char what[sizeof(preflight->findings->items[0].what)];
    char why[WHY_BYTES];
    const char *never = never_captured(type);
    const bool has_key = row->cells[CELL_HAS_KEY] != NULL && row->cells[CELL_HAS_KEY][0] == '1';
    (void)snprintf(what, sizeof(what), "table %s.%s", space, table);
    mr_table_filter_why(&filter, space, table, why, sizeof(why));
    if (never != NULL) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, what, "not captured: %s", never);
    } else if (!mr_table_filter_takes(&filter, space, table)) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, what, "not captured: %s", why);
    } else {
        mr_findings_add(preflight->findings, MR_FINDING_OK, what, "captured: %s; engine %s%s", why,
                        engine,
                        has_key ? ""
                                : "; no primary key: rows are told apart by all their "
                                  "columns");
    }
    return true;
}

static bool doctor_tables(struct mr_mysql_preflight *preflight)
{
    struct mr_error err = {0};
    return mr_mysql_each_row(preflight->connection, tables_sql, UINT64_MAX, take_table, preflight,
                             &err) ||
           mr_mysql_note_failure(preflight, "tables", &err);
}

/* ---- The binlog. ---- */

struct log_sizes {
    uint64_t bytes;
    uint64_t count;
};

static bool take_log(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct log_sizes *sizes = context;
    (void)err;
    if (row->count >= 2 && row->cells[1] != NULL) {
        sizes->bytes += strtoull(row->cells[1], NULL, 10);
        sizes->count++;
    }
    return true;
}

static bool read_sizes(struct mr_mysql_preflight *preflight, struct log_sizes *sizes)
{
    struct mr_error err = {0};
    *sizes = (struct log_sizes){0};
    return mr_mysql_each_row(preflight->connection, "SHOW BINARY LOGS", UINT64_MAX, take_log, sizes,
                             &err);
}

bool mr_mysql_doctor(struct mr_mysql_preflight *preflight)
{
    const struct mr_env *env = preflight->context->env;
    const uint64_t started_ns = env->monotonic_ns(env);
    struct log_sizes before;
    struct log_sizes after;
    struct mr_error err = {0};
    uint64_t expire_s = 0;
    if (!read_sizes(preflight, &before)) {
        return doctor_tables(preflight); /* who may not see it was told by another finding */
    }
    if (!doctor_tables(preflight)) {
        return false;
    }
    const uint64_t elapsed_us = (env->monotonic_ns(env) - started_ns) / 1000 + 1;
    if (!read_sizes(preflight, &after) ||
        !mr_mysql_query_uint(preflight->connection, "SELECT @@global.binlog_expire_logs_seconds",
                             &expire_s, &err)) {
        return true;
    }
    const uint64_t written = after.bytes > before.bytes ? after.bytes - before.bytes : 0;
    const unsigned long long rate = (unsigned long long)(written * 1000000 / elapsed_us);
    const unsigned long long mib = (unsigned long long)(after.bytes >> 20);
    const unsigned long long files = (unsigned long long)after.count;
    if (expire_s == 0) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, "binlog retention",
                        "%llu MiB in %llu files, kept until somebody purges them; written now: "
                        "%llu bytes/s",
                        mib, files, rate);
        return true;
    }
    const unsigned long long hours = (unsigned long long)(expire_s / SECONDS_AN_HOUR);
    mr_findings_add(preflight->findings, hours < HOURS_WARNING ? MR_FINDING_WARNING : MR_FINDING_OK,
                    "binlog retention",
                    "%llu MiB in %llu files; a file is purged %llu hours after it was written, "
                    "which is how long millrace may be away; written now: %llu bytes/s%s",
                    mib, files, hours, rate,
                    hours < HOURS_WARNING ? "; run SET GLOBAL binlog_expire_logs_seconds = 604800"
                                          : "");
    return true;
}
