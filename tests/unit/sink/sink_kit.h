// SPDX-License-Identifier: MIT
/*
 * sink_kit.h - what the sink's tests share: a sink in a directory of its own, batches from short
 * texts, and the target's rows as text.
 *
 * A schema is "id:i64:key a:i64 b:text", with "c:i64:=5" for a default and "d:i64:!" for not null;
 * a row is "1|~|x" with ~ for NULL and ! for a cell that was not sent. Numbers and text only: the
 * types have a test of their own.
 */
#ifndef MR_TESTS_UNIT_SINK_SINK_KIT_H
#define MR_TESTS_UNIT_SINK_SINK_KIT_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "duckdb_sink.h"
#include "sink.h"

#define KIT_SOURCES 2

struct kit {
    const struct mr_sink_ops *ops;
    struct mr_sink *sink;
    struct mr_option_memory memory;
    void *config;
    char dir[64];
    char path[96];
    const char *names[KIT_SOURCES];
    struct mr_catalog *catalogs[KIT_SOURCES];
    struct mr_batch_pool *pool;
    uint64_t next_sequence[KIT_SOURCES]; /* of the next transaction, and its place */
    const struct mr_policies *policies;  /* set before kit_reopen() */
    struct mr_error err;
};

extern const struct mr_sink_ops mr_sink_duckdb;
extern const struct mr_sink_ops mr_sink_discard;

/** Opens a sink in a new directory. Options come in pairs: "threads", "1", NULL. */
void kit_open(struct kit *kit, const struct mr_sink_ops *ops, const char *const *options);
/** Closes the sink without a commit and opens it again, as after a crash between two commits. */
void kit_reopen(struct kit *kit);
void kit_close(struct kit *kit);

const struct mr_schema *kit_schema(struct kit *kit, uint16_t source, const char *space,
                                   const char *table, const char *columns);

/** A batch of a source; the caller releases it. */
struct mr_batch *kit_batch(struct kit *kit, uint16_t source);
/** Transactions of a batch: each is given the next sequence and the place {sequence, 0}. */
void kit_begin(struct kit *kit, struct mr_batch *batch);
void kit_commit(struct kit *kit, struct mr_batch *batch);
void kit_suspend(struct kit *kit, struct mr_batch *batch); /* ends the batch inside it */
void kit_insert(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                const char *row);
void kit_read(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
              const char *row);
/** before: NULL, or a whole row; the key's cells are taken from it unless `full`. */
void kit_update(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                const char *before, const char *after);
void kit_delete(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                const char *before);
/** A schema change; renamed: "old new old new ", or NULL. */
void kit_change(struct kit *kit, struct mr_batch *batch, const struct mr_schema *before,
                const struct mr_schema *after, const char *renamed);
void kit_truncate(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema);

/** Applies one batch, and releases it; the test fails when that fails. */
void kit_apply(struct kit *kit, struct mr_batch *batch);
void kit_apply_commit(struct kit *kit, struct mr_batch *batch);

/** The rows of the target, sorted, one a line; free() it. */
char *kit_dump(struct kit *kit, uint16_t source, const struct mr_schema *schema);
bool kit_has_table(struct kit *kit, uint16_t source, const struct mr_schema *schema);
/** A query's single number, on the writer's connection. */
uint64_t kit_number(struct kit *kit, const char *sql);

#endif
