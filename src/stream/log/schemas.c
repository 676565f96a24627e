// SPDX-License-Identifier: MIT
/*
 * schemas.c - bodies of SCHEMA frames.
 *
 *   body := u32 count, { u32 length, schema }*      (schema: core/schema_codec.c)
 *
 * Invariant: by_id[i]->schema_id == i + 1 wherever it is set; what is set stays.
 */
#include "schemas.h"

#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "memory.h"

#define CAPACITY_MIN 16

const struct mr_schema *mr_schemas_find(const struct mr_schemas *schemas, uint32_t schema_id)
{
    if (schema_id == 0 || schema_id > schemas->count) {
        return NULL;
    }
    return schemas->by_id[schema_id - 1];
}

static void make_room(struct mr_schemas *schemas, uint32_t count)
{
    uint32_t capacity = schemas->capacity < CAPACITY_MIN ? CAPACITY_MIN : schemas->capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    if (capacity > schemas->capacity) {
        schemas->by_id = mr_memory_resize(schemas->by_id, capacity, sizeof(void *));
        schemas->capacity = capacity;
    }
    for (; schemas->count < count; schemas->count++) {
        schemas->by_id[schemas->count] = NULL;
    }
}

void mr_schemas_add(struct mr_schemas *schemas, const struct mr_schema *schema)
{
    MR_ASSERT(schema->schema_id > 0 && schema->schema_id <= MR_CATALOG_COUNT_MAX);
    if (schema->schema_id > schemas->count) {
        make_room(schemas, schema->schema_id);
    }
    const struct mr_schema **slot = &schemas->by_id[schema->schema_id - 1];
    MR_ASSERT(*slot == NULL || *slot == schema);
    schemas->used += *slot == NULL ? 1 : 0;
    *slot = schema;
    MR_ASSERT(schemas->used <= schemas->count);
}

static void write_schema(const struct mr_schema *schema, struct mr_writer *out)
{
    const size_t start = out->length;
    mr_write_u32_le(out, 0);
    mr_schema_write(schema, out);
    if (!out->failed) {
        const uint32_t length = (uint32_t)(out->length - start - sizeof(uint32_t));
        memcpy(out->bytes + start, &length, sizeof(length));
    }
}

bool mr_schemas_write(const struct mr_schemas *schemas, const struct mr_schema *const *wanted,
                      uint32_t count, struct mr_writer *out, struct mr_error *err)
{
    MR_ASSERT(wanted != NULL || count == 0);
    mr_write_u32_le(out, wanted != NULL ? count : schemas->used);
    for (uint32_t i = 0; i < count; i++) {
        write_schema(wanted[i], out);
    }
    for (uint32_t i = 0; wanted == NULL && i < schemas->count; i++) {
        if (schemas->by_id[i] != NULL) {
            write_schema(schemas->by_id[i], out);
        }
    }
    if (out->failed) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "the schemas need more than %u bytes in the log",
                       MR_FRAME_BODY_BYTES_MAX);
    }
    return true;
}

bool mr_schemas_restore(struct mr_schemas *schemas, struct mr_slice body,
                        struct mr_catalog *catalog, struct mr_error *err)
{
    MR_ASSERT(catalog != NULL);
    struct mr_reader in = mr_reader_init(body.bytes, body.length);
    const uint32_t count = mr_read_u32_le(&in);
    if (!mr_reader_ok(&in) || count > mr_reader_left(&in)) {
        return mr_fail(err, MR_E_CORRUPT, MR_STOP, "the schema frame is malformed");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = mr_read_u32_le(&in);
        const struct mr_slice bytes = mr_read_slice(&in, length);
        if (!mr_reader_ok(&in)) {
            return mr_fail(err, MR_E_CORRUPT, MR_STOP, "schema %u of %u is cut off", i + 1, count);
        }
        struct mr_reader one = mr_reader_init(bytes.bytes, bytes.length);
        const struct mr_schema *schema = mr_catalog_restore(catalog, &one, err);
        if (schema == NULL) {
            return false;
        }
        if (mr_reader_left(&one) != 0) {
            return mr_fail(err, MR_E_CORRUPT, MR_STOP, "schema %u has bytes left over",
                           schema->schema_id);
        }
        mr_schemas_add(schemas, schema);
    }
    if (mr_reader_left(&in) != 0) {
        return mr_fail(err, MR_E_CORRUPT, MR_STOP, "the schema frame has bytes left over");
    }
    return true;
}

void mr_schemas_done(struct mr_schemas *schemas)
{
    free(schemas->by_id);
    *schemas = (struct mr_schemas){0};
}
