// SPDX-License-Identifier: MIT
/*
 * rules_includes.c - who may include whom:
 *
 *   base <- core <- {source, stream, transform, sink} <- pipeline <- {console, feed} <- cli <- main
 *
 * Stages never include each other, nor plug-ins of one stage each other: pipeline joins them.
 * Project headers are included by their plain name, so names are unique.
 */
#include <stdio.h>
#include <string.h>

#include "tidy.h"

static const struct layer {
    const char *name;
    const char *sees; /* beside itself; names between blanks */
} layers[] = {
    {"base", " "},
    {"core", " base "},
    {"source", " base core "},
    {"stream", " base core "},
    {"transform", " base core "},
    {"sink", " base core "},
    {"pipeline", " base core source stream transform sink "},
    /* The console is handed what it shows: it sees the pipeline's views and no stage. */
    {"console", " base core pipeline "},
    /* The load generators write to a database of their own: no stage, no pipeline. */
    {"feed", " base core "},
    {"bench", " base core source stream transform sink pipeline feed "},
    {"cli", " base core source stream transform sink pipeline console feed bench "},
    {"main", " base core source stream transform sink pipeline console feed bench cli "},
};

static const struct layer *find_layer(const char *area)
{
    const size_t length = strcspn(area, "/");
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        if (strlen(layers[i].name) == length && memcmp(layers[i].name, area, length) == 0) {
            return &layers[i];
        }
    }
    return NULL;
}

static bool may_include(const struct layer *from, const struct layer *to)
{
    char name[32];
    (void)snprintf(name, sizeof(name), " %s ", to->name);
    return from == to || strstr(from->sees, name) != NULL;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static const struct tidy_file *find_header(const struct tidy_tree *tree, const char *name)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        const struct tidy_file *file = &tree->files[i];
        if (tidy_starts_with(file->path, "src/") && strcmp(name_of(file->path), name) == 0) {
            return file;
        }
    }
    return NULL;
}

/* Where an include stands and what it names. */
struct include {
    const struct tidy_file *file;
    size_t line;
    const char *name;
};

static void check_neighbour(struct tidy_tree *tree, const struct include *include, const char *from,
                            const char *to)
{
    if (strchr(from, '/') != NULL && strchr(to, '/') != NULL && strcmp(from, to) != 0) {
        tidy_report(tree, include->file->path, include->line, "include",
                    "%s may not include its neighbour %s (%s)", from, to, include->name);
    }
}

static void check_include(struct tidy_tree *tree, const struct include *include)
{
    char from[64];
    char to[64];
    const struct tidy_file *header = find_header(tree, include->name);
    tidy_area_of(include->file->path, from, sizeof(from));
    if (strchr(include->name, '/') != NULL) {
        tidy_report(tree, include->file->path, include->line, "include",
                    "project headers are included by their plain name");
        return;
    }
    if (header == NULL) {
        return;
    }
    tidy_area_of(header->path, to, sizeof(to));
    const struct layer *from_layer = find_layer(from);
    const struct layer *to_layer = find_layer(to);
    if (from_layer == NULL || to_layer == NULL) {
        tidy_report(tree, include->file->path, include->line, "include",
                    "%s is no layer that tools/tidy knows", from_layer == NULL ? from : to);
        return;
    }
    if (!may_include(from_layer, to_layer)) {
        tidy_report(tree, include->file->path, include->line, "include",
                    "%s may not include %s (%s)", from_layer->name, to_layer->name, include->name);
    } else if (from_layer == to_layer) {
        check_neighbour(tree, include, from, to);
    }
    static const char silent[] = " core source stream transform sink ";
    char layer_name[32];
    (void)snprintf(layer_name, sizeof(layer_name), " %s ", from_layer->name);
    if (strcmp(include->name, "log.h") == 0 && strstr(silent, layer_name) != NULL) {
        tidy_report(tree, include->file->path, include->line, "log",
                    "a stage reports errors and never logs");
    }
}

void tidy_check_includes(struct tidy_tree *tree, const struct tidy_file *file)
{
    static const char directive[] = "#include \"";
    if (!tidy_starts_with(file->path, "src/")) {
        return;
    }
    for (size_t at = 0; at < file->length;) {
        const char *line = file->text + at;
        const char *name = line + sizeof(directive) - 1;
        char header[256];
        if (tidy_starts_with(line, directive) && strcspn(name, "\"\n") < sizeof(header)) {
            const size_t length = strcspn(name, "\"\n");
            memcpy(header, name, length);
            header[length] = '\0';
            const struct include include = {file, tidy_line_at(file, at), header};
            check_include(tree, &include);
        }
        at += strcspn(line, "\n") + 1;
    }
}

void tidy_check_headers(struct tidy_tree *tree)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        const char *path = tree->files[i].path;
        if (!tidy_starts_with(path, "src/") || !tidy_ends_with(path, ".h")) {
            continue;
        }
        const struct tidy_file *first = find_header(tree, name_of(path));
        if (first != &tree->files[i]) {
            tidy_report(tree, path, 1, "include", "a second header called %s beside %s",
                        name_of(path), first->path);
        }
    }
}
