// SPDX-License-Identifier: MIT
/*
 * pg_snapshot.c - fixing the point of a copy; the list of tables is pg_snapshot_tables.c, copying
 * pg_reader.c.
 *
 * A new logical slot gives two things of the same moment: the position from which it streams and,
 * exported, a snapshot of the database. Readers import the snapshot, so that the copy is exact at
 * that position, whatever is written meanwhile, and no lock is taken.
 *
 *   first start         our slot is created; it streams from its start, and the copy is at its
 *   start start was lost      the slot is there but no position of ours (a crash in between):
 *                       streaming starts where the slot stands; the copy is at the start of a
 *   temporary slot resumed copy        streaming goes on; the copy of what is missing likewise
 *
 * An exported snapshot lives until its connection does anything else or ends, so the exporter waits
 * until every reader has imported it. Order of the steps: publication, list of tables, slot. The
 * slot cannot send for a publication younger than itself, and a table rewritten after it was listed
 * is found out by its filenode.
 */
#include "pg_snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pg_publication.h"

#define ARENA_BYTES_MAX  (UINT32_C(256) << 20)
#define ARENA_BYTES_KEPT (UINT32_C(1) << 20)

/* A slot that only exports: its name has the server's clock in it, and it ends with its
 * connection. */
static bool create_temporary(struct mr_snapshot *snapshot, struct mr_error *err)
{
    MR_ASSERT(snapshot->point.lsn == 0);
    char name[MR_PG_NAME_BYTES_MAX];
    const struct mr_env *env = snapshot->context->env;
    (void)snprintf(name, sizeof(name), "millrace_copy_%llx",
                   (unsigned long long)(env->random(env) ^ (uint64_t)env->unix_us(env)));
    return mr_pg_slot_create(&snapshot->exporter, name, MR_PG_SLOT_TEMPORARY, &snapshot->point,
                             err);
}

static bool check_wal_level(struct mr_snapshot *snapshot, struct mr_error *err)
{
    MR_ASSERT(snapshot->control.pg != NULL);
    PGresult *result = mr_pg_query(&snapshot->control, "SHOW wal_level", NULL, 0, err);
    if (result == NULL) {
        return false;
    }
    char level[16];
    (void)snprintf(level, sizeof(level), "%s", mr_pg_field(result, 0, 0));
    PQclear(result);
    if (strcmp(level, "logical") != 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "wal_level is \"%s\"; run: ALTER SYSTEM SET wal_level = 'logical'; then "
                       "restart the server",
                       level);
    }
    return true;
}

/* Fixes where streaming starts (*start_lsn, unless it has begun before) and where the copy is. */
static bool fix_point(struct mr_snapshot *snapshot, bool tables_wanted,
                      const struct mr_position *existing, uint64_t *start_lsn, struct mr_error *err)
{
    MR_ASSERT(snapshot->point.lsn == 0 && snapshot->exporter.pg != NULL);
    const struct mr_source_context *context = snapshot->context;
    char name[MR_PG_NAME_BYTES_MAX];
    struct mr_pg_slot slot;
    mr_pg_config_slot(context->config, context->pipeline, context->name, name);
    if (!mr_pg_slot_read(&snapshot->control, name, &slot, err)) {
        return false;
    }
    if (context->starts_anew && slot.is_lost) {
        if (!mr_pg_slot_drop(&snapshot->control, name, err)) {
            return false;
        }
        slot = (struct mr_pg_slot){0};
    }
    if (!slot.exists && existing == NULL) {
        if (!mr_pg_slot_create(&snapshot->exporter, name,
                               tables_wanted ? MR_PG_SLOT_LASTING_EXPORTED : MR_PG_SLOT_LASTING,
                               &snapshot->point, err)) {
            return false;
        }
        *start_lsn = snapshot->point.lsn;
        return true;
    }
    /* While a copy is resumed our own stream may be using the slot. */
    slot.is_active = slot.is_active && existing == NULL;
    if (!mr_pg_slot_check(&slot, name, PQdb(snapshot->control.pg), 0, err)) {
        return false;
    }
    *start_lsn = slot.confirmed_lsn;
    return !tables_wanted || create_temporary(snapshot, err);
}

