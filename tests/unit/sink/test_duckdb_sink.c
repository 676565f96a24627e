// SPDX-License-Identifier: MIT
/*
 * The DuckDB sink, change by change: what a table holds after a short story.
 *
 * A story is a list of steps; "I" insert, "U" update, "D" delete, "T" truncate, ";" ends a
 * transaction, "B" ends a batch (and is applied), "C" commits. Each story is run as written, and
 * again with every batch applied and rolled back once before (idempotence).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sink_kit.h"

#define KEYED   "id:i64:key a:i64 b:text"
#define TEXTKEY "id:text:key a:i64 b:text"
#define DOUBLE  "x:i64:key id:text:key b:text"
#define KEYLESS "id:i64 a:i64 b:text"

#define INS(row)                                                                                   \
    {                                                                                              \
        .kind = 'I', .after = (row)                                                                \
    }
#define UPD(row)                                                                                   \
    {                                                                                              \
        .kind = 'U', .after = (row)                                                                \
    }
#define KEY(old, row)                                                                              \
    {                                                                                              \
        .kind = 'U', .before = (old), .after = (row)                                               \
    }
#define DEL(row)                                                                                   \
    {                                                                                              \
        .kind = 'D', .before = (row)                                                               \
    }
#define TRUNC                                                                                      \
    {                                                                                              \
        .kind = 'T'                                                                                \
    }
#define END                                                                                        \
    {                                                                                              \
        .kind = ';'                                                                                \
    }
#define APPLY                                                                                      \
    {                                                                                              \
        .kind = 'B'                                                                                \
    }
#define COMMIT                                                                                     \
    {                                                                                              \
        .kind = 'C'                                                                                \
    }

struct step {
    char kind;
    const char *before;
    const char *after;
};

static const struct story {
    const char *label;
    const char *columns;
    struct step steps[24];
    const char *expect;
} stories[] = {
    {"inserts", KEYED, {INS("1|10|x"), INS("2|~|~"), END, COMMIT}, "1|10|x\n2|~|~\n"},
    {"insert and update in one batch",
     KEYED,
     {INS("1|10|x"), END, UPD("1|11|y"), END, COMMIT},
     "1|11|y\n"},
    {"insert, delete: nothing is left", KEYED, {INS("1|10|x"), DEL("1|~|~"), END, COMMIT}, ""},
    {"delete, insert of the same key",
     KEYED,
     {INS("1|10|x"), END, COMMIT, DEL("1|~|~"), INS("1|20|z"), END, COMMIT},
     "1|20|z\n"},
    {"update of a row committed before",
     KEYED,
     {INS("1|10|x"), INS("2|10|x"), END, COMMIT, UPD("1|11|y"), END, COMMIT},
     "1|11|y\n2|10|x\n"},
    {"update of a row applied but not committed",
     KEYED,
     {INS("1|10|x"), END, APPLY, UPD("1|11|y"), END, APPLY, UPD("1|12|z"), END, COMMIT},
     "1|12|z\n"},
    {"delete of a row applied but not committed",
     KEYED,
     {INS("1|10|x"), INS("2|10|x"), END, APPLY, DEL("1|~|~"), END, COMMIT},
     "2|10|x\n"},
    {"delete of a row that is not there",
     KEYED,
     {INS("2|1|x"), DEL("1|~|~"), END, COMMIT},
     "2|1|x\n"},
    {"the key changes",
     KEYED,
     {INS("1|10|x"), END, COMMIT, KEY("1|~|~", "5|10|y"), END, COMMIT},
     "5|10|y\n"},
    {"the key changes twice in one batch",
     KEYED,
     {INS("1|10|x"), END, COMMIT, KEY("1|~|~", "5|10|y"), KEY("5|~|~", "6|10|z"), END, COMMIT},
     "6|10|z\n"},
    {"two keys change places",
     KEYED,
     {INS("1|1|x"), INS("2|2|y"), END, COMMIT, KEY("1|~|~", "9|1|x"), KEY("2|~|~", "1|2|y"),
      KEY("9|~|~", "2|1|x"), END, COMMIT},
     "1|2|y\n2|1|x\n"},
    {"the key changes and its old value is inserted again",
     KEYED,
     {INS("1|1|x"), END, COMMIT, KEY("1|~|~", "2|1|x"), INS("1|7|n"), END, COMMIT},
     "1|7|n\n2|1|x\n"},
    {"an update that names an unchanged key",
     KEYED,
     {INS("1|1|x"), END, COMMIT, KEY("1|~|~", "1|2|x"), END, COMMIT},
     "1|2|x\n"},
    {"unchanged cell from the target",
     KEYED,
     {INS("1|10|large"), END, COMMIT, UPD("1|11|!"), END, COMMIT},
     "1|11|large\n"},
    {"unchanged cell from an earlier image of the batch",
     KEYED,
     {INS("1|10|large"), UPD("1|11|!"), UPD("1|12|!"), END, COMMIT},
     "1|12|large\n"},
    {"unchanged cells, one from the batch and one from the target",
     KEYED,
     {INS("1|10|large"), END, COMMIT, UPD("1|11|!"), UPD("1|!|!"), END, COMMIT},
     "1|11|large\n"},
    {"unchanged NULL from the target",
     KEYED,
     {INS("1|10|~"), END, COMMIT, UPD("1|11|!"), END, COMMIT},
     "1|11|~\n"},
    {"unchanged cell across a key change",
     KEYED,
     {INS("1|10|large"), END, COMMIT, KEY("1|~|~", "2|11|!"), END, COMMIT},
     "2|11|large\n"},
    {"unchanged cell across two key changes and an insert in its place",
     KEYED,
     {INS("1|10|large"), END, COMMIT, KEY("1|~|~", "2|11|!"), KEY("2|~|~", "3|12|!"),
      INS("1|0|new"), END, COMMIT},
     "1|0|new\n3|12|large\n"},
    {"unchanged cell of an uncommitted row",
     KEYED,
     {INS("1|10|large"), END, APPLY, UPD("1|11|!"), END, COMMIT},
     "1|11|large\n"},
    {"an empty text and a NULL are two things",
     KEYED,
     {INS("1|10|"), INS("2|10|~"), END, COMMIT},
     "1|10|\n2|10|~\n"},
    {"truncate",
     KEYED,
     {INS("1|1|x"), END, COMMIT, INS("2|1|x"), TRUNC, INS("3|1|x"), END, COMMIT},
     "3|1|x\n"},
    {"text keys",
     TEXTKEY,
     {INS("k1|1|x"), INS("a key longer than twelve bytes|2|y"), END, COMMIT,
      UPD("a key longer than twelve bytes|3|z"), DEL("k1|~|~"), END, COMMIT},
     "a key longer than twelve bytes|3|z\n"},
    {"keys that differ in case are two keys",
     TEXTKEY,
     {INS("a|1|x"), INS("A|2|y"), END, COMMIT, DEL("A|~|~"), END, COMMIT},
     "a|1|x\n"},
    {"two key columns",
     DOUBLE,
     {INS("1|a|x"), INS("1|b|y"), INS("2|a|z"), END, COMMIT, UPD("1|b|w"), DEL("2|a|~"), END,
      COMMIT},
     "1|a|x\n1|b|w\n"},
    {"without a key: one of two equal rows is deleted",
     KEYLESS,
     {INS("1|1|x"), INS("1|1|x"), INS("2|~|~"), END, COMMIT, DEL("1|1|x"), DEL("2|~|~"), END,
      COMMIT},
     "1|1|x\n"},
    {"without a key: two of three",
     KEYLESS,
     {INS("1|1|x"), INS("1|1|x"), INS("1|1|x"), END, COMMIT, DEL("1|1|x"), DEL("1|1|x"), END,
      COMMIT},
     "1|1|x\n"},
    {"without a key: update of one of two equal rows",
     KEYLESS,
     {INS("1|1|x"), INS("1|1|x"), END, COMMIT, KEY("1|1|x", "1|2|x"), END, COMMIT},
     "1|1|x\n1|2|x\n"},
    {"without a key: unchanged cell comes from the old row",
     KEYLESS,
     {INS("1|1|large"), END, COMMIT, KEY("1|1|large", "1|2|!"), END, COMMIT},
     "1|2|large\n"},
    {"without a key: a chain of updates in one batch",
     KEYLESS,
     {INS("1|1|x"), END, COMMIT, KEY("1|1|x", "1|2|x"), KEY("1|2|x", "1|3|x"),
      KEY("1|3|x", "1|1|x"), END, COMMIT},
     "1|1|x\n"},
    {"without a key: insert three equal, delete one, in one batch",
     KEYLESS,
     {INS("1|1|x"), INS("1|1|x"), DEL("1|1|x"), INS("1|1|x"), END, COMMIT},
     "1|1|x\n1|1|x\n"},
};

static void tell(struct kit *kit, const struct story *story, bool rehearse)
{
    const struct mr_schema *schema = kit_schema(kit, 0, "parking", "payment", story->columns);
    struct mr_batch *batch = NULL;
    bool open = false;

    for (const struct step *step = story->steps; step->kind != '\0'; step++) {
        if (batch == NULL) {
            batch = kit_batch(kit, 0);
        }
        if (!open && strchr("IUDT", step->kind) != NULL) {
            kit_begin(kit, batch);
            open = true;
        }
        switch (step->kind) {
        case 'I':
            kit_insert(kit, batch, schema, step->after);
            break;
        case 'U':
            kit_update(kit, batch, schema, step->before, step->after);
            break;
        case 'D':
            kit_delete(kit, batch, schema, step->before);
            break;
        case 'T':
            kit_truncate(kit, batch, schema);
            break;
        case ';':
            kit_commit(kit, batch);
            open = false;
            break;
        case 'B':
            kit_apply(kit, batch);
            batch = NULL;
            break;
        case 'C':
            mr_batch_retain(batch);
            kit_apply_commit(kit, batch);
            /* Again: it is below the committed position, so nothing may change. */
            kit_apply_commit(kit, batch);
            batch = NULL;
            break;
        }
        if (rehearse && step->kind == 'C') {
            kit_reopen(kit);
        }
    }
    assert_null(batch);
}

