// SPDX-License-Identifier: MIT
/*
 * test_pgoutput.c - transactions, relations and rows: what each message becomes, and what is
 * refused.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pgoutput_kit.h"

#define BATCH_BYTES (4u << 20)
#define INT4        23
#define TEXT        25
#define OID         100

static const struct kit_column keyed[] = {
    {"id", INT4, -1, true}, {"v", TEXT, -1, false}, {"w", TEXT, -1, false}};
static const struct kit_column full[] = {
    {"id", INT4, -1, true}, {"v", TEXT, -1, true}, {"w", TEXT, -1, true}};

/* A transaction that is open, with table OID described. */
static void open_with_table(struct kit *kit, char identity)
{
    kit_open(kit, BATCH_BYTES, 0);
    kit_begin(kit, 0x10, 7);
    assert_int_equal(kit_decode(kit), MR_PG_DECODED);
    kit_relation(kit, OID, "t", identity, identity == 'f' ? full : keyed, 3);
    assert_int_equal(kit_decode(kit), MR_PG_DECODED);
}

static void insert(struct kit *kit, int32_t id, const char *v)
{
    kit_row(kit, 'I', OID, 'N');
    kit_tuple(kit, (struct kit_cell[]){{'i', NULL, id}, {'b', v, 0}, {'n', NULL, 0}}, 3);
}

static void commit(struct kit *kit)
{
    kit_commit(kit, 0x10, 0x20);
    assert_int_equal(kit_decode(kit), MR_PG_DECODED);
}

/* ---- Rows. ---- */

static const struct row_case {
    const char *label;
    char identity;
    char tag;
    char first; /* tag of the first tuple */
    struct kit_cell old_row[3];
    struct kit_cell new_row[3];
    const char *expect; /* NULL: refused */
} row_cases[] = {
    {"insert",
     'd',
     'I',
     'N',
     {{0}},
     {{'i', NULL, 1}, {'b', "a", 0}, {'n', NULL, 0}},
     "insert 1|a|-\n"},
    {"insert in text form",
     'd',
     'I',
     'N',
     {{0}},
     {{'i', NULL, 1}, {'t', "a", 0}, {'t', "", 0}},
     "insert 1|a|\n"},
    {"insert of an integer in text form",
     'd',
     'I',
     'N',
     {{0}},
     {{'t', "1", 0}, {'t', "a", 0}, {'n', NULL, 0}},
     NULL},
    {"insert with an unchanged value",
     'd',
     'I',
     'N',
     {{0}},
     {{'i', NULL, 1}, {'u', NULL, 0}, {'n', NULL, 0}},
     NULL},
    {"insert with a null key",
     'd',
     'I',
     'N',
     {{0}},
     {{'n', NULL, 0}, {'n', NULL, 0}, {'n', NULL, 0}},
     NULL},
    {"insert of an integer that is too short",
     'd',
     'I',
     'N',
     {{0}},
     {{'b', "abc", 0}, {'n', NULL, 0}, {'n', NULL, 0}},
     NULL},
    {"insert of text that is not UTF-8",
     'd',
     'I',
     'N',
     {{0}},
     {{'i', NULL, 1}, {'b', "\xff", 0}, {'n', NULL, 0}},
     NULL},
    {"insert with an unknown kind",
     'd',
     'I',
     'N',
     {{0}},
     {{'i', NULL, 1}, {'x', NULL, 0}, {'n', NULL, 0}},
     NULL},
    {"insert with an old row",
     'd',
     'I',
     'K',
     {{0}},
     {{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}},
     NULL},
    {"update, key as it was",
     'd',
     'U',
     'N',
     {{0}},
     {{'i', NULL, 1}, {'b', "a", 0}, {'u', NULL, 0}},
     "update 1|a|~\n"},
    {"update of the key",
     'd',
     'U',
     'K',
     {{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}},
     {{'i', NULL, 2}, {'b', "a", 0}, {'u', NULL, 0}},
     "update 2|a|~ was 1\n"},
    {"update with a key that only looks changed",
     'd',
     'U',
     'K',
     {{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}},
     {{'u', NULL, 0}, {'b', "a", 0}, {'n', NULL, 0}},
     "update 1|a|-\n"},
    {"update with an unknown tuple",
     'd',
     'U',
     'X',
     {{0}},
     {{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}},
     NULL},
    {"update, old row whole, keyless",
     'f',
     'U',
     'O',
     {{'i', NULL, 1}, {'b', "a", 0}, {'b', "big", 0}},
     {{'i', NULL, 1}, {'b', "b", 0}, {'u', NULL, 0}},
     "update 1|b|big was 1|a|big\n"},
    {"update without an old row, keyless",
     'f',
     'U',
     'N',
     {{0}},
     {{'i', NULL, 1}, {'b', "b", 0}, {'n', NULL, 0}},
     NULL},
    {"update with a key row, keyless",
     'n',
     'U',
     'K',
     {{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}},
     {{'i', NULL, 1}, {'b', "b", 0}, {'n', NULL, 0}},
     NULL},
    {"delete by key",
     'd',
     'D',
     'K',
     {{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}},
     {{0}},
     "delete was 1\n"},
    {"delete by key, old row whole",
     'i',
     'D',
     'O',
     {{'i', NULL, 1}, {'b', "a", 0}, {'n', NULL, 0}},
     {{0}},
     "delete was 1\n"},
    {"delete without its key",
     'd',
     'D',
     'K',
     {{'n', NULL, 0}, {'n', NULL, 0}, {'n', NULL, 0}},
     {{0}},
     NULL},
    {"delete, keyless",
     'f',
     'D',
     'O',
     {{'i', NULL, 1}, {'b', "a", 0}, {'n', NULL, 0}},
     {{0}},
     "delete was 1|a|-\n"},
    {"delete by key, keyless",
     'f',
     'D',
     'K',
     {{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}},
     {{0}},
     NULL},
    {"delete with a new row",
     'd',
     'D',
     'N',
     {{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}},
     {{0}},
     NULL},
};

