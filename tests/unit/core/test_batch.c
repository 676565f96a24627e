// SPDX-License-Identifier: MIT
/* Filling batches: transactions, merged events, chunks by table, limits, clearing. */
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "check.h"
#include "tables.h"

struct fixture {
    struct mr_batch_pool *pool;
    struct mr_batch *batch;
    struct mr_catalog *catalog;
    const struct mr_schema *payment;
    const struct mr_schema *scan;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    struct mr_error err = {0};
    fixture.catalog = mr_catalog_open();
    fixture.payment = intern_payment(fixture.catalog);
    fixture.scan = intern_scan(fixture.catalog);
    fixture.pool = mr_batch_pool_open(1, (size_t)64 << 20, (size_t)1 << 20, &err);
    fixture.batch = mr_batch_take(fixture.pool, 0);
    *state = &fixture;
    return fixture.batch == NULL ? -1 : 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    mr_batch_release(fixture->batch);
    mr_batch_pool_close(fixture->pool);
    mr_catalog_close(fixture->catalog);
    return 0;
}

struct place {
    uint16_t chunk;
    uint16_t row;
};

static const struct place nowhere = {MR_NO_CHUNK, 0};

static struct place put_row(struct mr_batch *batch, const struct mr_schema *schema,
                            enum mr_image image)
{
    struct mr_error err = {0};
    struct place place;
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, image, &place.chunk, &err);
    assert_non_null(chunk);
    assert_ptr_equal(batch->chunks[place.chunk], chunk);
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        mr_put_null(&chunk->columns[i], chunk->row_count);
    }
    place.row = mr_chunk_end_row(chunk);
    return place;
}

static void add(struct mr_batch *batch, enum mr_event_kind kind, struct place row,
                struct place before)
{
    struct mr_error err = {0};
    assert_true(
        mr_batch_add_event(batch, kind, row.chunk, row.row, before.chunk, before.row, &err));
}

static void begin(struct mr_batch *batch)
{
    struct mr_error err = {0};
    assert_true(mr_batch_begin(batch, 42, 1000, &err));
}

static const struct mr_native_position end = {.major = 1, .minor = 2};

/* What one step of a script adds; see merge_cases. */
static void run_step(struct fixture *fixture, char step)
{
    struct mr_batch *batch = fixture->batch;
    struct mr_error err = {0};
    struct place row;
    switch (step) {
    case 'i':
        add(batch, MR_EVENT_INSERT, put_row(batch, fixture->payment, MR_IMAGE_FULL), nowhere);
        break;
    case 's':
        add(batch, MR_EVENT_INSERT, put_row(batch, fixture->scan, MR_IMAGE_FULL), nowhere);
        break;
    case 'u':
        add(batch, MR_EVENT_UPDATE, put_row(batch, fixture->payment, MR_IMAGE_FULL), nowhere);
        break;
    case 'k':
        row = put_row(batch, fixture->payment, MR_IMAGE_FULL);
        add(batch, MR_EVENT_UPDATE, row, put_row(batch, fixture->payment, MR_IMAGE_KEY));
        break;
    case 'd':
        add(batch, MR_EVENT_DELETE, nowhere, put_row(batch, fixture->payment, MR_IMAGE_KEY));
        break;
    case 'D':
        add(batch, MR_EVENT_DELETE, nowhere, put_row(batch, fixture->scan, MR_IMAGE_FULL));
        break;
    case 'b': /* a before row that is used by no event: the next delete does not follow on */
        (void)put_row(batch, fixture->payment, MR_IMAGE_KEY);
        break;
    case 't':
        assert_true(mr_batch_add_truncate(batch, fixture->payment, &err));
        break;
    case '|':
        mr_batch_commit(batch, end, 1000);
        begin(batch);
        break;
    default:
        fail_msg("no step %c", step);
    }
}

static const struct merge_case {
    const char *label;
    const char *steps;  /* run_step() */
    const char *expect; /* kind and count of each event */
} merge_cases[] = {
    {"inserts run on", "iii", "1x3"},
    {"another kind ends a run", "iiuu", "1x2 2x2"},
    {"another table ends a run", "isis", "1x1 1x1 1x1 1x1"},
    {"a transaction ends a run", "ii|ii", "1x2 1x2"},
    {"an empty transaction too", "i||i", "1x1 1x1"},
    {"deletes run on", "ddd", "3x3"},
    {"deletes of full images", "DD", "3x2"},
    {"key images elsewhere", "dD", "3x1 3x1"},
    {"a gap in before rows", "dbd", "3x1 3x1"},
    {"updates with before rows", "kkk", "2x3"},
    {"before rows come and go", "kku", "2x2 2x1"},
    {"gap in the before rows of updates", "kbk", "2x1 2x1"},
    {"delete takes the before row in between", "kdk", "2x1 3x1 2x1"},
    {"truncate stands alone", "itti", "1x1 4x0 4x0 1x1"},
};

