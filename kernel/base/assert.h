/* SPDX-License-Identifier: MIT */
/*
 * Assertions: a bug of the kernel ends the machine; a user's mistake never gets here.
 *
 * Rules: ASSERT states what the code relies on; it is checked in debug builds and its operand
 * is compiled but not run in release ones, so it must have no side effect. BUG_ON is always
 * checked: use it where going on would corrupt memory or leak another domain's data.
 */
#pragma once

#include "kernel/base/types.h"

#ifndef BATON_DEBUG
#define BATON_DEBUG 0
#endif

/* Defined by the kernel's panic (and by the harness of the host tests). Any context. */
NORETURN void assert_fail(const char *expression, const char *file, int line);

#define BUG_ON(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!!(condition), 0)) {                                                  \
            assert_fail("BUG_ON(" #condition ")", __FILE__, __LINE__);                             \
        }                                                                                          \
    } while (0)

#if BATON_DEBUG
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            assert_fail(#condition, __FILE__, __LINE__);                                           \
        }                                                                                          \
    } while (0)
#else
#define ASSERT(condition) ((void)sizeof((condition) ? 1 : 0))
#endif
