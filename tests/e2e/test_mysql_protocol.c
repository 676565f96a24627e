// SPDX-License-Identifier: MIT
/*
 * What a binlog may hold, on a real server: test_mysql_protocol KIND.
 *
 * Each scenario runs statements while the source follows, applies what comes to a mirror of the
 * table, and compares it with the table itself. One server serves all of them; what differs is set
 * in their sessions, or globally and put back.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_lab.h"

extern const struct mr_source_ops mr_source_mysql;

#define MIRROR_ROWS_MAX  4096
#define MIRROR_CELLS_MAX 12
#define STATEMENTS_MAX   24
#define WAIT_MS          20000
#define TEXT_BYTES_MAX   65536

#define ON_MARIA   1u
#define ON_MYSQL80 2u
#define ON_MYSQL9  4u
#define ON_MYSQL   (ON_MYSQL80 | ON_MYSQL9)
#define ON_ALL     (ON_MARIA | ON_MYSQL)

static struct lab lab;
static unsigned server_mask;

/* ---- A mirror of one table, by what was captured. Its first column is its key. ---- */

struct mirror_row {
    char *cells[MIRROR_CELLS_MAX];
};

struct mirror {
    struct mirror_row rows[MIRROR_ROWS_MAX];
    uint32_t count;
    uint16_t columns;
    bool saw_end;
};

static struct mirror mirror;

static void clear_mirror(void)
{
    for (uint32_t i = 0; i < mirror.count; i++) {
        for (size_t j = 0; j < MIRROR_CELLS_MAX; j++) {
            free(mirror.rows[i].cells[j]);
        }
    }
    mirror = (struct mirror){0};
}

static char *print_cell(const struct mr_chunk *chunk, uint16_t column, uint32_t row)
{
    static char text[TEXT_BYTES_MAX];
    if (mr_cell_state(&chunk->columns[column], row) == MR_CELL_NULL) {
        return strdup("NULL");
    }
    (void)mr_cell_print(mr_chunk_column(chunk, column), &chunk->columns[column], row, text,
                        sizeof(text));
    return strdup(text);
}

