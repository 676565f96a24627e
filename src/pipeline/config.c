// SPDX-License-Identifier: MIT
/*
 * config.c - see config.h. Reads the file, walks its sections, and lets option tables do the rest.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_check.h"
#include "config_fill.h"
#include "memory.h"
#include "registry.h"
#include "yaml_tree.h"

#define WHERE_BYTES_MAX 48
#define TYPES_BYTES_MAX 200 /* of a list of plug-in names in a message */

/* Keys of the file's top whose values are read here, entry by entry. */
static const struct mr_option top_sections[] = {
    {.name = "sources"},
    {.name = "tables"},
    {.name = "stream"},
    {.name = "transforms"},
    {.name = "sinks"},
    {.name = "connect"},
    {0},
};

struct loader {
    struct mr_pipeline_config *config;
    const struct mr_config_surroundings *around;
    const struct mr_yaml_node *root;
};

static struct mr_fill fill_for(const struct loader *loader, const char *where)
{
    MR_ASSERT(loader->config->file != NULL);

    return (struct mr_fill){
        .file = loader->config->file,
        .where = where,
        .around = loader->around,
        .memory = &loader->config->memory,
    };
}

/* The entries of a list. */
struct entries {
    const struct mr_yaml_node *first;
    size_t count;
};

/* A key whose value must be a list; empty when it is not there. */
static bool read_list(const struct mr_fill *fill, const struct mr_yaml_node *map, const char *name,
                      size_t count_max, struct entries *entries, struct mr_error *err)
{
    MR_ASSERT(count_max > 0);

    const struct mr_yaml_node *node = mr_yaml_node_find(map, name);

    *entries = (struct entries){0};
    if (node == NULL) {
        return true;
    }
    if (node->kind != MR_YAML_LIST) {
        return mr_fill_fail(fill, node, err, "\"%s\" needs a list, each entry with a dash", name);
    }
    if (node->child_count > count_max) {
        return mr_fill_fail(fill, node, err, "\"%s\" has %zu entries; at most %zu are taken", name,
                            node->child_count, count_max);
    }
    *entries = (struct entries){node->first_child, node->child_count};
    return true;
}

/* A section of the file's top that must be a list; *count is 0 when it is not there. */
static bool find_list(const struct loader *loader, const char *name, size_t count_max,
                      const struct mr_yaml_node **first, size_t *count, struct mr_error *err)
{
    const struct mr_fill fill = fill_for(loader, "");
    struct entries entries = {0};
    const bool ok = read_list(&fill, loader->root, name, count_max, &entries, err);

    *first = entries.first;
    *count = entries.count;
    return ok;
}

/* ---- type: names a plug-in. ---- */

typedef const char *(*plugin_name_fn)(size_t index);

static const char *source_name_at(size_t index)
{
    const struct mr_source_ops *ops = mr_registry_source_at(index);
    return ops != NULL ? ops->name : NULL;
}

static const char *stream_name_at(size_t index)
{
    const struct mr_stream_ops *ops = mr_registry_stream_at(index);
    return ops != NULL ? ops->name : NULL;
}

static const char *sink_name_at(size_t index)
{
    const struct mr_sink_ops *ops = mr_registry_sink_at(index);
    return ops != NULL ? ops->name : NULL;
}

static bool fail_type(const struct mr_fill *fill, const struct mr_yaml_node *map, const char *type,
                      plugin_name_fn name_at, struct mr_error *err)
{
    MR_ASSERT(name_at != NULL);

    const struct mr_yaml_node *node = mr_yaml_node_find(map, "type");
    char known[TYPES_BYTES_MAX] = "";
    size_t length = 0;

    for (size_t i = 0; name_at(i) != NULL && length < sizeof(known); i++) {
        length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%s",
                                   i > 0 ? ", " : "", name_at(i));
    }
    return mr_fill_fail(fill, node != NULL ? node : map, err,
                        "\"type\" in %s is \"%s\"; known are: %s", fill->where, type, known);
}

