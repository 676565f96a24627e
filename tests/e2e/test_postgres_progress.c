// SPDX-License-Identifier: MIT
/*
 * test_postgres_progress.c - transactions in progress against a real server: streamed while they go
 * on, rolled back in part and whole, prepared, interrupted.
 *
 * The server streams early (logical_decoding_work_mem = 64kB, its least). Table t has a column of
 * 200 bytes, so that 4,000 rows fill what is kept in memory and the rest goes to a file.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_lab.h"
#include "postgres_source.h"

#define WAIT_MS 10000

static struct pg_lab lab;

struct bench {
    const char *name;
    PGconn *db;
    PGconn *other;
    struct pg_capture capture;
};

static void open_bench(struct bench *bench, const char *name, const char *const *options)
{
    const size_t target_bytes = 64 << 10; /* so that what is long comes in parts */
    *bench = (struct bench){.name = name, .db = pg_lab_new_database(&lab, name)};
    bench->other = pg_lab_connect(&lab, name);
    pg_lab_sql(bench->db, "CREATE TABLE t (id int PRIMARY KEY, v text)");
    pg_lab_sql(bench->db, "CREATE TABLE u (id int PRIMARY KEY)");
    pg_capture_open(&bench->capture, &lab, name, options);
    bench->capture.context.target_bytes = target_bytes;
    pg_capture_follow(&bench->capture);
}

static void close_bench(struct bench *bench)
{
    pg_capture_close(&bench->capture);
    PQfinish(bench->other);
    pg_lab_drop_database(&lab, bench->db, bench->name);
}

static void insert(PGconn *db, int from, int to)
{
    pg_lab_sql(db, "INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(%d, %d) AS i",
               from, to);
}

/* Reads until this many bytes of transactions in progress are kept; no line may come. */
static void wait_for_kept(struct bench *bench, uint64_t bytes)
{
    struct mr_source_observation seen = {0};
    for (int i = 0; i < 200 && seen.kept_bytes < bytes; i++) {
        assert_int_not_equal(pg_capture_next(&bench->capture, 50), MR_NEXT_ERROR);
        mr_source_postgres.observe(bench->capture.source, &seen);
    }
    assert_true(seen.kept_bytes >= bytes);
    assert_int_equal(bench->capture.line_count, 0);
}

static unsigned count_files(const struct bench *bench)
{
    char path[256];
    unsigned count = 0;
    (void)snprintf(path, sizeof(path), "%s/spool/%s", bench->capture.data_dir, bench->name);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] == '.' ? 0 : 1;
    }
    (void)closedir(folder);
    return count;
}

/* The next lines: INSERTs into t of ids from..to, each with v. */
static size_t expect_inserts(const struct bench *bench, size_t line, int from, int to)
{
    for (int id = from; id <= to; id++) {
        char expected[32];
        assert_true(line < bench->capture.line_count);
        (void)snprintf(expected, sizeof(expected), "INSERT public.t %d|xxx", id);
        assert_memory_equal(bench->capture.lines[line], expected, strlen(expected));
        line++;
    }
    return line;
}

static size_t expect_line(const struct bench *bench, size_t line, const char *expected)
{
    assert_true(line < bench->capture.line_count);
    assert_string_equal(bench->capture.lines[line], expected);
    return line + 1;
}

static void expect_end(struct bench *bench, size_t line)
{
    assert_int_equal(bench->capture.line_count, line);
    assert_int_not_equal(pg_capture_next(&bench->capture, 100), MR_NEXT_ERROR);
    assert_int_equal(bench->capture.line_count, line);
    pg_capture_forget_lines(&bench->capture);
}

