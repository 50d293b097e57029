/* SPDX-License-Identifier: MIT */
/*
 * What picolibc asks of the system: standard streams, heap, exit.
 *
 * Rules: startup.c refers to this file and to libc_lock.c, so that they are linked before
 * picolibc looks for its own versions.
 */
#include "user/lib/libc_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "kernel/abi/limits.h"
#include "user/lib/console.h"
#include "user/lib/memory.h"
#include "user/lib/system.h"
#include "user/lib/thread.h"

#define LINE_BYTES 256
#define INPUT_BYTES 64
#define HEAP_BASE 0x400000000UL /* below where memory_map chooses places */
#define HEAP_LIMIT 0xc00000000UL
#define HEAP_STEP_BYTES 0x10000UL

/* Each thread collects a line of its own, so lines of several threads do not mix. */
static _Thread_local char line[LINE_BYTES];
static _Thread_local size_t line_length;

static int output_flush(FILE *file)
{
    status_t status = OK;

    (void)file;
    if (line_length > 0) {
        status = console_write(line, line_length);
        line_length = 0;
    }
    return status == OK ? 0 : EOF;
}

static int output_put(char c, FILE *file)
{
    line[line_length++] = c;
    if (c == '\n' || line_length == LINE_BYTES) {
        return output_flush(file) == 0 ? (unsigned char)c : EOF;
    }
    return (unsigned char)c;
}

/* Only one thread of a program reads stdin at a time. */
static int input_get(FILE *file)
{
    static unsigned char input[INPUT_BYTES];
    static size_t next;
    static size_t end;

    if (next == end) {
        output_flush(file);
        int64_t got = console_read(input, INPUT_BYTES);

        if (got <= 0) {
            return _FDEV_ERR;
        }
        next = 0;
        end = (size_t)got;
    }
    return input[next++];
}

static FILE output_file = FDEV_SETUP_STREAM(output_put, NULL, output_flush, _FDEV_SETUP_WRITE);
static FILE input_file = FDEV_SETUP_STREAM(NULL, input_get, NULL, _FDEV_SETUP_READ);

FILE *const stdout = &output_file;
FILE *const stderr = &output_file;
FILE *const stdin = &input_file;

/* Called with picolibc's malloc lock held, so it needs none. */
void *sbrk(ptrdiff_t bytes)
{
    static uintptr_t heap_end = HEAP_BASE;
    static uintptr_t heap_mapped = HEAP_BASE;
    uintptr_t wanted = heap_end + (uintptr_t)bytes;

    if (bytes > (ptrdiff_t)(HEAP_LIMIT - HEAP_BASE) || wanted < HEAP_BASE || wanted > HEAP_LIMIT) {
        errno = ENOMEM;
        return (void *)-1;
    }
    if (wanted > heap_mapped) {
        size_t grow = (wanted - heap_mapped + HEAP_STEP_BYTES - 1) & ~(HEAP_STEP_BYTES - 1);

        if (memory_map((void *)heap_mapped, grow, PROTECT_READ | PROTECT_WRITE) < 0) {
            errno = ENOMEM;
            return (void *)-1;
        }
        heap_mapped += grow;
    }
    uintptr_t before = heap_end;

    heap_end = wanted;
    return (void *)before;
}

ssize_t write(int file, const void *buffer, size_t bytes)
{
    if (file != STDOUT_FILENO && file != STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }
    if (console_write(buffer, bytes) != OK) {
        errno = EFAULT;
        return -1;
    }
    return (ssize_t)bytes;
}

ssize_t read(int file, void *buffer, size_t bytes)
{
    int64_t got = file == STDIN_FILENO ? console_read(buffer, bytes) : ERR_INVALID;

    if (got < 0) {
        errno = got == ERR_FAULT ? EFAULT : EBADF;
        return -1;
    }
    return got;
}

_Noreturn void _exit(int code)
{
    output_flush(stdout);
    domain_exit(code);
}

/* abort() and assert() come here; nobody else can be signalled. */
pid_t getpid(void)
{
    return 1;
}

int kill(pid_t process, int signal)
{
    (void)process;
    _exit(128 + signal);
}