static bool open_all(struct mr_snapshot *snapshot, bool tables_wanted,
                     const struct mr_position *existing, struct mr_position *start,
                     struct mr_error *err)
{
    const struct mr_source_context *context = snapshot->context;
    const struct mr_pg_config *config = context->config;
    const struct mr_table_filter filter = {
        .include = &config->tables,
        .exclude = &config->exclude,
        .choices = context->choices,
    };
    char publication[MR_PG_NAME_BYTES_MAX];
    uint64_t start_lsn = 0;
    mr_pg_config_publication(config, context->pipeline, context->name, publication);
    if (!mr_arena_init(&snapshot->arena, ARENA_BYTES_MAX, ARENA_BYTES_KEPT, err) ||
        !mr_pg_connection_open(&snapshot->control, context, MR_PG_CONNECTION_SQL, err) ||
        !check_wal_level(snapshot, err) ||
        !mr_pg_connection_open(&snapshot->exporter, context, MR_PG_CONNECTION_REPLICATION, err) ||
        !mr_pg_identify(&snapshot->exporter, &snapshot->identity, err) ||
        (existing != NULL &&
         !mr_pg_check_epoch(&snapshot->exporter, &snapshot->identity, existing, err)) ||
        !mr_pg_publication_ensure(&snapshot->control, publication, &filter, err) ||
        (tables_wanted && !mr_pg_snapshot_list(snapshot, publication, err)) ||
        !fix_point(snapshot, tables_wanted, existing, &start_lsn, err)) {
        return false;
    }
    if (mr_wished_table(context) != NULL) {
        start_lsn = snapshot->point.lsn; /* the copy is exact there, so all before is in it */
    }
    return (existing != NULL && mr_wished_table(context) == NULL) ||
           mr_pg_position_set(start, &snapshot->identity, start_lsn, err);
}

struct mr_snapshot *mr_pg_snapshot_open(const struct mr_source_context *context, bool tables_wanted,
                                        const struct mr_position *existing,
                                        struct mr_position *start, struct mr_error *err)
{
    struct mr_snapshot *snapshot = mr_memory_new(1, sizeof(*snapshot));
    snapshot->context = context;
    if (existing != NULL && !mr_position_is_set(existing)) {
        existing = NULL;
    }
    if (!open_all(snapshot, tables_wanted, existing, start, err)) {
        mr_pg_snapshot_close(snapshot);
        (void)mr_error_context(err, "prepare the copy");
        return NULL;
    }
    return snapshot;
}

const struct mr_snapshot_table *mr_pg_snapshot_tables(struct mr_snapshot *snapshot, uint32_t *count)
{
    MR_ASSERT(snapshot->tables != NULL || snapshot->table_count == 0);
    *count = snapshot->table_count;
    return snapshot->tables;
}

void mr_pg_snapshot_release(struct mr_snapshot *snapshot)
{
    mr_pg_connection_close(&snapshot->exporter);
}

bool mr_pg_snapshot_high(struct mr_snapshot *snapshot, uint32_t table,
                         struct mr_native_position *high, struct mr_error *err)
{
    MR_ASSERT(table < snapshot->table_count && snapshot->point.lsn != 0);
    if (!mr_pg_snapshot_check(snapshot, table, err)) {
        return false;
    }
    *high = (struct mr_native_position){.major = snapshot->point.lsn};
    return true;
}

void mr_pg_snapshot_close(struct mr_snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    mr_pg_connection_close(&snapshot->exporter);
    mr_pg_connection_close(&snapshot->control);
    mr_pg_types_done(&snapshot->types);
    mr_arena_done(&snapshot->arena);
    free(snapshot);
}