static void write_row_case(struct kit *kit, const struct row_case *c)
{
    kit_row(kit, c->tag, OID, c->first);
    if (c->old_row[0].kind != 0) {
        kit_tuple(kit, c->old_row, 3);
        if (c->new_row[0].kind != 0) {
            kit_u8(kit, 'N');
        }
    }
    if (c->new_row[0].kind != 0) {
        kit_tuple(kit, c->new_row, 3);
    }
}

static void rows_become_events_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(row_cases); i++) {
        const struct row_case *c = &row_cases[i];
        struct kit kit;
        char expected[256];
        print_message("    %s\n", c->label);
        open_with_table(&kit, c->identity);
        if (c->identity == 'n') {
            kit_relation(&kit, OID, "t", 'n',
                         (struct kit_column[]){{"id", INT4, -1, false},
                                               {"v", TEXT, -1, false},
                                               {"w", TEXT, -1, false}},
                         3);
            assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
        }
        write_row_case(&kit, c);
        const enum mr_pg_decoded decoded = kit_decode(&kit);
        assert_int_equal(decoded, c->expect != NULL ? MR_PG_DECODED : MR_PG_FAILED);
        if (decoded == MR_PG_DECODED) {
            commit(&kit);
            (void)snprintf(expected, sizeof(expected), "7 {\n%s} 20\n", c->expect);
            assert_string_equal(kit_print(&kit), expected);
        } else {
            assert_non_null(strstr(kit.err.message, "transaction 7 that commits at 0/10"));
            assert_int_equal(kit.batch->row_count, 0);
        }
        kit_close(&kit);
    }
}

