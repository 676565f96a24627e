// SPDX-License-Identifier: MIT
/*
 * follow.h - one table's own way: copies beside, pauses, catching up, joining; the sink contract's
 * functions for that.
 */
#ifndef MR_SINK_DUCKDB_FOLLOW_H
#define MR_SINK_DUCKDB_FOLLOW_H

#include "duckdb_sink.h"

bool mr_duckdb_copy_begin(struct mr_sink *sink, uint16_t source_index,
                          const struct mr_schema *schema, const struct mr_copy_request *request,
                          struct mr_copy_taken *taken, struct mr_error *err) MR_MUST_CHECK;
bool mr_duckdb_copy_piece(struct mr_sink *sink, uint16_t source_index,
                          const struct mr_schema *schema, bool beside,
                          const struct mr_copy_piece *piece, struct mr_error *err) MR_MUST_CHECK;
/** Of a copy beside. */
bool mr_duckdb_copy_finish(struct mr_sink *sink, uint16_t source_index,
                           const struct mr_schema *schema, const struct mr_snapshot_mark *mark,
                           struct mr_error *err) MR_MUST_CHECK;

bool mr_duckdb_order(struct mr_sink *sink, uint16_t source_index,
                     const struct mr_table_order *order, struct mr_error *err) MR_MUST_CHECK;
bool mr_duckdb_apart(struct mr_sink *sink, uint32_t index, struct mr_apart_view *view);
/** The source's stream is passed over up to `sequence` and its tables are copied anew: what was
 *  apart begins there too, in the open transaction. */
bool mr_duckdb_restart_apart(struct mr_sink *sink, uint16_t source_index, uint64_t sequence,
                             struct mr_error *err) MR_MUST_CHECK;
uint64_t mr_duckdb_pinned(struct mr_sink *sink, uint16_t source_index);

bool mr_duckdb_follow_next(struct mr_sink *sink, struct mr_follow *follow, bool *found,
                           struct mr_error *err) MR_MUST_CHECK;
bool mr_duckdb_follow_apply(struct mr_sink *sink, struct mr_follow *follow,
                            struct mr_batch *const *batches, uint32_t count,
                            struct mr_error *err) MR_MUST_CHECK;
bool mr_duckdb_follow_end(struct mr_sink *sink, const struct mr_follow *follow,
                          struct mr_native_position reached, bool *joined,
                          struct mr_error *err) MR_MUST_CHECK;

/** The target of READ rows of a copy beside. */
struct mr_target *mr_duckdb_copy_target(struct mr_apply *apply, uint16_t source_index,
                                        const struct mr_schema *schema);

#endif
