// SPDX-License-Identifier: MIT
/*
 * statement.c - reads the first words of a statement.
 */
#include "statement.h"

#include <string.h>
#include <strings.h>

#include "compiler.h"

#define WORD_BYTES_MAX 32

struct scan {
    const char *at;
    const char *end;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static void skip_past(struct scan *scan, const char *text)
{
    MR_ASSERT(scan->at <= scan->end);
    const size_t length = strlen(text);
    while ((size_t)(scan->end - scan->at) >= length) {
        if (memcmp(scan->at, text, length) == 0) {
            scan->at += length;
            return;
        }
        scan->at++;
    }
    scan->at = scan->end;
}

static bool starts_with(const struct scan *scan, const char *text)
{
    const size_t length = strlen(text);
    return (size_t)(scan->end - scan->at) >= length && memcmp(scan->at, text, length) == 0;
}

/** Steps over white space, brackets and comments. */
static void skip_blank(struct scan *scan)
{
    MR_ASSERT(scan->at <= scan->end);
    while (scan->at < scan->end) {
        if (is_space(*scan->at) || *scan->at == '(' || *scan->at == ';') {
            scan->at++;
        } else if (starts_with(scan, "/*")) {
            skip_past(scan, "*/");
        } else if (starts_with(scan, "-- ") || *scan->at == '#') {
            skip_past(scan, "\n");
        } else {
            return;
        }
    }
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80) != 0;
}

/** The next word, NUL-terminated; "" when something else comes, or the word is too long. */
static void next_word(struct scan *scan, char word[WORD_BYTES_MAX])
{
    MR_ASSERT(scan->at <= scan->end);
    size_t length = 0;
    skip_blank(scan);
    const char *start = scan->at;
    while (scan->at < scan->end && is_word_byte(*scan->at)) {
        scan->at++;
    }
    length = (size_t)(scan->at - start);
    length = length < WORD_BYTES_MAX ? length : 0;
    memcpy(word, start, length);
    word[length] = '\0';
}

static bool take_word(struct scan *scan, const char *wanted)
{
    struct scan ahead = *scan;
    char word[WORD_BYTES_MAX];
    next_word(&ahead, word);
    if (strcasecmp(word, wanted) != 0) {
        return false;
    }
    *scan = ahead;
    return true;
}

/** An identifier, bare or quoted, unquoted into `name`. */
static bool take_identifier(struct scan *scan, char name[MR_IDENTIFIER_BYTES_MAX + 1])
{
    MR_ASSERT(scan->at <= scan->end);
    size_t length = 0;
    skip_blank(scan);
    char quote = '\0';
    if (scan->at < scan->end) {
        quote = *scan->at;
    }
    const bool is_quoted = quote == '`' || quote == '"';
    scan->at += is_quoted ? 1 : 0;
    for (; scan->at < scan->end && length < MR_IDENTIFIER_BYTES_MAX; scan->at++) {
        if (is_quoted && *scan->at == quote) {
            if (scan->at + 1 >= scan->end || scan->at[1] != quote) {
                break;
            }
            scan->at++;
        } else if (!is_quoted && !is_word_byte(*scan->at)) {
            break;
        }
        if (*scan->at == '\0') {
            return false;
        }
        name[length++] = *scan->at;
    }
    name[length] = '\0';
    if (is_quoted) {
        if (scan->at >= scan->end || *scan->at != quote) {
            return false;
        }
        scan->at++;
    }
    return length > 0;
}

/** "table" or "space.table". */
static bool take_name(struct scan *scan, struct mr_statement *statement)
{
    MR_ASSERT(statement->space[0] == '\0' && statement->table[0] == '\0');
    char first[MR_IDENTIFIER_BYTES_MAX + 1];
    if (!take_identifier(scan, first)) {
        return false;
    }
    skip_blank(scan);
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        memcpy(statement->space, first, sizeof(first));
        return take_identifier(scan, statement->table);
    }
    memcpy(statement->table, first, sizeof(first));
    return true;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcasecmp(word, *words) == 0) {
            return true;
        }
    }
    return false;
}

