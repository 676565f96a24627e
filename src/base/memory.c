// SPDX-License-Identifier: MIT
/*
 * memory.c - libc memory that is there or ends the process (see memory.h for why).
 */
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *mr_memory_new(size_t count, size_t size)
{
    MR_ASSERT(size > 0);
    void *memory = calloc(count == 0 ? 1 : count, size);
    MR_ASSERT(memory != NULL);
    return memory;
}

void *mr_memory_resize(void *memory, size_t count, size_t size)
{
    MR_ASSERT(size > 0 && count > 0);
    MR_ASSERT(count <= SIZE_MAX / size);
    void *resized = realloc(memory, count * size);
    MR_ASSERT(resized != NULL);
    return resized;
}

char *mr_memory_copy_text(const void *bytes, size_t length)
{
    MR_ASSERT(bytes != NULL || length == 0);
    MR_ASSERT(length < SIZE_MAX);
    char *text = mr_memory_new(length + 1, 1);
    if (length > 0) {
        memcpy(text, bytes, length);
    }
    return text;
}
