// SPDX-License-Identifier: MIT
/*
 * test_postgres_shapes.c - tables and publications of every shape against a real server: the copy
 * and the stream show the same columns and rows, with the same schema.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_lab.h"
#include "postgres_source.h"

#define WAIT_MS     10000
#define COLUMNS_MAX 1600

static struct pg_lab lab;
static int version;

struct bench {
    const char *name;
    PGconn *db;
    struct pg_capture capture;
};

static void open_bench(struct bench *bench, const char *name, const char *const *options)
{
    *bench = (struct bench){.name = name, .db = pg_lab_new_database(&lab, name)};
    pg_capture_open(&bench->capture, &lab, name, options);
    version = PQserverVersion(bench->db);
}

static void close_bench(struct bench *bench)
{
    pg_capture_close(&bench->capture);
    pg_lab_drop_database(&lab, bench->db, bench->name);
}

static void fail_with(const char *what, const struct mr_error *err)
{
    (void)fprintf(stderr, "%s: %s\n", what, err->message);
    abort();
}

static void copy_piece(struct pg_capture *capture, struct mr_snapshot_reader *reader,
                       uint32_t table, uint32_t piece)
{
    struct mr_error err = {0};
    enum mr_next next = MR_NEXT_BATCH;
    if (!mr_source_postgres.reader_begin(reader, table, piece, &err)) {
        fail_with("reader_begin", &err);
    }
    while (next == MR_NEXT_BATCH) {
        struct mr_batch *batch = mr_batch_take(capture->pool, WAIT_MS);
        next = mr_source_postgres.reader_next(reader, batch, &err);
        if (next == MR_NEXT_ERROR) {
            fail_with("reader_next", &err);
        }
        pg_capture_keep(capture, batch);
        mr_batch_release(batch);
    }
}

/* Copies everything, in the order of the tables' names, and opens the stream. */
static void copy_all(struct bench *bench)
{
    struct mr_error err = {0};
    struct pg_capture *capture = &bench->capture;
    uint32_t count = 0;
    struct mr_snapshot *snapshot =
        mr_source_postgres.snapshot_open(&capture->context, true, NULL, &capture->position, &err);
    if (snapshot == NULL) {
        fail_with("snapshot_open", &err);
    }
    const struct mr_snapshot_table *tables = mr_source_postgres.snapshot_tables(snapshot, &count);
    struct mr_snapshot_reader *reader = mr_source_postgres.reader_open(snapshot, &err);
    if (reader == NULL) {
        fail_with("reader_open", &err);
    }
    mr_source_postgres.snapshot_release(snapshot);
    for (uint32_t table = 0; table < count; table++) {
        for (uint32_t piece = 0; piece < tables[table].piece_count; piece++) {
            copy_piece(capture, reader, table, piece);
        }
    }
    mr_source_postgres.reader_close(reader);
    mr_source_postgres.snapshot_close(snapshot);
    if (!pg_capture_reopen(capture)) {
        fail_with("open", &capture->err);
    }
}

/* Waits for exactly these lines; COMMIT lines are left out. */
static void expect_lines(struct bench *bench, const char *const *lines, size_t count)
{
    size_t seen = 0;
    size_t line = 0;
    for (int i = 0; i < 200 && seen < count; i++) {
        for (; line < bench->capture.line_count && seen < count; line++) {
            if (strcmp(bench->capture.lines[line], "COMMIT") != 0) {
                assert_string_equal(bench->capture.lines[line], lines[seen]);
                seen++;
            }
        }
        if (seen < count && pg_capture_next(&bench->capture, 50) == MR_NEXT_ERROR) {
            fail_with("next", &bench->capture.err);
        }
    }
    assert_int_equal(seen, count);
    if (bench->capture.source != NULL) {
        (void)pg_capture_next(&bench->capture, 20);
    }
    for (; line < bench->capture.line_count; line++) {
        assert_string_equal(bench->capture.lines[line], "COMMIT");
    }
    pg_capture_forget_lines(&bench->capture);
}

