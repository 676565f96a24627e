// SPDX-License-Identifier: MIT
/*
 * load.c - see load.h.
 */
#include "load.h"

#include <string.h>

#include "command.h"

bool mr_cli_load(struct mr_pipeline_config *config, const char *file, struct mr_error *err)
{
    MR_ASSERT(file != NULL);

    const struct mr_config_surroundings around = {
        .env = &mr_env_posix,
        .variable = mr_cli_variable,
    };

    return mr_pipeline_config_load(config, file, &around, err);
}

bool mr_cli_has_console(const struct mr_pipeline_config *config)
{
    return strcmp(config->console.listen, "off") != 0;
}

struct mr_console_settings mr_cli_console_settings(const struct mr_pipeline_config *config)
{
    MR_ASSERT(config->console.listen != NULL);

    const char *insecure = mr_cli_variable("MILLRACE_CONSOLE_INSECURE");

    return (struct mr_console_settings){
        .listen = config->console.listen,
        .token = config->console.token,
        .open_to_network = insecure != NULL && strcmp(insecure, "1") == 0,
        .query_rows_max = config->console.query_rows_max,
        .query_time_ms_max = config->console.query_time_ms_max,
        .env = &mr_env_posix,
    };
}
