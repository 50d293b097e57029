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
#include "ipc/concurrent.h"
#include "ipc/enter_priv.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/kstack.h"
#include "sched/activation.h"
#include "sched/sched.h"

/* What a call from user code may need of the kernel's stack: its own frames, a trap of the service's
 * code, an interrupt, and what the fast path pushes on top of that without a look. Sixteen calls have it;
 * calls of pagers need more each, so a chain with many of them ends earlier. */
#define CALL_STACK_BYTES 4608UL

/* A run did not begin; inside this file. */
#define CALL_NOT_BEGUN ((status_t)2)

static bool message_is_valid(const struct message *message)
{
    return (uint32_t)message->tag <= MESSAGE_REGISTER_WORDS;
}

/* A kernel service needs no room for user registers, so its record can lie in this frame. It works
 * on the message where that is. */
static inline void call_run_kernel(struct port *port, struct run_slot *slot, uint64_t badge,
                                   struct domain *asker, struct message *message)
{
    struct activation *caller = activation_current();
    struct activation activation; /* nothing else of it is looked at */
    struct request request = {message, badge, port->cookie, asker};

    activation.previous = caller;
    activation.domain = port->domain;
    activation.port = port;
    activation.calls_left = (uint16_t)(caller->calls_left - 1);
    activation.kind = ACTIVATION_FROM_KERNEL;
    activation.fpu_saved = 0;
    activation.satp_entry = caller->satp_entry;
    activation_set(&activation);
    if (slot != NULL) {
        activation.stack = &slot->stack;
    }
    context_call_on((void (*)(void *))port->entry, &request,
                    slot != NULL ? slot->stack.top : port->stack.top);
    activation_set(caller);
}

static bool call_is_inside_dying_domain(void)
{
    const struct activation *activation = activation_current();

    for (; activation->port != NULL; activation = activation->previous) {
        if (domain_is_dying(activation->domain)) {
            return true;
        }
    }
    return false;
}

/* First the flag goes, then the chain is looked at: a domain that starts to die after the look raises
 * the flag again. */
void call_settle_unwind(void)
{
    struct thread *thread = thread_current();

    /* acq_rel: if a raise came first, the domain's state is visible; pairs with thread_raise */
    atomic_and_acq_rel(&thread->flags, ~(uint32_t)THREAD_UNWIND);
    if (call_is_inside_dying_domain()) {
        /* relaxed: only this thread acts on it */
        atomic_or_relaxed(&thread->flags, THREAD_UNWIND);
    }
}

/* The same, for the common case that there is nothing to take off. */
static void call_settle_unwind_if_raised(void)
{
    /* relaxed: a raise that comes later is looked at by whoever waits or leaves next */
    if ((atomic_load_relaxed(&thread_current()->flags) & THREAD_UNWIND) != 0) {
        call_settle_unwind();
    }
}

/* A flag that concerns a chain in which this port is not yet: then only the port's end counts. */
static bool call_must_not_start(struct port *port)
{
    call_settle_unwind();
    /* acquire: see why they were raised; pairs with the release in thread_raise */
    return atomic_load_acquire(&thread_current()->flags) != 0 || port_close_reason(port) != OK;
}

/* Why a run must not start: the service is gone, or this thread is to end or unwind. */
static status_t call_refusal(struct port *port)
{
    status_t reason = port_close_reason(port);

    return reason != OK ? reason : ERR_CANCELLED;
}

/*
 * Interrupts stay off from the look at the pending work to user mode, as on every way out: a request
 * that comes later interrupts the service at once. CALL_NOT_BEGUN: this thread is to end, to unwind, or
 * the port was closed.
 */
static status_t call_run_user(struct port *port, const struct port_stack *stack, uint64_t badge,
                              struct message *message)
{
    irq_disable();
    while (core_current()->work != 0) {
        if (call_must_not_start(port)) {
            irq_enable();
            return CALL_NOT_BEGUN;
        }
        core_current()->work &= ~(uint32_t)WORK_THREAD; /* it was left by a flag that is gone */
        sched_preempt();
    }
    activation_save_fpu();
    uint64_t *entry = &asid_entries(port->domain->vspace)[core_index()];

