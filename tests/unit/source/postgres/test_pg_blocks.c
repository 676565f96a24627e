// SPDX-License-Identifier: MIT
/*
 * test_pg_blocks.c - transactions in progress and prepared ones, message by message; what a server
 * really sends is in tests/golden and tests/e2e.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "fake_env.h"
#include "pgoutput_kit.h"

#define BATCH_BYTES (1u << 20)
#define INT4        23
#define TEXT        25
#define OID         100

static const struct kit_column one[] = {{"id", INT4, -1, true}};
static const struct kit_column two[] = {{"id", INT4, -1, true}, {"v", TEXT, -1, false}};

struct bench {
    struct kit kit;
    struct mr_fake_env *fake;
    struct mr_pg_spool *spool;
};

static void open_bench(struct bench *bench, uint64_t resume_lsn)
{
    struct mr_error err = {0};
    bench->fake = mr_fake_env_open(1);
    const struct mr_env *env = mr_fake_env_as_env(bench->fake);
    const int dir_fd = env->open_dir(env, MR_ENV_CWD, ".");
    bench->spool = mr_pg_spool_open(env, dir_fd, "s", &err);
    assert_non_null(bench->spool);
    (void)env->close(env, dir_fd);
    kit_open(&bench->kit, BATCH_BYTES, resume_lsn);
    bench->kit.decoder.spool = bench->spool;
    bench->kit.decoder.keeps_relations = true;
}

static void close_bench(struct bench *bench)
{
    kit_close(&bench->kit);
    mr_pg_spool_close(bench->spool);
    assert_int_equal(mr_fake_env_open_count(bench->fake), 0);
    mr_fake_env_close(bench->fake);
}

/* ---- Steps, so that a case is a list of them. ---- */

enum verb {
    END, /* of the list */
    BEGIN,
    COMMIT,
    START,
    GO_ON, /* a Stream Start that is not the first */
    STOP,
    STREAM_COMMIT,
    ABORT,
    BEGIN_PREPARE,
    PREPARE,
    STREAM_PREPARE,
    COMMIT_PREPARED,
    ROLLBACK_PREPARED,
    TABLE_ONE, /* a Relation of one column */
    TABLE_TWO,
    ROW_ONE, /* an Insert of one column: id */
    ROW_TWO,
    TRUNCATE,
    MESSAGE, /* transactional */
    ALONE,   /* not transactional; lsn */
    ORIGIN,
};

/* xid: of the message, where it has one; number: lsn, id, or sub-transaction, as the verb wants. */
struct step {
    enum verb verb;
    uint32_t xid;
    uint32_t number;
};

static void write_head(struct kit *kit, char tag, uint32_t xid)
{
    kit_u8(kit, (uint8_t)tag);
    if (xid != 0) {
        kit_u32(kit, xid);
    }
}

static void write_relation(struct kit *kit, uint32_t xid, const struct kit_column *columns,
                           uint16_t count)
{
    write_head(kit, 'R', xid);
    kit_u32(kit, OID);
    kit_text(kit, "public");
    kit_text(kit, "t");
    kit_u8(kit, 'd');
    kit_u16(kit, count);
    for (uint16_t i = 0; i < count; i++) {
        kit_u8(kit, columns[i].in_identity ? 1 : 0);
        kit_text(kit, columns[i].name);
        kit_u32(kit, columns[i].type);
        kit_u32(kit, (uint32_t)columns[i].modifier);
    }
}

static void write_row(struct kit *kit, const struct step *step)
{
    static const struct kit_cell v = {'b', "v", 0};
    const struct kit_cell cells[] = {{'i', NULL, (int32_t)step->number}, v};
    write_head(kit, 'I', step->xid);
    kit_u32(kit, OID);
    kit_u8(kit, 'N');
    kit_tuple(kit, cells, step->verb == ROW_TWO ? 2 : 1);
}

static void write_end(struct kit *kit, uint32_t lsn)
{
    kit_u8(kit, 0);
    kit_u64(kit, lsn);
    kit_u64(kit, lsn + 8);
    kit_u64(kit, 1);
}

static void write_prepared(struct kit *kit, char tag, uint32_t lsn, uint32_t xid)
{
    kit_u8(kit, (uint8_t)tag);
    if (tag != 'b') {
        kit_u8(kit, 0);
    }
    kit_u64(kit, lsn);
    kit_u64(kit, lsn + 8);
    kit_u64(kit, 1);
    if (tag == 'r') {
        kit_u64(kit, 1);
    }
    kit_u32(kit, xid);
    kit_text(kit, "gid");
}

