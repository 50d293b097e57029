/* SPDX-License-Identifier: MIT */
/*
 * The test macros, the same in the kernel, in user programs and on the host.
 *
 * Rules:
 * - TEST(group, plain_english_name) { ... } registers a test; nothing else is needed.
 * - EXPECT_* notes a failure and goes on; ASSERT_* notes it and leaves the test function, so it is
 *   only used in the body of a test itself.
 * - Each argument is evaluated once.
 * - The harness supplies test_fail() and runs what lies in the section baton_tests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_case {
    const char *group;
    const char *name;
    void (*run)(void);
    const char *file;
};

#define TEST(group_, name_)                                                                        \
    static void test_##group_##_##name_(void);                                                     \
    static const struct test_case test_case_##group_##_##name_                                     \
        __attribute__((section("baton_tests"), used, aligned(sizeof(void *)))) = {                 \
            #group_, #name_, test_##group_##_##name_, __FILE__};                                   \
    static void test_##group_##_##name_(void)

/*
 * Notes that the running test failed. `text` is the condition; `got` and `wanted` are printed when
 * `has_values`. Must be callable from any thread of the test.
 */
void test_fail(const char *file, int line, const char *text, bool has_values, int64_t got,
               int64_t wanted);

/* Notes that the running test cannot run here, and why; the test should then return. */
void test_skip(const char *reason);

static inline bool test_check(bool holds, const char *file, int line, const char *text)
{
    if (!holds)
        test_fail(file, line, text, false, 0, 0);
    return holds;
}

static inline bool test_check_equal(int64_t got, int64_t wanted, const char *file, int line,
                                    const char *text)
{
    if (got != wanted)
        test_fail(file, line, text, true, got, wanted);
    return got == wanted;
}

static inline bool test_text_is_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

#define EXPECT_TRUE(condition) ((void)test_check((condition), __FILE__, __LINE__, #condition))
#define EXPECT_FALSE(condition) EXPECT_TRUE(!(condition))
#define EXPECT_EQ(got, wanted)                                                                     \
    ((void)test_check_equal((int64_t)(got), (int64_t)(wanted), __FILE__, __LINE__,                 \
                            #got " == " #wanted))
#define EXPECT_NE(got, other) EXPECT_TRUE((got) != (other))
#define EXPECT_OK(status) EXPECT_EQ((status), 0)
#define EXPECT_TEXT(got, wanted)                                                                   \
    ((void)test_check(test_text_is_equal((got), (wanted)), __FILE__, __LINE__, #got " is " #wanted))

#define ASSERT_TRUE(condition)                                                                     \
    do {                                                                                           \
        if (!test_check((condition), __FILE__, __LINE__, #condition))                              \
            return;                                                                                \
    } while (0)
#define ASSERT_FALSE(condition) ASSERT_TRUE(!(condition))
#define ASSERT_EQ(got, wanted)                                                                     \
    do {                                                                                           \
        if (!test_check_equal((int64_t)(got), (int64_t)(wanted), __FILE__, __LINE__,               \
                              #got " == " #wanted))                                                \
            return;                                                                                \
    } while (0)
#define ASSERT_NE(got, other) ASSERT_TRUE((got) != (other))
#define ASSERT_OK(status) ASSERT_EQ((status), 0)
