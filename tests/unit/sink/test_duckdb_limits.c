// SPDX-License-Identifier: MIT
/*
 * Transactions that do not fit the engine's memory: they land whole all the same, or stop with a
 * message that says what to raise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sink_kit.h"

#define KEYED   "id:i64:key a:i64 b:text"
#define KEYLESS "id:i64 a:i64 b:text"
#define STEP    2000 /* a row of about every block of 2,048 */

/* The table with its first row, and `rows` more from the engine itself: quicker than through us. */
static const struct mr_schema *fill(struct kit *kit, const char *columns, int rows)
{
    char sql[200];
    const struct mr_schema *schema = kit_schema(kit, 0, "parking", "payment", columns);
    struct mr_batch *batch = kit_batch(kit, 0);
    kit_begin(kit, batch);
    kit_insert(kit, batch, schema, "0|0|row");
    kit_commit(kit, batch);
    kit_apply_commit(kit, batch);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO ops_parking.payment SELECT range, 0, 'row' FROM range(1, %d)",
                   rows);
    assert_true(mr_warehouse_exec(kit->sink->warehouse, sql, &kit->err));
    assert_true(mr_warehouse_exec(kit->sink->warehouse, "CHECKPOINT", &kit->err));
    return schema;
}

/* Applies and commits as the loader does: again from the start after MR_RETRY. */
static unsigned apply_until_done(struct kit *kit, struct mr_batch *batch)
{
    unsigned failures = 0;
    struct mr_error err = {0};
    while (!kit->ops->apply(kit->sink, &batch, 1, &err) || !kit->ops->commit(kit->sink, &err)) {
        if (err.recovery != MR_RETRY) {
            fail_msg("%s", err.message);
        }
        assert_true(err.code == MR_E_LIMIT || err.code == MR_E_SINK); /* opened again */
        kit->ops->rollback(kit->sink);
        assert_true(++failures < 24); /* each may cost one more, to open the database again */
        err = (struct mr_error){0};
    }
    return failures;
}

static void expect(struct kit *kit, const char *sql, uint64_t expected)
{
    const uint64_t number = kit_number(kit, sql);
    if (number != expected) {
        print_message("    %s: %llu\n", sql, (unsigned long long)number);
    }
    assert_int_equal(number, expected);
}

/* One transaction: every STEP-th row is updated, the rows after them are deleted. */
static struct mr_batch *spread_changes(struct kit *kit, const struct mr_schema *schema, int rows)
{
    struct mr_batch *batch = kit_batch(kit, 0);
    const bool keyed = schema->key_count > 0;
    char before[64];
    char after[64];
    kit_begin(kit, batch);
    for (int id = STEP; id + 1 < rows; id += STEP) {
        (void)snprintf(before, sizeof(before), "%d|0|row", id);
        (void)snprintf(after, sizeof(after), "%d|7|%s", id, keyed ? "!" : "changed");
        kit_update(kit, batch, schema, keyed ? NULL : before, after);
        (void)snprintf(before, sizeof(before), "%d|0|row", id + 1);
        kit_delete(kit, batch, schema, before);
    }
    kit_commit(kit, batch);
    return batch;
}

/* 2,440 blocks of 16 KiB do not fit 32 MiB, nor 3,900 48: before, this was tried for ever. */
static void changes_all_over_a_table(const char *columns, bool crash)
{
    const bool keyed = strstr(columns, "key") != NULL;
    /* Without a key the merge sorts duplicates, which takes a little more. */
    const char *const options[] = {"memory", keyed ? "32MiB" : "48MiB", NULL};
    const int rows = keyed ? 5000000 : 8000000;
    const int changes = rows / STEP - 1;
    struct kit kit;

    kit_open(&kit, &mr_sink_duckdb, options);
    const struct mr_schema *schema = fill(&kit, columns, rows);
    struct mr_batch *batch = spread_changes(&kit, schema, rows);
    const unsigned failures = apply_until_done(&kit, batch);
    print_message("    %d updates and deletes of %d rows: landed at attempt %u\n", changes, rows,
                  failures + 1);
    assert_true(failures >= 1); /* else this shows nothing */
    if (crash) {
        kit_reopen(&kit); /* without a checkpoint: from the engine's log */
    }
    expect(&kit, "SELECT count(*) FROM ops_parking.payment", (uint64_t)(rows - changes));
    expect(&kit, "SELECT count(DISTINCT id) FROM ops_parking.payment", (uint64_t)(rows - changes));
    expect(&kit, "SELECT count(*) FROM ops_parking.payment WHERE a = 7", (uint64_t)changes);
    expect(&kit, "SELECT count(*) FROM ops_parking.payment WHERE b IS NULL", 0);
    struct mr_sink_position position;
    assert_true(kit.ops->position(kit.sink, 0, &position, &kit.err));
    assert_int_equal(position.sequence, 2);
    /* The table takes changes as before. */
    struct mr_batch *more = kit_batch(&kit, 0);
    kit_begin(&kit, more);
    kit_delete(&kit, more, schema, "5|0|row");
    kit_insert(&kit, more, schema, "-1|8|new");
    kit_commit(&kit, more);
    kit_apply_commit(&kit, more);
    assert_true(kit.ops->maintain(kit.sink, true, &kit.err));
    kit_reopen(&kit);
    expect(&kit, "SELECT count(*) FROM ops_parking.payment", (uint64_t)(rows - changes));
    expect(&kit, "SELECT count(*) FROM ops_parking.payment WHERE a = 8", 1);
    mr_batch_release(batch);
    kit_close(&kit);
}

