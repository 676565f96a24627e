// SPDX-License-Identifier: MIT
/*
 * dashboard.c - see dashboard.h.
 */
#include "dashboard.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_fill.h"
#include "memory.h"
#include "yaml_tree.h"

static const char *const panel_types[] = {
    [MR_PANEL_NUMBER] = "number", [MR_PANEL_LINE] = "line",
    [MR_PANEL_BAR] = "bar",       [MR_PANEL_STACKED] = "stacked",
    [MR_PANEL_HEAT] = "heat",     [MR_PANEL_TABLE] = "table",
    [MR_PANEL_MAP] = "map",       NULL,
};

static const struct mr_option filter_options[] = {
    {.name = "name",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct mr_dashboard_filter, name),
     .required = true},
    {.name = "title",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct mr_dashboard_filter, title),
     .required = true},
    {.name = "sql", .type = MR_OPT_STRING, .offset = offsetof(struct mr_dashboard_filter, sql)},
    {.name = "choices",
     .type = MR_OPT_LIST,
     .offset = offsetof(struct mr_dashboard_filter, choices)},
    {.name = "default",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct mr_dashboard_filter, fallback)},
    {0},
};

static const struct mr_option panel_options[] = {
    {.name = "title",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct mr_dashboard_panel, title),
     .required = true},
    {.name = "type",
     .type = MR_OPT_CHOICE,
     .offset = offsetof(struct mr_dashboard_panel, type),
     .choices = panel_types,
     .required = true},
    {.name = "unit", .type = MR_OPT_STRING, .offset = offsetof(struct mr_dashboard_panel, unit)},
    {.name = "width",
     .type = MR_OPT_UINT,
     .offset = offsetof(struct mr_dashboard_panel, width),
     .fallback = "6",
     .min = 1,
     .max = MR_DASHBOARD_COLUMNS},
    {.name = "sql",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct mr_dashboard_panel, sql),
     .required = true},
    {0},
};

static const struct mr_option top_options[] = {
    {.name = "name", .type = MR_OPT_STRING, .offset = offsetof(struct mr_dashboard, name)},
    {.name = "title",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct mr_dashboard, title),
     .required = true},
    {0},
};

static const struct mr_option top_sections[] = {{.name = "filters"}, {.name = "panels"}, {0}};

const char *mr_panel_type_name(unsigned type)
{
    MR_ASSERT(type < MR_ARRAY_LEN(panel_types) - 1);
    return panel_types[type];
}

/* ---- $filter in a statement becomes $1, $2, ... ---- */

/* Where a quoted text or a comment that begins at `text` ends; `text` itself when none does. */
static const char *skip_quoted(const char *text)
{
    if (text[0] == '\'' || text[0] == '"') {
        const char *end = strchr(text + 1, text[0]); /* a doubled quote begins the next text */
        return end == NULL ? text + strlen(text) : end + 1;
    }
    if (text[0] == '-' && text[1] == '-') {
        return text + strcspn(text, "\n");
    }
    if (text[0] == '/' && text[1] == '*') {
        const char *end = strstr(text + 2, "*/");
        return end == NULL ? text + strlen(text) : end + 2;
    }
    return text;
}

static size_t name_length(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_') {
        length++;
    }
    return length;
}

/* The number, from 1, that a filter has in the panel's statement; 0: there is no such filter. */
static unsigned number_of(const struct mr_dashboard *dashboard, struct mr_dashboard_panel *panel,
                          const char *name, size_t length)
{
    for (uint8_t i = 0; i < panel->filter_count; i++) {
        const char *known = dashboard->filters[panel->filters[i]].name;
        if (strlen(known) == length && strncmp(known, name, length) == 0) {
            return i + 1U;
        }
    }
    for (uint32_t i = 0; i < dashboard->filter_count; i++) {
        const char *known = dashboard->filters[i].name;
        if (strlen(known) == length && strncmp(known, name, length) == 0) {
            MR_ASSERT(panel->filter_count < MR_DASHBOARD_FILTERS_MAX);
            panel->filters[panel->filter_count++] = (uint8_t)i;
            return panel->filter_count;
        }
    }
    return 0;
}

/* A name is at least as long as its number: one digit, for there are at most eight. */
_Static_assert(MR_DASHBOARD_FILTERS_MAX < 10, "a filter's number has one digit");

static bool number_filters(const struct mr_dashboard *dashboard, struct mr_dashboard_panel *panel,
                           const struct mr_fill *fill, const struct mr_yaml_node *node,
                           struct mr_error *err)
{
    panel->statement = mr_memory_new(strlen(panel->sql) + 1, 1);
    char *to = panel->statement;
    const char *from = panel->sql;
    while (*from != '\0') {
        const char *end = skip_quoted(from);
        if (end != from) {
            memcpy(to, from, (size_t)(end - from));
            to += end - from;
            from = end;
            continue;
        }
        const size_t length = from[0] == '$' ? name_length(from + 1) : 0;
        if (length == 0) {
            *to++ = *from++;
            continue;
        }
        const unsigned number = number_of(dashboard, panel, from + 1, length);
        if (number == 0) {
            return mr_fill_fail(fill, node, err, "panel \"%s\" names $%.*s, which is no filter",
                                panel->title, (int)length, from + 1);
        }
        *to++ = '$';
        *to++ = (char)('0' + number);
        from += 1 + length;
    }
    *to = '\0';
    return true;
}

/* ---- Loading. ---- */

struct entries {
    const struct mr_yaml_node *first;
    uint32_t count;
};

