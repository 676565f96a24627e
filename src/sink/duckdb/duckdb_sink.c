// SPDX-License-Identifier: MIT
/*
 * duckdb_sink.c - the sink of the embedded warehouse: transactions, positions, recovery.
 *
 * One DuckDB transaction is one commit: the data of all sources' batches and a position row for
 * each source that moved. BEGIN comes with the first apply(), COMMIT with commit().
 *
 * FAILURE
 *   - Any failed call: the pipeline calls rollback() and reads again from what is committed.
 *   - Out of memory: queries are interrupted and kept out for two seconds, a checkpoint frees what
 *     deletes hold, reductions get half as many rows (down to MR_APPLY_ROWS_MIN), MR_RETRY; after
 *     COMMITS_TO_RECOVER good commits they grow again. From the third time on tables with many
 *     deletes are written anew (overlay.h). MR_STOP after SHORT_COUNT_MAX times without a commit.
 *   - The engine gave the database up: the next call closes it, opens it again and reads the
 *     positions; MR_RETRY while that does not work.
 *   - A COMMIT that failed may or may not be in the log of the engine; the position that is read
 *     from the database afterwards tells which.
 */
#include "duckdb_sink.h"

#include <stdlib.h>
#include <string.h>

#include "follow.h"
#include "memory.h"
#include "query_memory.h"

#define WORK_BYTES_MAX     (UINT64_C(256) << 20) /* address space; touched as needed */
#define ROW_BYTES_MAX      (UINT64_C(512) << 20)
#define ARENA_BYTES_KEPT   (UINT64_C(4) << 20)
#define ROWS_MAX_DEFAULT   50000
#define ROWS_MAX_LIMIT     131072
#define MEMORY_DEFAULT     (UINT64_C(128) << 20)
#define QUERY_MEMORY_PART  2 /* of the engine's memory, for what it does not count */
#define COMMITS_TO_RECOVER 64
#define SHORT_COUNT_MAX    12 /* by then groups and reductions are as small as they get */
#define NS_PER_US          1000

static const struct mr_option duckdb_options[] = {
    {
        .name = "path",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_duckdb_config, path),
        .required = true,
        .help = "database file; made when it is not there",
    },
    {
        .name = "batch_rows_max",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct mr_duckdb_config, batch_rows_max),
        .fallback = "50000",
        .min = 1,
        .max = 1000000,
        .help = "rows after which a commit is closed at the next transaction's end",
    },
    {
        .name = "flush_interval",
        .type = MR_OPT_DURATION_MS,
        .offset = offsetof(struct mr_duckdb_config, flush_interval_ms),
        .fallback = "auto",
        .help = "auto: commit at once when idle, larger batches under load; else an upper bound",
    },
    {
        .name = "memory",
        .type = MR_OPT_SIZE,
        .offset = offsetof(struct mr_duckdb_config, memory_bytes),
        .help = "the engine's memory_limit; default: its share of memory_max",
    },
    {
        .name = "temp_max",
        .type = MR_OPT_SIZE,
        .offset = offsetof(struct mr_duckdb_config, temp_bytes_max),
        .fallback = "4GiB",
        .min = 1,
        .help = "disk space that queries may use to spill, beside the database file",
    },
    {
        .name = "threads",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct mr_duckdb_config, threads),
        .fallback = "1",
        .min = 1,
        .max = 1024,
        .help = "threads of the engine; more speed up large queries, and cost every commit",
    },
    {
        .name = "wal_bytes_max",
        .type = MR_OPT_SIZE,
        .offset = offsetof(struct mr_duckdb_config, wal_bytes_max),
        .fallback = "16MiB",
        .min = 65536,
        .help = "size of the engine's log at which a checkpoint is made even when busy",
    },
    {
        .name = "queries_max",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct mr_duckdb_config, queries_max),
        .fallback = "4",
        .min = 1,
        .max = MR_GATE_LEASES_MAX,
        .help = "queries of users that run at once",
    },
    {
        .name = "properties",
        .type = MR_OPT_MAP,
        .offset = offsetof(struct mr_duckdb_config, properties),
        .help = "DuckDB settings, passed on",
    },
    {0},
};

