/* SPDX-License-Identifier: MIT */
/*
 * Splitting a chain of calls.
 *
 * Protocol. Only the thread itself reads and cuts its chain, so nobody sees half a chain. Others ask: they
 * change what there is to see (deadline passed, domain dying, order to end), then raise a flag, which
 * wakes the thread or interrupts it. It takes the flag off first and looks at its chain then
 * (call_settle_unwind): what comes after the look raises the flag again.
 *   deadline and return: the thread that returns cancels the deadline; the thread that finds it passed
 *       cuts. Both are this thread, so one of them comes first, and the other finds nothing.
 *   the upper ports' holder: changed under each port's lock. Who closes such a port as its domain dies
 *       raises the flag of the holder it finds, under that lock. If that was the old one, the domain was
 *       dying before the lock was taken here, and the heir, which looks over its chain before anything
 *       else, sees it. Else the heir has the flag.
 *   orders to end: see sched/heir.c.
 *   the lower part: keeps block and stack, so what it waits for and what it holds stays right. It was
 *       woken once too often, which every waiter bears. Its first record now lies on a base whose domain is
 *       the one that asked; when the first activation returns there, the orphan ends.
 * The deepest cut comes first: then the orphan's chain asks for no other.
 */
#include "ipc/split.h"

#include <string.h>

#include "arch/context.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "arch/trap.h"
#include "arch/upcall.h"
#include "ipc/call.h"
#include "ipc/lending.h"
#include "ipc/port_priv.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/domain.h"
#include "sched/heir.h"
#include "sched/sched.h"
#include "sched/upcall.h"

/* After so long it is tried again when there was no memory. */
#define SPLIT_RETRY_NS 10000000UL

/* Where a copied record lies below the one above it. */
#define RECORD_STEP (ACTIVATION_FPU_BYTES + CALL_DEADLINE_BYTES + ACTIVATION_BYTES)

_Static_assert(CALL_DEADLINE_BYTES >= sizeof(struct call_deadline), "the room is enough");
_Static_assert(CALL_DEADLINE_BYTES == sizeof(struct syscall_frame), "call_enter in ipc/call.c");
_Static_assert(RECORD_STEP % 16 == 0, "stacks stay aligned");

struct cut {
    struct activation *first; /* of the lower part */
    status_t status;          /* what its caller is told */
};

static void deadline_fire(struct timeout *timeout)
{
    struct call_deadline *deadline = container_of(timeout, struct call_deadline, timeout);

    /* relaxed: the release in thread_raise orders it */
    atomic_store_relaxed(&deadline->passed, 1U);
    thread_raise(deadline->thread, THREAD_UNWIND);
}

void call_deadline_arm(struct call_deadline *deadline, nsec_t when)
{
    deadline->thread = thread_current();
    deadline->passed = 0;
    timeout_arm(&deadline->timeout, when, deadline_fire);
}

/* The deadline of the call that led to this activation, or NULL. */
static struct call_deadline *deadline_of(const struct activation *activation)
{
    bool has_one =
        activation->kind == ACTIVATION_SLOW || activation->kind == ACTIVATION_FROM_SYSCALL;

    return has_one ? activation->deadline : NULL;
}

static bool has_passed(const struct activation *activation)
{
    const struct call_deadline *deadline = deadline_of(activation);

    /* relaxed: looked at after the flag was taken off with acquire; pairs with thread_raise */
    return deadline != NULL && atomic_load_relaxed(&deadline->passed) != 0;
}

bool split_deadline_passed(void)
{
    for (const struct activation *activation = activation_current(); activation->port != NULL;
         activation = activation->previous) {
        if (has_passed(activation)) {
            return true;
        }
    }
    return false;
}

/* Only user code is above the record of such a call. */
static bool is_from_user(const struct activation *activation)
{
    return activation->kind == ACTIVATION_FROM_USER || activation->kind == ACTIVATION_SLOW;
}

/* Why the chain is to be cut above `first`, or OK. */
static status_t cut_reason(const struct activation *first, bool to_end)
{
    const struct activation *caller = first->previous;

    if (caller->port == NULL ? to_end : domain_is_dying(caller->domain)) {
        return ERR_PEER_DIED;
    }
    return has_passed(first) ? ERR_TIMED_OUT : OK;
}

/* Kernel code above it cannot move; but what works for the caller alone goes with the lower part. */
static bool can_be_cut(const struct activation *first)
{
    const struct activation *above = first->previous;
    bool leaves_alone =
        first->kind == ACTIVATION_FROM_SYSCALL || first->kind == ACTIVATION_FROM_FAULT;

    while (is_from_user(above)) {
        above = above->previous;
    }
    return above->kind == ACTIVATION_BASE && (is_from_user(first) || leaves_alone);
}

/* The deepest one. */
static bool find_cut(uint32_t flags, struct cut *cut)
{
    for (struct activation *first = activation_current(); first->port != NULL;
         first = first->previous) {
        cut->first = first;
        cut->status = cut_reason(first, (flags & THREAD_KILL) != 0);
        if (cut->status != OK && can_be_cut(first)) {
            return true;
        }
    }
    return false;
}

