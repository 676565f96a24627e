// SPDX-License-Identifier: MIT
/*
 * Tables that follow the shapes of their sources, on the real engine.
 *
 * A story is rows of an old shape, a change, rows of the new shape. It is told in several ways: all
 * in one transaction, with rows deleted before the change; in transactions of one batch; with a
 * commit before the change; and each of them rolled back once before. They must come to the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sink_kit.h"
#include "table_policy.h"

#define ROWS_MAX 6

static const struct mr_copy_request first_copy = {.id = ""};
static struct mr_copy_taken taken_none;

static const struct story {
    const char *label;
    const char *before;
    const char *rows[ROWS_MAX]; /* the last one is deleted again, before the change */
    const char *after;
    const char *renamed;
    const char *later[ROWS_MAX];
    const char *expect; /* columns of the new shape */
    unsigned policy;
    const char *set_aside; /* words of the reason; the table stays as it was */
} stories[] = {
    {"a column is added",
     "id:i64:key a:i64",
     {"1|1", "2|2"},
     "id:i64:key a:i64 b:text",
     NULL,
     {"3|3|x"},
     "1|1|~\n3|3|x\n",
     0,
     NULL},
    {"with a default",
     "id:i64:key a:i64",
     {"1|1", "2|2"},
     "id:i64:key b:text:=hey a:i64 c:i64:=7",
     NULL,
     {"3|x|3|~"},
     "1|hey|1|7\n3|x|3|~\n",
     0,
     NULL},
    {"not null, without a default",
     "id:i64:key",
     {"1", "2"},
     "id:i64:key b:text:! c:i64:! d:decimal:!",
     NULL,
     {"3|x|4|5"},
     "1||0|0.00\n3|x|4|0.05\n",
     0,
     NULL},
    {"an expression as default",
     "id:i64:key",
     {"1", "2"},
     "id:i64:key b:text:=uuid()",
     NULL,
     {NULL},
     "1\n",
     0,
     "\"b\" has the default uuid()"},
    {"a default that is none",
     "id:i64:key",
     {"1", "2"},
     "id:i64:key b:i64:=x",
     NULL,
     {NULL},
     "1\n",
     0,
     "no BIGINT"},
    {"an expression, but no rows",
     "id:i64:key",
     {"2"},
     "id:i64:key b:text:=uuid()",
     NULL,
     {"3|x"},
     "3|x\n",
     0,
     NULL},
    {"a column is dropped",
     "id:i64:key a:i64 b:text",
     {"1|1|x", "2|2|y"},
     "id:i64:key b:text",
     NULL,
     {"3|z"},
     "1|x\n3|z\n",
     0,
     NULL},
    {"all but new ones are dropped",
     "id:i64 a:i64",
     {"1|1", "2|2"},
     "b:text:=n c:i64",
     NULL,
     {"z|1"},
     "n|~\nz|1\n",
     0,
     NULL},
    {"a column is renamed",
     "id:i64:key a:i64 b:text",
     {"1|1|x", "2|2|y"},
     "id:i64:key aa:i64 b:text",
     "a aa ",
     {"3|3|z"},
     "1|1|x\n3|3|z\n",
     0,
     NULL},
    {"columns change names",
     "id:i64:key a:i64 b:i64",
     {"1|1|10", "2|2|20"},
     "id:i64:key b:i64 a:i64",
     "a b b a ",
     {"3|3|30"},
     "1|1|10\n3|3|30\n",
     0,
     NULL},
    {"the key is renamed",
     "id:i64:key a:i64",
     {"1|1", "2|2"},
     "key:i64:key a:i64",
     "id key ",
     {"3|3"},
     "1|1\n3|3\n",
     0,
     NULL},
    {"a name is taken over",
     "id:i64:key a:i64",
     {"1|1", "2|2"},
     "id:i64:key b:i64 a:text:=n",
     "a b ",
     {"3|3|x"},
     "1|1|n\n3|3|x\n",
     0,
     NULL},
    {"columns are reordered",
     "id:i64:key a:i64 b:text",
     {"1|1|x", "2|2|y"},
     "b:text id:i64:key a:i64",
     NULL,
     {"z|3|3"},
     "x|1|1\nz|3|3\n",
     0,
     NULL},
    {"a type is widened",
     "id:i16:key a:i32",
     {"1|1", "2|2"},
     "id:i64:key a:decimal",
     NULL,
     {"3|300"},
     "1|1.00\n3|3.00\n",
     0,
     NULL},
    {"a type is narrowed",
     "id:i64:key a:i64",
     {"1|1", "2|2"},
     "id:i16:key a:i16",
     NULL,
     {"3|3"},
     "1|1\n3|3\n",
     0,
     NULL},
    {"a value does not fit",
     "id:i64:key a:i64",
     {"1|100000", "2|2"},
     "id:i64:key a:i16",
     NULL,
     {NULL},
     "1|100000\n",
     0,
     "do not fit SMALLINT"},
    {"a number becomes a text",
     "id:i64:key a:i64",
     {"1|15", "2|2"},
     "id:i64:key a:text",
     NULL,
     {"3|x"},
     "1|15\n3|x\n",
     0,
     NULL},
    {"what the server printed is not known",
     "id:i64:key a:f64",
     {"1|15", "2|2"},
     "id:i64:key a:text",
     NULL,
     {NULL},
     "1|15.0\n",
     0,
     "is not known"},
    {"a key comes",
     "id:i64 a:i64",
     {"1|1", "2|2"},
     "id:i64:key a:i64",
     NULL,
     {"3|3"},
     "1|1\n3|3\n",
     0,
     NULL},
    {"a key goes",
     "id:i64:key a:i64",
     {"1|1", "2|2"},
     "id:i64 a:i64",
     NULL,
     {"1|1"},
     "1|1\n1|1\n",
     0,
     NULL},
    {"another key",
     "id:i64:key a:i64",
     {"1|1", "2|2"},
     "id:i64 a:i64:key",
     NULL,
     {"1|9"},
     "1|1\n1|9\n",
     0,
     NULL},
    {"lenient: nothing is dropped",
     "id:i64:key a:i64 b:text",
     {"1|1|x", "2|2|y"},
     "id:i64:key b:text",
     NULL,
     {"3|z"},
     "1|x\n3|z\n",
     MR_ON_SCHEMA_CHANGE_LENIENT,
     NULL},
    {"lenient: types stay wide",
     "id:i64:key a:i64",
     {"1|100000", "2|2"},
     "id:i32:key a:i16",
     NULL,
     {"3|3"},
     "1|100000\n3|3\n",
     MR_ON_SCHEMA_CHANGE_LENIENT,
     NULL},
    {"lenient: types are widened",
     "id:i64:key a:i16",
     {"1|1", "2|2"},
     "id:i64:key a:i64",
     NULL,
     {"3|3000000"},
     "1|1\n3|3000000\n",
     MR_ON_SCHEMA_CHANGE_LENIENT,
     NULL},
    {"quarantine",
     "id:i64:key a:i64",
     {"1|1", "2|2"},
     "id:i64:key a:i64 b:text",
     NULL,
     {NULL},
     "1|1\n",
     MR_ON_SCHEMA_CHANGE_QUARANTINE,
     "on_schema_change is quarantine"},
};

