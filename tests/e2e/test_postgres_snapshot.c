// SPDX-License-Identifier: MIT
/*
 * test_postgres_snapshot.c - the initial copy of the PostgreSQL source against a real server: equal
 * to the stream value by value, consistent with it to the row while writers run, in pieces,
 * resumed.
 */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_lab.h"
#include "postgres_source.h"

#define WAIT_MS    20000
#define ROWS       60000
#define ROWS_MAX   200000
#define READERS    2
#define NO_VALUE   INT64_MIN
#define TABLES_MAX 8

static struct pg_lab lab;

static void fail_with(const char *what, const struct mr_error *err)
{
    (void)fprintf(stderr, "%s: %s\n", what, err->message);
    abort();
}

static struct mr_snapshot *open_snapshot(struct pg_capture *capture, bool existing)
{
    struct mr_error err = {0};
    struct mr_snapshot *snapshot = mr_source_postgres.snapshot_open(
        &capture->context, true, existing ? &capture->position : NULL, &capture->position, &err);
    if (snapshot == NULL) {
        fail_with("snapshot_open", &err);
    }
    return snapshot;
}

/* Copies a piece; each batch goes to `take`. */
static void copy_piece(struct pg_capture *capture, struct mr_snapshot_reader *reader,
                       uint32_t table, uint32_t piece,
                       void (*take)(void *, const struct mr_batch *), void *context)
{
    struct mr_error err = {0};
    if (!mr_source_postgres.reader_begin(reader, table, piece, &err)) {
        fail_with("reader_begin", &err);
    }
    enum mr_next next = MR_NEXT_BATCH;
    while (next == MR_NEXT_BATCH) {
        struct mr_batch *batch = mr_batch_take(capture->pool, WAIT_MS);
        next = mr_source_postgres.reader_next(reader, batch, &err);
        if (next == MR_NEXT_ERROR) {
            fail_with("reader_next", &err);
        }
        assert_int_equal(batch->snapshot_table, table + 1);
        assert_int_equal(batch->snapshot_chunk, piece);
        take(context, batch);
        mr_batch_release(batch);
    }
    assert_int_equal(next, MR_NEXT_END);
}

static void keep_lines(void *context, const struct mr_batch *batch)
{
    pg_capture_keep(context, batch);
}

/* ---- A copied row equals the streamed one. ---- */

