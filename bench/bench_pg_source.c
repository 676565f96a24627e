// SPDX-License-Identifier: MIT
/*
 * bench_pg_source.c - how fast the PostgreSQL source alone is: no stream, no sink.
 *
 *   bench_pg_source stream ROWS option=value...    follows the slot until ROWS rows came
 *   bench_pg_source copy option=value...           copies every table that matches, one reader
 *
 * The slot of `stream` must exist and is not moved (nothing is acknowledged), so that a run can be
 * repeated. Prints rows/s and the CPU seconds of this process. The figures in
 * src/source/postgres/README.md come from here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "postgres_source.h"

#define POOL_BATCHES 4
#define BATCH_BYTES  (UINT32_C(64) << 20)
#define KEPT_BYTES   (UINT32_C(8) << 20)
#define TARGET_BYTES (UINT32_C(2) << 20)
#define WAIT_MS      1000

struct bench {
    struct mr_source_context context;
    struct mr_batch_pool *pool;
    uint64_t rows;
    uint64_t batches;
    uint64_t start_ns;
};

static double cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(const struct bench *bench, const char *what)
{
    const uint64_t now_ns = mr_env_posix.monotonic_ns(&mr_env_posix);
    const double seconds = (double)(now_ns - bench->start_ns) / 1e9;
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("%s: %" PRIu64 " rows in %.2f s, %.0f rows/s, %" PRIu64
                 " batches, CPU %.2f s (user %ld ms), peak %ld MiB\n",
                 what, bench->rows, seconds, (double)bench->rows / seconds, bench->batches,
                 cpu_seconds(), (long)usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000,
                 usage.ru_maxrss / 1024);
}

static bool run_stream(struct bench *bench, uint64_t rows_wanted, struct mr_error *err)
{
    struct mr_position start = {0};
    struct mr_snapshot *point =
        mr_source_postgres.snapshot_open(&bench->context, false, NULL, &start, err);
    if (point == NULL) {
        return false;
    }
    mr_source_postgres.snapshot_close(point);
    struct mr_source *source = mr_source_postgres.open(&bench->context, &start, err);
    mr_position_done(&start);
    if (source == NULL) {
        return false;
    }
    bench->start_ns = mr_env_posix.monotonic_ns(&mr_env_posix);
    enum mr_next next = MR_NEXT_IDLE;
    while (bench->rows < rows_wanted && next != MR_NEXT_ERROR) {
        struct mr_batch *batch = mr_batch_take(bench->pool, WAIT_MS);
        next = mr_source_postgres.next(source, batch, WAIT_MS, err);
        bench->rows += batch->row_count;
        bench->batches += next == MR_NEXT_BATCH;
        mr_batch_release(batch);
    }
    report(bench, "stream");
    mr_source_postgres.close(source);
    return next != MR_NEXT_ERROR;
}

static bool copy_piece(struct bench *bench, struct mr_snapshot_reader *reader, struct mr_error *err)
{
    enum mr_next next = MR_NEXT_BATCH;
    while (next == MR_NEXT_BATCH) {
        struct mr_batch *batch = mr_batch_take(bench->pool, WAIT_MS);
        next = mr_source_postgres.reader_next(reader, batch, err);
        bench->rows += batch->row_count;
        bench->batches++;
        mr_batch_release(batch);
    }
    return next == MR_NEXT_END;
}

static bool run_copy(struct bench *bench, struct mr_error *err)
{
    struct mr_position start = {0};
    struct mr_snapshot *snapshot =
        mr_source_postgres.snapshot_open(&bench->context, true, NULL, &start, err);
    mr_position_done(&start);
    if (snapshot == NULL) {
        return false;
    }
    struct mr_snapshot_reader *reader = mr_source_postgres.reader_open(snapshot, err);
    mr_source_postgres.snapshot_release(snapshot);
    bench->start_ns = mr_env_posix.monotonic_ns(&mr_env_posix);
    uint32_t count = 0;
    const struct mr_snapshot_table *tables = mr_source_postgres.snapshot_tables(snapshot, &count);
    bool ok = reader != NULL;
    for (uint32_t i = 0; ok && i < count; i++) {
        for (uint32_t piece = 0; ok && piece < tables[i].piece_count; piece++) {
            ok = mr_source_postgres.reader_begin(reader, i, piece, err) &&
                 copy_piece(bench, reader, err);
        }
    }
    report(bench, "copy");
    mr_source_postgres.reader_close(reader);
    mr_source_postgres.snapshot_close(snapshot);
    return ok;
}

static bool read_options(char **arguments, void *config, struct mr_option_memory *memory,
                         struct mr_error *err)
{
    if (!mr_options_defaults(mr_source_postgres.options, config, memory, err)) {
        return false;
    }
    for (char **argument = arguments; *argument != NULL; argument++) {
        char *value = strchr(*argument, '=');
        if (value == NULL) {
            return mr_fail(err, MR_E_CONFIG, MR_STOP, "not option=value: %s", *argument);
        }
        *value++ = '\0';
        if (!mr_options_set(mr_source_postgres.options, config, memory, *argument, NULL, value,
                            err)) {
            return false;
        }
    }
    return mr_source_postgres.check_config(config, memory, err);
}

int main(int argc, char **argv)
{
    struct mr_error err = {0};
    struct mr_option_memory memory = {0};
    const bool is_stream = argc > 2 && strcmp(argv[1], "stream") == 0;
    if (!is_stream && (argc < 2 || strcmp(argv[1], "copy") != 0)) {
        (void)fprintf(stderr, "usage: %s stream ROWS|copy option=value...\n", argv[0]);
        return 2;
    }
    void *config = calloc(1, mr_source_postgres.config_size);
    struct bench bench = {.pool = mr_batch_pool_open(POOL_BATCHES, BATCH_BYTES, KEPT_BYTES, &err)};
    bench.context = (struct mr_source_context){
        .pipeline = "bench",
        .name = "postgres",
        .config = config,
        .env = &mr_env_posix,
        .catalog = mr_catalog_open(),
        .target_bytes = TARGET_BYTES,
        .value_bytes_max = BATCH_BYTES / 4,
        .wait_ms_max = 10000,
    };
    const bool ok = bench.pool != NULL && config != NULL &&
                    read_options(argv + (is_stream ? 3 : 2), config, &memory, &err) &&
                    (is_stream ? run_stream(&bench, strtoull(argv[2], NULL, 10), &err)
                               : run_copy(&bench, &err));
    if (!ok) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    mr_catalog_close(bench.context.catalog);
    mr_batch_pool_close(bench.pool);
    mr_options_free(&memory);
    free(config);
    return ok ? 0 : 1;
}