#define EXPECT(bench, ...)                                                                         \
    expect_lines((bench), (const char *const[]){__VA_ARGS__},                                      \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const struct mr_schema *latest(const struct bench *bench, const char *table)
{
    const struct mr_schema *schema =
        mr_catalog_latest(bench->capture.context.catalog, "public", table);
    assert_non_null(schema);
    return schema;
}

static void a_publication_of_the_users_own_is_used_as_it_is(void **state)
{
    (void)state;
    struct bench bench;
    static const char *const options[] = {"publication", "theirs", NULL};
    open_bench(&bench, "theirs", options);
    pg_lab_sql(bench.db,
               "CREATE TABLE listed (id int PRIMARY KEY, a int, b int);"
               "CREATE TABLE filtered (id int PRIMARY KEY, v text);"
               "ALTER TABLE filtered REPLICA IDENTITY FULL;"
               "CREATE TABLE not_in_it (id int PRIMARY KEY);"
               "INSERT INTO listed VALUES (1, 2, 3); INSERT INTO filtered VALUES (1, 'no'), "
               "(2, 'yes'); INSERT INTO not_in_it VALUES (1);"
               "CREATE PUBLICATION theirs FOR TABLE listed (id, b), filtered WHERE (v = 'yes')");
    copy_all(&bench);
    EXPECT(&bench, "READ public.filtered 2|yes", "READ public.listed 1|3");
    pg_lab_sql(bench.db, "UPDATE listed SET a = 5, b = 6; INSERT INTO not_in_it VALUES (2)");
    pg_lab_sql(bench.db, "UPDATE filtered SET v = 'yes' WHERE id = 1");
    pg_lab_sql(bench.db, "UPDATE filtered SET v = 'no' WHERE id = 2");
    EXPECT(&bench, "UPDATE public.listed 1|6", "INSERT public.filtered 1|yes",
           "DELETE public.filtered was 2");
    assert_int_equal(latest(&bench, "listed")->version, 1);
    assert_string_equal(
        pg_lab_ask(bench.db, "SELECT count(*) FROM pg_publication_tables WHERE pubname = 'theirs'"),
        "2");
    close_bench(&bench);
}

static void publications_of_all_and_of_schemas_are_used(void **state)
{
    (void)state;
    static const char *const kinds[] = {"FOR ALL TABLES", "FOR TABLES IN SCHEMA public"};
    for (size_t i = 0; i < MR_ARRAY_LEN(kinds); i++) {
        struct bench bench;
        static const char *const options[] = {"publication", "theirs", "exclude", "*.hidden", NULL};
        open_bench(&bench, "wide", options);
        pg_lab_sql(bench.db, "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE hidden (id int)");
        pg_lab_sql(bench.db, "INSERT INTO a VALUES (1); INSERT INTO hidden VALUES (1)");
        pg_lab_sql(bench.db, "CREATE PUBLICATION theirs %s", kinds[i]);
        copy_all(&bench);
        EXPECT(&bench, "READ public.a 1");
        pg_lab_sql(bench.db, "CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1);"
                             "INSERT INTO hidden VALUES (2); INSERT INTO a VALUES (2)");
        EXPECT(&bench, "INSERT public.b 1", "INSERT public.a 2");
        close_bench(&bench);
    }
}

static void a_publication_of_ours_grows(void **state)
{
    (void)state;
    struct bench bench;
    static const char *const options[] = {"publication", "named by the user", NULL};
    open_bench(&bench, "grows", options);
    pg_lab_sql(bench.db, "CREATE TABLE a (id int PRIMARY KEY)");
    copy_all(&bench);
    pg_lab_sql(bench.db, "CREATE TABLE b (id int PRIMARY KEY)");
    pg_capture_stop(&bench.capture);
    assert_true(pg_capture_reopen(&bench.capture));
    pg_lab_sql(bench.db, "INSERT INTO b VALUES (1)");
    EXPECT(&bench, "INSERT public.b 1");
    close_bench(&bench);
}

static void generated_columns_are_there_or_not_in_both(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "generated", NULL);
    pg_lab_sql(bench.db, "CREATE TABLE t (id int PRIMARY KEY, a int, g int GENERATED ALWAYS AS "
                         "(a * 2) STORED, z int); INSERT INTO t (id, a, z) VALUES (1, 2, 3)");
    copy_all(&bench);
    pg_lab_sql(bench.db, "INSERT INTO t (id, a, z) VALUES (2, 3, 4)");
    pg_lab_sql(bench.db, "UPDATE t SET a = 7 WHERE id = 1");
    if (version >= 180000) {
        EXPECT(&bench, "READ public.t 1|2|4|3", "INSERT public.t 2|3|6|4",
               "UPDATE public.t 1|7|14|3");
    } else {
        EXPECT(&bench, "READ public.t 1|2|3", "INSERT public.t 2|3|4", "UPDATE public.t 1|7|3");
    }
    assert_int_equal(latest(&bench, "t")->version, 1);
    close_bench(&bench);
}

