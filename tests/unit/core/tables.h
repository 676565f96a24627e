// SPDX-License-Identifier: MIT
/*
 * tables.h - the tables that core's tests fill: one with a key and columns of several widths, one
 * without a key.
 */
#ifndef MR_TESTS_CORE_TABLES_H
#define MR_TESTS_CORE_TABLES_H

#include "check.h"
#include "schema.h"

enum { PAYMENT_ID, PAYMENT_LOT, PAYMENT_AMOUNT, PAYMENT_NOTE, PAYMENT_COLUMNS };

static const struct mr_column payment_columns[PAYMENT_COLUMNS] = {
    [PAYMENT_ID] = {.name = "id", .source_type = "bigint", .type = MR_TYPE_I64, .key_index = 1},
    [PAYMENT_LOT] = {.name = "lot",
                     .source_type = "varchar(8)",
                     .charset = "utf8mb4",
                     .type = MR_TYPE_TEXT,
                     .key_index = 0},
    [PAYMENT_AMOUNT] = {.name = "amount",
                        .source_type = "decimal(12,2)",
                        .fallback = "0.00",
                        .type = MR_TYPE_DECIMAL,
                        .precision = 12,
                        .scale = 2,
                        .key_index = MR_NOT_IN_KEY},
    [PAYMENT_NOTE] = {.name = "note",
                      .source_type = "enum('a','b')",
                      .labels = "a\x1f"
                                "b",
                      .type = MR_TYPE_TEXT,
                      .key_index = MR_NOT_IN_KEY,
                      .nullable = true},
};

static const struct mr_schema payment_draft = {
    .space = "parking",
    .table = "payment",
    .columns = payment_columns,
    .column_count = PAYMENT_COLUMNS,
};

static inline const struct mr_schema *intern_payment(struct mr_catalog *catalog)
{
    struct mr_error err = {0};
    const struct mr_schema *schema = mr_catalog_intern(catalog, &payment_draft, &err);
    assert_non_null(schema);
    return schema;
}

static const struct mr_column scan_columns[] = {
    {.name = "at", .type = MR_TYPE_TIMESTAMP, .key_index = MR_NOT_IN_KEY},
    {.name = "ok", .type = MR_TYPE_BOOL, .key_index = MR_NOT_IN_KEY},
};

static const struct mr_schema scan_draft = {
    .space = "parking",
    .table = "scan",
    .columns = scan_columns,
    .column_count = 2,
    .full_before = true,
};

static inline const struct mr_schema *intern_scan(struct mr_catalog *catalog)
{
    struct mr_error err = {0};
    const struct mr_schema *schema = mr_catalog_intern(catalog, &scan_draft, &err);
    assert_non_null(schema);
    return schema;
}

#endif