/* The text of an entry's "type", or `fallback`; fails when there is neither. */
static bool read_type(const struct mr_fill *fill, const struct mr_yaml_node *map,
                      const char *fallback, const char **type, struct mr_error *err)
{
    if (map->kind != MR_YAML_MAP) {
        return mr_fill_fail(fill, map, err, "%s needs a mapping of keys to values", fill->where);
    }
    const struct mr_yaml_node *node = mr_yaml_node_find(map, "type");
    if (node != NULL) {
        return mr_fill_text(fill, node, type, err);
    }
    if (fallback == NULL) {
        return mr_fill_fail(fill, map, err, "\"type\" is missing in %s", fill->where);
    }
    *type = fallback;
    return true;
}

/* ---- Sections. ---- */

static bool check_entry_name(const struct mr_fill *fill, const struct mr_yaml_node *map,
                             const char *name, struct mr_error *err)
{
    if (!mr_config_is_name(name)) {
        return mr_fill_fail(fill, map, err,
                            "\"name\" in %s must be at most %d letters, digits, _ and -, and start "
                            "with a letter",
                            fill->where, MR_CONFIG_NAME_MAX);
    }
    return true;
}

static bool load_source(struct loader *loader, const struct mr_yaml_node *map,
                        struct mr_source_config *source, const char *where, struct mr_error *err)
{
    MR_ASSERT(source->config == NULL);

    struct mr_fill fill = fill_for(loader, where);
    const char *type = NULL;

    source->line = map->line;
    if (!read_type(&fill, map, NULL, &type, err)) {
        return false;
    }
    source->ops = mr_registry_find_source(type);
    if (source->ops == NULL) {
        return fail_type(&fill, map, type, source_name_at, err);
    }
    source->config = mr_memory_new(1, source->ops->config_size);
    fill.targets[0] = (struct mr_fill_target){mr_config_source_options, source};
    fill.targets[1] = (struct mr_fill_target){source->ops->options, source->config};
    if (!mr_fill_map(&fill, map, err) || !check_entry_name(&fill, map, source->name, err)) {
        return false;
    }
    if (source->snapshot == MR_SNAPSHOT_NEVER) {
        source->snapshot = MR_SNAPSHOT_NO_DATA;
    }
    if (source->snapshot == MR_SNAPSHOT_WHEN_NEEDED) {
        source->on_lost_position = MR_LOST_SNAPSHOT;
    }
    if (source->on_lost_position == MR_LOST_SNAPSHOT && source->snapshot == MR_SNAPSHOT_NO_DATA) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s:%u: source \"%s\": on_lost_position: snapshot copies tables, which "
                       "snapshot: no_data rules out; set one of the two otherwise",
                       fill.file, map->line, source->name);
    }
    if (source->ops->check_config != NULL &&
        !source->ops->check_config(source->config, fill.memory, err)) {
        mr_error_context(err, "source \"%s\"", source->name);
        return mr_error_context(err, "%s:%u", fill.file, map->line);
    }
    return true;
}

static bool load_sources(struct loader *loader, struct mr_error *err)
{
    const struct mr_yaml_node *node;
    size_t count;

    if (!find_list(loader, "sources", MR_CONFIG_SOURCES_MAX, &node, &count, err)) {
        return false;
    }
    if (count == 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s: there is no source; add one to \"sources\"",
                       loader->config->file);
    }
    loader->config->sources = mr_memory_new(count, sizeof(*loader->config->sources));
    for (size_t i = 0; i < count; i++, node = node->next) {
        char where[WHERE_BYTES_MAX];
        (void)snprintf(where, sizeof(where), "sources[%zu]", i);
        loader->config->source_count = i + 1;
        if (!load_source(loader, node, &loader->config->sources[i], where, err)) {
            return false;
        }
    }
    return true;
}

