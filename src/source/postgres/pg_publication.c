// SPDX-License-Identifier: MIT
/*
 * pg_publication.c - keeps the publication in step with the configured tables.
 *
 * The publication lists its tables (FOR ALL TABLES would need a superuser), which takes the owner
 * of each table or a superuser. Partitioned tables are published as the table they are parts of
 * (publish_via_partition_root), so that partitions may come and go, and with their stored generated
 * columns where the server can (18). Tables are only ever added: one that no longer matches is
 * filtered out when its rows arrive.
 */
#include "pg_publication.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "writer.h"

#define STATEMENT_BYTES_MAX (UINT32_C(16) << 20)
#define QUOTED_BYTES        (2 * MR_PG_NAME_BYTES_MAX + 3)
#define COMMENT             "made by millrace"
#define OWN_PREFIX          "millrace_" /* of the name that it has without being given one */
#define GENERATED_MIN       180000

/* Tables that could be published and are not, neither by themselves nor by their schema. */
static const char unpublished_query[] =
    "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' "
    "AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication p "
    "LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid "
    "WHERE p.pubname = $1 AND (p.puballtables OR r.prrelid IS NOT NULL)) "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables t "
    "WHERE t.pubname = $1 AND t.schemaname = n.nspname AND t.tablename = c.relname) "
    "ORDER BY n.nspname, c.relname";

static void append(struct mr_writer *writer, const char *text)
{
    mr_write_bytes(writer, text, strlen(text));
}

static void append_identifier(struct mr_writer *writer, const char *name)
{
    char quoted[QUOTED_BYTES];
    mr_pg_quote_identifier(name, quoted, sizeof(quoted));
    append(writer, quoted);
}

/* " FOR TABLE a.b, c.d" or " ADD TABLE ..."; counts the tables that match. */
static uint32_t append_tables(struct mr_writer *writer, const PGresult *tables, const char *verb,
                              const struct mr_table_filter *filter)
{
    MR_ASSERT(PQnfields(tables) == 2);
    uint32_t count = 0;
    for (int row = 0; row < PQntuples(tables); row++) {
        const char *space = mr_pg_field(tables, row, 0);
        const char *table = mr_pg_field(tables, row, 1);
        if (!mr_table_filter_takes(filter, space, table)) {
            continue;
        }
        append(writer, count++ == 0 ? verb : ", ");
        append_identifier(writer, space);
        append(writer, ".");
        append_identifier(writer, table);
    }
    return count;
}

enum field {
    FIELD_INSERTS,
    FIELD_UPDATES,
    FIELD_DELETES,
    FIELD_TRUNCATES,
    FIELD_GENERATED,
    FIELD_IS_OURS,
};

#define READ_QUERY(generated)                                                                      \
    "SELECT pubinsert, pubupdate, pubdelete, pubtruncate, " generated ", "                         \
    "coalesce(pg_catalog.obj_description(oid, 'pg_publication') = '" COMMENT "', false) "          \
    "FROM pg_catalog.pg_publication WHERE pubname = $1"

static void take_facts(const PGresult *result, const char *name,
                       struct mr_pg_publication *publication)
{
    static const char *const words[] = {"insert", "update", "delete", "truncate"};
    bool sends[MR_ARRAY_LEN(words)];
    size_t length = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(words); i++) {
        sends[i] = strcmp(mr_pg_field(result, 0, (int)i), "t") == 0;
        if (sends[i]) {
            length +=
                (size_t)snprintf(publication->sends + length, sizeof(publication->sends) - length,
                                 "%s%s", length == 0 ? "" : ", ", words[i]);
        }
    }
    publication->exists = true;
    publication->is_ours = strcmp(mr_pg_field(result, 0, FIELD_IS_OURS), "t") == 0 ||
                           strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0;
    publication->sends_changes = sends[FIELD_UPDATES] || sends[FIELD_DELETES];
    publication->sends_all = sends[FIELD_INSERTS] && sends[FIELD_UPDATES] && sends[FIELD_DELETES] &&
                             sends[FIELD_TRUNCATES];
    publication->sends_generated = strcmp(mr_pg_field(result, 0, FIELD_GENERATED), "t") == 0;
}

