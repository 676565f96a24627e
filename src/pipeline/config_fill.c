// SPDX-License-Identifier: MIT
/*
 * config_fill.c - see config_fill.h.
 */
#include "config_fill.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_expand.h"
#include "memory.h"

#define KEY_BYTES_MAX 256 /* of a dotted name */

bool mr_fill_fail(const struct mr_fill *fill, const struct mr_yaml_node *node, struct mr_error *err,
                  const char *format, ...)
{
    MR_ASSERT(node->line > 0);

    char what[MR_ERROR_MESSAGE_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s:%u: %s", fill->file, node->line, what);
}

/* " in sources[0]", or nothing at the top. */
static const char *in_words(const struct mr_fill *fill, char *buffer, size_t size)
{
    (void)snprintf(buffer, size, fill->where[0] != '\0' ? " in %s" : "%s", fill->where);
    return buffer;
}

const struct mr_yaml_node *mr_fill_find(const struct mr_yaml_node *map, const char *name)
{
    char part[KEY_BYTES_MAX];
    const char *dot = strchr(name, '.');

    if (map->kind != MR_YAML_MAP) {
        return NULL;
    }
    if (dot == NULL) {
        return mr_yaml_node_find(map, name);
    }
    MR_ASSERT((size_t)(dot - name) < sizeof(part));
    memcpy(part, name, (size_t)(dot - name));
    part[dot - name] = '\0';
    const struct mr_yaml_node *child = mr_yaml_node_find(map, part);
    return child != NULL ? mr_fill_find(child, dot + 1) : NULL;
}

bool mr_fill_text(const struct mr_fill *fill, const struct mr_yaml_node *node, const char **text,
                  struct mr_error *err)
{
    bool is_replaced = false;

    if (node->kind != MR_YAML_SCALAR || node->is_null) {
        return mr_fill_fail(fill, node, err, "\"%s\" needs a value",
                            node->key != NULL ? node->key : "entry");
    }
    if (!mr_config_expand(node->text, fill->around, fill->memory, text, &is_replaced, err)) {
        return mr_error_context(err, "%s:%u", fill->file, node->line);
    }
    return true;
}

static const struct mr_option *find_option(const struct mr_fill *fill, const char *name);

/* YAML's null, written where "null" is one of the words that the option takes. */
static bool is_word(const struct mr_fill *fill, const struct mr_yaml_node *node, const char *name)
{
    const struct mr_option *option = find_option(fill, name);

    if (option == NULL || option->type != MR_OPT_CHOICE || node->text == NULL) {
        return false;
    }
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], node->text) == 0) {
            return true;
        }
    }
    return false;
}

/* Sets one text in every target that has the option. A value that came from ${...} is not shown. */
static bool set_text(const struct mr_fill *fill, const struct mr_yaml_node *node, const char *name,
                     const char *map_key, struct mr_error *err)
{
    MR_ASSERT(name[0] != '\0');

    const char *text = NULL;
    bool is_replaced = false;
    char where[KEY_BYTES_MAX];

    if (node->kind != MR_YAML_SCALAR || (node->is_null && !is_word(fill, node, name))) {
        return mr_fill_fail(fill, node, err, "\"%s\"%s needs a plain value%s", name,
                            in_words(fill, where, sizeof(where)),
                            node->kind == MR_YAML_SCALAR ? "; it is empty" : "");
    }
    if (!mr_config_expand(node->text, fill->around, fill->memory, &text, &is_replaced, err)) {
        mr_error_context(err, "\"%s\"%s", name, in_words(fill, where, sizeof(where)));
        return mr_error_context(err, "%s:%u", fill->file, node->line);
    }
    for (size_t i = 0; i < MR_FILL_TARGETS_MAX; i++) {
        const struct mr_fill_target *target = &fill->targets[i];
        if (target->options == NULL || mr_options_find(target->options, name) == NULL) {
            continue;
        }
        if (mr_options_set(target->options, target->config, fill->memory, name, map_key, text,
                           err)) {
            continue;
        }
        if (is_replaced) {
            return mr_fill_fail(fill, node, err, "\"%s\"%s does not take what \"%s\" stands for",
                                name, in_words(fill, where, sizeof(where)), node->text);
        }
        if (fill->where[0] != '\0') {
            mr_error_context(err, "%s", fill->where);
        }
        return mr_error_context(err, "%s:%u", fill->file, node->line);
    }
    return true;
}

