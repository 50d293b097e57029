/* SPDX-License-Identifier: MIT */
/*
 * Tortures: work without an end on every core, for as long as one is told, that leaves the machine
 * as it was.
 *
 * Rules: boot arguments torture=<pattern>, torture_seconds=, torture_seed=. A torture is registered
 * with TORTURE(name, text); tools/torture.py reads names and texts from the image. It makes a crew
 * and calls torture_run_crew, which returns when the time is over and every member has ended; then
 * it gives back what is left. The frame prints the seed first and a line of progress every ten
 * seconds, demands that every member goes on (else the machine ends with EXIT_LOCKUP), and compares
 * memory, threads, ports and domains with what there was. EXPECT_* may be used in every member.
 */
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/types.h"
#include "tests/test.h"

struct torture {
    const char *name;
    const char *text; /* what it does, in a few words */
    void (*run)(void);
};

#define TORTURE(name_, text_)                                                                      \
    static void torture_##name_(void);                                                             \
    static const struct torture torture_record_##name_                                             \
        __attribute__((section("baton_tortures"), used, aligned(sizeof(void *)))) = {              \
            #name_, text_, torture_##name_};                                                       \
    static void torture_##name_(void)

/* One thread of a torture. The counters are its own; others only read them. */
struct torture_member {
    _Alignas(64) uint64_t operations; /* done so far; it must grow */
    uint64_t refused;                 /* of them, ended by a lack of memory or quota */
    int64_t bytes;   /* taken less given back by this thread; only the sum counts */
    uint32_t random; /* state for crew_random */
    unsigned index;  /* in the crew */
    cpu_t cpu;
    const char *name; /* what it does; for listings */
    void (*run)(struct torture_member *member);
    struct thread *thread;
};

/* An empty crew of at most `most` members for this run; no memory for it is a panic. */
void torture_begin_crew(unsigned most);

/* A member for core `cpu`; its thread starts with torture_run_crew. */
void torture_add_member(cpu_t cpu, const char *name, void (*run)(struct torture_member *member));

/* Run the crew until the time is over and all have ended. Returns how many operations were refused. */
uint64_t torture_run_crew(void);

/* For members: false when the time is over. */
bool torture_goes_on(void);

/* For members: sleep up to `most_ns`, chosen at random, but not past the end. */
void torture_rest(struct torture_member *member, nsec_t most_ns);

/* An operation is done. */
static inline void torture_count(struct torture_member *member, int64_t bytes)
{
    /* relaxed, here and below: one writer; readers want a number, no order */
    atomic_store_relaxed(&member->bytes, member->bytes + bytes);
    atomic_store_relaxed(&member->operations, member->operations + 1);
}

static inline void torture_refuse(struct torture_member *member)
{
    atomic_store_relaxed(&member->refused, member->refused + 1);
    torture_count(member, 0);
}

/* Run the tortures that match and end the machine. */
NORETURN void torture_run(const char *pattern);
