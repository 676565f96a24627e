// SPDX-License-Identifier: MIT
/*
 * mysql_source.c - the MySQL and MariaDB source: two connections and a decoder.
 *
 *   stream   the binlog, from mysql_dump.c into the decoder (binlog_stream.c)
 *   query    information_schema for the decoder, the end of the binlog for the lag, what the server
 *            still has when it refuses us; reopened when it is lost
 *
 * A finished transaction is handed on as soon as no further byte is at hand, and batches are filled
 * to target_bytes while there are. The server sends a transaction in one go, so the rest of an open
 * one is waited for a while before the batch is handed on with its first part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binlog_stream.h"
#include "memory.h"
#include "mysql_config.h"
#include "mysql_connection.h"
#include "mysql_dump.h"
#include "mysql_info.h"
#include "mysql_preflight.h"
#include "mysql_reread.h"
#include "mysql_resume.h"
#include "mysql_server.h"
#include "mysql_snapshot.h"
#include "source.h"

#define NS_PER_MS             UINT64_C(1000000)
#define LAG_PERIOD_NS         (1000 * NS_PER_MS)
#define SKEW_PERIOD_NS        (30000 * NS_PER_MS)
#define RECONNECT_PERIOD_NS   (10000 * NS_PER_MS)
#define OPEN_TRANSACTION_MS   1000 /* after which an open one is handed on as it is */
#define TURN_EVENTS           4096 /* between two looks at the clock in a backlog */
#define TURN_MS               200  /* after which next() returns, whatever it has */
#define EVENT_TYPE_OFFSET     4
#define EVENT_HEARTBEAT       27
#define EVENT_HEARTBEAT_V2    41
#define ER_BINLOG_FATAL       1236
#define EVENT_BYTES_MIN       19
#define MYSQL_RESOLUTION_US   1
#define MARIADB_RESOLUTION_US 1000000

struct mr_source {
    struct mr_source_context context;
    const struct mr_mysql_config *config;
    struct mr_mysql_connection *query; /* NULL while it is lost */
    struct mr_mysql_connection *stream;
    struct mr_mysql_info *info;
    struct mr_binlog_stream *binlog;
    struct mr_mysql_dump dump;
    struct mr_mysql_reread reread;     /* open while an XA transaction that commits is read again */
    char *resumed_from;                /* text, for messages */
    struct mr_native_position started; /* 0 when it was by GTIDs: the server finds the place */

    struct mr_slice event; /* borrowed from the connection until the next read */
    bool has_event;        /* `event` is still to be fed */
    bool has_failed;       /* `failure` is to be reported once the last batch is handed on */
    struct mr_error failure;

    bool is_caught_up; /* the last event was a heartbeat */
    int64_t skew_us;
    uint64_t skew_ns; /* monotonic: when the skew was measured */
    uint64_t lag_bytes;
    struct mr_mysql_expiry expiry;
    uint64_t lag_ns;  /* monotonic: when the lag was measured */
    uint64_t lost_ns; /* monotonic: when connecting `query` last failed */
};

static uint64_t now_ns(const struct mr_source *source)
{
    return source->context.env->monotonic_ns(source->context.env);
}

/** The query connection, opened again if it was lost. NULL on failure. */
static struct mr_mysql_connection *query_connection(struct mr_source *source, struct mr_error *err)
{
    MR_ASSERT(source->stream != NULL);
    if (source->query == NULL) {
        source->query =
            mr_mysql_connect(&source->context, MR_MYSQL_CONTROL, source->stream->endpoint, err);
    }
    return source->query;
}

static void lose_query_connection(struct mr_source *source)
{
    mr_mysql_disconnect(source->query);
    source->query = NULL;
}

static bool is_captured(void *context, const char *space, const char *table)
{
    const struct mr_source *source = context;
    return mr_mysql_is_captured(&source->context, space, table);
}