static uint32_t find_row(const char *key)
{
    for (uint32_t i = 0; i < mirror.count; i++) {
        if (strcmp(mirror.rows[i].cells[0], key) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

/** The key may be the row's own. */
static void drop_row(const char *key)
{
    const uint32_t at = find_row(key);
    assert_true(at != UINT32_MAX);
    for (size_t j = 0; j < MIRROR_CELLS_MAX; j++) {
        free(mirror.rows[at].cells[j]);
    }
    mirror.rows[at] = mirror.rows[--mirror.count];
}

static char *key_of(const struct mr_chunk *chunk, uint32_t row)
{
    return print_cell(chunk, 0, row); /* of a KEY image too: one column */
}

static void mirror_row(void *context, const struct mr_batch *batch, const struct mr_event *event,
                       uint16_t i)
{
    const struct mr_chunk *after = event->chunk == MR_NO_CHUNK ? NULL : batch->chunks[event->chunk];
    const struct mr_chunk *before =
        event->before_chunk == MR_NO_CHUNK ? NULL : batch->chunks[event->before_chunk];
    (void)context;
    MR_ASSERT(after != NULL || before != NULL);
    if ((after != NULL ? after : before)->schema->table[0] == '_') {
        mirror.saw_end = true;
        return;
    }
    struct mirror_row old = {0};
    char *old_key = before != NULL ? key_of(before, (uint32_t)event->before_row + i)
                    : event->kind == MR_EVENT_UPDATE ? key_of(after, (uint32_t)event->row + i)
                                                     : NULL;
    if (old_key != NULL) {
        const uint32_t at = find_row(old_key);
        assert_true(at != UINT32_MAX);
        for (uint16_t j = 0; j < mirror.columns; j++) {
            old.cells[j] = strdup(mirror.rows[at].cells[j]);
        }
        drop_row(old_key);
    }
    if (after != NULL) {
        assert_true(mirror.count < MIRROR_ROWS_MAX && after->column_count <= MIRROR_CELLS_MAX);
        struct mirror_row *row = &mirror.rows[mirror.count++];
        mirror.columns = after->column_count;
        for (uint16_t j = 0; j < after->column_count; j++) {
            const bool keeps =
                mr_cell_state(&after->columns[j], (uint32_t)event->row + i) == MR_CELL_ABSENT;
            assert_true(!keeps || old.cells[j] != NULL);
            row->cells[j] =
                keeps ? strdup(old.cells[j]) : print_cell(after, j, (uint32_t)event->row + i);
        }
    }
    for (size_t j = 0; j < MIRROR_CELLS_MAX; j++) {
        free(old.cells[j]);
    }
    free(old_key);
}

/** Compares with the rows of a query, which names the columns in the table's order. */
static void compare_mirror(const char *label, const char *sql)
{
    if (mysql_query(lab.root, sql) != 0) {
        fail_msg("%s: %s: %s", label, sql, mysql_error(lab.root));
    }
    MYSQL_RES *result = mysql_store_result(lab.root);
    assert_non_null(result);
    const unsigned columns = mysql_num_fields(result);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL;) {
        const uint32_t at = find_row(row[0]);
        if (at == UINT32_MAX) {
            fail_msg("%s: row \"%s\" was not captured", label, row[0]);
        }
        assert_int_equal(columns, mirror.columns);
        for (unsigned j = 0; j < columns; j++) {
            const char *wanted = row[j] == NULL ? "NULL" : row[j];
            if (strcmp(mirror.rows[at].cells[j], wanted) != 0) {
                fail_msg("%s: row \"%s\", column %u: \"%.200s\", captured \"%.200s\"", label,
                         row[0], j, wanted, mirror.rows[at].cells[j]);
            }
        }
        drop_row(row[0]);
    }
    mysql_free_result(result);
    if (mirror.count > 0) {
        fail_msg("%s: a row \"%s\" that is not there was captured", label, mirror.rows[0].cells[0]);
    }
}

/* ---- Running statements. ---- */

static void run(MYSQL *session, const char *label, const char *sql)
{
    if (mysql_query(session, sql) != 0) {
        fail_msg("%s: %s: %s", label, sql, mysql_error(session));
    }
    mysql_free_result(mysql_store_result(session));
}

static void run_all(MYSQL *session, const char *label, const char *const *statements)
{
    for (size_t i = 0; i < STATEMENTS_MAX && statements[i] != NULL; i++) {
        run(session, label, statements[i]);
    }
}

static void await_end(struct capture *capture, struct mr_source *source, const char *label)
{
    run(lab.root, label, "INSERT INTO src._end VALUES (NULL)");
    mirror.saw_end = false;
    for (int i = 0; i < 200 && !mirror.saw_end; i++) {
        (void)capture_rows(capture, source, 1, WAIT_MS / 200, mirror_row, NULL);
    }
    if (!mirror.saw_end) {
        fail_msg("%s: the end did not come", label);
    }
}

static const char *const src_only[] = {"tables=src.*", NULL};

static int set_up(void **state)
{
    (void)state;
    lab_sql(&lab, "CREATE DATABASE src CHARACTER SET utf8mb4");
    lab_sql(&lab, "CREATE DATABASE other");
    lab_sql(&lab, "SET SESSION lock_wait_timeout = 10"); /* a test that failed may hold a table */
    lab_sql(&lab, "CREATE TABLE src._end (id INT PRIMARY KEY AUTO_INCREMENT)");
    lab_sql(&lab, "CREATE USER 'cdc'@'%%' IDENTIFIED BY 'secret'");
    lab_sql(&lab,
            "GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, RELOAD ON *.* TO 'cdc'@'%%'");
    return 0;
}

/* ---- Scenarios: what a session does, and the table that must come out. ---- */

struct scenario {
    const char *label;
    unsigned servers;
    const char *before[STATEMENTS_MAX / 4]; /* not followed yet */
    const char *statements[STATEMENTS_MAX]; /* in a session of their own */
    const char *after[4];                   /* puts global settings back */
    const char *table;                      /* the query to compare with */
};

#define SEQUENCE(to)                                                                               \
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < " #to ")"

static const struct scenario scenarios[] = {
    {.label = "a compressed transaction of several statements",
     .servers = ON_MYSQL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT, s TEXT)"},
     .statements = {"SET binlog_transaction_compression = ON", "BEGIN",
                    "INSERT INTO src.t VALUES (1, 1, 'a'), (2, 2, REPEAT('b', 30000))",
                    "UPDATE src.t SET v = v + 10", "DELETE FROM src.t WHERE id = 1",
                    "INSERT INTO src.t VALUES (3, 3, NULL)", "COMMIT",
                    "SET binlog_transaction_compression = OFF",
                    "INSERT INTO src.t VALUES (4, 4, 'plain')"},
     .table = "SELECT * FROM src.t"},
    {.label = "compressed rows that fill several batches, at the highest level",
     .servers = ON_MYSQL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT, s VARCHAR(2000))",
                "SET SESSION cte_max_recursion_depth = 100000"},
     .statements = {"SET binlog_transaction_compression = ON, "
                    "binlog_transaction_compression_level_zstd = 22, "
                    "cte_max_recursion_depth = 100000",
                    "INSERT INTO src.t " SEQUENCE(
                        4000) " SELECT i, i * 7, REPEAT(CHAR(97 + i % 26), 1000) FROM n",
                    "UPDATE src.t SET v = v + 1, s = CONCAT(s, id) WHERE id % 3 = 0"},
     .table = "SELECT * FROM src.t"},
    {.label = "MariaDB's compressed rows and statements",
     .servers = ON_MARIA,
     .before = {"SET GLOBAL log_bin_compress = ON", "SET GLOBAL log_bin_compress_min_len = 10"},
     .statements = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT, s TEXT /* a comment that makes "
                    "the statement long enough to be worth compressing, surely */)",
                    "INSERT INTO src.t VALUES (1, 1, REPEAT('abc', 20000)), (2, 2, NULL)",
                    "UPDATE src.t SET v = v + 1, s = REPEAT('x', 300)",
                    "INSERT INTO src.t SELECT 100 + seq, seq, REPEAT('y', 3000) FROM "
                    "src.seq_1_to_2000",
                    "DELETE FROM src.t WHERE id IN (2, 150)"},
     .after = {"SET GLOBAL log_bin_compress = OFF"},
     .table = "SELECT * FROM src.t"},
    {.label = "minimal row images",
     .servers = ON_ALL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT NOT NULL DEFAULT 7, s TEXT, "
                "c VARCHAR(20) NOT NULL DEFAULT 'it''s \\\\ x', e ENUM('p','q') NOT NULL, "
                "d DECIMAL(6,2) DEFAULT -1.50, n INT, b BIT(3) DEFAULT b'101')"},
     .statements = {"SET binlog_row_image = MINIMAL, sql_mode = ''",
                    "INSERT INTO src.t (id) VALUES (1), (2), (3)",
                    "INSERT INTO src.t VALUES (4, 4, 'four', 'c', 'q', 4, 4, b'1')",
                    "UPDATE src.t SET v = v + 1 WHERE id <= 2",
                    "UPDATE src.t SET s = 'later', n = NULL WHERE id = 4",
                    "UPDATE src.t SET id = 10 WHERE id = 3", "DELETE FROM src.t WHERE id = 1"},
     .table = "SELECT id, v, s, c, e, d, n, b + 0 FROM src.t"},
    {.label = "row images without unchanged large columns",
     .servers = ON_ALL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT, s TEXT, b LONGTEXT)"},
     .statements = {"SET binlog_row_image = NOBLOB", "INSERT INTO src.t VALUES (1, 1, 'a', 'b')",
                    "INSERT INTO src.t (id, v) VALUES (2, 2)", "UPDATE src.t SET v = 3",
                    "UPDATE src.t SET s = 'new' WHERE id = 2",
                    "UPDATE src.t SET id = id + 10, b = NULL WHERE id = 1"},
     .table = "SELECT * FROM src.t"},
    {.label = "minimal images of a table without a key",
     .servers = ON_ALL,
     .before = {"CREATE TABLE src.t (id INT, v INT, s TEXT)"},
     .statements = {"SET binlog_row_image = MINIMAL",
                    "INSERT INTO src.t VALUES (1, 1, 'a'), (2, 2, NULL)",
                    "UPDATE src.t SET v = v + 1", "UPDATE src.t SET s = 'x' WHERE id = 2",
                    "DELETE FROM src.t WHERE id = 1"},
     .table = "SELECT * FROM src.t"},
    {.label = "partial updates of JSON",
     .servers = ON_MYSQL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, a JSON, v INT, c JSON)"},
     .statements =
         {"INSERT INTO src.t VALUES (1, '{\"aa\": 1, \"b\": [1, 2, {\"k\": \"v\"}], \"long\": "
          "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}', 1, '[1]')",
          "SET binlog_row_value_options = PARTIAL_JSON",
          "UPDATE src.t SET id = 1, v = 2, c = '[1, 2.50]'", /* before: whole */
          "INSERT INTO src.t SELECT 2, a, v, c FROM src.t",
          "UPDATE src.t SET a = JSON_SET(a, '$.aa', 5, '$.n', 7, '$.b[2].k', 'w')",
          "UPDATE src.t SET a = JSON_REMOVE(a, '$.b[0]', '$.n'), v = 9",
          "UPDATE src.t SET a = JSON_SET(a, '$.\"a b\\\\\"c\"', JSON_OBJECT('x', 1.5), "
          "'$.b[7]', TRUE) WHERE id = 2",
          "UPDATE src.t SET a = JSON_ARRAY_INSERT(a, '$.b[1]', NULL), c = JSON_SET(c, "
          "'$[0]', CAST('2024-02-03 04:05:06' AS DATETIME))",
          "SET binlog_transaction_compression = ON",
          "UPDATE src.t SET a = JSON_REPLACE(a, '$.aa', JSON_ARRAY(1, 'two'))"},
     .table = "SELECT * FROM src.t"},
    {.label = "generated and invisible columns",
     .servers = ON_ALL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, a INT, b INT GENERATED ALWAYS AS (a + 1) "
                "VIRTUAL, c INT GENERATED ALWAYS AS (a * 2) STORED, d INT DEFAULT 5 INVISIBLE)"},
     .statements = {"INSERT INTO src.t (id, a) VALUES (1, 1), (2, NULL)",
                    "UPDATE src.t SET a = 10 WHERE id = 1", "UPDATE src.t SET d = 6 WHERE id = 2"},
     .table = "SELECT id, a, b, c, d FROM src.t"},
    {.label = "minimal images with generated columns",
     .servers = ON_MYSQL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, a INT, b INT GENERATED ALWAYS AS (a + 1) "
                "VIRTUAL, c INT GENERATED ALWAYS AS (a * 2) STORED, d INT DEFAULT 5 INVISIBLE)"},
     .statements = {"SET binlog_row_image = MINIMAL",
                    "INSERT INTO src.t (id, a) VALUES (1, 1), (2, NULL)",
                    "UPDATE src.t SET a = 10 WHERE id = 1", "UPDATE src.t SET d = 6 WHERE id = 2"},
     .table = "SELECT id, a, b, c, d FROM src.t"},
    {.label = "inserts that name nothing but the key, with generated columns",
     .servers = ON_MYSQL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, a INT DEFAULT 4, b INT GENERATED ALWAYS "
                "AS (a + 1) VIRTUAL, c VARBINARY(4) DEFAULT 'ab')"},
     .statements = {"SET binlog_row_image = MINIMAL", "INSERT INTO src.t (id) VALUES (1), (2)",
                    "SET binlog_row_image = NOBLOB", "INSERT INTO src.t (id) VALUES (3)",
                    "UPDATE src.t SET a = 9 WHERE id >= 2"},
     .table = "SELECT id, a, b, TO_BASE64(c) FROM src.t"},
    {.label = "a hidden primary key that the server makes",
     .servers = ON_MYSQL,
     .statements = {"SET sql_generate_invisible_primary_key = ON",
                    "CREATE TABLE src.t (v INT, s TEXT)", "INSERT INTO src.t VALUES (1, 'a')",
                    "INSERT INTO src.t VALUES (2, 'b'), (2, 'b')", "UPDATE src.t SET s = 'c'",
                    "DELETE FROM src.t WHERE v = 1"},
     .table = "SELECT my_row_id, v, s FROM src.t"},
    {.label = "a hidden primary key that information_schema hides too",
     .servers = ON_MYSQL,
     .before = {"SET GLOBAL show_gipk_in_create_table_and_information_schema = OFF"},
     .statements = {"SET sql_generate_invisible_primary_key = ON",
                    "CREATE TABLE src.t (v INT, s TEXT)",
                    "INSERT INTO src.t VALUES (1, 'a'), (2, 'b')", "UPDATE src.t SET s = 'c'",
                    "DELETE FROM src.t WHERE v = 1"},
     .after = {"SET GLOBAL show_gipk_in_create_table_and_information_schema = ON"},
     .table = "SELECT my_row_id, v, s FROM src.t"},
    {.label = "savepoints",
     .servers = ON_ALL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT)"},
     .statements = {"BEGIN", "INSERT INTO src.t VALUES (1, 1)", "SAVEPOINT one",
                    "INSERT INTO src.t VALUES (2, 2)", "SAVEPOINT two", "UPDATE src.t SET v = 9",
                    "ROLLBACK TO SAVEPOINT two", "DELETE FROM src.t WHERE id = 1",
                    "ROLLBACK TO one", "INSERT INTO src.t VALUES (3, 3)", "RELEASE SAVEPOINT one",
                    "COMMIT", "BEGIN", "INSERT INTO src.t VALUES (4, 4)", "ROLLBACK"},
     .table = "SELECT * FROM src.t"},
    {.label = "tables with and without transactions",
     .servers = ON_MARIA, /* enforce_gtid_consistency forbids it on MySQL */
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT) ENGINE = MyISAM",
                "CREATE TABLE other.o (id INT PRIMARY KEY, v INT)"},
     .statements = {"BEGIN", "INSERT INTO other.o VALUES (1, 1)", "INSERT INTO src.t VALUES (1, 1)",
                    "UPDATE src.t SET v = 2", "ROLLBACK", "BEGIN",
                    "INSERT INTO src.t SELECT id + 1, v FROM src.t",
                    "INSERT INTO other.o VALUES (2, 1)", "SAVEPOINT s",
                    "INSERT INTO src.t VALUES (5, 5)", "COMMIT", "DROP TABLE other.o"},
     .table = "SELECT * FROM src.t"},
    {.label = "a table made from a query",
     .servers = ON_ALL,
     .before = {"CREATE TABLE other.o (id INT PRIMARY KEY, v INT)",
                "INSERT INTO other.o VALUES (1, 10), (2, 20)"},
     .statements = {"CREATE TABLE src.t (PRIMARY KEY (id)) SELECT id, v + 1 AS w FROM other.o",
                    "UPDATE src.t SET w = 5 WHERE id = 2", "DROP TABLE other.o"},
     .table = "SELECT * FROM src.t"},
    {.label = "rows that tell their statement, and sessions that say other things",
     .servers = ON_MYSQL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT)"},
     .statements = {"SET binlog_rows_query_log_events = ON", "INSERT INTO src.t VALUES (1, 1)",
                    "SET binlog_transaction_compression = ON", "UPDATE src.t SET v = 2"},
     .table = "SELECT * FROM src.t"},
    {.label = "checksums that come and go",
     .servers = ON_ALL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT)"},
     .statements = {"INSERT INTO src.t VALUES (1, 1)", "SET GLOBAL binlog_checksum = NONE",
                    "INSERT INTO src.t VALUES (2, 2)", "SET GLOBAL binlog_checksum = CRC32",
                    "UPDATE src.t SET v = 3", "FLUSH BINARY LOGS",
                    "DELETE FROM src.t WHERE id = 1"},
     .table = "SELECT * FROM src.t"},
    {.label = "transactions with tags",
     .servers = ON_MYSQL9,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT)"},
     .statements = {"SET gtid_next = 'AUTOMATIC:blue'", "INSERT INTO src.t VALUES (1, 1)",
                    "SET gtid_next = 'AUTOMATIC:green_2'", "INSERT INTO src.t VALUES (2, 2)",
                    "SET binlog_transaction_compression = ON", "UPDATE src.t SET v = v + 1",
                    "SET gtid_next = 'AUTOMATIC'", "INSERT INTO src.t VALUES (3, 3)"},
     .table = "SELECT * FROM src.t"},
    {.label = "XA transactions: prepared and committed, rolled back, in one phase, empty",
     .servers = ON_ALL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT)", "CREATE TABLE other.o (id INT)"},
     .statements = {"XA START 'g', 'b', 7",
                    "INSERT INTO src.t VALUES (1, 1), (2, 2)",
                    "UPDATE src.t SET v = 5 WHERE id = 2",
                    "XA END 'g', 'b', 7",
                    "XA PREPARE 'g', 'b', 7",
                    "XA COMMIT 'g', 'b', 7",
                    "XA START 'r'",
                    "INSERT INTO src.t VALUES (3, 3)",
                    "XA END 'r'",
                    "XA PREPARE 'r'",
                    "XA ROLLBACK 'r'",
                    "XA START 'one'",
                    "INSERT INTO src.t VALUES (4, 4)",
                    "XA END 'one'",
                    "XA COMMIT 'one' ONE PHASE",
                    "XA START 'o'",
                    "INSERT INTO other.o VALUES (1)",
                    "XA END 'o'",
                    "XA PREPARE 'o'",
                    "XA COMMIT 'o'",
                    "UPDATE src.t SET v = v + 1",
                    "DROP TABLE other.o"},
     .table = "SELECT * FROM src.t"},
    {.label = "compressed XA transactions",
     .servers = ON_MYSQL,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT)"},
     .statements = {"SET binlog_transaction_compression = ON", "XA START 'g'",
                    "INSERT INTO src.t VALUES (1, 1), (2, 2)", "XA END 'g'", "XA PREPARE 'g'",
                    "XA COMMIT 'g'", "XA START 'one'", "UPDATE src.t SET v = 3", "XA END 'one'",
                    "XA COMMIT 'one' ONE PHASE"},
     .table = "SELECT * FROM src.t"},
    {.label = "an ALTER in two phases",
     .servers = ON_MARIA,
     .before = {"CREATE TABLE src.t (id INT PRIMARY KEY, v INT)",
                "SET GLOBAL binlog_row_metadata = FULL"},
     .statements = {"SET binlog_alter_two_phase = ON", "INSERT INTO src.t VALUES (1, 1)",
                    "ALTER TABLE src.t ADD COLUMN w INT NOT NULL DEFAULT 4",
                    "UPDATE src.t SET v = 2, w = 5", "INSERT INTO src.t VALUES (2, 2, 2)"},
     .after = {"SET GLOBAL binlog_row_metadata = NO_LOG"},
     .table = "SELECT * FROM src.t"},
};

