// SPDX-License-Identifier: MIT
/*
 * pg_change.c - see pg_change.h.
 */
#include "pg_change.h"

#include <string.h>

#define RENAMED_BYTES_MAX (1u << 20)

/* Columns of two descriptions, side by side. */
struct sides {
    const struct mr_schema *before;
    const struct mr_schema *after;
    struct mr_writer *names;
};

static void write_pair(struct sides *sides, uint16_t old, uint16_t new)
{
    const char *const texts[] = {sides->before->columns[old].name, sides->after->columns[new].name};
    for (size_t i = 0; i < MR_ARRAY_LEN(texts); i++) {
        mr_write_bytes(sides->names, texts[i], strlen(texts[i]));
        mr_write_u8(sides->names, MR_NOTE_NAME_END);
    }
}

static bool same_type(const struct sides *sides, uint16_t old, uint16_t new)
{
    const struct mr_column *left = &sides->before->columns[old];
    const struct mr_column *right = &sides->after->columns[new];
    return left->type == right->type && strcmp(left->source_type, right->source_type) == 0;
}

/* Columns [old, old_end) stand where [new, new_end) do now, and none has kept its name. */
static void pair_up(struct sides *sides, uint16_t old, uint16_t old_end, uint16_t new,
                    uint16_t new_end)
{
    const bool is_last = new_end == sides->after->column_count;
    const uint16_t went = (uint16_t)(old_end - old);
    const uint16_t came = (uint16_t)(new_end - new);
    if (is_last) {
        for (uint16_t i = 0; went == came && i < came; i++) {
            if (!same_type(sides, (uint16_t)(old + i), (uint16_t)(new + i))) {
                return;
            }
        }
        if (went != came) {
            return;
        }
    }
    /* Some may have been dropped as well: by type, in order, as long as enough are left. */
    for (; new < new_end &&old < old_end; new ++) {
        while (old_end - old > new_end - new && !same_type(sides, old, new)) {
            old++;
        }
        write_pair(sides, old++, new);
    }
}

void mr_pg_change_infer(const struct mr_schema *before, const struct mr_schema *after,
                        struct mr_writer *names)
{
    struct sides sides = {before, after, names};
    uint16_t old = 0;
    uint16_t new = 0;
    for (uint16_t i = 0; i < after->column_count; i++) {
        const int kept = mr_schema_find_column(before, after->columns[i].name);
        if (kept < 0) {
            continue;
        }
        if (kept < old) {
            return; /* the order is another one: no ALTER does that */
        }
        pair_up(&sides, old, (uint16_t)kept, new, i);
        old = (uint16_t)(kept + 1);
        new = (uint16_t)(i + 1);
    }
    pair_up(&sides, old, before->column_count, new, after->column_count);
}

static const struct mr_schema *schema_of(struct mr_pg_relations *relations, uint32_t oid)
{
    const struct mr_pg_relation *relation = mr_pg_relations_find(relations, oid);
    if (relation == NULL) {
        return NULL;
    }
    return relation->changed_from != NULL ? relation->changed_from : relation->schema;
}

const struct mr_schema *mr_pg_change_before(struct mr_pgoutput *decoder, uint32_t oid,
                                            const char *space, const char *table)
{
    const struct mr_schema *before = schema_of(decoder->described, oid);
    if (before == NULL) {
        before = schema_of(&decoder->relations, oid);
    }
    return before != NULL ? before : mr_catalog_current(decoder->catalog, space, table);
}

enum mr_pg_decoded mr_pg_change_tell(struct mr_pg_relation *relation, struct mr_batch *batch,
                                     struct mr_error *err)
{
    if (MR_LIKELY(relation->changed_from == NULL)) {
        return MR_PG_DECODED;
    }
    const struct mr_schema *before = relation->changed_from;
    const struct mr_schema *after = relation->schema;
    const bool is_renamed =
        strcmp(before->table, after->table) != 0 || strcmp(before->space, after->space) != 0;
    struct mr_writer names = {0};
    mr_writer_init(&names, RENAMED_BYTES_MAX);
    mr_pg_change_infer(before, after, &names);
    const struct mr_note note = {
        .kind = MR_NOTE_SCHEMA_CHANGE,
        .before = before,
        .after = after,
        .name = mr_slice_of(is_renamed ? "rename" : "alter"),
        .renamed = {names.bytes, names.failed ? 0 : names.length},
    };
    const bool told = mr_batch_add_note(batch, &note, err);
    mr_writer_done(&names);
    if (told) {
        relation->changed_from = NULL;
        return MR_PG_DECODED;
    }
    if (batch->event_count == 0) {
        return MR_PG_FAILED;
    }
    *err = (struct mr_error){0};
    return MR_PG_BATCH_FULL;
}

void mr_pg_change_publish(struct mr_pgoutput *decoder)
{
    struct mr_pg_relations *relations = &decoder->relations;
    for (uint32_t i = 0; relations->has_changed && i < relations->capacity; i++) {
        const struct mr_pg_relation *relation = relations->slots[i];
        if (relation != NULL && relation->schema != NULL && relation->changed_from == NULL) {
            mr_catalog_set_current(decoder->catalog, relation->schema);
        }
    }
    relations->has_changed = false;
}
