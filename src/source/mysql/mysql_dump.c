// SPDX-License-Identifier: MIT
/*
 * mysql_dump.c - the replica's side of the replication protocol, up to the events' bytes.
 *
 *   COM_REGISTER_SLAVE    u32 server id, lenenc8 host, user, password, u16 port, u32 rank,
 *                         u32 source
 *   COM_BINLOG_DUMP       u32 offset, u16 flags, u32 server id, file name
 *   COM_BINLOG_DUMP_GTID  u16 flags, u32 server id, u32 name length, name, u64 offset,
 *                         u32 set length, set
 *   packet                u8 0, event | u8 0xff, error | u8 0xfe (end, never for a waiting stream)
 *
 * Session variables tell the server what its replica can bear: the checksum algorithm (ours follows
 * the server's, so it never has to recompute), the heartbeat, MariaDB's event types.
 */
#include "mysql_dump.h"

#include <stdio.h>
#include <string.h>

#include "gtid.h"
#include "writer.h"

#define COM_REGISTER_SLAVE_NUMBER   0x15
#define COM_BINLOG_DUMP_NUMBER      0x12
#define COM_BINLOG_DUMP_GTID_NUMBER 0x1e

#define REPLICA_NAME       "millrace"
#define REQUEST_BYTES_MAX  (32u << 20)
#define FIRST_OFFSET       4 /* after the file's magic */
#define EVENT_HEADER_BYTES 19
#define PACKET_OK          0x00
#define PACKET_END         0xfe
#define NS_PER_MS          UINT64_C(1000000)

/** Sends a command of the replication protocol. */
static bool send_command(struct mr_mysql_connection *connection, unsigned command,
                         const struct mr_writer *payload, bool has_answer, const char *what,
                         struct mr_error *err)
{
    MYSQL *mysql = connection->mysql;
    MR_ASSERT(!payload->failed);
    if (mysql->methods->db_command(mysql, (enum enum_server_command)command,
                                   (const char *)payload->bytes, payload->length,
                                   has_answer ? 0 : 1, NULL) != 0) {
        return mr_mysql_fail(connection, what, err);
    }
    return true;
}

bool mr_mysql_dump_register(struct mr_mysql_connection *connection, uint32_t server_id,
                            struct mr_error *err)
{
    MR_ASSERT(server_id != 0);
    struct mr_writer payload = {0};
    mr_writer_init(&payload, REQUEST_BYTES_MAX);
    mr_write_u32_le(&payload, server_id);
    mr_write_u8(&payload, (uint8_t)strlen(REPLICA_NAME));
    mr_write_bytes(&payload, REPLICA_NAME, strlen(REPLICA_NAME));
    mr_write_u8(&payload, 0); /* user and password: shown by nobody, sent to nobody */
    mr_write_u8(&payload, 0);
    mr_write_u16_le(&payload, 0);
    mr_write_u32_le(&payload, 0);
    mr_write_u32_le(&payload, 0);
    bool sent = send_command(connection, COM_REGISTER_SLAVE_NUMBER, &payload, true,
                             "register as a replica", err);
    mr_writer_done(&payload);
    if (!sent && err->code == MR_E_CONFIG) {
        return mr_error_context(err, "the privilege REPLICATION SLAVE is missing");
    }
    return sent;
}

/** What the server must know before it streams. */
static bool set_replica_session(struct mr_mysql_connection *connection,
                                const struct mr_mysql_dump_start *start, struct mr_error *err)
{
    MR_ASSERT(start->heartbeat_ms > 0);
    char sql[256];
    unsigned long long period_ns = start->heartbeat_ms * NS_PER_MS;

    if (!mr_mysql_execute(connection,
                          "SET @master_binlog_checksum = @@global.binlog_checksum, "
                          "@source_binlog_checksum = @@global.binlog_checksum",
                          err)) {
        return false;
    }
    (void)snprintf(sql, sizeof(sql),
                   "SET @master_heartbeat_period = %llu, @source_heartbeat_period = %llu",
                   period_ns, period_ns);
    if (!mr_mysql_execute(connection, sql, err)) {
        return false;
    }
    /* Without it MariaDB disguises GTID and ANNOTATE events as QUERY events. */
    return !connection->is_maria ||
           mr_mysql_execute(connection, "SET @mariadb_slave_capability = 4", err);
}