static void drop_statements(struct mr_sink *sink)
{
    if (sink->begin != NULL) {
        duckdb_destroy_prepare(&sink->begin);
        sink->begin = NULL;
    }
    if (sink->commit != NULL) {
        duckdb_destroy_prepare(&sink->commit);
        sink->commit = NULL;
    }
    mr_targets_forget(&sink->targets, false);
    mr_state_done(&sink->state);
    mr_aparts_done(&sink->aparts);
}

/* Reads what is committed and prepares the sink's statements; the database is open. */
static bool load(struct mr_sink *sink, struct mr_error *err)
{
    if (!mr_state_open(&sink->state, sink->warehouse, sink->source_names, sink->source_count,
                       sink->positions, err) ||
        !mr_quarantine_open(&sink->quarantine, sink->warehouse, sink->source_names,
                            sink->source_count, err) ||
        !mr_aparts_open(&sink->aparts, sink->warehouse, sink->source_names, sink->source_count,
                        err) ||
        !mr_warehouse_prepare(sink->warehouse, "BEGIN TRANSACTION", &sink->begin, err) ||
        !mr_warehouse_prepare(sink->warehouse, "COMMIT", &sink->commit, err)) {
        return false;
    }
    for (uint32_t i = 0; i < sink->source_count; i++) {
        struct mr_progress *progress = &sink->progress[i];
        progress->committed = sink->positions[i];
        progress->pending.place = progress->committed;
        progress->moved = false;
        progress->open_sequence = 0;
    }
    return true;
}

/* After a fatal error: opens the database again. Every call begins here. */
bool mr_duckdb_ensure_open(struct mr_sink *sink, struct mr_error *err)
{
    mr_query_memory_exempt(true); /* this thread is the sink's */
    const bool is_broken = sink->commit == NULL || mr_warehouse_is_broken(sink->warehouse);
    if (MR_LIKELY(!is_broken && !sink->outcome_is_unknown)) {
        return true;
    }
    MR_ASSERT(!sink->in_transaction);
    drop_statements(sink);
    if ((is_broken && !mr_warehouse_reopen(sink->warehouse, err)) || !load(sink, err)) {
        drop_statements(sink);
        return mr_error_context(err, "open the warehouse again");
    }
    sink->outcome_is_unknown = false;
    return true;
}

/* Everything was tried, with no query beside it: an operator has to decide. */
static void give_up(const struct mr_sink *sink, struct mr_error *err)
{
    struct mr_error why = *err;
    const uint64_t rows = sink->apply.rows_total - atomic_load(&sink->counters.rows_total);
    (void)mr_fail(
        err, MR_E_LIMIT, MR_STOP,
        "%.400s: a transaction does not fit the engine's memory of %llu MiB, alone and in "
        "the smallest parts (it failed after %llu rows); raise the sink's \"memory\", or "
        "memory_max",
        why.message, (unsigned long long)(sink->memory_bytes >> 20), (unsigned long long)rows);
}

/* Counts the error; when memory was short, asks less of it from now on. */
bool mr_duckdb_fail(struct mr_sink *sink, struct mr_error *err)
{
    MR_ASSERT(err->code != MR_OK);
    atomic_fetch_add(&sink->counters.errors_total, 1);
    if (err->code == MR_E_LIMIT && err->recovery == MR_RETRY) {
        const uint32_t half = sink->apply.rows_max / 2;
        sink->apply.rows_max = half < MR_APPLY_ROWS_MIN ? MR_APPLY_ROWS_MIN : half;
        sink->good_commits = 0;
        sink->memory_was_short = true;
        if (mr_warehouse_was_alone(sink->warehouse) &&
            ++sink->apply.short_count >= SHORT_COUNT_MAX) {
            give_up(sink, err);
        }
    }
    return false;
}