static int compare_lines(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void the_copy_equals_the_stream(void **state)
{
    (void)state;
    struct pg_capture capture;
    pg_lab_sql(lab.root, "CREATE DATABASE same");
    PGconn *db = pg_lab_connect(&lab, "same");
    pg_lab_sql(db,
               "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN cents AS numeric(8,2);"
               "CREATE TABLE \"T a\" (id bigint PRIMARY KEY, b boolean, s smallint, i integer, "
               "r real, d double precision, n numeric(12,2), u numeric, c char(4), v varchar(8), "
               "x text, y bytea, dt date, tm time, ts timestamp, tz timestamptz, uu uuid, "
               "j json, jb jsonb, na name, o oid, e mood, q cents, "
               "g int GENERATED ALWAYS AS (i / 2) STORED)");
    static const char rows[] =
        "(1, true, -2, 3, 1.5, -0.1, -12.30, 'NaN', 'ab', 'cd', 'é', '\\x00ff', '1999-12-31', "
        "'24:00:00', '2000-01-01 00:00:00.000001', '2024-02-29 12:00:00+02', "
        "'00112233-4455-6677-8899-aabbccddeeff', '{\"a\": 1}', '{\"a\":1}', 'nm', 4294967295, "
        "'ok', 1.5), (2, false, 32767, -2147483648, 'NaN', '-Infinity', 9999999999.99, "
        "123456789012345678901234567890.5, '', '', '', '', '0044-03-15 BC', '00:00', "
        "'0001-01-01', '294276-12-31', '00000000-0000-0000-0000-000000000000', '[]', 'null', '', "
        "0, 'sad', -999999.99)";
    static const char columns[] =
        "(id, b, s, i, r, d, n, u, c, v, x, y, dt, tm, ts, tz, uu, j, jb, "
        "na, o, e, q)";
    pg_lab_sql(db, "INSERT INTO \"T a\" %s VALUES %s, (3%s)", columns, rows,
               ", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
               "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL");
    pg_lab_sql(db, "UPDATE \"T a\" SET tz = '9999-12-31 23:59:59.999999+00' WHERE id = 2");
    pg_capture_open(&capture, &lab, "same", NULL);
    struct mr_snapshot *snapshot = open_snapshot(&capture, false);
    struct mr_error err = {0};
    uint32_t count = 0;
    const struct mr_snapshot_table *tables = mr_source_postgres.snapshot_tables(snapshot, &count);
    assert_int_equal(count, 1);
    assert_int_equal(tables[0].piece_count, 1);
    assert_false(tables[0].exact);
    struct mr_snapshot_reader *reader = mr_source_postgres.reader_open(snapshot, &err);
    mr_source_postgres.snapshot_release(snapshot);
    copy_piece(&capture, reader, 0, 0, keep_lines, &capture);
    mr_source_postgres.reader_close(reader);
    mr_source_postgres.snapshot_close(snapshot);
    assert_int_equal(capture.line_count, 3);
    char *copied[3];
    for (int i = 0; i < 3; i++) {
        copied[i] = strdup(capture.lines[i] + strlen("READ "));
    }
    qsort(copied, 3, sizeof(copied[0]), compare_lines); /* an updated row lies at the end */
    pg_capture_forget_lines(&capture);
    assert_true(pg_capture_reopen(&capture));
    pg_lab_sql(db,
               "CREATE TEMP TABLE keep AS TABLE \"T a\"; ALTER TABLE keep DROP COLUMN g;"
               "DELETE FROM \"T a\"; INSERT INTO \"T a\" %s SELECT * FROM keep ORDER BY id",
               columns);
    assert_true(pg_capture_lines(&capture, 7, WAIT_MS));
    for (int i = 0; i < 3; i++) {
        assert_string_equal(capture.lines[3 + i] + strlen("INSERT "), copied[i]);
        free(copied[i]);
    }
    /* One schema for both: no version without a change. */
    assert_int_equal(mr_catalog_count(capture.context.catalog), 1);
    pg_capture_close(&capture);
    PQfinish(db);
}

/* ---- A model of the target: value by id, of a table (id, v). ---- */

struct model {
    pthread_mutex_t lock;
    int64_t values[ROWS_MAX];
    uint64_t rows_read;
    uint64_t doubled; /* ids that the copy brought twice */
};

static int64_t cell(const struct mr_chunk *chunk, uint16_t column, uint32_t row)
{
    int64_t value;
    memcpy(&value, chunk->columns[column].values + (size_t)row * sizeof(value), sizeof(value));
    return value;
}

static void take_read(void *context, const struct mr_batch *batch)
{
    struct model *model = context;
    assert_int_equal(pthread_mutex_lock(&model->lock), 0);
    for (uint32_t i = 0; i < batch->event_count; i++) {
        const struct mr_event *event = &batch->events[i];
        const struct mr_chunk *chunk = batch->chunks[event->chunk];
        for (uint32_t row = event->row; row < event->row + (uint32_t)event->count; row++) {
            const int64_t id = cell(chunk, 0, row);
            model->doubled += model->values[id] != NO_VALUE;
            model->values[id] = cell(chunk, 1, row);
            model->rows_read++;
        }
    }
    assert_int_equal(pthread_mutex_unlock(&model->lock), 0);
}

static void take_change(struct model *model, const struct mr_batch *batch)
{
    for (uint32_t i = 0; i < batch->event_count; i++) {
        const struct mr_event *event = &batch->events[i];
        for (uint32_t n = 0; n < event->count; n++) {
            if (event->before_chunk != MR_NO_CHUNK) {
                model->values[cell(batch->chunks[event->before_chunk], 0, event->before_row + n)] =
                    NO_VALUE;
            }
            if (event->chunk != MR_NO_CHUNK) {
                const struct mr_chunk *chunk = batch->chunks[event->chunk];
                model->values[cell(chunk, 0, event->row + n)] = cell(chunk, 1, event->row + n);
            }
        }
    }
}

/* ---- Writers and readers beside one another. ---- */

struct writer {
    pthread_t thread;
    atomic_bool stop;
    uint64_t commits;
};

static void *write_all_along(void *context)
{
    struct writer *writer = context;
    PGconn *db = pg_lab_connect(&lab, "moving");
    int next_id = ROWS + 1;
    for (unsigned i = 0; !atomic_load(&writer->stop); i++) {
        pg_lab_sql(
            db,
            "BEGIN; UPDATE t SET v = v + 1 WHERE id = %u; UPDATE t SET id = %d WHERE id = %u;"
            "DELETE FROM t WHERE id = %u; INSERT INTO t VALUES (%d, %u); COMMIT",
            1 + i * 7919 % ROWS, next_id, 1 + i * 104729 % ROWS, 1 + i * 31 % ROWS, next_id + 1, i);
        next_id += 2;
        writer->commits++;
        mr_env_posix.sleep_us(&mr_env_posix, 1000);
    }
    PQfinish(db);
    return NULL;
}

struct job {
    pthread_t thread;
    struct pg_capture *capture;
    struct mr_snapshot *snapshot;
    struct model *model;
    atomic_uint *next_piece;
    uint32_t piece_count;
    pthread_barrier_t *all_open;
};

static void *read_pieces(void *context)
{
    struct job *job = context;
    struct mr_error err = {0};
    struct mr_snapshot_reader *reader = mr_source_postgres.reader_open(job->snapshot, &err);
    if (reader == NULL) {
        fail_with("reader_open", &err);
    }
    (void)pthread_barrier_wait(job->all_open);
    for (uint32_t piece = atomic_fetch_add(job->next_piece, 1); piece < job->piece_count;
         piece = atomic_fetch_add(job->next_piece, 1)) {
        copy_piece(job->capture, reader, 0, piece, take_read, job->model);
    }
    mr_source_postgres.reader_close(reader);
    return NULL;
}

/* The whole copy, by READERS threads; returns its high mark. */
static struct mr_native_position copy_all(struct pg_capture *capture, bool existing,
                                          struct model *model)
{
    struct job jobs[READERS];
    pthread_barrier_t all_open;
    atomic_uint next_piece = 0;
    uint32_t count = 0;
    struct mr_error err = {0};
    struct mr_native_position high = {0};
    struct mr_snapshot *snapshot = open_snapshot(capture, existing);
    const struct mr_snapshot_table *tables = mr_source_postgres.snapshot_tables(snapshot, &count);
    assert_int_equal(count, 1);
    assert_true(tables[0].piece_count >= 3);
    assert_int_equal(pthread_barrier_init(&all_open, NULL, READERS + 1), 0);
    for (int i = 0; i < READERS; i++) {
        jobs[i] = (struct job){.capture = capture,
                               .snapshot = snapshot,
                               .model = model,
                               .next_piece = &next_piece,
                               .piece_count = tables[0].piece_count,
                               .all_open = &all_open};
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, read_pieces, &jobs[i]), 0);
    }
    (void)pthread_barrier_wait(&all_open);
    mr_source_postgres.snapshot_release(snapshot);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
    }
    if (!mr_source_postgres.snapshot_high(snapshot, 0, &high, &err)) {
        fail_with("snapshot_high", &err);
    }
    mr_source_postgres.snapshot_close(snapshot);
    assert_int_equal(pthread_barrier_destroy(&all_open), 0);
    return high;
}

