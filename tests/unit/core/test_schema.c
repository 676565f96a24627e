// SPDX-License-Identifier: MIT
/* The catalog: interning, versions, numbering, and drafts that are no schema. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "schema.h"
#include "tables.h"

static void a_draft_is_copied_once(void **state)
{
    (void)state;
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_error err = {0};
    struct mr_column columns[PAYMENT_COLUMNS];
    char name[] = "amount";
    memcpy(columns, payment_columns, sizeof(columns));
    columns[PAYMENT_AMOUNT].name = name;
    struct mr_schema draft = payment_draft;
    draft.columns = columns;

    const struct mr_schema *schema = mr_catalog_intern(catalog, &draft, &err);
    assert_non_null(schema);
    name[0] = 'X'; /* the catalog has its own */
    assert_string_equal(schema->columns[PAYMENT_AMOUNT].name, "amount");
    assert_ptr_equal(intern_payment(catalog), schema);
    assert_int_equal(schema->schema_id, 1);
    assert_int_equal(schema->table_id, 1);
    assert_int_equal(schema->version, 1);
    assert_int_equal(schema->key_count, 2);
    assert_int_equal(schema->key[0], PAYMENT_LOT);
    assert_int_equal(schema->key[1], PAYMENT_ID);
    assert_int_equal(mr_catalog_count(catalog), 1);
    assert_int_equal(mr_schema_find_column(schema, "note"), PAYMENT_NOTE);
    assert_int_equal(mr_schema_find_column(schema, "Note"), -1);
    mr_catalog_close(catalog);
    mr_catalog_close(NULL);
}

static void a_change_is_a_new_version(void **state)
{
    (void)state;
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_error err = {0};
    const struct mr_schema *first = intern_payment(catalog);
    const struct mr_schema *scan = intern_scan(catalog);
    struct mr_schema draft = payment_draft;
    draft.column_count = 3;
    const struct mr_schema *second = mr_catalog_intern(catalog, &draft, &err);
    assert_int_equal(scan->table_id, 2);
    assert_int_equal(scan->schema_id, 2);
    assert_int_equal(second->schema_id, 3);
    assert_int_equal(second->table_id, first->table_id);
    assert_int_equal(second->version, 2);
    assert_ptr_equal(mr_catalog_latest(catalog, "parking", "payment"), second);
    assert_null(mr_catalog_latest(catalog, "parking", "none"));
    assert_null(mr_catalog_latest(catalog, "parkingp", "ayment"));
    assert_ptr_equal(intern_payment(catalog), first); /* back: the old version, not a third */
    assert_ptr_equal(mr_catalog_find(catalog, 3), second);
    assert_null(mr_catalog_find(catalog, 0));
    assert_null(mr_catalog_find(catalog, 4));
    mr_catalog_close(catalog);
}

/* Each of these is a different schema. */
static void every_property_counts(void **state)
{
    (void)state;
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_error err = {0};
    (void)intern_payment(catalog);
    for (int change = 0; change < 11; change++) {
        struct mr_column columns[PAYMENT_COLUMNS];
        memcpy(columns, payment_columns, sizeof(columns));
        struct mr_schema draft = payment_draft;
        draft.columns = columns;
        struct mr_column *note = &columns[PAYMENT_NOTE];
        columns[PAYMENT_AMOUNT].precision = change == 0 ? 13 : 12;
        columns[PAYMENT_AMOUNT].scale = change == 1 ? 3 : 2;
        note->nullable = change != 2;
        note->name = change == 3 ? "notes" : note->name;
        note->labels = change == 4 ? NULL : note->labels;
        note->source_type = change == 5 ? "text" : note->source_type;
        note->fallback = change == 6 ? "'a'" : NULL;
        note->charset = change == 7 ? "latin1" : NULL;
        note->type = change == 8 ? MR_TYPE_BYTES : MR_TYPE_TEXT;
        note->key_index = change == 9 ? 2 : MR_NOT_IN_KEY;
        draft.full_before = change == 10;
        const struct mr_schema *schema = mr_catalog_intern(catalog, &draft, &err);
        assert_non_null(schema);
        assert_int_equal(schema->version, change + 2);
        assert_ptr_equal(mr_catalog_intern(catalog, &draft, &err), schema);
    }
    mr_catalog_close(catalog);
}

