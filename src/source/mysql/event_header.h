// SPDX-License-Identifier: MIT
/*
 * event_header.h - what every binlog event starts and ends with: type, sizes, checksum.
 *
 *   event  := u32 time_s, u8 type, u32 server_id, u32 size, u32 log_pos, u16 flags, body, [crc32]
 *
 * The checksum is there when the FORMAT_DESCRIPTION event of the file says so; that event's own is
 * always there.
 *
 * Source: MySQL, libs/mysql/binlog/event/binlog_event.h; MariaDB, sql/log_event.h.
 */
#ifndef MR_SOURCE_MYSQL_EVENT_HEADER_H
#define MR_SOURCE_MYSQL_EVENT_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"

#define MR_BINLOG_HEADER_SIZE     19
#define MR_BINLOG_CHECKSUM_SIZE   4
#define MR_BINLOG_OFFSET_FIRST    4 /* after the file's magic number */
#define MR_BINLOG_FLAG_ARTIFICIAL 0x0020
#define MR_BINLOG_FLAG_IGNORABLE  0x0080

enum mr_binlog_event_type {
    MR_BINLOG_QUERY = 2,
    MR_BINLOG_STOP = 3,
    MR_BINLOG_ROTATE = 4,
    MR_BINLOG_INTVAR = 5,
    MR_BINLOG_APPEND_BLOCK = 9,
    MR_BINLOG_DELETE_FILE = 11,
    MR_BINLOG_RAND = 13,
    MR_BINLOG_USER_VAR = 14,
    MR_BINLOG_FORMAT_DESCRIPTION = 15,
    MR_BINLOG_XID = 16,
    MR_BINLOG_BEGIN_LOAD_QUERY = 17,
    MR_BINLOG_EXECUTE_LOAD_QUERY = 18,
    MR_BINLOG_TABLE_MAP = 19,
    MR_BINLOG_WRITE_ROWS_V1 = 23,
    MR_BINLOG_UPDATE_ROWS_V1 = 24,
    MR_BINLOG_DELETE_ROWS_V1 = 25,
    MR_BINLOG_INCIDENT = 26,
    MR_BINLOG_HEARTBEAT = 27,
    MR_BINLOG_IGNORABLE = 28,
    MR_BINLOG_ROWS_QUERY = 29,
    MR_BINLOG_WRITE_ROWS = 30,
    MR_BINLOG_UPDATE_ROWS = 31,
    MR_BINLOG_DELETE_ROWS = 32,
    MR_BINLOG_GTID = 33,
    MR_BINLOG_ANONYMOUS_GTID = 34,
    MR_BINLOG_PREVIOUS_GTIDS = 35,
    MR_BINLOG_TRANSACTION_CONTEXT = 36,
    MR_BINLOG_VIEW_CHANGE = 37,
    MR_BINLOG_XA_PREPARE = 38,
    MR_BINLOG_PARTIAL_UPDATE_ROWS = 39,
    MR_BINLOG_TRANSACTION_PAYLOAD = 40,
    MR_BINLOG_HEARTBEAT_V2 = 41,
    MR_BINLOG_GTID_TAGGED = 42,
    MR_BINLOG_MARIA_ANNOTATE_ROWS = 160,
    MR_BINLOG_MARIA_CHECKPOINT = 161,
    MR_BINLOG_MARIA_GTID = 162,
    MR_BINLOG_MARIA_GTID_LIST = 163,
    MR_BINLOG_MARIA_START_ENCRYPTION = 164,
    MR_BINLOG_MARIA_QUERY_COMPRESSED = 165,
    MR_BINLOG_MARIA_WRITE_ROWS_COMPRESSED_V1 = 166,
    MR_BINLOG_MARIA_UPDATE_ROWS_COMPRESSED_V1 = 167,
    MR_BINLOG_MARIA_DELETE_ROWS_COMPRESSED_V1 = 168,
    MR_BINLOG_MARIA_WRITE_ROWS_COMPRESSED = 169,
    MR_BINLOG_MARIA_UPDATE_ROWS_COMPRESSED = 170,
    MR_BINLOG_MARIA_DELETE_ROWS_COMPRESSED = 171,
};

struct mr_binlog_header {
    uint32_t time_s; /* seconds since 1970, the server's clock */
    uint32_t server_id;
    uint32_t size;    /* of the whole event, checksum included */
    uint32_t log_pos; /* low 32 bits of the event's end in its file; 0: artificial */
    uint16_t flags;
    uint8_t type; /* enum mr_binlog_event_type, or a number we do not know */
};

/** What FORMAT_DESCRIPTION says about the events after it. */
struct mr_binlog_format {
    char server_version[51];
    uint8_t post_header_sizes[256]; /* by event type; 0: not told */
    bool has_checksum;
    bool is_known; /* false until the first FORMAT_DESCRIPTION */
};

/** An event, taken apart. */
struct mr_binlog_event {
    struct mr_binlog_header header;
    struct mr_slice body; /* between header and checksum */
};

/**
 * Splits an event and verifies its checksum if the format says that it has one.
 * Errors: MR_E_PROTOCOL, MR_RETRY for a wrong checksum (the wire may have done it), MR_STOP for
 * sizes that do not agree.
 */
bool mr_binlog_event_split(struct mr_slice bytes, const struct mr_binlog_format *format,
                           struct mr_binlog_event *event, struct mr_error *err) MR_MUST_CHECK;

/** Reads the body of a FORMAT_DESCRIPTION event. */
bool mr_binlog_format_read(struct mr_slice body, struct mr_binlog_format *format,
                           struct mr_error *err) MR_MUST_CHECK;

/** "WRITE_ROWS", ...; "unknown" for a number that is no type. */
const char *mr_binlog_event_name(uint8_t type);

#endif
