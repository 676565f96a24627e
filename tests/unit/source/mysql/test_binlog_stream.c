// SPDX-License-Identifier: MIT
/* What recorded servers send is in tests/golden/mysql; here is what they send seldom, or never. */
#include <stdio.h>
#include <string.h>

#include "binlog_kit.h"
#include "check.h"

#define UUID   "abababab-abab-abab-abab-abababababab"
#define TARGET (UINT64_C(1) << 20)

static void transactions_and_positions(void **state)
{
    struct binlog_kit kit = {0};
    char expected[128];
    (void)state;
    kit_open(&kit, "", TARGET);
    kit_transaction(&kit, 5, 1, 3);
    const uint32_t first_end = kit.log_pos;
    kit_transaction(&kit, 6, 4, 1);
    assert_int_equal(kit.batch->transaction_count, 2);
    assert_int_equal(kit.batch->row_count, 4);
    assert_int_equal(kit.batch->transactions[0].number, 5);
    assert_int_equal(kit.batch->transactions[0].commit_us, 5000);
    assert_int_equal(kit.batch->transactions[0].end.major, 3);
    assert_int_equal(kit.batch->transactions[0].end.minor, first_end);
    const struct mr_slice origin = kit.batch->origins[kit.batch->transactions[1].origin];
    assert_true(mr_slice_equals(origin, mr_slice_of(UUID)));
    (void)snprintf(expected, sizeof(expected), "mysql-bin.000003:%u;" UUID ":5-6", kit.log_pos);
    assert_string_equal(kit_finish(&kit), expected);
    assert_false(kit.batch->continued);
    assert_true(mr_slice_equals(kit.batch->epoch, mr_slice_of("epoch")));
    kit_close(&kit);
}

static void uncaptured_transactions_move_the_position(void **state)
{
    struct binlog_kit kit = {.captures_nothing = true};
    char expected[128];
    (void)state;
    kit_open(&kit, NULL, TARGET);
    assert_false(mr_binlog_has_news(kit.stream, kit.batch));
    kit_transaction(&kit, 5, 1, 3);
    assert_true(mr_binlog_has_news(kit.stream, kit.batch));
    (void)snprintf(expected, sizeof(expected), "mysql-bin.000003:%u", kit.log_pos);
    assert_string_equal(kit_finish(&kit), expected);
    assert_int_equal(kit.batch->transaction_count, 0);
    assert_false(mr_binlog_has_news(kit.stream, kit.batch));
    kit_close(&kit);
}

static void updates_and_deletes(void **state)
{
    struct binlog_kit kit = {0};
    (void)state;
    kit_open(&kit, NULL, TARGET);
    assert_int_equal(kit_gtid(&kit, 1, 1), MR_BINLOG_DONE);
    assert_int_equal(kit_query(&kit, "BEGIN"), MR_BINLOG_DONE);
    assert_int_equal(kit_table_map(&kit), MR_BINLOG_DONE);
    kit_rows_head(&kit, MR_BINLOG_UPDATE_ROWS);
    kit_image(&kit, 1, "old");
    kit_image(&kit, 1, NULL);
    kit_image(&kit, 2, NULL);
    kit_image(&kit, 3, "new");
    assert_int_equal(kit_feed(&kit), MR_BINLOG_DONE);
    assert_int_equal(kit_table_map(&kit), MR_BINLOG_DONE);
    kit_rows_head(&kit, MR_BINLOG_DELETE_ROWS_V1);
    kit_image(&kit, 9, "x");
    assert_int_equal(kit_feed(&kit), MR_BINLOG_DONE);
    assert_int_equal(kit_xid(&kit), MR_BINLOG_DONE);

    const struct mr_event *events = kit.batch->events;
    assert_int_equal(kit.batch->event_count, 3);
    assert_int_equal(events[0].kind, MR_EVENT_UPDATE);
    assert_int_equal(events[0].before_chunk, MR_NO_CHUNK); /* the key is the same */
    assert_int_equal(events[1].kind, MR_EVENT_UPDATE);
    const struct mr_chunk *before = kit.batch->chunks[events[1].before_chunk];
    assert_int_equal(before->image, MR_IMAGE_KEY);
    assert_int_equal(
        *(const int32_t *)(const void *)mr_cell(&before->columns[0], events[1].before_row).bytes,
        2);
    assert_int_equal(events[2].kind, MR_EVENT_DELETE);
    assert_int_equal(events[2].chunk, MR_NO_CHUNK);
    kit_close(&kit);
}

