// SPDX-License-Identifier: MIT
/*
 * mysql_reread.c - see mysql_reread.h.
 */
#include "mysql_reread.h"

#include <stdio.h>

#define SERVER_ID_NAME_BYTES 256
#define ER_BINLOG_FATAL      1236

void mr_mysql_reread_close(struct mr_mysql_reread *reread)
{
    mr_mysql_disconnect(reread->connection);
    *reread = (struct mr_mysql_reread){0};
}

static uint32_t derive_server_id(const struct mr_source_context *context)
{
    struct mr_mysql_config config = *(const struct mr_mysql_config *)context->config;
    char name[SERVER_ID_NAME_BYTES];
    config.server_id = 0;
    (void)snprintf(name, sizeof(name), "%.200s/again", context->name);
    return mr_mysql_config_server_id(&config, context->pipeline, name);
}

bool mr_mysql_reread_open(struct mr_mysql_reread *reread, const struct mr_source_context *context,
                          const struct mr_mysql_endpoint *endpoint, struct mr_binlog_wanted wanted,
                          struct mr_error *err)
{
    MR_ASSERT(reread->connection == NULL && wanted.file != NULL);
    const struct mr_mysql_config *config = context->config;
    const struct mr_mysql_dump_start start = {
        .file = mr_slice_of(wanted.file),
        .offset = wanted.offset,
        .server_id = derive_server_id(context),
        .heartbeat_ms = config->heartbeat_ms,
        .silence_ms_max = config->silence_ms_max,
    };
    reread->connection = mr_mysql_connect(context, MR_MYSQL_DUMP, endpoint, err);
    if (reread->connection == NULL ||
        !mr_mysql_dump_begin(&reread->dump, reread->connection, &start, err)) {
        mr_mysql_reread_close(reread);
        return mr_error_context(err, "read an XA transaction again from %s:%llu", wanted.file,
                                (unsigned long long)wanted.offset);
    }
    return true;
}

static bool fail_read(struct mr_mysql_reread *reread, const struct mr_binlog_stream *stream,
                      struct mr_error *err)
{
    const struct mr_binlog_wanted wanted = mr_binlog_wanted(stream);
    if (mr_mysql_error_number(reread->connection) == ER_BINLOG_FATAL) {
        (void)mr_fail(
            err, MR_E_SOURCE, MR_STOP,
            "an XA transaction commits whose rows were logged at %s:%llu, which the "
            "server does not have any more; copy the tables anew, and let the server keep "
            "its binlogs longer (binlog_expire_logs_seconds)",
            wanted.file, (unsigned long long)wanted.offset);
    }
    return false;
}

enum mr_reread mr_mysql_reread_run(struct mr_mysql_reread *reread, struct mr_binlog_stream *stream,
                                   struct mr_batch *batch, uint32_t wait_ms, struct mr_error *err)
{
    MR_ASSERT(reread->connection != NULL);
    for (;;) {
        if (!reread->has_event) {
            switch (mr_mysql_dump_read(&reread->dump, wait_ms, &reread->event, err)) {
            case MR_MYSQL_DUMP_EVENT:
                reread->has_event = true;
                break;
            case MR_MYSQL_DUMP_NOTHING:
                return MR_REREAD_NOTHING;
            case MR_MYSQL_DUMP_FAILED:
                (void)fail_read(reread, stream, err);
                return MR_REREAD_ERROR;
            }
        }
        switch (mr_binlog_feed_again(stream, reread->event, batch, err)) {
        case MR_BINLOG_AGAIN:
            reread->has_event = false;
            break;
        case MR_BINLOG_DONE:
            mr_mysql_reread_close(reread);
            return MR_REREAD_DONE;
        case MR_BINLOG_MORE:
            return MR_REREAD_FULL;
        case MR_BINLOG_ERROR:
            return MR_REREAD_ERROR;
        }
        if (mr_binlog_may_hand_on(stream, batch)) {
            return MR_REREAD_FULL;
        }
    }
}
