// SPDX-License-Identifier: MIT
/*
 * test_postgres_source.c - the PostgreSQL source alone against a real server: what it streams, how
 * it resumes, what it tells the server, and how it fails.
 */
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_lab.h"
#include "postgres_source.h"

#define WAIT_MS   10000
#define NS_PER_MS UINT64_C(1000000)

static struct pg_lab lab;

static PGconn *new_database(const char *name)
{
    return pg_lab_new_database(&lab, name);
}

static void drop_database(PGconn *connection, const char *name)
{
    pg_lab_drop_database(&lab, connection, name);
}

static void expect_lines(struct pg_capture *capture, const char *const *lines, size_t count)
{
    assert_true(pg_capture_lines(capture, count, WAIT_MS));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(capture->lines[i], lines[i]);
    }
    assert_int_equal(capture->line_count, count);
    pg_capture_forget_lines(capture);
}

#define EXPECT(capture, ...)                                                                       \
    expect_lines((capture), (const char *const[]){__VA_ARGS__},                                    \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void every_type_arrives_as_it_was(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("types");
    pg_lab_sql(db, "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN cents AS numeric(8,2);"
                   "CREATE TABLE t (id bigint PRIMARY KEY, b boolean, s smallint, i integer, "
                   "r real, d double precision, n numeric(12,2), m numeric(38,10), u numeric, "
                   "c char(4), v varchar(8), x text, y bytea, dt date, tm time, ts timestamp, "
                   "tz timestamptz, uu uuid, j json, jb jsonb, na name, o oid, e mood, q cents)");
    pg_capture_open(&capture, &lab, "types", NULL);
    pg_capture_follow(&capture);
    pg_lab_sql(db, "INSERT INTO t VALUES (1, true, -2, 3, 1.5, -0.1, -12.30, "
                   "1234567890123456789012345678.0123456789, 1e-20, 'ab', 'cd', 'é\nz', '\\x00ff', "
                   "'1999-12-31', '23:59:59.5', '2000-01-01 00:00:00.000001', "
                   "'2024-02-29 12:00:00+02', '00112233-4455-6677-8899-aabbccddeeff', "
                   "'{\"a\": 1}', '{\"a\":1}', 'nm', 4294967295, 'ok', 1.5)");
    pg_lab_sql(db, "INSERT INTO t (id, u) VALUES (-9223372036854775808, 'NaN')");
    EXPECT(&capture,
           "INSERT public.t 1|true|-2|3|1.5|-0.1|-12.30|1234567890123456789012345678.0123456789|"
           "0.00000000000000000001|ab  |cd|é\nz|AP8=|1999-12-31|23:59:59.500000|"
           "2000-01-01T00:00:00.000001|2024-02-29T10:00:00Z|00112233-4455-6677-8899-aabbccddeeff|"
           "{\"a\": 1}|{\"a\": 1}|nm|4294967295|ok|1.50",
           "COMMIT",
           "INSERT public.t -9223372036854775808|-|-|-|-|-|-|-|NaN|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-",
           "COMMIT");
    const struct mr_schema *schema = mr_catalog_latest(capture.context.catalog, "public", "t");
    assert_non_null(schema);
    assert_int_equal(schema->key_count, 1);
    assert_string_equal(schema->columns[6].source_type, "numeric(12,2)");
    assert_string_equal(schema->columns[9].source_type, "character(4)");
    assert_string_equal(schema->columns[22].labels, "sad\x1fok");
    assert_int_equal(schema->columns[23].type, MR_TYPE_DECIMAL);
    pg_capture_close(&capture);
    drop_database(db, "types");
}

static void changes_carry_the_right_images(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("changes");
    pg_lab_sql(db,
               "CREATE TABLE k (id int PRIMARY KEY, v text, big text);"
               "ALTER TABLE k ALTER big SET STORAGE EXTERNAL;"
               "CREATE TABLE f (a int, b text); ALTER TABLE f REPLICA IDENTITY FULL;"
               "CREATE TABLE p (id int PRIMARY KEY, v text); ALTER TABLE p REPLICA IDENTITY FULL;"
               "CREATE TABLE log (a int)");
    pg_capture_open(&capture, &lab, "changes", NULL);
    pg_capture_follow(&capture);
    pg_lab_sql(db, "INSERT INTO k VALUES (1, 'a', repeat('x', 3000)), (2, 'b', NULL)");
    assert_true(pg_capture_lines(&capture, 3, WAIT_MS));
    pg_capture_forget_lines(&capture);
    pg_lab_sql(db, "UPDATE k SET v = 'c' WHERE id = 1");
    EXPECT(&capture, "UPDATE public.k 1|c|~", "COMMIT");
    pg_lab_sql(db, "UPDATE k SET id = 3 WHERE id = 2");
    EXPECT(&capture, "UPDATE public.k 3|b|- was 2", "COMMIT");
    pg_lab_sql(db, "DELETE FROM k WHERE id = 3");
    EXPECT(&capture, "DELETE public.k was 3", "COMMIT");
    pg_lab_sql(db, "BEGIN; INSERT INTO f VALUES (1, 'x'), (1, 'x'); UPDATE f SET b = 'y'; "
                   "DELETE FROM f; INSERT INTO log VALUES (7); COMMIT");
    EXPECT(&capture, "INSERT public.f 1|x", "INSERT public.f 1|x", "UPDATE public.f 1|y was 1|x",
           "UPDATE public.f 1|y was 1|x", "DELETE public.f was 1|y", "DELETE public.f was 1|y",
           "INSERT public.log 7", "COMMIT");
    pg_lab_sql(db, "INSERT INTO p VALUES (1, 'a'); UPDATE p SET v = 'b'; UPDATE p SET id = 2");
    EXPECT(&capture, "INSERT public.p 1|a", "UPDATE public.p 1|b", "UPDATE public.p 2|b was 1",
           "COMMIT");
    pg_lab_sql(db, "TRUNCATE k, f");
    EXPECT(&capture, "TRUNCATE public.k", "TRUNCATE public.f", "COMMIT");
    assert_false(mr_catalog_latest(capture.context.catalog, "public", "p")->full_before);
    assert_true(mr_catalog_latest(capture.context.catalog, "public", "f")->full_before);
    pg_capture_close(&capture);
    drop_database(db, "changes");
}

static void schema_changes_and_drops_go_on(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("ddl");
    pg_lab_sql(db,
               "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY)");
    pg_capture_open(&capture, &lab, "ddl", NULL);
    pg_capture_follow(&capture);
    pg_lab_sql(db, "INSERT INTO t VALUES (1, NULL)");
    pg_lab_sql(db, "ALTER TABLE t ADD COLUMN w int NOT NULL DEFAULT 5");
    pg_lab_sql(db, "INSERT INTO t VALUES (2, 'b')");
    EXPECT(&capture, "INSERT public.t 1|-", "COMMIT", "NOTE 2 alter ", "INSERT public.t 2|b|5",
           "COMMIT");
    pg_capture_stop(&capture);
    /* Rows in the log that the catalogs no longer fit: a null in what is NOT NULL by now, then a
     * table that is gone altogether. */
    pg_lab_sql(db, "INSERT INTO t VALUES (3, NULL)");
    pg_lab_sql(db, "DELETE FROM t; ALTER TABLE t ALTER v SET NOT NULL");
    pg_lab_sql(db, "INSERT INTO u VALUES (1); DROP TABLE u; INSERT INTO t VALUES (4, 'd')");
    assert_true(pg_capture_reopen(&capture));
    EXPECT(&capture, "NOTE 2 alter ", "INSERT public.t 3|-|5", "COMMIT", "DELETE public.t was 1",
           "DELETE public.t was 2", "DELETE public.t was 3", "COMMIT", "INSERT public.u 1",
           "NOTE 2 alter ", "INSERT public.t 4|d|5", "COMMIT");
    pg_capture_stop(&capture);
    /* A table that is made while we are away is published at the next open. */
    pg_lab_sql(db, "CREATE TABLE later (id int PRIMARY KEY)");
    assert_true(pg_capture_reopen(&capture));
    pg_lab_sql(db, "INSERT INTO later VALUES (1)");
    EXPECT(&capture, "INSERT public.later 1", "COMMIT");
    pg_capture_close(&capture);
    drop_database(db, "ddl");
}

static void resuming_repeats_nothing_and_skips_nothing(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("resume");
    pg_lab_sql(db, "CREATE TABLE t (id int PRIMARY KEY)");
    pg_capture_open(&capture, &lab, "resume", NULL);
    pg_capture_follow(&capture);
    for (int i = 1; i <= 20; i++) {
        pg_lab_sql(db, "INSERT INTO t VALUES (%d)", i);
        assert_true(pg_capture_lines(&capture, 2, WAIT_MS));
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "INSERT public.t %d", i);
        assert_string_equal(capture.lines[0], expected);
        assert_int_equal(capture.line_count, 2);
        pg_capture_forget_lines(&capture);
        if (i % 5 == 0) {
            pg_capture_stop(&capture); /* nothing was acked: the server sends all of it again */
            assert_true(pg_capture_reopen(&capture));
        }
    }
    /* The server ends the session: an error that is worth a retry, and nothing is lost. */
    pg_lab_sql(lab.root, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                         "WHERE database = 'resume'");
    assert_true(pg_capture_fails(&capture, WAIT_MS));
    assert_int_equal(capture.err.code, MR_E_NET);
    assert_int_equal(capture.err.recovery, MR_RETRY);
    pg_capture_stop(&capture);
    pg_lab_sql(db, "INSERT INTO t VALUES (21)");
    assert_true(pg_capture_reopen(&capture));
    EXPECT(&capture, "INSERT public.t 21", "COMMIT");
    pg_capture_close(&capture);
    drop_database(db, "resume");
}

