// SPDX-License-Identifier: MIT
/* Arenas: alignment, the cap, and what a reset keeps resident. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "check.h"

#define MIB ((size_t)1 << 20)

static struct mr_arena make_arena(size_t capacity, size_t kept)
{
    struct mr_arena arena = {0};
    struct mr_error err = {0};
    assert_true(mr_arena_init(&arena, capacity, kept, &err));
    return arena;
}

static size_t resident_bytes(const struct mr_arena *arena)
{
    static unsigned char pages[65536];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t count = arena->capacity / page;
    size_t resident = 0;
    assert_true(count <= sizeof(pages));
    assert_int_equal(mincore(arena->base, arena->capacity, pages), 0);
    for (size_t i = 0; i < count; i++) {
        resident += (pages[i] & 1) != 0 ? page : 0;
    }
    return resident;
}

static void allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    struct mr_arena arena = make_arena(MIB, MIB);
    uint8_t *before = NULL;
    for (size_t align = 1; align <= 4096; align *= 2) {
        uint8_t *bytes = mr_arena_alloc(&arena, 3, align);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % align, 0);
        assert_true(before == NULL || bytes >= before + 3);
        memset(bytes, 0x5a, 3);
        before = bytes;
    }
    mr_arena_done(&arena);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, MIB, SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2};
    struct mr_arena arena = make_arena(MIB, 0);
    assert_non_null(mr_arena_alloc(&arena, MIB - 1, 1));
    for (size_t i = 0; i < MR_ARRAY_LEN(sizes); i++) {
        assert_null(mr_arena_alloc(&arena, sizes[i], 2));
    }
    assert_null(MR_ARENA_NEW(&arena, uint64_t, SIZE_MAX / 4));
    assert_non_null(mr_arena_alloc(&arena, 1, 1));
    assert_non_null(mr_arena_alloc(&arena, 0, 1));
    assert_int_equal(arena.used, arena.capacity);
    mr_arena_done(&arena);
}

static void new_memory_is_zero_even_when_used_before(void **state)
{
    (void)state;
    struct mr_arena arena = make_arena(MIB, MIB);
    memset(mr_arena_alloc(&arena, 4096, 1), 0xff, 4096);
    mr_arena_reset(&arena);
    const uint64_t *words = MR_ARENA_NEW(&arena, uint64_t, 512);
    for (size_t i = 0; i < 512; i++) {
        assert_int_equal(words[i], 0);
    }
    mr_arena_done(&arena);
}

static void copies_are_equal(void **state)
{
    (void)state;
    struct mr_arena arena = make_arena(MIB, MIB);
    assert_memory_equal(mr_arena_copy(&arena, "abc", 3), "abc", 3);
    assert_non_null(mr_arena_copy(&arena, NULL, 0));
    mr_arena_done(&arena);
}

static void a_reset_gives_the_peak_back(void **state)
{
    (void)state;
    struct mr_arena arena = make_arena(64 * MIB, MIB);
    assert_int_equal(resident_bytes(&arena), 0);
    memset(mr_arena_alloc(&arena, 32 * MIB, 1), 1, 32 * MIB);
    assert_true(resident_bytes(&arena) >= 32 * MIB);
    mr_arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    assert_in_range(resident_bytes(&arena), MIB / 2, MIB);
    mr_arena_done(&arena);
    mr_arena_done(&arena);
}

static void an_impossible_reservation_is_an_error(void **state)
{
    (void)state;
    struct mr_arena arena = {0};
    struct mr_error err = {0};
    assert_false(mr_arena_init(&arena, SIZE_MAX / 4, 0, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    assert_null(arena.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(new_memory_is_zero_even_when_used_before),
        cmocka_unit_test(copies_are_equal),
        cmocka_unit_test(a_reset_gives_the_peak_back),
        cmocka_unit_test(an_impossible_reservation_is_an_error),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
