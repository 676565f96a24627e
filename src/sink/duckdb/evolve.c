// SPDX-License-Identifier: MIT
/*
 * evolve.c - see evolve.h.
 *
 * A plan says for each column of the new shape which column of the table it continues, and what
 * becomes of the columns that none continues. ALTER and the copy are two ways to carry it out.
 */
#include "evolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cells.h"
#include "conversion.h"
#include "ddl.h"
#include "memory.h"
#include "result.h"

#define NOTHING (-1)

/* What a column of the new shape is made of. */
struct move {
    int from; /* column of the table, or NOTHING */
    bool is_cast;
    bool is_renamed;
    char type[MR_DUCKDB_TYPE_BYTES_MAX];
};

struct plan {
    struct mr_targets *targets;
    struct mr_target *target;
    const struct mr_schema *schema;
    struct move *moves; /* a column of the schema */
    bool *is_continued; /* a column of the table */
    bool drops;         /* columns that none continues go */
    bool is_needed;
    bool is_empty; /* the table has no rows */
    bool is_blind; /* new columns are NULL */
};

/* The old name of a column by the note's list, or its own name. */
static struct mr_slice former_name(struct mr_slice renamed, const char *name)
{
    const uint8_t *at = renamed.bytes;
    const uint8_t *end = at == NULL ? at : at + renamed.length;
    while (at < end) {
        const uint8_t *old_end = memchr(at, MR_NOTE_NAME_END, (size_t)(end - at));
        if (old_end == NULL) {
            break;
        }
        const uint8_t *new_name = old_end + 1;
        const uint8_t *new_end = memchr(new_name, MR_NOTE_NAME_END, (size_t)(end - new_name));
        if (new_end == NULL) {
            break;
        }
        const struct mr_slice found = {new_name, (size_t)(new_end - new_name)};
        if (mr_slice_equals(found, mr_slice_of(name))) {
            return (struct mr_slice){at, (size_t)(old_end - at)};
        }
        at = new_end + 1;
    }
    return mr_slice_of(name);
}

/* Whether a name is an old one by the note's list: its column is called something else now. */
static bool is_renamed_away(struct mr_slice renamed, const char *name)
{
    const uint8_t *at = renamed.bytes;
    const uint8_t *end = at == NULL ? at : at + renamed.length;
    for (bool is_old = true; at < end; is_old = !is_old) {
        const uint8_t *stop = memchr(at, MR_NOTE_NAME_END, (size_t)(end - at));
        if (stop == NULL) {
            break;
        }
        if (is_old &&
            mr_slice_equals((struct mr_slice){at, (size_t)(stop - at)}, mr_slice_of(name))) {
            return true;
        }
        at = stop + 1;
    }
    return false;
}

static int find_column(const struct mr_target *target, struct mr_slice name)
{
    for (uint16_t i = 0; i < target->column_count; i++) {
        const char *own = target->columns[i].name;
        if (strlen(own) == name.length &&
            strncasecmp(own, (const char *)name.bytes, name.length) == 0) {
            return i;
        }
    }
    return NOTHING;
}

static void plan_column(struct plan *plan, uint16_t index, const struct mr_evolve_wish *wish)
{
    struct move *move = &plan->moves[index];
    const struct mr_column *column = &plan->schema->columns[index];
    const struct mr_slice former = former_name(wish->renamed, column->name);
    const bool is_renamed = !mr_slice_equals(former, mr_slice_of(column->name));
    mr_cells_type_name(column, move->type, sizeof(move->type));
    move->from = find_column(plan->target, former);
    if (move->from == NOTHING && is_renamed) {
        move->from = find_column(plan->target, mr_slice_of(column->name)); /* done already */
    } else if (!is_renamed && is_renamed_away(wish->renamed, column->name)) {
        move->from = NOTHING; /* a new column under the name of one that was renamed */
    }
    if (move->from == NOTHING) {
        plan->is_needed = true;
        return;
    }
    const struct mr_target_column *there = &plan->target->columns[move->from];
    plan->is_continued[move->from] = true;
    move->is_renamed = strcmp(there->name, column->name) != 0;
    move->is_cast = !wish->adds_only && strcmp(there->type, move->type) != 0 &&
                    !(wish->is_lenient && mr_conversion_is_held_by(move->type, there->type));
    plan->is_needed = plan->is_needed || move->is_cast || move->is_renamed;
}

