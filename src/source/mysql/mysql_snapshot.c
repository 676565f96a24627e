// SPDX-License-Identifier: MIT
/*
 * mysql_snapshot.c - the snapshot's plan: start, tables, pieces, high marks. See mysql_snapshot.h.
 */
#include "mysql_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "mysql_resume.h"

struct mr_mysql_connection *mr_mysql_snapshot_control(struct mr_snapshot *snapshot,
                                                      struct mr_error *err)
{
    if (snapshot->control == NULL) {
        snapshot->control =
            mr_mysql_connect(&snapshot->context, MR_MYSQL_CONTROL, snapshot->endpoint, err);
    }
    return snapshot->control;
}

/** Describes the listed tables: layout, pieces, and whether the copy is exact. */
static bool plan_tables(struct mr_snapshot *snapshot, struct mr_error *err)
{
    MR_ASSERT(snapshot->control != NULL && snapshot->tables == NULL);
    bool planned = false;
    struct mr_mysql_info *info = mr_mysql_info_open(err);
    if (info == NULL) {
        return false;
    }
    uint32_t count = snapshot->list.count;
    snapshot->tables = mr_memory_new(count + 1, sizeof(*snapshot->tables));
    snapshot->parts = mr_memory_new(count + 1, sizeof(*snapshot->parts));
    const struct mr_mysql_layout_terms terms = mr_mysql_terms(&snapshot->context);
    for (uint32_t i = 0; i < count; i++) {
        const struct mr_mysql_listed *listed = &snapshot->list.tables[i];
        struct mr_mysql_snapshot_part *part = &snapshot->parts[i];
        const struct mr_mysql_table_info *described =
            mr_mysql_info_read(info, snapshot->control, listed->space, listed->table, err);
        if (described == NULL) {
            goto out;
        }
        part->layout = mr_mysql_layout_from_info(described, &terms, err);
        if (part->layout == NULL) {
            goto out;
        }
        snapshot->table_count = i + 1;
        bool exact = part->layout->schema->key_count == 0 || !listed->is_transactional;
        const char *earlier = mr_wished_plan(&snapshot->context, listed->space, listed->table);
        part->pieces.count = 1;
        const bool is_resumed = !exact && earlier != NULL &&
                                mr_mysql_pieces_parse(earlier, part->layout, &part->pieces);
        if (!exact && !is_resumed &&
            !mr_mysql_pieces_plan(snapshot->control, part->layout, listed->rows_estimate,
                                  snapshot->config->piece_rows, &part->pieces, err)) {
            (void)mr_error_context(err, "plan the copy of \"%s\".\"%s\"", listed->space,
                                   listed->table);
            goto out;
        }
        snapshot->tables[i] = (struct mr_snapshot_table){
            .schema = part->layout->schema,
            .rows_estimate = listed->rows_estimate,
            .piece_count = part->pieces.count,
            .exact = exact,
            .plan = exact ? NULL : part->plan,
        };
        mr_mysql_pieces_print(&part->pieces, part->plan);
    }
    planned = true;

out:
    mr_mysql_info_close(info);
    return planned;
}

/**
 * MySQL without RELOAD: the captured tables' commits stand still. Transactions of other tables may
 * be in the GTID set or not: they hold nothing that we would miss or take twice.
 */
static bool read_start_behind_barrier(struct mr_snapshot *snapshot, struct mr_mysql_place *place,
                                      struct mr_error *err)
{
    MR_ASSERT(snapshot->list.count > 0);
    struct mr_mysql_connection *control = snapshot->control;
    struct mr_error leaving = {0};
    struct mr_mysql_barrier barrier = {
        .tables = snapshot->list.tables,
        .table_count = snapshot->list.count,
    };
    if (!mr_mysql_barrier_enter(control, &barrier, err)) {
        return false;
    }
    bool read =
        mr_mysql_place_read(control, place, err) && mr_mysql_place_read_gtids(control, place, err);
    bool left = mr_mysql_barrier_leave(control, &leaving);
    if (read && !left) {
        *err = leaving;
    }
    return read && left;
}

/** MySQL: a new file where that is granted; else the tables are locked for an instant. */
static bool read_start_mysql(struct mr_snapshot *snapshot, struct mr_mysql_place *place,
                             struct mr_error *err)
{
    bool denied = false;
    if (mr_mysql_barrier_rotate(snapshot->control, place, &denied, err)) {
        return true;
    }
    mr_mysql_place_done(place);
    if (!denied) {
        return false;
    }
    *err = (struct mr_error){0};
    /* No table is read: any end of the binlog is exact, but no GTID set is known to fit it. */
    return snapshot->list.count == 0 ? mr_mysql_place_read(snapshot->control, place, err)
                                     : read_start_behind_barrier(snapshot, place, err);
}

/** MariaDB: the place of a consistent snapshot, which is given up at once. */
static bool read_start_maria(struct mr_snapshot *snapshot, struct mr_mysql_place *place,
                             struct mr_error *err)
{
    MR_ASSERT(snapshot->control->is_maria);
    return mr_mysql_barrier_maria_snapshot(snapshot->control, place, err) &&
           mr_mysql_execute(snapshot->control, "COMMIT", err) &&
           mr_mysql_place_read_gtids(snapshot->control, place, err);
}