static enum mr_statement_kind read_xa(struct scan *scan)
{
    MR_ASSERT(scan->at <= scan->end);
    char word[WORD_BYTES_MAX];
    next_word(scan, word);
    if (strcasecmp(word, "START") == 0 || strcasecmp(word, "BEGIN") == 0) {
        return MR_STATEMENT_BEGIN;
    }
    if (strcasecmp(word, "COMMIT") == 0) {
        return MR_STATEMENT_COMMIT;
    }
    if (strcasecmp(word, "ROLLBACK") == 0) {
        return MR_STATEMENT_ROLLBACK;
    }
    return strcasecmp(word, "END") == 0 ? MR_STATEMENT_INSIDE : MR_STATEMENT_OTHER;
}

/** "TRUNCATE PARTITION", "DISCARD TABLESPACE", ...: rows go or come without rows events. */
static bool moves_partitions(struct scan scan)
{
    static const char *const verbs[] = {"TRUNCATE", "DROP", "EXCHANGE", "DISCARD", "IMPORT", NULL};
    char word[WORD_BYTES_MAX];
    bool after_verb = false;
    while (scan.at < scan.end) {
        next_word(&scan, word);
        if (word[0] == '\0') {
            scan.at += scan.at < scan.end ? 1 : 0;
            after_verb = false;
            continue;
        }
        if (after_verb &&
            (strcasecmp(word, "PARTITION") == 0 || strcasecmp(word, "TABLESPACE") == 0)) {
            return true;
        }
        after_verb = is_one_of(word, verbs);
    }
    return false;
}

/** Behind CREATE, ALTER or DROP: what follows "TABLE", if a table it is. */
static enum mr_statement_kind read_table(struct scan *scan, struct mr_statement *statement)
{
    MR_ASSERT(scan->at <= scan->end);
    static const char *const fillers[] = {"OR",      "REPLACE", "TEMPORARY", "ONLINE",
                                          "OFFLINE", "IGNORE",  NULL};
    static const char *const others[] = {
        "USER",    "ROLE",    "FUNCTION",  "PROCEDURE", "TRIGGER",   "EVENT",
        "SERVER",  "VIEW",    "SQL",       "DEFINER",   "ALGORITHM", "TABLESPACE",
        "LOGFILE", "PACKAGE", "AGGREGATE", "UNDO",      "SEQUENCE",  NULL};
    char word[WORD_BYTES_MAX];
    do {
        next_word(scan, word);
    } while (is_one_of(word, fillers));
    if (is_one_of(word, others)) {
        return MR_STATEMENT_NO_TABLE;
    }
    if (strcasecmp(word, "TABLE") != 0) {
        return MR_STATEMENT_OTHER;
    }
    if (take_word(scan, "IF")) {
        (void)take_word(scan, "NOT");
        (void)take_word(scan, "EXISTS");
    }
    if (!take_name(scan, statement)) {
        return MR_STATEMENT_OTHER;
    }
    if (moves_partitions(*scan)) {
        return MR_STATEMENT_PARTITION;
    }
    /* A second name (DROP TABLE a, b; ALTER TABLE a RENAME b) is not looked for in full. */
    for (const char *at = scan->at; at < scan->end; at++) {
        const size_t left = (size_t)(scan->end - at);
        if ((*at == ',' && memchr(scan->at, '(', (size_t)(at - scan->at)) == NULL) ||
            (left >= 6 && strncasecmp(at, "RENAME", 6) == 0) ||
            (left >= 8 && strncasecmp(at, "EXCHANGE", 8) == 0)) {
            return MR_STATEMENT_OTHER;
        }
    }
    return MR_STATEMENT_TABLE;
}

/** What may stand between INSERT, REPLACE, UPDATE, DELETE or LOAD and the table's name. */
static void skip_modifiers(struct scan *scan)
{
    static const char *const modifiers[] = {"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK",
                                            "IGNORE",       "INTO",          "FROM",    NULL};
    MR_ASSERT(scan->at <= scan->end);
    for (;;) {
        struct scan ahead = *scan;
        char word[WORD_BYTES_MAX];
        next_word(&ahead, word);
        if (!is_one_of(word, modifiers)) {
            return;
        }
        *scan = ahead;
    }
}

/** Behind LOAD: up to "INTO TABLE". */
static bool skip_load(struct scan *scan)
{
    char word[WORD_BYTES_MAX];
    bool after_into = false;
    while (scan->at < scan->end) {
        next_word(scan, word);
        if (after_into && strcasecmp(word, "TABLE") == 0) {
            return true;
        }
        after_into = strcasecmp(word, "INTO") == 0;
        if (word[0] == '\0' && scan->at < scan->end) {
            if (*scan->at == '\'' || *scan->at == '"') {
                const char quote[2] = {*scan->at, '\0'};
                scan->at++;
                skip_past(scan, quote); /* a file's name, without quotes in it */
            } else {
                scan->at++;
            }
        }
    }
    return false;
}