/* Applies the stream up to where the server's log ends now. */
static void follow_to_the_end(struct pg_capture *capture, PGconn *db, struct model *model)
{
    const uint64_t end = strtoull(
        pg_lab_ask(db, "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::numeric::int8"), NULL,
        10);
    struct mr_error err = {0};
    uint64_t at = capture->position.native.major;
    for (int i = 0; i < 1000 && at < end; i++) {
        struct mr_batch *batch = mr_batch_take(capture->pool, WAIT_MS);
        const enum mr_next next = mr_source_postgres.next(capture->source, batch, 100, &err);
        if (next == MR_NEXT_ERROR) {
            fail_with("next", &err);
        }
        if (next == MR_NEXT_BATCH) {
            take_change(model, batch);
            at = batch->native.major > at ? batch->native.major : at;
        }
        mr_batch_release(batch);
    }
    assert_true(at >= end);
}

static void expect_equal(PGconn *db, const struct model *model)
{
    PGresult *result = PQexec(db, "SELECT id, v FROM t ORDER BY id");
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    const int count = PQntuples(result);
    int64_t in_model = 0;
    for (int i = 0; i < ROWS_MAX; i++) {
        in_model += model->values[i] != NO_VALUE;
    }
    assert_int_equal(in_model, count);
    for (int i = 0; i < count; i++) {
        const long id = strtol(PQgetvalue(result, i, 0), NULL, 10);
        assert_int_equal(model->values[id], strtoll(PQgetvalue(result, i, 1), NULL, 10));
    }
    PQclear(result);
}

