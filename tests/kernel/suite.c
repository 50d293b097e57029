/* SPDX-License-Identifier: MIT */
/*
 * Running the in-kernel tests that the boot argument chose, or what stands in for them (bench.h,
 * torture.h), then ending the machine.
 *
 * test=<pattern> runs (an empty one: all), test=list prints the plan, test_from=<k> starts at the k-th test of the plan.
 * Exit code 0 if all passed, 1 if one failed or none was chosen, 3 if one did not end.
 */
#include <string.h>

#include "arch/console.h"
#include "arch/platform.h"
#include "arch/power.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "kernel/core/suite.h"
#include "sched/sched.h"
#include "tests/kernel/baseline.h"
#include "tests/kernel/bench.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/suite.h"
#include "tests/kernel/torture.h"
#include "tests/kernel/watch.h"
#include "tests/plan.h"

#define PATTERN_BYTES 96
#define LIMIT_NS 25000000000UL
#define SELFTEST_LIMIT_NS 8000000000UL
/* Beyond this many, failures of one test are counted but not printed. */
#define SHOWN_FAILURES 10U

static uint32_t failures; /* of the running test; atomic, any thread of the test adds */
static const char *skip_reason;
static char pattern[PATTERN_BYTES] = "*";

static void (*instead)(const char *pattern); /* of tests: benchmarks or tortures */

bool suite_requested(void)
{
    if (bootarg_find("bench", pattern, sizeof(pattern))) {
        instead = bench_run;
    } else if (bootarg_find("torture", pattern, sizeof(pattern))) {
        instead = torture_run;
    } else if (!bootarg_find("test", pattern, sizeof(pattern))) {
        return false;
    }
    if (pattern[0] == '\0') { /* an empty pattern is no pattern */
        pattern[0] = '*';
        pattern[1] = '\0';
    }
    return true;
}

void test_fail(const char *file, int line, const char *text, bool has_values, int64_t got,
               int64_t wanted)
{
    /* relaxed: read after the test's threads have been joined */
    if (atomic_add_relaxed(&failures, 1) >= SHOWN_FAILURES) {
        return;
    }
    if (has_values) {
        print("# %s:%d: %s: got %ld, wanted %ld\n", file, line, text, (long)got, (long)wanted);
    } else {
        print("# %s:%d: %s\n", file, line, text);
    }
}

uint32_t suite_failures(void)
{
    return atomic_load_relaxed(&failures); /* relaxed: threads have been joined */
}

void suite_forget_failures(void)
{
    atomic_store_relaxed(&failures, 0U); /* relaxed: no thread of a test runs now */
}

void test_skip(const char *reason)
{
    skip_reason = reason;
}

static bool suite_run_one(const struct test_case *test, unsigned index)
{
    struct baseline before;

    suite_forget_failures();
    skip_reason = NULL;
    watch_note_progress(test->group, test->name);
    baseline_take(&before);
    test->run();
    EXPECT_OK(sched_migrate(0));
    (void)baseline_expect(&before);
    test_print_result(test, index, failures, skip_reason, print);
    return failures == 0;
}

void suite_end(unsigned code)
{
    console_flush();
    power_exit(code);
}

uint64_t suite_argument(const char *key, uint64_t otherwise)
{
    char text[24];
    uint64_t number = 0;

    if (!bootarg_find(key, text, sizeof(text))) {
        return otherwise;
    }
    for (const char *digit = text; *digit >= '0' && *digit <= '9'; digit++) {
        number = number * 10 + (uint64_t)(*digit - '0');
    }
    return number;
}

/* One that does not come is boot.every_core_is_online's business. */
void suite_wait_for_cores(void)
{
    nsec_t since = timer_now_ns();

    while (sched_online_count() < platform.core_count && crew_wait_on(since)) {
    }
}

void suite_run(void)
{
    unsigned count = test_plan_count(pattern);
    unsigned first = (unsigned)suite_argument("test_from", 1);
    unsigned failed = 0;

    if (instead != NULL) {
        instead(pattern); /* does not return */
    }
    if (strcmp(pattern, "list") == 0) {
        test_plan_print(NULL, print);
        suite_end(EXIT_OK);
    }
    if (count == 0) {
        print("# no test matches %s\n", pattern);
        suite_end(EXIT_TEST_FAILED);
    }
    suite_wait_for_cores();
    interrupt_test_map();
    watch_start(strncmp(pattern, "selftest", 8) == 0 ? SELFTEST_LIMIT_NS : LIMIT_NS);
    if (first > count) {
        print("# test_from=%u: the plan has %u tests\n", first, count);
        suite_end(EXIT_TEST_FAILED);
    }
    test_print_header(pattern, print);
    for (unsigned index = first; index <= count; index++) {
        failed += !suite_run_one(test_plan_at(pattern, index), index);
    }
    suite_end(failed == 0 ? EXIT_OK : EXIT_TEST_FAILED);
}