static void stories_end_as_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(stories) * 2; i++) {
        const struct story *story = &stories[i / 2];
        struct kit kit;

        print_message("    %s%s\n", story->label, i % 2 == 1 ? ", with a restart" : "");
        kit_open(&kit, &mr_sink_duckdb, NULL);
        tell(&kit, story, i % 2 == 1);
        char *rows = kit_dump(&kit, 0, kit_schema(&kit, 0, "parking", "payment", story->columns));
        assert_string_equal(rows, story->expect);
        free(rows);
        kit_close(&kit);
    }
}

/* Every statement of a table is prepared while it is empty; it must still be right when it is not.
 * */
static void many_rows_go_through(void **state)
{
    struct kit kit;
    char row[64];

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    for (int b = 0; b < 3; b++) {
        struct mr_batch *batch = kit_batch(&kit, 0);
        kit_begin(&kit, batch);
        for (int i = 0; i < 10000; i++) {
            (void)snprintf(row, sizeof(row), "%d|%d|a value of some length %d", b * 10000 + i, i,
                           i);
            kit_insert(&kit, batch, schema, row);
        }
        kit_commit(&kit, batch);
        kit_begin(&kit, batch);
        for (int i = 0; b > 0 && i < 10000; i++) {
            (void)snprintf(row, sizeof(row), "%d|-1|!", (b - 1) * 10000 + i);
            kit_update(&kit, batch, schema, NULL, row);
        }
        kit_commit(&kit, batch);
        kit_apply_commit(&kit, batch);
    }
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM ops_parking.payment"), 30000);
    assert_int_equal(kit_number(&kit, "SELECT count(DISTINCT id) FROM ops_parking.payment"), 30000);
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM ops_parking.payment WHERE a = -1"),
                     20000);
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM ops_parking.payment WHERE b = "
                                      "'a value of some length ' || (id % 10000)"),
                     30000);
    kit_close(&kit);
}

