// SPDX-License-Identifier: MIT
/*
 * copy.c - see copy.h.
 *
 * Threads: the coordinator (run) and the workers (work). Shared: the work list's index and counters
 * are atomic; `lock` guards the error and serialises snapshot_high(). Workers open their readers
 * first; when all have, the coordinator lets the source give up what held the snapshot open.
 */
#include "copy.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define COPY_POOL_BATCHES 12
#define COPY_BATCH_KEPT   (UINT64_C(256) << 10)
#define COPY_PUSH_WAIT_MS 200
#define COPY_OPEN_POLL_US 2000

#define COMMAND(what, about) ((struct mr_load_command){.kind = MR_LOAD_##what, .schema = (about)})

struct copy_table {
    uint32_t wanted_by; /* bit per loader */
    atomic_uint pieces_left;
    atomic_uint_fast64_t rows;
    atomic_bool finished;
};

struct copy_piece {
    uint32_t table;
    uint32_t piece;
    uint32_t wanted_by; /* bit per loader */
    bool again;         /* a part of it may be in a target already */
};

struct mr_copy {
    struct mr_copy_options options;
    struct mr_copy_wish wish; /* table NULL: none */
    char *wish_texts[4];      /* the wish's, owned */
    struct mr_source_context context;
    struct mr_snapshot_wish snapshot_wish;
    struct mr_load_place from[MR_STREAM_SINKS_MAX]; /* with a wish, by loader */
    char *plan;                                     /* the last answer of plan_of() */
    const struct mr_snapshot_table *tables;
    struct copy_table *progress;
    uint32_t table_count;
    atomic_bool is_listed; /* tables and table_count stand */
    struct copy_piece *pieces;
    uint32_t piece_count;
    atomic_uint next_piece;
    atomic_uint readers_opened; /* or failed to */
    struct mr_batch_pool *pool;
    pthread_t coordinator;
    pthread_t workers[MR_COPY_WORKERS_MAX];
    uint32_t workers_started;
    pthread_mutex_t lock;
    struct mr_error error;
    struct mr_native_position high; /* the greatest of all tables */
    atomic_int state;
    atomic_bool cancelled;
    uint64_t started_ns;
};

static void *calloc_or_die(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    MR_ASSERT(memory != NULL);
    return memory;
}

/* The first error wins: the others are its consequences. */
static void fail(struct mr_copy *copy, const struct mr_error *err)
{
    MR_ASSERT(pthread_mutex_lock(&copy->lock) == 0);
    if (copy->error.code == MR_OK) {
        copy->error = *err;
    }
    (void)pthread_mutex_unlock(&copy->lock);
    atomic_store(&copy->cancelled, true);
}

static bool ask(struct mr_copy *copy, uint32_t loader, struct mr_load_command command, bool *answer,
                struct mr_error *err)
{
    MR_ASSERT(command.schema != NULL && command.batch == NULL);
    command.source_index = copy->options.source_index;
    return mr_loader_ask(copy->options.loaders[loader], command, answer, err);
}

/* Begins a table in one sink, or goes on with it; states[] gets what it has of each piece. */
/* NOLINTNEXTLINE(readability-non-const-parameter): written through the request */
static bool begin_in(struct mr_copy *copy, uint32_t t, uint32_t l, uint8_t *states, bool *finished,
                     struct mr_error *err)
{
    const struct mr_snapshot_table *table = &copy->tables[t];
    const bool beside = copy->wish.table != NULL;
    const struct mr_copy_request request = {
        .id = beside ? copy->wish.id : "",
        .plan = copy->wish.where != NULL ? NULL : table->plan,
        .where = copy->wish.where,
        .beside = beside,
        .from_sequence = copy->from[l].sequence,
        .piece_count = table->piece_count,
    };
    struct mr_copy_taken taken = {.pieces = states};
    struct mr_load_command begin = COMMAND(BEGIN, table->schema);
    begin.request = &request;
    begin.taken = &taken;
    begin.beside = beside;
    if (!beside) {
        if (!ask(copy, l, COMMAND(IS_FINISHED, table->schema), finished, err)) {
            return false;
        }
        if (*finished) {
            return true;
        }
    }
    return ask(copy, l, begin, finished, err);
}

