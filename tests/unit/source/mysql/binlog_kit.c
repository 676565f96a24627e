// SPDX-License-Identifier: MIT
/*
 * binlog_kit.c - see binlog_kit.h.
 */
#include "binlog_kit.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

#define KIT_BATCH_BYTES (UINT64_C(32) << 20)
#define KIT_VALUE_MAX   1000

static bool is_captured(void *context, const char *space, const char *table)
{
    const struct binlog_kit *kit = context;
    char word[80];
    if (kit->captures != NULL) {
        (void)snprintf(word, sizeof(word), " %s ", table);
        return strcmp(space, "db") == 0 && strstr(kit->captures, word) != NULL;
    }
    return !kit->captures_nothing && strcmp(space, "db") == 0 && strcmp(table, "t") == 0;
}

static const struct mr_mysql_table_info *table_info(void *context, const char *space,
                                                    const char *table, struct mr_error *err)
{
    const struct binlog_kit *kit = context;
    if (kit->info.column_count == 0) {
        (void)mr_fail(err, MR_E_SOURCE, MR_STOP, "there is no table \"%s\".\"%s\"", space, table);
        return NULL;
    }
    return &kit->info;
}

void kit_open(struct binlog_kit *kit, const char *gtids, uint64_t target_bytes)
{
    kit->columns[0] = (struct mr_mysql_column_info){.name = "id", .column_type = "int"};
    kit->columns[1] = (struct mr_mysql_column_info){
        .name = "v", .column_type = "varchar(10)", .charset = "utf8mb4", .nullable = true};
    kit->info = (struct mr_mysql_table_info){.space = "db",
                                             .table = "t",
                                             .columns = kit->columns,
                                             .key = kit->key,
                                             .column_count = 2,
                                             .key_count = 1};
    kit->catalog = mr_catalog_open();
    kit->pool = mr_batch_pool_open(1, KIT_BATCH_BYTES, 0, &kit->err);
    assert_non_null(kit->pool);
    kit->batch = mr_batch_take(kit->pool, 0);
    mr_writer_init(&kit->event, 1 << 24);
    kit->log_pos = 4;
    const struct mr_binlog_options options = {
        .callbacks = {kit, is_captured, table_info},
        .terms = {.catalog = kit->catalog},
        .value_bytes_max = KIT_VALUE_MAX,
        .target_bytes = target_bytes,
        .is_maria = kit->is_maria,
        .epoch = "epoch",
        .file = "mysql-bin.000003",
        .offset = 4,
        .gtids = gtids,
    };
    kit->stream = mr_binlog_stream_open(&options, &kit->err);
    assert_non_null(kit->stream);
}

void kit_close(struct binlog_kit *kit)
{
    mr_binlog_stream_close(kit->stream);
    mr_batch_release(kit->batch);
    mr_batch_pool_close(kit->pool);
    mr_catalog_close(kit->catalog);
    mr_writer_done(&kit->event);
}

void kit_begin(struct binlog_kit *kit, uint8_t type, uint16_t flags)
{
    mr_writer_reset(&kit->event);
    mr_write_u32_le(&kit->event, 1700000000);
    mr_write_u8(&kit->event, type);
    mr_write_u32_le(&kit->event, 9); /* server id */
    mr_write_u32_le(&kit->event, 0); /* size */
    mr_write_u32_le(&kit->event, 0); /* end */
    mr_write_u16_le(&kit->event, flags);
}

enum mr_binlog_fed kit_feed_again(struct binlog_kit *kit)
{
    kit->err = (struct mr_error){0};
    const enum mr_binlog_fed fed = mr_binlog_feed(
        kit->stream, (struct mr_slice){kit->event.bytes, kit->event.length}, kit->batch, &kit->err);
    assert_int_equal(fed == MR_BINLOG_ERROR, kit->err.code != MR_OK && fed != MR_BINLOG_MORE);
    return fed;
}

enum mr_binlog_fed kit_feed(struct binlog_kit *kit)
{
    const uint32_t size = (uint32_t)kit->event.length;
    kit->log_pos += size;
    memcpy(kit->event.bytes + 9, &size, sizeof(size));
    memcpy(kit->event.bytes + 13, &kit->log_pos, sizeof(kit->log_pos));
    return kit_feed_again(kit);
}

enum mr_binlog_fed kit_gtid(struct binlog_kit *kit, uint64_t number, uint64_t commit_us)
{
    kit_begin(kit, MR_BINLOG_GTID, 0);
    mr_write_u8(&kit->event, 1);
    for (int i = 0; i < 16; i++) {
        mr_write_u8(&kit->event, 0xab);
    }
    mr_write_u64_le(&kit->event, number);
    mr_write_u8(&kit->event, 2);
    mr_write_u64_le(&kit->event, number - 1);
    mr_write_u64_le(&kit->event, number);
    mr_write_bytes(&kit->event, &commit_us, 7);
    return kit_feed(kit);
}

