/* SPDX-License-Identifier: MIT */
/*
 * Counts the instructions of an operation.
 *
 * Rules: one row at a time, on an otherwise idle machine with one core, under -icount
 * (design: performance). A row during which a core went idle is reported as failed, since the
 * counter goes on while a core sleeps.
 */
#pragma once

#include <stdint.h>

#define MEASURE_LOOPS 20000
#define MEASURE_WARM_UP 500

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
        for (int turn = 0; turn < MEASURE_WARM_UP; turn++) {                                       \
            operation;                                                                             \
        }                                                                                          \
        uint64_t idles = measure_idles();                                                          \
        uint64_t start = measure_count();                                                          \
        for (int turn = 0; turn < MEASURE_LOOPS; turn++) {                                         \
            operation;                                                                             \
        }                                                                                          \
        uint64_t count = measure_count() - start;                                                  \
        measure_report(id, count, parts, measure_idles() - idles);                                 \
    } while (0)

/* Prints "bench <id> <instructions> instructions", or why there is no figure. */
void measure_report(const char *id, uint64_t count, uint64_t parts, uint64_t idles);

/* Prints that a row cannot be measured. */
void measure_fail(const char *id, const char *why);

/* Rows that failed. */
unsigned measure_failures(void);