static bool read_facts(struct mr_pg_connection *connection, const char *name,
                       struct mr_pg_publication *publication, struct mr_error *err)
{
    static const char plain[] = READ_QUERY("false");
    static const char with_generated[] = READ_QUERY("pubgencols = 's'");
    const char *const parameters[] = {name};
    const bool has_generated = PQserverVersion(connection->pg) >= GENERATED_MIN;
    PGresult *result =
        mr_pg_query(connection, has_generated ? with_generated : plain, parameters, 1, err);
    if (result == NULL) {
        return mr_error_context(err, "read publication \"%s\"", name);
    }
    *publication = (struct mr_pg_publication){.is_ours = true,
                                              .sends_changes = true,
                                              .sends_all = true,
                                              .sends_generated = has_generated};
    if (PQntuples(result) == 1) {
        take_facts(result, name, publication);
    }
    PQclear(result);
    return true;
}

bool mr_pg_publication_read(struct mr_pg_connection *connection, const char *name,
                            const struct mr_table_filter *filter,
                            struct mr_pg_publication *publication, struct mr_error *err)
{
    const char *const parameters[] = {name};
    struct mr_writer writer;
    *publication = (struct mr_pg_publication){0};
    if (!read_facts(connection, name, publication, err)) {
        return false;
    }
    PGresult *tables = mr_pg_query(connection, unpublished_query, parameters, 1, err);
    if (tables == NULL) {
        return mr_error_context(err, "read the tables of publication \"%s\"", name);
    }
    mr_writer_init(&writer, STATEMENT_BYTES_MAX);
    append(&writer, publication->exists ? "ALTER PUBLICATION " : "CREATE PUBLICATION ");
    append_identifier(&writer, name);
    publication->missing_count =
        append_tables(&writer, tables, publication->exists ? " ADD TABLE " : " FOR TABLE ", filter);
    if (!publication->exists) {
        append(&writer, " WITH (publish_via_partition_root = true");
        append(&writer,
               publication->sends_generated ? ", publish_generated_columns = stored)" : ")");
    }
    PQclear(tables);
    const bool ok = !writer.failed;
    if (ok && (!publication->exists || publication->missing_count > 0)) {
        publication->statement = mr_memory_copy_text(writer.bytes, writer.length);
    }
    mr_writer_done(&writer);
    return ok || mr_fail(err, MR_E_LIMIT, MR_STOP, "too many tables match; narrow \"tables\"");
}

void mr_pg_publication_done(struct mr_pg_publication *publication)
{
    free(publication->statement);
    publication->statement = NULL;
}

static bool create(struct mr_pg_connection *connection, const char *name, const char *statement,
                   struct mr_error *err)
{
    char quoted[QUOTED_BYTES];
    char comment[sizeof(quoted) + 64];
    mr_pg_quote_identifier(name, quoted, sizeof(quoted));
    (void)snprintf(comment, sizeof(comment), "COMMENT ON PUBLICATION %s IS '" COMMENT "'", quoted);
    return mr_pg_run(connection, statement, err) && mr_pg_run(connection, comment, err);
}

bool mr_pg_publication_ensure(struct mr_pg_connection *connection, const char *name,
                              const struct mr_table_filter *filter, struct mr_error *err)
{
    MR_ASSERT(connection->kind == MR_PG_CONNECTION_SQL);
    struct mr_pg_publication publication = {0};
    if (!mr_pg_publication_read(connection, name, filter, &publication, err)) {
        return false;
    }
    bool ok = true;
    const bool is_wanted = !publication.exists || publication.is_ours;
    if (is_wanted && publication.statement != NULL && mr_pg_connection_is_standby(connection)) {
        ok = mr_fail(
            err, MR_E_CONFIG, MR_STOP,
            "the server is a standby, where no publication can be made; run on its primary, "
            "as owner of the tables: %.300s",
            publication.statement);
        mr_pg_publication_done(&publication);
        return ok;
    }
    if (!publication.exists) {
        ok = create(connection, name, publication.statement, err);
    } else if (publication.statement != NULL && publication.is_ours) {
        ok = mr_pg_run(connection, publication.statement, err);
    }
    if (!ok) {
        (void)mr_error_context(err, "run as owner of the tables: %.200s", publication.statement);
    }
    mr_pg_publication_done(&publication);
    return ok;
}
