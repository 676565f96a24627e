// SPDX-License-Identifier: MIT
/*
 * link_lost.c - starting anew where what follows our position is gone: at the server (lost slot,
 * purged binlog) for every sink, or in our own stream (retention_force) for the sinks it outran.
 *
 *   the server's log is gone                      a sink is in a gap
 *     sinks apply what the stream has               -
 *     sinks forget their copies and pass over       that sink likewise
 *       what the stream has up to its end
 *     snapshot_open() fixes a fresh start           -
 *     the start is made durable                     -
 *     the copy starts, then the stream              the copy starts beside the stream
 *
 * A CRASH at any of these steps leaves either the old position, which is found lost again, or the
 * new one with copies that are not complete, which is an interrupted copy like any other. Sinks
 * forget before the new start is durable: the other way round a crash would leave a gap that nobody
 * knows of.
 */
#include "link_internal.h"
#include "log.h"

#define DRAIN_POLL_US UINT64_C(2000)

static uint64_t last_sequence(const struct mr_link *link)
{
    const struct mr_journal *journal = link->options.journal;
    struct mr_stream_observation observation = {0};
    journal->ops->observe(journal->stream, &observation);
    return observation.last_sequence;
}

/* What came before the loss is still good. A sink that is being copied into, or is in a gap, will
 * never take it. */
static bool has_drained(const struct mr_link *link, uint64_t sequence)
{
    for (uint32_t i = 0; i < link->options.loader_count; i++) {
        const struct mr_loader_source *source =
            &link->options.loaders[i]->sources[link->options.source_index];
        if (atomic_load(&source->gate_is_open) &&
            atomic_load(&source->committed_shown) < sequence) {
            return false;
        }
    }
    return true;
}

static bool restart_sink(struct mr_link *link, struct mr_loader *loader, uint64_t sequence,
                         struct mr_error *err)
{
    bool ignored = false;
    const struct mr_load_command command = {
        .kind = MR_LOAD_RESTART,
        .source_index = link->options.source_index,
        .schema = &mr_schema_whole_source,
        .sequence = sequence,
    };
    return mr_loader_ask(loader, command, &ignored, err);
}

enum mr_step mr_link_start_anew(struct mr_link *link, struct mr_error *err)
{
    MR_ASSERT(link->is_lost && link->options.recopies);
    const struct mr_env *env = link->options.context.env;
    const uint64_t sequence = last_sequence(link);
    mr_link_close_copy(link);
    if (!has_drained(link, sequence)) {
        env->sleep_us(env, DRAIN_POLL_US);
        return MR_STEP_IDLE;
    }
    for (uint32_t i = 0; i < link->options.loader_count; i++) {
        if (!restart_sink(link, link->options.loaders[i], sequence, err)) {
            return mr_link_on_error(link, err);
        }
    }
    link->copy_is_settled = link->options.loader_count == 0;
    link->options.context.starts_anew = true;
    const bool opened = mr_link_open_snapshot(link, false, err);
    link->options.context.starts_anew = false;
    if (!opened) {
        return mr_link_on_error(link, err);
    }
    link->is_lost = false;
    link->recopies_total++;
    return MR_STEP_WORKED; /* open once the start is durable */
}

bool mr_link_tend_gaps(struct mr_link *link, struct mr_error *err)
{
    for (uint32_t i = 0; i < link->options.loader_count && link->options.recopies; i++) {
        struct mr_loader *loader = link->options.loaders[i];
        if (!mr_loader_is_in_gap(loader, link->options.source_index)) {
            continue;
        }
        mr_log(MR_LOG_ERROR, "sink.gap_closing", MR_LOG_S("sink", loader->context.name),
               MR_LOG_S("source", link->options.context.name),
               MR_LOG_S("next", "its tables are copied anew; their history in the gap is lost"));
        mr_link_close_copy(link); /* one copy at a time: what it had finished stays */
        if (!restart_sink(link, loader, last_sequence(link), err)) {
            return false;
        }
        link->copy_is_settled = false;
        link->copy_retry_at_ns = 0;
    }
    return true;
}