static void note_commit(struct mr_sink *sink)
{
    if (sink->apply.rows_max < sink->rows_max && ++sink->good_commits >= COMMITS_TO_RECOVER) {
        const uint32_t twice = sink->apply.rows_max * 2;
        sink->apply.rows_max = twice > sink->rows_max ? sink->rows_max : twice;
        sink->good_commits = 0;
    }
}

static uint32_t choose_rows_max(const struct mr_sink_context *context,
                                const struct mr_duckdb_config *config)
{
    uint64_t rows = context->batch_rows_max != 0 ? context->batch_rows_max : config->batch_rows_max;
    rows = rows == 0 ? ROWS_MAX_DEFAULT : rows;
    rows = rows < MR_APPLY_ROWS_MIN ? MR_APPLY_ROWS_MIN : rows;
    return rows > ROWS_MAX_LIMIT ? ROWS_MAX_LIMIT : (uint32_t)rows;
}

static void duckdb_sink_close(struct mr_sink *sink)
{
    if (sink == NULL) {
        return;
    }
    drop_statements(sink);
    mr_targets_done(&sink->targets);
    mr_warehouse_close(sink->warehouse); /* an open transaction is dropped */
    mr_arena_done(&sink->apply.work_arena);
    mr_arena_done(&sink->apply.row_arena);
    mr_quarantine_done(&sink->quarantine);
    free(sink->progress);
    free(sink->positions);
    free(sink);
}

/* Commits the whole transactions applied so far, unless one of some source is open. */
static bool settle(void *context, struct mr_error *err)
{
    struct mr_sink *sink = context;
    for (uint32_t i = 0; i < sink->source_count; i++) {
        if (sink->progress[i].open_sequence != 0) {
            return true;
        }
    }
    return mr_duckdb_commit(sink, err) && mr_duckdb_begin(sink, err);
}

static struct mr_sink *duckdb_sink_open(const struct mr_sink_context *context, struct mr_error *err)
{
    const struct mr_duckdb_config *config = context->config;
    struct mr_sink *sink = mr_memory_new(1, sizeof(*sink));
    const uint64_t memory =
        config->memory_bytes != 0 ? config->memory_bytes : context->memory_bytes;
    sink->memory_bytes = memory == 0 ? MEMORY_DEFAULT : memory;
    const struct mr_warehouse_config warehouse_config = {
        .path = config->path,
        .memory_bytes = sink->memory_bytes,
        .temp_bytes_max = config->temp_bytes_max,
        .threads = config->threads,
        .queries_max = config->queries_max,
        .properties = &config->properties,
        .env = context->env,
    };

    mr_quarantine_init(&sink->quarantine);
    sink->env = context->env;
    sink->config = config;
    sink->source_names = context->source_names;
    sink->source_count = context->source_count;
    sink->progress = mr_memory_new(context->source_count + 1, sizeof(*sink->progress));
    sink->positions = mr_memory_new(context->source_count + 1, sizeof(*sink->positions));
    sink->rows_max = choose_rows_max(context, config);
    sink->warehouse = mr_warehouse_open(&warehouse_config, err);
    if (sink->warehouse == NULL) {
        goto fail;
    }
    mr_query_memory_limit(sink->memory_bytes / QUERY_MEMORY_PART);
    mr_query_memory_give_back_soon();
    mr_targets_init(&sink->targets, sink->warehouse, sink->source_names, sink->source_count);
    sink->targets.policies = context->policies;
    sink->apply = (struct mr_apply){
        .warehouse = sink->warehouse,
        .targets = &sink->targets,
        .state = &sink->state,
        .quarantine = &sink->quarantine,
        .settle = settle,
        .settle_context = sink,
        .aparts = &sink->aparts,
        .progress = sink->progress,
        .rows_max = sink->rows_max,
        .memory_bytes = sink->memory_bytes,
    };
    if (mr_arena_init(&sink->apply.work_arena, WORK_BYTES_MAX, ARENA_BYTES_KEPT, err) &&
        mr_arena_init(&sink->apply.row_arena, ROW_BYTES_MAX, ARENA_BYTES_KEPT, err) &&
        load(sink, err)) {
        return sink;
    }

fail:
    duckdb_sink_close(sink);
    return NULL;
}

