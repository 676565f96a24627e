// SPDX-License-Identifier: MIT
/*
 * bench_stream_log.c - what the log costs: not a test, run by hand.
 *
 *   bench_stream_log [none|lz4|zstd]      in the working directory, on its real disk
 *
 * Rows are like the parking example's payments, nine columns, about 100 bytes. Printed: the bulk
 * path (batches of about 2 MiB, one sync each), reading it back from the segments, and the latency
 * of append + sync of one row beside that of a bare fdatasync.
 */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "encoder.h"
#include "log_fixture.h"

#define ROWS        1000000
#define BATCH_BYTES ((size_t)2 << 20)
#define SMALL_COUNT 2000

static const struct mr_column columns[] = {
    {.name = "id", .type = MR_TYPE_I64, .key_index = 0},
    {.name = "ticket", .type = MR_TYPE_TEXT, .key_index = MR_NOT_IN_KEY},
    {.name = "plate", .type = MR_TYPE_TEXT, .key_index = MR_NOT_IN_KEY},
    {.name = "vehicle", .type = MR_TYPE_I16, .key_index = MR_NOT_IN_KEY},
    {.name = "gate", .type = MR_TYPE_I32, .key_index = MR_NOT_IN_KEY},
    {.name = "method", .type = MR_TYPE_TEXT, .key_index = MR_NOT_IN_KEY},
    {.name = "amount",
     .type = MR_TYPE_DECIMAL,
     .precision = 12,
     .scale = 2,
     .key_index = MR_NOT_IN_KEY},
    {.name = "paid_at", .type = MR_TYPE_TIMESTAMP, .key_index = MR_NOT_IN_KEY},
    {.name = "note", .type = MR_TYPE_TEXT, .nullable = true, .key_index = MR_NOT_IN_KEY},
};

static double wall_s(void)
{
    return (double)mr_env_posix.monotonic_ns(&mr_env_posix) / 1e9;
}

static double cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put_row(struct mr_batch *batch, const struct mr_schema *schema, uint64_t i)
{
    static const char *const methods[] = {"cash", "card", "qris", "e-wallet", "member"};
    struct mr_error err = {0};
    uint16_t index = 0;
    char text[40];
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
    assert_non_null(chunk);
    const uint32_t row = chunk->row_count;
    const uint64_t mixed = (i * UINT64_C(0x9e3779b97f4a7c15)) >> 20;
    mr_put_i64(&chunk->columns[0], row, (int64_t)i);
    int length = snprintf(text, sizeof(text), "T-2026-%010llu", (unsigned long long)(i + 77));
    (void)mr_put_bytes(&chunk->columns[1], &batch->arena, row, text, (size_t)length);
    length = snprintf(text, sizeof(text), "B %04u %c%c", (unsigned)(mixed % 9999),
                      (char)('A' + mixed % 26), (char)('A' + mixed / 26 % 26));
    (void)mr_put_bytes(&chunk->columns[2], &batch->arena, row, text, (size_t)length);
    mr_put_i16(&chunk->columns[3], row, (int16_t)(mixed % 4));
    mr_put_i32(&chunk->columns[4], row, (int32_t)(mixed % 37));
    const char *method = methods[mixed % MR_ARRAY_LEN(methods)];
    (void)mr_put_bytes(&chunk->columns[5], &batch->arena, row, method, strlen(method));
    mr_put_i64(&chunk->columns[6], row, (int64_t)(mixed % 50) * 50000);
    mr_put_i64(&chunk->columns[7], row, INT64_C(1700000000000000) + (int64_t)i * 1037);
    mr_put_null(&chunk->columns[8], row);
    const uint16_t at = mr_chunk_end_row(chunk);
    assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, index, at, MR_NO_CHUNK, 0, &err));
}

/* Transactions of 1,000 rows until the batch is full; returns rows in it. */
static uint64_t fill(struct mr_batch *batch, const struct mr_schema *schema, uint64_t first,
                     size_t bytes_max, uint64_t rows_a_transaction)
{
    struct mr_error err = {0};
    uint64_t rows = 0;
    struct mr_native_position end = {0};
    while (rows == 0 || mr_batch_bytes(batch) < bytes_max) {
        assert_true(mr_batch_begin(batch, first + rows, 0, &err));
        for (uint64_t i = 0; i < rows_a_transaction; i++) {
            put_row(batch, schema, first + rows);
            rows++;
        }
        end.major = first + rows;
        mr_batch_commit(batch, end, 1);
    }
    assert_true(
        mr_batch_set_position(batch, mr_slice_of("e"), mr_slice_of("0/16B3748"), end, &err));
    return rows;
}

static const struct mr_schema *intern(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    const struct mr_schema draft = {.space = "parking",
                                    .table = "payment",
                                    .columns = columns,
                                    .column_count = MR_ARRAY_LEN(columns)};
    return mr_catalog_intern(fixture->catalog, &draft, &err);
}

