// SPDX-License-Identifier: MIT
/*
 * ddl_column.c - see ddl_column.h.
 *
 * Types are written as the server accepts them and as COLUMN_TYPE prints them: synonyms become
 * their type, lengths that may be left out are filled in. What is not known here is handed on as it
 * is; the table map of the binlog has the last word.
 */
#include "ddl_column.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "schema.h"
#include "writer.h"

#define TYPE_BYTES_MAX (1u << 20)

static char *finish(struct mr_writer *out)
{
    char *text = out->failed ? NULL : mr_memory_copy_text(out->bytes, out->length);
    mr_writer_done(out);
    return text;
}

static void write_text(struct mr_writer *out, const char *text)
{
    mr_write_bytes(out, text, strlen(text));
}

/* ---- Types. ---- */

struct synonym {
    const char *written;
    const char *meant;
};

static const struct synonym synonyms[] = {
    {"integer", "int"},          {"int1", "tinyint"},        {"int2", "smallint"},
    {"int3", "mediumint"},       {"middleint", "mediumint"}, {"int4", "int"},
    {"int8", "bigint"},          {"dec", "decimal"},         {"numeric", "decimal"},
    {"fixed", "decimal"},        {"number", "decimal"},      {"real", "double"},
    {"float4", "float"},         {"float8", "double"},       {"character", "char"},
    {"varcharacter", "varchar"}, {"varchar2", "varchar"},    {"raw", "varbinary"},
    {"clob", "longtext"},        {"nvarchar", "varchar"},    {"nchar", "char"},
};

/* What is written of a type, before it is printed. */
struct written {
    char name[32];
    char *arguments; /* between the brackets; NULL: none */
    const char *charset;
    bool is_binary; /* BYTE, or CHARACTER SET binary: bytes */
    bool is_unsigned;
    bool is_zerofill;
};

static void set_name(struct written *written, const char *name)
{
    MR_ASSERT(strlen(name) < sizeof(written->name));
    (void)memcpy(written->name, name, strlen(name) + 1);
}

static bool take_any(struct mr_scan *scan, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (mr_scan_take(scan, *words)) {
            return true;
        }
    }
    return false;
}

/* The types of more than one word, and those that stand for another with its attributes. */
static void read_long_names(struct mr_scan *scan, struct written *written)
{
    static const char *const chars[] = {"char", "character", NULL};
    if (strcmp(written->name, "national") == 0) {
        const bool is_varchar = mr_scan_take(scan, "varchar");
        (void)(is_varchar || take_any(scan, chars));
        set_name(written, is_varchar ? "varchar" : "char");
        written->charset = "utf8mb3";
    } else if (strcmp(written->name, "nchar") == 0 || strcmp(written->name, "nvarchar") == 0) {
        written->charset = "utf8mb3";
    } else if (strcmp(written->name, "double") == 0) {
        (void)mr_scan_take(scan, "precision");
    } else if (strcmp(written->name, "long") == 0) {
        const bool is_binary = mr_scan_take(scan, "varbinary");
        (void)(is_binary || mr_scan_take(scan, "varchar") || take_any(scan, chars));
        (void)mr_scan_take(scan, "varying");
        set_name(written, is_binary ? "mediumblob" : "mediumtext");
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(synonyms); i++) {
        if (strcmp(written->name, synonyms[i].written) == 0) {
            set_name(written, synonyms[i].meant);
        }
    }
    if (strcmp(written->name, "char") == 0 &&
        (mr_scan_take(scan, "varying") || mr_scan_take(scan, "varchar"))) {
        set_name(written, "varchar");
    }
}

/* Behind the opening bracket: numbers as they are, labels quoted as COLUMN_TYPE quotes them. */
static char *read_arguments(struct mr_scan *scan)
{
    struct mr_writer out = {0};
    mr_writer_init(&out, TYPE_BYTES_MAX);
    for (;;) {
        const struct mr_token token = mr_scan_next(scan);
        if (token.kind == MR_TOKEN_END || mr_token_is_mark(&token, ')')) {
            return finish(&out);
        }
        if (token.kind != MR_TOKEN_TEXT) {
            if (token.kind == MR_TOKEN_MARK ||
                (token.bytes[0] != '_' && token.kind == MR_TOKEN_WORD)) {
                mr_write_bytes(&out, token.bytes, token.length);
            }
            continue; /* an introducer: _utf8'a' */
        }
        char *label = mr_token_unquote(&token);
        mr_write_u8(&out, '\'');
        for (const char *at = label; *at != '\0'; at++) {
            if (*at == '\'' || *at == '\\') { /* as COLUMN_TYPE escapes them */
                mr_write_u8(&out, (uint8_t)*at);
            }
            mr_write_u8(&out, (uint8_t)*at);
        }
        mr_write_u8(&out, '\'');
        free(label);
    }
}