static void a_long_transaction_comes_in_parts(void **state)
{
    struct kit kit;
    struct mr_sink_position position;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, schema, "1|1|x");
    kit_commit(&kit, batch);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, schema, "2|1|x");
    kit_suspend(&kit, batch);
    kit_apply(&kit, batch);
    kit.ops->rollback(kit.sink); /* the pipeline gives up: nothing of it may be there */
    assert_true(kit.ops->position(kit.sink, 0, &position, &kit.err));
    assert_int_equal(position.sequence, 0);
    kit.next_sequence[0] = 1;

    batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, schema, "1|1|x");
    kit_commit(&kit, batch);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, schema, "2|1|x");
    kit_suspend(&kit, batch);
    kit_apply(&kit, batch);
    batch = kit_batch(&kit, 0);
    batch->continues = true;
    kit_begin(&kit, batch);
    kit_update(&kit, batch, schema, NULL, "2|2|y");
    kit_insert(&kit, batch, schema, "3|1|x");
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    char *rows = kit_dump(&kit, 0, schema);
    assert_string_equal(rows, "1|1|x\n2|2|y\n3|1|x\n");
    free(rows);
    assert_true(kit.ops->position(kit.sink, 0, &position, &kit.err));
    assert_int_equal(position.sequence, 2);
    kit_close(&kit);
}