/* Adds the pieces that a sink lacks. states[]: what each loader has, piece_count a loader. */
static void add_pieces(struct mr_copy *copy, uint32_t t, const uint8_t *states)
{
    struct copy_table *table = &copy->progress[t];
    const uint32_t count = copy->tables[t].piece_count;
    for (uint32_t p = 0; p < count; p++) {
        struct copy_piece piece = {.table = t, .piece = p};
        for (uint32_t l = 0; l < copy->options.loader_count; l++) {
            const uint8_t state = states[l * count + p];
            if ((table->wanted_by & UINT32_C(1) << l) != 0 && state != MR_PIECE_DONE) {
                piece.wanted_by |= UINT32_C(1) << l;
                piece.again |= state == MR_PIECE_BEGUN;
            }
        }
        if (piece.wanted_by != 0) {
            copy->pieces[copy->piece_count++] = piece;
            (void)atomic_fetch_add(&table->pieces_left, 1);
        }
    }
    if (atomic_load(&table->pieces_left) < count && table->wanted_by != 0) {
        mr_log(MR_LOG_INFO, "snapshot.resumed", MR_LOG_S("table", copy->tables[t].schema->table),
               MR_LOG_I("pieces", count),
               MR_LOG_I("pieces_left", atomic_load(&table->pieces_left)));
    }
}

/* Which sinks lack which tables, and which pieces of them. */
static bool begin_tables(struct mr_copy *copy, struct mr_error *err)
{
    for (uint32_t t = 0; t < copy->table_count; t++) {
        struct copy_table *table = &copy->progress[t];
        const uint32_t count = copy->tables[t].piece_count;
        MR_ASSERT(count > 0);
        uint8_t *states = calloc_or_die(copy->options.loader_count, count);
        bool begun = true;
        for (uint32_t l = 0; begun && l < copy->options.loader_count; l++) {
            bool finished = false;
            begun = begin_in(copy, t, l, states + (size_t)l * count, &finished, err);
            table->wanted_by |= begun && !finished ? UINT32_C(1) << l : 0;
        }
        if (begun) {
            add_pieces(copy, t, states);
            atomic_store(&table->finished, table->wanted_by == 0);
        }
        free(states);
        if (!begun) {
            return false;
        }
    }
    return true;
}

/* Gives a batch to every sink that wants its table; the reference goes with it. */
static bool push_rows(struct mr_copy *copy, struct mr_batch *batch, uint32_t wanted_by)
{
    bool pushed = true;
    for (uint32_t l = 0; l < copy->options.loader_count; l++) {
        if ((wanted_by & UINT32_C(1) << l) == 0) {
            continue;
        }
        mr_batch_retain(batch);
        const struct mr_load_command command = {
            .kind = MR_LOAD_ROWS,
            .source_index = copy->options.source_index,
            .batch = batch,
        };
        bool taken = false;
        while (!taken && !atomic_load(&copy->cancelled)) {
            taken = mr_loader_command(copy->options.loaders[l], &command, COPY_PUSH_WAIT_MS);
        }
        if (!taken) {
            mr_batch_release(batch);
            pushed = false;
        }
    }
    mr_batch_release(batch);
    return pushed;
}

static struct mr_batch *take_batch(struct mr_copy *copy)
{
    struct mr_batch *batch = NULL;
    while (batch == NULL && !atomic_load(&copy->cancelled)) {
        batch = mr_batch_take(copy->pool, COPY_PUSH_WAIT_MS);
    }
    return batch;
}

/* Tells the sinks how far a piece is, behind its rows. */
static bool push_mark(struct mr_copy *copy, const struct copy_piece *piece,
                      enum mr_piece_state state, struct mr_error *err)
{
    for (uint32_t l = 0; l < copy->options.loader_count; l++) {
        if ((piece->wanted_by & UINT32_C(1) << l) == 0) {
            continue;
        }
        const struct mr_load_command command = {
            .kind = MR_LOAD_PIECE,
            .source_index = copy->options.source_index,
            .schema = copy->tables[piece->table].schema,
            .beside = copy->wish.table != NULL,
            .piece = {.index = piece->piece, .state = state},
        };
        bool taken = false;
        while (!taken && !atomic_load(&copy->cancelled)) {
            taken = mr_loader_command(copy->options.loaders[l], &command, COPY_PUSH_WAIT_MS);
        }
        if (!taken) {
            return mr_fail(err, MR_E_CANCELLED, MR_STOP, "the copy was cancelled");
        }
    }
    return true;
}

