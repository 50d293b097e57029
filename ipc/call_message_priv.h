/* SPDX-License-Identifier: MIT */
/*
 * What a call by user code carries beyond registers: between call_user.c and call_message.c.
 *
 * Rules: private to ipc/; thread context, interrupts on, nothing locked.
 */
#pragma once

#include "arch/trap.h"
#include "ipc/port.h"
#include "ipc/transfer.h"
#include "sched/activation.h"

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
    bool slowly;               /* the short way of call_carry is not to be tried again */
};

/* The short way was not possible: the call has let go of the service and is to be made again. */
#define CALL_AGAIN ((status_t)3)

/* The record of the run to come. */
static inline struct activation call_record(const struct user_call *call, enum activation_kind kind)
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

/* Was this user service entered by activation_enter_user? */
static inline bool activation_resumes_kernel(const struct activation *activation)
{
    return activation->kind == ACTIVATION_FROM_KERNEL ||
           activation->kind == ACTIVATION_FROM_FAULT || activation->kind == ACTIVATION_FROM_COURIER;
}

/* Reads what a long message has, before its run is ours: the caller's pager may be asked. Errors as ipc/transfer.h;
 * ERR_WRONG_TYPE: a mailbox. */
WARN_UNUSED status_t call_begin_carry(struct user_call *call);

/* Carries it over to the user service whose run is ours. Errors as ipc/transfer.h; CALL_AGAIN. */
WARN_UNUSED status_t call_carry(struct user_call *call);

/* The run did not begin after all. */
void call_take_back(const struct user_call *call);

/* If `carries`. */
void call_end_carry(struct user_call *call);

/* What a service in the kernel finds beyond registers; NULL: its caller has no page. Errors as ipc/transfer.h. */
WARN_UNUSED status_t call_make_buffer(struct user_call *call, struct message_buffer **out);

/* The reply of such a service, to whoever the caller is now; the buffer goes. */
WARN_UNUSED status_t call_answer(struct user_call *call, struct message_buffer *buffer);

/* What a reply has beyond registers, to the caller of the innermost activation, a user service's. Errors as ipc/transfer.h;
 * ERR_TOO_LONG also: the caller is the kernel. */
WARN_UNUSED status_t call_return_long(struct activation *activation, uint64_t tag);