static bool find_entries(const struct mr_fill *fill, const struct mr_yaml_node *root,
                         const char *name, size_t count_max, struct entries *entries,
                         struct mr_error *err)
{
    const struct mr_yaml_node *node = mr_yaml_node_find(root, name);
    *entries = (struct entries){0};
    if (node == NULL) {
        return true;
    }
    if (node->kind != MR_YAML_LIST || node->child_count > count_max) {
        return mr_fill_fail(fill, node, err, "\"%s\" needs a list of at most %zu entries", name,
                            count_max);
    }
    *entries = (struct entries){node->first_child, (uint32_t)node->child_count};
    return true;
}

static bool load_filters(struct mr_dashboard *dashboard, struct mr_fill fill,
                         const struct mr_yaml_node *root, struct mr_error *err)
{
    struct entries entries;
    if (!find_entries(&fill, root, "filters", MR_DASHBOARD_FILTERS_MAX, &entries, err)) {
        return false;
    }
    dashboard->filters = mr_memory_new(entries.count + 1, sizeof(*dashboard->filters));
    dashboard->filter_count = entries.count;
    fill.sections = NULL;
    for (uint32_t i = 0; i < entries.count; i++, entries.first = entries.first->next) {
        struct mr_dashboard_filter *filter = &dashboard->filters[i];
        fill.targets[0] = (struct mr_fill_target){filter_options, filter};
        if (!mr_fill_map(&fill, entries.first, err)) {
            return false;
        }
        if (filter->name[0] == '\0' || filter->name[name_length(filter->name)] != '\0') {
            return mr_fill_fail(&fill, entries.first, err,
                                "a filter's name has letters, digits and _ only, not \"%s\"",
                                filter->name);
        }
    }
    return true;
}

static bool load_panels(struct mr_dashboard *dashboard, struct mr_fill fill,
                        const struct mr_yaml_node *root, struct mr_error *err)
{
    struct entries entries;
    if (!find_entries(&fill, root, "panels", MR_DASHBOARD_PANELS_MAX, &entries, err)) {
        return false;
    }
    if (entries.count == 0) {
        return mr_fill_fail(&fill, root, err, "a dashboard needs \"panels\"");
    }
    dashboard->panels = mr_memory_new(entries.count, sizeof(*dashboard->panels));
    dashboard->panel_count = entries.count;
    fill.sections = NULL;
    for (uint32_t i = 0; i < entries.count; i++, entries.first = entries.first->next) {
        fill.targets[0] = (struct mr_fill_target){panel_options, &dashboard->panels[i]};
        if (!mr_fill_map(&fill, entries.first, err) ||
            !number_filters(dashboard, &dashboard->panels[i], &fill, entries.first, err)) {
            return false;
        }
    }
    return true;
}

static bool read_file(const struct mr_env *env, const char *file, uint8_t **bytes, size_t *count,
                      struct mr_error *err)
{
    const int fd = env->open(env, MR_ENV_CWD, file, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        return mr_fail_errno(err, "read dashboard \"%s\"", file);
    }
    *bytes = mr_memory_new(MR_DASHBOARD_BYTES_MAX + 1, 1);
    const bool read = mr_env_read_fully(env, fd, *bytes, MR_DASHBOARD_BYTES_MAX + 1, 0, count, err);
    (void)env->close(env, fd);
    if (!read) {
        return mr_error_context(err, "read dashboard \"%s\"", file);
    }
    return *count <= MR_DASHBOARD_BYTES_MAX ||
           mr_fail(err, MR_E_CONFIG, MR_STOP, "dashboard \"%s\" is larger than 256 KiB", file);
}

static const char *name_of(const char *file, struct mr_option_memory *memory)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;
    char *copy = mr_memory_copy_text(name, strcspn(name, "."));
    const char *kept = mr_options_keep(memory, copy);
    free(copy);
    return kept;
}

bool mr_dashboard_load(struct mr_dashboard *dashboard, const char *file,
                       const struct mr_config_surroundings *around, struct mr_error *err)
{
    uint8_t *bytes = NULL;
    size_t count = 0;
    struct mr_yaml_tree *tree = NULL;
    bool loaded = false;

    *dashboard = (struct mr_dashboard){0};
    if (!read_file(around->env, file, &bytes, &count, err)) {
        goto out;
    }
    tree = mr_yaml_tree_open(file, (struct mr_slice){bytes, count}, err);
    if (tree == NULL) {
        goto out;
    }
    const struct mr_fill fill = {
        .file = file,
        .where = "",
        .around = around,
        .memory = &dashboard->memory,
        .targets = {{top_options, dashboard}},
        .sections = top_sections,
    };
    loaded = mr_fill_map(&fill, mr_yaml_tree_root(tree), err) &&
             load_filters(dashboard, fill, mr_yaml_tree_root(tree), err) &&
             load_panels(dashboard, fill, mr_yaml_tree_root(tree), err);
    if (loaded && dashboard->name == NULL) {
        dashboard->name = name_of(file, &dashboard->memory);
    }

out:
    mr_yaml_tree_close(tree);
    free(bytes);
    if (!loaded) {
        err->code = MR_E_CONFIG;
        err->recovery = MR_STOP;
        mr_dashboard_done(dashboard);
    }
    return loaded;
}

void mr_dashboard_done(struct mr_dashboard *dashboard)
{
    for (uint32_t i = 0; i < dashboard->panel_count; i++) {
        free(dashboard->panels[i].statement);
    }
    free(dashboard->panels);
    free(dashboard->filters);
    mr_options_free(&dashboard->memory);
    *dashboard = (struct mr_dashboard){0};
}
