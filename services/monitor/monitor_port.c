/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "arch/irq.h"
#include "ipc/name.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "services/monitor/monitor_priv.h"

struct pick {
    uint64_t left;
    uint32_t domain_id;
    struct port *found;
};

/* The owner's number is read here: while the port is open its domain is there. */
static bool pick_port(struct port *port, void *argument)
{
    struct pick *pick = argument;

    if (pick->left > 0) {
        pick->left--;
        return true;
    }
    if (!object_retain_try(&port->object)) {
        return true;
    }
    pick->found = port;
    pick->domain_id = port->domain->id;
    return false;
}

/* Interrupts are off: a thread that is still noted stays memory. */
static uint64_t holder_of(const struct port *port)
{
    uint64_t irq = irq_save();
    const struct thread *holder = atomic_load_relaxed(&port->holder);
    uint64_t id = holder == NULL ? 0 : holder->id;

    irq_restore(irq);
    return id;
}

status_t monitor_fill_port(uint64_t index, struct monitor_port *row)
{
    char name[MAX_NAME_BYTES + 1] = {0};
    struct pick pick = {.left = index};
    struct port *port;

    port_visit_all(pick_port, &pick);
    port = pick.found;
    if (port == NULL) {
        return ERR_NOT_FOUND;
    }
    row->index = port->index;
    row->generation = port->generation;
    row->domain_id = pick.domain_id;
    row->holder = holder_of(port);
    row->queued = port_queued(port);
    /* Relaxed: nothing is ordered by a snapshot. */
    row->served = atomic_load_relaxed(&port->calls);
    row->busy = (atomic_load_relaxed(&port->word) & WORD_RUN) != 0;
    row->kind = port->mode == PORT_MODE_MAILBOX ? PORT_MAILBOX
                : port->combines                ? PORT_COMBINING
                                                : PORT_EXCLUSIVE;
    name_of_port((struct port_id){port->index, port->generation}, name);
    memcpy(row->name, name, strnlen(name, sizeof(row->name)));
    object_release(&port->object);
    return OK;
}