static void partitions_are_part_of_their_root(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "parts", NULL);
    pg_lab_sql(bench.db, "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
                         "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
                         "CREATE TABLE p2 (v text, gone int, id int NOT NULL);"
                         "ALTER TABLE p2 DROP COLUMN gone;"
                         "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);"
                         "INSERT INTO p VALUES (1, 'a'), (11, 'b')");
    copy_all(&bench);
    EXPECT(&bench, "READ public.p 1|a", "READ public.p 11|b");
    pg_lab_sql(bench.db, "INSERT INTO p2 VALUES ('c', 12)"); /* by itself */
    pg_lab_sql(bench.db, "UPDATE p SET v = 'd' WHERE id = 12; UPDATE p SET id = 2 WHERE id = 12");
    EXPECT(&bench, "INSERT public.p 12|c", "UPDATE public.p 12|d", "DELETE public.p was 12",
           "INSERT public.p 2|d");
    /* While it runs: one comes, with rows of its own, and one goes. */
    pg_lab_sql(bench.db, "CREATE TABLE p3 (id int PRIMARY KEY, v text);"
                         "ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (20) TO (30);"
                         "INSERT INTO p VALUES (21, 'e'); ALTER TABLE p DETACH PARTITION p1;"
                         "INSERT INTO p1 VALUES (3, 'not of p any more');"
                         "INSERT INTO p VALUES (22, 'f'); DROP TABLE p1");
    EXPECT(&bench, "INSERT public.p 21|e", "INSERT public.p 22|f");
    pg_lab_sql(bench.db, "TRUNCATE p");
    EXPECT(&bench, "TRUNCATE public.p");
    assert_int_equal(latest(&bench, "p")->version, 1);
    close_bench(&bench);
}

static void identities_of_every_kind_carry_what_they_have(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "identities", NULL);
    pg_lab_sql(bench.db,
               "CREATE TABLE a_index (id int PRIMARY KEY, k int NOT NULL UNIQUE, big text, n int);"
               "ALTER TABLE a_index REPLICA IDENTITY USING INDEX a_index_k_key;"
               "ALTER TABLE a_index ALTER big SET STORAGE EXTERNAL;"
               "CREATE TABLE b_full (id int PRIMARY KEY, big text, n int);"
               "ALTER TABLE b_full REPLICA IDENTITY FULL;"
               "ALTER TABLE b_full ALTER big SET STORAGE EXTERNAL;"
               "CREATE TABLE c_default (id int PRIMARY KEY, big text, n int);"
               "ALTER TABLE c_default ALTER big SET STORAGE EXTERNAL;"
               "INSERT INTO a_index VALUES (1, 1, repeat('x', 2100), 1);"
               "INSERT INTO b_full VALUES (1, repeat('x', 2100), 1);"
               "INSERT INTO c_default VALUES (1, repeat('x', 2100), 1)");
    copy_all(&bench);
    assert_int_equal(latest(&bench, "a_index")->key[0], 1);
    assert_int_equal(latest(&bench, "b_full")->key[0], 0);
    pg_capture_forget_lines(&bench.capture);
    pg_lab_sql(bench.db, "UPDATE a_index SET n = 2");
    pg_lab_sql(bench.db, "UPDATE a_index SET k = 2");
    pg_lab_sql(bench.db, "UPDATE a_index SET id = 2");
    pg_lab_sql(bench.db, "UPDATE c_default SET n = 2");
    pg_lab_sql(bench.db, "UPDATE c_default SET id = 2, n = 3");
    pg_lab_sql(bench.db, "UPDATE c_default SET big = 'short'");
    pg_lab_sql(bench.db, "DELETE FROM a_index; DELETE FROM c_default");
    EXPECT(&bench, "UPDATE public.a_index 1|1|~|2", "UPDATE public.a_index 1|2|~|2 was 1",
           "UPDATE public.a_index 2|2|~|2", "UPDATE public.c_default 1|~|2",
           "UPDATE public.c_default 2|~|3 was 1", "UPDATE public.c_default 2|short|3",
           "DELETE public.a_index was 2", "DELETE public.c_default was 2");
    /* The old row has what the new one leaves out. */
    pg_lab_sql(bench.db, "UPDATE b_full SET n = 2; UPDATE b_full SET id = 2; DELETE FROM b_full");
    while (bench.capture.line_count < 4) {
        assert_int_not_equal(pg_capture_next(&bench.capture, 50), MR_NEXT_ERROR);
    }
    assert_memory_equal(bench.capture.lines[0], "UPDATE public.b_full 1|xxx", 26);
    assert_memory_equal(bench.capture.lines[1], "UPDATE public.b_full 2|xxx", 26);
    assert_non_null(strstr(bench.capture.lines[1], "xxx|2 was 1"));
    assert_string_equal(bench.capture.lines[2], "DELETE public.b_full was 2");
    close_bench(&bench);
}

