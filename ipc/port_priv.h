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

/* Who holds the baton is another thread's block from now on. */
void port_change_holder(struct port *port, struct thread *from, struct thread *to);

/* Free every message that waits in a mailbox; the port is closed. */
void mailbox_drop_all(struct port *port);