static void a_large_transaction_comes_in_parts(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("large");
    pg_lab_sql(db, "CREATE TABLE t (id int PRIMARY KEY, v text)");
    pg_capture_open(&capture, &lab, "large", NULL);
    capture.context.target_bytes = 64 << 10;
    pg_capture_follow(&capture);
    pg_lab_sql(db, "INSERT INTO t SELECT i, 'value ' || i FROM generate_series(1, 20000) AS i");
    assert_true(pg_capture_lines(&capture, 20001, WAIT_MS));
    assert_int_equal(capture.line_count, 20001);
    assert_true(capture.continued_count > 5);
    for (int i = 0; i < 20000; i++) {
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "INSERT public.t %d|value %d", i + 1, i + 1);
        assert_string_equal(capture.lines[i], expected);
    }
    assert_string_equal(capture.lines[20000], "COMMIT");
    pg_capture_close(&capture);
    drop_database(db, "large");
}

static void a_single_commit_is_handed_on_at_once(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("prompt");
    uint64_t least_ns = UINT64_MAX;
    pg_lab_sql(db, "CREATE TABLE t (id int PRIMARY KEY)");
    pg_capture_open(&capture, &lab, "prompt", NULL);
    pg_capture_follow(&capture);
    for (int i = 0; i < 50; i++) {
        pg_lab_sql(db, "INSERT INTO t VALUES (%d)", i);
        assert_true(pg_capture_lines(&capture, 2, WAIT_MS));
        const uint64_t held_ns =
            mr_env_posix.monotonic_ns(&mr_env_posix) - capture.last_received_ns;
        least_ns = held_ns < least_ns ? held_ns : least_ns;
        pg_capture_forget_lines(&capture);
    }
    print_message("    from the socket into the caller's hands: %.1f us at best\n",
                  (double)least_ns / 1000);
    assert_true(least_ns < NS_PER_MS); /* tens of microseconds where the machine is quiet */
    pg_capture_close(&capture);
    drop_database(db, "prompt");
}

