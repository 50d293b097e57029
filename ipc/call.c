/* SPDX-License-Identifier: MIT */
/*
 * The general call path.
 */
#include "ipc/call.h"

#include "arch/context.h"
#include "arch/fpu.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "arch/upcall.h"
#include "ipc/baton.h"
#include "ipc/enter_priv.h"
#include "ipc/split.h"
#include "kernel/abi/syscall.h"
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
static inline void call_run_kernel(struct port *port, uint64_t badge, struct domain *asker,
                                   struct message *message)
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
    context_call_on((void (*)(void *))port->entry, &request, port->stack_top);
    activation_set(caller);
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
static void call_settle_unwind_if_raised(void)
{
    /* relaxed: a raise that comes later is looked at by whoever waits or leaves next */
    if ((atomic_load_relaxed(&thread_current()->flags) & THREAD_UNWIND) != 0) {
        call_settle_unwind();
    }
}

/* Why a run must not start: the service is gone, or this thread is to end or unwind. */
static status_t call_refusal(struct port *port)
{
    status_t reason = port_close_reason(port);

    return reason != OK ? reason : ERR_CANCELLED;
}

/*
 * Interrupts stay off from the look at the pending work to user mode, as on every way out: a request
 * that comes later interrupts the service at once. False: this thread is to end, to unwind, or the
 * port was closed. What concerns only those above in the chain is done first.
 */
static bool call_may_enter(struct port *port)
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
        sched_yield();
        core = core_current();
    }
    return true;
}

/* CALL_NOT_BEGUN: see call_may_enter. */
static status_t call_run_user(struct port *port, uint64_t badge, struct message *message)
{
    irq_disable();
    if (!call_may_enter(port)) {
        irq_enable();
        return CALL_NOT_BEGUN;
    }
    activation_save_fpu();
    uint64_t *entry = &asid_entries(port->domain->vspace)[core_index()];

    asid_enter(entry);
    status_t status = activation_enter_user(port, badge, message, entry);
    call_settle_unwind();
    return status;
}

/* One run of the service for `asker`; the baton is ours. OK, ERR_PEER_DIED, CALL_NOT_BEGUN. */
static inline status_t call_run(struct port *port, uint64_t badge, struct domain *asker,
                                struct message *message)
{
    status_t status = OK;

