// SPDX-License-Identifier: MIT
/*
 * Tables that go their own way, against a model: random changes of a table with a key and of one
 * without, and between them, at any moment, copies beside (whole or of some rows, interrupted and
 * gone on with), pauses, rewinds and restarts. In the end the warehouse is the model.
 *
 *   test_duckdb_apart          all seeds
 *   test_duckdb_apart SEED     one of them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sink_kit.h"

#define SEEDS        20
#define TRANSACTIONS 40
#define IDS          10
#define CHANGES_MAX  4
#define PIECES       2

enum { KEYED, KEYLESS, TABLES };

struct change {
    int table;
    char kind; /* I, U, D, K (the key changes) */
    int id, id_before;
    int a, a_before;
};

struct state {
    bool present[TABLES][IDS];
    int a[TABLES][IDS];
};

static struct story {
    struct change changes[TRANSACTIONS + 1][CHANGES_MAX];
    int counts[TRANSACTIONS + 1];
    struct state states[TRANSACTIONS + 1]; /* after transaction t */
} story;

static uint64_t random_state;

static unsigned draw(unsigned below)
{
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (unsigned)((z ^ z >> 31) % below);
}

static bool draw_change(struct state *state, struct change *change)
{
    const int table = (int)draw(TABLES);
    const int id = (int)draw(IDS);
    *change = (struct change){
        .table = table, .id = id, .id_before = id, .a = (int)draw(100), .kind = 'I'};
    bool *present = state->present[table];
    int *a = state->a[table];
    change->a_before = a[id];
    if (present[id]) {
        const int other = (int)draw(IDS);
        change->kind = "UUD"[draw(3)];
        if (!present[other] && draw(3) == 0) {
            change->kind = 'K';
            change->id = other;
            present[id] = false;
        }
    }
    present[change->id] = change->kind != 'D';
    a[change->id] = change->kind == 'D' ? 0 : change->a;
    return true;
}

static void make_story(void)
{
    memset(&story, 0, sizeof(story));
    for (int t = 1; t <= TRANSACTIONS; t++) {
        story.states[t] = story.states[t - 1];
        story.counts[t] = 1 + (int)draw(CHANGES_MAX);
        for (int i = 0; i < story.counts[t]; i++) {
            assert_true(draw_change(&story.states[t], &story.changes[t][i]));
        }
    }
}

struct play {
    struct kit kit;
    const struct mr_schema *schemas[TABLES];
    uint64_t committed;
    char copy_id[TABLES][16];
};

static char *row_text(int id, int a, char text[32])
{
    (void)snprintf(text, 32, "%d|%d", id, a);
    return text;
}

static struct mr_batch *batch_of(struct play *play, uint64_t t)
{
    struct kit *kit = &play->kit;
    kit->next_sequence[0] = t;
    struct mr_batch *batch = kit_batch(kit, 0);
    kit_begin(kit, batch);
    for (int i = 0; i < story.counts[t]; i++) {
        const struct change *change = &story.changes[t][i];
        const struct mr_schema *schema = play->schemas[change->table];
        char before[32];
        char after[32];
        row_text(change->id_before, change->a_before, before);
        row_text(change->id, change->a, after);
        switch (change->kind) {
        case 'I':
            kit_insert(kit, batch, schema, after);
            break;
        case 'D':
            kit_delete(kit, batch, schema, before);
            break;
        default:
            kit_update(kit, batch, schema,
                       change->kind == 'K' || change->table == KEYLESS ? before : NULL, after);
        }
    }
    kit_commit(kit, batch);
    return batch;
}

static void must(struct play *play, bool done)
{
    if (!done) {
        print_error("%s\n", play->kit.err.message);
    }
    assert_true(done);
}

static void deliver(struct play *play)
{
    if (play->committed < TRANSACTIONS) {
        kit_apply_commit(&play->kit, batch_of(play, play->committed + 1));
        play->committed++;
    }
}