static bool copy_piece(struct mr_copy *copy, struct mr_snapshot_reader *reader,
                       const struct copy_piece *piece, struct mr_error *err)
{
    const struct mr_source_ops *ops = copy->options.ops;
    struct copy_table *table = &copy->progress[piece->table];
    if (!ops->reader_begin(reader, piece->table, piece->piece, err) ||
        !push_mark(copy, piece, MR_PIECE_BEGUN, err)) {
        return false;
    }
    for (;;) {
        struct mr_batch *batch = take_batch(copy);
        if (batch == NULL) {
            return mr_fail(err, MR_E_CANCELLED, MR_STOP, "the copy was cancelled");
        }
        const enum mr_next next = ops->reader_next(reader, batch, err);
        if (next == MR_NEXT_ERROR) {
            mr_batch_release(batch);
            return false;
        }
        batch->source_index = copy->options.source_index;
        batch->snapshot_table = piece->table + 1;
        batch->snapshot_chunk = piece->piece;
        batch->snapshot_beside = copy->wish.table != NULL;
        batch->snapshot_again = piece->again;
        batch->received_ns = copy->options.env->monotonic_ns(copy->options.env);
        (void)atomic_fetch_add(&table->rows, batch->row_count);
        if (batch->row_count == 0) {
            mr_batch_release(batch);
        } else if (!push_rows(copy, batch, piece->wanted_by)) {
            return mr_fail(err, MR_E_CANCELLED, MR_STOP, "the copy was cancelled");
        }
        if (next == MR_NEXT_END) {
            return push_mark(copy, piece, MR_PIECE_DONE, err);
        }
    }
}

static bool finish_table(struct mr_copy *copy, uint32_t index, struct mr_error *err)
{
    struct mr_snapshot_mark mark = {
        .exact = copy->tables[index].exact,
        .beside = copy->wish.table != NULL,
    };
    MR_ASSERT(pthread_mutex_lock(&copy->lock) == 0);
    const bool marked =
        copy->options.ops->snapshot_high(copy->options.snapshot, index, &mark.high, err);
    if (marked && mr_native_position_compare(mark.high, copy->high) > 0) {
        copy->high = mark.high;
    }
    (void)pthread_mutex_unlock(&copy->lock);
    if (!marked) {
        return false;
    }
    struct copy_table *table = &copy->progress[index];
    struct mr_load_command finish = COMMAND(FINISH, copy->tables[index].schema);
    finish.mark = mark;
    for (uint32_t l = 0; l < copy->options.loader_count; l++) {
        bool answer = false;
        if ((table->wanted_by & UINT32_C(1) << l) != 0 && !ask(copy, l, finish, &answer, err)) {
            return false;
        }
    }
    atomic_store(&table->finished, true);
    mr_log(MR_LOG_INFO, "snapshot.table_finished",
           MR_LOG_S("table", copy->tables[index].schema->table),
           MR_LOG_I("rows", atomic_load(&table->rows)),
           MR_LOG_I("elapsed_ms", mr_copy_elapsed_ms(copy)));
    return true;
}

static void *work(void *argument)
{
    struct mr_copy *copy = argument;
    struct mr_error err = {0};
    struct mr_snapshot_reader *reader =
        copy->options.ops->reader_open(copy->options.snapshot, &err);
    if (reader == NULL) {
        fail(copy, &err);
    }
    (void)atomic_fetch_add(&copy->readers_opened, 1);
    while (reader != NULL && !atomic_load(&copy->cancelled)) {
        const unsigned index = atomic_fetch_add(&copy->next_piece, 1);
        if (index >= copy->piece_count) {
            break;
        }
        const struct copy_piece *piece = &copy->pieces[index];
        bool done = copy_piece(copy, reader, piece, &err);
        if (done && atomic_fetch_sub(&copy->progress[piece->table].pieces_left, 1) == 1) {
            done = finish_table(copy, piece->table, &err);
        }
        if (!done) {
            fail(copy, &err);
        }
    }
    copy->options.ops->reader_close(reader);
    return NULL;
}

