// SPDX-License-Identifier: MIT
/*
 * arena.c - bump allocation over one reserved address range.
 *
 * Why mmap with MAP_NORESERVE and not malloc: the range costs nothing until it is touched, so every
 * batch can have the room of the largest one allowed, and madvise(MADV_DONTNEED) gives the peak of
 * one huge batch back without giving up the range (no pointer arithmetic ever changes).
 *
 * Under AddressSanitizer, what is not allocated is poisoned: everything that was used at reset, and
 * a stretch past the last allocation, so that an overflow or a pointer kept over a reset is found.
 */
#include "arena.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define MR_ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MR_ARENA_POISONS 1
#endif
#endif

#if defined(MR_ARENA_POISONS)
#include <sanitizer/asan_interface.h>
#define POISON(from, size)   ASAN_POISON_MEMORY_REGION((from), (size))
#define UNPOISON(from, size) ASAN_UNPOISON_MEMORY_REGION((from), (size))
#else
#define POISON(from, size)   ((void)(from), (void)(size))
#define UNPOISON(from, size) ((void)(from), (void)(size))
#endif

#define GUARD_BYTES 256

static size_t round_up_to_page(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    MR_ASSERT(page > 0 && (page & (page - 1)) == 0);
    return (size + page - 1) & ~(page - 1);
}

static void poison_guard(struct mr_arena *arena)
{
    const size_t left = arena->capacity - arena->used;
    POISON(arena->base + arena->used, left < GUARD_BYTES ? left : GUARD_BYTES);
}

bool mr_arena_init(struct mr_arena *arena, size_t capacity, size_t kept, struct mr_error *err)
{
    MR_ASSERT(arena != NULL);
    MR_ASSERT(capacity > 0 && capacity < SIZE_MAX / 2);
    const size_t reserved = round_up_to_page(capacity);
    void *base = mmap(NULL, reserved, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP,
                       "cannot reserve %zu bytes of address space; raise the process's limit "
                       "(ulimit -v) or lower memory_max",
                       reserved);
    }
    *arena = (struct mr_arena){
        .base = base,
        .capacity = reserved,
        .kept = round_up_to_page(kept < reserved ? kept : reserved),
    };
    poison_guard(arena);
    return true;
}

void mr_arena_done(struct mr_arena *arena)
{
    if (arena == NULL || arena->base == NULL) {
        return;
    }
    UNPOISON(arena->base, arena->capacity);
    const int unmapped = munmap(arena->base, arena->capacity);
    MR_ASSERT(unmapped == 0);
    *arena = (struct mr_arena){0};
}

void *mr_arena_alloc(struct mr_arena *arena, size_t size, size_t align)
{
    MR_ASSERT(align > 0 && (align & (align - 1)) == 0);
    MR_ASSERT(arena->used <= arena->capacity);
    const size_t start = (arena->used + align - 1) & ~(align - 1);
    if (MR_UNLIKELY(start > arena->capacity || size > arena->capacity - start)) {
        return NULL;
    }
    arena->used = start + size;
    UNPOISON(arena->base + start, size);
    poison_guard(arena);
    return arena->base + start;
}

void *mr_arena_alloc_zero(struct mr_arena *arena, size_t size, size_t align)
{
    void *memory = mr_arena_alloc(arena, size, align);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

void *mr_arena_copy(struct mr_arena *arena, const void *bytes, size_t length)
{
    MR_ASSERT(bytes != NULL || length == 0);
    void *copy = mr_arena_alloc(arena, length, 1);
    if (copy != NULL && length > 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

void mr_arena_reset(struct mr_arena *arena)
{
    MR_ASSERT(arena->base != NULL);
    MR_ASSERT(arena->used <= arena->capacity);
    if (arena->used > arena->kept) {
        /* Best effort: when the system refuses, the pages merely stay. */
        (void)madvise(arena->base + arena->kept, round_up_to_page(arena->used - arena->kept),
                      MADV_DONTNEED);
    }
    POISON(arena->base, arena->used);
    arena->used = 0;
    poison_guard(arena);
}