static void thousands_of_tables_are_found_again(void **state)
{
    (void)state;
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_error err = {0};
    char name[32];
    for (uint32_t i = 1; i <= 5000; i++) {
        struct mr_schema draft = scan_draft;
        (void)snprintf(name, sizeof(name), "t%u", i);
        draft.table = name;
        assert_int_equal(mr_catalog_intern(catalog, &draft, &err)->table_id, i);
    }
    for (uint32_t i = 1; i <= 5000; i += 7) {
        (void)snprintf(name, sizeof(name), "t%u", i);
        assert_int_equal(mr_catalog_latest(catalog, "parking", name)->table_id, i);
    }
    mr_catalog_close(catalog);
}

static void the_limits_hold(void **state)
{
    (void)state;
    static struct mr_column columns[MR_COLUMN_COUNT_MAX + 1];
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_error err = {0};
    for (size_t i = 0; i < MR_ARRAY_LEN(columns); i++) {
        columns[i] = (struct mr_column){.name = "c", .type = MR_TYPE_I8, .key_index = (uint16_t)i};
    }
    struct mr_schema draft = {.space = "s", .table = "wide", .columns = columns};
    draft.column_count = MR_COLUMN_COUNT_MAX + 1;
    assert_null(mr_catalog_intern(catalog, &draft, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    draft.column_count = MR_COLUMN_COUNT_MAX;
    assert_int_equal(mr_catalog_intern(catalog, &draft, &err)->key_count, MR_COLUMN_COUNT_MAX);
    draft.column_count = 0;
    assert_int_equal(mr_catalog_intern(catalog, &draft, &err)->column_count, 0);

    char name[32];
    for (uint32_t i = mr_catalog_count(catalog); i < MR_CATALOG_COUNT_MAX; i++) {
        (void)snprintf(name, sizeof(name), "t%u", i);
        draft.table = name;
        assert_non_null(mr_catalog_intern(catalog, &draft, &err));
    }
    draft.table = "one too many";
    assert_null(mr_catalog_intern(catalog, &draft, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    assert_int_equal(mr_catalog_count(catalog), MR_CATALOG_COUNT_MAX);
    mr_catalog_close(catalog);
}

static const struct bad_case {
    const char *label;
    struct mr_column columns[2];
    enum mr_errc code;
} bad_cases[] = {
    {"no type",
     {{.name = "a", .key_index = MR_NOT_IN_KEY}, {.name = "b", .type = MR_TYPE_I8}},
     MR_E_TYPE},
    {"decimal without digits",
     {{.name = "a", .type = MR_TYPE_DECIMAL, .key_index = 0},
      {.name = "b", .type = MR_TYPE_I8, .key_index = MR_NOT_IN_KEY}},
     MR_E_TYPE},
    {"decimal too long",
     {{.name = "a", .type = MR_TYPE_DECIMAL, .precision = 39, .key_index = 0},
      {.name = "b", .type = MR_TYPE_I8, .key_index = MR_NOT_IN_KEY}},
     MR_E_TYPE},
    {"key with a gap",
     {{.name = "a", .type = MR_TYPE_I8, .key_index = 1},
      {.name = "b", .type = MR_TYPE_I8, .key_index = MR_NOT_IN_KEY}},
     MR_E_PROTOCOL},
    {"one place twice",
     {{.name = "a", .type = MR_TYPE_I8, .key_index = 0}, {.name = "b", .type = MR_TYPE_I8}},
     MR_E_PROTOCOL},
};

static void drafts_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct mr_catalog *catalog = mr_catalog_open();
    for (size_t i = 0; i < MR_ARRAY_LEN(bad_cases); i++) {
        const struct bad_case *c = &bad_cases[i];
        struct mr_error err = {0};
        const struct mr_schema draft = {
            .space = "s", .table = "t", .columns = c->columns, .column_count = 2};
        print_message("    %s\n", c->label);
        assert_null(mr_catalog_intern(catalog, &draft, &err));
        assert_int_equal(err.code, c->code);
    }
    assert_int_equal(mr_catalog_count(catalog), 0);
    mr_catalog_close(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_is_copied_once),
        cmocka_unit_test(a_change_is_a_new_version),
        cmocka_unit_test(every_property_counts),
        cmocka_unit_test(thousands_of_tables_are_found_again),
        cmocka_unit_test(the_limits_hold),
        cmocka_unit_test(drafts_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
