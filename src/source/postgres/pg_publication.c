// SPDX-License-Identifier: MIT
/*
 * pg_publication.c - keeps the publication in step with the configured tables.
 *
 * The publication lists its tables (FOR ALL TABLES would need a superuser), which takes the owner
 * of each table or a superuser. Partitioned tables are published as the table they are parts of
 * (publish_via_partition_root), so that partitions may come and go. Tables are only ever added: one
 * that no longer matches is filtered out when its rows arrive.
 */
#include "pg_publication.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "writer.h"

#define STATEMENT_BYTES_MAX (UINT32_C(16) << 20)
#define QUOTED_BYTES        (2 * MR_PG_NAME_BYTES_MAX + 3)

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

static bool read_exists(struct mr_pg_connection *connection, const char *name, bool *exists,
                        struct mr_error *err)
{
    const char *const parameters[] = {name};
    PGresult *result = mr_pg_query(
        connection, "SELECT FROM pg_catalog.pg_publication WHERE pubname = $1", parameters, 1, err);
    if (result == NULL) {
        return false;
    }
    *exists = PQntuples(result) == 1;
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
    if (!read_exists(connection, name, &publication->exists, err)) {
        return mr_error_context(err, "read publication \"%s\"", name);
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
        append(&writer, " WITH (publish_via_partition_root = true)");
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

bool mr_pg_publication_ensure(struct mr_pg_connection *connection, const char *name,
                              const struct mr_table_filter *filter, struct mr_error *err)
{
    MR_ASSERT(connection->kind == MR_PG_CONNECTION_SQL);
    struct mr_pg_publication publication;
    if (!mr_pg_publication_read(connection, name, filter, &publication, err)) {
        return false;
    }
    bool ok = true;
    if (publication.statement != NULL && !mr_pg_run(connection, publication.statement, err)) {
        (void)mr_error_context(err, "run as owner of the tables: %.200s", publication.statement);
        ok = false;
    }
    mr_pg_publication_done(&publication);
    return ok;
}