enum way { ONE_TRANSACTION, ONE_BATCH, COMMITTED, WITHOUT_NOTE, WAYS };

static uint32_t count_rows(const char *const rows[ROWS_MAX])
{
    uint32_t count = 0;
    while (count < ROWS_MAX && rows[count] != NULL) {
        count++;
    }
    return count;
}

static void open_kit(struct kit *kit, struct mr_table_policy *policy, struct mr_policies *policies)
{
    kit_open(kit, &mr_sink_duckdb, NULL);
    policies->tables = policy;
    policies->table_count = 1;
    policies->fallback = mr_table_policy_default;
    kit->policies = policies;
    kit_reopen(kit);
}

/* Applies as the pipeline does: a failure that may be retried is rolled back and applied again. */
static void apply(struct kit *kit, struct mr_batch *batch, bool expects_retry)
{
    struct mr_error err = {0};
    bool done = kit->ops->apply(kit->sink, &batch, 1, &err);
    if (!done) {
        print_message("        %s\n", err.message);
        assert_true(expects_retry);
        assert_int_equal(err.recovery, MR_RETRY);
        kit->ops->rollback(kit->sink);
        err = (struct mr_error){0};
        done = kit->ops->apply(kit->sink, &batch, 1, &err);
        if (!done) {
            fail_msg("%s", err.message);
        }
    }
}