static void odd_names_and_shapes_are_taken(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "odd", NULL);
    char wide[32768] = "CREATE TABLE wide (c0 int PRIMARY KEY";
    size_t length = strlen(wide);
    for (int i = 1; i < COLUMNS_MAX; i++) {
        length += (size_t)snprintf(wide + length, sizeof(wide) - length, ", c%d \"char\"", i);
    }
    (void)snprintf(wide + length, sizeof(wide) - length, ")");
    pg_lab_sql(bench.db, "%s", wide);
    pg_lab_sql(bench.db, "ALTER TABLE wide REPLICA IDENTITY FULL; "
                         "INSERT INTO wide (c0, c1599) VALUES (1, 'z')");
    pg_lab_sql(bench.db, "CREATE SCHEMA \"S\"\"pace ü\"; CREATE TABLE \"S\"\"pace ü\".\"select\" "
                         "(\"from\" int PRIMARY KEY, \"a'b\\c\" text, \"\"\"\" text);"
                         "INSERT INTO \"S\"\"pace ü\".\"select\" VALUES (1, 'a', 'b')");
    pg_lab_sql(bench.db, "CREATE TABLE n23456789012345678901234567890123456789012345678901234567890"
                         "123 (id int PRIMARY KEY, c2345678901234567890123456789012345678901234567"
                         "8901234567890123 int)");
    pg_lab_sql(bench.db, "CREATE TABLE dropped (gone int, id int PRIMARY KEY, also text, v text);"
                         "INSERT INTO dropped VALUES (1, 1, 'x', 'v');"
                         "ALTER TABLE dropped DROP COLUMN gone, DROP COLUMN also");
    pg_lab_sql(bench.db, "CREATE TABLE nothing_in_it (); INSERT INTO nothing_in_it DEFAULT VALUES;"
                         "ALTER TABLE nothing_in_it REPLICA IDENTITY FULL");
    pg_lab_sql(bench.db, "CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);"
                         "INSERT INTO unlogged VALUES (1)");
    copy_all(&bench);
    assert_int_equal(bench.capture.line_count, 3);
    assert_string_equal(bench.capture.lines[0], "READ S\"pace ü.select 1|a|b");
    assert_string_equal(bench.capture.lines[1], "READ public.dropped 1|v");
    assert_int_equal(strlen(bench.capture.lines[2]),
                     strlen("READ public.wide 1|z") + (COLUMNS_MAX - 2) * 2);
    pg_capture_forget_lines(&bench.capture);
    pg_lab_sql(bench.db, "UPDATE \"S\"\"pace ü\".\"select\" SET \"\"\"\" = 'c'");
    pg_lab_sql(bench.db, "INSERT INTO n23456789012345678901234567890123456789012345678901234567890"
                         "123 VALUES (1, 2)");
    pg_lab_sql(bench.db, "INSERT INTO nothing_in_it DEFAULT VALUES; UPDATE dropped SET v = 'w';"
                         "INSERT INTO unlogged VALUES (2)");
    EXPECT(&bench, "UPDATE S\"pace ü.select 1|a|c",
           "INSERT public.n2345678901234567890123456789012345678901234567890123456789012"
           "3 1|2",
           "UPDATE public.dropped 1|w");
    pg_lab_sql(bench.db, "UPDATE wide SET c1 = 'a'");
    while (bench.capture.line_count < 2) {
        assert_int_not_equal(pg_capture_next(&bench.capture, 50), MR_NEXT_ERROR);
    }
    assert_memory_equal(bench.capture.lines[0], "UPDATE public.wide 1|a|-|", 25);
    close_bench(&bench);
}

static void truncates_name_every_table(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "truncates", NULL);
    pg_lab_sql(bench.db, "CREATE TABLE parent (id serial PRIMARY KEY);"
                         "CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent);"
                         "CREATE TABLE other (id int PRIMARY KEY); INSERT INTO parent VALUES (1);"
                         "INSERT INTO child VALUES (1, 1)");
    copy_all(&bench);
    pg_capture_forget_lines(&bench.capture);
    pg_lab_sql(bench.db, "TRUNCATE parent RESTART IDENTITY CASCADE");
    pg_lab_sql(bench.db, "BEGIN; INSERT INTO other VALUES (1); TRUNCATE other, parent CASCADE;"
                         "INSERT INTO other VALUES (2); COMMIT");
    EXPECT(&bench, "TRUNCATE public.parent", "TRUNCATE public.child", "INSERT public.other 1",
           "TRUNCATE public.other", "TRUNCATE public.parent", "TRUNCATE public.child",
           "INSERT public.other 2");
    close_bench(&bench);
}

