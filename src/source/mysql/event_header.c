// SPDX-License-Identifier: MIT
/*
 * event_header.c - takes an event apart and checks it.
 */
#include "event_header.h"

#include <string.h>

#include "crc32c.h"
#include "reader.h"

#define SERVER_VERSION_SIZE   50
#define FORMAT_FIXED_SIZE     (2 + SERVER_VERSION_SIZE + 4 + 1)
#define CHECKSUM_NONE         0
#define CHECKSUM_CRC32        1
#define FORMAT_VERSION        4
#define EVENT_BYTES_MAX       (UINT32_C(1) << 30) /* the server's largest max_allowed_packet */
#define FORMAT_CHECKSUM_BYTES (1 + MR_BINLOG_CHECKSUM_SIZE)

static bool checksum_matches(struct mr_slice bytes)
{
    MR_ASSERT(bytes.length >= MR_BINLOG_HEADER_SIZE + MR_BINLOG_CHECKSUM_SIZE);
    const size_t covered = bytes.length - MR_BINLOG_CHECKSUM_SIZE;
    uint32_t stored;
    memcpy(&stored, bytes.bytes + covered, sizeof(stored));
    return mr_crc32(0, bytes.bytes, covered) == stored;
}

/**
 * Bytes at the end that are no body. A ROTATE that the server makes up comes before the first
 * FORMAT_DESCRIPTION and follows what the client negotiated, so it is tried.
 */
static bool trailer_size(struct mr_slice bytes, const struct mr_binlog_format *format,
                         const struct mr_binlog_header *header, size_t *size, struct mr_error *err)
{
    MR_ASSERT(bytes.length >= MR_BINLOG_HEADER_SIZE);
    const bool has_room = bytes.length >= MR_BINLOG_HEADER_SIZE + (size_t)MR_BINLOG_CHECKSUM_SIZE;
    const bool is_format = header->type == MR_BINLOG_FORMAT_DESCRIPTION;
    const bool is_made_up = header->log_pos == 0 || !format->is_known ||
                            (header->flags & MR_BINLOG_FLAG_ARTIFICIAL) != 0;
    *size = 0;
    if (header->type == MR_BINLOG_ROTATE && is_made_up) {
        *size = has_room && checksum_matches(bytes) ? MR_BINLOG_CHECKSUM_SIZE : 0;
        return true;
    }
    if (!is_format && !format->has_checksum) {
        return true;
    }
    if (!has_room) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a binlog event of %zu bytes has no checksum",
                       bytes.length);
    }
    *size = MR_BINLOG_CHECKSUM_SIZE;
    const bool is_checked =
        !is_format || (bytes.length > MR_BINLOG_HEADER_SIZE + (size_t)FORMAT_CHECKSUM_BYTES &&
                       bytes.bytes[bytes.length - FORMAT_CHECKSUM_BYTES] == CHECKSUM_CRC32);
    if (is_checked && !checksum_matches(bytes)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_RETRY,
                       "the checksum of a %s event that ends at %u is wrong; if it stays so, the "
                       "binlog is damaged: look with mysqlbinlog --verify-binlog-checksum",
                       mr_binlog_event_name(header->type), header->log_pos);
    }
    return true;
}

bool mr_binlog_event_split(struct mr_slice bytes, const struct mr_binlog_format *format,
                           struct mr_binlog_event *event, struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(bytes.bytes, bytes.length);
    struct mr_binlog_header header = {0};
    header.time_s = mr_read_u32_le(&in);
    header.type = mr_read_u8(&in);
    header.server_id = mr_read_u32_le(&in);
    header.size = mr_read_u32_le(&in);
    header.log_pos = mr_read_u32_le(&in);
    header.flags = mr_read_u16_le(&in);
    if (!mr_reader_check(&in, "binlog event header", err)) {
        return false;
    }
    if (header.size != bytes.length || header.size > EVENT_BYTES_MAX) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a binlog event of %u bytes came in %zu bytes",
                       header.size, bytes.length);
    }
    size_t trailer = 0;
    if (!trailer_size(bytes, format, &header, &trailer, err)) {
        return false;
    }
    event->header = header;
    event->body = (struct mr_slice){bytes.bytes + MR_BINLOG_HEADER_SIZE,
                                    bytes.length - MR_BINLOG_HEADER_SIZE - trailer};
    return true;
}

bool mr_binlog_format_read(struct mr_slice body, struct mr_binlog_format *format,
                           struct mr_error *err)
{
    MR_ASSERT(body.bytes != NULL);
    struct mr_reader in = mr_reader_init(body.bytes, body.length);
    const uint16_t version = mr_read_u16_le(&in);
    const struct mr_slice server = mr_read_slice(&in, SERVER_VERSION_SIZE);
    mr_read_skip(&in, 4); /* creation time */
    const uint8_t header_size = mr_read_u8(&in);
    if (!mr_reader_check(&in, "binlog FORMAT_DESCRIPTION", err)) {
        return false;
    }
    if (version != FORMAT_VERSION || header_size != MR_BINLOG_HEADER_SIZE ||
        mr_reader_left(&in) < 1) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "binlog format version %u with headers of %u bytes is not known", version,
                       header_size);
    }
    struct mr_binlog_format read = {.is_known = true};
    memcpy(read.server_version, server.bytes, SERVER_VERSION_SIZE);
    const struct mr_slice sizes = mr_read_slice(&in, mr_reader_left(&in) - 1);
    for (size_t i = 0; i < sizes.length && i + 1 < sizeof(read.post_header_sizes); i++) {
        read.post_header_sizes[i + 1] = sizes.bytes[i];
    }
    const uint8_t checksum = mr_read_u8(&in);
    if (checksum != CHECKSUM_NONE && checksum != CHECKSUM_CRC32) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "binlog checksum algorithm %u is not known; set binlog_checksum=CRC32",
                       checksum);
    }
    read.has_checksum = checksum == CHECKSUM_CRC32;
    *format = read;
    return true;
}