/* One event into a stream that is in a given state, and the words its error must have. */
static const struct refusal {
    const char *label;
    uint8_t type;
    uint16_t flags;
    const char *body;
    size_t length;
    enum mr_errc code; /* MR_OK: taken in */
    const char *words;
} refusals[] = {
#define BYTES(literal) (literal), sizeof(literal) - 1
    {"unknown type", 99, 0, BYTES("x"), MR_E_PROTOCOL, "type 99"},
    {"unknown type, ignorable", 99, MR_BINLOG_FLAG_IGNORABLE, BYTES("x"), MR_OK, NULL},
    {"incident", MR_BINLOG_INCIDENT, 0, BYTES("\1\0\4lost"), MR_E_SOURCE, "incident"},
    {"payload cut", MR_BINLOG_TRANSACTION_PAYLOAD, 0, BYTES("\1\1\4"), MR_E_PROTOCOL, "PAYLOAD"},
    {"payload of another size", MR_BINLOG_TRANSACTION_PAYLOAD, 0, BYTES("\1\1\5\2\1\0\0abcd"),
     MR_E_PROTOCOL, "5 bytes came in 4"},
    {"payload without a size", MR_BINLOG_TRANSACTION_PAYLOAD, 0, BYTES("\2\1\0\0abcd"),
     MR_E_PROTOCOL, "came in 4"},
    {"payload of another algorithm", MR_BINLOG_TRANSACTION_PAYLOAD, 0, BYTES("\1\1\4\2\1\7\0abcd"),
     MR_E_PROTOCOL, "binlog_transaction_compression=OFF"},
    {"payload that is no zstd", MR_BINLOG_TRANSACTION_PAYLOAD, 0, BYTES("\1\1\4\2\1\0\0abcd"),
     MR_E_PROTOCOL, "does not unpack"},
    {"plain payload, cut in an event", MR_BINLOG_TRANSACTION_PAYLOAD, 0,
     BYTES("\1\1\4\2\3\xfc\xff\0\0abcd"), MR_E_PROTOCOL, "other than the bytes"},
    {"plain payload with a size of 0 inside", MR_BINLOG_TRANSACTION_PAYLOAD, 0,
     BYTES("\1\1\x13\2\3\xfc\xff\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), MR_E_PROTOCOL,
     "other than the bytes"},
    {"payload in a payload", MR_BINLOG_TRANSACTION_PAYLOAD, 0,
     BYTES("\1\1\x13\2\3\xfc\xff\0\0\0\0\0\0\x28\0\0\0\0\x13\0\0\0\0\0\0\0\0\0"), MR_E_PROTOCOL,
     "inside a compressed transaction"},
    {"partial update cut", MR_BINLOG_PARTIAL_UPDATE_ROWS, 0, BYTES("x"), MR_E_PROTOCOL,
     "outside a transaction"},
    {"compressed statement cut", MR_BINLOG_MARIA_QUERY_COMPRESSED, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0\x82\1"), MR_E_PROTOCOL, "compressed"},
    {"compressed statement of another kind", MR_BINLOG_MARIA_QUERY_COMPRESSED, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0\xa1\1abc"), MR_E_PROTOCOL, "log_bin_compress=OFF"},
    {"compressed statement that is no zlib", MR_BINLOG_MARIA_QUERY_COMPRESSED, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0\x81\7abcdef"), MR_E_PROTOCOL, "does not unpack"},
    {"statement", MR_BINLOG_QUERY, 0, BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0UPDATE t SET a = 1"),
     MR_E_SOURCE, "UPDATE t SET a = 1"},
    {"statement's cure", MR_BINLOG_QUERY, 0, BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0DELETE FROM t"),
     MR_E_SOURCE, "binlog_format=ROW"},
    {"statement's table", MR_BINLOG_QUERY, 0, BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0DELETE FROM t"),
     MR_E_SOURCE, "of table \"db\".\"t\""},
    {"statement on another table", MR_BINLOG_QUERY, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0DELETE FROM o"), MR_OK, NULL},
    {"statement on several tables", MR_BINLOG_QUERY, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0UPDATE o, p SET o.a = 1"), MR_E_SOURCE,
     "binlog_format=ROW"},
    {"a file's block", MR_BINLOG_BEGIN_LOAD_QUERY, 0, BYTES("x"), MR_OK, NULL},
    {"load data", MR_BINLOG_EXECUTE_LOAD_QUERY, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0ffffssssuuuu\0db\0LOAD DATA INFILE 'f' INTO TABLE t"),
     MR_E_SOURCE, "of table \"db\".\"t\""},
    {"load data, cut", MR_BINLOG_EXECUTE_LOAD_QUERY, 0, BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0ffff"),
     MR_E_PROTOCOL, "EXECUTE_LOAD_QUERY"},
    {"query cut", MR_BINLOG_QUERY, 0, BYTES("\0\0\0\0"), MR_E_PROTOCOL, "QUERY"},
    {"status past the end", MR_BINLOG_QUERY, 0, BYTES("\0\0\0\0\0\0\0\0\2\0\0\xff\xff"),
     MR_E_PROTOCOL, "QUERY"},
    {"xid alone", MR_BINLOG_XID, 0, BYTES("\0\0\0\0\0\0\0\0"), MR_E_PROTOCOL,
     "outside a transaction"},
    {"rows alone", MR_BINLOG_WRITE_ROWS, 0, BYTES("\0\0\0\0\0\0\0\0\2\0\1\1\0"), MR_E_PROTOCOL,
     "outside a transaction"},
    {"map alone", MR_BINLOG_TABLE_MAP, 0, BYTES("\0\0\0\0\0\0\0\0\1a\0\1b\0"), MR_E_PROTOCOL,
     "outside a transaction"},
    {"gtid cut", MR_BINLOG_GTID, 0, BYTES("\0"), MR_E_PROTOCOL, "GTID"},
    {"gtid number 0", MR_BINLOG_GTID, 0, BYTES("\0aaaaaaaaaaaaaaaa\0\0\0\0\0\0\0\0"), MR_E_PROTOCOL,
     "number"},
    {"tagged gtid cut", MR_BINLOG_GTID_TAGGED, 0, BYTES("\2\0\0\0"), MR_E_PROTOCOL, "GTID_TAGGED"},
    {"rotate cut", MR_BINLOG_ROTATE, 0, BYTES("\0"), MR_E_PROTOCOL, "ROTATE"},
    {"rotate to no number", MR_BINLOG_ROTATE, 0, BYTES("\4\0\0\0\0\0\0\0binlog"), MR_E_PROTOCOL,
     "no binlog file"},
    {"format 3", MR_BINLOG_FORMAT_DESCRIPTION, 0,
     BYTES("\3\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\0\0\0\x13xxxxx\0zzzz"),
     MR_E_PROTOCOL, "version 3"},
    {"checksum algorithm 7", MR_BINLOG_FORMAT_DESCRIPTION, 0,
     BYTES("\4\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\0\0\0\x13xxxxx\7zzzz"),
     MR_E_PROTOCOL, "algorithm 7"},
    {"prepared, nothing captured", MR_BINLOG_XA_PREPARE, 0, BYTES("\0\1\0\0\0\1\0\0\0\0\0\0\0g"),
     MR_OK, NULL},
    {"prepared, cut in its name", MR_BINLOG_XA_PREPARE, 0, BYTES("\0\1\0\0\0\2\0\0\0\0\0\0\0g"),
     MR_E_PROTOCOL, "XA_PREPARE"},
    {"commit of what is not known", MR_BINLOG_QUERY, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0XA COMMIT X'67',X'',1"), MR_E_SOURCE,
     "copy the tables anew"},
    {"rollback of what is not known", MR_BINLOG_QUERY, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0XA ROLLBACK X'67',X'',1"), MR_OK, NULL},
    {"commit of a name that cannot be read", MR_BINLOG_QUERY, 0,
     BYTES("\0\0\0\0\0\0\0\0\2\0\0\0\0db\0XA COMMIT X'6',X'',1"), MR_E_PROTOCOL, "cannot be read"},
    {"rows query", MR_BINLOG_ROWS_QUERY, MR_BINLOG_FLAG_IGNORABLE, BYTES("\4abcd"), MR_OK, NULL},
#undef BYTES
};

static void what_cannot_be_taken_in_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(refusals); i++) {
        const struct refusal *c = &refusals[i];
        struct binlog_kit kit = {0};
        print_message("    %s\n", c->label);
        kit_open(&kit, NULL, TARGET);
        kit_begin(&kit, c->type, c->flags);
        mr_write_bytes(&kit.event, c->body, c->length);
        const enum mr_binlog_fed fed = kit_feed(&kit);
        assert_int_equal(kit.err.code, c->code);
        assert_int_equal(fed, c->code == MR_OK ? MR_BINLOG_DONE : MR_BINLOG_ERROR);
        if (c->words != NULL && strstr(kit.err.message, c->words) == NULL) {
            fail_msg("\"%s\" lacks \"%s\"", kit.err.message, c->words);
        }
        if (c->code != MR_OK) {
            assert_int_equal(kit.err.recovery, MR_STOP);
            assert_non_null(strstr(kit.err.message, "mysql-bin.000003:"));
        }
        kit_close(&kit);
    }
}

/** Up to the rows of a transaction behind a whole one. */
static void open_rows(struct binlog_kit *kit)
{
    kit_open(kit, "", TARGET);
    kit_transaction(kit, 1, 1, 2);
    assert_int_equal(kit_gtid(kit, 2, 2000), MR_BINLOG_DONE);
    assert_int_equal(kit_query(kit, "BEGIN"), MR_BINLOG_DONE);
    assert_int_equal(kit_table_map(kit), MR_BINLOG_DONE);
}

/* Every way to cut a rows event fails, names the place, and leaves the first transaction whole. */
static void cut_rows_leave_what_is_whole(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 40; cut++) {
        struct binlog_kit kit = {0};
        open_rows(&kit);
        kit_rows_head(&kit, MR_BINLOG_UPDATE_ROWS);
        kit_image(&kit, 5, "one");
        kit_image(&kit, 6, "two");
        const size_t left = kit.event.length - MR_BINLOG_HEADER_SIZE;
        if (cut >= left) {
            kit_close(&kit);
            break;
        }
        kit.event.length -= cut;
        const enum mr_binlog_fed fed = kit_feed(&kit);
        if (left - cut == 13) { /* bitmaps and no row: allowed */
            assert_int_equal(fed, MR_BINLOG_DONE);
        } else {
            assert_int_equal(fed, MR_BINLOG_ERROR);
            assert_int_equal(kit.err.code, MR_E_PROTOCOL);
            assert_int_equal(kit.batch->transaction_count, 1);
            assert_int_equal(kit.batch->row_count, 2);
            assert_non_null(strstr(kit_finish(&kit), UUID ":1"));
            assert_false(kit.batch->continued);
        }
        kit_close(&kit);
    }
}

static void values_that_do_not_fit(void **state)
{
    struct binlog_kit kit = {0};
    (void)state;
    open_rows(&kit);
    kit_rows_head(&kit, MR_BINLOG_WRITE_ROWS);
    kit_image(&kit, 5, "\xff");
    assert_int_equal(kit_feed(&kit), MR_BINLOG_ERROR);
    assert_int_equal(kit.err.code, MR_E_TYPE);
    assert_non_null(strstr(kit.err.message, "table \"db\".\"t\", column \"v\""));
    kit_close(&kit);
}

/* Images of "db"."t" (id, v): which columns they have (bit 0: id), and what comes of it. */
static const struct image_case {
    const char *label;
    uint8_t type;
    uint8_t present[2]; /* an update: before, after */
    const char *row;    /* null bits and cells */
    size_t length;
    const char *gives; /* "event id|v", or the words of an error */
} image_cases[] = {
#define BYTES(literal) (literal), sizeof(literal) - 1
    {"inserted, v by default", MR_BINLOG_WRITE_ROWS, {1}, BYTES("\0\7\0\0\0"), "1 7|NULL"},
    {"inserted, the key by default",
     MR_BINLOG_WRITE_ROWS,
     {2},
     BYTES("\0\1a"),
     "binlog_row_image=FULL"},
    {"inserted without a column", MR_BINLOG_WRITE_ROWS, {0}, BYTES("\0"), "malformed"},
    {"updated, key and v", MR_BINLOG_UPDATE_ROWS, {1, 2}, BYTES("\0\7\0\0\0\0\1a"), "2 7|a"},
    {"updated, v to NULL", MR_BINLOG_UPDATE_ROWS, {1, 2}, BYTES("\0\7\0\0\0\1"), "2 7|NULL"},
    {"updated, another key",
     MR_BINLOG_UPDATE_ROWS,
     {1, 1},
     BYTES("\0\7\0\0\0\0\x08\0\0\0"),
     "2 8|absent before 7"},
    {"updated, v known from before",
     MR_BINLOG_UPDATE_ROWS,
     {3, 1},
     BYTES("\0\7\0\0\0\1b\0\x08\0\0\0"),
     "2 8|b before 7"},
    {"updated without the key",
     MR_BINLOG_UPDATE_ROWS,
     {2, 2},
     BYTES("\0\1a\0\1b"),
     "without its primary key"},
    {"deleted by key", MR_BINLOG_DELETE_ROWS, {1}, BYTES("\0\7\0\0\0"), "3 before 7"},
    {"deleted without the key",
     MR_BINLOG_DELETE_ROWS,
     {2},
     BYTES("\0\1a"),
     "without its primary key"},
    {"cut in the null bits", MR_BINLOG_UPDATE_ROWS, {1, 2}, BYTES("\0\7\0\0\0"), "cut off"},
    {"cut in a cell", MR_BINLOG_UPDATE_ROWS, {1, 2}, BYTES("\0\7\0\0\0\0\5a"), "cut off"},
    {"partial, no options",
     MR_BINLOG_PARTIAL_UPDATE_ROWS,
     {3, 3},
     BYTES("\0\7\0\0\0\1a\0\0\7\0\0\0\1b"),
     "2 7|b"},
    {"partial, no JSON column",
     MR_BINLOG_PARTIAL_UPDATE_ROWS,
     {1, 2},
     BYTES("\0\7\0\0\0\1\0\1b"),
     "2 7|b"},
    {"partial, unknown options",
     MR_BINLOG_PARTIAL_UPDATE_ROWS,
     {1, 2},
     BYTES("\0\7\0\0\0\2\0\1b"),
     "options that are not known"},
#undef BYTES
};

static void describe_event(const struct mr_batch *batch, const struct mr_event *event, char *text,
                           size_t size)
{
    char cells[3][64] = {"", "", ""};
    for (uint16_t i = 0; i < 2 && event->chunk != MR_NO_CHUNK; i++) {
        const struct mr_chunk *chunk = batch->chunks[event->chunk];
        (void)mr_cell_print(mr_chunk_column(chunk, i), &chunk->columns[i], event->row, cells[i],
                            sizeof(cells[i]));
        if (strcmp(cells[i], "null") == 0) {
            (void)snprintf(cells[i], sizeof(cells[i]), "NULL");
        }
    }
    if (event->before_chunk != MR_NO_CHUNK) {
        const struct mr_chunk *chunk = batch->chunks[event->before_chunk];
        (void)mr_cell_print(mr_chunk_column(chunk, 0), &chunk->columns[0], event->before_row,
                            cells[2], sizeof(cells[2]));
    }
    (void)snprintf(text, size, "%u%s%s%s%s%s%s", event->kind,
                   event->chunk == MR_NO_CHUNK ? "" : " ", cells[0],
                   event->chunk == MR_NO_CHUNK ? "" : "|", cells[1],
                   cells[2][0] == '\0' ? "" : " before ", cells[2]);
}

static void images_may_lack_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(image_cases); i++) {
        const struct image_case *c = &image_cases[i];
        const bool is_update = c->type != MR_BINLOG_WRITE_ROWS && c->type != MR_BINLOG_DELETE_ROWS;
        struct binlog_kit kit = {0};
        char text[256] = "";
        print_message("    %s\n", c->label);
        open_rows(&kit);
        kit_rows_head(&kit,
                      c->type == MR_BINLOG_PARTIAL_UPDATE_ROWS ? MR_BINLOG_UPDATE_ROWS : c->type);
        kit.event.bytes[4] = c->type;
        kit.event.bytes[kit.event.length - (is_update ? 2 : 1)] = c->present[0];
        kit.event.bytes[kit.event.length - 1] = c->present[is_update ? 1 : 0];
        mr_write_bytes(&kit.event, c->row, c->length);
        if (kit_feed(&kit) == MR_BINLOG_DONE) {
            assert_int_equal(kit.batch->event_count, 2);
            describe_event(kit.batch, &kit.batch->events[1], text, sizeof(text));
            assert_string_equal(text, c->gives);
        } else if (strstr(kit.err.message, c->gives) == NULL) {
            fail_msg("\"%s\" lacks \"%s\"", kit.err.message, c->gives);
        }
        kit_close(&kit);
    }
}

static void rows_need_their_map(void **state)
{
    struct binlog_kit kit = {0};
    (void)state;
    open_rows(&kit);
    assert_int_equal(kit_insert(&kit, 1, 1), MR_BINLOG_DONE); /* ends the statement */
    assert_int_equal(kit_insert(&kit, 2, 1), MR_BINLOG_ERROR);
    assert_non_null(strstr(kit.err.message, "no table map"));
    kit_close(&kit);
}

static void ddl_between_map_and_rows_is_refused(void **state)
{
    struct binlog_kit kit = {0};
    (void)state;
    open_rows(&kit);
    assert_int_equal(kit_query(&kit, "ALTER TABLE t ADD x int"), MR_BINLOG_DONE);
    assert_int_equal(kit_insert(&kit, 1, 1), MR_BINLOG_ERROR);
    kit_close(&kit);
}

static void large_transactions_go_on_in_several_batches(void **state)
{
    struct binlog_kit kit = {0};
    uint32_t rows = 0;
    uint32_t batches = 0;
    (void)state;
    kit_open(&kit, "", 1);
    assert_int_equal(kit_gtid(&kit, 2, 2000), MR_BINLOG_DONE);
    assert_int_equal(kit_query(&kit, "BEGIN"), MR_BINLOG_DONE);
    assert_int_equal(kit_table_map(&kit), MR_BINLOG_DONE);
    enum mr_binlog_fed fed = kit_insert(&kit, 100, 50);
    while (fed == MR_BINLOG_MORE) {
        (void)kit_finish(&kit);
        assert_true(kit.batch->continued);
        assert_int_equal(kit.batch->continues, batches > 0);
        rows += kit.batch->row_count;
        batches++;
        mr_batch_clear(kit.batch);
        fed = kit_feed_again(&kit);
    }
    assert_int_equal(fed, MR_BINLOG_DONE);
    assert_true(mr_binlog_in_transaction(kit.stream));
    assert_int_equal(kit_xid(&kit), MR_BINLOG_DONE);
    assert_non_null(strstr(kit_finish(&kit), ";" UUID ":2"));
    assert_true(kit.batch->continues && !kit.batch->continued);
    assert_int_equal(kit.batch->transactions[0].end.minor, kit.log_pos);
    assert_int_equal(rows + kit.batch->row_count, 50);
    assert_true(batches > 2);
    kit_close(&kit);
}

static void rollbacks_take_rows_back(void **state)
{
    struct binlog_kit kit = {0};
    (void)state;
    open_rows(&kit);
    assert_int_equal(kit_insert(&kit, 100, 5), MR_BINLOG_DONE);
    assert_int_equal(kit_query(&kit, "ROLLBACK"), MR_BINLOG_DONE);
    assert_int_equal(kit.batch->transaction_count, 1);
    assert_int_equal(kit.batch->row_count, 2);
    assert_false(kit.batch->aborts);
    kit_transaction(&kit, 3, 200, 1);
    assert_int_equal(kit.batch->transaction_count, 2);
    assert_non_null(strstr(kit_finish(&kit), ":1-3")); /* its GTID is used all the same */
    kit_close(&kit);
}

/* A part has left: the batch that says so holds nothing else. */
static void rollbacks_of_what_has_left_abort_it(void **state)
{
    struct binlog_kit kit = {0};
    (void)state;
    open_rows(&kit);
    assert_int_equal(kit_insert(&kit, 100, 5), MR_BINLOG_DONE);
    (void)kit_finish(&kit);
    assert_true(kit.batch->continued);
    mr_batch_clear(kit.batch);
    assert_int_equal(kit_table_map(&kit), MR_BINLOG_DONE);
    assert_int_equal(kit_insert(&kit, 105, 5), MR_BINLOG_DONE);
    assert_true(kit.batch->continues);
    assert_int_equal(kit_query(&kit, "ROLLBACK"), MR_BINLOG_DONE);
    assert_true(kit.batch->aborts && !kit.batch->continues);
    assert_int_equal(kit.batch->event_count, 0);
    assert_true(mr_binlog_may_hand_on(kit.stream, kit.batch));
    assert_int_equal(kit_gtid(&kit, 3, 1), MR_BINLOG_MORE); /* not into this batch */
    (void)kit_finish(&kit);
    mr_batch_clear(kit.batch);
    assert_int_equal(kit_feed_again(&kit), MR_BINLOG_DONE);
    kit_close(&kit);
}

static void a_crashed_servers_transaction_is_dropped(void **state)
{
    struct binlog_kit kit = {0};
    (void)state;
    open_rows(&kit);
    assert_int_equal(kit_insert(&kit, 100, 5), MR_BINLOG_DONE);
    kit_begin(&kit, MR_BINLOG_ROTATE, MR_BINLOG_FLAG_ARTIFICIAL);
    mr_write_u64_le(&kit.event, 4);
    mr_write_bytes(&kit.event, "mysql-bin.000004", 16);
    assert_int_equal(kit_feed(&kit), MR_BINLOG_DONE);
    assert_int_equal(kit.batch->transaction_count, 1);
    assert_string_equal(kit_finish(&kit), "mysql-bin.000004:4;" UUID ":1");
    kit_close(&kit);
}

static void offsets_count_past_4_gib(void **state)
{
    struct binlog_kit kit = {0};
    char expected[128];
    (void)state;
    kit_open(&kit, NULL, TARGET);
    kit.log_pos = 0xf0000000;
    kit_transaction(&kit, 1, 1, 1);
    kit.log_pos = 0x10; /* wrapped */
    kit_transaction(&kit, 2, 2, 1);
    (void)snprintf(expected, sizeof(expected), "mysql-bin.000003:%llu", (1ull << 32) + kit.log_pos);
    assert_string_equal(kit_finish(&kit), expected);
    kit_close(&kit);
}

static void truncate_is_an_event(void **state)
{
    struct binlog_kit kit = {0};
    (void)state;
    kit_open(&kit, "", TARGET);
    assert_int_equal(kit_gtid(&kit, 1, 1), MR_BINLOG_DONE);
    assert_int_equal(kit_query(&kit, "TRUNCATE TABLE t"), MR_BINLOG_DONE);
    assert_int_equal(kit.batch->event_count, 1);
    assert_int_equal(kit.batch->events[0].kind, MR_EVENT_TRUNCATE);
    assert_string_equal(kit.batch->truncated[0]->table, "t");
    assert_int_equal(kit_gtid(&kit, 2, 1), MR_BINLOG_DONE);
    assert_int_equal(kit_query(&kit, "TRUNCATE TABLE elsewhere.t"), MR_BINLOG_DONE);
    assert_int_equal(kit.batch->event_count, 1);
    kit_close(&kit);
}

static void maria_transactions_have_no_begin(void **state)
{
    struct binlog_kit kit = {.is_maria = true, .plain_map = true};
    char expected[128];
    (void)state;
    kit_open(&kit, "3-9-4,1-1-1", TARGET);
    assert_int_equal(kit_maria_gtid(&kit, 5, false), MR_BINLOG_DONE);
    assert_int_equal(kit_table_map(&kit), MR_BINLOG_DONE);
    assert_int_equal(kit_insert(&kit, 1, 2), MR_BINLOG_DONE);
    assert_int_equal(kit_query(&kit, "COMMIT"), MR_BINLOG_DONE);
    assert_int_equal(kit_maria_gtid(&kit, 6, true), MR_BINLOG_DONE);
    assert_int_equal(kit_query(&kit, "CREATE TABLE x (a int)"), MR_BINLOG_DONE);
    assert_false(mr_binlog_in_transaction(kit.stream));
    assert_int_equal(kit.batch->transactions[0].number, 5);
    assert_int_equal(kit.batch->transactions[0].commit_us, INT64_C(1700000000000000));
    (void)snprintf(expected, sizeof(expected), "mysql-bin.000003:%u;1-1-1,3-9-6", kit.log_pos);
    assert_string_equal(kit_finish(&kit), expected);
    kit_close(&kit);
}

/* What information_schema says now, against a map of plain metadata. */
static const struct disagreement {
    const char *label;
    const char *type;
    const char *charset;
    uint16_t column_count;
    bool good;
    const char *words;
} disagreements[] = {
    {"the same", "varchar(10)", "utf8mb4", 2, true, NULL},
    {"made wider since", "varchar(200)", "utf8mb4", 2, true, NULL},
    {"another type", "int", NULL, 2, false, "\"v\" is \"int\" now"},
    {"another character set", "varchar(10)", "latin1", 2, false, "binlog_row_metadata=FULL"},
    {"a type we cannot carry", "xmltype", NULL, 2, false, "\"xmltype\" is not supported"},
    {"a column more", "varchar(10)", "utf8mb4", 3, false, "3 columns now, but had 2"},
    {"no such table", "varchar(10)", "utf8mb4", 0, false, "there is no table"},
};

static void tables_that_changed_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(disagreements); i++) {
        const struct disagreement *c = &disagreements[i];
        struct binlog_kit kit = {.plain_map = true};
        print_message("    %s\n", c->label);
        kit_open(&kit, NULL, TARGET);
        kit.columns[1].column_type = c->type;
        kit.columns[1].charset = c->charset;
        kit.columns[2] = kit.columns[0];
        kit.columns[2].name = "more";
        kit.info.column_count = c->column_count;
        assert_int_equal(kit_gtid(&kit, 1, 1), MR_BINLOG_DONE);
        assert_int_equal(kit_query(&kit, "BEGIN"), MR_BINLOG_DONE);
        assert_int_equal(kit_table_map(&kit), c->good ? MR_BINLOG_DONE : MR_BINLOG_ERROR);
        if (!c->good) {
            assert_non_null(strstr(kit.err.message, "table \"db\".\"t\""));
            if (strstr(kit.err.message, c->words) == NULL) {
                fail_msg("\"%s\" lacks \"%s\"", kit.err.message, c->words);
            }
        } else {
            assert_int_equal(kit_insert(&kit, 1, 1), MR_BINLOG_DONE);
        }
        kit_close(&kit);
    }
}

