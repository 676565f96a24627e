// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: the first byte chooses a character set, the rest is text in it. It converts to
 * UTF-8 that fits its room, or fails with a code and a message. Corpus: corpus/charset.
 */
#include <assert.h>
#include <stdlib.h>

#include "charset.h"
#include "charset_tables.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    const struct mr_charset *charset = &mr_charsets[data[0] % mr_charset_count];
    if (charset->kind == MR_CHARSET_BINARY) {
        return 0;
    }
    struct mr_charset_converter converter = {0};
    struct mr_error err = {0};
    size_t length = 0;
    uint8_t *to = malloc((size - 1) * MR_CHARSET_GROWTH_MAX + 1);
    assert(to != NULL);
    if (mr_charset_convert(charset, &converter, (struct mr_slice){data + 1, size - 1}, to, &length,
                           &err)) {
        assert(err.code == MR_OK && length <= (size - 1) * MR_CHARSET_GROWTH_MAX);
        assert(mr_utf8_is_valid(to, length));
    } else {
        assert(err.code != MR_OK && err.message[0] != '\0');
    }
    mr_charset_close(&converter);
    free(to);
    return 0;
}
