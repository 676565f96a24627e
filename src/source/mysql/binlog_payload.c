// SPDX-License-Identifier: MIT
/*
 * binlog_payload.c - see binlog_payload.h.
 *
 * A payload may consist of several zstd frames; each read of output asks for exactly the bytes that
 * the inner event still lacks, in steps of at most STEP_BYTES.
 */
#include "binlog_payload.h"

#include <string.h>
#define ZLIB_CONST // NOLINT(readability-identifier-naming): zlib asks for it
#include <zlib.h>
#include <zstd.h>

#include "event_header.h"
#include "reader.h"
#include "table_map.h"

#define STEP_BYTES        ((size_t)64 << 10)
#define EVENT_SIZE_OFFSET 9
#define ALGORITHM_ZSTD    0
#define ALGORITHM_NONE    255
#define MARIA_MARK_MASK   0xe0
#define MARIA_MARK        0x80
#define MARIA_SIZE_MASK   0x07

void mr_binlog_payload_init(struct mr_binlog_payload *payload, size_t event_bytes_max)
{
    MR_ASSERT(event_bytes_max > MR_BINLOG_HEADER_SIZE);
    *payload = (struct mr_binlog_payload){0};
    mr_writer_init(&payload->event, event_bytes_max);
}

/** A buffer that one large event needed is not kept for the small ones. */
static void give_back(struct mr_writer *writer)
{
    if (writer->capacity > MR_PAYLOAD_KEPT_BYTES) {
        const size_t limit = writer->limit;
        mr_writer_done(writer);
        mr_writer_init(writer, limit);
    }
}

void mr_binlog_payload_done(struct mr_binlog_payload *payload)
{
    (void)ZSTD_freeDCtx(payload->zstd);
    mr_writer_done(&payload->event);
    *payload = (struct mr_binlog_payload){0};
}

/** Makes the decompressor ready for a new payload. */
static bool reset_zstd(struct mr_binlog_payload *payload, struct mr_error *err)
{
    if (payload->zstd == NULL) {
        payload->zstd = ZSTD_createDCtx();
    }
    if (payload->zstd == NULL ||
        ZSTD_isError(ZSTD_DCtx_reset(payload->zstd, ZSTD_reset_session_only)) != 0 ||
        ZSTD_isError(ZSTD_DCtx_setParameter(payload->zstd, ZSTD_d_windowLogMax,
                                            MR_PAYLOAD_WINDOW_LOG_MAX)) != 0) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "no memory to unpack a compressed transaction");
    }
    return true;
}

bool mr_binlog_payload_open(struct mr_binlog_payload *payload, struct mr_slice body,
                            struct mr_error *err)
{
    MR_ASSERT(!payload->is_open && !payload->has_event && payload->event.limit > 0);
    enum { FIELD_END = 0, FIELD_SIZE = 1, FIELD_ALGORITHM = 2, FIELD_UNPACKED = 3 };
    struct mr_reader in = mr_reader_init(body.bytes, body.length);
    uint64_t size = UINT64_MAX;
    uint64_t algorithm = ALGORITHM_ZSTD;
    uint64_t unpacked = UINT64_MAX;
    for (uint64_t field = UINT64_MAX; mr_reader_ok(&in) && field != FIELD_END;) {
        field = mr_read_lenenc(&in);
        if (field == FIELD_END) {
            break;
        }
        const struct mr_slice value = mr_read_slice(&in, mr_read_lenenc(&in));
        struct mr_reader number = mr_reader_init(value.bytes, value.length);
        if (field == FIELD_SIZE) {
            size = mr_read_lenenc(&number);
        } else if (field == FIELD_ALGORITHM) {
            algorithm = mr_read_lenenc(&number);
        } else if (field == FIELD_UNPACKED) {
            unpacked = mr_read_lenenc(&number);
        }
        in.failed = in.failed || number.failed;
    }
    if (!mr_reader_check(&in, "binlog TRANSACTION_PAYLOAD", err)) {
        return false;
    }
    if (size != mr_reader_left(&in)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "a compressed transaction of %llu bytes came in %zu bytes",
                       (unsigned long long)size, mr_reader_left(&in));
    }
    if (algorithm != ALGORITHM_ZSTD && algorithm != ALGORITHM_NONE) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "a transaction is compressed by algorithm %llu, which is not known; a newer "
                       "millrace may know it, or set binlog_transaction_compression=OFF",
                       (unsigned long long)algorithm);
    }
    if (algorithm == ALGORITHM_ZSTD && !reset_zstd(payload, err)) {
        return false;
    }
    mr_writer_reset(&payload->event);
    payload->packed_at = in.offset;
    payload->packed_size = (size_t)size;
    payload->taken = 0;
    payload->unpacked = 0;
    payload->unpacked_wanted = unpacked;
    payload->is_plain = algorithm == ALGORITHM_NONE;
    payload->is_open = true;
    return true;
}

/** Up to `room` more bytes to `to`; *got 0 at the end of the payload. */
static bool unpack_step(struct mr_binlog_payload *payload, struct mr_slice body, uint8_t *to,
                        size_t room, size_t *got, struct mr_error *err)
{
    MR_ASSERT(payload->taken <= payload->packed_size && room > 0);
    const uint8_t *packed = body.bytes + payload->packed_at;
    const size_t left = payload->packed_size - payload->taken;
    if (payload->is_plain) {
        *got = left < room ? left : room;
        memcpy(to, packed + payload->taken, *got);
        payload->taken += *got;
        return true;
    }
    ZSTD_inBuffer in = {packed, payload->packed_size, payload->taken};
    ZSTD_outBuffer out = {to, room, 0};
    size_t hint = 1; /* not 0: a frame is open, or output waits inside */
    while (out.pos == 0) {
        const size_t before = in.pos;
        hint = ZSTD_decompressStream(payload->zstd, &out, &in);
        if (ZSTD_isError(hint) != 0) {
            return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                           "a compressed transaction does not unpack: %s", ZSTD_getErrorName(hint));
        }
        if (in.pos == before && out.pos == 0) {
            break; /* the input is at its end and nothing waits inside */
        }
    }
    payload->taken = in.pos;
    *got = out.pos;
    return true;
}

