// SPDX-License-Identifier: MIT
/* Column chunks: cells of every state, growth of rows and heaps, dropped rows, full arenas. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "chunk.h"
#include "tables.h"

struct fixture {
    struct mr_arena arena;
    struct mr_catalog *catalog;
    const struct mr_schema *payment;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    struct mr_error err = {0};
    fixture.catalog = mr_catalog_open();
    fixture.payment = intern_payment(fixture.catalog);
    *state = &fixture;
    return mr_arena_init(&fixture.arena, (size_t)16 << 20, (size_t)16 << 20, &err) ? 0 : -1;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    mr_arena_done(&fixture->arena);
    mr_catalog_close(fixture->catalog);
    return 0;
}

static struct mr_chunk *new_chunk(struct fixture *fixture, uint32_t capacity)
{
    struct mr_chunk *chunk =
        mr_chunk_new(&fixture->arena, fixture->payment, MR_IMAGE_FULL, capacity);
    assert_non_null(chunk);
    return chunk;
}

/* What the note of a row is: all four states take turns. */
static enum mr_cell_state note_state(uint32_t row)
{
    return (enum mr_cell_state)(row % 4);
}

static void put_row(struct fixture *fixture, struct mr_chunk *chunk)
{
    const uint32_t row = chunk->row_count;
    char text[32];
    const int length = snprintf(text, sizeof(text), "lot-%u", row);
    mr_put_i64(&chunk->columns[PAYMENT_ID], row, row * INT64_C(1000003));
    assert_true(
        mr_put_bytes(&chunk->columns[PAYMENT_LOT], &fixture->arena, row, text, (size_t)length));
    mr_put_decimal(&chunk->columns[PAYMENT_AMOUNT], row, -(mr_i128)row);
    struct mr_column_chunk *note = &chunk->columns[PAYMENT_NOTE];
    switch (note_state(row)) {
    case MR_CELL_VALUE:
        assert_true(mr_put_bytes(note, &fixture->arena, row, "", 0));
        break;
    case MR_CELL_NULL:
        mr_put_null(note, row);
        break;
    case MR_CELL_UNCHANGED:
    case MR_CELL_ABSENT:
        assert_true(mr_put_state(note, &fixture->arena, row, chunk->capacity, note_state(row)));
        break;
    }
    assert_int_equal(mr_chunk_end_row(chunk), row);
}

static void check_rows(const struct mr_chunk *chunk)
{
    for (uint32_t row = 0; row < chunk->row_count; row++) {
        char text[32];
        int64_t id;
        const int length = snprintf(text, sizeof(text), "lot-%u", row);
        const struct mr_slice lot = mr_cell(&chunk->columns[PAYMENT_LOT], row);
        memcpy(&id, mr_cell(&chunk->columns[PAYMENT_ID], row).bytes, sizeof(id));
        assert_int_equal(id, row * INT64_C(1000003));
        assert_int_equal(lot.length, length);
        assert_memory_equal(lot.bytes, text, lot.length);
        assert_int_equal(mr_cell_state(&chunk->columns[PAYMENT_AMOUNT], row), MR_CELL_VALUE);
        assert_int_equal(mr_cell_state(&chunk->columns[PAYMENT_NOTE], row), note_state(row));
        assert_int_equal(mr_cell(&chunk->columns[PAYMENT_NOTE], row).length, 0);
    }
    assert_int_equal(chunk->columns[PAYMENT_NOTE].null_count,
                     chunk->row_count - (chunk->row_count + 3) / 4);
}

/* Bits past the rows must be zero: sinks copy whole words. */
static void check_padding(const struct mr_chunk *chunk)
{
    const struct mr_column_chunk *note = &chunk->columns[PAYMENT_NOTE];
    const uint64_t *bitmaps[] = {note->valid, note->unchanged, note->absent};
    for (size_t i = 0; i < MR_ARRAY_LEN(bitmaps); i++) {
        const uint32_t bits = (uint32_t)mr_chunk_words(chunk->capacity) * 64;
        for (uint32_t row = chunk->row_count; bitmaps[i] != NULL && row < bits; row++) {
            assert_false(mr_bit(bitmaps[i], row));
        }
    }
}

static void rows_survive_every_growth(void **state)
{
    struct fixture *fixture = *state;
    struct mr_chunk *chunk = new_chunk(fixture, MR_CHUNK_ROWS_MIN);
    unsigned growths = 0;
    for (uint32_t row = 0; row < MR_CHUNK_ROWS_MAX; row++) {
        if (chunk->row_count == chunk->capacity) {
            const uint32_t before = chunk->capacity;
            check_rows(chunk);
            assert_true(mr_chunk_grow(chunk, &fixture->arena));
            assert_int_equal(chunk->capacity, before * 2);
            check_rows(chunk);
            check_padding(chunk);
            growths++;
        }
        put_row(fixture, chunk);
    }
    assert_int_equal(growths, 7);
    assert_false(mr_chunk_grow(chunk, &fixture->arena));
    check_rows(chunk);
}

