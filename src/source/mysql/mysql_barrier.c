// SPDX-License-Identifier: MIT
/*
 * mysql_barrier.c - see mysql_barrier.h.
 */
#include "mysql_barrier.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "writer.h"

#define LOCK_WAIT_SQL       "SET SESSION lock_wait_timeout = 1"
#define LOCK_ATTEMPTS_MAX   6
#define LOCK_PAUSE_US_FIRST 250000
#define FIRST_OFFSET        4 /* after the file's magic */
#define STATEMENT_BYTES_MAX (16u << 20)
#define FLUSH_SQL           "FLUSH TABLES WITH READ LOCK"

static bool is_denied(unsigned number)
{
    return number == ER_ACCESS_DENIED_ERROR || number == ER_SPECIFIC_ACCESS_DENIED_ERROR ||
           number == ER_DBACCESS_DENIED_ERROR || number == ER_TABLEACCESS_DENIED_ERROR;
}

/** Runs a locking statement, again after a pause while others hold what it needs. */
static bool lock_with_patience(struct mr_mysql_connection *connection, const char *sql,
                               struct mr_error *err)
{
    MR_ASSERT(strncmp(sql, "LOCK", 4) == 0 || strcmp(sql, FLUSH_SQL) == 0);
    const struct mr_env *env = connection->env;
    uint64_t pause_us = LOCK_PAUSE_US_FIRST;

    for (int attempt = 1;; attempt++) {
        if (mr_mysql_execute(connection, sql, err)) {
            return true;
        }
        if (mr_mysql_error_number(connection) != ER_LOCK_WAIT_TIMEOUT) {
            return false;
        }
        if (attempt == LOCK_ATTEMPTS_MAX) {
            return mr_fail(err, MR_E_SOURCE, MR_RETRY,
                           "%.40s: not granted within a second, %d times: a long statement or "
                           "transaction holds the tables; it is tried again",
                           sql, LOCK_ATTEMPTS_MAX);
        }
        env->sleep_us(env, pause_us);
        pause_us *= 2;
    }
}

static bool lock_by_name(struct mr_mysql_connection *connection,
                         const struct mr_mysql_barrier *barrier, struct mr_error *err)
{
    MR_ASSERT(barrier->tables != NULL && barrier->table_count > 0);
    struct mr_writer sql = {0};
    mr_writer_init(&sql, STATEMENT_BYTES_MAX);
    mr_write_bytes(&sql, "LOCK TABLES ", 12);
    for (uint32_t i = 0; i < barrier->table_count; i++) {
        if (i > 0) {
            mr_write_bytes(&sql, ", ", 2);
        }
        mr_mysql_write_table(&sql, barrier->tables[i].space, barrier->tables[i].table);
        mr_write_bytes(&sql, " READ", 5);
    }
    mr_write_u8(&sql, 0);
    bool locked = sql.failed ? mr_fail(err, MR_E_LIMIT, MR_STOP,
                                       "too many tables to lock by name; run GRANT RELOAD")
                             : lock_with_patience(connection, (const char *)sql.bytes, err);
    mr_writer_done(&sql);
    return locked;
}

/** Neither lock may be taken: says which grant would do. */
static bool fail_denied(struct mr_mysql_connection *connection,
                        const struct mr_mysql_barrier *barrier, struct mr_error *err)
{
    char account[MR_MYSQL_ACCOUNT_BYTES_MAX] = "";
    struct mr_error ignored = {0};
    if (!mr_mysql_read_account(connection, account, &ignored)) {
        (void)snprintf(account, sizeof(account), "'%.32s'", connection->user);
    }
    return mr_fail(err, MR_E_CONFIG, MR_STOP,
                   "the account may not keep writers out of \"%s\".\"%s\" while the snapshot reads "
                   "its position; run GRANT SELECT, LOCK TABLES ON `%s`.* TO %s",
                   barrier->tables[0].space, barrier->tables[0].table, barrier->tables[0].space,
                   account);
}

bool mr_mysql_barrier_enter(struct mr_mysql_connection *connection,
                            const struct mr_mysql_barrier *barrier, struct mr_error *err)
{
    MR_ASSERT(barrier->table_count > 0);
    if (!mr_mysql_execute(connection, LOCK_WAIT_SQL, err)) {
        return false;
    }
    if (lock_by_name(connection, barrier, err)) {
        return true;
    }
    if (!is_denied(mr_mysql_error_number(connection))) {
        return false;
    }
    if (!barrier->by_name_only && lock_with_patience(connection, FLUSH_SQL, err)) {
        return true;
    }
    return is_denied(mr_mysql_error_number(connection)) ? fail_denied(connection, barrier, err)
                                                        : false;
}

