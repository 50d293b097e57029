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
#include "ipc/mailbox_priv.h"
#include "ipc/port_priv.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/spmalloc.h"
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
    /* acq_rel: where the thread lies; what is in the line; pairs with front_enter and settle_locked */
    return thread_in(atomic_swap_acq_rel(&port->front, FRONT_BUSY));
}

/* The line may be empty now. */
static void settle_locked(struct port *port) REQUIRES(port->lock)
{
    if (port->queue.first == NULL && !is_closed_locked(port)) {
        /* release: the line was seen empty; pairs with the swap in front_take_locked */
        atomic_store_release(&port->front, FRONT_NONE);
    }
}

/* The mailbox has a message: who is to be told of that is told here. The lock is held. */
static void has_message_locked(struct port *port) REQUIRES(port->lock)
{
    (void)port;
}

status_t mailbox_push(struct port *port, struct mail *mail, struct thread **receiver)
{
    status_t status = OK;

    ASSERT(!irq_enabled());
    spin_lock(&port->lock);
    if (is_closed_locked(port)) {
        status = port->close_reason;
    } else if (mail->caller == NULL && port->letters >= PORT_QUEUE_CAPACITY) {
        status = ERR_WOULD_BLOCK;
    } else {
        port->letters += mail->caller == NULL;
        queue_push(&port->queue, &mail->record);
        *receiver = front_take_locked(port);
        has_message_locked(port);
    }
    spin_unlock(&port->lock);
    if (status == OK && *receiver == NULL) {
        *receiver = wait_queue_take_one(&port->receivers);
    }
    return status;
}

/* The oldest, or NULL. */
static struct mail *mailbox_pop_locked(struct port *port) REQUIRES(port->lock)
{
    struct queue_record *record = queue_pop(&port->queue);

    if (record == NULL) {
        return NULL;
    }
    struct mail *mail = container_of(record, struct mail, record);

    port->letters -= mail->caller == NULL;
    settle_locked(port);
    return mail;
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
            settle_locked(port);
        }
        spin_unlock(&port->lock);
    }
    return removed;
}

status_t mailbox_send(struct port *port, uint64_t badge, const struct message *message)
{
    struct thread *receiver = NULL;

    if ((uint32_t)message->tag > MESSAGE_REGISTER_WORDS) {
        return ERR_INVALID;
    }
    if (port->mode != PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    /* Looked at again under the lock; this look spares a sender that tries and tries the message. */
    /* relaxed: advice */
    if (atomic_load_relaxed(&port->letters) >= PORT_QUEUE_CAPACITY) {
        return ERR_WOULD_BLOCK;
    }
    struct mail *mail = spmalloc_zeroed(port->domain->account, sizeof(*mail));
    if (mail == NULL) { /* an account that has ended gives nothing: say why */
        status_t reason = port_close_reason(port);

        return reason != OK ? reason : ERR_NO_MEMORY;
    }
    mail->message = *message;
    mail->badge = badge;
    uint64_t state = irq_save();
    status_t status = mailbox_push(port, mail, &receiver);

    if (receiver != NULL) {
        sched_wake_thread(receiver);
    }
    irq_restore(state);
    if (status != OK) {
        spmalloc_free(mail);
    }
    return status;
}

/* What was taken off the line is the receiver's. A letter is to be freed. */
static void deliver_locked(const struct mail *mail, struct delivery *delivery)
{
    delivery->message = mail->message;
    delivery->badge = mail->badge;
    delivery->token = mail->token;
    if (mail->caller != NULL) {
        rendezvous_accept(mail, activation_current()->domain);
    }
}

/* A message has come, or none will. */
static bool receive_is_over(void *argument)
{
    struct receive *receive = argument;
    struct port *port = receive->port;
    struct mail *letter = NULL;
    uint64_t state = spin_lock_save(&port->lock);
    struct mail *mail = mailbox_pop_locked(port);
    bool over = mail != NULL || is_closed_locked(port);

    if (mail != NULL) {
        receive->status = OK;
        letter = mail->caller == NULL ? mail : NULL;
        deliver_locked(mail, receive->delivery);
    } else if (over) {
        receive->status = port->close_reason;
    }
    spin_unlock_restore(&port->lock, state);
    if (letter != NULL) {
        spmalloc_free(letter);
    }
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
        struct mail *mail = container_of(record, struct mail, record);
        struct thread *caller = mail->caller;

        if (caller == NULL) {
            spmalloc_free(mail);
        } else {
            rendezvous_finish(caller, reason, NULL);
            sched_wake_thread(caller);
        }
    }
    if (receiver != NULL) {
        sched_wake_thread(receiver);
    }
}