/** As the decoder asks for it. An idle connection may have been dropped: one second attempt. */
static const struct mr_mysql_table_info *table_info(void *context, const char *space,
                                                    const char *table, struct mr_error *err)
{
    struct mr_source *source = context;
    for (int attempt = 0; attempt < 2; attempt++) {
        struct mr_mysql_connection *connection = query_connection(source, err);
        if (connection == NULL) {
            return NULL;
        }
        const struct mr_mysql_table_info *found =
            mr_mysql_info_read(source->info, connection, space, table, err);
        if (found != NULL || err->code != MR_E_NET) {
            return found;
        }
        lose_query_connection(source);
    }
    return NULL;
}

static bool open_decoder(struct mr_source *source, const struct mr_mysql_resume *resume,
                         const char *epoch, struct mr_error *err)
{
    MR_ASSERT(source->binlog == NULL);
    char file[MR_MYSQL_FILE_BYTES_MAX] = "";
    char *gtids = NULL;
    char *prepared = NULL;
    uint64_t case_mode = 0;

    if (!resume->by_gtids) {
        MR_ASSERT(resume->place.file.length < sizeof(file));
        memcpy(file, resume->place.file.bytes, resume->place.file.length);
    }
    if (!mr_mysql_query_uint(source->query, "SELECT @@global.lower_case_table_names", &case_mode,
                             err)) {
        return false;
    }
    if (resume->keeps_gtids) {
        gtids = mr_memory_copy_text(resume->place.gtids.bytes, resume->place.gtids.length);
    }
    prepared = mr_memory_copy_text(resume->place.prepared.bytes, resume->place.prepared.length);
    struct mr_binlog_options options = {
        .callbacks = {.context = source, .is_captured = is_captured, .table_info = table_info},
        .terms = mr_mysql_terms(&source->context),
        .value_bytes_max = source->context.value_bytes_max,
        .nulls_large_values = source->context.nulls_large_values,
        .nulled = source->context.nulled,
        .target_bytes = source->context.target_bytes,
        .is_maria = source->stream->is_maria,
        .warns_of_statements = source->config->on_statement == MR_MYSQL_STATEMENT_WARN,
        .names_lower_case = case_mode != 0,
        .epoch = epoch,
        .file = file,
        .offset = resume->by_gtids ? 4 : resume->place.offset,
        .generation = resume->generation,
        .gtids = gtids,
        .prepared = prepared,
    };
    source->binlog = mr_binlog_stream_open(&options, err);
    free(gtids);
    free(prepared);
    return source->binlog != NULL;
}

static bool start_source(struct mr_source *source, const struct mr_position *from,
                         struct mr_error *err)
{
    MR_ASSERT(source->query == NULL && source->stream == NULL);
    struct mr_mysql_resume resume = {0};
    char epoch[MR_EPOCH_BYTES_MAX];
    char stream_epoch[MR_EPOCH_BYTES_MAX];

    source->query = mr_mysql_resume_connect(&source->context, from, &resume, epoch, err);
    if (source->query == NULL) {
        return false;
    }
    source->stream =
        mr_mysql_connect(&source->context, MR_MYSQL_DUMP, source->query->endpoint, err);
    if (source->stream == NULL || !mr_mysql_read_epoch(source->stream, stream_epoch, err)) {
        return false;
    }
    if (strcmp(epoch, stream_epoch) != 0) {
        return mr_fail(err, MR_E_NET, MR_RETRY,
                       "two connections to %s:%u met two servers; name the servers, not a balancer",
                       source->stream->endpoint->host, source->stream->endpoint->port);
    }
    if (!mr_mysql_measure_skew(source->query, &source->skew_us, err) ||
        !mr_mysql_expiry_read(source->query, &source->expiry, err)) {
        return false;
    }
    source->skew_ns = now_ns(source);
    source->started = resume.by_gtids ? source->started : resume.place.native;
    source->info = mr_mysql_info_open(err);
    if (source->info == NULL || !open_decoder(source, &resume, epoch, err)) {
        return false;
    }
    struct mr_mysql_dump_start start = {
        .by_gtids = resume.by_gtids,
        .gtids = resume.place.gtids,
        .file = resume.place.file,
        .offset = resume.place.offset,
        .server_id = mr_mysql_config_server_id(source->config, source->context.pipeline,
                                               source->context.name),
        .heartbeat_ms = source->config->heartbeat_ms,
        .silence_ms_max = source->config->silence_ms_max,
    };
    return mr_mysql_dump_begin(&source->dump, source->stream, &start, err);
}