static void bench_bulk(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    const struct mr_schema *schema = intern(fixture);
    struct mr_stream_observation seen;
    double append_wall = 0;
    double append_cpu = 0;
    double sync_wall = 0;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    while (rows < ROWS) {
        struct mr_batch *batch = log_fixture_take(fixture);
        rows += fill(batch, schema, rows, BATCH_BYTES, 1000);
        bytes += mr_batch_bytes(batch);
        double wall = wall_s();
        double cpu = cpu_s();
        assert_true(fixture->ops->append(fixture->stream, batch, &err));
        append_wall += wall_s() - wall;
        append_cpu += cpu_s() - cpu;
        wall = wall_s();
        cpu = cpu_s();
        assert_true(fixture->ops->sync(fixture->stream, &err));
        sync_wall += wall_s() - wall;
        append_cpu += cpu_s() - cpu;
        mr_batch_release(batch);
    }
    fixture->ops->observe(fixture->stream, &seen);
    const double millions = (double)rows / 1e6;
    print_message("append+sync  %.2f M rows, %.1f MB in arenas, %.1f MB written\n", millions,
                  (double)bytes / 1e6, (double)seen.written_bytes / 1e6);
    print_message("  append     %.3f s wall, %.2f GB/s of arena, %.3f CPU s a million rows\n",
                  append_wall, (double)bytes / 1e9 / append_wall, append_cpu / millions);
    print_message("  fdatasync  %.3f s wall in %llu calls\n", sync_wall,
                  (unsigned long long)seen.sync_count);

    const double wall = wall_s();
    const double cpu = cpu_s();
    struct mr_stream_reader *reader = fixture->ops->reader_open(fixture->stream, 1, &err);
    struct mr_batch *batch = NULL;
    uint64_t read = 0;
    while ((batch = fixture->ops->reader_next(reader, 0, &err)) != NULL) {
        read += batch->row_count;
        mr_batch_release(batch);
    }
    assert_int_equal(read, rows);
    fixture->ops->reader_close(reader);
    print_message("read back    %.3f s wall, %.2f GB/s of arena, %.3f CPU s a million rows\n",
                  wall_s() - wall, (double)bytes / 1e9 / (wall_s() - wall),
                  (cpu_s() - cpu) / millions);
}

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void print_latency(const char *what, double *us)
{
    qsort(us, SMALL_COUNT, sizeof(*us), compare_doubles);
    print_message("%-12s p50 %.0f us, p99 %.0f us, max %.0f us\n", what, us[SMALL_COUNT / 2],
                  us[SMALL_COUNT * 99 / 100], us[SMALL_COUNT - 1]);
}

/* One row a batch, appended, synced and read by a reader that keeps up. */
static void bench_small(struct log_fixture *fixture)
{
    static double whole[SMALL_COUNT];
    static double bare[SMALL_COUNT];
    static double append[SMALL_COUNT];
    struct mr_error err = {0};
    const struct mr_schema *schema = intern(fixture);
    struct mr_stream_observation seen;
    fixture->ops->observe(fixture->stream, &seen);
    struct mr_stream_reader *reader =
        fixture->ops->reader_open(fixture->stream, seen.last_sequence + 1, &err);
    static uint8_t bytes[512];
    const int fd = openat(fixture->data_dir_fd, "bare", O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0 && posix_fallocate(fd, 0, 4 << 20) == 0 && fsync(fd) == 0);
    for (int i = 0; i < SMALL_COUNT; i++) {
        struct mr_batch *batch = log_fixture_take(fixture);
        (void)fill(batch, schema, (uint64_t)i, 0, 1);
        double start = wall_s();
        assert_true(fixture->ops->append(fixture->stream, batch, &err));
        append[i] = (wall_s() - start) * 1e6;
        assert_true(fixture->ops->sync(fixture->stream, &err));
        struct mr_batch *got = fixture->ops->reader_next(reader, 0, &err);
        whole[i] = (wall_s() - start) * 1e6;
        assert_ptr_equal(got, batch);
        mr_batch_release(got);
        mr_batch_release(batch);
        start = wall_s();
        assert_true(pwrite(fd, bytes, sizeof(bytes), (off_t)i * 512) == sizeof(bytes));
        assert_int_equal(fdatasync(fd), 0);
        bare[i] = (wall_s() - start) * 1e6;
    }
    (void)close(fd);
    (void)unlinkat(fixture->data_dir_fd, "bare", 0);
    fixture->ops->reader_close(reader);
    print_latency("one row", whole);
    print_latency("  append", append);
    print_latency("bare sync", bare);
}

int main(int argc, char **argv)
{
    struct log_fixture fixture;
    struct mr_error err = {0};
    log_fixture_init_real(&fixture);
    fixture.config.segment_bytes_max = UINT64_C(64) << 20;
    fixture.config.compression = MR_CODEC_LZ4;
    if (argc > 1) {
        fixture.config.compression = strcmp(argv[1], "none") == 0   ? MR_CODEC_NONE
                                     : strcmp(argv[1], "zstd") == 0 ? MR_CODEC_ZSTD
                                                                    : MR_CODEC_LZ4;
    }
    fixture.tail_bytes_max = UINT64_C(32) << 20;
    if (!log_fixture_open(&fixture, &err)) {
        print_error("%s\n", err.message);
        return 1;
    }
    bench_bulk(&fixture);
    bench_small(&fixture);
    log_fixture_done(&fixture);
    return 0;
}
