// SPDX-License-Identifier: MIT
/*
 * overlay.c - see overlay.h. Columns of an overlay: c0, c1, ... as in millrace_rows(), `seq` (which
 * reduction) and `n` (with a key 1: the row, 0: gone; without one: how many are added or taken).
 */
#include "overlay.h"

#include <strings.h>

#include "cells.h"
#include "ddl.h"

static void add_name(struct mr_sql *sql, const struct mr_target *target)
{
    mr_sql_addf(sql, "temp.main.millrace_overlay_%u", (unsigned)target->all_slot);
}

/* c0, c1, ... with a prefix. */
static void add_columns(struct mr_sql *sql, uint16_t count, const char *prefix)
{
    for (uint16_t i = 0; i < count; i++) {
        mr_sql_addf(sql, "%s%sc%u", i == 0 ? "" : ", ", prefix, (unsigned)i);
    }
}

static void add_key_columns(struct mr_sql *sql, const struct mr_schema *shape, const char *prefix)
{
    for (uint16_t i = 0; i < shape->key_count; i++) {
        mr_sql_addf(sql, "%s%sc%u", i == 0 ? "" : ", ", prefix, (unsigned)shape->key[i]);
    }
}

static const char *equals(const struct mr_column *column)
{
    return column->nullable ? "IS NOT DISTINCT FROM" : "=";
}

static bool exec(struct mr_targets *targets, struct mr_target *target, struct mr_sql *sql,
                 struct mr_error *err)
{
    const bool done = mr_warehouse_exec(targets->warehouse, sql->text, err);
    mr_sql_done(sql);
    return done || mr_error_context(err, "table \"%s\"", target->label);
}

static bool prepare(struct mr_targets *targets, struct mr_target *target, struct mr_sql *sql,
                    enum mr_overlay_statement which, struct mr_error *err)
{
    duckdb_prepared_statement *statement = &target->overlay.statements[which];
    bool prepared = *statement != NULL;
    if (!prepared) {
        prepared = mr_warehouse_prepare(targets->warehouse, sql->text, statement, err) ||
                   mr_error_context(err, "table \"%s\"", target->label);
    }
    mr_sql_done(sql);
    return prepared;
}

static bool create(struct mr_targets *targets, struct mr_target *target, struct mr_error *err)
{
    const struct mr_schema *shape = target->shape;
    struct mr_sql sql = {0};
    char type[MR_DUCKDB_TYPE_BYTES_MAX];

    mr_sql_add(&sql, "CREATE OR REPLACE TEMP TABLE ");
    add_name(&sql, target);
    for (uint16_t i = 0; i < shape->column_count; i++) {
        mr_cells_type_name(&shape->columns[i], type, sizeof(type));
        mr_sql_addf(&sql, "%sc%u %s", i == 0 ? " (" : ", ", (unsigned)i, type);
    }
    mr_sql_add(&sql, ", seq UBIGINT, n BIGINT)");
    return exec(targets, target, &sql, err);
}

bool mr_overlay_open(struct mr_targets *targets, struct mr_target *target, struct mr_error *err)
{
    MR_ASSERT(target->shape != NULL && !target->overlay.is_open);
    target->provisional = true; /* forgotten when the transaction is rolled back */
    target->overlay = (struct mr_overlay){.is_open = true};
    return create(targets, target, err);
}

void mr_overlay_begin_step(struct mr_target *target)
{
    MR_ASSERT(target->overlay.is_open);
    target->overlay.step++;
}

/* Runs one of the inserting statements over a list of rows. */
static bool add(struct mr_targets *targets, struct mr_target *target,
                enum mr_overlay_statement which, const struct mr_row_list *list, int sign,
                struct mr_error *err)
{
    struct mr_rows_registry *rows = mr_warehouse_rows(targets->warehouse);
    const uint32_t slot = which == MR_OVERLAY_GONE ? target->key_slot : target->all_slot;
    duckdb_prepared_statement statement = target->overlay.statements[which];

    MR_ASSERT(target->overlay.step > 0 && list->run_count > 0);
    (void)duckdb_bind_uint64(statement, 1, target->overlay.step);
    if (which == MR_OVERLAY_ROWS) {
        (void)duckdb_bind_int64(statement, 2, sign);
    }
    mr_rows_set(rows, slot, list);
    const bool done = mr_warehouse_run(targets->warehouse, statement, NULL, err);
    mr_rows_clear(rows, slot);
    return done || mr_error_context(err, "table \"%s\"", target->label);
}

