// SPDX-License-Identifier: MIT
/*
 * Following a real server's binlog: test_mysql_source KIND plain|gtid.
 *
 * "plain" servers run with exactly the flags that CI guarantees (no GTID on MySQL, minimal row
 * metadata); "gtid" ones have GTIDs. Only the source is linked: no stream, no sink.
 */
#include "check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_lab.h"

extern const struct mr_source_ops mr_source_mysql;

#define LARGE_BYTES (20u << 20) /* more than one 16 MiB packet */
#define COMMITS     60

static struct lab lab;

static const char *const src_only[] = {"tables=src.*", NULL};

static uint64_t now_us(void)
{
    return mr_env_posix.monotonic_ns(&mr_env_posix) / 1000;
}

static int set_up(void **state)
{
    (void)state;
    lab_sql(&lab, "CREATE DATABASE IF NOT EXISTS src CHARACTER SET utf8mb4");
    lab_sql(&lab, "CREATE USER IF NOT EXISTS 'cdc'@'%%' IDENTIFIED BY 'secret'");
    lab_sql(&lab,
            "GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, RELOAD ON *.* TO 'cdc'@'%%'");
    return 0;
}

static void make_table(const char *name)
{
    lab_sql(&lab, "DROP TABLE IF EXISTS src.%s", name);
    lab_sql(&lab, "CREATE TABLE src.%s (id INT PRIMARY KEY, v BIGINT, t TEXT)", name);
}

/** Counts rows by kind, and sums what they hold, so that one wrong row shows. */
struct tally {
    uint64_t inserts, updates, deletes;
    int64_t sum;
    int64_t last_id;
};

static void tally_row(void *context, const struct mr_batch *batch, const struct mr_event *event,
                      uint16_t row)
{
    struct tally *tally = context;
    if (event->kind == MR_EVENT_DELETE) {
        tally->deletes++;
        tally->last_id = row_integer(batch->chunks[event->before_chunk],
                                     (uint32_t)event->before_row + row, "id");
        return;
    }
    const struct mr_chunk *chunk = batch->chunks[event->chunk];
    tally->inserts += event->kind == MR_EVENT_INSERT;
    tally->updates += event->kind == MR_EVENT_UPDATE;
    tally->sum += row_integer(chunk, (uint32_t)event->row + row, "v");
    tally->last_id = row_integer(chunk, (uint32_t)event->row + row, "id");
}

static void changes_arrive_in_order(void **state)
{
    (void)state;
    struct capture capture;
    struct tally tally = {0};
    make_table("t");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);

    lab_sql(&lab, "INSERT INTO src.t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, NULL)");
    lab_sql(&lab, "UPDATE src.t SET v = v + 1 WHERE id <= 2");
    lab_sql(&lab, "DELETE FROM src.t WHERE id = 3");
    assert_int_equal(capture_rows(&capture, source, 6, 5000, tally_row, &tally), 6);
    assert_int_equal(tally.inserts, 3);
    assert_int_equal(tally.updates, 2);
    assert_int_equal(tally.deletes, 1);
    assert_int_equal(tally.sum, 10 + 20 + 30 + 11 + 21);
    assert_int_equal(tally.last_id, 3);
    assert_int_equal(capture_rows(&capture, source, 1, 300, NULL, NULL), 0);

    mr_source_mysql.close(source);
    capture_close(&capture);
}

