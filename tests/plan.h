/* SPDX-License-Identifier: MIT */
/*
 * The part of a test run that all harnesses share: which tests are chosen, in which order, and what
 * is printed about each.
 *
 * Rules:
 * - The plan is every test in the section baton_tests whose full name "group.name" matches the
 *   pattern, in link order. Tests of the group `selftest` fail on purpose; only a pattern that
 *   begins with "selftest" chooses them.
 * - Indices in the plan begin at 1.
 * - No allocation, no state: the harness keeps its own.
 */
#pragma once

#include "tests/test.h"

/* How the harness prints: formatted text, no line end added. */
typedef void (*test_print_fn)(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Does `text` match `pattern`, in which * stands for any text and ? for any one character? */
bool test_pattern_matches(const char *pattern, const char *text);

/* Is this test chosen by the pattern? NULL and "" choose all but the self-tests. */
bool test_is_chosen(const struct test_case *test, const char *pattern);

/* The number of tests in the plan. */
unsigned test_plan_count(const char *pattern);

/* The test at this index of the plan, or NULL past its end. */
const struct test_case *test_plan_at(const char *pattern, unsigned index);

/* Prints the plan: "1..N", then a line "# <index> <group>.<name>" each. */
void test_plan_print(const char *pattern, test_print_fn print);

/* Prints "KTAP version 1" and "1..N". */
void test_print_header(const char *pattern, test_print_fn print);

/* Prints the line of one result; `failures` and `skip_reason` (NULL: not skipped) decide it. */
void test_print_result(const struct test_case *test, unsigned index, unsigned failures,
                       const char *skip_reason, test_print_fn print);
