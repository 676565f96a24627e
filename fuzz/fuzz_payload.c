// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: compressed transactions and events. The first byte chooses: the body of a
 * TRANSACTION_PAYLOAD (its head made right if the second byte is odd, so that mutations reach the
 * decompressor), or MariaDB's packed bytes. Whatever unpacks stays within its bound, and inner
 * events have the size that they state. Corpus: corpus/payload.
 */
#include <assert.h>
#include <string.h>

#include "binlog_payload.h"
#include "event_header.h"

#define EVENT_BYTES_MAX 65536
#define EVENTS_MAX      5000
#define HEAD_BYTES      10

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unpack_payload(struct mr_slice body)
{
    struct mr_binlog_payload payload;
    struct mr_error err = {0};
    mr_binlog_payload_init(&payload, EVENT_BYTES_MAX);
    bool going = mr_binlog_payload_open(&payload, body, &err);
    for (unsigned i = 0; going && i < EVENTS_MAX; i++) {
        const enum mr_payload_next next = mr_binlog_payload_next(&payload, body, &err);
        going = next == MR_PAYLOAD_EVENT;
        if (going) {
            uint32_t stated;
            assert(payload.has_event && payload.event.length <= EVENT_BYTES_MAX);
            memcpy(&stated, payload.event.bytes + 9, sizeof(stated));
            assert(stated == payload.event.length && stated >= MR_BINLOG_HEADER_SIZE);
            payload.has_event = false;
        } else {
            assert((next == MR_PAYLOAD_ERROR) == (err.code != MR_OK));
        }
    }
    mr_binlog_payload_done(&payload);
}

static void unpack_maria(struct mr_slice packed)
{
    struct mr_writer to = {0};
    struct mr_error err = {0};
    mr_writer_init(&to, EVENT_BYTES_MAX);
    const bool unpacked = mr_binlog_unpack_maria(packed, &to, &err);
    assert(unpacked == (err.code == MR_OK) && to.length <= EVENT_BYTES_MAX);
    mr_writer_done(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t body[HEAD_BYTES + (1 << 20)];
    if (size < 2 || size > (1 << 20)) {
        return 0;
    }
    const struct mr_slice rest = {data + 2, size - 2};
    if (data[0] % 2 == 1) {
        unpack_maria(rest);
    } else if (data[1] % 2 == 0) {
        unpack_payload(rest);
    } else {
        /* The size of what is packed as a lenenc of three bytes, zstd, and the end of the head. */
        const uint32_t packed = (uint32_t)rest.length;
        const uint8_t head[HEAD_BYTES] = {
            1, 4, 0xfd, (uint8_t)packed, (uint8_t)(packed >> 8), (uint8_t)(packed >> 16), 2,
            1, 0, 0};
        memcpy(body, head, sizeof(head));
        memcpy(body + sizeof(head), rest.bytes, rest.length);
        unpack_payload((struct mr_slice){body, sizeof(head) + rest.length});
    }
    return 0;
}