static int compare_u64(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/** Commits row by row and waits for each: a transaction must not wait for the one after it. */
static void measure_hand_on(const char *const *options, const char *label)
{
    struct capture capture;
    uint64_t waits_us[COMMITS];
    make_table("t");
    capture_open(&capture, &lab, "cdc", "secret", options);
    struct mr_source *source = capture_follow(&capture);
    lab_sql(&lab, "INSERT INTO src.t VALUES (0, 0, '')"); /* the table's first change costs more */
    assert_int_equal(capture_rows(&capture, source, 1, 5000, NULL, NULL), 1);

    for (int i = 0; i < COMMITS; i++) {
        /* Sizes around the library's read-ahead and TLS record sizes, where bytes may hide. */
        lab_sql(&lab, "INSERT INTO src.t VALUES (%d, %d, REPEAT('x', %d))", i + 1, i, i * 997);
        uint64_t committed_us = now_us();
        assert_int_equal(capture_rows(&capture, source, 1, 5000, NULL, NULL), 1);
        waits_us[i] = now_us() - committed_us;
    }
    qsort(waits_us, COMMITS, sizeof(waits_us[0]), compare_u64);
    print_message("    %s: commit to batch p50 %llu us, max %llu us\n", label,
                  (unsigned long long)waits_us[COMMITS / 2],
                  (unsigned long long)waits_us[COMMITS - 1]);
    assert_true(waits_us[COMMITS / 2] < 20000);
    assert_true(waits_us[COMMITS - 1] < 500000); /* a heartbeat's period would be 1 s */
    mr_source_mysql.close(source);
    capture_close(&capture);
}

static void a_transaction_is_handed_on_at_once(void **state)
{
    (void)state;
    measure_hand_on(src_only, "plain text");
}

static void tls_hides_no_bytes(void **state)
{
    (void)state;
    static const char *const encrypted[] = {"tables=src.*", "tls.mode=require", NULL};
    if (lab.is_maria) {
        print_message("    skipped: MariaDB 10.11 makes no certificate by itself\n");
        skip();
    }
    measure_hand_on(encrypted, "TLS");
}

static void tls_verifies_what_it_says(void **state)
{
    (void)state;
    char ca[700];
    if (lab.is_maria) {
        skip();
    }
    (void)snprintf(ca, sizeof(ca), "tls.ca=%s/data/ca.pem", lab.dir);
    const char *const verify_ca[] = {"tables=src.*", "tls.mode=verify-ca", ca, NULL};
    const char *const verify_full[] = {"tables=src.*", "tls.mode=verify-full", ca, NULL};
    const char *const wrong_ca[] = {"tables=src.*", "tls.mode=verify-ca",
                                    "tls.ca=/etc/ssl/certs/ca-certificates.crt", NULL};
    struct capture capture;

    capture_open(&capture, &lab, "cdc", "secret", verify_ca);
    mr_source_mysql.close(capture_follow(&capture));
    capture_close(&capture);

    /* The server's own certificate names no host: verify-full must refuse what verify-ca takes. */
    const char *const *const refused[] = {verify_full, wrong_ca};
    for (size_t i = 0; i < MR_ARRAY_LEN(refused); i++) {
        struct mr_error err = {0};
        struct mr_position start = {0};
        capture_open(&capture, &lab, "cdc", "secret", refused[i]);
        assert_null(mr_source_mysql.snapshot_open(&capture.context, false, NULL, &start, &err));
        print_message("    %s\n", err.message);
        assert_int_equal(err.code, MR_E_CONFIG);
        capture_close(&capture);
    }
}

static void resuming_is_exact(void **state)
{
    (void)state;
    struct capture capture;
    make_table("t");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    int64_t expected = 0;
    int next_id = 0;

    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 5; i++) {
            lab_sql(&lab, "INSERT INTO src.t VALUES (%d, %d, 'r')", next_id, next_id);
            next_id++;
        }
        if (round % 2 == 1) {
            lab_sql(&lab, "FLUSH BINARY LOGS");
        }
        for (int i = 0; i < 3; i++) {
            struct tally tally = {0};
            assert_int_equal(capture_rows(&capture, source, 1, 5000, tally_row, &tally) > 0, 1);
            assert_true(tally.last_id >= expected);
            expected = tally.last_id + 1;
            if (expected == next_id) {
                break;
            }
        }
        /* Everything up to the position was seen; the rest comes after the resume. */
        mr_source_mysql.close(source);
        source = capture_resume(&capture);
    }
    struct tally tally = {0};
    lab_sql(&lab, "INSERT INTO src.t VALUES (%d, %d, 'end')", next_id, next_id);
    uint64_t left = (uint64_t)(next_id + 1 - expected);
    assert_int_equal(capture_rows(&capture, source, left, 5000, tally_row, &tally), left);
    assert_int_equal(tally.last_id, next_id);
    assert_int_equal(capture_rows(&capture, source, 1, 300, NULL, NULL), 0);
    print_message("    position: %.120s\n", capture.position.text);
    mr_source_mysql.close(source);
    capture_close(&capture);
}