/* A message that is cut anywhere, or has a byte too many, is refused and leaves no row behind. */
static void short_and_long_messages_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(row_cases); i++) {
        const struct row_case *c = &row_cases[i];
        struct kit kit;
        if (c->expect == NULL) {
            continue;
        }
        open_with_table(&kit, c->identity);
        write_row_case(&kit, c);
        const size_t length = kit.message.length;
        uint8_t *bytes = malloc(length + 1);
        assert_non_null(bytes);
        memcpy(bytes, kit.message.bytes, length);
        bytes[length] = 'x';
        for (size_t cut = 0; cut <= length + 1; cut++) {
            if (cut == length) {
                continue;
            }
            struct mr_error err = {0};
            /* A copy of just that size: a sanitizer sees a read past its end. */
            uint8_t *exact = malloc(cut == 0 ? 1 : cut);
            assert_non_null(exact);
            memcpy(exact, bytes, cut);
            assert_int_equal(mr_pgoutput_decode(&kit.decoder, kit.batch, exact, cut, &err),
                             MR_PG_FAILED);
            assert_int_equal(err.code, MR_E_PROTOCOL);
            free(exact);
        }
        assert_int_equal(kit.batch->row_count, 0);
        assert_int_equal(kit_decode(&kit), MR_PG_DECODED); /* and the whole one still goes */
        free(bytes);
        kit_close(&kit);
    }
}

/* ---- Transactions. ---- */

static void transactions_have_their_marks(void **state)
{
    (void)state;
    struct kit kit;
    open_with_table(&kit, 'd');
    kit_u8(&kit, 'O');
    kit_u64(&kit, 5);
    kit_text(&kit, "elsewhere");
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    insert(&kit, 1, "a");
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    commit(&kit);
    kit_begin(&kit, 0x30, 8); /* nothing of ours in it */
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_commit(&kit, 0x30, 0x40);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    assert_string_equal(kit_print(&kit), "7 {\ninsert 1|a|-\n} 20\n");
    assert_int_equal(kit.decoder.end_lsn, 0x40);
    const struct mr_transaction *transaction = &kit.batch->transactions[0];
    assert_int_equal(transaction->commit_us, MR_PG_EPOCH_US + 1);
    assert_true(mr_slice_equals(kit.batch->origins[transaction->origin], mr_slice_of("elsewhere")));
    kit_close(&kit);
}

static void what_was_had_is_stepped_over(void **state)
{
    (void)state;
    struct kit kit;
    kit_open(&kit, BATCH_BYTES, 0x20);
    kit_begin(&kit, 0x10, 7);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_relation(&kit, OID, "t", 'd', keyed, 3);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    insert(&kit, 1, "a");
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    commit(&kit);
    kit_begin(&kit, 0x20, 8);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    insert(&kit, 2, "b");
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_commit(&kit, 0x20, 0x30);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    assert_string_equal(kit_print(&kit), "8 {\ninsert 2|b|-\n} 30\n");
    kit_close(&kit);
}

static void a_batch_that_is_handed_on_early_is_continued(void **state)
{
    (void)state;
    struct kit kit;
    open_with_table(&kit, 'd');
    insert(&kit, 1, "a");
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    mr_pgoutput_hand_on(&kit.decoder, kit.batch);
    assert_true(kit.batch->continued);
    assert_false(kit.batch->continues);
    assert_string_equal(kit_print(&kit), "7 {\ninsert 1|a|-\n} 0\n");
    mr_batch_release(kit.batch);
    kit.batch = mr_batch_take(kit.pool, 0);
    /* Nothing but the commit is left: it still has to come. */
    commit(&kit);
    assert_true(kit.batch->continues);
    assert_false(kit.batch->continued);
    assert_string_equal(kit_print(&kit), "7 {\n} 20\n");
    kit_close(&kit);
}