static void transactions_take_the_place_of_their_commit(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "places", NULL);
    PGconn *third = pg_lab_connect(&lab, "places");
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 1, 8000);
    pg_lab_sql(bench.other, "BEGIN");
    insert(bench.other, 10001, 13000);
    pg_lab_sql(third, "BEGIN");
    insert(third, 20001, 23000);
    wait_for_kept(&bench, UINT64_C(2) << 20);
    assert_true(count_files(&bench) >= 1);
    /* What is small and commits first comes first, at once. */
    pg_lab_sql(lab.root, "SELECT 1");
    PGconn *fourth = pg_lab_connect(&lab, "places");
    pg_lab_sql(fourth, "INSERT INTO u VALUES (1)");
    assert_true(pg_capture_lines(&bench.capture, 2, WAIT_MS));
    expect_end(&bench, expect_line(&bench, expect_line(&bench, 0, "INSERT public.u 1"), "COMMIT"));
    pg_lab_sql(bench.other, "COMMIT");
    pg_lab_sql(third, "ROLLBACK");
    insert(bench.db, 8001, 8100);
    pg_lab_sql(bench.db, "COMMIT");
    pg_lab_sql(fourth, "INSERT INTO u VALUES (2)");
    assert_true(pg_capture_lines(&bench.capture, 3001 + 8101 + 2, WAIT_MS));
    size_t line = expect_inserts(&bench, 0, 10001, 13000);
    line = expect_line(&bench, line, "COMMIT");
    line = expect_inserts(&bench, line, 1, 8100);
    line = expect_line(&bench, line, "COMMIT");
    line = expect_line(&bench, line, "INSERT public.u 2");
    line = expect_line(&bench, line, "COMMIT");
    expect_end(&bench, line);
    assert_true(bench.capture.continued_count > 10);
    assert_int_equal(count_files(&bench), 0);
    PQfinish(third);
    PQfinish(fourth);
    close_bench(&bench);
}

static void savepoints_take_back_exactly_theirs(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "savepoints", NULL);
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 1, 1000);
    pg_lab_sql(bench.db, "SAVEPOINT a");
    insert(bench.db, 1001, 4000);
    pg_lab_sql(bench.db, "SAVEPOINT b");
    insert(bench.db, 4001, 5000);
    wait_for_kept(&bench, UINT64_C(900) << 10);
    pg_lab_sql(bench.db, "ROLLBACK TO SAVEPOINT b");
    insert(bench.db, 5001, 6000);
    pg_lab_sql(bench.db, "RELEASE SAVEPOINT b");
    insert(bench.db, 6001, 6100);
    pg_lab_sql(bench.db, "SAVEPOINT c");
    insert(bench.db, 6101, 8000);
    pg_lab_sql(bench.db, "ROLLBACK TO SAVEPOINT a");
    insert(bench.db, 8001, 9000);
    pg_lab_sql(bench.db, "SAVEPOINT d");
    insert(bench.db, 9001, 9500);
    pg_lab_sql(bench.db, "RELEASE SAVEPOINT d");
    /* The table is described in what is rolled back, and changes after that. */
    pg_lab_sql(bench.db, "SAVEPOINT e");
    insert(bench.db, 9501, 11000);
    pg_lab_sql(bench.db, "ROLLBACK TO SAVEPOINT e");
    insert(bench.db, 11001, 12000);
    pg_lab_sql(bench.db, "ALTER TABLE t ADD COLUMN z int DEFAULT 9");
    pg_lab_sql(bench.db, "INSERT INTO t VALUES (20000, 'new', 5)");
    pg_lab_sql(bench.db, "UPDATE t SET v = 'changed' WHERE id = 1");
    pg_lab_sql(bench.db, "DELETE FROM t WHERE id = 2");
    pg_lab_sql(bench.db, "COMMIT");
    pg_lab_sql(bench.db, "INSERT INTO t VALUES (20001, 'after', 6)");
    assert_true(pg_capture_lines(&bench.capture, 1000 + 1000 + 500 + 1000 + 1 + 4 + 2, WAIT_MS));
    size_t line = expect_inserts(&bench, 0, 1, 1000);
    line = expect_inserts(&bench, line, 8001, 9500);
    line = expect_inserts(&bench, line, 11001, 12000);
    line = expect_line(&bench, line, "NOTE 2 alter ");
    line = expect_line(&bench, line, "INSERT public.t 20000|new|5");
    line = expect_line(&bench, line, "UPDATE public.t 1|changed|9");
    line = expect_line(&bench, line, "DELETE public.t was 2");
    line = expect_line(&bench, line, "COMMIT");
    line = expect_line(&bench, line, "INSERT public.t 20001|after|6");
    line = expect_line(&bench, line, "COMMIT");
    expect_end(&bench, line);
    close_bench(&bench);
}