static const struct mr_finding *find(const struct mr_findings *findings, const char *what)
{
    for (uint32_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->items[i].what, what) == 0) {
            return &findings->items[i];
        }
    }
    return NULL;
}

static const struct mr_finding *find_some(const struct mr_findings *findings, const char *what)
{
    const struct mr_finding *found = find(findings, what);
    if (found == NULL) {
        (void)fprintf(stderr, "no finding of %s\n", what);
        abort();
    }
    return found;
}

/* What a look at the server says of publications, identities and generated columns. */
static void the_preflight_tells_of_them(void **state)
{
    (void)state;
    struct bench bench;
    static const char *const options[] = {"publication", "theirs", NULL};
    open_bench(&bench, "looked_at", options);
    pg_lab_sql(bench.db,
               "CREATE TABLE keyless (a int); CREATE TABLE not_in_it (id int PRIMARY KEY);"
               "CREATE TABLE made (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id) STORED);"
               "CREATE TABLE nothing_in_it ();"
               "CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY "
               "NOTHING;"
               "CREATE PUBLICATION theirs FOR TABLE keyless, made, nothing, nothing_in_it");
    struct mr_error err = {0};
    static struct mr_findings findings;
    for (int round = 0; round < 2; round++) {
        findings = (struct mr_findings){0};
        assert_true(mr_source_postgres.preflight(&bench.capture.context, &findings, &err));
        const struct mr_finding *publication = find_some(&findings, "publication");
        print_message("    %s\n", publication->detail);
        assert_int_equal(publication->level, MR_FINDING_WARNING);
        assert_non_null(strstr(publication->detail, "not_in_it"));
        const struct mr_finding *made = find_some(&findings, "table public.made");
        print_message("    %s\n", made->detail);
        assert_non_null(strstr(made->detail, "\"g\""));
        const struct mr_finding *outside = find_some(&findings, "table public.not_in_it");
        print_message("    %s\n", outside->detail);
        assert_non_null(strstr(outside->detail, "not captured"));
        assert_int_equal(find_some(&findings, "table public.nothing_in_it")->level, MR_FINDING_OK);
        if (round == 0) {
            const struct mr_finding *keyless = find_some(&findings, "table public.keyless");
            const struct mr_finding *nothing = find_some(&findings, "table public.nothing");
            assert_int_equal(keyless->level, MR_FINDING_ERROR);
            assert_non_null(strstr(keyless->detail, "REPLICA IDENTITY FULL"));
            assert_int_equal(nothing->level, MR_FINDING_ERROR);
            assert_non_null(strstr(nothing->detail, "REPLICA IDENTITY DEFAULT"));
            pg_lab_sql(bench.db, "ALTER PUBLICATION theirs SET (publish = 'insert')");
        } else {
            /* Nothing but inserts: neither has an update to be refused. */
            assert_int_equal(find_some(&findings, "table public.keyless")->level, MR_FINDING_OK);
            assert_int_equal(find_some(&findings, "table public.nothing")->level, MR_FINDING_OK);
            assert_non_null(strstr(publication->detail, "insert"));
        }
    }
    pg_lab_sql(bench.db, "INSERT INTO keyless VALUES (1)");
    copy_all(&bench);
    pg_lab_sql(bench.db, "UPDATE keyless SET a = 2; INSERT INTO keyless VALUES (3);"
                         "INSERT INTO nothing VALUES (1)");
    EXPECT(&bench, "READ public.keyless 1", "INSERT public.keyless 3", "INSERT public.nothing 1");
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publication_of_the_users_own_is_used_as_it_is),
        cmocka_unit_test(publications_of_all_and_of_schemas_are_used),
        cmocka_unit_test(a_publication_of_ours_grows),
        cmocka_unit_test(generated_columns_are_there_or_not_in_both),
        cmocka_unit_test(partitions_are_part_of_their_root),
        cmocka_unit_test(identities_of_every_kind_carry_what_they_have),
        cmocka_unit_test(odd_names_and_shapes_are_taken),
        cmocka_unit_test(truncates_name_every_table),
        cmocka_unit_test(the_preflight_tells_of_them),
    };
    pg_lab_start(&lab, "e2e-pg-shapes", "");
    const int failed = cmocka_run_group_tests_name("postgres_shapes", tests, NULL, NULL);
    pg_lab_wipe(&lab);
    return failed;
}
