// SPDX-License-Identifier: MIT
/*
 * Checkpoints with readers about, memory that runs out, a database that breaks, settings and locks.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "sink_kit.h"
#include "warehouse_query.h"

#define KEYED "id:i64:key a:i64 b:text"

static void commit_one(struct kit *kit, const struct mr_schema *schema, bool update, int id)
{
    char row[64];
    struct mr_batch *batch = kit_batch(kit, 0);

    (void)snprintf(row, sizeof(row), "%d|%d|some text of a row", id, id);
    kit_begin(kit, batch);
    if (update) {
        kit_update(kit, batch, schema, NULL, row);
    } else {
        kit_insert(kit, batch, schema, row);
    }
    kit_commit(kit, batch);
    kit_apply_commit(kit, batch);
}

/* A reader in the middle of its result, with updates, deletes and inserts going on beside it. */
static void checkpoints_happen_beside_an_open_reader(void **state)
{
    static const char *const options[] = {"wal_bytes_max", "65536", NULL};
    struct kit kit;
    struct mr_sink_observation before, during, after;
    struct mr_lease lease = {0};
    duckdb_result result;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, options);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    for (int i = 0; i < 10000; i++) {
        char row[32];
        (void)snprintf(row, sizeof(row), "%d|1|x", i);
        kit_insert(&kit, batch, schema, row);
    }
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    assert_true(
        mr_gate_lease(mr_warehouse_gate(kit.sink->warehouse), 1000, 600000, &lease, &kit.err));
    assert_int_equal(duckdb_query(lease.connection, "BEGIN TRANSACTION READ ONLY", NULL),
                     DuckDBSuccess);
    assert_int_equal(
        duckdb_query(lease.connection, "SELECT count(*) FROM ops_parking.payment", &result),
        DuckDBSuccess);
    kit.ops->observe(kit.sink, &before);
    uint64_t wal_max = 0;
    for (int i = 0; i < 3000; i++) {
        commit_one(&kit, schema, i % 2 == 0, i % 2 == 0 ? i : 10000 + i);
        assert_true(kit.ops->maintain(kit.sink, i % 3 == 0, &kit.err));
        kit.ops->observe(kit.sink, &during);
        wal_max = during.wal_bytes > wal_max ? during.wal_bytes : wal_max;
    }
    print_message("    %llu checkpoints, log at most %llu bytes\n",
                  (unsigned long long)(during.checkpoints_total - before.checkpoints_total),
                  (unsigned long long)wal_max);
    assert_true(during.checkpoints_total >= before.checkpoints_total + 3);
    assert_true(wal_max < 4 * 65536);
    duckdb_destroy_result(&result);
    /* The reader still sees its moment. */
    assert_int_equal(duckdb_query(lease.connection,
                                  "SELECT count(*)::UBIGINT FROM ops_parking.payment", &result),
                     DuckDBSuccess);
    duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
    assert_non_null(chunk);
    const uint64_t *counted = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    assert_int_equal(*counted, 10000);
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
    mr_gate_return(mr_warehouse_gate(kit.sink->warehouse), &lease);
    assert_true(kit.ops->maintain(kit.sink, true, &kit.err));
    kit.ops->observe(kit.sink, &after);
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM ops_parking.payment"), 11500);
    kit_close(&kit);
}

static void old_positions_are_deleted(void **state)
{
    struct kit kit;
    struct mr_sink_position position;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    for (int i = 0; i < 50; i++) {
        commit_one(&kit, schema, false, i);
    }
    kit.sink->state.position_rows = 1000000;
    assert_true(kit.ops->maintain(kit.sink, false, &kit.err));
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM millrace.position"), 1);
    kit_reopen(&kit);
    assert_true(kit.ops->position(kit.sink, 0, &position, &kit.err));
    assert_int_equal(position.sequence, 50);
    kit_close(&kit);
}

