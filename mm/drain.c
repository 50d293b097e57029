/* SPDX-License-Identifier: MIT */
/*
 * Who may work on a core's allocators, and getting it done.
 *
 * Problem: each core's nexus and slabs are its own, without a lock. Memory that other cores freed
 * waits in its inbox until it looks; a core that sleeps never looks, and the machine runs out of
 * memory that is free. Choice: a core that sleeps lends its memory to whoever needs the work done;
 * one that runs is asked by interrupt, so that it always is itself when it runs.
 *
 * Protocol of `holder`, one word a core:
 *     core + 1 of the core itself   it runs; only it touches its allocators, interrupts off
 *     0                             it sleeps; anybody may take the word by compare-and-swap
 *     core + 1 of another           a helper works for it, interrupts off
 *   The core stores 0 in drain_sleep() and takes the word back in drain_wake(). Schedule: the core
 *   writes its nexus, stores 0 (release); a helper takes the word (acquire) and sees it all, works,
 *   stores 0 (release); the core takes it (acquire) and sees that.
 *
 * No deadlock.
 *   - A helper has interrupts off, does a bounded amount of work (STEP_ objects and pages), and
 *     waits for nothing but the locks of mm/frame, which are innermost and held with interrupts
 *     off; it never waits for a second holder word: inside, it only tries, and one level deep.
 *   - drain_wake() spins for a helper only, and the waking core holds nothing: it is in its idle
 *     loop.
 *   - drain_core() and drain_all() wait for an interrupt handler on another core. They are called
 *     with interrupts on and so without any lock, and meanwhile serve such requests themselves.
 *     The core asked may be spinning with interrupts off, for a lock or a helper: the holder of
 *     that lock is no thread that waits here, so the spin ends and the interrupt is taken. It may
 *     be asleep: a pending interrupt ends the sleep, and if it lies down again before our request
 *     the request wakes it.
 *
 * A core that only just goes to sleep can miss that something was sent to it. That costs nothing:
 * what waits below the mark may wait, at the mark the sender helps, and when memory is short
 * everybody looks at all cores.
 */
#include "mm/drain.h"

#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"

#define STEP_OBJECTS 256U
#define STEP_PAGES 64U
#define ROUNDS 3U
/* Steps for pages of empty slabs, which nobody has counted. */
#define STEPS_SPARE 4U

/* Written by the core and by those who help or ask it. */
struct drain {
    uint32_t holder;  /* see above */
    uint32_t more;    /* the last request was not done in full; published by `done` */
    uint64_t wanted;  /* requests so far */
    uint64_t done;    /* requests answered; written by the core */
    uint32_t helping; /* the core works for another now; its own */
} CACHE_ALIGNED;

static struct drain drains[MAX_CORES];

void drain_init(void)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        drains[cpu] = (struct drain){.holder = cpu + 1};
    }
}

/* Takes the place of a core that sleeps. Interrupts are off. */
static bool try_hold(cpu_t cpu)
{
    uint32_t free = 0;

    /* relaxed: spares the write when it runs; a wrong answer means to ask it */
    if (atomic_load_relaxed(&drains[cpu].holder) != 0) {
        return false;
    }
    /* acquire: see what the core or the last helper wrote; pairs with the stores of 0 */
    return atomic_cas_acquire(&drains[cpu].holder, &free, core_index() + 1);
}

static void let_go(cpu_t cpu)
{
    /* release: the next one sees what we wrote; pairs with try_hold and drain_wake */
    atomic_store_release(&drains[cpu].holder, 0U);
}

/* One bounded part of the work for a core whose memory the caller has. True: there is more. */
static bool step(cpu_t cpu)
{
    bool more;

    spmalloc_flush_core(cpu);
    more = spmalloc_collect_some(cpu, STEP_OBJECTS);
    spmalloc_trim_core(cpu);
    nexus_flush_core(cpu);
    nexus_flush_core(core_index()); /* pages of slabs that a helper found empty */
    more = nexus_collect_some(cpu, STEP_PAGES) || more;
    return nexus_trim_some(cpu, STEP_PAGES) || more;
}

/* The same for a sleeping core; false when it does not sleep. */
static bool step_for(cpu_t cpu, bool *more)
{
    struct drain *self = &drains[core_index()];

    if (self->helping != 0 || !try_hold(cpu)) {
        return false;
    }
    self->helping = 1;
    *more = step(cpu);
    self->helping = 0;
    let_go(cpu);
    return true;
}

/* Takes in part of what waits for this core; the rest in the next interrupt, if need be of its own,
 * since several requests may have become one. */
static void collect_own(cpu_t cpu)
{
    bool more = spmalloc_collect_some(cpu, STEP_OBJECTS);

    if (nexus_collect_some(cpu, STEP_PAGES) || more) {
        ipi_request(cpu, IPI_DRAIN);
    }
}

void drain_sleep(void)
{
    cpu_t cpu = core_index();

    spmalloc_flush_core(cpu);
    nexus_flush_core(cpu);
    collect_own(cpu);
    let_go(cpu); /* from here on a helper may have it */
}

void drain_wake(void)
{
    cpu_t cpu = core_index();
    uint32_t free = 0;

    /* acquire: see what helpers wrote; pairs with let_go */
    while (!atomic_cas_acquire(&drains[cpu].holder, &free, cpu + 1)) {
        free = 0;
        arch_relax();
    }
}

