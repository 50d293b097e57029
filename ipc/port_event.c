/* SPDX-License-Identifier: MIT */
/*
 * Binding the events of a port to notifications.
 *
 * A binding is a record that never changes: it is replaced under the port's lock, read with
 * interrupts off and no lock, and freed after a grace period with its reference.
 */
#include "ipc/port_event.h"

#include "arch/irq.h"
#include "ipc/port_priv.h"
#include "ipc/room.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"

struct port_binding {
    struct notification *notification; /* owns a reference */
    uint64_t bits;
    struct epoch_callback reclaim;
};

static void binding_reclaim(struct epoch_callback *callback)
{
    struct port_binding *binding = container_of(callback, struct port_binding, reclaim);
    struct notification *notification = binding->notification;

    spmalloc_free(binding);
    object_release(&notification->object);
}

/* Who binds late is told at once. */
static bool has_happened(struct port *port, uint64_t event) REQUIRES(port->lock)
{
    /* relaxed: who passes the mark later finds the binding */
    return (event == PORT_EVENT_MESSAGE && port->queue.count != 0) ||
           (event == PORT_EVENT_HIGH && (atomic_load_relaxed(&port->unserved) & ROOM_HIGH) != 0);
}

/* Put `binding` in the place of what is bound, unless the port is closed; *old may be freed. */
static status_t replace(struct port *port, uint64_t event, struct port_binding *binding,
                        struct port_binding **old)
{
    status_t status = OK;
    uint64_t state = spin_lock_save(&port->lock);

    /* relaxed: closed is set under this lock */
    if ((atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0) {
        status = port->close_reason;
    } else {
        *old = port->bindings[event];
        /* release: the record; pairs with the acquire in port_raise_bound */
        atomic_store_release(&port->bindings[event], binding);
        if (binding != NULL && has_happened(port, event)) {
            notification_signal_quietly(binding->notification, binding->bits);
        }
    }
    spin_unlock_restore(&port->lock, state);
    sched_settle_wakeups(state != 0);
    return status;
}

static struct port_binding *binding_make(struct port *port, struct notification *notification,
                                         uint64_t bits)
{
    struct port_binding *binding = spmalloc_zeroed(port->domain->account, sizeof(*binding));

    if (binding != NULL) {
        binding->notification = notification;
        binding->bits = bits;
        object_retain(&notification->object);
    }
    return binding;
}

status_t port_bind(struct port *port, struct notification *notification, uint64_t bits,
                   uint64_t event)
{
    struct port_binding *binding = NULL;
    struct port_binding *old = NULL;

    if (event >= PORT_EVENTS || (notification != NULL && bits == 0)) {
        return ERR_INVALID;
    }
    if (event == PORT_EVENT_MESSAGE && port->mode != PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    if (notification != NULL) {
        binding = binding_make(port, notification, bits);
        if (binding == NULL) { /* an account that has ended gives nothing: say why */
            status_t reason = port_close_reason(port);

            return reason != OK ? reason : ERR_NO_MEMORY;
        }
    }
    status_t status = replace(port, event, binding, &old);
    if (status != OK) {
        old = binding;
    }
    if (old != NULL) {
        epoch_defer(&old->reclaim, binding_reclaim);
    }
    return status;
}

void port_raise_bound(struct port *port, enum port_event event)
{
    uint64_t state = irq_save();
    /* acquire: the record; pairs with the release in replace. It is not freed while interrupts are off. */
    const struct port_binding *binding = atomic_load_acquire(&port->bindings[event]);

    if (binding != NULL) {
        notification_signal_quietly(binding->notification, binding->bits);
    }
    irq_restore(state);
    sched_settle_wakeups(state != 0);
}

void port_unbind_all(struct port *port)
{
    for (unsigned event = 0; event < PORT_EVENTS; event++) {
        /* acquire: the record; pairs with the release in replace, after which the port was closed */
        struct port_binding *binding = atomic_swap_acquire(&port->bindings[event], NULL);

        if (binding != NULL) {
            notification_signal(binding->notification, binding->bits);
            epoch_defer(&binding->reclaim, binding_reclaim);
        }
    }
}