static struct mr_batch *fill(struct kit *kit, const struct story *story, enum way way,
                             const struct mr_schema *before, const struct mr_schema *after)
{
    const uint32_t row_count = count_rows(story->rows);
    struct mr_batch *batch = kit_batch(kit, 0);
    kit_begin(kit, batch);
    for (uint32_t i = 0; i < row_count; i++) {
        kit_insert(kit, batch, before, story->rows[i]);
    }
    if (way == COMMITTED || way == ONE_BATCH) {
        kit_commit(kit, batch);
        if (way == COMMITTED) {
            kit_apply_commit(kit, batch);
            batch = kit_batch(kit, 0);
        }
        kit_begin(kit, batch);
    }
    kit_delete(kit, batch, before, story->rows[row_count - 1]);
    if (way != ONE_TRANSACTION) {
        kit_commit(kit, batch);
        kit_begin(kit, batch);
    }
    if (way != WITHOUT_NOTE) {
        kit_change(kit, batch, before, after, story->renamed);
    }
    for (uint32_t i = 0; i < count_rows(story->later); i++) {
        kit_insert(kit, batch, after, story->later[i]);
    }
    kit_commit(kit, batch);
    return batch;
}

static void check_aside(struct kit *kit, const struct story *story, enum way way,
                        const struct mr_schema *before)
{
    char reason[640];
    struct mr_sink_observation seen = {0};
    kit->ops->observe(kit->sink, &seen);
    assert_int_equal(seen.quarantined_count, 1);
    assert_true(kit->ops->is_set_aside(kit->sink, 0, before, reason, sizeof(reason)));
    assert_non_null(strstr(reason, story->set_aside));
    assert_int_equal(kit_number(kit, "SELECT count(*) FROM millrace.quarantine WHERE source = "
                                     "'ops' AND \"table\" = 'payment'"),
                     1);
    if (way != ONE_TRANSACTION) { /* there it stands still before its very first row */
        char *rows = kit_dump(kit, 0, before);
        assert_string_equal(rows, story->expect);
        free(rows);
    }
}

static void tell(const struct story *story, enum way way, bool rolls_back)
{
    struct mr_table_policy policy = mr_table_policy_default;
    struct mr_policies policies = {0};
    struct kit kit;
    policy.on_schema_change = story->policy;
    open_kit(&kit, &policy, &policies);
    const struct mr_schema *before = kit_schema(&kit, 0, "parking", "payment", story->before);
    const struct mr_schema *after = kit_schema(&kit, 0, "parking", "payment", story->after);
    struct mr_batch *batch = fill(&kit, story, way, before, after);
    if (rolls_back) {
        apply(&kit, batch, story->set_aside != NULL);
        kit.ops->rollback(kit.sink);
    }
    apply(&kit, batch, story->set_aside != NULL);
    if (!kit.ops->commit(kit.sink, &kit.err)) {
        fail_msg("%s", kit.err.message);
    }
    mr_batch_release(batch);
    kit_reopen(&kit);
    if (story->set_aside != NULL) {
        check_aside(&kit, story, way, before);
    } else {
        char *rows = kit_dump(&kit, 0, after);
        assert_string_equal(rows, story->expect);
        free(rows);
    }
    kit_close(&kit);
}

