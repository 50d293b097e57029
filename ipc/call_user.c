/* SPDX-License-Identifier: MIT */
/*
 * Calls by user code that the fast path does not take, and the ends of runs.
 *
 * Nothing of the kernel stays between such a caller and the user service that it calls: the record lies
 * where the fast path has it, but for the room of a deadline. For a service in the kernel the frames of
 * the system call stay, and go with the service when the chain is split (split.c).
 */
#include "ipc/call.h"

#include "arch/context.h"
#include "arch/fpu.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "arch/upcall.h"
#include "ipc/call_message_priv.h"
#include "ipc/call_priv.h"
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

/* What a call from user code may need of the kernel's stack: its own frames, a trap of the service's
 * code, an interrupt, and what the fast path pushes on top of that without a look. Sixteen calls have it;
 * calls of pagers need more each, so a chain with many of them ends earlier. */
#define CALL_STACK_BYTES 4608UL

/* Does it have to end some time? */
static bool call_is_timed(const struct user_call *call)
{
    return call->deadline != DEADLINE_NONE && call->deadline != DEADLINE_NOW;
}

/* One more run. */
static void call_count(const struct user_call *call)
{
    if (call->slot != NULL) {
        slot_count_run(call->slot, true);
    } else {
        call->port->calls++;
    }
}

/*
 * Enter a user service as the fast path does. The record lies among these frames, the deadline where the
 * system call's frame is. CALL_NOT_BEGUN, or it does not return.
 */
static status_t call_enter_carried(const struct user_call *call)
{

    struct call_deadline *limit = (struct call_deadline *)(void *)call->frame;
    bool timed = call_is_timed(call);
    bool slow = timed || call->slot != NULL;
    struct port *port = call->port;
    struct user_entry entry = {
        .record = call_record(call, slow ? ACTIVATION_SLOW : ACTIVATION_FROM_USER),
        .message = call->message,
        .badge = call->badge,
    };

    ASSERT((char *)(call->frame + 1) == (char *)activation_fpu(activation_current()));
    irq_disable();
    if (!call_may_enter(port)) {
        irq_enable();
        if (message_handles(call->message.tag) != 0) {
            call_take_back(call);
        }
        return CALL_NOT_BEGUN;
    }
    activation_save_fpu();
    entry.record.satp_entry = &asid_entries(port->domain->vspace)[core_index()];
    asid_enter(entry.record.satp_entry);
    call_count(call);
    if (timed) {
        entry.record.deadline = limit;
        call_deadline_arm(limit, call->deadline);
    }
    activation_enter_from_user(&entry, (struct activation *)(void *)call->frame - 1);
}

/* The same with what the message has beyond registers. */
static status_t call_enter(struct user_call *call)
{
    status_t status = message_is_short(call->message.tag) ? OK : call_carry(call);

    if (status != OK) {
        return status;
    }
    return call_enter_carried(call);
}

/* A kernel service. Whoever goes on without it does not come back here; these frames then end as an
 * orphan's before user mode. */
static status_t call_run_syscall(struct user_call *call)
{
    struct activation activation = call_record(call, ACTIVATION_FROM_SYSCALL);
    struct request request = {&call->message, call->badge, call->port->cookie,
                              activation_current()->domain, NULL};
    struct call_deadline limit;
    bool timed = call_is_timed(call);
    status_t status = call->port->takes_long ? call_make_buffer(call, &request.buffer) : OK;

    if (status != OK) {
        return status;
    }

    call_count(call);
    activation.deadline = timed ? &limit : NULL;
    activation_push(&activation);
    if (timed) {
        call_deadline_arm(&limit, call->deadline);
    }
    context_call_on((void (*)(void *))call->port->entry, &request, activation.stack->top);
    activation_set(activation.previous);
    if (timed) {
        call_deadline_cancel(&limit);
    }
    return call->port->takes_long ? call_answer(call, request.buffer) : OK;
}