/** Name of the newest file; *count: how many there are. */
static void newest_file(char *file, size_t size, unsigned *count)
{
    *count = 0;
    assert_int_equal(mysql_query(lab.root, "SHOW BINARY LOGS"), 0);
    MYSQL_RES *result = mysql_store_result(lab.root);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL; (*count)++) {
        (void)snprintf(file, size, "%s", row[0]);
    }
    mysql_free_result(result);
}

/** The oldest file becomes the current one: what was before is gone. */
static void purge_everything(void)
{
    char file[256] = "";
    unsigned count = 0;
    lab_sql(&lab, "FLUSH BINARY LOGS");
    newest_file(file, sizeof(file), &count);
    /* The server keeps a file while a stream of a client that left is still being noticed. */
    for (int i = 0; i < 50 && count > 1; i++) {
        lab_sql(&lab, "PURGE BINARY LOGS TO '%s'", file);
        newest_file(file, sizeof(file), &count);
        mr_env_posix.sleep_us(&mr_env_posix, 100000);
    }
    assert_int_equal(count, 1);
}

static void a_purged_binlog_is_named(void **state)
{
    (void)state;
    struct capture capture;
    struct mr_error err = {0};
    make_table("t");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    mr_source_mysql.close(capture_follow(&capture));
    lab_sql(&lab, "INSERT INTO src.t VALUES (1, 1, 'lost')");
    purge_everything();

    struct mr_source *source = mr_source_mysql.open(&capture.context, &capture.position, &err);
    if (source != NULL) { /* MariaDB says so with the first packet */
        err = capture_failure(&capture, source, 5000);
        mr_source_mysql.close(source);
    }
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_LOST);
    assert_int_equal(err.recovery, MR_STOP);
    assert_non_null(strstr(err.message, "mysql-bin."));
    assert_non_null(strstr(err.message, "binlog_expire_logs_seconds"));
    capture_close(&capture);
}

static void gtids_outlive_the_file(void **state)
{
    (void)state;
    struct capture capture;
    struct tally tally = {0};
    if (!lab.has_gtids) {
        skip();
    }
    make_table("t");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    lab_sql(&lab, "INSERT INTO src.t VALUES (1, 1, 'seen')");
    assert_int_equal(capture_rows(&capture, source, 1, 5000, NULL, NULL), 1);
    mr_source_mysql.close(source);
    assert_non_null(strchr(capture.position.text, ';'));
    purge_everything(); /* nothing that we lack is in the files that go */
    lab_sql(&lab, "INSERT INTO src.t VALUES (2, 2, 'new')");

    source = capture_resume(&capture);
    assert_int_equal(capture_rows(&capture, source, 1, 5000, tally_row, &tally), 1);
    assert_int_equal(tally.last_id, 2);
    assert_int_equal(capture_rows(&capture, source, 1, 300, NULL, NULL), 0);
    mr_source_mysql.close(source);

    /* As if another server of the topology had written the position: GTIDs alone must do. */
    lab_sql(&lab, "INSERT INTO src.t VALUES (3, 3, 'elsewhere')");
    (void)snprintf(capture.position.epoch, sizeof(capture.position.epoch), "another");
    source = capture_resume(&capture);
    assert_int_equal(capture_rows(&capture, source, 1, 5000, tally_row, &tally), 1);
    assert_int_equal(tally.last_id, 3);
    mr_source_mysql.close(source);
    capture_close(&capture);
}

