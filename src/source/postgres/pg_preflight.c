// SPDX-License-Identifier: MIT
/*
 * pg_preflight.c - server settings, role, slot, publication, tables: in this order, each a finding.
 *
 * A finding that is an error names the statement that cures it, ready to be run. Tables that are in
 * order are only counted.
 */
#include "pg_preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_connection.h"
#include "pg_describe.h"
#include "pg_doctor.h"
#include "pg_publication.h"
#include "pg_slot.h"
#include "pg_tree.h"
#include "table_filter.h"

#define GENERATED_MIN      180000 /* publications of generated columns */
#define SCRATCH_BYTES_MAX  (UINT32_C(16) << 20)
#define SCRATCH_BYTES_KEPT (UINT32_C(64) << 10)

#define STANDBY_VERSION_MIN 160000 /* logical decoding on a standby */

struct preflight {
    const struct mr_source_context *context;
    const struct mr_pg_config *config;
    struct mr_findings *findings;
    struct mr_pg_connection connection;
    struct mr_table_filter filter;
    struct mr_arena scratch;
    struct mr_pg_types types;
    char slot[MR_PG_NAME_BYTES_MAX];
    char publication_name[MR_PG_NAME_BYTES_MAX];
    struct mr_pg_publication publication;
    bool slot_exists;
};

enum server_field {
    SERVER_WAL_LEVEL,
    SERVER_MAY_REPLICATE,
    SERVER_USER,
    SERVER_SLOTS_MAX,
    SERVER_SLOTS_USED,
    SERVER_SENDERS_MAX,
    SERVER_SENDERS_USED,
    SERVER_MAY_CREATE,
    SERVER_DATABASE,
    SERVER_ENCODING,
    SERVER_SLOT_KEEP,
};

static const char server_query[] =
    "SELECT pg_catalog.current_setting('wal_level'), r.rolsuper OR r.rolreplication, r.rolname, "
    "pg_catalog.current_setting('max_replication_slots'), "
    "(SELECT count(*) FROM pg_catalog.pg_replication_slots), "
    "pg_catalog.current_setting('max_wal_senders'), "
    "(SELECT count(*) FROM pg_catalog.pg_stat_replication), "
    "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), "
    "pg_catalog.current_database(), pg_catalog.current_setting('server_encoding'), "
    "pg_catalog.current_setting('max_slot_wal_keep_size') "
    "FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";

static bool is_true(const PGresult *result, int row, int field)
{
    return strcmp(mr_pg_field(result, row, field), "t") == 0;
}

/* ---- Server and role. ---- */

static void check_settings(struct preflight *preflight, const PGresult *server)
{
    MR_ASSERT(PQntuples(server) == 1);
    struct mr_findings *findings = preflight->findings;
    const int version = PQserverVersion(preflight->connection.pg);
    const char *wal_level = mr_pg_field(server, 0, SERVER_WAL_LEVEL);
    if (version < MR_PG_VERSION_MIN) {
        mr_findings_add(findings, MR_FINDING_ERROR, "server version",
                        "PostgreSQL %d is older than 14; upgrade the server", version / 10000);
    } else {
        mr_findings_add(findings, MR_FINDING_OK, "server version", "PostgreSQL %d.%d",
                        version / 10000, version % 10000);
    }
    if (mr_pg_connection_is_standby(&preflight->connection)) {
        const bool can_decode = version >= STANDBY_VERSION_MIN;
        mr_findings_add(findings, can_decode ? MR_FINDING_OK : MR_FINDING_ERROR, "standby",
                        can_decode ? "the server is a standby, and is captured from as one"
                                   : "the server is a standby, which can be captured from since "
                                     "PostgreSQL 16; connect to its primary");
    }
    if (strcmp(wal_level, "logical") != 0) {
        mr_findings_add(findings, MR_FINDING_ERROR, "wal_level",
                        "wal_level is \"%s\"; run: ALTER SYSTEM SET wal_level = 'logical'; then "
                        "restart the server",
                        wal_level);
    } else {
        mr_findings_add(findings, MR_FINDING_OK, "wal_level", "logical");
    }
    if (strcmp(mr_pg_field(server, 0, SERVER_ENCODING), "SQL_ASCII") == 0) {
        mr_findings_add(findings, MR_FINDING_WARNING, "encoding",
                        "the database is SQL_ASCII: text that is not UTF-8 will stop the source");
    }
    if (strcmp(mr_pg_field(server, 0, SERVER_SLOT_KEEP), "-1") != 0) {
        mr_findings_add(findings, MR_FINDING_WARNING, "max_slot_wal_keep_size",
                        "the server gives up the slot when we are more than %s behind",
                        mr_pg_field(server, 0, SERVER_SLOT_KEEP));
    }
}