static void run_workers(struct mr_copy *copy)
{
    const struct mr_env *env = copy->options.env;
    uint32_t count = copy->options.worker_count;
    if (count > copy->piece_count) {
        count = copy->piece_count;
    }
    if (count > MR_COPY_WORKERS_MAX) {
        count = MR_COPY_WORKERS_MAX;
    }
    for (uint32_t i = 0; i < count; i++) {
        MR_ASSERT(pthread_create(&copy->workers[i], NULL, work, copy) == 0);
        copy->workers_started++;
    }
    while (atomic_load(&copy->readers_opened) < copy->workers_started) {
        env->sleep_us(env, COPY_OPEN_POLL_US);
    }
    copy->options.ops->snapshot_release(copy->options.snapshot);
    for (uint32_t i = 0; i < copy->workers_started; i++) {
        MR_ASSERT(pthread_join(copy->workers[i], NULL) == 0);
    }
}

/* Tables whose pieces were all copied before an interruption. */
static bool finish_early(struct mr_copy *copy, struct mr_error *err)
{
    for (uint32_t t = 0; t < copy->table_count; t++) {
        const struct copy_table *table = &copy->progress[t];
        if (!atomic_load(&table->finished) && atomic_load(&table->pieces_left) == 0 &&
            !finish_table(copy, t, err)) {
            return false;
        }
    }
    return true;
}

static bool finish_source(struct mr_copy *copy, struct mr_error *err)
{
    if (copy->wish.table != NULL) {
        return true;
    }
    struct mr_load_command finish = COMMAND(FINISH, &mr_schema_whole_source);
    finish.mark.high = copy->high;
    for (uint32_t l = 0; l < copy->options.loader_count; l++) {
        bool answer = false;
        if (!ask(copy, l, finish, &answer, err)) {
            return false;
        }
    }
    return true;
}

/* Rows of a cancelled copy may still wait in a loader: an answer from behind them says they are
 * out, so that the pool can go. A loader that has ended has dropped them. */
static void wait_for_rows(struct mr_copy *copy)
{
    for (uint32_t l = 0; l < copy->options.loader_count && copy->table_count > 0; l++) {
        struct mr_error ended = {0};
        bool finished = false;
        (void)ask(copy, l, COMMAND(IS_FINISHED, copy->tables[0].schema), &finished, &ended);
    }
}

/* ---- One table. ---- */

static const char *plan_of(void *context, const char *space, const char *table)
{
    struct mr_copy *copy = context;
    const struct mr_schema named = {.space = space, .table = table};
    struct mr_load_command question = COMMAND(PLAN, &named);
    struct mr_error err = {0};
    bool answer = false;
    free(copy->plan);
    copy->plan = NULL;
    question.beside = copy->wish.table != NULL;
    question.plan = &copy->plan;
    return ask(copy, 0, question, &answer, &err) ? copy->plan : NULL;
}

static bool reserve(struct mr_copy *copy, struct mr_error *err)
{
    const struct mr_schema named = {.space = copy->wish.space, .table = copy->wish.table};
    for (uint32_t l = 0; l < copy->options.loader_count; l++) {
        struct mr_load_command command = COMMAND(RESERVE, &named);
        bool answer = false;
        command.place = &copy->from[l];
        if (!ask(copy, l, command, &answer, err)) {
            return false;
        }
    }
    return true;
}

static void release(struct mr_copy *copy)
{
    const struct mr_schema named = {.space = copy->wish.space, .table = copy->wish.table};
    for (uint32_t l = 0; l < copy->options.loader_count; l++) {
        struct mr_error ended = {0};
        bool answer = false;
        (void)ask(copy, l, COMMAND(RELEASE, &named), &answer, &ended);
    }
}