static bool is_type(const struct written *written, const char *name)
{
    return strcmp(written->name, name) == 0;
}

/* Lengths that are left out, sizes that choose a type, words that stand for a type. */
/* NOLINTNEXTLINE(readability-function-cognitive-complexity): a list of words */
static const char *fill_in(struct written *written, bool is_maria)
{
    const long size = written->arguments == NULL ? -1 : strtol(written->arguments, NULL, 10);
    if (is_type(written, "bool") || is_type(written, "boolean")) {
        set_name(written, "tinyint");
        return "1";
    }
    if (is_type(written, "serial")) {
        set_name(written, "bigint");
        written->is_unsigned = true;
    } else if (is_type(written, "json") && is_maria) {
        set_name(written, "longtext");
        written->charset = "utf8mb4";
    } else if (is_type(written, "float") && size >= 0 && strchr(written->arguments, ',') == NULL) {
        set_name(written, size > 24 ? "double" : "float");
        return "";
    } else if (is_type(written, "year")) {
        return "";
    } else if ((is_type(written, "text") || is_type(written, "blob")) && size > 0) {
        const bool is_text = is_type(written, "text");
        set_name(written, size < 256        ? (is_text ? "tinytext" : "tinyblob")
                          : size < 65536    ? (is_text ? "text" : "blob")
                          : size < 16777216 ? (is_text ? "mediumtext" : "mediumblob")
                                            : (is_text ? "longtext" : "longblob"));
        return "";
    }
    if (written->arguments != NULL) {
        return written->arguments;
    }
    return is_type(written, "decimal") ? "10,0"
           : is_type(written, "char") || is_type(written, "binary") || is_type(written, "bit") ? "1"
                                                                                               : "";
}

static void make_binary(struct written *written)
{
    static const struct synonym bytes[] = {
        {"char", "binary"}, {"varchar", "varbinary"},     {"tinytext", "tinyblob"},
        {"text", "blob"},   {"mediumtext", "mediumblob"}, {"longtext", "longblob"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bytes); i++) {
        if (strcmp(written->name, bytes[i].written) == 0) {
            set_name(written, bytes[i].meant);
            return;
        }
    }
}

static char *print_type(struct written *written, bool is_maria)
{
    struct mr_writer out = {0};
    mr_writer_init(&out, TYPE_BYTES_MAX);
    const char *arguments = fill_in(written, is_maria);
    if (written->is_binary) {
        make_binary(written);
    }
    const bool is_decimal = is_type(written, "decimal");
    write_text(&out, written->name);
    if (arguments[0] != '\0') {
        mr_write_u8(&out, '(');
        write_text(&out, arguments);
        if (is_decimal && strchr(arguments, ',') == NULL) {
            write_text(&out, ",0");
        }
        mr_write_u8(&out, ')');
    }
    write_text(&out, written->is_unsigned || written->is_zerofill ? " unsigned" : "");
    write_text(&out, written->is_zerofill ? " zerofill" : "");
    return finish(&out);
}

bool mr_ddl_type_has_charset(const char *type)
{
    static const char *const starts[] = {"char",     "varchar", "tinytext", "text", "mediumtext",
                                         "longtext", "enum",    "set",      NULL};
    for (const char *const *start = starts; *start != NULL; start++) {
        const size_t length = strlen(*start);
        if (strncmp(type, *start, length) == 0 &&
            (type[length] == '\0' || type[length] == '(' || type[length] == ' ')) {
            return true;
        }
    }
    return false;
}

/* ---- Attributes. ---- */

char *mr_ddl_charset_read(struct mr_scan *scan)
{
    (void)mr_scan_take_mark(scan, '=');
    const struct mr_token token = mr_scan_next(scan);
    char *name = mr_token_unquote(&token);
    for (char *at = name; *at != '\0'; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
    }
    if (strcmp(name, "utf8") == 0) {
        free(name);
        return mr_memory_copy_text("utf8mb3", 7);
    }
    return name;
}

char *mr_ddl_collation_read(struct mr_scan *scan)
{
    char *name = mr_ddl_charset_read(scan);
    name[strcspn(name, "_")] = '\0';
    if (strcmp(name, "utf8") == 0) {
        free(name);
        return mr_memory_copy_text("utf8mb3", 7);
    }
    return name;
}

/* b'101' as COLUMN_DEFAULT has it. */
static char *print_bits(const struct mr_token *token)
{
    struct mr_writer out = {0};
    mr_writer_init(&out, TYPE_BYTES_MAX);
    write_text(&out, "b'");
    mr_write_bytes(&out, token->bytes, token->length);
    write_text(&out, "'");
    return finish(&out);
}

