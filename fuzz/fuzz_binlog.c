// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: a binlog file as the server writes it (magic number, events). Sizes in the
 * headers, and checksums, are made right first, so that mutations reach the decoders; the first
 * byte's lowest bits say whose server it is, and whether events have checksums. Whatever comes out
 * is printed cell by cell; whatever does not fails with a code and a message, and leaves whole
 * transactions. Table definitions are made up for tables whose map has no names.
 * Corpus: corpus/binlog.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "binlog_stream.h"
#include "crc32c.h"
#include "event_header.h"

#define BATCH_BYTES  (UINT64_C(4) << 20)
#define EVENTS_MAX   2000
#define TARGET_BYTES 4096

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_captured(void *context, const char *space, const char *table)
{
    (void)context;
    (void)space;
    return table[0] != 'o';
}

static const struct mr_mysql_table_info *table_info(void *context, const char *space,
                                                    const char *table, struct mr_error *err)
{
    static const struct mr_mysql_column_info columns[] = {
        {.name = "a", .column_type = "int"},
        {.name = "b", .column_type = "varchar(10)", .charset = "utf8mb4"},
        {.name = "c", .column_type = "int", .nullable = true}};
    static const uint16_t key[] = {1, 0};
    static const struct mr_mysql_table_info info = {.space = "golden",
                                                    .table = "keyed",
                                                    .columns = columns,
                                                    .key = key,
                                                    .column_count = 3,
                                                    .key_count = 2};
    (void)context;
    (void)space;
    if (table[0] == 'k') {
        return &info;
    }
    (void)mr_fail(err, MR_E_SOURCE, MR_STOP, "no such table");
    return NULL;
}

static void print_all(const struct mr_batch *batch)
{
    char text[256];
    uint32_t rows = 0;
    for (uint32_t i = 0; i < batch->chunk_count; i++) {
        const struct mr_chunk *chunk = batch->chunks[i];
        for (uint32_t row = 0; row < chunk->row_count; row++) {
            for (uint16_t j = 0; j < chunk->column_count; j++) {
                (void)mr_cell_print(mr_chunk_column(chunk, j), &chunk->columns[j], row, text,
                                    sizeof(text));
            }
        }
    }
    for (uint32_t i = 0; i < batch->event_count; i++) {
        rows += batch->events[i].kind == MR_EVENT_TRUNCATE ? 0 : batch->events[i].count;
    }
    assert(rows == batch->row_count);
}

/** Feeds one event, in as many batches as it takes; false when the stream has failed. */
static bool feed(struct mr_binlog_stream *stream, struct mr_slice event, struct mr_batch *batch)
{
    for (;;) {
        struct mr_error err = {0};
        const enum mr_binlog_fed fed = mr_binlog_feed(stream, event, batch, &err);
        if (fed != MR_BINLOG_DONE || mr_binlog_may_hand_on(stream, batch)) {
            struct mr_error ignored = {0};
            assert(mr_binlog_finish_batch(stream, batch, &ignored));
            print_all(batch);
            mr_batch_clear(batch);
        }
        if (fed == MR_BINLOG_AGAIN) {
            assert(mr_binlog_wanted(stream).file != NULL);
            return false;
        }
        if (fed == MR_BINLOG_ERROR) {
            assert(err.code != MR_OK && err.message[0] != '\0');
            return false;
        }
        if (fed == MR_BINLOG_DONE) {
            return true;
        }
    }
}

static void feed_file(struct mr_binlog_stream *stream, uint8_t *bytes, size_t size,
                      struct mr_batch *batch)
{
    size_t at = MR_BINLOG_OFFSET_FIRST;
    for (int i = 0; i < EVENTS_MAX && size > at && size - at >= MR_BINLOG_HEADER_SIZE; i++) {
        uint32_t length;
        memcpy(&length, bytes + at + 9, sizeof(length));
        if (length < MR_BINLOG_HEADER_SIZE || length > size - at) {
            length = (uint32_t)(size - at);
            memcpy(bytes + at + 9, &length, sizeof(length));
        }
        if ((bytes[0] & 2) != 0 && length >= MR_BINLOG_HEADER_SIZE + MR_BINLOG_CHECKSUM_SIZE) {
            const uint32_t crc = mr_crc32(0, bytes + at, length - MR_BINLOG_CHECKSUM_SIZE);
            memcpy(bytes + at + length - MR_BINLOG_CHECKSUM_SIZE, &crc, sizeof(crc));
        }
        if (!feed(stream, (struct mr_slice){bytes + at, length}, batch)) {
            return;
        }
        at += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_error err = {0};
    if (size < MR_BINLOG_OFFSET_FIRST || size > (1 << 20)) {
        return 0;
    }
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_batch_pool *pool = mr_batch_pool_open(1, BATCH_BYTES, BATCH_BYTES, &err);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    const struct mr_binlog_options options = {
        .callbacks = {NULL, is_captured, table_info},
        .terms = {.catalog = catalog},
        .value_bytes_max = 65536,
        .target_bytes = TARGET_BYTES,
        .is_maria = (data[0] & 1) != 0, /* the magic number's first byte is even */
        .epoch = "fuzz",
        .file = "mysql-bin.000001",
        .offset = 4,
        .gtids = "",
    };
    struct mr_binlog_stream *stream = mr_binlog_stream_open(&options, &err);
    uint8_t *copy = malloc(size);
    assert(copy != NULL && stream != NULL);
    memcpy(copy, data, size);
    feed_file(stream, copy, size, batch);
    free(copy);
    mr_binlog_stream_close(stream);
    mr_batch_release(batch);
    mr_batch_pool_close(pool);
    mr_catalog_close(catalog);
    return 0;
}
