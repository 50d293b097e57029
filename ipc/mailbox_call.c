/* SPDX-License-Identifier: MIT */
/*
 * Calls of mailboxes: who answers, and who has left.
 *
 * Protocol (sched/rendezvous.h; tests/models/rendezvous.pml)
 *   queued    the record is in the line of the mailbox, the token 0.
 *   served    a receiver took the record off under the port's lock, and gave the token to the caller's
 *             block there [release]; or mailbox.S did so without a line.
 *   over      who changed the token to 0 writes the reply and then `answered` [release], and wakes the
 *             caller. A record that was taken off by close: the same without a token.
 *   left      the caller took its record off, or changed the token to 0: nobody answers any more.
 *
 *   A caller that wants to leave and finds neither record nor token is being received or answered at this
 *   moment, on another core: that takes a bounded time, and it looks again.
 *   A reply finds the block by the index in its token. The block is a thread's while interrupts are off; if
 *   it is another thread's by now, that one has other tokens.
 */
#include "ipc/mailbox.h"

#include "arch/irq.h"
#include "ipc/mailbox_priv.h"
#include "ipc/result.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/activation.h"
#include "sched/sched.h"
#include "sched/thread_table.h"

uint64_t rendezvous_begin(bool parks)
{
    struct rendezvous *own = &thread_current()->rendezvous;

    own->last_token = (own->last_token + TOKEN_STEP) | TOKEN_PARKED;
    return parks ? own->last_token : own->last_token & ~TOKEN_PARKED;
}

/* For listings: it is in the line of `port`, or of none. The port is open as long: only then is the note followed. */
static void note_line(struct thread *caller, struct port *port)
{
    /* relaxed: the port's lock, or the record's way into the line, orders it */
    atomic_store_relaxed(&caller->waiting_for, port);
}

void rendezvous_accept(const struct mail *mail, struct domain *server)
{
    struct rendezvous *call = &mail->caller->rendezvous;

    note_line(mail->caller, NULL);
    /* relaxed: who finds the token reads it */
    atomic_store_relaxed(&call->server, server);
    /* release: the message was read, and by whom; pairs with token_take and call_leave */
    atomic_store_release(&call->token, mail->token);
}

/* Decide how the call ends, if nobody else has. */
static bool token_take(struct rendezvous *call, uint64_t token)
{
    /* acq_rel: a reply that is refused comes after what ended the call; pairs with itself, and with the
     * release in rendezvous_accept */
    return atomic_cas_acq_rel(&call->token, &token, 0UL);
}

void rendezvous_finish(struct thread *caller, status_t status, const struct message *reply)
{
    struct rendezvous *call = &caller->rendezvous;

    ASSERT(!irq_enabled());
    note_line(caller, NULL);
    call->status = status;
    if (reply != NULL) {
        call->reply = *reply;
    }
    /* release: status and reply; pairs with the acquire in take_answer */
    atomic_store_release(&call->answered, 1U);
}

status_t rendezvous_reply(uint64_t token, const struct message *reply, struct thread **caller)
{
    struct thread *thread = thread_of_index(token);

    ASSERT(!irq_enabled());
    /* acquire: by whom it was received; pairs with the release in rendezvous_accept */
    if (token == 0 || thread == NULL || atomic_load_acquire(&thread->rendezvous.token) != token) {
        return ERR_STALE;
    }
    /* relaxed: if the call has ended since, token_take says so */
    if (atomic_load_relaxed(&thread->rendezvous.server) != activation_current()->domain) {
        return ERR_DENIED;
    }
    if (!token_take(&thread->rendezvous, token)) {
        return ERR_STALE;
    }
    rendezvous_finish(thread, OK, reply);
    *caller = thread;
    return OK;
}

/* The call is over: its status, and the reply in *message. False: not yet. */
static bool take_answer(struct message *message, status_t *status)
{
    struct rendezvous *own = &thread_current()->rendezvous;

    /* acquire: status and reply; pairs with the release in rendezvous_finish */
    if (atomic_load_acquire(&own->answered) == 0) {
        return false;
    }
    /* relaxed: nobody else looks until the next call */
    atomic_store_relaxed(&own->answered, 0U);
    *status = own->status;
    if (own->status == OK) {
        *message = own->reply;
    }
    return true;
}

/* Nobody is to answer any more. False: somebody takes the call just now, or has ended it. */
static bool call_leave(struct port *port, struct mail *mail)
{
    struct rendezvous *own = &thread_current()->rendezvous;
    uint64_t state = irq_save();
    bool left = mail != NULL && mailbox_withdraw(port, mail);

    if (left) {
        note_line(thread_current(), NULL);
    } else {
        /* acquire: the record is no longer read; pairs with the release in rendezvous_accept */
        uint64_t token = atomic_load_acquire(&own->token);

        left = token != 0 && token_take(own, token);
    }
    irq_restore(state);
    return left;
}

