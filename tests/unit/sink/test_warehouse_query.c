// SPDX-License-Identifier: MIT
/*
 * Queries beside the sink: how values look, what is refused, and what happens to the sink while a
 * query is hostile.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "ddl.h"
#include "sink_kit.h"
#include "warehouse_query.h"

#define KEYED "id:i64:key a:i64 b:text"

static struct kit kit;

static int open_kit(void **state)
{
    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, schema, "1|10|x");
    kit_insert(&kit, batch, schema, "2|20|~");
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    return 0;
}

static int close_kit(void **state)
{
    (void)state;
    kit_close(&kit);
    return 0;
}

/* Runs a query; returns its answer from "rows": on, without the time it took. free() it. */
static char *ask(const char *sql, const struct mr_query_parameter *parameters, size_t count,
                 struct mr_error *err)
{
    const struct mr_query query = {
        .sql = sql,
        .parameters = parameters,
        .parameter_count = count,
        .rows_max = 5,
        .bytes_max = 100000,
        .time_ms_max = 3000,
        .wait_ms = 1000,
    };
    struct mr_json out = {0};
    char *answer = NULL;

    *err = (struct mr_error){0};
    if (mr_warehouse_query(kit.sink, &query, &out, err)) {
        char *rows = strstr(out.text, "\"rows\":");
        assert_non_null(rows);
        char *end = strstr(rows, ",\"elapsed_ms\"");
        assert_non_null(end);
        *end = '\0';
        answer = strdup(rows + strlen("\"rows\":"));
    }
    mr_json_done(&out);
    return answer;
}

static const struct answer_case {
    const char *sql;
    const char *rows;
} answer_cases[] = {
    {"SELECT * FROM ops_parking.payment ORDER BY id", "[[1,10,\"x\"],[2,20,null]]"},
    {"FROM ops_parking.payment SELECT count(*);", "[[2]]"},
    {"  -- a comment\n /* two */ SELECT 1", "[[1]]"},
    {"VALUES (1, 'a'), (2, 'b')", "[[1,\"a\"],[2,\"b\"]]"},
    {"SELECT true, false, NULL", "[[true,false,null]]"},
    {"SELECT 9007199254740992, 9007199254740993, -9007199254740993",
     "[[9007199254740992,\"9007199254740993\",\"-9007199254740993\"]]"},
    {"SELECT 18446744073709551615::UBIGINT, 170141183460469231731687303715884105727::HUGEINT",
     "[[\"18446744073709551615\",\"170141183460469231731687303715884105727\"]]"},
    {"SELECT (-170141183460469231731687303715884105727-1)::HUGEINT",
     "[[\"-170141183460469231731687303715884105728\"]]"},
    {"SELECT 1.50::DECIMAL(10,2), -0.05::DECIMAL(4,2), 7::DECIMAL(38,0), 0::DECIMAL(18,3)",
     "[[\"1.50\",\"-0.05\",\"7\",\"0.000\"]]"},
    {"SELECT 0.1::FLOAT, 0.1::DOUBLE, 1e300::DOUBLE, 'NaN'::DOUBLE, '-inf'::FLOAT",
     "[[0.1,0.1,1e+300,\"NaN\",\"-Infinity\"]]"},
    {"SELECT DATE '2024-02-29', DATE '0001-01-01', DATE '12345-06-07', 'infinity'::DATE",
     "[[\"2024-02-29\",\"0001-01-01\",\"+12345-06-07\",\"infinity\"]]"},
    {"SELECT DATE '0044-03-15 (BC)', DATE '1969-12-31'", "[[\"-0043-03-15\",\"1969-12-31\"]]"},
    {"SELECT TIMESTAMP '2024-01-02 03:04:05.678900', TIMESTAMP '1969-12-31 23:59:59.5'",
     "[[\"2024-01-02T03:04:05.6789\",\"1969-12-31T23:59:59.5\"]]"},
    {"SELECT TIMESTAMPTZ '2024-01-02 03:04:05+02', '-infinity'::TIMESTAMP",
     "[[\"2024-01-02T01:04:05Z\",\"-infinity\"]]"},
    {"SELECT TIMESTAMP_S '2024-01-02 03:04:05', TIMESTAMP_NS '2024-01-02 03:04:05.123456789'",
     "[[\"2024-01-02T03:04:05\",\"2024-01-02T03:04:05.123456789\"]]"},
    {"SELECT TIME '01:02:03.000004', TIME '24:00:00', '01:02:03-01:30'::TIMETZ",
     "[[\"01:02:03.000004\",\"24:00:00\",\"01:02:03-01:30\"]]"},
    {"SELECT INTERVAL '14 months 3 days 4 hours 5 minutes 6.7 seconds', INTERVAL 0 DAY",
     "[[\"P1Y2M3DT4H5M6.7S\",\"PT0S\"]]"},
    {"SELECT INTERVAL '-0.5 seconds', INTERVAL '-90 minutes'", "[[\"PT-0.5S\",\"PT-1H-30M\"]]"},
    {"SELECT '\\x00\\xFFa'::BLOB, ''::BLOB, 'ab'::BLOB", "[[\"AP9h\",\"\",\"YWI=\"]]"},
    {"SELECT '123e4567-e89b-12d3-a456-426614174000'::UUID, '10110'::BIT",
     "[[\"123e4567-e89b-12d3-a456-426614174000\",\"10110\"]]"},
    {"SELECT [1, NULL, 3], {'a': 1, 'b': ['x']}, MAP {'k': 1}, [1, 2]::INTEGER[2]",
     "[[[1,null,3],{\"a\":1,\"b\":[\"x\"]},[{\"key\":\"k\",\"value\":1}],[1,2]]]"},
    {"SELECT 'b'::ENUM('a', 'b'), union_value(n := 5), '{\"j\": 1}'::JSON, 'ü\"\\n'",
     "[[\"b\",5,\"{\\\"j\\\": 1}\",\"ü\\\"\\\\n\"]]"},
    {"SELECT 1 WHERE false", "[]"},
    {"SELECT * FROM range(7)", "[[0],[1],[2],[3],[4]],\"truncated\":true"},
    {"SELECT * FROM range(5)", "[[0],[1],[2],[3],[4]],\"truncated\":false"},
    {"SELECT table_name FROM information_schema.tables WHERE table_schema = 'ops_parking'",
     "[[\"payment\"]]"},
    {"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) FROM r",
     "[[1],[2],[3]]"},
};

