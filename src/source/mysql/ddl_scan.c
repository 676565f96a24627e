// SPDX-License-Identifier: MIT
/*
 * ddl_scan.c - see ddl_scan.h. Strings follow MySQL's rules with backslash escapes (the default).
 */
#include "ddl_scan.h"

#include <string.h>
#include <strings.h>

#include "compiler.h"
#include "memory.h"

struct mr_scan mr_scan_start(struct mr_slice text)
{
    const char *at = text.length > 0 ? (const char *)text.bytes : "";
    return (struct mr_scan){.at = at, .end = at + text.length};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80) != 0;
}

static bool starts_with(const struct mr_scan *scan, const char *text)
{
    const size_t length = strlen(text);
    return (size_t)(scan->end - scan->at) >= length && memcmp(scan->at, text, length) == 0;
}

static void skip_past(struct mr_scan *scan, const char *text)
{
    MR_ASSERT(scan->at <= scan->end);
    while (scan->at < scan->end && !starts_with(scan, text)) {
        scan->at++;
    }
    scan->at += scan->at < scan->end ? strlen(text) : 0;
}

/* Steps over the start of an executable comment, or over any other comment whole. */
static void skip_comment(struct mr_scan *scan)
{
    if (starts_with(scan, "/*!") || starts_with(scan, "/*M!")) {
        scan->at += scan->at[2] == 'M' ? 4 : 3;
        while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
            scan->at++;
        }
    } else {
        scan->at += 2;
        skip_past(scan, "*/");
    }
}

static void skip_blank(struct mr_scan *scan)
{
    MR_ASSERT(scan->at <= scan->end);
    while (scan->at < scan->end) {
        if (is_space(*scan->at)) {
            scan->at++;
        } else if (starts_with(scan, "/*")) {
            skip_comment(scan);
        } else if (starts_with(scan, "*/")) {
            scan->at += 2; /* the end of an executable comment */
        } else if (*scan->at == '#' || (starts_with(scan, "--") &&
                                        (scan->end - scan->at == 2 || is_space(scan->at[2])))) {
            skip_past(scan, "\n");
        } else {
            return;
        }
    }
}

/* Behind the opening quote: the bytes up to the closing one, and steps behind that. */
static void take_quoted(struct mr_scan *scan, struct mr_token *token)
{
    const char quote = token->mark;
    token->bytes = scan->at;
    while (scan->at < scan->end) {
        if (*scan->at == '\\' && quote != '`' && scan->end - scan->at > 1) {
            scan->at += 2;
            continue;
        }
        if (*scan->at == quote) {
            if (scan->end - scan->at < 2 || scan->at[1] != quote) {
                break;
            }
            scan->at++;
        }
        scan->at++;
    }
    token->length = (size_t)(scan->at - token->bytes);
    scan->at += scan->at < scan->end ? 1 : 0;
}

struct mr_token mr_scan_next(struct mr_scan *scan)
{
    struct mr_token token = {.kind = MR_TOKEN_END};
    skip_blank(scan);
    MR_ASSERT(scan->at <= scan->end);
    token.bytes = scan->at;
    if (scan->at == scan->end) {
        return token;
    }
    token.mark = *scan->at;
    if (is_word_byte(*scan->at)) {
        token.kind = MR_TOKEN_WORD;
        while (scan->at < scan->end && is_word_byte(*scan->at)) {
            scan->at++;
        }
        token.length = (size_t)(scan->at - token.bytes);
        return token;
    }
    scan->at++;
    if (token.mark == '`' || token.mark == '\'' || token.mark == '"') {
        token.kind = token.mark == '`' ? MR_TOKEN_NAME : MR_TOKEN_TEXT;
        take_quoted(scan, &token);
        return token;
    }
    token.kind = MR_TOKEN_MARK;
    token.length = 1;
    return token;
}

struct mr_token mr_scan_peek(const struct mr_scan *scan)
{
    struct mr_scan ahead = *scan;
    return mr_scan_next(&ahead);
}

bool mr_token_is(const struct mr_token *token, const char *word)
{
    return token->kind == MR_TOKEN_WORD && strlen(word) == token->length &&
           strncasecmp(token->bytes, word, token->length) == 0;
}

bool mr_token_is_mark(const struct mr_token *token, char mark)
{
    return token->kind == MR_TOKEN_MARK && token->mark == mark;
}

bool mr_scan_take(struct mr_scan *scan, const char *word)
{
    struct mr_scan ahead = *scan;
    const struct mr_token token = mr_scan_next(&ahead);
    if (!mr_token_is(&token, word)) {
        return false;
    }
    *scan = ahead;
    return true;
}

bool mr_scan_take_mark(struct mr_scan *scan, char mark)
{
    struct mr_scan ahead = *scan;
    const struct mr_token token = mr_scan_next(&ahead);
    if (!mr_token_is_mark(&token, mark)) {
        return false;
    }
    *scan = ahead;
    return true;
}

void mr_scan_close_bracket(struct mr_scan *scan)
{
    for (size_t depth = 1; depth > 0;) {
        const struct mr_token token = mr_scan_next(scan);
        if (token.kind == MR_TOKEN_END) {
            return;
        }
        depth += mr_token_is_mark(&token, '(') ? 1 : 0;
        depth -= mr_token_is_mark(&token, ')') ? 1 : 0;
    }
}

static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'Z':
        return '\x1a';
    default:
        return c;
    }
}

char *mr_token_unquote(const struct mr_token *token)
{
    char *text = mr_memory_new(token->length + 1, 1);
    size_t length = 0;
    const bool is_quoted = token->kind == MR_TOKEN_NAME || token->kind == MR_TOKEN_TEXT;
    for (size_t i = 0; i < token->length; i++) {
        char c = token->bytes[i];
        if (token->kind == MR_TOKEN_TEXT && c == '\\' && i + 1 < token->length) {
            c = unescape(token->bytes[++i]);
        } else if (is_quoted && c == token->mark && i + 1 < token->length) {
            i++;
        }
        text[length] = c;
        length += c != '\0' ? 1 : 0; /* no name or label has one */
    }
    text[length] = '\0';
    MR_ASSERT(length <= token->length);
    return text;
}
