// SPDX-License-Identifier: MIT
/*
 * The sink contract (src/sink/sink.h), point by point, for every sink. Sinks that keep rows are
 * also asked for them; `discard` keeps positions alone, and forgets even those when it is closed.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sink_kit.h"

#define KEYED "id:i64:key a:i64 b:text"

static const struct mr_copy_request first_copy = {.id = ""};
static struct mr_copy_taken taken_none;

static const struct plug_in {
    const struct mr_sink_ops *ops;
    bool keeps_rows;
    bool survives_close;
} plug_ins[] = {
    {&mr_sink_duckdb, true, true},
    {&mr_sink_discard, false, false},
};

struct fixture {
    struct kit kit;
    const struct plug_in *plug_in;
    const struct mr_schema *schema;
};

static void open_fixture(struct fixture *fixture, size_t i)
{
    fixture->plug_in = &plug_ins[i];
    print_message("    %s\n", fixture->plug_in->ops->name);
    kit_open(&fixture->kit, fixture->plug_in->ops, NULL);
    fixture->schema = kit_schema(&fixture->kit, 0, "parking", "payment", KEYED);
}

static void expect_rows(struct fixture *fixture, const char *expected)
{
    if (fixture->plug_in->keeps_rows) {
        char *rows = kit_dump(&fixture->kit, 0, fixture->schema);
        assert_string_equal(rows, expected);
        free(rows);
    }
}

static void expect_place(struct fixture *fixture, uint64_t sequence, uint64_t major)
{
    struct kit *kit = &fixture->kit;
    struct mr_sink_position position = {.sequence = UINT64_MAX};
    assert_true(kit->ops->position(kit->sink, 0, &position, &kit->err));
    assert_int_equal(position.sequence, sequence);
    assert_int_equal(position.native.major, major);
}

static void expect_position(struct fixture *fixture, uint64_t sequence)
{
    expect_place(fixture, sequence, sequence); /* the kit numbers places alike */
}

static struct mr_batch *insert_batch(struct fixture *fixture, uint64_t sequence, const char *row)
{
    struct kit *kit = &fixture->kit;
    kit->next_sequence[0] = sequence;
    struct mr_batch *batch = kit_batch(kit, 0);
    kit_begin(kit, batch);
    kit_insert(kit, batch, fixture->schema, row);
    kit_commit(kit, batch);
    return batch;
}

static void ops_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        const struct mr_sink_ops *ops = plug_ins[i].ops;
        assert_non_null(ops->name);
        assert_non_null(ops->summary);
        assert_non_null(ops->options);
        assert_true(ops->config_size > 0);
        assert_true(ops->open != NULL && ops->close != NULL && ops->position != NULL &&
                    ops->apply != NULL && ops->commit != NULL && ops->rollback != NULL &&
                    ops->snapshot_is_finished != NULL && ops->snapshot_begin != NULL &&
                    ops->snapshot_finish != NULL && ops->maintain != NULL && ops->observe != NULL);
        ops->close(NULL);
        for (const struct mr_option *option = ops->options; option->name != NULL; option++) {
            assert_non_null(option->help);
            assert_true(option->offset < ops->config_size);
        }
    }
}

static void nothing_is_committed_at_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        expect_position(&fixture, 0);
        assert_true(kit->ops->commit(kit->sink, &kit->err)); /* nothing to commit is no error */
        kit->ops->rollback(kit->sink);
        assert_true(kit->ops->maintain(kit->sink, true, &kit->err));
        expect_position(&fixture, 0);
        kit_close(kit);
    }
}

static void rows_and_position_come_with_the_commit_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        kit_apply(kit, insert_batch(&fixture, 1, "1|1|x"));
        expect_position(&fixture, 0);
        kit->ops->rollback(kit->sink);
        expect_position(&fixture, 0);
        kit_apply(kit, insert_batch(&fixture, 1, "1|1|x"));
        kit_apply(kit, insert_batch(&fixture, 2, "2|2|y"));
        assert_true(kit->ops->commit(kit->sink, &kit->err));
        expect_position(&fixture, 2);
        expect_rows(&fixture, "1|1|x\n2|2|y\n");
        kit_close(kit);
    }
}