static bool load_stream(struct loader *loader, struct mr_error *err)
{
    MR_ASSERT(loader->config->stream.config == NULL);

    static const struct mr_yaml_node nothing = {.kind = MR_YAML_MAP, .line = 1};
    struct mr_stream_config *stream = &loader->config->stream;
    struct mr_fill fill = fill_for(loader, "stream");
    const struct mr_yaml_node *map = mr_yaml_node_find(loader->root, "stream");
    const char *type = NULL;

    if (map == NULL) {
        map = &nothing;
    }
    if (!read_type(&fill, map, mr_config_stream_options[0].fallback, &type, err)) {
        return false;
    }
    stream->ops = mr_registry_find_stream(type);
    if (stream->ops == NULL) {
        return fail_type(&fill, map, type, stream_name_at, err);
    }
    stream->config = mr_memory_new(1, stream->ops->config_size);
    fill.targets[0] = (struct mr_fill_target){mr_config_stream_options, stream};
    fill.targets[1] = (struct mr_fill_target){stream->ops->options, stream->config};
    return mr_fill_map(&fill, map, err);
}

static bool load_sink(struct loader *loader, const struct mr_yaml_node *map,
                      struct mr_sink_config *sink, const char *where, struct mr_error *err)
{
    MR_ASSERT(sink->config == NULL);

    struct mr_fill fill = fill_for(loader, where);
    const char *type = NULL;

    sink->line = map->line;
    if (!read_type(&fill, map, NULL, &type, err)) {
        return false;
    }
    sink->ops = mr_registry_find_sink(type);
    if (sink->ops == NULL) {
        return fail_type(&fill, map, type, sink_name_at, err);
    }
    sink->config = mr_memory_new(1, sink->ops->config_size);
    fill.targets[0] = (struct mr_fill_target){mr_config_sink_options, sink};
    fill.targets[1] = (struct mr_fill_target){sink->ops->options, sink->config};
    return mr_fill_map(&fill, map, err) && check_entry_name(&fill, map, sink->name, err);
}

static bool load_sinks(struct loader *loader, struct mr_error *err)
{
    const struct mr_yaml_node *node;
    size_t count;

    if (!find_list(loader, "sinks", MR_CONFIG_SINKS_MAX, &node, &count, err)) {
        return false;
    }
    if (count == 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s: there is no sink; add one to \"sinks\"",
                       loader->config->file);
    }
    loader->config->sinks = mr_memory_new(count, sizeof(*loader->config->sinks));
    for (size_t i = 0; i < count; i++, node = node->next) {
        char where[WHERE_BYTES_MAX];
        (void)snprintf(where, sizeof(where), "sinks[%zu]", i);
        loader->config->sink_count = i + 1;
        if (!load_sink(loader, node, &loader->config->sinks[i], where, err)) {
            return false;
        }
    }
    return true;
}

/* Keys of an entry of `tables` whose values are read here. */
static const struct mr_option policy_sections[] = {{.name = "columns"}, {0}};

static bool load_columns(const struct mr_fill *table, const struct mr_yaml_node *map,
                         struct mr_table_policy *policy, struct mr_error *err)
{
    MR_ASSERT(policy->columns == NULL);

    struct entries entries;

    if (!read_list(table, map, "columns", MR_CONFIG_POLICIES_MAX, &entries, err)) {
        return false;
    }
    policy->columns = mr_memory_new(entries.count, sizeof(*policy->columns));
    policy->column_count = entries.count;
    const struct mr_yaml_node *node = entries.first;
    for (size_t i = 0; i < entries.count; i++, node = node->next) {
        char where[2 * WHERE_BYTES_MAX];
        (void)snprintf(where, sizeof(where), "%s.columns[%zu]", table->where, i);
        struct mr_fill fill = *table;
        fill.where = where;
        fill.sections = NULL;
        fill.targets[0] = (struct mr_fill_target){mr_config_column_options, &policy->columns[i]};
        if (!mr_fill_map(&fill, node, err)) {
            return false;
        }
    }
    return true;
}

