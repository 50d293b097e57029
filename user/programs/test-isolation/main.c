/* SPDX-License-Identifier: MIT */
/* Each forbidden thing ends its own domain with the right reason, and nothing else. */
#include <stdio.h>

#include "user/lib/test.h"

static void expect_end(const char *mode, int64_t code)
{
    const char *const argv[] = {"fault", mode};
    struct program program;

    ASSERT_EQUAL(program_start(argv[0], 2, argv, &program), OK);
    EXPECT_EQUAL(program_wait(&program), code);
}

TEST(user_isolation, null_read_ends_the_domain)
{
    expect_end("null-read", EXIT_KILLED + EXIT_FAULT_LOAD);
}

TEST(user_isolation, null_write_ends_the_domain)
{
    expect_end("null-write", EXIT_KILLED + EXIT_FAULT_STORE);
}

TEST(user_isolation, null_jump_ends_the_domain)
{
    expect_end("null-jump", EXIT_KILLED + EXIT_FAULT_EXECUTE);
}

TEST(user_isolation, kernel_memory_cannot_be_read)
{
    expect_end("kernel-read", EXIT_KILLED + EXIT_FAULT_LOAD);
}

TEST(user_isolation, kernel_memory_cannot_be_written)
{
    expect_end("kernel-write", EXIT_KILLED + EXIT_FAULT_STORE);
}

TEST(user_isolation, kernel_code_cannot_be_entered)
{
    expect_end("kernel-jump", EXIT_KILLED + EXIT_FAULT_EXECUTE);
}

TEST(user_isolation, address_hole_cannot_be_read)
{
    expect_end("hole-read", EXIT_KILLED + EXIT_FAULT_LOAD);
}

TEST(user_isolation, data_cannot_be_executed)
{
    expect_end("exec-data", EXIT_KILLED + EXIT_FAULT_EXECUTE);
}

TEST(user_isolation, stack_cannot_be_executed)
{
    expect_end("exec-stack", EXIT_KILLED + EXIT_FAULT_EXECUTE);
}

TEST(user_isolation, text_cannot_be_written)
{
    expect_end("write-text", EXIT_KILLED + EXIT_FAULT_STORE);
}

TEST(user_isolation, constants_cannot_be_written)
{
    expect_end("write-constant", EXIT_KILLED + EXIT_FAULT_STORE);
}

TEST(user_isolation, stack_overflow_ends_the_domain)
{
    expect_end("stack-overflow", EXIT_KILLED + EXIT_FAULT_STORE);
}

TEST(user_isolation, illegal_instruction_ends_the_domain)
{
    expect_end("illegal", EXIT_KILLED + EXIT_FAULT_ILLEGAL);
}

TEST(user_isolation, privileged_register_cannot_be_read)
{
    expect_end("privileged", EXIT_KILLED + EXIT_FAULT_ILLEGAL);
}

TEST(user_isolation, supervisor_return_is_illegal)
{
    expect_end("supervisor-return", EXIT_KILLED + EXIT_FAULT_ILLEGAL);
}

TEST(user_isolation, breakpoint_ends_the_domain)
{
    expect_end("breakpoint", EXIT_KILLED + EXIT_FAULT_BREAKPOINT);
}

TEST(user_isolation, misaligned_access_works)
{
    expect_end("misaligned-ok", 0);
}

TEST(user_isolation, return_without_a_call_is_refused)
{
    expect_end("forged-return-ok", 0);
}

TEST(user_isolation, killed_domain_ends)
{
    const char *const argv[] = {"spin"};
    struct program program;

    ASSERT_EQUAL(program_start(argv[0], 1, argv, &program), OK);
    EXPECT_EQUAL(handle_join(program.domain, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(program_kill(program.id), OK);
    EXPECT_EQUAL(program_wait(&program), EXIT_KILLED);
    EXPECT_EQUAL(program_kill(program.id), ERR_NOT_FOUND);
}

TEST(user_isolation, exit_code_and_arguments_arrive)
{
    const char *const argv[] = {"fault", "no-such-mode"};
    struct program program;

    ASSERT_EQUAL(program_start(argv[0], 2, argv, &program), OK);
    EXPECT_EQUAL(program_wait(&program), 2);
}