/** Brings the event to `size` bytes; *whole false when the payload ends before. */
static bool fill_event(struct mr_binlog_payload *payload, struct mr_slice body, size_t size,
                       bool *whole, struct mr_error *err)
{
    MR_ASSERT(payload->is_open);
    *whole = false;
    while (payload->event.length < size) {
        const size_t lacking = size - payload->event.length;
        const size_t step = lacking < STEP_BYTES ? lacking : STEP_BYTES;
        size_t got = 0;
        uint8_t *to = mr_writer_reserve(&payload->event, step);
        if (to == NULL) {
            return mr_fail(err, MR_E_LIMIT, MR_STOP,
                           "an event in a compressed transaction is larger than %zu bytes; raise "
                           "value_max, or set binlog_transaction_compression=OFF",
                           payload->event.limit);
        }
        if (!unpack_step(payload, body, to, step, &got, err)) {
            return false;
        }
        payload->event.length -= step - got;
        payload->unpacked += got;
        if (got == 0) {
            return true;
        }
    }
    *whole = true;
    return true;
}

static bool fail_size(struct mr_error *err)
{
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                   "a compressed transaction holds other than the bytes that its head names");
}

enum mr_payload_next mr_binlog_payload_next(struct mr_binlog_payload *payload, struct mr_slice body,
                                            struct mr_error *err)
{
    MR_ASSERT(payload->is_open && !payload->has_event);
    MR_ASSERT(body.length == payload->packed_at + payload->packed_size);
    bool whole = false;
    uint32_t size = 0;
    mr_writer_reset(&payload->event);
    if (!fill_event(payload, body, MR_BINLOG_HEADER_SIZE, &whole, err)) {
        return MR_PAYLOAD_ERROR;
    }
    if (!whole && payload->event.length == 0) {
        const bool agrees =
            payload->unpacked_wanted == UINT64_MAX || payload->unpacked_wanted == payload->unpacked;
        payload->is_open = false;
        give_back(&payload->event);
        return agrees || fail_size(err) ? MR_PAYLOAD_END : MR_PAYLOAD_ERROR;
    }
    if (whole) {
        memcpy(&size, payload->event.bytes + EVENT_SIZE_OFFSET, sizeof(size));
        if (size < MR_BINLOG_HEADER_SIZE) {
            (void)fail_size(err);
            return MR_PAYLOAD_ERROR;
        }
        if (!fill_event(payload, body, size, &whole, err)) {
            return MR_PAYLOAD_ERROR;
        }
    }
    if (!whole || payload->unpacked > payload->unpacked_wanted) {
        (void)fail_size(err);
        return MR_PAYLOAD_ERROR;
    }
    payload->has_event = true;
    return MR_PAYLOAD_EVENT;
}

/* ---- MariaDB. ---- */

/** Inflates `in` into `to` until its end. */
static bool inflate_all(z_stream *zlib, struct mr_writer *to, uint64_t wanted, struct mr_error *err)
{
    MR_ASSERT(to->length == 0);
    for (;;) {
        uint8_t *room = mr_writer_reserve(to, STEP_BYTES);
        if (room == NULL) {
            return mr_fail(err, MR_E_LIMIT, MR_STOP,
                           "a compressed event unpacks to more than %zu "
                           "bytes; raise value_max, or exclude the table",
                           to->limit);
        }
        zlib->next_out = room;
        zlib->avail_out = (uInt)STEP_BYTES;
        const int result = inflate(zlib, Z_NO_FLUSH);
        to->length -= zlib->avail_out;
        if (result == Z_STREAM_END && zlib->avail_in == 0 && to->length == wanted) {
            return true;
        }
        if (result != Z_OK || to->length > wanted) {
            return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a compressed event does not unpack: %s",
                           zlib->msg == NULL ? "sizes do not agree" : zlib->msg);
        }
    }
}

bool mr_binlog_unpack_maria(struct mr_slice packed, struct mr_writer *to, struct mr_error *err)
{
    MR_ASSERT(to->limit > 0);
    struct mr_reader in = mr_reader_init(packed.bytes, packed.length);
    const uint8_t mark = mr_read_u8(&in);
    const unsigned width = mark & MARIA_SIZE_MASK;
    const uint64_t wanted = mr_read_uint_be(&in, width);
    const struct mr_slice rest = mr_read_slice(&in, mr_reader_left(&in));
    if (!mr_reader_check(&in, "a compressed event", err)) {
        return false;
    }
    if ((mark & MARIA_MARK_MASK) != MARIA_MARK || width < 1 || width > 4) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "an event is compressed in a way that is not known (mark %u); set "
                       "log_bin_compress=OFF",
                       mark);
    }
    give_back(to);
    z_stream zlib = {0};
    if (inflateInit(&zlib) != Z_OK) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "no memory to unpack a compressed event");
    }
    zlib.next_in = rest.bytes;
    zlib.avail_in = (uInt)rest.length;
    mr_writer_reset(to);
    const bool unpacked = inflate_all(&zlib, to, wanted, err);
    (void)inflateEnd(&zlib);
    return unpacked;
}
