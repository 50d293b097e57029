/* SPDX-License-Identifier: MIT */
/*
 * Rings of callers that wait for each other.
 *
 * Rules: thread context, interrupts on, nothing locked; by a caller that has joined a line and is about
 * to sleep. A ring is found by the caller whose wait closes it. Only exclusive services are edges:
 * a thread that sleeps for another reason inside a service ends the walk. Rings of more than
 * DEADLOCK_RING ports are not found. Source: design, baton.md, "Nested calls and deadlock".
 */
#pragma once

#include "ipc/port.h"

#define DEADLOCK_RING 64U

/*
 * True when the calling thread, which holds a baton and waits for that of `port`, would wait for itself,
 * and leave(argument) took it out of the line. False: it waits for somebody who can go on, or what it
 * waited for has come.
 */
bool deadlock_leave(struct port *port, bool (*leave)(void *argument), void *argument);
