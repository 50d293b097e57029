/* SPDX-License-Identifier: MIT */
/*
 * The end of the machine.
 *
 * Rules: any context, any core, also in a panic; what was printed is written out first.
 */
#pragma once

#include "kernel/base/types.h"

#define EXIT_OK 0          /* ordered power-off, or all tests passed */
#define EXIT_TEST_FAILED 1 /* a test failed */
#define EXIT_PANIC 2       /* panic, or a machine that cannot be used */
#define EXIT_LOCKUP 3      /* a core stopped making progress */

/*
 * Ends the machine; `code` (0..255) is the exit code of the emulator. Where there is no test
 * device the firmware's shutdown is used and the code is lost.
 */
NORETURN void power_exit(unsigned code);