static void check_room(struct preflight *preflight, const PGresult *server)
{
    MR_ASSERT(PQntuples(server) == 1);
    struct mr_findings *findings = preflight->findings;
    const long slots_max = strtol(mr_pg_field(server, 0, SERVER_SLOTS_MAX), NULL, 10);
    const long slots_used = strtol(mr_pg_field(server, 0, SERVER_SLOTS_USED), NULL, 10);
    const long senders_max = strtol(mr_pg_field(server, 0, SERVER_SENDERS_MAX), NULL, 10);
    const long senders_used = strtol(mr_pg_field(server, 0, SERVER_SENDERS_USED), NULL, 10);
    if (!preflight->slot_exists && slots_used >= slots_max) {
        mr_findings_add(findings, MR_FINDING_ERROR, "max_replication_slots",
                        "all %ld slots are taken; run: SELECT pg_drop_replication_slot('NAME') for "
                        "one that nobody needs, or: ALTER SYSTEM SET max_replication_slots = %ld; "
                        "then restart the server",
                        slots_max, slots_max + 4);
    }
    if (senders_used >= senders_max) {
        mr_findings_add(findings, MR_FINDING_ERROR, "max_wal_senders",
                        "all %ld walsenders are busy; run: ALTER SYSTEM SET max_wal_senders = %ld; "
                        "then restart the server",
                        senders_max, senders_max + 4);
    }
}

static void check_role(struct preflight *preflight, const PGresult *server)
{
    MR_ASSERT(PQntuples(server) == 1);
    struct mr_findings *findings = preflight->findings;
    const char *user = mr_pg_field(server, 0, SERVER_USER);
    struct mr_pg_connection replication = {0};
    struct mr_error refused = {0};
    if (!is_true(server, 0, SERVER_MAY_REPLICATE)) {
        mr_findings_add(findings, MR_FINDING_ERROR, "privileges",
                        "role \"%s\" may not replicate; run: ALTER ROLE \"%s\" REPLICATION", user,
                        user);
        return;
    }
    if (!mr_pg_connection_open(&replication, preflight->context, MR_PG_CONNECTION_REPLICATION,
                               &refused)) {
        mr_findings_add(findings, MR_FINDING_ERROR, "replication connection", "%s",
                        refused.message);
        return;
    }
    mr_pg_connection_close(&replication);
    mr_findings_add(findings, MR_FINDING_OK, "privileges", "role \"%s\" may replicate", user);
}

static bool check_server(struct preflight *preflight, struct mr_error *err)
{
    PGresult *server = mr_pg_query(&preflight->connection, server_query, NULL, 0, err);
    if (server == NULL) {
        return false;
    }
    const bool ok = PQntuples(server) == 1;
    if (ok) {
        check_settings(preflight, server);
        check_role(preflight, server);
        check_room(preflight, server);
        if (!preflight->publication.exists && !is_true(server, 0, SERVER_MAY_CREATE)) {
            mr_findings_add(preflight->findings, MR_FINDING_ERROR, "publication",
                            "publication \"%s\" is missing and role \"%s\" may not create it; run: "
                            "GRANT CREATE ON DATABASE \"%s\" TO \"%s\"",
                            preflight->publication_name, mr_pg_field(server, 0, SERVER_USER),
                            mr_pg_field(server, 0, SERVER_DATABASE),
                            mr_pg_field(server, 0, SERVER_USER));
        }
    }
    PQclear(server);
    return ok || mr_fail(err, MR_E_SOURCE, MR_STOP, "the role of this session is gone");
}

