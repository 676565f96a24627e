// SPDX-License-Identifier: MIT
/*
 * link_budget.c - the lag budget: what is left until the server may discard what we need. It is
 * told in the log when half, a fifth and a twentieth of it are left, so that somebody can act
 * before it is spent, and once more when we have caught up.
 *
 * While we are away from the server its clock goes on and nobody can ask: what was left in time
 * then falls by ours.
 */
#include "link_internal.h"
#include "log.h"

#define NS_PER_S UINT64_C(1000000000)

/* Parts of a thousand that are left when a level begins. */
static const uint32_t levels[] = {500, 200, 50};

uint64_t mr_retention_left_s(const struct mr_link_view *view, uint64_t now_ns)
{
    const uint64_t left_s = view->observation.retention.left_s;
    if (left_s == UINT64_MAX || view->state == MR_LINK_STREAMING || view->observed_ns == 0) {
        return left_s;
    }
    const uint64_t gone_s = (now_ns - view->observed_ns) / NS_PER_S;
    return gone_s < left_s ? left_s - gone_s : 0;
}

static uint32_t level_of(uint64_t left, uint64_t total)
{
    uint32_t level = 0;
    if (left == UINT64_MAX || total == UINT64_MAX || total == 0) {
        return 0;
    }
    while (level < MR_ARRAY_LEN(levels) && (double)left * 1000 < (double)total * levels[level]) {
        level++;
    }
    return level;
}

void mr_link_watch_budget(struct mr_link *link)
{
    const struct mr_env *env = link->options.context.env;
    struct mr_link_view view;
    mr_link_look(link, &view);
    if (view.observed_ns == 0) {
        return;
    }
    const struct mr_retention *retention = &view.observation.retention;
    const uint64_t left_s = mr_retention_left_s(&view, env->monotonic_ns(env));
    const uint32_t by_bytes = level_of(retention->left_bytes, retention->total_bytes);
    const uint32_t by_time = level_of(left_s, retention->total_s);
    const uint32_t level = by_bytes > by_time ? by_bytes : by_time;
    if (level > link->budget_level) {
        mr_log(level == MR_ARRAY_LEN(levels) ? MR_LOG_ERROR : MR_LOG_WARN, "source.retention_low",
               MR_LOG_S("source", link->options.context.name),
               MR_LOG_I("left_bytes",
                        retention->left_bytes == UINT64_MAX ? -1 : (int64_t)retention->left_bytes),
               MR_LOG_I("left_seconds", left_s == UINT64_MAX ? -1 : (int64_t)left_s),
               MR_LOG_I("below_permille", levels[level - 1]),
               MR_LOG_S("next", "then the server may discard what follows our position: see what "
                                "holds us up, or let it keep its log longer"));
        link->budget_level = level;
    } else if (level == 0 && link->budget_level > 0) {
        mr_log(MR_LOG_INFO, "source.retention_recovered",
               MR_LOG_S("source", link->options.context.name));
        link->budget_level = 0;
    }
}