static void another_server_needs_gtids(void **state)
{
    (void)state;
    struct capture capture;
    struct mr_error err = {0};
    if (lab.has_gtids) {
        skip();
    }
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    mr_source_mysql.close(capture_follow(&capture));
    (void)snprintf(capture.position.epoch, sizeof(capture.position.epoch), "another");
    assert_null(mr_source_mysql.open(&capture.context, &capture.position, &err));
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_SOURCE);
    assert_int_equal(err.recovery, MR_STOP);
    capture_close(&capture);
}

struct large {
    size_t length;
    bool is_even; /* every byte as written */
};

static void look_at_large(void *context, const struct mr_batch *batch, const struct mr_event *event,
                          uint16_t row)
{
    struct large *large = context;
    const struct mr_chunk *chunk = batch->chunks[event->chunk];
    int column = mr_schema_find_column(chunk->schema, "b");
    assert_true(column >= 0);
    struct mr_slice cell = mr_cell(&chunk->columns[column], (uint32_t)event->row + row);
    large->length = cell.length;
    large->is_even = true;
    for (size_t i = 0; i < cell.length; i++) {
        large->is_even = large->is_even && cell.bytes[i] == "0123456789abcdef"[i % 16];
    }
}

static void a_large_value_spans_packets(void **state)
{
    (void)state;
    struct capture capture;
    struct large large = {0};
    lab_sql(&lab, "DROP TABLE IF EXISTS src.large");
    lab_sql(&lab, "CREATE TABLE src.large (id INT PRIMARY KEY, b LONGBLOB)");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    lab_sql(&lab, "INSERT INTO src.large VALUES (1, REPEAT('0123456789abcdef', %u))",
            LARGE_BYTES / 16);
    assert_int_equal(capture_rows(&capture, source, 1, 20000, look_at_large, &large), 1);
    assert_int_equal(large.length, LARGE_BYTES);
    assert_true(large.is_even);
    mr_source_mysql.close(source);
    lab_sql(&lab, "DROP TABLE src.large");
    capture_close(&capture);
}

static void a_lost_server_is_retried(void **state)
{
    (void)state;
    struct capture capture;
    struct tally tally = {0};
    make_table("t");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    lab_sql(&lab, "INSERT INTO src.t VALUES (1, 1, 'before')");
    assert_int_equal(capture_rows(&capture, source, 1, 5000, NULL, NULL), 1);
    lab_restart(&lab);
    struct mr_error err = capture_failure(&capture, source, 5000);
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_NET);
    assert_int_equal(err.recovery, MR_RETRY);
    mr_source_mysql.close(source);

    lab_sql(&lab, "INSERT INTO src.t VALUES (2, 2, 'after')");
    source = capture_resume(&capture);
    assert_int_equal(capture_rows(&capture, source, 1, 5000, tally_row, &tally), 1);
    assert_int_equal(tally.last_id, 2);
    mr_source_mysql.close(source);
    capture_close(&capture);
}

static void a_frozen_server_is_noticed(void **state)
{
    (void)state;
    struct capture capture;
    if (!lab.runs_slow_tests) {
        skip(); /* ten seconds: once a family is enough */
    }
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    assert_int_equal(capture_rows(&capture, source, 1, 1500, NULL, NULL), 0);
    assert_int_equal(kill((pid_t)lab.pid, SIGSTOP), 0);
    struct mr_error err = capture_failure(&capture, source, 14000);
    assert_int_equal(kill((pid_t)lab.pid, SIGCONT), 0);
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_NET);
    assert_int_equal(err.recovery, MR_RETRY);
    mr_source_mysql.close(source);
    capture_close(&capture);
}

