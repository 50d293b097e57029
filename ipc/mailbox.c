/* SPDX-License-Identifier: MIT */
/*
 * The line of a mailbox, and who waits for what comes.
 *
 * A receiver waits in `front`, if it is user code without a deadline and nobody else is there, or in
 * `receivers`. Who brings something puts it into the line under the port's lock, takes the one in front
 * out, or else one of the receivers, and wakes it; a receiver that was woken looks again.
 *
 * Protocol of port.front (tests/models/rendezvous.pml)
 *   NONE -> thread    a receiver, in C or in ipc/riscv/mailbox.S, before it blocks          [release]
 *   thread -> NONE    the same when it was woken otherwise; or a caller, in mailbox.S, that has taken it by
 *                     its wake word and goes on as this receiver                            [acquire]
 *   NONE, thread -> BUSY   push and close, under the lock; they wake the thread             [acq_rel]
 *   BUSY -> NONE      the lock is held, the line is empty and the port open                 [release]
 *
 *   Nothing is overlooked: a receiver enters only while it is NONE, so the line was empty then, and who
 *   pushes afterwards finds it. A fast caller that takes the receiver while another one is between its push and
 *   its swap comes before that one; which then waits in the line, where the receiver looks next.
 *   A receiver that is told to end and finds itself taken out passes the wake-up on.
 */
#include "ipc/mailbox.h"

#include "arch/irq.h"
#include "ipc/call_priv.h"
#include "ipc/letter.h"
#include "ipc/mailbox_priv.h"
#include "ipc/port_event.h"
#include "ipc/port_priv.h"
#include "ipc/result.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/activation.h"
#include "sched/sched.h"