static void run_scenario(const struct scenario *s)
{
    struct capture capture;
    clear_mirror();
    lab_sql(&lab, "DROP TABLE IF EXISTS src.t, other.o");
    run_all(lab.root, s->label, s->before);
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    MYSQL *session = lab_session(&lab);
    run_all(session, s->label, s->statements);
    mysql_close(session);
    await_end(&capture, source, s->label);
    run_all(lab.root, s->label, s->after);
    compare_mirror(s->label, s->table);
    mr_source_mysql.close(source);
    capture_close(&capture);
    print_message("    %s\n", s->label);
}

static void what_a_session_does_arrives(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(scenarios); i++) {
        if ((scenarios[i].servers & server_mask) != 0) {
            run_scenario(&scenarios[i]);
        }
    }
}

/* ---- Errors: what cannot be captured, and the words that must be said. ---- */

static const struct refusal {
    const char *label;
    unsigned servers;
    const char *before[STATEMENTS_MAX / 4];
    const char *statements[STATEMENTS_MAX / 4];
    const char *words[4];
} refusals[] = {
    {"a change logged as a statement",
     ON_ALL,
     {"CREATE TABLE src.t (id INT PRIMARY KEY)", "CREATE TABLE other.o (id INT PRIMARY KEY)"},
     {"SET binlog_format = STATEMENT", "INSERT INTO other.o VALUES (1)",
      "INSERT INTO src.t VALUES (1)", "DROP TABLE other.o"},
     {"\"src\".\"t\"", "INSERT INTO src.t VALUES (1)", "binlog_format=ROW", "on_statement: warn"}},
    {"a unique key stands in for the primary one",
     ON_ALL,
     {"CREATE TABLE src.t (id INT NOT NULL UNIQUE, v INT)"},
     {"SET binlog_row_image = MINIMAL", "INSERT INTO src.t VALUES (1, 1)",
      "UPDATE src.t SET v = 2"},
     {"\"src\".\"t\"", "no primary key", "binlog_row_image=FULL"}},
    {"a virtual column that MINIMAL leaves out of an insert",
     ON_MARIA,
     {"CREATE TABLE src.t (id INT PRIMARY KEY, a INT DEFAULT 4, b INT GENERATED ALWAYS AS (a + 1) "
      "VIRTUAL)"},
     {"SET binlog_row_image = MINIMAL", "INSERT INTO src.t (id) VALUES (1)"},
     {"\"src\".\"t\"", "column \"b\", which is generated", "binlog_row_image=FULL"}},
    {"a virtual column that MINIMAL leaves out of an update",
     ON_MARIA,
     {"CREATE TABLE src.t (id INT PRIMARY KEY, a INT DEFAULT 4, b INT GENERATED ALWAYS AS (a + 1) "
      "VIRTUAL)"},
     {"INSERT INTO src.t (id) VALUES (1)", "SET binlog_row_image = MINIMAL",
      "UPDATE src.t SET a = 5"},
     {"\"src\".\"t\"", "column \"b\", which is generated", "binlog_row_image=FULL"}},
    {"a partial update without the value before it",
     ON_MYSQL,
     {"CREATE TABLE src.t (id INT PRIMARY KEY, a JSON)"},
     {"INSERT INTO src.t VALUES (1, JSON_OBJECT('a', 1, 'long', REPEAT('x', 200)))",
      "SET binlog_row_image = MINIMAL, binlog_row_value_options = PARTIAL_JSON",
      "UPDATE src.t SET a = JSON_SET(a, '$.a', 2)"},
     {"\"src\".\"t\", column \"a\"", "binlog_row_value_options=''", "binlog_row_image=FULL"}},
};

