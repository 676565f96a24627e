// SPDX-License-Identifier: MIT
/*
 * config_check.c - see config_check.h.
 */
#include "config_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_fill.h"
#include "table_filter.h"

#define TARGET_BYTES_MAX 512 /* of "source_space.table" in a message */
#define TOKEN_BYTES_MIN  16

bool mr_config_is_name(const char *name)
{
    MR_ASSERT(name != NULL);

    const char *const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *const rest = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    const size_t length = strlen(name);

    return length > 0 && length <= MR_CONFIG_NAME_MAX && strchr(letters, name[0]) != NULL &&
           strspn(name, rest) == length;
}

bool mr_config_is_listen(const char *text)
{
    MR_ASSERT(text != NULL);

    const char *colon = strrchr(text, ':');

    if (strcmp(text, "off") == 0) {
        return true;
    }
    if (colon == NULL || colon == text || colon[1] == '\0' || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        return false;
    }
    if (text[0] == '[' ? colon[-1] != ']' : memchr(text, ':', (size_t)(colon - text)) != NULL) {
        return false;
    }
    return strtoul(colon + 1, NULL, 10) <= UINT16_MAX;
}

/* ---- What this version does not have yet. ---- */

struct refusal {
    const char *name; /* of the option */
    bool is_asked;
    const char *instead;
};

bool mr_config_check_policy(const struct mr_table_policy *policy, const char *file,
                            const struct mr_yaml_node *node, struct mr_error *err)
{
    const struct refusal refusals[] = {
        {"mode", policy->mode != MR_TABLE_CURRENT, "only \"current\" is"},
        {"key", policy->key.count > 0, "give the table a key on the server"},
        {"retention.column", policy->retention_column != NULL, "leave it out"},
        {"retention.keep", policy->retention_keep_ms != 0, "leave it out"},
    };

    MR_ASSERT(policy->match != NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(refusals); i++) {
        if (refusals[i].is_asked) {
            const struct mr_yaml_node *at = mr_fill_find(node, refusals[i].name);
            return mr_fail(err, MR_E_CONFIG, MR_STOP,
                           "%s:%u: this value of \"%s\" (table policy \"%s\") is not available in "
                           "this version; %s",
                           file, at != NULL ? at->line : node->line, refusals[i].name,
                           policy->match, refusals[i].instead);
        }
    }
    return true;
}

/* ---- Names. ---- */

static bool check_source_names(const struct mr_pipeline_config *config, struct mr_error *err)
{
    for (size_t i = 0; i < config->source_count; i++) {
        const struct mr_source_config *source = &config->sources[i];
        for (size_t j = 0; j < i; j++) {
            if (strcasecmp(source->name, config->sources[j].name) == 0) {
                return mr_fail(err, MR_E_CONFIG, MR_STOP,
                               "%s:%u: two sources are named \"%s\" (the other in line %u; case "
                               "does not count); rename one",
                               config->file, source->line, source->name, config->sources[j].line);
            }
        }
    }
    return true;
}

static bool check_sink_names(const struct mr_pipeline_config *config, struct mr_error *err)
{
    for (size_t i = 0; i < config->sink_count; i++) {
        const struct mr_sink_config *sink = &config->sinks[i];
        for (size_t j = 0; j < i; j++) {
            if (strcasecmp(sink->name, config->sinks[j].name) == 0) {
                return mr_fail(err, MR_E_CONFIG, MR_STOP,
                               "%s:%u: two sinks are named \"%s\" (the other in line %u; case does "
                               "not count); rename one",
                               config->file, sink->line, sink->name, config->sinks[j].line);
            }
        }
    }
    return true;
}

/* ---- Not every source can leave a row out. ---- */

static bool asks_quarantine(const struct mr_table_policy *policy)
{
    bool asks = policy->on_type_error == MR_ON_TYPE_ERROR_QUARANTINE;

    for (size_t i = 0; i < policy->column_count; i++) {
        asks = asks || policy->columns[i].on_type_error == MR_ON_TYPE_ERROR_QUARANTINE;
    }
    return asks;
}

/* Whether the glob's first part, which is a source's name, is one of this source. */
static bool may_match(const char *match, const char *source)
{
    char name[MR_CONFIG_NAME_MAX + 1];
    const size_t length = strcspn(match, ".");

    if (strcmp(match, "*") == 0) {
        return true;
    }
    if (length > MR_CONFIG_NAME_MAX) {
        return strpbrk(match, "*?") != NULL;
    }
    memcpy(name, match, length);
    name[length] = '\0';
    return mr_glob_matches(name, source);
}