bool mr_overlay_add_rows(struct mr_targets *targets, struct mr_target *target,
                         const struct mr_row_list *list, int sign, struct mr_error *err)
{
    const uint16_t count = target->shape->column_count;
    struct mr_sql sql = {0};

    mr_sql_add(&sql, "INSERT INTO ");
    add_name(&sql, target);
    mr_sql_add(&sql, " SELECT ");
    add_columns(&sql, count, "");
    mr_sql_addf(&sql, ", $1::UBIGINT, $2::BIGINT * n FROM millrace_rows(%u)",
                (unsigned)target->all_slot);
    return prepare(targets, target, &sql, MR_OVERLAY_ROWS, err) &&
           add(targets, target, MR_OVERLAY_ROWS, list, sign, err);
}

bool mr_overlay_add_gone(struct mr_targets *targets, struct mr_target *target,
                         const struct mr_row_list *list, struct mr_error *err)
{
    struct mr_sql sql = {0};

    MR_ASSERT(target->shape->key_count > 0);
    mr_sql_add(&sql, "INSERT INTO ");
    add_name(&sql, target);
    mr_sql_add(&sql, " (");
    add_key_columns(&sql, target->shape, "");
    mr_sql_add(&sql, ", seq, n) SELECT ");
    add_columns(&sql, target->shape->key_count, "");
    mr_sql_addf(&sql, ", $1::UBIGINT, 0 FROM millrace_rows(%u)", (unsigned)target->key_slot);
    return prepare(targets, target, &sql, MR_OVERLAY_GONE, err) &&
           add(targets, target, MR_OVERLAY_GONE, list, 0, err);
}

duckdb_prepared_statement mr_overlay_fetch(struct mr_targets *targets, struct mr_target *target,
                                           struct mr_error *err)
{
    const struct mr_schema *shape = target->shape;
    struct mr_sql sql = {0};

    MR_ASSERT(target->overlay.step > 0 && shape->key_count > 0);
    mr_sql_add(&sql, "SELECT k.ord, o.n::UBIGINT, ");
    add_columns(&sql, shape->column_count, "o.");
    mr_sql_add(&sql, " FROM ");
    add_name(&sql, target);
    mr_sql_addf(&sql, " AS o, millrace_rows(%u) AS k WHERE ", (unsigned)target->key_slot);
    for (uint16_t i = 0; i < shape->key_count; i++) {
        mr_sql_addf(&sql, "%so.c%u %s k.c%u", i == 0 ? "" : " AND ", (unsigned)shape->key[i],
                    equals(&shape->columns[shape->key[i]]), (unsigned)i);
    }
    mr_sql_add(&sql, " ORDER BY o.seq DESC");
    return prepare(targets, target, &sql, MR_OVERLAY_FETCH, err)
               ? target->overlay.statements[MR_OVERLAY_FETCH]
               : NULL;
}

/* The overlay's columns as the table has them, by name: it may have more than the shape. */
static void add_as_table(struct mr_sql *sql, const struct mr_target *target, const char *prefix)
{
    const struct mr_schema *shape = target->shape;

    for (uint16_t i = 0; i < target->column_count; i++) {
        uint16_t k = 0;
        while (k < shape->column_count &&
               strcasecmp(shape->columns[k].name, target->columns[i].name) != 0) {
            k++;
        }
        mr_sql_add(sql, i == 0 ? "" : ", ");
        if (k < shape->column_count) {
            mr_sql_addf(sql, "%sc%u", prefix, (unsigned)k);
        } else {
            mr_sql_addf(sql, "CAST(NULL AS %s)", target->columns[i].type);
        }
    }
}

/*
 * t."key" IS NOT DISTINCT FROM right.c AND ... Not "=": that adds a filter on NULL with an estimate
 * of one row, and where the table is new in this transaction (no rows, as far as the planner knows)
 * it would make the table the side that is held in memory.
 */
static void add_match(struct mr_sql *sql, const struct mr_schema *shape, const char *right)
{
    const uint16_t count = shape->key_count > 0 ? shape->key_count : shape->column_count;
    for (uint16_t i = 0; i < count; i++) {
        const uint16_t at = shape->key_count > 0 ? shape->key[i] : i;
        mr_sql_add(sql, i == 0 ? "t." : " AND t.");
        mr_sql_add_identifier(sql, shape->columns[at].name);
        mr_sql_addf(sql, " IS NOT DISTINCT FROM %s.c%u", right, (unsigned)at);
    }
}

