// SPDX-License-Identifier: MIT
/*
 * target.c - finding, making and altering tables; preparing their statements.
 *
 * DELETE and FETCH join a few keys to a large table. Their plans are made from the table's size at
 * the time, so they are prepared again when the table has grown REPLAN_FACTOR-fold: a plan made for
 * an empty table builds its hash table on the wrong side (measured: 200 ms instead of 2).
 */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cells.h"
#include "ddl.h"
#include "evolve.h"
#include "memory.h"
#include "result.h"
#include "rows.h"

#define REPLAN_FACTOR   4
#define REPLAN_ROWS_MIN 4096

void mr_targets_init(struct mr_targets *targets, struct mr_warehouse *warehouse,
                     const char *const *source_names, uint32_t source_count)
{
    *targets = (struct mr_targets){
        .warehouse = warehouse,
        .source_names = source_names,
        .source_count = source_count,
        .by_id = mr_memory_new(source_count + 1, sizeof(*targets->by_id)),
        .by_id_count = mr_memory_new(source_count + 1, sizeof(*targets->by_id_count)),
    };
}

static void drop_statement(struct mr_target *target, enum mr_target_statement which)
{
    if (target->statements[which] != NULL) {
        duckdb_destroy_prepare(&target->statements[which]);
        target->statements[which] = NULL;
    }
}

static void drop_shape(struct mr_targets *targets, struct mr_target *target)
{
    for (unsigned i = 0; i < MR_TARGET_STATEMENT_COUNT; i++) {
        drop_statement(target, (enum mr_target_statement)i);
    }
    for (unsigned i = 0; i < MR_OVERLAY_STATEMENT_COUNT; i++) {
        if (target->overlay.statements[i] != NULL) {
            duckdb_destroy_prepare(&target->overlay.statements[i]);
        }
    }
    target->overlay = (struct mr_overlay){0};
    if (target->shape != NULL && !mr_warehouse_is_closed(targets->warehouse)) {
        mr_rows_drop(mr_warehouse_rows(targets->warehouse), target->all_slot);
        if (target->shape->key_count > 0) {
            mr_rows_drop(mr_warehouse_rows(targets->warehouse), target->key_slot);
        }
    }
    target->shape = NULL;
}

static void forget_columns(struct mr_target *target)
{
    for (uint16_t i = 0; i < target->column_count; i++) {
        free(target->columns[i].name);
        free(target->columns[i].type);
    }
    free(target->columns);
    target->columns = NULL;
    target->column_count = 0;
}

void mr_target_forget(struct mr_targets *targets, struct mr_target *target)
{
    drop_shape(targets, target);
    forget_columns(target);
}

void mr_targets_forget(struct mr_targets *targets, bool only_provisional)
{
    for (struct mr_target *target = targets->all; target != NULL; target = target->next) {
        target->deletes = 0;
        if (!only_provisional || target->provisional) {
            mr_target_forget(targets, target);
            target->provisional = false;
            target->mark_is_known = false;
        }
        target->has_deleted = false;
    }
}

void mr_targets_settle(struct mr_targets *targets)
{
    for (struct mr_target *target = targets->all; target != NULL; target = target->next) {
        MR_ASSERT(!target->overlay.is_open);
        target->deletes = 0;
        target->provisional = false;
        target->has_deleted = false;
    }
}

static void free_target(struct mr_target *target)
{
    while (target->aliases != NULL) {
        struct mr_target_alias *alias = target->aliases;
        target->aliases = alias->next;
        free(alias);
    }
    free(target->space);
    free(target->table);
    free(target->label);
    free(target);
}

void mr_targets_done(struct mr_targets *targets)
{
    mr_targets_forget(targets, false);
    while (targets->all != NULL) {
        struct mr_target *target = targets->all;
        targets->all = target->next;
        free_target(target);
    }
    for (uint32_t i = 0; targets->by_id != NULL && i < targets->source_count; i++) {
        free(targets->by_id[i]);
    }
    free(targets->by_id);
    free(targets->by_id_count);
    *targets = (struct mr_targets){0};
}

/* DuckDB compares names without case, and "a_b" + "c" is "a" + "b_c". */
static bool is_same_target(const struct mr_target *left, const char *source,
                           const struct mr_schema *schema)
{
    char *name = mr_ddl_schema_name(source, schema);
    const struct mr_schema other = {.space = left->space};
    char *other_name = mr_ddl_schema_name(left->source, &other);
    const bool same =
        strcasecmp(name, other_name) == 0 && strcasecmp(left->table, schema->table) == 0;

    free(name);
    free(other_name);
    return same;
}

