/* SPDX-License-Identifier: MIT */
/*
 * The couriers of a core.
 *
 * Protocol. Everything here is one core's own, and done with interrupts off.
 *   post:   set the port's bit. If no courier looks, wake one that is idle: it goes before those who wait for
 *           a slice here, so it runs when this thread blocks, or at the end of its slice, which begins now if
 *           nobody waited before; at once on an idle core.
 *   visit:  clear the bit first, then look at the word: somebody waits and nobody runs: take the baton. What comes
 *           after the look finds the baton taken, and who lets go of it posts again; what came before is seen.
 *   run:    a courier that runs a service does not look. If there is more to do another one is woken, which
 *           finds the core when this one blocks, or has used up its slice.
 *   sleep:  nothing is posted. It is idle from then on, in the same stretch, so a post finds it.
 * `looking` are those that are on their way to a look: awake, and not in a run.
 */
#include "ipc/courier.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "ipc/call_priv.h"
#include "ipc/concurrent.h"
#include "ipc/lending.h"
#include "ipc/letter.h"
#include "ipc/line.h"
#include "ipc/pending.h"
#include "ipc/port_priv.h"
#include "kernel/base/assert.h"
#include "kernel/base/print.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"

_Static_assert(PENDING_PORTS == PORT_TABLE_COUNT, "a bit a port");

enum courier_class { CLASS_REALTIME, CLASS_NORMAL, CLASSES };

struct courier_core;

struct courier {
    struct courier_core *core;
    struct thread *thread;
    struct courier *next_idle;
    bool is_idle;
};

struct courier_core {
    struct pending pending[CLASSES];
    uint32_t cursor[CLASSES]; /* where the next search begins */
    uint32_t urgent;          /* the port that comes first, or PENDING_NONE */
    uint32_t rank; /* that couriers are to have until nothing that asked for it is left */
    uint32_t looking;
    uint32_t realtime_visits; /* since the last one to a normal port */
    uint32_t idle_count;
    struct courier *idle;
    struct courier *last_woken;
    struct courier courier[COURIERS];
};

static struct courier_core *courier_cores[MAX_CORES];

static bool has_work(const struct courier_core *core)
{
    return !pending_is_empty(&core->pending[CLASS_REALTIME]) ||
           !pending_is_empty(&core->pending[CLASS_NORMAL]);
}

/* Somebody looks from now on, if anybody is left. Interrupts are off. */
static void wake_one(struct courier_core *core)
{
    struct courier *courier = core->idle;

    if (courier == NULL) {
        return;
    }
    core->idle = courier->next_idle;
    core->idle_count--;
    courier->is_idle = false;
    core->last_woken = courier;
    core->looking++;
    if (core->rank > RANK_SHARING) {
        sched_lend_rank(courier->thread, core->rank);
        sched_wake_thread(courier->thread);
    } else {
        sched_wake_next(courier->thread);
    }
}

/* Interrupts are off. */
static void post(struct port *port, bool urgent, uint32_t rank)
{
    struct courier_core *core = courier_cores[core_index()];
    /* relaxed: it may change at any time */
    uint32_t port_rank = atomic_load_relaxed(&port->rank);

    pending_set(&core->pending[port_rank > RANK_SHARING ? CLASS_REALTIME : CLASS_NORMAL],
                port->index);
    if (urgent) {
        core->urgent = port->index;
    }
    rank = rank > port_rank ? rank : port_rank;
    core->rank = core->rank > rank ? core->rank : rank;
    if (core->looking == 0) {
        wake_one(core);
    } else if (rank > RANK_SHARING) {
        sched_lend_rank(core->last_woken->thread, rank);
    }
}

void courier_post(struct port *port)
{
    uint64_t irq = irq_save();

    post(port, false, RANK_IDLE);
    irq_restore(irq);
}

void courier_hurry(struct port *port, uint32_t rank)
{
    uint64_t irq = irq_save();

    post(port, true, rank);
    irq_restore(irq);
}

/* The next port to look at, whose bit is cleared, or PENDING_NONE. */
static uint32_t choose(struct courier_core *core)
{
    struct pending *realtime = &core->pending[CLASS_REALTIME];
    struct pending *normal = &core->pending[CLASS_NORMAL];
    enum courier_class class = CLASS_NORMAL;
    uint32_t index = core->urgent;

    core->urgent = PENDING_NONE;
    if (index == PENDING_NONE || !(pending_has(realtime, index) || pending_has(normal, index))) {
        bool fair = core->realtime_visits >= COURIER_FAIR - 1 && !pending_is_empty(normal);

        class = !pending_is_empty(realtime) && !fair ? CLASS_REALTIME : CLASS_NORMAL;
        index = pending_next(&core->pending[class], core->cursor[class]);
        if (index == PENDING_NONE) {
            return PENDING_NONE;
        }
        core->cursor[class] = index + 1;
        core->realtime_visits = class == CLASS_REALTIME ? core->realtime_visits + 1 : 0;
    }
    /* Its class may have changed since it was posted. */
    pending_clear(realtime, index);
    pending_clear(normal, index);
    return index;
}

/* Run one letter. Others look meanwhile, if there is more to do. */
static void run(struct courier *self, struct port *port, struct run_slot *slot,
                struct baton_work *work)
{
    struct courier_core *core = self->core;