static void a_second_reader_of_our_number_is_named(void **state)
{
    (void)state;
    struct capture first, second;
    capture_open(&first, &lab, "cdc", "secret", src_only);
    capture_open(&second, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&first);
    assert_int_equal(capture_rows(&first, source, 1, 300, NULL, NULL), 0);
    struct mr_source *rival = capture_follow(&second); /* the server sends the first one away */
    struct mr_error err = capture_failure(&first, source, 5000);
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_CONFIG);
    assert_int_equal(err.recovery, MR_STOP);
    assert_non_null(strstr(err.message, "server_id of its own"));
    mr_source_mysql.close(source);
    mr_source_mysql.close(rival);
    capture_close(&first);
    capture_close(&second);
}

static void observation_tells_lag_and_server(void **state)
{
    (void)state;
    struct capture capture;
    struct mr_source_observation seen = {0};
    make_table("t");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    lab_sql(&lab, "INSERT INTO src.t VALUES (1, 1, REPEAT('x', 60000))");
    mr_source_mysql.observe(source, &seen);
    print_message("    lag %llu bytes\n", (unsigned long long)seen.lag_bytes);
    assert_true(seen.lag_bytes >= 60000 && seen.lag_bytes < 200000);
    lab_sql(&lab, "FLUSH BINARY LOGS");
    lab_sql(&lab, "INSERT INTO src.t VALUES (2, 1, REPEAT('x', 60000))");
    mr_env_posix.sleep_us(&mr_env_posix, 1100000);
    mr_source_mysql.observe(source, &seen);
    assert_true(seen.lag_bytes >= 120000 && seen.lag_bytes < 300000);

    assert_int_equal(capture_rows(&capture, source, 2, 5000, NULL, NULL), 2);
    assert_int_equal(capture_rows(&capture, source, 1, 1500, NULL, NULL), 0);
    mr_source_mysql.observe(source, &seen);
    print_message("    %s: lag %llu bytes, skew %lld us, received %llu bytes\n", seen.server,
                  (unsigned long long)seen.lag_bytes, (long long)seen.clock_skew_us,
                  (unsigned long long)seen.received_bytes);
    assert_int_equal(seen.lag_bytes, 0);
    assert_true(llabs(seen.clock_skew_us) < 20000); /* one machine, one clock */
    assert_int_equal(seen.commit_resolution_us, lab.is_maria ? 1000000 : 1);
    assert_true(seen.received_bytes > 120000);
    mr_source_mysql.close(source);
    capture_close(&capture);
}

static void uncaptured_changes_move_the_position(void **state)
{
    (void)state;
    struct capture capture;
    lab_sql(&lab, "CREATE DATABASE IF NOT EXISTS other");
    lab_sql(&lab, "CREATE TABLE IF NOT EXISTS other.o (id INT PRIMARY KEY AUTO_INCREMENT)");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    struct mr_native_position before = capture.position.native;
    for (int i = 0; i < 10; i++) {
        lab_sql(&lab, "INSERT INTO other.o VALUES (NULL)");
    }
    assert_int_equal(capture_rows(&capture, source, 1, 1500, NULL, NULL), 0);
    assert_true(mr_native_position_compare(before, capture.position.native) < 0);
    mr_source_mysql.close(source);
    capture_close(&capture);
}

static const struct refusal {
    const char *label;
    const char *user;
    const char *password;
    const char *option;
    enum mr_errc code;
    enum mr_recovery recovery;
    const char *says;
} refusals[] = {
    {"wrong password", "cdc", "wrong", NULL, MR_E_CONFIG, MR_STOP, "check user and password"},
    {"unknown user", "nobody", "x", NULL, MR_E_CONFIG, MR_STOP, "check user and password"},
    {"nobody listens", "cdc", "secret", "port=1", MR_E_NET, MR_RETRY, "127.0.0.1:1"},
    {"no such host", "cdc", "secret", "hosts=no-such-host.invalid", MR_E_NET, MR_RETRY,
     "no-such-host"},
    {"TLS that is not there", "cdc", "secret", "tls.mode=require", MR_E_CONFIG, MR_STOP,
     "has no TLS"},
};