static bool set_maria_gtids(struct mr_mysql_connection *connection, struct mr_slice gtids,
                            struct mr_error *err)
{
    MR_ASSERT(connection->is_maria);
    struct mr_maria_position position = {0};
    struct mr_writer sql = {0};
    mr_writer_init(&sql, REQUEST_BYTES_MAX);
    /* Parsed and printed again: nothing but digits, hyphens and commas reaches the statement. */
    bool set = mr_maria_position_parse(&position, gtids, err);
    if (set) {
        static const char before[] = "SET @slave_connect_state = '";
        static const char after[] =
            "', @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0";
        mr_write_bytes(&sql, before, sizeof(before) - 1);
        mr_maria_position_print(&position, &sql);
        mr_write_bytes(&sql, after, sizeof(after)); /* with its NUL */
        MR_ASSERT(!sql.failed);
        set = mr_mysql_execute(connection, (const char *)sql.bytes, err);
    }
    mr_writer_done(&sql);
    mr_maria_position_done(&position);
    return set;
}

static bool begin_at_gtids(struct mr_mysql_connection *connection,
                           const struct mr_mysql_dump_start *start, struct mr_error *err)
{
    MR_ASSERT(!connection->is_maria && start->by_gtids);
    struct mr_gtid_set set = {0};
    struct mr_writer payload = {0};
    struct mr_writer encoded = {0};
    bool begun = false;

    mr_writer_init(&payload, REQUEST_BYTES_MAX);
    mr_writer_init(&encoded, REQUEST_BYTES_MAX);
    if (!mr_gtid_set_parse(&set, start->gtids, err)) {
        goto out;
    }
    mr_gtid_set_encode(&set, &encoded);
    mr_write_u16_le(&payload, 0);
    mr_write_u32_le(&payload, start->server_id);
    mr_write_u32_le(&payload, 0); /* no file: the server finds it */
    mr_write_u64_le(&payload, FIRST_OFFSET);
    mr_write_slice_u32(&payload, (struct mr_slice){encoded.bytes, encoded.length});
    if (encoded.failed || payload.failed) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP, "the GTID set is larger than %u bytes",
                      REQUEST_BYTES_MAX);
        goto out;
    }
    begun = send_command(connection, COM_BINLOG_DUMP_GTID_NUMBER, &payload, false,
                         "ask for the binlog by GTIDs", err);

out:
    mr_writer_done(&payload);
    mr_writer_done(&encoded);
    mr_gtid_set_done(&set);
    return begun;
}

static bool begin_at_file(struct mr_mysql_connection *connection,
                          const struct mr_mysql_dump_start *start, struct mr_error *err)
{
    MR_ASSERT(start->server_id != 0);
    if (start->offset > UINT32_MAX) {
        return mr_fail(
            err, MR_E_LIMIT, MR_STOP,
            "position \"%.*s:%llu\" lies past 4 GiB of its file, and the protocol cannot "
            "ask for it by offset; turn GTIDs on, or copy the tables anew",
            (int)start->file.length, (const char *)start->file.bytes,
            (unsigned long long)start->offset);
    }
    struct mr_writer payload = {0};
    mr_writer_init(&payload, REQUEST_BYTES_MAX);
    mr_write_u32_le(&payload, (uint32_t)start->offset);
    mr_write_u16_le(&payload, 0);
    mr_write_u32_le(&payload, start->server_id);
    mr_write_bytes(&payload, start->file.bytes, start->file.length);
    bool begun = send_command(connection, COM_BINLOG_DUMP_NUMBER, &payload, false,
                              "ask for the binlog by file and offset", err);
    mr_writer_done(&payload);
    return begun;
}

