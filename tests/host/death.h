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
#include <string.h>
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

/* True when function(argument) ended in assert_fail() and what it printed contains `text`. */
static inline bool dies_saying(void (*function)(void *argument), void *argument, const char *text)
{
    char output[2048];
    size_t length = 0;
    int status = 0;
    int ends[2];

    (void)fflush(stdout);
    if (pipe(ends) != 0) {
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        function(argument);
        _exit(0);
    }
    (void)close(ends[1]);
    for (ssize_t n = 1; n > 0 && length<sizeof(output) - 1; length += n> 0 ? (size_t)n : 0) {
        n = read(ends[0], output + length, sizeof(output) - 1 - length);
    }
    output[length] = '\0';
    (void)close(ends[0]);
    bool died = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                WEXITSTATUS(status) == DEATH_EXIT_CODE;
    if (!died || strstr(output, text) == NULL) {
        printf("# wanted \"%s\", status %x, output: %s\n", text, (unsigned)status, output);
    }
    return died && strstr(output, text) != NULL;
}
