/* SPDX-License-Identifier: MIT */
/* The benchmark's allocator: spmalloc, out of libspmalloc.so, charged to an account with a limit. */
#pragma once

#include "mm/spmalloc.h"
#include "tests/host_bench/machine.h"

static struct account bench_account;

static inline void bench_init(void)
{
    bench_machine_init();
    account_init(&bench_account, 1UL << 14);
}

static inline void bench_thread(unsigned index)
{
    bench_machine_be_core(index);
}

#define bench_alloc(bytes) spmalloc(&bench_account, (bytes))
#define bench_free(object) spmalloc_free(object)
