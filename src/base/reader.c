// SPDX-License-Identifier: MIT
/*
 * reader.c - the one check at the end of a decoder.
 */
#include "reader.h"

bool mr_reader_check(const struct mr_reader *reader, const char *what, struct mr_error *err)
{
    MR_ASSERT(what != NULL);
    MR_ASSERT(reader->offset <= reader->length);
    if (reader->failed) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "%s: cut short or malformed at byte %zu of %zu",
                       what, reader->offset, reader->length);
    }
    return true;
}

bool mr_reader_finish(const struct mr_reader *reader, const char *what, struct mr_error *err)
{
    if (!mr_reader_check(reader, what, err)) {
        return false;
    }
    if (reader->offset != reader->length) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "%s: %zu unexpected bytes after byte %zu", what,
                       reader->length - reader->offset, reader->offset);
    }
    return true;
}