static bool duckdb_sink_position(struct mr_sink *sink, uint16_t source_index,
                                 struct mr_sink_position *position, struct mr_error *err)
{
    MR_ASSERT(source_index < sink->source_count);
    if (!mr_duckdb_ensure_open(sink, err)) {
        return mr_duckdb_fail(sink, err);
    }
    *position = sink->progress[source_index].committed;
    return true;
}

bool mr_duckdb_begin(struct mr_sink *sink, struct mr_error *err)
{
    if (!mr_duckdb_ensure_open(sink, err)) {
        return false;
    }
    if (!sink->in_transaction) {
        mr_upkeep_free_memory(sink);
        if (!mr_warehouse_run(sink->warehouse, sink->begin, NULL, err)) {
            return mr_error_context(err, "begin");
        }
        sink->in_transaction = true;
    }
    return true;
}

static bool duckdb_sink_apply(struct mr_sink *sink, struct mr_batch *const *batches, uint32_t count,
                              struct mr_error *err)
{
    const uint64_t rows_before = sink->apply.rows_total;

    if (!mr_duckdb_begin(sink, err) || !mr_apply_batches(&sink->apply, batches, count, err)) {
        return mr_duckdb_fail(sink, err);
    }
    sink->rows_since_check += sink->apply.rows_total - rows_before;
    return true;
}

static bool append_positions(struct mr_sink *sink, struct mr_error *err)
{
    for (uint32_t i = 0; i < sink->source_count; i++) {
        const struct mr_progress *progress = &sink->progress[i];
        MR_ASSERT(progress->open_sequence == 0); /* never commit half a transaction */
        if (progress->moved &&
            !mr_state_append_position(&sink->state, (uint16_t)i, &progress->pending, err)) {
            return false;
        }
    }
    for (struct mr_apart *entry = sink->aparts.all; entry != NULL; entry = entry->next) {
        MR_ASSERT(entry->progress.open_sequence == 0);
        if (entry->progress.moved &&
            !mr_aparts_append(&sink->aparts, entry, entry->state,
                              entry->progress.pending.place.sequence, err)) {
            return false;
        }
    }
    return true;
}

bool mr_duckdb_commit(struct mr_sink *sink, struct mr_error *err)
{
    const uint64_t start = sink->env->monotonic_ns(sink->env);

    MR_ASSERT(sink->in_transaction);
    if (!mr_apply_finish(&sink->apply, err) || !append_positions(sink, err)) {
        return false;
    }
    if (!mr_warehouse_run(sink->warehouse, sink->commit, NULL, err)) {
        /* Seen when memory ran out after the point of no return: the rows were there. What the
         * warehouse holds is read again before anything else (ensure_open). */
        sink->outcome_is_unknown = true;
        return mr_error_context(err, "commit");
    }
    sink->in_transaction = false;
    for (uint32_t i = 0; i < sink->source_count; i++) {
        mr_progress_commit(&sink->progress[i]);
    }
    for (struct mr_apart *entry = sink->aparts.all; entry != NULL; entry = entry->next) {
        mr_progress_commit(&entry->progress);
    }
    mr_targets_settle(&sink->targets);
    sink->apply.short_count = 0;
    sink->apply.deletes_fill_the_memory = false;
    mr_quarantine_settle(&sink->quarantine);
    note_commit(sink);
    sink->commit_ns_last = sink->env->monotonic_ns(sink->env);
    atomic_store(&sink->counters.rows_total, sink->apply.rows_total);
    atomic_fetch_add(&sink->counters.commits_total, 1);
    atomic_store(&sink->counters.commit_us_last, (sink->commit_ns_last - start) / NS_PER_US);
    return true;
}