static void write_message(struct kit *kit, uint32_t xid, uint8_t flags, uint32_t lsn)
{
    write_head(kit, 'M', xid);
    kit_u8(kit, flags);
    kit_u64(kit, lsn);
    kit_text(kit, "p");
    kit_u32(kit, 2);
    kit_u8(kit, 'h');
    kit_u8(kit, 'i');
}

static void write_step(struct kit *kit, const struct step *step)
{
    switch (step->verb) {
    case END:
        break;
    case BEGIN:
        kit_begin(kit, step->number, step->xid);
        break;
    case COMMIT:
        kit_commit(kit, step->number, step->number + 8);
        break;
    case START:
    case GO_ON:
        write_head(kit, 'S', step->xid);
        kit_u8(kit, step->verb == START ? 1 : 0);
        break;
    case STOP:
        kit_u8(kit, 'E');
        break;
    case STREAM_COMMIT:
        write_head(kit, 'c', step->xid);
        write_end(kit, step->number);
        break;
    case ABORT:
        write_head(kit, 'A', step->xid);
        kit_u32(kit, step->number);
        break;
    case BEGIN_PREPARE:
    case PREPARE:
    case STREAM_PREPARE:
    case COMMIT_PREPARED:
    case ROLLBACK_PREPARED: {
        static const char tags[] = {'b', 'P', 'p', 'K', 'r'};
        write_prepared(kit, tags[step->verb - BEGIN_PREPARE], step->number, step->xid);
        break;
    }
    case TABLE_ONE:
    case TABLE_TWO:
        write_relation(kit, step->xid, step->verb == TABLE_ONE ? one : two,
                       step->verb == TABLE_ONE ? 1 : 2);
        break;
    case ROW_ONE:
    case ROW_TWO:
        write_row(kit, step);
        break;
    case TRUNCATE:
        write_head(kit, 'T', step->xid);
        kit_u32(kit, 1);
        kit_u8(kit, 0);
        kit_u32(kit, OID);
        break;
    case MESSAGE:
        write_message(kit, step->xid, 1, step->number);
        break;
    case ALONE:
        write_message(kit, step->xid, 0, step->number);
        break;
    case ORIGIN:
        kit_u8(kit, 'O');
        kit_u64(kit, 1);
        kit_text(kit, "elsewhere");
        break;
    }
}

#define STEPS_MAX 24

