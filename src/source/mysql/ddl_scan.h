// SPDX-License-Identifier: MIT
/*
 * ddl_scan.h - a statement as a row of tokens: words, quoted names, strings, marks.
 *
 * Comments are white space; what an executable comment (slash, star, exclamation mark, maybe M! and
 * a version) wraps is read, as the server did. Any bytes are some row of tokens: an open quote or
 * comment ends with the statement. A scan is copied to look ahead.
 */
#ifndef MR_SOURCE_MYSQL_DDL_SCAN_H
#define MR_SOURCE_MYSQL_DDL_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "slice.h"

enum mr_token_kind {
    MR_TOKEN_END,
    MR_TOKEN_WORD, /* a bare name, keyword or number */
    MR_TOKEN_NAME, /* `...`, as it is between the quotes */
    MR_TOKEN_TEXT, /* '...' or "...", likewise */
    MR_TOKEN_MARK, /* one other character */
};

struct mr_token {
    enum mr_token_kind kind;
    const char *bytes;
    size_t length;
    char mark; /* the character, or the quote */
};

struct mr_scan {
    const char *at;
    const char *end;
};

struct mr_scan mr_scan_start(struct mr_slice text);

struct mr_token mr_scan_next(struct mr_scan *scan);
struct mr_token mr_scan_peek(const struct mr_scan *scan);

/** Whether a token is that bare word, whatever its case. */
bool mr_token_is(const struct mr_token *token, const char *word);
bool mr_token_is_mark(const struct mr_token *token, char mark);

/** Steps over the word, or the mark, if it comes next. */
bool mr_scan_take(struct mr_scan *scan, const char *word);
bool mr_scan_take_mark(struct mr_scan *scan, char mark);

/** Behind an opening bracket: steps behind the one that closes it. */
void mr_scan_close_bracket(struct mr_scan *scan);

/** What a name, word or string stands for, in memory that the caller frees: without quotes, doubled
 *  quotes single, in strings escapes resolved. */
char *mr_token_unquote(const struct mr_token *token);

#endif