/* ---- Slot and publication. ---- */

static bool check_slot(struct preflight *preflight, struct mr_error *err)
{
    struct mr_pg_slot slot;
    struct mr_error wrong = {0};
    if (!mr_pg_slot_read(&preflight->connection, preflight->slot, &slot, err)) {
        return false;
    }
    preflight->slot_exists = slot.exists;
    if (!slot.exists) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, "slot", "\"%s\" will be created",
                        preflight->slot);
    } else if (!mr_pg_slot_check(&slot, preflight->slot, PQdb(preflight->connection.pg), 0,
                                 &wrong)) {
        /* In use may well be by ourselves: a check beside a pipeline that runs. */
        mr_findings_add(preflight->findings,
                        wrong.recovery == MR_RETRY ? MR_FINDING_WARNING : MR_FINDING_ERROR, "slot",
                        "%s", wrong.message);
        preflight->findings->items[preflight->findings->count - 1].is_lost =
            wrong.code == MR_E_LOST;
    } else {
        mr_findings_add(preflight->findings, MR_FINDING_OK, "slot", "\"%s\" is there",
                        preflight->slot);
    }
    return true;
}

static void tell_publication(struct preflight *preflight)
{
    const struct mr_pg_publication *publication = &preflight->publication;
    struct mr_findings *findings = preflight->findings;
    const char *name = preflight->publication_name;
    const bool is_standby = mr_pg_connection_is_standby(&preflight->connection);
    if (is_standby && (!publication->exists || publication->is_ours) &&
        publication->statement != NULL) {
        mr_findings_add(findings, MR_FINDING_ERROR, "publication",
                        "the server is a standby; run on its primary, as owner of the tables: "
                        "%.300s",
                        publication->statement);
    } else if (publication->is_ours && publication->missing_count > 0) {
        mr_findings_add(findings, MR_FINDING_OK, "publication",
                        "%u tables will be published: %.400s", publication->missing_count,
                        publication->statement);
    } else if (publication->missing_count > 0) {
        mr_findings_add(findings, MR_FINDING_WARNING, "publication",
                        "\"%s\" (%s) was made by somebody else and is used as it is; %u tables "
                        "that match \"tables\" are not in it and not captured; to add them run: "
                        "%.250s",
                        name, publication->sends, publication->missing_count,
                        publication->statement);
    } else {
        mr_findings_add(findings, MR_FINDING_OK, "publication", "\"%s\" %s", name,
                        publication->exists ? "has all tables" : "will be created, without tables");
    }
    if (!publication->sends_all) {
        mr_findings_add(findings, MR_FINDING_WARNING, "publication of changes",
                        "\"%s\" publishes %s, and nothing else is captured; to have all run: ALTER "
                        "PUBLICATION \"%s\" SET (publish = 'insert, update, delete, truncate')",
                        name, publication->sends, name);
    }
}

static bool check_publication(struct preflight *preflight, struct mr_error *err)
{
    if (!mr_pg_publication_read(&preflight->connection, preflight->publication_name,
                                &preflight->filter, &preflight->publication, err)) {
        return false;
    }
    tell_publication(preflight);
    return true;
}

/* ---- Tables. ---- */

enum table_field {
    TABLE_OID,
    TABLE_SPACE,
    TABLE_NAME,
    TABLE_IDENTITY,
    TABLE_MAY_SELECT,
    TABLE_IS_OWNER,
    TABLE_IS_PUBLISHED,
    TABLE_OWNER,
};

