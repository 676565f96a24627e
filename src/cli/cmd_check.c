// SPDX-License-Identifier: MIT
/*
 * cmd_check.c - millrace check: everything that can be known before a run, with the cure where
 * something is wrong. It changes nothing, here or on a server.
 */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "data_dir_probe.h"
#include "findings_json.h"
#include "load.h"
#include "memory.h"
#include "pipeline.h"
#include "status_text.h"
#include "table_book.h"

#define TARGET_BYTES       (UINT64_C(1) << 20)
#define FREE_BYTES_WARNING (INT64_C(1) << 30)

struct check_flags {
    const char *config;
    unsigned format;
};

enum check_format { CHECK_TEXT, CHECK_JSON };

static const char *const formats[] = {"text", "json", NULL};

static const struct mr_option check_flags[] = {
    {
        .name = "config",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct check_flags, config),
        .required = true,
        .help = "the configuration file",
    },
    {
        .name = "format",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct check_flags, format),
        .fallback = "text",
        .choices = formats,
        .help = "json: one document, with the statement that cures each finding by itself",
    },
    {0},
};

struct tally {
    unsigned errors;
    unsigned warnings;
    struct mr_findings *kept; /* JSON: findings of the part at hand; NULL: they are printed */
};

static const char *level_word(int level)
{
    if (level == MR_FINDING_ERROR) {
        return "ERROR";
    }
    return level == MR_FINDING_WARNING ? "warning" : "ok";
}

static void print_finding(int level, const char *what, const char *detail, struct tally *tally)
{
    MR_ASSERT(what[0] != '\0' && detail != NULL);

    const char *between = "";

    tally->errors += level == MR_FINDING_ERROR;
    tally->warnings += level == MR_FINDING_WARNING;
    if (tally->kept != NULL) {
        mr_findings_add(tally->kept, level, what, "%s", detail);
        return;
    }
    if (detail[0] != '\0') { /* what is fine takes one line, what needs work two */
        between = level == MR_FINDING_OK ? ": " : "\n           ";
    }
    (void)printf("  %-8s %s%s%s\n", level_word(level), what, between, detail);
}

static void print_heading(const struct tally *tally, const char *heading)
{
    if (tally->kept == NULL) {
        (void)printf("%s\n", heading);
        (void)fflush(stdout);
    }
}

/* Data directory and console: what this machine must give. */
static void check_machine(const struct mr_pipeline_config *config, struct tally *tally)
{
    MR_ASSERT(config->data_dir != NULL);

    struct mr_error err = {0};
    int64_t free_bytes = 0;
    char text[MR_ERROR_MESSAGE_BYTES_MAX] = "";

    print_heading(tally, "this machine");
    if (!mr_data_dir_probe(config->data_dir, &mr_env_posix, &free_bytes, &err)) {
        print_finding(MR_FINDING_ERROR, "data_dir", err.message, tally);
    } else {
        char size[64];
        mr_status_text_bytes(free_bytes > 0 ? (uint64_t)free_bytes : 0, size, sizeof(size));
        (void)snprintf(text, sizeof(text), "data_dir \"%s\" can be written; %s are free",
                       config->data_dir, size);
        print_finding(free_bytes < FREE_BYTES_WARNING ? MR_FINDING_WARNING : MR_FINDING_OK, text,
                      "", tally);
    }
    if (mr_cli_has_console(config)) {
        const struct mr_console_settings settings = mr_cli_console_settings(config);
        err = (struct mr_error){0};
        const bool is_fine = mr_console_check_settings(&settings, &err);
        (void)snprintf(text, sizeof(text), "console on %s", config->console.listen);
        print_finding(is_fine ? MR_FINDING_OK : MR_FINDING_ERROR, text, err.message, tally);
    }
}

static void take_choice(void *context, const char *space, const char *table, enum mr_choice choice)
{
    mr_table_choices_set(context, space, table, choice);
}

static void skip_wish(void *context, const struct mr_copy_wish *wish)
{
    (void)context;
    (void)wish;
}

/* Tables that were added or dropped by name, where a pipeline has run before. */
static struct mr_table_choices *read_choices(const struct mr_pipeline_config *config,
                                             const struct mr_source_config *source)
{
    const struct mr_env *env = &mr_env_posix;
    struct mr_table_choices *choices = mr_table_choices_open();
    struct mr_error err = {0};
    const int dir_fd = env->open_dir(env, MR_ENV_CWD, config->data_dir);
    if (dir_fd < 0) {
        return choices; /* there is none yet */
    }
    struct mr_table_book *book = mr_table_book_open(env, dir_fd, &err);
    if (book != NULL) {
        mr_table_book_each(book, source->name, take_choice, skip_wish, choices);
    }
    mr_table_book_close(book);
    (void)env->close(env, dir_fd);
    return choices;
}

