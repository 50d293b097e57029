/* SPDX-License-Identifier: MIT */
#include "user/lib/wait_any.h"

#include "kernel/abi/port.h"
#include "user/lib/notification.h"

status_t wait_any_init(struct wait_any *any)
{
    int64_t notification = notification_create();

    if (notification < 0) {
        return (status_t)notification;
    }
    *any = (struct wait_any){.notification = (handle_t)notification};
    return OK;
}

void wait_any_end(struct wait_any *any)
{
    notification_close(any->notification);
}

status_t wait_any_add(struct wait_any *any, bool urgent, unsigned *source)
{
    if (any->used == ~0UL) {
        return ERR_NO_SPACE;
    }
    *source = (unsigned)__builtin_ctzl(~any->used);
    any->used |= 1UL << *source;
    (void)notification_poll(any->notification, 1UL << *source); /* of one that was removed */
    any->urgent |= (uint64_t)urgent << *source;
    return OK;
}

status_t wait_any_add_port(struct wait_any *any, handle_t port, bool urgent, unsigned *source)
{
    status_t status = wait_any_add(any, urgent, source);

    if (status == OK) {
        status = port_bind(port, any->notification, 1UL << *source, PORT_EVENT_MESSAGE);
        if (status != OK) {
            wait_any_remove(any, *source);
        }
    }
    return status;
}

void wait_any_remove(struct wait_any *any, unsigned source)
{
    uint64_t bit = 1UL << source;

    any->used &= ~bit;
    any->urgent &= ~bit;
    any->pending &= ~bit;
}

/* Urgent ones by number, the others from `turn` on, round and round. */
static unsigned choose(struct wait_any *any)
{
    uint64_t urgent = any->pending & any->urgent;

    if (urgent != 0) {
        return (unsigned)__builtin_ctzl(urgent);
    }
    uint64_t later = any->pending & (~0UL << any->turn);
    unsigned source = (unsigned)__builtin_ctzl(later != 0 ? later : any->pending);

    any->turn = (source + 1) % WAIT_ANY_SOURCES;
    return source;
}

status_t wait_any_next(struct wait_any *any, uint64_t deadline, unsigned *source)
{
    /* With something left to do, an urgent source that came meanwhile is found without waiting. */
    if (any->pending != 0) {
        any->pending |= notification_poll(any->notification, any->used);
    }
    while (any->pending == 0) {
        uint64_t bits = 0;
        status_t status = notification_wait(any->notification, any->used, deadline, &bits);

        if (status != OK) {
            return status;
        }
        any->pending = bits & any->used;
    }
    *source = choose(any);
    any->pending &= ~(1UL << *source);
    return OK;
}