static void stories_end_alike_however_they_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(stories); i++) {
        const struct story *story = &stories[i];
        for (unsigned way = ONE_TRANSACTION; way < WAYS; way++) {
            /* Without a note nobody knows of new names, and nothing shows before the next row. */
            if (way == WITHOUT_NOTE && (story->renamed != NULL || story->later[0] == NULL)) {
                continue;
            }
            print_message("    %s, way %u\n", story->label, way);
            tell(story, (enum way)way, false);
            if (way == ONE_TRANSACTION || way == COMMITTED) {
                tell(story, (enum way)way, true);
            }
        }
    }
}

static void lenient_keeps_what_evolve_drops(void **state)
{
    static const unsigned cases[] = {MR_ON_SCHEMA_CHANGE_EVOLVE, MR_ON_SCHEMA_CHANGE_LENIENT};
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct mr_table_policy policy = mr_table_policy_default;
        struct mr_policies policies = {0};
        struct kit kit;
        policy.on_schema_change = cases[i];
        open_kit(&kit, &policy, &policies);
        const bool keeps = cases[i] == MR_ON_SCHEMA_CHANGE_LENIENT;
        const struct mr_schema *old = kit_schema(&kit, 0, "p", "t", "id:i64:key a:i64");
        const struct mr_schema *new = kit_schema(&kit, 0, "p", "t", "id:i64:key");
        struct mr_batch *batch = kit_batch(&kit, 0);
        kit_begin(&kit, batch);
        kit_insert(&kit, batch, old, "1|10");
        kit_change(&kit, batch, old, new, NULL);
        kit_insert(&kit, batch, new, "2");
        kit_commit(&kit, batch);
        kit_apply_commit(&kit, batch);
        assert_int_equal(kit_number(&kit, "SELECT count(*) FROM duckdb_columns() WHERE "
                                          "table_name = 't' AND column_name = 'a'"),
                         keeps ? 1 : 0);
        batch = kit_batch(&kit, 0);
        kit_begin(&kit, batch);
        kit_change(&kit, batch, new, NULL, NULL);
        kit_commit(&kit, batch);
        kit_apply_commit(&kit, batch);
        assert_int_equal(kit_has_table(&kit, 0, new), keeps);
        kit_close(&kit);
    }
}

static void stop_applies_what_came_before(void **state)
{
    struct mr_table_policy policy = mr_table_policy_default;
    struct mr_policies policies = {0};
    struct mr_error err = {0};
    struct kit kit;
    (void)state;
    policy.on_schema_change = MR_ON_SCHEMA_CHANGE_STOP;
    open_kit(&kit, &policy, &policies);
    const struct mr_schema *old = kit_schema(&kit, 0, "p", "t", "id:i64:key a:i64");
    const struct mr_schema *new = kit_schema(&kit, 0, "p", "t", "id:i64:key");
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, old, "1|10");
    kit_commit(&kit, batch);
    kit_begin(&kit, batch);
    kit_change(&kit, batch, old, new, NULL);
    kit_commit(&kit, batch);
    assert_false(kit.ops->apply(kit.sink, &batch, 1, &err));
    assert_int_equal(err.recovery, MR_STOP);
    assert_non_null(strstr(err.message, "ops.p.t"));
    assert_non_null(strstr(err.message, "alter: DDL"));
    kit.ops->rollback(kit.sink);
    policy.on_schema_change = MR_ON_SCHEMA_CHANGE_EVOLVE;
    kit_apply_commit(&kit, batch);
    char *rows = kit_dump(&kit, 0, new);
    assert_string_equal(rows, "1\n");
    free(rows);
    kit_close(&kit);
}

