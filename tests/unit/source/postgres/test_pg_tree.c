// SPDX-License-Identifier: MIT
/*
 * test_pg_tree.c - types made of types: what they become, given what their parts are, and the bytes
 * of their values, whole and damaged. (What real servers send is in tests/golden and tests/e2e.)
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "pg_tree.h"

#define BATCH_BYTES    (4u << 20)
#define BYTES(literal) (literal), sizeof(literal) - 1

enum {
    ENUM = 70000,
    PAIR,
    PAIRS,
    PAIR_DOMAIN,
    HSTORE,
    FOREIGN,
    FOREIGNS,
    TEXT_ONLY,
    TEXT_ONLYS,
    MIXED,
    TEXT_RANGE,
    ARRAY_RANGE,
    UNKNOWN,
};

static const char *const pair_names[] = {"n", "the \"t\""};
static const uint32_t pair_oids[] = {23, ENUM};
static const uint32_t mixed_oids[] = {FOREIGN, TEXT_ONLY};

static const struct mr_pg_type_draft drafts[] = {
    {.oid = ENUM, .shape = MR_PG_SHAPE_SCALAR, .print = mr_pg_print_text},
    {.oid = PAIR,
     .shape = MR_PG_SHAPE_COMPOSITE,
     .field_count = 2,
     .field_names = pair_names,
     .field_oids = pair_oids},
    {.oid = PAIRS, .shape = MR_PG_SHAPE_ARRAY, .element_oid = PAIR},
    {.oid = HSTORE, .shape = MR_PG_SHAPE_HSTORE},
    {.oid = FOREIGN, .shape = MR_PG_SHAPE_FOREIGN},
    {.oid = FOREIGNS, .shape = MR_PG_SHAPE_ARRAY, .element_oid = FOREIGN},
    {.oid = TEXT_ONLY, .shape = MR_PG_SHAPE_TEXT_ONLY},
    {.oid = TEXT_ONLYS, .shape = MR_PG_SHAPE_ARRAY, .element_oid = TEXT_ONLY},
    {.oid = MIXED,
     .shape = MR_PG_SHAPE_COMPOSITE,
     .field_count = 2,
     .field_names = pair_names,
     .field_oids = mixed_oids},
    {.oid = TEXT_RANGE, .shape = MR_PG_SHAPE_RANGE, .element_oid = 25},
    {.oid = ARRAY_RANGE, .shape = MR_PG_SHAPE_RANGE, .element_oid = 1007},
};

static void add_all(struct mr_pg_types *types)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(drafts); i++) {
        mr_pg_types_add(types, &drafts[i]);
    }
    mr_pg_types_add_alias(types, PAIR_DOMAIN, PAIR);
}

/* ---- Shapes. ---- */

static const struct shape_case {
    uint32_t oid;
    enum mr_pg_shape shape;
    bool is_json;
} shape_cases[] = {
    {23, MR_PG_SHAPE_SCALAR, false},
    {1007, MR_PG_SHAPE_ARRAY, true},
    {22, MR_PG_SHAPE_VECTOR, true},
    {3904, MR_PG_SHAPE_RANGE, false},
    {6150, MR_PG_SHAPE_ARRAY, true}, /* of multiranges */
    {4451, MR_PG_SHAPE_MULTIRANGE, false},
    {PAIR, MR_PG_SHAPE_COMPOSITE, true},
    {PAIRS, MR_PG_SHAPE_ARRAY, true},
    {PAIR_DOMAIN, MR_PG_SHAPE_COMPOSITE, true},
    {HSTORE, MR_PG_SHAPE_HSTORE, true},
    {FOREIGNS, MR_PG_SHAPE_FOREIGN, false},
    {TEXT_ONLYS, MR_PG_SHAPE_UNSENDABLE, false},
    {MIXED, MR_PG_SHAPE_UNSENDABLE, false}, /* the server fails to send it: that is worse */
    {TEXT_RANGE, MR_PG_SHAPE_RANGE, false},
    {ARRAY_RANGE, MR_PG_SHAPE_FOREIGN, false}, /* we have no text of an array */
};