static void what_cannot_be_captured_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(refusals); i++) {
        const struct refusal *c = &refusals[i];
        struct capture capture;
        if ((c->servers & server_mask) == 0) {
            continue;
        }
        lab_sql(&lab, "DROP TABLE IF EXISTS src.t");
        run_all(lab.root, c->label, c->before);
        capture_open(&capture, &lab, "cdc", "secret", src_only);
        struct mr_source *source = capture_follow(&capture);
        MYSQL *session = lab_session(&lab);
        run_all(session, c->label, c->statements);
        mysql_close(session);
        const struct mr_error err = capture_failure(&capture, source, WAIT_MS);
        print_message("    %s: %s\n", c->label, err.message);
        assert_int_equal(err.code, MR_E_SOURCE);
        assert_int_equal(err.recovery, MR_STOP);
        for (size_t j = 0; j < MR_ARRAY_LEN(c->words) && c->words[j] != NULL; j++) {
            if (strstr(err.message, c->words[j]) == NULL) {
                fail_msg("%s: \"%s\" lacks \"%s\"", c->label, err.message, c->words[j]);
            }
        }
        mr_source_mysql.close(source);
        capture_close(&capture);
    }
}

/* ---- Statements that are noted. ---- */

static void statements_become_notes_where_they_may(void **state)
{
    (void)state;
    static const char *const options[] = {"tables=src.*", "on_statement=warn", NULL};
    struct capture capture;
    struct mr_error err = {0};
    char note[128] = "";
    uint64_t rows = 0;
    lab_sql(&lab, "DROP TABLE IF EXISTS src.t");
    lab_sql(&lab, "CREATE TABLE src.t (id INT PRIMARY KEY)");
    capture_open(&capture, &lab, "cdc", "secret", options);
    struct mr_source *source = capture_follow(&capture);
    MYSQL *session = lab_session(&lab);
    run(session, "statement", "USE src");
    run(session, "statement", "SET binlog_format = STATEMENT");
    run(session, "statement", "INSERT INTO t VALUES (1)");
    mysql_close(session);
    lab_sql(&lab, "INSERT INTO src.t VALUES (2)");
    for (int i = 0; i < 200 && rows == 0; i++) {
        struct mr_batch *batch = mr_batch_take(capture.pool, 1000);
        assert_int_not_equal(mr_source_mysql.next(source, batch, 100, &err), MR_NEXT_ERROR);
        for (uint16_t j = 0; j < batch->note_count; j++) {
            assert_int_equal(batch->notes[j].kind, MR_NOTE_STATEMENT);
            (void)snprintf(note, sizeof(note), "%.*s: %.*s", (int)batch->notes[j].name.length,
                           (const char *)batch->notes[j].name.bytes,
                           (int)batch->notes[j].text.length,
                           (const char *)batch->notes[j].text.bytes);
        }
        rows += batch->row_count;
        mr_batch_release(batch);
    }
    assert_int_equal(rows, 1);
    assert_string_equal(note, "src: INSERT INTO t VALUES (1)");
    mr_source_mysql.close(source);
    capture_close(&capture);
}