static void open_plan(struct plan *plan, const struct mr_evolve_wish *wish)
{
    MR_ASSERT(plan->target->column_count > 0 && plan->schema->column_count > 0);
    plan->moves = mr_memory_new(plan->schema->column_count, sizeof(*plan->moves));
    plan->is_continued = mr_memory_new(plan->target->column_count, sizeof(bool));
    for (uint16_t i = 0; i < plan->schema->column_count; i++) {
        plan_column(plan, i, wish);
    }
    for (uint16_t i = 0; i < plan->target->column_count && !wish->is_lenient; i++) {
        plan->drops = plan->drops || !plan->is_continued[i];
    }
    plan->is_needed = plan->is_needed || plan->drops;
}

static void close_plan(struct plan *plan)
{
    free(plan->moves);
    free(plan->is_continued);
}

bool mr_evolve_is_needed(struct mr_target *target, const struct mr_schema *schema,
                         const struct mr_evolve_wish *wish)
{
    struct plan plan = {.target = target, .schema = schema};
    open_plan(&plan, wish);
    close_plan(&plan);
    return plan.is_needed;
}

static bool exec_sql(struct plan *plan, struct mr_sql *sql, struct mr_error *err)
{
    const bool done = mr_warehouse_exec(plan->targets->warehouse, sql->text, err);
    if (!done) {
        (void)mr_error_context(err, "table \"%s\": %s", plan->target->label, sql->text);
    }
    mr_sql_done(sql);
    return done;
}

/* Whether a query gives any row. */
static bool has_rows(struct plan *plan, struct mr_sql *sql, bool *answer, struct mr_error *err)
{
    struct mr_result result = {0};
    const bool done = mr_result_query(plan->targets->warehouse, sql->text, &result, err);
    *answer = done && mr_result_next(&result);
    mr_result_done(&result);
    mr_sql_done(sql);
    return done;
}

static void add_table(struct mr_sql *sql, const struct plan *plan)
{
    const struct mr_schema named = {.space = plan->target->space, .table = plan->target->table};
    mr_ddl_add_target(sql, plan->target->source, &named);
}

/* ---- What cannot be followed. ---- */

static bool check_cast(struct plan *plan, uint16_t index, struct mr_error *err)
{
    const struct move *move = &plan->moves[index];
    const struct mr_column *column = &plan->schema->columns[index];
    const struct mr_target_column *there = &plan->target->columns[move->from];
    bool is_unfit = false;
    struct mr_sql sql = {0};
    if (!mr_conversion_is_faithful(there->type, move->type)) {
        return mr_fail(err, MR_E_TYPE, MR_QUARANTINE,
                       "column \"%s\" became %s: what the server made of its old values (%s here, "
                       "now %s) is not known; copy the table anew",
                       column->name, column->source_type, there->type, move->type);
    }
    mr_sql_add(&sql, "SELECT 1 FROM ");
    add_table(&sql, plan);
    mr_sql_add(&sql, " WHERE ");
    mr_sql_add_identifier(&sql, there->name);
    mr_sql_add(&sql, " IS NOT NULL AND TRY_CAST(");
    mr_sql_add_identifier(&sql, there->name);
    mr_sql_addf(&sql, " AS %s) IS NULL LIMIT 1", move->type);
    return has_rows(plan, &sql, &is_unfit, err) &&
           (!is_unfit || mr_fail(err, MR_E_TYPE, MR_QUARANTINE,
                                 "column \"%s\" became %s, and the warehouse has values of it that "
                                 "do not fit %s; copy the table anew",
                                 column->name, column->source_type, move->type));
}

static bool check_default(struct plan *plan, const struct mr_column *column, const char *type,
                          struct mr_error *err)
{
    struct mr_sql constant = {0};
    struct mr_sql sql = {0};
    bool is_unfit = false;
    if (!mr_ddl_old_value(&constant, column)) {
        mr_sql_done(&constant);
        return mr_fail(err, MR_E_TYPE, MR_QUARANTINE,
                       "the new column \"%s\" has the default %s, so what old rows have in it is "
                       "not known here; copy the table anew",
                       column->name, column->fallback);
    }
    mr_sql_addf(&sql, "SELECT 1 WHERE %s IS NOT NULL AND TRY_CAST(%s AS %s) IS NULL", constant.text,
                constant.text, type);
    mr_sql_done(&constant);
    return has_rows(plan, &sql, &is_unfit, err) &&
           (!is_unfit || mr_fail(err, MR_E_TYPE, MR_QUARANTINE,
                                 "the new column \"%s\" has the default %s, which is no %s here; "
                                 "copy the table anew",
                                 column->name, column->fallback, type));
}

