// SPDX-License-Identifier: MIT
/*
 * bench_duckdb_sink.c - what the DuckDB sink costs, without a source and a stream before it.
 *
 *   bench_duckdb_sink DIR insert ROWS          50,000-row commits, beside a bare appender loop
 *   bench_duckdb_sink DIR commits ROWS RATE S  ROWS-row commits at RATE a second, checkpoints on
 *   bench_duckdb_sink DIR updates TABLE_ROWS   updates of recent and of spread keys
 *   bench_duckdb_sink DIR huge ROWS SCRIPT     transactions of any size: i insert, u update, d
 *                                              delete all ROWS, s update and x delete every
 *                                              2,000th of them, . commit ("i.u.d." or "iud.")
 *
 * Further arguments NAME=VALUE are options of the sink ("threads=1").
 *
 * Nine parking columns. Prints one line a measurement; times in milliseconds, RSS in MiB.
 */
#include <duckdb.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "cells.h"
#include "duckdb_sink.h"
#include "sink.h"

#define BATCH_ROWS  50000
#define SAMPLES_MAX 200000
#define TRANSACTION 1000
#define HUGE_BATCH  UINT64_C(20000)
#define HUGE_STEP   2000 /* about one row of each block */

extern const struct mr_sink_ops mr_sink_duckdb;

struct bench {
    struct mr_sink *sink;
    struct mr_duckdb_config config;
    struct mr_option_memory memory;
    struct mr_catalog *catalog;
    struct mr_batch_pool *pool;
    const struct mr_schema *schema;
    uint64_t sequence;
    struct mr_error err;
    char path[256];
};

static double samples[SAMPLES_MAX];
static double cpu_seconds; /* of the process, inside run_batch() */
static const char *const kinds[] = {"car", "motorcycle", "truck", "bus"};
static const char *const methods[] = {"cash", "card", "emoney", "qris"};

/* What the engine says it holds, by kind. */
static void print_memory(struct bench *bench)
{
    static const char sql[] = "SELECT string_agg(tag || ' ' || (memory_usage_bytes >> 20), ', ') "
                              "FROM duckdb_memory() WHERE memory_usage_bytes > 1048576";
    duckdb_result result;
    if (mr_warehouse_exec_keep(bench->sink->warehouse, sql, &result, &bench->err)) {
        char *text = duckdb_value_varchar(&result, 0, 0);
        (void)printf("  engine MiB: %s\n", text == NULL ? "none" : text);
        duckdb_free(text);
        duckdb_destroy_result(&result);
    }
}

static void die(struct bench *bench, const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", what, bench->err.message);
    if (bench->sink != NULL) {
        print_memory(bench);
    }
    exit(1);
}

static double now_s(void)
{
    return (double)mr_env_posix.monotonic_ns(&mr_env_posix) / 1e9;
}

static double cpu_s(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double rss_mib(const char *field)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    double kib = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            kib = strtod(line + strlen(field) + 1, NULL);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kib / 1024;
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void report(const char *what, size_t count)
{
    qsort(samples, count, sizeof(*samples), compare);
    (void)printf("%-34s n %-6zu p50 %.3f  p99 %.3f  max %.3f ms  cpu %.3f ms each  rss %.0f peak "
                 "%.0f\n",
                 what, count, samples[count / 2] * 1e3, samples[count * 99 / 100] * 1e3,
                 samples[count - 1] * 1e3, cpu_seconds / (double)count * 1e3, rss_mib("VmRSS"),
                 rss_mib("VmHWM"));
    cpu_seconds = 0;
    (void)fflush(stdout);
}

/* An argument "threads=1" is an option of the sink. */
static void set_options(struct bench *bench, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value != NULL) {
            *value = '\0';
            if (!mr_options_set(mr_sink_duckdb.options, &bench->config, &bench->memory, argv[i],
                                NULL, value + 1, &bench->err)) {
                die(bench, "options");
            }
            *value = '=';
        }
    }
}

