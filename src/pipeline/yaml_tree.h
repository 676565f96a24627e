// SPDX-License-Identifier: MIT
/*
 * yaml_tree.h - a YAML document as a tree of nodes that know their lines.
 *
 * Only what a configuration needs: mappings with plain keys, lists, scalars as text. Anchors,
 * aliases, tags, merge keys and a second document are errors, which also rules out documents that
 * grow when they are expanded.
 *
 * Limits: MR_YAML_DEPTH_MAX levels, MR_YAML_NODES_MAX nodes. Nodes live as long as the tree.
 */
#ifndef MR_PIPELINE_YAML_TREE_H
#define MR_PIPELINE_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"

#define MR_YAML_DEPTH_MAX 16
#define MR_YAML_NODES_MAX 20000

enum mr_yaml_kind { MR_YAML_SCALAR, MR_YAML_LIST, MR_YAML_MAP };

struct mr_yaml_node {
    enum mr_yaml_kind kind;
    unsigned line;    /* from 1; of a map's entry: its key's */
    bool is_null;     /* a scalar without text, "~" or "null", not quoted */
    const char *key;  /* of an entry of a map; else NULL */
    const char *text; /* of a scalar; else NULL */
    const struct mr_yaml_node *first_child;
    const struct mr_yaml_node *next; /* sibling, in the file's order */
    size_t child_count;
};

struct mr_yaml_tree;

/**
 * Parses one document. Returns NULL with MR_E_CONFIG and a message that starts "file:line: " when
 * it is not YAML, or uses what is ruled out above. An empty document gives an empty map.
 */
struct mr_yaml_tree *mr_yaml_tree_open(const char *file, struct mr_slice text,
                                       struct mr_error *err);

/** Accepts NULL. */
void mr_yaml_tree_close(struct mr_yaml_tree *tree);

/** Always a map. */
const struct mr_yaml_node *mr_yaml_tree_root(const struct mr_yaml_tree *tree);

/** The entry of a map by its key, or NULL. */
const struct mr_yaml_node *mr_yaml_node_find(const struct mr_yaml_node *map, const char *key);

#endif