static void values_look_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(answer_cases); i++) {
        const struct answer_case *c = &answer_cases[i];
        struct mr_error err;
        char *rows = ask(c->sql, NULL, 0, &err);

        print_message("    %s\n", c->sql);
        if (rows == NULL) {
            print_message("        %s\n", err.message);
        }
        assert_non_null(rows);
        if (strncmp(rows, c->rows, strlen(c->rows)) != 0) {
            assert_string_equal(rows, c->rows);
        }
        free(rows);
    }
}

static void parameters_are_bound(void **state)
{
    const struct mr_query_parameter parameters[] = {
        {.kind = MR_QUERY_INT, .integer = 2},
        {.kind = MR_QUERY_TEXT, .text = "it's"},
        {.kind = MR_QUERY_NULL},
        {.kind = MR_QUERY_BOOL, .boolean = true},
        {.kind = MR_QUERY_REAL, .real = 1.5},
    };
    struct mr_error err;

    (void)state;
    char *rows =
        ask("SELECT a, $2, $3, $4, $5 FROM ops_parking.payment WHERE id = $1", parameters, 5, &err);
    assert_non_null(rows);
    assert_non_null(strstr(rows, "[[20,\"it's\",null,true,1.5]]"));
    free(rows);
    assert_null(ask("SELECT ?", NULL, 0, &err));
    assert_int_equal(err.code, MR_E_CONFIG);
}

static const char *const explain_cases[] = {
    "EXPLAIN SELECT * FROM ops_parking.payment",
    "explain analyze SELECT count(*) FROM ops_parking.payment",
    "DESCRIBE ops_parking.payment",
    "SUMMARIZE ops_parking.payment",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SELECT * FROM pragma_table_info('ops_parking.payment')",
};

static void explaining_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(explain_cases); i++) {
        struct mr_error err;
        print_message("    %s\n", explain_cases[i]);
        char *rows = ask(explain_cases[i], NULL, 0, &err);
        if (rows == NULL) {
            print_message("        %s\n", err.message);
        }
        assert_non_null(rows);
        free(rows);
    }
}