static void a_full_batch_takes_a_message_whole_or_not(void **state)
{
    (void)state;
    struct kit kit;
    char text[901];
    memset(text, 'x', 900);
    text[900] = '\0';
    kit_open(&kit, 64 << 10, 0);
    kit_begin(&kit, 0x10, 7);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_relation(&kit, OID, "t", 'd', keyed, 3);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    uint32_t rows = 0;
    uint32_t batches = 0;
    for (int32_t id = 0; id < 1000; id++) {
        kit_row(&kit, 'U', OID, 'K');
        kit_tuple(&kit, (struct kit_cell[]){{'i', NULL, id}, {'n', NULL, 0}, {'n', NULL, 0}}, 3);
        kit_u8(&kit, 'N');
        kit_tuple(&kit, (struct kit_cell[]){{'i', NULL, id + 1}, {'b', text, 0}, {'b', text, 0}},
                  3);
        enum mr_pg_decoded decoded = kit_decode(&kit);
        if (decoded == MR_PG_BATCH_FULL) {
            uint32_t in_chunks = 0;
            for (uint32_t i = 0; i < kit.batch->chunk_count; i++) {
                in_chunks += kit.batch->chunks[i]->row_count;
            }
            assert_int_equal(in_chunks, 2 * kit.batch->row_count); /* before and after */
            rows += kit.batch->row_count;
            batches++;
            kit_next_batch(&kit);
            decoded = kit_decode(&kit);
        }
        assert_int_equal(decoded, MR_PG_DECODED);
    }
    commit(&kit);
    assert_int_equal(rows + kit.batch->row_count, 1000);
    assert_true(batches > 10);
    kit_close(&kit);
}

/* ---- Refusals. ---- */

enum step {
    BEGIN_AGAIN,
    COMMIT_TWICE,
    ROW_OUTSIDE,
    UNKNOWN_TAG,
    MESSAGE_SHORT,
    UNKNOWN_RELATION,
    ZERO_LSN,
    COMMIT_ELSEWHERE,
    COMMIT_FLAGS,
    LATE_ORIGIN,
    TRUNCATE_SHORT,
    STREAM_START,
    LARGE_VALUE,
    TRUNCATE_UNKNOWN,
    STEP_COUNT
};

static void write_wrong_step(struct kit *kit, enum step step)
{
    static char large[1002];
    memset(large, 'x', sizeof(large) - 1);
    switch (step) {
    case BEGIN_AGAIN:
        kit_begin(kit, 0x20, 9);
        break;
    case COMMIT_TWICE:
        commit(kit);
        kit_commit(kit, 0x10, 0x20);
        break;
    case ROW_OUTSIDE:
        commit(kit);
        insert(kit, 1, "a");
        break;
    case UNKNOWN_TAG:
        kit_u8(kit, '?');
        break;
    case MESSAGE_SHORT:
        kit_u8(kit, 'M');
        break;
    case UNKNOWN_RELATION:
        kit_row(kit, 'I', OID + 1, 'N');
        break;
    case ZERO_LSN:
        commit(kit);
        kit_begin(kit, 0, 9);
        break;
    case COMMIT_ELSEWHERE:
        kit_commit(kit, 0x11, 0x20);
        break;
    case COMMIT_FLAGS:
        kit_commit(kit, 0x10, 0x20);
        kit->message.bytes[1] = 1;
        break;
    case LATE_ORIGIN:
        insert(kit, 1, "a");
        assert_int_equal(kit_decode(kit), MR_PG_DECODED);
        kit_u8(kit, 'O');
        kit_u64(kit, 5);
        kit_text(kit, "late");
        break;
    case TRUNCATE_SHORT:
        kit_u8(kit, 'T');
        kit_u32(kit, UINT32_MAX);
        kit_u8(kit, 0);
        kit_u32(kit, OID);
        break;
    case STREAM_START:
        kit_u8(kit, 'S');
        kit_u32(kit, 1);
        kit_u8(kit, 1);
        break;
    case LARGE_VALUE:
        insert(kit, 1, large);
        break;
    case TRUNCATE_UNKNOWN:
        kit_u8(kit, 'T');
        kit_u32(kit, 1);
        kit_u8(kit, 0);
        kit_u32(kit, OID + 1);
        break;
    case STEP_COUNT:
        break;
    }
}

static void what_is_out_of_place_is_refused(void **state)
{
    (void)state;
    for (enum step step = BEGIN_AGAIN; step < STEP_COUNT; step++) {
        struct kit kit;
        open_with_table(&kit, 'd');
        write_wrong_step(&kit, step);
        assert_int_equal(kit_decode(&kit), MR_PG_FAILED);
        print_message("    %s\n", kit.err.message);
        assert_int_equal(kit.err.code, step == LARGE_VALUE ? MR_E_LIMIT : MR_E_PROTOCOL);
        assert_int_equal(kit.err.recovery, MR_STOP);
        kit_close(&kit);
    }
}

