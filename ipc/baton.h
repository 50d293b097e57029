/* SPDX-License-Identifier: MIT */
/*
 * The baton: the right to run an exclusive service, in C.
 *
 * Rules: taking it blocks the calling thread while another holds it; nothing may be locked. Who
 * took it gives it back exactly once. The uncontended cases are one compare-and-swap, the same
 * that ipc/riscv/fastpath.S does; all others go through the port's lock.
 */
#pragma once

#include "ipc/port.h"

/* OK; ERR_STALE or ERR_PEER_DIED (closed before our turn), ERR_TIMED_OUT, ERR_CANCELLED. */
WARN_UNUSED status_t baton_take(struct port *port, nsec_t deadline);

/* Give it to the caller that waits longest, or leave the port idle; a port that was closed
 * meanwhile is retired. */
void baton_give(struct port *port);

/* Refuse every waiting caller with `reason`. The port is closed and its lock is held. */
void baton_refuse_all_locked(struct port *port, status_t reason) REQUIRES(port->lock);
