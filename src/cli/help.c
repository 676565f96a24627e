// SPDX-License-Identifier: MIT
/*
 * help.c - see help.h.
 */
#include "help.h"

#include <string.h>

#include "help_options.h"

#define WORDS_MAX  800
#define FLAG_WIDTH 26
#define HELP_WIDTH 96 /* columns of plain text */

/* Prints words from column `indent` on, broken at HELP_WIDTH. */
static void put_wrapped(FILE *out, const char *text, int indent)
{
    MR_ASSERT(indent >= 0 && indent < HELP_WIDTH);

    int column = indent;

    while (*text != '\0') {
        const int length = (int)strcspn(text, " \n");
        const bool breaks = *text == '\n';
        if (!breaks && column > indent && column + 1 + length > HELP_WIDTH) {
            (void)fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (!breaks && column > indent && length > 0) {
            (void)fputc(' ', out);
            column++;
        }
        (void)fprintf(out, "%.*s", length, text);
        column += length;
        text += length;
        if (*text == '\n') {
            (void)fprintf(out, "\n%*s", indent, "");
            column = indent;
            text++;
        } else if (*text == ' ') {
            text++;
        }
    }
    (void)fputc('\n', out);
}

void mr_help_program(FILE *out)
{
    (void)fprintf(out, "millrace carries every committed change of MySQL, MariaDB and PostgreSQL "
                       "into a warehouse\nthat can be queried milliseconds later.\n\n"
                       "usage: millrace COMMAND [FLAGS] ...\n\n");
    for (size_t i = 0; mr_command_at(i) != NULL; i++) {
        (void)fprintf(out, "  %-10s", mr_command_at(i)->name);
        put_wrapped(out, mr_command_at(i)->summary, 12);
    }
    (void)fprintf(out, "\n`millrace COMMAND --help` tells more; `millrace help options` lists the "
                       "configuration's keys.\n"
                       "Exit codes: 0 done, 1 internal, 2 usage or configuration, 3 source, 4 "
                       "sink, 5 stopped with\nquarantined events.\n");
}

static void flag_name(const struct mr_option *option, char *text, size_t size)
{
    size_t length = 0;

    MR_ASSERT(size > 3);
    length += (size_t)snprintf(text, size, "--%s", option->name);
    for (size_t i = 0; i < length && i < size; i++) {
        if (text[i] == '_') {
            text[i] = '-';
        }
    }
    if (strcmp(option->name, "config") == 0) {
        (void)snprintf(text, size, "-c, --config");
    }
}

static void put_option(FILE *out, const struct mr_option *option, const char *name)
{
    MR_ASSERT(name[0] != '\0');

    char words[WORDS_MAX];
    char type[WORDS_MAX / 4];
    char fallback[WORDS_MAX / 4];

    mr_help_type(option, type, sizeof(type));
    mr_help_default(option, fallback, sizeof(fallback));
    (void)snprintf(words, sizeof(words), "%s\n(%s; %s)", option->help != NULL ? option->help : "",
                   type, fallback);
    (void)fprintf(out, "  %-*s", FLAG_WIDTH, name);
    if (strlen(name) >= FLAG_WIDTH) {
        (void)fprintf(out, "\n%*s", FLAG_WIDTH + 2, "");
    }
    put_wrapped(out, words, FLAG_WIDTH + 2);
}

void mr_help_command(FILE *out, const struct mr_command *command)
{
    MR_ASSERT(command->usage != NULL && command->summary != NULL);

    (void)fprintf(out, "usage: millrace %s %s\n\n", command->name, command->usage);
    put_wrapped(out, command->summary, 0);
    if (command->details != NULL) {
        (void)fputc('\n', out);
        put_wrapped(out, command->details, 0);
    }
    if (command->options != NULL && command->options->name != NULL) {
        (void)fputc('\n', out);
    }
    for (const struct mr_option *option = command->options; option != NULL && option->name != NULL;
         option++) {
        char name[FLAG_WIDTH * 2];
        flag_name(option, name, sizeof(name));
        put_option(out, option, name);
    }
}

void mr_help_options_text(FILE *out)
{
    struct mr_help_section section;

    (void)fprintf(out, "Keys of the configuration file. ${NAME} and ${file:/path} stand for an "
                       "environment variable\nand a file's text in every value.\n");
    for (size_t i = 0; mr_help_section_at(i, &section); i++) {
        (void)fprintf(out, "\n%s%s%s%s\n", section.path[0] != '\0' ? section.path : "top",
                      section.plugin != NULL ? ", type: " : "",
                      section.plugin != NULL ? section.plugin : "",
                      section.options->name == NULL ? " (no keys of its own)" : "");
        for (const struct mr_option *option = section.options; option->name != NULL; option++) {
            if (!mr_help_is_repeated(&section, option)) {
                put_option(out, option, option->name);
            }
        }
    }
}

/* ---- docs/OPTIONS.md ---- */

/* A table's cell: "|" and "<" would mean something. */
static void put_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '<' || *text == '*' || *text == '_') {
            (void)fputc('\\', out);
        }
        (void)fputc(*text, out);
    }
}

