// SPDX-License-Identifier: MIT
/*
 * rules_functions.c - the size of functions, their parameters, and how many assertions they make.
 *
 * A function is a brace at depth 0 whose header (all that stands between it and the last semicolon
 * or closing brace) has parentheses and no equals sign.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tidy.h"

struct header {
    const char *text;
    size_t length;
};

/* The bracket that closes the one at `at`, or the end. */
static size_t find_close(const char *text, size_t at, size_t length, char open, char close)
{
    size_t depth = 0;
    for (; at < length; at++) {
        depth += text[at] == open ? 1 : 0;
        depth -= text[at] == close ? 1 : 0;
        if (depth == 0 && text[at] == close) {
            return at;
        }
    }
    return length;
}

/* MR_PRINTF(2, 3) and the like: attributes, not parameters. */
static bool is_attribute(const struct header *header, size_t open)
{
    size_t end = open;
    while (end > 0 && header->text[end - 1] == ' ') {
        end--;
    }
    size_t start = end;
    while (start > 0 && tidy_is_word(header->text[start - 1])) {
        start--;
    }
    if (start == end) {
        return true;
    }
    for (size_t i = start; i < end; i++) {
        if (islower((unsigned char)header->text[i]) != 0) {
            return memcmp(header->text + start, "__attribute__", 2) == 0 && end - start == 13;
        }
    }
    return true;
}

static size_t count_parameters(const char *text, size_t open, size_t close)
{
    size_t depth = 0;
    size_t count = 0;
    bool is_empty = true;
    for (size_t i = open + 1; i < close; i++) {
        depth += text[i] == '(' ? 1 : 0;
        depth -= text[i] == ')' ? 1 : 0;
        count += text[i] == ',' && depth == 0 ? 1 : 0;
        is_empty = is_empty && isspace((unsigned char)text[i]) != 0;
    }
    const size_t length = close - open - 1;
    const bool is_void = length == 4 && memcmp(text + open + 1, "void", 4) == 0;
    return is_empty || is_void ? 0 : count + 1;
}

/* Whether the header is a function's; then how many parameters it has. */
static bool read_header(const struct header *header, size_t *parameters)
{
    bool is_function = false;
    for (size_t at = 0; at < header->length; at++) {
        if (header->text[at] == '=') {
            return false;
        }
        if (header->text[at] != '(') {
            continue;
        }
        const size_t close = find_close(header->text, at, header->length, '(', ')');
        if (!is_attribute(header, at)) {
            *parameters = count_parameters(header->text, at, close);
            is_function = true;
        }
        at = close;
    }
    return is_function;
}

static size_t count_assertions(const char *text, size_t from, size_t to)
{
    static const char name[] = "MR_ASSERT(";
    size_t count = 0;
    for (size_t at = from; at + sizeof(name) - 1 <= to; at++) {
        count += memcmp(text + at, name, sizeof(name) - 1) == 0 ? 1 : 0;
    }
    return count;
}

static void count_code_lines(const struct tidy_file *file, struct tidy_density *density)
{
    bool has_code = false;
    for (size_t at = 0; at < file->length; at++) {
        const char c = file->code[at];
        has_code = has_code || (c != '\n' && c != ' ');
        if (c == '\n') {
            density->code_lines += has_code ? 1 : 0;
            has_code = false;
        }
    }
}

void tidy_check_functions(struct tidy_tree *tree, const struct tidy_file *file,
                          struct tidy_density *density)
{
    size_t start = 0; /* of the header */
    count_code_lines(file, density);
    for (size_t at = 0; at < file->length; at++) {
        const char c = file->plain[at];
        if (c == ';') {
            start = at + 1;
        }
        if (c != '{') {
            continue;
        }
        const struct header header = {file->plain + start, at - start};
        const size_t close = find_close(file->plain, at, file->length, '{', '}');
        size_t parameters = 0;
        if (read_header(&header, &parameters)) {
            const size_t line = tidy_line_at(file, at);
            const size_t last = tidy_line_at(file, close);
            const size_t lines = last > line ? last - line - 1 : 0;
            density->functions++;
            density->assertions += count_assertions(file->plain, at, close);
            if (lines > TIDY_FUNCTION_LINES_MAX) {
                tidy_report(tree, file->path, line, "function-size", "%zu lines; the most is %d",
                            lines, TIDY_FUNCTION_LINES_MAX);
            }
            if (parameters > TIDY_PARAMETERS_MAX) {
                tidy_report(tree, file->path, line, "parameters", "%zu; the most is %d", parameters,
                            TIDY_PARAMETERS_MAX);
            }
        }
        at = close;
        start = close + 1;
    }
}