/* ---- XA over restarts. ---- */

static void xa(MYSQL *session, const char *id, const char *sql)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "XA START '%s'", id);
    run(session, id, text);
    run(session, id, sql);
    (void)snprintf(text, sizeof(text), "XA END '%s'", id);
    run(session, id, text);
    (void)snprintf(text, sizeof(text), "XA PREPARE '%s'", id);
    run(session, id, text);
}

/** Rows of prepared transactions come at their commit, wherever the capture was restarted. */
static void prepared_transactions_outlive_restarts(void **state)
{
    (void)state;
    struct capture capture;
    clear_mirror();
    lab_sql(&lab, "DROP TABLE IF EXISTS src.t");
    lab_sql(&lab, "CREATE TABLE src.t (id INT PRIMARY KEY, v INT, s TEXT)");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    MYSQL *sessions[3] = {lab_session(&lab), lab_session(&lab), lab_session(&lab)};
    if (!lab.is_maria) {
        run(sessions[1], "set", "SET binlog_transaction_compression = ON");
    }
    lab_sql(&lab, "INSERT INTO src.t VALUES (1, 1, 'first')");
    xa(sessions[0], "small", "INSERT INTO src.t VALUES (2, 2, 'small')");
    xa(sessions[1], "compressed", "INSERT INTO src.t VALUES (3, 3, REPEAT('c', 1000))");
    xa(sessions[2], "dropped", "INSERT INTO src.t VALUES (4, 4, 'never')");
    await_end(&capture, source, "prepared");
    assert_int_equal(mirror.count, 1); /* nothing of them is visible yet */
    print_message("    %.300s\n", capture.position.text);
    assert_non_null(strstr(capture.position.text, "#736d616c6c..1@"));

    mr_source_mysql.close(source);
    source = capture_resume(&capture);
    lab_sql(&lab, "INSERT INTO src.t VALUES (5, 5, 'between')");
    run(sessions[0], "commit", "XA COMMIT 'small'");
    await_end(&capture, source, "small");
    assert_int_equal(mirror.count, 3);

    lab_sql(&lab, "FLUSH BINARY LOGS"); /* the rows are in an older file than their commit */
    mr_source_mysql.close(source);
    source = capture_resume(&capture);
    run(sessions[1], "commit", "XA COMMIT 'compressed'");
    run(sessions[2], "rollback", "XA ROLLBACK 'dropped'");
    await_end(&capture, source, "compressed");
    assert_null(strchr(capture.position.text, '#'));

    /* A large one is not kept in memory, so its rows are read again without a restart too. */
    xa(sessions[0], "large",
       lab.is_maria
           ? "INSERT INTO src.t SELECT 100 + seq, seq, REPEAT('x', 2000) FROM src.seq_1_to_2000"
           : "INSERT INTO src.t " SEQUENCE(1000) " SELECT 100 + i, i, REPEAT('x', 2000) FROM n");
    await_end(&capture, source, "large, prepared");
    if (capture.abort_count > 0) { /* a part had been handed on, and was taken back */
        for (uint32_t i = mirror.count; i > 0; i--) {
            if (strlen(mirror.rows[i - 1].cells[0]) > 2) {
                drop_row(mirror.rows[i - 1].cells[0]);
            }
        }
    }
    assert_int_equal(mirror.count, 4);
    run(sessions[0], "commit", "XA COMMIT 'large'");
    await_end(&capture, source, "large");
    compare_mirror("XA over restarts", "SELECT * FROM src.t");
    for (size_t i = 0; i < MR_ARRAY_LEN(sessions); i++) {
        mysql_close(sessions[i]);
    }
    mr_source_mysql.close(source);
    capture_close(&capture);
}