static bool fix_start(struct mr_snapshot *snapshot, struct mr_position *start, struct mr_error *err)
{
    MR_ASSERT(start != NULL && snapshot->control != NULL);
    struct mr_mysql_place place = {0};
    bool fixed = (snapshot->control->is_maria ? read_start_maria(snapshot, &place, err)
                                              : read_start_mysql(snapshot, &place, err)) &&
                 mr_mysql_place_to_position(&place, snapshot->control, start, err);
    mr_mysql_place_done(&place);
    start->native.major |= snapshot->generation << MR_BINLOG_GENERATION_SHIFT;
    return fixed || mr_error_context(err, "fix where the stream starts");
}

bool mr_mysql_snapshot_native(const struct mr_snapshot *snapshot,
                              const struct mr_mysql_place *place, struct mr_native_position *native,
                              struct mr_error *err)
{
    if (!mr_mysql_place_native(place, native, err)) {
        return false;
    }
    native->major |= snapshot->generation << MR_BINLOG_GENERATION_SHIFT;
    return true;
}

/** A copy beside a stream reads from the server that is streamed: its marks must compare. */
static bool meet_server(struct mr_snapshot *snapshot, const struct mr_position *existing,
                        struct mr_error *err)
{
    if (existing == NULL) {
        snapshot->control = mr_mysql_connect(&snapshot->context, MR_MYSQL_CONTROL, NULL, err);
    } else {
        snapshot->control = mr_mysql_resume_connect_same(&snapshot->context, existing, err);
        snapshot->generation = existing->native.major >> MR_BINLOG_GENERATION_SHIFT;
    }
    if (snapshot->control != NULL) {
        snapshot->endpoint = snapshot->control->endpoint;
    }
    return snapshot->control != NULL;
}

struct mr_snapshot *mr_mysql_snapshot_open(const struct mr_source_context *context,
                                           bool tables_wanted, const struct mr_position *existing,
                                           struct mr_position *start, struct mr_error *err)
{
    struct mr_snapshot *snapshot = mr_memory_new(1, sizeof(*snapshot));
    snapshot->context = *context;
    snapshot->config = context->config;
    int made = pthread_mutex_init(&snapshot->mutex, NULL);
    MR_ASSERT(made == 0);

    bool is_resumed = existing != NULL && mr_position_is_set(existing);
    if (!meet_server(snapshot, is_resumed ? existing : NULL, err)) {
        goto failed;
    }
    if (tables_wanted &&
        (!mr_mysql_list_read(&snapshot->list, snapshot->control, &snapshot->context, err) ||
         !plan_tables(snapshot, err))) {
        goto failed;
    }
    if ((!is_resumed || mr_wished_table(context) != NULL) && !fix_start(snapshot, start, err)) {
        goto failed;
    }
    return snapshot;

failed:
    mr_mysql_snapshot_close(snapshot);
    return NULL;
}

const struct mr_snapshot_table *mr_mysql_snapshot_tables(struct mr_snapshot *snapshot,
                                                         uint32_t *count)
{
    MR_ASSERT(snapshot->table_count == snapshot->list.count);
    *count = snapshot->table_count;
    return snapshot->tables;
}

void mr_mysql_snapshot_release(struct mr_snapshot *snapshot)
{
    /* The control connection holds no lock and no snapshot; high marks are read through it. */
    MR_ASSERT(snapshot != NULL);
}

bool mr_mysql_snapshot_high(struct mr_snapshot *snapshot, uint32_t table,
                            struct mr_native_position *high, struct mr_error *err)
{
    struct mr_mysql_place place = {0};
    bool read = false;

    MR_ASSERT(table < snapshot->table_count);
    (void)pthread_mutex_lock(&snapshot->mutex);
    if (snapshot->tables[table].exact) {
        *high = snapshot->parts[table].exact_high;
        MR_ASSERT(high->major != 0); /* the copy has begun: it has its place */
        read = true;
    } else {
        /* An idle connection may have been dropped: one second attempt. */
        for (int attempt = 0; attempt < 2 && !read; attempt++) {
            struct mr_mysql_connection *control = mr_mysql_snapshot_control(snapshot, err);
            read = control != NULL && mr_mysql_place_read(control, &place, err) &&
                   mr_mysql_snapshot_native(snapshot, &place, high, err);
            if (!read && err->code == MR_E_NET) {
                mr_mysql_disconnect(snapshot->control);
                snapshot->control = NULL;
            }
        }
    }
    (void)pthread_mutex_unlock(&snapshot->mutex);
    mr_mysql_place_done(&place);
    return read;
}

void mr_mysql_snapshot_close(struct mr_snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    for (uint32_t i = 0; i < snapshot->list.count && snapshot->parts != NULL; i++) {
        mr_mysql_layout_close(snapshot->parts[i].layout);
    }
    mr_mysql_list_done(&snapshot->list);
    mr_mysql_disconnect(snapshot->control);
    (void)pthread_mutex_destroy(&snapshot->mutex);
    free(snapshot->tables);
    free(snapshot->parts);
    free(snapshot);
}
