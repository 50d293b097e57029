/* SPDX-License-Identifier: MIT */
/*
 * The general call path.
 */
#include "ipc/call.h"

#include "arch/context.h"
#include "arch/fpu.h"
#include "arch/irq.h"
#include "arch/upcall.h"
#include "ipc/baton.h"
#include "ipc/call_priv.h"
#include "ipc/concurrent.h"
#include "ipc/enter_priv.h"
#include "ipc/mailbox.h"
#include "ipc/split.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/kstack.h"
#include "sched/activation.h"
#include "sched/sched.h"

/* A kernel service needs no room for user registers, so its record can lie in this frame. It works
 * on the message where that is. */
static inline void call_run_kernel(struct port *port, struct run_slot *slot, uint64_t badge,
                                   struct domain *asker, struct message *message,
                                   enum activation_kind kind)
{
    struct activation *caller = activation_current();
    struct activation activation; /* nothing else of it is looked at */
    struct request request = {message, badge, port->cookie, asker, NULL};

    activation.previous = caller;
    activation.domain = port->domain;
    activation.port = port;
    activation.calls_left = (uint16_t)(caller->calls_left - 1);
    activation.kind = (uint8_t)kind;
    activation.fpu_saved = 0;
    activation_push(&activation);
    if (slot != NULL) {
        activation.stack = &slot->stack;
    }
    context_call_on((void (*)(void *))port->entry, &request,
                    slot != NULL ? slot->stack.top : port->stack.top);
    /* A split changes what lies above; but not for kernel code. */
    activation_set(kind == ACTIVATION_FROM_KERNEL ? caller : activation.previous);
}

bool call_is_inside_dying_domain(void)
{
    const struct activation *activation = activation_current();

    for (; activation->port != NULL; activation = activation->previous) {
        if (domain_is_dying(activation->domain)) {
            return true;
        }
    }
    return false;
}

/* First the flag goes, then the chain is looked at: a domain that starts to die after the look, or a
 * deadline that passes, raises the flag again. */
void call_settle_unwind(void)
{
    struct thread *thread = thread_current();

    /* acq_rel: if a raise came first, the domain's state is visible; pairs with thread_raise */
    atomic_and_acq_rel(&thread->flags, ~(uint32_t)THREAD_UNWIND);
    if (call_is_inside_dying_domain() || split_deadline_passed()) {
        /* relaxed: only this thread acts on it */
        atomic_or_relaxed(&thread->flags, THREAD_UNWIND);
    }
}

/* The same, for the common case that there is nothing to take off. */
void call_settle_unwind_if_raised(void)
{
    /* relaxed: a raise that comes later is looked at by whoever waits or leaves next */
    if ((atomic_load_relaxed(&thread_current()->flags) & THREAD_UNWIND) != 0) {
        call_settle_unwind();
    }
}

/* Why a run must not start: the service is gone, or this thread is to end or unwind. */
status_t call_refusal(struct port *port)
{
    status_t reason = port_close_reason(port);

    return reason != OK ? reason : ERR_CANCELLED;
}

/* What concerns only those above in the chain is done first. */
bool call_may_enter(struct port *port)
{
    struct core *core = core_current();

    while (core->work != 0) {
        if ((core->work & WORK_THREAD) != 0) {
            enum split_outcome outcome = split_settle();

            core = core_current();
            if (outcome == SPLIT_LEAVE || port_close_reason(port) != OK) {
                return false;
            }
            /* relaxed: what is raised now interrupts this core later */
            if (atomic_load_relaxed(&thread_current()->flags) == 0) {
                core->work &= ~(uint32_t)WORK_THREAD; /* it was left by a flag that is gone */
            }
        }
        if ((core->work & WORK_RESCHEDULE) == 0) {
            break; /* only what cannot be done now */
        }
        sched_preempt();
        core = core_current();
    }
    return true;
}

/* CALL_NOT_BEGUN: see call_may_enter. Apart in one piece: the kernel's services need nothing of it. */
__attribute__((noinline)) static status_t call_run_user(struct port *port,
                                                        const struct run_stack *stack,
                                                        uint64_t badge, struct message *message,
                                                        enum activation_kind kind)
{
    irq_disable();
    if (!call_may_enter(port)) {
        irq_enable();
        return CALL_NOT_BEGUN;
    }
    activation_save_fpu();
    uint64_t *entry = &asid_entries(port->domain->vspace)[core_index()];

    asid_enter(entry);
    status_t status = activation_enter_user(port, badge, message, entry, stack, (uint64_t)kind);
    call_settle_unwind_if_raised();
    return status;
}

