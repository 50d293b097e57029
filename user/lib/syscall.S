/* SPDX-License-Identifier: MIT */
/*
 * The system calls whose arguments are already where the kernel wants them.
 *
 * Rules: prototypes and errors are in object.h, notification.h, thread.h, memory.h and system.h. In: a0..a5. Out: a0; the
 * kernel preserves ra, sp, tp and s0..s11. Clobbers: what a C function may. Stack: none.
 */
#include "user/lib/syscall_priv.h"

    .macro stub name, number
    .section .text.\name, "ax", @progbits
    .globl \name
    .type \name, @function
\name:
    li      a7, \number
    ecall
    ret
    .size \name, . - \name
    .endm

    stub system_null, STUB_NULL
    stub thread_yield, STUB_YIELD
    stub thread_create, STUB_THREAD_CREATE
    stub thread_exit, STUB_THREAD_EXIT
    stub handle_join, STUB_JOIN
    stub thread_kill, STUB_THREAD_KILL
    stub thread_set_priority, STUB_THREAD_SET_PRIORITY
    stub thread_migrate, STUB_THREAD_MIGRATE
    stub thread_core, STUB_THREAD_CORE
    stub thread_sleep, STUB_SLEEP
    stub domain_exit, STUB_DOMAIN_EXIT
    stub port_create_with_page, STUB_PORT_CREATE
    stub message_page_set, STUB_MESSAGE_PAGE
    stub port_create_concurrent, STUB_PORT_CREATE_CONCURRENT
    stub port_close, STUB_PORT_CLOSE
    stub port_configure, STUB_PORT_CONFIGURE
    stub handle_close, STUB_HANDLE_CLOSE
    stub handle_duplicate, STUB_HANDLE_DUPLICATE
    stub handle_revoke, STUB_HANDLE_REVOKE
    stub memory_map_object, STUB_MEMORY_MAP
    stub memory_unmap, STUB_MEMORY_UNMAP
    stub memory_create, STUB_MEMORY_CREATE
    stub memory_protect, STUB_MEMORY_PROTECT
    stub memory_clone, STUB_MEMORY_CLONE
    stub memory_pin, STUB_MEMORY_PIN
    stub memory_unpin, STUB_MEMORY_UNPIN
    stub memory_slice, STUB_MEMORY_SLICE
    stub memory_info, STUB_MEMORY_INFO
    stub domain_set_pager, STUB_DOMAIN_SET_PAGER
    stub notification_create, STUB_NOTIFICATION_CREATE
    stub notification_signal, STUB_SIGNAL
    stub port_bind, STUB_PORT_BIND
    stub interrupt_bind, STUB_INTERRUPT_BIND
    stub interrupt_acknowledge, STUB_INTERRUPT_ACKNOWLEDGE
    stub notification_close, STUB_PORT_CLOSE
    stub debug_write, STUB_DEBUG_WRITE
    stub clock_ns, STUB_CLOCK
