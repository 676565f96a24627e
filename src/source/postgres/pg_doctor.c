// SPDX-License-Identifier: MIT
/*
 * pg_doctor.c - see pg_doctor.h.
 *
 * The rate at which the server writes its log is an average since its statistics were reset
 * (pg_stat_wal): enough to tell hours from weeks.
 */
#include "pg_doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOURS_WARNING 24.0
#define WHY_BYTES     256

enum table_field {
    TABLE_SPACE,
    TABLE_NAME,
    TABLE_KIND,
    TABLE_IS_PARTITION,
    TABLE_PERSISTENCE,
    TABLE_HAS_KEY,
    TABLE_IDENTITY,
    TABLE_GENERATED,
    TABLE_IS_LEFT_OUT, /* by a publication that is not ours to change */
};

static const char tables_query[] =
    "SELECT n.nspname, c.relname, c.relkind, c.relispartition, c.relpersistence, "
    "EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary), "
    "c.relreplident, (SELECT string_agg(a.attname, ', ') FROM pg_catalog.pg_attribute a "
    "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''), "
    "EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.pubname = $1 "
    "AND p.pubname !~ '^millrace_' AND coalesce(pg_catalog.obj_description(p.oid, "
    "'pg_publication'), '') <> 'made by millrace' AND NOT EXISTS (SELECT FROM "
    "pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname "
    "AND t.schemaname = n.nspname AND t.tablename = c.relname)) "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' "
    "AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' "
    "ORDER BY n.nspname, c.relname";

static bool is_true(const PGresult *result, int row, int field)
{
    return strcmp(mr_pg_field(result, row, field), "t") == 0;
}

/* Why a thing of this kind is never captured; NULL: it can be. */
static const char *never_captured(const PGresult *tables, int row)
{
    switch (mr_pg_field(tables, row, TABLE_KIND)[0]) {
    case 'v':
        return "a view has no rows of its own: capture the tables below it";
    case 'm':
        return "the log has no changes of a materialized view: capture the tables below it";
    case 'f':
        return "the rows of a foreign table are on another server: capture them there";
    default:
        break;
    }
    if (is_true(tables, row, TABLE_IS_PARTITION)) {
        return "a partition: it is captured as part of its table";
    }
    return NULL;
}

static void add_captured(struct mr_findings *findings, const PGresult *tables, int row,
                         const char *what, const char *why)
{
    const char *space = mr_pg_field(tables, row, TABLE_SPACE);
    const char *name = mr_pg_field(tables, row, TABLE_NAME);
    const char identity = mr_pg_field(tables, row, TABLE_IDENTITY)[0];
    const bool has_key = is_true(tables, row, TABLE_HAS_KEY);
    const char *identities = identity == 'f'   ? "FULL"
                             : identity == 'i' ? "an index"
                             : identity == 'n' ? "NOTHING"
                                               : "the primary key";
    if (mr_pg_field(tables, row, TABLE_PERSISTENCE)[0] == 'u') {
        mr_findings_add(findings, MR_FINDING_WARNING, what,
                        "not captured: it is UNLOGGED, so the log has no changes of it; run: ALTER "
                        "TABLE \"%s\".\"%s\" SET LOGGED",
                        space, name);
        return;
    }
    mr_findings_add(findings, MR_FINDING_OK, what, "captured: %s; replica identity: %s%s", why,
                    identities, has_key ? "" : "; no primary key");
    if (identity == 'n') {
        mr_findings_add(findings, MR_FINDING_WARNING, what,
                        "its replica identity is NOTHING: updates and deletes are refused by the "
                        "server; run: ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY %s",
                        space, name, has_key ? "DEFAULT" : "FULL");
    }
    const char *generated = mr_pg_field(tables, row, TABLE_GENERATED);
    if (generated[0] != '\0') {
        mr_findings_add(findings, MR_FINDING_OK, what,
                        "generated columns (%s) are sent only where the publication says so "
                        "(PostgreSQL 18); see docs/TYPES.md",
                        generated);
    }
}

