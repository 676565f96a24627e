// SPDX-License-Identifier: MIT
/*
 * mysql_dump.h - a connection that has become a binlog stream: asks for it, reads its packets.
 *
 * Connector/C's own replication calls (mariadb_rpl_*) refuse events that millrace decodes, so only
 * the command and the packets are the library's. An event's bytes are borrowed until the next read.
 *
 * Liveness: the server sends a heartbeat whenever it had nothing to send for heartbeat_ms. Silence
 * for silence_max (and at least MR_MYSQL_SILENT_PERIODS of them) means that server or
 * network are gone: MR_E_NET, MR_RETRY.
 *
 * Source: MySQL manual, "COM_BINLOG_DUMP", "COM_BINLOG_DUMP_GTID"; MariaDB manual, "Replication
 * Protocol", 5-Slave-Registration.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_DUMP_H
#define MR_SOURCE_MYSQL_MYSQL_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "mysql_connection.h"
#include "slice.h"

#define MR_MYSQL_SILENT_PERIODS 2

/** Where to start: exactly one way of saying it. */
struct mr_mysql_dump_start {
    bool by_gtids;
    struct mr_slice gtids; /* by_gtids: transactions already taken; may be empty */
    struct mr_slice file;  /* otherwise */
    uint64_t offset;
    uint32_t server_id;
    uint64_t heartbeat_ms;
    uint64_t silence_ms_max;
};

struct mr_mysql_dump {
    struct mr_mysql_connection *connection; /* borrowed */
    uint64_t silent_ns_max;
    uint64_t heard_ns; /* monotonic: when a packet last came, as far as it was looked at */
    bool heard;        /* one came since heard_ns was set: spares a clock call an event */
};

enum mr_mysql_dump_read { MR_MYSQL_DUMP_EVENT, MR_MYSQL_DUMP_NOTHING, MR_MYSQL_DUMP_FAILED };

/** Makes ourselves known under server_id (SHOW REPLICAS). MR_E_CONFIG without the privilege. */
bool mr_mysql_dump_register(struct mr_mysql_connection *connection, uint32_t server_id,
                            struct mr_error *err) MR_MUST_CHECK;

/** Asks for the stream. A server that refuses the place says so with the first read. */
bool mr_mysql_dump_begin(struct mr_mysql_dump *dump, struct mr_mysql_connection *connection,
                         const struct mr_mysql_dump_start *start,
                         struct mr_error *err) MR_MUST_CHECK;

/** The next event, header to checksum; NOTHING when none comes within wait_ms. */
enum mr_mysql_dump_read mr_mysql_dump_read(struct mr_mysql_dump *dump, uint32_t wait_ms,
                                           struct mr_slice *event, struct mr_error *err);

#endif
