// SPDX-License-Identifier: MIT
/*
 * Copying a real server's tables while writers go on, and the preflight before it:
 * test_mysql_snapshot KIND plain|gtid. See test_mysql_source.c for the kinds.
 *
 * The model is the contract of source.h: a copy, then the stream from the start position, where
 * changes of a table up to its high mark are upserts (keyed) or dropped (exact). The result must
 * equal the table.
 */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_lab.h"

extern const struct mr_source_ops mr_source_mysql;

#define IDS_MAX      40000
#define ROWS_BEFORE  12000
#define ROW_BYTES    65536
#define TYPE_ROWS    8
#define READER_COUNT 2

static struct lab lab;

static int set_up(void **state)
{
    (void)state;
    lab_sql(&lab, "CREATE DATABASE IF NOT EXISTS src CHARACTER SET utf8mb4");
    lab_sql(&lab, "CREATE USER IF NOT EXISTS 'cdc'@'%%' IDENTIFIED BY 'secret'");
    lab_sql(&lab, "GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, RELOAD, LOCK TABLES ON *.* "
                  "TO 'cdc'@'%%'");
    return 0;
}

/* ---- The model: a table of (id, v), as a target would hold it. ---- */

struct model {
    struct capture *capture;
    struct mr_native_position high;
    bool exact;
    bool keyless;
    int64_t value[IDS_MAX]; /* keyed: v + 1, 0 none; keyless: how many rows have this id */
    uint64_t reads;
    uint64_t duplicate_reads;
    uint64_t refusals; /* strict changes that did not fit: a bug */
    struct mr_native_position seen;
};

static void model_put(struct model *model, const struct mr_chunk *chunk, uint32_t row, bool strict)
{
    int64_t id = row_integer(chunk, row, "id");
    assert_true(id >= 0 && id < IDS_MAX);
    if (model->keyless) {
        model->value[id]++;
        return;
    }
    model->refusals += strict && model->value[id] != 0;
    model->value[id] = row_integer(chunk, row, "v") + 1;
}

static void model_drop(struct model *model, const struct mr_chunk *chunk, uint32_t row, bool strict)
{
    int64_t id = row_integer(chunk, row, "id");
    assert_true(id >= 0 && id < IDS_MAX);
    model->refusals += strict && model->value[id] == 0;
    if (model->keyless) {
        model->value[id]--;
        return;
    }
    model->value[id] = 0;
}

static void model_read(struct model *model, const struct mr_batch *batch)
{
    for (uint32_t e = 0; e < batch->event_count; e++) {
        const struct mr_event *event = &batch->events[e];
        assert_int_equal(event->kind, MR_EVENT_READ);
        for (uint16_t i = 0; i < event->count; i++) {
            const struct mr_chunk *chunk = batch->chunks[event->chunk];
            uint32_t row = (uint32_t)event->row + i;
            int64_t id = row_integer(chunk, row, "id");
            model->duplicate_reads += !model->keyless && model->value[id] != 0;
            model_put(model, chunk, row, false);
            model->reads++;
        }
    }
}

static void model_change(struct model *model, const struct mr_batch *batch,
                         const struct mr_event *event, bool strict)
{
    for (uint16_t i = 0; i < event->count; i++) {
        if (event->before_chunk != MR_NO_CHUNK) {
            model_drop(model, batch->chunks[event->before_chunk], (uint32_t)event->before_row + i,
                       strict);
        }
        if (event->chunk != MR_NO_CHUNK) {
            bool replaces = event->kind == MR_EVENT_UPDATE && event->before_chunk == MR_NO_CHUNK;
            if (replaces) {
                model_drop(model, batch->chunks[event->chunk], (uint32_t)event->row + i, strict);
            }
            model_put(model, batch->chunks[event->chunk], (uint32_t)event->row + i, strict);
        }
    }
}

static void model_apply(struct model *model, const struct mr_batch *batch)
{
    for (uint32_t t = 0; t < batch->transaction_count; t++) {
        const struct mr_transaction *transaction = &batch->transactions[t];
        bool is_after = mr_native_position_compare(transaction->end, model->high) > 0;
        assert_true(mr_native_position_compare(transaction->end, model->seen) > 0);
        model->seen = transaction->end;
        if (!is_after && model->exact) {
            continue;
        }
        for (uint32_t e = 0; e < transaction->event_count; e++) {
            model_change(model, batch, &batch->events[transaction->first_event + e], is_after);
        }
    }
}