static const struct block_case {
    const char *label;
    uint64_t resume_lsn;
    bool refuses_foreign;
    struct step steps[STEPS_MAX];
    const char *expect; /* NULL: the last step is refused */
} cases[] = {
    {"streams interleave and take their commits' places",
     0,
     false,
     {{START, 5, 0},
      {TABLE_ONE, 5, 0},
      {ROW_ONE, 5, 1},
      {STOP, 0, 0},
      {START, 6, 0},
      {TABLE_ONE, 6, 0},
      {ROW_ONE, 6, 2},
      {STOP, 0, 0},
      {BEGIN, 7, 0x10},
      {TABLE_ONE, 0, 0},
      {ROW_ONE, 0, 3},
      {COMMIT, 0, 0x10},
      {GO_ON, 5, 0},
      {ROW_ONE, 5, 4},
      {STOP, 0, 0},
      {STREAM_COMMIT, 6, 0x20},
      {STREAM_COMMIT, 5, 0x30}},
     "7 {\ninsert 3\n} 18\n6 {\ninsert 2\n} 28\n5 {\ninsert 1\ninsert 4\n} 38\n"},
    {"an abort drops all of it",
     0,
     false,
     {{START, 5, 0},
      {TABLE_ONE, 5, 0},
      {ROW_ONE, 5, 1},
      {STOP, 0, 0},
      {ABORT, 5, 5},
      {ABORT, 9, 9}},
     ""},
    {"an abort of a sub-transaction drops what came since it began",
     0,
     false,
     {{START, 5, 0},
      {TABLE_ONE, 5, 0},
      {ROW_ONE, 5, 1},
      {ROW_ONE, 6, 2},
      {ROW_ONE, 7, 3},
      {STOP, 0, 0},
      {ABORT, 5, 7},
      {GO_ON, 5, 0},
      {ROW_ONE, 6, 4},
      {ROW_ONE, 8, 5},
      {STOP, 0, 0},
      {ABORT, 5, 8},
      {GO_ON, 5, 0},
      {ROW_ONE, 5, 6},
      {STOP, 0, 0},
      {STREAM_COMMIT, 5, 0x10}},
     "5 {\ninsert 1\ninsert 2\ninsert 4\ninsert 6\n} 18\n"},
    {"a table changes within, and is known afterwards",
     0,
     false,
     {{BEGIN, 4, 0x10},
      {TABLE_ONE, 0, 0},
      {ROW_ONE, 0, 1},
      {COMMIT, 0, 0x10},
      {START, 5, 0},
      {TABLE_ONE, 5, 0},
      {ROW_ONE, 5, 2},
      {TABLE_TWO, 5, 0},
      {ROW_TWO, 5, 3},
      {STOP, 0, 0},
      {BEGIN, 6, 0x20},
      {ROW_ONE, 0, 4},
      {COMMIT, 0, 0x20},
      {STREAM_COMMIT, 5, 0x30},
      {BEGIN, 7, 0x40},
      {ROW_TWO, 0, 5},
      {COMMIT, 0, 0x40}},
     "4 {\ninsert 1\n} 18\n6 {\ninsert 4\n} 28\n5 {\ninsert 2\nnote 2 <alter> <>\ninsert 3|v\n} "
     "38\n"
     "7 {\ninsert 5|v\n} 48\n"},
    {"what was described later than in the stream stays",
     0,
     false,
     {{START, 5, 0},
      {TABLE_ONE, 5, 0},
      {ROW_ONE, 5, 1},
      {STOP, 0, 0},
      {BEGIN, 6, 0x10},
      {TABLE_TWO, 0, 0},
      {ROW_TWO, 0, 2},
      {COMMIT, 0, 0x10},
      {STREAM_COMMIT, 5, 0x20},
      {BEGIN, 7, 0x30},
      {ROW_TWO, 0, 3},
      {COMMIT, 0, 0x30}},
     "6 {\ninsert 2|v\n} 18\n5 {\ninsert 1\n} 28\n7 {\ninsert 3|v\n} 38\n"},
    {"a description in an aborted stream counts for nothing",
     0,
     false,
     {{BEGIN, 4, 0x10},
      {TABLE_ONE, 0, 0},
      {COMMIT, 0, 0x10},
      {START, 5, 0},
      {TABLE_TWO, 5, 0},
      {ROW_TWO, 5, 1},
      {STOP, 0, 0},
      {ABORT, 5, 5},
      {BEGIN, 6, 0x20},
      {ROW_ONE, 0, 2},
      {COMMIT, 0, 0x20}},
     "6 {\ninsert 2\n} 28\n"},
    {"a prepared one waits, relies on what was known, and changes nothing known",
     0,
     false,
     {{BEGIN, 4, 0x10},
      {TABLE_ONE, 0, 0},
      {COMMIT, 0, 0x10},
      {BEGIN_PREPARE, 5, 0x20},
      {ROW_ONE, 0, 1},
      {MESSAGE, 0, 0x18},
      {TRUNCATE, 0, 0},
      {PREPARE, 5, 0x20},
      {BEGIN, 6, 0x30},
      {TABLE_TWO, 0, 0},
      {ROW_TWO, 0, 2},
      {COMMIT, 0, 0x30},
      {COMMIT_PREPARED, 5, 0x40},
      {BEGIN, 7, 0x50},
      {ROW_TWO, 0, 3},
      {COMMIT, 0, 0x50}},
     "6 {\nnote 2 <alter> <>\ninsert 2|v\n} 38\n5 {\ninsert 1\nnote 1 <p> <hi>\ntruncate t\n} 48\n"
     "7 {\ninsert 3|v\n} 58\n"},
    {"what a prepared one describes is known at once",
     0,
     false,
     {{BEGIN_PREPARE, 5, 0x20},
      {TABLE_ONE, 0, 0},
      {ROW_ONE, 0, 1},
      {PREPARE, 5, 0x20},
      {BEGIN, 6, 0x30},
      {ROW_ONE, 0, 2},
      {COMMIT, 0, 0x30},
      {ROLLBACK_PREPARED, 5, 0x40},
      {ROLLBACK_PREPARED, 77, 0x50}},
     "6 {\ninsert 2\n} 38\n"},
    {"a streamed one is prepared",
     0,
     false,
     {{START, 5, 0},
      {TABLE_ONE, 5, 0},
      {ROW_ONE, 5, 1},
      {STOP, 0, 0},
      {STREAM_PREPARE, 5, 0x20},
      {COMMIT_PREPARED, 5, 0x30}},
     "5 {\ninsert 1\n} 38\n"},
    {"an empty prepared one moves the position",
     0,
     false,
     {{BEGIN_PREPARE, 5, 0x20}, {PREPARE, 5, 0x20}, {COMMIT_PREPARED, 5, 0x30}},
     ""},
    {"what we have is stepped over, its descriptions are not",
     0x38,
     false,
     {{START, 5, 0},
      {TABLE_ONE, 5, 0},
      {ROW_ONE, 5, 1},
      {STOP, 0, 0},
      {ALONE, 0, 0x10},
      {STREAM_COMMIT, 5, 0x20},
      {COMMIT_PREPARED, 9, 0x30},
      {ALONE, 0, 0x38},
      {BEGIN, 6, 0x40},
      {ROW_ONE, 0, 2},
      {COMMIT, 0, 0x40}},
     "0 {\nnote 1 <p> <hi>\n} 39\n6 {\ninsert 2\n} 48\n"},
    {"a foreign one is left out",
     0,
     true,
     {{BEGIN_PREPARE, 5, 0x20},
      {ORIGIN, 0, 0},
      {TABLE_ONE, 0, 0},
      {ROW_ONE, 0, 1},
      {PREPARE, 5, 0x20},
      {BEGIN, 6, 0x30},
      {ORIGIN, 0, 0},
      {ROW_ONE, 0, 2},
      {MESSAGE, 0, 0x28},
      {COMMIT, 0, 0x30},
      {COMMIT_PREPARED, 5, 0x40},
      {BEGIN, 7, 0x50},
      {ROW_ONE, 0, 3},
      {COMMIT, 0, 0x50}},
     "7 {\ninsert 3\n} 58\n"},
    {"messages in and beside a stream",
     0,
     false,
     {{START, 5, 0},
      {MESSAGE, 5, 0x8},
      {MESSAGE, 6, 0x9},
      {STOP, 0, 0},
      {ALONE, 0, 0x10},
      {ABORT, 5, 6},
      {STREAM_COMMIT, 5, 0x20}},
     "0 {\nnote 1 <p> <hi>\n} 11\n5 {\nnote 1 <p> <hi>\n} 28\n"},
    {"goes on without a beginning", 0, false, {{GO_ON, 5, 0}}, NULL},
    {"begins twice", 0, false, {{START, 5, 0}, {STOP, 0, 0}, {START, 5, 0}}, NULL},
    {"a stream within a stream", 0, false, {{START, 5, 0}, {START, 6, 0}}, NULL},
    {"a transaction within a stream", 0, false, {{START, 5, 0}, {BEGIN, 6, 0x10}}, NULL},
    {"a stream within a transaction", 0, false, {{BEGIN, 6, 0x10}, {START, 5, 0}}, NULL},
    {"a commit of what is not there", 0, false, {{STREAM_COMMIT, 5, 0x10}}, NULL},
    {"a prepared one that is not there", 0, false, {{COMMIT_PREPARED, 5, 0x10}}, NULL},
    {"a stream that ends as prepared", 0, false, {{START, 5, 0}, {PREPARE, 5, 0x10}}, NULL},
    {"a prepared one that ends as a stream",
     0,
     false,
     {{BEGIN_PREPARE, 5, 0x10}, {STOP, 0, 0}},
     NULL},
    {"prepared elsewhere", 0, false, {{BEGIN_PREPARE, 5, 0x10}, {PREPARE, 5, 0x11}}, NULL},
    {"a message of a transaction outside of one", 0, false, {{MESSAGE, 0, 0x10}}, NULL},
    {"a message of none inside one", 0, false, {{BEGIN, 6, 0x20}, {ALONE, 0, 0x10}}, NULL},
    {"a row that nothing describes",
     0,
     false,
     {{START, 5, 0}, {ROW_ONE, 5, 1}, {STOP, 0, 0}, {STREAM_COMMIT, 5, 0x10}},
     NULL},
};

