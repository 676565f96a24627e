// SPDX-License-Identifier: MIT
/*
 * utf8.c - the well-formed byte sequences of Unicode, table 3-7 ("Well-Formed UTF-8").
 */
#include "utf8.h"

#include <string.h>

#include "compiler.h"

#define ASCII_MASK UINT64_C(0x8080808080808080)

static size_t skip_ascii(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    while (length - at >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        if ((word & ASCII_MASK) != 0) {
            break;
        }
        at += sizeof(word);
    }
    while (at < length && bytes[at] < 0x80) {
        at++;
    }
    return at;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length of the character at bytes, or 0 when it is not well-formed. */
static size_t character_length(const uint8_t *bytes, size_t length)
{
    const uint8_t lead = bytes[0];
    const uint8_t second = length > 1 ? bytes[1] : 0;

    if (lead < 0xC2 || lead > 0xF4 || !is_continuation(second)) {
        return 0;
    }
    if (lead < 0xE0) {
        return 2;
    }
    if (length < 3 || !is_continuation(bytes[2])) {
        return 0;
    }
    if (lead < 0xF0) {
        const bool is_overlong = lead == 0xE0 && second < 0xA0;
        const bool is_surrogate = lead == 0xED && second > 0x9F;
        return is_overlong || is_surrogate ? 0 : 3;
    }
    if (length < 4 || !is_continuation(bytes[3])) {
        return 0;
    }
    const bool is_out_of_range = (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
    return is_out_of_range ? 0 : 4;
}

enum mr_utf8 mr_utf8_check(const uint8_t *bytes, size_t length)
{
    size_t at = length == 0 ? 0 : skip_ascii(bytes, length);
    if (at == length) {
        return MR_UTF8_ASCII;
    }
    while (at < length) {
        if (bytes[at] < 0x80) {
            at += skip_ascii(bytes + at, length - at);
            continue;
        }
        const size_t step = character_length(bytes + at, length - at);
        if (step == 0) {
            return MR_UTF8_INVALID;
        }
        at += step;
        MR_ASSERT(at <= length);
    }
    return MR_UTF8_VALID;
}
