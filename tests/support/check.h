// SPDX-License-Identifier: MIT
/*
 * check.h - cmocka with the headers it needs before it (include sorting would part them).
 */
#ifndef MR_TESTS_SUPPORT_CHECK_H
#define MR_TESTS_SUPPORT_CHECK_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