static void a_type_is_what_its_parts_allow(void **state)
{
    (void)state;
    struct mr_pg_types types = {0};
    add_all(&types);
    for (size_t i = 0; i < MR_ARRAY_LEN(shape_cases); i++) {
        const struct shape_case *c = &shape_cases[i];
        const struct mr_pg_type *type = mr_pg_types_find(&types, c->oid);
        print_message("    %u\n", c->oid);
        assert_non_null(type);
        assert_int_equal(type->shape, c->shape);
        assert_int_equal(mr_pg_tree_is_json(type), c->is_json);
    }
    assert_null(mr_pg_types_find(&types, UNKNOWN));
    mr_pg_types_done(&types);
}

static void a_type_that_did_not_change_is_one_node(void **state)
{
    (void)state;
    struct mr_pg_types types = {0};
    add_all(&types);
    const uint32_t count = types.count;
    const struct mr_pg_type *pair = mr_pg_types_find(&types, PAIR);
    add_all(&types);
    assert_int_equal(types.count, count);
    assert_ptr_equal(mr_pg_types_find(&types, PAIR), pair);
    /* Another name of a field is another type; who holds the old one keeps it. */
    static const char *const renamed[] = {"n", "t"};
    struct mr_pg_type_draft draft = drafts[1];
    draft.field_names = renamed;
    mr_pg_types_add(&types, &draft);
    assert_int_equal(types.count, count + 1);
    assert_string_equal(pair->field_names[1], "the \"t\"");
    assert_string_equal(mr_pg_types_find(&types, PAIR)->field_names[1], "t");
    mr_pg_types_done(&types);
}

static void types_too_deep_are_foreign(void **state)
{
    (void)state;
    struct mr_pg_types types = {0};
    for (uint32_t i = 0; i < 2 * MR_PG_TREE_DEPTH_MAX; i++) {
        const struct mr_pg_type_draft draft = {.oid = 80000 + i,
                                               .shape = MR_PG_SHAPE_ARRAY,
                                               .element_oid = i == 0 ? 23 : 80000 + i - 1};
        mr_pg_types_add(&types, &draft);
        assert_int_equal(mr_pg_types_find(&types, draft.oid)->shape,
                         i + 1 < MR_PG_TREE_DEPTH_MAX ? MR_PG_SHAPE_ARRAY : MR_PG_SHAPE_FOREIGN);
    }
    mr_pg_types_done(&types);
}

/* ---- Values. ---- */

#define ONE_DIMENSION(count, lower) "\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0" count lower
#define INT(n)                      "\0\0\0\4\0\0\0" n
#define FIELD_INT                   "\0\0\0\x17"
#define FIELD_ENUM                  "\0\1\x11\x70"