static void what_is_committed_is_skipped(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        struct mr_sink_observation before, after;
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        kit_apply_commit(kit, insert_batch(&fixture, 1, "1|1|x"));
        kit->ops->observe(kit->sink, &before);
        kit_apply_commit(kit, insert_batch(&fixture, 1, "1|1|x"));
        kit->ops->observe(kit->sink, &after);
        assert_int_equal(after.rows_total, before.rows_total);
        /* A batch that begins before the committed position and ends after it. */
        struct mr_batch *batch = insert_batch(&fixture, 1, "1|1|x");
        kit_begin(kit, batch);
        kit_insert(kit, batch, fixture.schema, "2|2|y");
        kit_commit(kit, batch);
        kit_apply_commit(kit, batch);
        kit->ops->observe(kit->sink, &after);
        assert_int_equal(after.rows_total, before.rows_total + 1);
        expect_position(&fixture, 2);
        expect_rows(&fixture, "1|1|x\n2|2|y\n");
        kit_close(kit);
    }
}

static void a_gap_is_an_error_that_stops(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        struct mr_error err = {0};
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        kit_apply_commit(kit, insert_batch(&fixture, 1, "1|1|x"));
        struct mr_batch *batch = insert_batch(&fixture, 3, "3|3|z");
        assert_false(kit->ops->apply(kit->sink, &batch, 1, &err));
        assert_int_equal(err.recovery, MR_STOP);
        assert_non_null(strstr(err.message, "missing"));
        kit->ops->rollback(kit->sink);
        mr_batch_release(batch);
        kit_apply_commit(kit, insert_batch(&fixture, 2, "2|2|y"));
        expect_position(&fixture, 2);
        expect_rows(&fixture, "1|1|x\n2|2|y\n");
        kit_close(kit);
    }
}

static void a_close_drops_what_was_not_committed(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        kit_apply_commit(kit, insert_batch(&fixture, 1, "1|1|x"));
        kit_apply(kit, insert_batch(&fixture, 2, "2|2|y"));
        kit_reopen(kit);
        expect_position(&fixture, fixture.plug_in->survives_close ? 1 : 0);
        expect_rows(&fixture, "1|1|x\n");
        kit_close(kit);
    }
}

static void the_part_of_a_transaction_moves_no_position(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        struct mr_batch *batch = kit_batch(kit, 0);
        kit_begin(kit, batch);
        kit_insert(kit, batch, fixture.schema, "1|1|x");
        kit_suspend(kit, batch);
        kit_apply(kit, batch);
        batch = kit_batch(kit, 0);
        batch->continues = true;
        kit_begin(kit, batch);
        kit_insert(kit, batch, fixture.schema, "2|2|y");
        kit_suspend(kit, batch);
        kit_apply(kit, batch);
        expect_position(&fixture, 0);
        batch = kit_batch(kit, 0);
        batch->continues = true;
        kit_begin(kit, batch);
        kit_commit(kit, batch);
        kit_apply_commit(kit, batch);
        expect_position(&fixture, 1);
        expect_rows(&fixture, "1|1|x\n2|2|y\n");
        kit_close(kit);
    }
}

