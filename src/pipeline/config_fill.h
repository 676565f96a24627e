// SPDX-License-Identifier: MIT
/*
 * config_fill.h - fills structs from a YAML mapping, through option tables.
 *
 * A mapping may feed several tables at once: a source's entry holds the keys that all sources share
 * and those of its plug-in. A key that several tables have is given to each of them.
 */
#ifndef MR_PIPELINE_CONFIG_FILL_H
#define MR_PIPELINE_CONFIG_FILL_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "yaml_tree.h"

#define MR_FILL_TARGETS_MAX 2

struct mr_fill_target {
    const struct mr_option *options; /* NULL: unused */
    void *config;
};

struct mr_fill {
    const char *file;
    const char *where; /* "sources[0]", or "" for the top of the file */
    const struct mr_config_surroundings *around;
    struct mr_option_memory *memory;
    struct mr_fill_target targets[MR_FILL_TARGETS_MAX];
    const struct mr_option *sections; /* keys whose values the caller reads itself, or NULL */
};

/** Fails with "file:line: " in front; returns false. */
bool mr_fill_fail(const struct mr_fill *fill, const struct mr_yaml_node *node, struct mr_error *err,
                  const char *format, ...) MR_PRINTF(4, 5);

/**
 * Gives every target its defaults, then the mapping's values, and sees that required ones are
 * there. Errors: MR_E_CONFIG: an unknown key (with the nearest known one), a wrong value, one
 * missing.
 */
bool mr_fill_map(const struct mr_fill *fill, const struct mr_yaml_node *map,
                 struct mr_error *err) MR_MUST_CHECK;

/** One scalar value with everything put in, for keys that are needed before the rest ("type"). */
bool mr_fill_text(const struct mr_fill *fill, const struct mr_yaml_node *node, const char **text,
                  struct mr_error *err) MR_MUST_CHECK;

/** The node of an option by its dotted name ("tls.mode"), or NULL. */
const struct mr_yaml_node *mr_fill_find(const struct mr_yaml_node *map, const char *name);

#endif
