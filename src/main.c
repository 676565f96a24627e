// SPDX-License-Identifier: MIT
/*
 * main.c - the program. Everything is in cli/.
 */
#include "command.h"

int main(int argc, char **argv)
{
    return mr_cli_main(argc, argv);
}