static void a_change_of_a_table_that_is_rolled_back_is_none(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "altered", NULL);
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 1, 1000);
    pg_lab_sql(bench.db, "SAVEPOINT a");
    pg_lab_sql(bench.db, "ALTER TABLE t ADD COLUMN w int DEFAULT 7");
    pg_lab_sql(bench.db, "INSERT INTO t SELECT i, 'no', i FROM generate_series(1001, 2500) AS i");
    pg_lab_sql(bench.db, "ROLLBACK TO SAVEPOINT a");
    insert(bench.db, 3001, 4000);
    wait_for_kept(&bench, UINT64_C(400) << 10);
    pg_lab_sql(bench.db, "COMMIT");
    assert_true(pg_capture_lines(&bench.capture, 2001, WAIT_MS));
    size_t line = expect_inserts(&bench, expect_inserts(&bench, 0, 1, 1000), 3001, 4000);
    expect_end(&bench, expect_line(&bench, line, "COMMIT"));
    close_bench(&bench);
}

/* PostgreSQL fails to stream this one, each time; asked for it whole, it does not. */
static void what_the_server_cannot_stream_is_taken_whole(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "refused", NULL);
    pg_lab_sql(bench.db, "BEGIN");
    pg_lab_sql(bench.db, "SAVEPOINT a");
    pg_lab_sql(bench.db, "ALTER TABLE t ADD COLUMN w int DEFAULT 7");
    insert(bench.db, 1, 1000);
    pg_lab_sql(bench.db, "ROLLBACK TO SAVEPOINT a");
    insert(bench.db, 1, 1000);
    pg_lab_sql(bench.db, "ALTER TABLE t ADD COLUMN z int DEFAULT 9");
    pg_lab_sql(bench.db, "INSERT INTO t VALUES (2000, 'xxx', 5)");
    pg_lab_sql(bench.db, "COMMIT");
    bool was_refused = false;
    while (bench.capture.line_count == 0) {
        if (pg_capture_next(&bench.capture, 50) == MR_NEXT_ERROR) {
            print_message("    %s\n", bench.capture.err.message);
            assert_false(was_refused);
            was_refused = true;
            assert_int_equal(bench.capture.err.recovery, MR_RETRY);
            pg_capture_stop(&bench.capture);
            assert_true(pg_capture_reopen(&bench.capture));
        }
    }
    assert_true(pg_capture_lines(&bench.capture, 1003, WAIT_MS));
    size_t line = expect_inserts(&bench, 0, 1, 1000);
    line = expect_line(&bench, line, "NOTE 2 alter ");
    line = expect_inserts(&bench, line, 2000, 2000);
    expect_end(&bench, expect_line(&bench, line, "COMMIT"));
    close_bench(&bench);
}

static bool disk_is_full;

static ssize_t write_or_not(const struct mr_env *env, int fd, const void *bytes, size_t length,
                            int64_t offset)
{
    if (disk_is_full) {
        errno = ENOSPC;
        return -1;
    }
    return mr_env_posix.pwrite(env, fd, bytes, length, offset);
}

static void a_full_disk_leaves_them_to_the_server(void **state)
{
    (void)state;
    struct bench bench;
    struct mr_env env = mr_env_posix;
    env.pwrite = write_or_not;
    open_bench(&bench, "crammed", NULL);
    pg_capture_stop(&bench.capture);
    bench.capture.context.env = &env;
    assert_true(pg_capture_reopen(&bench.capture));
    disk_is_full = true;
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 1, 6000);
    assert_true(pg_capture_fails(&bench.capture, WAIT_MS));
    print_message("    %s\n", bench.capture.err.message);
    assert_int_equal(bench.capture.err.code, MR_E_FULL);
    assert_int_equal(bench.capture.err.recovery, MR_RETRY);
    pg_capture_stop(&bench.capture);
    assert_true(pg_capture_reopen(&bench.capture));
    pg_lab_sql(bench.other, "INSERT INTO u VALUES (1)");
    assert_true(pg_capture_lines(&bench.capture, 2, WAIT_MS));
    pg_lab_sql(bench.db, "COMMIT");
    assert_true(pg_capture_lines(&bench.capture, 2 + 6001, WAIT_MS));
    size_t line = expect_line(&bench, expect_line(&bench, 0, "INSERT public.u 1"), "COMMIT");
    expect_end(&bench, expect_line(&bench, expect_inserts(&bench, line, 1, 6000), "COMMIT"));
    disk_is_full = false;
    close_bench(&bench);
}