/* A deadline goes on in the heir's name. */
static void move_deadline(struct activation *copy, struct thread *heir)
{
    struct call_deadline *old = copy->deadline;
    struct call_deadline *new = (struct call_deadline *)(copy + 1);

    call_deadline_cancel(old);
    *new = (struct call_deadline){.thread = heir, .passed = old->passed};
    copy->deadline = new;
    if (new->passed == 0) {
        timeout_arm(&new->timeout, old->timeout.when, deadline_fire);
    }
}

/* The record and its saved registers; its copy. */
static void copy_record(struct activation *copy, struct activation *record)
{
    *copy = *record;
    if (record->fpu_saved != 0) {
        *activation_fpu(copy) = *activation_fpu(record);
    }
}

/* Copies `innermost` and what is above it to the heir's block and stack; the copy of `innermost`. In one
 * piece: what is preempted may be moved, and then its records name the spaces of another core. */
static struct activation *copy_chain(struct activation *innermost, struct thread *heir)
{
    struct activation *records[MAX_CALL_DEPTH];
    struct activation *copy = &heir->base;
    unsigned count = 0;
    uint64_t state = irq_save();

    activation_save_fpu(); /* it may be the caller's, of a service in the kernel */
    heir->cpu = core_index();
    for (; innermost->port != NULL; innermost = innermost->previous) {
        ASSERT(count < MAX_CALL_DEPTH);
        records[count++] = innermost;
    }
    copy_record(copy, innermost);
    while (count-- > 0) {
        struct activation *above = copy;

        copy = (struct activation *)(void *)((char *)above - RECORD_STEP);
        copy_record(copy, records[count]);
        copy->previous = above;
        if (deadline_of(copy) != NULL) {
            move_deadline(copy, heir);
        }
    }
    irq_restore(state);
    return copy;
}

/* The heir has the batons of the upper part. */
static void take_over_ports(struct thread *heir)
{
    for (struct activation *activation = heir->activation; activation->port != NULL;
         activation = activation->previous) {
        struct port *port = activation->port;
        uint64_t state = spin_lock_save(&port->lock);

        port_change_holder(port, activation, heir);
        lending_move_locked(port, heir);
        spin_unlock_restore(&port->lock, state);
    }
}

/* The first code of an heir: back to the user code that called. */
static void heir_resume(void *argument)
{
    const struct thread *self = thread_current();

    (void)argument;
    irq_disable();
    upcall_exit_work(); /* its own end, or that of its domain, may be what the split was for */
    context_enter_user(self->start_pc, self->start_sp, self->start_tp, self->start_arguments[0], 0,
                       0, 0);
}

static void retry_fire(struct timeout *timeout)
{
    thread_raise(container_of(timeout, struct thread, split_retry), THREAD_UNWIND);
}

static void retry_later(struct thread *self)
{
    if (self->split_retry.wheel != NULL) {
        timeout_cancel(&self->split_retry);
    }
    timeout_arm(&self->split_retry, timer_now_ns() + SPLIT_RETRY_NS, retry_fire);
}

/* The call of `first` is nobody's any more. */
static void drop_deadline(struct activation *first)
{
    struct call_deadline *deadline = deadline_of(first);

    if (deadline != NULL) {
        call_deadline_cancel(deadline);
        first->deadline = NULL;
    }
}

/* ERR_NO_MEMORY, ERR_NO_SPACE: it is tried again. */
static status_t split(const struct cut *cut)
{
    struct thread *self = thread_current();
    struct activation *first = cut->first;
    struct domain *asker = first->previous->domain;
    struct thread *heir;
    status_t status = heir_make(asker, &heir);

    if (status != OK) {
        retry_later(self);
        return status;
    }
    heir->activation = copy_chain(first->previous, heir);
    heir->start_pc = first->return_pc;
    heir->start_sp = first->return_sp;
    heir->start_tp = first->return_tp;
    heir->start_arguments[0] = (uint64_t)cut->status;
    drop_deadline(first);
    take_over_ports(heir);
    heir_succeed(heir, first, asker);
    lending_settle();
    /* relaxed: it starts after this; what is left for it in its chain it finds itself */
    atomic_or_relaxed(&heir->flags, THREAD_UNWIND);
    heir_start(heir, heir_resume, NULL);
    sched_yield(); /* whoever is to go on goes first */
    return OK;
}

/* Must something of a chain that cannot be cut be told, by ending what it waits for? */
static bool must_hurry(uint32_t flags)
{
    return (flags & THREAD_KILL) != 0 || call_is_inside_dying_domain();
}

enum split_outcome split_settle(void)
{
    struct thread *self = thread_current();

    ASSERT(!irq_enabled());
    for (;;) {
        const struct activation *current = activation_current();
        struct cut cut;
        status_t status;
        uint32_t flags;

        call_settle_unwind();
        /* acquire: see why they were raised; pairs with the release in thread_raise */
        flags = atomic_load_acquire(&self->flags) & THREAD_ASKS;
        if (flags == 0) {
            return SPLIT_CLEAR;
        }
        if (current->port == NULL ? (flags & THREAD_KILL) != 0 : domain_is_dying(current->domain)) {
            return SPLIT_LEAVE;
        }
        if (!find_cut(flags, &cut)) {
            return must_hurry(flags) ? SPLIT_LEAVE : SPLIT_LATER;
        }
        irq_enable();
        status = split(&cut);
        irq_disable();
        if (status != OK) {
            return SPLIT_LATER;
        }
    }
}

bool upcall_settle_thread(void)
{
    return split_settle() == SPLIT_LEAVE;
}