/* The baton or a slot; OK: ours. BATON_ANSWERED: the reply is there. */
static status_t call_take(struct user_call *call)
{
    struct port *port = call->port;

    if (kstack_room() < CALL_STACK_BYTES) {
        return ERR_DEPTH;
    }
    if (!message_is_short(call->message.tag)) {
        if (port->mode == PORT_MODE_MAILBOX) {
            return ERR_INVALID;
        }
        status_t status = call_begin_carry(call);

        if (status != OK) {
            return status;
        }
    }
    if (port->mode >= PORT_MODE_MAILBOX) {
        if (port->mode == PORT_MODE_MAILBOX) {
            return CALL_OF_MAILBOX;
        }
        return call_take_slot(port, call->badge, call->deadline, &call->slot);
    }
    if (activation_current()->calls_left == 0) {
        return ERR_DEPTH;
    }
    if (!baton_try_take(port)) {
        status_t status = call_wait(port, call->badge, &call->message, call->deadline);

        if (status != OK) {
            return status;
        }
    }
    /* relaxed: as in call_run_and_give */
    atomic_store_relaxed(&port->holder, thread_current());
    return OK;
}

/* The end of a run of user code's. */
static void call_leave(struct port *port, struct run_slot *slot)
{
    if (slot != NULL) {
        concurrent_leave(port, slot);
    } else {
        call_give(port);
    }
}

/* What is to be run is ours, and keeps the port. */
static status_t call_run_taken(struct user_call *call)
{
    struct port *port = call->port;
    status_t status = OK;

    if (call_is_timed(call) && timer_now_ns() >= call->deadline) {
        status = ERR_TIMED_OUT;
    } else if (port->leaf.run != NULL) { /* it cannot wait, so nobody leaves it */
        port->leaf.run(&call->message, call->badge);
        port->calls++;
    } else if (port->mode == PORT_MODE_KERNEL_SERVICE ||
               port->mode == PORT_MODE_CONCURRENT_KERNEL) {
        status = call_run_syscall(call);
    } else {
        status = call_enter(call);
    }
    if (status == CALL_NOT_BEGUN) {
        status = call_refusal(port);
    }
    call_leave(port, call->slot);
    call_settle_unwind_if_raised();
    return status;
}

static status_t call_by_handle(struct user_call *call)
{
    struct object *object;
    status_t status = handle_get(&activation_current()->domain->handles, call->frame->a[0],
                                 OBJECT_PORT, RIGHT_CALL, &object, &call->badge);

    if (status == OK) {
        call->port = port_of_object(object);
        status = call_take(call);
        if (__builtin_expect(status == CALL_OF_MAILBOX, 0)) {
            return mailbox_call_from_user(call->port, call->badge, &call->message, call->deadline);
        }
        object_release(object); /* it stays as long as the run is ours */
        if (status == OK) {
            status = call_run_taken(call);
        } else if (status == BATON_ANSWERED) {
            status = OK;
        }
    }
    return status;
}

void call_from_user(struct syscall_frame *frame)
{
    struct transfer transfer; /* used when the message is long */
    struct user_call call = {
        .frame = frame,
        .transfer = &transfer,
        .deadline = frame->a[6],
        .message = {.tag = frame->a[1],
                    .word = {frame->a[2], frame->a[3], frame->a[4], frame->a[5]}},
    };
    status_t status = call_by_handle(&call);

    if (status == CALL_AGAIN) {
        status = call_by_handle(&call);
    }
    if (call.carries) {
        call_end_carry(&call);
    }
    if (status != OK) {
        call.message = (struct message){0};
    }
    frame->a[0] = (uint64_t)status;
    frame->a[1] = call.message.tag;
    for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
        frame->a[2 + i] = call.message.word[i];
    }
    frame->a[6] = 0;
    frame->token = 0;
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
    struct run_slot *slot = NULL;
    uint64_t state;

    if (activation->kind == ACTIVATION_SLOW) {
        if (activation->deadline != NULL) {
            call_deadline_cancel(activation->deadline);
        }
        if (activation->port->slots != NULL) {
            slot = container_of(activation->stack, struct run_slot, stack);
        }
    }
    state = irq_save();
    fpu_disable(); /* the run's floating-point state dies with it */
    activation_set(activation->previous);
    asid_enter(activation->previous->satp_entry);
    irq_restore(state);
    call_leave(activation->port, slot);
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
    frame->token = 0;
    if (activation->port == NULL) {
        frame->a[0] = (uint64_t)ERR_INVALID;
        return;
    }
    if (domain_is_dying(activation->domain)) {
        call_unwind(); /* does not return: there is something to leave */
    }
    if (!message_is_short(reply.tag)) {
        status = call_return_long(activation, reply.tag);
        if (status != OK) {
            frame->a[0] = (uint64_t)status;
            return;
        }
    }
    if (activation_resumes_kernel(activation)) {
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
        if (activation_resumes_kernel(activation)) {
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
