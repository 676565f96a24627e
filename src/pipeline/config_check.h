// SPDX-License-Identifier: MIT
/*
 * config_check.h - what no option table can say: how the parts of a configuration go together.
 */
#ifndef MR_PIPELINE_CONFIG_CHECK_H
#define MR_PIPELINE_CONFIG_CHECK_H

#include <stdbool.h>

#include "config.h"
#include "yaml_tree.h"

/** Letters, digits, _ and -, at most MR_CONFIG_NAME_MAX bytes, the first one a letter. */
bool mr_config_is_name(const char *name);

/**
 * Sees that no policy asks for what this version does not have. `node` is the policy's mapping,
 * for the line in the message. MR_E_CONFIG without the file in front: only ":line: ".
 */
bool mr_config_check_policy(const struct mr_table_policy *policy, const char *file,
                            const struct mr_yaml_node *node, struct mr_error *err) MR_MUST_CHECK;

/** Names are unique, and no two source tables that are listed by name meet in one target. */
bool mr_config_check_whole(const struct mr_pipeline_config *config,
                           struct mr_error *err) MR_MUST_CHECK;

/** Whether text is "address:port" (an IPv6 address in brackets) or "off". */
bool mr_config_is_listen(const char *text);

#endif
