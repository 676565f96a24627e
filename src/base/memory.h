// SPDX-License-Identifier: MIT
/*
 * memory.h - libc memory for what outlives a batch; running out of it aborts.
 *
 * Large and hostile-sized things live in arenas with a cap (arena.h) and fail with MR_E_LIMIT. What
 * is left (configurations, catalogs, queues) is small and bounded: no caller could do better than
 * stop, and the process resumes from its durable log.
 */
#ifndef MR_BASE_MEMORY_H
#define MR_BASE_MEMORY_H

#include <stddef.h>

#include "compiler.h"

/** Zeroed memory for count items of size bytes; free() it. Aborts when there is none. */
void *mr_memory_new(size_t count, size_t size) MR_MUST_CHECK;

/** Resizes to count items of size bytes; what is new is not zeroed. Aborts when it cannot. */
void *mr_memory_resize(void *memory, size_t count, size_t size) MR_MUST_CHECK;

/** A NUL-terminated copy of length bytes; free() it. */
char *mr_memory_copy_text(const void *bytes, size_t length) MR_MUST_CHECK;

#endif
