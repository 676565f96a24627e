// SPDX-License-Identifier: MIT
/*
 * beside.c - see beside.h.
 *
 * Why a merge is right: rows that changed since the copy began are right in the table, for the
 * stream brought them there, so their keys are struck from both tables beside. What is left of the
 * copy are rows that nothing has changed since: they replace the table's. What is left of the rows
 * that matched and is not in the copy is not in the source.
 */
#include "beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ddl.h"
#include "memory.h"
#include "rows.h"

#define COPY_SUFFIX "__millrace_copy"
#define GONE_SUFFIX "__millrace_gone"
#define STRIKE_ROWS 8192

static char *name_beside(const char *table, const char *suffix)
{
    struct mr_sql name = {0};
    mr_sql_addf(&name, "%s%s", table, suffix);
    return name.text;
}

static struct mr_target *take_target(struct mr_targets *targets, const struct mr_apart *entry,
                                     const struct mr_schema *schema, const char *suffix)
{
    char *name = name_beside(entry->table, suffix);
    struct mr_target *target = mr_target_beside(targets, entry->source_index, schema, name);
    free(name);
    return target;
}

struct mr_target *mr_beside_target(struct mr_targets *targets, struct mr_apart *entry,
                                   const struct mr_schema *schema)
{
    MR_ASSERT(entry->what == MR_APART_COPY);
    if (entry->target == NULL) {
        entry->target = take_target(targets, entry, schema, COPY_SUFFIX);
        if (entry->where != NULL) {
            entry->target->gone = take_target(targets, entry, schema, GONE_SUFFIX);
        }
    }
    entry->target->has_mark = entry->state == MR_APART_FOLLOWING;
    entry->target->high = entry->mark.high;
    entry->target->exact = entry->mark.exact;
    entry->target->mark_is_known = true;
    return entry->target;
}

static bool exec(struct mr_targets *targets, struct mr_sql *sql, const struct mr_apart *entry,
                 struct mr_error *err)
{
    const bool done = mr_warehouse_exec(targets->warehouse, sql->text, err);
    mr_sql_done(sql);
    return done ||
           mr_error_context(err, "table \"%s.%s.%s\"", targets->source_names[entry->source_index],
                            entry->space, entry->table);
}

/* "schema"."table<suffix>" */
static void add_name(struct mr_sql *sql, const struct mr_targets *targets,
                     const struct mr_apart *entry, const char *suffix)
{
    char *name = name_beside(entry->table, suffix);
    const struct mr_schema named = {.space = entry->space, .table = name};
    mr_ddl_add_target(sql, targets->source_names[entry->source_index], &named);
    free(name);
}

static bool drop(struct mr_targets *targets, const struct mr_apart *entry, const char *suffix,
                 struct mr_error *err)
{
    struct mr_sql sql = {0};
    mr_sql_add(&sql, "DROP TABLE IF EXISTS ");
    add_name(&sql, targets, entry, suffix);
    return exec(targets, &sql, entry, err);
}

bool mr_beside_make(struct mr_targets *targets, struct mr_apart *entry,
                    const struct mr_schema *schema, struct mr_error *err)
{
    struct mr_target *target = mr_beside_target(targets, entry, schema);
    if (!mr_target_remake(targets, target, mr_target_schema(target, schema), err)) {
        return false;
    }
    target->mark_is_known = true;
    if (entry->where == NULL) {
        return true;
    }
    struct mr_sql sql = {0};
    if (!drop(targets, entry, GONE_SUFFIX, err)) {
        return false;
    }
    mr_sql_add(&sql, "CREATE TABLE ");
    add_name(&sql, targets, entry, GONE_SUFFIX);
    mr_sql_add(&sql, " AS SELECT * FROM ");
    add_name(&sql, targets, entry, "");
    mr_sql_addf(&sql, " WHERE (%s)", entry->where);
    return exec(targets, &sql, entry, err) ||
           mr_error_context(err, "the condition must also be one for the warehouse");
}

bool mr_beside_drop(struct mr_targets *targets, const struct mr_apart *entry, struct mr_error *err)
{
    return drop(targets, entry, COPY_SUFFIX, err) && drop(targets, entry, GONE_SUFFIX, err);
}

bool mr_beside_swap(struct mr_targets *targets, const struct mr_apart *entry, struct mr_error *err)
{
    struct mr_sql sql = {0};
    MR_ASSERT(entry->where == NULL);
    if (!drop(targets, entry, "", err)) {
        return false;
    }
    mr_sql_add(&sql, "ALTER TABLE ");
    add_name(&sql, targets, entry, COPY_SUFFIX);
    mr_sql_add(&sql, " RENAME TO ");
    mr_sql_add_identifier(&sql, entry->table);
    return exec(targets, &sql, entry, err);
}

