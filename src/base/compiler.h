// SPDX-License-Identifier: MIT
/*
 * compiler.h - the only file with compiler attributes, and the assertion of the project.
 */
#ifndef MR_BASE_COMPILER_H
#define MR_BASE_COMPILER_H

#include <stddef.h>

#define MR_MUST_CHECK     __attribute__((warn_unused_result))
#define MR_PRINTF(fmt, a) __attribute__((format(printf, fmt, a)))
#define MR_NORETURN       __attribute__((noreturn))
#define MR_UNUSED         __attribute__((unused))
#define MR_COLD           __attribute__((cold))
#define MR_LIKELY(x)      __builtin_expect(!!(x), 1)
#define MR_UNLIKELY(x)    __builtin_expect(!!(x), 0)
#define MR_TARGET(isa)    __attribute__((target(isa)))
#define MR_FALLTHROUGH    __attribute__((fallthrough))

#define MR_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/*
 * States one of our own invariants. Stays on in release builds: the process stops and resumes from
 * its durable log, which is better than going on with state that cannot be. What a peer, a file or
 * an operator gets wrong is an error (error.h), never an assertion.
 */
#define MR_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : mr_assert_failed(#condition, __FILE__, __LINE__))

/** Prints the broken invariant to stderr and aborts. Defined in error.c. */
MR_NORETURN MR_COLD void mr_assert_failed(const char *condition, const char *file, int line);

#endif