static void rows_that_follow_become_one_event(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < MR_ARRAY_LEN(merge_cases); i++) {
        const struct merge_case *c = &merge_cases[i];
        char text[256] = "";
        size_t length = 0;
        uint32_t rows = 0;
        print_message("    %s\n", c->label);
        mr_batch_clear(fixture->batch);
        begin(fixture->batch);
        for (const char *step = c->steps; *step != '\0'; step++) {
            run_step(fixture, *step);
        }
        mr_batch_commit(fixture->batch, end, 1000);
        for (uint32_t e = 0; e < fixture->batch->event_count; e++) {
            const struct mr_event *event = &fixture->batch->events[e];
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%ux%u",
                                       e == 0 ? "" : " ", event->kind, event->count);
            rows += event->count;
        }
        assert_string_equal(text, c->expect);
        assert_int_equal(fixture->batch->row_count, rows);
        uint32_t next_event = 0;
        for (uint32_t t = 0; t < fixture->batch->transaction_count; t++) {
            const struct mr_transaction *transaction = &fixture->batch->transactions[t];
            assert_int_equal(transaction->first_event, next_event);
            next_event += transaction->event_count;
            rows -= transaction->row_count;
        }
        assert_int_equal(next_event, fixture->batch->event_count);
        assert_int_equal(rows, 0);
    }
}

/* A run cannot outgrow a chunk, so its count fits. */
static void a_long_run_breaks_at_chunks(void **state)
{
    struct fixture *fixture = *state;
    struct mr_batch *batch = fixture->batch;
    const uint32_t rows = 3 * MR_CHUNK_ROWS_MAX + 5;
    begin(batch);
    for (uint32_t i = 0; i < rows; i++) {
        run_step(fixture, 'i');
    }
    mr_batch_commit(batch, end, 1000);
    assert_int_equal(batch->chunk_count, 4);
    assert_int_equal(batch->event_count, 4);
    for (uint32_t e = 0; e < 4; e++) {
        assert_int_equal(batch->events[e].count, e < 3 ? MR_CHUNK_ROWS_MAX : 5);
        assert_int_equal(batch->events[e].chunk, e);
    }
    assert_int_equal(batch->chunks[3]->capacity, MR_CHUNK_ROWS_MAX);
    assert_int_equal(batch->row_count, rows);
    assert_int_equal(batch->transactions[0].row_count, rows);
}

static void snapshot_rows_need_no_transaction(void **state)
{
    struct fixture *fixture = *state;
    struct mr_batch *batch = fixture->batch;
    for (int i = 0; i < 10; i++) {
        add(batch, MR_EVENT_READ, put_row(batch, fixture->scan, MR_IMAGE_FULL), nowhere);
    }
    assert_int_equal(batch->event_count, 1);
    assert_int_equal(batch->events[0].count, 10);
    assert_int_equal(batch->transaction_count, 0);
    assert_int_equal(batch->row_count, 10);
}

static void transactions_keep_what_they_are_given(void **state)
{
    struct fixture *fixture = *state;
    struct mr_batch *batch = fixture->batch;
    struct mr_error err = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(mr_batch_begin(batch, i, 5, &err));
        run_step(fixture, i % 2 == 0 ? 'i' : 's');
        mr_batch_commit(batch, (struct mr_native_position){.major = 7, .minor = i}, 1000 + i);
    }
    assert_true(mr_batch_begin(batch, 1000, 77, &err));
    run_step(fixture, 'i');
    mr_batch_suspend(batch);
    assert_true(batch->continued);
    for (uint32_t i = 0; i < 1000; i++) {
        const struct mr_transaction *transaction = &batch->transactions[i];
        assert_int_equal(transaction->number, i);
        assert_int_equal(transaction->end.minor, i);
        assert_int_equal(transaction->commit_us, 1000 + i);
        assert_int_equal(transaction->event_count, 1);
    }
    assert_int_equal(batch->transactions[1000].end.major, 0);
    assert_int_equal(batch->transactions[1000].commit_us, 77);
}