static uint64_t confirmed(const char *database)
{
    return strtoull(pg_lab_ask(lab.root,
                               "SELECT (confirmed_flush_lsn - '0/0'::pg_lsn)::numeric::int8 "
                               "FROM pg_replication_slots WHERE database = '%s'",
                               database),
                    NULL, 10);
}

static void only_what_is_acked_is_confirmed(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("acks");
    static const char *const options[] = {"status_interval", "100ms", NULL};
    pg_lab_sql(db, "CREATE TABLE t (id int PRIMARY KEY)");
    pg_capture_open(&capture, &lab, "acks", options);
    pg_capture_follow(&capture);
    const uint64_t start = confirmed("acks");
    pg_lab_sql(db, "INSERT INTO t VALUES (1)");
    assert_true(pg_capture_lines(&capture, 2, WAIT_MS));
    const struct mr_native_position first = capture.position.native;
    for (int i = 0; i < 20; i++) {
        (void)pg_capture_next(&capture, 50);
    }
    assert_int_equal(confirmed("acks"), start);
    assert_true(mr_source_postgres.ack(capture.source, first, &capture.err));
    for (int i = 0; i < 100 && confirmed("acks") != first.major; i++) {
        (void)pg_capture_next(&capture, 50);
    }
    assert_int_equal(confirmed("acks"), first.major);
    /* Another database writes; ours is idle, and the slot moves on all the same. */
    pg_lab_sql(lab.root, "CREATE TABLE IF NOT EXISTS elsewhere (x text)");
    bool moved = false;
    for (int i = 0; i < 200 && !moved; i++) {
        pg_lab_sql(lab.root, "INSERT INTO elsewhere SELECT repeat('x', 100) FROM "
                             "generate_series(1, 200)");
        assert_int_not_equal(pg_capture_next(&capture, 50), MR_NEXT_ERROR);
        assert_true(mr_source_postgres.ack(capture.source, capture.position.native, &capture.err));
        moved = confirmed("acks") > first.major + 10000;
    }
    assert_true(moved);
    assert_int_equal(capture.line_count, 2);
    struct mr_source_observation seen;
    for (int i = 0; i < 5; i++) {
        mr_source_postgres.observe(capture.source, &seen);
        (void)pg_capture_next(&capture, 300);
    }
    assert_true(seen.lag_bytes < UINT64_C(100) << 20);
    assert_true(seen.clock_skew_us < 1000000 && seen.clock_skew_us > -1000000);
    assert_memory_equal(seen.server, "PostgreSQL ", 11);
    pg_capture_close(&capture);
    drop_database(db, "acks");
}

