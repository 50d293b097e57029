/* SPDX-License-Identifier: MIT */
#include "user/lib/test.h"

#include <inttypes.h>
#include <stdio.h>

#include "user/lib/glob.h"

#define PEER_START_MS 10000

extern const struct test __tests_start[];
extern const struct test __tests_end[];

int main(int argc, char **argv);

/* Failures of the running test; any of its threads may add. Relaxed: read after they ended. */
static uint32_t failures;
static char reason[160];
static const char *skip_reason;

/* The first failure is the reason on the test's line, the others are diagnostics. */
static bool first_failure(void)
{
    return __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) == 0;
}

bool test_check(bool passed, const char *what, const char *file, int line)
{
    if (!passed) {
        if (first_failure()) {
            snprintf(reason, sizeof(reason), "%s:%d: %s", file, line, what);
        } else {
            printf("# %s:%d: %s\n", file, line, what);
        }
    }
    return passed;
}

bool test_equal(int64_t got, int64_t want, const char *what, const char *file, int line)
{
    if (got != want) {
        if (first_failure()) {
            snprintf(reason, sizeof(reason), "%s:%d: %s is %" PRId64 ", not %" PRId64, file, line,
                     what, got, want);
        } else {
            printf("# %s:%d: %s is %" PRId64 ", not %" PRId64 "\n", file, line, what, got, want);
        }
    }
    return got == want;
}

void test_skip(const char *why)
{
    skip_reason = why;
}

status_t test_peer(const char *name, int argc, const char *const *argv, struct program *started,
                   handle_t *port)
{
    status_t status = lookup_find(name, port);

    *started = (struct program){.domain = HANDLE_NONE};
    if (status != ERR_NOT_FOUND && status != ERR_STALE) {
        return status;
    }
    status = program_start(argv[0], argc, argv, started);
    return status == OK ? lookup_wait(name, port, test_deadline_ms(PEER_START_MS)) : status;
}

static bool run_one(const struct test *test, unsigned number)
{
    failures = 0;
    skip_reason = NULL;
    test->run();
    if (failures != 0) {
        printf("not ok %u %s # %s\n", number, test->name, reason);
    } else if (skip_reason != NULL) {
        printf("ok %u %s # SKIP %s\n", number, test->name, skip_reason);
    } else {
        printf("ok %u %s\n", number, test->name);
    }
    return failures == 0;
}

int main(int argc, char **argv)
{
    const char *pattern = argc > 1 ? argv[1] : "*";
    unsigned planned = 0;
    unsigned number = 0;
    unsigned failed = 0;

    for (const struct test *test = __tests_start; test < __tests_end; test++) {
        planned += glob_match(pattern, test->name);
    }
    printf("KTAP version 1\n1..%u\n", planned);
    for (const struct test *test = __tests_start; test < __tests_end; test++) {
        if (glob_match(pattern, test->name)) {
            failed += !run_one(test, ++number);
        }
    }
    printf("# %u passed, %u failed\n", number - failed, failed);
    return planned == 0 || failed != 0;
}