static const char tables_query[] =
    "SELECT c.oid, n.nspname, c.relname, c.relreplident, "
    "pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND "
    "pg_catalog.has_table_privilege(c.oid, 'SELECT'), "
    "pg_catalog.pg_has_role(c.relowner, 'USAGE'), "
    "EXISTS (SELECT FROM pg_catalog.pg_publication_tables t WHERE t.pubname = $1 "
    "AND t.schemaname = n.nspname AND t.tablename = c.relname), "
    "pg_catalog.pg_get_userbyid(c.relowner) "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' "
    "AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' "
    "ORDER BY n.nspname, c.relname";

static void check_privileges(struct preflight *preflight, const PGresult *tables, int row,
                             const char *what)
{
    MR_ASSERT(row < PQntuples(tables));
    const char *user = preflight->config->user;
    const char *space = mr_pg_field(tables, row, TABLE_SPACE);
    const char *table = mr_pg_field(tables, row, TABLE_NAME);
    if (!is_true(tables, row, TABLE_MAY_SELECT)) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, what,
                        "cannot be copied; run: GRANT USAGE ON SCHEMA \"%s\" TO \"%s\"; GRANT "
                        "SELECT ON \"%s\".\"%s\" TO \"%s\"",
                        space, user, space, table, user);
    }
    if (!is_true(tables, row, TABLE_IS_PUBLISHED) && !is_true(tables, row, TABLE_IS_OWNER)) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, what,
                        "is not published and belongs to role \"%s\"; run as that role or as a "
                        "superuser: %s PUBLICATION \"%s\" %s TABLE \"%s\".\"%s\"",
                        mr_pg_field(tables, row, TABLE_OWNER),
                        preflight->publication.exists ? "ALTER" : "CREATE",
                        preflight->publication_name, preflight->publication.exists ? "ADD" : "FOR",
                        space, table);
    }
}

static bool has_key(const struct mr_pg_table *table)
{
    for (uint16_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].in_identity) {
            return true; /* FULL flags every column */
        }
    }
    return false;
}

/* Generated columns that stay out of the target, in the copy as in the stream. */
static void tell_generated(struct preflight *preflight, const struct mr_pg_table *table,
                           const char *what)
{
    const bool is_sendable = PQserverVersion(preflight->connection.pg) >= GENERATED_MIN;
    if (table->left_out == NULL || preflight->publication.sends_generated) {
        return;
    }
    mr_findings_add(preflight->findings, is_sendable ? MR_FINDING_WARNING : MR_FINDING_OK, what,
                    "generated columns (\"%s\") are not %s and left out of the target%s%s%s",
                    table->left_out, is_sendable ? "published" : "sent before PostgreSQL 18",
                    is_sendable ? "; run: ALTER PUBLICATION \"" : "",
                    is_sendable ? preflight->publication_name : "",
                    is_sendable ? "\" SET (publish_generated_columns = stored)" : "");
}