static void a_new_column_is_added_in_order(void **state)
{
    struct kit kit;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *old = kit_schema(&kit, 0, "parking", "payment", KEYED);
    const struct mr_schema *new = kit_schema(&kit, 0, "parking", "payment", KEYED " c:text");
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, old, "1|1|x");
    kit_insert(&kit, batch, old, "2|1|x");
    kit_commit(&kit, batch);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, new, "3|1|x|c3");
    kit_update(&kit, batch, new, NULL, "1|2|!|c1");
    kit_commit(&kit, batch);
    mr_batch_retain(batch);
    kit_apply(&kit, batch);
    kit.ops->rollback(kit.sink); /* the ALTER goes, too */
    kit_apply_commit(&kit, batch);
    char *rows = kit_dump(&kit, 0, new);
    assert_string_equal(rows, "1|2|x|c1\n2|1|x|~\n3|1|x|c3\n");
    free(rows);
    kit_close(&kit);
}

static const struct refusal {
    const char *label;
    const char *columns;
    const char *row;
    enum mr_errc code;
    const char *message;
} refusals[] = {
    {"columns differ in case", KEYED " B:text", "1|1|x|y", MR_E_TYPE, "differ only in case"},
    {"not UTF-8", KEYED, "1|1|\xff", MR_E_TYPE, "column \"b\": a text value is not valid UTF-8"},
    {"a character in two cells", KEYED, "1|1|\xc3", MR_E_TYPE, "not valid UTF-8"},
};

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(refusals); i++) {
        const struct refusal *refusal = &refusals[i];
        struct kit kit;

        print_message("    %s\n", refusal->label);
        kit_open(&kit, &mr_sink_duckdb, NULL);
        const struct mr_schema *schema = kit_schema(&kit, 0, "parking", "payment", KEYED);
        struct mr_batch *batch = kit_batch(&kit, 0);
        kit_begin(&kit, batch);
        kit_insert(&kit, batch, schema, "7|7|seven");
        kit_commit(&kit, batch);
        kit_apply_commit(&kit, batch);
        batch = kit_batch(&kit, 0);
        kit_begin(&kit, batch);
        kit_insert(&kit, batch, kit_schema(&kit, 0, "parking", "payment", refusal->columns),
                   refusal->row);
        kit_commit(&kit, batch);
        struct mr_error err = {0};
        assert_false(kit.ops->apply(kit.sink, &batch, 1, &err));
        assert_int_equal(err.code, refusal->code);
        assert_int_equal(err.recovery, MR_STOP);
        print_message("        %s\n", err.message);
        assert_non_null(strstr(err.message, refusal->message));
        assert_non_null(strstr(err.message, "ops.parking.payment"));
        kit.ops->rollback(kit.sink);
        mr_batch_release(batch);
        char *rows = kit_dump(&kit, 0, schema);
        assert_string_equal(rows, "7|7|seven\n");
        free(rows);
        kit_close(&kit);
    }
}