/* A string as COLUMN_DEFAULT has it: MariaDB quotes it. */
static char *print_string(const struct mr_token *token, bool is_maria)
{
    struct mr_writer out = {0};
    char *text = mr_token_unquote(token);
    if (!is_maria) {
        return text;
    }
    mr_writer_init(&out, TYPE_BYTES_MAX);
    mr_write_u8(&out, '\'');
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'') {
            mr_write_u8(&out, '\'');
        }
        mr_write_u8(&out, (uint8_t)*at);
    }
    mr_write_u8(&out, '\'');
    free(text);
    return finish(&out);
}

/* An expression as it is written, so that nobody takes it for a constant. */
static char *read_expression(struct mr_scan *scan, const char *start)
{
    struct mr_writer out = {0};
    mr_writer_init(&out, TYPE_BYTES_MAX);
    mr_write_u8(&out, '(');
    mr_scan_close_bracket(scan);
    mr_write_bytes(&out, start, (size_t)(scan->at - start));
    return finish(&out);
}

/* NOLINTNEXTLINE(readability-function-cognitive-complexity): a list of forms */
char *mr_ddl_default_read(struct mr_scan *scan, bool is_maria)
{
    struct mr_token token = mr_scan_next(scan);
    const bool is_signed = mr_token_is_mark(&token, '-') || mr_token_is_mark(&token, '+');
    const bool is_negative = mr_token_is_mark(&token, '-');
    token = is_signed ? mr_scan_next(scan) : token;
    if (token.kind == MR_TOKEN_TEXT) {
        return print_string(&token, is_maria);
    }
    if (mr_token_is_mark(&token, '(')) {
        return read_expression(scan, scan->at);
    }
    if (token.kind != MR_TOKEN_WORD || mr_token_is(&token, "NULL")) {
        return NULL;
    }
    if (mr_token_is(&token, "TRUE") || mr_token_is(&token, "FALSE")) {
        return mr_memory_copy_text(mr_token_is(&token, "TRUE") ? "1" : "0", 1);
    }
    const struct mr_token next = mr_scan_peek(scan);
    if (next.kind == MR_TOKEN_TEXT) { /* b'1', x'41', _utf8mb4'a', DATE'2024-01-01' */
        (void)mr_scan_next(scan);
        return mr_token_is(&token, "b")   ? print_bits(&next)
               : mr_token_is(&token, "x") ? mr_memory_copy_text("(hexadecimal)", 13)
                                          : print_string(&next, is_maria);
    }
    struct mr_writer out = {0};
    mr_writer_init(&out, TYPE_BYTES_MAX);
    write_text(&out, is_negative ? "-" : "");
    mr_write_bytes(&out, token.bytes, token.length);
    /* 1.5 is a word, a mark and a word; -1e-3 likewise. */
    while (token.bytes[0] >= '0' && token.bytes[0] <= '9' && scan->at < scan->end &&
           (*scan->at == '.' ||
            ((*scan->at == '-' || *scan->at == '+') && (scan->at[-1] | 0x20) == 'e'))) {
        mr_write_u8(&out, (uint8_t)*scan->at++);
        const struct mr_token more = mr_scan_peek(scan);
        if (more.kind == MR_TOKEN_WORD && more.bytes == scan->at) {
            (void)mr_scan_next(scan);
            mr_write_bytes(&out, more.bytes, more.length);
        }
    }
    if (mr_scan_take_mark(scan, '(')) { /* now(), current_timestamp(6) */
        mr_scan_close_bracket(scan);
        write_text(&out, "()");
    }
    return finish(&out);
}

static bool is_end(const struct mr_token *token)
{
    return token->kind == MR_TOKEN_END || mr_token_is_mark(token, ',') ||
           mr_token_is_mark(token, ')') || mr_token_is(token, "FIRST") ||
           mr_token_is(token, "AFTER");
}

/* What a type is followed by, and what counts here. */
struct attributes {
    struct mr_shape_column *column;
    struct written *written;
    bool is_maria;
    bool is_key;
};

static void set_text(char **place, char *text)
{
    free(*place);
    *place = text;
}