static void each_case_comes_out_as_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        const struct block_case *c = &cases[i];
        struct bench bench;
        print_message("    %s\n", c->label);
        open_bench(&bench, c->resume_lsn);
        bench.kit.decoder.refuses_foreign = c->refuses_foreign;
        enum mr_pg_decoded decoded = MR_PG_DECODED;
        for (const struct step *step = c->steps; step->verb != END; step++) {
            assert_int_equal(decoded, MR_PG_DECODED);
            write_step(&bench.kit, step);
            decoded = kit_decode(&bench.kit);
        }
        if (c->expect == NULL) {
            assert_int_equal(decoded, MR_PG_FAILED);
            assert_int_equal(bench.kit.err.recovery, MR_STOP);
        } else {
            assert_int_equal(decoded, MR_PG_DECODED);
            assert_string_equal(kit_print(&bench.kit), c->expect);
            assert_int_equal(mr_pg_spool_count(bench.spool), 0);
        }
        close_bench(&bench);
    }
}

/* Without a spool nothing of the kind was asked for. */
static void unasked_blocks_are_refused(void **state)
{
    (void)state;
    static const struct step steps[] = {{START, 5, 0},          {STREAM_COMMIT, 5, 0x10},
                                        {ABORT, 5, 5},          {BEGIN_PREPARE, 5, 0x10},
                                        {STREAM_PREPARE, 5, 1}, {COMMIT_PREPARED, 5, 0x10}};
    for (size_t i = 0; i < MR_ARRAY_LEN(steps); i++) {
        struct kit kit;
        kit_open(&kit, BATCH_BYTES, 0);
        write_step(&kit, &steps[i]);
        assert_int_equal(kit_decode(&kit), MR_PG_FAILED);
        assert_int_equal(kit.err.code, MR_E_PROTOCOL);
        kit_close(&kit);
    }
}

