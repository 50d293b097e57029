/* SPDX-License-Identifier: MIT */
/*
 * Splitting a chain of calls: a caller goes on without the services that still run for it.
 *
 * Rules: for the running thread, interrupts off, thread context, nothing locked. Why a chain is cut
 * above an activation: the deadline of its call has passed; its caller's domain dies; its caller is
 * the thread's base, and the thread is to end. It can be cut where everything above is user code: the
 * upper activations get a thread block of their own (sched/heir.h) and resume, or end; the lower ones
 * go on as an orphan. A deadline is looked at whenever the thread would wait or go to user mode.
 */
#pragma once

#include "sched/activation.h"
#include "sched/thread.h"
#include "sched/timeout.h"

/* The deadline of a call that runs. */
struct call_deadline {
    struct timeout timeout;
    struct thread *thread; /* that runs the call */
    uint32_t passed;
};

/* Room for one between a caller's registers and the next record: as much as a system call's frame. */
#define CALL_DEADLINE_BYTES 112

/* The call of the running thread's innermost activation ends with `when`. */
void call_deadline_arm(struct call_deadline *deadline, nsec_t when);

/* Nothing of it is touched afterwards. One that had passed when it changed hands was not armed again. */
static inline void call_deadline_cancel(struct call_deadline *deadline)
{
    if (deadline->timeout.wheel != NULL) {
        timeout_cancel(&deadline->timeout);
    }
}

/* Has the deadline of a call that is still in the running thread's chain passed? */
bool split_deadline_passed(void);

enum split_outcome {
    SPLIT_CLEAR, /* nothing is left to do */
    SPLIT_LEAVE, /* the innermost activation is to be left, or the thread to end */
    SPLIT_LATER, /* something is left, which cannot be done now; go on */
};

/* Split as often as the thread's flags ask for it. Interrupts are let in while it does, and off and looked
 * at again afterwards. */
enum split_outcome split_settle(void);