/* ---- Relations. ---- */

static void a_new_description_replaces_the_old_one(void **state)
{
    (void)state;
    struct kit kit;
    static const struct kit_column wider[] = {{"id", INT4, -1, true}, {"n", 1700, 786438, false}};
    open_with_table(&kit, 'd');
    insert(&kit, 1, "a");
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_relation(&kit, OID, "t", 'd', wider, 2);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    const struct mr_schema *schema = mr_catalog_latest(kit.decoder.catalog, "public", "t");
    assert_int_equal(schema->version, 2);
    assert_string_equal(schema->columns[1].source_type, "numeric(12,2)");
    assert_int_equal(schema->columns[1].type, MR_TYPE_DECIMAL);
    insert(&kit, 2, "b"); /* three columns: the old shape */
    assert_int_equal(kit_decode(&kit), MR_PG_FAILED);
    kit_close(&kit);
}

/* A type of which nothing is known is text, and asked of the server value by value. */
static void a_foreign_type_is_named_when_nobody_can_be_asked(void **state)
{
    (void)state;
    struct kit kit;
    static const struct kit_column odd[] = {{"id", INT4, -1, true}, {"odd", 99999, -1, false}};
    static const struct kit_cell cells[] = {{.kind = 'i', .number = 1}, {.kind = 'b', .text = "?"}};
    open_with_table(&kit, 'd');
    kit_relation(&kit, OID + 1, "strange", 'd', odd, 2);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_row(&kit, 'I', OID + 1, 'N');
    kit_tuple(&kit, cells, 2);
    assert_int_equal(kit_decode(&kit), MR_PG_FAILED);
    assert_int_equal(kit.err.code, MR_E_TYPE);
    assert_non_null(strstr(kit.err.message, "strange"));
    assert_non_null(strstr(kit.err.message, "odd"));
    kit_close(&kit);
}

static bool print_doubled(void *context, uint32_t oid, struct mr_slice wire, struct mr_arena *arena,
                          struct mr_slice *text, struct mr_error *err)
{
    (void)context;
    (void)err;
    assert_int_equal(oid, 99999);
    uint8_t *copy = mr_arena_alloc(arena, wire.length * 2, 1);
    memcpy(copy, wire.bytes, wire.length);
    memcpy(copy + wire.length, wire.bytes, wire.length);
    *text = (struct mr_slice){copy, wire.length * 2};
    return true;
}

static void a_foreign_type_is_printed_by_the_server(void **state)
{
    (void)state;
    struct kit kit;
    static const struct kit_column odd[] = {{"id", INT4, -1, true}, {"odd", 99999, -1, false}};
    static const struct kit_cell cells[] = {{.kind = 'i', .number = 1},
                                            {.kind = 'b', .text = "ab"}};
    open_with_table(&kit, 'd');
    kit.decoder.describer.print = print_doubled;
    kit_relation(&kit, OID + 1, "strange", 'd', odd, 2);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_row(&kit, 'I', OID + 1, 'N');
    kit_tuple(&kit, cells, 2);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    assert_non_null(strstr(kit_print(&kit), "abab"));
    /* One without a binary form comes as text. */
    static const struct kit_cell text[] = {{.kind = 'i', .number = 1},
                                           {.kind = 't', .text = "as it is"}};
    kit_row(&kit, 'I', OID + 1, 'N');
    kit_tuple(&kit, text, 2);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    assert_non_null(strstr(kit_print(&kit), "as it is"));
    kit_close(&kit);
}

/* ---- on_type_error: a text that is not UTF-8, in the second column. ---- */

