/* SPDX-License-Identifier: MIT */
/* Compares the numbers that syscall.S uses with the contract. */
#include "kernel/abi/syscall.h"
#include "user/lib/syscall_priv.h"

_Static_assert(STUB_NULL == SYS_NULL, "syscall_priv.h");
_Static_assert(STUB_YIELD == SYS_YIELD, "syscall_priv.h");
_Static_assert(STUB_THREAD_CREATE == SYS_THREAD_CREATE, "syscall_priv.h");
_Static_assert(STUB_THREAD_EXIT == SYS_THREAD_EXIT, "syscall_priv.h");
_Static_assert(STUB_JOIN == SYS_JOIN, "syscall_priv.h");
_Static_assert(STUB_THREAD_KILL == SYS_THREAD_KILL, "syscall_priv.h");
_Static_assert(STUB_THREAD_MIGRATE == SYS_THREAD_MIGRATE, "syscall_priv.h");
_Static_assert(STUB_THREAD_CORE == SYS_THREAD_CORE, "syscall_priv.h");
_Static_assert(STUB_SLEEP == SYS_SLEEP, "syscall_priv.h");
_Static_assert(STUB_DOMAIN_EXIT == SYS_DOMAIN_EXIT, "syscall_priv.h");
_Static_assert(STUB_PORT_CREATE == SYS_PORT_CREATE, "syscall_priv.h");
_Static_assert(STUB_PORT_CLOSE == SYS_PORT_CLOSE, "syscall_priv.h");
_Static_assert(STUB_PORT_CONFIGURE == SYS_PORT_CONFIGURE, "syscall_priv.h");
_Static_assert(STUB_HANDLE_CLOSE == SYS_HANDLE_CLOSE, "syscall_priv.h");
_Static_assert(STUB_HANDLE_DUPLICATE == SYS_HANDLE_DUPLICATE, "syscall_priv.h");
_Static_assert(STUB_MEMORY_MAP == SYS_MEMORY_MAP, "syscall_priv.h");
_Static_assert(STUB_MEMORY_UNMAP == SYS_MEMORY_UNMAP, "syscall_priv.h");
_Static_assert(STUB_DEBUG_WRITE == SYS_DEBUG_WRITE, "syscall_priv.h");
_Static_assert(STUB_CLOCK == SYS_CLOCK, "syscall_priv.h");
_Static_assert(STUB_MEMORY_CREATE == SYS_MEMORY_CREATE, "syscall_priv.h");
_Static_assert(STUB_MEMORY_PROTECT == SYS_MEMORY_PROTECT, "syscall_priv.h");
_Static_assert(STUB_MEMORY_CLONE == SYS_MEMORY_CLONE, "syscall_priv.h");
_Static_assert(STUB_MEMORY_PIN == SYS_MEMORY_PIN, "syscall_priv.h");
_Static_assert(STUB_MEMORY_UNPIN == SYS_MEMORY_UNPIN, "syscall_priv.h");
_Static_assert(STUB_MEMORY_SLICE == SYS_MEMORY_SLICE, "syscall_priv.h");
_Static_assert(STUB_MEMORY_INFO == SYS_MEMORY_INFO, "syscall_priv.h");
_Static_assert(STUB_DOMAIN_SET_PAGER == SYS_DOMAIN_SET_PAGER, "syscall_priv.h");
_Static_assert(STUB_PORT_CREATE_CONCURRENT == SYS_PORT_CREATE_CONCURRENT, "syscall_priv.h");
_Static_assert(STUB_THREAD_SET_PRIORITY == SYS_THREAD_SET_PRIORITY, "syscall_priv.h");
_Static_assert(STUB_MESSAGE_PAGE == SYS_MESSAGE_PAGE, "syscall_priv.h");
_Static_assert(STUB_NOTIFICATION_CREATE == SYS_NOTIFICATION_CREATE, "syscall_priv.h");
_Static_assert(STUB_SIGNAL == SYS_SIGNAL, "syscall_priv.h");
_Static_assert(STUB_PORT_BIND == SYS_PORT_BIND, "syscall_priv.h");
_Static_assert(STUB_INTERRUPT_BIND == SYS_INTERRUPT_BIND, "syscall_priv.h");
_Static_assert(STUB_INTERRUPT_ACKNOWLEDGE == SYS_INTERRUPT_ACKNOWLEDGE, "syscall_priv.h");
_Static_assert(STUB_HANDLE_REVOKE == SYS_HANDLE_REVOKE, "syscall_priv.h");
