/* SPDX-License-Identifier: MIT */
/*
 * The test harness of user programs: a test is a function that registers itself.
 *
 * Rules: include it only in programs named test-*; it brings its own main. Output is KTAP, the
 * exit code is 0 when every test passed, else 1. The first argument, if any, is a pattern for
 * `group.name`. EXPECT goes on after a failure and may be used in any thread; ASSERT leaves the
 * function in which it stands, so it belongs into the body of a test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/lib/baton.h"

struct test {
    const char *name; /* group.name */
    void (*run)(void);
};

#define TEST(group, name_)                                                                         \
    static void test_##group##_##name_(void);                                                      \
    static const struct test test_entry_##group##_##name_                                          \
        __attribute__((used, section(".baton_tests"))) = {                                         \
            .name = #group "." #name_,                                                             \
            .run = test_##group##_##name_,                                                         \
    };                                                                                             \
    static void test_##group##_##name_(void)

#define EXPECT(condition) ((void)test_check((condition), #condition, __FILE__, __LINE__))

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!test_check((condition), #condition, __FILE__, __LINE__)) {                            \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* Both values are shown when they differ. */
#define EXPECT_EQUAL(got, want)                                                                    \
    ((void)test_equal((int64_t)(got), (int64_t)(want), #got, __FILE__, __LINE__))

#define ASSERT_EQUAL(got, want)                                                                    \
    do {                                                                                           \
        if (!test_equal((int64_t)(got), (int64_t)(want), #got, __FILE__, __LINE__)) {              \
            return;                                                                                \
        }                                                                                          \
    } while (0)

bool test_check(bool passed, const char *what, const char *file, int line);
bool test_equal(int64_t got, int64_t want, const char *what, const char *file, int line);

/* Marks the running test as skipped, with the reason. */
void test_skip(const char *why);

/* A deadline that many milliseconds from now. */
static inline uint64_t test_deadline_ms(uint64_t ms)
{
    return clock_ns() + ms * 1000000UL;
}

/* A port of that name; starts `program` with `argc` arguments first if nobody has the name.
 * `*started` gets the program, with the handle HANDLE_NONE if it was there already. */
status_t test_peer(const char *name, int argc, const char *const *argv, struct program *started,
                   handle_t *port);