/* Gives one table that waits what it missed, in one commit or several, and lets it join. */
static bool follow(struct play *play, bool whole)
{
    struct kit *kit = &play->kit;
    struct mr_follow what;
    bool found = false;
    must(play, kit->ops->follow_next(kit->sink, &what, &found, &kit->err));
    while (found && what.sequence < play->committed) {
        struct mr_batch *batch = batch_of(play, what.sequence + 1);
        must(play, kit->ops->follow_apply(kit->sink, &what, &batch, 1, &kit->err));
        mr_batch_release(batch);
        if (draw(3) == 0) {
            must(play, kit->ops->commit(kit->sink, &kit->err));
            if (!whole && draw(3) == 0) {
                return true;
            }
        } else if (draw(12) == 0) {
            kit->ops->rollback(kit->sink);
            return true;
        }
    }
    bool joined = false;
    if (found) {
        must(play, kit->ops->commit(kit->sink, &kit->err));
        const struct mr_native_position reached = {play->committed, 0};
        must(play, kit->ops->follow_end(kit->sink, &what, reached, &joined, &kit->err));
        assert_true(joined || play->committed < TRANSACTIONS);
    }
    return found && !joined;
}

static const char *sql_name(int table)
{
    return table == KEYED ? "ops_p.keyed" : "ops_p.keyless";
}

static void spoil(struct play *play, int table, bool is_some)
{
    char sql[160];
    (void)snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE id < 4 AND (%s)", sql_name(table),
                   is_some ? "a % 2 = 0" : "true");
    must(play, mr_warehouse_exec(play->kit.sink->warehouse, sql, &play->kit.err));
    (void)snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES (77, 2)", sql_name(table));
    must(play, mr_warehouse_exec(play->kit.sink->warehouse, sql, &play->kit.err));
}

/* A copy beside: pieces are even and odd ids, read at moments from now on. */
static void copy(struct play *play, int table, bool is_some, bool crashes)
{
    struct kit *kit = &play->kit;
    const struct mr_schema *schema = play->schemas[table];
    uint8_t pieces[PIECES] = {0};
    struct mr_copy_taken taken = {.pieces = pieces};
    const uint64_t from = play->committed;
    const struct mr_copy_request request = {
        .id = play->copy_id[table],
        .plan = table == KEYED ? "even odd" : NULL,
        .where = is_some ? "a % 2 = 0" : NULL,
        .beside = true,
        .from_sequence = from,
        .piece_count = PIECES,
    };
    must(play, kit->ops->snapshot_begin(kit->sink, 0, schema, &request, &taken, &kit->err));
    uint64_t high = from;
    for (uint32_t piece = 0; piece < PIECES && !taken.is_finished; piece++) {
        const struct mr_copy_piece begun = {piece, MR_PIECE_BEGUN};
        const struct mr_copy_piece done = {piece, MR_PIECE_DONE};
        const bool again = pieces[piece] == MR_PIECE_BEGUN;
        if (piece == 0 || table == KEYED) { /* without a key: one moment for all */
            high += draw((unsigned)(TRANSACTIONS - high < 6 ? TRANSACTIONS - high + 1 : 6));
        }
        if (pieces[piece] == MR_PIECE_DONE) {
            continue;
        }
        must(play, kit->ops->snapshot_piece(kit->sink, 0, schema, true, &begun, &kit->err));
        struct mr_batch *batch = kit_batch(kit, 0);
        batch->snapshot_beside = true;
        batch->snapshot_again = again;
        for (int id = (int)piece; id < IDS; id += PIECES) {
            const int a = story.states[high].a[table][id];
            char text[32];
            if (story.states[high].present[table][id] && (!is_some || a % 2 == 0)) {
                kit_read(kit, batch, schema, row_text(id, a, text));
            }
        }
        if (batch->event_count > 0) {
            batch->snapshot_table = 1;
            kit_apply(kit, batch);
        } else {
            mr_batch_release(batch);
        }
        if (crashes && draw(2) == 0) {
            if (draw(2) == 0) {
                must(play, kit->ops->commit(kit->sink, &kit->err)); /* begun, not done */
            }
            kit_reopen(kit);
            return;
        }
        must(play, kit->ops->snapshot_piece(kit->sink, 0, schema, true, &done, &kit->err));
        must(play, kit->ops->commit(kit->sink, &kit->err));
        if (draw(2) == 0) {
            deliver(play);
        }
        if (draw(3) == 0) {
            while (follow(play, false) && draw(2) == 0) {
            }
        }
    }
    const struct mr_snapshot_mark mark = {
        .high = {high, 0}, .exact = table == KEYLESS, .beside = true};
    if (!taken.is_finished) {
        must(play, kit->ops->snapshot_finish(kit->sink, 0, schema, &mark, &kit->err));
    }
}

