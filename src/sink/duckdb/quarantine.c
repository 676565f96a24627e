// SPDX-License-Identifier: MIT
/*
 * quarantine.c - see quarantine.h.
 */
#include "quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ddl.h"
#include "memory.h"
#include "result.h"

static const char create_statement[] =
    "CREATE TABLE IF NOT EXISTS millrace.quarantine (source VARCHAR, space VARCHAR, "
    "\"table\" VARCHAR, sequence UBIGINT, position VARCHAR, reason VARCHAR, "
    "\"at\" TIMESTAMP WITH TIME ZONE)";

static void add(struct mr_quarantine *quarantine, struct mr_quarantined *added)
{
    (void)pthread_mutex_lock(&quarantine->lock);
    added->next = quarantine->all;
    quarantine->all = added;
    (void)pthread_mutex_unlock(&quarantine->lock);
}

static void read_row(struct mr_quarantine *quarantine, struct mr_result *result)
{
    char *source = mr_result_text(result, 0);
    for (uint32_t i = 0; i < quarantine->source_count; i++) {
        if (strcmp(quarantine->source_names[i], source) == 0) {
            struct mr_quarantined *found = mr_memory_new(1, sizeof(*found));
            *found = (struct mr_quarantined){
                .source_index = (uint16_t)i,
                .space = mr_result_text(result, 1),
                .table = mr_result_text(result, 2),
                .sequence = mr_result_u64(result, 3),
                .reason = mr_result_text(result, 4),
                .is_written = true,
                .is_committed = true,
            };
            add(quarantine, found);
            (void)atomic_fetch_add(&quarantine->count, 1);
        }
    }
    free(source);
}

void mr_quarantine_init(struct mr_quarantine *quarantine)
{
    *quarantine = (struct mr_quarantine){0};
    MR_ASSERT(pthread_mutex_init(&quarantine->lock, NULL) == 0);
}

static void free_one(struct mr_quarantined *one)
{
    free(one->space);
    free(one->table);
    free(one->reason);
    free(one);
}

static void forget_all(struct mr_quarantine *quarantine)
{
    (void)pthread_mutex_lock(&quarantine->lock);
    while (quarantine->all != NULL) {
        struct mr_quarantined *one = quarantine->all;
        quarantine->all = one->next;
        free_one(one);
    }
    atomic_store(&quarantine->count, 0);
    (void)pthread_mutex_unlock(&quarantine->lock);
}

bool mr_quarantine_open(struct mr_quarantine *quarantine, struct mr_warehouse *warehouse,
                        const char *const *source_names, uint32_t source_count,
                        struct mr_error *err)
{
    struct mr_result result = {0};
    forget_all(quarantine);
    quarantine->warehouse = warehouse;
    quarantine->source_names = source_names;
    quarantine->source_count = source_count;
    if (!mr_warehouse_exec(warehouse, create_statement, err) ||
        !mr_result_query(warehouse,
                         "SELECT source, space, \"table\", sequence, reason "
                         "FROM millrace.quarantine",
                         &result, err)) {
        return mr_error_context(err, "read the quarantine");
    }
    while (mr_result_next(&result)) {
        read_row(quarantine, &result);
    }
    mr_result_done(&result);
    return true;
}

void mr_quarantine_done(struct mr_quarantine *quarantine)
{
    forget_all(quarantine);
    (void)pthread_mutex_destroy(&quarantine->lock);
}

static struct mr_quarantined *find(const struct mr_quarantine *quarantine, uint16_t source_index,
                                   const char *space, const char *table)
{
    struct mr_quarantined *one = quarantine->all;
    while (one != NULL && (one->source_index != source_index || strcmp(one->space, space) != 0 ||
                           strcmp(one->table, table) != 0)) {
        one = one->next;
    }
    return one;
}

bool mr_quarantine_holds(const struct mr_quarantine *quarantine, uint16_t source_index,
                         const struct mr_schema *schema, uint64_t sequence)
{
    if (MR_LIKELY(quarantine->all == NULL)) {
        return false;
    }
    const struct mr_quarantined *one = find(quarantine, source_index, schema->space, schema->table);
    return one != NULL && !one->is_lifted && sequence != 0 && sequence >= one->sequence;
}

