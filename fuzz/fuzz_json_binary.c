// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: any bytes either print as UTF-8 text within the limit, or fail with a code and
 * a message. Corpus: corpus/json_binary.
 */
#include <assert.h>

#include "charset.h"
#include "json_binary.h"

#define TEXT_BYTES_MAX 65536

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_writer text;
    struct mr_error err = {0};
    mr_writer_init(&text, TEXT_BYTES_MAX);
    if (mr_json_binary_print((struct mr_slice){data, size}, &text, &err)) {
        assert(err.code == MR_OK && text.length > 0 && text.length <= TEXT_BYTES_MAX);
        assert(mr_utf8_is_valid(text.bytes, text.length));
    } else {
        assert(err.code != MR_OK && err.message[0] != '\0');
    }
    mr_writer_done(&text);
    return 0;
}
