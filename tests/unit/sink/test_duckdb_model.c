// SPDX-License-Identifier: MIT
/*
 * The DuckDB sink against a model: random transactions, in random batches, with commits, rollbacks,
 * restarts and re-deliveries at random; after every commit the table must equal the model as of the
 * committed transaction. A failing seed is printed; test_duckdb_model SEED replays it.
 *
 * The second test copies the table while it changes: snapshot rows are the model as it was at some
 * moment (keyed: each half of the keys at its own), then the changes from before that on follow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "ddl.h"
#include "sink_kit.h"

#ifdef __SANITIZE_ADDRESS__ /* the engine under it takes ten times as long */
#define SEEDS      40
#define COPY_SEEDS 15
#else
#define SEEDS      200
#define COPY_SEEDS 60
#endif
#define KEYS         12
#define ROWS_MAX     64
#define TRANSACTIONS 60
#define TEXT_BYTES   48
#define ROW_BYTES    160
#define CHANGES_MAX  8

struct row {
    int id;
    int a; /* < 0: NULL */
    char b[TEXT_BYTES];
    bool b_is_null;
};

struct model {
    struct row rows[ROWS_MAX];
    unsigned count;
};

/* One change, to be written into any number of batches. */
struct change {
    char kind; /* I U D T */
    char before[ROW_BYTES];
    char after[ROW_BYTES];
    bool has_before;
};

struct transaction {
    struct change changes[CHANGES_MAX];
    unsigned count;
};

struct story {
    uint64_t random;
    bool keyed;
    bool text_key;
    bool stable_b; /* no unchanged cells (a source that always sends everything) */
    uint64_t base; /* committed before its first transaction */
    struct model models[TRANSACTIONS + 1]; /* after each transaction */
    struct transaction transactions[TRANSACTIONS];
};

static const struct mr_copy_request first_copy = {.id = ""};
static struct mr_copy_taken taken_none;

static struct story story; /* large: kept out of the stack */
static uint64_t only_seed;
static bool stable; /* make_story(): no unchanged cells */

static uint32_t draw(uint32_t below)
{
    story.random = story.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(story.random >> 33) % below;
}

/* The row as the kit takes it, and as the sink prints it. Keys are text in some stories. */
static void print_row(const struct row *row, bool lacks_b, char text[ROW_BYTES])
{
    char id[32];
    char a[16];

    (void)snprintf(id, sizeof(id), story.text_key ? "key number %d" : "%d", row->id);
    (void)snprintf(a, sizeof(a), row->a < 0 ? "~" : "%d", row->a);
    (void)snprintf(text, ROW_BYTES, "%s|%s|%s", id, a,
                   lacks_b          ? "!"
                   : row->b_is_null ? "~"
                                    : row->b);
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(left, right);
}

static char *print_model(const struct model *model)
{
    static char rows[ROWS_MAX][ROW_BYTES];
    struct mr_sql text = {0};

    for (unsigned i = 0; i < model->count; i++) {
        print_row(&model->rows[i], false, rows[i]);
    }
    qsort(rows, model->count, ROW_BYTES, compare_texts);
    for (unsigned i = 0; i < model->count; i++) {
        mr_sql_add(&text, rows[i]);
        mr_sql_add(&text, "\n");
    }
    mr_sql_add(&text, "");
    return text.text;
}

static bool has_key(const struct model *model, int id)
{
    for (unsigned i = 0; i < model->count; i++) {
        if (model->rows[i].id == id) {
            return true;
        }
    }
    return false;
}

static void new_b(struct row *row)
{
    row->b_is_null = draw(6) == 0;
    (void)snprintf(row->b, sizeof(row->b), draw(2) == 0 ? "v%u" : "a value that is long %u",
                   draw(story.keyed ? 1000 : 3));
}

static void make_insert(struct model *model, struct change *change)
{
    struct row row = {.id = (int)draw(KEYS), .a = (int)draw(4) - 1};

    if (model->count == ROWS_MAX || (story.keyed && has_key(model, row.id))) {
        change->kind = '\0';
        return;
    }
    new_b(&row);
    change->kind = 'I';
    print_row(&row, false, change->after);
    model->rows[model->count++] = row;
}

static void make_update(struct model *model, struct change *change)
{
    if (model->count == 0) {
        change->kind = '\0';
        return;
    }
    struct row *row = &model->rows[draw(model->count)];
    const struct row old = *row;
    const int id = (int)draw(KEYS);
    const bool changes_key = draw(4) == 0 && !(story.keyed && has_key(model, id));
    const bool lacks_b = !story.stable_b && draw(3) == 0;

    row->a = (int)draw(4) - 1;
    row->id = changes_key ? id : row->id;
    if (!lacks_b) {
        new_b(row);
    }
    change->kind = 'U';
    change->has_before = changes_key || !story.keyed || draw(8) == 0;
    print_row(&old, false, change->before);
    print_row(row, lacks_b, change->after);
}

