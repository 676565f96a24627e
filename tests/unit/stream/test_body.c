// SPDX-License-Identifier: MIT
/*
 * test_body.c - bodies of frames: every byte of one may be wrong although its checksum holds (a
 * forged file). Reading must then fail with a message, or give a batch that can be walked through.
 */
#include "check.h"

#include <string.h>

#include "body.h"
#include "log_fixture.h"

static const struct mr_schema *find_schema(void *context, uint32_t schema_id)
{
    const struct log_fixture *fixture = context;
    return mr_catalog_find(fixture->catalog, schema_id);
}

/* Looks at everything in the batch, as a sink would; the sanitizers watch. */
static uint32_t walk(const struct mr_batch *batch)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        sum ^= log_fixture_sum(batch, i);
    }
    return sum;
}

static bool read_body(struct log_fixture *fixture, struct mr_batch *batch, const void *bytes,
                      size_t length, struct mr_error *err)
{
    uint8_t *body = mr_arena_alloc(&batch->arena, length, MR_BODY_ALIGN_WIDE);
    assert_non_null(body);
    memcpy(body, bytes, length);
    return mr_body_read(body, length, batch, find_schema, fixture, err);
}

static void write_body(struct log_fixture *fixture, struct mr_writer *out, uint32_t *sum)
{
    struct mr_error err = {0};
    struct mr_batch *batch = log_fixture_take(fixture);
    log_fixture_fill(fixture, batch, 7, 9, LOG_WHOLE);
    log_fixture_fill(fixture, batch, 8, 25, LOG_WHOLE);
    assert_true(batch->note_count > 0 && batch->truncated_count > 0);
    mr_writer_init(out, 1 << 20);
    assert_true(mr_body_write(batch, out, &err));
    *sum = walk(batch);
    mr_batch_release(batch);
}

static void no_byte_of_a_body_is_trusted(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_writer out;
    uint32_t sum = 0;
    log_fixture_init(&fixture, 1);
    fixture.catalog = mr_catalog_open();
    write_body(&fixture, &out, &sum);
    static const uint8_t changes[] = {0x01, 0x80, 0xff};
    size_t refused = 0;
    for (size_t at = 0; at < out.length; at++) {
        for (size_t c = 0; c < MR_ARRAY_LEN(changes); c++) {
            struct mr_error err = {0};
            struct mr_batch *batch = log_fixture_take(&fixture);
            out.bytes[at] ^= changes[c];
            if (read_body(&fixture, batch, out.bytes, out.length, &err)) {
                (void)walk(batch);
            } else {
                assert_true(err.code == MR_E_CORRUPT || err.code == MR_E_LIMIT);
                assert_true(err.message[0] != '\0');
                assert_int_equal(batch->event_count, 0); /* untouched */
                refused++;
            }
            out.bytes[at] ^= changes[c];
            mr_batch_release(batch);
        }
    }
    assert_true(refused > out.length / 2);
    for (size_t length = 0; length < out.length; length++) {
        struct mr_error err = {0};
        struct mr_batch *batch = log_fixture_take(&fixture);
        assert_false(read_body(&fixture, batch, out.bytes, length, &err));
        mr_batch_release(batch);
    }
    mr_writer_done(&out);
    mr_catalog_close(fixture.catalog);
    fixture.catalog = NULL;
    log_fixture_done(&fixture);
}

/* Two bodies joined are the two bodies one after the other. */
static void bodies_can_be_joined(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_writer out;
    struct mr_error err = {0};
    uint32_t sum = 0;
    log_fixture_init(&fixture, 1);
    fixture.catalog = mr_catalog_open();
    write_body(&fixture, &out, &sum);
    struct mr_batch *batch = log_fixture_take(&fixture);
    for (uint32_t i = 1; i <= 5; i++) {
        assert_true(read_body(&fixture, batch, out.bytes, out.length, &err));
        assert_int_equal(batch->transaction_count, 2 * i);
        assert_int_equal(walk(batch), i % 2 == 1 ? sum : 0);
        assert_int_equal(batch->native.major, 8);
    }
    assert_int_equal(batch->origin_count, 3); /* the empty one, server-1, server-2 */
    mr_batch_release(batch);
    mr_writer_done(&out);
    mr_catalog_close(fixture.catalog);
    fixture.catalog = NULL;
    log_fixture_done(&fixture);
}

/* A body that does not fit into the batch is refused, and leaves it as it was. */
static void a_full_arena_is_an_error(void **state)
{
    (void)state;
    struct log_fixture fixture;
    struct mr_writer out;
    struct mr_error err = {0};
    uint32_t sum = 0;
    log_fixture_init(&fixture, 1);
    fixture.catalog = mr_catalog_open();
    write_body(&fixture, &out, &sum);
    struct mr_batch_pool *pool = mr_batch_pool_open(1, 65536, 4096, &err);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    assert_true(read_body(&fixture, batch, out.bytes, out.length, &err));
    uint32_t count = batch->transaction_count;
    for (int i = 0; i < 100; i++) {
        uint8_t *body = mr_arena_alloc(&batch->arena, out.length, MR_BODY_ALIGN_WIDE);
        if (body == NULL) {
            break;
        }
        memcpy(body, out.bytes, out.length);
        if (!mr_body_read(body, out.length, batch, find_schema, &fixture, &err)) {
            assert_int_equal(err.code, MR_E_LIMIT);
            assert_int_equal(batch->transaction_count, count);
            break;
        }
        count = batch->transaction_count;
    }
    assert_true(count < 100);
    assert_true(walk(batch) == sum || walk(batch) == 0);
    mr_batch_release(batch);
    mr_batch_pool_close(pool);
    mr_writer_done(&out);
    mr_catalog_close(fixture.catalog);
    fixture.catalog = NULL;
    log_fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_byte_of_a_body_is_trusted),
        cmocka_unit_test(bodies_can_be_joined),
        cmocka_unit_test(a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
