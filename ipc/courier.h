/* SPDX-License-Identifier: MIT */
/*
 * Couriers: the threads that run services for letters.
 *
 * Rules: each core has COURIERS of them, which stay on it, and a set of ports where letters wait
 * (ipc/pending.h). Whoever leaves a port with letters, or brings the first one, posts it here. One courier
 * that looks is enough: it serves the ports in turn, BATON_SNAPSHOT letters a visit. While it runs a service another
 * one looks if there is more to do, so a service that waits stops no other port, as long as not all couriers wait.
 * A courier is an ordinary thread: it shares the core's time, comes before those who wait for a slice, and
 * has the rank of a port of the real-time class, or of a caller that waits behind letters.
 */
#pragma once

#include "ipc/port.h"

#define COURIERS 4U

/* Of so many visits at least one is to a port of the normal class, if letters wait at one. */
#define COURIER_FAIR 8U

/* Make the couriers of all cores; start those of the calling core, which is about to be brought in. Boot. */
WARN_UNUSED status_t courier_make_all(uint32_t core_count);
WARN_UNUSED status_t courier_start_core(void);

/* Letters wait at the port and nobody runs it: a courier of this core is to come. Any context. */
void courier_post(struct port *port);

/* The same, before all others and with `rank` (sched_rank): somebody waits behind them who would run. */
void courier_hurry(struct port *port, uint32_t rank);

/* Ports that are posted on a core, and couriers of it that wait for work; snapshots. */
uint32_t courier_pending(cpu_t cpu);
uint32_t courier_idle(cpu_t cpu);
