// SPDX-License-Identifier: MIT
/*
 * test_pg_copy.c - binary COPY: header, rows, trailer, and what is out of place; and the reader's
 * pace, which is as pure.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "pg_copy.h"
#include "pg_pace.h"
#include "pg_tree.h"

#define BATCH_BYTES    (4u << 20)
#define HEADER         "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define ROW(id)        "\0\2\0\0\0\4\0\0\0" id "\0\0\0\1a"
#define NULL_ROW       "\0\2\0\0\0\4\0\0\0\1\xff\xff\xff\xff"
#define TRAILER        "\xff\xff"
#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct copy_case {
    const char *label;
    const char *bytes;
    size_t length;
    enum mr_errc code;
    uint32_t rows;
    bool has_trailer;
} copy_cases[] = {
    {"header and row", BYTES(HEADER ROW("\1")), MR_OK, 1, false},
    {"header, two rows, trailer", BYTES(HEADER ROW("\1") ROW("\2") TRAILER), MR_OK, 2, true},
    {"empty table", BYTES(HEADER TRAILER), MR_OK, 0, true},
    {"header with an extension", BYTES("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\3abc" TRAILER), MR_OK, 0,
     true},
    {"a null", BYTES(HEADER NULL_ROW), MR_OK, 1, false},
    {"no signature", BYTES("PGCOPX\n\377\r\n\0\0\0\0\0\0\0\0\0"), MR_E_PROTOCOL, 0, false},
    {"short header", BYTES("PGCOPY\n\377"), MR_E_PROTOCOL, 0, false},
    {"unknown flags", BYTES("PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0"), MR_E_PROTOCOL, 0, false},
    {"extension longer than all", BYTES("PGCOPY\n\377\r\n\0\0\0\0\0\xff\xff\xff\xff"),
     MR_E_PROTOCOL, 0, false},
    {"wrong column count", BYTES(HEADER "\0\3"), MR_E_PROTOCOL, 0, false},
    {"row after the trailer", BYTES(HEADER TRAILER ROW("\1")), MR_E_PROTOCOL, 0, true},
    {"cut row", BYTES(HEADER "\0\2\0\0\0\4\0\0"), MR_E_PROTOCOL, 0, false},
    {"cut count", BYTES(HEADER "\0"), MR_E_PROTOCOL, 0, false},
    {"length longer than all", BYTES(HEADER "\0\2\x7f\xff\xff\xff"), MR_E_PROTOCOL, 0, false},
    {"wrong width", BYTES(HEADER "\0\2\0\0\0\3\0\0\1"), MR_E_PROTOCOL, 0, false},
    {"null key", BYTES(HEADER "\0\2\xff\xff\xff\xff\xff\xff\xff\xff"), MR_E_SOURCE, 0, false},
    {"not UTF-8", BYTES(HEADER "\0\2\0\0\0\4\0\0\0\1\0\0\0\1\xff"), MR_E_TYPE, 0, false},
    {"value too large",
     BYTES(HEADER "\0\2\0\0\0\4\0\0\0\1\0\0\0\x09"
                  "123456789"),
     MR_E_LIMIT, 0, false},
};

static const struct mr_schema *make_schema(struct mr_catalog *catalog, struct mr_pg_plan *plans,
                                           enum mr_on_type_error on_type_error)
{
    struct mr_error err = {0};
    struct mr_column columns[] = {
        {.name = "id", .source_type = "integer", .key_index = 0},
        {.name = "v", .source_type = "text", .key_index = MR_NOT_IN_KEY, .nullable = true},
    };
    struct mr_pg_types types = {0};
    struct mr_pg_type_ref refs[] = {{.oid = 23, .modifier = -1, .types = &types},
                                    {.oid = 25, .modifier = -1, .types = &types}};
    refs[1].on_type_error = on_type_error;
    for (size_t i = 0; i < MR_ARRAY_LEN(refs); i++) {
        assert_true(mr_pg_type_resolve(refs[i], &columns[i], &plans[i]));
    }
    assert_int_equal(types.count, 0);
    plans[1].is_nullable = true;
    const struct mr_schema draft = {
        .column_count = 2, .space = "public", .table = "t", .columns = columns};
    return mr_catalog_intern(catalog, &draft, &err);
}

static void rows_of_a_copy_are_taken_or_refused(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_batch_pool *pool = mr_batch_pool_open(1, BATCH_BYTES, BATCH_BYTES, &err);
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_pg_plan plans[2];
    const struct mr_schema *schema = make_schema(catalog, plans, MR_ON_TYPE_ERROR_STOP);
    for (size_t i = 0; i < MR_ARRAY_LEN(copy_cases); i++) {
        const struct copy_case *c = &copy_cases[i];
        struct mr_pg_copy copy = {.schema = schema, .plans = plans, .value_bytes_max = 8};
        struct mr_batch *batch = mr_batch_take(pool, 0);
        uint8_t *exact = malloc(c->length);
        print_message("    %s\n", c->label);
        assert_non_null(exact);
        memcpy(exact, c->bytes, c->length);
        err = (struct mr_error){0};
        const enum mr_pg_decoded decoded = mr_pg_copy_decode(&copy, batch, exact, c->length, &err);
        assert_int_equal(decoded, c->code == MR_OK ? MR_PG_DECODED : MR_PG_FAILED);
        assert_int_equal(err.code, c->code);
        assert_int_equal(batch->row_count, c->rows);
        assert_int_equal(copy.has_trailer, c->has_trailer);
        free(exact);
        mr_batch_release(batch);
    }
    mr_catalog_close(catalog);
    mr_batch_pool_close(pool);
}

/* A message given again after a full batch goes on behind the rows that were taken. */
static void a_full_batch_goes_on_in_the_next(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_batch_pool *pool = mr_batch_pool_open(1, 64 << 10, 64 << 10, &err);
    assert_non_null(pool);
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_pg_plan plans[2];
    struct mr_pg_copy copy = {.schema = make_schema(catalog, plans, MR_ON_TYPE_ERROR_STOP),
                              .plans = plans,
                              .value_bytes_max = 8};
    static const char row[] = ROW("\1");
    const size_t row_bytes = sizeof(row) - 1;
    const size_t header_bytes = sizeof(HEADER) - 1;
    const size_t rows = 20000;
    uint8_t *message = malloc(header_bytes + rows * row_bytes);
    assert_non_null(message);
    memcpy(message, HEADER, header_bytes);
    for (size_t i = 0; i < rows; i++) {
        memcpy(message + header_bytes + i * row_bytes, row, row_bytes);
    }
    uint64_t taken = 0;
    uint32_t batches = 0;
    enum mr_pg_decoded decoded = MR_PG_BATCH_FULL;
    while (decoded == MR_PG_BATCH_FULL) {
        struct mr_batch *batch = mr_batch_take(pool, 0);
        decoded = mr_pg_copy_decode(&copy, batch, message, header_bytes + rows * row_bytes, &err);
        taken += batch->row_count;
        batches++;
        mr_batch_release(batch);
    }
    assert_int_equal(decoded, MR_PG_DECODED);
    assert_int_equal(taken, rows);
    assert_true(batches > 2);
    free(message);
    mr_catalog_close(catalog);
    mr_batch_pool_close(pool);
}