static void checksums_are_verified(void **state)
{
    static const char format[] =
        "\4\0"
        "8.0."
        "31\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\0\0\0\0\x13\1\1\0____";
    struct binlog_kit kit = {0};
    (void)state;
    kit_open(&kit, NULL, TARGET);
    kit_begin(&kit, MR_BINLOG_FORMAT_DESCRIPTION, 0);
    mr_write_bytes(&kit.event, format, sizeof(format) - 1);
    assert_int_equal(kit_feed(&kit), MR_BINLOG_DONE); /* algorithm 0: none */
    kit_transaction(&kit, 1, 1, 1);
    kit_begin(&kit, MR_BINLOG_FORMAT_DESCRIPTION, 0);
    mr_write_bytes(&kit.event, format, sizeof(format) - 1);
    kit.event.bytes[kit.event.length - 5] = 1; /* CRC32, and four wrong bytes */
    assert_int_equal(kit_feed(&kit), MR_BINLOG_ERROR);
    assert_int_equal(kit.err.recovery, MR_RETRY);
    assert_non_null(strstr(kit.err.message, "checksum"));
    kit_close(&kit);
}

static const struct place_case {
    const char *text;
    bool good;
    uint64_t major, minor;
    const char *gtids; /* NULL: none */
} place_cases[] = {
    {"mysql-bin.000002:1234", true, 2, 1234, NULL},
    {"a:b.7:8;", true, 7, 8, ""},
    {"mysql-bin.000002:5000000000;" UUID ":1-5", true, 2, 5000000000, UUID ":1-5"},
    {"mysql-bin.000002", false, 0, 0, NULL},
    {"mysql-bin:4", false, 0, 0, NULL},
    {"mysql-bin.x:4", false, 0, 0, NULL},
    {".1:", false, 0, 0, NULL},
    {"mysql-bin.000002:99999999999999999999", false, 0, 0, NULL},
    {"mysql-bin.99999999999999999999999:4", false, 0, 0, NULL},
    {"mysql-bin.000002:5;" UUID ":1#61..1@mysql-bin.000001:9", true, 2, 5, UUID ":1"},
    {"mysql-bin.000002:5#61..1#62..1", true, 2, 5, NULL},
    {"my#bin.000002:5#61..1", true, 2, 5, NULL},
    {"", false, 0, 0, NULL},
    {";", false, 0, 0, NULL},
};