static const struct mr_schema *payment_schema(struct bench *bench)
{
    const struct mr_column columns[] = {
        {.name = "id", .source_type = "bigint", .type = MR_TYPE_I64},
        {.name = "plate",
         .source_type = "varchar(16)",
         .type = MR_TYPE_TEXT,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "kind",
         .source_type = "varchar(16)",
         .type = MR_TYPE_TEXT,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "location",
         .source_type = "int",
         .type = MR_TYPE_I32,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "entered",
         .source_type = "datetime",
         .type = MR_TYPE_TIMESTAMP,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "left",
         .source_type = "datetime",
         .type = MR_TYPE_TIMESTAMP,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "method",
         .source_type = "varchar(16)",
         .type = MR_TYPE_TEXT,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "amount",
         .source_type = "decimal(12,2)",
         .type = MR_TYPE_DECIMAL,
         .precision = 12,
         .scale = 2,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
        {.name = "state",
         .source_type = "varchar(16)",
         .type = MR_TYPE_TEXT,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
    };
    const struct mr_schema draft = {.space = "parking",
                                    .table = "payment",
                                    .columns = columns,
                                    .column_count = MR_ARRAY_LEN(columns)};
    return mr_catalog_intern(bench->catalog, &draft, &bench->err);
}

static void open_bench(struct bench *bench, const char *dir, int argc, char **argv)
{
    static const char *const names[] = {"ops"};
    const struct mr_sink_context context = {
        .name = "warehouse",
        .config = &bench->config,
        .env = &mr_env_posix,
        .source_names = names,
        .source_count = 1,
        .memory_bytes = UINT64_C(128) << 20,
    };

    (void)snprintf(bench->path, sizeof(bench->path), "%s/bench.duckdb", dir);
    if (!mr_options_defaults(mr_sink_duckdb.options, &bench->config, &bench->memory, &bench->err)) {
        die(bench, "options");
    }
    set_options(bench, argc, argv);
    bench->config.path = bench->path;
    bench->sink = mr_sink_duckdb.open(&context, &bench->err);
    if (bench->sink == NULL) {
        die(bench, "open");
    }
    struct mr_sink_position position;
    if (!mr_sink_duckdb.position(bench->sink, 0, &position, &bench->err)) {
        die(bench, "position");
    }
    bench->sequence = position.sequence + 1;
    bench->catalog = mr_catalog_open();
    bench->schema = payment_schema(bench);
    bench->pool = mr_batch_pool_open(8, (size_t)64 << 20, (size_t)8 << 20, &bench->err);
    if (bench->schema == NULL || bench->pool == NULL) {
        die(bench, "set up");
    }
}

static void close_bench(struct bench *bench)
{
    mr_sink_duckdb.close(bench->sink);
    mr_batch_pool_close(bench->pool);
    mr_catalog_close(bench->catalog);
    mr_options_free(&bench->memory);
}

static void put_text(struct mr_batch *batch, struct mr_column_chunk *column, uint32_t row,
                     const char *text)
{
    if (!mr_put_bytes(column, &batch->arena, row, text, strlen(text))) {
        abort();
    }
}

static void put_row(struct bench *bench, struct mr_batch *batch, enum mr_event_kind kind,
                    int64_t id, int version)
{
    uint16_t index;
    char plate[32];
    struct mr_chunk *chunk =
        mr_batch_chunk_for(batch, bench->schema, MR_IMAGE_FULL, &index, &bench->err);
    if (chunk == NULL) {
        die(bench, "chunk");
    }
    const uint32_t row = chunk->row_count;
    struct mr_column_chunk *columns = chunk->columns;

    (void)snprintf(plate, sizeof(plate), "B%07" PRId64 "XY", id % 9999999);
    mr_put_i64(&columns[0], row, id);
    put_text(batch, &columns[1], row, plate);
    put_text(batch, &columns[2], row, kinds[id & 3]);
    mr_put_i32(&columns[3], row, (int32_t)(id % 50));
    mr_put_i64(&columns[4], row, 1700000000000000 + id * 1000);
    mr_put_i64(&columns[5], row, 1700000000000000 + id * 1000 + 3600000000);
    put_text(batch, &columns[6], row, methods[(id + version) & 3]);
    mr_put_decimal(&columns[7], row, id % 10000 + version);
    put_text(batch, &columns[8], row, version == 0 ? "active" : "completed");
    const uint16_t number = mr_chunk_end_row(chunk);
    const bool is_delete = kind == MR_EVENT_DELETE;
    if (!mr_batch_add_event(batch, kind, is_delete ? MR_NO_CHUNK : index, number,
                            is_delete ? index : MR_NO_CHUNK, number, &bench->err)) {
        die(bench, "event");
    }
}

/* A batch of count rows, first, first + step, ... in transactions of 1,000. */
static struct mr_batch *make_batch(struct bench *bench, enum mr_event_kind kind, int64_t first,
                                   int64_t step, uint32_t count)
{
    struct mr_batch *batch = mr_batch_take(bench->pool, 1000);
    if (batch == NULL) {
        die(bench, "take");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (i % TRANSACTION == 0 && !mr_batch_begin(batch, 1, 1, &bench->err)) {
            die(bench, "begin");
        }
        put_row(bench, batch, kind, first + (int64_t)i * step, kind == MR_EVENT_UPDATE);
        if (i % TRANSACTION == TRANSACTION - 1 || i + 1 == count) {
            mr_batch_commit(batch, (struct mr_native_position){1, 0}, 1);
        }
    }
    return batch;
}

/* Applies and commits; the batch may be used again. Returns the seconds it took. */
static double run_batch(struct bench *bench, struct mr_batch *batch)
{
    const double start = now_s();
    const double cpu = cpu_s();
    batch->first_sequence = bench->sequence;
    if (!mr_sink_duckdb.apply(bench->sink, &batch, 1, &bench->err) ||
        !mr_sink_duckdb.commit(bench->sink, &bench->err)) {
        die(bench, "apply");
    }
    bench->sequence += batch->transaction_count;
    cpu_seconds += cpu_s() - cpu;
    return now_s() - start;
}

static void maintain(struct bench *bench, bool idle)
{
    if (!mr_sink_duckdb.maintain(bench->sink, idle, &bench->err)) {
        die(bench, "maintain");
    }
}

static void must(duckdb_state state, const char *what)
{
    if (state == DuckDBError) {
        (void)fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static void query(duckdb_connection connection, const char *sql)
{
    duckdb_result result;
    must(duckdb_query(connection, sql, &result), sql);
    duckdb_destroy_result(&result);
}

/* The limit: the same chunks through a bare appender, one commit a batch. */
static double bare_appender(struct bench *bench, struct mr_batch *const *batches, uint32_t count,
                            uint64_t rows)
{
    char path[300];
    char *message = NULL;
    duckdb_database database;
    duckdb_connection connection;
    duckdb_config config;
    duckdb_appender appender;
    duckdb_logical_type types[16];
    uint64_t done = 0;

    (void)snprintf(path, sizeof(path), "%s.bare", bench->path);
    (void)unlink(path);
    must(duckdb_create_config(&config), "config");
    must(duckdb_set_config(config, "memory_limit", "128MB"), "memory_limit");
    must(duckdb_set_config(config, "threads", "2"), "threads");
    must(duckdb_set_config(config, "checkpoint_threshold", "16MB"), "checkpoint_threshold");
    must(duckdb_open_ext(path, &database, config, &message), "open");
    must(duckdb_connect(database, &connection), "connect");
    query(connection,
          "CREATE TABLE t (id BIGINT, plate VARCHAR, kind VARCHAR, location INTEGER, "
          "entered TIMESTAMP, \"left\" TIMESTAMP, method VARCHAR, amount DECIMAL(12,2), "
          "state VARCHAR)");
    must(duckdb_appender_create(connection, NULL, "t", &appender), "appender");
    for (uint16_t i = 0; i < bench->schema->column_count; i++) {
        types[i] = mr_cells_logical_type(&bench->schema->columns[i]);
    }
    duckdb_data_chunk output = duckdb_create_data_chunk(types, bench->schema->column_count);
    const double start = now_s();
    for (uint32_t b = 0; done < rows; b = (b + 1) % count) {
        query(connection, "BEGIN");
        for (uint32_t c = 0; c < batches[b]->chunk_count; c++) {
            const struct mr_chunk *chunk = batches[b]->chunks[c];
            duckdb_data_chunk_reset(output);
            for (uint16_t i = 0; i < chunk->column_count; i++) {
                mr_cells_copy(duckdb_data_chunk_get_vector(output, i), 0, &chunk->columns[i], 0,
                              chunk->row_count);
            }
            duckdb_data_chunk_set_size(output, chunk->row_count);
            must(duckdb_append_data_chunk(appender, output), "append");
        }
        must(duckdb_appender_flush(appender), "flush");
        query(connection, "COMMIT");
        done += batches[b]->row_count;
    }
    const double seconds = now_s() - start;
    duckdb_destroy_data_chunk(&output);
    for (uint16_t i = 0; i < bench->schema->column_count; i++) {
        duckdb_destroy_logical_type(&types[i]);
    }
    (void)duckdb_appender_destroy(&appender);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
    duckdb_destroy_config(&config);
    (void)unlink(path);
    return (double)done / seconds;
}

static double sink_inserts(struct bench *bench, struct mr_batch *const *batches, uint32_t count,
                           uint64_t rows)
{
    const double start = now_s();
    uint64_t done = 0;
    for (uint32_t b = 0; done < rows; b = (b + 1) % count) {
        (void)run_batch(bench, batches[b]);
        maintain(bench, false);
        done += batches[b]->row_count;
    }
    return (double)done / (now_s() - start);
}

static void bench_insert(struct bench *bench, uint64_t rows)
{
    struct mr_batch *batches[4];

    for (uint32_t i = 0; i < 4; i++) {
        batches[i] = make_batch(bench, MR_EVENT_INSERT, (int64_t)i * BATCH_ROWS, 1, BATCH_ROWS);
    }
    for (int round = 0; round < 5; round++) {
        const double start = cpu_s();
        const double sink = sink_inserts(bench, batches, 4, rows);
        const double middle = cpu_s();
        const double bare = bare_appender(bench, batches, 4, rows);
        const double end = cpu_s();
        (void)printf("insert %" PRIu64 " rows: sink %.0f rows/s, bare appender %.0f rows/s, "
                     "ratio %.2f; cpu %.2f s and %.2f s; rss %.0f peak %.0f\n",
                     rows, sink, bare, sink / bare, middle - start, end - middle, rss_mib("VmRSS"),
                     rss_mib("VmHWM"));
    }
    for (uint32_t i = 0; i < 4; i++) {
        mr_batch_release(batches[i]);
    }
}

static void fill(struct bench *bench, uint64_t rows)
{
    const double start = now_s();
    for (uint64_t done = 0; done < rows; done += BATCH_ROWS) {
        struct mr_batch *batch = make_batch(bench, MR_EVENT_INSERT, (int64_t)done, 1, BATCH_ROWS);
        (void)run_batch(bench, batch);
        mr_batch_release(batch);
        maintain(bench, false);
    }
    maintain(bench, true);
    (void)printf("filled %" PRIu64 " rows in %.1f s, rss %.0f peak %.0f\n", rows, now_s() - start,
                 rss_mib("VmRSS"), rss_mib("VmHWM"));
    (void)fflush(stdout);
}

/* Commits of `rows` rows, one third of them updates of recent rows, due at a rate. */
static void bench_commits(struct bench *bench, uint32_t rows, double rate, double seconds)
{
    const uint64_t table_rows = 2000000;
    size_t count = 0;
    int64_t next = (int64_t)table_rows;
    char what[64];
    struct mr_sink_observation before;
    struct mr_sink_observation after;

    fill(bench, table_rows);
    mr_sink_duckdb.observe(bench->sink, &before);
    cpu_seconds = 0;
    const double start = now_s();
    double due = start;
    while (now_s() - start < seconds && count < SAMPLES_MAX) {
        const bool is_update = count % 3 == 2;
        struct mr_batch *batch =
            make_batch(bench, is_update ? MR_EVENT_UPDATE : MR_EVENT_INSERT,
                       is_update ? next - (int64_t)rows * (1 + rand() % 100) : next, 1, rows);
        next += is_update ? 0 : (int64_t)rows;
        const double wait = due - now_s();
        if (wait > 0) {
            (void)usleep((unsigned)(wait * 1e6));
        }
        (void)run_batch(bench, batch);
        samples[count++] = now_s() - due;
        mr_batch_release(batch);
        maintain(bench, now_s() < due + 1 / rate);
        due += 1 / rate;
    }
    mr_sink_duckdb.observe(bench->sink, &after);
    (void)snprintf(what, sizeof(what), "%u-row commits at %.0f/s, from due", rows, rate);
    report(what, count);
    (void)printf("  checkpoints %" PRIu64 ", last %.1f ms, wal %.1f MiB\n",
                 after.checkpoints_total - before.checkpoints_total,
                 (double)after.checkpoint_us_last / 1e3, (double)after.wal_bytes / 1048576);
}

static void bench_updates(struct bench *bench, uint64_t rows)
{
    static const uint32_t sizes[] = {1, 50, 1000, 10000};
    struct mr_sink_position position;

    if (!mr_sink_duckdb.position(bench->sink, 0, &position, &bench->err)) {
        die(bench, "position");
    }
    if (position.sequence == 0) {
        fill(bench, rows);
    }
    cpu_seconds = 0;
    for (int spread = 0; spread < 2; spread++) {
        for (size_t s = 0; s < MR_ARRAY_LEN(sizes); s++) {
            const uint32_t size = sizes[s];
            const size_t repeats = size >= 10000 ? 10 : 30;
            char what[64];
            for (size_t i = 0; i < repeats; i++) {
                const int64_t step = spread != 0 ? (int64_t)(rows / size) : 1;
                const int64_t first =
                    spread != 0 ? rand() % step : (int64_t)rows - (int64_t)size * (int64_t)(i + 1);
                struct mr_batch *batch = make_batch(bench, MR_EVENT_UPDATE, first, step, size);
                samples[i] = run_batch(bench, batch);
                mr_batch_release(batch);
                maintain(bench, false);
            }
            print_memory(bench);
            (void)snprintf(what, sizeof(what), "%u updates, %s keys", size,
                           spread != 0 ? "spread" : "recent");
            report(what, repeats);
        }
    }
    const double start = now_s();
    const double cpu = cpu_s();
    maintain(bench, true);
    (void)printf("last upkeep %.1f ms, cpu %.1f ms\n", (now_s() - start) * 1e3,
                 (cpu_s() - cpu) * 1e3);
}

/* One letter of a script: `count` rows, step apart, in batches that go on in one transaction. */
static void huge_step(struct bench *bench, char letter, uint64_t rows, bool *continues, bool ends)
{
    const bool is_spread = letter == 's' || letter == 'x';
    const int64_t step = is_spread ? HUGE_STEP : 1;
    const enum mr_event_kind kind = letter == 'i'                    ? MR_EVENT_INSERT
                                    : letter == 'd' || letter == 'x' ? MR_EVENT_DELETE
                                                                     : MR_EVENT_UPDATE;
    const uint64_t count = rows / (uint64_t)step;
    for (uint64_t done = 0; done < count; done += HUGE_BATCH) {
        const uint64_t left = count - done;
        struct mr_batch *batch = mr_batch_take(bench->pool, 1000);
        if (batch == NULL || !mr_batch_begin(batch, 1, 1, &bench->err)) {
            die(bench, "begin");
        }
        batch->continues = *continues;
        for (uint64_t i = 0; i < (left < HUGE_BATCH ? left : HUGE_BATCH); i++) {
            put_row(bench, batch, kind, (int64_t)(done + i) * step, kind == MR_EVENT_UPDATE);
        }
        const bool is_last = ends && left <= HUGE_BATCH;
        if (is_last) {
            mr_batch_commit(batch, (struct mr_native_position){1, 0}, 1);
        } else {
            mr_batch_suspend(batch);
        }
        *continues = !is_last;
        batch->first_sequence = bench->sequence;
        if (!mr_sink_duckdb.apply(bench->sink, &batch, 1, &bench->err)) {
            die(bench, "apply");
        }
        mr_batch_release(batch);
    }
}

static void bench_huge(struct bench *bench, uint64_t rows, const char *script)
{
    bool continues = false;
    for (const char *at = script; *at != '\0'; at++) {
        const double start = now_s();
        const double cpu = cpu_s();
        if (*at == '.') {
            if (!mr_sink_duckdb.commit(bench->sink, &bench->err)) {
                die(bench, "commit");
            }
            bench->sequence++;
            const double committed = now_s();
            maintain(bench, true);
            (void)printf("  upkeep %.1f s\n", now_s() - committed);
        } else {
            huge_step(bench, *at, rows, &continues, at[1] == '.');
        }
        print_memory(bench);
        (void)printf("%c %.1f s, cpu %.1f s, rss %.0f peak %.0f\n", *at, now_s() - start,
                     cpu_s() - cpu, rss_mib("VmRSS"), rss_mib("VmHWM"));
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {0};

    if (argc < 4) {
        (void)fprintf(stderr, "usage: bench_duckdb_sink DIR insert|commits|updates ROWS ...\n");
        return 2;
    }
    open_bench(&bench, argv[1], argc - 2, argv + 2);
    if (strcmp(argv[2], "insert") == 0) {
        bench_insert(&bench, strtoull(argv[3], NULL, 10));
    } else if (strcmp(argv[2], "commits") == 0 && argc >= 6) {
        bench_commits(&bench, (uint32_t)strtoul(argv[3], NULL, 10), strtod(argv[4], NULL),
                      strtod(argv[5], NULL));
    } else if (strcmp(argv[2], "updates") == 0) {
        bench_updates(&bench, strtoull(argv[3], NULL, 10));
    } else if (strcmp(argv[2], "huge") == 0 && argc >= 5) {
        bench_huge(&bench, strtoull(argv[3], NULL, 10), argv[4]);
    }
    close_bench(&bench);
    return 0;
}