static void two_tables_may_not_meet(void **state)
{
    struct kit kit;
    struct mr_error err = {0};

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *lower = kit_schema(&kit, 0, "parking", "payment", KEYED);
    const struct mr_schema *upper = kit_schema(&kit, 0, "parking", "Payment", KEYED);
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, lower, "1|1|x");
    kit_insert(&kit, batch, upper, "1|1|x");
    kit_commit(&kit, batch);
    assert_false(kit.ops->apply(kit.sink, &batch, 1, &err));
    assert_int_equal(err.code, MR_E_CONFIG);
    kit.ops->rollback(kit.sink);
    mr_batch_release(batch);
    kit_close(&kit);
}

/* Names are quoted wherever they stand. */
static void names_may_be_hostile(void **state)
{
    struct kit kit;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *schema =
        kit_schema(&kit, 0, "we\"ird", "select;--\"'", "a\"b:i64:key drop'table:text");
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, schema, "1|x");
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_update(&kit, batch, schema, NULL, "1|!");
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    kit_reopen(&kit);
    batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    kit_insert(&kit, batch, schema, "2|y");
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    char *rows = kit_dump(&kit, 0, schema);
    assert_string_equal(rows, "1|x\n2|y\n");
    free(rows);
    kit_close(&kit);
}

static void positions_of_two_sources_stand_side_by_side(void **state)
{
    struct kit kit;
    struct mr_sink_position position;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    for (uint16_t source = 0; source < KIT_SOURCES; source++) {
        const struct mr_schema *schema = kit_schema(&kit, source, "parking", "payment", KEYED);
        for (int i = 0; i <= source; i++) {
            struct mr_batch *batch = kit_batch(&kit, source);
            kit_begin(&kit, batch);
            kit_update(&kit, batch, schema, NULL, "1|1|x");
            kit_commit(&kit, batch);
            kit_apply(&kit, batch);
        }
    }
    assert_true(kit.ops->commit(kit.sink, &kit.err));
    kit_reopen(&kit);
    for (uint16_t source = 0; source < KIT_SOURCES; source++) {
        assert_true(kit.ops->position(kit.sink, source, &position, &kit.err));
        assert_int_equal(position.sequence, source + 1);
        assert_int_equal(position.native.major, source + 1);
    }
    assert_int_equal(kit_number(&kit, "SELECT count(*) FROM crm_parking.payment"), 1);
    assert_int_equal(kit_number(&kit,
                                "SELECT count(*) FROM millrace.position WHERE epoch = 'epoch' AND "
                                "position = seq || ':0' AND committed_at = "
                                "make_timestamptz(1700000000000000)"),
                     2);
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_end_as_expected),
        cmocka_unit_test(many_rows_go_through),
        cmocka_unit_test(a_long_transaction_comes_in_parts),
        cmocka_unit_test(a_new_column_is_added_in_order),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(two_tables_may_not_meet),
        cmocka_unit_test(names_may_be_hostile),
        cmocka_unit_test(positions_of_two_sources_stand_side_by_side),
    };
    return cmocka_run_group_tests_name("duckdb_sink", tests, NULL, NULL);
}
