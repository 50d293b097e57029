/* SPDX-License-Identifier: MIT */
#include "user/programs/shell/commands.h"

#include <stdbool.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/baton.h"
#include "user/lib/glob.h"

#define TEST_PREFIX "test-"
#define FILE_NAME_BYTES 256

static void print_end(const char *name, int64_t code)
{
    static const char *const reasons[] = {
        "killed",
        "a load from a bad address",
        "a store to a bad address",
        "a jump to a bad address",
        "an illegal instruction",
        "a misaligned access",
        "a breakpoint",
        "an access fault",
        "an exception",
        "out of memory",
    };
    size_t reason = (size_t)(code - EXIT_KILLED);

    if (code < 0) {
        printf("%s: %s\n", name, status_text(code));
    } else if (code < EXIT_KILLED) {
        printf("%s: exit code %d\n", name, (int)code);
    } else {
        printf("%s: ended by the kernel: %s (code %d)\n", name,
               reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason] : "unknown",
               (int)code);
    }
}

/* Starts a program, says why when that fails. */
static bool start(int argc, char **argv, struct program *program)
{
    status_t status = program_start(argv[0], argc, (const char *const *)argv, program);

    if (status == ERR_NOT_FOUND) {
        printf("%s: no such program in the boot archive\n", argv[0]);
    } else if (status != OK) {
        printf("%s: %s\n", argv[0], status_text(status));
    }
    return status == OK;
}

static void run(int argc, char **argv)
{
    bool background = strcmp(argv[argc - 1], "&") == 0;
    struct program program;

    argc -= background ? 2 : 1;
    if (argc == 0 || !start(argc, argv + 1, &program)) {
        return;
    }
    if (background) {
        printf("%s: domain %" PRIu64 "\n", argv[1], program.id);
        handle_close(program.domain);
        return;
    }
    int64_t code = program_wait(&program);

    if (code != 0) {
        print_end(argv[1], code);
    }
}

static void kill_domain(int argc, char **argv)
{
    char *end;
    uint64_t id = strtoull(argv[1], &end, 0);
    status_t status = *end == '\0' ? program_kill(id) : ERR_INVALID;

    (void)argc;
    if (status == ERR_NOT_FOUND) {
        printf("kill: no such domain\n");
    } else if (status != OK) {
        printf("kill: %s\n", status_text(status));
    }
}

/* Runs one test program; true when it passed. */
static bool test_one(const char *name, char *pattern)
{
    char *argv[] = {(char *)(uintptr_t)name, pattern};
    struct program program;

    printf("# %s\n", name);
    fflush(stdout);
    if (!start(pattern == NULL ? 1 : 2, argv, &program)) {
        return false;
    }
    int64_t code = program_wait(&program);

    if (code != 0) {
        print_end(name, code);
    }
    return code == 0;
}

static void test(int argc, char **argv)
{
    const char *pattern = argc > 1 ? argv[1] : "*";
    unsigned passed = 0;
    unsigned failed = 0;
    char name[FILE_NAME_BYTES];
    uint64_t bytes;
    status_t status;

    for (uint64_t i = 0; (status = archive_list(i, name, sizeof(name), &bytes)) == OK; i++) {
        bool is_test = strncmp(name, TEST_PREFIX, strlen(TEST_PREFIX)) == 0;

        if (!is_test ||
            (!glob_match(pattern, name) && !glob_match(pattern, name + strlen(TEST_PREFIX)))) {
            continue;
        }
        if (test_one(name, argc > 2 ? argv[2] : NULL)) {
            passed++;
        } else {
            failed++;
        }
    }
    if (status != ERR_NOT_FOUND) {
        printf("archive: %s\n", status_text(status));
    } else if (passed + failed == 0) {
        printf("test: no program matches %s\n", pattern);
    } else {
        printf("%u passed, %u failed\n", passed, failed);
    }
}

static void files(int argc, char **argv)
{
    char name[FILE_NAME_BYTES];
    uint64_t bytes;

    (void)argc;
    (void)argv;
    for (uint64_t i = 0; archive_list(i, name, sizeof(name), &bytes) == OK; i++) {
        printf("%8" PRIu64 "  %s\n", bytes, name);
    }
}

const struct command commands_program[] = {
    {"files", "", "the boot archive: what run can start", 0, files},
    {"run", "PROGRAM [ARGUMENT...] [&]", "start a program, wait for it without &", 1, run},
    {"test", "[PATTERN [TEST-PATTERN]]", "run the test programs that match", 0, test},
    {"kill", "DOMAIN", "end a domain", 1, kill_domain},
    {.name = NULL},
};