    irq_disable();
    if (--core->looking == 0 && has_work(core)) {
        wake_one(core);
    }
    irq_enable();
    call_run_letter(port, slot, work);
    irq_disable();
    core->looking++;
    core->last_woken = self;
    irq_enable();
}

static void visit_exclusive(struct courier *self, struct port *port)
{
    struct baton_work work;
    unsigned budget = BATON_SNAPSHOT;

    while (baton_next(port, budget != 0 ? BATON_SERVES_LETTERS : BATON_SERVES_NOBODY, &work)) {
        work.follow = budget - 1;
        run(self, port, NULL, &work);
        budget = work.follow;
    }
}

static void visit_concurrent(struct courier *self, struct port *port, struct run_slot *slot)
{
    struct baton_work work;
    unsigned budget = BATON_SNAPSHOT;

    while (concurrent_next_letter(port, slot, budget != 0, &work)) {
        run(self, port, slot, &work);
        budget--;
    }
}

/* Visit a port if there is something to do. Interrupts are off, and are let in. */
static void visit(struct courier *self, uint32_t index)
{
    struct port *port = port_peek(index);

    if (port == NULL) {
        return;
    }
    if (port->slots != NULL) {
        /* relaxed: a letter that comes after this look is posted */
        bool waits = word_has_waiters(atomic_load_relaxed(&port->word));
        struct run_slot *slot = waits ? concurrent_try_enter(port) : NULL;

        if (slot != NULL) {
            irq_enable();
            visit_concurrent(self, port, slot);
            irq_disable();
        }
    } else if (baton_take_for_line(port)) {
        irq_enable();
        visit_exclusive(self, port);
        irq_disable();
    } else if (sched_rank(self->thread) > RANK_SHARING) {
        irq_enable();
        lending_lend(port); /* whoever runs it is waited for by somebody of our rank */
        irq_disable();
    }
}

/* Take the rank that the work asks for, or give back what was lent. */
static void settle_rank(struct courier *self)
{
    struct courier_core *core = self->core;

    if (pending_is_empty(&core->pending[CLASS_REALTIME]) && core->urgent == PENDING_NONE) {
        core->rank = RANK_IDLE;
    }
    if (core->rank > RANK_SHARING) {
        sched_lend_rank(self->thread, core->rank);
    } else if (sched_rank(self->thread) > RANK_SHARING) {
        lending_settle();
    }
}

/* Nothing is posted: wait until somebody does. */
static void sleep_until_woken(struct courier *self)
{
    struct courier_core *core = self->core;

    core->looking--;
    core->idle_count++;
    self->next_idle = core->idle;
    core->idle = self;
    self->is_idle = true;
    while (self->is_idle) {
        sched_block();
    }
}

static void courier_loop(void *argument)
{
    struct courier *self = argument;

    irq_disable();
    for (;;) { /* the first time, too: somebody may have posted already, and relied on us */
        uint32_t index = choose(self->core);

        if (index != PENDING_NONE) {
            visit(self, index);
        }
        settle_rank(self);
        if (index == PENDING_NONE) {
            sleep_until_woken(self);
        } else {
            irq_enable(); /* whoever asked for this core meanwhile gets it */
            irq_disable();
        }
    }
}

static status_t make_one(struct courier_core *core, cpu_t cpu, unsigned number)
{
    struct courier *courier = &core->courier[number];
    char name[THREAD_NAME_BYTES];
    struct affinity affinity = {{0}};
    status_t status;

    format_string(name, sizeof(name), "courier/%u.%u", cpu, number);
    courier->core = core;
    status = thread_create_kernel(name, courier_loop, courier, &courier->thread);
    if (status != OK) {
        return status;
    }
    affinity_add(&affinity, cpu);
    courier->thread->affinity = affinity;
    return OK;
}

status_t courier_make_all(uint32_t core_count)
{
    status_t status = OK;

    for (cpu_t cpu = 0; cpu < core_count && status == OK; cpu++) {
        struct courier_core *core = spmalloc_zeroed(&kernel_account, sizeof(*core));

        if (core == NULL) {
            return ERR_NO_MEMORY;
        }
        core->urgent = PENDING_NONE;
        core->looking = COURIERS; /* until they sleep */
        core->last_woken = &core->courier[0];
        courier_cores[cpu] = core;
        for (unsigned i = 0; i < COURIERS && status == OK; i++) {
            status = make_one(core, cpu, i);
        }
    }
    return status;
}

status_t courier_start_core(void)
{
    struct courier_core *core = courier_cores[core_index()];
    status_t status = OK;

    for (unsigned i = 0; i < COURIERS && status == OK; i++) {
        status = thread_start(core->courier[i].thread, core_index());
    }
    return status;
}

uint32_t courier_pending(cpu_t cpu)
{
    uint32_t count = 0;

    for (unsigned class = 0; class < CLASSES; class ++) {
        for (unsigned i = 0; i < PENDING_WORDS; i++) {
            count += (uint32_t)__builtin_popcountl(courier_cores[cpu]->pending[class].bottom[i]);
        }
    }
    return count;
}

uint32_t courier_idle(cpu_t cpu)
{
    /* relaxed: a snapshot */
    return atomic_load_relaxed(&courier_cores[cpu]->idle_count);
}