enum mr_binlog_fed kit_maria_gtid(struct binlog_kit *kit, uint64_t sequence, bool standalone)
{
    kit_begin(kit, MR_BINLOG_MARIA_GTID, 0);
    mr_write_u64_le(&kit->event, sequence);
    mr_write_u32_le(&kit->event, 3); /* domain */
    mr_write_u8(&kit->event, standalone ? 1 : 0);
    mr_write_bytes(&kit->event, "\0\0\0\0\0", 6);
    return kit_feed(kit);
}

enum mr_binlog_fed kit_query(struct binlog_kit *kit, const char *text)
{
    kit_begin(kit, MR_BINLOG_QUERY, 0);
    mr_write_u64_le(&kit->event, 0);
    mr_write_u8(&kit->event, 2);
    mr_write_u32_le(&kit->event, 0);
    mr_write_bytes(&kit->event, "db", 3);
    mr_write_bytes(&kit->event, text, strlen(text));
    return kit_feed(kit);
}

enum mr_binlog_fed kit_table_map(struct binlog_kit *kit)
{
    /* Types int and varchar of 40 bytes; v may be NULL; then signs, charset, and for FULL names and
     * the key. */
    static const char columns[] = "\2\3\x0f\2\x28\0\2";
    static const char plain[] = "\1\1\0\2\1\x2d";
    static const char full[] = "\4\5\2id\1v\x08\1\0";
    kit_begin(kit, MR_BINLOG_TABLE_MAP, 0);
    mr_write_u32_le(&kit->event, KIT_TABLE_ID);
    mr_write_u32_le(&kit->event, 0);
    mr_write_bytes(&kit->event, "\2db\0\1t", 7);
    mr_write_bytes(&kit->event, columns, sizeof(columns) - 1);
    mr_write_bytes(&kit->event, plain, sizeof(plain) - 1);
    if (!kit->plain_map) {
        mr_write_bytes(&kit->event, full, sizeof(full) - 1);
    }
    return kit_feed(kit);
}

void kit_rows_head(struct binlog_kit *kit, uint8_t type)
{
    kit_begin(kit, type, 0);
    mr_write_u32_le(&kit->event, KIT_TABLE_ID);
    mr_write_u16_le(&kit->event, 0);
    mr_write_u16_le(&kit->event, 1); /* the statement's last */
    if (type >= MR_BINLOG_WRITE_ROWS) {
        mr_write_u16_le(&kit->event, 2);
    }
    mr_write_u8(&kit->event, 2);
    mr_write_u8(&kit->event, 3);
    if (type == MR_BINLOG_UPDATE_ROWS || type == MR_BINLOG_UPDATE_ROWS_V1) {
        mr_write_u8(&kit->event, 3);
    }
}

void kit_image(struct binlog_kit *kit, int32_t id, const char *v)
{
    mr_write_u8(&kit->event, v == NULL ? 2 : 0);
    mr_write_u32_le(&kit->event, (uint32_t)id);
    if (v != NULL) {
        mr_write_u8(&kit->event, (uint8_t)strlen(v));
        mr_write_bytes(&kit->event, v, strlen(v));
    }
}

enum mr_binlog_fed kit_insert(struct binlog_kit *kit, int32_t first_id, int32_t count)
{
    kit_rows_head(kit, MR_BINLOG_WRITE_ROWS);
    for (int32_t i = 0; i < count; i++) {
        kit_image(kit, first_id + i, "abc");
    }
    return kit_feed(kit);
}

enum mr_binlog_fed kit_xid(struct binlog_kit *kit)
{
    kit_begin(kit, MR_BINLOG_XID, 0);
    mr_write_u64_le(&kit->event, 1);
    return kit_feed(kit);
}

void kit_transaction(struct binlog_kit *kit, uint64_t number, int32_t first_id, int32_t count)
{
    assert_int_equal(kit_gtid(kit, number, number * 1000), MR_BINLOG_DONE);
    assert_int_equal(kit_query(kit, "BEGIN"), MR_BINLOG_DONE);
    assert_int_equal(kit_table_map(kit), MR_BINLOG_DONE);
    assert_int_equal(kit_insert(kit, first_id, count), MR_BINLOG_DONE);
    assert_int_equal(kit_xid(kit), MR_BINLOG_DONE);
}

const char *kit_finish(struct binlog_kit *kit)
{
    static char text[4096];
    assert_true(mr_binlog_finish_batch(kit->stream, kit->batch, &kit->err));
    (void)snprintf(text, sizeof(text), "%.*s", (int)kit->batch->position.length,
                   kit->batch->position.length == 0 ? ""
                                                    : (const char *)kit->batch->position.bytes);
    return text;
}
