// SPDX-License-Identifier: MIT
/*
 * yaml_tree.c - see yaml_tree.h. libyaml's events, put together with a stack of open collections.
 */
#include "yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "arena.h"
#include "memory.h"

/* Text and nodes of the largest document: one byte of it costs at most one node. */
#define TREE_BYTES_MAX ((size_t)8 << 20)

struct mr_yaml_tree {
    struct mr_arena arena;
    struct mr_yaml_node *root;
};

struct level {
    struct mr_yaml_node *node;
    struct mr_yaml_node *last_child;
};

struct builder {
    const char *file;
    struct mr_yaml_tree *tree;
    struct level stack[MR_YAML_DEPTH_MAX];
    size_t depth;
    size_t node_count;
    const char *key; /* read, and waiting for its value */
    unsigned key_line;
    unsigned document_count;
};

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static bool fail_at(const struct builder *builder, unsigned line, const char *what,
                    struct mr_error *err)
{
    return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s:%u: %s", builder->file, line, what);
}

static bool is_null_text(const char *text, yaml_scalar_style_t style)
{
    return style == YAML_PLAIN_SCALAR_STYLE &&
           (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/* Hangs a new node below the open collection, under the key that waits when that is a map. */
static struct mr_yaml_node *add_node(struct builder *builder, enum mr_yaml_kind kind,
                                     const yaml_event_t *event, struct mr_error *err)
{
    const unsigned line = line_of(event);
    if (builder->node_count >= MR_YAML_NODES_MAX) {
        fail_at(builder, line, "the file has too many entries", err);
        return NULL;
    }
    struct mr_yaml_node *node = MR_ARENA_NEW(&builder->tree->arena, struct mr_yaml_node, 1);
    if (node == NULL) {
        fail_at(builder, line, "the file is too large", err);
        return NULL;
    }
    builder->node_count++;
    node->kind = kind;
    node->line = line;

    if (builder->depth == 0) {
        if (kind != MR_YAML_MAP) {
            fail_at(builder, line, "expected a mapping of keys to values", err);
            return NULL;
        }
        builder->tree->root = node;
        return node;
    }
    struct level *level = &builder->stack[builder->depth - 1];
    if (level->node->kind == MR_YAML_MAP) {
        MR_ASSERT(builder->key != NULL);
        node->key = builder->key;
        node->line = builder->key_line;
        builder->key = NULL;
    }
    if (level->last_child == NULL) {
        level->node->first_child = node;
    } else {
        level->last_child->next = node;
    }
    level->last_child = node;
    level->node->child_count++;
    return node;
}

static bool open_collection(struct builder *builder, enum mr_yaml_kind kind,
                            const yaml_event_t *event, struct mr_error *err)
{
    MR_ASSERT(kind != MR_YAML_SCALAR);

    if (builder->depth > 0 && builder->key == NULL &&
        builder->stack[builder->depth - 1].node->kind == MR_YAML_MAP) {
        return fail_at(builder, line_of(event), "a key must be plain text", err);
    }
    if (builder->depth >= MR_YAML_DEPTH_MAX) {
        return fail_at(builder, line_of(event), "nested too deeply", err);
    }
    struct mr_yaml_node *node = add_node(builder, kind, event, err);
    if (node == NULL) {
        return false;
    }
    builder->stack[builder->depth++] = (struct level){.node = node};
    return true;
}

static bool take_key(struct builder *builder, const char *text, const yaml_event_t *event,
                     struct mr_error *err)
{
    MR_ASSERT(builder->depth > 0 && builder->key == NULL);

    const struct level *level = &builder->stack[builder->depth - 1];
    const struct mr_yaml_node *twin = mr_yaml_node_find(level->node, text);

    if (twin != NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s:%u: key \"%s\" is there twice, first in line %u", builder->file,
                       line_of(event), text, twin->line);
    }
    builder->key = text;
    builder->key_line = line_of(event);
    return true;
}

static bool take_scalar(struct builder *builder, const yaml_event_t *event, struct mr_error *err)
{
    MR_ASSERT(event->type == YAML_SCALAR_EVENT);

    const char *value = (const char *)event->data.scalar.value;
    const size_t length = event->data.scalar.length;

    if (memchr(value, '\0', length) != NULL) {
        return fail_at(builder, line_of(event), "a value must not hold a zero byte", err);
    }
    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        return fail_at(builder, line_of(event), "anchors (&) and tags (!) are not supported", err);
    }
    const char *text = mr_arena_copy(&builder->tree->arena, value, length + 1);
    if (text == NULL) {
        return fail_at(builder, line_of(event), "the file is too large", err);
    }
    const bool in_map =
        builder->depth > 0 && builder->stack[builder->depth - 1].node->kind == MR_YAML_MAP;
    if (in_map && builder->key == NULL) {
        return take_key(builder, text, event, err);
    }
    const bool is_null = is_null_text(text, event->data.scalar.style);
    if (builder->depth == 0 && is_null) {
        return true; /* an empty document */
    }
    struct mr_yaml_node *node = add_node(builder, MR_YAML_SCALAR, event, err);
    if (node == NULL) {
        return false;
    }
    node->text = text;
    node->is_null = is_null;
    return true;
}

