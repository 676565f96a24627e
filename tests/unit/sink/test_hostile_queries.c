// SPDX-License-Identifier: MIT
/*
 * Queries that ask for more memory than there is, against a sink that goes on: the process stays
 * within a bound, the query fails (or yields), the sink commits all along.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "query_memory.h"
#include "sink_kit.h"
#include "warehouse_query.h"

#define ENGINE_MIB 64
#ifdef __SANITIZE_ADDRESS__ /* it brings an operator new of its own, which nothing bounds */
#define HAS_OWN_NEW true
#else
#define HAS_OWN_NEW false
#endif
#define GROWTH_MIB 160 /* engine 64, its uncounted half 32, and what allocators keep */

static const char *const hostile[] = {
    "SELECT length(repeat('x', 2000000000))",
    "SELECT repeat('x', 2000000000)",
    "SELECT sum(length(repeat('x', 1000000 + range::INT))) FROM range(100000)",
    "SELECT length(repeat(repeat('x', 30000), 60000))",
    "SELECT length(lpad('x', 2000000000, 'y'))",
    "SELECT length(rpad('x', 1000000000, 'y'))",
    "SELECT len(range(300000000))",
    "SELECT len(generate_series(1, 300000000))",
    "SELECT len(list_resize([1], 400000000, 7))",
    "SELECT len(list_transform(range(100000000), x -> x + 1))",
    "SELECT length(string_agg(repeat('x', 100000), ',')) FROM range(50000)",
    "SELECT len(list(repeat('y', 10000))) FROM range(500000)",
    "SELECT len(array_agg(range)) FROM range(200000000)",
    "SELECT length(regexp_replace(repeat('x', 20000000), 'x', 'yyyyyyyyyyyyyyyyyyyy', 'g'))",
    "SELECT length(replace(repeat('x', 20000000), 'x', repeat('y', 100)))",
    "SELECT length(array_to_string(list_resize(['x'], 100000000, 'abcdefgh'), ','))",
    "SELECT length(concat(repeat('x', 500000000), repeat('y', 500000000)))",
    "SELECT length(format('{:>1000000000}', 'x'))",
    "SELECT length(printf('%1000000000d', 1))",
    "SELECT count(*) FROM (SELECT unnest(range(300000000)))",
    ("WITH RECURSIVE t(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM t) SELECT max(length(s)) "
     "FROM "
     "t"),
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "SELECT count(DISTINCT repeat(range::VARCHAR, 100)) FROM range(10000000)",
    "SELECT * FROM range(30000000) ORDER BY hash(range) DESC",
};

static double rss_mib(const char *field)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    double kib = 0;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            kib = strtod(line + strlen(field) + 1, NULL);
        }
    }
    (void)fclose(file);
    return kib / 1024;
}

/* The peak counts from here on. */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "we");
    assert_non_null(file);
    (void)fputs("5", file);
    (void)fclose(file);
}

struct attack {
    struct kit *kit;
    atomic_bool over;
    unsigned failed;
    double peak_growth;
    const char *worst;
};

static void *run_queries(void *context)
{
    struct attack *attack = context;
    for (size_t i = 0; i < MR_ARRAY_LEN(hostile); i++) {
        struct mr_json out = {0};
        struct mr_error err = {0};
        const struct mr_query query = {
            .sql = hostile[i],
            .rows_max = 10,
            .bytes_max = 1 << 20,
            .time_ms_max = 1000,
            .wait_ms = 5000,
        };
        const double before = rss_mib("VmRSS");
        forget_peak();
        if (!mr_warehouse_query(attack->kit->sink, &query, &out, &err)) {
            attack->failed++;
        }
        mr_json_done(&out);
        const double growth = rss_mib("VmHWM") - before;
        if (growth > GROWTH_MIB / 2) {
            print_message("    %4.0f MiB: %.60s: %.70s\n", growth, hostile[i], err.message);
        }
        if (growth > attack->peak_growth) {
            attack->peak_growth = growth;
            attack->worst = hostile[i];
        }
    }
    atomic_store(&attack->over, true);
    return NULL;
}

/* Commits until the queries are over; what failed for lack of memory is done again. */
static int commit_beside(struct kit *kit, struct attack *attack)
{
    const struct mr_schema *schema = kit_schema(kit, 0, "parking", "payment", "id:i64:key b:text");
    int commits = 0;
    while (!atomic_load(&attack->over)) {
        char row[64];
        struct mr_batch *batch = kit_batch(kit, 0);
        struct mr_error err = {0};
        (void)snprintf(row, sizeof(row), "%d|a row", commits);
        kit_begin(kit, batch);
        kit_insert(kit, batch, schema, row);
        kit_commit(kit, batch);
        while (!kit->ops->apply(kit->sink, &batch, 1, &err) || !kit->ops->commit(kit->sink, &err) ||
               !kit->ops->maintain(kit->sink, false, &err)) {
            if (err.recovery != MR_RETRY) {
                fail_msg("%s", err.message);
            }
            kit->ops->rollback(kit->sink);
            err = (struct mr_error){0};
        }
        mr_batch_release(batch);
        commits++;
        (void)usleep(2000);
    }
    return commits;
}

static void queries_cannot_take_the_process_memory(void **state)
{
    static const char *const options[] = {"memory", "64MiB", NULL};
    struct kit kit;
    pthread_t thread;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, options);
    struct attack attack = {.kit = &kit};
    assert_int_equal(pthread_create(&thread, NULL, run_queries, &attack), 0);
    const int commits = commit_beside(&kit, &attack);
    assert_int_equal(pthread_join(thread, NULL), 0);
    print_message("    %d commits beside %zu queries, %u of which failed; the process grew by %.0f "
                  "MiB at most (%.40s)\n",
                  commits, MR_ARRAY_LEN(hostile), attack.failed, attack.peak_growth,
                  attack.worst == NULL ? "" : attack.worst);
    assert_true(attack.failed >= MR_ARRAY_LEN(hostile) / 2);
    if (HAS_OWN_NEW) {
        print_message("    under AddressSanitizer memory is not the engine's own allocator's: its "
                      "growth says nothing\n");
    } else {
        assert_true(attack.peak_growth < GROWTH_MIB);
    }
    assert_true(commits > 20);
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM ops_parking.payment"), commits);
    assert_true(mr_query_memory_used() < (UINT64_C(64) << 20)); /* and it is given back */
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_cannot_take_the_process_memory),
    };
    return cmocka_run_group_tests_name("hostile_queries", tests, NULL, NULL);
}