static void mysql_source_close(struct mr_source *source)
{
    if (source == NULL) {
        return;
    }
    mr_mysql_reread_close(&source->reread);
    mr_binlog_stream_close(source->binlog);
    mr_mysql_info_close(source->info);
    mr_mysql_disconnect(source->stream);
    mr_mysql_disconnect(source->query);
    free(source->resumed_from);
    free(source);
}

static struct mr_source *mysql_source_open(const struct mr_source_context *context,
                                           const struct mr_position *resume, struct mr_error *err)
{
    MR_ASSERT(mr_position_is_set(resume));
    MR_ASSERT(context->catalog != NULL && context->env != NULL);
    struct mr_source *source = mr_memory_new(1, sizeof(*source));
    source->context = *context;
    source->config = context->config;
    source->lag_bytes = UINT64_MAX;
    source->resumed_from = mr_memory_copy_text(resume->text, strlen(resume->text));
    if (!start_source(source, resume, err)) {
        mysql_source_close(source);
        return NULL;
    }
    return source;
}

/** Of the many meanings of 1236, those that say that what follows our position is not there. */
static bool says_lost(const char *says)
{
    static const char *const words[] = {
        "purged",                              /* MySQL: required GTIDs */
        "Could not find first log file",       /* a file */
        "impossible position",                 /* past the end of a file */
        "not in the master's binlog",          /* MariaDB: a GTID */
        "Could not find GTID state requested", /* MariaDB: purged */
        "has more GTIDs than the",             /* MySQL: ours are not the server's */
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(words); i++) {
        if (strcasestr(says, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/** The dump failed: what the server's 1236 means depends on its words. */
static void explain_dump_failure(struct mr_source *source, struct mr_error *err)
{
    MR_ASSERT(err->code != MR_OK);
    if (mr_mysql_error_number(source->stream) != ER_BINLOG_FATAL) {
        return;
    }
    char says[256];
    (void)snprintf(says, sizeof(says), "%s", mysql_error(source->stream->mysql));
    if (strstr(says, "same server_uuid/server_id") != NULL) {
        (void)mr_fail(
            err, MR_E_CONFIG, MR_STOP,
            "another replica connected to %s:%u with our server_id %u; give this source a "
            "server_id of its own",
            source->stream->endpoint->host, source->stream->endpoint->port,
            mr_mysql_config_server_id(source->config, source->context.pipeline,
                                      source->context.name));
        return;
    }
    if (!says_lost(says)) {
        return; /* as it is: a copy of the tables would not mend it */
    }
    struct mr_error ignored = {0};
    struct mr_mysql_connection *connection = query_connection(source, &ignored);
    (void)mr_mysql_resume_explain(connection, source->resumed_from, says, err);
}

/** Gives the batch its last touches. */
static enum mr_next hand_on(struct mr_source *source, struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(!batch->continued);
    if (!mr_binlog_finish_batch(source->binlog, batch, err)) {
        return MR_NEXT_ERROR;
    }
    batch->received_ns = now_ns(source);
    batch->clock_skew_us = source->skew_us;
    return MR_NEXT_BATCH;
}

/** Milliseconds that are left of limit_ms since began_ns; 0 when none. */
static uint32_t left_ms(const struct mr_source *source, uint64_t began_ns, uint32_t limit_ms)
{
    uint64_t gone_ms = (now_ns(source) - began_ns) / NS_PER_MS;
    return gone_ms >= limit_ms ? 0 : limit_ms - (uint32_t)gone_ms;
}

/** Hands on what there is, whole or not; nothing at all is IDLE. */
static enum mr_next hand_on_any(struct mr_source *source, struct mr_batch *batch,
                                struct mr_error *err)
{
    return mr_binlog_has_news(source->binlog, batch) ? hand_on(source, batch, err) : MR_NEXT_IDLE;
}

/** Reads an event if one comes within wait_ms. */
static enum mr_mysql_dump_read read_event(struct mr_source *source, uint32_t wait_ms,
                                          struct mr_error *err)
{
    enum mr_mysql_dump_read read = mr_mysql_dump_read(&source->dump, wait_ms, &source->event, err);
    if (read == MR_MYSQL_DUMP_EVENT) {
        MR_ASSERT(source->event.length >= EVENT_BYTES_MIN);
        uint8_t type = source->event.bytes[EVENT_TYPE_OFFSET];
        source->is_caught_up = type == EVENT_HEARTBEAT || type == EVENT_HEARTBEAT_V2;
        source->has_event = true;
    }
    return read;
}

/**
 * Brings the next event. NOTHING: the batch (or its emptiness) is to be handed on now, because a
 * transaction ended and no byte follows, or because the time is over.
 */
static enum mr_mysql_dump_read await_event(struct mr_source *source, const struct mr_batch *batch,
                                           uint64_t began_ns, uint32_t wait_ms,
                                           struct mr_error *err)
{
    MR_ASSERT(!source->has_event);
    for (;;) {
        enum mr_mysql_dump_read read = read_event(source, 0, err);
        bool is_open = mr_binlog_in_transaction(source->binlog);
        if (read != MR_MYSQL_DUMP_NOTHING ||
            (!is_open && mr_binlog_has_news(source->binlog, batch))) {
            return read;
        }
        /* The server sends the rest of an open transaction at once: it is worth a wait. */
        uint32_t limit_ms =
            is_open && wait_ms < OPEN_TRANSACTION_MS ? OPEN_TRANSACTION_MS : wait_ms;
        uint32_t left = left_ms(source, began_ns, limit_ms);
        if (left == 0) {
            return MR_MYSQL_DUMP_NOTHING;
        }
        read = read_event(source, left, err);
        if (read != MR_MYSQL_DUMP_NOTHING) {
            return read;
        }
    }
}

/** Remembers a failure for the next call and hands on what is whole, if there is anything. */
static enum mr_next fail_after_batch(struct mr_source *source, struct mr_batch *batch,
                                     struct mr_error *err)
{
    MR_ASSERT(err->code != MR_OK && !source->has_failed);
    if (!mr_binlog_has_news(source->binlog, batch)) {
        return MR_NEXT_ERROR;
    }
    source->has_failed = true;
    source->failure = *err;
    return hand_on(source, batch, err);
}

/** Reads an XA transaction again. NEXT_END: the stream has all of it, and goes on. */
static enum mr_next read_again(struct mr_source *source, struct mr_batch *batch, uint32_t wait_ms,
                               struct mr_error *err)
{
    MR_ASSERT(source->has_event);
    if (source->reread.connection == NULL &&
        !mr_mysql_reread_open(&source->reread, &source->context, source->stream->endpoint,
                              mr_binlog_wanted(source->binlog), err)) {
        return fail_after_batch(source, batch, err);
    }
    switch (mr_mysql_reread_run(&source->reread, source->binlog, batch, wait_ms, err)) {
    case MR_REREAD_DONE:
        return MR_NEXT_END;
    case MR_REREAD_FULL:
        return hand_on(source, batch, err);
    case MR_REREAD_NOTHING:
        return hand_on_any(source, batch, err);
    case MR_REREAD_ERROR:
        break;
    }
    return fail_after_batch(source, batch, err);
}

/** Feeds the event at hand. NEXT_END: on with the next one, or with this one once more. */
static enum mr_next feed_event(struct mr_source *source, struct mr_batch *batch, uint32_t wait_ms,
                               struct mr_error *err)
{
    switch (mr_binlog_feed(source->binlog, source->event, batch, err)) {
    case MR_BINLOG_DONE:
        source->has_event = false;
        return mr_binlog_may_hand_on(source->binlog, batch) ? hand_on(source, batch, err)
                                                            : MR_NEXT_END;
    case MR_BINLOG_MORE:
        return hand_on(source, batch, err);
    case MR_BINLOG_AGAIN:
        return read_again(source, batch, wait_ms, err);
    case MR_BINLOG_ERROR:
        break;
    }
    return fail_after_batch(source, batch, err);
}

static enum mr_next mysql_source_next(struct mr_source *source, struct mr_batch *batch,
                                      uint32_t wait_ms, struct mr_error *err)
{
    if (source->has_failed) {
        *err = source->failure;
        return MR_NEXT_ERROR;
    }
    uint64_t began_ns = now_ns(source);
    for (uint32_t event_count = 1;; event_count++) {
        if (!source->has_event) {
            switch (await_event(source, batch, began_ns, wait_ms, err)) {
            case MR_MYSQL_DUMP_EVENT:
                break;
            case MR_MYSQL_DUMP_NOTHING:
                return hand_on_any(source, batch, err);
            case MR_MYSQL_DUMP_FAILED:
                explain_dump_failure(source, err);
                return MR_NEXT_ERROR;
            }
        }
        const enum mr_next next = feed_event(source, batch, wait_ms, err);
        if (next != MR_NEXT_END) {
            return next;
        }
        /* A backlog of tables that are not captured fills no batch: come back all the same. */
        if (event_count % TURN_EVENTS == 0 && left_ms(source, began_ns, TURN_MS) == 0) {
            return hand_on_any(source, batch, err);
        }
    }
}

/** A binlog is kept or expired by the server's own rule: there is nothing to acknowledge. */
static bool mysql_source_ack(struct mr_source *source, struct mr_native_position durable_up_to,
                             struct mr_error *err)
{
    (void)source;
    (void)durable_up_to;
    (void)err;
    return true;
}

/** The name of the file with a number, made after the server's current one. */
static void name_file(char to[MR_MYSQL_FILE_BYTES_MAX], const char *like, uint64_t number)
{
    MR_ASSERT(like[0] != '\0');
    const char *dot = strrchr(like, '.');
    int base = dot == NULL ? (int)strlen(like) : (int)(dot - like);
    int width = dot == NULL ? 6 : (int)strlen(dot + 1);
    (void)snprintf(to, MR_MYSQL_FILE_BYTES_MAX, "%.*s.%0*llu", base, like, width,
                   (unsigned long long)number);
}

/** Bytes between what we received and the end of the server's log. */
static bool measure_lag(struct mr_source *source, struct mr_error *err)
{
    MR_ASSERT(source->query != NULL);
    struct mr_mysql_place place = {0};
    struct mr_mysql_logs logs = {0};
    struct mr_native_position end = {0};
    char file[MR_MYSQL_FILE_BYTES_MAX];
    struct mr_native_position received = mr_binlog_progress(source->binlog).received;
    if (received.major == 0) {
        received = source->started;
    }
    received.major &= (UINT64_C(1) << MR_BINLOG_GENERATION_SHIFT) - 1;

    source->lag_bytes = UINT64_MAX;
    if (!mr_mysql_place_read(source->query, &place, err) ||
        !mr_mysql_place_native(&place, &end, err)) {
        return false;
    }
    if (end.major == received.major) {
        source->lag_bytes = end.minor > received.minor ? end.minor - received.minor : 0;
        return true;
    }
    name_file(file, place.file, received.major);
    if (!mr_mysql_logs_read(source->query, file, received.minor, &logs, err)) {
        return false;
    }
    if (logs.has_wanted) {
        source->lag_bytes = logs.bytes_after;
    }
    return true;
}

/** At most one look a second, on a connection of its own; a server that is away is asked seldom. */
static void refresh_observation(struct mr_source *source)
{
    struct mr_error err = {0};
    uint64_t now = now_ns(source);
    bool is_lost = source->query == NULL && now - source->lost_ns < RECONNECT_PERIOD_NS;
    bool wants_lag = !source->is_caught_up && now - source->lag_ns >= LAG_PERIOD_NS;
    bool wants_skew = now - source->skew_ns >= SKEW_PERIOD_NS;
    if (is_lost || (!wants_lag && !wants_skew)) {
        return;
    }
    bool read = query_connection(source, &err) != NULL;
    if (read && wants_lag) {
        source->lag_ns = now;
        read = measure_lag(source, &err);
    }
    if (read && wants_skew) {
        source->skew_ns = now;
        read = mr_mysql_measure_skew(source->query, &source->skew_us, &err) &&
               mr_mysql_expiry_read(source->query, &source->expiry, &err);
    }
    if (!read && err.code == MR_E_NET) {
        lose_query_connection(source);
        source->lost_ns = now;
        source->lag_bytes = UINT64_MAX;
    }
}

/*
 * The server deletes a binlog file binlog_expire_logs_seconds after its last event, so what we need
 * is there at least that long after the last event that we received.
 */
static struct mr_retention retention_of(const struct mr_source *source)
{
    struct mr_retention retention = MR_RETENTION_UNKNOWN;
    const int64_t server_us = source->context.env->unix_us(source->context.env) - source->skew_us;
    const uint32_t event_s = mr_binlog_progress(source->binlog).last_event_s;
    retention.held_bytes = source->is_caught_up ? 0 : source->lag_bytes;
    if (source->expiry.seconds == 0) {
        return retention;
    }
    const int64_t behind_s =
        source->is_caught_up || event_s == 0 ? 0 : server_us / 1000000 - (int64_t)event_s;
    const uint64_t age_s = behind_s < 0 ? 0 : (uint64_t)behind_s;
    retention.total_s = source->expiry.seconds;
    retention.left_s = age_s < retention.total_s ? retention.total_s - age_s : 0;
    return retention;
}

static void mysql_source_observe(struct mr_source *source,
                                 struct mr_source_observation *observation)
{
    MR_ASSERT(source->stream != NULL && source->binlog != NULL);
    refresh_observation(source);
    *observation = (struct mr_source_observation){
        .lag_bytes = source->is_caught_up ? 0 : source->lag_bytes,
        .clock_skew_us = source->skew_us,
        .commit_resolution_us =
            source->stream->is_maria ? MARIADB_RESOLUTION_US : MYSQL_RESOLUTION_US,
        .received_bytes = mr_binlog_progress(source->binlog).received_bytes,
        .retention = retention_of(source),
    };
    (void)snprintf(observation->server, sizeof(observation->server), "%s", source->stream->server);
}

const struct mr_source_ops mr_source_mysql = {
    .name = "mysql",
    .summary = "MySQL 8.0 and later and MariaDB 10.6 and later, by their binlog",
    .options = mr_mysql_options,
    .config_size = sizeof(struct mr_mysql_config),
    .check_config = mr_mysql_config_check,
    .preflight = mr_mysql_preflight,
    .open = mysql_source_open,
    .next = mysql_source_next,
    .ack = mysql_source_ack,
    .observe = mysql_source_observe,
    .close = mysql_source_close,
    .snapshot_open = mr_mysql_snapshot_open,
    .snapshot_tables = mr_mysql_snapshot_tables,
    .reader_open = mr_mysql_snapshot_reader_open,
    .snapshot_release = mr_mysql_snapshot_release,
    .reader_begin = mr_mysql_snapshot_reader_begin,
    .reader_next = mr_mysql_snapshot_reader_next,
    .reader_close = mr_mysql_snapshot_reader_close,
    .snapshot_high = mr_mysql_snapshot_high,
    .snapshot_close = mr_mysql_snapshot_close,
};
