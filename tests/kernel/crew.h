/* SPDX-License-Identifier: MIT */
/*
 * Kernel threads for tests, and waiting for what they do.
 *
 * Rules: thread context. Every thread that was started is joined by its test. A wait has a limit
 * only so that a hang is noticed; the limit says nothing about how long something may take.
 */
#pragma once

#include "arch/timer.h"
#include "kernel/base/types.h"
#include "sched/thread.h"
#include "tests/test.h"

#define CREW_PATIENCE_NS 10000000000UL

/* Start a thread on core `cpu`; no memory for it is a panic. */
struct thread *crew_start(cpu_t cpu, void (*entry)(void *argument), void *argument);

/* Wait for its end, give up the reference, return its exit code. */
long crew_join(struct thread *thread);

/* The i-th core after the caller's, round and round. */
cpu_t crew_core(unsigned i);

/* What each thread of crew_run gets. */
struct crew_member {
    unsigned index;
    void *shared;
};

#define CREW_MAX 16U

/* Run entry() in `count` threads, spread over all cores, and wait for all of them. */
void crew_run(unsigned count, void (*entry)(void *member), void *shared);

/* Let others run; false when patience is over. */
bool crew_wait_on(nsec_t since);

/* Waits, yielding, until the condition holds. Once it held it is not looked at again: it may be
 * about a moment. */
#define EXPECT_SOON(condition)                                                                     \
    do {                                                                                           \
        nsec_t since_ = timer_now_ns();                                                            \
        bool held_;                                                                                \
        while (!(held_ = (condition)) && crew_wait_on(since_)) {                                   \
        }                                                                                          \
        (void)test_check(held_, __FILE__, __LINE__, #condition);                                   \
    } while (0)

/* A small generator of pseudo-random numbers; equal seeds give equal rows. */
static inline uint32_t crew_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}
