/* SPDX-License-Identifier: MIT */
/*
 * The assembly of ipc/riscv/enter.S, as C sees it.
 *
 * Rules: private to ipc/; each architecture supplies them.
 */
#pragma once

#include "arch/trap.h"
#include "ipc/port.h"
#include "sched/activation.h"

/*
 * Push an activation of this kind below the caller's frame and run the user service of `port` with `message` on
 * `stack`.
 * Returns OK with the reply in *message, or what activation_return_kernel was told. The baton is
 * held, floating-point state is saved, the service's address space is loaded, from its entry, interrupts are off; afterwards
 * they are on.
 */
status_t activation_enter_user(struct port *port, uint64_t badge, struct message *message,
                               uint64_t *satp_entry, const struct run_stack *stack, uint64_t kind);

/* What a call from user code that the fast path did not take begins with. */
struct user_entry {
    struct activation record;
    struct message message;
    uint64_t badge;
};

/*
 * Write the record to `place`, which may lie among the caller's frames, and run its user service. Nothing
 * of this stack below the record is used any more. Rules as for activation_enter_user.
 */
_Noreturn void activation_enter_from_user(const struct user_entry *entry, struct activation *place);

/* Pop the innermost activation, which activation_enter_user pushed, and let that call return
 * `status`. The address space below it is loaded. Interrupts off. */
_Noreturn void activation_return_kernel(struct activation *activation, status_t status);

/*
 * A thread that ipc/riscv/mailbox.inc has parked was resumed by the scheduler: what its frame says is filled in, when
 * its call has ended or it has received something.
 */
void mailbox_resumed_call(struct syscall_frame *frame);
void mailbox_resumed_receive(struct syscall_frame *frame);

/* After a switch to the running thread: `parked`, which left, was woken before it had, or has to look again because
 * it is not in front; or the running one has flags. Interrupts off. */
void mailbox_switched(struct thread *parked, uint64_t woken, uint64_t not_in_front);

/* The general half of call_port (ipc/riscv/call.S), for any port and message. */
WARN_UNUSED status_t call_port_any(struct port *port, uint64_t badge, struct message *message,
                                   nsec_t deadline);

/* A leaf has run, but somebody queued or work is pending: give the baton on. Always OK. Thread context, interrupts on. */
status_t call_give_port(struct port *port);

/* The fast path's kernel service has returned, but somebody queued or work is pending: pop its
 * activation and give the baton on. Interrupts on; a1..a5 of the reply are already in the frame. */
void call_finish_kernel(void);