static const char *const event_names[256] = {
    [MR_BINLOG_QUERY] = "QUERY",
    [MR_BINLOG_STOP] = "STOP",
    [MR_BINLOG_ROTATE] = "ROTATE",
    [MR_BINLOG_INTVAR] = "INTVAR",
    [MR_BINLOG_APPEND_BLOCK] = "APPEND_BLOCK",
    [MR_BINLOG_DELETE_FILE] = "DELETE_FILE",
    [MR_BINLOG_RAND] = "RAND",
    [MR_BINLOG_USER_VAR] = "USER_VAR",
    [MR_BINLOG_FORMAT_DESCRIPTION] = "FORMAT_DESCRIPTION",
    [MR_BINLOG_XID] = "XID",
    [MR_BINLOG_BEGIN_LOAD_QUERY] = "BEGIN_LOAD_QUERY",
    [MR_BINLOG_EXECUTE_LOAD_QUERY] = "EXECUTE_LOAD_QUERY",
    [MR_BINLOG_TABLE_MAP] = "TABLE_MAP",
    [MR_BINLOG_WRITE_ROWS_V1] = "WRITE_ROWS_V1",
    [MR_BINLOG_UPDATE_ROWS_V1] = "UPDATE_ROWS_V1",
    [MR_BINLOG_DELETE_ROWS_V1] = "DELETE_ROWS_V1",
    [MR_BINLOG_INCIDENT] = "INCIDENT",
    [MR_BINLOG_HEARTBEAT] = "HEARTBEAT",
    [MR_BINLOG_IGNORABLE] = "IGNORABLE",
    [MR_BINLOG_ROWS_QUERY] = "ROWS_QUERY",
    [MR_BINLOG_WRITE_ROWS] = "WRITE_ROWS",
    [MR_BINLOG_UPDATE_ROWS] = "UPDATE_ROWS",
    [MR_BINLOG_DELETE_ROWS] = "DELETE_ROWS",
    [MR_BINLOG_GTID] = "GTID",
    [MR_BINLOG_ANONYMOUS_GTID] = "ANONYMOUS_GTID",
    [MR_BINLOG_PREVIOUS_GTIDS] = "PREVIOUS_GTIDS",
    [MR_BINLOG_TRANSACTION_CONTEXT] = "TRANSACTION_CONTEXT",
    [MR_BINLOG_VIEW_CHANGE] = "VIEW_CHANGE",
    [MR_BINLOG_XA_PREPARE] = "XA_PREPARE",
    [MR_BINLOG_PARTIAL_UPDATE_ROWS] = "PARTIAL_UPDATE_ROWS",
    [MR_BINLOG_TRANSACTION_PAYLOAD] = "TRANSACTION_PAYLOAD",
    [MR_BINLOG_HEARTBEAT_V2] = "HEARTBEAT_V2",
    [MR_BINLOG_GTID_TAGGED] = "GTID_TAGGED",
    [MR_BINLOG_MARIA_ANNOTATE_ROWS] = "ANNOTATE_ROWS",
    [MR_BINLOG_MARIA_CHECKPOINT] = "BINLOG_CHECKPOINT",
    [MR_BINLOG_MARIA_GTID] = "GTID (MariaDB)",
    [MR_BINLOG_MARIA_GTID_LIST] = "GTID_LIST",
    [MR_BINLOG_MARIA_START_ENCRYPTION] = "START_ENCRYPTION",
    [MR_BINLOG_MARIA_QUERY_COMPRESSED] = "QUERY_COMPRESSED",
    [MR_BINLOG_MARIA_WRITE_ROWS_COMPRESSED_V1] = "WRITE_ROWS_COMPRESSED_V1",
    [MR_BINLOG_MARIA_UPDATE_ROWS_COMPRESSED_V1] = "UPDATE_ROWS_COMPRESSED_V1",
    [MR_BINLOG_MARIA_DELETE_ROWS_COMPRESSED_V1] = "DELETE_ROWS_COMPRESSED_V1",
    [MR_BINLOG_MARIA_WRITE_ROWS_COMPRESSED] = "WRITE_ROWS_COMPRESSED",
    [MR_BINLOG_MARIA_UPDATE_ROWS_COMPRESSED] = "UPDATE_ROWS_COMPRESSED",
    [MR_BINLOG_MARIA_DELETE_ROWS_COMPRESSED] = "DELETE_ROWS_COMPRESSED",
};

const char *mr_binlog_event_name(uint8_t type)
{
    return event_names[type] == NULL ? "unknown" : event_names[type];
}
