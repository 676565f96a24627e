// SPDX-License-Identifier: MIT
/*
 * cmd_check.c - millrace check: everything that can be known before a run, with the cure where
 * something is wrong. It changes nothing, here or on a server.
 */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "data_dir_probe.h"
#include "load.h"
#include "memory.h"
#include "pipeline.h"
#include "status_text.h"

#define TARGET_BYTES       (UINT64_C(1) << 20)
#define FREE_BYTES_WARNING (INT64_C(1) << 30)

struct check_flags {
    const char *config;
};

static const struct mr_option check_flags[] = {
    {
        .name = "config",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct check_flags, config),
        .required = true,
        .help = "the configuration file",
    },
    {0},
};

struct tally {
    unsigned errors;
    unsigned warnings;
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

    if (detail[0] != '\0') { /* what is fine takes one line, what needs work two */
        between = level == MR_FINDING_OK ? ": " : "\n           ";
    }
    (void)printf("  %-8s %s%s%s\n", level_word(level), what, between, detail);
    tally->errors += level == MR_FINDING_ERROR;
    tally->warnings += level == MR_FINDING_WARNING;
}

/* Data directory and console: what this machine must give. */
static void check_machine(const struct mr_pipeline_config *config, struct tally *tally)
{
    MR_ASSERT(config->data_dir != NULL);

    struct mr_error err = {0};
    int64_t free_bytes = 0;
    char text[MR_ERROR_MESSAGE_BYTES_MAX] = "";

    (void)printf("this machine\n");
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

static void check_source(const struct mr_pipeline_config *config,
                         const struct mr_source_config *source, struct tally *tally)
{
    MR_ASSERT(source->ops != NULL && source->config != NULL);

    struct mr_findings *findings = mr_memory_new(1, sizeof(*findings));
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_error err = {0};
    const struct mr_source_context context = {
        .pipeline = config->pipeline,
        .name = source->name,
        .config = source->config,
        .env = &mr_env_posix,
        .catalog = catalog,
        .target_bytes = TARGET_BYTES,
        .value_bytes_max = config->value_bytes_max,
        .wait_ms_max = source->connect_timeout_ms,
        .policies = &config->policies,
    };

    (void)printf("source \"%s\" (%s)\n", source->name, source->type);
    (void)fflush(stdout);
    const bool looked = source->ops->preflight(&context, findings, &err);
    for (uint32_t i = 0; i < findings->count; i++) {
        print_finding((int)findings->items[i].level, findings->items[i].what,
                      findings->items[i].detail, tally);
    }
    if (!looked) {
        print_finding(MR_FINDING_ERROR, "the server could not be looked at", err.message, tally);
    }
    mr_catalog_close(catalog);
    free(findings);
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
    (void)printf("%s: pipeline \"%s\", %zu source%s, %zu sink%s\n", flags->config, config.pipeline,
                 config.source_count, config.source_count == 1 ? "" : "s", config.sink_count,
                 config.sink_count == 1 ? "" : "s");
    check_machine(&config, &machine);
    for (size_t i = 0; i < config.source_count; i++) {
        check_source(&config, &config.sources[i], &sources);
    }
    const unsigned errors = machine.errors + sources.errors;
    const unsigned warnings = machine.warnings + sources.warnings;
    (void)printf("%s (%u error%s, %u warning%s)\n",
                 errors == 0 ? "ready to run" : "not ready: see the errors above", errors,
                 errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    mr_pipeline_config_done(&config);
    if (machine.errors > 0) {
        return MR_EXIT_CONFIG;
    }
    return sources.errors > 0 ? MR_EXIT_SOURCE : MR_EXIT_DONE;
}

const struct mr_command mr_command_check = {
    .name = "check",
    .usage = "-c FILE",
    .summary = "validates a configuration, looks at each source, and says what to mend",
    .details = "It changes nothing, here or on a server. Exit code 2: the configuration or this "
               "machine; 3: a source.",
    .options = check_flags,
    .config_size = sizeof(struct check_flags),
    .run = check_run,
};
