// SPDX-License-Identifier: MIT
/* Schemas as bytes: there and back, gaps, contradictions, and every byte of it hostile. */
#include <string.h>

#include "check.h"
#include "schema.h"
#include "tables.h"

static const struct mr_schema *restore(struct mr_catalog *catalog, const void *bytes, size_t length,
                                       struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(bytes, length);
    const struct mr_schema *schema = mr_catalog_restore(catalog, &in, err);
    assert_true(schema == NULL || mr_reader_left(&in) == 0);
    return schema;
}

static void write_schema(const struct mr_schema *schema, struct mr_writer *out)
{
    mr_writer_init(out, 1 << 20);
    mr_schema_write(schema, out);
    assert_false(out->failed);
}

static void a_catalog_is_rebuilt_from_bytes(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_catalog *rebuilt = mr_catalog_open();
    const struct mr_schema *schemas[] = {intern_payment(catalog), intern_scan(catalog)};
    for (size_t i = 0; i < MR_ARRAY_LEN(schemas); i++) {
        struct mr_writer out;
        struct mr_writer again;
        write_schema(schemas[i], &out);
        const struct mr_schema *copy = restore(rebuilt, out.bytes, out.length, &err);
        assert_non_null(copy);
        assert_int_equal(copy->schema_id, schemas[i]->schema_id);
        assert_int_equal(copy->key_count, schemas[i]->key_count);
        write_schema(copy, &again);
        assert_int_equal(again.length, out.length);
        assert_memory_equal(again.bytes, out.bytes, out.length);
        assert_ptr_equal(restore(rebuilt, out.bytes, out.length, &err), copy);
        mr_writer_done(&again);
        mr_writer_done(&out);
    }
    /* Interning goes on where the restored catalog ends. */
    assert_int_equal(intern_payment(rebuilt)->schema_id, 1);
    struct mr_schema draft = payment_draft;
    draft.column_count = 3;
    const struct mr_schema *next = mr_catalog_intern(rebuilt, &draft, &err);
    assert_int_equal(next->schema_id, 3);
    assert_int_equal(next->table_id, 1);
    assert_int_equal(next->version, 2);
    mr_catalog_close(rebuilt);
    mr_catalog_close(catalog);
}

/* Retention may have deleted the only place where a version was written. */
static void gaps_are_kept(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_writer out;
    struct mr_schema late = payment_draft;
    late.schema_id = 40;
    late.table_id = 7;
    late.version = 5;
    write_schema(&late, &out);
    assert_non_null(restore(catalog, out.bytes, out.length, &err));
    assert_int_equal(mr_catalog_count(catalog), 40);
    assert_null(mr_catalog_find(catalog, 39));
    assert_int_equal(mr_catalog_latest(catalog, "parking", "payment")->schema_id, 40);
    assert_int_equal(intern_scan(catalog)->schema_id, 41);
    assert_int_equal(mr_catalog_latest(catalog, "parking", "scan")->table_id, 8);
    mr_writer_done(&out);

    /* An older version that turns up afterwards is not the latest. */
    late.schema_id = 12;
    late.version = 4;
    late.column_count = 3;
    write_schema(&late, &out);
    assert_non_null(restore(catalog, out.bytes, out.length, &err));
    assert_int_equal(mr_catalog_latest(catalog, "parking", "payment")->schema_id, 40);
    mr_writer_done(&out);
    mr_catalog_close(catalog);
}

static const struct contradiction_case {
    const char *label;
    uint32_t schema_id, table_id, version;
    uint16_t column_count;
    const char *table;
} contradiction_cases[] = {
    {"same id, other shape", 1, 1, 1, 3, "payment"},
    {"same id, other version", 1, 1, 2, 4, "payment"},
    {"same version, other id", 3, 1, 1, 3, "payment"},
    {"table under another id", 3, 9, 2, 3, "payment"},
    {"table id of another table", 3, 1, 2, 3, "other"},
    {"schema id 0", 0, 1, 2, 3, "payment"},
    {"schema id past the limit", MR_CATALOG_COUNT_MAX + 1, 1, 2, 3, "payment"},
    {"table id 0", 3, 0, 2, 3, "other"},
    {"table id past the limit", 3, UINT32_MAX, 2, 3, "other"},
    {"version 0", 3, 1, 0, 3, "payment"},
    {"last version", 3, 1, UINT32_MAX, 3, "payment"},
};

/* The writer asserts what it is given, so the ids are put into its bytes afterwards. */
static void put_u32(uint8_t *bytes, uint32_t value)
{
    memcpy(bytes, &value, sizeof(value));
}