static bool refuse_anchor(const struct builder *builder, const yaml_event_t *event,
                          const yaml_char_t *anchor, const yaml_char_t *tag, struct mr_error *err)
{
    if (anchor != NULL || tag != NULL) {
        return fail_at(builder, line_of(event), "anchors (&) and tags (!) are not supported", err);
    }
    return true;
}

static bool take_event(struct builder *builder, const yaml_event_t *event, struct mr_error *err)
{
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    case YAML_DOCUMENT_START_EVENT:
        if (++builder->document_count > 1) {
            return fail_at(builder, line_of(event), "only one document (---) is allowed", err);
        }
        return true;
    case YAML_ALIAS_EVENT:
        return fail_at(builder, line_of(event), "aliases (*) are not supported", err);
    case YAML_SCALAR_EVENT:
        return take_scalar(builder, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return refuse_anchor(builder, event, event->data.sequence_start.anchor,
                             event->data.sequence_start.tag, err) &&
               open_collection(builder, MR_YAML_LIST, event, err);
    case YAML_MAPPING_START_EVENT:
        return refuse_anchor(builder, event, event->data.mapping_start.anchor,
                             event->data.mapping_start.tag, err) &&
               open_collection(builder, MR_YAML_MAP, event, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        MR_ASSERT(builder->depth > 0);
        builder->depth--;
        return true;
    }
    return fail_at(builder, line_of(event), "not understood", err);
}

static bool read_events(struct builder *builder, yaml_parser_t *parser, struct mr_error *err)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            const size_t line = parser->problem_mark.line + 1;
            return fail_at(builder, (unsigned)line,
                           parser->problem != NULL ? parser->problem : "not YAML", err);
        }
        done = event.type == YAML_STREAM_END_EVENT;
        const bool taken = take_event(builder, &event, err);
        yaml_event_delete(&event);
        if (!taken) {
            return false;
        }
    }
    return true;
}

struct mr_yaml_tree *mr_yaml_tree_open(const char *file, struct mr_slice text, struct mr_error *err)
{
    MR_ASSERT(file != NULL);

    yaml_parser_t parser;
    struct mr_yaml_tree *tree = mr_memory_new(1, sizeof(*tree));
    struct builder builder = {.file = file, .tree = tree};
    bool built = false;

    MR_ASSERT(yaml_parser_initialize(&parser) != 0);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.bytes != NULL ? text.bytes : (const uint8_t *)"",
                                 text.length);
    if (!mr_arena_init(&tree->arena, TREE_BYTES_MAX, 0, err)) {
        goto out;
    }
    if (!read_events(&builder, &parser, err)) {
        goto out;
    }
    if (tree->root == NULL) {
        tree->root = MR_ARENA_NEW(&tree->arena, struct mr_yaml_node, 1);
        MR_ASSERT(tree->root != NULL);
        tree->root->kind = MR_YAML_MAP;
        tree->root->line = 1;
    }
    built = true;

out:
    yaml_parser_delete(&parser);
    if (!built) {
        mr_yaml_tree_close(tree);
        return NULL;
    }
    return tree;
}

void mr_yaml_tree_close(struct mr_yaml_tree *tree)
{
    if (tree != NULL) {
        mr_arena_done(&tree->arena);
        free(tree);
    }
}

const struct mr_yaml_node *mr_yaml_tree_root(const struct mr_yaml_tree *tree)
{
    MR_ASSERT(tree != NULL && tree->root != NULL);
    return tree->root;
}

const struct mr_yaml_node *mr_yaml_node_find(const struct mr_yaml_node *map, const char *key)
{
    MR_ASSERT(map->kind == MR_YAML_MAP);
    for (const struct mr_yaml_node *at = map->first_child; at != NULL; at = at->next) {
        if (strcmp(at->key, key) == 0) {
            return at;
        }
    }
    return NULL;
}