static bool check_quarantine(const struct mr_pipeline_config *config, struct mr_error *err)
{
    const struct mr_policies *policies = &config->policies;

    for (size_t i = 0; i < config->source_count; i++) {
        const struct mr_source_config *source = &config->sources[i];
        const struct mr_table_policy *found =
            asks_quarantine(&policies->fallback) ? &policies->fallback : NULL;
        for (size_t p = 0; p < policies->table_count && found == NULL; p++) {
            if (asks_quarantine(&policies->tables[p]) &&
                may_match(policies->tables[p].match, source->name)) {
                found = &policies->tables[p];
            }
        }
        if (found != NULL && !source->ops->sets_aside) {
            return mr_fail(err, MR_E_CONFIG, MR_STOP,
                           "%s: \"on_type_error\" is quarantine for \"%s\", which source \"%s\" of "
                           "type %s does not have in this version; it has stop, text and null",
                           config->file, found->match, source->name, source->type);
        }
    }
    return true;
}

/* ---- Two source tables in one target. ---- */

/* The plug-in's "tables" list; NULL when it has none. */
static const struct mr_string_list *tables_of(const struct mr_source_config *source)
{
    MR_ASSERT(source->ops != NULL);

    const struct mr_option *option = mr_options_find(source->ops->options, "tables");

    if (option == NULL || option->type != MR_OPT_LIST) {
        return NULL;
    }
    const void *list = (const char *)source->config + option->offset;
    return list;
}

static bool is_literal(const char *pattern)
{
    return strpbrk(pattern, "*?") == NULL;
}

/*
 * Whether two listed tables meet. Targets are compared without regard to case: DuckDB and MySQL on
 * some systems do not tell cases apart. One table listed twice by one source is no collision.
 * Patterns with wildcards are decided when the tables are known: the pipeline refuses them then.
 */
static bool check_pair(const struct mr_pipeline_config *config, size_t i, size_t j,
                       struct mr_error *err)
{
    MR_ASSERT(i <= j && j < config->source_count);

    const struct mr_source_config *left = &config->sources[i];
    const struct mr_source_config *right = &config->sources[j];
    const struct mr_string_list *left_tables = tables_of(left);
    const struct mr_string_list *right_tables = tables_of(right);
    char target[2][TARGET_BYTES_MAX];

    for (size_t l = 0; left_tables != NULL && l < left_tables->count; l++) {
        (void)snprintf(target[0], TARGET_BYTES_MAX, "%s_%s", left->name, left_tables->items[l]);
        for (size_t r = 0; right_tables != NULL && r < right_tables->count; r++) {
            (void)snprintf(target[1], TARGET_BYTES_MAX, "%s_%s", right->name,
                           right_tables->items[r]);
            const bool same = i == j && strcmp(left_tables->items[l], right_tables->items[r]) == 0;
            if (same || !is_literal(target[0]) || strcasecmp(target[0], target[1]) != 0) {
                continue;
            }
            return mr_fail(err, MR_E_CONFIG, MR_STOP,
                           "%s:%u: table \"%s\" of source \"%s\" and table \"%s\" of source \"%s\" "
                           "meet in one target, \"%s\"; rename a source or leave one table out",
                           config->file, right->line, left_tables->items[l], left->name,
                           right_tables->items[r], right->name, target[1]);
        }
    }
    return true;
}

static bool check_targets(const struct mr_pipeline_config *config, struct mr_error *err)
{
    for (size_t j = 0; j < config->source_count; j++) {
        for (size_t i = 0; i <= j; i++) {
            if (!check_pair(config, i, j, err)) {
                return false;
            }
        }
    }
    return true;
}

static bool check_console(const struct mr_pipeline_config *config, struct mr_error *err)
{
    MR_ASSERT(config->console.listen != NULL);

    if (!mr_config_is_listen(config->console.listen)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s: \"console.listen\" is \"%s\"; write address:port, such as "
                       "127.0.0.1:8989 or [::1]:8989, or off",
                       config->file, config->console.listen);
    }
    if (config->console.token != NULL && strlen(config->console.token) < TOKEN_BYTES_MIN) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s: \"console.token\" is shorter than %d characters; make one with "
                       "`openssl rand -hex 16`",
                       config->file, TOKEN_BYTES_MIN);
    }
    return true;
}

bool mr_config_check_whole(const struct mr_pipeline_config *config, struct mr_error *err)
{
    MR_ASSERT(config->file != NULL && config->console.listen != NULL);

    if (config->version != 1) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s: version %llu is not known; this program reads version 1", config->file,
                       (unsigned long long)config->version);
    }
    if (!mr_config_is_name(config->pipeline)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s: \"pipeline\" must be a name of at most %d letters, digits, _ and -, "
                       "and start with a letter",
                       config->file, MR_CONFIG_NAME_MAX);
    }
    if (config->on_large_value == MR_ON_LARGE_VALUE_QUARANTINE) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s: this value of \"on_large_value\" is not available in this version; "
                       "\"stop\" and \"null\" are",
                       config->file);
    }
    if (config->value_bytes_max > config->memory_bytes_max) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s: \"value_max\" is larger than \"memory_max\"; lower it", config->file);
    }
    return check_source_names(config, err) && check_sink_names(config, err) &&
           check_quarantine(config, err) && check_targets(config, err) &&
           check_console(config, err);
}