static void a_copy_is_finished_only_by_its_mark(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        struct mr_snapshot_mark found = {0};
        const struct mr_snapshot_mark mark = {.high = {7, 3}, .exact = true};
        bool finished = true;
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        assert_true(kit->ops->snapshot_is_finished(kit->sink, 0, fixture.schema, &finished, &found,
                                                   &kit->err));
        assert_false(finished);
        for (int attempt = 0; attempt < 2; attempt++) {
            assert_true(kit->ops->snapshot_begin(kit->sink, 0, fixture.schema, &first_copy,
                                                 &taken_none, &kit->err));
            struct mr_batch *batch = kit_batch(kit, 0);
            kit_read(kit, batch, fixture.schema, attempt == 0 ? "1|1|x" : "2|2|y");
            kit_apply_commit(kit, batch);
            assert_true(kit->ops->snapshot_is_finished(kit->sink, 0, fixture.schema, &finished,
                                                       &found, &kit->err));
            assert_false(finished);
        }
        assert_true(kit->ops->snapshot_finish(kit->sink, 0, fixture.schema, &mark, &kit->err));
        if (fixture.plug_in->survives_close) {
            kit_reopen(kit);
        }
        assert_true(kit->ops->snapshot_is_finished(kit->sink, 0, fixture.schema, &finished, &found,
                                                   &kit->err));
        assert_true(finished);
        if (fixture.plug_in->keeps_rows) {
            assert_int_equal(found.high.major, 7);
            assert_int_equal(found.high.minor, 3);
            assert_true(found.exact);
        }
        expect_position(&fixture, 0);
        expect_rows(&fixture, "2|2|y\n");
        kit_close(kit);
    }
}

/* The position was lost: what the stream has up to a sequence is passed over, copies begin anew. */
static void a_source_that_starts_anew_forgets_its_copies(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        const struct mr_snapshot_mark mark = {.high = {9, 0}, .exact = true};
        struct mr_snapshot_mark found = {0};
        bool finished = true;
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        assert_true(kit->ops->snapshot_begin(kit->sink, 0, fixture.schema, &first_copy, &taken_none,
                                             &kit->err));
        assert_true(kit->ops->snapshot_finish(kit->sink, 0, fixture.schema, &mark, &kit->err));
        assert_true(
            kit->ops->snapshot_finish(kit->sink, 0, &mr_schema_whole_source, &mark, &kit->err));
        kit_apply_commit(kit, insert_batch(&fixture, 10, "1|1|x"));
        for (uint64_t sequence = 1; sequence <= 5; sequence += 4) { /* where it is, and behind */
            assert_true(kit->ops->restart(kit->sink, 0, sequence, &kit->err));
            expect_place(&fixture, sequence, 0);
            if (fixture.plug_in->survives_close) {
                kit_reopen(kit);
                expect_place(&fixture, sequence, 0);
            }
            assert_true(kit->ops->snapshot_is_finished(kit->sink, 0, fixture.schema, &finished,
                                                       &found, &kit->err));
            assert_false(finished);
            assert_true(kit->ops->snapshot_is_finished(kit->sink, 0, &mr_schema_whole_source,
                                                       &finished, &found, &kit->err));
            assert_false(finished);
        }
        kit_apply_commit(kit, insert_batch(&fixture, 6, "2|2|y")); /* before the mark that was */
        expect_position(&fixture, 6);
        expect_rows(&fixture, "1|1|x\n2|2|y\n");
        kit_close(kit);
    }
}

/* "No copied row is newer than high": a transaction that ends exactly there is in the copy. */
static void the_high_mark_itself_overlaps(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct fixture fixture;
        const struct mr_snapshot_mark mark = {.high = {2, 0}, .exact = exact != 0};
        open_fixture(&fixture, 0);
        struct kit *kit = &fixture.kit;
        fixture.schema =
            kit_schema(kit, 0, "parking", "payment", exact != 0 ? "id:i64 a:i64 b:text" : KEYED);
        assert_true(kit->ops->snapshot_begin(kit->sink, 0, fixture.schema, &first_copy, &taken_none,
                                             &kit->err));
        struct mr_batch *batch = kit_batch(kit, 0);
        kit_read(kit, batch, fixture.schema, "1|1|x");
        kit_read(kit, batch, fixture.schema, "2|2|y");
        kit_apply(kit, batch);
        assert_true(kit->ops->snapshot_finish(kit->sink, 0, fixture.schema, &mark, &kit->err));
        kit_apply(kit, insert_batch(&fixture, 1, "1|1|x")); /* before */
        kit_apply(kit, insert_batch(&fixture, 2, "2|2|y")); /* at the mark */
        kit_apply(kit, insert_batch(&fixture, 3, "3|3|z")); /* after */
        assert_true(kit->ops->commit(kit->sink, &kit->err));
        expect_rows(&fixture, "1|1|x\n2|2|y\n3|3|z\n");
        kit_close(kit);
    }
}

