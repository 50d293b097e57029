/* SPDX-License-Identifier: MIT */
/*
 * Threads: the system calls, and threads with a stack and thread-local data of their own.
 *
 * Rules: every thread of a domain shares its memory and handles. A stack has unmapped pages
 * below it, so an overflow ends the domain instead of writing over something.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

/*
 * SYS_THREAD_CREATE: starts a thread of the calling domain at `entry` with sp = `stack_top`
 * (16-byte aligned), a0 = `argument`, tp = `tp`, everything else zero, on the core with the least
 * to do, and returns a handle (WAIT, MANAGE, DUPLICATE, TRANSFER). It must not return from
 * `entry`. ERR_INVALID: an entry or stack outside user addresses, or a stack that is not
 * aligned. ERR_NO_SPACE: no more handles or kernel stacks. ERR_NO_MEMORY: no memory, or the quota
 * is used up. ERR_PEER_DIED: the domain is ending. thread_start below is the easy way.
 */
int64_t thread_create(const void *entry, void *stack_top, uint64_t argument, void *tp);

/*
 * SYS_THREAD_EXIT: ends the calling thread; joiners get the low 8 bits of `code`. Does not come
 * back when it works. The domain ends with its last thread, with that code: a program that only
 * has services sleeps for ever. ERR_INVALID: the thread is inside a service, which has to return
 * instead.
 */
status_t thread_exit(int code);

/*
 * SYS_THREAD_KILL: makes a thread end with EXIT_KILLED, at once: services that it has called finish their
 * runs without it. Returns without waiting for that.
 * OK also when it has ended already. Needs RIGHT_MANAGE. ERR_BAD_HANDLE: no such handle.
 * ERR_WRONG_TYPE: no thread. ERR_NO_RIGHT: no RIGHT_MANAGE.
 */
status_t thread_kill(handle_t thread);

/*
 * SYS_THREAD_SET_PRIORITY: gives a thread a real-time priority, 0 to REALTIME_PRIORITIES - 1, or
 * PRIORITY_SHARING, with which it starts. On each core the ready thread with the highest one runs, until it
 * waits, yields, or a higher one becomes ready; threads that share run when there is none, in turns. Needs
 * RIGHT_MANAGE. ERR_BAD_HANDLE: no such handle. ERR_WRONG_TYPE: no thread. ERR_NO_RIGHT: no RIGHT_MANAGE.
 * ERR_INVALID: no such priority.
 */
status_t thread_set_priority(handle_t thread, uint64_t priority);

/*
 * SYS_THREAD_MIGRATE: moves the calling thread to the core `core` (0 is the first) and goes on
 * there; it stays until it migrates again. ERR_INVALID: no such core.
 */
status_t thread_migrate(uint64_t core);

/* SYS_THREAD_CORE: the index of the core on which the caller runs. No errors. */
int64_t thread_core(void);

/*
 * SYS_YIELD: lets the next ready thread of this core run; comes back at once if there is none.
 * Always OK.
 */
status_t thread_yield(void);

/*
 * SYS_SLEEP: waits until `deadline` (absolute, nanoseconds since boot); DEADLINE_NONE waits for
 * ever, a time that has passed and DEADLINE_NOW return at once. OK when the time has come.
 * ERR_CANCELLED: this thread is to end.
 */
status_t thread_sleep(uint64_t deadline);

/*
 * SYS_DOMAIN_EXIT: ends the calling domain with all its threads and ports; joiners get the low 8
 * bits of `code`, callers that its services run for get ERR_PEER_DIED. Does not come back. A
 * program calls exit() instead, which flushes the output first.
 */
_Noreturn void domain_exit(int code);

/* A thread made by thread_start; the creator owns it and does not touch the fields. */
struct thread {
    handle_t handle;
    uint64_t stack; /* slot of stack.c */
};

typedef int (*thread_fn)(void *argument);

/*
 * Starts fn(argument) on a stack of STACK_BYTES with thread-local data of its own; what fn
 * returns is the exit code. ERR_NO_SPACE, ERR_NO_MEMORY: as above, or no more stacks.
 */
status_t thread_start(struct thread *thread, thread_fn fn, void *argument);

/*
 * Waits for the end of the thread, frees its stack and handle and returns the exit code. After
 * an error (see handle_join) the thread is as it was.
 */
int64_t thread_join(struct thread *thread);
