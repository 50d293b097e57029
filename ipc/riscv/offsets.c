/* SPDX-License-Identifier: MIT */
/*
 * Pins the offsets in offsets.h to the structures; no code.
 */
#include "ipc/riscv/offsets.h"

#include <stddef.h>

#include "ipc/enter_priv.h"
#include "ipc/letter.h"
#include "ipc/port.h"
#include "ipc/service.h"
#include "kernel/abi/limits.h"
#include "sched/activation.h"
#include "sched/domain.h"
#include "sched/thread.h"
#include "sched/thread_table.h"
#include "sched/wake.h"

#define PIN(offset, type, field)                                                                   \
    _Static_assert((offset) == offsetof(type, field), "ipc/riscv/fastpath.S")

PIN(ACTIVATION_PREVIOUS, struct activation, previous);
PIN(ACTIVATION_DOMAIN, struct activation, domain);
PIN(ACTIVATION_PORT, struct activation, port);
PIN(ACTIVATION_PC, struct activation, return_pc);
PIN(ACTIVATION_SP, struct activation, return_sp);
PIN(ACTIVATION_TP, struct activation, return_tp);
PIN(ACTIVATION_META, struct activation, calls_left);
PIN(ACTIVATION_KIND, struct activation, kind);
PIN(ACTIVATION_CALLS_LEFT, struct activation, calls_left);
PIN(ACTIVATION_SATP_ENTRY, struct activation, satp_entry);
PIN(ACTIVATION_MESSAGE, struct activation, message);
PIN(ACTIVATION_PAGE, struct activation, page);
PIN(ACTIVATION_STACK, struct activation, stack);
_Static_assert(ACTIVATION_SIZE == ACTIVATION_BYTES, "ipc/riscv/fastpath.S");
_Static_assert(CALL_PUSH_BYTES == ACTIVATION_BYTES + ACTIVATION_FPU_BYTES, "ipc/riscv/fastpath.S");
_Static_assert(ACTIVATION_FROM_USER == 0, "ipc/riscv/fastpath.S");
_Static_assert((ACTIVATION_FROM_KERNEL & ACTIVATION_FROM_FAULT & ACTIVATION_KIND_KERNEL_BIT) != 0 &&
                   ((ACTIVATION_BASE | ACTIVATION_SLOW | ACTIVATION_FROM_SYSCALL |
                     ACTIVATION_FROM_COURIER) &
                    ACTIVATION_KIND_KERNEL_BIT) == 0,
               "ipc/riscv/fastpath.S");
_Static_assert(ACTIVATION_KIND_COURIER == ACTIVATION_FROM_COURIER, "ipc/riscv/fastpath.S");
PIN(ACTIVATION_FPU_SAVED, struct activation, fpu_saved);
_Static_assert(META_KIND_SHIFT == 8 * (ACTIVATION_KIND - ACTIVATION_META), "ipc/riscv/enter.S");
_Static_assert(DOMAIN_HANDLES ==
                   offsetof(struct domain, handles) + offsetof(struct handle_table, array),
               "ipc/riscv/fastpath.S");
