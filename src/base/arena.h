// SPDX-License-Identifier: MIT
/*
 * arena.h - bump allocation with one lifetime.
 *
 * Everything decoded from the wire belongs to the arena of its batch: there is no free per row, and
 * a batch is released in one step. The address range is reserved once (mmap, no memory until it is
 * touched), so an arena never moves and never grows past its capacity.
 *
 * Invariants:
 *   - used <= capacity, and capacity never grows: what does not fit is an error the caller reports
 *     (MR_E_LIMIT), never a reason to ask libc for more;
 *   - a pointer from mr_arena_alloc() is valid until mr_arena_reset() and not after;
 *   - memory past `kept` bytes goes back to the system at reset, so that one huge batch does not
 *     pin its peak for ever.
 */
#ifndef MR_BASE_ARENA_H
#define MR_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"

struct mr_arena {
    uint8_t *base;
    size_t capacity;
    size_t used;
    size_t kept; /* bytes that stay resident over a reset */
};

/** Reserves `capacity` bytes of address space. MR_E_LIMIT when the system refuses. */
bool mr_arena_init(struct mr_arena *arena, size_t capacity, size_t kept,
                   struct mr_error *err) MR_MUST_CHECK;

/** Gives everything back. Accepts a zeroed arena. */
void mr_arena_done(struct mr_arena *arena);

/** Returns size bytes, NOT zeroed, aligned to align (a power of two); NULL if they do not fit. */
void *mr_arena_alloc(struct mr_arena *arena, size_t size, size_t align);

/** As mr_arena_alloc(), zeroed. */
void *mr_arena_alloc_zero(struct mr_arena *arena, size_t size, size_t align);

/** Copies bytes into the arena; NULL if they do not fit. A zero length gives a non-NULL pointer. */
void *mr_arena_copy(struct mr_arena *arena, const void *bytes, size_t length);

/** Forgets every allocation. Under AddressSanitizer the memory is poisoned. */
void mr_arena_reset(struct mr_arena *arena);

#define MR_ARENA_NEW(arena, type, count)                                                           \
    ((size_t)(count) > SIZE_MAX / sizeof(type)                                                     \
         ? NULL                                                                                    \
         : (type *)mr_arena_alloc_zero((arena), (size_t)(count) * sizeof(type), _Alignof(type)))

#endif
