// SPDX-License-Identifier: MIT
/*
 * binlog_group.c - opens, closes and drops a batch's transaction.
 */
#include "binlog_group.h"

#include <stdio.h>

#define ORIGIN_BYTES (MR_GTID_ORIGIN_BYTES_MAX + 24)

static bool set_origin(const struct mr_binlog_group *group, struct mr_batch *batch,
                       struct mr_error *err)
{
    MR_ASSERT(batch->transaction_open && batch->transaction_count > 0);
    char text[ORIGIN_BYTES];
    size_t length = 0;
    switch (group->gtid_kind) {
    case MR_GTID_NONE:
        return true;
    case MR_GTID_MYSQL:
        length = mr_gtid_origin_print(&group->origin, text);
        break;
    case MR_GTID_MARIA:
        length =
            (size_t)snprintf(text, sizeof(text), "%u-%u", group->maria.domain, group->maria.server);
        break;
    }
    const struct mr_slice origin = {(const uint8_t *)text, length};
    return mr_batch_origin(batch, origin, &batch->transactions[batch->transaction_count - 1].origin,
                           err);
}

bool mr_group_enter(struct mr_binlog_group *group, struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(group->state == MR_GROUP_OPEN || !group->handed_on);
    if (MR_LIKELY(batch->transaction_open)) {
        return true;
    }
    if (group->handed_on) {
        MR_ASSERT(batch->transaction_count == 0);
        batch->continues = true;
    }
    return mr_batch_begin(batch, group->number, group->commit_us, err) &&
           set_origin(group, batch, err);
}

bool mr_group_commit(struct mr_binlog_group *group, struct mr_batch *batch,
                     struct mr_native_position end, int64_t end_us, struct mr_error *err)
{
    if (group->handed_on && !mr_group_enter(group, batch, err)) {
        return false;
    }
    if (batch->transaction_open) {
        mr_batch_commit(batch, end, group->commit_us != 0 ? group->commit_us : end_us);
    }
    *group = (struct mr_binlog_group){.state = MR_GROUP_NONE};
    return true;
}

void mr_group_undo(struct mr_batch *batch)
{
    if (!batch->transaction_open) {
        return;
    }
    MR_ASSERT(batch->transaction_count > 0);
    const struct mr_transaction *last = &batch->transactions[batch->transaction_count - 1];
    MR_ASSERT(last->first_event <= batch->event_count && last->row_count <= batch->row_count);
    /* Rows stay behind in their chunks without an event that names them. */
    batch->event_count = last->first_event;
    batch->row_count -= last->row_count;
    batch->transaction_count--;
    batch->transaction_open = false;
    batch->continues = batch->continues && batch->transaction_count > 0;
}

void mr_group_drop(struct mr_binlog_group *group, struct mr_batch *batch)
{
    mr_group_undo(batch);
    if (group->handed_on) {
        MR_ASSERT(batch->transaction_count == 0 && batch->event_count == 0);
        batch->aborts = true;
    }
    *group = (struct mr_binlog_group){.state = MR_GROUP_NONE};
}

void mr_group_suspend(struct mr_binlog_group *group, struct mr_batch *batch)
{
    if (batch->transaction_open) {
        MR_ASSERT(group->state == MR_GROUP_OPEN);
        mr_batch_suspend(batch);
        group->handed_on = true;
    }
}