    if (port->mode == PORT_MODE_KERNEL_SERVICE) {
        call_run_kernel(port, badge, asker, message);
    } else {
        status = call_run_user(port, badge, message);
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

/* The port was not idle. OK: the baton is ours. BATON_ANSWERED: the reply is in *message. */
static status_t call_wait(struct port *port, uint64_t badge, struct message *message,
                          nsec_t deadline)
{
    struct activation *caller = activation_current();
    struct baton_request request = {.message = message,
                                    .badge = badge,
                                    .caller = caller->domain,
                                    .nested = activation_depth(caller) != 0};
    status_t status = call_is_inside(port) ? ERR_DEADLOCK : baton_take(port, &request, deadline);

    if (status != OK) {
        call_settle_unwind_if_raised(); /* the baton may have been ours for a moment */
    }
    return status == BATON_ANSWERED && request.status != OK ? request.status : status;
}

/* Apart, to keep the common call short. */
__attribute__((noinline)) static status_t call_busy(struct port *port, uint64_t badge,
                                                    struct message *message, nsec_t deadline)
{
    status_t status = call_wait(port, badge, message, deadline);

    if (status == OK) {
        return call_run_and_give(port, badge, message);
    }
    return status == BATON_ANSWERED ? OK : status;
}

/* Why a call is refused whoever runs, or OK. */
static inline status_t call_check(const struct port *port, const struct message *message)
{
    if (!message_is_valid(message)) {
        return ERR_INVALID;
    }
    if (port->mode == PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    return activation_current()->calls_left == 0 ? ERR_DEPTH : OK;
}

status_t call_port(struct port *port, uint64_t badge, struct message *message, nsec_t deadline)
{
    status_t status = call_check(port, message);

    if (__builtin_expect(status != OK, 0)) {
        return status;
    }
    if (!baton_try_take(port)) {
        return call_busy(port, badge, message, deadline);
    }
    return call_run_and_give(port, badge, message);
}

/* Does the call have to end some time? */
static bool call_is_timed(nsec_t deadline)
{
    return deadline != DEADLINE_NONE && deadline != DEADLINE_NOW;
}

/* The record of a call by user code whose system call has this frame. */
static struct activation call_record(const struct syscall_frame *frame, struct port *port,
                                     enum activation_kind kind)
{
    struct activation *caller = activation_current();

    return (struct activation){
        .previous = caller,
        .domain = port->domain,
        .port = port,
        .return_pc = frame->pc,
        .return_sp = frame->sp,
        .return_tp = frame->tp,
        .calls_left = (uint16_t)(caller->calls_left - 1),
        .kind = (uint8_t)kind,
        .satp_entry = caller->satp_entry,
    };
}

/*
 * Enter a user service as the fast path does: nothing of the kernel stays between caller and service. The
 * record lies where these frames are, the deadline where the system call's is. CALL_NOT_BEGUN, or it
 * does not return.
 */
static status_t call_enter(struct syscall_frame *frame, struct port *port, uint64_t badge,
                           const struct message *message, nsec_t deadline)
{
    struct call_deadline *limit = (struct call_deadline *)(void *)frame;
    bool timed = call_is_timed(deadline);
    struct user_entry entry = {
        .record = call_record(frame, port, timed ? ACTIVATION_TIMED : ACTIVATION_FROM_USER),
        .message = *message,
        .badge = badge,
    };

    ASSERT((char *)(frame + 1) == (char *)activation_fpu(activation_current()));
    irq_disable();
    if (!call_may_enter(port)) {
        irq_enable();
        return CALL_NOT_BEGUN;
    }
    activation_save_fpu();
    entry.record.satp_entry = &asid_entries(port->domain->vspace)[core_index()];
    asid_enter(entry.record.satp_entry);
    port->calls++;
    if (timed) {
        entry.record.deadline = limit;
        call_deadline_arm(limit, deadline);
    }
    activation_enter_from_user(&entry, (struct activation *)(void *)frame - 1);
}

/* A kernel service for user code, from C. If the chain is split, the frames up to the system call's go
 * on with the service, and end before user mode. */
static void call_run_syscall(const struct syscall_frame *frame, struct port *port, uint64_t badge,
                             struct message *message, nsec_t deadline)
{
    struct activation activation = call_record(frame, port, ACTIVATION_FROM_SYSCALL);
    struct request request = {message, badge, port->cookie, activation_current()->domain};
    struct call_deadline limit;
    bool timed = call_is_timed(deadline);

    port->calls++;
    activation.deadline = timed ? &limit : NULL;
    activation_set(&activation);
    if (timed) {
        call_deadline_arm(&limit, deadline);
    }
    context_call_on((void (*)(void *))port->entry, &request, port->stack_top);
    activation_set(activation.previous);
    if (timed) {
        call_deadline_cancel(&limit);
    }
}

/* The baton is ours, and keeps the port. */
static status_t call_run_from_user(struct syscall_frame *frame, struct port *port, uint64_t badge,
                                   struct message *message, nsec_t deadline)
{
    status_t status = OK;

    /* relaxed: as in call_run_and_give */
    atomic_store_relaxed(&port->holder, thread_current());
    if (call_is_timed(deadline) && timer_now_ns() >= deadline) {
        status = ERR_TIMED_OUT;
    } else if (port->mode == PORT_MODE_KERNEL_SERVICE) {
        call_run_syscall(frame, port, badge, message, deadline);
    } else {
        status = call_enter(frame, port, badge, message, deadline);
    }
    if (status == CALL_NOT_BEGUN) {
        status = call_refusal(port);
    }
    call_give(port);
    call_settle_unwind_if_raised();
    return status;
}

/* The baton for a call by user code: OK: it is ours. */
static status_t call_take(struct port *port, uint64_t badge, struct message *message,
                          nsec_t deadline)
{
    status_t status = kstack_room() < CALL_STACK_BYTES ? ERR_DEPTH : call_check(port, message);

    if (status != OK || baton_try_take(port)) {
        return status;
    }
    return call_wait(port, badge, message, deadline);
}

void call_from_user(struct syscall_frame *frame)
{
    struct message message = {
        .tag = frame->a[1],
        .word = {frame->a[2], frame->a[3], frame->a[4], frame->a[5]},
    };
    nsec_t deadline = frame->a[6];
    struct object *object;
    uint64_t badge;
    status_t status = handle_get(&activation_current()->domain->handles, frame->a[0], OBJECT_PORT,
                                 RIGHT_CALL, &object, &badge);

    if (status == OK) {
        status = call_take(port_of_object(object), badge, &message, deadline);
        object_release(object); /* it stays while we have the baton */
        if (status == OK) {
            status = call_run_from_user(frame, port_of_object(object), badge, &message, deadline);
        } else if (status == BATON_ANSWERED) {
            status = OK;
        }
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
    uint64_t state;

    if (activation->kind == ACTIVATION_TIMED) {
        call_deadline_cancel(activation->deadline);
    }
    state = irq_save();
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
