/* SPDX-License-Identifier: MIT */
/*
 * Tests that code under test ends with a failed assertion.
 *
 * Rules: the function runs in a child process, so what it does to memory is not seen.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit code that the harness's assert_fail() uses. */
#define DEATH_EXIT_CODE 99

/* True when function(argument) ended in assert_fail(). */
static inline bool dies_by_assertion(void (*function)(void *argument), void *argument)
{
    int status = 0;
    pid_t child;

    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        function(argument);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == DEATH_EXIT_CODE;
}