/* Everything a query must not do; each is refused, and leaves no trace. */
static const char *const refused[] = {
    "",
    "   -- nothing",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE ops_parking.payment",
    "DROP TABLE ops_parking.payment",
    "DELETE FROM ops_parking.payment",
    "INSERT INTO ops_parking.payment VALUES (9, 9, 'z')",
    "UPDATE ops_parking.payment SET a = 0",
    "TRUNCATE ops_parking.payment",
    "MERGE INTO ops_parking.payment USING (SELECT 1 AS id) s ON (true) WHEN MATCHED THEN DELETE",
    "CREATE TABLE t (a INTEGER)",
    "CREATE TEMP TABLE t (a INTEGER)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE VIEW v AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "CREATE SEQUENCE s",
    "CREATE SECRET s (TYPE S3)",
    "ALTER TABLE ops_parking.payment ADD COLUMN z INTEGER",
    "ATTACH ':memory:' AS m",
    "ATTACH '/tmp/other.duckdb' AS m",
    "DETACH w",
    "USE memory",
    "SET threads = 1",
    "SET SESSION enable_progress_bar = true",
    "SET GLOBAL memory_limit = '10GB'",
    "SET VARIABLE x = 1",
    "RESET threads",
    "PRAGMA database_list",
    "PRAGMA show_tables",
    "PRAGMA enable_profiling",
    "PRAGMA import_database('/tmp')",
    "CALL pragma_version()",
    "CALL checkpoint()",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "COPY ops_parking.payment TO '/tmp/mr-escape.csv'",
    "COPY (SELECT 1) TO '/tmp/mr-escape.csv'",
    "COPY ops_parking.payment FROM '/etc/passwd'",
    "EXPORT DATABASE '/tmp/mr-escape'",
    "IMPORT DATABASE '/tmp/mr-escape'",
    "LOAD httpfs",
    "INSTALL httpfs",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    "EXPLAIN DELETE FROM ops_parking.payment",
    "EXPLAIN ANALYZE DELETE FROM ops_parking.payment",
    "EXPLAIN ANALYZE INSERT INTO ops_parking.payment VALUES (9, 9, 'z')",
    "EXPLAIN (FORMAT JSON) DELETE FROM ops_parking.payment",
    "EXPLAIN COPY (SELECT 1) TO '/tmp/mr-escape.csv'",
    "EXPLAIN EXPLAIN SELECT 1",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM READ_CSV('/etc/passwd')",
    "SELECT * FROM \"read_csv\"('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('/tmp/x.parquet')",
    "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM '/tmp/x.csv'",
    "SELECT * FROM 'https://example.org/x.csv'",
    "SELECT (SELECT max(content) FROM read_text('/etc/passwd'))",
    "WITH x AS MATERIALIZED (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x",
    "SELECT 1 WHERE EXISTS (SELECT * FROM glob('/*'))",
    "SELECT * FROM range(2) t(i), LATERAL (SELECT * FROM glob('/*'))",
    "SUMMARIZE SELECT * FROM glob('/*')",
    "DESCRIBE SELECT * FROM glob('/*')",
    "SELECT * FROM query('DROP TABLE ops_parking.payment')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('ops_parking.payment')",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    "SELECT * FROM enable_profiling()",
    "SELECT * FROM disable_profiling()",
    "SELECT * FROM enable_logging()",
    "SELECT * FROM disable_logging()",
    "SELECT * FROM truncate_duckdb_logs()",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM force_checkpoint()",
    "SELECT * FROM enable_peg_parser()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM which_secret('a', 'b')",
    "SELECT * FROM duckdb_logs_parsed('x')",
    "SELECT * FROM read_duckdb('/tmp/x')",
    "SELECT * FROM seq_scan('x')",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM sql_auto_complete('SEL')",
    "SELECT * FROM millrace_rows(0)",
    "SELECT write_log('x')",
    "SELECT Write_Log('x')",
    "SELECT main.write_log('x')",
    "SELECT system.main.write_log('x')",
    "SELECT ('x').write_log()",
    "SELECT list_transform([1], lambda x: write_log(x::VARCHAR))",
    "SELECT sum(i) OVER (ORDER BY write_log('x')) FROM range(2) t(i)",
    "SELECT nextval('s')",
    "SELECT sleep_ms(10)",
    "SELECT getvariable('x')",
    "SELECT getenv('HOME')",
    "SELECT * FROM nowhere",
    "SELEC 1",
    "SELECT 1 FROM (",
};