static void refusals_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(refusals); i++) {
        const struct refusal *c = &refusals[i];
        const char *const options[] = {"tables=src.*", c->option, NULL};
        struct capture capture;
        struct mr_error err = {0};
        struct mr_position start = {0};
        bool wants_no_tls = c->option != NULL && strncmp(c->option, "tls", 3) == 0;
        if (wants_no_tls && !lab.is_maria) {
            continue;
        }
        capture_open(&capture, &lab, c->user, c->password, options);
        if (c->option != NULL && strncmp(c->option, "hosts", 5) == 0) {
            capture.config.endpoints[0] = capture.config.endpoints[1];
            capture.config.endpoint_count = 1;
        }
        assert_null(mr_source_mysql.snapshot_open(&capture.context, false, NULL, &start, &err));
        print_message("    %s: %s\n", c->label, err.message);
        assert_int_equal(err.code, c->code);
        assert_int_equal(err.recovery, c->recovery);
        assert_non_null(strstr(err.message, c->says));
        capture_close(&capture);
    }
}

static void authentication_methods_work(void **state)
{
    (void)state;
    static const char *const maria_methods[] = {"mysql_native_password", "ed25519"};
    static const char *const mysql_methods[] = {"caching_sha2_password", "mysql_native_password"};
    for (size_t i = 0; i < 2; i++) {
        char sql[256];
        const char *method = (lab.is_maria ? maria_methods : mysql_methods)[i];
        lab_sql(&lab, "DROP USER IF EXISTS 'how'@'%%'");
        if (lab.is_maria) {
            (void)mysql_query(lab.root, "INSTALL SONAME 'auth_ed25519'");
        }
        (void)snprintf(sql, sizeof(sql),
                       lab.is_maria ? "CREATE USER 'how'@'%%' IDENTIFIED VIA %s USING PASSWORD('p')"
                                    : "CREATE USER 'how'@'%%' IDENTIFIED WITH %s BY 'p'",
                       method);
        if (mysql_query(lab.root, sql) != 0) {
            print_message("    skipped: %s: %s\n", method, mysql_error(lab.root));
            continue;
        }
        lab_sql(&lab, "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'how'@'%%'");
        static const char *const modes[] = {"tls.mode=disable", "tls.mode=prefer"};
        for (size_t m = 0; m < MR_ARRAY_LEN(modes); m++) {
            const char *const options[] = {"tables=src.*", modes[m], NULL};
            struct capture capture;
            capture_open(&capture, &lab, "how", "p", options);
            mr_source_mysql.close(capture_follow(&capture)); /* cold cache, then warm */
            mr_source_mysql.close(capture_resume(&capture));
            capture_close(&capture);
            print_message("    %s, %s\n", method, modes[m]);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr,
                      "usage: test_mysql_source mariadb|mysql80|mysql9 plain|gtid [TEST*]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_arrive_in_order),
        cmocka_unit_test(a_transaction_is_handed_on_at_once),
        cmocka_unit_test(tls_hides_no_bytes),
        cmocka_unit_test(tls_verifies_what_it_says),
        cmocka_unit_test(authentication_methods_work),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(resuming_is_exact),
        cmocka_unit_test(uncaptured_changes_move_the_position),
        cmocka_unit_test(a_second_reader_of_our_number_is_named),
        cmocka_unit_test(observation_tells_lag_and_server),
        cmocka_unit_test(a_large_value_spans_packets),
        cmocka_unit_test(another_server_needs_gtids),
        cmocka_unit_test(gtids_outlive_the_file),
        cmocka_unit_test(a_purged_binlog_is_named),
        cmocka_unit_test(a_lost_server_is_retried),
        cmocka_unit_test(a_frozen_server_is_noticed),
    };
    if (argc > 3) {
        cmocka_set_test_filter(argv[3]);
    }
    lab_start(&lab, argv[1], argv[2], "src");
    int failed = cmocka_run_group_tests_name("mysql_source", tests, set_up, NULL);
    lab_stop(&lab);
    return failed;
}