/* What inherits takes the value of what is around it. */
static void settle(const struct mr_pipeline_config *config, struct mr_table_policy *policy)
{
    MR_ASSERT(config->on_type_error != MR_ON_TYPE_ERROR_INHERIT);

    if (policy->on_type_error == MR_ON_TYPE_ERROR_INHERIT) {
        policy->on_type_error = config->on_type_error;
    }
    for (size_t i = 0; i < policy->column_count; i++) {
        if (policy->columns[i].on_type_error == MR_ON_TYPE_ERROR_INHERIT) {
            policy->columns[i].on_type_error = policy->on_type_error;
        }
    }
}

static bool load_policy(struct loader *loader, const struct mr_yaml_node *map,
                        struct mr_table_policy *policy, const char *where, struct mr_error *err)
{
    struct mr_fill fill = fill_for(loader, where);

    fill.targets[0] = (struct mr_fill_target){mr_config_policy_options, policy};
    fill.sections = policy_sections;
    if (!mr_fill_map(&fill, map, err) || !load_columns(&fill, map, policy, err)) {
        return false;
    }
    settle(loader->config, policy);
    return mr_config_check_policy(policy, fill.file, map, err);
}

static bool load_policies(struct loader *loader, struct mr_error *err)
{
    const struct mr_yaml_node *node;
    size_t count;
    struct mr_policies *policies = &loader->config->policies;

    policies->fallback = mr_table_policy_default;
    if (loader->config->on_type_error == MR_ON_TYPE_ERROR_INHERIT) {
        loader->config->on_type_error = policies->fallback.on_type_error;
    }
    policies->fallback.on_type_error = loader->config->on_type_error;
    if (!find_list(loader, "tables", MR_CONFIG_POLICIES_MAX, &node, &count, err)) {
        return false;
    }
    policies->tables = mr_memory_new(count, sizeof(*policies->tables));
    for (size_t i = 0; i < count; i++, node = node->next) {
        char where[WHERE_BYTES_MAX];
        (void)snprintf(where, sizeof(where), "tables[%zu]", i);
        policies->table_count = i + 1;
        if (!load_policy(loader, node, &policies->tables[i], where, err)) {
            return false;
        }
    }
    return true;
}

/* Sections of later versions: what is empty is taken, what asks for something is refused. */
static bool refuse_later_sections(const struct loader *loader, struct mr_error *err)
{
    static const char *const later[] = {"transforms", "connect"};
    const struct mr_fill fill = fill_for(loader, "");

    for (size_t i = 0; i < MR_ARRAY_LEN(later); i++) {
        const struct mr_yaml_node *node = mr_yaml_node_find(loader->root, later[i]);
        const bool is_empty = node == NULL || node->is_null ||
                              (node->kind != MR_YAML_SCALAR && node->child_count == 0);
        if (!is_empty) {
            return mr_fill_fail(&fill, node, err,
                                "\"%s\" is not available in this version; leave it out", later[i]);
        }
    }
    return true;
}

static bool load_all(struct loader *loader, struct mr_error *err)
{
    struct mr_fill fill = fill_for(loader, "");

    fill.targets[0] = (struct mr_fill_target){mr_config_pipeline_options, loader->config};
    fill.sections = top_sections;
    return mr_fill_map(&fill, loader->root, err) && refuse_later_sections(loader, err) &&
           load_sources(loader, err) && load_policies(loader, err) && load_stream(loader, err) &&
           load_sinks(loader, err) && mr_config_check_whole(loader->config, err);
}

/* A file beside the configuration, unless its name begins at the root. */
static char *beside(const char *config_file, const char *file)
{
    const char *slash = strrchr(config_file, '/');
    const size_t folder = slash == NULL || file[0] == '/' ? 0 : (size_t)(slash - config_file) + 1;
    char *path = mr_memory_new(folder + strlen(file) + 1, 1);
    (void)snprintf(path, folder + strlen(file) + 1, "%.*s%s", (int)folder, config_file, file);
    return path;
}