/* Rows are read from here on: what any sink has of the stream must be in them. */
static bool check_start(const struct mr_copy *copy, const struct mr_position *start,
                        struct mr_error *err)
{
    for (uint32_t l = 0; l < copy->options.loader_count; l++) {
        if (mr_native_position_compare(start->native, copy->from[l].native) < 0) {
            return mr_fail(err, MR_E_SOURCE, MR_RETRY,
                           "the server does not show yet what it has sent; the copy of \"%s.%s\" "
                           "waits for that",
                           copy->wish.space, copy->wish.table);
        }
    }
    return true;
}

static bool check_table(const struct mr_copy *copy, struct mr_error *err)
{
    if (copy->table_count == 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "the server has no table \"%s.%s\" that could be copied, or does not show "
                       "it to this account",
                       copy->wish.space, copy->wish.table);
    }
    if (copy->wish.where != NULL && copy->tables[0].schema->key_count == 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "table \"%s.%s\" has no key: its rows cannot be told apart, so it can only "
                       "be copied as a whole",
                       copy->wish.space, copy->wish.table);
    }
    return true;
}

static void list_tables(struct mr_copy *copy)
{
    copy->tables = copy->options.ops->snapshot_tables(copy->options.snapshot, &copy->table_count);
    size_t pieces = 0;
    for (uint32_t t = 0; t < copy->table_count; t++) {
        pieces += copy->tables[t].piece_count;
    }
    copy->progress = calloc_or_die(copy->table_count, sizeof(*copy->progress));
    copy->pieces = calloc_or_die(pieces, sizeof(*copy->pieces));
    atomic_store(&copy->is_listed, true);
}

static bool open_wished(struct mr_copy *copy, struct mr_error *err)
{
    struct mr_position existing = {0};
    struct mr_position start = {0};
    bool opened = reserve(copy, err) && mr_journal_position(copy->options.journal, &existing, err);
    if (opened) {
        copy->options.snapshot =
            copy->options.ops->snapshot_open(&copy->context, true, &existing, &start, err);
        opened = copy->options.snapshot != NULL && check_start(copy, &start, err);
    }
    mr_position_done(&existing);
    mr_position_done(&start);
    if (opened) {
        list_tables(copy);
    }
    return opened && check_table(copy, err);
}

static void *run(void *argument)
{
    struct mr_copy *copy = argument;
    struct mr_error err = {0};
    const bool is_wished = copy->wish.table != NULL;
    if ((is_wished && !open_wished(copy, &err)) || !begin_tables(copy, &err)) {
        fail(copy, &err);
    } else {
        if (is_wished) {
            release(copy); /* the sink keeps the stream itself by now */
        }
        run_workers(copy);
    }
    if (!atomic_load(&copy->cancelled) && !finish_early(copy, &err)) {
        fail(copy, &err);
    }
    if (is_wished && atomic_load(&copy->cancelled)) {
        release(copy);
    }
    if (atomic_load(&copy->cancelled)) {
        wait_for_rows(copy);
    }
    if (!atomic_load(&copy->cancelled) && !finish_source(copy, &err)) {
        fail(copy, &err);
    }
    atomic_store(&copy->state, atomic_load(&copy->cancelled) ? MR_COPY_FAILED : MR_COPY_DONE);
    return NULL;
}

static char *keep_text(const char *text)
{
    char *kept = text == NULL ? NULL : strdup(text);
    MR_ASSERT(text == NULL || kept != NULL);
    return kept;
}

static void keep_wish(struct mr_copy *copy, const struct mr_copy_options *options)
{
    const struct mr_copy_wish *wish = options->wish;
    MR_ASSERT(options->snapshot == NULL && wish->table != NULL && wish->id != NULL);
    const char *const texts[] = {wish->space, wish->table, wish->id, wish->where};
    for (size_t i = 0; i < MR_ARRAY_LEN(texts); i++) {
        copy->wish_texts[i] = keep_text(texts[i]);
    }
    copy->wish = (struct mr_copy_wish){
        .space = copy->wish_texts[0],
        .table = copy->wish_texts[1],
        .id = copy->wish_texts[2],
        .where = copy->wish_texts[3],
    };
    copy->snapshot_wish = (struct mr_snapshot_wish){
        .space = copy->wish.space,
        .table = copy->wish.table,
        .where = copy->wish.where,
        .plan_of = plan_of,
        .plan_context = copy,
    };
    copy->context = *options->context;
    copy->context.wish = &copy->snapshot_wish;
}

