// SPDX-License-Identifier: MIT
/*
 * mysql_barrier.h - an instant at which data and binlog are known to agree.
 *
 * A transaction is written to the binlog before its engine makes it visible, so the binlog's end
 * alone says nothing of what a read will see. Ways to know more:
 *
 *   MariaDB      START TRANSACTION WITH CONSISTENT SNAPSHOT tells the binlog position of exactly
 *                the transactions it sees (status binlog_snapshot_*): no lock, no privilege
 *   rotation     MySQL starts a new binlog file only once every transaction in the older ones is
 *                committed in its engine (crash recovery reads the newest file alone). So after
 *                FLUSH BINARY LOGS any read sees all that lies before the new file: no lock, RELOAD
 *   LOCK TABLES  while tables are locked by name, none of their transactions is half committed, and
 *                none begins: file and offset fit a snapshot opened meanwhile
 *   FLUSH TABLES WITH READ LOCK   the same for all tables; only where LOCK TABLES is not granted.
 *                A statement that runs for long when it is tried keeps writers of its tables out
 *                until it ends, even after the attempt was given up: hence the last resort
 *
 * Writers never wait for longer than a second behind a lock that we cannot have: the server gives
 * up, we pause, and try again a few times. Once it is had it is held for one or two round trips.
 *
 * Source: MariaDB manual, "Enhancements for START TRANSACTION WITH CONSISTENT SNAPSHOT"; MySQL
 * 8.0, sql/binlog.cc, MYSQL_BIN_LOG::new_file_impl(); MySQL manual, "FLUSH Statement".
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_BARRIER_H
#define MR_SOURCE_MYSQL_MYSQL_BARRIER_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "mysql_connection.h"
#include "mysql_info.h"
#include "mysql_server.h"

/** What is to stand still. */
struct mr_mysql_barrier {
    const struct mr_mysql_listed *tables; /* borrowed; at least one */
    uint32_t table_count;
    bool by_name_only; /* for a lock that is held for the length of a copy */
};

/**
 * Stops commits of the tables. MR_E_SOURCE, MR_RETRY when the lock cannot be had in time;
 * MR_E_CONFIG with the GRANT statement when the account may lock in neither way.
 */
bool mr_mysql_barrier_enter(struct mr_mysql_connection *connection,
                            const struct mr_mysql_barrier *barrier,
                            struct mr_error *err) MR_MUST_CHECK;

/** Lets writers go on. Without a barrier it does nothing. */
bool mr_mysql_barrier_leave(struct mr_mysql_connection *connection,
                            struct mr_error *err) MR_MUST_CHECK;

/**
 * MySQL: starts a new binlog file; every transaction before the place is visible to later reads.
 * GTIDs are read with it where the server has them. *denied: the account lacks RELOAD; then false.
 */
bool mr_mysql_barrier_rotate(struct mr_mysql_connection *connection, struct mr_mysql_place *place,
                             bool *denied, struct mr_error *err) MR_MUST_CHECK;

/** MariaDB: opens a consistent snapshot in this session and reads its place. */
bool mr_mysql_barrier_maria_snapshot(struct mr_mysql_connection *connection,
                                     struct mr_mysql_place *place,
                                     struct mr_error *err) MR_MUST_CHECK;

#endif
