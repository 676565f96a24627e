// SPDX-License-Identifier: MIT
/*
 * What DDL in the binlog makes known: notes with the shapes of tables, rows decoded by the shape
 * that they were written with, whatever information_schema says by now.
 */
#include <stdio.h>
#include <string.h>

#include "binlog_kit.h"
#include "check.h"

#define TARGET      (UINT64_C(1) << 20)
#define STEPS_MAX   8
#define PRINT_BYTES 4000
#define T_COLUMNS   "id int NOT NULL PRIMARY KEY, v varchar(10) CHARACTER SET utf8mb4"
#define T           "CREATE TABLE t (" T_COLUMNS ")"
#define T_SHAPE     "(id int, v varchar(10))"

static void print_shape(const struct mr_schema *schema, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "%s(", schema->table);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        length += (size_t)snprintf(text + length, size - length, "%s%s %s", i == 0 ? "" : ", ",
                                   schema->columns[i].name, schema->columns[i].source_type);
    }
    (void)snprintf(text + length, size - length, ")");
}

/* The batch's notes, one a line: "alter t(...) -> t(...) [old=new]". */
static void print_notes(const struct mr_batch *batch, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (uint16_t i = 0; i < batch->note_count; i++) {
        const struct mr_note *note = &batch->notes[i];
        char before[1000] = "";
        char after[1000] = "";
        if (note->before != NULL) {
            print_shape(note->before, before, sizeof(before));
        }
        if (note->after != NULL) {
            print_shape(note->after, after, sizeof(after));
        }
        length += (size_t)snprintf(text + length, size - length, "%.*s%s%s%s -> %s",
                                   (int)note->name.length, (const char *)note->name.bytes,
                                   note->kind == MR_NOTE_QUARANTINE ? "quarantine" : "",
                                   before[0] != '\0' ? " " : "", before, after);
        for (size_t b = 0; b < note->renamed.length; b++) {
            const char c = (char)note->renamed.bytes[b];
            text[length++] = b == 0 ? ' ' : c == MR_NOTE_NAME_END ? '/' : c;
            if (b == 0) {
                text[length++] = c;
            }
        }
        text[length++] = '\n';
        text[length] = '\0';
    }
}

static const struct story {
    const char *label;
    const char *captures;
    const char *statements[STEPS_MAX];
    const char *notes;
} stories[] = {
    {"create, alter, drop",
     " t ",
     {T, "ALTER TABLE t ADD COLUMN n int, CHANGE v w text", "ALTER TABLE t ADD INDEX (n)",
      "DROP TABLE t"},
     "create -> t" T_SHAPE "\n"
     "alter t" T_SHAPE " -> t(id int, w text, n int) v/w/\n"
     "drop t(id int, w text, n int) -> \n"},
    {"other tables are not told of",
     " t ",
     {"CREATE TABLE u (a int)", "ALTER TABLE u ADD b int", "DROP TABLE u"},
     ""},
    {"back to what it was, as a version of its own",
     " t ",
     {T, "ALTER TABLE t ADD n int", "ALTER TABLE t DROP n", "ALTER TABLE t ADD n int"},
     "create -> t" T_SHAPE "\n"
     "alter t" T_SHAPE " -> t(id int, v varchar(10), n int)\n"
     "alter t(id int, v varchar(10), n int) -> t" T_SHAPE "\n"
     "alter t" T_SHAPE " -> t(id int, v varchar(10), n int)\n"},
    {"rename",
     " t u ",
     {T, "RENAME TABLE t TO u", "ALTER TABLE u RENAME TO t, ADD n int"},
     "create -> t" T_SHAPE "\nrename t" T_SHAPE " -> u" T_SHAPE "\n"
     "alter u" T_SHAPE " -> u(id int, v varchar(10), n int)\n"
     "rename u(id int, v varchar(10), n int) -> t(id int, v varchar(10), n int)\n"},
    {"swap by way of a name that is not captured",
     " t u ",
     {T, "CREATE TABLE u (a int)", "RENAME TABLE t TO x, u TO t, x TO u"},
     "create -> t" T_SHAPE "\ncreate -> u(a int)\nrename t" T_SHAPE " -> x" T_SHAPE "\n"
     "rename u(a int) -> t(a int)\nrename x" T_SHAPE " -> u" T_SHAPE "\n"},
    {"gh-ost, its tables left out",
     " t ",
     {T, "CREATE /* gh-ost */ TABLE `db`.`_t_gho` LIKE `db`.`t`",
      "ALTER /* gh-ost */ TABLE `db`.`_t_gho` ADD COLUMN n int", "CREATE TABLE _t_ghc (a int)",
      "RENAME /* gh-ost */ TABLE `db`.`t` TO `db`.`_t_del`, `db`.`_t_gho` TO `db`.`t`",
      "DROP TABLE IF EXISTS _t_ghc", "DROP TABLE _t_del"},
     "create -> t" T_SHAPE "\nalter t" T_SHAPE " -> t(id int, v varchar(10), n int)\n"},
    {"pt-online-schema-change, its tables captured",
     " t _t_new _t_old ",
     {T, "CREATE TABLE _t_new LIKE t", "ALTER TABLE _t_new ADD COLUMN n int",
      "RENAME TABLE t TO _t_old, _t_new TO t", "DROP TABLE _t_old"},
     "create -> t" T_SHAPE "\ncreate -> _t_new" T_SHAPE "\nalter _t_new" T_SHAPE
     " -> _t_new(id int, v varchar(10), n int)\nrename t" T_SHAPE " -> _t_old" T_SHAPE
     "\nrename _t_new(id int, v varchar(10), n int) -> t(id int, v varchar(10), n int)\ndrop "
     "_t_old" T_SHAPE " -> \n"},
    {"renamed away",
     " t ",
     {T, "RENAME TABLE t TO backup"},
     "create -> t" T_SHAPE "\ndrop t" T_SHAPE " -> \n"},
    {"renamed in: its rows are not known",
     " t ",
     {"CREATE TABLE u (a int)", "RENAME TABLE u TO t"},
     "quarantine t(a int) -> \n"},
    {"drop of the database",
     " t u ",
     {T, "CREATE TABLE u (a int)", "DROP DATABASE db"},
     "create -> t" T_SHAPE "\ncreate -> u(a int)\ndrop t" T_SHAPE " -> \ndrop u(a int) -> \n"},
    {"partitions",
     " t ",
     {T, "ALTER TABLE t PARTITION BY HASH(id) PARTITIONS 4",
      "ALTER TABLE t ADD PARTITION PARTITIONS 2", "ALTER TABLE t TRUNCATE PARTITION p0"},
     "create -> t" T_SHAPE "\nquarantine t" T_SHAPE " -> \n"},
    {"if not exists, and it does",
     " t ",
     {T, "CREATE TABLE IF NOT EXISTS t (zz int)"},
     "create -> t" T_SHAPE "\n"},
    {"what is not understood stops nothing",
     " t ",
     {T, "FLIP TABLE t", "ALTER TABLE t FROBNICATE", "\x01\xff`", "CREATE TABLE t2 SELECT 1"},
     "create -> t" T_SHAPE "\n"},
};

