/* SPDX-License-Identifier: MIT */
/* The benchmark's allocator: jemalloc, whose malloc() is what the program is linked to. */
#pragma once

#include <stdlib.h>

#include <jemalloc/jemalloc.h>

/* Makes it certain that malloc is jemalloc's. */
static inline void bench_init(void)
{
    if (nallocx(8, 0) == 0) {
        abort();
    }
}

static inline void bench_thread(unsigned index)
{
    (void)index;
}

#define bench_alloc(bytes) malloc(bytes)
#define bench_free(object) free(object)