void drain_handle_ipi(void)
{
    cpu_t cpu = core_index();
    struct drain *drain = &drains[cpu];
    /* acquire: what was freed before the request is visible; pairs with the add in request() */
    uint64_t wanted = atomic_load_acquire(&drain->wanted);

    if (wanted == drain->done) { /* a backlog: the stock may stay */
        collect_own(cpu);
        return;
    }
    /* relaxed: published by the store below */
    atomic_store_relaxed(&drain->more, (uint32_t)step(cpu));
    /* release: the work before the answer; pairs with the acquire in is_answered() */
    atomic_store_release(&drain->done, wanted);
}

/* Asks a core that runs; returns the number of the request. */
static uint64_t request(cpu_t cpu)
{
    /* release: what we freed comes before the request; pairs with the load in drain_handle_ipi */
    uint64_t ticket = atomic_add_release(&drains[cpu].wanted, 1) + 1;

    ipi_request(cpu, IPI_DRAIN);
    return ticket;
}

static bool is_answered(cpu_t cpu, uint64_t ticket)
{
    /* acquire: what the core sent away is visible; pairs with the store in drain_handle_ipi */
    return atomic_load_acquire(&drains[cpu].done) >= ticket;
}

/* Does a step here, now, if the core sleeps or is this one. */
static bool step_here(cpu_t cpu, bool *more)
{
    uint64_t state = irq_save();
    bool done = true;

    if (cpu == core_index()) {
        *more = step(cpu);
    } else {
        done = step_for(cpu, more);
    }
    irq_restore(state);
    return done;
}

/*
 * Steps that bring home what waits for the core now. What others send meanwhile is not waited for:
 * they may do so for ever, and faster than a core whose host is busy takes it in. An object may be
 * the last of its slab, and so leave a page.
 */
static uint64_t steps_to_go(cpu_t cpu)
{
    uint64_t objects = spmalloc_waiting(cpu);

    return STEPS_SPARE + objects / STEP_OBJECTS + (objects + nexus_idle_pages(cpu)) / STEP_PAGES;
}

/* Waits for the answer; true when the core has more to do. */
static bool await_answer(cpu_t cpu, uint64_t ticket)
{
    ASSERT(irq_enabled());
    while (!is_answered(cpu, ticket)) {
        arch_relax();
    }
    /* relaxed: acquired with `done` */
    return atomic_load_relaxed(&drains[cpu].more) != 0;
}

/*
 * A step for each core that has some left. Those that run are all asked before the first answer is
 * waited for: each may take long, when its host has put it aside. False when none has steps left.
 */
static bool step_all(uint64_t left[MAX_CORES])
{
    uint64_t ticket[MAX_CORES] = {0};
    bool more = false;
    bool any = false;

    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (left[cpu] == 0) {
            continue;
        }
        if (step_here(cpu, &more)) {
            left[cpu] = more ? left[cpu] - 1 : 0;
        } else {
            ticket[cpu] = request(cpu);
        }
    }
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (ticket[cpu] != 0) {
            left[cpu] = await_answer(cpu, ticket[cpu]) ? left[cpu] - 1 : 0;
        }
        any = any || left[cpu] != 0;
    }
    return any;
}

void drain_cores(bool (*is_chosen)(cpu_t cpu, const void *argument), const void *argument)
{
    uint64_t left[MAX_CORES] = {0};

    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        left[cpu] = is_chosen(cpu, argument) ? steps_to_go(cpu) : 0;
    }
    while (step_all(left)) {
    }
}

static bool is_this(cpu_t cpu, const void *argument)
{
    return cpu == *(const cpu_t *)argument;
}

void drain_core(cpu_t cpu)
{
    drain_cores(is_this, &cpu);
}

static bool is_online(cpu_t cpu)
{
    /* acquire: its core and nexus are set up; pairs with sched_run_core */
    return cpu == core_index() || atomic_load_acquire(&cores[cpu].online) != 0;
}

void drain_all(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t left[MAX_CORES];

        for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
            left[cpu] = is_online(cpu) ? steps_to_go(cpu) : 0;
        }
        while (step_all(left)) {
        }
    }
}

/* Objects count, too: their slabs may be empty when they are home. */
static bool may_have_pages(cpu_t cpu)
{
    return nexus_idle_pages(cpu) != 0 || spmalloc_waiting(cpu) != 0;
}

void drain_own(void)
{
    spmalloc_empty_core();
}

bool drain_sleepers(void)
{
    uint64_t state = irq_save();
    bool found = false;
    bool more;

    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (may_have_pages(cpu) && cpu != core_index()) {
            found = step_for(cpu, &more) || found;
        }
    }
    irq_restore(state);
    return found;
}

void drain_ask_all(void)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        struct drain *drain = &drains[cpu];
        /* relaxed: advice, one request at a time is enough */
        bool idle = atomic_load_relaxed(&drain->wanted) == atomic_load_relaxed(&drain->done);

        if (idle && may_have_pages(cpu) && cpu != core_index()) {
            (void)request(cpu);
        }
    }
}

void drain_backlog(cpu_t cpu)
{
    struct drain *self = &drains[core_index()];

    if (self->helping == 0 && try_hold(cpu)) {
        self->helping = 1;
        (void)spmalloc_collect_some(cpu, STEP_OBJECTS);
        nexus_flush_core(core_index()); /* as in step() */
        (void)nexus_collect_some(cpu, STEP_PAGES);
        self->helping = 0;
        let_go(cpu);
    } else {
        ipi_request(cpu, IPI_DRAIN);
    }
}
