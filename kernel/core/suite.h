/* SPDX-License-Identifier: MIT */
/*
 * The in-kernel test suite, as the boot sees it: tests/kernel/suite.c, if it is linked in.
 *
 * Rules: both are weak: without the tests (BATON_TESTS=OFF) they are NULL.
 */
#pragma once

#include "kernel/base/types.h"

/* Does the boot argument test= or bench ask for it? */
__attribute__((weak)) bool suite_requested(void);

/* Run what was asked for and end the machine. Thread context, services are up. */
__attribute__((weak)) NORETURN void suite_run(void);
