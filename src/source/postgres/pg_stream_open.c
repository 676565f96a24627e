// SPDX-License-Identifier: MIT
/*
 * pg_stream_open.c - opening, confirming and closing a stream; reading is pg_stream.c,
 * observing pg_observe.c.
 *
 * Two connections: `replication` is in COPY BOTH from START_REPLICATION on and can ask nothing any
 * more, so `control` answers what a Relation message leaves open. It is opened again when the
 * server closed it meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pg_describe.h"
#include "pg_describe_types.h"
#include "pg_message.h"
#include "pg_publication.h"
#include "pg_stream.h"

#define STATUS_BYTES       34
#define SKEW_TRIES         3
#define SERVER_ASK_NS      UINT64_C(1000000000)
#define NS_PER_MS          UINT64_C(1000000)
#define ORIGIN_VERSION_MIN 160000
#define VERSION_4_MIN      160000

#define TWO_PHASE_VERSION_MIN 150000
#define START_COMMAND_BYTES   512

static uint64_t now(const struct mr_source *source)
{
    return source->context->env->monotonic_ns(source->context->env);
}

/* ---- The control connection. ---- */

/* Takes the answer to the question for the server's log end, if one is under way. */
static void settle(struct mr_source *source)
{
    struct mr_error ignored = {0};
    if (source->server_is_asked) {
        source->server_is_asked = false;
        PQclear(mr_pg_collect(&source->control, &ignored));
    }
}

static bool reopen_control(struct mr_source *source, struct mr_error *err)
{
    source->server_is_asked = false;
    mr_pg_connection_close(&source->control);
    *err = (struct mr_error){0};
    return mr_pg_connection_open(&source->control, source->context, MR_PG_CONNECTION_SQL, err);
}

static bool describe(void *context, struct mr_pg_table *table, struct mr_arena *arena,
                     struct mr_error *err)
{
    struct mr_source *source = context;
    settle(source);
    if (source->control.pg != NULL && PQstatus(source->control.pg) == CONNECTION_OK) {
        if (mr_pg_describe(&source->control, table, arena, err)) {
            return true;
        }
        if (err->code != MR_E_NET) {
            return false;
        }
    }
    return reopen_control(source, err) && mr_pg_describe(&source->control, table, arena, err);
}

/* The control connection, for a question that a message leaves open. */
static bool ready_control(struct mr_source *source, struct mr_error *err)
{
    settle(source);
    return (source->control.pg != NULL && PQstatus(source->control.pg) == CONNECTION_OK) ||
           reopen_control(source, err);
}

static bool describe_type(void *context, uint32_t oid, struct mr_pg_types *types,
                          struct mr_error *err)
{
    struct mr_source *source = context;
    return ready_control(source, err) && mr_pg_describe_type(&source->control, oid, types, err);
}

static bool print_value(void *context, uint32_t oid, struct mr_slice wire, struct mr_arena *arena,
                        struct mr_slice *text, struct mr_error *err)
{
    struct mr_source *source = context;
    return ready_control(source, err) &&
           mr_pg_describe_print(&source->control, oid, wire, arena, text, err);
}

/* Our clock minus the server's: the round trip that took least time bounds the error best. */
static bool measure_skew(struct mr_source *source, struct mr_error *err)
{
    MR_ASSERT(source->control.pg != NULL);
    static const char query[] =
        "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::pg_catalog.int8";
    const struct mr_env *env = source->context->env;
    int64_t least_us = INT64_MAX;
    for (int i = 0; i < SKEW_TRIES; i++) {
        const int64_t before_us = env->unix_us(env);
        PGresult *result = mr_pg_query(&source->control, query, NULL, 0, err);
        const int64_t after_us = env->unix_us(env);
        if (result == NULL) {
            return mr_error_context(err, "ask the server's clock");
        }
        const int64_t server_us = strtoll(mr_pg_field(result, 0, 0), NULL, 10);
        PQclear(result);
        if (after_us - before_us < least_us) {
            least_us = after_us - before_us;
            source->clock_skew_us = before_us + least_us / 2 - server_us;
        }
    }
    return true;
}