static void order(struct play *play, int table, enum mr_table_verb verb, uint64_t sequence)
{
    struct kit *kit = &play->kit;
    const struct mr_table_order order = {
        .verb = verb,
        .space = "p",
        .table = play->schemas[table]->table,
        .sequence = sequence,
    };
    must(play, kit->ops->order(kit->sink, 0, &order, &kit->err));
}

static bool is_paused(struct play *play, int table)
{
    struct mr_apart_view view;
    for (uint32_t i = 0; play->kit.ops->apart(play->kit.sink, i, &view); i++) {
        if (strcmp(view.table, play->schemas[table]->table) == 0 && !view.is_copy) {
            return true;
        }
    }
    return false;
}

static bool is_copying(struct play *play)
{
    struct mr_apart_view view;
    for (uint32_t i = 0; play->kit.ops->apart(play->kit.sink, i, &view); i++) {
        if (view.is_copy) {
            return true;
        }
    }
    return false;
}

static void start_copy(struct play *play, int table, unsigned number)
{
    const bool is_some = table == KEYED && !is_paused(play, table) && draw(3) == 0;
    (void)snprintf(play->copy_id[table], sizeof(play->copy_id[table]), "copy %u", number);
    spoil(play, table, is_some);
    for (int attempt = 0; attempt < 3; attempt++) {
        copy(play, table, is_some, attempt < 2);
    }
    for (int i = 0; i < 200 && is_copying(play); i++) {
        if (!follow(play, true) || draw(2) == 0) {
            deliver(play);
        }
    }
}

static void check(struct play *play)
{
    for (int table = 0; table < TABLES; table++) {
        char *dump = kit_dump(&play->kit, 0, play->schemas[table]);
        char wanted[IDS * 32] = "";
        char text[32];
        for (int id = 0; id < IDS; id++) {
            const struct state *state = &story.states[TRANSACTIONS];
            if (state->present[table][id]) {
                const size_t length = strlen(wanted);
                (void)snprintf(wanted + length, sizeof(wanted) - length, "%s\n",
                               row_text(id, state->a[table][id], text));
            }
        }
        assert_string_equal(dump, wanted);
        free(dump);
    }
}