bool mr_pg_doctor_tables(struct mr_pg_connection *connection, const struct mr_table_filter *filter,
                         const char *publication, struct mr_findings *findings,
                         struct mr_error *err)
{
    const char *const parameters[] = {publication};
    PGresult *tables = mr_pg_query(connection, tables_query, parameters, 1, err);
    if (tables == NULL) {
        return mr_error_context(err, "list every table");
    }
    for (int row = 0; row < PQntuples(tables); row++) {
        const char *space = mr_pg_field(tables, row, TABLE_SPACE);
        const char *name = mr_pg_field(tables, row, TABLE_NAME);
        const char *never = never_captured(tables, row);
        char what[sizeof(findings->items[0].what)];
        char why[WHY_BYTES];
        (void)snprintf(what, sizeof(what), "table %s.%s", space, name);
        mr_table_filter_why(filter, space, name, why, sizeof(why));
        if (never != NULL) {
            mr_findings_add(findings, MR_FINDING_OK, what, "not captured: %s", never);
        } else if (!mr_table_filter_takes(filter, space, name)) {
            mr_findings_add(findings, MR_FINDING_OK, what, "not captured: %s", why);
        } else if (is_true(tables, row, TABLE_IS_LEFT_OUT)) {
            mr_findings_add(findings, MR_FINDING_OK, what,
                            "not captured: publication \"%s\", which somebody else made, does not "
                            "have it",
                            publication);
        } else {
            add_captured(findings, tables, row, what, why);
        }
    }
    PQclear(tables);
    return true;
}

/* ---- The slot. ---- */

enum slot_field { SLOT_STATUS, SLOT_HELD, SLOT_SAFE, SLOT_KEEP, SLOT_RATE };

static const char slot_query[] =
    "SELECT coalesce(s.wal_status, ''), "
    "coalesce(pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
    "pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, "
    "s.restart_lsn), 0)::pg_catalog.int8, s.safe_wal_size, "
    "pg_catalog.current_setting('max_slot_wal_keep_size'), "
    "(SELECT wal_bytes / greatest(extract(epoch FROM pg_catalog.now() - stats_reset), 1) "
    "FROM pg_catalog.pg_stat_wal)::pg_catalog.float8 "
    "FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1";

static void add_limited(struct mr_findings *findings, const PGresult *slot, double held_mib,
                        double rate)
{
    const char *status = mr_pg_field(slot, 0, SLOT_STATUS);
    const double safe = strtod(mr_pg_field(slot, 0, SLOT_SAFE), NULL);
    const double hours = rate > 0 ? safe / rate / 3600 : 0;
    const bool is_near =
        safe <= 0 || (rate > 0 && hours < HOURS_WARNING) || strcmp(status, "unreserved") == 0;
    if (rate > 0) {
        mr_findings_add(findings, is_near ? MR_FINDING_WARNING : MR_FINDING_OK, "slot retention",
                        "it holds %.0f MiB of log (%s); %.0f MiB more and the server gives it up: "
                        "%.1f hours at the average of %.0f bytes/s%s",
                        held_mib, status, safe / 1048576, hours, rate,
                        is_near ? "; run: ALTER SYSTEM SET max_slot_wal_keep_size = '-1'; SELECT "
                                  "pg_reload_conf()"
                                : "");
    } else {
        mr_findings_add(findings, is_near ? MR_FINDING_WARNING : MR_FINDING_OK, "slot retention",
                        "it holds %.0f MiB of log (%s); %.0f MiB more and the server gives it up",
                        held_mib, status, safe / 1048576);
    }
}

bool mr_pg_doctor_slot(struct mr_pg_connection *connection, const char *name,
                       struct mr_findings *findings, struct mr_error *err)
{
    const char *const parameters[] = {name};
    PGresult *slot = mr_pg_query(connection, slot_query, parameters, 1, err);
    if (slot == NULL) {
        return mr_error_context(err, "look at the slot's retention");
    }
    if (PQntuples(slot) == 1) {
        const double held_mib = strtod(mr_pg_field(slot, 0, SLOT_HELD), NULL) / 1048576;
        const double rate = strtod(mr_pg_field(slot, 0, SLOT_RATE), NULL);
        if (PQgetisnull(slot, 0, SLOT_SAFE)) {
            mr_findings_add(findings, MR_FINDING_OK, "slot retention",
                            "it holds %.0f MiB of log and may hold as much as the server's disk "
                            "does; the server writes %.0f MiB an hour on average",
                            held_mib, rate * 3600 / 1048576);
        } else {
            add_limited(findings, slot, held_mib, rate);
        }
    }
    PQclear(slot);
    return true;
}