static void a_commit_of_the_unknown_stops(void **state)
{
    (void)state;
    struct capture capture;
    lab_sql(&lab, "DROP TABLE IF EXISTS src.t");
    lab_sql(&lab, "CREATE TABLE src.t (id INT PRIMARY KEY)");
    MYSQL *session = lab_session(&lab);
    xa(session, "early", "INSERT INTO src.t VALUES (1)");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    run(session, "commit", "XA COMMIT 'early'");
    mysql_close(session);
    const struct mr_error err = capture_failure(&capture, source, WAIT_MS);
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_SOURCE);
    assert_int_equal(err.recovery, MR_STOP);
    assert_non_null(strstr(err.message, "prepared before the capture began"));
    mr_source_mysql.close(source);
    capture_close(&capture);
}

/* ---- The preflight. ---- */

static void look(struct mr_findings *findings)
{
    struct capture capture;
    struct mr_error err = {0};
    findings->count = 0;
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    if (!mr_source_mysql.preflight(&capture.context, findings, &err)) {
        fail_msg("preflight: %s", err.message);
    }
    capture_close(&capture);
}

static bool has_finding(const struct mr_findings *findings, int level, const char *words)
{
    for (uint32_t i = 0; i < findings->count; i++) {
        if ((int)findings->items[i].level == level &&
            strstr(findings->items[i].detail, words) != NULL) {
            print_message("    %s: %s\n", findings->items[i].what, findings->items[i].detail);
            return true;
        }
    }
    return false;
}

