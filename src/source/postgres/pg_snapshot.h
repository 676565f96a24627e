// SPDX-License-Identifier: MIT
/*
 * pg_snapshot.h - the initial copy: what source.h calls snapshot_* and reader_*.
 */
#ifndef MR_SOURCE_POSTGRES_PG_SNAPSHOT_H
#define MR_SOURCE_POSTGRES_PG_SNAPSHOT_H

#include "arena.h"
#include "pg_connection.h"
#include "pg_slot.h"
#include "pg_tree.h"
#include "pg_types.h"
#include "source.h"

/** A file of the server: a table, or one partition. */
struct mr_pg_leaf {
    const char *qualified; /* "schema"."table" */
    const char *filter;    /* the publication's row filter; NULL: none */
    uint32_t oid;
    uint32_t filenode;    /* changes when the table is rewritten, as it was before the snapshot */
    uint32_t block_count; /* 0: not a plain file, copied whole */
    uint32_t piece_count;
    bool has_toast; /* large values lie, or may lie, beside it */
};

/** A table to copy, beside what the contract shows of it. */
struct mr_pg_copied {
    const char *columns; /* the list for SELECT */
    bool is_selected;    /* the list has expressions, so that only SELECT takes it */
    struct mr_pg_plan *plans;
    struct mr_pg_leaf *leaves;
    uint32_t leaf_count;
    bool is_resumed; /* cut as the copy before it was: its pieces come from several snapshots */
};

struct mr_snapshot {
    const struct mr_source_context *context;
    struct mr_pg_connection control;
    struct mr_pg_connection exporter; /* holds the exported snapshot until it is released */
    struct mr_pg_identity_of identity;
    struct mr_pg_slot_start point; /* where the copy is exact */
    struct mr_pg_types types;      /* read by the readers, written before there are any */
    struct mr_arena arena;         /* everything below */
    struct mr_snapshot_table *tables;
    struct mr_pg_copied *copied;
    uint32_t table_count;
};

/**
 * Lists the published tables that match, with their pieces; called before the snapshot is taken, so
 * that a rewrite in between shows in their filenodes (pg_snapshot_tables.c).
 */
bool mr_pg_snapshot_list(struct mr_snapshot *snapshot, const char *publication,
                         struct mr_error *err) MR_MUST_CHECK;

/** Whether no file of the table was replaced since it was listed, and, for a copy put together from
 *  several snapshots, whether that was allowed (pg_snapshot_plan.c). */
bool mr_pg_snapshot_check(struct mr_snapshot *snapshot, uint32_t table,
                          struct mr_error *err) MR_MUST_CHECK;

/** Decides on a listed table's plan, and takes up an earlier one where it fits. */
bool mr_pg_snapshot_plan(struct mr_snapshot *snapshot, uint32_t table,
                         struct mr_error *err) MR_MUST_CHECK;

struct mr_snapshot *mr_pg_snapshot_open(const struct mr_source_context *context, bool tables_wanted,
                                        const struct mr_position *existing,
                                        struct mr_position *start, struct mr_error *err);
const struct mr_snapshot_table *mr_pg_snapshot_tables(struct mr_snapshot *snapshot,
                                                      uint32_t *count);
void mr_pg_snapshot_release(struct mr_snapshot *snapshot);
bool mr_pg_snapshot_high(struct mr_snapshot *snapshot, uint32_t table,
                         struct mr_native_position *high, struct mr_error *err);
void mr_pg_snapshot_close(struct mr_snapshot *snapshot);

struct mr_snapshot_reader *mr_pg_reader_open(struct mr_snapshot *snapshot, struct mr_error *err);
bool mr_pg_reader_begin(struct mr_snapshot_reader *reader, uint32_t table, uint32_t piece,
                        struct mr_error *err);
enum mr_next mr_pg_reader_next(struct mr_snapshot_reader *reader, struct mr_batch *batch,
                               struct mr_error *err);
void mr_pg_reader_close(struct mr_snapshot_reader *reader);

#endif