static void origins_are_kept_once(void **state)
{
    struct fixture *fixture = *state;
    struct mr_batch *batch = fixture->batch;
    struct mr_error err = {0};
    char text[32];
    uint16_t index = 9;
    assert_true(mr_batch_origin(batch, (struct mr_slice){0}, &index, &err));
    assert_int_equal(index, 0);
    for (int round = 0; round < 2; round++) {
        for (uint16_t i = 1; i <= 100; i++) {
            (void)snprintf(text, sizeof(text), "0-%d", i);
            assert_true(mr_batch_origin(batch, mr_slice_of(text), &index, &err));
            assert_int_equal(index, i);
            run_step(fixture, 'b'); /* something else in between */
        }
    }
    assert_int_equal(batch->origin_count, 101);
    assert_int_equal(batch->origins[0].length, 0);
    assert_true(mr_slice_equals(batch->origins[37], mr_slice_of("0-37")));
}

static void truncates_name_their_tables(void **state)
{
    struct fixture *fixture = *state;
    struct mr_batch *batch = fixture->batch;
    struct mr_error err = {0};
    begin(batch);
    for (uint16_t i = 0; i < 50; i++) {
        const struct mr_schema *schema = i % 3 == 0 ? fixture->scan : fixture->payment;
        assert_true(mr_batch_add_truncate(batch, schema, &err));
        run_step(fixture, 'i');
    }
    mr_batch_commit(batch, end, 1000);
    assert_int_equal(batch->truncated_count, 50);
    for (uint16_t i = 0; i < 50; i++) {
        const struct mr_event *event = &batch->events[2 * i];
        assert_int_equal(event->kind, MR_EVENT_TRUNCATE);
        assert_int_equal(event->chunk, i);
        assert_ptr_equal(batch->truncated[i], i % 3 == 0 ? fixture->scan : fixture->payment);
    }
}

/* Notes stand in order between rows, count no row, and keep copies of their texts. */
static void notes_stand_between_rows(void **state)
{
    struct fixture *fixture = *state;
    struct mr_batch *batch = fixture->batch;
    struct mr_error err = {0};
    char text[16];
    begin(batch);
    for (uint16_t i = 0; i < 50; i++) {
        (void)snprintf(text, sizeof(text), "note %u", i);
        const struct mr_note note = {
            .kind = MR_NOTE_SCHEMA_CHANGE,
            .before = i % 2 == 0 ? fixture->scan : NULL,
            .after = i % 3 == 0 ? fixture->payment : NULL,
            .name = mr_slice_of("alter"),
            .text = mr_slice_of(text),
        };
        assert_true(mr_batch_add_note(batch, &note, &err));
        run_step(fixture, 'i');
    }
    mr_batch_commit(batch, end, 1000);
    assert_int_equal(batch->note_count, 50);
    assert_int_equal(batch->row_count, 50);
    assert_int_equal(batch->event_count, 100);
    for (uint16_t i = 0; i < 50; i++) {
        const struct mr_event *event = &batch->events[2 * i];
        (void)snprintf(text, sizeof(text), "note %u", i);
        assert_int_equal(event->kind, MR_EVENT_NOTE);
        assert_int_equal(event->chunk, i);
        assert_true(mr_slice_equals(batch->notes[i].text, mr_slice_of(text)));
        assert_ptr_equal(mr_batch_event_schema(batch, event), i % 3 == 0   ? fixture->payment
                                                              : i % 2 == 0 ? fixture->scan
                                                                           : NULL);
        assert_int_equal(batch->events[2 * i + 1].kind, MR_EVENT_INSERT);
    }
}

static void positions_are_copied(void **state)
{
    struct fixture *fixture = *state;
    struct mr_error err = {0};
    char text[] = "bin.000002:4";
    assert_true(
        mr_batch_set_position(fixture->batch, mr_slice_of("epoch"), mr_slice_of(text), end, &err));
    text[0] = 'X';
    assert_true(mr_slice_equals(fixture->batch->position, mr_slice_of("bin.000002:4")));
    assert_true(mr_slice_equals(fixture->batch->epoch, mr_slice_of("epoch")));
    assert_int_equal(fixture->batch->native.minor, end.minor);
}

static void clearing_leaves_an_empty_batch(void **state)
{
    struct fixture *fixture = *state;
    struct mr_batch *batch = fixture->batch;
    struct mr_error err = {0};
    batch->source_index = 3;
    for (int round = 0; round < 3; round++) {
        begin(batch);
        for (int i = 0; i < 100; i++) {
            run_step(fixture, "isdtuk"[i % 6]);
        }
        uint16_t index;
        assert_true(mr_batch_origin(batch, mr_slice_of("x"), &index, &err));
        mr_batch_suspend(batch);
        batch->aborts = true;
        mr_batch_clear(batch);
        assert_int_equal(batch->event_count + batch->chunk_count + batch->transaction_count, 0);
        assert_int_equal(batch->row_count + batch->truncated_count + batch->note_count, 0);
        assert_int_equal(batch->origin_count, 1);
        assert_int_equal(batch->position.length, 0);
        assert_int_equal(batch->source_index, 3);
        assert_false(batch->continued || batch->aborts || batch->transaction_open);
        assert_true(mr_batch_bytes(batch) < 256);
    }
}