static void the_preflight_warns_of_rows_that_stay_unseen(void **state)
{
    (void)state;
    static struct mr_findings findings;
    lab_sql(&lab, "DROP TABLE IF EXISTS src.t");
    lab_sql(&lab, "CREATE TABLE src.parent (id INT PRIMARY KEY)");
    lab_sql(&lab, "CREATE TABLE src.child (id INT PRIMARY KEY, parent INT, CONSTRAINT fk_parent "
                  "FOREIGN KEY (parent) REFERENCES src.parent (id) ON DELETE CASCADE)");
    lab_sql(&lab,
            "CREATE TABLE src.gen (id INT PRIMARY KEY, g INT GENERATED ALWAYS AS (id) VIRTUAL)");
    lab_sql(&lab, "CREATE TABLE src.uniq (id INT NOT NULL UNIQUE, v INT)");
    look(&findings);
    const bool is_told = has_finding(&findings, MR_FINDING_WARNING, "\"src\".\"child\"");
    assert_int_equal(is_told, server_mask != ON_MYSQL9);
    if (is_told) {
        assert_true(has_finding(&findings, MR_FINDING_WARNING, "its parent \"parent\""));
        assert_true(has_finding(&findings, MR_FINDING_WARNING, "make the constraint RESTRICT"));
    }
    assert_false(has_finding(&findings, MR_FINDING_WARNING, "\"gen\""));
    assert_false(has_finding(&findings, MR_FINDING_ERROR, "\"uniq\""));

    lab_sql(&lab, "SET GLOBAL binlog_row_image = MINIMAL");
    lab_sql(&lab, "XA START 'open'");
    lab_sql(&lab, "INSERT INTO src.parent VALUES (1)");
    lab_sql(&lab, "XA END 'open'");
    lab_sql(&lab, "XA PREPARE 'open'");
    if (!lab.is_maria) {
        lab_sql(&lab, "GRANT XA_RECOVER_ADMIN ON *.* TO 'cdc'@'%%'");
    }
    look(&findings);
    lab_sql(&lab, "XA ROLLBACK 'open'");
    lab_sql(&lab, "SET GLOBAL binlog_row_image = FULL");
    assert_int_equal(has_finding(&findings, MR_FINDING_ERROR, "column \"g\" is generated"),
                     lab.is_maria);
    assert_true(has_finding(&findings, MR_FINDING_ERROR, "\"src\".\"uniq\" has no primary key"));
    assert_true(has_finding(&findings, MR_FINDING_WARNING, "1 XA transactions are prepared"));
    lab_sql(&lab, "DROP TABLE src.child, src.parent, src.gen, src.uniq");
}

