// SPDX-License-Identifier: MIT
/*
 * main.c - tidy [--report] [--exceptions FILE] ROOT
 *
 * Exit codes: 0 nothing found, 1 findings, 2 the tree cannot be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tidy.h"

#define AREAS_MAX 64

struct densities {
    struct tidy_density areas[AREAS_MAX];
    size_t count;
};

/* The counts of the file's folder; files outside src, and folders past the limit, share one. */
static struct tidy_density *density_of(struct densities *densities, const char *path)
{
    char area[sizeof(densities->areas[0].area)];
    tidy_area_of(path, area, sizeof(area));
    for (size_t i = 0; i < densities->count; i++) {
        if (strcmp(densities->areas[i].area, area) == 0) {
            return &densities->areas[i];
        }
    }
    if (densities->count == AREAS_MAX) {
        return &densities->areas[AREAS_MAX - 1];
    }
    struct tidy_density *density = &densities->areas[densities->count++];
    *density = (struct tidy_density){0};
    memcpy(density->area, area, sizeof(area));
    return density;
}

static void print_density(const char *name, const struct tidy_density *density)
{
    const double code_lines = density->code_lines == 0 ? 1 : (double)density->code_lines;
    const double functions = density->functions == 0 ? 1 : (double)density->functions;
    (void)printf("%-20s %7zu %9zu %10zu %8.1f %10.2f\n", name, density->code_lines,
                 density->functions, density->assertions,
                 (double)density->assertions * 1000 / code_lines,
                 (double)density->assertions / functions);
}

static void print_report(const struct densities *densities)
{
    struct tidy_density total = {0};
    (void)printf("%-20s %7s %9s %10s %8s %10s\n", "folder", "code", "functions", "assertions",
                 "per KLOC", "a function");
    for (size_t i = 0; i < densities->count; i++) {
        const struct tidy_density *density = &densities->areas[i];
        if (density->area[0] == '\0') {
            continue;
        }
        print_density(density->area, density);
        total.code_lines += density->code_lines;
        total.functions += density->functions;
        total.assertions += density->assertions;
    }
    print_density("src", &total);
}

/* Every folder of sources under src says what it is for. */
void tidy_check_folders(struct tidy_tree *tree)
{
    char seen[512] = "";
    for (size_t i = 0; i < tree->file_count; i++) {
        char readme[512];
        struct stat status;
        const char *path = tree->files[i].path;
        const int length = (int)(strrchr(path, '/') - path);
        (void)snprintf(readme, sizeof(readme), "%.*s/README.md", length, path);
        if (!tidy_starts_with(path, "src/") || strcmp(readme, seen) == 0) {
            continue;
        }
        (void)snprintf(seen, sizeof(seen), "%s", readme);
        if (stat(readme, &status) != 0) {
            tidy_report(tree, readme, 1, "readme", "a folder without one");
        }
    }
}

static void check_tree(struct tidy_tree *tree, struct densities *densities)
{
    for (size_t i = 0; i < tree->file_count; i++) {
        const struct tidy_file *file = &tree->files[i];
        tidy_check_lines(tree, file);
        tidy_check_functions(tree, file, density_of(densities, file->path));
        tidy_check_calls(tree, file);
        tidy_check_includes(tree, file);
    }
    tidy_check_headers(tree);
    tidy_check_folders(tree);
    tidy_check_exceptions(tree);
}

int main(int argc, char **argv)
{
    const char *root = NULL;
    const char *exceptions = "tools/tidy/exceptions";
    bool with_report = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--report") == 0) {
            with_report = true;
        } else if (strcmp(argv[i], "--exceptions") == 0 && i + 1 < argc) {
            exceptions = argv[++i];
        } else {
            root = argv[i];
        }
    }
    struct tidy_tree tree = {0};
    static struct densities densities;
    if (root == NULL || chdir(root) != 0 || !tidy_tree_read_exceptions(&tree, exceptions) ||
        !tidy_tree_read(&tree)) {
        (void)fprintf(stderr, "usage: tidy [--report] [--exceptions FILE] ROOT\n");
        tidy_tree_done(&tree);
        return 2;
    }
    check_tree(&tree, &densities);
    if (with_report) {
        print_report(&densities);
    }
    const size_t file_count = tree.file_count;
    const size_t finding_count = tree.finding_count;
    tidy_tree_done(&tree);
    (void)printf("tidy: %zu files, %zu findings\n", file_count, finding_count);
    return finding_count == 0 ? 0 : 1;
}
