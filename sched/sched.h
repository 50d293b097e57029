/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's front door: block, wake, yield, move, sleep.
 *
 * Rules: a wake-up is sticky: waking a thread that is not yet blocked makes its next sched_block
 * return at once, so a waiter always looks at its own condition in a loop. Waking never blocks and
 * may be done with interrupts off; it takes no lock of another core. Per-core round robin with a time
 * slice.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/atomic.h"
#include "kernel/base/types.h"
#include "sched/thread.h"

#define SCHED_SLICE_NS 10000000UL

/* Before other cores run: queues, idle threads and emergency stacks of `core_count` cores.
 * ERR_NO_MEMORY. */
status_t sched_init(uint32_t core_count);

/* Turn the calling boot context of this core into its idle thread, and schedule for ever. */
_Noreturn void sched_run_core(void);

/* Block the calling thread until a wake-up. Interrupts must be on or off; they are restored. */
void sched_block(void);

/* The same for who has turned interrupts off: they stay off. */
void sched_block_quietly(void);

/* Wake `thread`, and let it run at once if it outranks the caller here: interrupts are off, and nothing is locked.
 * What this leaves to do is sched_settle_wakeups'. */
void sched_wake_and_give_way(struct thread *thread);

/* Block, and run `thread` at once if it is blocked and may run on this core, unless others here outrank it or
 * the slice is over; it goes on in the caller's slice, and no queue is touched. Else wake it. */
void sched_block_for(struct thread *thread);

/* Bring a thread here that is ready and waits on another core; false if it does not, or may not run here. */
bool sched_pull(struct thread *thread);

/* The rank of a thread now (RANK_ in thread.h); a snapshot. */
static inline uint32_t sched_rank(const struct thread *thread)
{
    /* relaxed: a snapshot */
    return atomic_load_relaxed(&thread->rank);
}

/* Lend a thread a rank, if it was lent less before. */
void sched_lend_rank(struct thread *thread, uint32_t rank);

/* Loans so far, and: `rank` is what the thread is lent from now on, unless there was a loan since `loans`. */
uint32_t sched_loans(struct thread *thread);
bool sched_settle_lent_rank(struct thread *thread, uint32_t rank, uint32_t loans);

/* As sched_block, until `deadline` (absolute ns; DEADLINE_NONE waits for ever). Returns OK when woken,
 * ERR_TIMED_OUT when the time passed first, ERR_WOULD_BLOCK at once for DEADLINE_NOW, and
 * ERR_CANCELLED when the thread must stop. */
status_t sched_block_until(nsec_t deadline);

/* The same, and run `named` first if that may be (sched_block_for), or wake it; NULL: nobody. With a thread: interrupts
 * are off, so that it stays one, and on afterwards; and the caller has asked thread_must_stop itself. */
status_t sched_block_until_for(struct thread *named, nsec_t deadline);

/* Make a blocked thread ready, or leave it a token. */
void sched_wake_thread(struct thread *thread);

/* Give a thread that is off every core, and that nobody else may wake (wake.h), to its core. Interrupts off. */
void sched_deliver(struct thread *thread);

/* The same for who holds interrupts off and wakes several, or has a lock: nobody runs yet. When the lock is
 * free and interrupts are as they were, sched_settle_wakeups lets those run who outrank the caller;
 * `enabled`: interrupts are on. */
void sched_wake_thread_quietly(struct thread *thread);
void sched_settle_wakeups(bool enabled);

/* Wake a thread of this core that shares, if it is blocked: it comes before all others that share, as soon as the
 * running one blocks or has had its slice. Interrupts off. */
void sched_wake_next(struct thread *thread);

/* The running thread has had its slice: others of its rank come first at its next way to user mode. */
void sched_end_slice(void);

/* Let the next ready thread run, unless all have a lower rank. */
void sched_yield(void);

/* The same, for a while even if the caller outranks them: one of them is to do something soon. May eat a wake-up. */
void sched_let_lower_run(void);

/* As sched_yield, because core.work asks for it: only for who outranks the caller, or when its slice is over. */
void sched_preempt(void);

/* Go on on core `cpu`. ERR_INVALID: no such core, or it is not online. */
status_t sched_migrate(cpu_t cpu);

/* Sleep until `deadline` (DEADLINE_NOW: not at all). OK at the deadline, ERR_CANCELLED. */
status_t sched_sleep_until(nsec_t deadline);

/* Look at this core's queue: ask for a reschedule if it is idle, start a slice if it is not. For
 * the IPI handler; interrupts off. */
void sched_look_again(void);

/* The timer has fired on this core: time-outs, end of the slice. Interrupts off. */
void sched_handle_timer(void);

/* Ready threads on a core, not counting the running one. */
uint32_t sched_ready_count(cpu_t cpu);

/* Insertions into a core's run queue and removals so far; a snapshot. */
uint64_t sched_queue_operations(cpu_t cpu);

/* Cores that schedule now. */
uint32_t sched_online_count(void);

void wait_queue_init(struct wait_queue *queue);

/* Wake every waiter. */
void wait_queue_wake_all(struct wait_queue *queue);

/* Wake the one that waits longest; false if none waits. */
bool wait_queue_wake_one(struct wait_queue *queue);

/* Take out the one that waits longest: the caller wakes it. Interrupts are off, and stay off until it is woken. */
struct thread *wait_queue_take_one(struct wait_queue *queue);

/* Wait on `queue` until condition(argument) holds. The condition is looked at with the queue's lock
 * held, so a waker that changes it under that lock, or before waking, is never missed.
 * OK, ERR_TIMED_OUT, ERR_CANCELLED. */
status_t wait_queue_wait(struct wait_queue *queue, nsec_t deadline, bool (*condition)(void *),
                         void *argument);

/* The same, and leave the core to `named` meanwhile, which is woken in any case: see sched_block_until_for. */
status_t wait_queue_wait_for(struct wait_queue *queue, struct thread *named, nsec_t deadline,
                             bool (*condition)(void *), void *argument);