    asid_enter(entry);
    status_t status = activation_enter_user(port, badge, message, entry, stack);
    call_settle_unwind();
    return status;
}

/* One run of the service for `asker`; the baton is ours. OK, ERR_PEER_DIED, CALL_NOT_BEGUN. */
static inline status_t call_run(struct port *port, uint64_t badge, struct domain *asker,
                                struct message *message)
{
    status_t status = OK;

    if (port->mode != PORT_MODE_KERNEL_SERVICE) {
        status = call_run_user(port, &port->stack, badge, message);
    } else if (port->leaf.run != NULL) {
        port->leaf.run(message, badge);
    } else {
        call_run_kernel(port, NULL, badge, asker, message);
    }
    port->calls += status != CALL_NOT_BEGUN;
    return status;
}

/* The same for who waits; a run that waits itself makes the service an ordinary one: else its holder
 * would wait for what others asked for. */
static status_t call_run_for(struct port *port, const struct baton_request *request)
{
    uint64_t blocks = thread_current()->blocks;
    status_t status = call_run(port, request->badge, request->caller, request->message);

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
static void call_serve(struct port *port)
{
    struct baton_request *request;
    unsigned budget = BATON_SNAPSHOT;

    while ((request = baton_next(port, budget != 0 && call_may_serve(port))) != NULL) {
        status_t status = call_run_for(port, request);

        if (status != CALL_NOT_BEGUN) {
            baton_answer(request, status);
        } else if (baton_hand_over(port, request)) {
            return;
        }
        budget--;
    }
}

/* The end of a run. */
static inline void call_give(struct port *port)
{
    if (!baton_try_give(port)) {
        call_serve(port);
    }
}

status_t call_give_port(struct port *port)
{
    call_give(port);
    call_settle_unwind_if_raised();
    return OK;
}

/* The baton is ours: run the service, and let go. */
static inline status_t call_run_and_give(struct port *port, uint64_t badge, struct message *message)
{
    status_t status;

    /* relaxed: close looks until it is there; rings of waiting are looked for after fences */
    atomic_store_relaxed(&port->holder, thread_current());
    status = call_run(port, badge, activation_current()->domain, message);
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

/* The port was not idle. Apart, to keep the common call short. */
__attribute__((noinline)) static status_t call_busy(struct port *port, uint64_t badge,
                                                    struct message *message, nsec_t deadline)
{
    struct activation *caller = activation_current();
    struct baton_request request = {.message = message,
                                    .badge = badge,
                                    .caller = caller->domain,
                                    .nested = activation_depth(caller) != 0};
    status_t status = call_is_inside(port) ? ERR_DEADLOCK : baton_take(port, &request, deadline);

    if (status == OK) {
        return call_run_and_give(port, badge, message);
    }
    call_settle_unwind_if_raised(); /* the baton may have been ours for a moment */
    return status == BATON_ANSWERED ? request.status : status;
}

/* One run in a slot that is ours. As call_run. */
static status_t call_run_in_slot(struct port *port, struct run_slot *slot, uint64_t badge,
                                 struct message *message)
{
    status_t status = OK;

    if (port->mode == PORT_MODE_CONCURRENT_KERNEL) {
        call_run_kernel(port, slot, badge, activation_current()->domain, message);
    } else {
        status = call_run_user(port, &slot->stack, badge, message);
    }
    /* relaxed: a listing looks at it; who holds the slot writes it */
    atomic_store_relaxed(&slot->calls, slot->calls + (status != CALL_NOT_BEGUN));
    return status;
}

/* A port that is not exclusive. */
__attribute__((noinline)) static status_t call_concurrent(struct port *port, uint64_t badge,
                                                          struct message *message, nsec_t deadline)
{
    status_t status;
    struct run_slot *slot;

    if (port->mode == PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    if (activation_current()->calls_left == 0) {
        return ERR_DEPTH;
    }
    slot = concurrent_try_enter(port);
    if (slot == NULL) {
        struct baton_request request = {.caller = activation_current()->domain, .badge = badge};

        status = concurrent_enter(port, &request, deadline);
        if (status != OK) {
            call_settle_unwind_if_raised(); /* the slot may have been ours for a moment */
            return status == BATON_ANSWERED ? request.status : status;
        }
        slot = request.slot;
    }
    status = call_run_in_slot(port, slot, badge, message);
    if (status == CALL_NOT_BEGUN) {
        status = call_refusal(port);
    }
    concurrent_leave(port, slot);
    call_settle_unwind_if_raised();
    return status;
}

status_t call_port_any(struct port *port, uint64_t badge, struct message *message, nsec_t deadline)
{
    if (!message_is_valid(message)) {
        return ERR_INVALID;
    }
    if (port->mode >= PORT_MODE_MAILBOX) {
        return call_concurrent(port, badge, message, deadline);
    }
    if (activation_current()->calls_left == 0) {
        return ERR_DEPTH;
    }
    if (!baton_try_take(port)) {
        return call_busy(port, badge, message, deadline);
    }
    return call_run_and_give(port, badge, message);
}

void call_from_user(struct syscall_frame *frame)
{
    struct message message = {
        .tag = frame->a[1],
        .word = {frame->a[2], frame->a[3], frame->a[4], frame->a[5]},
    };
    struct object *object;
    uint64_t badge;
    status_t status = handle_get(&activation_current()->domain->handles, frame->a[0], OBJECT_PORT,
                                 RIGHT_CALL, &object, &badge);

    if (status == OK) {
        status = kstack_room() < CALL_STACK_BYTES
                     ? ERR_DEPTH
                     : call_port(port_of_object(object), badge, &message, frame->a[6]);
        object_release(object);
    }
    if (status != OK) {
        message = (struct message){0};
    }
    frame->a[0] = (uint64_t)status;
    frame->a[1] = message.tag;
    for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
        frame->a[2 + i] = message.word[i];
    }
    frame->a[6] = 0;
}

/* The fast path ran a kernel service but cannot leave it alone; see fastpath.S. */
void call_finish_kernel(void)
{
    struct activation *activation = activation_current();

    activation_set(activation->previous);
    call_give(activation->port);
}

/*
 * Leave the innermost activation, whose service was called from user mode: afterwards this
 * thread's user context is the caller's. The record stays readable: it lies above this frame.
 */
static void activation_pop_to_user(struct activation *activation)
{
    uint64_t state = irq_save();

    fpu_disable(); /* the run's floating-point state dies with it */
    activation_set(activation->previous);
    asid_enter(activation->previous->satp_entry);
    irq_restore(state);
    call_give(activation->port);
}

_Noreturn static void activation_pop_to_kernel(struct activation *activation, status_t status)
{
    irq_disable();
    fpu_disable();
    asid_enter(activation->previous->satp_entry);
    activation_return_kernel(activation, status);
}

void call_return(struct syscall_frame *frame)
{
    struct activation *activation = activation_current();
    struct message reply = {
        .tag = frame->a[1],
        .word = {frame->a[2], frame->a[3], frame->a[4], frame->a[5]},
    };
    status_t status = OK;

    frame->a[6] = 0;
    if (activation->port == NULL || !message_is_valid(&reply)) {
        frame->a[0] = (uint64_t)ERR_INVALID;
        return;
    }
    if (domain_is_dying(activation->domain)) {
        call_unwind(); /* does not return: there is something to leave */
    }
    if (activation->kind == ACTIVATION_FROM_KERNEL) {
        *activation->message = reply;
        activation_pop_to_kernel(activation, status);
    }
    frame->pc = activation->return_pc;
    frame->sp = activation->return_sp;
    frame->tp = activation->return_tp;
    frame->ra = 0;
    frame->a[0] = OK;
    activation_pop_to_user(activation);
}

void call_unwind(void)
{
    struct activation *activation = activation_current();
    struct activation *left = NULL;

    while (activation->port != NULL && domain_is_dying(activation->domain)) {
        if (activation->kind == ACTIVATION_FROM_KERNEL) {
            activation_pop_to_kernel(activation, ERR_PEER_DIED);
        }
        left = activation;
        activation_pop_to_user(activation);
        activation = activation_current();
    }
    if (left != NULL) {
        irq_disable();
        upcall_exit_work(); /* the caller's own end may be due */
        context_enter_user(left->return_pc, left->return_sp, left->return_tp,
                           (uint64_t)ERR_PEER_DIED, 0, 0, 0);
    }
}