struct mr_copy *mr_copy_start(const struct mr_copy_options *options)
{
    MR_ASSERT(options->loader_count > 0 && options->loader_count <= MR_STREAM_SINKS_MAX);
    MR_ASSERT(options->worker_count > 0);
    struct mr_copy *copy = calloc_or_die(1, sizeof(*copy));
    copy->options = *options;
    copy->started_ns = options->env->monotonic_ns(options->env);
    MR_ASSERT(pthread_mutex_init(&copy->lock, NULL) == 0);
    if (options->wish != NULL) {
        keep_wish(copy, options);
    } else {
        list_tables(copy);
    }
    struct mr_error err = {0};
    copy->pool = mr_batch_pool_open(COPY_POOL_BATCHES,
                                    options->batch_bytes * 2 + options->value_bytes_max * 3,
                                    COPY_BATCH_KEPT, &err);
    if (copy->pool == NULL) {
        fail(copy, &err);
        atomic_store(&copy->state, MR_COPY_FAILED);
        return copy;
    }
    MR_ASSERT(pthread_create(&copy->coordinator, NULL, run, copy) == 0);
    return copy;
}

enum mr_copy_state mr_copy_state(const struct mr_copy *copy)
{
    return (enum mr_copy_state)atomic_load(&copy->state);
}

void mr_copy_error(const struct mr_copy *copy, struct mr_error *err)
{
    MR_ASSERT(mr_copy_state(copy) == MR_COPY_FAILED); /* its threads write no more */
    *err = copy->error;
}

bool mr_copy_progress(const struct mr_copy *copy, uint32_t index, struct mr_copy_progress *progress)
{
    if (!atomic_load(&copy->is_listed) || index >= copy->table_count) {
        return false;
    }
    const struct copy_table *table = &copy->progress[index];
    const bool finished = atomic_load(&table->finished);
    *progress = (struct mr_copy_progress){
        .schema = copy->tables[index].schema,
        .rows = atomic_load(&table->rows),
        .rows_estimate = copy->tables[index].rows_estimate,
        .finished = finished,
        .skipped = finished && table->wanted_by == 0,
    };
    return true;
}

uint64_t mr_copy_elapsed_ms(const struct mr_copy *copy)
{
    return (copy->options.env->monotonic_ns(copy->options.env) - copy->started_ns) / 1000000;
}

struct mr_copy_totals mr_copy_totals(const struct mr_copy *copy)
{
    struct mr_copy_totals totals = {.seconds_left = UINT64_MAX};
    struct mr_copy_progress progress;
    for (; mr_copy_progress(copy, totals.tables, &progress); totals.tables++) {
        totals.tables_finished += progress.finished ? 1 : 0;
        if (!progress.skipped) {
            const bool more = !progress.finished && progress.rows_estimate > progress.rows;
            totals.rows += progress.rows;
            totals.rows_estimate += more ? progress.rows_estimate : progress.rows;
        }
    }
    const uint64_t elapsed_ms = mr_copy_elapsed_ms(copy);
    totals.percent = totals.rows_estimate == 0 ? 0 : totals.rows * 100 / totals.rows_estimate;
    totals.rows_per_second = elapsed_ms == 0 ? 0 : totals.rows * 1000 / elapsed_ms;
    if (totals.rows_per_second > 0) {
        totals.seconds_left = (totals.rows_estimate - totals.rows) / totals.rows_per_second;
    }
    return totals;
}

void mr_copy_close(struct mr_copy *copy)
{
    if (copy == NULL) {
        return;
    }
    atomic_store(&copy->cancelled, true);
    if (copy->pool != NULL) {
        MR_ASSERT(pthread_join(copy->coordinator, NULL) == 0);
    }
    copy->options.ops->snapshot_close(copy->options.snapshot);
    free(copy->plan);
    for (size_t i = 0; i < MR_ARRAY_LEN(copy->wish_texts); i++) {
        free(copy->wish_texts[i]);
    }
    mr_batch_pool_close(copy->pool);
    (void)pthread_mutex_destroy(&copy->lock);
    free(copy->progress);
    free(copy->pieces);
    free(copy);
}