/* A table without rows follows anything; one with rows only what gives the server's values. */
static bool check_values(struct plan *plan, struct mr_error *err)
{
    struct mr_sql sql = {0};
    bool is_filled = false;
    mr_sql_add(&sql, "SELECT 1 FROM ");
    add_table(&sql, plan);
    mr_sql_add(&sql, " LIMIT 1");
    if (!has_rows(plan, &sql, &is_filled, err)) {
        return false;
    }
    plan->is_empty = !is_filled;
    for (uint16_t i = 0; is_filled && i < plan->schema->column_count; i++) {
        const struct move *move = &plan->moves[i];
        const bool is_known = move->from == NOTHING
                                  ? check_default(plan, &plan->schema->columns[i], move->type, err)
                                  : !move->is_cast || check_cast(plan, i, err);
        if (!is_known) {
            return mr_error_context(err, "table \"%s\"", plan->target->label);
        }
    }
    return true;
}

/* ---- The two ways. ---- */

/* The value of a column of the new shape for a row of the table. */
static void add_value(struct mr_sql *sql, const struct plan *plan, uint16_t index)
{
    const struct move *move = &plan->moves[index];
    mr_sql_add(sql, "CAST(");
    if (plan->is_empty || (plan->is_blind && move->from == NOTHING)) {
        mr_sql_add(sql, "NULL");
    } else if (move->from != NOTHING) {
        mr_sql_add_identifier(sql, plan->target->columns[move->from].name);
    } else if (!mr_ddl_old_value(sql, &plan->schema->columns[index])) {
        MR_ASSERT(false && "checked before");
    }
    mr_sql_addf(sql, " AS %s)",
                move->from == NOTHING || move->is_cast ? move->type
                                                       : plan->target->columns[move->from].type);
}

static bool rebuild(struct plan *plan, struct mr_error *err)
{
    const char *source = plan->target->source;
    const struct mr_schema named = {.space = plan->target->space, .table = plan->target->table};
    const struct mr_schema copy = {.space = plan->target->space, .table = "millrace rebuilt"};
    struct mr_sql sql = {0};
    mr_sql_add(&sql, "CREATE TABLE ");
    mr_ddl_add_target(&sql, source, &copy);
    for (uint16_t i = 0; i < plan->schema->column_count; i++) {
        mr_sql_add(&sql, i == 0 ? " AS SELECT " : ", ");
        add_value(&sql, plan, i);
        mr_sql_add(&sql, " AS ");
        mr_sql_add_identifier(&sql, plan->schema->columns[i].name);
    }
    for (uint16_t i = 0; i < plan->target->column_count && !plan->drops; i++) {
        if (!plan->is_continued[i]) {
            mr_sql_add(&sql, ", ");
            mr_sql_add_identifier(&sql, plan->target->columns[i].name);
        }
    }
    mr_sql_add(&sql, " FROM ");
    mr_ddl_add_target(&sql, source, &named);
    if (!exec_sql(plan, &sql, err)) {
        return false;
    }
    mr_sql_add(&sql, "DROP TABLE ");
    mr_ddl_add_target(&sql, source, &named);
    if (!exec_sql(plan, &sql, err)) {
        return false;
    }
    mr_sql_add(&sql, "ALTER TABLE ");
    mr_ddl_add_target(&sql, source, &copy);
    mr_sql_add(&sql, " RENAME TO ");
    mr_sql_add_identifier(&sql, plan->target->table);
    plan->target->has_deleted = false; /* a table of this very transaction */
    return exec_sql(plan, &sql, err);
}

static void begin_alter(struct mr_sql *sql, const struct plan *plan)
{
    mr_sql_add(sql, "ALTER TABLE ");
    add_table(sql, plan);
}

static bool rename_column(struct plan *plan, const char *from, const char *to, struct mr_error *err)
{
    struct mr_sql sql = {0};
    begin_alter(&sql, plan);
    mr_sql_add(&sql, " RENAME COLUMN ");
    mr_sql_add_identifier(&sql, from);
    mr_sql_add(&sql, " TO ");
    mr_sql_add_identifier(&sql, to);
    return exec_sql(plan, &sql, err);
}

/* By way of names that nobody has, since columns may change places. */
static bool alter_names(struct plan *plan, struct mr_error *err)
{
    char aside[48];
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint16_t i = 0; i < plan->schema->column_count; i++) {
            const struct move *move = &plan->moves[i];
            if (move->from == NOTHING || !move->is_renamed) {
                continue;
            }
            (void)snprintf(aside, sizeof(aside), "millrace aside %u", i);
            const char *from = pass == 0 ? plan->target->columns[move->from].name : aside;
            const char *to = pass == 0 ? aside : plan->schema->columns[i].name;
            if (!rename_column(plan, from, to, err)) {
                return false;
            }
        }
    }
    return true;
}

static bool alter_drops(struct plan *plan, struct mr_error *err)
{
    for (uint16_t i = 0; i < plan->target->column_count && plan->drops; i++) {
        struct mr_sql sql = {0};
        if (plan->is_continued[i]) {
            continue;
        }
        begin_alter(&sql, plan);
        mr_sql_add(&sql, " DROP COLUMN ");
        mr_sql_add_identifier(&sql, plan->target->columns[i].name);
        if (!exec_sql(plan, &sql, err)) {
            return false;
        }
    }
    return true;
}

