/* SPDX-License-Identifier: MIT */
/*
 * The pretended machine that mm runs on in the benchmark: memory at constant addresses.
 *
 * Rules: bench_machine_init once; then each thread says which core it is, no two the same.
 */
#pragma once

#include "kernel/base/types.h"

void bench_machine_init(void);
void bench_machine_be_core(cpu_t cpu);