static struct mr_target *add_target(struct mr_targets *targets, uint16_t source_index,
                                    const struct mr_schema *schema, const char *name)
{
    const char *source = targets->source_names[source_index];
    struct mr_sql label = {0};
    struct mr_target *target = mr_memory_new(1, sizeof(*target));
    mr_sql_addf(&label, "%s.%s.%s", source, schema->space, name);
    *target = (struct mr_target){
        .next = targets->all,
        .source_index = source_index,
        .source = source,
        .table_id = schema->table_id,
        .space = mr_memory_copy_text(schema->space, strlen(schema->space)),
        .table = mr_memory_copy_text(name, strlen(name)),
        .label = label.text,
    };
    targets->all = target;
    return target;
}

static struct mr_target *new_target(struct mr_targets *targets, uint16_t source_index,
                                    const struct mr_schema *schema, struct mr_error *err)
{
    const char *source = targets->source_names[source_index];

    for (const struct mr_target *other = targets->all; other != NULL; other = other->next) {
        if (is_same_target(other, source, schema)) {
            mr_fail(err, MR_E_CONFIG, MR_STOP,
                    "the tables \"%s\" and \"%s.%s.%s\" would share one table of the warehouse; "
                    "rename a source or exclude one of them",
                    other->label, source, schema->space, schema->table);
            return NULL;
        }
    }
    return add_target(targets, source_index, schema, schema->table);
}

struct mr_target *mr_target_beside(struct mr_targets *targets, uint16_t source_index,
                                   const struct mr_schema *schema, const char *name)
{
    struct mr_target *target = targets->all;
    while (target != NULL &&
           (target->beside == NULL || target->source_index != source_index ||
            strcmp(target->space, schema->space) != 0 || strcmp(target->table, name) != 0)) {
        target = target->next;
    }
    if (target == NULL) {
        target = add_target(targets, source_index, schema, name);
        target->beside = target->table;
    }
    target->table_id = schema->table_id;
    return target;
}

