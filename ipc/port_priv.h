/* SPDX-License-Identifier: MIT */
/*
 * What the files of ipc/ share about ports.
 *
 * Rules: private to ipc/.
 */
#pragma once

#include "ipc/port.h"

/* The port is closed and nobody runs in it: unlink it and drop the reference that kept it. Called
 * exactly once, by the closer or by the last holder. */
void port_retire(struct port *port);

/* Is what the attributes say about runs and their stacks allowed? OK, ERR_INVALID. */
status_t port_check_stacks(const struct port_attributes *attributes);

/* Stacks with their message pages, and the slots of a concurrent service. ERR_NO_MEMORY; ERR_INVALID, ERR_FAULT: a
 * page (mm/vspace_direct.h); port_free_stacks frees what there is then. */
status_t port_make_stacks(struct port *port, const struct port_attributes *attributes);
void port_free_stacks(struct port *port);

/* The mailbox was closed: its letters are freed, its callers refused with `reason`, the one in front is woken. */
void mailbox_close_locked(struct port *port, status_t reason) REQUIRES(port->lock);

/* The line of a mailbox may have run empty. */
void mailbox_settle_locked(struct port *port) REQUIRES(port->lock);

/* Let go of the message pages: nobody runs on the stacks any more. */
void port_drop_pages(struct port *port);

/* Put a letter into a mailbox. ERR_STALE, ERR_PEER_DIED: it is closed. */
WARN_UNUSED status_t mailbox_push_letter(struct port *port, struct queue_record *record);
