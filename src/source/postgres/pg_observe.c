// SPDX-License-Identifier: MIT
/*
 * pg_observe.c - what is known of the server beside its stream: whether it lives, how far its log
 * is, and how long it keeps what we need.
 *
 * SILENCE   The kernel says when the last byte came. After half of silence_max the server is asked
 *           for a sign of life (it answers at once, wal_sender_timeout or not); when none has come
 *           silence_max after the last byte, the connection counts as broken. Time in which we did
 *           not read does not count: what came meanwhile shows as bytes since the question.
 *
 * BUDGET    safe_wal_size is what may still be written until the slot may be lost
 *           (max_slot_wal_keep_size); how fast the log grows makes time of it. Without that limit
 *           the slot holds the log for ever, and the server's disk is the limit: then only what is
 *           held is known.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_stream.h"

#define ASK_INTERVAL_NS UINT64_C(1000000000)
#define NS_PER_MS       UINT64_C(1000000)
#define NS_PER_S        1e9
#define GROWTH_WEIGHT   0.1 /* of the newest second in the mean */

enum answer_field {
    ANSWER_LOG_END,
    ANSWER_SAFE_BYTES,
    ANSWER_HELD_BYTES,
    ANSWER_KEEP_BYTES,
};

static const char question[] =
    "SELECT l.log_end, s.safe_wal_size, "
    "pg_catalog.pg_wal_lsn_diff(l.log_end, s.restart_lsn)::pg_catalog.int8, k.bytes "
    "FROM (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() "
    "THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END) "
    "AS l(log_end) CROSS JOIN (SELECT setting::pg_catalog.int8 * 1048576 FROM "
    "pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size') AS k(bytes) "
    "LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = $1";

bool mr_pg_stream_check_silence(struct mr_source *source, uint64_t now_ns, struct mr_error *err)
{
    const struct mr_pg_config *config = source->context->config;
    const uint64_t half_ns = config->silence_ms_max * NS_PER_MS / 2;
    const uint64_t silent_ns = mr_pg_connection_silent_ms(&source->replication) * NS_PER_MS;
    if (source->reply_asked_ns != 0 && silent_ns < now_ns - source->reply_asked_ns) {
        source->reply_asked_ns = 0; /* something came since */
    }
    if (source->reply_asked_ns != 0 && now_ns - source->reply_asked_ns >= half_ns) {
        return mr_fail(err, MR_E_NET, MR_RETRY,
                       "\"%s\" port %u has been silent for %" PRIu64 " ms, though it was asked for "
                       "a sign of life (silence_max)",
                       source->replication.endpoint->host, source->replication.endpoint->port,
                       silent_ns / NS_PER_MS);
    }
    if (source->reply_asked_ns == 0 && silent_ns >= half_ns) {
        source->reply_asked_ns = now_ns;
        return mr_pg_stream_send_status(source, now_ns, err);
    }
    return true;
}

/* Bytes a second that the log grows by. */
static void note_growth(struct mr_source *source, uint64_t log_end)
{
    const uint64_t now_ns = source->context->env->monotonic_ns(source->context->env);
    if (source->grown_ns != 0 && now_ns > source->grown_ns && log_end >= source->server_lsn) {
        const double seconds = (double)(now_ns - source->grown_ns) / NS_PER_S;
        const double latest = (double)(log_end - source->server_lsn) / seconds;
        source->growth = source->growth * (1 - GROWTH_WEIGHT) + latest * GROWTH_WEIGHT;
    }
    source->grown_ns = now_ns;
}

static uint64_t read_bytes(const PGresult *answer, enum answer_field field)
{
    const char *text = mr_pg_field(answer, 0, (int)field);
    const long long bytes = PQgetisnull(answer, 0, (int)field) ? -1 : strtoll(text, NULL, 10);
    return bytes < 0 ? UINT64_MAX : (uint64_t)bytes;
}

static void take_answer(struct mr_source *source, const PGresult *answer)
{
    MR_ASSERT(PQntuples(answer) == 1);
    struct mr_retention *retention = &source->retention;
    uint64_t log_end = 0;
    if (!mr_pg_lsn_parse(mr_pg_field(answer, 0, ANSWER_LOG_END), &log_end)) {
        return;
    }
    note_growth(source, log_end);
    source->server_lsn = log_end;
    *retention = MR_RETENTION_UNKNOWN;
    retention->held_bytes = read_bytes(answer, ANSWER_HELD_BYTES);
    retention->total_bytes = read_bytes(answer, ANSWER_KEEP_BYTES);
    if (retention->total_bytes != UINT64_MAX) {
        retention->left_bytes = read_bytes(answer, ANSWER_SAFE_BYTES);
        if (source->growth >= 1 && retention->left_bytes != UINT64_MAX) {
            retention->left_s = (uint64_t)((double)retention->left_bytes / source->growth);
        }
    }
}

static void ask_server(struct mr_source *source)
{
    const uint64_t now_ns = source->context->env->monotonic_ns(source->context->env);
    if (source->control.pg == NULL || PQstatus(source->control.pg) != CONNECTION_OK) {
        return;
    }
    if (source->server_is_asked) {
        if (PQconsumeInput(source->control.pg) == 0 || PQisBusy(source->control.pg) != 0) {
            return;
        }
        struct mr_error ignored = {0};
        PGresult *answer = mr_pg_collect(&source->control, &ignored);
        source->server_is_asked = false;
        if (answer != NULL && PQntuples(answer) == 1) {
            take_answer(source, answer);
        }
        PQclear(answer);
    }
    if (now_ns - source->server_asked_ns >= ASK_INTERVAL_NS) {
        const struct mr_source_context *context = source->context;
        char slot[MR_PG_NAME_BYTES_MAX];
        const char *const parameters[] = {slot};
        mr_pg_config_slot(context->config, context->pipeline, context->name, slot);
        source->server_asked_ns = now_ns;
        source->server_is_asked = PQsendQueryParams(source->control.pg, question, 1, NULL,
                                                    parameters, NULL, NULL, 0) == 1;
    }
}

void mr_pg_stream_observe(struct mr_source *source, struct mr_source_observation *observation)
{
    MR_ASSERT(source->replication.pg != NULL);
    ask_server(source);
    const uint64_t ours =
        source->received_lsn > source->idle_lsn ? source->received_lsn : source->idle_lsn;
    const int version = PQserverVersion(source->replication.pg);
    *observation = (struct mr_source_observation){
        .lag_bytes = source->server_lsn == 0     ? UINT64_MAX
                     : source->server_lsn > ours ? source->server_lsn - ours
                                                 : 0,
        .clock_skew_us = source->clock_skew_us,
        .commit_resolution_us = 1,
        .received_bytes = source->received_bytes,
        .kept_bytes = source->spool == NULL ? 0 : mr_pg_spool_bytes(source->spool),
        .kept_transactions = source->spool == NULL ? 0 : mr_pg_spool_count(source->spool),
        .retention = source->retention,
    };
    (void)snprintf(observation->server, sizeof(observation->server), "PostgreSQL %d.%d",
                   version / 10000, version % 10000);
}