/* One run of the service for `asker`; the baton is ours. OK, ERR_PEER_DIED, CALL_NOT_BEGUN. */
static inline status_t call_run(struct port *port, uint64_t badge, struct domain *asker,
                                struct message *message, enum activation_kind kind)
{
    status_t status = OK;

    if (port->mode != PORT_MODE_KERNEL_SERVICE) {
        status = call_run_user(port, &port->stack, badge, message, kind);
    } else if (port->leaf.run != NULL) {
        port->leaf.run(message, badge);
    } else {
        call_run_kernel(port, NULL, badge, asker, message, kind);
    }
    port->calls += status != CALL_NOT_BEGUN;
    return status;
}

/* The same for who waits; a run that waits itself makes the service an ordinary one: else its holder
 * would wait for what others asked for. */
static status_t call_run_for(struct port *port, struct baton_work *work)
{
    uint64_t blocks = thread_current()->blocks;
    bool for_user = activation_current()->domain != &kernel_domain; /* its own call is over */
    status_t status = call_run(port, work->badge, work->caller, &work->message,
                               work->is_letter ? ACTIVATION_FROM_COURIER
                               : for_user      ? ACTIVATION_FROM_FAULT
                                               : ACTIVATION_FROM_KERNEL);

    if (thread_current()->blocks != blocks) {
        port->combines = false;
    }
    return status;
}

/*
 * May this thread, its own call over, run the service for those who wait? Not when it is itself inside
 * a service, which would stand still meanwhile, and whose baton the run might need; not when it is to end.
 */
static bool call_may_serve(const struct port *port)
{
    /* relaxed: what is raised after this look is seen when the next run begins or ends */
    return port->combines && activation_depth(activation_current()) == 0 &&
           atomic_load_relaxed(&thread_current()->flags) == 0;
}

/* Let go of the baton when somebody waits, after serving a few of them. */
void call_serve(struct port *port)
{
    struct baton_work work;
    unsigned budget = BATON_SNAPSHOT;

    while (baton_next(
        port, budget != 0 && call_may_serve(port) ? BATON_SERVES_CALLERS : BATON_SERVES_NOBODY,
        &work)) {
        status_t status = call_run_for(port, &work);

        if (status != CALL_NOT_BEGUN) {
            baton_answer(&work, status);
        } else if (baton_hand_over(port, &work)) {
            return;
        }
        budget--;
    }
}

status_t call_give_port(struct port *port)
{
    call_give(port);
    call_settle_unwind_if_raised();
    return OK;
}

/* The baton is ours: run the service, and let go. */
static inline status_t call_run_and_give(struct port *port, uint64_t badge, struct message *message,
                                         enum activation_kind kind)
{
    status_t status;

    /* relaxed: close looks until it is there; rings of waiting are looked for after fences */
    atomic_store_relaxed(&port->holder, thread_current());
    status = call_run(port, badge, activation_current()->domain, message, kind);
    if (__builtin_expect(status == CALL_NOT_BEGUN, 0)) {
        status = call_refusal(port);
    }
    call_give(port);
    call_settle_unwind_if_raised();
    return status;
}

/* Is the port in this thread's chain? Only then can the call wait for itself without others; and then
 * the port is busy. */
static bool call_is_inside(const struct port *port)
{
    const struct activation *activation = activation_current();

    while (activation != NULL && activation->port != port) {
        activation = activation->previous;
    }
    return activation != NULL;
}

/* The port was not idle. */
status_t call_wait(struct port *port, uint64_t badge, struct message *message, nsec_t deadline)
{
    struct activation *caller = activation_current();
    struct baton_request request = {.message = message,
                                    .badge = badge,
                                    .caller = caller->domain,
                                    .nested = activation_depth(caller) != 0,
                                    .alone = activation_page(caller) != NULL};
    status_t status = call_is_inside(port) ? ERR_DEADLOCK : baton_take(port, &request, deadline);

    if (status != OK) {
        call_settle_unwind_if_raised(); /* the baton may have been ours for a moment */
    }
    return status == BATON_ANSWERED && request.status != OK ? request.status : status;
}

/* Apart, to keep the common call short. */
__attribute__((noinline)) static status_t call_busy(struct port *port, uint64_t badge,
                                                    struct message *message, nsec_t deadline,
                                                    enum activation_kind kind)
{
    status_t status = call_wait(port, badge, message, deadline);

    if (status == OK) {
        return call_run_and_give(port, badge, message, kind);
    }
    return status == BATON_ANSWERED ? OK : status;
}

/* One run in a slot that is ours. As call_run. */
static status_t call_run_in_slot(struct port *port, struct run_slot *slot, uint64_t badge,
                                 struct domain *asker, struct message *message,
                                 enum activation_kind kind)
{
    status_t status = OK;