/** SHOW BINLOG EVENTS: Log_name, Pos, Event_type, Server_id, End_log_pos, Info. */
static bool take_previous_gtids(void *context, const struct mr_mysql_result_row *row,
                                struct mr_error *err)
{
    struct mr_mysql_place *place = context;
    (void)err;
    if (row->count == 6 && row->cells[2] != NULL && row->cells[5] != NULL &&
        strcasecmp(row->cells[2], "Previous_gtids") == 0 && place->gtids == NULL) {
        place->gtids = mr_memory_copy_text(row->cells[5], row->lengths[5]);
    }
    return true;
}

/** The transactions in all files before `file`: what its second event says. */
static bool read_previous_gtids(struct mr_mysql_connection *connection,
                                struct mr_mysql_place *place, struct mr_error *err)
{
    MR_ASSERT(place->file[0] != '\0' && place->gtids == NULL);
    bool has_gtids = false;
    struct mr_writer sql = {0};
    if (!mr_mysql_has_gtids(connection, &has_gtids, err)) {
        return false;
    }
    if (!has_gtids) {
        return true;
    }
    mr_writer_init(&sql, STATEMENT_BYTES_MAX);
    mr_write_bytes(&sql, "SHOW BINLOG EVENTS IN ", 22);
    mr_mysql_write_literal(&sql, place->file);
    mr_write_bytes(&sql, " LIMIT 4", 9);
    MR_ASSERT(!sql.failed);
    bool read =
        mr_mysql_each_row(connection, (const char *)sql.bytes, 4, take_previous_gtids, place, err);
    mr_writer_done(&sql);
    if (read && place->gtids == NULL) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "\"%s\" has no PREVIOUS_GTIDS event",
                       place->file);
    }
    return read;
}

bool mr_mysql_barrier_rotate(struct mr_mysql_connection *connection, struct mr_mysql_place *place,
                             bool *denied, struct mr_error *err)
{
    MR_ASSERT(!connection->is_maria);
    *denied = false;
    if (!mr_mysql_execute(connection, "FLUSH BINARY LOGS", err)) {
        *denied = is_denied(mr_mysql_error_number(connection));
        return false;
    }
    /* Somebody may have rotated once more: the newest file is as good. */
    if (!mr_mysql_place_read(connection, place, err)) {
        return false;
    }
    place->offset = FIRST_OFFSET;
    return read_previous_gtids(connection, place, err);
}

bool mr_mysql_barrier_leave(struct mr_mysql_connection *connection, struct mr_error *err)
{
    MR_ASSERT(connection->mysql != NULL);
    return mr_mysql_execute(connection, "UNLOCK TABLES", err);
}

static bool take_snapshot_status(void *context, const struct mr_mysql_result_row *row,
                                 struct mr_error *err)
{
    struct mr_mysql_place *place = context;
    if (row->count != 2 || row->cells[0] == NULL || row->cells[1] == NULL ||
        row->lengths[1] >= sizeof(place->file)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "the server's binlog_snapshot status is odd");
    }
    if (strcasecmp(row->cells[0], "binlog_snapshot_file") == 0) {
        memcpy(place->file, row->cells[1], row->lengths[1] + 1);
    } else if (strcasecmp(row->cells[0], "binlog_snapshot_position") == 0) {
        place->offset = strtoull(row->cells[1], NULL, 10);
    }
    return true;
}

bool mr_mysql_barrier_maria_snapshot(struct mr_mysql_connection *connection,
                                     struct mr_mysql_place *place, struct mr_error *err)
{
    MR_ASSERT(connection->is_maria);
    *place = (struct mr_mysql_place){0};
    if (!mr_mysql_execute(connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                          err) ||
        !mr_mysql_execute(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT", err) ||
        !mr_mysql_each_row(connection, "SHOW STATUS LIKE 'binlog_snapshot_%'", 16,
                           take_snapshot_status, place, err)) {
        return false;
    }
    if (place->file[0] == '\0' || place->offset == 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s:%u writes no binlog; start it with --log-bin and --server-id",
                       connection->endpoint->host, connection->endpoint->port);
    }
    return true;
}
