/* SPDX-License-Identifier: MIT */
/*
 * Lending: who holds a baton runs with the highest rank of those who wait for it, directly or through others.
 *
 * Rules: interrupts off or on; nothing blocks or allocates. Lending costs nothing while no waiter has a real-time
 * rank. Source: priority inheritance (Sha, Rajkumar and Lehoczky, 1990), along the same two words as
 * ipc/deadlock.h walks.
 */
#pragma once

#include "ipc/port.h"

/* The caller is in the line of `port` and about to sleep: the holder, and whoever that waits for, gets its
 * rank. */
void lending_lend(struct port *port);

/* The baton of `port`, whose lock is held, is about to go to `next`, which is off the line, or to nobody for
 * NULL. The next one gets what those who remain lend. True: call lending_settle without the lock. */
WARN_UNUSED bool lending_pass_locked(struct port *port, struct thread *next) REQUIRES(port->lock);

/* The caller keeps the baton of `port`, whose lock is held, and runs the service for `asker`, who is off the
 * line. */
void lending_serve_locked(struct port *port, struct thread *asker) REQUIRES(port->lock);

/* The run of `port`, whose lock is held, has gone over to `holder`: it gets what those who wait lend. The one before
 * calls lending_settle when its chain is without the port. */
void lending_move_locked(struct port *port, struct thread *holder) REQUIRES(port->lock);

/* Give back what was lent for a baton that has gone: keep only what is lent for those still held. */
void lending_settle(void);

/* The highest rank of the callers in the line; RANK_IDLE if there is none. */
uint32_t lending_rank_of_line_locked(struct port *port) REQUIRES(port->lock);