static struct model *new_model(void)
{
    struct model *model = calloc(1, sizeof(*model));
    assert_non_null(model);
    assert_int_equal(pthread_mutex_init(&model->lock, NULL), 0);
    for (int i = 0; i < ROWS_MAX; i++) {
        model->values[i] = NO_VALUE;
    }
    return model;
}

static void copy_and_stream_meet_to_the_row(void **state)
{
    (void)state;
    static const char *const options[] = {"snapshot_piece", "1MiB", NULL};
    struct pg_capture capture;
    struct writer writer = {0};
    struct model *model = new_model();
    pg_lab_sql(lab.root, "CREATE DATABASE moving");
    PGconn *db = pg_lab_connect(&lab, "moving");
    pg_lab_sql(db,
               "CREATE TABLE t (id bigint PRIMARY KEY, v bigint NOT NULL);"
               "INSERT INTO t SELECT i, 0 FROM generate_series(1, %d) AS i; ANALYZE t",
               ROWS);
    pg_capture_open(&capture, &lab, "moving", options);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_all_along, &writer), 0);
    mr_env_posix.sleep_us(&mr_env_posix, 200000);

    /* First start: the copy is at the very place from which the stream starts. */
    struct mr_native_position high = copy_all(&capture, false, model);
    assert_int_equal(high.major, capture.position.native.major);
    assert_int_equal(model->doubled, 0);
    assert_true(pg_capture_reopen(&capture));
    follow_to_the_end(&capture, db, model);

    /* A resumed copy: at a later place, while the stream holds the slot. Keyed upserts converge:
     * the copy first, then the changes from the earlier start. */
    struct model *second = new_model();
    const struct mr_native_position later = copy_all(&capture, true, second);
    assert_true(later.major > high.major);
    pg_capture_stop(&capture);
    atomic_store(&writer.stop, true);
    assert_int_equal(pthread_join(writer.thread, NULL), 0);
    assert_true(writer.commits > 50);
    mr_env_posix.sleep_us(&mr_env_posix, 300000);
    assert_true(pg_capture_reopen(&capture)); /* from the first start: nothing was acked */
    follow_to_the_end(&capture, db, second);
    expect_equal(db, second);
    pg_capture_stop(&capture);
    mr_env_posix.sleep_us(&mr_env_posix, 300000);

    /* A crash between the slot's creation and the first durable position. */
    struct model *third = new_model();
    mr_position_done(&capture.position);
    const struct mr_native_position again = copy_all(&capture, false, third);
    assert_true(again.major >= later.major);
    assert_true(capture.position.native.major <= again.major);
    assert_true(pg_capture_reopen(&capture));
    follow_to_the_end(&capture, db, third);
    expect_equal(db, third);
    print_message("    %llu commits beside the copy of %llu rows\n",
                  (unsigned long long)writer.commits, (unsigned long long)model->rows_read);
    pg_capture_close(&capture);
    free(model);
    free(second);
    free(third);
    PQfinish(db);
}

