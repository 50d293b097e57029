/* SPDX-License-Identifier: MIT */
/*
 * Fills and checks all floating-point registers, for tests.
 *
 * Rules: callers are compiled code that uses no floating point itself, else the compiler could
 * use the registers in between.
 */
#pragma once

#include <stdint.h>

/* The bits of all 32 registers and fcsr or-ed together: 0 when all are zero. Changes none. */
uint64_t fpu_probe_or_all(void);

/* Puts ~0 - i into each register i and rounds down from now on. For code that does not return
 * to a C caller that has floating-point values. */
void fpu_probe_scribble(void);

/*
 * Fills register i with seed + i and fcsr with a rounding mode, calls between(argument) and
 * returns how many registers differ afterwards. Preserves what a C function has to.
 */
uint64_t fpu_probe_hold(uint64_t seed, void (*between)(void *argument), void *argument);
