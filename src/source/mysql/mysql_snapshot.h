// SPDX-License-Identifier: MIT
/*
 * mysql_snapshot.h - copying tables while writers go on; the snapshot half of mr_source_ops.
 *
 * See SNAPSHOT in source.h for what is promised, mysql_barrier.h for why position and read agree.
 *
 *   start      a place L0 such that every transaction at or before it is visible to any later read.
 *              It is fixed after the tables were listed, so a listed shape is never newer than L0.
 *   keyed      pieces by ranges of the key (mysql_pieces.h), each one statement: its own consistent
 *              read, no lock. `high` is the end of the binlog after the last piece: whatever a read
 *              saw had been written to the binlog before. Changes in (L0, high] are upserts.
 *   keyless    one piece, one consistent snapshot whose place is known: exact.
 *   MyISAM and the like (no consistent reads)   one piece under LOCK TABLES ... READ for the length
 *              of the copy: exact, at the price of keeping writers out. There is no other way.
 *
 * Threads: open, tables, release, close: the coordinator. A reader belongs to its thread. high may
 * come from any: the control connection and the marks are guarded by a mutex.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_SNAPSHOT_H
#define MR_SOURCE_MYSQL_MYSQL_SNAPSHOT_H

#include <pthread.h>

#include "mysql_barrier.h"
#include "mysql_connection.h"
#include "mysql_info.h"
#include "mysql_pieces.h"
#include "mysql_server.h"
#include "source.h"
#include "table_layout.h"

/** What is known of a table beyond what the pipeline is told. */
struct mr_mysql_snapshot_part {
    struct mr_mysql_layout *layout;
    struct mr_mysql_pieces pieces;
    char plan[MR_MYSQL_PLAN_BYTES_MAX];   /* the pieces as a text */
    struct mr_native_position exact_high; /* of an exact copy, once it has begun */
};

struct mr_snapshot {
    struct mr_source_context context;
    const struct mr_mysql_config *config;
    const struct mr_mysql_endpoint *endpoint;
    uint64_t generation; /* of places, as the stream counts (binlog_stream.h) */
    struct mr_mysql_list list;
    struct mr_snapshot_table *tables;
    struct mr_mysql_snapshot_part *parts; /* as tables[] */
    uint32_t table_count;
    pthread_mutex_t mutex;               /* guards what follows, and parts[].exact_high */
    struct mr_mysql_connection *control; /* NULL while it is lost */
};

struct mr_snapshot *mr_mysql_snapshot_open(const struct mr_source_context *context,
                                           bool tables_wanted, const struct mr_position *existing,
                                           struct mr_position *start, struct mr_error *err);
const struct mr_snapshot_table *mr_mysql_snapshot_tables(struct mr_snapshot *snapshot,
                                                         uint32_t *count);
void mr_mysql_snapshot_release(struct mr_snapshot *snapshot);
bool mr_mysql_snapshot_high(struct mr_snapshot *snapshot, uint32_t table,
                            struct mr_native_position *high, struct mr_error *err);
void mr_mysql_snapshot_close(struct mr_snapshot *snapshot);

struct mr_snapshot_reader *mr_mysql_snapshot_reader_open(struct mr_snapshot *snapshot,
                                                         struct mr_error *err);
bool mr_mysql_snapshot_reader_begin(struct mr_snapshot_reader *reader, uint32_t table,
                                    uint32_t piece, struct mr_error *err);
enum mr_next mr_mysql_snapshot_reader_next(struct mr_snapshot_reader *reader,
                                           struct mr_batch *batch, struct mr_error *err);
void mr_mysql_snapshot_reader_close(struct mr_snapshot_reader *reader);

/** As mr_mysql_place_native(), in the order of the stream's places. */
bool mr_mysql_snapshot_native(const struct mr_snapshot *snapshot,
                              const struct mr_mysql_place *place, struct mr_native_position *native,
                              struct mr_error *err) MR_MUST_CHECK;

/** The control connection, opened again if it was lost; the mutex is held. NULL on failure. */
struct mr_mysql_connection *mr_mysql_snapshot_control(struct mr_snapshot *snapshot,
                                                      struct mr_error *err);

#endif
