// SPDX-License-Identifier: MIT
/*
 * query_memory.c - see query_memory.h.
 *
 * A block counts when its usable size is LARGE_BYTES and more, from allocation to free, whoever
 * asked for it: so a block may be freed by another thread than it was made by. The count may pass
 * the limit by what threads allocate at the same instant.
 */
#include "query_memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "compiler.h"

#define LARGE_BYTES ((size_t)1 << 20)
#define DECAY_MS    100

static _Atomic uint64_t limit_bytes = UINT64_MAX;
static _Atomic uint64_t used_bytes;
static _Thread_local bool exempt;

void mr_query_memory_limit(uint64_t bytes)
{
    atomic_store(&limit_bytes, bytes);
}

void mr_query_memory_exempt(bool is_exempt)
{
    exempt = is_exempt;
}

uint64_t mr_query_memory_used(void)
{
    return atomic_load(&used_bytes);
}

#if defined(MR_DUCKDB_BUNDLED)

/* NOLINTBEGIN(readability-identifier-naming): names that the linker and C++ give */

static bool is_refused(size_t size)
{
    if (MR_LIKELY(size < LARGE_BYTES) || exempt) {
        return false;
    }
    const uint64_t limit = atomic_load_explicit(&limit_bytes, memory_order_relaxed);
    const uint64_t used = atomic_load_explicit(&used_bytes, memory_order_relaxed);
    return used >= limit || size > limit - used;
}

static void count(size_t usable)
{
    if (MR_UNLIKELY(usable >= LARGE_BYTES)) {
        (void)atomic_fetch_add_explicit(&used_bytes, usable, memory_order_relaxed);
    }
}

static void discount(size_t usable)
{
    if (MR_UNLIKELY(usable >= LARGE_BYTES)) {
        (void)atomic_fetch_sub_explicit(&used_bytes, usable, memory_order_relaxed);
    }
}

void *__real_duckdb_je_malloc(size_t size);
void *__real_duckdb_je_realloc(void *block, size_t size);
void __real_duckdb_je_free(void *block);
size_t duckdb_je_malloc_usable_size(const void *block);

void *__wrap_duckdb_je_malloc(size_t size);
void *__wrap_duckdb_je_realloc(void *block, size_t size);
void __wrap_duckdb_je_free(void *block);

int duckdb_je_mallctl(const char *name, void *old, size_t *old_size, void *value, size_t size);

void mr_query_memory_give_back_soon(void)
{
    ptrdiff_t ms = DECAY_MS;
    static const char *const names[] = {"arenas.dirty_decay_ms", "arenas.muzzy_decay_ms",
                                        "arena.4096.dirty_decay_ms", "arena.4096.muzzy_decay_ms"};
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) { /* 4096: every arena there is */
        (void)duckdb_je_mallctl(names[i], NULL, NULL, &ms, sizeof(ms));
    }
}

void *__wrap_duckdb_je_malloc(size_t size)
{
    if (is_refused(size)) {
        return NULL;
    }
    void *block = __real_duckdb_je_malloc(size);
    if (MR_UNLIKELY(size >= LARGE_BYTES / 2) && block != NULL) { /* rounded up, it may be */
        count(duckdb_je_malloc_usable_size(block));
    }
    return block;
}

void *__wrap_duckdb_je_realloc(void *block, size_t size)
{
    const size_t before = block == NULL ? 0 : duckdb_je_malloc_usable_size(block);
    if (size > before && is_refused(size)) {
        return NULL;
    }
    void *grown = __real_duckdb_je_realloc(block, size);
    if (grown != NULL) {
        discount(before);
        count(duckdb_je_malloc_usable_size(grown));
    }
    return grown;
}

void __wrap_duckdb_je_free(void *block)
{
    if (block != NULL) {
        discount(duckdb_je_malloc_usable_size(block));
        __real_duckdb_je_free(block);
    }
}

#if !defined(__SANITIZE_ADDRESS__) /* which has an operator new of its own */

/* C++: operator new(size_t), operator delete(void *), delete(void *, size_t), and how to fail. */
void *_Znwm(size_t size);
void *_Znam(size_t size);
void _ZdlPv(void *block);
void _ZdlPvm(void *block, size_t size);
void _ZdaPv(void *block);
MR_NORETURN void _ZSt17__throw_bad_allocv(void);

void *_Znwm(size_t size)
{
    void *block = is_refused(size) ? NULL : malloc(size == 0 ? 1 : size);
    if (MR_UNLIKELY(block == NULL)) {
        _ZSt17__throw_bad_allocv();
    }
    if (MR_UNLIKELY(size >= LARGE_BYTES / 2)) {
        count(malloc_usable_size(block));
    }
    return block;
}

void *_Znam(size_t size)
{
    return _Znwm(size);
}

void _ZdlPv(void *block)
{
    if (block != NULL) {
        const size_t usable = malloc_usable_size(block);
        discount(usable);
        free(block);
    }
}

void _ZdlPvm(void *block, size_t size)
{
    (void)size;
    _ZdlPv(block);
}

void _ZdaPv(void *block)
{
    _ZdlPv(block);
}

#endif
/* NOLINTEND(readability-identifier-naming) */

#else

void mr_query_memory_give_back_soon(void)
{
}

#endif