status_t rendezvous_wait(struct port *port, struct mail *mail, struct thread *named, bool waited,
                         nsec_t deadline, struct message *message)
{
    status_t status = waited && thread_must_stop() ? ERR_CANCELLED : OK;
    status_t answer;

    for (;;) {
        if (waited && take_answer(message, &answer)) {
            return answer;
        }
        if (status != OK) {
            if (call_leave(port, mail)) {
                return status;
            }
            /* Whoever is at it has interrupts off. We must not sleep: with its token there mailbox.S would take us, and
             * drop these frames, with what a sleep with a deadline has in them. */
            arch_relax();
            continue;
        }
        status = sched_block_until_for(named, deadline);
        named = NULL;
        waited = true;
    }
}

/* Push the call. OK: interrupts are off if somebody is there to receive it. */
static status_t call_push(struct port *port, struct mail *mail, struct thread **receiver)
{
    if (thread_must_stop()) {
        return ERR_CANCELLED;
    }
    note_line(thread_current(), port);
    irq_disable();
    status_t status = mailbox_push(port, &mail->record, receiver);
    if (status != OK) {
        note_line(thread_current(), NULL);
    }
    if (*receiver == NULL) {
        irq_enable();
    }
    return status;
}

status_t rendezvous_call_parked(struct port *port, uint64_t badge, struct message *message)
{
    struct mail mail = {.caller = thread_current(),
                        .token = rendezvous_begin(true),
                        .badge = badge,
                        .message = *message};
    struct thread *receiver = NULL;
    status_t status = call_push(port, &mail, &receiver);

    object_release(&port->object);
    return status != OK ? status
                        : rendezvous_wait(port, &mail, receiver, false, DEADLINE_NONE, message);
}

status_t mailbox_call(struct port *port, uint64_t badge, struct message *message, nsec_t deadline)
{
    if (!message_is_short(message->tag)) {
        return ERR_INVALID;
    }
    if (deadline == DEADLINE_NOW) {
        return ERR_WOULD_BLOCK;
    }
    struct mail mail = {.caller = thread_current(),
                        .token = rendezvous_begin(false),
                        .badge = badge,
                        .message = *message};
    struct thread *receiver = NULL;
    status_t status = call_push(port, &mail, &receiver);

    return status != OK ? status : rendezvous_wait(port, &mail, receiver, false, deadline, message);
}

status_t mailbox_reply(uint64_t token, const struct message *reply)
{
    struct thread *caller;

    if (!message_is_short(reply->tag)) {
        return ERR_INVALID;
    }
    if (result_is_token(token)) {
        return letter_reply(token, reply);
    }
    uint64_t state = irq_save();
    status_t status = rendezvous_reply(token, reply, &caller);

    if (status == OK) {
        sched_wake_thread(caller);
    }
    irq_restore(state);
    return status;
}

status_t rendezvous_reply_first(uint64_t token, const struct message *reply, struct thread **caller)
{
    *caller = NULL;
    if (token == 0) {
        return OK;
    }
    if (result_is_token(token)) {
        status_t settled = letter_reply(token, reply);

        return settled == ERR_STALE ? OK : settled;
    }
    irq_disable();
    status_t status = rendezvous_reply(token, reply, caller);
    if (status != OK) {
        irq_enable();
    }
    return status == ERR_STALE ? OK : status;
}

status_t mailbox_reply_receive(uint64_t token, const struct message *reply, struct port *port,
                               nsec_t deadline, struct delivery *delivery)
{
    struct thread *caller;

    if (token == 0) {
        return mailbox_receive(port, deadline, delivery);
    }
    if (!message_is_short(reply->tag)) {
        return ERR_INVALID;
    }
    if (port->mode != PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    if (thread_must_stop()) {
        return ERR_CANCELLED;
    }
    status_t status = rendezvous_reply_first(token, reply, &caller);
    return status != OK ? status : mailbox_receive_for(port, caller, deadline, delivery);
}

static bool release_caller(struct thread *thread, void *argument)
{
    struct rendezvous *call = &thread->rendezvous;
    uint64_t state = irq_save();
    /* acquire: by whom it was received; pairs with the release in rendezvous_accept */
    uint64_t token = atomic_load_acquire(&call->token);

    /* relaxed: if the call has ended since, token_take says so */
    if (token != 0 && atomic_load_relaxed(&call->server) == argument && token_take(call, token)) {
        rendezvous_finish(thread, ERR_PEER_DIED, NULL);
        sched_wake_thread(thread);
    }
    irq_restore(state);
    return true;
}

void mailbox_release_callers(const struct domain *domain)
{
    thread_visit_all(release_caller, (void *)(uintptr_t)domain);
}