static void the_pace_follows_the_rate(void **state)
{
    (void)state;
    struct mr_pg_pace pace = {0};
    uint64_t now_ns = 1000000000;
    assert_int_equal(mr_pg_pace_next(&pace, now_ns, false), 0);
    for (int i = 0; i < 20; i++) { /* 100 bytes every 100 us: nothing to gather */
        mr_pg_pace_read(&pace, 100);
        assert_int_equal(mr_pg_pace_next(&pace, now_ns += 100000, false), 0);
    }
    uint32_t pause_us = 0;
    for (int i = 0; i < 50; i++) { /* 40 bytes a microsecond, read one row at a time */
        mr_pg_pace_read(&pace, 2000);
        pause_us = mr_pg_pace_next(&pace, now_ns += 50000, false);
    }
    assert_true(pause_us >= 100 && pause_us <= 300);
    assert_int_equal(mr_pg_pace_next(&pace, now_ns += 2000000, false),
                     pause_us); /* the rest of it */
    assert_int_equal(mr_pg_pace_next(&pace, now_ns += 2000000, false), 0);
}

/* With a backlog on one machine: pauses that bring several windows, and not too many. */
static void long_pauses_find_their_length(void **state)
{
    (void)state;
    struct mr_pg_pace pace = {.may_be_long = true};
    uint64_t now_ns = 1000000000;
    uint32_t pause_us = 0;
    for (int i = 0; i < 50; i++) { /* 40 bytes a microsecond, all of a pause's at once */
        mr_pg_pace_read(&pace, 40 * (uint64_t)(pause_us + 100));
        pause_us = mr_pg_pace_next(&pace, now_ns += (uint64_t)(pause_us + 100) * 1000, true);
    }
    assert_true(pause_us * 40 >= 5 * MR_PG_PACE_RECEIVE_BUFFER);
    assert_true(pause_us * 40 <= 12 * MR_PG_PACE_RECEIVE_BUFFER);
    for (int i = 0; i < 50; i++) { /* ten times as fast */
        mr_pg_pace_read(&pace, 400 * (uint64_t)(pause_us + 100));
        pause_us = mr_pg_pace_next(&pace, now_ns += (uint64_t)(pause_us + 100) * 1000, true);
    }
    assert_true(pause_us <= 2000);
    mr_pg_pace_read(&pace, 1000000); /* caught up: short again */
    assert_int_equal(mr_pg_pace_next(&pace, now_ns += 2000000, false), 200);
}

