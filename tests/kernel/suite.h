/* SPDX-License-Identifier: MIT */
/*
 * What the harness gives to the other ways of running something instead of the first program.
 *
 * Rules: thread context.
 */
#pragma once

#include "kernel/base/types.h"

/* The number of a boot argument `key=<number>`, or `otherwise` when there is none. */
uint64_t suite_argument(const char *key, uint64_t otherwise);

/* Checks that failed since suite_forget_failures(). */
uint32_t suite_failures(void);
void suite_forget_failures(void);

/* Map the device of interrupt_test.c. */
void interrupt_test_map(void);

/* Wait for every core of the machine; one that does not come is a test's business. */
void suite_wait_for_cores(void);

/* Print what is left, and end the machine. */
NORETURN void suite_end(unsigned code);