static bool check_table(struct preflight *preflight, const PGresult *tables, int row,
                        struct mr_error *err)
{
    MR_ASSERT(row < PQntuples(tables));
    char what[sizeof(preflight->findings->items[0].what)];
    const char *type_name = NULL;
    const bool is_nothing = mr_pg_field(tables, row, TABLE_IDENTITY)[0] == MR_PG_IDENTITY_NOTHING;
    struct mr_pg_table table = {
        .oid = (uint32_t)strtoul(mr_pg_field(tables, row, TABLE_OID), NULL, 10),
        .space = mr_pg_field(tables, row, TABLE_SPACE),
        .name = mr_pg_field(tables, row, TABLE_NAME),
        .identity = mr_pg_field(tables, row, TABLE_IDENTITY)[0],
        .types = &preflight->types,
    };
    (void)snprintf(what, sizeof(what), "table %s.%s", table.space, table.name);
    mr_arena_reset(&preflight->scratch);
    if (!mr_pg_describe_whole(&preflight->connection, &table, NULL, &preflight->scratch, err)) {
        return false;
    }
    if (table.column_count == 0) {
        mr_findings_add(preflight->findings, MR_FINDING_OK, what,
                        "has no columns and is not captured");
        return true;
    }
    check_privileges(preflight, tables, row, what);
    tell_generated(preflight, &table, what);
    const struct mr_pg_column *unsupported = mr_pg_table_unsupported(&table, &type_name);
    if (unsupported != NULL) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, what,
                        "column \"%s\" has the type %s, which holds a type that the server cannot "
                        "send in binary form; publish the table with a list of columns without "
                        "it, or add \"%s.%s\" to \"exclude\"",
                        unsupported->name, type_name, table.space, table.name);
    }
    if (!has_key(&table) && preflight->publication.sends_changes) {
        mr_findings_add(preflight->findings, MR_FINDING_ERROR, what,
                        "has no %s: once it is published the server refuses to update and delete "
                        "its rows; run: ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY %s, or add "
                        "the table to \"exclude\"",
                        is_nothing ? "replica identity" : "key", table.space, table.name,
                        is_nothing ? "DEFAULT" : "FULL");
    }
    return true;
}

static bool check_tables(struct preflight *preflight, struct mr_error *err)
{
    const char *const parameters[] = {preflight->publication_name};
    PGresult *tables = mr_pg_query(&preflight->connection, tables_query, parameters, 1, err);
    if (tables == NULL) {
        return false;
    }
    uint32_t count = 0;
    bool ok = true;
    for (int row = 0; ok && row < PQntuples(tables); row++) {
        const char *space = mr_pg_field(tables, row, TABLE_SPACE);
        const bool may_be_added =
            preflight->publication.is_ours || is_true(tables, row, TABLE_IS_PUBLISHED);
        if (may_be_added && mr_table_filter_takes(&preflight->filter, space,
                                                  mr_pg_field(tables, row, TABLE_NAME))) {
            ok = check_table(preflight, tables, row, err);
            count++;
        }
    }
    PQclear(tables);
    mr_findings_add(preflight->findings, count == 0 ? MR_FINDING_WARNING : MR_FINDING_OK, "tables",
                    count == 0 ? "%u tables match \"tables\"; create them, or correct the patterns"
                               : "%u tables match",
                    count);
    return ok;
}

bool mr_pg_preflight(const struct mr_source_context *context, struct mr_findings *findings,
                     struct mr_error *err)
{
    const struct mr_pg_config *config = context->config;
    struct preflight preflight = {
        .context = context,
        .config = config,
        .findings = findings,
        .filter = {.include = &config->tables,
                   .exclude = &config->exclude,
                   .choices = context->choices},
    };
    MR_ASSERT(findings->count <= MR_FINDINGS_MAX);
    mr_pg_config_slot(config, context->pipeline, context->name, preflight.slot);
    mr_pg_config_publication(config, context->pipeline, context->name, preflight.publication_name);
    const bool ok =
        mr_arena_init(&preflight.scratch, SCRATCH_BYTES_MAX, SCRATCH_BYTES_KEPT, err) &&
        mr_pg_connection_open(&preflight.connection, context, MR_PG_CONNECTION_SQL, err) &&
        check_slot(&preflight, err) && check_publication(&preflight, err) &&
        check_server(&preflight, err) && check_tables(&preflight, err) &&
        mr_pg_doctor_slot(&preflight.connection, preflight.slot, findings, err) &&
        mr_pg_doctor_tables(&preflight.connection, &preflight.filter, preflight.publication_name,
                            findings, err);
    mr_pg_connection_close(&preflight.connection);
    mr_arena_done(&preflight.scratch);
    mr_pg_types_done(&preflight.types);
    mr_pg_publication_done(&preflight.publication);
    return ok;
}