/* One sub-transaction a row, half of them rolled back, more than are remembered by place. */
static void many_sub_transactions_are_told_apart(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "subs", NULL);
    pg_lab_sql(
        bench.db,
        "DO $$ BEGIN FOR i IN 1..9000 LOOP BEGIN INSERT INTO t VALUES (i, repeat('x', 200)); "
        "IF i %% 2 = 0 THEN RAISE division_by_zero; END IF; "
        "EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$");
    assert_true(pg_capture_lines(&bench.capture, 4501, WAIT_MS));
    for (int i = 0; i < 4500; i++) {
        (void)expect_inserts(&bench, (size_t)i, 2 * i + 1, 2 * i + 1);
    }
    expect_end(&bench, expect_line(&bench, 4500, "COMMIT"));
    close_bench(&bench);
}

static void an_interrupted_stream_comes_again_whole(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "again", NULL);
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 1, 5000);
    wait_for_kept(&bench, UINT64_C(900) << 10);
    pg_lab_sql(bench.other, "INSERT INTO u VALUES (1)");
    assert_true(pg_capture_lines(&bench.capture, 2, WAIT_MS));
    assert_true(mr_source_postgres.ack(bench.capture.source, bench.capture.position.native,
                                       &bench.capture.err));
    pg_capture_forget_lines(&bench.capture);
    pg_capture_stop(&bench.capture); /* confirms past the beginning of the transaction */
    assert_int_equal(count_files(&bench), 0);
    /* As after a crash: a file is left, of a transaction that is not there any more. */
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/spool/again/12345", bench.capture.data_dir);
    FILE *left = fopen(path, "we");
    assert_non_null(left);
    (void)fclose(left);
    assert_true(pg_capture_reopen(&bench.capture));
    assert_int_equal(count_files(&bench), 0);
    insert(bench.db, 5001, 6000);
    wait_for_kept(&bench, UINT64_C(900) << 10);
    pg_lab_sql(bench.db, "COMMIT");
    assert_true(pg_capture_lines(&bench.capture, 6001, WAIT_MS));
    expect_end(&bench, expect_line(&bench, expect_inserts(&bench, 0, 1, 6000), "COMMIT"));
    /* Cut in the middle of handing it on: continued, dropped, and then whole. */
    pg_lab_sql(bench.db, "UPDATE t SET v = repeat('y', 200)");
    const struct mr_native_position before = bench.capture.position.native;
    while (bench.capture.line_count == 0) {
        assert_int_not_equal(pg_capture_next(&bench.capture, 50), MR_NEXT_ERROR);
    }
    assert_true(bench.capture.line_count < 6000);
    assert_int_equal(mr_native_position_compare(before, bench.capture.position.native), 0);
    pg_capture_forget_lines(&bench.capture);
    pg_capture_stop(&bench.capture);
    assert_true(pg_capture_reopen(&bench.capture));
    assert_true(pg_capture_lines(&bench.capture, 6001, WAIT_MS));
    assert_memory_equal(bench.capture.lines[0], "UPDATE public.t 1|yyy", 21);
    expect_end(&bench, expect_line(&bench, 6000, "COMMIT"));
    close_bench(&bench);
}

static uint64_t confirmed(const char *database)
{
    return strtoull(pg_lab_ask(lab.root,
                               "SELECT (confirmed_flush_lsn - '0/0'::pg_lsn)::numeric::int8 "
                               "FROM pg_replication_slots WHERE database = '%s'",
                               database),
                    NULL, 10);
}

static uint64_t log_end(void)
{
    return strtoull(
        pg_lab_ask(lab.root, "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::numeric::int8"), NULL,
        10);
}

static void ack_and_wait(struct bench *bench)
{
    assert_true(mr_source_postgres.ack(bench->capture.source, bench->capture.position.native,
                                       &bench->capture.err));
    for (int i = 0; i < 6; i++) {
        assert_int_not_equal(pg_capture_next(&bench->capture, 50), MR_NEXT_ERROR);
    }
}

