// SPDX-License-Identifier: MIT
/*
 * mysql_server.c - see mysql_server.h.
 *
 * MySQL 8.4 took SHOW MASTER STATUS away; SHOW BINARY LOG STATUS came with 8.2.
 */
#include "mysql_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binlog_stream.h"
#include "gtid.h"
#include "memory.h"
#include "mysql_info.h"
#include "writer.h"

#define BINARY_LOG_STATUS_VERSION 80200
#define AUTO_PURGE_VERSION        80029
#define PLACE_COLUMNS_MIN         2
#define GTID_QUERY_BYTES_MAX      1024

void mr_mysql_place_done(struct mr_mysql_place *place)
{
    free(place->gtids);
    place->gtids = NULL;
}

const char *mr_mysql_show_place_sql(const struct mr_mysql_connection *connection)
{
    return mr_mysql_is_at_least(connection, BINARY_LOG_STATUS_VERSION) ? "SHOW BINARY LOG STATUS"
                                                                       : "SHOW MASTER STATUS";
}

/** Copies a file name that the server gave; false when it is too long to be one. */
static bool copy_file(char to[MR_MYSQL_FILE_BYTES_MAX], const struct mr_mysql_result_row *row,
                      struct mr_error *err)
{
    if (row->count < PLACE_COLUMNS_MIN || row->cells[0] == NULL || row->cells[1] == NULL ||
        row->lengths[0] == 0 || row->lengths[0] >= MR_MYSQL_FILE_BYTES_MAX) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "the server gave no usable binlog file name");
    }
    memcpy(to, row->cells[0], row->lengths[0] + 1);
    return true;
}

static bool take_place(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct mr_mysql_place *place = context;
    if (!copy_file(place->file, row, err)) {
        return false;
    }
    place->offset = strtoull(row->cells[1], NULL, 10);
    return true;
}

bool mr_mysql_place_read(struct mr_mysql_connection *connection, struct mr_mysql_place *place,
                         struct mr_error *err)
{
    *place = (struct mr_mysql_place){0};
    if (!mr_mysql_each_row(connection, mr_mysql_show_place_sql(connection), 1, take_place, place,
                           err)) {
        return mr_error_context(err, "read the end of the binlog (this needs %s)",
                                connection->is_maria ? "BINLOG MONITOR" : "REPLICATION CLIENT");
    }
    if (place->file[0] == '\0') {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s:%u writes no binlog; start it with --log-bin and --server-id",
                       connection->endpoint->host, connection->endpoint->port);
    }
    return true;
}

bool mr_mysql_has_gtids(struct mr_mysql_connection *connection, bool *has, struct mr_error *err)
{
    char mode[32];
    if (connection->is_maria) {
        *has = true;
        return true;
    }
    if (!mr_mysql_query_text(connection, "SELECT @@global.gtid_mode", mode, sizeof(mode), err)) {
        return false;
    }
    *has = strcmp(mode, "ON") == 0;
    return true;
}

bool mr_mysql_place_read_gtids(struct mr_mysql_connection *connection, struct mr_mysql_place *place,
                               struct mr_error *err)
{
    bool has = false;
    char sql[GTID_QUERY_BYTES_MAX + 64] = "SELECT @@global.gtid_executed";
    char *text = mr_memory_new(1, MR_POSITION_BYTES_MAX);
    bool read = false;

    MR_ASSERT(place->file[0] != '\0' && place->gtids == NULL);
    if (!mr_mysql_has_gtids(connection, &has, err)) {
        goto out;
    }
    if (connection->is_maria) {
        struct mr_writer query = {0};
        mr_writer_init(&query, GTID_QUERY_BYTES_MAX);
        mr_mysql_write_literal(&query, place->file);
        MR_ASSERT(!query.failed); /* at most two bytes a byte of the name */
        (void)snprintf(sql, sizeof(sql), "SELECT BINLOG_GTID_POS(%.*s, %llu)", (int)query.length,
                       (const char *)query.bytes, (unsigned long long)place->offset);
        mr_writer_done(&query);
    }
    if (has && !mr_mysql_query_text(connection, sql, text, MR_POSITION_BYTES_MAX, err)) {
        goto out;
    }
    if (has) {
        place->gtids = mr_memory_copy_text(text, strlen(text));
    }
    read = true;

out:
    free(text);
    return read;
}

/** Prints the place; GTIDs in the form that the stream prints too. */
static bool print_place(const struct mr_mysql_place *place, bool is_maria, struct mr_writer *text,
                        struct mr_error *err)
{
    MR_ASSERT(place->file[0] != '\0');
    char end[MR_MYSQL_FILE_BYTES_MAX + 32];
    int length =
        snprintf(end, sizeof(end), "%s:%llu", place->file, (unsigned long long)place->offset);
    mr_write_bytes(text, end, (size_t)length);
    if (place->gtids == NULL) {
        return true;
    }
    mr_write_u8(text, ';');
    if (is_maria) {
        struct mr_maria_position position = {0};
        bool parsed = mr_maria_position_parse(&position, mr_slice_of(place->gtids), err);
        if (parsed) {
            mr_maria_position_print(&position, text);
        }
        mr_maria_position_done(&position);
        return parsed;
    }
    struct mr_gtid_set set = {0};
    bool parsed = mr_gtid_set_parse(&set, mr_slice_of(place->gtids), err);
    if (parsed) {
        mr_gtid_set_print(&set, text);
    }
    mr_gtid_set_done(&set);
    return parsed;
}