/* ---- A writer that does not stop for anybody. ---- */

struct writer {
    pthread_t thread;
    MYSQL *session;
    atomic_bool stop;
    const char *table;
    uint64_t commits;
    uint64_t longest_us;
};

static void *write_on(void *argument)
{
    struct writer *writer = argument;
    unsigned seed = 7;
    int next_id = ROWS_BEFORE;
    while (!atomic_load(&writer->stop)) {
        char sql[3][160];
        int id = rand_r(&seed) % next_id;
        (void)snprintf(sql[0], sizeof(sql[0]), "INSERT INTO src.%s VALUES (%d, %d)", writer->table,
                       next_id, next_id);
        (void)snprintf(sql[1], sizeof(sql[1]), "UPDATE src.%s SET v = v + 1 WHERE id = %d",
                       writer->table, id);
        (void)snprintf(sql[2], sizeof(sql[2]), "DELETE FROM src.%s WHERE id = %d", writer->table,
                       rand_r(&seed) % next_id);
        uint64_t began_us = mr_env_posix.monotonic_ns(&mr_env_posix) / 1000;
        bool written = mysql_query(writer->session, "BEGIN") == 0;
        for (int i = 0; written && i < 3; i++) {
            written = mysql_query(writer->session, sql[i]) == 0;
        }
        if (!written || mysql_query(writer->session, "COMMIT") != 0) {
            (void)fprintf(stderr, "writer: %s\n", mysql_error(writer->session));
            break;
        }
        uint64_t took_us = mr_env_posix.monotonic_ns(&mr_env_posix) / 1000 - began_us;
        writer->longest_us = took_us > writer->longest_us ? took_us : writer->longest_us;
        writer->commits++;
        next_id += next_id < IDS_MAX - 1;
        if (next_id == IDS_MAX - 1) {
            break;
        }
    }
    return NULL;
}

static void fill(const char *table, const char *engine, bool keyed, int rows)
{
    lab_sql(&lab, "DROP TABLE IF EXISTS src.%s", table);
    lab_sql(&lab, "CREATE TABLE src.%s (id INT NOT NULL%s, v BIGINT NOT NULL) ENGINE=%s", table,
            keyed ? " PRIMARY KEY" : ", KEY (id)", engine);
    for (int id = 0; id < rows; id += 1000) {
        char sql[40000];
        int at = snprintf(sql, sizeof(sql), "INSERT INTO src.%s VALUES ", table);
        for (int i = 0; i < 1000 && id + i < rows; i++) {
            at += snprintf(sql + at, sizeof(sql) - (size_t)at, "%s(%d,%d)", i == 0 ? "" : ",",
                           id + i, id + i);
        }
        lab_sql(&lab, "%s", sql);
    }
    lab_sql(&lab, "ANALYZE TABLE src.%s", table);
}

/** Copies every piece of a table; two readers take turns. */
static void copy_table(struct capture *capture, struct mr_snapshot *snapshot, uint32_t table,
                       uint32_t pieces, void (*take)(struct model *, const struct mr_batch *),
                       struct model *model)
{
    struct mr_snapshot_reader *readers[READER_COUNT];
    struct mr_error err = {0};
    for (int i = 0; i < READER_COUNT; i++) {
        readers[i] = mr_source_mysql.reader_open(snapshot, &err);
        assert_non_null(readers[i]);
    }
    mr_source_mysql.snapshot_release(snapshot);
    for (uint32_t piece = 0; piece < pieces; piece++) {
        struct mr_snapshot_reader *reader = readers[piece % READER_COUNT];
        if (!mr_source_mysql.reader_begin(reader, table, piece, &err)) {
            fail_msg("%s", err.message);
        }
        for (enum mr_next next = MR_NEXT_BATCH; next == MR_NEXT_BATCH;) {
            struct mr_batch *batch = mr_batch_take(capture->pool, 1000);
            assert_non_null(batch);
            next = mr_source_mysql.reader_next(reader, batch, &err);
            if (next == MR_NEXT_ERROR) {
                fail_msg("%s", err.message);
            }
            assert_int_equal(batch->snapshot_table, table + 1);
            assert_int_equal(batch->snapshot_chunk, piece);
            take(model, batch);
            mr_batch_release(batch);
        }
    }
    for (int i = 0; i < READER_COUNT; i++) {
        mr_source_mysql.reader_close(readers[i]);
    }
}