static bool set_list(const struct mr_fill *fill, const struct mr_yaml_node *node, const char *name,
                     struct mr_error *err)
{
    if (node->kind != MR_YAML_LIST) {
        return mr_fill_fail(fill, node, err, "\"%s\" needs a list: [a, b]", name);
    }
    for (const struct mr_yaml_node *item = node->first_child; item != NULL; item = item->next) {
        if (!set_text(fill, item, name, NULL, err)) {
            return false;
        }
    }
    return true;
}

static bool set_map(const struct mr_fill *fill, const struct mr_yaml_node *node, const char *name,
                    struct mr_error *err)
{
    if (node->kind != MR_YAML_MAP) {
        return mr_fill_fail(fill, node, err, "\"%s\" needs a mapping: {key: value}", name);
    }
    for (const struct mr_yaml_node *entry = node->first_child; entry != NULL; entry = entry->next) {
        if (!set_text(fill, entry, name, entry->key, err)) {
            return false;
        }
    }
    return true;
}

static const struct mr_option *find_option(const struct mr_fill *fill, const char *name)
{
    for (size_t i = 0; i < MR_FILL_TARGETS_MAX; i++) {
        if (fill->targets[i].options != NULL) {
            const struct mr_option *option = mr_options_find(fill->targets[i].options, name);
            if (option != NULL) {
                return option;
            }
        }
    }
    return NULL;
}

/* Whether some option is written below this key: "tls" for "tls.mode". */
static bool is_group(const struct mr_fill *fill, const char *name)
{
    const size_t length = strlen(name);

    for (size_t i = 0; i < MR_FILL_TARGETS_MAX; i++) {
        const struct mr_option *option = fill->targets[i].options;
        for (; option != NULL && option->name != NULL; option++) {
            if (strncmp(option->name, name, length) == 0 && option->name[length] == '.') {
                return true;
            }
        }
    }
    return false;
}

static size_t append_names(struct mr_option *names, const struct mr_option *options)
{
    size_t count = 0;

    for (; options != NULL && options[count].name != NULL; count++) {
        if (names != NULL) {
            names[count] = options[count];
        }
    }
    return count;
}

/* All keys that are valid here, groups included, as one table to look for the nearest in. */
static bool fail_unknown(const struct mr_fill *fill, const struct mr_yaml_node *node,
                         const char *name, struct mr_error *err)
{
    MR_ASSERT(find_option(fill, name) == NULL);

    char where[KEY_BYTES_MAX];
    size_t count = append_names(NULL, fill->sections);
    for (size_t i = 0; i < MR_FILL_TARGETS_MAX; i++) {
        count += append_names(NULL, fill->targets[i].options);
    }
    struct mr_option *names = mr_memory_new(2 * count + 1, sizeof(*names));
    size_t used = append_names(names, fill->sections);
    for (size_t i = 0; i < MR_FILL_TARGETS_MAX; i++) {
        used += append_names(names + used, fill->targets[i].options);
    }
    for (size_t i = 0; i < count; i++) {
        const char *dot = strchr(names[i].name, '.');
        if (dot != NULL && strchr(name, '.') == NULL) {
            char group[KEY_BYTES_MAX];
            (void)snprintf(group, sizeof(group), "%.*s", (int)(dot - names[i].name), names[i].name);
            names[used++].name = mr_options_keep(fill->memory, group);
        }
    }
    const char *nearest = mr_options_nearest(names, name);
    if (nearest != NULL) {
        mr_fill_fail(fill, node, err, "unknown key \"%s\"%s; did you mean \"%s\"?", name,
                     in_words(fill, where, sizeof(where)), nearest);
    } else {
        mr_fill_fail(fill, node, err,
                     "unknown key \"%s\"%s; `millrace help options` lists all keys", name,
                     in_words(fill, where, sizeof(where)));
    }
    free(names);
    return false;
}