static void check_source(const struct mr_pipeline_config *config,
                         const struct mr_source_config *source, struct tally *tally)
{
    MR_ASSERT(source->ops != NULL && source->config != NULL);

    struct mr_findings *findings = mr_memory_new(1, sizeof(*findings));
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_table_choices *choices = read_choices(config, source);
    struct mr_error err = {0};
    const struct mr_source_context context = {
        .pipeline = config->pipeline,
        .name = source->name,
        .config = source->config,
        .env = &mr_env_posix,
        .catalog = catalog,
        .choices = choices,
        .target_bytes = TARGET_BYTES,
        .value_bytes_max = config->value_bytes_max,
        .wait_ms_max = source->connect_timeout_ms,
        .policies = &config->policies,
    };

    char heading[512];
    (void)snprintf(heading, sizeof(heading), "source \"%s\" (%s)", source->name, source->type);
    print_heading(tally, heading);
    const bool looked = source->ops->preflight(&context, findings, &err);
    for (uint32_t i = 0; i < findings->count; i++) {
        print_finding((int)findings->items[i].level, findings->items[i].what,
                      findings->items[i].detail, tally);
    }
    if (!looked) {
        print_finding(MR_FINDING_ERROR, "the server could not be looked at", err.message, tally);
    }
    mr_table_choices_close(choices);
    mr_catalog_close(catalog);
    mr_findings_done(findings);
    free(findings);
}

/* ---- As one document. ---- */

static void put_part(struct mr_json *json, struct tally *tally)
{
    mr_json_key(json, "findings");
    mr_findings_put(json, tally->kept);
    mr_findings_done(tally->kept);
}

static void put_string(struct mr_json *json, const char *key, const char *value)
{
    mr_json_key(json, key);
    mr_json_string(json, value);
}

static void put_count(struct mr_json *json, const char *key, unsigned value)
{
    mr_json_key(json, key);
    mr_json_uint(json, value);
}

static void check_as_json(const struct mr_pipeline_config *config, struct tally *machine,
                          struct tally *sources)
{
    struct mr_findings kept = {0};
    struct mr_json json = {0};
    machine->kept = &kept;
    sources->kept = &kept;
    mr_json_object_begin(&json);
    put_string(&json, "pipeline", config->pipeline);
    mr_json_key(&json, "machine");
    mr_json_object_begin(&json);
    check_machine(config, machine);
    put_part(&json, machine);
    mr_json_object_end(&json);
    mr_json_key(&json, "sources");
    mr_json_array_begin(&json);
    for (size_t i = 0; i < config->source_count; i++) {
        mr_json_object_begin(&json);
        put_string(&json, "name", config->sources[i].name);
        put_string(&json, "type", config->sources[i].type);
        check_source(config, &config->sources[i], sources);
        put_part(&json, sources);
        mr_json_object_end(&json);
    }
    mr_json_array_end(&json);
    put_count(&json, "errors", machine->errors + sources->errors);
    put_count(&json, "warnings", machine->warnings + sources->warnings);
    mr_json_key(&json, "ready");
    mr_json_bool(&json, machine->errors + sources->errors == 0);
    mr_json_object_end(&json);
    (void)printf("%.*s\n", (int)json.length, json.text);
    mr_json_done(&json);
    machine->kept = NULL;
    sources->kept = NULL;
}

static void check_as_text(const struct mr_pipeline_config *config, const char *file,
                          struct tally *machine, struct tally *sources)
{
    (void)printf("%s: pipeline \"%s\", %zu source%s, %zu sink%s\n", file, config->pipeline,
                 config->source_count, config->source_count == 1 ? "" : "s", config->sink_count,
                 config->sink_count == 1 ? "" : "s");
    check_machine(config, machine);
    for (size_t i = 0; i < config->source_count; i++) {
        check_source(config, &config->sources[i], sources);
    }
    const unsigned errors = machine->errors + sources->errors;
    const unsigned warnings = machine->warnings + sources->warnings;
    (void)printf("%s (%u error%s, %u warning%s)\n",
                 errors == 0 ? "ready to run" : "not ready: see the errors above", errors,
                 errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

static int check_run(const void *options, const struct mr_arguments *arguments)
{
    MR_ASSERT(arguments->count == 0);

    const struct check_flags *flags = options;
    struct mr_pipeline_config config;
    struct mr_error err = {0};
    struct tally machine = {0};
    struct tally sources = {0};

    (void)arguments;
    if (!mr_cli_load(&config, flags->config, &err)) {
        mr_cli_complain(&err);
        return MR_EXIT_CONFIG;
    }
    if (flags->format == CHECK_JSON) {
        check_as_json(&config, &machine, &sources);
    } else {
        check_as_text(&config, flags->config, &machine, &sources);
    }
    mr_pipeline_config_done(&config);
    if (machine.errors > 0) {
        return MR_EXIT_CONFIG;
    }
    return sources.errors > 0 ? MR_EXIT_SOURCE : MR_EXIT_DONE;
}

const struct mr_command mr_command_check = {
    .name = "check",
    .usage = "-c FILE [--format json]",
    .summary = "validates a configuration, looks at each source, and says what to mend",
    .details =
        "For every table of a source it says whether it is captured, and why; how much log the "
        "server still keeps, and for how long. It changes nothing, here or on a server. Exit code "
        "2: the configuration or this "
        "machine; 3: a source.",
    .options = check_flags,
    .config_size = sizeof(struct check_flags),
    .run = check_run,
};