static const struct policy_case {
    const char *label;
    enum mr_on_type_error on_type_error;
    bool in_key; /* the column is */
    enum mr_pg_decoded decoded;
    uint32_t notes;
    uint32_t nulled;
} policy_cases[] = {
    {"stop", MR_ON_TYPE_ERROR_STOP, false, MR_PG_FAILED, 0, 0},
    {"text, which a text is already", MR_ON_TYPE_ERROR_TEXT, false, MR_PG_FAILED, 0, 0},
    {"null", MR_ON_TYPE_ERROR_NULL, false, MR_PG_DECODED, 0, 1},
    {"null, in the key", MR_ON_TYPE_ERROR_NULL, true, MR_PG_FAILED, 0, 0},
    {"quarantine", MR_ON_TYPE_ERROR_QUARANTINE, false, MR_PG_DECODED, 1, 0},
    {"quarantine, in the key", MR_ON_TYPE_ERROR_QUARANTINE, true, MR_PG_DECODED, 1, 0},
};

static void check_policy(const struct policy_case *c)
{
    struct kit kit;
    struct mr_table_policy tables[] = {{.match = "s.public.t", .on_type_error = c->on_type_error}};
    const struct mr_policies policies = {.tables = tables, .table_count = 1};
    const struct kit_column columns[] = {{"id", INT4, -1, !c->in_key}, {"v", TEXT, -1, c->in_key}};
    const struct kit_cell bad[] = {{'i', NULL, 1}, {'b', "\xff", 0}};
    const struct kit_cell good[] = {{'i', NULL, 2}, {'b', "good", 0}};
    struct mr_nulled_count count = {0};
    struct mr_nulled *nulled = mr_nulled_open();
    kit_open(&kit, BATCH_BYTES, 0);
    kit.decoder.source = "s";
    kit.decoder.policies = &policies;
    kit.decoder.nulled = nulled;
    kit_begin(&kit, 0x10, 7);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_relation(&kit, OID, "t", 'd', columns, 2);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_row(&kit, 'I', OID, 'N');
    kit_tuple(&kit, bad, 2);
    assert_int_equal(kit_decode(&kit), c->decoded);
    assert_int_equal(kit.err.code, c->decoded == MR_PG_FAILED ? MR_E_TYPE : MR_OK);
    assert_int_equal(kit.batch->note_count, c->notes);
    assert_int_equal(mr_nulled_get(nulled, 0, &count), c->nulled > 0);
    assert_int_equal(count.count, c->nulled);
    if (c->notes > 0) {
        const struct mr_note *note = &kit.batch->notes[0];
        assert_int_equal(note->kind, MR_NOTE_QUARANTINE);
        assert_string_equal(note->before->table, "t");
        assert_non_null(memmem(note->text.bytes, note->text.length, "\"v\"", 3));
        assert_int_equal(kit.batch->row_count, 0);
    }
    if (c->decoded == MR_PG_DECODED) { /* what follows is sent in any case */
        kit_row(&kit, 'I', OID, 'N');
        kit_tuple(&kit, good, 2);
        assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
        commit(&kit);
        assert_non_null(strstr(kit_print(&kit), "good"));
    }
    kit_close(&kit);
    mr_nulled_close(nulled);
}

static void values_that_do_not_fit_follow_their_policy(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(policy_cases); i++) {
        print_message("    %s\n", policy_cases[i].label);
        check_policy(&policy_cases[i]);
    }
}

static void tables_that_do_not_match_are_left_out(void **state)
{
    (void)state;
    struct kit kit;
    const char *patterns[] = {"public.other*"};
    kit_open(&kit, BATCH_BYTES, 0);
    kit.include = (struct mr_string_list){patterns, 1};
    kit_begin(&kit, 0x10, 7);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_relation(&kit, OID, "t", 'd', keyed, 3);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    insert(&kit, 1, "a");
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_u8(&kit, 'T');
    kit_u32(&kit, 1);
    kit_u8(&kit, 3);
    kit_u32(&kit, OID);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    commit(&kit);
    assert_int_equal(kit.batch->transaction_count, 0);
    assert_int_equal(mr_catalog_count(kit.decoder.catalog), 0);
    kit_close(&kit);
}

static bool describe_not_null(void *context, struct mr_pg_table *table, struct mr_arena *arena,
                              struct mr_error *err)
{
    (void)context;
    (void)arena;
    (void)err;
    for (uint16_t i = 0; i < table->column_count; i++) {
        table->columns[i].known = true;
        table->columns[i].is_not_null = true;
        table->columns[i].base_oid = table->columns[i].type_oid;
        table->columns[i].base_modifier = table->columns[i].modifier;
    }
    return true;
}

