// SPDX-License-Identifier: MIT
/*
 * binlog_kit.h - makes binlog events by hand, and feeds them to a stream, for tests.
 *
 * The kit's one table is "db"."t": id int primary key, v varchar(10) utf8mb4, with names in the
 * table map (binlog_row_metadata=FULL) unless `plain_map` is set.
 */
#ifndef MR_TESTS_UNIT_SOURCE_MYSQL_BINLOG_KIT_H
#define MR_TESTS_UNIT_SOURCE_MYSQL_BINLOG_KIT_H

#include "batch.h"
#include "binlog_stream.h"
#include "event_header.h"
#include "writer.h"

#define KIT_TABLE_ID 77

struct binlog_kit {
    struct mr_catalog *catalog;
    struct mr_batch_pool *pool;
    struct mr_batch *batch;
    struct mr_binlog_stream *stream;
    struct mr_writer event;
    struct mr_error err;
    struct mr_mysql_table_info info; /* what table_info answers; column_count 0: no such table */
    struct mr_mysql_column_info columns[4];
    uint16_t key[4];
    uint32_t log_pos;     /* end of the last event */
    const char *captures; /* " t u ": tables of db; NULL: t alone */
    bool is_maria;
    bool plain_map;
    bool captures_nothing;
};

/** Opens a stream at mysql-bin.000003:4; options of note may be changed in between. */
void kit_open(struct binlog_kit *kit, const char *gtids, uint64_t target_bytes);
void kit_close(struct binlog_kit *kit);

/** Starts an event; append its body to kit->event, then kit_feed(). */
void kit_begin(struct binlog_kit *kit, uint8_t type, uint16_t flags);

/** Fills in sizes and feeds the event made; a made-up position when log_pos is UINT32_MAX. */
enum mr_binlog_fed kit_feed(struct binlog_kit *kit);

/** Feeds the event made last once more (after MORE). */
enum mr_binlog_fed kit_feed_again(struct binlog_kit *kit);

/* Whole events; each returns what feeding gave. */
enum mr_binlog_fed kit_gtid(struct binlog_kit *kit, uint64_t number, uint64_t commit_us);
enum mr_binlog_fed kit_maria_gtid(struct binlog_kit *kit, uint64_t sequence, bool standalone);
enum mr_binlog_fed kit_query(struct binlog_kit *kit, const char *text);
enum mr_binlog_fed kit_table_map(struct binlog_kit *kit);
enum mr_binlog_fed kit_insert(struct binlog_kit *kit, int32_t first_id, int32_t count);
enum mr_binlog_fed kit_xid(struct binlog_kit *kit);

/** GTID, BEGIN, map, rows, XID: a whole transaction, all DONE. */
void kit_transaction(struct binlog_kit *kit, uint64_t number, int32_t first_id, int32_t count);

/** The head of a rows event: table id, flags, extra, columns, bitmap(s). */
void kit_rows_head(struct binlog_kit *kit, uint8_t type);

/** One row image: id and v (NULL: SQL's NULL). */
void kit_image(struct binlog_kit *kit, int32_t id, const char *v);

/** Finishes the batch and returns its position as text (static storage). */
const char *kit_finish(struct binlog_kit *kit);

#endif
