/* SPDX-License-Identifier: MIT */
/*
 * Mailboxes for user code, and threads that wait at the user boundary.
 *
 * Without a deadline nothing has to be undone when a call was answered, or a receiver got a call: all
 * that is needed to go on is in the frame of the system call, which lies where the innermost activation ends.
 * Such a thread is *parked*, whether it blocked in C or in riscv/mailbox.S: the latter may take it,
 * drop what lies below the frame, and go on in user mode with the message in registers. To everybody else it
 * is a blocked thread; when the scheduler resumes it, it goes on here, at rendezvous_wait or
 * mailbox_receive_in_front, or where it blocked in them. So a parked thread holds no reference in its frames:
 * a caller needs none while it is in the line (mailbox_withdraw), a receiver has one in its block.
 */
#include "ipc/mailbox.h"

#include "arch/irq.h"
#include "arch/mmu.h"
#include "ipc/enter_priv.h"
#include "ipc/mailbox_priv.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/activation.h"
#include "sched/sched.h"

static struct message message_of(const struct syscall_frame *frame)
{
    return (struct message){
        .tag = frame->a[1],
        .word = {frame->a[2], frame->a[3], frame->a[4], frame->a[5]},
    };
}

/* What comes back; nothing but the status unless it is OK. */
static void fill_frame(struct syscall_frame *frame, status_t status,
                       const struct delivery *delivery)
{
    static const struct delivery nothing;
    const struct delivery *what = status == OK && delivery != NULL ? delivery : &nothing;

    frame->a[0] = (uint64_t)status;
    frame->a[1] = what->message.tag;
    for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
        frame->a[2 + i] = what->message.word[i];
    }
    frame->a[6] = what->badge;
    frame->token = what->token;
}

static status_t get_port(handle_t handle, rights_t right, struct port **port, uint64_t *badge)
{
    struct object *object;
    status_t status = handle_get(&activation_current()->domain->handles, handle, OBJECT_PORT, right,
                                 &object, badge);

    if (status == OK) {
        *port = port_of_object(object);
    }
    return status;
}

/* May a thread go from one space to another by a value of satp alone? */
static bool spaces_have_numbers(void)
{
    return mmu_max_asid() != 0;
}

void mailbox_receive_from_user(struct syscall_frame *frame)
{
    struct delivery delivery;
    struct port *port;
    status_t status = get_port(frame->a[0], RIGHT_RECEIVE, &port, NULL);

    if (status == OK) {
        status = mailbox_receive(port, frame->a[6], &delivery);
        object_release(&port->object);
    }
    fill_frame(frame, status, &delivery);
}

void mailbox_reply_from_user(struct syscall_frame *frame)
{
    struct message reply = message_of(frame);

    fill_frame(frame, mailbox_reply(frame->a[0], &reply), NULL);
}

/* The port stays this thread's, until it receives elsewhere or ends; the reference to it is given away. */
static void note_mailbox(struct port *port)
{
    struct rendezvous *own = &thread_current()->rendezvous;
    struct object *before = own->mailbox;

    if (before == &port->object) {
        object_release(&port->object);
        return;
    }
    own->mailbox = &port->object;
    if (before != NULL) {
        object_release(before);
    }
}

/* As mailbox_reply_receive without a deadline; the reference to the port is given away. */
static status_t reply_receive_parked(uint64_t token, const struct message *reply, struct port *port,
                                     struct delivery *delivery)
{
    struct thread *caller;

    note_mailbox(port);
    if (thread_must_stop()) {
        return ERR_CANCELLED;
    }
    status_t status = rendezvous_reply_first(token, reply, &caller);
    return status != OK ? status : mailbox_receive_in_front(port, caller, false, delivery);
}

void mailbox_reply_receive_from_user(struct syscall_frame *frame)
{
    struct message reply = message_of(frame);
    struct delivery delivery;
    struct port *port;
    status_t status = get_port(frame->a[0], RIGHT_RECEIVE, &port, NULL);

    if (status == OK && frame->a[6] == DEADLINE_NONE && port->mode == PORT_MODE_MAILBOX &&
        message_is_short(reply.tag) && spaces_have_numbers()) {
        status = reply_receive_parked(frame->token, &reply, port, &delivery);
    } else if (status == OK) {
        status = mailbox_reply_receive(frame->token, &reply, port, frame->a[6], &delivery);
        object_release(&port->object);
    }
    fill_frame(frame, status, &delivery);
}

void mailbox_resumed_call(struct syscall_frame *frame)
{
    struct delivery delivery = {.token = 0};
    status_t status = rendezvous_wait(NULL, NULL, NULL, true, DEADLINE_NONE, &delivery.message);

    fill_frame(frame, status, &delivery);
}

void mailbox_resumed_receive(struct syscall_frame *frame)
{
    struct delivery delivery;
    struct port *port = port_of_object(thread_current()->rendezvous.mailbox);

    fill_frame(frame, mailbox_receive_in_front(port, NULL, true, &delivery), &delivery);
}

void mailbox_switched(struct thread *parked, uint64_t woken, uint64_t not_in_front)
{
    if (woken != 0) {
        sched_deliver(parked);
    } else if (not_in_front != 0) {
        sched_wake_thread(parked);
    }
    /* relaxed: who raises a flag from now on finds the thread running, and interrupts this core */
    if (atomic_load_relaxed(&thread_current()->flags) != 0) {
        core_current()->work |= WORK_THREAD;
    }
}

status_t mailbox_call_from_user(struct port *port, uint64_t badge, struct message *message,
                                nsec_t deadline)
{
    status_t status;

    if (deadline == DEADLINE_NONE && message_is_short(message->tag) && spaces_have_numbers()) {
        return rendezvous_call_parked(port, badge, message);
    }
    status = mailbox_call(port, badge, message, deadline);
    object_release(&port->object);
    return status;
}