void mr_target_remove(struct mr_targets *targets, struct mr_target *target)
{
    if (target == NULL) {
        return;
    }
    struct mr_target **link = &targets->all;
    while (*link != target) {
        MR_ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    MR_ASSERT(target->beside != NULL && target->first_work == NULL);
    *link = target->next;
    drop_shape(targets, target);
    forget_columns(target);
    free_target(target);
}

const struct mr_schema *mr_target_schema(struct mr_target *target, const struct mr_schema *schema)
{
    if (MR_LIKELY(target->beside == NULL)) {
        return schema;
    }
    struct mr_target_alias *alias = target->aliases;
    while (alias != NULL && alias->of != schema) {
        alias = alias->next;
    }
    if (alias == NULL) {
        alias = mr_memory_new(1, sizeof(*alias));
        alias->of = schema;
        alias->schema = *schema;
        alias->schema.table = target->beside;
        alias->next = target->aliases;
        target->aliases = alias;
    }
    return &alias->schema;
}

void mr_target_forget_named(struct mr_targets *targets, uint16_t source_index,
                            const struct mr_schema *schema)
{
    for (struct mr_target *target = targets->all; target != NULL; target = target->next) {
        if (target->source_index == source_index && strcmp(target->table, schema->table) == 0 &&
            strcmp(target->space, schema->space) == 0) {
            drop_shape(targets, target);
            forget_columns(target);
            target->mark_is_known = false;
        }
    }
}

struct mr_target *mr_target_find(struct mr_targets *targets, uint16_t source_index,
                                 const struct mr_schema *schema, struct mr_error *err)
{
    MR_ASSERT(source_index < targets->source_count);
    MR_ASSERT(schema->table_id > 0 && schema->table_id <= MR_CATALOG_COUNT_MAX);
    uint32_t count = targets->by_id_count[source_index];
    if (schema->table_id >= count) {
        const uint32_t wanted = schema->table_id * 2 < 16 ? 16 : schema->table_id * 2;
        struct mr_target **grown =
            mr_memory_resize(targets->by_id[source_index], wanted, sizeof(struct mr_target *));
        memset(grown + count, 0, (wanted - count) * sizeof(struct mr_target *));
        targets->by_id[source_index] = grown;
        targets->by_id_count[source_index] = wanted;
    }
    struct mr_target **place = &targets->by_id[source_index][schema->table_id];
    if (*place == NULL) {
        *place = new_target(targets, source_index, schema, err);
    }
    return *place;
}

/* Reads the table's columns from the catalog; none when there is no table. */
static bool describe(struct mr_targets *targets, struct mr_target *target, struct mr_error *err)
{
    const struct mr_schema named = {.space = target->space, .table = target->table};
    char *schema_name = mr_ddl_schema_name(target->source, &named);
    struct mr_sql sql = {0};
    struct mr_result result = {0};
    bool described = false;

    forget_columns(target);
    mr_sql_add(&sql, "SELECT c.column_name, c.data_type, t.estimated_size::UBIGINT "
                     "FROM duckdb_columns() c JOIN duckdb_tables() t USING (table_oid) "
                     "WHERE c.database_name = current_database() "
                     "AND t.database_name = current_database() AND lower(c.schema_name) = lower(");
    mr_sql_add_literal(&sql, schema_name);
    mr_sql_add(&sql, ") AND lower(c.table_name) = lower(");
    mr_sql_add_literal(&sql, target->table);
    mr_sql_add(&sql, ") ORDER BY c.column_index");
    if (!mr_result_query(targets->warehouse, sql.text, &result, err)) {
        goto out;
    }
    while (mr_result_next(&result)) {
        target->columns =
            mr_memory_resize(target->columns, target->column_count + 1u, sizeof(*target->columns));
        target->columns[target->column_count++] = (struct mr_target_column){
            .name = mr_result_text(&result, 0),
            .type = mr_result_text(&result, 1),
        };
        target->rows_estimate = mr_result_u64(&result, 2);
    }
    described = true;

out:
    mr_result_done(&result);
    mr_sql_done(&sql);
    free(schema_name);
    return described;
}

static bool exec_sql(struct mr_targets *targets, struct mr_sql *sql, struct mr_error *err)
{
    const bool done = mr_warehouse_exec(targets->warehouse, sql->text, err);
    mr_sql_done(sql);
    return done;
}

static bool create(struct mr_targets *targets, struct mr_target *target,
                   const struct mr_schema *schema, struct mr_error *err)
{
    struct mr_sql sql = {0};

    if (!mr_ddl_check(schema, target->label, err)) {
        return false;
    }
    target->provisional = true;
    mr_ddl_create_schema(&sql, target->source, schema);
    if (!exec_sql(targets, &sql, err)) {
        return false;
    }
    mr_ddl_create_table(&sql, target->source, schema);
    return exec_sql(targets, &sql, err) && describe(targets, target, err);
}

enum mr_on_schema_change mr_target_policy(const struct mr_targets *targets,
                                          const struct mr_target *target)
{
    return (enum mr_on_schema_change)mr_policies_find(targets->policies, target->source,
                                                      target->space, target->table)
        ->on_schema_change;
}

bool mr_target_look(struct mr_targets *targets, struct mr_target *target, bool *is_there,
                    struct mr_error *err)
{
    if (target->column_count == 0 && !describe(targets, target, err)) {
        return false;
    }
    *is_there = target->column_count > 0;
    return true;
}

bool mr_target_evolve(struct mr_targets *targets, struct mr_target *target,
                      const struct mr_schema *schema, struct mr_slice renamed, struct mr_error *err)
{
    const struct mr_evolve_wish wish = {
        .renamed = renamed,
        .is_lenient = mr_target_policy(targets, target) == MR_ON_SCHEMA_CHANGE_LENIENT,
    };
    bool is_there = false;

    drop_shape(targets, target);
    if (!mr_target_look(targets, target, &is_there, err)) {
        return false;
    }
    if (!is_there) {
        return create(targets, target, schema, err);
    }
    if (!mr_ddl_check(schema, target->label, err)) {
        return false;
    }
    if (!mr_evolve_is_needed(target, schema, &wish)) {
        return true;
    }
    return mr_evolve_shape(targets, target, schema, &wish, err) && describe(targets, target, err);
}

/* A change that no note told of: its rows show it. */
static bool check_policy(const struct mr_targets *targets, const struct mr_target *target,
                         struct mr_error *err)
{
    static const char what[] = "its rows have other columns or types than before";

    switch (mr_target_policy(targets, target)) {
    case MR_ON_SCHEMA_CHANGE_EVOLVE:
    case MR_ON_SCHEMA_CHANGE_LENIENT:
        return true;
    case MR_ON_SCHEMA_CHANGE_STOP:
        return mr_fail(err, MR_E_SINK, MR_STOP,
                       "table \"%s\": %s, and its on_schema_change is stop; set it to evolve or "
                       "lenient and start again",
                       target->label, what);
    case MR_ON_SCHEMA_CHANGE_QUARANTINE:
        return mr_fail(err, MR_E_TYPE, MR_QUARANTINE,
                       "table \"%s\": %s, and its on_schema_change is quarantine; copy the table "
                       "anew",
                       target->label, what);
    }
    return true;
}

/* Makes the table that is there fit a schema version. */
static bool fit(struct mr_targets *targets, struct mr_target *target,
                const struct mr_schema *schema, bool overlaps, struct mr_error *err)
{
    const struct mr_evolve_wish wish = {
        .is_lenient = overlaps || mr_target_policy(targets, target) == MR_ON_SCHEMA_CHANGE_LENIENT,
        .adds_only = overlaps,
    };

    if (!mr_ddl_check(schema, target->label, err)) {
        return false;
    }
    if (!mr_evolve_is_needed(target, schema, &wish)) {
        return true;
    }
    return (overlaps || check_policy(targets, target, err)) &&
           mr_evolve_shape(targets, target, schema, &wish, err) && describe(targets, target, err);
}

static void take_shape(struct mr_targets *targets, struct mr_target *target,
                       const struct mr_schema *schema)
{
    struct mr_rows_registry *rows = mr_warehouse_rows(targets->warehouse);

    MR_ASSERT(target->shape == NULL && schema->table_id == target->table_id);
    target->shape = schema;
    target->all_slot = mr_rows_add(rows, schema, MR_ROWS_ALL);
    if (schema->key_count > 0) {
        target->key_slot = mr_rows_add(rows, schema, MR_ROWS_KEY);
    }
}

bool mr_target_ensure(struct mr_targets *targets, struct mr_target *target,
                      const struct mr_schema *schema, bool overlaps, struct mr_error *err)
{
    if (MR_LIKELY(target->shape == schema)) {
        return true;
    }
    MR_ASSERT(!target->overlay.is_open); /* it was merged before */
    drop_shape(targets, target);
    if (target->column_count == 0 && !describe(targets, target, err)) {
        return false;
    }
    if (target->column_count == 0 && !create(targets, target, schema, err)) {
        return false;
    }
    if (!fit(targets, target, schema, overlaps, err)) {
        return false;
    }
    take_shape(targets, target, schema);
    return true;
}

bool mr_target_remake(struct mr_targets *targets, struct mr_target *target,
                      const struct mr_schema *schema, struct mr_error *err)
{
    struct mr_sql sql = {0};

    drop_shape(targets, target);
    target->provisional = true;
    target->mark_is_known = false;
    target->has_deleted = false;
    mr_sql_add(&sql, "DROP TABLE IF EXISTS ");
    mr_ddl_add_target(&sql, target->source, schema);
    if (!exec_sql(targets, &sql, err) || !create(targets, target, schema, err)) {
        return false;
    }
    target->rows_estimate = 0;
    take_shape(targets, target, schema);
    return true;
}

static void write_statement(const struct mr_target *target, enum mr_target_statement which,
                            struct mr_sql *sql)
{
    const struct mr_schema *shape = target->shape;

    switch (which) {
    case MR_TARGET_INSERT:
        mr_ddl_insert(sql, target->source, shape, target->all_slot);
        break;
    case MR_TARGET_DELETE:
        if (shape->key_count > 0) {
            mr_ddl_delete_keys(sql, target->source, shape, target->key_slot);
        } else {
            mr_ddl_delete_duplicates(sql, target->source, shape, target->all_slot);
        }
        break;
    case MR_TARGET_FETCH:
        mr_ddl_fetch(sql, target->source, shape, target->key_slot);
        break;
    case MR_TARGET_STATEMENT_COUNT:
        MR_ASSERT(false);
    }
}

duckdb_prepared_statement mr_target_statement(struct mr_targets *targets, struct mr_target *target,
                                              enum mr_target_statement which, struct mr_error *err)
{
    struct mr_sql sql = {0};

    MR_ASSERT(target->shape != NULL && which < MR_TARGET_STATEMENT_COUNT);
    if (which != MR_TARGET_INSERT &&
        target->rows_estimate > target->rows_planned * REPLAN_FACTOR + REPLAN_ROWS_MIN) {
        drop_statement(target, MR_TARGET_DELETE);
        drop_statement(target, MR_TARGET_FETCH);
    }
    if (target->statements[which] != NULL) {
        return target->statements[which];
    }
    write_statement(target, which, &sql);
    if (!mr_warehouse_prepare(targets->warehouse, sql.text, &target->statements[which], err)) {
        (void)mr_error_context(err, "table \"%s\"", target->label);
    } else if (which != MR_TARGET_INSERT) {
        target->rows_planned = target->rows_estimate;
    }
    mr_sql_done(&sql);
    return target->statements[which];
}
