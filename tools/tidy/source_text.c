// SPDX-License-Identifier: MIT
/*
 * source_text.c - tells code from comments, literals and preprocessor lines.
 *
 * Blanked bytes become spaces, line ends stay: a place in one of the three texts is the same place
 * in the others.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tidy.h"

enum state { IN_CODE, IN_LINE_COMMENT, IN_COMMENT, IN_STRING, IN_CHARACTER };

bool tidy_is_word(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '_';
}

bool tidy_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool tidy_ends_with(const char *text, const char *suffix)
{
    const size_t length = strlen(text);
    const size_t suffix_length = strlen(suffix);
    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

size_t tidy_line_at(const struct tidy_file *file, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && i < file->length; i++) {
        line += file->text[i] == '\n' ? 1 : 0;
    }
    return line;
}

static enum state enter(const char *text)
{
    if (text[0] == '/' && text[1] == '/') {
        return IN_LINE_COMMENT;
    }
    if (text[0] == '/' && text[1] == '*') {
        return IN_COMMENT;
    }
    if (text[0] == '"') {
        return IN_STRING;
    }
    return text[0] == '\'' ? IN_CHARACTER : IN_CODE;
}

/* Bytes to step over at text, blanked or not, and the state after them. */
static size_t step(const char *text, enum state *state)
{
    switch (*state) {
    case IN_CODE:
        *state = enter(text);
        return *state == IN_COMMENT || *state == IN_LINE_COMMENT ? 2 : 1;
    case IN_LINE_COMMENT:
        *state = text[0] == '\n' ? IN_CODE : IN_LINE_COMMENT;
        return 1;
    case IN_COMMENT:
        if (text[0] == '*' && text[1] == '/') {
            *state = IN_CODE;
            return 2;
        }
        return 1;
    case IN_STRING:
    case IN_CHARACTER:
        if (text[0] == '\\' && text[1] != '\0') {
            return 2;
        }
        if (text[0] == (*state == IN_STRING ? '"' : '\'') || text[0] == '\n') {
            *state = IN_CODE;
        }
        return 1;
    }
    return 1;
}

static void blank_comments(struct tidy_file *file)
{
    enum state state = IN_CODE;
    for (size_t at = 0; at < file->length;) {
        const enum state before = state;
        const size_t length = step(file->text + at, &state);
        const bool is_quote = before != state && (state == IN_STRING || before == IN_STRING ||
                                                  state == IN_CHARACTER || before == IN_CHARACTER);
        for (size_t i = at; i < at + length && i < file->length; i++) {
            const bool keeps = (before == IN_CODE && state == IN_CODE) || is_quote;
            file->code[i] = keeps || file->text[i] == '\n' ? file->text[i] : ' ';
        }
        at += length;
    }
}

/* A preprocessor line goes on over a backslash at its end. */
static void blank_directives(struct tidy_file *file)
{
    bool is_directive = false;
    for (size_t at = 0; at < file->length;) {
        const char *end = memchr(file->code + at, '\n', file->length - at);
        const size_t line_end = end == NULL ? file->length : (size_t)(end - file->code);
        const size_t first = at + strspn(file->code + at, " ");
        is_directive = is_directive || (first < line_end && file->code[first] == '#');
        if (is_directive) {
            memset(file->plain + at, ' ', line_end - at);
            is_directive = line_end > at && file->text[line_end - 1] == '\\';
        }
        at = line_end + 1;
    }
}

void tidy_file_blank(struct tidy_file *file)
{
    file->code = calloc(file->length + 1, 1);
    file->plain = calloc(file->length + 1, 1);
    if (file->code == NULL || file->plain == NULL) {
        abort();
    }
    blank_comments(file);
    memcpy(file->plain, file->code, file->length);
    blank_directives(file);
}

void tidy_file_done(struct tidy_file *file)
{
    free(file->path);
    free(file->text);
    free(file->code);
    free(file->plain);
}