static const struct value_case {
    const char *label;
    uint32_t oid;
    const char *wire;
    size_t length;
    enum mr_pg_put result;
    const char *shown;
} value_cases[] = {
    {"array", 1007, BYTES(ONE_DIMENSION("\2", "\0\0\0\1") INT("\5") "\xff\xff\xff\xff"),
     MR_PG_PUT_OK, "[5,null]"},
    {"array, empty", 1007, BYTES("\0\0\0\0\0\0\0\0\0\0\0\x17"), MR_PG_PUT_OK, "[]"},
    {"array, lower bound 0", 1007, BYTES(ONE_DIMENSION("\1", "\0\0\0\0") INT("\5")), MR_PG_PUT_OK,
     "{\"lower\":[0],\"array\":[5]}"},
    {"array, two dimensions", 1007,
     BYTES("\0\0\0\2\0\0\0\0\0\0\0\x17\0\0\0\2\0\0\0\1\0\0\0\1\xff\xff\xff\xff" INT("\1")
               INT("\2")),
     MR_PG_PUT_OK, "{\"lower\":[1,-1],\"array\":[[1],[2]]}"},
    {"array, of another type", 1007, BYTES("\0\0\0\1\0\0\0\0\0\0\0\x15\0\0\0\1\0\0\0\1" INT("\5")),
     MR_PG_PUT_MALFORMED, NULL},
    {"array, seven dimensions", 1007, BYTES("\0\0\0\7\0\0\0\0\0\0\0\x17"), MR_PG_PUT_MALFORMED,
     NULL},
    {"array, more elements than bytes", 1007,
     BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\1" INT("\5")), MR_PG_PUT_MALFORMED,
     NULL},
    {"array, sizes whose product overflows", 1007,
     BYTES("\0\0\0\3\0\0\0\0\0\0\0\x17\xff\xff\xff\xff\0\0\0\1\xff\xff\xff\xff\0\0\0\1\xff\xff\xff"
           "\xff\0\0\0\1"),
     MR_PG_PUT_MALFORMED, NULL},
    {"array, bytes left over", 1007, BYTES(ONE_DIMENSION("\1", "\0\0\0\1") INT("\5") "\0"),
     MR_PG_PUT_MALFORMED, NULL},
    {"array, an element cut", 1007, BYTES(ONE_DIMENSION("\1", "\0\0\0\1") "\0\0\0\4\0\0"),
     MR_PG_PUT_MALFORMED, NULL},
    {"array, an element of another width", 1007,
     BYTES(ONE_DIMENSION("\1", "\0\0\0\1") "\0\0\0\2\0\0"), MR_PG_PUT_MALFORMED, NULL},
    {"vector, empty in its dimension", 22, BYTES("\0\0\0\1\0\0\0\0\0\0\0\x15\0\0\0\0\0\0\0\0"),
     MR_PG_PUT_OK, "[]"},
    {"text array, what JSON escapes", 1009,
     BYTES("\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\1\0\0\0\1\0\0\0\6\"\\\n\1\t/"), MR_PG_PUT_OK,
     "[\"\\\"\\\\\\n\\u0001\\t/\"]"},
    {"text array, not UTF-8", 1009, BYTES("\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\1\0\0\0\1\0\0\0\1\xff"),
     MR_PG_PUT_ENCODING, NULL},
    {"composite", PAIR, BYTES("\0\0\0\2" FIELD_INT INT("\7") FIELD_ENUM "\0\0\0\1x"), MR_PG_PUT_OK,
     "{\"n\":7,\"the \\\"t\\\"\":\"x\"}"},
    {"composite, of nulls", PAIR,
     BYTES("\0\0\0\2" FIELD_INT "\xff\xff\xff\xff" FIELD_ENUM "\xff\xff\xff\xff"), MR_PG_PUT_OK,
     "{\"n\":null,\"the \\\"t\\\"\":null}"},
    {"composite, from before a field was added", PAIR, BYTES("\0\0\0\1" FIELD_INT INT("\7")),
     MR_PG_PUT_OK, "{\"n\":7}"},
    {"composite, without fields", PAIR, BYTES("\0\0\0\0"), MR_PG_PUT_OK, "{}"},
    {"composite, with another field", PAIR, BYTES("\0\0\0\1" FIELD_ENUM "\0\0\0\1x"),
     MR_PG_PUT_ALTERED, NULL},
    {"composite, with more fields", PAIR,
     BYTES("\0\0\0\3" FIELD_INT INT("\7") FIELD_ENUM "\0\0\0\1x" FIELD_INT INT("\7")),
     MR_PG_PUT_ALTERED, NULL},
    {"composite, more fields than bytes", PAIR, BYTES("\0\0\0\2" FIELD_INT), MR_PG_PUT_MALFORMED,
     NULL},
    {"array of composites", PAIRS,
     BYTES("\0\0\0\1\0\0\0\0\0\1\x11\x71\0\0\0\1\0\0\0\1\0\0\0\x10\0\0\0\1" FIELD_INT INT("\7")),
     MR_PG_PUT_OK, "[{\"n\":7}]"},
    {"hstore", HSTORE, BYTES("\0\0\0\2\0\0\0\1k\0\0\0\2\"v\0\0\0\1l\xff\xff\xff\xff"), MR_PG_PUT_OK,
     "{\"k\":\"\\\"v\",\"l\":null}"},
    {"hstore, a key that is null", HSTORE, BYTES("\0\0\0\1\xff\xff\xff\xff\0\0\0\0"),
     MR_PG_PUT_MALFORMED, NULL},
    {"hstore, fewer pairs than said", HSTORE, BYTES("\x7f\xff\xff\xff"), MR_PG_PUT_MALFORMED, NULL},
    {"range", 3904, BYTES("\2" INT("\1") INT("\5")), MR_PG_PUT_OK, "[1,5)"},
    {"range, empty", 3904, BYTES("\1"), MR_PG_PUT_OK, "empty"},
    {"range, everything", 3904, BYTES("\x18"), MR_PG_PUT_OK, "(,)"},
    {"range, unknown flags", 3904, BYTES("\x80"), MR_PG_PUT_MALFORMED, NULL},
    {"range, a bound cut", 3904, BYTES("\2" INT("\1")), MR_PG_PUT_MALFORMED, NULL},
    {"range, a bound too many", 3904, BYTES("\1" INT("\1")), MR_PG_PUT_MALFORMED, NULL},
    {"range of text, quoted", TEXT_RANGE, BYTES("\2\0\0\0\4a\"\\b\0\0\0\0"), MR_PG_PUT_OK,
     "[\"a\"\"\\\\b\",\"\")"},
    {"multirange", 4451, BYTES("\0\0\0\2\0\0\0\1\1\0\0\0\x9\x0a" INT("\3")), MR_PG_PUT_OK,
     "{empty,[,3)}"},
    {"multirange, a range that is null", 4451, BYTES("\0\0\0\1\xff\xff\xff\xff"),
     MR_PG_PUT_MALFORMED, NULL},
    {"multirange, fewer ranges than said", 4451, BYTES("\xff\xff\xff\xff"), MR_PG_PUT_MALFORMED,
     NULL},
    {"foreign", FOREIGN, BYTES("?"), MR_PG_PUT_FOREIGN, NULL},
};

