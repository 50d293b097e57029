/* SPDX-License-Identifier: MIT */
/*
 * Messages that wait at a port, and threads that wait for them.
 *
 * A sender queues under the port's lock, then wakes one receiver. A receiver looks for a message
 * with the receivers' lock held (port lock inside), so a message that comes after its look finds it
 * on the list.
 */
#include "ipc/mailbox.h"

#include "ipc/call_priv.h"
#include "ipc/letter.h"
#include "ipc/port_event.h"
#include "ipc/port_priv.h"
#include "ipc/result.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"

status_t mailbox_push(struct port *port, struct queue_record *record)
{
    status_t status = OK;
    uint64_t state = spin_lock_save(&port->lock);

    /* relaxed: closed is set under this lock */
    if ((atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0) {
        status = port->close_reason;
    } else {
        queue_push(&port->queue, record);
    }
    spin_unlock_restore(&port->lock, state);
    if (status == OK) {
        port_raise_event(port, PORT_EVENT_MESSAGE);
        wait_queue_wake_one(&port->receivers);
    }
    return status;
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

struct receive {
    struct port *port;
    struct message *message;
    uint64_t *badge;
    bool got;
    status_t status; /* valid when there was no message */
};

/* The letter becomes the receiver's. */
static void take_letter(struct receive *receive, struct letter *letter)
{
    *receive->message = letter->message;
    *receive->badge = letter->badge;
    receive->got = true;
    if (letter->result != 0) {
        result_deliver(letter->result, activation_current()->domain);
    }
    letter_free(receive->port, letter);
}

/* A message has come, or none will. */
static bool receive_is_over(void *argument)
{
    struct receive *receive = argument;
    struct port *port = receive->port;
    uint64_t state = spin_lock_save(&port->lock);
    struct queue_record *record = queue_pop(&port->queue);
    /* relaxed: closed is set under this lock */
    bool closed = (atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0;

    if (record != NULL) {
        take_letter(receive, letter_of(record));
    } else if (closed) {
        receive->status = port->close_reason;
    }
    spin_unlock_restore(&port->lock, state);
    return record != NULL || closed;
}

status_t mailbox_receive(struct port *port, nsec_t deadline, struct message *message,
                         uint64_t *badge)
{
    struct receive receive = {.port = port, .message = message, .badge = badge};
    status_t status;

    if (port->mode != PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    status = wait_queue_wait(&port->receivers, deadline, receive_is_over, &receive);
    if (status != OK) {
        return status;
    }
    return receive.got ? OK : receive.status;
}

void mailbox_drop_all(struct port *port, status_t reason)
{
    for (struct queue_record *record = queue_pop(&port->queue); record != NULL;
         record = queue_pop(&port->queue)) {
        letter_refuse(port, letter_of(record), reason);
    }
}