static void follow_model(struct capture *capture, struct mr_source *source, struct model *model,
                         const struct mr_native_position *until)
{
    for (int idle = 0; idle < 100;) {
        struct mr_error err = {0};
        struct mr_batch *batch = mr_batch_take(capture->pool, 1000);
        assert_non_null(batch);
        enum mr_next next = mr_source_mysql.next(source, batch, 100, &err);
        if (next == MR_NEXT_ERROR) {
            fail_msg("%s", err.message);
        }
        bool done = false;
        if (next == MR_NEXT_BATCH) {
            model_apply(model, batch);
            done = mr_native_position_compare(batch->native, *until) >= 0;
        } else {
            idle++;
        }
        mr_batch_release(batch);
        if (done) {
            return;
        }
    }
    fail_msg("the stream did not reach the end of the binlog");
}

static void compare_with_table(struct model *model, const char *table)
{
    char sql[160];
    uint64_t rows = 0;
    (void)snprintf(sql, sizeof(sql), "SELECT id, v FROM src.%s", table);
    assert_int_equal(mysql_query(lab.root, sql), 0);
    MYSQL_RES *result = mysql_store_result(lab.root);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL; rows++) {
        long id = strtol(row[0], NULL, 10);
        if (model->keyless) {
            model->value[id]--;
        } else {
            assert_int_equal(model->value[id], strtoll(row[1], NULL, 10) + 1);
            model->value[id] = 0;
        }
    }
    mysql_free_result(result);
    for (int id = 0; id < IDS_MAX; id++) {
        assert_int_equal(model->value[id], 0); /* nothing more, nothing less */
    }
    assert_int_equal(model->refusals, 0);
    print_message("    %llu rows copied, %llu at the end, equal\n",
                  (unsigned long long)model->reads, (unsigned long long)rows);
}

struct copy_case {
    const char *label;
    const char *engine;
    bool keyed;
    bool writes_meanwhile;
    uint32_t pieces_min;
};

static const struct copy_case copy_cases[] = {
    {"keyed, in pieces, writer on", "InnoDB", true, true, 4},
    {"keyless, writer on", "InnoDB", false, true, 1},
    {"MyISAM, keyed, writer on", "MyISAM", true, true, 1},
    {"MyISAM, keyless, quiet", "MyISAM", false, false, 1},
};

static void copy_one_case(const struct copy_case *c, uint64_t *longest_us)
{
    static const char *const options[] = {"tables=src.copy", "snapshot_piece_rows=2500", NULL};
    struct capture capture;
    struct mr_error err = {0};
    struct writer writer = {.table = "copy"};
    struct model *model = calloc(1, sizeof(*model));
    uint32_t count = 0;

    print_message("  %s\n", c->label);
    fill("copy", c->engine, c->keyed, ROWS_BEFORE);
    capture_open(&capture, &lab, "cdc", "secret", options);
    writer.session = lab_session(&lab);
    if (c->writes_meanwhile) {
        assert_int_equal(pthread_create(&writer.thread, NULL, write_on, &writer), 0);
        mr_env_posix.sleep_us(&mr_env_posix, 200000);
    }
    struct mr_snapshot *snapshot =
        mr_source_mysql.snapshot_open(&capture.context, true, NULL, &capture.position, &err);
    if (snapshot == NULL) {
        fail_msg("%s", err.message);
    }
    const struct mr_snapshot_table *tables = mr_source_mysql.snapshot_tables(snapshot, &count);
    assert_int_equal(count, 1);
    assert_true(tables[0].piece_count >= c->pieces_min);
    *model = (struct model){
        .capture = &capture,
        .exact = tables[0].exact,
        .keyless = !c->keyed,
    };
    assert_int_equal(tables[0].exact, !c->keyed || strcmp(c->engine, "InnoDB") != 0);
    copy_table(&capture, snapshot, 0, tables[0].piece_count, model_read, model);
    assert_true(mr_source_mysql.snapshot_high(snapshot, 0, &model->high, &err));
    assert_int_equal(model->duplicate_reads, 0);
    mr_source_mysql.snapshot_close(snapshot);

    struct mr_source *source = capture_resume(&capture);
    mr_env_posix.sleep_us(&mr_env_posix, 200000);
    if (c->writes_meanwhile) {
        atomic_store(&writer.stop, true);
        (void)pthread_join(writer.thread, NULL);
        assert_true(writer.commits > 20);
        *longest_us = writer.longest_us > *longest_us ? writer.longest_us : *longest_us;
    }
    mysql_close(writer.session);

    /* A last transaction whose end is known, so that the stream is seen to reach it. */
    lab_sql(&lab, "INSERT INTO src.copy VALUES (%d, 1)", IDS_MAX - 1);
    struct mr_position end = {0};
    struct mr_snapshot *mark =
        mr_source_mysql.snapshot_open(&capture.context, false, NULL, &end, &err);
    assert_non_null(mark);
    mr_source_mysql.snapshot_close(mark);
    follow_model(&capture, source, model, &end.native);
    compare_with_table(model, "copy");
    mr_position_done(&end);
    mr_source_mysql.close(source);
    capture_close(&capture);
    free(model);
}

