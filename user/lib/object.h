/* SPDX-License-Identifier: MIT */
/*
 * The system calls about ports and handles.
 *
 * Rules: a handle belongs to the domain, not to a thread; every thread of it may use it. A
 * closed handle never names anything again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/port.h"
#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

/*
 * SYS_PORT_CREATE: makes a port and returns a handle with all rights.
 *
 * `kind` PORT_EXCLUSIVE: a service of the calling domain. Each call enters it at `entry` with sp
 * = `stack_top` (16-byte aligned), tp = `tp`, a0 = the badge of the caller's handle, a1..a5 =
 * the message and a6 = `cookie`; every other register, also the floating-point ones, is zero, but for
 * t1 and t6, which may hold the entry's address and the number of calls so far.
 * `kind` PORT_COMBINING: the same, whose runs are short and never wait; a caller may find itself
 * running it for a few others before its own call returns. A service that waits all the same
 * becomes an ordinary one.
 * `kind` PORT_MAILBOX: a queue; the other arguments are not used.
 * `page`: where runs find and leave what a message has beyond registers (kernel/abi/message.h), mapped writable; NULL:
 * they get no such message. The port keeps the page, also when it is unmapped here.
 * ERR_INVALID: an unknown kind, an entry or stack outside user addresses, or a stack that is not
 * aligned; a page that is not aligned or not one of a contiguous memory object. ERR_FAULT: nothing writable is mapped at the
 * page. ERR_NO_SPACE: no more ports or handles. ERR_NO_MEMORY:
 * the quota is used up. service_create (service.h) is the easy way.
 */
int64_t port_create_with_page(uint64_t kind, const void *entry, void *stack_top, void *tp,
                              uint64_t cookie, struct message_page *page);

/* The same without a page. */
static inline int64_t port_create(uint64_t kind, const void *entry, void *stack_top, void *tp,
                                  uint64_t cookie)
{
    return port_create_with_page(kind, entry, stack_top, tp, cookie, NULL);
}

/*
 * SYS_PORT_CREATE_CONCURRENT: makes a service of the calling domain that runs for up to `runs` callers at
 * once, 1 to MAX_RUNS, and returns a handle with all rights. Each run enters as one of PORT_EXCLUSIVE does,
 * with sp and tp of one of the `stacks` that no other run is on; callers beyond them wait in order. It may
 * be called from inside itself while a stack is free: a thread whose own runs are on all of them gets ERR_DEADLOCK, but
 * threads that wait for each other so are not found, and wait until a deadline passes.
 * Each stack may have a message page, as above.
 * ERR_INVALID: `runs`, an entry or stack outside user addresses, a stack that is not aligned, or given
 * twice; a page, as above. ERR_FAULT: `stacks` cannot be read, or a page, as above. ERR_NO_SPACE: no more ports or handles. ERR_NO_MEMORY: the
 * quota is used up. service_create_concurrent (service.h) is the easy way.
 */
int64_t port_create_concurrent(const void *entry, const struct port_stack *stacks, size_t runs,
                               uint64_t cookie);

/*
 * SYS_PORT_CONFIGURE: what the port takes in of messages that are sent and not waited for (SYS_SEND). At most `capacity`
 * of them wait there. When as many as `high` do, PORT_EVENT_HIGH is signalled (SYS_PORT_BIND), and couriers
 * are called at once; when no more than `low` do afterwards, PORT_EVENT_LOW. `priority`: PRIORITY_SHARING, or a real-time one,
 * with which they are then served, before those of other ports. A new port has PORT_QUEUE_CAPACITY, a quarter
 * and three quarters of it, and PRIORITY_SHARING. Needs RIGHT_MANAGE. ERR_INVALID: not `low` < `high` <= `capacity` <=
 * MAX_PORT_CAPACITY, or no such priority. ERR_BAD_HANDLE: no such handle. ERR_WRONG_TYPE: no port. ERR_NO_RIGHT: no
 * RIGHT_MANAGE.
 */
status_t port_configure(handle_t port, uint64_t capacity, uint64_t low, uint64_t high,
                        uint64_t priority);

/*
 * SYS_PORT_CLOSE: ends a port, whatever handles there are. Callers and receivers that wait get
 * ERR_STALE; a run of the service that goes on ends normally; messages in the queue are lost.
 * Other handles to it give ERR_STALE in calls, sends and receives from now on; this one is
 * closed as well. Closing a port that was closed through another handle is OK. Needs
 * RIGHT_MANAGE. ERR_BAD_HANDLE: no such handle. ERR_WRONG_TYPE: no port. ERR_NO_RIGHT: no
 * RIGHT_MANAGE.
 */
status_t port_close(handle_t port);

/*
 * SYS_HANDLE_CLOSE: gives up a handle. The object lives on while anything else refers to it: a
 * thread or domain goes on running, a port goes on serving. ERR_BAD_HANDLE: no such handle.
 */
status_t handle_close(handle_t handle);

/*
 * SYS_HANDLE_DUPLICATE: makes another handle to the same object, with `rights`, and returns it.
 * `handle` must have all of them: rights are only ever lost. `badge` is what the service or
 * receiver sees of messages through the new handle; 0 keeps the badge of `handle`; a handle that
 * has one never gets another. Needs RIGHT_DUPLICATE, and RIGHT_MANAGE to give a badge: a sender
 * cannot choose its own. ERR_BAD_HANDLE: no such handle. ERR_NO_RIGHT: no RIGHT_DUPLICATE, a
 * right that `handle` lacks, a badge without RIGHT_MANAGE, or a second badge. ERR_INVALID:
 * bits outside RIGHTS_ALL. ERR_NO_SPACE: no more handles. ERR_NO_MEMORY: the quota is used up.
 */
int64_t handle_duplicate(handle_t handle, rights_t rights, uint64_t badge);

/*
 * SYS_HANDLE_REVOKE: ends everything that was made from a handle and from its copies, in whatever domain it
 * is: duplicates, what was sent in messages, also what is still on its way, and mappings that were made through any of
 * those (an access to them faults). Whoever uses such a handle gets ERR_BAD_HANDLE; whoever waits or runs through
 * one goes on. The handle itself stays, and so do mappings made through it. At the return nothing of it is left. A
 * copy whose own original was closed counts as one of that one's original. Needs no right: what can be revoked was made
 * with this handle. ERR_BAD_HANDLE: no such handle.
 *
 * In short: handle_close gives up one handle, handle_revoke ends the copies of one, and port_close ends the object for all.
 */
status_t handle_revoke(handle_t handle);

/*
 * SYS_JOIN: waits until a thread or domain has ended and returns its exit code, which is never
 * negative (kernel/abi/exit.h). The handle stays open; joining again gives the same code. Needs
 * RIGHT_WAIT. ERR_BAD_HANDLE: no such handle. ERR_WRONG_TYPE: neither thread nor domain.
 * ERR_NO_RIGHT: no RIGHT_WAIT. ERR_WOULD_BLOCK: DEADLINE_NOW and it still runs. ERR_TIMED_OUT:
 * the deadline passed first. ERR_DEADLOCK: a thread waits for itself or for its own domain.
 * ERR_CANCELLED: this thread is to end.
 */
int64_t handle_join(handle_t handle, uint64_t deadline);