static bool duckdb_sink_commit(struct mr_sink *sink, struct mr_error *err)
{
    if (!sink->in_transaction) {
        return true;
    }
    return mr_duckdb_commit(sink, err) || mr_duckdb_fail(sink, err);
}

static void duckdb_sink_rollback(struct mr_sink *sink)
{
    /* Even when BEGIN is not known to have worked: one that failed for lack of memory leaves a
     * transaction behind that refuses everything but this. */
    mr_warehouse_rollback(sink->warehouse);
    sink->in_transaction = false;
    sink->apply.rows_total = atomic_load(&sink->counters.rows_total);
    mr_targets_forget(&sink->targets, true);
    sink->apply.deletes_fill_the_memory = false;
    mr_quarantine_forget(&sink->quarantine);
    for (uint32_t i = 0; i < sink->source_count; i++) {
        mr_progress_roll_back(&sink->progress[i]);
    }
    for (struct mr_apart *entry = sink->aparts.all; entry != NULL; entry = entry->next) {
        mr_progress_roll_back(&entry->progress);
    }
}

static bool duckdb_sink_snapshot_is_finished(struct mr_sink *sink, uint16_t source_index,
                                             const struct mr_schema *schema, bool *finished,
                                             struct mr_snapshot_mark *mark, struct mr_error *err)
{
    if (!mr_duckdb_ensure_open(sink, err)) {
        return mr_duckdb_fail(sink, err);
    }
    const struct mr_state_copy *copy = mr_state_find_copy(&sink->state, source_index, schema);
    *finished = copy != NULL && copy->finished;
    if (*finished) {
        *mark = copy->mark;
    }
    return true;
}

/* The end of a source's first copies, or of one table's: the table is there, the mark with it. */
static bool finish_first(struct mr_sink *sink, uint16_t source_index,
                         const struct mr_schema *schema, const struct mr_snapshot_mark *mark,
                         struct mr_error *err)
{
    struct mr_apart *entry = NULL;
    if (schema != &mr_schema_whole_source) {
        struct mr_target *target = mr_apply_target(&sink->apply, source_index, schema, err);
        if (target == NULL || !mr_target_ensure(&sink->targets, target, schema, false, err)) {
            return false;
        }
        target->mark_is_known = false;
        entry = mr_aparts_find(&sink->aparts, source_index, schema, MR_APART_FIRST);
    }
    if (entry != NULL && (!mr_aparts_forget_pieces(&sink->aparts, entry, err) ||
                          !mr_aparts_append(&sink->aparts, entry, MR_APART_JOINED, 0, err))) {
        return false;
    }
    if (!mr_state_append_copy(&sink->state, source_index, schema, mark, err) ||
        !mr_duckdb_commit(sink, err)) {
        return false;
    }
    mr_state_note_copy(&sink->state, source_index, schema, mark);
    if (entry != NULL) {
        entry->state = MR_APART_JOINED;
    }
    return true;
}

static bool duckdb_sink_snapshot_finish(struct mr_sink *sink, uint16_t source_index,
                                        const struct mr_schema *schema,
                                        const struct mr_snapshot_mark *mark, struct mr_error *err)
{
    MR_ASSERT(mark != NULL);
    if (mark->beside) {
        return mr_duckdb_copy_finish(sink, source_index, schema, mark, err);
    }
    if (!mr_duckdb_begin(sink, err) || !finish_first(sink, source_index, schema, mark, err)) {
        return mr_duckdb_fail(sink, err);
    }
    return true;
}

static bool duckdb_sink_restart(struct mr_sink *sink, uint16_t source_index, uint64_t sequence,
                                struct mr_error *err)
{
    MR_ASSERT(source_index < sink->source_count);
    struct mr_progress *progress = &sink->progress[source_index];

