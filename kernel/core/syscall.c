/* SPDX-License-Identifier: MIT */
/*
 * The table of system calls, and the calls that move messages.
 *
 * arch/riscv/trap.S indexes the table with a number it has checked. Entries 0 to SYS_MESSAGE_LAST
 * lead back into trap.S, which saves the message registers and calls syscall_handle_message.
 */
#include "arch/riscv/offsets.h"
#include "ipc/call.h"
#include "ipc/letter.h"
#include "ipc/mailbox.h"
#include "ipc/result.h"
#include "kernel/abi/syscall.h"
#include "kernel/core/syscall_priv.h"
#include "sched/activation.h"

_Static_assert(SYSCALL_NUMBER_RETURN == SYS_RETURN && SYS_CALL == 0, "arch/riscv/trap.S");
_Static_assert(SYSCALL_NUMBER_REPLY_RECEIVE == SYS_REPLY_RECEIVE, "arch/riscv/trap.S");
_Static_assert(SYSCALL_NUMBER_COUNT == SYS_COUNT, "arch/riscv/trap.S");
_Static_assert(STATUS_UNKNOWN_CALL == ERR_UNKNOWN_CALL, "arch/riscv/trap.S");
_Static_assert(STATUS_FAULT == ERR_FAULT, "arch/riscv/exception.S");

void syscall_message(void);   /* trap.S */
void syscall_wait_pair(void); /* trap.S, both */
void syscall_send_pair(void);
void syscall_handle_message(struct syscall_frame *frame);

typedef void (*syscall_entry_t)(void);
extern const syscall_entry_t syscall_table[SYS_COUNT];

#define ENTRY(function) ((syscall_entry_t)(uintptr_t)(function))

const syscall_entry_t syscall_table[SYS_COUNT] = {
    [SYS_CALL] = syscall_message,
    [SYS_RETURN] = syscall_message,
    [SYS_REPLY_RECEIVE] = syscall_message,
    [SYS_SEND] = syscall_send_pair,
    [SYS_RECEIVE] = syscall_message,
    [SYS_REPLY] = syscall_message,
    [SYS_NULL] = ENTRY(syscall_null),
    [SYS_YIELD] = ENTRY(syscall_yield),
    [SYS_THREAD_CREATE] = ENTRY(syscall_thread_create),
    [SYS_THREAD_EXIT] = ENTRY(syscall_thread_exit),
    [SYS_JOIN] = ENTRY(syscall_join),
    [SYS_THREAD_KILL] = ENTRY(syscall_thread_kill),
    [SYS_THREAD_MIGRATE] = ENTRY(syscall_thread_migrate),
    [SYS_THREAD_CORE] = ENTRY(syscall_thread_core),
    [SYS_SLEEP] = ENTRY(syscall_sleep),
    [SYS_DOMAIN_EXIT] = ENTRY(syscall_domain_exit),
    [SYS_PORT_CREATE] = ENTRY(syscall_port_create),
    [SYS_PORT_CLOSE] = ENTRY(syscall_port_close),
    [SYS_HANDLE_CLOSE] = ENTRY(syscall_handle_close),
    [SYS_HANDLE_DUPLICATE] = ENTRY(syscall_handle_duplicate),
    [SYS_MEMORY_MAP] = ENTRY(syscall_memory_map),
    [SYS_MEMORY_UNMAP] = ENTRY(syscall_memory_unmap),
    [SYS_DEBUG_WRITE] = ENTRY(syscall_debug_write),
    [SYS_CLOCK] = ENTRY(syscall_clock),
    [SYS_MEMORY_CREATE] = ENTRY(syscall_memory_create),
    [SYS_MEMORY_PROTECT] = ENTRY(syscall_memory_protect),
    [SYS_MEMORY_CLONE] = ENTRY(syscall_memory_clone),
    [SYS_MEMORY_PIN] = ENTRY(syscall_memory_pin),
    [SYS_MEMORY_UNPIN] = ENTRY(syscall_memory_unpin),
    [SYS_MEMORY_SLICE] = ENTRY(syscall_memory_slice),
    [SYS_MEMORY_INFO] = ENTRY(syscall_memory_info),
    [SYS_DOMAIN_SET_PAGER] = ENTRY(syscall_domain_set_pager),
    [SYS_PORT_CREATE_CONCURRENT] = ENTRY(syscall_port_create_concurrent),
    [SYS_THREAD_SET_PRIORITY] = ENTRY(syscall_thread_set_priority),
    [SYS_MESSAGE_PAGE] = ENTRY(syscall_message_page),
    [SYS_NOTIFICATION_CREATE] = ENTRY(syscall_notification_create),
    [SYS_SIGNAL] = ENTRY(syscall_signal),
    [SYS_WAIT] = syscall_wait_pair,
    [SYS_PORT_BIND] = ENTRY(syscall_port_bind),
    [SYS_INTERRUPT_BIND] = ENTRY(syscall_interrupt_bind),
    [SYS_INTERRUPT_ACKNOWLEDGE] = ENTRY(syscall_interrupt_acknowledge),
    [SYS_RESULT] = syscall_message,
    [SYS_PORT_CONFIGURE] = ENTRY(syscall_port_configure),
    [SYS_HANDLE_REVOKE] = ENTRY(syscall_handle_revoke),
};

void syscall_handle_message(struct syscall_frame *frame)
{
    if (frame->a[7] == SYS_CALL) {
        call_from_user(frame);
        return;
    }
    if (frame->a[7] == SYS_RETURN) {
        call_return(frame);
        return;
    }
    switch (frame->a[7]) {
    case SYS_RECEIVE:
        mailbox_receive_from_user(frame);
        break;
    case SYS_REPLY:
        mailbox_reply_from_user(frame);
        break;
    case SYS_RESULT:
        syscall_result(frame);
        break;
    default:
        mailbox_reply_receive_from_user(frame);
        break;
    }
}

/* What comes back besides the status of a call that brings no message. */
static void frame_clear_message(struct syscall_frame *frame)
{
    for (unsigned i = 1; i <= 6; i++) {
        frame->a[i] = 0;
    }
    frame->token = 0;
}

void syscall_result(struct syscall_frame *frame)
{
    struct message reply = {0};
    status_t status = result_collect(frame->a[0], frame->a[6], &reply);

    frame_clear_message(frame);
    frame->a[0] = (uint64_t)status;
    frame->a[1] = reply.tag;
    for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
        frame->a[2 + i] = reply.word[i];
    }
}