/* MySQL 9.6 and later log what a foreign key does; before, nobody can see it. */
static void cascades_arrive_where_the_server_logs_them(void **state)
{
    (void)state;
    struct capture capture;
    if (server_mask != ON_MYSQL9) {
        skip();
    }
    clear_mirror();
    lab_sql(&lab, "CREATE TABLE other.parent (id INT PRIMARY KEY)");
    lab_sql(&lab, "CREATE TABLE src.t (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) "
                  "REFERENCES other.parent (id) ON DELETE CASCADE ON UPDATE CASCADE)");
    capture_open(&capture, &lab, "cdc", "secret", src_only);
    struct mr_source *source = capture_follow(&capture);
    lab_sql(&lab, "INSERT INTO other.parent VALUES (1), (2), (3)");
    lab_sql(&lab, "INSERT INTO src.t VALUES (1, 1), (2, 2), (3, 3)");
    lab_sql(&lab, "DELETE FROM other.parent WHERE id = 1");
    lab_sql(&lab, "UPDATE other.parent SET id = 20 WHERE id = 2");
    await_end(&capture, source, "cascades");
    compare_mirror("cascades", "SELECT * FROM src.t");
    mr_source_mysql.close(source);
    capture_close(&capture);
    lab_sql(&lab, "DROP TABLE src.t");
    lab_sql(&lab, "DROP TABLE other.parent");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: test_mysql_protocol mariadb|mysql80|mysql9 [TEST*]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_session_does_arrives),
        cmocka_unit_test(what_cannot_be_captured_is_named),
        cmocka_unit_test(statements_become_notes_where_they_may),
        cmocka_unit_test(prepared_transactions_outlive_restarts),
        cmocka_unit_test(a_commit_of_the_unknown_stops),
        cmocka_unit_test(the_preflight_warns_of_rows_that_stay_unseen),
        cmocka_unit_test(cascades_arrive_where_the_server_logs_them),
    };
    if (argc > 2) {
        cmocka_set_test_filter(argv[2]);
    }
    lab_start(&lab, argv[1], "gtid", "proto");
    server_mask = lab.is_maria                      ? ON_MARIA
                  : strcmp(argv[1], "mysql80") == 0 ? ON_MYSQL80
                                                    : ON_MYSQL9;
    int failed = cmocka_run_group_tests_name("mysql_protocol", tests, set_up, NULL);
    lab_stop(&lab);
    return failed;
}
