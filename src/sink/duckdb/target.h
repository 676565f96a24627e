// SPDX-License-Identifier: MIT
/*
 * target.h - the warehouse's tables as the sink knows them: shape, statements, snapshot mark.
 *
 * A target is found by (source, table id). Its table is looked at (or made) when the first row of
 * it is applied; after that only a new schema version makes the sink look again.
 *
 * A schema version differs from the table in one of these ways:
 *   at or before the table's high mark: an older version than the copy; columns that it lacks stay
 *   NULL until the changes up to the mark bring the rest, and nothing of the table is lost
 *   else: the table follows (evolve.h), in the open transaction, as far as its policy lets it
 *
 * Invariants: statements belong to `shape`; a target made or altered in the open transaction is
 * `provisional` and forgotten at rollback.
 */
#ifndef MR_SINK_DUCKDB_TARGET_H
#define MR_SINK_DUCKDB_TARGET_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "schema.h"
#include "slice.h"
#include "table_policy.h"
#include "warehouse.h"

enum mr_target_statement {
    MR_TARGET_INSERT,
    MR_TARGET_DELETE, /* by key; without a key: as many duplicates as counted */
    MR_TARGET_FETCH,  /* rows by key, for cells that were not sent */
    MR_TARGET_STATEMENT_COUNT,
};

struct mr_target_column {
    char *name;
    char *type; /* as DuckDB prints it */
};

struct mr_work;

/* Changes gathered beside the table, to be merged at the commit (overlay.h). */
enum mr_overlay_statement {
    MR_OVERLAY_ROWS,
    MR_OVERLAY_GONE,
    MR_OVERLAY_FETCH,
    MR_OVERLAY_STATEMENT_COUNT,
};

struct mr_overlay {
    bool is_open;
    uint64_t step; /* reductions so far */
    duckdb_prepared_statement statements[MR_OVERLAY_STATEMENT_COUNT];
};

/** A schema as a target beside sees it: the same under another table name. */
struct mr_target_alias {
    struct mr_target_alias *next;
    const struct mr_schema *of;
    struct mr_schema schema;
};

struct mr_target {
    struct mr_target *next; /* in the list of all */
    uint16_t source_index;
    const char *source; /* the source's name, borrowed */
    uint32_t table_id;
    char *space;
    char *table;
    char *label; /* "ops.parking.payment", for messages */

    const struct mr_schema *shape; /* the statements' schema version; NULL: not looked at yet */
    struct mr_target_column *columns;
    uint16_t column_count;
    bool provisional;
    bool has_deleted; /* rows of it, in the open transaction: it cannot be altered where it is */

    duckdb_prepared_statement statements[MR_TARGET_STATEMENT_COUNT];
    uint32_t all_slot, key_slot; /* of millrace_rows(), valid while shape is set */
    uint64_t rows_estimate;      /* in the table */
    uint64_t rows_planned;       /* the same when DELETE and FETCH were prepared */
    struct mr_overlay overlay;   /* of the open transaction */
    uint64_t deletes;            /* rows asked to be deleted in the open transaction */

    /* The last completed snapshot, as looked up by mr_apply_target(). */
    bool mark_is_known;
    struct mr_native_position high;
    bool has_mark;
    bool exact;
    bool is_apart; /* does not go with the stream (apart.h) */

    /* A table beside the one that people read (beside.h). */
    const char *beside; /* its name; NULL: it is the one that people read */
    struct mr_target_alias *aliases;
    struct mr_target *gone;

    /* This apply()'s work, in order. */
    struct mr_work *first_work, *last_work;
    struct mr_target *next_touched;
    bool has_changes; /* not only inserts */
};

struct mr_targets {
    struct mr_warehouse *warehouse;
    const char *const *source_names;
    const struct mr_policies *policies; /* borrowed; NULL: the defaults */
    struct mr_target *all;
    struct mr_target ***by_id; /* [source_index][table_id] */
    uint32_t *by_id_count;
    uint32_t source_count;
};

void mr_targets_init(struct mr_targets *targets, struct mr_warehouse *warehouse,
                     const char *const *source_names, uint32_t source_count);
/** Destroys every target and its statements. Marks of snapshots go, too. */
void mr_targets_done(struct mr_targets *targets);
/** Forgets shapes and statements: of all targets, or of those touched by a transaction that was
 *  rolled back. */
void mr_targets_forget(struct mr_targets *targets, bool only_provisional);
/** Forgets one table's shape and statements: it was written anew in the open transaction. */
void mr_target_forget(struct mr_targets *targets, struct mr_target *target);
/** The transaction was committed: what was provisional stays. */
void mr_targets_settle(struct mr_targets *targets);

/** The target of a table, made when new. MR_E_CONFIG, MR_STOP: two tables would share one. */
struct mr_target *mr_target_find(struct mr_targets *targets, uint16_t source_index,
                                 const struct mr_schema *schema, struct mr_error *err);

/**
 * Makes the table fit the schema version and the statements fit the table. `overlaps`: the rows are
 * at or before the table's high mark.
 */
bool mr_target_ensure(struct mr_targets *targets, struct mr_target *target,
                      const struct mr_schema *schema, bool overlaps,
                      struct mr_error *err) MR_MUST_CHECK;

/** What the table's policy says of schema changes. */
enum mr_on_schema_change mr_target_policy(const struct mr_targets *targets,
                                          const struct mr_target *target);

/** Whether the warehouse has the table. */
bool mr_target_look(struct mr_targets *targets, struct mr_target *target, bool *is_there,
                    struct mr_error *err) MR_MUST_CHECK;

/**
 * The table becomes what a schema change says, whatever its policy; it is made when it is not
 * there. `renamed` as in struct mr_note. Errors: those of mr_evolve_shape().
 */
bool mr_target_evolve(struct mr_targets *targets, struct mr_target *target,
                      const struct mr_schema *schema, struct mr_slice renamed,
                      struct mr_error *err) MR_MUST_CHECK;

/** Drops the table, if there is one, and makes it anew, empty. */
bool mr_target_remake(struct mr_targets *targets, struct mr_target *target,
                      const struct mr_schema *schema, struct mr_error *err) MR_MUST_CHECK;

/** The target of a table beside, under a name of its own; made when new. */
struct mr_target *mr_target_beside(struct mr_targets *targets, uint16_t source_index,
                                   const struct mr_schema *schema, const char *name);

/** Forgets a target beside. Accepts NULL. */
void mr_target_remove(struct mr_targets *targets, struct mr_target *target);

/** A schema as the target sees it; borrowed from the target where it is one beside. */
const struct mr_schema *mr_target_schema(struct mr_target *target, const struct mr_schema *schema);

/** The table that people read was replaced: its target looks again. */
void mr_target_forget_named(struct mr_targets *targets, uint16_t source_index,
                            const struct mr_schema *schema);

/** A prepared statement of a target that was ensured, or NULL with *err set. */
duckdb_prepared_statement mr_target_statement(struct mr_targets *targets, struct mr_target *target,
                                              enum mr_target_statement which, struct mr_error *err);

#endif