/* FROM the table AS t, joined by `join` with what `right` (named o) has of it. */
static void add_join(struct mr_sql *sql, const struct mr_target *target, const char *join,
                     const char *right)
{
    mr_sql_add(sql, " FROM ");
    mr_ddl_add_target(sql, target->source, target->shape);
    mr_sql_addf(sql, " AS t %s ", join);
    if (right == NULL) {
        add_name(sql, target);
    } else {
        mr_sql_add(sql, right);
    }
    mr_sql_add(sql, " AS o ON ");
    add_match(sql, target->shape, "o");
}

/* What the overlay does not name, then the newest image of each key. */
static void merge_keyed(struct mr_sql *sql, const struct mr_target *target)
{
    const struct mr_schema *shape = target->shape;

    mr_sql_add(sql, "SELECT t.*");
    add_join(sql, target, "ANTI JOIN", NULL);
    mr_sql_add(sql, " UNION ALL SELECT ");
    add_as_table(sql, target, "o.");
    mr_sql_add(sql, " FROM ");
    add_name(sql, target);
    mr_sql_add(sql, " AS o");
    if (target->overlay.step > 1) { /* a single reduction has every key once */
        mr_sql_add(sql, " SEMI JOIN (SELECT ");
        add_key_columns(sql, shape, "");
        mr_sql_add(sql, ", max(seq) AS seq FROM ");
        add_name(sql, target);
        mr_sql_add(sql, " GROUP BY ");
        add_key_columns(sql, shape, "");
        mr_sql_add(sql, ") AS newest ON newest.seq = o.seq");
        for (uint16_t i = 0; i < shape->key_count; i++) {
            const unsigned at = shape->key[i];
            mr_sql_addf(sql, " AND newest.c%u IS NOT DISTINCT FROM o.c%u", at, at);
        }
    }
    mr_sql_add(sql, " WHERE o.n > 0");
}

/* `net` is what remains of each distinct row; fewer rows stay where it is negative. */
static void merge_keyless(struct mr_sql *sql, const struct mr_target *target)
{
    static const char fewer[] = "(SELECT * FROM net WHERE n < 0)";
    const struct mr_schema *shape = target->shape;

    mr_sql_add(sql, "WITH net AS MATERIALIZED (SELECT ");
    add_columns(sql, shape->column_count, "");
    mr_sql_add(sql, ", sum(n)::BIGINT AS n, row_number() OVER () AS which FROM ");
    add_name(sql, target);
    mr_sql_add(sql, " GROUP BY ");
    add_columns(sql, shape->column_count, "");
    mr_sql_add(sql, " HAVING sum(n) <> 0) SELECT t.*");
    add_join(sql, target, "ANTI JOIN", fewer);
    mr_sql_add(sql, " UNION ALL SELECT * EXCLUDE (millrace_which, millrace_n) FROM (SELECT t.*, "
                    "row_number() OVER (PARTITION BY o.which) AS millrace_which, "
                    "o.n AS millrace_n");
    add_join(sql, target, "JOIN", fewer);
    mr_sql_add(sql, ") WHERE millrace_which > -millrace_n UNION ALL SELECT ");
    add_as_table(sql, target, "");
    mr_sql_add(sql, " FROM (SELECT *, unnest(range(n)) FROM net WHERE n > 0)");
}

bool mr_overlay_merge(struct mr_targets *targets, struct mr_target *target, struct mr_error *err)
{
    struct mr_sql sql = {0};

    MR_ASSERT(target->overlay.is_open && target->column_count > 0);
    if (target->overlay.step > 0) {
        mr_sql_add(&sql, "CREATE OR REPLACE TABLE ");
        mr_ddl_add_target(&sql, target->source, target->shape);
        mr_sql_add(&sql, " AS ");
        if (target->shape->key_count > 0) {
            merge_keyed(&sql, target);
        } else {
            merge_keyless(&sql, target);
        }
        if (!exec(targets, target, &sql, err)) {
            return false;
        }
    }
    mr_sql_add(&sql, "DROP TABLE ");
    add_name(&sql, target);
    const bool dropped = exec(targets, target, &sql, err);
    mr_target_forget(targets, target); /* the table is another one now; closes the overlay */
    return dropped;
}

bool mr_overlay_clear(struct mr_targets *targets, struct mr_target *target, struct mr_error *err)
{
    MR_ASSERT(target->overlay.is_open);
    target->overlay.step = 0;
    return create(targets, target, err);
}