static void make_delete(struct model *model, struct change *change)
{
    if (model->count == 0) {
        change->kind = '\0';
        return;
    }
    const unsigned victim = draw(model->count);
    change->kind = 'D';
    change->has_before = true;
    print_row(&model->rows[victim], false, change->before);
    model->rows[victim] = model->rows[--model->count];
}

static void make_story(uint64_t seed)
{
    memset(&story, 0, sizeof(story));
    story.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    story.keyed = draw(3) != 0;
    story.text_key = draw(2) == 0;
    story.stable_b = stable;
    for (unsigned t = 0; t < TRANSACTIONS; t++) {
        struct model *model = &story.models[t + 1];
        struct transaction *transaction = &story.transactions[t];
        *model = story.models[t];
        transaction->count = 1 + draw(CHANGES_MAX);
        for (unsigned i = 0; i < transaction->count; i++) {
            struct change *change = &transaction->changes[i];
            const uint32_t what = draw(100);
            if (what < 40) {
                make_insert(model, change);
            } else if (what < 75) {
                make_update(model, change);
            } else if (what < 98) {
                make_delete(model, change);
            } else {
                change->kind = 'T';
                model->count = 0;
            }
        }
    }
}

static void put_transaction(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                            unsigned t)
{
    const struct transaction *transaction = &story.transactions[t];

    kit_begin(kit, batch);
    for (unsigned i = 0; i < transaction->count; i++) {
        const struct change *change = &transaction->changes[i];
        switch (change->kind) {
        case 'I':
            kit_insert(kit, batch, schema, change->after);
            break;
        case 'U':
            kit_update(kit, batch, schema, change->has_before ? change->before : NULL,
                       change->after);
            break;
        case 'D':
            kit_delete(kit, batch, schema, change->before);
            break;
        case 'T':
            kit_truncate(kit, batch, schema);
            break;
        default:
            break;
        }
    }
    kit_commit(kit, batch);
}

/* A table of its own for every story. */
static const struct mr_schema *story_schema(struct kit *kit, uint64_t seed)
{
    char table[32];
    (void)snprintf(table, sizeof(table), "table%llu", (unsigned long long)seed);
    const char *columns =
        story.keyed ? (story.text_key ? "id:text:key a:i64 b:text" : "id:i64:key a:i64 b:text")
                    : (story.text_key ? "id:text a:i64 b:text" : "id:i64 a:i64 b:text");
    return kit_schema(kit, 0, "parking", table, columns);
}

static void expect_model(struct kit *kit, const struct mr_schema *schema, uint64_t seed, unsigned t)
{
    char *expected = print_model(&story.models[t]);
    char *rows = expected[0] == '\0' && !kit_has_table(kit, 0, schema)
                     ? strdup("") /* nothing has come for it yet */
                     : kit_dump(kit, 0, schema);

    if (rows == NULL || strcmp(rows, expected) != 0) {
        print_message("    seed %llu, after transaction %u\n  expected\n%s  found\n%s",
                      (unsigned long long)seed, t, expected, rows == NULL ? "no table\n" : rows);
    }
    assert_non_null(rows);
    assert_string_equal(rows, expected);
    free(rows);
    free(expected);
}

/* Delivers transactions first + 1 .. from at random sizes until all are committed. */
static void deliver(struct kit *kit, const struct mr_schema *schema, uint64_t seed,
                    unsigned compare_from)
{
    struct mr_sink_position position;

    for (unsigned rounds = 0; rounds < 10000; rounds++) {
        assert_true(kit->ops->position(kit->sink, 0, &position, &kit->err));
        if (position.sequence == story.base + TRANSACTIONS) {
            return;
        }
        const unsigned batch_count = 1 + draw(3);
        unsigned t = (unsigned)(position.sequence - story.base);
        /* Sometimes again from before what is committed. */
        t -= draw(4) == 0 ? draw(t < 3 ? t + 1 : 3) : 0;
        for (unsigned b = 0; b < batch_count && t < TRANSACTIONS; b++) {
            kit->next_sequence[0] = story.base + t + 1;
            struct mr_batch *batch = kit_batch(kit, 0);
            for (unsigned n = 1 + draw(5); n > 0 && t < TRANSACTIONS; n--) {
                put_transaction(kit, batch, schema, t++);
            }
            /* From some batch on beside the table, as when memory is short. */
            kit->sink->apply.always_gathers = seed % 3 == 0 && (b > 0 || t % 2 == 0);
            kit_apply(kit, batch);
        }
        const uint32_t fate = draw(16);
        if (fate == 0) {
            kit_reopen(kit);
        } else if (fate < 4) {
            kit->ops->rollback(kit->sink);
        } else {
            assert_true(kit->ops->commit(kit->sink, &kit->err));
            assert_true(kit->ops->maintain(kit->sink, draw(2) == 0, &kit->err));
            assert_true(kit->ops->position(kit->sink, 0, &position, &kit->err));
            assert_true(position.sequence >= story.base + t);
            t = (unsigned)(position.sequence - story.base);
            if (t >= compare_from) {
                expect_model(kit, schema, seed, t);
            }
        }
    }
    fail_msg("no progress");
}

