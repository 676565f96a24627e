// SPDX-License-Identifier: MIT
/*
 * tidy.h - style as a test: what neither the compilers nor clang-format see.
 *
 * tidy ROOT reads the C files below ROOT's src, tests, fuzz, bench and tools, prints one line a
 * finding, "FILE:LINE: RULE: what", and exits 1 when there is one. README.md lists the rules; the
 * places that may break one stand, with the reason, in `exceptions`.
 *
 * It looks at text, not at a syntax tree: the tree is formatted by clang-format, so what a function
 * or a call is can be told from the characters. What only a parser can tell is clang-tidy's.
 */
#ifndef MR_TIDY_TIDY_H
#define MR_TIDY_TIDY_H

#include <stdbool.h>
#include <stddef.h>

#define TIDY_FILE_LINES_MAX     800
#define TIDY_FUNCTION_LINES_MAX 70
#define TIDY_PARAMETERS_MAX     6
#define TIDY_COLUMNS_MAX        100

/** A file of the tree. `text` is as on disk; `code` is as long, with comments and the insides of
 *  literals blanked; `plain` is code with preprocessor lines blanked too. */
struct tidy_file {
    char *path; /* below the root: "src/base/arena.c" */
    char *text;
    char *code;
    char *plain;
    size_t length;
};

struct tidy_exception {
    char *path;
    char *rule;
    bool is_used;
};

/** Counts of a folder, for the report. */
struct tidy_density {
    char area[64]; /* "base", "source/mysql" */
    size_t code_lines;
    size_t functions;
    size_t assertions;
};

struct tidy_tree {
    struct tidy_file *files;
    size_t file_count;
    size_t file_capacity;
    struct tidy_exception *exceptions;
    size_t exception_count;
    size_t finding_count;
};

/* ---- source_text.c ---- */

/** Fills code and plain from text. */
void tidy_file_blank(struct tidy_file *file);
void tidy_file_done(struct tidy_file *file);

/** Line number, from 1, of a place in the file. */
size_t tidy_line_at(const struct tidy_file *file, size_t at);

bool tidy_is_word(char c);
bool tidy_starts_with(const char *text, const char *prefix);
bool tidy_ends_with(const char *text, const char *suffix);

/* ---- tree.c ---- */

/** Reads the tree below the current directory. False when it cannot be read. */
bool tidy_tree_read(struct tidy_tree *tree);
void tidy_tree_done(struct tidy_tree *tree);

/** Reads the list of exceptions; a file that is not there is an empty list. */
bool tidy_tree_read_exceptions(struct tidy_tree *tree, const char *path);

/** Prints a finding unless it is an exception. */
void tidy_report(struct tidy_tree *tree, const char *path, size_t line, const char *rule,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/** "src/source/mysql/x.c" gives "source/mysql", "src/main.c" gives "main"; "" outside src. */
void tidy_area_of(const char *path, char *area, size_t size);

/* ---- The rules. ---- */

void tidy_check_lines(struct tidy_tree *tree, const struct tidy_file *file);
void tidy_check_functions(struct tidy_tree *tree, const struct tidy_file *file,
                          struct tidy_density *density);
void tidy_check_calls(struct tidy_tree *tree, const struct tidy_file *file);
void tidy_check_includes(struct tidy_tree *tree, const struct tidy_file *file);
void tidy_check_headers(struct tidy_tree *tree);
void tidy_check_folders(struct tidy_tree *tree);

/** Exceptions that nothing needed any more. */
void tidy_check_exceptions(struct tidy_tree *tree);

#endif