/* Two tables change places by way of a third name, rows in between, in one transaction. */
static void tables_are_renamed(void **state)
{
    struct kit kit;
    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *a = kit_schema(&kit, 0, "p", "a", "id:i64:key");
    const struct mr_schema *b = kit_schema(&kit, 0, "p", "b", "id:i64:key");
    const struct mr_schema *tmp = kit_schema(&kit, 0, "p", "tmp", "id:i64:key");
    const struct mr_schema *far = kit_schema(&kit, 0, "q", "a", "id:i64:key");
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, a, "1");
    kit_insert(&kit, batch, b, "2");
    kit_insert(&kit, batch, b, "3");
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_delete(&kit, batch, b, "3");
    kit_insert(&kit, batch, a, "10");
    kit_change(&kit, batch, a, tmp, NULL);
    kit_change(&kit, batch, b, a, NULL);
    kit_change(&kit, batch, tmp, b, NULL);
    kit_insert(&kit, batch, a, "20");
    kit_insert(&kit, batch, b, "11");
    kit_commit(&kit, batch);
    kit_begin(&kit, batch);
    kit_change(&kit, batch, a, far, NULL);
    kit_insert(&kit, batch, far, "21");
    kit_commit(&kit, batch);
    mr_batch_retain(batch);
    kit_apply(&kit, batch);
    kit.ops->rollback(kit.sink);
    kit_apply_commit(&kit, batch);
    kit_reopen(&kit);
    char *rows = kit_dump(&kit, 0, far);
    assert_string_equal(rows, "2\n20\n21\n");
    free(rows);
    rows = kit_dump(&kit, 0, b);
    assert_string_equal(rows, "1\n10\n11\n");
    free(rows);
    assert_false(kit_has_table(&kit, 0, tmp));
    assert_false(kit_has_table(&kit, 0, a));
    kit_close(&kit);
}

/* A table that is set aside stands still, across restarts, until it is copied; others go on. */
static void a_copy_frees_a_table_that_was_set_aside(void **state)
{
    struct kit kit;
    char reason[100];
    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *t = kit_schema(&kit, 0, "p", "t", "id:i64:key");
    const struct mr_schema *u = kit_schema(&kit, 0, "p", "u", "id:i64:key");
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, t, "1");
    kit_insert(&kit, batch, u, "1");
    kit_commit(&kit, batch);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, t, "2");
    kit_insert(&kit, batch, u, "2");
    const struct mr_note note = {
        .kind = MR_NOTE_QUARANTINE, .before = t, .text = mr_slice_of("a bad value")};
    assert_true(mr_batch_add_note(batch, &note, &kit.err));
    kit_insert(&kit, batch, t, "3");
    kit_insert(&kit, batch, u, "3");
    kit_commit(&kit, batch);
    apply(&kit, batch, true);
    mr_batch_release(batch);
    assert_true(kit.ops->commit(kit.sink, &kit.err));
    kit_reopen(&kit);
    batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, t, "4");
    kit_insert(&kit, batch, u, "4");
    kit_truncate(&kit, batch, t);
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    char *rows = kit_dump(&kit, 0, t);
    assert_string_equal(rows, "1\n");
    free(rows);
    rows = kit_dump(&kit, 0, u);
    assert_string_equal(rows, "1\n2\n3\n4\n");
    free(rows);
    assert_true(kit.ops->is_set_aside(kit.sink, 0, t, reason, sizeof(reason)));
    assert_string_equal(reason, "a bad value");
    assert_false(kit.ops->is_set_aside(kit.sink, 0, u, reason, sizeof(reason)));

    const struct mr_snapshot_mark mark = {.high = {1, 0}};
    assert_true(kit.ops->snapshot_begin(kit.sink, 0, t, &first_copy, &taken_none, &kit.err));
    assert_true(kit.ops->snapshot_finish(kit.sink, 0, t, &mark, &kit.err));
    assert_false(kit.ops->is_set_aside(kit.sink, 0, t, reason, sizeof(reason)));
    batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, t, "5");
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    rows = kit_dump(&kit, 0, t);
    assert_string_equal(rows, "5\n");
    free(rows);
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM millrace.quarantine"), 0);
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_end_alike_however_they_are_told),
        cmocka_unit_test(lenient_keeps_what_evolve_drops),
        cmocka_unit_test(stop_applies_what_came_before),
        cmocka_unit_test(tables_are_renamed),
        cmocka_unit_test(a_copy_frees_a_table_that_was_set_aside),
    };
    return cmocka_run_group_tests_name("duckdb_evolve", tests, NULL, NULL);
}
