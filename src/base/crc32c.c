// SPDX-License-Identifier: MIT
/*
 * crc32c.c - CRC-32C by the processor's instruction (SSE 4.2) where there is one, else by tables.
 *
 * The tables are constants: a CRC is linear, so the entry of a byte is the exclusive or of the
 * entries of its bits, and the preprocessor can write all 256 from eight. Eight bytes are taken at
 * a time ("slicing by 8": table k holds the effect of a byte k places before the end).
 *
 * Source: RFC 3720, B.4 (test vectors in tests/unit/base/test_crc32c.c).
 */
#include "crc32c.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "compiler.h"

#define BIT(b, i, c) (((b) >> (i)&1) != 0 ? UINT32_C(c) : 0)
#define ENTRY(b, c0, c1, c2, c3, c4, c5, c6, c7)                                                   \
    (BIT(b, 0, c0) ^ BIT(b, 1, c1) ^ BIT(b, 2, c2) ^ BIT(b, 3, c3) ^ BIT(b, 4, c4) ^               \
     BIT(b, 5, c5) ^ BIT(b, 6, c6) ^ BIT(b, 7, c7))
#define ENTRY4(b, ...)                                                                             \
    ENTRY(b, __VA_ARGS__), ENTRY((b) + 1, __VA_ARGS__), ENTRY((b) + 2, __VA_ARGS__),               \
        ENTRY((b) + 3, __VA_ARGS__)
#define ENTRY16(b, ...)                                                                            \
    ENTRY4(b, __VA_ARGS__), ENTRY4((b) + 4, __VA_ARGS__), ENTRY4((b) + 8, __VA_ARGS__),            \
        ENTRY4((b) + 12, __VA_ARGS__)
#define ENTRY64(b, ...)                                                                            \
    ENTRY16(b, __VA_ARGS__), ENTRY16((b) + 16, __VA_ARGS__), ENTRY16((b) + 32, __VA_ARGS__),       \
        ENTRY16((b) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                 \
    {                                                                                              \
        ENTRY64(0, __VA_ARGS__), ENTRY64(64, __VA_ARGS__), ENTRY64(128, __VA_ARGS__),              \
            ENTRY64(192, __VA_ARGS__)                                                              \
    }

/* clang-format off */
static const uint32_t tables[8][256] = {
    TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
          0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
          0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
          0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
          0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
          0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
          0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
          0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
          0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};
/* clang-format on */

static uint32_t update_byte(uint32_t state, uint8_t byte)
{
    return state >> 8 ^ tables[0][(state ^ byte) & 0xff];
}

static uint32_t update_by_table(uint32_t state, const uint8_t *bytes, size_t length)
{
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        word ^= state;
        state = 0;
        for (unsigned k = 0; k < 8; k++) {
            state ^= tables[7 - k][word >> (8 * k) & 0xff];
        }
    }
    for (; length > 0; bytes++, length--) {
        state = update_byte(state, *bytes);
    }
    return state;
}

#if defined(__x86_64__)
MR_TARGET("sse4.2")
static uint32_t update_by_instruction(uint32_t state, const uint8_t *bytes, size_t length)
{
    uint64_t wide = state;
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
    state = (uint32_t)wide;
    for (; length > 0; bytes++, length--) {
        state = __builtin_ia32_crc32qi(state, *bytes);
    }
    return state;
}

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}
#else
static uint32_t update_by_instruction(uint32_t state, const uint8_t *bytes, size_t length)
{
    return update_by_table(state, bytes, length);
}

static bool has_instruction(void)
{
    return false;
}
#endif

uint32_t mr_crc32c(uint32_t crc, const void *bytes, size_t length)
{
    MR_ASSERT(bytes != NULL || length == 0);
    return ~(has_instruction() ? update_by_instruction(~crc, bytes, length)
                               : update_by_table(~crc, bytes, length));
}

uint32_t mr_crc32c_portable(uint32_t crc, const void *bytes, size_t length)
{
    MR_ASSERT(bytes != NULL || length == 0);
    return ~update_by_table(~crc, bytes, length);
}

uint32_t mr_crc32(uint32_t crc, const void *bytes, size_t length)
{
    MR_ASSERT(bytes != NULL || length == 0);
    return length == 0 ? crc : (uint32_t)crc32_z(crc, bytes, length);
}
