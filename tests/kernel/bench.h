/* SPDX-License-Identifier: MIT */
/*
 * The boot argument bench=<pattern>: print the figures of the rows that match, then end the machine.
 *
 * Rules: rows of the kernel are measured here, rows of user space by the archive's program
 * `bench`. Lines are "bench <id> <value> <unit>" (tools/bench.py). Thread context.
 */
#pragma once

#include "kernel/base/types.h"

NORETURN void bench_run(const char *pattern);