    if (!mr_duckdb_begin(sink, err) || !mr_state_append_restart(&sink->state, source_index, err) ||
        !mr_duckdb_restart_apart(sink, source_index, sequence, err)) {
        return mr_duckdb_fail(sink, err);
    }
    progress->pending.place = (struct mr_sink_position){.sequence = sequence};
    progress->pending.committed_us = 0;
    progress->moved = sequence > 0;
    progress->known_sequence = 0;
    if (!mr_duckdb_commit(sink, err)) {
        return mr_duckdb_fail(sink, err);
    }
    mr_state_note_restart(&sink->state, source_index);
    for (struct mr_target *target = sink->targets.all; target != NULL; target = target->next) {
        target->mark_is_known = target->mark_is_known && target->source_index != source_index;
    }
    sink->outcome_is_unknown = true; /* what is apart is read again */
    return true;
}

static const char *duckdb_sink_snapshot_plan(struct mr_sink *sink, uint16_t source_index,
                                             const struct mr_schema *named, bool beside)
{
    const struct mr_apart *entry =
        mr_aparts_find(&sink->aparts, source_index, named, beside ? MR_APART_COPY : MR_APART_FIRST);
    return entry != NULL && entry->state == MR_APART_COPYING ? entry->plan : NULL;
}

static bool duckdb_sink_maintain(struct mr_sink *sink, bool idle, struct mr_error *err)
{
    if (sink->in_transaction) {
        return true;
    }
    if (!mr_duckdb_ensure_open(sink, err) || !mr_upkeep_run(sink, idle, err)) {
        return mr_duckdb_fail(sink, err);
    }
    return true;
}

static void duckdb_sink_observe(struct mr_sink *sink, struct mr_sink_observation *observation)
{
    const struct mr_sink_counters *counters = &sink->counters;

    *observation = (struct mr_sink_observation){
        .rows_total = atomic_load(&counters->rows_total),
        .commits_total = atomic_load(&counters->commits_total),
        .errors_total = atomic_load(&counters->errors_total),
        .checkpoints_total = atomic_load(&counters->checkpoints_total),
        .checkpoint_us_last = atomic_load(&counters->checkpoint_us_last),
        .commit_us_last = atomic_load(&counters->commit_us_last),
        .wal_bytes = atomic_load(&counters->wal_bytes),
        .quarantined_count = mr_quarantine_count(&sink->quarantine),
    };
}

static bool duckdb_sink_is_set_aside(struct mr_sink *sink, uint16_t source_index,
                                     const struct mr_schema *schema, char *reason, size_t size)
{
    return mr_quarantine_reason(&sink->quarantine, source_index, schema->space, schema->table,
                                reason, size);
}

const struct mr_sink_ops mr_sink_duckdb = {
    .name = "duckdb",
    .summary = "the embedded warehouse: one DuckDB database, queried through the console",
    .options = duckdb_options,
    .config_size = sizeof(struct mr_duckdb_config),
    .open = duckdb_sink_open,
    .close = duckdb_sink_close,
    .position = duckdb_sink_position,
    .apply = duckdb_sink_apply,
    .commit = duckdb_sink_commit,
    .rollback = duckdb_sink_rollback,
    .snapshot_is_finished = duckdb_sink_snapshot_is_finished,
    .snapshot_begin = mr_duckdb_copy_begin,
    .snapshot_piece = mr_duckdb_copy_piece,
    .snapshot_plan = duckdb_sink_snapshot_plan,
    .snapshot_finish = duckdb_sink_snapshot_finish,
    .restart = duckdb_sink_restart,
    .order = mr_duckdb_order,
    .apart = mr_duckdb_apart,
    .pinned = mr_duckdb_pinned,
    .follow_next = mr_duckdb_follow_next,
    .follow_apply = mr_duckdb_follow_apply,
    .follow_end = mr_duckdb_follow_end,
    .maintain = duckdb_sink_maintain,
    .observe = duckdb_sink_observe,
    .is_set_aside = duckdb_sink_is_set_aside,
};
