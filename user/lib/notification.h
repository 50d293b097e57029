/* SPDX-License-Identifier: MIT */
/*
 * The system calls about notifications: 64 bits that threads signal and wait for.
 *
 * Rules: a signal sets bits, a wait takes them and clears them. A bit says that something happened,
 * not how often: two signals of a bit that nobody took in between are one. So who is told that there
 * is work does all that there is. No signal is lost, and a wait never ends with nothing. Several threads may
 * wait with masks of their own: a bit goes to the one that has waited longest of those whose mask has it,
 * unless another one asks for it at that very moment.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

/*
 * SYS_NOTIFICATION_CREATE: makes a notification with no bit set and returns a handle with all rights:
 * RIGHT_SEND to signal, RIGHT_RECEIVE to wait, RIGHT_MANAGE to close. It ends with this domain.
 * ERR_NO_SPACE: no more handles. ERR_NO_MEMORY: the quota is used up.
 */
int64_t notification_create(void);

/*
 * SYS_SIGNAL: sets `bits`. A thread that outranks the caller and gets one of them runs at once. Needs RIGHT_SEND.
 * ERR_BAD_HANDLE: no such handle. ERR_WRONG_TYPE: no notification. ERR_NO_RIGHT: no RIGHT_SEND. ERR_STALE:
 * it was closed. ERR_PEER_DIED: its maker has ended.
 */
status_t notification_signal(handle_t notification, uint64_t bits);

/*
 * SYS_WAIT: takes what is set of `mask` (0: of all bits), waiting until `deadline` for one bit at least. After
 * OK `*bits` is what was taken, never 0; after an error it is unchanged. DEADLINE_NOW: only looks. Needs
 * RIGHT_RECEIVE. ERR_BAD_HANDLE: no such handle. ERR_WRONG_TYPE: no notification. ERR_NO_RIGHT: no
 * RIGHT_RECEIVE. ERR_STALE: it was closed, before or while it waited. ERR_PEER_DIED: its maker has ended.
 * ERR_WOULD_BLOCK: DEADLINE_NOW and no bit of the mask is set. ERR_TIMED_OUT: the deadline passed first.
 * ERR_CANCELLED: this thread is to end.
 */
static inline status_t notification_wait(handle_t notification, uint64_t mask, uint64_t deadline,
                                         uint64_t *bits)
{
    register uint64_t a0 __asm__("a0") = notification;
    register uint64_t a1 __asm__("a1") = mask;
    register uint64_t a2 __asm__("a2") = deadline;
    register uint64_t a7 __asm__("a7") = SYS_WAIT;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a7)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a3", "a4", "a5", "a6", "memory");
    if (__builtin_expect(a0 == (uint64_t)OK, 1)) {
        *bits = a1;
    }
    return (status_t)a0;
}

/* Takes what is set of `mask` (0: of all bits) without waiting; 0 when there is nothing, or an error. */
static inline uint64_t notification_poll(handle_t notification, uint64_t mask)
{
    uint64_t bits = 0;

    return notification_wait(notification, mask, DEADLINE_NOW, &bits) == OK ? bits : 0;
}

/*
 * SYS_PORT_BIND: signals `bits` of `notification` at each `event` of `port` from now on (enum port_event), in place of
 * what was bound to that event before; HANDLE_NONE: nothing any more. Messages that wait already are
 * signalled at once, and so is the port's end. A bit does not say how many messages there are: who
 * gets it receives until there are none. The notification lives as long as the port even if all handles to it are
 * closed. Needs RIGHT_RECEIVE for the port and RIGHT_SEND for the notification. wait_any.h waits for several ports.
 * ERR_BAD_HANDLE: no such handle. ERR_WRONG_TYPE: no port, no notification, or PORT_EVENT_MESSAGE of a
 * port that is no mailbox. ERR_NO_RIGHT. ERR_INVALID: no such event, or no bits. ERR_STALE: the port was
 * closed. ERR_NO_MEMORY: the quota of the port's owner is used up.
 */
status_t port_bind(handle_t port, handle_t notification, uint64_t bits, uint64_t event);

/*
 * Ends a notification, whatever handles there are (SYS_PORT_CLOSE): threads that wait get ERR_STALE, and so does
 * who signals or waits from now on. The handle is closed as well. Giving up handles with
 * handle_close wakes nobody. Needs RIGHT_MANAGE. ERR_BAD_HANDLE, ERR_WRONG_TYPE, ERR_NO_RIGHT.
 */
status_t notification_close(handle_t notification);

/*
 * SYS_INTERRUPT_BIND: signals `bits` of `notification` when `line` of the interrupt controller fires, on the core on
 * which this was called; HANDLE_NONE unbinds. A line that has fired is masked until it is acknowledged.
 * `devices` is the handle of all device memory (program_device_memory), with RIGHT_MANAGE: who was given it decides
 * about devices. The notification needs RIGHT_SEND. The binding ends with the domain that made the notification.
 * ERR_BAD_HANDLE, ERR_WRONG_TYPE, ERR_NO_RIGHT: one of the handles. ERR_DENIED: `devices` is not all of them.
 * ERR_INVALID: no such line, or no bits. ERR_EXISTS: the line is the console's, or bound.
 */
status_t interrupt_bind(uint64_t line, handle_t notification, uint64_t bits, handle_t devices);

/*
 * SYS_INTERRUPT_ACKNOWLEDGE: the device was looked after, `line` may fire again. For who waits for it: needs
 * RIGHT_RECEIVE for the notification to which it is bound. ERR_BAD_HANDLE, ERR_WRONG_TYPE, ERR_NO_RIGHT: the handle.
 * ERR_INVALID: no such line. ERR_NOT_FOUND: bound to another one, or to none.
 */
status_t interrupt_acknowledge(uint64_t line, handle_t notification);