static bool is_section(const struct mr_fill *fill, const char *name)
{
    return fill->sections != NULL && mr_options_find(fill->sections, name) != NULL;
}

static bool fill_entries(const struct mr_fill *fill, const struct mr_yaml_node *map,
                         const char *prefix, struct mr_error *err);

static bool fill_entry(const struct mr_fill *fill, const struct mr_yaml_node *node,
                       const char *name, struct mr_error *err)
{
    MR_ASSERT(node->key != NULL);

    const struct mr_option *option = find_option(fill, name);

    if (option == NULL) {
        if (is_group(fill, name)) {
            if (node->kind != MR_YAML_MAP) {
                return mr_fill_fail(fill, node, err, "\"%s\" needs a mapping: {key: value}", name);
            }
            return fill_entries(fill, node, name, err);
        }
        return is_section(fill, name) ? true : fail_unknown(fill, node, name, err);
    }
    if (option->type == MR_OPT_LIST) {
        return set_list(fill, node, name, err);
    }
    if (option->type == MR_OPT_MAP) {
        return set_map(fill, node, name, err);
    }
    return set_text(fill, node, name, NULL, err);
}

/* Recursion is bounded by MR_YAML_DEPTH_MAX, and ends sooner: at the dots of the longest name. */
static bool fill_entries(const struct mr_fill *fill, const struct mr_yaml_node *map,
                         const char *prefix, struct mr_error *err)
{
    MR_ASSERT(map->kind == MR_YAML_MAP);

    for (const struct mr_yaml_node *node = map->first_child; node != NULL; node = node->next) {
        char name[KEY_BYTES_MAX];
        const int length =
            snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", node->key);
        if (length < 0 || (size_t)length >= sizeof(name)) {
            return mr_fill_fail(fill, node, err, "a key is too long");
        }
        if (!fill_entry(fill, node, name, err)) {
            return false;
        }
    }
    return true;
}

static bool check_required(const struct mr_fill *fill, const struct mr_yaml_node *map,
                           const struct mr_option *options, struct mr_error *err)
{
    MR_ASSERT(map->kind == MR_YAML_MAP);

    char where[KEY_BYTES_MAX];

    for (const struct mr_option *option = options; option->name != NULL; option++) {
        if (option->required && mr_fill_find(map, option->name) == NULL) {
            return mr_fill_fail(fill, map, err, "\"%s\" is missing%s; it is: %s", option->name,
                                in_words(fill, where, sizeof(where)), option->help);
        }
    }
    return true;
}

bool mr_fill_map(const struct mr_fill *fill, const struct mr_yaml_node *map, struct mr_error *err)
{
    MR_ASSERT(fill->file != NULL && fill->where != NULL);

    if (map->kind != MR_YAML_MAP) {
        return mr_fill_fail(fill, map, err, "%s needs a mapping of keys to values", fill->where);
    }
    for (size_t i = 0; i < MR_FILL_TARGETS_MAX; i++) {
        const struct mr_fill_target *target = &fill->targets[i];
        if (target->options != NULL &&
            !mr_options_defaults(target->options, target->config, fill->memory, err)) {
            return false;
        }
    }
    if (!fill_entries(fill, map, "", err)) {
        return false;
    }
    for (size_t i = 0; i < MR_FILL_TARGETS_MAX; i++) {
        const struct mr_option *options = fill->targets[i].options;
        if (options != NULL && !check_required(fill, map, options, err)) {
            return false;
        }
    }
    return true;
}
