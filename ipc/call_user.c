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
#include "ipc/call_priv.h"
#include "ipc/enter_priv.h"
#include "ipc/split.h"
#include "ipc/transfer.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/kstack.h"
#include "mm/spmalloc.h"
#include "sched/activation.h"
#include "sched/sched.h"

/* What a call from user code may need of the kernel's stack: its own frames, a trap of the service's
 * code, an interrupt, and what the fast path pushes on top of that without a look. Sixteen calls have it;
 * calls of pagers need more each, so a chain with many of them ends earlier. */
#define CALL_STACK_BYTES 4608UL

/* What user code asks for. */
struct user_call {
    struct syscall_frame *frame;
    struct port *port;
    struct run_slot *slot; /* of a concurrent service, when it is ours */
    uint64_t badge;
    nsec_t deadline;
    struct message message;
    struct transfer *transfer; /* of a message with more than registers hold */
    bool carries;              /* the transfer has begun and is to be ended */
};

/* The user code that runs in an activation. */
static struct side side_of(const struct activation *activation)
{
    return (struct side){.domain = activation->domain, .page = activation_page(activation)};
}

/* Does it have to end some time? */
static bool call_is_timed(const struct user_call *call)
{
    return call->deadline != DEADLINE_NONE && call->deadline != DEADLINE_NOW;
}

static struct activation call_record(const struct user_call *call, enum activation_kind kind)
{
    struct activation *caller = activation_current();

    return (struct activation){
        .previous = caller,
        .domain = call->port->domain,
        .port = call->port,
        .return_pc = call->frame->pc,
        .return_sp = call->frame->sp,
        .return_tp = call->frame->tp,
        .calls_left = (uint16_t)(caller->calls_left - 1),
        .kind = (uint8_t)kind,
        .stack = call->slot != NULL ? &call->slot->stack : &call->port->stack,
    };
}

/* The service that is to be entered. */
static struct side side_of_callee(const struct user_call *call)
{
    const struct port *port = call->port;

    return (struct side){.domain = port->domain,
                         .page = call->slot != NULL ? call->slot->page : port->page};
}

static void call_end_transfer(struct user_call *call)
{
    if (call->carries) {
        transfer_end(call->transfer);
        call->carries = false;
    }
}

/* Makes the service's windows be there. Its own pager may be asked about them, in its name: when its domain dies,
 * this thread finds it in its chain. */
static status_t call_settle_windows(const struct user_call *call, const struct side *to)
{
    struct activation activation = call_record(call, ACTIVATION_FROM_KERNEL);
    status_t status;

    activation_push(&activation);
    status = transfer_settle(call->transfer, to);
    activation_set(activation.previous);
    return status;
}

static status_t call_deliver(const struct user_call *call, const struct side *to)
{
    struct side from = side_of(activation_current()); /* looked up again: see transfer.h */

    return transfer_deliver(call->transfer, &from, to);
}

/* What the message has beyond registers, to a user service whose run is ours. A window in one page is mostly there:
 * only when it is not is it settled. */
static __attribute__((noinline)) status_t call_carry(struct user_call *call)
{
    struct side to = side_of_callee(call);
    bool settled = false;
    status_t status = transfer_meet(call->transfer, &to);

    if (status == OK && transfer_must_settle(call->transfer)) {
        settled = true;
        status = call_settle_windows(call, &to);
    }
    if (status == OK) {
        status = call_deliver(call, &to);
    }
    if (status == ERR_FAULT && !settled) {
        status = call_settle_windows(call, &to);
        if (status == OK) {
            status = call_deliver(call, &to);
        }
    }
    if (status != OK && port_close_reason(call->port) != OK) {
        status = port_close_reason(call->port);
    }
    call_end_transfer(call);
    return status;
}