/* What DuckDB does after an internal error: every call fails until the database is opened again. */
static void a_broken_database_is_opened_again(void **state)
{
    struct kit kit;
    struct mr_sink_position position;
    struct mr_error err = {0};

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    commit_one(&kit, schema, false, 1);
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, schema, "2|2|y");
    kit_commit(&kit, batch);
    assert_true(kit.ops->apply(kit.sink, &batch, 1, &err));
    mr_warehouse_break(kit.sink->warehouse);
    kit.ops->rollback(kit.sink);
    assert_true(kit.ops->position(kit.sink, 0, &position, &err));
    assert_int_equal(position.sequence, 1);
    kit_apply_commit(&kit, batch);
    char *rows = kit_dump(&kit, 0, schema);
    assert_string_equal(rows, "1|1|some text of a row\n2|2|y\n");
    free(rows);

    /* While a query holds the old database it cannot be opened: retry, then it works. */
    struct mr_lease lease = {0};
    assert_true(mr_gate_lease(mr_warehouse_gate(kit.sink->warehouse), 1000, 600000, &lease, &err));
    mr_warehouse_break(kit.sink->warehouse);
    kit.ops->rollback(kit.sink);
    assert_false(kit.ops->position(kit.sink, 0, &position, &err));
    assert_int_equal(err.recovery, MR_RETRY);
    print_message("    %s\n", err.message);
    mr_gate_return(mr_warehouse_gate(kit.sink->warehouse), &lease);
    assert_true(kit.ops->position(kit.sink, 0, &position, &err));
    assert_int_equal(position.sequence, 2);
    kit_close(&kit);
}

/* As the loader does it (loader.h, FAILURE): the sink is opened anew after this many in a row. */
#define FAILURES_MAX 3

struct eater {
    struct kit *kit;
    pthread_rwlock_t holders; /* of the sink; written when it is opened anew */
    atomic_bool stop;
    unsigned oom_count;
    char last[200];
};

/* Eats the engine's memory, over and over. */
static void *eat(void *context)
{
    struct eater *eater = context;
    const struct mr_query query = {
        .sql = "SELECT list(a.range || 'x' || b.range) FROM range(100000) a, range(100000) b",
        .rows_max = 10,
        .bytes_max = 1 << 20,
        .time_ms_max = 10000,
        .wait_ms = 100,
    };
    while (!atomic_load(&eater->stop)) {
        struct mr_json out = {0};
        struct mr_error err = {0};
        assert_int_equal(pthread_rwlock_rdlock(&eater->holders), 0);
        const bool answered = mr_warehouse_query(eater->kit->sink, &query, &out, &err);
        (void)pthread_rwlock_unlock(&eater->holders);
        if (!answered) {
            eater->oom_count += err.code == MR_E_LIMIT;
            (void)snprintf(eater->last, sizeof(eater->last), "%.190s", err.message);
            (void)usleep(1000);
        }
        mr_json_done(&out);
    }
    return NULL;
}

/* Applies and commits a batch as often as it takes; returns the failures. */
static unsigned insist(struct eater *eater, struct mr_batch *batch)
{
    struct kit *kit = eater->kit;
    struct mr_error err = {0};
    unsigned failures = 0;
    while (!kit->ops->apply(kit->sink, &batch, 1, &err) || !kit->ops->commit(kit->sink, &err) ||
           !kit->ops->maintain(kit->sink, false, &err)) {
        print_message("    %s\n", err.message);
        assert_int_equal(err.recovery, MR_RETRY);
        kit->ops->rollback(kit->sink);
        assert_true(++failures < 60);
        if (failures % FAILURES_MAX == 0) {
            assert_int_equal(pthread_rwlock_wrlock(&eater->holders), 0);
            kit_reopen(kit);
            (void)pthread_rwlock_unlock(&eater->holders);
        }
        (void)usleep(10000);
    }
    return failures;
}