static void nothing_past_a_prepared_one_is_confirmed(void **state)
{
    (void)state;
    static const struct step steps[] = {{BEGIN_PREPARE, 5, 0x20},
                                        {PREPARE, 5, 0x20},
                                        {BEGIN_PREPARE, 6, 0x30},
                                        {PREPARE, 6, 0x30},
                                        {COMMIT_PREPARED, 5, 0x40}};
    struct bench bench;
    open_bench(&bench, 0);
    assert_true(mr_pgoutput_held_lsn(&bench.kit.decoder) == UINT64_MAX);
    for (size_t i = 0; i < MR_ARRAY_LEN(steps); i++) {
        write_step(&bench.kit, &steps[i]);
        assert_int_equal(kit_decode(&bench.kit), MR_PG_DECODED);
        assert_int_equal(mr_pgoutput_held_lsn(&bench.kit.decoder), i < 4 ? 0x20 : 0x30);
    }
    close_bench(&bench);
}

/* A kept transaction comes in parts of target_bytes, whatever it was kept in. */
static void a_large_one_is_handed_on_in_parts(void **state)
{
    (void)state;
    enum { ROWS = 60000 };
    struct bench bench;
    uint32_t rows = 0;
    uint32_t batches = 0;
    open_bench(&bench, 0);
    bench.kit.decoder.target_bytes = 64 << 10;
    write_step(&bench.kit, &(struct step){START, 5, 0});
    assert_int_equal(kit_decode(&bench.kit), MR_PG_DECODED);
    write_step(&bench.kit, &(struct step){TABLE_TWO, 5, 0});
    assert_int_equal(kit_decode(&bench.kit), MR_PG_DECODED);
    for (uint32_t i = 0; i < ROWS; i++) {
        write_step(&bench.kit, &(struct step){ROW_TWO, 5, i});
        assert_int_equal(kit_decode(&bench.kit), MR_PG_DECODED);
    }
    assert_int_equal(bench.kit.batch->transaction_count, 0);
    write_step(&bench.kit, &(struct step){STOP, 0, 0});
    assert_int_equal(kit_decode(&bench.kit), MR_PG_DECODED);
    write_step(&bench.kit, &(struct step){STREAM_COMMIT, 5, 0x10});
    while (kit_decode(&bench.kit) == MR_PG_BATCH_FULL) {
        assert_true(mr_batch_bytes(bench.kit.batch) < (128 << 10));
        assert_true(bench.kit.batch->continues == (batches > 0));
        rows += bench.kit.batch->row_count;
        batches++;
        kit_next_batch(&bench.kit);
    }
    assert_int_equal(bench.kit.err.code, MR_OK);
    rows += bench.kit.batch->row_count;
    assert_int_equal(rows, ROWS);
    assert_true(batches > 10);
    assert_int_equal(bench.kit.batch->transactions[0].end.major, 0x18);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_comes_out_as_it_should),
        cmocka_unit_test(unasked_blocks_are_refused),
        cmocka_unit_test(nothing_past_a_prepared_one_is_confirmed),
        cmocka_unit_test(a_large_one_is_handed_on_in_parts),
    };
    return cmocka_run_group_tests_name("pg_blocks", tests, NULL, NULL);
}