    if (port->mode == PORT_MODE_CONCURRENT_KERNEL) {
        call_run_kernel(port, slot, badge, asker, message, kind);
    } else {
        status = call_run_user(port, &slot->stack, badge, message, kind);
    }
    slot_count_run(slot, status != CALL_NOT_BEGUN);
    return status;
}

/* All slots are taken, or the port is closed. Apart, to keep the common call short. */
__attribute__((noinline)) static status_t call_wait_slot(struct port *port, uint64_t badge,
                                                         nsec_t deadline, struct run_slot **slot)
{
    struct baton_request request = {.caller = activation_current()->domain, .badge = badge};
    status_t status = concurrent_enter(port, &request, deadline);

    *slot = request.slot;
    if (status != OK) {
        call_settle_unwind_if_raised(); /* the slot may have been ours for a moment */
    }
    return status == BATON_ANSWERED ? request.status : status;
}

static inline status_t take_slot(struct port *port, uint64_t badge, nsec_t deadline,
                                 struct run_slot **slot)
{
    if (activation_depth(activation_current()) == MAX_CALL_DEPTH) {
        return ERR_DEPTH;
    }
    *slot = concurrent_try_enter(port);
    return *slot != NULL ? OK : call_wait_slot(port, badge, deadline, slot);
}

status_t call_take_slot(struct port *port, uint64_t badge, nsec_t deadline, struct run_slot **slot)
{
    return take_slot(port, badge, deadline, slot);
}

/* A port that is not exclusive. */
__attribute__((noinline)) static status_t call_concurrent(struct port *port, uint64_t badge,
                                                          struct message *message, nsec_t deadline,
                                                          enum activation_kind kind)
{
    struct run_slot *slot;

    if (port->mode == PORT_MODE_MAILBOX) {
        return mailbox_call(port, badge, message, deadline);
    }
    status_t status = take_slot(port, badge, deadline, &slot);

    if (status != OK) {
        return status;
    }
    status = call_run_in_slot(port, slot, badge, activation_current()->domain, message, kind);
    if (status == CALL_NOT_BEGUN) {
        status = call_refusal(port);
    }
    concurrent_leave(port, slot);
    call_settle_unwind_if_raised();
    return status;
}

void call_run_letter(struct port *port, struct run_slot *slot, struct baton_work *work)
{
    status_t status = slot == NULL ? call_run_for(port, work)
                                   : call_run_in_slot(port, slot, work->badge, work->caller,
                                                      &work->message, ACTIVATION_FROM_KERNEL);

    baton_answer(work, status == CALL_NOT_BEGUN ? call_refusal(port) : status);
}

status_t call_posted(struct port *port, uint64_t badge, struct message *message, nsec_t deadline)
{
    struct activation *caller = activation_current();
    struct baton_request request = {.message = message,
                                    .badge = badge,
                                    .caller = caller->domain,
                                    .nested = activation_depth(caller) != 0};
    status_t status;

    if (!message_is_valid(message)) {
        return ERR_INVALID;
    }
    if (port->mode == PORT_MODE_MAILBOX || caller->calls_left == 0) {
        return port->mode == PORT_MODE_MAILBOX ? ERR_WRONG_TYPE : ERR_DEPTH;
    }
    if (port->slots != NULL ? concurrent_is_in_every_slot(port) : call_is_inside(port)) {
        return ERR_DEADLOCK;
    }
    status = baton_post(port, &request, deadline);
    call_settle_unwind_if_raised();
    return status == BATON_ANSWERED ? request.status : status;
}

/* Inline, since each kind of call has its own short way. */
__attribute__((always_inline)) static inline status_t call_as(struct port *port, uint64_t badge,
                                                              struct message *message,
                                                              nsec_t deadline,
                                                              enum activation_kind kind)
{
    if (!message_is_valid(message)) {
        return ERR_INVALID;
    }
    if (__builtin_expect(deadline + 1 > 1, 0) && port_is_user(port)) {
        return call_posted(port, badge, message, deadline);
    }
    if (port->mode >= PORT_MODE_MAILBOX) {
        return call_concurrent(port, badge, message, deadline, kind);
    }
    if (activation_current()->calls_left == 0) {
        return ERR_DEPTH;
    }
    if (!baton_try_take(port)) {
        return call_busy(port, badge, message, deadline, kind);
    }
    return call_run_and_give(port, badge, message, kind);
}

status_t call_port_any(struct port *port, uint64_t badge, struct message *message, nsec_t deadline)
{
    return call_as(port, badge, message, deadline, ACTIVATION_FROM_KERNEL);
}

status_t call_for_fault(struct port *port, uint64_t badge, struct message *message)
{
    return call_as(port, badge, message, DEADLINE_NONE, ACTIVATION_FROM_FAULT);
}