/* ---- What cannot be represented. ---- */

static const struct bad_value {
    const char *label;
    const char *type;
    const char *value;
    enum mr_errc code;
    const char *mentions;
} bad_values[] = {
    {"an array that the server cannot send", "aclitem[]", "'{}'", MR_E_TYPE, "aclitem[]"},
    {"a time after the last", "timestamptz", "'294276-12-31 00:00:00+00'", MR_E_TYPE, "\"v\""},
    {"no number", "numeric(6,2)", "'NaN'", MR_E_TYPE, "numeric(6,2)"},
    {"a value larger than value_max", "text", "repeat('x', 70000)", MR_E_LIMIT, "value_max"},
};

static void what_cannot_be_represented_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(bad_values); i++) {
        const struct bad_value *c = &bad_values[i];
        struct pg_capture capture;
        PGconn *db = new_database("bad");
        print_message("    %s\n", c->label);
        pg_lab_sql(db,
                   "CREATE TABLE good (id int PRIMARY KEY);"
                   "CREATE TABLE t (id int PRIMARY KEY, v %s)",
                   c->type);
        pg_capture_open(&capture, &lab, "bad", NULL);
        capture.context.value_bytes_max = 65536;
        pg_capture_follow(&capture);
        pg_capture_stop(&capture);
        pg_lab_sql(db, "INSERT INTO good VALUES (1)");
        pg_lab_sql(db, "INSERT INTO t VALUES (1, %s)", c->value);
        assert_true(pg_capture_reopen(&capture));
        assert_true(pg_capture_fails(&capture, WAIT_MS));
        print_message("      %s\n", capture.err.message);
        assert_int_equal(capture.err.code, c->code);
        assert_int_equal(capture.err.recovery, MR_STOP);
        assert_non_null(strstr(capture.err.message, c->mentions));
        assert_non_null(strstr(capture.err.message, "public.t"));
        assert_non_null(strstr(capture.err.message, "commits at"));
        /* What came before it was handed on. */
        assert_true(capture.line_count >= 2);
        assert_string_equal(capture.lines[0], "INSERT public.good 1");
        pg_capture_close(&capture);
        drop_database(db, "bad");
    }
}

/* ---- What stands in the way of opening. ---- */

static void expect_refusal(struct pg_capture *capture, enum mr_errc code, enum mr_recovery recovery,
                           const char *mentions)
{
    struct mr_position start = {0};
    struct mr_error err = {0};
    struct mr_snapshot *snapshot =
        mr_source_postgres.snapshot_open(&capture->context, false, NULL, &start, &err);
    print_message("      %s\n", err.message);
    assert_null(snapshot);
    assert_int_equal(err.code, code);
    assert_int_equal(err.recovery, recovery);
    assert_non_null(strstr(err.message, mentions));
    mr_position_done(&start);
}