static void places_parse_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(place_cases); i++) {
        const struct place_case *c = &place_cases[i];
        struct mr_binlog_place place = {0};
        struct mr_error err = {0};
        print_message("    \"%s\"\n", c->text);
        assert_int_equal(mr_binlog_place_parse(mr_slice_of(c->text), &place, &err), c->good);
        assert_int_equal(place.native.major, c->major);
        assert_int_equal(place.native.minor, c->minor);
        assert_int_equal(place.gtids.bytes != NULL, c->gtids != NULL);
        if (c->gtids != NULL) {
            assert_true(mr_slice_equals(place.gtids, mr_slice_of(c->gtids)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactions_and_positions),
        cmocka_unit_test(uncaptured_transactions_move_the_position),
        cmocka_unit_test(updates_and_deletes),
        cmocka_unit_test(what_cannot_be_taken_in_says_why),
        cmocka_unit_test(cut_rows_leave_what_is_whole),
        cmocka_unit_test(values_that_do_not_fit),
        cmocka_unit_test(images_may_lack_columns),
        cmocka_unit_test(rows_need_their_map),
        cmocka_unit_test(ddl_between_map_and_rows_is_refused),
        cmocka_unit_test(large_transactions_go_on_in_several_batches),
        cmocka_unit_test(rollbacks_take_rows_back),
        cmocka_unit_test(rollbacks_of_what_has_left_abort_it),
        cmocka_unit_test(a_crashed_servers_transaction_is_dropped),
        cmocka_unit_test(offsets_count_past_4_gib),
        cmocka_unit_test(truncate_is_an_event),
        cmocka_unit_test(maria_transactions_have_no_begin),
        cmocka_unit_test(tables_that_changed_are_refused),
        cmocka_unit_test(checksums_are_verified),
        cmocka_unit_test(places_parse_or_say_why),
    };
    return cmocka_run_group_tests_name("binlog_stream", tests, NULL, NULL);
}