static void odd_capacities_end_at_the_limit(void **state)
{
    struct fixture *fixture = *state;
    struct mr_chunk *chunk = new_chunk(fixture, 1500);
    for (uint32_t row = 0; row < 1500; row++) {
        put_row(fixture, chunk);
    }
    assert_true(mr_chunk_grow(chunk, &fixture->arena));
    assert_int_equal(chunk->capacity, MR_CHUNK_ROWS_MAX);
    check_rows(chunk);
    check_padding(chunk);
}

static void bitmaps_exist_only_where_they_occur(void **state)
{
    struct fixture *fixture = *state;
    struct mr_chunk *chunk = new_chunk(fixture, 16);
    struct mr_column_chunk *note = &chunk->columns[PAYMENT_NOTE];
    mr_put_null(note, 0);
    assert_null(note->unchanged);
    assert_null(note->absent);
    assert_true(mr_put_state(note, &fixture->arena, 1, 16, MR_CELL_UNCHANGED));
    assert_non_null(note->unchanged);
    assert_null(note->absent);
    assert_true(mr_put_state(note, &fixture->arena, 2, 16, MR_CELL_NULL));
    assert_null(note->absent);
    assert_int_equal(note->null_count, 3);
}

static void a_null_cell_has_zero_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct mr_column_chunk *id = &new_chunk(fixture, 16)->columns[PAYMENT_ID];
    static const uint8_t zeros[8];
    memset(id->values, 0xff, 16 * 8);
    mr_put_null(id, 3);
    assert_memory_equal(mr_cell(id, 3).bytes, zeros, sizeof(zeros));
    assert_true(mr_put_state(id, &fixture->arena, 4, 16, MR_CELL_ABSENT));
    assert_memory_equal(mr_cell(id, 4).bytes, zeros, sizeof(zeros));
    assert_int_equal(mr_cell_state(id, 4), MR_CELL_ABSENT);
}

static void a_dropped_row_leaves_no_trace(void **state)
{
    struct fixture *fixture = *state;
    struct mr_chunk *chunk = new_chunk(fixture, 128);
    for (uint32_t row = 0; row < 100; row++) {
        /* The first attempt at each row goes wrong after some of its cells. */
        mr_put_i64(&chunk->columns[PAYMENT_ID], row, -1);
        assert_true(mr_put_bytes(&chunk->columns[PAYMENT_LOT], &fixture->arena, row, "wrong", 5));
        assert_true(mr_put_state(&chunk->columns[PAYMENT_NOTE], &fixture->arena, row, 128,
                                 row % 2 == 0 ? MR_CELL_UNCHANGED : MR_CELL_ABSENT));
        mr_chunk_drop_row(chunk);
        check_padding(chunk);
        put_row(fixture, chunk);
    }
    check_rows(chunk);
}

static void key_images_have_the_key_in_its_order(void **state)
{
    struct fixture *fixture = *state;
    struct mr_chunk *chunk = mr_chunk_new(&fixture->arena, fixture->payment, MR_IMAGE_KEY, 16);
    assert_int_equal(chunk->column_count, 2);
    assert_string_equal(mr_chunk_column(chunk, 0)->name, "lot");
    assert_string_equal(mr_chunk_column(chunk, 1)->name, "id");
    assert_int_equal(chunk->columns[0].width, 0);
    assert_int_equal(chunk->columns[1].width, 8);
}

static void a_heap_grows_in_place_and_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    struct mr_chunk *chunk = new_chunk(fixture, 16);
    struct mr_column_chunk *note = &chunk->columns[PAYMENT_NOTE]; /* the last allocation */
    const uint8_t *heap = note->heap;
    static uint8_t large[5000];
    memset(large, 'x', sizeof(large));
    assert_true(mr_put_bytes(note, &fixture->arena, 0, large, sizeof(large)));
    assert_ptr_equal(note->heap, heap);
    assert_non_null(mr_arena_alloc(&fixture->arena, 1, 1));
    assert_true(mr_put_bytes(note, &fixture->arena, 1, large, sizeof(large)));
    assert_ptr_not_equal(note->heap, heap);
    for (uint32_t row = 0; row < 2; row++) {
        assert_int_equal(mr_cell(note, row).length, sizeof(large));
        assert_memory_equal(mr_cell(note, row).bytes, large, sizeof(large));
    }
}