/* Closed is set under the lock. */
static bool is_closed_locked(const struct port *port)
{
    /* relaxed: as said */
    return (atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0;
}

static struct thread *thread_in(uint64_t front)
{
    return front > FRONT_BUSY ? (struct thread *)front : NULL;
}

/* Who waits in front, and does so no longer. */
static struct thread *front_take_locked(struct port *port)
{
    /* acq_rel: where the thread lies; what is in the line; pairs with front_enter and mailbox_settle_locked */
    return thread_in(atomic_swap_acq_rel(&port->front, FRONT_BUSY));
}

/* The line may be empty now. */
void mailbox_settle_locked(struct port *port)
{
    if (port->queue.first == NULL && !is_closed_locked(port)) {
        /* release: the line was seen empty; pairs with the swap in front_take_locked */
        atomic_store_release(&port->front, FRONT_NONE);
    }
}

status_t mailbox_push(struct port *port, struct queue_record *record, struct thread **receiver)
{
    status_t status = OK;

    ASSERT(!irq_enabled());
    spin_lock(&port->lock);
    if (is_closed_locked(port)) {
        status = port->close_reason;
    } else {
        queue_push(&port->queue, record);
        *receiver = front_take_locked(port);
    }
    spin_unlock(&port->lock);
    if (status == OK) {
        port_raise_event(port, PORT_EVENT_MESSAGE);
        if (*receiver == NULL) {
            *receiver = wait_queue_take_one(&port->receivers);
        }
    }
    return status;
}

status_t mailbox_push_letter(struct port *port, struct queue_record *record)
{
    struct thread *receiver = NULL;
    uint64_t state = irq_save();
    status_t status = mailbox_push(port, record, &receiver);

    if (receiver != NULL) {
        sched_wake_thread(receiver);
    }
    irq_restore(state);
    return status;
}

/* The oldest, or NULL. */
static struct queue_record *mailbox_pop_locked(struct port *port) REQUIRES(port->lock)
{
    struct queue_record *record = queue_pop(&port->queue);

    if (record != NULL) {
        mailbox_settle_locked(port);
    }
    return record;
}

bool mailbox_withdraw(struct port *port, struct mail *mail)
{
    bool removed = false;

    ASSERT(!irq_enabled());
    /* relaxed: looked at again under the lock. A port is freed after it was closed, which unlinks the record,
     * and a grace period: one that was seen linked stays memory until interrupts are on. */
    if (atomic_load_relaxed(&mail->record.linked)) {
        spin_lock(&port->lock);
        removed = queue_remove(&port->queue, &mail->record);
        if (removed) {
            mailbox_settle_locked(port);
        }
        spin_unlock(&port->lock);
    }
    return removed;
}

status_t mailbox_send(struct port *port, uint64_t badge, const struct message *message)
{
    if (!message_is_valid(message)) {
        return ERR_INVALID;
    }
    if (port->mode != PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    return letter_send(port, badge, message, DEADLINE_NOW);
}

/* The letter becomes the receiver's. */
static void take_letter(struct port *port, struct letter *letter, struct delivery *delivery)
{
    *delivery = (struct delivery){
        .message = letter->message, .badge = letter->badge, .token = letter->result};
    if (letter->result != 0) {
        result_deliver(letter->result, activation_current()->domain);
    }
    letter_free(port, letter);
}

/* The call is the receiver's to reply to. */
static void take_call(const struct mail *mail, struct delivery *delivery)
{
    *delivery =
        (struct delivery){.message = mail->message, .badge = mail->badge, .token = mail->token};
    rendezvous_accept(mail, activation_current()->domain);
}

/* A message has come, or none will. */
static bool receive_is_over(void *argument)
{
    struct receive *receive = argument;
    struct port *port = receive->port;
    uint64_t state = spin_lock_save(&port->lock);
    struct queue_record *record = mailbox_pop_locked(port);
    bool over = record != NULL || is_closed_locked(port);

    if (record == NULL) {
        receive->status = over ? port->close_reason : OK;
    } else if (record->is_letter) {
        take_letter(port, letter_of(record), receive->delivery);
    } else {
        take_call(mail_of(record), receive->delivery);
    }
    spin_unlock_restore(&port->lock, state);
    return over;
}

status_t mailbox_receive_for(struct port *port, struct thread *named, nsec_t deadline,
                             struct delivery *delivery)
{
    struct receive receive = {.port = port, .delivery = delivery};
    status_t status =
        wait_queue_wait_for(&port->receivers, named, deadline, receive_is_over, &receive);

    return status != OK ? status : receive.status;
}

status_t mailbox_receive(struct port *port, nsec_t deadline, struct delivery *delivery)
{
    return port->mode != PORT_MODE_MAILBOX ? ERR_WRONG_TYPE
                                           : mailbox_receive_for(port, NULL, deadline, delivery);
}

static bool front_enter(struct port *port)
{
    uint64_t none = FRONT_NONE;

    /* release: where this thread goes on; pairs with front_take_locked and the lr.aq in mailbox.S */
    return atomic_cas_release(&port->front, &none, (uint64_t)thread_current());
}

/* False: somebody has taken us out. */
static bool front_leave(struct port *port)
{
    uint64_t self = (uint64_t)thread_current();

    /* relaxed: nothing is read that was written before */
    return atomic_cas_relaxed(&port->front, &self, FRONT_NONE);
}

status_t mailbox_receive_in_front(struct port *port, struct thread *named, bool waited,
                                  struct delivery *delivery)
{
    status_t status = waited && thread_must_stop() ? ERR_CANCELLED : OK;

    for (;;) {
        if (waited && !front_leave(port) && status != OK) {
            wait_queue_wake_one(
                &port->receivers); /* our wake-up was meant for one who still waits */
        }
        if (status != OK) {
            return status;
        }
        if (!front_enter(port)) { /* messages wait, or somebody else is there */
            return mailbox_receive_for(port, named, DEADLINE_NONE, delivery);
        }
        waited = true;
        status = sched_block_until_for(named, DEADLINE_NONE);
        named = NULL;
    }
}

void mailbox_close_locked(struct port *port, status_t reason)
{
    struct thread *receiver = front_take_locked(port);

    for (struct queue_record *record = queue_pop(&port->queue); record != NULL;
         record = queue_pop(&port->queue)) {
        if (record->is_letter) {
            letter_refuse(port, letter_of(record), reason);
        } else {
            struct thread *caller = mail_of(record)->caller;

            rendezvous_finish(caller, reason, NULL);
            sched_wake_thread(caller);
        }
    }
    if (receiver != NULL) {
        sched_wake_thread(receiver);
    }
}