static void live(uint64_t seed)
{
    struct play play = {0};
    random_state = seed;
    make_story();
    kit_open(&play.kit, &mr_sink_duckdb, NULL);
    play.schemas[KEYED] = kit_schema(&play.kit, 0, "p", "keyed", "id:i64:key a:i64");
    play.schemas[KEYLESS] = kit_schema(&play.kit, 0, "p", "keyless", "id:i64 a:i64");
    for (int i = 0; i < 8; i++) {
        deliver(&play);
    }
    for (unsigned step = 0; play.committed < TRANSACTIONS; step++) {
        const int table = (int)draw(TABLES);
        switch (draw(10)) {
        case 0:
            order(&play, table, MR_TABLE_PAUSE, 0);
            break;
        case 1:
            order(&play, table, MR_TABLE_RESUME, 0);
            break;
        case 2:
            if (table == KEYED && play.committed > 3) {
                order(&play, table, MR_TABLE_REWIND, 1 + draw((unsigned)play.committed + 5));
            }
            break;
        case 3:
            kit_reopen(&play.kit);
            break;
        case 4:
            if (draw(2) == 0) {
                start_copy(&play, table, step);
            }
            break;
        case 5:
        case 6:
            (void)follow(&play, false);
            break;
        default:
            deliver(&play);
        }
    }
    for (int table = 0; table < TABLES; table++) {
        order(&play, table, MR_TABLE_RESUME, 0);
    }
    bool is_apart = true;
    for (int i = 0; i < 200 && is_apart; i++) {
        struct mr_apart_view view;
        (void)follow(&play, true);
        is_apart = play.kit.ops->apart(play.kit.sink, 0, &view);
    }
    assert_false(is_apart);
    assert_true(play.kit.ops->pinned(play.kit.sink, 0) == UINT64_MAX);
    check(&play);
    assert_int_equal(kit_number(&play.kit, "SELECT count(*) FROM duckdb_tables() WHERE table_name "
                                           "LIKE '%millrace\\_%' ESCAPE '\\'"),
                     0);
    kit_close(&play.kit);
}

static uint64_t only_seed;

static void every_way_ends_in_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        if (only_seed == 0 || seed == only_seed) {
            print_message("    seed %llu\n", (unsigned long long)seed);
            live(seed);
        }
    }
}

static void a_dropped_table_stays_as_it_is_or_goes(void **state)
{
    (void)state;
    struct play play = {0};
    random_state = 4;
    make_story();
    kit_open(&play.kit, &mr_sink_duckdb, NULL);
    play.schemas[KEYED] = kit_schema(&play.kit, 0, "p", "keyed", "id:i64:key a:i64");
    play.schemas[KEYLESS] = kit_schema(&play.kit, 0, "p", "keyless", "id:i64 a:i64");
    for (int i = 0; i < 8; i++) {
        deliver(&play);
    }
    order(&play, KEYED, MR_TABLE_DROP, 0);
    order(&play, KEYLESS, MR_TABLE_PURGE, 0);
    char *before = kit_dump(&play.kit, 0, play.schemas[KEYED]);
    kit_reopen(&play.kit);
    for (int i = 0; i < 8; i++) {
        deliver(&play);
    }
    char *after = kit_dump(&play.kit, 0, play.schemas[KEYED]);
    assert_string_equal(before, after);
    assert_false(kit_has_table(&play.kit, 0, play.schemas[KEYLESS]));
    assert_true(play.kit.ops->pinned(play.kit.sink, 0) == UINT64_MAX);
    free(before);
    free(after);
    kit_close(&play.kit);
}

/* ---- A table changes its shape while it is apart. ---- */

static const struct mr_schema *shapes[3];

/* Transaction 1: the first shape; 2 and 3: a column more each, and a row of the new shape. */
static struct mr_batch *shape_batch(struct kit *kit, uint64_t t)
{
    static const char *const rows[] = {"1|1", "2|2|2", "3|3|3|3"};
    kit->next_sequence[0] = t;
    struct mr_batch *batch = kit_batch(kit, 0);
    kit_begin(kit, batch);
    if (t > 1) {
        const struct mr_note note = {
            .kind = MR_NOTE_SCHEMA_CHANGE,
            .before = shapes[t - 2],
            .after = shapes[t - 1],
            .name = mr_slice_of("alter"),
        };
        assert_true(mr_batch_add_note(batch, &note, &kit->err));
    }
    kit_insert(kit, batch, shapes[t - 1], rows[t - 1]);
    kit_commit(kit, batch);
    return batch;
}

static void follow_shapes(struct play *play, uint64_t committed)
{
    struct kit *kit = &play->kit;
    struct mr_follow what;
    bool found = false;
    bool joined = false;
    must(play, kit->ops->follow_next(kit->sink, &what, &found, &kit->err));
    assert_true(found);
    while (what.sequence < committed) {
        struct mr_batch *batch = shape_batch(kit, what.sequence + 1);
        must(play, kit->ops->follow_apply(kit->sink, &what, &batch, 1, &kit->err));
        mr_batch_release(batch);
    }
    const struct mr_native_position reached = {committed, 0};
    must(play, kit->ops->commit(kit->sink, &kit->err));
    must(play, kit->ops->follow_end(kit->sink, &what, reached, &joined, &kit->err));
    assert_true(joined);
}