/* NOLINTBEGIN(bugprone-branch-clone): words in a list; that two do the same is chance */
static void read_attribute(struct mr_scan *scan, const struct mr_token *token,
                           struct attributes *attributes)
{
    struct mr_shape_column *column = attributes->column;
    if (mr_token_is(token, "NOT")) {
        column->nullable = !mr_scan_take(scan, "NULL") && column->nullable;
    } else if (mr_token_is(token, "NULL")) {
        column->nullable = true;
    } else if (mr_token_is(token, "DEFAULT")) {
        set_text(&column->fallback, mr_ddl_default_read(scan, attributes->is_maria));
    } else if (mr_token_is(token, "UNIQUE")) {
        (void)mr_scan_take(scan, "KEY");
    } else if (mr_token_is(token, "PRIMARY") || mr_token_is(token, "KEY")) {
        (void)mr_scan_take(scan, "KEY");
        attributes->is_key = true;
    } else if (mr_token_is(token, "CHARSET")) {
        set_text(&column->charset, mr_ddl_charset_read(scan));
    } else if ((mr_token_is(token, "CHARACTER") || mr_token_is(token, "CHAR")) &&
               mr_scan_take(scan, "SET")) {
        set_text(&column->charset, mr_ddl_charset_read(scan));
    } else if (mr_token_is(token, "COLLATE")) {
        set_text(&column->charset, mr_ddl_collation_read(scan));
    } else if (mr_token_is(token, "ASCII")) {
        set_text(&column->charset, mr_memory_copy_text("latin1", 6));
    } else if (mr_token_is(token, "UNICODE")) {
        set_text(&column->charset, mr_memory_copy_text("ucs2", 4));
    } else if (mr_token_is(token, "BYTE")) {
        set_text(&column->charset, mr_memory_copy_text("binary", 6));
    } else if (mr_token_is(token, "UNSIGNED")) {
        attributes->written->is_unsigned = true;
    } else if (mr_token_is(token, "ZEROFILL")) {
        attributes->written->is_zerofill = true;
    } else if (mr_token_is(token, "GENERATED") || mr_token_is(token, "AS")) {
        column->is_generated = true;
    } else if (mr_token_is(token, "COMMENT")) {
        (void)mr_scan_next(scan);
    } else if (mr_token_is(token, "ON")) {
        (void)mr_scan_next(scan); /* UPDATE, DELETE */
        const struct mr_token what = mr_scan_next(scan);
        (void)(mr_token_is(&what, "SET") &&
               (mr_scan_take(scan, "NULL") || mr_scan_take(scan, "DEFAULT")));
    } else if (mr_token_is(token, "REFERENCES")) {
        (void)mr_scan_next(scan);
    } else if (mr_token_is_mark(token, '(')) {
        mr_scan_close_bracket(scan);
    }
}
/* NOLINTEND(bugprone-branch-clone) */

bool mr_ddl_column_read(struct mr_scan *scan, bool is_maria, struct mr_shape_column *column,
                        bool *is_key)
{
    struct written written = {.name = ""};
    struct attributes attributes = {.column = column, .written = &written, .is_maria = is_maria};
    struct mr_scan ahead = *scan;
    const struct mr_token name = mr_scan_next(&ahead);
    const struct mr_token type = mr_scan_next(&ahead);
    if (name.kind == MR_TOKEN_END || name.kind == MR_TOKEN_MARK || type.kind != MR_TOKEN_WORD ||
        type.length >= sizeof(written.name)) {
        return false;
    }
    for (size_t i = 0; i < type.length; i++) {
        const char c = type.bytes[i];
        written.name[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    *column = (struct mr_shape_column){.key_index = MR_NOT_IN_KEY, .nullable = true};
    column->name = mr_token_unquote(&name);
    column->nullable = strcmp(written.name, "serial") != 0;
    read_long_names(&ahead, &written);
    if (mr_scan_take_mark(&ahead, '(')) {
        written.arguments = read_arguments(&ahead);
    }
    for (;;) {
        const struct mr_token token = mr_scan_peek(&ahead);
        if (is_end(&token)) {
            break;
        }
        (void)mr_scan_next(&ahead);
        read_attribute(&ahead, &token, &attributes);
    }
    written.is_binary = column->charset != NULL && strcmp(column->charset, "binary") == 0;
    column->is_json = is_maria && strcmp(written.name, "json") == 0;
    column->type = print_type(&written, is_maria);
    if (column->charset == NULL && written.charset != NULL) {
        column->charset = mr_memory_copy_text(written.charset, strlen(written.charset));
    }
    free(written.arguments);
    if (column->type == NULL || column->name[0] == '\0') {
        mr_shape_column_done(column);
        return false;
    }
    column->charset_is_guessed = column->charset == NULL && mr_ddl_type_has_charset(column->type);
    if (!mr_ddl_type_has_charset(column->type)) {
        set_text(&column->charset, NULL);
    }
    column->nullable = column->nullable && !attributes.is_key;
    *is_key = attributes.is_key;
    *scan = ahead;
    return true;
}