static void contradictions_are_corruption(void **state)
{
    (void)state;
    struct mr_catalog *catalog = mr_catalog_open();
    (void)intern_payment(catalog);
    (void)intern_scan(catalog);
    for (size_t i = 0; i < MR_ARRAY_LEN(contradiction_cases); i++) {
        const struct contradiction_case *c = &contradiction_cases[i];
        struct mr_error err = {0};
        struct mr_writer out;
        struct mr_schema draft = payment_draft;
        draft.schema_id = draft.table_id = draft.version = 1;
        draft.column_count = c->column_count;
        draft.table = c->table;
        write_schema(&draft, &out);
        put_u32(out.bytes + 1, c->schema_id);
        put_u32(out.bytes + 5, c->table_id);
        put_u32(out.bytes + 9, c->version);
        print_message("    %s\n", c->label);
        assert_null(restore(catalog, out.bytes, out.length, &err));
        assert_int_equal(err.code, MR_E_CORRUPT);
        assert_int_equal(err.recovery, MR_STOP);
        assert_int_equal(mr_catalog_count(catalog), 2);
        mr_writer_done(&out);
    }
    mr_catalog_close(catalog);
}

/* Cut anywhere, and every byte set to each of several values: restored, or refused; no crash. */
static void hostile_bytes_are_refused(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 1, 2, 0x7f, 0x80, 0xfe, 0xff};
    struct mr_error err = {0};
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_writer out;
    write_schema(intern_payment(catalog), &out);
    mr_catalog_close(catalog);
    unsigned restored = 0;
    unsigned refused = 0;
    for (size_t length = 0; length < out.length; length++) {
        catalog = mr_catalog_open();
        assert_null(restore(catalog, out.bytes, length, &err));
        assert_int_equal(err.code, MR_E_CORRUPT);
        mr_catalog_close(catalog);
    }
    for (size_t at = 0; at < out.length; at++) {
        const uint8_t original = out.bytes[at];
        for (size_t v = 0; v < MR_ARRAY_LEN(values); v++) {
            struct mr_reader in = mr_reader_init(out.bytes, out.length);
            out.bytes[at] = values[v];
            catalog = mr_catalog_open();
            err = (struct mr_error){0};
            const struct mr_schema *schema = mr_catalog_restore(catalog, &in, &err);
            restored += schema != NULL ? 1 : 0;
            refused += schema == NULL ? 1 : 0;
            assert_int_equal(err.code, schema == NULL ? MR_E_CORRUPT : MR_OK);
            mr_catalog_close(catalog);
        }
        out.bytes[at] = original;
    }
    print_message("    %u restored, %u refused\n", restored, refused);
    assert_true(restored > 0 && refused > 0);
    mr_writer_done(&out);
}

static const struct malformed_case {
    const char *label;
    const char *bytes;
    size_t length;
} malformed_cases[] = {
#define BYTES(literal) (literal), sizeof(literal) - 1
#define IDS            "\1\0\0\0\1\0\0\0\1\0\0\0"
    {"other format", BYTES("\2" IDS "\0\0\0\0\0\0\0\0\0\0\0")},
    {"unknown flag", BYTES("\1" IDS "\2\0\0\0\0\0\0\0\0\0\0")},
    {"no table name", BYTES("\1" IDS "\0\0\0\0\0\xff\xff\xff\xff\0\0")},
    {"NUL in a name", BYTES("\1" IDS "\0\3\0\0\0a\0b\0\0\0\0\0\0")},
    {"name longer than the bytes", BYTES("\1" IDS "\0\xfe\xff\xff\xff"
                                         "a\0\0\0\0\0\0")},
    {"more columns than bytes", BYTES("\1" IDS "\0\0\0\0\0\0\0\0\0\1\0")},
    {"65535 columns", BYTES("\1" IDS "\0\0\0\0\0\0\0\0\0\xff\xff")},
#undef IDS
#undef BYTES
};

static void malformed_schemas_are_refused(void **state)
{
    (void)state;
    struct mr_catalog *catalog = mr_catalog_open();
    for (size_t i = 0; i < MR_ARRAY_LEN(malformed_cases); i++) {
        const struct malformed_case *c = &malformed_cases[i];
        struct mr_error err = {0};
        print_message("    %s\n", c->label);
        assert_null(restore(catalog, c->bytes, c->length, &err));
        assert_int_equal(err.code, MR_E_CORRUPT);
    }
    assert_int_equal(mr_catalog_count(catalog), 0);
    mr_catalog_close(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_catalog_is_rebuilt_from_bytes),
        cmocka_unit_test(gaps_are_kept),
        cmocka_unit_test(contradictions_are_corruption),
        cmocka_unit_test(hostile_bytes_are_refused),
        cmocka_unit_test(malformed_schemas_are_refused),
    };
    return cmocka_run_group_tests_name("schema_codec", tests, NULL, NULL);
}