/* ---- Shapes of tables. ---- */

static void partitions_and_keyless_tables_are_copied(void **state)
{
    (void)state;
    struct pg_capture capture;
    struct mr_error err = {0};
    uint32_t count = 0;
    pg_lab_sql(lab.root, "CREATE DATABASE shapes");
    PGconn *db = pg_lab_connect(&lab, "shapes");
    pg_lab_sql(db, "CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
                   "CREATE TABLE p1 PARTITION OF parts FOR VALUES FROM (0) TO (10);"
                   "CREATE TABLE p2 (v text, id int NOT NULL);"
                   "ALTER TABLE parts ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);"
                   "CREATE TABLE keyless (a int); CREATE TABLE empty (id int PRIMARY KEY);"
                   "CREATE TABLE skipped (id int PRIMARY KEY, v point);"
                   "INSERT INTO parts VALUES (1, 'a'), (11, 'b'); INSERT INTO keyless VALUES (5)");
    static const char *const options[] = {"exclude", "public.skipped", NULL};
    pg_capture_open(&capture, &lab, "shapes", options);
    struct mr_snapshot *snapshot = open_snapshot(&capture, false);
    const struct mr_snapshot_table *tables = mr_source_postgres.snapshot_tables(snapshot, &count);
    struct mr_snapshot_reader *reader = mr_source_postgres.reader_open(snapshot, &err);
    mr_source_postgres.snapshot_release(snapshot);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t piece = 0; piece < tables[i].piece_count; piece++) {
            copy_piece(&capture, reader, i, piece, keep_lines, &capture);
        }
    }
    assert_int_equal(capture.line_count, 3);
    assert_string_equal(tables[0].schema->table, "empty");
    assert_string_equal(capture.lines[0], "READ public.keyless 5");
    assert_true(tables[1].exact);
    assert_string_equal(capture.lines[1], "READ public.parts 1|a");
    assert_string_equal(capture.lines[2], "READ public.parts 11|b");
    assert_int_equal(tables[2].piece_count, 2);
    /* A table that is rewritten beside the copy would look empty to it: that must not pass. */
    struct mr_native_position high;
    assert_true(mr_source_postgres.snapshot_high(snapshot, 1, &high, &err));
    mr_source_postgres.reader_close(reader);
    pg_lab_sql(db, "TRUNCATE keyless");
    assert_false(mr_source_postgres.snapshot_high(snapshot, 1, &high, &err));
    assert_int_equal(err.recovery, MR_RETRY);
    assert_non_null(strstr(err.message, "public.keyless"));
    mr_source_postgres.snapshot_close(snapshot);
    pg_capture_forget_lines(&capture);
    assert_true(pg_capture_reopen(&capture));
    pg_lab_sql(db, "INSERT INTO parts VALUES (12, 'c'); INSERT INTO skipped VALUES (1, '(1,2)')");
    assert_true(pg_capture_lines(&capture, 4, WAIT_MS));
    assert_string_equal(capture.lines[0], "TRUNCATE public.keyless");
    assert_string_equal(capture.lines[2], "INSERT public.parts 12|c");
    pg_capture_close(&capture);
    PQfinish(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_equals_the_stream),
        cmocka_unit_test(copy_and_stream_meet_to_the_row),
        cmocka_unit_test(partitions_and_keyless_tables_are_copied),
    };
    pg_lab_start(&lab, "e2e-pg-snapshot", "-- -c max_replication_slots=8 -c max_wal_senders=8");
    const int failed = cmocka_run_group_tests_name("postgres_snapshot", tests, NULL, NULL);
    pg_lab_wipe(&lab);
    return failed;
}