static void check_value(const struct value_case *c, struct mr_pg_types *types,
                        const struct mr_schema *schema, struct mr_batch *batch)
{
    struct mr_error err = {0};
    uint16_t index = 0;
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
    assert_non_null(chunk);
    struct mr_pg_out out = {.column = &chunk->columns[0], .arena = &batch->arena};
    /* A copy of just that size: a sanitizer sees a read past its end. */
    uint8_t *exact = malloc(c->length == 0 ? 1 : c->length);
    assert_non_null(exact);
    memcpy(exact, c->wire, c->length);
    const enum mr_pg_put put = mr_pg_tree_print(&out, mr_pg_types_find(types, c->oid),
                                                (struct mr_slice){exact, c->length});
    free(exact);
    assert_int_equal(put, c->result);
    if (put == MR_PG_PUT_OK) {
        assert_true(mr_pg_out_end(&out, chunk->row_count));
        const struct mr_slice cell = mr_cell(out.column, chunk->row_count);
        assert_int_equal(cell.length, strlen(c->shown));
        assert_memory_equal(cell.bytes, c->shown, cell.length);
        (void)mr_chunk_end_row(chunk);
    } else {
        mr_pg_out_drop(&out, chunk->row_count);
        mr_chunk_drop_row(chunk);
    }
}

static void values_are_printed_or_refused(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_pg_types types = {0};
    struct mr_batch_pool *pool = mr_batch_pool_open(1, BATCH_BYTES, BATCH_BYTES, &err);
    struct mr_catalog *catalog = mr_catalog_open();
    const struct mr_column column = {.name = "c",
                                     .source_type = "t",
                                     .type = MR_TYPE_TEXT,
                                     .nullable = true,
                                     .key_index = MR_NOT_IN_KEY};
    const struct mr_schema draft = {
        .column_count = 1, .space = "s", .table = "t", .columns = &column};
    const struct mr_schema *schema = mr_catalog_intern(catalog, &draft, &err);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    add_all(&types);
    for (size_t i = 0; i < MR_ARRAY_LEN(value_cases); i++) {
        print_message("    %s\n", value_cases[i].label);
        check_value(&value_cases[i], &types, schema, batch);
        /* Every beginning of it is refused or, where it happens to be whole, printed. */
        for (size_t cut = 0; cut < value_cases[i].length; cut++) {
            uint8_t *bytes = malloc(cut == 0 ? 1 : cut);
            uint16_t index = 0;
            assert_non_null(bytes);
            memcpy(bytes, value_cases[i].wire, cut);
            struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
            struct mr_pg_out out = {.column = &chunk->columns[0], .arena = &batch->arena};
            const enum mr_pg_put put = mr_pg_tree_print(
                &out, mr_pg_types_find(&types, value_cases[i].oid), (struct mr_slice){bytes, cut});
            assert_true(put != MR_PG_PUT_OK || value_cases[i].result != MR_PG_PUT_OK);
            mr_pg_out_drop(&out, chunk->row_count);
            free(bytes);
        }
    }
    mr_batch_release(batch);
    mr_pg_types_done(&types);
    mr_catalog_close(catalog);
    mr_batch_pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_is_what_its_parts_allow),
        cmocka_unit_test(a_type_that_did_not_change_is_one_node),
        cmocka_unit_test(types_too_deep_are_foreign),
        cmocka_unit_test(values_are_printed_or_refused),
    };
    return cmocka_run_group_tests_name("pg_tree", tests, NULL, NULL);
}