static void a_full_arena_is_refused_and_harms_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct mr_chunk *chunk = new_chunk(fixture, 16);
    for (uint32_t row = 0; row < 15; row++) {
        put_row(fixture, chunk);
    }
    struct mr_column_chunk *note = &chunk->columns[PAYMENT_NOTE];
    const size_t left = fixture->arena.capacity - fixture->arena.used;
    assert_false(mr_chunk_grow_heap(note, &fixture->arena, left + note->heap_capacity + 1));
    assert_false(mr_chunk_grow_heap(note, &fixture->arena, UINT32_MAX));
    assert_false(mr_chunk_grow_heap(note, &fixture->arena, SIZE_MAX));
    put_row(fixture, chunk);
    /* Every amount of memory at which growing can stop short. */
    const size_t used = fixture->arena.used;
    const struct mr_chunk saved = *chunk;
    struct mr_column_chunk columns[PAYMENT_COLUMNS];
    memcpy(columns, chunk->columns, sizeof(columns));
    bool grown = false;
    for (size_t room = 0; !grown; room += 8) {
        assert_true(room < 8192);
        fixture->arena.used = fixture->arena.capacity - room;
        grown = mr_chunk_grow(chunk, &fixture->arena);
        assert_int_equal(chunk->capacity, grown ? 32 : 16);
        check_rows(chunk);
        memcpy(chunk->columns, columns, sizeof(columns));
        *chunk = saved;
        fixture->arena.used = used;
    }
}

static void a_chunk_after_a_full_one_is_full_size(void **state)
{
    struct fixture *fixture = *state;
    struct mr_chunk *full = new_chunk(fixture, MR_CHUNK_ROWS_MAX);
    static uint8_t text[200];
    memset(text, 'x', sizeof(text));
    for (uint32_t row = 0; row < MR_CHUNK_ROWS_MAX; row++) {
        mr_put_i64(&full->columns[PAYMENT_ID], row, row);
        assert_true(mr_put_bytes(&full->columns[PAYMENT_LOT], &fixture->arena, row, text, 200));
        mr_put_decimal(&full->columns[PAYMENT_AMOUNT], row, 1);
        mr_put_null(&full->columns[PAYMENT_NOTE], row);
        (void)mr_chunk_end_row(full);
    }
    struct mr_chunk *next = mr_chunk_new_after(&fixture->arena, full);
    assert_int_equal(next->capacity, MR_CHUNK_ROWS_MAX);
    assert_int_equal(next->row_count, 0);
    assert_true(next->columns[PAYMENT_LOT].heap_capacity > full->columns[PAYMENT_LOT].heap_size);
    fixture->arena.used = fixture->arena.capacity - 8192;
    assert_int_equal(mr_chunk_new_after(&fixture->arena, full)->capacity, MR_CHUNK_ROWS_MIN);
    fixture->arena.used = fixture->arena.capacity - 64;
    assert_null(mr_chunk_new_after(&fixture->arena, full));
}

static const struct decimal_case {
    uint8_t precision;
    int64_t least;
    int64_t most;
} decimal_cases[] = {
    {4, INT16_MIN, INT16_MAX},
    {9, INT32_MIN, INT32_MAX},
    {18, INT64_MIN, INT64_MAX},
};

static void decimals_take_their_width(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < MR_ARRAY_LEN(decimal_cases); i++) {
        const struct decimal_case *c = &decimal_cases[i];
        const struct mr_column column = {.name = "d",
                                         .type = MR_TYPE_DECIMAL,
                                         .precision = c->precision,
                                         .key_index = MR_NOT_IN_KEY};
        const struct mr_schema schema = {.schema_id = 9, .column_count = 1, .columns = &column};
        struct mr_chunk *chunk = mr_chunk_new(&fixture->arena, &schema, MR_IMAGE_FULL, 16);
        mr_put_decimal(&chunk->columns[0], 0, c->least);
        mr_put_decimal(&chunk->columns[0], 1, c->most);
        assert_memory_equal(mr_cell(&chunk->columns[0], 0).bytes, &c->least,
                            chunk->columns[0].width);
        assert_memory_equal(mr_cell(&chunk->columns[0], 1).bytes, &c->most,
                            chunk->columns[0].width);
    }
}

static void a_schema_without_columns_has_rows_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    const struct mr_schema schema = {.schema_id = 9};
    struct mr_chunk *chunk = mr_chunk_new(&fixture->arena, &schema, MR_IMAGE_FULL, 16);
    for (uint16_t row = 0; row < 16; row++) {
        assert_int_equal(mr_chunk_end_row(chunk), row);
    }
    assert_true(mr_chunk_grow(chunk, &fixture->arena));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_survive_every_growth),
        TEST(odd_capacities_end_at_the_limit),
        TEST(bitmaps_exist_only_where_they_occur),
        TEST(a_null_cell_has_zero_bytes),
        TEST(a_dropped_row_leaves_no_trace),
        TEST(key_images_have_the_key_in_its_order),
        TEST(a_heap_grows_in_place_and_elsewhere),
        TEST(a_full_arena_is_refused_and_harms_nothing),
        TEST(a_chunk_after_a_full_one_is_full_size),
        TEST(decimals_take_their_width),
        TEST(a_schema_without_columns_has_rows_all_the_same),
    };
    return cmocka_run_group_tests_name("chunk", tests, NULL, NULL);
}