static uint64_t count_columns(struct kit *kit)
{
    return kit_number(kit, "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'keyed'");
}

static void expect_rows(struct kit *kit, const char *wanted)
{
    char *dump = kit_dump(kit, 0, shapes[2]);
    assert_string_equal(dump, wanted);
    free(dump);
}

static void open_shapes(struct play *play)
{
    memset(play, 0, sizeof(*play));
    kit_open(&play->kit, &mr_sink_duckdb, NULL);
    shapes[0] = kit_schema(&play->kit, 0, "p", "keyed", "id:i64:key a:i64");
    shapes[1] = kit_schema(&play->kit, 0, "p", "keyed", "id:i64:key a:i64 b:i64");
    shapes[2] = kit_schema(&play->kit, 0, "p", "keyed", "id:i64:key a:i64 b:i64 c:i64");
    play->schemas[KEYED] = shapes[0];
    kit_apply_commit(&play->kit, shape_batch(&play->kit, 1));
}

static void a_paused_table_changes_its_shape_when_it_is_resumed(void **state)
{
    (void)state;
    struct play play;
    open_shapes(&play);
    order(&play, KEYED, MR_TABLE_PAUSE, 0);
    kit_apply_commit(&play.kit, shape_batch(&play.kit, 2));
    kit_reopen(&play.kit);
    kit_apply_commit(&play.kit, shape_batch(&play.kit, 3));
    assert_int_equal(count_columns(&play.kit), 2);
    order(&play, KEYED, MR_TABLE_RESUME, 0);
    follow_shapes(&play, 3);
    expect_rows(&play.kit, "1|1|~|~\n2|2|2|~\n3|3|3|3\n");
    kit_close(&play.kit);
}

static void a_copy_beside_follows_the_shape_of_its_table(void **state)
{
    (void)state;
    struct play play;
    open_shapes(&play);
    struct kit *kit = &play.kit;
    uint8_t pieces[1] = {0};
    struct mr_copy_taken taken = {.pieces = pieces};
    const struct mr_copy_request request = {
        .id = "one", .beside = true, .from_sequence = 1, .piece_count = 1};
    const struct mr_snapshot_mark mark = {.high = {1, 0}, .beside = true};
    must(&play, kit->ops->snapshot_begin(kit->sink, 0, shapes[0], &request, &taken, &kit->err));
    struct mr_batch *batch = kit_batch(kit, 0);
    batch->snapshot_table = 1;
    batch->snapshot_beside = true;
    kit_read(kit, batch, shapes[0], "1|9");
    batch->snapshot_table = 1;
    kit_apply(kit, batch);
    must(&play, kit->ops->snapshot_finish(kit->sink, 0, shapes[0], &mark, &kit->err));
    kit_apply_commit(kit, shape_batch(kit, 2));
    kit_apply_commit(kit, shape_batch(kit, 3));
    assert_int_equal(count_columns(kit), 4); /* the table that people read follows at once */
    expect_rows(kit, "1|1|~|~\n2|2|2|~\n3|3|3|3\n");
    follow_shapes(&play, 3);
    expect_rows(kit, "1|9|~|~\n2|2|2|~\n3|3|3|3\n");
    kit_close(kit);
}

int main(int argc, char **argv)
{
    only_seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_ends_in_the_model),
        cmocka_unit_test(a_dropped_table_stays_as_it_is_or_goes),
        cmocka_unit_test(a_paused_table_changes_its_shape_when_it_is_resumed),
        cmocka_unit_test(a_copy_beside_follows_the_shape_of_its_table),
    };
    return cmocka_run_group_tests_name("duckdb_apart", tests, NULL, NULL);
}