static void a_copy_and_the_stream_give_the_table(void **state)
{
    (void)state;
    uint64_t longest_us = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(copy_cases); i++) {
        copy_one_case(&copy_cases[i], &longest_us);
    }
    print_message("    longest transaction of the writer: %llu ms\n",
                  (unsigned long long)(longest_us / 1000));
}

/* ---- Cells of a copy equal cells of the stream. ---- */

struct printed {
    char rows[TYPE_ROWS][ROW_BYTES];
    uint64_t count;
};

static void print_row(struct printed *printed, const struct mr_batch *batch,
                      const struct mr_event *event, uint16_t i)
{
    assert_true(printed->count < TYPE_ROWS);
    row_print(batch->chunks[event->chunk], (uint32_t)event->row + i, 1,
              printed->rows[printed->count], ROW_BYTES);
    printed->count++;
}

static struct printed copied, streamed;

static void print_copied(struct model *model, const struct mr_batch *batch)
{
    (void)model;
    for (uint32_t e = 0; e < batch->event_count; e++) {
        for (uint16_t i = 0; i < batch->events[e].count; i++) {
            print_row(&copied, batch, &batch->events[e], i);
        }
    }
}

static void print_streamed(void *context, const struct mr_batch *batch,
                           const struct mr_event *event, uint16_t row)
{
    print_row(context, batch, event, row);
}

static void make_types(void)
{
    lab_sql(&lab, "DROP TABLE IF EXISTS src.types");
    lab_sql(
        &lab,
        "CREATE TABLE src.types (id INT NOT NULL PRIMARY KEY,"
        " i1 TINYINT, u1 TINYINT UNSIGNED, i2 SMALLINT, u2 SMALLINT UNSIGNED, i3 MEDIUMINT,"
        " u3 MEDIUMINT UNSIGNED, i4 INT, u4 INT UNSIGNED ZEROFILL, i8 BIGINT, u8 BIGINT UNSIGNED,"
        " d1 DECIMAL(5,2), d2 DECIMAL(18,0), d3 DECIMAL(38,10), d4 DECIMAL(65,30),"
        " f FLOAT, d DOUBLE, dm DOUBLE(10,3), b1 BIT(1), b20 BIT(20), b64 BIT(64), y YEAR,"
        " da DATE, t0 TIME, t3 TIME(3), dt0 DATETIME, dt6 DATETIME(6), ts0 TIMESTAMP NULL,"
        " ts6 TIMESTAMP(6) NULL, c CHAR(10), vc VARCHAR(300), l1 VARCHAR(50) CHARACTER SET latin1,"
        " asc1 CHAR(5) CHARACTER SET ascii, u16 VARCHAR(20) CHARACTER SET utf16,"
        " bi BINARY(6), vb VARBINARY(20), tt TINYTEXT, mt MEDIUMTEXT, bl BLOB,"
        " e ENUM('small','it''s','größe'), s SET('a','b','c d'), j JSON, g GEOMETRY,"
        " gen INT AS (i4 * 2) VIRTUAL, gens VARCHAR(20) AS (UPPER(vb)) STORED)");
}

