/* SPDX-License-Identifier: MIT */
/*
 * The synchronous call and its end, in C: what the fast path leaves over, and calls by the kernel.
 *
 * Rules: thread context, interrupts on, nothing locked. The caller stays the current thread; the
 * service runs in an activation pushed on it.
 */
#pragma once

#include "arch/trap.h"
#include "ipc/port.h"
#include "ipc/service.h"

/*
 * Call the service behind `port` from kernel code and wait for its reply, which replaces *message. The
 * deadline covers the time in the queue, and the run of a user service (see call_posted) but not that of a service of the
 * kernel; that of a call by user code covers any run. ERR_INVALID (tag),
 * ERR_WRONG_TYPE (a mailbox), ERR_STALE, ERR_PEER_DIED, ERR_DEPTH, ERR_DEADLOCK (it would wait for itself, in
 * this thread's chain or through a ring), ERR_TIMED_OUT, ERR_WOULD_BLOCK (DEADLINE_NOW and busy), ERR_CANCELLED;
 * *message is untouched on error.
 */
WARN_UNUSED status_t call_port(struct port *port, uint64_t badge, struct message *message,
                               nsec_t deadline);

/*
 * The same, but a courier of this core runs the service, whatever it is, and when the deadline passes or the thread is to
 * end the caller goes on at once, though the run may still go on: so it does not have to trust the service. No
 * DEADLINE_NOW.
 */
WARN_UNUSED status_t call_posted(struct port *port, uint64_t badge, struct message *message,
                                 nsec_t deadline);

/* The same as call_port for user code that has faulted, without a deadline. When that code is to end it does so at once,
 * and the frames above this call go on with the service. */
WARN_UNUSED status_t call_for_fault(struct port *port, uint64_t badge, struct message *message);

/* SYS_CALL that the fast path did not take. Fills a0..a5 of the frame. */
void call_from_user(struct syscall_frame *frame);

/* SYS_RETURN that the fast path did not take: the frame becomes the caller's, or the kernel code
 * that called resumes and this does not return. a0 = ERR_INVALID: not inside a service. */
void call_return(struct syscall_frame *frame);

/* If the running activations' domains are dying, leave them; the caller below gets ERR_PEER_DIED.
 * Returns only if there was nothing to leave. On the way back to user mode, interrupts off. */
void call_unwind(void);

/* Is an activation of the running thread in a dying domain? */
bool call_is_inside_dying_domain(void);

/* Take THREAD_UNWIND off the running thread unless an activation of it is still in a dying domain, or a call
 * has outlived its deadline. */
void call_settle_unwind(void);
