// SPDX-License-Identifier: MIT
/*
 * Which policy holds for a table, and within it for a column.
 */
#include "check.h"

#include "table_policy.h"

static struct mr_column_policy columns[] = {
    {"price_*", MR_ON_TYPE_ERROR_TEXT},
    {"note", MR_ON_TYPE_ERROR_INHERIT},
    {"n*", MR_ON_TYPE_ERROR_STOP},
};

static struct mr_table_policy tables[] = {
    {.match = "ops.shop.item",
     .on_type_error = MR_ON_TYPE_ERROR_NULL,
     .columns = columns,
     .column_count = MR_ARRAY_LEN(columns)},
    {.match = "ops.shop.*", .on_type_error = MR_ON_TYPE_ERROR_TEXT},
};

static const struct mr_policies policies = {
    .tables = tables,
    .table_count = MR_ARRAY_LEN(tables),
    .fallback = {.match = "*", .on_type_error = MR_ON_TYPE_ERROR_QUARANTINE},
};

static const struct policy_case {
    const char *source;
    const char *space;
    const char *table;
    const char *column;
    enum mr_on_type_error expect;
} cases[] = {
    {"ops", "shop", "item", "price_net", MR_ON_TYPE_ERROR_TEXT},
    {"ops", "shop", "item", "note", MR_ON_TYPE_ERROR_NULL}, /* the first match, not the next */
    {"ops", "shop", "item", "number", MR_ON_TYPE_ERROR_STOP},
    {"ops", "shop", "item", "id", MR_ON_TYPE_ERROR_NULL},
    {"ops", "shop", "items", "price_net", MR_ON_TYPE_ERROR_TEXT},
    {"ops", "depot", "item", "price_net", MR_ON_TYPE_ERROR_QUARANTINE},
    {"crm", "shop", "item", "id", MR_ON_TYPE_ERROR_QUARANTINE},
};

static void first_match_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        const struct policy_case *c = &cases[i];
        const struct mr_table_policy *policy =
            mr_policies_find(&policies, c->source, c->space, c->table);
        assert_non_null(policy);
        assert_string_equal(mr_on_type_error_name(mr_table_policy_on_type_error(policy, c->column)),
                            mr_on_type_error_name(c->expect));
    }
}

static void without_policies_the_defaults_hold(void **state)
{
    (void)state;
    const struct mr_table_policy *policy = mr_policies_find(NULL, "a", "b", "c");
    assert_ptr_equal(policy, &mr_table_policy_default);
    assert_int_equal(policy->mode, MR_TABLE_CURRENT);
    assert_int_equal(policy->on_schema_change, MR_ON_SCHEMA_CHANGE_EVOLVE);
    assert_int_equal(mr_table_policy_on_type_error(policy, "d"), MR_ON_TYPE_ERROR_STOP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_match_holds),
        cmocka_unit_test(without_policies_the_defaults_hold),
    };
    return cmocka_run_group_tests_name("table_policy", tests, NULL, NULL);
}