static const char *const type_values[TYPE_ROWS] = {
    "1,1,1,1,1,1,1,1,1,1, 1.5,1,1.0000000001,1e-30, 1.5,1.5,1.5,1,1,1,2024,"
    "'2024-02-29','12:34:56','12:34:56.789','2024-02-29 12:34:56','2024-02-29 12:34:56.123456',"
    "'2024-02-29 12:34:56','2024-02-29 "
    "12:34:56.123456','abc','text','caf\xc3\xa9','asc','u\xc3\xbc',"
    "'ab','ab','tiny','medium','blob','small','a,c d','{\"a\": [1, 2.5, null, true], \"b\": "
    "\"x\"}',"
    "ST_GeomFromText('POINT(1 2)')",
    "-128,255,-32768,65535,-8388608,16777215,-2147483648,4294967295,-9223372036854775808,"
    "18446744073709551615,-999.99,-999999999999999999,-1234567890123456789012345678.0123456789,"
    "-99999999999999999999999999999999999.999999999999999999999999999999,"
    "-3.4e38,-1.7976931348623157e308,-9999999.999,0,0xFFFFF,0xFFFFFFFFFFFFFFFF,1901,"
    "'1000-01-01','-838:59:59','-838:59:59.000','1000-01-01 00:00:00','9999-12-31 23:59:59.999999',"
    "'1970-01-02 00:00:01','2038-01-18 03:14:07.999999','  lead','trail  ','\xc3\xbf','','',"
    "0x00FF00,0x00,'','','','it''s','','[]',NULL",
    "127,0,32767,0,8388607,0,2147483647,0,9223372036854775807,0,999.99,999999999999999999,"
    "9999999999999999999999999999.9999999999,0,3.4e38,2.2250738585072014e-308,0.001,1,0x12345,"
    "0x0102030405060708,2155,'9999-12-31','838:59:59','00:00:00.001','2038-01-19 03:14:08',"
    "'1969-12-31 23:59:59.999999','2001-09-09 01:46:40','1970-01-01 02:00:01.000001',"
    "'\xf0\x9f\x9a\x97',REPEAT('\xe2\x82\xac', 99),'\xe2\x82\xac','~~~~~','\xf0\x9f\x9a\x97',"
    "0xFFFFFFFFFFFF,0x20,REPEAT('x', 255),REPEAT('y', 70000),REPEAT(0xDE, 300),'gr\xc3\xb6\xc3\x9f"
    "e','a,b,c d','\"scalar\"',NULL",
    "NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,"
    "NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,"
    "NULL,NULL,NULL,NULL,NULL,NULL",
    "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0.1,0.1,0.1,0,0,0,1970,'1970-01-01','00:00:00','-00:00:01.500',"
    "'1970-01-01 00:00:00','1970-01-01 00:00:00.000001','2000-01-01','2000-01-01 00:00:00.5',"
    "'','','','','','','','','','','small','a','{}',NULL",
    "5,5,5,5,5,5,5,5,5,5,0.01,5,0.0000000001,5,16777216,123456789.123456789,5,1,5,5,2000,"
    "'2000-12-31','-00:00:01','-12:34:56.001','2000-12-31 23:59:59','2000-12-31 23:59:59.9',"
    "'2000-12-31 23:59:59','2000-12-31 23:59:59.9','q''q','a\\\\b\\nc','\xc2\xa3','A','z','b','b',"
    "'t','m','b','small','b','{\"k\": {\"n\": -1, \"d\": 1e100, \"e\": \"\\\\u00e9\\\\n\"}}',NULL",
    "6,6,6,6,6,6,6,6,6,6,6,6,6,6,1.17549e-38,4.9e-324,6,1,6,6,1999,'0001-01-01','01:00:00',"
    "'01:00:00.5','0001-01-01 00:00:00','0001-01-01 00:00:00.1','1999-01-01','1999-01-01','a','a',"
    "'a','a','a','a','a','a','a','a','small','c d','[1, [2, [3]], {\"x\": []}]',NULL",
    "7,7,7,7,7,7,7,7,7,7,7,7,7,7,0.3333333,0.3333333333333333,7,1,7,7,2001,'2001-01-01','07:00:00',"
    "'07:00:00','2001-01-01','2001-01-01','2001-01-01','2001-01-01','b','b','b','b','b','b','b','b'"
    ","
    "'b','b','small','a','-0.0',NULL",
};

