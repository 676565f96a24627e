// SPDX-License-Identifier: MIT
/*
 * tree.c - the files, the exceptions, and the one place that prints findings.
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tidy.h"

#define PATH_BYTES_MAX 1024
#define DEPTH_MAX      16

static void *check_memory(void *memory)
{
    if (memory == NULL) {
        (void)fprintf(stderr, "tidy: out of memory\n");
        abort();
    }
    return memory;
}

static char *copy_text(const char *text)
{
    return check_memory(strdup(text));
}

static char *read_whole(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    size_t capacity = 65536;
    char *text = check_memory(malloc(capacity));
    *length = 0;
    for (;;) {
        const size_t count = fread(text + *length, 1, capacity - 1 - *length, file);
        *length += count;
        if (count == 0) {
            break;
        }
        if (*length == capacity - 1) {
            capacity *= 2;
            text = check_memory(realloc(text, capacity));
        }
    }
    text[*length] = '\0';
    const bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}

static bool add_file(struct tidy_tree *tree, const char *path)
{
    struct tidy_file file = {0};
    file.text = read_whole(path, &file.length);
    if (file.text == NULL) {
        (void)fprintf(stderr, "tidy: cannot read %s\n", path);
        return false;
    }
    file.path = copy_text(path);
    tidy_file_blank(&file);
    if (tree->file_count == tree->file_capacity) {
        tree->file_capacity = tree->file_capacity == 0 ? 64 : tree->file_capacity * 2;
        tree->files =
            check_memory(realloc(tree->files, tree->file_capacity * sizeof(*tree->files)));
    }
    tree->files[tree->file_count++] = file;
    return true;
}

static bool read_folder(struct tidy_tree *tree, const char *folder, int depth)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, NULL, alphasort);
    bool is_read = count >= 0 && depth < DEPTH_MAX;
    for (int i = 0; i < count; i++) {
        char path[PATH_BYTES_MAX];
        struct stat status;
        const char *name = entries[i]->d_name;
        const int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
        if (!is_read || name[0] == '.' || length >= (int)sizeof(path)) {
            is_read = is_read && name[0] == '.';
        } else if (lstat(path, &status) != 0) {
            is_read = false;
        } else if (S_ISDIR(status.st_mode)) {
            is_read = read_folder(tree, path, depth + 1);
        } else if (S_ISREG(status.st_mode) &&
                   (tidy_ends_with(name, ".c") || tidy_ends_with(name, ".h"))) {
            is_read = add_file(tree, path);
        }
        free(entries[i]);
    }
    free(entries);
    return is_read;
}

bool tidy_tree_read(struct tidy_tree *tree)
{
    static const char *const folders[] = {"src", "tests", "fuzz", "bench", "tools"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        struct stat status;
        if (stat(folders[i], &status) == 0 && !read_folder(tree, folders[i], 0)) {
            return false;
        }
    }
    return true;
}

void tidy_tree_done(struct tidy_tree *tree)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        tidy_file_done(&tree->files[i]);
    }
    for (size_t i = 0; i < tree->exception_count; i++) {
        free(tree->exceptions[i].path);
        free(tree->exceptions[i].rule);
    }
    free(tree->files);
    free(tree->exceptions);
}

/* A line is FILE RULE REASON; one without a reason is no exception. */
static bool read_exception(struct tidy_tree *tree, const char *line)
{
    char path[PATH_BYTES_MAX];
    char rule[64];
    char reason[8];
    if (line[0] == '#' || line[strspn(line, " \n")] == '\0') {
        return true;
    }
    if (sscanf(line, "%1023s %63s %7s", path, rule, reason) != 3) {
        (void)fprintf(stderr, "tidy: an exception is FILE RULE REASON, not: %s", line);
        return false;
    }
    tree->exceptions = check_memory(
        realloc(tree->exceptions, (tree->exception_count + 1) * sizeof(*tree->exceptions)));
    tree->exceptions[tree->exception_count++] =
        (struct tidy_exception){.path = copy_text(path), .rule = copy_text(rule)};
    return true;
}

bool tidy_tree_read_exceptions(struct tidy_tree *tree, const char *path)
{
    char line[2048];
    FILE *file = fopen(path, "r");
    bool is_read = true;
    while (file != NULL && is_read && fgets(line, sizeof(line), file) != NULL) {
        is_read = read_exception(tree, line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_read;
}

void tidy_report(struct tidy_tree *tree, const char *path, size_t line, const char *rule,
                 const char *format, ...)
{
    for (size_t i = 0; i < tree->exception_count; i++) {
        struct tidy_exception *exception = &tree->exceptions[i];
        if (strcmp(exception->path, path) == 0 && strcmp(exception->rule, rule) == 0) {
            exception->is_used = true;
            return;
        }
    }
    va_list args;
    va_start(args, format);
    (void)printf("%s:%zu: %s: ", path, line, rule);
    (void)vprintf(format, args);
    (void)printf("\n");
    va_end(args);
    tree->finding_count++;
}

void tidy_check_exceptions(struct tidy_tree *tree)
{
    for (size_t i = 0; i < tree->exception_count; i++) {
        const struct tidy_exception *exception = &tree->exceptions[i];
        if (!exception->is_used) {
            (void)printf("tools/tidy/exceptions:1: exception: %s needs none for \"%s\"\n",
                         exception->path, exception->rule);
            tree->finding_count++;
        }
    }
}

void tidy_area_of(const char *path, char *area, size_t size)
{
    area[0] = '\0';
    if (!tidy_starts_with(path, "src/")) {
        return;
    }
    const char *start = path + strlen("src/");
    const char *end = strrchr(start, '/');
    if (end == NULL) {
        (void)snprintf(area, size, "main");
        return;
    }
    (void)snprintf(area, size, "%.*s", (int)(end - start), start);
}