static void a_value_becomes_null_where_the_policy_says_so(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_batch_pool *pool = mr_batch_pool_open(1, BATCH_BYTES, BATCH_BYTES, &err);
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_nulled *nulled = mr_nulled_open();
    struct mr_pg_plan plans[2];
    struct mr_nulled_count count;
    struct mr_pg_copy copy = {
        .schema = make_schema(catalog, plans, MR_ON_TYPE_ERROR_NULL),
        .plans = plans,
        .value_bytes_max = 8,
        .nulled = nulled,
    };
    static const char bytes[] = HEADER "\0\2\0\0\0\4\0\0\0\1\0\0\0\1\xff" ROW("\2");
    struct mr_batch *batch = mr_batch_take(pool, 0);
    assert_false(mr_nulled_get(nulled, 0, &count));
    assert_int_equal(mr_pg_copy_decode(&copy, batch, bytes, sizeof(bytes) - 1, &err),
                     MR_PG_DECODED);
    assert_int_equal(mr_cell_state(&batch->chunks[0]->columns[1], 0), MR_CELL_NULL);
    assert_int_equal(mr_cell_state(&batch->chunks[0]->columns[1], 1), MR_CELL_VALUE);
    assert_true(mr_nulled_get(nulled, 0, &count));
    assert_ptr_equal(count.schema, copy.schema);
    assert_int_equal(count.column, 1);
    assert_int_equal(count.count, 1);
    mr_batch_release(batch);
    mr_nulled_close(nulled);
    mr_catalog_close(catalog);
    mr_batch_pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_becomes_null_where_the_policy_says_so),
        cmocka_unit_test(rows_of_a_copy_are_taken_or_refused),
        cmocka_unit_test(a_full_batch_goes_on_in_the_next),
        cmocka_unit_test(the_pace_follows_the_rate),
        cmocka_unit_test(long_pauses_find_their_length),
    };
    return cmocka_run_group_tests_name("pg_copy", tests, NULL, NULL);
}
