// SPDX-License-Identifier: MIT
/*
 * pg_snapshot_plan.c - how a table is cut, written down so that a copy that was interrupted goes on
 * with the pieces that are missing; and whether a copy may end as it is.
 *
 *   plan := { oid ":" filenode ":" blocks_a_piece ":" pieces ";" }
 *
 * A plan is taken up when every file is the same and cut alike; the number of pieces stays what it
 * was (the last one is open), also where the table has grown.
 *
 * Pieces of several snapshots: a row that was updated between two of them may have moved from a
 * range that was not copied yet into one that was, and is then in neither. The stream has the
 * update, and brings the row back - whole, unless the server left out a large value that the update
 * did not touch. So a table is resumed only while nothing lies in its TOAST files: then no row that
 * still lives can have such a value. Rows that are there twice are put right by their updates.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_describe.h"
#include "pg_snapshot.h"
#include "pg_table.h"
#include "writer.h"

#define PLAN_BYTES_MAX (UINT32_C(1) << 20)

static const char *write_plan(struct mr_snapshot *snapshot, const struct mr_pg_copied *copied)
{
    const struct mr_pg_config *config = snapshot->context->config;
    struct mr_writer writer;
    mr_writer_init(&writer, PLAN_BYTES_MAX);
    for (uint32_t i = 0; i < copied->leaf_count; i++) {
        const struct mr_pg_leaf *leaf = &copied->leaves[i];
        char text[96];
        const int length =
            snprintf(text, sizeof(text), "%u:%u:%llu:%u;", leaf->oid, leaf->filenode,
                     (unsigned long long)(config->snapshot_piece_bytes / 8192), leaf->piece_count);
        mr_write_bytes(&writer, text, (size_t)length);
    }
    const struct mr_slice plan = {writer.bytes, writer.length};
    const char *kept = writer.failed ? NULL : mr_pg_arena_text(&snapshot->arena, plan);
    mr_writer_done(&writer);
    return kept;
}

/* One number and the mark behind it. */
static bool take_number(const char **at, char mark, unsigned long long *number)
{
    char *end = NULL;
    *number = strtoull(*at, &end, 10);
    const bool taken = end != *at && *end == mark;
    *at = taken ? end + 1 : *at;
    return taken;
}

/* Whether the earlier plan is of these very files; counts[] then has its pieces a leaf. */
static bool fits(const struct mr_snapshot *snapshot, const struct mr_pg_copied *copied,
                 const char *plan, uint32_t *counts)
{
    const struct mr_pg_config *config = snapshot->context->config;
    for (uint32_t i = 0; i < copied->leaf_count; i++) {
        const struct mr_pg_leaf *leaf = &copied->leaves[i];
        unsigned long long oid = 0;
        unsigned long long filenode = 0;
        unsigned long long blocks = 0;
        unsigned long long pieces = 0;
        if (!take_number(&plan, ':', &oid) || !take_number(&plan, ':', &filenode) ||
            !take_number(&plan, ':', &blocks) || !take_number(&plan, ';', &pieces) ||
            oid != leaf->oid || filenode != leaf->filenode || leaf->filenode == 0 ||
            blocks != config->snapshot_piece_bytes / 8192 || pieces == 0 || pieces > UINT32_MAX) {
            return false;
        }
        counts[i] = (uint32_t)pieces;
    }
    return *plan == '\0';
}

bool mr_pg_snapshot_plan(struct mr_snapshot *snapshot, uint32_t table, struct mr_error *err)
{
    struct mr_pg_copied *copied = &snapshot->copied[table];
    struct mr_snapshot_table *shown = &snapshot->tables[table];
    MR_ASSERT(copied->leaf_count >= 1);
    for (uint32_t i = 0; i < copied->leaf_count; i++) {
        if (copied->leaves[i].has_toast || shown->exact) {
            return true; /* starts over when it is interrupted */
        }
    }
    const char *earlier =
        mr_wished_plan(snapshot->context, shown->schema->space, shown->schema->table);
    uint32_t *counts = MR_ARENA_NEW(&snapshot->arena, uint32_t, copied->leaf_count);
    if (counts == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "too many tables to copy; narrow \"tables\"");
    }
    copied->is_resumed = earlier != NULL && fits(snapshot, copied, earlier, counts);
    for (uint32_t i = 0; copied->is_resumed && i < copied->leaf_count; i++) {
        copied->leaves[i].piece_count = counts[i];
    }
    shown->plan = write_plan(snapshot, copied);
    return shown->plan != NULL ||
           mr_fail(err, MR_E_LIMIT, MR_STOP, "too many partitions to copy; narrow \"tables\"");
}

static bool check_leaf(struct mr_snapshot *snapshot, const struct mr_schema *schema,
                       const struct mr_pg_leaf *leaf, bool is_resumed, struct mr_error *err)
{
    char oid[16];
    const char *const parameters[] = {oid};
    (void)snprintf(oid, sizeof(oid), "%u", leaf->oid);
    PGresult *result =
        mr_pg_query(&snapshot->control,
                    "SELECT coalesce(pg_catalog.pg_relation_filenode($1::pg_catalog.oid), 0), "
                    "coalesce((SELECT pg_catalog.pg_relation_size(nullif(c.reltoastrelid, 0)) FROM "
                    "pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.oid), 0) > 0",
                    parameters, 1, err);
    if (result == NULL) {
        return mr_error_context(err, "check table \"%s.%s\"", schema->space, schema->table);
    }
    const unsigned long filenode = strtoul(mr_pg_field(result, 0, 0), NULL, 10);
    const bool has_toast = strcmp(mr_pg_field(result, 0, 1), "t") == 0;
    PQclear(result);
    if (filenode != leaf->filenode) {
        return mr_fail(err, MR_E_SOURCE, MR_RETRY,
                       "table \"%s.%s\" was rewritten, truncated or dropped while it was copied; "
                       "it is copied again",
                       schema->space, schema->table);
    }
    if (is_resumed && has_toast) {
        return mr_fail(err, MR_E_SOURCE, MR_RETRY,
                       "table \"%s.%s\" got values too large for its rows while its copy was put "
                       "together from two snapshots; it is copied again from its start",
                       schema->space, schema->table);
    }
    return true;
}

bool mr_pg_snapshot_check(struct mr_snapshot *snapshot, uint32_t table, struct mr_error *err)
{
    MR_ASSERT(table < snapshot->table_count);
    const struct mr_pg_copied *copied = &snapshot->copied[table];
    MR_ASSERT(copied->leaf_count >= 1);
    for (uint32_t i = 0; i < copied->leaf_count; i++) {
        if (!check_leaf(snapshot, snapshot->tables[table].schema, &copied->leaves[i],
                        copied->is_resumed, err)) {
            return false;
        }
    }
    return true;
}