/* ---- Opening. ---- */

/* What is asked for, which depends on the server's version and on what we can keep. */
struct wish {
    int proto_version;
    bool streaming;
    bool two_phase;
    const char *origin; /* NULL: the server does not filter */
};

static struct wish make_wish(const struct mr_source *source)
{
    const struct mr_pg_config *config = source->context->config;
    const int version = PQserverVersion(source->replication.pg);
    const bool may_keep = source->spool != NULL;
    struct wish wish = {
        .proto_version = version >= VERSION_4_MIN           ? 4
                         : version >= TWO_PHASE_VERSION_MIN ? 3
                                                            : 2,
        .streaming = may_keep && config->streaming && !mr_pg_spool_was_refused(source->spool),
        .two_phase = may_keep && config->two_phase,
    };
    if (version >= ORIGIN_VERSION_MIN) {
        wish.origin = config->origin == MR_PG_ORIGIN_NONE ? "none" : "any";
    } else if (config->origin == MR_PG_ORIGIN_NONE) {
        wish.streaming = false; /* where a transaction is from is known when it commits */
    }
    return wish;
}

static bool start_replication(struct mr_source *source, const char *slot, const char *publication,
                              uint64_t lsn, struct mr_error *err)
{
    MR_ASSERT(lsn != 0);
    char slot_quoted[2 * MR_PG_NAME_BYTES_MAX + 3];
    char names[2 * MR_PG_NAME_BYTES_MAX + 3];
    char names_quoted[2 * sizeof(names) + 3];
    char command[START_COMMAND_BYTES + sizeof(names_quoted)];
    char from[MR_PG_LSN_TEXT_BYTES];
    const struct wish wish = make_wish(source);
    source->is_streaming = wish.streaming;
    mr_pg_quote_identifier(slot, slot_quoted, sizeof(slot_quoted));
    mr_pg_quote_identifier(publication, names, sizeof(names));
    mr_pg_quote_literal(names, names_quoted, sizeof(names_quoted));
    mr_pg_lsn_format(lsn, from);
    (void)snprintf(
        command, sizeof(command),
        "START_REPLICATION SLOT %s LOGICAL %s (proto_version '%d', publication_names %s, "
        "binary 'true', messages 'true'%s%s%s%s%s)",
        slot_quoted, from, wish.proto_version, names_quoted,
        wish.streaming ? ", streaming 'on'" : "", wish.two_phase ? ", two_phase 'on'" : "",
        wish.origin != NULL ? ", origin '" : "", wish.origin != NULL ? wish.origin : "",
        wish.origin != NULL ? "'" : "");
    PGresult *result = mr_pg_command(&source->replication, command, err);
    if (result == NULL) {
        return mr_error_context(err, "stream slot \"%s\" from %s", slot, from);
    }
    const bool ok = PQresultStatus(result) == PGRES_COPY_BOTH;
    PQclear(result);
    return ok || mr_fail(err, MR_E_PROTOCOL, MR_STOP, "START_REPLICATION did not start a stream");
}

/* Prepares to keep transactions in progress, if any are to be asked for. */
static bool open_spool(struct mr_source *source, struct mr_error *err)
{
    const struct mr_source_context *context = source->context;
    const struct mr_pg_config *config = context->config;
    if (config->two_phase && PQserverVersion(source->replication.pg) < TWO_PHASE_VERSION_MIN) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "two_phase needs PostgreSQL 15 or later, this is %d; leave it out",
                       PQserverVersion(source->replication.pg) / 10000);
    }
    if (context->data_dir_fd <= 0 || (!config->streaming && !config->two_phase)) {
        return true;
    }
    source->spool = mr_pg_spool_open(context->env, context->data_dir_fd, context->name, err);
    source->decoder.spool = source->spool;
    source->decoder.keeps_relations = config->two_phase;
    return source->spool != NULL;
}