/* A catalog of many tables: the lookup grows, and a cleared batch knows none of their chunks. */
static void many_tables_have_a_chunk_each(void **state)
{
    struct fixture *fixture = *state;
    struct mr_error err = {0};
    const struct mr_schema *schemas[500];
    char name[32];
    for (int i = 0; i < 500; i++) {
        struct mr_schema draft = scan_draft;
        (void)snprintf(name, sizeof(name), "t%d", i);
        draft.table = name;
        schemas[i] = mr_catalog_intern(fixture->catalog, &draft, &err);
    }
    for (int round = 0; round < 2; round++) {
        for (int pass = 0; pass < 2; pass++) {
            for (uint16_t i = 0; i < 500; i++) {
                const struct place place = put_row(fixture->batch, schemas[i], MR_IMAGE_FULL);
                assert_int_equal(place.chunk, i);
                assert_int_equal(place.row, pass);
            }
        }
        assert_int_equal(fixture->batch->chunk_count, 500);
        mr_batch_clear(fixture->batch);
    }
}

static void counts_have_limits(void **state)
{
    struct fixture *fixture = *state;
    struct mr_batch *batch = fixture->batch;
    struct mr_error err = {0};
    for (uint32_t i = 0; i < MR_BATCH_TRANSACTIONS_MAX; i++) {
        assert_true(mr_batch_begin(batch, i, 0, &err));
        mr_batch_commit(batch, end, 0);
    }
    assert_false(mr_batch_begin(batch, 0, 0, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    mr_batch_clear(batch);

    begin(batch);
    for (uint32_t i = 0; i < MR_BATCH_EVENTS_MAX; i++) {
        run_step(fixture, i % 2 == 0 ? 'i' : 's');
    }
    const struct place place = put_row(batch, fixture->payment, MR_IMAGE_FULL);
    const uint32_t rows = batch->row_count;
    assert_false(
        mr_batch_add_event(batch, MR_EVENT_INSERT, place.chunk, place.row, MR_NO_CHUNK, 0, &err));
    assert_int_equal(batch->row_count, rows);
    assert_int_equal(batch->transactions[0].event_count, MR_BATCH_EVENTS_MAX);
}

static void a_full_arena_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct mr_error err = {0};
    struct mr_batch_pool *pool = mr_batch_pool_open(1, 65536, 0, &err);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    uint16_t index;
    uint32_t rows = 0;
    assert_true(mr_batch_begin(batch, 1, 0, &err));
    for (;; rows++) {
        struct mr_chunk *chunk =
            mr_batch_chunk_for(batch, fixture->payment, MR_IMAGE_FULL, &index, &err);
        if (chunk == NULL) {
            break;
        }
        for (uint16_t i = 0; i < chunk->column_count; i++) {
            mr_put_null(&chunk->columns[i], chunk->row_count);
        }
        const uint16_t row = mr_chunk_end_row(chunk);
        assert_true(mr_batch_add_event(batch, MR_EVENT_INSERT, index, row, MR_NO_CHUNK, 0, &err));
    }
    assert_int_equal(err.code, MR_E_LIMIT);
    assert_int_equal(err.recovery, MR_STOP);
    assert_non_null(strstr(err.message, "parking.payment"));
    assert_true(rows >= 256);
    assert_int_equal(batch->row_count, rows);
    static char text[65536];
    memset(text, 'x', sizeof(text) - 1);
    assert_false(mr_batch_set_position(batch, mr_slice_of("e"), mr_slice_of(text), end, &err));
    assert_false(mr_batch_origin(batch, mr_slice_of(text), &index, &err));
    mr_batch_release(batch);
    mr_batch_pool_close(pool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_that_follow_become_one_event),
        TEST(a_long_run_breaks_at_chunks),
        TEST(snapshot_rows_need_no_transaction),
        TEST(transactions_keep_what_they_are_given),
        TEST(origins_are_kept_once),
        TEST(truncates_name_their_tables),
        TEST(notes_stand_between_rows),
        TEST(positions_are_copied),
        TEST(clearing_leaves_an_empty_batch),
        TEST(many_tables_have_a_chunk_each),
        TEST(counts_have_limits),
        TEST(a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
