// SPDX-License-Identifier: MIT
/*
 * position.c - an owned copy of a place in a source.
 */
#include "position.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

bool mr_position_set(struct mr_position *position, struct mr_slice epoch, struct mr_slice text,
                     struct mr_native_position native, struct mr_error *err)
{
    MR_ASSERT(position != NULL);
    MR_ASSERT(text.bytes != NULL || text.length == 0);
    if (text.length >= MR_POSITION_BYTES_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "a position of %zu bytes exceeds %d", text.length,
                       MR_POSITION_BYTES_MAX - 1);
    }
    if (epoch.length >= MR_EPOCH_BYTES_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "an epoch of %zu bytes exceeds %d", epoch.length,
                       MR_EPOCH_BYTES_MAX - 1);
    }
    char *copy = mr_memory_copy_text(text.bytes, text.length); /* text may be the old one */
    char epoch_copy[MR_EPOCH_BYTES_MAX] = {0};
    if (epoch.length > 0) {
        memcpy(epoch_copy, epoch.bytes, epoch.length);
    }
    free(position->text);
    position->text = copy;
    memcpy(position->epoch, epoch_copy, sizeof(epoch_copy));
    position->native = native;
    return true;
}

void mr_position_done(struct mr_position *position)
{
    if (position == NULL) {
        return;
    }
    free(position->text);
    *position = (struct mr_position){0};
}
