// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: GTID sets and positions, as text and in the wire form. The first byte chooses.
 * Whatever parses must print, and what was printed must parse to the same. Corpus: corpus/gtid.
 */
#include <assert.h>
#include <string.h>

#include "gtid.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(const struct mr_gtid_set *set)
{
    struct mr_gtid_set again = {0};
    struct mr_error err = {0};
    struct mr_writer text;
    mr_writer_init(&text, 1 << 24);
    mr_gtid_set_print(set, &text);
    /* Origins without numbers (a wire form may have them) do not print as anything. */
    bool complete = true;
    for (uint32_t i = 0; i < set->source_count; i++) {
        complete = complete && set->sources[i].interval_count > 0;
    }
    if (complete) {
        assert(mr_gtid_set_parse(&again, (struct mr_slice){text.bytes, text.length}, &err));
        assert(mr_gtid_set_includes(set, &again) && mr_gtid_set_includes(&again, set));
    }
    mr_writer_done(&text);
    mr_gtid_set_done(&again);
}

static void check_position(struct mr_slice text)
{
    struct mr_maria_position position = {0};
    struct mr_error err = {0};
    if (mr_maria_position_parse(&position, text, &err)) {
        struct mr_maria_position again = {0};
        struct mr_writer printed;
        mr_writer_init(&printed, 1 << 24);
        mr_maria_position_print(&position, &printed);
        assert(mr_maria_position_parse(&again, (struct mr_slice){printed.bytes, printed.length},
                                       &err));
        assert(again.count == position.count);
        mr_maria_position_done(&again);
        mr_writer_done(&printed);
    }
    mr_maria_position_done(&position);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_gtid_set set = {0};
    struct mr_error err = {0};
    if (size == 0) {
        return 0;
    }
    const struct mr_slice rest = {data + 1, size - 1};
    bool good = false;
    if (data[0] % 3 == 0) {
        good = mr_gtid_set_parse(&set, rest, &err);
    } else if (data[0] % 3 == 1) {
        good = mr_gtid_set_decode(&set, rest, &err);
    } else {
        check_position(rest);
        return 0;
    }
    if (good) {
        check_set(&set);
    } else {
        assert(err.code != MR_OK && err.message[0] != '\0');
    }
    mr_gtid_set_done(&set);
    return 0;
}
