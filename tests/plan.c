/* SPDX-License-Identifier: MIT */
/* Chooses and numbers tests, and prints results, for every harness. */

#include <stddef.h>

#include "tests/plan.h"

/* Made by the linker: the bounds of the section baton_tests. */
extern const struct test_case __start_baton_tests[];
extern const struct test_case __stop_baton_tests[];

/* Greedy with one point to go back to: the last *. Linear in practice, no recursion. */
bool test_pattern_matches(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *retry = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static void full_name(const struct test_case *test, char *name, size_t size)
{
    size_t used = 0;
    const char *parts[] = {test->group, ".", test->name};
    for (unsigned part = 0; part < 3; part++)
        for (const char *c = parts[part]; *c != '\0' && used + 1 < size; c++)
            name[used++] = *c;
    name[used] = '\0';
}

bool test_is_chosen(const struct test_case *test, const char *pattern)
{
    static const char selftest[] = "selftest";
    bool asked = pattern != NULL;
    for (unsigned i = 0; asked && i < sizeof(selftest) - 1; i++)
        asked = pattern[i] == selftest[i];
    if (test_text_is_equal(test->group, selftest) && !asked)
        return false;
    if (pattern == NULL || *pattern == '\0')
        return true;
    char name[160];
    full_name(test, name, sizeof(name));
    return test_pattern_matches(pattern, name);
}

unsigned test_plan_count(const char *pattern)
{
    unsigned count = 0;
    for (const struct test_case *test = __start_baton_tests; test < __stop_baton_tests; test++)
        count += test_is_chosen(test, pattern);
    return count;
}

const struct test_case *test_plan_at(const char *pattern, unsigned index)
{
    for (const struct test_case *test = __start_baton_tests; test < __stop_baton_tests; test++)
        if (test_is_chosen(test, pattern) && --index == 0)
            return test;
    return NULL;
}

void test_plan_print(const char *pattern, test_print_fn print)
{
    test_print_header(pattern, print);
    unsigned index = 0;
    for (const struct test_case *test = __start_baton_tests; test < __stop_baton_tests; test++)
        if (test_is_chosen(test, pattern))
            print("# %u %s.%s\n", ++index, test->group, test->name);
}

void test_print_header(const char *pattern, test_print_fn print)
{
    print("KTAP version 1\n1..%u\n", test_plan_count(pattern));
}

void test_print_result(const struct test_case *test, unsigned index, unsigned failures,
                       const char *skip_reason, test_print_fn print)
{
    if (failures != 0)
        print("not ok %u %s.%s # %u checks failed\n", index, test->group, test->name, failures);
    else if (skip_reason != NULL)
        print("ok %u %s.%s # SKIP %s\n", index, test->group, test->name, skip_reason);
    else
        print("ok %u %s.%s\n", index, test->group, test->name);
}