/* The end of a long transaction is known only in its last part; until then the sink must guess, and
 * when the guess was wrong, the second reading must be right. */
static void a_long_transaction_before_the_mark_is_not_applied_twice(void **state)
{
    (void)state;
    for (uint64_t high = 1; high <= 3; high++) {
        struct fixture fixture;
        const struct mr_snapshot_mark mark = {.high = {high, 0}, .exact = true};
        unsigned retries = 0;
        open_fixture(&fixture, 0);
        struct kit *kit = &fixture.kit;
        fixture.schema = kit_schema(kit, 0, "parking", "payment", "id:i64 a:i64 b:text");
        assert_true(kit->ops->snapshot_begin(kit->sink, 0, fixture.schema, &first_copy, &taken_none,
                                             &kit->err));
        assert_true(kit->ops->snapshot_finish(kit->sink, 0, fixture.schema, &mark, &kit->err));
        kit_apply_commit(kit, insert_batch(&fixture, 1, "1|1|x"));
        for (;;) {
            struct mr_error err = {0};
            kit->next_sequence[0] = 2;
            struct mr_batch *batch = kit_batch(kit, 0);
            kit_begin(kit, batch);
            kit_insert(kit, batch, fixture.schema, "2|2|a");
            kit_suspend(kit, batch);
            kit_apply(kit, batch);
            batch = kit_batch(kit, 0);
            batch->continues = true;
            kit_begin(kit, batch);
            kit_insert(kit, batch, fixture.schema, "2|2|b");
            kit_commit(kit, batch);
            const bool applied = kit->ops->apply(kit->sink, &batch, 1, &err);
            mr_batch_release(batch);
            if (applied) {
                break;
            }
            assert_int_equal(err.recovery, MR_RETRY);
            assert_true(++retries < 3);
            kit->ops->rollback(kit->sink);
        }
        assert_true(kit->ops->commit(kit->sink, &kit->err));
        expect_position(&fixture, 2);
        /* The copy was empty at `high`: what ended by then is in it, that is to say nothing. */
        expect_rows(&fixture, high == 1 ? "2|2|a\n2|2|b\n" : "");
        assert_int_equal(retries, high == 1 ? 0 : 1);
        kit_close(kit);
    }
}

static void observation_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(plug_ins); i++) {
        struct fixture fixture;
        struct mr_sink_observation observation;
        open_fixture(&fixture, i);
        struct kit *kit = &fixture.kit;
        kit_apply(kit, insert_batch(&fixture, 1, "1|1|x"));
        kit->ops->observe(kit->sink, &observation);
        assert_int_equal(observation.rows_total, 0);
        assert_true(kit->ops->commit(kit->sink, &kit->err));
        kit->ops->observe(kit->sink, &observation);
        assert_int_equal(observation.rows_total, 1);
        assert_int_equal(observation.commits_total, 1);
        assert_int_equal(observation.errors_total, 0);
        kit_close(kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_are_complete),
        cmocka_unit_test(nothing_is_committed_at_first),
        cmocka_unit_test(rows_and_position_come_with_the_commit_alone),
        cmocka_unit_test(what_is_committed_is_skipped),
        cmocka_unit_test(a_gap_is_an_error_that_stops),
        cmocka_unit_test(a_close_drops_what_was_not_committed),
        cmocka_unit_test(the_part_of_a_transaction_moves_no_position),
        cmocka_unit_test(a_copy_is_finished_only_by_its_mark),
        cmocka_unit_test(a_source_that_starts_anew_forgets_its_copies),
        cmocka_unit_test(the_high_mark_itself_overlaps),
        cmocka_unit_test(a_long_transaction_before_the_mark_is_not_applied_twice),
        cmocka_unit_test(observation_counts),
    };
    return cmocka_run_group_tests_name("sink_contract", tests, NULL, NULL);
}
