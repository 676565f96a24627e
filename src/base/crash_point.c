// SPDX-License-Identifier: MIT
/*
 * crash_point.c - see crash_point.h. The only state is which point is armed and how often it may
 * still be passed; it is set before threads start.
 */
#include "crash_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

static const char *const names[MR_CRASH_POINT_COUNT] = {
    [MR_CRASH_SNAPSHOT_ROWS] = "snapshot.rows",
    [MR_CRASH_JOURNAL_BEFORE_SYNC] = "journal.before_sync",
    [MR_CRASH_LOADER_BEFORE_COMMIT] = "loader.before_commit",
    [MR_CRASH_LINK_BEFORE_ACK] = "link.before_ack",
    [MR_CRASH_SNAPSHOT_PIECE] = "snapshot.piece",
    [MR_CRASH_TABLE_BEFORE_JOIN] = "table.before_join",
};

static int armed = MR_CRASH_POINT_COUNT; /* none */
static atomic_ulong passes_left;

_Bool mr_crash_point_arm(const char *text)
{
    armed = MR_CRASH_POINT_COUNT;
    if (text == NULL) {
        return 1;
    }
    for (int point = 0; point < MR_CRASH_POINT_COUNT; point++) {
        const size_t length = strlen(names[point]);
        if (strncmp(text, names[point], length) == 0 && text[length] == ':') {
            const unsigned long passes = strtoul(text + length + 1, NULL, 10);
            atomic_store(&passes_left, passes > 0 ? passes : 1);
            armed = point;
            return 1;
        }
    }
    return 0;
}

void mr_crash_point(enum mr_crash_point point)
{
    if (MR_LIKELY((int)point != armed)) {
        return;
    }
    if (atomic_fetch_sub(&passes_left, 1) == 1) {
        (void)raise(SIGKILL);
    }
}