static bool alter_types_and_new(struct plan *plan, struct mr_error *err)
{
    for (uint16_t i = 0; i < plan->schema->column_count; i++) {
        const struct move *move = &plan->moves[i];
        const struct mr_column *column = &plan->schema->columns[i];
        struct mr_sql sql = {0};
        if (move->from != NOTHING && !move->is_cast) {
            continue;
        }
        begin_alter(&sql, plan);
        mr_sql_add(&sql, move->from == NOTHING ? " ADD COLUMN " : " ALTER COLUMN ");
        mr_sql_add_identifier(&sql, column->name);
        mr_sql_addf(&sql, "%s%s", move->from == NOTHING ? " " : " SET DATA TYPE ", move->type);
        if (plan->is_empty && move->is_cast) {
            mr_sql_addf(&sql, " USING CAST(NULL AS %s)", move->type);
        } else if (!plan->is_empty && !plan->is_blind && move->from == NOTHING) {
            mr_sql_add(&sql, " DEFAULT ");
            MR_ASSERT(mr_ddl_old_value(&sql, column)); /* checked before */
        }
        if (!exec_sql(plan, &sql, err)) {
            return false;
        }
    }
    return true;
}

static bool has_any_continued(const struct plan *plan)
{
    for (uint16_t i = 0; i < plan->target->column_count; i++) {
        if (plan->is_continued[i]) {
            return true;
        }
    }
    return false;
}

bool mr_evolve_shape(struct mr_targets *targets, struct mr_target *target,
                     const struct mr_schema *schema, const struct mr_evolve_wish *wish,
                     struct mr_error *err)
{
    struct plan plan = {.targets = targets, .target = target, .schema = schema};
    open_plan(&plan, wish);
    bool done = !plan.is_needed;
    plan.is_blind = wish->adds_only;
    if (plan.is_needed && (plan.is_blind || check_values(&plan, err))) {
        target->provisional = true;
        /* A table cannot lose its last column. */
        done = target->has_deleted || !has_any_continued(&plan)
                   ? rebuild(&plan, err)
                   : alter_drops(&plan, err) && alter_names(&plan, err) &&
                         alter_types_and_new(&plan, err);
    }
    close_plan(&plan);
    return done;
}

/* ---- Whole tables. ---- */

static bool run(struct mr_targets *targets, struct mr_sql *sql, struct mr_error *err)
{
    const bool done = mr_warehouse_exec(targets->warehouse, sql->text, err);
    mr_sql_done(sql);
    return done;
}

bool mr_evolve_drop(struct mr_targets *targets, struct mr_target *target, struct mr_error *err)
{
    const struct mr_schema named = {.space = target->space, .table = target->table};
    struct mr_sql sql = {0};
    target->provisional = true;
    mr_target_forget(targets, target);
    target->has_deleted = false;
    mr_sql_add(&sql, "DROP TABLE IF EXISTS ");
    mr_ddl_add_target(&sql, target->source, &named);
    return run(targets, &sql, err) || mr_error_context(err, "table \"%s\"", target->label);
}

bool mr_evolve_rename(struct mr_targets *targets, struct mr_target *from, struct mr_target *to,
                      struct mr_error *err)
{
    const struct mr_schema old = {.space = from->space, .table = from->table};
    const struct mr_schema new = {.space = to->space, .table = to->table};
    struct mr_sql sql = {0};
    from->provisional = true;
    to->provisional = true;
    mr_target_forget(targets, from);
    mr_target_forget(targets, to);
    if (strcmp(from->space, to->space) == 0) {
        mr_sql_add(&sql, "ALTER TABLE ");
        mr_ddl_add_target(&sql, from->source, &old);
        mr_sql_add(&sql, " RENAME TO ");
        mr_sql_add_identifier(&sql, to->table);
        to->has_deleted = from->has_deleted;
        from->has_deleted = false;
        return run(targets, &sql, err) || mr_error_context(err, "rename \"%s\"", from->label);
    }
    mr_ddl_create_schema(&sql, to->source, &new);
    if (!run(targets, &sql, err)) {
        return false;
    }
    mr_sql_add(&sql, "CREATE TABLE ");
    mr_ddl_add_target(&sql, to->source, &new);
    mr_sql_add(&sql, " AS FROM ");
    mr_ddl_add_target(&sql, from->source, &old);
    return (run(targets, &sql, err) || mr_error_context(err, "rename \"%s\"", from->label)) &&
           mr_evolve_drop(targets, from, err);
}
