/* SPDX-License-Identifier: MIT */
/*
 * Concurrent services: up to N runs of one service at once, each in a slot with a stack of its own.
 *
 * Rules: thread context, nothing locked. The word counts who is in (word.h); a thread that was counted
 * claims a slot and notes itself as its holder; slots are taken near the core, so stacks stay in its cache. When all
 * are taken, callers wait in the port's line, in order, as for a baton. Nobody serves others. Source:
 * LRPC's argument stacks (Bershad and others, SOSP 1989), ChCore's shadow threads.
 */
#pragma once

#include "ipc/baton.h"
#include "ipc/port.h"

/* Enter if a slot is free; NULL if none is, or the port is closed. */
struct run_slot *concurrent_try_enter(struct port *port);

/*
 * Enter, waiting for those who came before. `request` is filled in but for its state, thread, record and
 * slot. OK: *request->slot is ours. BATON_ANSWERED: refused; look at its status. ERR_STALE, ERR_PEER_DIED,
 * ERR_DEADLOCK (this thread itself is in every slot), ERR_TIMED_OUT, ERR_WOULD_BLOCK, ERR_CANCELLED.
 */
WARN_UNUSED status_t concurrent_enter(struct port *port, struct baton_request *request,
                                      nsec_t deadline);

/* Leave: the slot goes to the one that waits longest, or is free. The last one to leave a closed port
 * retires it. */
void concurrent_leave(struct port *port, struct run_slot *slot);

/* Does a run of it go on, on another core? A hint. Interrupts are off. */
bool concurrent_runs_elsewhere(const struct port *port);
