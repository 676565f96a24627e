// SPDX-License-Identifier: MIT
/*
 * rules_lines.c - what can be seen line by line: licence, columns, blanks, tabs, open ends, and the
 * names and lengths of files.
 */
#include <stdio.h>
#include <string.h>

#include "tidy.h"

#define LICENCE "// SPDX-License-Identifier: MIT"

/* Bytes that continue a UTF-8 character take no column. */
static size_t count_columns(const char *line, size_t length)
{
    size_t columns = 0;
    for (size_t i = 0; i < length; i++) {
        columns += ((unsigned char)line[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return columns;
}

static bool has_word(const char *line, size_t length, const char *word)
{
    const size_t word_length = strlen(word);
    for (size_t i = 0; i + word_length <= length; i++) {
        const bool starts = i == 0 || !tidy_is_word(line[i - 1]);
        const bool ends = i + word_length == length || !tidy_is_word(line[i + word_length]);
        if (starts && ends && memcmp(line + i, word, word_length) == 0) {
            return true;
        }
    }
    return false;
}

static void check_line(struct tidy_tree *tree, const struct tidy_file *file, size_t at,
                       size_t length, size_t number)
{
    /* Written in halves, so that this file passes. */
    static const char *const open_ends[] = {"TO"
                                            "DO",
                                            "FIX"
                                            "ME",
                                            "XX"
                                            "X",
                                            "HA"
                                            "CK"};
    const char *line = file->text + at;
    const size_t columns = count_columns(line, length);
    if (columns > TIDY_COLUMNS_MAX) {
        tidy_report(tree, file->path, number, "columns", "%zu; the most is %d", columns,
                    TIDY_COLUMNS_MAX);
    }
    if (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t')) {
        tidy_report(tree, file->path, number, "blank", "blanks at the end of a line");
    }
    if (memchr(line, '\t', length) != NULL) {
        tidy_report(tree, file->path, number, "tab", "a tab");
    }
    for (size_t i = 0; i < sizeof(open_ends) / sizeof(open_ends[0]); i++) {
        if (has_word(line, length, open_ends[i])) {
            tidy_report(tree, file->path, number, "todo", "an open end belongs into an issue");
        }
    }
}

static void check_name(struct tidy_tree *tree, const struct tidy_file *file)
{
    static const char *const empty_names[] = {"util",    "utils",   "misc",  "common", "helper",
                                              "helpers", "manager", "stuff", "tools"};
    const char *name = strrchr(file->path, '/') + 1;
    const size_t length = (size_t)(strrchr(name, '.') - name);
    for (size_t i = 0; i < sizeof(empty_names) / sizeof(empty_names[0]); i++) {
        if (strlen(empty_names[i]) == length && memcmp(name, empty_names[i], length) == 0) {
            tidy_report(tree, file->path, 1, "name", "%s says nothing", name);
        }
    }
}

void tidy_check_lines(struct tidy_tree *tree, const struct tidy_file *file)
{
    size_t number = 0;
    if (!tidy_starts_with(file->text, LICENCE "\n")) {
        tidy_report(tree, file->path, 1, "licence", "the first line is \"%s\"", LICENCE);
    }
    check_name(tree, file);
    for (size_t at = 0; at < file->length;) {
        const char *end = memchr(file->text + at, '\n', file->length - at);
        const size_t length = (end == NULL ? file->length : (size_t)(end - file->text)) - at;
        check_line(tree, file, at, length, ++number);
        at += length + 1;
    }
    if (number > TIDY_FILE_LINES_MAX) {
        tidy_report(tree, file->path, number, "file-size", "%zu lines; the most is %d", number,
                    TIDY_FILE_LINES_MAX);
    }
}