/*
 * Checks the slot, and says from where to ask for the stream: our position, unless transactions
 * may be prepared and not decided; the server is not told of positions past such (send_status), and
 * sends from there again what lies before ours too, which is stepped over.
 */
static bool check_slot(struct mr_source *source, const char *name, uint64_t *lsn,
                       struct mr_error *err)
{
    MR_ASSERT(*lsn != 0);
    const struct mr_pg_config *config = source->context->config;
    struct mr_pg_slot slot;
    if (!mr_pg_slot_read(&source->control, name, &slot, err) ||
        !mr_pg_slot_check(&slot, name, PQdb(source->control.pg), *lsn, err)) {
        return false;
    }
    if (config->two_phase && slot.confirmed_lsn != 0) {
        source->is_repeating = slot.confirmed_lsn < *lsn;
        *lsn = slot.confirmed_lsn;
    }
    source->started_lsn = *lsn;
    return true;
}

/* Large reads; and, where it pays, a small window in the kernel (see pg_pace.h). */
static bool widen(struct mr_source *source, struct mr_error *err)
{
    source->pace.may_be_long =
        mr_pg_connection_is_local_tcp(&source->replication) &&
        mr_pg_connection_set_buffer(&source->replication, MR_PG_PACE_RECEIVE_BUFFER);
    return mr_pg_connection_widen(&source->replication, err);
}

static bool connect_stream(struct mr_source *source, const struct mr_position *resume,
                           struct mr_error *err)
{
    const struct mr_source_context *context = source->context;
    const struct mr_pg_config *config = context->config;
    uint64_t lsn = resume->native.major;
    char slot[MR_PG_NAME_BYTES_MAX];
    char publication[MR_PG_NAME_BYTES_MAX];
    mr_pg_config_slot(config, context->pipeline, context->name, slot);
    mr_pg_config_publication(config, context->pipeline, context->name, publication);
    return mr_pg_connection_open(&source->control, context, MR_PG_CONNECTION_SQL, err) &&
           mr_pg_connection_open(&source->replication, context, MR_PG_CONNECTION_REPLICATION,
                                 err) &&
           mr_pg_identify(&source->replication, &source->identity, err) &&
           mr_pg_check_epoch(&source->replication, &source->identity, resume, err) &&
           check_slot(source, slot, &lsn, err) && open_spool(source, err) &&
           mr_pg_publication_ensure(&source->control, publication, &source->decoder.filter, err) &&
           measure_skew(source, err) && widen(source, err) &&
           start_replication(source, slot, publication, lsn, err);
}

struct mr_source *mr_pg_stream_open(const struct mr_source_context *context,
                                    const struct mr_position *resume, struct mr_error *err)
{
    const struct mr_pg_config *config = context->config;
    MR_ASSERT(mr_position_is_set(resume) && resume->native.major != 0);
    struct mr_source *source = mr_memory_new(1, sizeof(*source));
    const uint64_t lsn = resume->native.major;
    source->context = context;
    source->retention = MR_RETENTION_UNKNOWN;
    source->decoder = (struct mr_pgoutput){
        .catalog = context->catalog,
        .filter = {.include = &config->tables,
                   .exclude = &config->exclude,
                   .choices = context->choices},
        .target_bytes = context->target_bytes,
        .messages = &config->messages,
        .refuses_foreign = config->origin == MR_PG_ORIGIN_NONE,
        .describer = {.context = source,
                      .describe = describe,
                      .describe_type = describe_type,
                      .print = print_value},
        .value_bytes_max = context->value_bytes_max,
        .nulls_large_values = context->nulls_large_values,
        .resume_lsn = lsn,
        .source = context->name,
        .policies = context->policies,
        .nulled = context->nulled,
    };
    source->received_lsn = source->idle_lsn = source->handed_lsn = source->acked_lsn = lsn;
    if (!mr_pgoutput_init(&source->decoder, err) || !connect_stream(source, resume, err)) {
        mr_pg_stream_close(source);
        return NULL;
    }
    source->status_sent_ns = source->idle_handed_ns = source->read_ns = now(source);
    source->heartbeat_ns = source->status_sent_ns;
    MR_ASSERT(source->message == NULL && !source->has_failed);
    return source;
}

