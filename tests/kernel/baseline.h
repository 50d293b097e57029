/* SPDX-License-Identifier: MIT */
/*
 * What a test must leave as it found it: memory, threads, ports.
 *
 * Rules: taken before a test, compared after it, while nothing of the test runs any more. Deferred
 * frees are waited for.
 */
#pragma once

#include "kernel/base/types.h"

struct baseline {
    uint64_t pages;   /* free, or in cached kernel stacks and their page tables */
    uint64_t objects; /* of spmalloc */
    uint64_t stacks;  /* kernel stacks in use */
    uint64_t threads;
    uint64_t ports;
    uint64_t handles; /* of the kernel's domain */
    uint64_t domains;
};

void baseline_take(struct baseline *baseline);

/* Wait until all is as it was; what is not, after a while, fails the running test (false). */
bool baseline_expect(const struct baseline *before);