/**
 * The one table that a statement changes. Where several are named (joins, "t1, t2", USING), or the
 * statement is not understood, none is: the caller assumes that it may be any.
 */
static void read_changed_table(struct scan *scan, const char *verb, struct mr_statement *statement)
{
    MR_ASSERT(statement->table[0] == '\0');
    static const char *const ends[] = {"SET", "WHERE", "ORDER", "LIMIT", "RETURNING", NULL};
    static const char *const several[] = {"JOIN",  "INNER",         "CROSS",   "LEFT",  "RIGHT",
                                          "OUTER", "STRAIGHT_JOIN", "NATURAL", "USING", "FROM",
                                          NULL};
    struct mr_statement read = {.kind = MR_STATEMENT_DML};
    if (strcasecmp(verb, "WITH") == 0 || (strcasecmp(verb, "LOAD") == 0 && !skip_load(scan))) {
        return;
    }
    skip_modifiers(scan);
    bool is_sure = take_name(scan, &read);
    if (is_sure && (strcasecmp(verb, "UPDATE") == 0 || strcasecmp(verb, "DELETE") == 0)) {
        /* Behind the name: perhaps an alias, then what tells whether there are more. */
        char word[WORD_BYTES_MAX];
        do {
            skip_blank(scan);
            is_sure = scan->at == scan->end;
            next_word(scan, word);
        } while (word[0] != '\0' && !is_one_of(word, ends) && !is_one_of(word, several));
        is_sure = is_sure || is_one_of(word, ends);
    }
    if (is_sure) {
        *statement = read;
    }
}

static enum mr_statement_kind read_kind(struct scan *scan, struct mr_statement *statement)
{
    static const char *const dml[] = {"INSERT", "UPDATE", "DELETE", "REPLACE",
                                      "LOAD",   "WITH",   NULL};
    static const char *const no_table[] = {"GRANT",   "REVOKE",   "SET",    "FLUSH",
                                           "ANALYZE", "OPTIMIZE", "REPAIR", NULL};
    char word[WORD_BYTES_MAX];
    next_word(scan, word);
    if (strcasecmp(word, "BEGIN") == 0 || strcasecmp(word, "START") == 0) {
        return MR_STATEMENT_BEGIN;
    }
    if (strcasecmp(word, "COMMIT") == 0) {
        return MR_STATEMENT_COMMIT;
    }
    if (strcasecmp(word, "ROLLBACK") == 0) {
        (void)take_word(scan, "WORK");
        return take_word(scan, "TO") ? MR_STATEMENT_ROLLBACK_TO : MR_STATEMENT_ROLLBACK;
    }
    if (strcasecmp(word, "SAVEPOINT") == 0 || strcasecmp(word, "RELEASE") == 0) {
        return MR_STATEMENT_INSIDE;
    }
    if (strcasecmp(word, "XA") == 0) {
        return read_xa(scan);
    }
    if (strcasecmp(word, "TRUNCATE") == 0) {
        (void)take_word(scan, "TABLE");
        return take_name(scan, statement) ? MR_STATEMENT_TRUNCATE : MR_STATEMENT_OTHER;
    }
    if (strcasecmp(word, "CREATE") == 0 || strcasecmp(word, "ALTER") == 0 ||
        strcasecmp(word, "DROP") == 0) {
        return read_table(scan, statement);
    }
    if (is_one_of(word, dml)) {
        read_changed_table(scan, word, statement);
        return MR_STATEMENT_DML;
    }
    return is_one_of(word, no_table) ? MR_STATEMENT_NO_TABLE : MR_STATEMENT_OTHER;
}

void mr_statement_read(struct mr_slice text, struct mr_statement *statement)
{
    struct scan scan = {.at = (const char *)text.bytes,
                        .end = (const char *)text.bytes + text.length};
    statement->space[0] = '\0';
    statement->table[0] = '\0';
    statement->kind = text.length == 0 ? MR_STATEMENT_OTHER : read_kind(&scan, statement);
    MR_ASSERT(scan.at <= scan.end);
}