void mr_quarantine_decide(struct mr_quarantine *quarantine, uint16_t source_index,
                          const struct mr_schema *schema, uint64_t sequence, const char *reason)
{
    MR_ASSERT(sequence > 0);
    struct mr_quarantined *one = find(quarantine, source_index, schema->space, schema->table);
    if (one != NULL && !one->is_lifted) {
        return;
    }
    one = mr_memory_new(1, sizeof(*one));
    *one = (struct mr_quarantined){
        .source_index = source_index,
        .space = mr_memory_copy_text(schema->space, strlen(schema->space)),
        .table = mr_memory_copy_text(schema->table, strlen(schema->table)),
        .reason = mr_memory_copy_text(reason, strlen(reason)),
        .sequence = sequence,
    };
    add(quarantine, one);
}

static bool write_one(struct mr_quarantine *quarantine, struct mr_quarantined *one,
                      const char *position, struct mr_error *err)
{
    struct mr_sql sql = {0};
    mr_sql_add(&sql, "INSERT INTO millrace.quarantine VALUES (");
    mr_sql_add_literal(&sql, quarantine->source_names[one->source_index]);
    mr_sql_add(&sql, ", ");
    mr_sql_add_literal(&sql, one->space);
    mr_sql_add(&sql, ", ");
    mr_sql_add_literal(&sql, one->table);
    mr_sql_addf(&sql, ", %llu, ", (unsigned long long)one->sequence);
    mr_sql_add_literal(&sql, position);
    mr_sql_add(&sql, ", ");
    mr_sql_add_literal(&sql, one->reason);
    mr_sql_add(&sql, ", now())");
    one->is_written = mr_warehouse_exec(quarantine->warehouse, sql.text, err);
    mr_sql_done(&sql);
    return one->is_written || mr_error_context(err, "write the quarantine");
}

bool mr_quarantine_write(struct mr_quarantine *quarantine, uint16_t source_index, uint64_t sequence,
                         const char *position, struct mr_error *err)
{
    for (struct mr_quarantined *one = quarantine->all; one != NULL; one = one->next) {
        if (!one->is_written && one->source_index == source_index && one->sequence <= sequence &&
            !write_one(quarantine, one, position, err)) {
            return false;
        }
    }
    return true;
}

bool mr_quarantine_lift(struct mr_quarantine *quarantine, uint16_t source_index,
                        const struct mr_schema *schema, struct mr_error *err)
{
    struct mr_quarantined *one = find(quarantine, source_index, schema->space, schema->table);
    struct mr_sql sql = {0};
    if (one == NULL) {
        return true;
    }
    mr_sql_add(&sql, "DELETE FROM millrace.quarantine WHERE source = ");
    mr_sql_add_literal(&sql, quarantine->source_names[source_index]);
    mr_sql_add(&sql, " AND space = ");
    mr_sql_add_literal(&sql, schema->space);
    mr_sql_add(&sql, " AND \"table\" = ");
    mr_sql_add_literal(&sql, schema->table);
    one->is_lifted = mr_warehouse_exec(quarantine->warehouse, sql.text, err);
    mr_sql_done(&sql);
    return one->is_lifted || mr_error_context(err, "lift the quarantine");
}

void mr_quarantine_settle(struct mr_quarantine *quarantine)
{
    struct mr_quarantined **place = &quarantine->all;
    if (MR_LIKELY(*place == NULL)) {
        return;
    }
    (void)pthread_mutex_lock(&quarantine->lock);
    while (*place != NULL) {
        struct mr_quarantined *one = *place;
        one->is_committed = one->is_committed || one->is_written;
        if (one->is_lifted) {
            *place = one->next;
            free_one(one);
        } else {
            place = &one->next;
        }
    }
    unsigned count = 0;
    for (const struct mr_quarantined *one = quarantine->all; one != NULL; one = one->next) {
        count += one->is_committed ? 1 : 0;
    }
    atomic_store(&quarantine->count, count);
    (void)pthread_mutex_unlock(&quarantine->lock);
}

void mr_quarantine_forget(struct mr_quarantine *quarantine)
{
    for (struct mr_quarantined *one = quarantine->all; one != NULL; one = one->next) {
        one->is_written = one->is_committed;
        one->is_lifted = false;
    }
}

uint32_t mr_quarantine_count(struct mr_quarantine *quarantine)
{
    return atomic_load(&quarantine->count);
}

bool mr_quarantine_reason(struct mr_quarantine *quarantine, uint16_t source_index,
                          const char *space, const char *table, char *reason, size_t size)
{
    if (mr_quarantine_count(quarantine) == 0) {
        return false;
    }
    (void)pthread_mutex_lock(&quarantine->lock);
    const struct mr_quarantined *one = find(quarantine, source_index, space, table);
    const bool is_held = one != NULL && one->is_committed;
    if (is_held) {
        (void)snprintf(reason, size, "%s", one->reason);
    }
    (void)pthread_mutex_unlock(&quarantine->lock);
    return is_held;
}