static void a_copy_and_the_stream_give_the_same_cells(void **state)
{
    (void)state;
    static const char *const options[] = {"tables=src.types", NULL};
    struct capture capture;
    struct mr_error err = {0};
    uint32_t count = 0;
    make_types();
    capture_open(&capture, &lab, "cdc", "secret", options);
    struct mr_source *source = capture_follow(&capture);
    lab_sql(&lab, "SET time_zone = '+02:00', sql_mode = ''");
    for (int i = 0; i < TYPE_ROWS; i++) {
        lab_sql(&lab, "INSERT INTO src.types VALUES (%d, %s, DEFAULT, DEFAULT)", i, type_values[i]);
    }
    memset(&streamed, 0, sizeof(streamed));
    memset(&copied, 0, sizeof(copied));
    assert_int_equal(capture_rows(&capture, source, TYPE_ROWS, 5000, print_streamed, &streamed),
                     TYPE_ROWS);
    mr_source_mysql.close(source);

    struct mr_snapshot *snapshot =
        mr_source_mysql.snapshot_open(&capture.context, true, &capture.position, NULL, &err);
    if (snapshot == NULL) {
        fail_msg("%s", err.message);
    }
    const struct mr_snapshot_table *tables = mr_source_mysql.snapshot_tables(snapshot, &count);
    assert_int_equal(count, 1);
    /* One schema, one version: a sink sees no change between copy and stream. */
    assert_int_equal(tables[0].schema->version, 1);
    assert_int_equal(mr_catalog_count(capture.context.catalog), 1);
    copy_table(&capture, snapshot, 0, tables[0].piece_count, print_copied, NULL);
    mr_source_mysql.snapshot_close(snapshot);
    assert_int_equal(copied.count, TYPE_ROWS);
    for (int i = 0; i < TYPE_ROWS; i++) {
        assert_string_equal(copied.rows[i], streamed.rows[i]);
    }
    print_message("    %.1500s\n", copied.rows[0]);
    capture_close(&capture);
}

/* ---- Privileges and settings. ---- */

static const struct mr_finding *find(const struct mr_findings *findings, int level,
                                     const char *says)
{
    for (uint32_t i = 0; i < findings->count; i++) {
        if ((int)findings->items[i].level == level &&
            strstr(findings->items[i].detail, says) != NULL) {
            return &findings->items[i];
        }
    }
    return NULL;
}

static void look(const char *user, const char *const *options, struct mr_findings *findings)
{
    struct capture capture;
    struct mr_error err = {0};
    *findings = (struct mr_findings){0};
    capture_open(&capture, &lab, user, "secret", options);
    if (!mr_source_mysql.preflight(&capture.context, findings, &err)) {
        fail_msg("%s", err.message);
    }
    capture_close(&capture);
}

static uint32_t error_count(const struct mr_findings *findings, bool shown)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < findings->count; i++) {
        if (findings->items[i].level == MR_FINDING_ERROR) {
            count++;
        }
        if (shown || findings->items[i].level == MR_FINDING_ERROR) {
            print_message("    %d %s: %s\n", findings->items[i].level, findings->items[i].what,
                          findings->items[i].detail);
        }
    }
    return count;
}