static void refusals_say_what_to_do(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("refused");
    pg_lab_sql(db, "CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE plain LOGIN PASSWORD 'p'");

    pg_capture_open(&capture, &lab, "refused", NULL);
    pg_capture_set(&capture, "password", "wrong");
    expect_refusal(&capture, MR_E_CONFIG, MR_STOP, "password");
    pg_capture_close(&capture);

    static const char *const plain[] = {"user", "plain", "password", "p", NULL};
    pg_capture_open(&capture, &lab, "refused", plain);
    expect_refusal(&capture, MR_E_CONFIG, MR_STOP, "ALTER ROLE \"plain\" REPLICATION");
    struct mr_findings findings = {0};
    assert_true(mr_source_postgres.preflight(&capture.context, &findings, &capture.err));
    bool found = false;
    for (uint32_t i = 0; i < findings.count; i++) {
        found = found || (findings.items[i].level == MR_FINDING_ERROR &&
                          strstr(findings.items[i].detail, "ALTER ROLE \"plain\" REPLICATION"));
    }
    assert_true(found);
    pg_capture_close(&capture);

    pg_capture_open(&capture, &lab, "no_such_database", NULL);
    expect_refusal(&capture, MR_E_CONFIG, MR_STOP, "no_such_database");
    pg_capture_close(&capture);

    static const char *const nobody[] = {"port", "1", NULL};
    pg_capture_open(&capture, &lab, "refused", nobody);
    expect_refusal(&capture, MR_E_NET, MR_RETRY, "port 1");
    pg_capture_close(&capture);
    pg_lab_sql(db, "DROP ROLE plain");
    drop_database(db, "refused");
}

static void slots_in_use_lost_and_moved_are_told_apart(void **state)
{
    (void)state;
    struct pg_capture first;
    struct pg_capture second;
    PGconn *db = new_database("slots");
    pg_lab_sql(db, "CREATE TABLE t (id int PRIMARY KEY)");
    pg_capture_open(&first, &lab, "slots", NULL);
    pg_capture_follow(&first);
    pg_capture_open(&second, &lab, "slots", NULL);
    const struct mr_position *at = &first.position;
    assert_true(mr_position_set(&second.position, mr_slice_of(at->epoch), mr_slice_of(at->text),
                                at->native, &second.err));
    assert_false(pg_capture_reopen(&second));
    print_message("      %s\n", second.err.message);
    assert_int_equal(second.err.recovery, MR_RETRY);
    assert_non_null(strstr(second.err.message, "in use by process"));
    pg_capture_stop(&first);
    for (int i = 0; i < 100 && !pg_capture_reopen(&second); i++) {
        mr_env_posix.sleep_us(&mr_env_posix, 50000);
    }
    assert_non_null(second.source);
    pg_capture_stop(&second);
    mr_env_posix.sleep_us(&mr_env_posix, 200000);

    pg_lab_sql(db, "INSERT INTO t VALUES (1)");
    pg_lab_sql(db,
               "SELECT pg_replication_slot_advance('millrace_e2e_slots', pg_current_wal_lsn())");
    assert_false(pg_capture_reopen(&second));
    print_message("      %s\n", second.err.message);
    assert_int_equal(second.err.code, MR_E_LOST);
    assert_int_equal(second.err.recovery, MR_STOP);
    assert_non_null(strstr(second.err.message, "past our position"));

    pg_lab_sql(db, "SELECT pg_drop_replication_slot('millrace_e2e_slots')");
    assert_false(pg_capture_reopen(&second));
    print_message("      %s\n", second.err.message);
    assert_int_equal(second.err.recovery, MR_STOP);
    assert_non_null(strstr(second.err.message, "is gone"));
    (void)snprintf(second.position.epoch, sizeof(second.position.epoch), "1/1");
    assert_false(pg_capture_reopen(&second));
    print_message("      %s\n", second.err.message);
    assert_non_null(strstr(second.err.message, "another one"));
    pg_capture_close(&first);
    pg_capture_close(&second);
    drop_database(db, "slots");
}

