/* SPDX-License-Identifier: MIT */
/*
 * Messages that wait at a port, and threads that wait for them.
 *
 * A sender queues under the port's lock, then wakes one receiver. A receiver looks for a message
 * with the receivers' lock held (port lock inside), so a message that comes after its look finds it
 * on the list.
 */
#include "ipc/mailbox.h"

#include "ipc/port_event.h"
#include "ipc/port_priv.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"

struct mail {
    struct queue_record record;
    struct message message;
    uint64_t badge;
};

/* Queue the mail if the port is open and has room. */
static status_t mailbox_push(struct port *port, struct mail *mail)
{
    status_t status = OK;
    uint64_t state = spin_lock_save(&port->lock);

    /* relaxed: closed is set under this lock */
    if ((atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0) {
        status = port->close_reason;
    } else if (port->queue.count >= PORT_QUEUE_CAPACITY) {
        status = ERR_WOULD_BLOCK;
    } else {
        queue_push(&port->queue, &mail->record);
    }
    spin_unlock_restore(&port->lock, state);
    return status;
}

status_t mailbox_send(struct port *port, uint64_t badge, const struct message *message)
{
    if ((uint32_t)message->tag > MESSAGE_REGISTER_WORDS) {
        return ERR_INVALID;
    }
    if (port->mode != PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    /* Looked at again under the lock; this look spares a sender that tries and tries the message. */
    /* relaxed: advice */
    if (atomic_load_relaxed(&port->queue.count) >= PORT_QUEUE_CAPACITY) {
        return ERR_WOULD_BLOCK;
    }
    struct mail *mail = spmalloc_zeroed(port->domain->account, sizeof(*mail));
    if (mail == NULL) { /* an account that has ended gives nothing: say why */
        status_t reason = port_close_reason(port);

        return reason != OK ? reason : ERR_NO_MEMORY;
    }
    mail->message = *message;
    mail->badge = badge;
    status_t status = mailbox_push(port, mail);
    if (status != OK) {
        spmalloc_free(mail);
        return status;
    }
    port_raise_event(port, PORT_EVENT_MESSAGE);
    wait_queue_wake_one(&port->receivers);
    return OK;
}

struct receive {
    struct port *port;
    struct mail *mail;
    status_t status; /* valid when there is no mail */
};

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
        receive->mail = container_of(record, struct mail, record);
    } else if (closed) {
        receive->status = port->close_reason;
    }
    spin_unlock_restore(&port->lock, state);
    return record != NULL || closed;
}

status_t mailbox_receive(struct port *port, nsec_t deadline, struct message *message,
                         uint64_t *badge)
{
    struct receive receive = {.port = port};
    status_t status;

    if (port->mode != PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    status = wait_queue_wait(&port->receivers, deadline, receive_is_over, &receive);
    if (status != OK) {
        return status;
    }
    if (receive.mail == NULL) {
        return receive.status;
    }
    *message = receive.mail->message;
    *badge = receive.mail->badge;
    spmalloc_free(receive.mail);
    return OK;
}

void mailbox_drop_all(struct port *port)
{
    for (struct queue_record *record = queue_pop(&port->queue); record != NULL;
         record = queue_pop(&port->queue)) {
        spmalloc_free(container_of(record, struct mail, record));
    }
}