static void prepared_transactions_wait_for_their_decision(void **state)
{
    (void)state;
    struct bench bench;
    static const char *const options[] = {"two_phase", "true", "status_interval", "100ms", NULL};
    open_bench(&bench, "prepared", options);
    pg_lab_sql(bench.db, "INSERT INTO t VALUES (0, 'zero')"); /* t is described here */
    assert_true(pg_capture_lines(&bench.capture, 2, WAIT_MS));
    pg_capture_forget_lines(&bench.capture);
    const uint64_t before = log_end();
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 1, 3);
    pg_lab_sql(bench.db, "PREPARE TRANSACTION 'small'");
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 10, 12);
    pg_lab_sql(bench.db, "PREPARE TRANSACTION 'not to be'");
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 101, 4100);
    pg_lab_sql(bench.db, "PREPARE TRANSACTION 'large'");
    wait_for_kept(&bench, UINT64_C(800) << 10);
    pg_lab_sql(bench.other, "INSERT INTO u VALUES (1)");
    assert_true(pg_capture_lines(&bench.capture, 2, WAIT_MS));
    expect_end(&bench, expect_line(&bench, expect_line(&bench, 0, "INSERT public.u 1"), "COMMIT"));
    /* Our own position moved on; the server is told of none past the first prepared one. */
    ack_and_wait(&bench);
    assert_true(bench.capture.position.native.major > before + 1000);
    assert_true(confirmed("prepared") <= before + 1000);
    pg_capture_stop(&bench.capture);
    assert_true(pg_capture_reopen(&bench.capture)); /* and so it sends them again */
    ack_and_wait(&bench);
    assert_true(confirmed("prepared") <= before + 1000);
    pg_lab_sql(bench.other, "ROLLBACK PREPARED 'not to be'");
    pg_lab_sql(bench.other, "COMMIT PREPARED 'large'");
    pg_lab_sql(bench.other, "INSERT INTO u VALUES (2)");
    pg_lab_sql(bench.other, "COMMIT PREPARED 'small'");
    assert_true(pg_capture_lines(&bench.capture, 4001 + 2 + 4, WAIT_MS));
    size_t line = expect_line(&bench, expect_inserts(&bench, 0, 101, 4100), "COMMIT");
    line = expect_line(&bench, line, "INSERT public.u 2");
    line = expect_line(&bench, line, "COMMIT");
    line = expect_line(&bench, expect_inserts(&bench, line, 1, 3), "COMMIT");
    expect_end(&bench, line);
    assert_int_equal(count_files(&bench), 0);
    const uint64_t last = bench.capture.position.native.major;
    for (int i = 0; i < 20 && confirmed("prepared") < last; i++) {
        ack_and_wait(&bench);
    }
    assert_true(confirmed("prepared") >= last);
    close_bench(&bench);
}

/* Without the option they come at COMMIT PREPARED, as any other. */
static void prepared_transactions_can_be_left_to_the_server(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "undecided", NULL);
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 1, 3);
    pg_lab_sql(bench.db, "PREPARE TRANSACTION 'plain'");
    pg_lab_sql(bench.db, "INSERT INTO u VALUES (1)");
    pg_lab_sql(bench.db, "COMMIT PREPARED 'plain'");
    assert_true(pg_capture_lines(&bench.capture, 6, WAIT_MS));
    size_t line = expect_line(&bench, 0, "INSERT public.u 1");
    line = expect_line(&bench, line, "COMMIT");
    expect_end(&bench, expect_line(&bench, expect_inserts(&bench, line, 1, 3), "COMMIT"));
    close_bench(&bench);
}

static void what_came_from_elsewhere_can_be_left_out(void **state)
{
    (void)state;
    struct bench bench;
    static const char *const options[] = {"origin", "none", NULL};
    open_bench(&bench, "loops", options);
    pg_lab_sql(bench.db, "SELECT pg_replication_origin_create('elsewhere')");
    pg_lab_sql(bench.db, "INSERT INTO u VALUES (1)");
    pg_lab_sql(bench.db, "SELECT pg_replication_origin_session_setup('elsewhere')");
    pg_lab_sql(bench.db, "INSERT INTO u VALUES (2)");
    insert(bench.db, 1, 3000);
    pg_lab_sql(bench.db, "SELECT pg_replication_origin_session_reset()");
    pg_lab_sql(bench.db, "INSERT INTO u VALUES (3)");
    assert_true(pg_capture_lines(&bench.capture, 4, WAIT_MS));
    size_t line = expect_line(&bench, 0, "INSERT public.u 1");
    line = expect_line(&bench, line, "COMMIT");
    line = expect_line(&bench, line, "INSERT public.u 3");
    expect_end(&bench, expect_line(&bench, line, "COMMIT"));
    pg_lab_sql(bench.db, "SELECT pg_replication_origin_drop('elsewhere')");
    close_bench(&bench);
}

/* Not transactional; what follows it makes the server flush it, which it does not by itself. */
static void emit_alone(const struct bench *bench, const char *prefix, const char *text)
{
    pg_lab_sql(bench->db, "SELECT pg_logical_emit_message(false, '%s', '%s')", prefix, text);
    pg_lab_sql(bench->other, "SELECT pg_current_xact_id()");
}

