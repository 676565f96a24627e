// SPDX-License-Identifier: MIT
/*
 * help_options.c - see help_options.h.
 */
#include "help_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "registry.h"

#define NUMBER_BYTES_MAX 40

static void join_choices(const struct mr_option *option, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    MR_ASSERT(option->choices != NULL);
    for (size_t i = 0; option->choices[i] != NULL && length < size; i++) {
        length += (size_t)snprintf(text + length, size - length, "%s%s", i > 0 ? " | " : "",
                                   option->choices[i]);
    }
}

void mr_help_type(const struct mr_option *option, char *text, size_t size)
{
    MR_ASSERT(size > 0);

    const char *name = "";

    switch (option->type) {
    case MR_OPT_STRING:
        name = "text";
        break;
    case MR_OPT_SECRET:
        name = "secret";
        break;
    case MR_OPT_BOOL:
        name = "true | false";
        break;
    case MR_OPT_UINT:
        name = "number";
        break;
    case MR_OPT_SIZE:
        name = "size";
        break;
    case MR_OPT_DURATION_MS:
        name = "duration";
        break;
    case MR_OPT_CHOICE:
        join_choices(option, text, size);
        return;
    case MR_OPT_LIST:
        name = "list";
        break;
    case MR_OPT_MAP:
        name = "mapping";
        break;
    }
    (void)snprintf(text, size, "%s", name);
}

/* A bound as people write it: "64MiB", "100ms", "16". */
static void put_bound(const struct mr_option *option, uint64_t bound, char text[NUMBER_BYTES_MAX])
{
    static const struct {
        uint64_t factor;
        const char *unit;
    } sizes[] = {{UINT64_C(1) << 30, "GiB"}, {UINT64_C(1) << 20, "MiB"}, {1024, "KiB"}},
      durations[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};

    if (option->type == MR_OPT_SIZE) {
        for (size_t i = 0; bound != 0 && i < MR_ARRAY_LEN(sizes); i++) {
            if (bound % sizes[i].factor == 0) {
                (void)snprintf(text, NUMBER_BYTES_MAX, "%" PRIu64 "%s", bound / sizes[i].factor,
                               sizes[i].unit);
                return;
            }
        }
    } else if (option->type == MR_OPT_DURATION_MS) {
        for (size_t i = 0; bound != 0 && i < MR_ARRAY_LEN(durations); i++) {
            if (bound % durations[i].factor == 0) {
                (void)snprintf(text, NUMBER_BYTES_MAX, "%" PRIu64 "%s", bound / durations[i].factor,
                               durations[i].unit);
                return;
            }
        }
    }
    (void)snprintf(text, NUMBER_BYTES_MAX, "%" PRIu64, bound);
}

void mr_help_default(const struct mr_option *option, char *text, size_t size)
{
    MR_ASSERT(size > 0);

    char low[NUMBER_BYTES_MAX];
    char high[NUMBER_BYTES_MAX];
    size_t length;

    if (option->required) {
        length = (size_t)snprintf(text, size, "required");
    } else if (option->fallback != NULL && option->fallback[0] != '\0') {
        length = (size_t)snprintf(text, size, "default %s", option->fallback);
    } else {
        length = (size_t)snprintf(text, size, "no default");
    }
    put_bound(option, option->min, low);
    put_bound(option, option->max, high);
    if (length >= size) {
        return;
    }
    if (option->min != 0 && option->max != 0) {
        (void)snprintf(text + length, size - length, ", from %s to %s", low, high);
    } else if (option->min != 0) {
        (void)snprintf(text + length, size - length, ", at least %s", low);
    } else if (option->max != 0) {
        (void)snprintf(text + length, size - length, ", at most %s", high);
    }
}

static bool source_section(size_t index, struct mr_help_section *section)
{
    const struct mr_source_ops *ops = mr_registry_source_at(index);

    if (ops != NULL) {
        *section = (struct mr_help_section){
            .path = "sources[]",
            .plugin = ops->name,
            .summary = ops->summary,
            .options = ops->options,
        };
    }
    return ops != NULL;
}

static bool stream_section(size_t index, struct mr_help_section *section)
{
    const struct mr_stream_ops *ops = mr_registry_stream_at(index);

    if (ops != NULL) {
        *section = (struct mr_help_section){
            .path = "stream",
            .plugin = ops->name,
            .summary = ops->summary,
            .options = ops->options,
        };
    }
    return ops != NULL;
}

static bool sink_section(size_t index, struct mr_help_section *section)
{
    const struct mr_sink_ops *ops = mr_registry_sink_at(index);

    if (ops != NULL) {
        *section = (struct mr_help_section){
            .path = "sinks[]",
            .plugin = ops->name,
            .summary = ops->summary,
            .options = ops->options,
        };
    }
    return ops != NULL;
}

bool mr_help_is_repeated(const struct mr_help_section *section, const struct mr_option *option)
{
    return section->shared != NULL && mr_options_find(section->shared, option->name) != NULL;
}

bool mr_help_section_at(size_t index, struct mr_help_section *section)
{
    MR_ASSERT(section != NULL);

    const struct {
        struct mr_help_section shared;
        bool (*plugin_at)(size_t index, struct mr_help_section *section);
    } groups[] = {
        {{.path = "", .summary = "The file as a whole.", .options = mr_config_pipeline_options},
         NULL},
        {{.path = "sources[]",
          .summary = "Where changes come from.",
          .options = mr_config_source_options},
         source_section},
        {{.path = "tables[]",
          .summary = "Policies by table; the first that matches holds.",
          .options = mr_config_policy_options},
         NULL},
        {{.path = "tables[].columns[]",
          .summary = "Policies by column of such a table; the first that matches holds.",
          .options = mr_config_column_options},
         NULL},
        {{.path = "stream", .summary = "The durable middle.", .options = mr_config_stream_options},
         stream_section},
        {{.path = "sinks[]", .summary = "Where changes go.", .options = mr_config_sink_options},
         sink_section},
    };

    for (size_t group = 0; group < MR_ARRAY_LEN(groups); group++) {
        if (index-- == 0) {
            *section = groups[group].shared;
            return true;
        }
        for (size_t plugin = 0; groups[group].plugin_at != NULL; plugin++) {
            struct mr_help_section found;
            if (!groups[group].plugin_at(plugin, &found)) {
                break;
            }
            if (index-- == 0) {
                *section = found;
                section->shared = groups[group].shared.options;
                return true;
            }
        }
    }
    return false;
}