static void preflight_names_what_is_missing(void **state)
{
    (void)state;
    static const char *const src[] = {"tables=src.*", NULL};
    static const char *const absent[] = {"tables=nowhere.*", NULL};
    static struct mr_findings findings;

    fill("copy", "InnoDB", true, 10);
    look("cdc", src, &findings);
    assert_int_equal(error_count(&findings, true), 0);

    lab_sql(&lab, "DROP USER IF EXISTS 'poor'@'%%'");
    lab_sql(&lab, "CREATE USER 'poor'@'%%' IDENTIFIED BY 'secret'");
    lab_sql(&lab, "GRANT SHOW DATABASES ON *.* TO 'poor'@'%%'");
    lab_sql(&lab, "GRANT INSERT ON src.copy TO 'poor'@'%%'");
    look("poor", src, &findings);
    assert_true(error_count(&findings, false) >= 3);
    assert_non_null(
        find(&findings, MR_FINDING_ERROR, "run GRANT REPLICATION SLAVE ON *.* TO 'poor'@'%'"));
    assert_non_null(find(&findings, MR_FINDING_ERROR,
                         lab.is_maria ? "run GRANT BINLOG MONITOR ON *.* TO 'poor'@'%'"
                                      : "run GRANT REPLICATION CLIENT ON *.* TO 'poor'@'%'"));
    assert_non_null(find(&findings, MR_FINDING_ERROR, "run GRANT SELECT ON `src`.* TO 'poor'@'%'"));
    if (!lab.is_maria) {
        assert_non_null(find(&findings, MR_FINDING_ERROR, "run GRANT RELOAD ON *.* TO 'poor'@'%'"));
    }
    look("cdc", absent, &findings);
    assert_non_null(find(&findings, MR_FINDING_ERROR, "database \"nowhere\" does not exist"));
}

static void preflight_names_wrong_settings(void **state)
{
    (void)state;
    static const char *const clash[] = {"tables=src.*", "server_id=1", NULL};
    static const char *const src[] = {"tables=src.*", NULL};
    static struct mr_findings findings;

    lab_sql(&lab, "SET GLOBAL binlog_format = STATEMENT");
    lab_sql(&lab, "SET GLOBAL binlog_expire_logs_seconds = 3600");
    look("cdc", clash, &findings);
    lab_sql(&lab, "SET GLOBAL binlog_format = ROW");
    lab_sql(&lab, "SET GLOBAL binlog_expire_logs_seconds = 2592000");
    (void)error_count(&findings, false);
    const char *set = lab.is_maria ? "SET GLOBAL" : "SET PERSIST";
    char fix[64];
    (void)snprintf(fix, sizeof(fix), "run %s binlog_format=ROW", set);
    assert_non_null(find(&findings, MR_FINDING_ERROR, fix));
    assert_non_null(find(&findings, MR_FINDING_WARNING, "binlogs are kept for 3600 s only"));
    assert_non_null(find(&findings, MR_FINDING_ERROR, "our server_id"));

    /* Another reader under our number is seen while it follows. */
    struct capture capture;
    capture_open(&capture, &lab, "cdc", "secret", src);
    struct mr_source *source = capture_follow(&capture);
    if (!lab.is_maria) { /* MariaDB shows replicas to REPLICATION MASTER ADMIN alone */
        look("cdc", src, &findings);
        assert_non_null(find(&findings, MR_FINDING_WARNING, "is registered already"));
    }
    mr_source_mysql.close(source);
    capture_close(&capture);
}

static void locking_by_name_serves_without_reload(void **state)
{
    (void)state;
    static const char *const options[] = {"tables=src.copy", NULL};
    struct capture capture;
    struct mr_error err = {0};
    fill("copy", "InnoDB", false, 10);
    lab_sql(&lab, "DROP USER IF EXISTS 'poor'@'%%'");
    lab_sql(&lab, "CREATE USER 'poor'@'%%' IDENTIFIED BY 'secret'");
    lab_sql(&lab, "GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO 'poor'@'%%'");
    capture_open(&capture, &lab, "poor", "secret", options);
    struct mr_snapshot *snapshot =
        mr_source_mysql.snapshot_open(&capture.context, true, NULL, &capture.position, &err);
    if (lab.is_maria) { /* needs no lock at all */
        assert_non_null(snapshot);
    } else {
        assert_null(snapshot);
        print_message("    %s\n", err.message);
        assert_int_equal(err.code, MR_E_CONFIG);
        assert_non_null(strstr(err.message, "LOCK TABLES ON `src`.* TO 'poor'@'%'"));
        lab_sql(&lab, "GRANT LOCK TABLES ON src.* TO 'poor'@'%%'");
        snapshot =
            mr_source_mysql.snapshot_open(&capture.context, true, NULL, &capture.position, &err);
        if (snapshot == NULL) {
            fail_msg("%s", err.message);
        }
    }
    struct model *model = calloc(1, sizeof(*model));
    model->keyless = true;
    copy_table(&capture, snapshot, 0, 1, model_read, model);
    assert_int_equal(model->reads, 10);
    mr_source_mysql.snapshot_close(snapshot);
    capture_close(&capture);
    free(model);
}