static void changes_all_over_a_keyed_table_land_whole(void **state)
{
    (void)state;
    changes_all_over_a_table(KEYED, false);
    changes_all_over_a_table(KEYED, true);
}

static void changes_all_over_a_table_without_a_key_land_whole(void **state)
{
    (void)state;
    changes_all_over_a_table(KEYLESS, true);
}

/* Rows that the open transaction itself has brought, in parts: it is larger than a batch. */
static void a_transaction_that_changes_its_own_rows_lands_whole(void **state)
{
    static const char *const options[] = {"memory", "32MiB", NULL};
    enum { PART = 20000, PARTS = 20 };
    struct kit kit;
    char row[96];

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, options);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    for (int pass = 0; pass < 3; pass++) {
        for (int part = 0; part < PARTS; part++) {
            struct mr_batch *batch = kit_batch(&kit, 0);
            batch->continues = pass + part > 0;
            kit_begin(&kit, batch);
            for (int i = 0; i < PART; i++) {
                (void)snprintf(row, sizeof(row), "%d|%d|some text of this row", part * PART + i,
                               pass);
                if (pass == 0) {
                    kit_insert(&kit, batch, schema, row);
                } else if (pass == 1) {
                    kit_update(&kit, batch, schema, NULL, row);
                } else if (i % 2 == 0) {
                    kit_delete(&kit, batch, schema, row);
                }
            }
            if (pass == 2 && part == PARTS - 1) {
                kit_commit(&kit, batch);
            } else {
                kit_suspend(&kit, batch);
            }
            kit_apply(&kit, batch);
        }
    }
    assert_true(kit.ops->commit(kit.sink, &kit.err));
    expect(&kit, "SELECT count(*) FROM ops_parking.payment", PART * PARTS / 2);
    expect(&kit, "SELECT count(*) FROM ops_parking.payment WHERE a = 1", PART * PARTS / 2);
    kit_reopen(&kit);
    expect(&kit, "SELECT count(*) FROM ops_parking.payment WHERE a = 1", PART * PARTS / 2);
    kit_close(&kit);
}

static void a_large_table_is_truncated(void **state)
{
    static const char *const options[] = {"memory", "20MiB", NULL};
    struct kit kit;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, options);
    const struct mr_schema *schema = fill(&kit, KEYED, 4000000);
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_update(&kit, batch, schema, NULL, "77|1|before");
    kit_truncate(&kit, batch, schema);
    kit_insert(&kit, batch, schema, "1|1|after");
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    char *rows = kit_dump(&kit, 0, schema);
    assert_string_equal(rows, "1|1|after\n");
    free(rows);
    kit_reopen(&kit);
    rows = kit_dump(&kit, 0, schema);
    assert_string_equal(rows, "1|1|after\n");
    free(rows);
    kit_close(&kit);
}

/* A value that does not fit: no endless retry. */
static void value_that_does_not_fit(size_t size)
{
    static const char *const options[] = {"memory", "20MiB", NULL};
    struct kit kit;
    struct mr_error err = {0};
    unsigned failures = 0;
    uint8_t *text = malloc(size);
    uint16_t index;

    assert_non_null(text);
    memset(text, 'x', size);
    kit_open(&kit, &mr_sink_duckdb, options);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
    assert_non_null(chunk);
    mr_put_i64(&chunk->columns[0], 0, 1);
    mr_put_i64(&chunk->columns[1], 0, 1);
    assert_true(mr_put_bytes(&chunk->columns[2], &batch->arena, 0, text, size));
    assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, index, mr_chunk_end_row(chunk),
                                   MR_NO_CHUNK, 0, &err));
    kit_commit(&kit, batch);
    do {
        err = (struct mr_error){0};
        assert_false(kit.ops->apply(kit.sink, &batch, 1, &err) && kit.ops->commit(kit.sink, &err));
        kit.ops->rollback(kit.sink);
    } while (err.recovery == MR_RETRY && ++failures < 100);
    print_message("    %s\n", err.message);
    assert_int_equal(err.recovery, MR_STOP);
    assert_int_equal(err.code, MR_E_LIMIT);
    assert_non_null(strstr(err.message, "memory_max"));
    mr_batch_release(batch);
    free(text);
    kit_close(&kit);
}

static void what_cannot_fit_stops_and_says_what_to_raise(void **state)
{
    (void)state;
    value_that_does_not_fit((size_t)30 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_all_over_a_keyed_table_land_whole),
        cmocka_unit_test(changes_all_over_a_table_without_a_key_land_whole),
        cmocka_unit_test(a_transaction_that_changes_its_own_rows_lands_whole),
        cmocka_unit_test(a_large_table_is_truncated),
        cmocka_unit_test(what_cannot_fit_stops_and_says_what_to_raise),
    };
    return cmocka_run_group_tests_name("duckdb_limits", tests, NULL, NULL);
}
