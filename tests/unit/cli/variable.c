// SPDX-License-Identifier: MIT
/*
 * variable.c - what api_client.c needs of command.c, without the commands.
 */
#include <stdlib.h>

#include "command.h"

const char *mr_cli_variable(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread sets and reads */
}