/** A long statement holds the tables: writers must not queue behind our lock for long. */
static void a_long_query_does_not_stop_writers(void **state)
{
    (void)state;
    static const char *const options[] = {"tables=src.copy", NULL};
    struct capture capture;
    struct mr_error err = {0};
    struct writer writer = {.table = "copy"};
    if (lab.is_maria) {
        skip(); /* no lock is taken there */
    }
    fill("copy", "InnoDB", true, ROWS_BEFORE);
    MYSQL *holder = lab_session(&lab);
    assert_int_equal(mysql_send_query(holder, "SELECT SLEEP(4) FROM src.copy LIMIT 1", 37), 0);
    writer.session = lab_session(&lab);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_on, &writer), 0);
    mr_env_posix.sleep_us(&mr_env_posix, 200000);
    capture_open(&capture, &lab, "cdc", "secret", options);
    struct mr_snapshot *snapshot =
        mr_source_mysql.snapshot_open(&capture.context, true, NULL, &capture.position, &err);
    if (snapshot == NULL) {
        fail_msg("%s", err.message);
    }
    mr_source_mysql.snapshot_close(snapshot);
    atomic_store(&writer.stop, true);
    (void)pthread_join(writer.thread, NULL);
    print_message("    longest transaction of the writer: %llu ms\n",
                  (unsigned long long)(writer.longest_us / 1000));
    assert_true(writer.longest_us < 2500000);
    mysql_close(writer.session);
    mysql_close(holder);
    capture_close(&capture);
}

static void a_reader_may_leave_in_the_middle(void **state)
{
    (void)state;
    static const char *const options[] = {"tables=src.copy", NULL};
    struct capture capture;
    struct mr_error err = {0};
    fill("copy", "InnoDB", true, ROWS_BEFORE);
    capture_open(&capture, &lab, "cdc", "secret", options);
    capture.context.target_bytes = 4096;
    struct mr_snapshot *snapshot =
        mr_source_mysql.snapshot_open(&capture.context, true, NULL, &capture.position, &err);
    assert_non_null(snapshot);
    struct mr_snapshot_reader *reader = mr_source_mysql.reader_open(snapshot, &err);
    assert_non_null(reader);
    assert_true(mr_source_mysql.reader_begin(reader, 0, 0, &err));
    struct mr_batch *batch = mr_batch_take(capture.pool, 1000);
    assert_int_equal(mr_source_mysql.reader_next(reader, batch, &err), MR_NEXT_BATCH);
    mr_batch_release(batch);
    mr_source_mysql.reader_close(reader);

    /* A table that goes away before its copy: retried with a message, not a crash. */
    reader = mr_source_mysql.reader_open(snapshot, &err);
    assert_non_null(reader);
    lab_sql(&lab, "DROP TABLE src.copy");
    assert_false(mr_source_mysql.reader_begin(reader, 0, 0, &err));
    print_message("    %s\n", err.message);
    assert_int_equal(err.code, MR_E_SOURCE);
    assert_int_equal(err.recovery, MR_RETRY);
    mr_source_mysql.reader_close(reader);
    mr_source_mysql.snapshot_close(snapshot);
    capture_close(&capture);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr,
                      "usage: test_mysql_snapshot mariadb|mysql80|mysql9 plain|gtid [TEST*]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_and_the_stream_give_the_same_cells),
        cmocka_unit_test(a_copy_and_the_stream_give_the_table),
        cmocka_unit_test(preflight_names_what_is_missing),
        cmocka_unit_test(preflight_names_wrong_settings),
        cmocka_unit_test(locking_by_name_serves_without_reload),
        cmocka_unit_test(a_long_query_does_not_stop_writers),
        cmocka_unit_test(a_reader_may_leave_in_the_middle),
    };
    if (argc > 3) {
        cmocka_set_test_filter(argv[3]);
    }
    lab_start(&lab, argv[1], argv[2], "snap");
    int failed = cmocka_run_group_tests_name("mysql_snapshot", tests, set_up, NULL);
    lab_stop(&lab);
    return failed;
}