static void tables_are_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(stories); i++) {
        const struct story *story = &stories[i];
        struct binlog_kit kit = {.captures = story->captures};
        char notes[PRINT_BYTES];
        print_message("    %s\n", story->label);
        kit_open(&kit, NULL, TARGET);
        for (uint64_t s = 0; s < STEPS_MAX && story->statements[s] != NULL; s++) {
            assert_int_equal(kit_gtid(&kit, s + 1, 1), MR_BINLOG_DONE);
            if (kit_query(&kit, story->statements[s]) != MR_BINLOG_DONE) {
                fail_msg("%s", kit.err.message);
            }
        }
        print_notes(kit.batch, notes, sizeof(notes));
        assert_string_equal(notes, story->notes);
        assert_false(kit.batch->transaction_open);
        kit_close(&kit);
    }
}

static void alter_and_insert(struct binlog_kit *kit, const char *statement, uint64_t number)
{
    if (statement != NULL) {
        assert_int_equal(kit_gtid(kit, number, 1), MR_BINLOG_DONE);
        assert_int_equal(kit_query(kit, statement), MR_BINLOG_DONE);
    }
    kit_transaction(kit, number + 1, (int32_t)number, 1);
}

/* Without names in the maps: the log's own history counts, information_schema is ahead of it. */
static void rows_of_a_backlog_have_their_own_shape(void **state)
{
    struct binlog_kit kit = {.plain_map = true};
    (void)state;
    kit_open(&kit, NULL, TARGET);
    kit.columns[0].name = "later_id";
    kit.columns[1].name = "later_v";
    alter_and_insert(&kit, T, 1);
    alter_and_insert(&kit, "ALTER TABLE t CHANGE id key_id int NOT NULL, RENAME COLUMN v TO w", 3);
    alter_and_insert(
        &kit, "ALTER TABLE t RENAME COLUMN key_id TO later_id, RENAME COLUMN w TO later_v", 5);
    assert_int_equal(kit.batch->chunk_count, 3);
    static const char *const names[][2] = {{"id", "v"}, {"key_id", "w"}, {"later_id", "later_v"}};
    for (uint32_t i = 0; i < 3; i++) {
        const struct mr_schema *schema = kit.batch->chunks[i]->schema;
        assert_string_equal(schema->columns[0].name, names[i][0]);
        assert_string_equal(schema->columns[1].name, names[i][1]);
        assert_int_equal(schema->key_count, 1);
        assert_int_equal(schema->version, i + 1);
    }
    /* A later connection goes on with the table as it was left, without a statement. */
    (void)kit_finish(&kit);
    assert_ptr_equal(mr_catalog_current(kit.catalog, "db", "t"), kit.batch->chunks[2]->schema);
    kit_close(&kit);
}

/* A statement that is not understood: information_schema is believed if it agrees with the map. */
static void doubt_is_settled_by_what_agrees(void **state)
{
    struct binlog_kit kit = {.plain_map = true};
    char notes[PRINT_BYTES];
    (void)state;
    kit_open(&kit, NULL, TARGET);
    alter_and_insert(&kit, T, 1);
    kit.columns[1].name = "w";
    alter_and_insert(&kit, "ALTER TABLE t FROBNICATE v AS w", 3);
    assert_string_equal(kit.batch->chunks[1]->schema->columns[1].name, "w");
    print_notes(kit.batch, notes, sizeof(notes));
    assert_string_equal(notes,
                        "create -> t" T_SHAPE "\nalter t" T_SHAPE " -> t(id int, w varchar(10))\n");
    /* Doubt again, and information_schema is of no use: the log's own word holds. */
    kit.info.column_count = 0;
    alter_and_insert(&kit, "ALTER TABLE t FROBNICATE", 5);
    assert_string_equal(kit.batch->chunks[1]->schema->columns[1].name, "w");
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_followed),
        cmocka_unit_test(rows_of_a_backlog_have_their_own_shape),
        cmocka_unit_test(doubt_is_settled_by_what_agrees),
    };
    return cmocka_run_group_tests_name("binlog_ddl", tests, NULL, NULL);
}