/* DELETE FROM the table the rows whose key is in one of the tables beside. */
static bool delete_keys_of(struct mr_targets *targets, const struct mr_apart *entry,
                           const char *suffix, struct mr_error *err)
{
    struct mr_sql sql = {0};
    char *keys = mr_memory_copy_text(entry->keys, strlen(entry->keys));
    char *rest = keys;
    mr_sql_add(&sql, "DELETE FROM ");
    add_name(&sql, targets, entry, "");
    mr_sql_add(&sql, " AS t USING ");
    add_name(&sql, targets, entry, suffix);
    mr_sql_add(&sql, " AS k WHERE ");
    for (const char *key = strsep(&rest, MR_APART_KEY_SEPARATOR); key != NULL;
         key = strsep(&rest, MR_APART_KEY_SEPARATOR)) {
        mr_sql_add(&sql, key == keys ? "t." : " AND t.");
        mr_sql_add_identifier(&sql, key);
        mr_sql_add(&sql, " IS NOT DISTINCT FROM k.");
        mr_sql_add_identifier(&sql, key);
    }
    free(keys);
    return exec(targets, &sql, entry, err);
}

bool mr_beside_merge(struct mr_targets *targets, const struct mr_apart *entry, struct mr_error *err)
{
    struct mr_sql sql = {0};
    MR_ASSERT(entry->where != NULL && entry->keys != NULL && entry->keys[0] != '\0');
    if (!delete_keys_of(targets, entry, GONE_SUFFIX, err) ||
        !delete_keys_of(targets, entry, COPY_SUFFIX, err)) {
        return false;
    }
    mr_sql_add(&sql, "INSERT INTO ");
    add_name(&sql, targets, entry, "");
    mr_sql_add(&sql, " BY NAME SELECT * FROM ");
    add_name(&sql, targets, entry, COPY_SUFFIX);
    return exec(targets, &sql, entry, err) && mr_beside_drop(targets, entry, err);
}

void mr_beside_forget(struct mr_targets *targets, struct mr_apart *entry)
{
    if (entry->target != NULL) {
        mr_target_remove(targets, entry->target->gone);
        mr_target_remove(targets, entry->target);
        entry->target = NULL;
    }
}

/* ---- Striking keys. ---- */

struct strike {
    struct mr_apply *apply;
    struct mr_target *target;
    struct mr_row_run runs[STRIKE_ROWS];
    uint32_t run_count;
};

static bool flush(struct strike *strike, struct mr_error *err)
{
    struct mr_apply *apply = strike->apply;
    struct mr_target *target = strike->target;
    struct mr_rows_registry *rows = mr_warehouse_rows(apply->warehouse);
    const struct mr_row_list list = {strike->runs, strike->run_count, NULL};
    if (strike->run_count == 0) {
        return true;
    }
    duckdb_prepared_statement statement =
        mr_target_statement(apply->targets, target, MR_TARGET_DELETE, err);
    if (statement == NULL) {
        return false;
    }
    mr_rows_set(rows, target->key_slot, &list);
    const bool done = mr_warehouse_run(apply->warehouse, statement, NULL, err);
    mr_rows_clear(rows, target->key_slot);
    strike->run_count = 0;
    return done || mr_error_context(err, "table \"%s\"", target->label);
}

static bool add_rows(struct strike *strike, const struct mr_batch *batch, uint16_t chunk,
                     uint32_t row, uint32_t count, struct mr_error *err)
{
    if (chunk == MR_NO_CHUNK) {
        return true;
    }
    if (strike->run_count == STRIKE_ROWS && !flush(strike, err)) {
        return false;
    }
    mr_row_run_add(strike->runs, &strike->run_count, batch->chunks[chunk], row, count);
    return true;
}

static bool strike_work(struct strike *strike, const struct mr_work *work, struct mr_error *err)
{
    const struct mr_event *event = work->event;
    struct mr_target *target = strike->target;
    const struct mr_schema *schema = mr_target_schema(target, mr_event_schema(work->batch, event));
    if (target->shape != schema &&
        (!flush(strike, err) ||
         !mr_target_ensure(strike->apply->targets, target, schema, true, err))) {
        return false;
    }
    if (event->kind == MR_EVENT_TRUNCATE) {
        struct mr_sql sql = {0};
        strike->run_count = 0;
        mr_sql_add(&sql, "DELETE FROM ");
        mr_ddl_add_target(&sql, target->source, target->shape);
        const bool done = mr_warehouse_exec(strike->apply->warehouse, sql.text, err);
        mr_sql_done(&sql);
        return done;
    }
    return add_rows(strike, work->batch, event->chunk, event->row, event->count, err) &&
           add_rows(strike, work->batch, event->before_chunk, event->before_row, event->count, err);
}

bool mr_beside_strike(struct mr_apply *apply, struct mr_target *target, struct mr_error *err)
{
    struct strike *strike = mr_memory_new(1, sizeof(*strike));
    bool struck = true;
    struct mr_target *const both[] = {target, target->gone};
    for (size_t i = 0; struck && i < MR_ARRAY_LEN(both); i++) {
        strike->apply = apply;
        strike->target = both[i];
        strike->run_count = 0;
        for (const struct mr_work *work = target->first_work; struck && work != NULL;
             work = work->next) {
            struck = strike_work(strike, work, err);
        }
        struck = struck && flush(strike, err);
    }
    free(strike);
    return struck;
}