static void put_row(FILE *out, const struct mr_option *option, const char *name)
{
    MR_ASSERT(name[0] != '\0');

    char type[WORDS_MAX / 4];
    char fallback[WORDS_MAX / 4];

    mr_help_type(option, type, sizeof(type));
    mr_help_default(option, fallback, sizeof(fallback));
    (void)fprintf(out, "| `%s` | ", name);
    put_cell(out, type);
    (void)fprintf(out, " | ");
    put_cell(out, fallback);
    (void)fprintf(out, " | ");
    put_cell(out, option->help != NULL ? option->help : "");
    (void)fprintf(out, " |\n");
}

static void put_section(FILE *out, const struct mr_help_section *section)
{
    MR_ASSERT(section->options != NULL);

    if (section->plugin != NULL) {
        (void)fprintf(out, "\n### `%s`, `type: %s`\n\n", section->path, section->plugin);
    } else if (section->path[0] != '\0') {
        (void)fprintf(out, "\n## `%s`\n\n", section->path);
    } else {
        (void)fprintf(out, "\n## The top of the file\n\n");
    }
    if (section->summary != NULL) {
        (void)fprintf(out, "%s\n\n", section->summary);
    }
    if (section->options->name == NULL) {
        (void)fprintf(out, "It has no keys of its own.\n");
        return;
    }
    (void)fprintf(out, "| key | value | | |\n|---|---|---|---|\n");
    for (const struct mr_option *option = section->options; option->name != NULL; option++) {
        if (!mr_help_is_repeated(section, option)) {
            put_row(out, option, option->name);
        }
    }
}

static void put_command(FILE *out, const struct mr_command *command)
{
    (void)fprintf(out, "\n### `millrace %s %s`\n\n%s\n", command->name, command->usage,
                  command->summary);
    if (command->options == NULL || command->options->name == NULL) {
        return;
    }
    (void)fprintf(out, "\n| flag | value | | |\n|---|---|---|---|\n");
    for (const struct mr_option *option = command->options; option->name != NULL; option++) {
        char name[FLAG_WIDTH * 2];
        flag_name(option, name, sizeof(name));
        put_row(out, option, name);
    }
}

void mr_help_options_markdown(FILE *out)
{
    struct mr_help_section section;

    (void)fprintf(out,
                  "# Options\n\n"
                  "Made from the program's own tables by `millrace help options --markdown`; a "
                  "test fails when\nthis page is stale.\n\n"
                  "Sizes are written `64MiB`, `1GB` or `512` (bytes), durations `500ms`, `10s`, "
                  "`5m`, `12h`, `7d`. In\nevery value `${NAME}` stands for an environment "
                  "variable, `${file:/path}` for a file's text without its\nlast line feed, and "
                  "`$${` for `${`. Dots in a key are nesting: `tls.mode` is `tls: {mode: ...}`. "
                  "An\nunknown key is an error.\n");
    for (size_t i = 0; mr_help_section_at(i, &section); i++) {
        put_section(out, &section);
    }
    (void)fprintf(out, "\n## The command line\n\nExit codes: 0 done, 1 internal, 2 usage or "
                       "configuration, 3 source, 4 sink, 5 stopped with\nquarantined events.\n");
    for (size_t i = 0; mr_command_at(i) != NULL; i++) {
        put_command(out, mr_command_at(i));
    }
}