/* ---- Confirming. ---- */

static void put_u64(uint8_t *to, uint64_t value)
{
    const uint64_t swapped = __builtin_bswap64(value);
    memcpy(to, &swapped, sizeof(swapped));
}

bool mr_pg_stream_send_status(struct mr_source *source, uint64_t now_ns, struct mr_error *err)
{
    const struct mr_env *env = source->context->env;
    uint8_t status[STATUS_BYTES] = {'r'};
    MR_ASSERT(source->acked_lsn != 0);
    /* Written, flushed, applied: all three are what is durable here, and nothing else. What was
     * prepared is sent once, so nothing past it is confirmed before it is decided. */
    const uint64_t held_lsn =
        source->is_repeating ? source->started_lsn : mr_pgoutput_held_lsn(&source->decoder);
    const uint64_t lsn = source->acked_lsn < held_lsn ? source->acked_lsn : held_lsn;
    put_u64(status + 1, lsn);
    put_u64(status + 9, lsn);
    put_u64(status + 17, lsn);
    put_u64(status + 25, (uint64_t)(env->unix_us(env) - MR_PG_EPOCH_US));
    status[STATUS_BYTES - 1] = source->reply_asked_ns != 0 ? 1 : 0;
    if (PQputCopyData(source->replication.pg, (const char *)status, STATUS_BYTES) != 1 ||
        PQflush(source->replication.pg) != 0) {
        return mr_pg_fail_result(&source->replication, NULL, "confirm a position", err);
    }
    source->status_due = false;
    source->status_sent_ns = now_ns;
    return true;
}

bool mr_pg_stream_ack(struct mr_source *source, struct mr_native_position durable_up_to,
                      struct mr_error *err)
{
    (void)err;
    /* Never past what was handed on: the server would throw away what nobody has. */
    MR_ASSERT(durable_up_to.major <= source->handed_lsn);
    if (durable_up_to.major > source->acked_lsn) {
        source->acked_lsn = durable_up_to.major;
        source->status_due = true;
    }
    return true; /* next() sends it, soon and not for each batch */
}

bool mr_pg_stream_heartbeat(struct mr_source *source, uint64_t now_ns, struct mr_error *err)
{
    MR_ASSERT(now_ns >= source->heartbeat_ns);
    const struct mr_pg_config *config = source->context->config;
    if (config->heartbeat_ms == 0 ||
        now_ns - source->heartbeat_ns < config->heartbeat_ms * NS_PER_MS) {
        return true;
    }
    source->heartbeat_ns = now_ns;
    settle(source);
    /* Transactional, since the server flushes its log for a commit and not for a mere message, and
     * sends only what is flushed. */
    PQclear(mr_pg_query(&source->control,
                        "SELECT pg_catalog.pg_logical_emit_message(true, '" MR_PG_MESSAGE_PREFIX
                        "', '')",
                        NULL, 0, err));
    return err->code == MR_OK || mr_error_context(err, "write a heartbeat");
}

/* ---- Closing. ---- */

void mr_pg_stream_close(struct mr_source *source)
{
    if (source == NULL) {
        return;
    }
    struct mr_error ignored = {0};
    if (source->status_due && source->replication.pg != NULL &&
        PQstatus(source->replication.pg) == CONNECTION_OK) {
        (void)!mr_pg_stream_send_status(source, 0, &ignored);
    }
    PQfreemem(source->message);
    mr_pg_connection_close(&source->replication);
    mr_pg_connection_close(&source->control);
    mr_pgoutput_done(&source->decoder);
    mr_pg_spool_close(source->spool);
    free(source);
}
