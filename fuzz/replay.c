// SPDX-License-Identifier: MIT
/*
 * replay.c - runs a fuzz target over files, as an ordinary program: every corpus is a test with any
 * compiler. Arguments are files, or directories of files.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)16 << 20)
#define PATH_BYTES_MAX 4096

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_BYTES_MAX);
    int count = -1;
    if (file != NULL && bytes != NULL) {
        const size_t size = fread(bytes, 1, FILE_BYTES_MAX, file);
        (void)LLVMFuzzerTestOneInput(bytes, size);
        count = 1;
    } else {
        (void)fprintf(stderr, "cannot read %s\n", path);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(bytes);
    return count;
}

static int replay(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return replay_file(path);
    }
    int count = 0;
    const struct dirent *entry = NULL;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a program of one thread
    while (count >= 0 && (entry = readdir(directory)) != NULL) {
        char name[PATH_BYTES_MAX];
        const int length = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || length < 0 || (size_t)length >= sizeof(name)) {
            continue;
        }
        const int replayed = replay_file(name);
        count = replayed < 0 ? -1 : count + replayed;
    }
    (void)closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        const int count = replay(argv[i]);
        if (count < 0) {
            return 1;
        }
        total += count;
    }
    (void)printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 1;
}
