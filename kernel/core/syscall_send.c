/* SPDX-License-Identifier: MIT */
/*
 * SYS_SEND: arguments checked, then letters of ipc/.
 *
 * The common send, a short message to a service, has no frame and calls nothing: interrupts off, the handle
 * without a lock, a letter of this core's stock, one step for the room and one for the line.
 */
#include "arch/irq.h"
#include "ipc/courier.h"
#include "ipc/letter_fast.h"
#include "ipc/line.h"
#include "ipc/result.h"
#include "kernel/core/syscall_priv.h"

/* Send; with a result wanted its id is in *id. */
static status_t send_with_result(struct port *port, uint64_t badge, struct message *message,
                                 nsec_t deadline, uint64_t *id)
{
    status_t status = result_make(id);

    if (status == OK) {
        status = letter_send_for(port, badge, message, deadline, *id);
        if (status != OK) {
            result_cancel(*id);
            *id = 0;
        }
    }
    return status;
}

/* The general way. */
__attribute__((noinline)) static struct syscall_pair send_slowly(handle_t handle, uint64_t tag,
                                                                 uint64_t word0, uint64_t word1,
                                                                 uint64_t word2, uint64_t word3,
                                                                 nsec_t deadline)
{
    struct message message = {
        .tag = tag & ~MESSAGE_TAG_RESULT,
        .word = {word0, word1, word2, word3},
    };
    struct object *object;
    uint64_t badge;
    uint64_t id = 0;
    status_t status;

    irq_enable();
    status =
        handle_get(&syscall_domain()->handles, handle, OBJECT_PORT, RIGHT_SEND, &object, &badge);
    if (status == OK) {
        struct port *port = port_of_object(object);

        status = message.tag != tag ? send_with_result(port, badge, &message, deadline, &id)
                                    : letter_send_for(port, badge, &message, deadline, 0);
        object_release(object);
    }
    return (struct syscall_pair){.status = status, .value = id};
}

/* It is the first in the line, and nobody runs the service. */
__attribute__((noinline)) static struct syscall_pair tell_courier(struct port *port)
{
    courier_post(port);
    irq_enable();
    return (struct syscall_pair){.status = OK};
}

/* It is not in the line. */
__attribute__((noinline)) static struct syscall_pair port_is_closed(struct port *port,
                                                                    struct letter *letter)
{
    status_t status = port_close_reason(port);

    letter_free(port, letter);
    irq_enable();
    return (struct syscall_pair){.status = status};
}

struct syscall_pair syscall_send(handle_t handle, uint64_t tag, uint64_t word0, uint64_t word1,
                                 uint64_t word2, uint64_t word3, nsec_t deadline)
{
    struct domain *sender = syscall_domain();
    struct object *object = NULL;
    struct letter *letter;
    uint64_t badge = 0;
    enum line_outcome outcome;

    irq_disable();
    if (__builtin_expect(message_is_short(tag), 1)) {
        object = handle_peek_badge(&sender->handles, handle, OBJECT_PORT, RIGHT_SEND, &badge);
    }
    letter = object == NULL ? NULL : letter_try_take(sender, port_of_object(object));
    if (__builtin_expect(letter == NULL, 0)) {
        return send_slowly(handle, tag, word0, word1, word2, word3, deadline);
    }
    letter->message = (struct message){tag, {word0, word1, word2, word3}};
    letter->badge = badge;
    letter->result = 0;
    outcome = line_add_letter(&port_of_object(object)->word, &letter->record);
    if (__builtin_expect(outcome == LINE_BEHIND, 0)) {
        return tell_courier(port_of_object(object));
    }
    if (__builtin_expect(outcome == LINE_CLOSED, 0)) {
        return port_is_closed(port_of_object(object), letter);
    }
    irq_enable();
    return (struct syscall_pair){.status = OK};
}