static void memory_that_runs_out_is_survived(void **state)
{
    static const char *const options[] = {"memory", "32MB", NULL};
    struct kit kit;
    struct eater eater = {.kit = &kit, .holders = PTHREAD_RWLOCK_INITIALIZER};
    pthread_t threads[2];
    unsigned retries = 0;
    char row[256];

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, options);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    for (size_t i = 0; i < MR_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, eat, &eater), 0);
    }
    for (int b = 0; b < 40; b++) {
        struct mr_batch *batch = kit_batch(&kit, 0);
        kit_begin(&kit, batch);
        for (int i = 0; i < 5000; i++) {
            (void)snprintf(row, sizeof(row), "%d|%d|a value that takes some room in memory %d%d",
                           b * 2500 + i, b, i * 7919, b);
            kit_update(&kit, batch, schema, NULL, row);
        }
        kit_commit(&kit, batch);
        retries += insist(&eater, batch);
        mr_batch_release(batch);
    }
    atomic_store(&eater.stop, true);
    for (size_t i = 0; i < MR_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    print_message("    %u retries of the sink, %u queries out of memory, %u rows a reduction\n",
                  retries, eater.oom_count, kit.sink->apply.rows_max);
    print_message("    %s\n", eater.last);
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM ops_parking.payment"), 102500);
    assert_int_equal(kit_number(&kit, "SELECT count(DISTINCT id) FROM ops_parking.payment"),
                     102500);
    kit_close(&kit);
}

static struct mr_sink *try_open(struct kit *kit, const char *key, const char *value,
                                struct mr_error *err)
{
    static const char *const names[] = {"ops"};
    struct mr_duckdb_config config = {0};
    struct mr_option_memory memory = {0};

    assert_true(mr_options_defaults(kit->ops->options, &config, &memory, err));
    config.path = kit->path;
    if (key != NULL) {
        assert_true(
            mr_options_set(kit->ops->options, &config, &memory, "properties", key, value, err));
    }
    const struct mr_sink_context context = {.name = "w",
                                            .config = &config,
                                            .env = &mr_env_posix,
                                            .source_names = names,
                                            .source_count = 1};
    struct mr_sink *sink = kit->ops->open(&context, err);
    mr_options_free(&memory);
    return sink;
}

static void settings_are_passed_on_or_refused(void **state)
{
    struct kit kit;
    struct mr_error err = {0};

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    kit.ops->close(kit.sink);
    struct mr_sink *sink = try_open(&kit, "default_order", "desc", &err);
    assert_non_null(sink);
    kit.ops->close(sink);
    assert_null(try_open(&kit, "no_such_setting", "1", &err));
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_CONFIG);
    assert_non_null(strstr(err.message, "no_such_setting"));
    assert_null(try_open(&kit, "enable_external_access", "true", &err));
    assert_int_equal(err.code, MR_E_CONFIG);
    assert_non_null(strstr(err.message, "sink's own"));
    kit.sink = NULL;
    kit_reopen(&kit);
    kit_close(&kit);
}

/* Only another process can show the lock: a file lock does not keep out its own. */
static void a_second_process_is_told_so(void **state)
{
    struct kit kit;
    int status = 0;
    int pipes[2];

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    kit.ops->close(kit.sink);
    kit.sink = NULL;
    assert_int_equal(pipe(pipes), 0);
    const pid_t child = fork(); /* before any engine thread is there */
    assert_true(child >= 0);
    if (child == 0) {
        struct mr_error err = {0};
        char go;
        (void)!read(pipes[0], &go, 1);
        const bool refused = try_open(&kit, NULL, NULL, &err) == NULL;
        _exit(refused && err.code == MR_E_LOCKED && strstr(err.message, "another process") != NULL
                  ? 0
                  : 1);
    }
    kit_reopen(&kit);
    assert_int_equal(write(pipes[1], "x", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    kit_close(&kit);
}

static void a_path_that_cannot_be_opened_is_named(void **state)
{
    struct kit kit;
    struct mr_error err = {0};

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    kit.ops->close(kit.sink);
    (void)snprintf(kit.path, sizeof(kit.path), "/nonexistent/w.duckdb");
    assert_null(try_open(&kit, NULL, NULL, &err));
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_IO);
    assert_non_null(strstr(err.message, "/nonexistent/w.duckdb"));
    kit.sink = NULL;
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_process_is_told_so),
        cmocka_unit_test(checkpoints_happen_beside_an_open_reader),
        cmocka_unit_test(old_positions_are_deleted),
        cmocka_unit_test(a_broken_database_is_opened_again),
        cmocka_unit_test(memory_that_runs_out_is_survived),
        cmocka_unit_test(settings_are_passed_on_or_refused),
        cmocka_unit_test(a_path_that_cannot_be_opened_is_named),
    };
    return cmocka_run_group_tests_name("duckdb_upkeep", tests, NULL, NULL);
}