bool mr_mysql_place_native(const struct mr_mysql_place *place, struct mr_native_position *native,
                           struct mr_error *err)
{
    MR_ASSERT(place->file[0] != '\0');
    char text[MR_MYSQL_FILE_BYTES_MAX + 32];
    struct mr_binlog_place parsed = {0};
    (void)snprintf(text, sizeof(text), "%s:%llu", place->file, (unsigned long long)place->offset);
    if (!mr_binlog_place_parse(mr_slice_of(text), &parsed, err)) {
        return false;
    }
    *native = parsed.native;
    return true;
}

bool mr_mysql_place_to_position(const struct mr_mysql_place *place,
                                struct mr_mysql_connection *connection,
                                struct mr_position *position, struct mr_error *err)
{
    MR_ASSERT(place->file[0] != '\0' && position != NULL);
    char epoch[MR_EPOCH_BYTES_MAX];
    struct mr_native_position native = {0};
    struct mr_writer text = {0};
    mr_writer_init(&text, MR_POSITION_BYTES_MAX);
    bool set = mr_mysql_read_epoch(connection, epoch, err) &&
               mr_mysql_place_native(place, &native, err) &&
               print_place(place, connection->is_maria, &text, err);
    if (set && text.failed) {
        set = mr_fail(err, MR_E_LIMIT, MR_STOP, "the server's GTID set is larger than %d bytes",
                      MR_POSITION_BYTES_MAX);
    }
    set = set && mr_position_set(position, mr_slice_of(epoch),
                                 (struct mr_slice){text.bytes, text.length}, native, err);
    mr_writer_done(&text);
    return set;
}

bool mr_mysql_expiry_read(struct mr_mysql_connection *connection, struct mr_mysql_expiry *expiry,
                          struct mr_error *err)
{
    uint64_t seconds = 0;
    uint64_t purges = 1;
    if (!mr_mysql_query_uint(connection, "SELECT @@global.binlog_expire_logs_seconds", &seconds,
                             err) ||
        (mr_mysql_is_at_least(connection, AUTO_PURGE_VERSION) &&
         !mr_mysql_query_uint(connection, "SELECT @@global.binlog_expire_logs_auto_purge", &purges,
                              err))) {
        return mr_error_context(err, "read how long binlogs are kept");
    }
    expiry->seconds = purges == 0 ? 0 : seconds;
    return true;
}

bool mr_mysql_read_epoch(struct mr_mysql_connection *connection, char epoch[MR_EPOCH_BYTES_MAX],
                         struct mr_error *err)
{
    const char *sql =
        connection->is_maria
            ? "SELECT CONCAT('maria/', @@global.gtid_domain_id, '-', @@global.server_id)"
            : "SELECT @@global.server_uuid";
    if (!mr_mysql_query_text(connection, sql, epoch, MR_EPOCH_BYTES_MAX, err)) {
        return mr_error_context(err, "read the server's identity");
    }
    return epoch[0] != '\0' ||
           mr_fail(err, MR_E_PROTOCOL, MR_STOP, "the server has no identity (server_uuid)");
}

struct logs_search {
    struct mr_mysql_logs *logs;
    const char *file; /* NULL: none is wanted */
    uint64_t offset;
};

static bool take_log(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    MR_ASSERT(((const struct logs_search *)context)->logs != NULL);
    struct logs_search *search = context;
    struct mr_mysql_logs *logs = search->logs;
    if (!copy_file(logs->last, row, err)) {
        return false;
    }
    uint64_t size = strtoull(row->cells[1], NULL, 10);
    if (logs->count++ == 0) {
        memcpy(logs->first, logs->last, sizeof(logs->first));
    }
    if (logs->has_wanted) {
        logs->bytes_after += size;
    } else if (search->file != NULL && strcmp(logs->last, search->file) == 0) {
        logs->has_wanted = true;
        logs->bytes_after = size > search->offset ? size - search->offset : 0;
    }
    return true;
}

bool mr_mysql_logs_read(struct mr_mysql_connection *connection, const char *file, uint64_t offset,
                        struct mr_mysql_logs *logs, struct mr_error *err)
{
    MR_ASSERT(file == NULL || file[0] != '\0');
    struct logs_search search = {.logs = logs, .file = file, .offset = offset};
    *logs = (struct mr_mysql_logs){0};
    return mr_mysql_each_row(connection, "SHOW BINARY LOGS", MR_MYSQL_LOGS_MAX, take_log, &search,
                             err);
}

bool mr_mysql_read_account(struct mr_mysql_connection *connection,
                           char account[MR_MYSQL_ACCOUNT_BYTES_MAX], struct mr_error *err)
{
    return mr_mysql_query_text(connection,
                               "SELECT CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', "
                               "CHAR_LENGTH(CURRENT_USER()) - "
                               "CHAR_LENGTH(REPLACE(CURRENT_USER(), '@', '')))), '@', "
                               "QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))",
                               account, MR_MYSQL_ACCOUNT_BYTES_MAX, err);
}