static void escapes_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(refused); i++) {
        struct mr_error err;

        char *rows = ask(refused[i], NULL, 0, &err);
        print_message("    %s\n        %s\n", refused[i], rows == NULL ? err.message : rows);
        assert_null(rows);
        assert_int_equal(err.code, MR_E_CONFIG);
        assert_int_equal(err.recovery, MR_STOP);
        assert_true(err.message[0] != '\0');
    }
    /* The database's own files are open, but not to be read as files. */
    static const char *const forms[][2] = {{"SELECT * FROM '", "'"},
                                           {"SELECT * FROM '", ".wal'"},
                                           {"SELECT * FROM '", ".tmp/x.csv'"},
                                           {"SELECT * FROM read_duckdb('", "')"}};
    for (size_t i = 0; i < MR_ARRAY_LEN(forms); i++) {
        struct mr_sql sql = {0};
        struct mr_error refusal;
        mr_sql_addf(&sql, "%s%s%s", forms[i][0], kit.path, forms[i][1]);
        assert_null(ask(sql.text, NULL, 0, &refusal));
        print_message("    %s\n        %s\n", sql.text, refusal.message);
        assert_int_equal(refusal.code, MR_E_CONFIG);
        mr_sql_done(&sql);
    }
    struct mr_error err;
    char *rows = ask("SELECT count(*), sum(a) FROM ops_parking.payment", NULL, 0, &err);
    assert_non_null(rows);
    assert_non_null(strstr(rows, "[[2,\"30\"]]") != NULL ? rows : strstr(rows, "[[2,30]]"));
    free(rows);
    assert_int_equal(access("/tmp/mr-escape.csv", F_OK), -1);
}

/* A new version of the engine may bring functions that act: they are all seen here. */
static void the_engine_has_no_unknown_volatile_functions(void **state)
{
    (void)state;
    assert_int_equal(
        kit_number(&kit, "SELECT count(DISTINCT function_name) FROM duckdb_functions() "
                         "WHERE stability = 'VOLATILE' AND function_name NOT IN "
                         "('current_connection_id', 'current_query', 'current_query_id', "
                         "'current_transaction_id', 'error', 'gen_random_uuid', 'random', "
                         "'setseed', 'stats', 'uuid', 'uuidv4', 'uuidv7', 'currval', 'nextval', "
                         "'sleep_ms', 'write_log')"),
        0);
}

struct hostile {
    const char *sql;
    enum mr_errc expect;
    atomic_bool done;
    bool answered;
    struct mr_error err;
};

static void *run_hostile(void *context)
{
    struct hostile *hostile = context;
    const struct mr_query query = {
        .sql = hostile->sql,
        .rows_max = 10,
        .bytes_max = 1 << 20,
        .time_ms_max = 700,
        .wait_ms = 1000,
    };
    struct mr_json out = {0};

    hostile->answered = mr_warehouse_query(kit.sink, &query, &out, &hostile->err);
    mr_json_done(&out);
    atomic_store(&hostile->done, true);
    return NULL;
}

static struct hostile hostile_cases[] = {
    {.sql = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range "
            "= 7",
     .expect = MR_E_CANCELLED},
    {.sql = "SELECT list(a.range || 'x' || b.range) FROM range(100000) a, range(100000) b",
     .expect = MR_E_LIMIT},
    {.sql =
         "SELECT a.range, b.range FROM range(3000000) a, range(3000000) b ORDER BY hash(a.range), "
         "hash(b.range) LIMIT 5",
     .expect = MR_E_CANCELLED},
    {.sql = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
     .expect = MR_E_CANCELLED},
    {.sql = "SELECT repeat('x', 400000000)", .expect = MR_E_LIMIT},
};