static bool load_dashboards(struct loader *loader, struct mr_error *err)
{
    struct mr_pipeline_config *config = loader->config;
    const struct mr_string_list *files = &config->console.dashboard_files;

    if (files->count > MR_CONFIG_DASHBOARDS_MAX) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s: \"console.dashboards\" has %zu entries; at most %d are taken",
                       config->file, files->count, MR_CONFIG_DASHBOARDS_MAX);
    }
    config->dashboards = mr_memory_new(files->count + 1, sizeof(*config->dashboards));
    for (size_t i = 0; i < files->count; i++) {
        char *path = beside(config->file, files->items[i]);
        struct mr_dashboard *dashboard = &config->dashboards[i];
        const bool loaded = mr_dashboard_load(dashboard, path, loader->around, err);
        free(path);
        if (!loaded) {
            return false;
        }
        config->dashboard_count++;
        for (size_t before = 0; before < i; before++) {
            if (strcmp(config->dashboards[before].name, dashboard->name) == 0) {
                return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s: two dashboards are named \"%s\"",
                               config->file, dashboard->name);
            }
        }
    }
    return true;
}

bool mr_pipeline_config_parse(struct mr_pipeline_config *config, const char *file,
                              struct mr_slice text, const struct mr_config_surroundings *around,
                              struct mr_error *err)
{
    MR_ASSERT(around->env != NULL && around->variable != NULL);

    *config = (struct mr_pipeline_config){0};
    config->file = mr_options_keep(&config->memory, file);
    struct mr_yaml_tree *tree = mr_yaml_tree_open(file, text, err);
    if (tree == NULL) {
        mr_pipeline_config_done(config);
        return false;
    }
    struct loader loader = {
        .config = config,
        .around = around,
        .root = mr_yaml_tree_root(tree),
    };
    const bool loaded = load_all(&loader, err) && load_dashboards(&loader, err);
    mr_yaml_tree_close(tree);
    if (!loaded) {
        mr_pipeline_config_done(config);
    }
    return loaded;
}

bool mr_pipeline_config_load(struct mr_pipeline_config *config, const char *file,
                             const struct mr_config_surroundings *around, struct mr_error *err)
{
    MR_ASSERT(file != NULL && around->env != NULL);

    const struct mr_env *env = around->env;
    uint8_t *bytes = NULL;
    size_t count = 0;
    bool loaded = false;

    *config = (struct mr_pipeline_config){0};
    const int fd = env->open(env, MR_ENV_CWD, file, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        mr_fail_errno(err, "read \"%s\"", file);
        goto out;
    }
    bytes = mr_memory_new(1, MR_CONFIG_BYTES_MAX + 1);
    if (!mr_env_read_fully(env, fd, bytes, MR_CONFIG_BYTES_MAX + 1, 0, &count, err)) {
        mr_error_context(err, "read \"%s\"", file);
        goto out;
    }
    if (count > MR_CONFIG_BYTES_MAX) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "\"%s\" is larger than 1 MiB", file);
        goto out;
    }
    loaded = mr_pipeline_config_parse(
        config, file, (struct mr_slice){.bytes = bytes, .length = count}, around, err);

out:
    free(bytes);
    if (fd >= 0) {
        (void)env->close(env, fd);
    }
    if (!loaded) {
        err->code = MR_E_CONFIG;
        err->recovery = MR_STOP;
    }
    return loaded;
}

void mr_pipeline_config_done(struct mr_pipeline_config *config)
{
    for (uint32_t i = 0; i < config->dashboard_count; i++) {
        mr_dashboard_done(&config->dashboards[i]);
    }
    free(config->dashboards);
    for (size_t i = 0; i < config->source_count; i++) {
        free(config->sources[i].config);
    }
    for (size_t i = 0; i < config->sink_count; i++) {
        free(config->sinks[i].config);
    }
    free(config->stream.config);
    free(config->sources);
    free(config->sinks);
    for (size_t i = 0; i < config->policies.table_count; i++) {
        free(config->policies.tables[i].columns);
    }
    free(config->policies.tables);
    mr_options_free(&config->memory);
    *config = (struct mr_pipeline_config){0};
}