/* The catalogs say NOT NULL, which became true after the rows that are in the log. */
static void catalogs_ahead_of_the_log_give_way(void **state)
{
    (void)state;
    struct kit kit;
    kit_open(&kit, BATCH_BYTES, 0);
    kit.decoder.describer.describe = describe_not_null;
    kit_begin(&kit, 0x10, 7);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_relation(&kit, OID, "t", 'd', keyed, 3);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    assert_false(mr_catalog_latest(kit.decoder.catalog, "public", "t")->columns[2].nullable);
    kit_row(&kit, 'I', OID, 'N');
    kit_tuple(&kit, (struct kit_cell[]){{'i', NULL, 1}, {'n', NULL, 0}, {'n', NULL, 0}}, 3);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    commit(&kit);
    assert_string_equal(kit_print(&kit), "7 {\ninsert 1|-|-\n} 20\n");
    const struct mr_schema *schema = mr_catalog_latest(kit.decoder.catalog, "public", "t");
    assert_int_equal(schema->version, 3);
    assert_true(schema->columns[1].nullable && schema->columns[2].nullable);
    kit_close(&kit);
}

static void truncates_are_one_event_a_table(void **state)
{
    (void)state;
    struct kit kit;
    open_with_table(&kit, 'd');
    kit_relation(&kit, OID + 1, "u", 'd', keyed, 3);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    kit_u8(&kit, 'T');
    kit_u32(&kit, 2);
    kit_u8(&kit, 0);
    kit_u32(&kit, OID);
    kit_u32(&kit, OID + 1);
    assert_int_equal(kit_decode(&kit), MR_PG_DECODED);
    commit(&kit);
    assert_string_equal(kit_print(&kit), "7 {\ntruncate t\ntruncate u\n} 20\n");
    kit_close(&kit);
}

/* ---- Positions. ---- */

static const struct lsn_case {
    const char *text;
    bool ok;
    uint64_t lsn;
} lsn_cases[] = {
    {"0/0", true, 0},
    {"16/B374D848", true, UINT64_C(0x16B374D848)},
    {"ffffffff/FFFFFFFF", true, UINT64_MAX},
    {"", false, 0},
    {"1", false, 0},
    {"/1", false, 0},
    {"1/", false, 0},
    {"1/123456789", false, 0},
    {"1/g", false, 0},
    {"1/2/3", false, 0},
};

static void positions_are_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(lsn_cases); i++) {
        const struct lsn_case *c = &lsn_cases[i];
        uint64_t lsn = 0;
        char text[MR_PG_LSN_TEXT_BYTES];
        assert_int_equal(mr_pg_lsn_parse(c->text, &lsn), c->ok);
        assert_true(lsn == c->lsn);
        mr_pg_lsn_format(lsn, text);
        if (c->ok) {
            assert_int_equal(strcasecmp(text, c->text), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_events_or_say_why),
        cmocka_unit_test(short_and_long_messages_are_refused),
        cmocka_unit_test(transactions_have_their_marks),
        cmocka_unit_test(what_was_had_is_stepped_over),
        cmocka_unit_test(a_batch_that_is_handed_on_early_is_continued),
        cmocka_unit_test(a_full_batch_takes_a_message_whole_or_not),
        cmocka_unit_test(what_is_out_of_place_is_refused),
        cmocka_unit_test(a_new_description_replaces_the_old_one),
        cmocka_unit_test(a_foreign_type_is_named_when_nobody_can_be_asked),
        cmocka_unit_test(a_foreign_type_is_printed_by_the_server),
        cmocka_unit_test(values_that_do_not_fit_follow_their_policy),
        cmocka_unit_test(tables_that_do_not_match_are_left_out),
        cmocka_unit_test(catalogs_ahead_of_the_log_give_way),
        cmocka_unit_test(truncates_are_one_event_a_table),
        cmocka_unit_test(positions_are_read_and_written),
    };
    return cmocka_run_group_tests_name("pgoutput", tests, NULL, NULL);
}