static void messages_are_notes_in_their_place(void **state)
{
    (void)state;
    struct bench bench;
    static const char *const options[] = {"messages", "app.*", "heartbeat_interval", "100ms", NULL};
    open_bench(&bench, "messages", options);
    pg_lab_sql(bench.db, "SELECT pg_logical_emit_message(false, 'app.a', 'alone')");
    pg_lab_sql(bench.db, "BEGIN");
    pg_lab_sql(bench.db, "INSERT INTO u VALUES (1)");
    pg_lab_sql(bench.db, "SELECT pg_logical_emit_message(true, 'app.b', 'within')");
    pg_lab_sql(bench.db, "SELECT pg_logical_emit_message(true, 'other', 'not wanted')");
    pg_lab_sql(bench.db, "INSERT INTO u VALUES (2)");
    pg_lab_sql(bench.db, "COMMIT");
    pg_lab_sql(bench.db, "BEGIN");
    pg_lab_sql(bench.db, "SELECT pg_logical_emit_message(true, 'app.c', 'rolled back')");
    pg_lab_sql(bench.db, "SELECT pg_logical_emit_message(false, 'app.d', 'all the same')");
    pg_lab_sql(bench.db, "ROLLBACK");
    pg_lab_sql(bench.db, "BEGIN");
    insert(bench.db, 1, 1000);
    pg_lab_sql(bench.db, "SELECT pg_logical_emit_message(true, 'app.e', 'streamed')");
    insert(bench.db, 1001, 2000);
    pg_lab_sql(bench.db, "COMMIT");
    assert_true(pg_capture_lines(&bench.capture, 8, WAIT_MS));
    const struct mr_native_position middle = bench.capture.position.native;
    assert_true(pg_capture_lines(&bench.capture, 8 + 2002, WAIT_MS));
    size_t line = expect_line(&bench, 0, "NOTE 1 app.a alone");
    line = expect_line(&bench, line, "COMMIT");
    line = expect_line(&bench, line, "INSERT public.u 1");
    line = expect_line(&bench, line, "NOTE 1 app.b within");
    line = expect_line(&bench, line, "INSERT public.u 2");
    line = expect_line(&bench, line, "COMMIT");
    line = expect_line(&bench, line, "NOTE 1 app.d all the same");
    line = expect_line(&bench, line, "COMMIT");
    line = expect_inserts(&bench, line, 1, 1000);
    line = expect_line(&bench, line, "NOTE 1 app.e streamed");
    line = expect_inserts(&bench, line, 1001, 2000);
    expect_end(&bench, expect_line(&bench, line, "COMMIT"));
    assert_true(middle.major != 0);
    /* Nothing that stands alone is repeated, nothing is skipped. */
    emit_alone(&bench, "app.f", "before");
    assert_true(pg_capture_lines(&bench.capture, 2, WAIT_MS));
    pg_capture_forget_lines(&bench.capture);
    pg_capture_stop(&bench.capture);
    emit_alone(&bench, "app.g", "after");
    assert_true(pg_capture_reopen(&bench.capture));
    assert_true(pg_capture_lines(&bench.capture, 2, WAIT_MS));
    expect_end(&bench, expect_line(&bench, expect_line(&bench, 0, "NOTE 1 app.g after"), "COMMIT"));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactions_take_the_place_of_their_commit),
        cmocka_unit_test(savepoints_take_back_exactly_theirs),
        cmocka_unit_test(a_change_of_a_table_that_is_rolled_back_is_none),
        cmocka_unit_test(what_the_server_cannot_stream_is_taken_whole),
        cmocka_unit_test(a_full_disk_leaves_them_to_the_server),
        cmocka_unit_test(many_sub_transactions_are_told_apart),
        cmocka_unit_test(an_interrupted_stream_comes_again_whole),
        cmocka_unit_test(prepared_transactions_wait_for_their_decision),
        cmocka_unit_test(prepared_transactions_can_be_left_to_the_server),
        cmocka_unit_test(messages_are_notes_in_their_place),
        cmocka_unit_test(what_came_from_elsewhere_can_be_left_out),
    };
    pg_lab_start(&lab, "e2e-pg-progress",
                 "-- -c logical_decoding_work_mem=64kB -c max_prepared_transactions=10");
    const int failed = cmocka_run_group_tests_name("postgres_progress", tests, NULL, NULL);
    pg_lab_wipe(&lab);
    return failed;
}
