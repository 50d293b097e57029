/* SPDX-License-Identifier: MIT */
/*
 * The host form of the harness: runs each test in a child process of its own.
 *
 * Rules:
 * - Usage: host-tests [--list] [--from=<index>] [<pattern>].
 * - A crash, a failed assertion of the code under test and a hang fail that test only.
 * - Exit code: 0 all passed, 1 a test failed, 2 wrong usage or no test matches.
 */

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/assert.h"
#include "tests/plan.h"

#define HANG_LIMIT_SECONDS 60
#define EXIT_SKIPPED 100
#define FAILURES_MAX 99

static unsigned failures;
static bool skipped;

static void __attribute__((format(printf, 1, 2))) print_out(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)fflush(stdout);
}

void test_fail(const char *file, int line, const char *text, bool has_values, int64_t got,
               int64_t wanted)
{
    failures++;
    if (has_values)
        print_out("# %s:%d: %s: got %lld, wanted %lld\n", file, line, text, (long long)got,
                  (long long)wanted);
    else
        print_out("# %s:%d: %s\n", file, line, text);
}

void test_skip(const char *reason)
{
    skipped = true;
    print_out("# skipped: %s\n", reason);
}

void assert_fail(const char *expression, const char *file, int line)
{
    print_out("# %s:%d: assertion failed: %s\n", file, line, expression);
    _exit(FAILURES_MAX);
}

/* Runs one test in a child; answers how many checks failed, or that it was skipped. */
static int run_child(const struct test_case *test)
{
    pid_t child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        (void)alarm(HANG_LIMIT_SECONDS);
        test->run();
        if (failures == 0 && skipped)
            exit(EXIT_SKIPPED);
        exit((int)(failures < FAILURES_MAX ? failures : FAILURES_MAX));
    }
    int status = 0;
    if (waitpid(child, &status, 0) < 0)
        return 1;
    if (WIFSIGNALED(status)) {
        print_out("# ended by signal %d (%s)\n", WTERMSIG(status),
                  WTERMSIG(status) == SIGALRM ? "it hung" : "it crashed");
        return 1;
    }
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    const char *pattern = NULL;
    unsigned from = 1;
    bool list = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0)
            list = true;
        else if (strncmp(argv[i], "--from=", 7) == 0)
            from = (unsigned)strtoul(argv[i] + 7, NULL, 10);
        else
            pattern = argv[i];
    }
    if (list) {
        test_plan_print(pattern, print_out);
        return 0;
    }
    unsigned count = test_plan_count(pattern);
    if (count == 0) {
        (void)fprintf(stderr, "no test matches\n");
        return 2;
    }
    test_print_header(pattern, print_out);
    bool any_failed = false;
    for (unsigned index = from; index <= count; index++) {
        const struct test_case *test = test_plan_at(pattern, index);
        int result = run_child(test);
        bool skip = result == EXIT_SKIPPED;
        any_failed |= result != 0 && !skip;
        test_print_result(test, index, skip ? 0 : (unsigned)result, skip ? "see above" : NULL,
                          print_out);
    }
    return any_failed ? 1 : 0;
}