static void call_take_back(const struct user_call *call)
{
    struct side to = side_of_callee(call);

    transfer_undo(call->transfer, &to);
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
static status_t call_enter(struct user_call *call)
{
    bool is_long = !message_is_short(call->message.tag);
    status_t status = is_long ? call_carry(call) : OK;

    if (status != OK) {
        return status;
    }

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
        if (is_long) {
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

/* What a service in the kernel finds beyond registers; NULL: its caller has no page. */
static status_t buffer_make(struct user_call *call, struct message_buffer **out)
{
    struct side from = side_of(activation_current());
    struct message_buffer *buffer;
    status_t status = OK;

    *out = NULL;
    if (from.page == NULL) {
        return OK;
    }
    buffer = spmalloc_zeroed(from.domain->account, sizeof(*buffer));
    if (buffer == NULL) {
        return ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < MAX_MESSAGE_SEGMENTS; i++) {
        buffer->window[i] = from.page->receive[i];
    }
    if (call->carries) {
        status = transfer_deliver(call->transfer, &from, &(struct side){.buffer = buffer});
        call_end_transfer(call);
    }
    if (status != OK) {
        spmalloc_free(buffer);
        buffer = NULL;
    }
    *out = buffer;
    return status;
}

/* The reply of a service in the kernel, to whoever the caller is now. */
static status_t buffer_answer(struct user_call *call, struct message_buffer *buffer)
{
    struct side from = {.buffer = buffer};
    struct side to = side_of(activation_current());
    status_t status = OK;

    if (!message_is_short(call->message.tag)) {
        status = transfer_begin(call->transfer, &from, call->message.tag);
        if (status == OK) {
            status = transfer_deliver(call->transfer, &from, &to);
            transfer_end(call->transfer);
        }
    }
    if (buffer != NULL) {
        message_buffer_drop(buffer);
        spmalloc_free(buffer);
    }
    return status;
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
    status_t status = call->port->takes_long ? buffer_make(call, &request.buffer) : OK;

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
    return call->port->takes_long ? buffer_answer(call, request.buffer) : OK;
}

/* Reads what a long message has. Before the run is ours: the caller's pager may be asked. */
static __attribute__((noinline)) status_t call_begin_transfer(struct user_call *call)
{
    const struct port *port = call->port;
    struct side from = side_of(activation_current());
    status_t status;

    if (port->mode == PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    status = transfer_begin(call->transfer, &from, call->message.tag);
    if (status == OK) {
        call->carries = true;
        if (port->domain->vspace == NULL && !port->takes_long) {
            status = ERR_TOO_LONG;
        }
    }
    return status;
}

/* The baton or a slot; OK: ours. BATON_ANSWERED: the reply is there. */
static status_t call_take(struct user_call *call)
{
    struct port *port = call->port;

    if (kstack_room() < CALL_STACK_BYTES) {
        return ERR_DEPTH;
    }
    if (!message_is_short(call->message.tag)) {
        status_t status = call_begin_transfer(call);

        if (status != OK) {
            return status;
        }
    }
    if (port->mode >= PORT_MODE_MAILBOX) {
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
    struct object *object;
    status_t status = handle_get(&activation_current()->domain->handles, frame->a[0], OBJECT_PORT,
                                 RIGHT_CALL, &object, &call.badge);

    if (status == OK) {
        call.port = port_of_object(object);
        status = call_take(&call);
        object_release(object); /* it stays as long as the run is ours */
        if (status == OK) {
            status = call_run_taken(&call);
        } else if (status == BATON_ANSWERED) {
            status = OK;
        }
    }
    call_end_transfer(&call);
    if (status != OK) {
        call.message = (struct message){0};
    }
    frame->a[0] = (uint64_t)status;
    frame->a[1] = call.message.tag;
    for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
        frame->a[2 + i] = call.message.word[i];
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

/* Was this user service entered by activation_enter_user? */
static bool activation_resumes_kernel(const struct activation *activation)
{
    return activation->kind == ACTIVATION_FROM_KERNEL || activation->kind == ACTIVATION_FROM_FAULT;
}

_Noreturn static void activation_pop_to_kernel(struct activation *activation, status_t status)
{
    irq_disable();
    fpu_disable();
    asid_enter(activation->previous->satp_entry);
    activation_return_kernel(activation, status);
}

/* Does the reply go to somebody who has gone on without it? */
static bool is_orphaned(const struct activation *activation)
{
    return activation->previous->port == NULL && thread_current()->identity == NULL;
}

/* What a reply has beyond registers, to the user code that called. */
static __attribute__((noinline)) status_t return_long(const struct activation *activation,
                                                      uint64_t tag)
{
    struct side from = side_of(activation);
    struct transfer transfer;
    status_t status = transfer_begin(&transfer, &from, tag);

    if (status != OK) {
        return status;
    }
    if (!is_orphaned(activation)) { /* looked at after the service's pager may have been asked */
        struct side to = side_of(activation->previous);

        status = transfer_meet(&transfer, &to);
        if (status == OK && transfer_must_settle(&transfer)) {
            status = transfer_settle(&transfer, &to);
        }
        if (status == OK) {
            status = transfer_deliver(&transfer, &from, &to);
        }
    }
    transfer_end(&transfer);
    return status;
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
    if (activation->port == NULL || !message_tag_is_valid(reply.tag)) {
        frame->a[0] = (uint64_t)ERR_INVALID;
        return;
    }
    if (domain_is_dying(activation->domain)) {
        call_unwind(); /* does not return: there is something to leave */
    }
    if (!message_is_short(reply.tag)) {
        status = activation_resumes_kernel(activation) ? ERR_TOO_LONG
                                                       : return_long(activation, reply.tag);
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
