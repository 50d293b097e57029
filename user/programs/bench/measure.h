/* SPDX-License-Identifier: MIT */
/*
 * Counts the instructions of an operation.
 *
 * Rules: one row at a time, on an otherwise idle machine, under -icount (design: performance). All
 * cores share the counter, which goes on while a core sleeps. So a measurement during which any core
 * went idle, as one does that was woken by the console, is thrown away and made again; when
 * none is left undisturbed the row is reported as failed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MEASURE_LOOPS 20000
#define MEASURE_WARM_UP 500
#define MEASURE_ATTEMPTS 5

/* Instructions retired so far. */
static inline uint64_t measure_count(void)
{
    uint64_t count;

    __asm__ volatile("rdinstret %0" : "=r"(count)::"memory");
    return count;
}

/* The time of MEASURE_LOOPS turns of a loop with nothing in it. */
uint64_t measure_empty(void);

/* Times that cores went idle so far; 0 when the monitor does not say. */
uint64_t measure_idles(void);

/*
 * Measures the statement `operation` and prints a row: warm-up, MEASURE_LOOPS turns, less the
 * empty loop, divided by the turns and by `parts`. A macro, so that the operation is compiled
 * into the loop as in any program.
 */
#define MEASURE(id, parts, operation)                                                              \
    do {                                                                                           \
        uint64_t idles;                                                                            \
        uint64_t count;                                                                            \
        int attempt = 0;                                                                           \
        do {                                                                                       \
            for (int turn = 0; turn < MEASURE_WARM_UP; turn++) {                                   \
                operation;                                                                         \
            }                                                                                      \
            idles = measure_idles();                                                               \
            count = measure_count();                                                               \
            for (int turn = 0; turn < MEASURE_LOOPS; turn++) {                                     \
                operation;                                                                         \
            }                                                                                      \
            count = measure_count() - count;                                                       \
            idles = measure_idles() - idles;                                                       \
        } while (idles != 0 && ++attempt < MEASURE_ATTEMPTS);                                      \
        measure_report(id, count, parts, idles);                                                   \
    } while (0)

/* Prints "bench <id> <instructions> instructions", or why there is no figure. */
void measure_report(const char *id, uint64_t count, uint64_t parts, uint64_t idles);

/* The same for what was not done in a loop: nothing is taken off. */
void measure_report_bare(const char *id, uint64_t count, uint64_t parts, uint64_t idles);

/* Prints that a row cannot be measured. */
void measure_fail(const char *id, const char *why);

/* Rows that failed. */
unsigned measure_failures(void);
