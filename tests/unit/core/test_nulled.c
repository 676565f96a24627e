// SPDX-License-Identifier: MIT
/*
 * Values that became NULL are counted by column, over the versions of a table.
 */
#include "check.h"

#include <string.h>

#include "nulled.h"

static const struct mr_schema *intern(struct mr_catalog *catalog, const char *table,
                                      const char *const *names, uint16_t count)
{
    struct mr_error err = {0};
    struct mr_column columns[4] = {0};
    for (uint16_t i = 0; i < count; i++) {
        columns[i] = (struct mr_column){.name = names[i],
                                        .source_type = "t",
                                        .type = MR_TYPE_I32,
                                        .nullable = true,
                                        .key_index = MR_NOT_IN_KEY};
    }
    const struct mr_schema draft = {
        .column_count = count, .space = "s", .table = table, .columns = columns};
    const struct mr_schema *schema = mr_catalog_intern(catalog, &draft, &err);
    assert_non_null(schema);
    return schema;
}

static void columns_are_counted_over_versions(void **state)
{
    (void)state;
    static const char *const first[] = {"a", "b"};
    static const char *const later[] = {"new", "a", "b"}; /* the same columns at other places */
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_nulled *nulled = mr_nulled_open();
    struct mr_nulled_count count;
    const struct mr_schema *old_version = intern(catalog, "t", first, 2);
    const struct mr_schema *new_version = intern(catalog, "t", later, 3);
    const struct mr_schema *other = intern(catalog, "u", first, 2);
    assert_false(mr_nulled_get(nulled, 0, &count));
    mr_nulled_add(nulled, old_version, 1);
    mr_nulled_add(nulled, new_version, 2);
    mr_nulled_add(nulled, other, 1);
    mr_nulled_add(nulled, new_version, 0);
    assert_true(mr_nulled_get(nulled, 0, &count));
    assert_string_equal(count.schema->columns[count.column].name, "b");
    assert_int_equal(count.count, 2);
    assert_true(mr_nulled_get(nulled, 1, &count));
    assert_string_equal(count.schema->table, "u");
    assert_int_equal(count.count, 1);
    assert_true(mr_nulled_get(nulled, 2, &count));
    assert_string_equal(count.schema->columns[count.column].name, "new");
    assert_false(mr_nulled_get(nulled, 3, &count));
    mr_nulled_close(nulled);
    mr_catalog_close(catalog);
}

static void nobody_needs_to_count(void **state)
{
    (void)state;
    static const char *const names[] = {"a"};
    struct mr_catalog *catalog = mr_catalog_open();
    mr_nulled_add(NULL, intern(catalog, "t", names, 1), 0);
    mr_nulled_close(NULL);
    mr_catalog_close(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_counted_over_versions),
        cmocka_unit_test(nobody_needs_to_count),
    };
    return cmocka_run_group_tests_name("nulled", tests, NULL, NULL);
}
