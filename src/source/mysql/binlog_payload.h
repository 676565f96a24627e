// SPDX-License-Identifier: MIT
/*
 * binlog_payload.h - the events inside a compressed one.
 *
 * TRANSACTION_PAYLOAD (MySQL 8.0.20, binlog_transaction_compression=ON) is a whole transaction but
 * for its GTID: events without checksums, packed by zstd.
 *
 *   body  := field*, 0, packed        field := lenenc type, lenenc size, value[size]
 *   types := 1 size of packed, 2 algorithm (0 zstd, 255 none), 3 size of the events; all lenenc
 *
 * MariaDB (log_bin_compress=ON) packs the rows, or the statement, of one event by zlib:
 *
 *   packed := u8 (0x80 | n), u8 size[n] (n is 1 to 4; most significant first), zlib stream
 *
 * MEMORY: one inner event at a time is unpacked into a buffer that grows with what has really come
 * out, up to event_bytes_max; no size that the wire claims allocates anything. zstd's own window is
 * bounded by 2^MR_PAYLOAD_WINDOW_LOG_MAX, and resident only as far as it was written.
 *
 * FAILURE: MR_E_PROTOCOL, MR_STOP for bytes that do not unpack or sizes that do not agree;
 * MR_E_LIMIT, MR_STOP past a bound.
 *
 * Source: MySQL, libs/mysql/binlog/event/control_events.h, Transaction_payload_event; MariaDB,
 * sql/log_event.cc, binlog_buf_compress().
 */
#ifndef MR_SOURCE_MYSQL_BINLOG_PAYLOAD_H
#define MR_SOURCE_MYSQL_BINLOG_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"
#include "writer.h"

#define MR_PAYLOAD_WINDOW_LOG_MAX 27 /* of zstd's level 22, the highest a server can be set to */
#define MR_PAYLOAD_KEPT_BYTES     ((size_t)4 << 20) /* a larger buffer is given back at once */

struct mr_binlog_payload {
    void *zstd;             /* ZSTD_DCtx; kept over payloads */
    struct mr_writer event; /* the inner event that is being put together, or is whole */
    size_t packed_at;       /* in the body */
    size_t packed_size;
    size_t taken;             /* of packed */
    uint64_t unpacked;        /* bytes of events so far */
    uint64_t unpacked_wanted; /* as the header says */
    bool is_plain;            /* not compressed at all */
    bool is_open;
    bool has_event; /* `event` is whole and has not been let go */
};

/** Closed; event_bytes_max bounds one inner event. */
void mr_binlog_payload_init(struct mr_binlog_payload *payload, size_t event_bytes_max);
void mr_binlog_payload_done(struct mr_binlog_payload *payload); /* accepts a zeroed one */

/** Reads the head of a TRANSACTION_PAYLOAD's body. */
bool mr_binlog_payload_open(struct mr_binlog_payload *payload, struct mr_slice body,
                            struct mr_error *err) MR_MUST_CHECK;

enum mr_payload_next { MR_PAYLOAD_EVENT, MR_PAYLOAD_END, MR_PAYLOAD_ERROR };

/**
 * Puts the next inner event (header and body, no checksum) into payload->event and sets has_event;
 * the caller clears it when done with. The same body as at opening. END closes.
 */
enum mr_payload_next mr_binlog_payload_next(struct mr_binlog_payload *payload, struct mr_slice body,
                                            struct mr_error *err);

/** Unpacks MariaDB's form into `to`, which is emptied first; its limit bounds the output. */
bool mr_binlog_unpack_maria(struct mr_slice packed, struct mr_writer *to,
                            struct mr_error *err) MR_MUST_CHECK;

#endif
