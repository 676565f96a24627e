// SPDX-License-Identifier: MIT
/*
 * pg_relation.c - relations by number: open addressing, at most half full.
 */
#include "pg_relation.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define CAPACITY_MIN 64

static uint32_t slot_of(uint32_t oid, uint32_t capacity)
{
    MR_ASSERT((capacity & (capacity - 1)) == 0);
    return oid * UINT32_C(2654435761) & (capacity - 1); /* Knuth's multiplicative hash */
}

static struct mr_pg_relation **find_slot(const struct mr_pg_relations *relations, uint32_t oid)
{
    MR_ASSERT(relations->count < relations->capacity);
    uint32_t slot = slot_of(oid, relations->capacity);
    while (relations->slots[slot] != NULL && relations->slots[slot]->oid != oid) {
        slot = (slot + 1) & (relations->capacity - 1);
    }
    return &relations->slots[slot];
}

static void grow(struct mr_pg_relations *relations)
{
    MR_ASSERT(relations->count <= relations->capacity);
    const struct mr_pg_relations old = *relations;
    relations->capacity = old.capacity == 0 ? CAPACITY_MIN : old.capacity * 2;
    relations->slots = mr_memory_new(relations->capacity, sizeof(struct mr_pg_relation *));
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.slots[i] != NULL) {
            *find_slot(relations, old.slots[i]->oid) = old.slots[i];
        }
    }
    free(old.slots);
}

void mr_pg_relations_done(struct mr_pg_relations *relations)
{
    for (uint32_t i = 0; i < relations->capacity; i++) {
        if (relations->slots[i] != NULL) {
            free(relations->slots[i]->plans);
            free(relations->slots[i]->message);
            free(relations->slots[i]);
        }
    }
    free(relations->slots);
    *relations = (struct mr_pg_relations){0};
}

struct mr_pg_relation *mr_pg_relations_find(struct mr_pg_relations *relations, uint32_t oid)
{
    if (MR_LIKELY(relations->last != NULL && relations->last->oid == oid)) {
        return relations->last;
    }
    if (relations->capacity == 0) {
        return NULL;
    }
    struct mr_pg_relation *relation = *find_slot(relations, oid);
    if (relation != NULL) {
        relations->last = relation;
    }
    return relation;
}

/* The entry for that number, a new one if need be; NULL when there are too many. */
static struct mr_pg_relation *obtain(struct mr_pg_relations *relations, uint32_t oid,
                                     struct mr_error *err)
{
    struct mr_pg_relation *relation = mr_pg_relations_find(relations, oid);
    if (relation != NULL) {
        return relation;
    }
    if (relations->count >= MR_CATALOG_COUNT_MAX) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP,
                      "the server described more than %d relations; capture fewer tables",
                      MR_CATALOG_COUNT_MAX);
        return NULL;
    }
    if (relations->count >= relations->capacity / 2) {
        grow(relations);
    }
    relation = mr_memory_new(1, sizeof(*relation));
    relation->oid = oid;
    *find_slot(relations, oid) = relation;
    relations->count++;
    return relation;
}

struct mr_pg_relation *mr_pg_relations_replace(struct mr_pg_relations *relations, uint32_t oid,
                                               uint16_t column_count, struct mr_error *err)
{
    struct mr_pg_relation *relation = obtain(relations, oid, err);
    if (relation == NULL) {
        return NULL;
    }
    free(relation->plans);
    free(relation->message);
    *relation = (struct mr_pg_relation){
        .oid = oid,
        .column_count = column_count,
        .plans = mr_memory_new(column_count == 0 ? 1 : column_count, sizeof(struct mr_pg_plan)),
    };
    MR_ASSERT(relations->count <= relations->capacity / 2);
    return relation;
}

void mr_pg_relation_keep(struct mr_pg_relation *relation, struct mr_slice message)
{
    MR_ASSERT(relation->message == NULL && message.length > 0 && message.length <= UINT32_MAX);
    relation->message = mr_memory_resize(NULL, message.length, 1);
    memcpy(relation->message, message.bytes, message.length);
    relation->message_length = (uint32_t)message.length;
}

bool mr_pg_relations_merge(struct mr_pg_relations *to, struct mr_pg_relations *from,
                           struct mr_error *err)
{
    for (uint32_t i = 0; i < from->capacity; i++) {
        if (from->slots[i] == NULL) {
            continue;
        }
        struct mr_pg_relation *relation = obtain(to, from->slots[i]->oid, err);
        if (relation == NULL) {
            return false;
        }
        if (from->slots[i]->described_at >= relation->described_at) {
            const struct mr_pg_relation older = *relation;
            *relation = *from->slots[i];
            *from->slots[i] = older; /* which frees it */
        }
    }
    return true;
}
