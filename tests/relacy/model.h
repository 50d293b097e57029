/* SPDX-License-Identifier: MIT */
/*
 * What a test under the model checker is: threads in C whose atomics go through
 * kernel/base/atomic_model.h and whose plain accesses the compiler reports.
 *
 * Rules: state is static and set up in `before`; what an atomic operation touches is an atomic.
 * Threads are deterministic, bounded, and wait only by model_yield() in a loop. Plain accesses
 * are ordered by the atomics or are a data race, which fails; memset and memcpy are not seen. An
 * atomic's last writer may read it by a plain access.
 */
#pragma once

#include "kernel/base/types.h"

struct model_test {
    const char *name;
    unsigned threads;              /* 2 to 4 */
    unsigned rounds;               /* of the random scheduler; fifty times as many in a long run */
    bool exhaustive;               /* small enough for the scheduler that tries everything */
    void (*before)(void);          /* sets up the state; one thread */
    void (*thread)(unsigned self); /* the threads, numbered from 0 */
    void (*after)(void);           /* looks at the end; one thread */
    void (*resume)(unsigned self); /* after each switch to a thread, or NULL */
};

/* MODEL_TEST(name, fields...): registers a test. */
#define MODEL_TEST(name_, ...)                                                                     \
    static const struct model_test model_test_##name_                                              \
        __attribute__((section("model_tests"), used, aligned(8))) = {.name = #name_, __VA_ARGS__}

/* Something else should run; for loops that wait. Afterwards the thread reads nothing that is older
 * than what it had read before. */
void model_yield(void);

/* Something else may run here. */
void model_pause(void);

/* 0 .. limit - 1; each value is tried. */
unsigned model_choose(unsigned limit);

/* Ends the run: it failed. */
NORETURN void model_fail(const char *text, const char *file, int line);

#define MODEL_CHECK(condition) ((condition) ? (void)0 : model_fail(#condition, __FILE__, __LINE__))