/* The server gives up a slot that is too far behind, and never the log that is left. */
static void a_slot_that_the_server_gave_up_is_told(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("lost");
    pg_lab_sql(db, "CREATE TABLE t (id int PRIMARY KEY)");
    pg_capture_open(&capture, &lab, "lost", NULL);
    pg_capture_follow(&capture);
    pg_capture_stop(&capture);
    pg_lab_sql(lab.root, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
    pg_lab_sql(lab.root, "SELECT pg_reload_conf()");
    for (int i = 0; i < 40 && strcmp(pg_lab_ask(lab.root, "SELECT wal_status FROM "
                                                          "pg_replication_slots WHERE database = "
                                                          "'lost'"),
                                     "lost") != 0;
         i++) {
        pg_lab_sql(db, "INSERT INTO t VALUES (%d)", i);
        pg_lab_sql(lab.root, "SELECT pg_switch_wal()");
        pg_lab_sql(lab.root, "CHECKPOINT");
    }
    pg_lab_sql(lab.root, "ALTER SYSTEM RESET max_slot_wal_keep_size");
    pg_lab_sql(lab.root, "SELECT pg_reload_conf()");
    assert_false(pg_capture_reopen(&capture));
    print_message("      %s\n", capture.err.message);
    assert_int_equal(capture.err.code, MR_E_LOST);
    assert_int_equal(capture.err.recovery, MR_STOP);
    assert_non_null(strstr(capture.err.message, "is lost"));
    assert_non_null(strstr(capture.err.message, "pg_drop_replication_slot('millrace_e2e_lost')"));
    pg_capture_close(&capture);
    drop_database(db, "lost");
}

static void a_server_without_free_slots_says_so(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("crowded");
    pg_lab_sql(db, "SELECT pg_create_logical_replication_slot('taken_' || i, 'pgoutput') "
                   "FROM generate_series(1, current_setting('max_replication_slots')::int) AS i");
    pg_capture_open(&capture, &lab, "crowded", NULL);
    expect_refusal(&capture, MR_E_CONFIG, MR_STOP, "max_replication_slots");
    pg_capture_close(&capture);
    drop_database(db, "crowded");
}

static void preflight_names_what_to_mend(void **state)
{
    (void)state;
    struct pg_capture capture;
    PGconn *db = new_database("preflight");
    pg_lab_sql(db,
               "CREATE TABLE keyless (a int); CREATE TABLE odd (id int PRIMARY KEY, v aclitem[]);"
               "CREATE TABLE fine (id int PRIMARY KEY)");
    pg_capture_open(&capture, &lab, "preflight", NULL);
    struct mr_findings findings = {0};
    assert_true(mr_source_postgres.preflight(&capture.context, &findings, &capture.err));
    unsigned odd = 0;
    unsigned keyless = 0;
    for (uint32_t i = 0; i < findings.count; i++) {
        const struct mr_finding *finding = &findings.items[i];
        print_message("      %d %s: %s\n", (int)finding->level, finding->what, finding->detail);
        assert_int_not_equal(finding->level, MR_FINDING_WARNING);
        if (finding->level == MR_FINDING_OK) {
            continue;
        }
        const bool is_odd = strcmp(finding->what, "table public.odd") == 0;
        odd += is_odd ? 1 : 0;
        keyless += is_odd ? 0 : 1;
        assert_non_null(strstr(
            finding->detail,
            is_odd ? "aclitem[]" : "ALTER TABLE \"public\".\"keyless\" REPLICA IDENTITY FULL"));
    }
    assert_int_equal(odd, 1);
    assert_int_equal(keyless, 1);
    pg_capture_close(&capture);
    drop_database(db, "preflight");
}

static void wal_level_is_asked_for(void **state)
{
    (void)state;
    struct pg_lab replica;
    struct pg_capture capture;
    pg_lab_start(&replica, "e2e-pg-replica", "-- -c wal_level=replica");
    pg_capture_open(&capture, &replica, "postgres", NULL);
    expect_refusal(&capture, MR_E_CONFIG, MR_STOP, "ALTER SYSTEM SET wal_level = 'logical'");
    pg_capture_close(&capture);
    pg_lab_wipe(&replica);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_arrives_as_it_was),
        cmocka_unit_test(changes_carry_the_right_images),
        cmocka_unit_test(schema_changes_and_drops_go_on),
        cmocka_unit_test(resuming_repeats_nothing_and_skips_nothing),
        cmocka_unit_test(a_large_transaction_comes_in_parts),
        cmocka_unit_test(a_single_commit_is_handed_on_at_once),
        cmocka_unit_test(only_what_is_acked_is_confirmed),
        cmocka_unit_test(what_cannot_be_represented_is_named),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(slots_in_use_lost_and_moved_are_told_apart),
        cmocka_unit_test(a_slot_that_the_server_gave_up_is_told),
        cmocka_unit_test(a_server_without_free_slots_says_so),
        cmocka_unit_test(preflight_names_what_to_mend),
        cmocka_unit_test(wal_level_is_asked_for),
    };
    pg_lab_start(&lab, "e2e-pg-source", "");
    const int failed = cmocka_run_group_tests_name("postgres_source", tests, NULL, NULL);
    pg_lab_wipe(&lab);
    return failed;
}