/* The sink commits on while each of these runs, and every commit is there afterwards. */
static void the_sink_goes_on_beside_hostile_queries(void **state)
{
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    int id = 100;
    char row[64];

    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(hostile_cases); i++) {
        struct hostile *hostile = &hostile_cases[i];
        pthread_t thread;
        unsigned commits = 0;
        unsigned retries = 0;

        print_message("    %.70s\n", hostile->sql);
        assert_int_equal(pthread_create(&thread, NULL, run_hostile, hostile), 0);
        while (!atomic_load(&hostile->done) || commits < 20) {
            struct mr_batch *batch = kit_batch(&kit, 0);
            struct mr_error err = {0};
            kit_begin(&kit, batch);
            (void)snprintf(row, sizeof(row), "%d|7|h", id);
            kit_insert(&kit, batch, schema, row);
            kit_commit(&kit, batch);
            while (!kit.ops->apply(kit.sink, &batch, 1, &err) || !kit.ops->commit(kit.sink, &err)) {
                assert_int_equal(err.recovery, MR_RETRY);
                kit.ops->rollback(kit.sink);
                assert_true(++retries < 200);
                (void)usleep(20000);
            }
            mr_batch_release(batch);
            assert_true(kit.ops->maintain(kit.sink, true, &err));
            id++;
            commits++;
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        print_message("        %u commits, %u retries, query: %s\n", commits, retries,
                      hostile->answered ? "answered" : hostile->err.message);
        assert_false(hostile->answered);
        assert_true(hostile->err.code == hostile->expect || hostile->err.code == MR_E_LIMIT ||
                    hostile->err.code == MR_E_CANCELLED);
    }
    (void)snprintf(row, sizeof(row), "SELECT count(*) FROM ops_parking.payment WHERE b = 'h'");
    assert_int_equal(kit_number(&kit, row), (uint64_t)id - 100);
}

/* A reader of two tables always sees whole commits: both tables hold the same number of rows. */
static atomic_bool stop_reading;

static void *read_pairs(void *context)
{
    unsigned *count = context;
    while (!atomic_load(&stop_reading)) {
        struct mr_error err = {0};
        char *rows = ask("SELECT (SELECT count(*) FROM ops_parking.left) - "
                         "(SELECT count(*) FROM ops_parking.right)",
                         NULL, 0, &err);
        if (rows == NULL && err.recovery == MR_RETRY) {
            (void)usleep(10000); /* the sink still has the memory of the test before */
            continue;
        }
        if (rows == NULL || strncmp(rows, "[[0]]", 5) != 0) {
            print_message("    %s\n", rows == NULL ? err.message : rows);
            *count = 0;
            return NULL;
        }
        free(rows);
        (*count)++;
    }
    return NULL;
}

static void commits_are_seen_whole(void **state)
{
    const struct mr_schema *left = kit_schema(&kit, 0, "parking", "left", KEYED);
    const struct mr_schema *right = kit_schema(&kit, 0, "parking", "right", KEYED);
    unsigned count = 0;
    char row[64];
    pthread_t thread;

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct mr_batch *batch = kit_batch(&kit, 0);
        kit_begin(&kit, batch);
        (void)snprintf(row, sizeof(row), "%d|1|x", i);
        kit_insert(&kit, batch, left, row);
        kit_insert(&kit, batch, right, row);
        kit_commit(&kit, batch);
        kit_apply_commit(&kit, batch);
        assert_true(kit.ops->maintain(kit.sink, true, &kit.err));
        if (i == 0) {
            atomic_store(&stop_reading, false);
            assert_int_equal(pthread_create(&thread, NULL, read_pairs, &count), 0);
            (void)sleep(2); /* as long as queries may have to wait */
        }
    }
    atomic_store(&stop_reading, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    print_message("    %u reads\n", count);
    assert_true(count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_look_as_documented),
        cmocka_unit_test(parameters_are_bound),
        cmocka_unit_test(explaining_is_allowed),
        cmocka_unit_test(escapes_are_refused),
        cmocka_unit_test(the_engine_has_no_unknown_volatile_functions),
        cmocka_unit_test(the_sink_goes_on_beside_hostile_queries),
        cmocka_unit_test(commits_are_seen_whole),
    };
    return cmocka_run_group_tests_name("warehouse_query", tests, open_kit, close_kit);
}