bool mr_mysql_dump_begin(struct mr_mysql_dump *dump, struct mr_mysql_connection *connection,
                         const struct mr_mysql_dump_start *start, struct mr_error *err)
{
    MR_ASSERT(start->server_id != 0 && start->heartbeat_ms != 0);
    MR_ASSERT(start->by_gtids || start->file.length != 0);
    if (!mr_mysql_dump_register(connection, start->server_id, err) ||
        !set_replica_session(connection, start, err)) {
        return false;
    }
    if (start->by_gtids && connection->is_maria) {
        struct mr_mysql_dump_start anywhere = {.offset = FIRST_OFFSET,
                                               .server_id = start->server_id};
        if (!set_maria_gtids(connection, start->gtids, err) ||
            !begin_at_file(connection, &anywhere, err)) {
            return false;
        }
    } else if (start->by_gtids ? !begin_at_gtids(connection, start, err)
                               : !begin_at_file(connection, start, err)) {
        return false;
    }
    uint64_t silent_ms = start->heartbeat_ms * MR_MYSQL_SILENT_PERIODS;
    *dump = (struct mr_mysql_dump){
        .connection = connection,
        .silent_ns_max =
            (silent_ms < start->silence_ms_max ? start->silence_ms_max : silent_ms) * NS_PER_MS,
        .heard_ns = connection->env->monotonic_ns(connection->env),
    };
    return true;
}

/** No packet is at hand: fine, unless it has been quiet for too long. */
static enum mr_mysql_dump_read read_nothing(struct mr_mysql_dump *dump, struct mr_error *err)
{
    MR_ASSERT(dump->silent_ns_max > 0);
    const struct mr_mysql_connection *connection = dump->connection;
    uint64_t now_ns = connection->env->monotonic_ns(connection->env);
    if (dump->heard) {
        dump->heard = false;
        dump->heard_ns = now_ns;
    }
    if (now_ns - dump->heard_ns <= dump->silent_ns_max) {
        return MR_MYSQL_DUMP_NOTHING;
    }
    (void)mr_fail(err, MR_E_NET, MR_RETRY, "%s:%u sent nothing for %llu ms, not even a heartbeat",
                  connection->endpoint->host, connection->endpoint->port,
                  (unsigned long long)((now_ns - dump->heard_ns) / NS_PER_MS));
    return MR_MYSQL_DUMP_FAILED;
}

enum mr_mysql_dump_read mr_mysql_dump_read(struct mr_mysql_dump *dump, uint32_t wait_ms,
                                           struct mr_slice *event, struct mr_error *err)
{
    struct mr_mysql_connection *connection = dump->connection;
    MR_ASSERT(connection != NULL && connection->mysql != NULL);

    if (!mr_mysql_wait_readable(connection, wait_ms)) {
        return read_nothing(dump, err);
    }
    unsigned long length = mysql_net_read_packet(connection->mysql);
    if (length == packet_error) {
        (void)mr_mysql_fail(connection, "read the binlog", err);
        return MR_MYSQL_DUMP_FAILED;
    }
    const uint8_t *packet = connection->mysql->net.read_pos;
    if (length > 0 && packet[0] == PACKET_END && length < 9) {
        (void)mr_fail(err, MR_E_NET, MR_RETRY, "%s:%u ended the binlog stream",
                      connection->endpoint->host, connection->endpoint->port);
        return MR_MYSQL_DUMP_FAILED;
    }
    if (length < 1 + EVENT_HEADER_BYTES || packet[0] != PACKET_OK) {
        (void)mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a binlog packet of %lu bytes holds no event",
                      length);
        return MR_MYSQL_DUMP_FAILED;
    }
    dump->heard = true;
    *event = (struct mr_slice){packet + 1, length - 1};
    return MR_MYSQL_DUMP_EVENT;
}
