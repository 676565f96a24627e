// SPDX-License-Identifier: MIT
/*
 * mysql_server.h - what a server says of its binlog: who it is, how far it is, what it still has.
 *
 * The epoch names a server's history: MySQL's server_uuid; MariaDB has none, so there it is
 * "maria/<gtid_domain_id>-<server_id>". File and offset compare only within one epoch.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_SERVER_H
#define MR_SOURCE_MYSQL_MYSQL_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "mysql_connection.h"
#include "position.h"

#define MR_MYSQL_FILE_BYTES_MAX    512
#define MR_MYSQL_LOGS_MAX          100000
#define MR_MYSQL_ACCOUNT_BYTES_MAX 400 /* 32 + 255 characters, quotes doubled at worst */

/** The end of the server's binlog at one instant. */
struct mr_mysql_place {
    char file[MR_MYSQL_FILE_BYTES_MAX];
    uint64_t offset;
    char *gtids; /* owned: a set (MySQL) or a position (MariaDB); NULL: GTIDs are not in use */
};

void mr_mysql_place_done(struct mr_mysql_place *place); /* accepts a zeroed one */

/** File and offset alone. MR_E_CONFIG when the server writes no binlog. */
bool mr_mysql_place_read(struct mr_mysql_connection *connection, struct mr_mysql_place *place,
                         struct mr_error *err) MR_MUST_CHECK;

/**
 * Adds the GTIDs that belong to a place: MySQL, with gtid_mode=ON, those executed, which fit only
 * while nothing commits; MariaDB, those up to exactly this offset, at any time.
 */
bool mr_mysql_place_read_gtids(struct mr_mysql_connection *connection, struct mr_mysql_place *place,
                               struct mr_error *err) MR_MUST_CHECK;

/** The place as a resume position: "file:offset[;gtids]". */
bool mr_mysql_place_to_position(const struct mr_mysql_place *place,
                                struct mr_mysql_connection *connection,
                                struct mr_position *position, struct mr_error *err) MR_MUST_CHECK;

/** The place in order: {number of the file, offset}. MR_E_PROTOCOL for a name without a number. */
bool mr_mysql_place_native(const struct mr_mysql_place *place, struct mr_native_position *native,
                           struct mr_error *err) MR_MUST_CHECK;

/** How long the server keeps its binlogs. */
struct mr_mysql_expiry {
    uint64_t seconds; /* after a file's last event; 0: for ever */
};
bool mr_mysql_expiry_read(struct mr_mysql_connection *connection, struct mr_mysql_expiry *expiry,
                          struct mr_error *err) MR_MUST_CHECK;

bool mr_mysql_read_epoch(struct mr_mysql_connection *connection, char epoch[MR_EPOCH_BYTES_MAX],
                         struct mr_error *err) MR_MUST_CHECK;

/** Whether transactions have GTIDs that a resume can rely on (MySQL: gtid_mode=ON). */
bool mr_mysql_has_gtids(struct mr_mysql_connection *connection, bool *has,
                        struct mr_error *err) MR_MUST_CHECK;

/** The files that the server still has. */
struct mr_mysql_logs {
    uint64_t count;
    char first[MR_MYSQL_FILE_BYTES_MAX];
    char last[MR_MYSQL_FILE_BYTES_MAX];
    bool has_wanted;
    uint64_t bytes_after; /* from the wanted place to the end of the last file */
};

/** Looks for `file`; NULL: lists only. */
bool mr_mysql_logs_read(struct mr_mysql_connection *connection, const char *file, uint64_t offset,
                        struct mr_mysql_logs *logs, struct mr_error *err) MR_MUST_CHECK;

/** The account as the server sees it, quoted for a GRANT: 'cdc'@'%'. */
bool mr_mysql_read_account(struct mr_mysql_connection *connection,
                           char account[MR_MYSQL_ACCOUNT_BYTES_MAX],
                           struct mr_error *err) MR_MUST_CHECK;

/** SHOW statement for the end of the binlog: its name depends on the version. */
const char *mr_mysql_show_place_sql(const struct mr_mysql_connection *connection);

#endif