PIN(HANDLES_MASK, struct handle_array, mask);
PIN(ENTRY_VALUE, struct handle_array, entry[0].handle);
PIN(ENTRY_OBJECT, struct handle_array, entry[0].object);
PIN(ENTRY_BADGE, struct handle_array, entry[0].badge);
PIN(ENTRY_RIGHTS, struct handle_array, entry[0].rights);
_Static_assert(1 << ENTRY_SHIFT == sizeof(struct handle_entry), "ipc/riscv/fastpath.S");
_Static_assert(ENTRY_RIGHT_CALL == RIGHT_CALL, "ipc/riscv/fastpath.S");
PIN(PORT_DOMAIN, struct port, domain);
PIN(PORT_ENTRY, struct port, entry);
PIN(PORT_STACK_TOP, struct port, stack.top);
PIN(PORT_SERVICE_TP, struct port, stack.tp);
PIN(STACK_TOP, struct run_stack, top);
PIN(STACK_TP, struct run_stack, tp);
PIN(PORT_COOKIE, struct port, cookie);
PIN(PORT_SATPS, struct port, satps);
PIN(PORT_WORD, struct port, word);
PIN(PORT_HOLDER, struct port, holder);
PIN(PORT_CALLS, struct port, calls);
PIN(PORT_KERNEL_FAST, struct port, kernel_fast);
PIN(PORT_LEAF_ENTER, struct port, leaf.enter);
PIN(PORT_LEAF_RUN, struct port, leaf.run);
PIN(PORT_PAGE, struct port, page);
_Static_assert(offsetof(struct message_page, word) == 0, "ipc/riscv/macros.inc");
_Static_assert(MESSAGE_WORDS == MAX_MESSAGE_WORDS, "ipc/riscv/macros.inc");
_Static_assert(sizeof(struct message_page) <= PAGE_BYTES, "a page holds it");
PIN(REQUEST_MESSAGE, struct request, message);
PIN(MESSAGE_TAG_WORD, struct message, tag);
PIN(MESSAGE_WORD0, struct message, word[0]);
_Static_assert(MESSAGE_ROOM >= sizeof(struct message) && (REQUEST_BYTES + MESSAGE_ROOM) % 16 == 0,
               "ipc/riscv/fastpath.S");
PIN(REQUEST_BADGE, struct request, badge);
PIN(REQUEST_COOKIE, struct request, cookie);
PIN(REQUEST_CALLER, struct request, caller);
_Static_assert(REQUEST_BYTES == sizeof(struct request), "ipc/riscv/fastpath.S");
_Static_assert(offsetof(struct baton_work, message) == 0, "ipc/riscv/fastpath.S");
PIN(WORK_BADGE, struct baton_work, badge);
PIN(WORK_RESULT, struct baton_work, result);
_Static_assert(WORK_BADGE == offsetof(struct letter, badge) - offsetof(struct letter, message),
               "letter_next may answer either");
PIN(USER_ENTRY_MESSAGE, struct user_entry, message);
PIN(USER_ENTRY_BADGE, struct user_entry, badge);
_Static_assert(REGISTER_WORDS == MESSAGE_REGISTER_WORDS, "ipc/riscv/fastpath.S");
PIN(THREAD_CPU, struct thread, cpu);
PIN(THREAD_RANK, struct thread, rank);
PIN(THREAD_WAKE, struct thread, wake);
PIN(THREAD_ACTIVATION, struct thread, activation);
PIN(THREAD_CONTEXT, struct thread, context);
PIN(THREAD_RUN_TICKS, struct thread, run_ticks);
PIN(THREAD_RUN_SINCE, struct thread, run_since);
PIN(THREAD_STATE, struct thread, state);
PIN(THREAD_FLAGS, struct thread, flags);
PIN(THREAD_BLOCKS, struct thread, blocks);
PIN(THREAD_TOKEN, struct thread, rendezvous.token);
PIN(THREAD_LAST_TOKEN, struct thread, rendezvous.last_token);
PIN(THREAD_SERVER, struct thread, rendezvous.server);
PIN(THREAD_MAILBOX, struct thread, rendezvous.mailbox);
PIN(PORT_FRONT, struct port, front);
_Static_assert(1 << THREAD_SLOT_SHIFT == sizeof(struct thread_slot) &&
                   offsetof(struct thread_slot, thread) == 0,
               "ipc/riscv/mailbox.inc");
_Static_assert(TOKEN_INDEX_WIDTH == TOKEN_INDEX_BITS && TOKEN_ONE == TOKEN_STEP &&
                   TOKEN_PARKED == 1UL << 63,
               "ipc/riscv/mailbox.inc");
_Static_assert(WAKE_WAITS_BIT == WAKE_WAITS && WAKE_WAITS_BIT == THREAD_RUNNING &&
                   THREAD_STATE_BLOCKED == THREAD_BLOCKED,
               "ipc/riscv/mailbox.inc");
_Static_assert(ENTRY_RIGHT_RECEIVE == RIGHT_RECEIVE, "ipc/riscv/mailbox.inc");
_Static_assert(sizeof(((struct thread *)NULL)->state) == 4, "ipc/riscv/mailbox.inc");