/* Where the next story begins. */
static void place_story(struct kit *kit)
{
    struct mr_sink_position position;
    assert_true(kit->ops->position(kit->sink, 0, &position, &kit->err));
    story.base = position.sequence;
}

static void random_changes_equal_the_model(void **state)
{
    struct kit kit;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        if (only_seed != 0 && seed != only_seed) {
            continue;
        }
        make_story(seed);
        place_story(&kit);
        /* Few rows a reduction: barriers inside batches. */
        kit.sink->apply.rows_max = seed % 2 == 0 ? 1 + (uint32_t)(seed % 7) : 50000;
        deliver(&kit, story_schema(&kit, seed), seed, 1);
    }
    kit_close(&kit);
}

/* Rows of the model at moment `at`, those whose key is even at `at_even`. */
static void copy_rows(struct kit *kit, const struct mr_schema *schema, unsigned at,
                      unsigned at_even)
{
    for (unsigned half = 0; half < 2; half++) {
        const struct model *model = &story.models[half == 0 ? at_even : at];
        struct mr_batch *batch = kit_batch(kit, 0);
        char text[ROW_BYTES];
        unsigned count = 0;
        for (unsigned i = 0; i < model->count; i++) {
            if ((unsigned)model->rows[i].id % 2 == half) {
                print_row(&model->rows[i], false, text);
                kit_read(kit, batch, schema, text);
                count++;
            }
        }
        if (count > 0) {
            kit_apply(kit, batch);
            if (draw(2) == 0) {
                assert_true(kit->ops->commit(kit->sink, &kit->err));
            }
        } else {
            mr_batch_release(batch);
        }
    }
}

/*
 * The moments of a copy. Two of them need a source that sends whole rows, and no truncation between
 * them (a server's locks keep that out); a table without a key is copied at one.
 */
static void choose_moments(uint64_t seed, unsigned *at, unsigned *at_even)
{
    *at = draw(TRANSACTIONS / 2);
    *at_even = *at + (story.keyed && seed % 2 == 0 ? draw(TRANSACTIONS / 4) : 0);
    for (unsigned t = 0; t < TRANSACTIONS; t++) {
        for (unsigned i = 0; i < story.transactions[t].count; i++) {
            const struct change *change = &story.transactions[t].changes[i];
            const bool is_between = change->kind == 'T' && t >= *at && t < *at_even;
            if (is_between || strchr(change->after, '!') != NULL) {
                *at_even = *at;
            }
        }
    }
}

static void copy_table(struct kit *kit, const struct mr_schema *schema, unsigned at,
                       unsigned at_even)
{
    const unsigned high = at > at_even ? at : at_even;
    struct mr_snapshot_mark mark = {.high = {story.base + high, 0}, .exact = !story.keyed};
    bool finished = false;

    /* A first attempt that is not finished leaves nothing. */
    assert_true(
        kit->ops->snapshot_begin(kit->sink, 0, schema, &first_copy, &taken_none, &kit->err));
    copy_rows(kit, schema, at, at_even);
    if (draw(4) == 0) {
        kit_reopen(kit);
    } else {
        kit->ops->rollback(kit->sink);
    }
    assert_true(kit->ops->snapshot_is_finished(kit->sink, 0, schema, &finished, &mark, &kit->err));
    assert_false(finished);
    assert_true(
        kit->ops->snapshot_begin(kit->sink, 0, schema, &first_copy, &taken_none, &kit->err));
    copy_rows(kit, schema, at, at_even);
    assert_true(kit->ops->snapshot_finish(kit->sink, 0, schema, &mark, &kit->err));
    if (draw(4) == 0) {
        kit_reopen(kit);
    }
    assert_true(kit->ops->snapshot_is_finished(kit->sink, 0, schema, &finished, &mark, &kit->err));
    assert_true(finished);
}

static void a_copy_and_the_changes_around_it_equal_the_model(void **state)
{
    struct kit kit;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    for (uint64_t seed = 1; seed <= COPY_SEEDS; seed++) {
        unsigned at, at_even;
        if (only_seed != 0 && seed != only_seed) {
            continue;
        }
        stable = seed % 2 == 0;
        make_story(seed);
        stable = false;
        place_story(&kit);
        choose_moments(seed, &at, &at_even);
        const struct mr_schema *schema = story_schema(&kit, seed);
        copy_table(&kit, schema, at, at_even);
        deliver(&kit, schema, seed, at > at_even ? at : at_even);
    }
    kit_close(&kit);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_equal_the_model),
        cmocka_unit_test(a_copy_and_the_changes_around_it_equal_the_model),
    };
    only_seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    return cmocka_run_group_tests_name("duckdb_model", tests, NULL, NULL);
}
