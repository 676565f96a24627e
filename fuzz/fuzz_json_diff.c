// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: u16 length, a document, then diffs. They apply and print as UTF-8 within the
 * limit, or fail with a code and a message. Corpus: corpus/json_diff, first what a server wrote.
 */
#include <assert.h>

#include "charset.h"
#include "json_diff.h"

#define TEXT_BYTES_MAX 65536

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    size_t length = data[0] | (size_t)data[1] << 8;
    length = length > size - 2 ? size - 2 : length;
    struct mr_writer text;
    struct mr_error err = {0};
    mr_writer_init(&text, TEXT_BYTES_MAX);
    if (mr_mysql_json_diff_apply((struct mr_slice){data + 2, length},
                                 (struct mr_slice){data + 2 + length, size - 2 - length}, &text,
                                 &err)) {
        assert(err.code == MR_OK && text.length > 0 && text.length <= TEXT_BYTES_MAX);
        assert(mr_utf8_is_valid(text.bytes, text.length));
    } else {
        assert(err.code != MR_OK && err.message[0] != '\0');
    }
    mr_writer_done(&text);
    return 0;
}
