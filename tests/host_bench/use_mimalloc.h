/* SPDX-License-Identifier: MIT */
/* The benchmark's allocator: mimalloc. */
#pragma once

#include <mimalloc.h>

static inline void bench_init(void)
{
}

static inline void bench_thread(unsigned index)
{
    (void)index;
}

#define bench_alloc(bytes) mi_malloc(bytes)
#define bench_free(object) mi_free(object)
