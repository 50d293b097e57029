/* SPDX-License-Identifier: MIT */
/*
 * The system calls, as the table in syscall.c knows them.
 *
 * Rules: each takes its arguments as the user gave them and validates all of them; each returns a
 * status, a handle, an address or a count (negative: a status). Thread context, interrupts on.
 * user/lib/ documents each call for its users.
 */
#pragma once

#include "arch/trap.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"
#include "sched/domain.h"
#include "sched/activation.h"

long syscall_null(void);
long syscall_reserved(void); /* a number whose call is not there yet */
long syscall_thread_core(void);
long syscall_clock(void);

long syscall_yield(void);
long syscall_thread_create(vaddr_t entry, vaddr_t stack_top, uint64_t argument, vaddr_t tp);
long syscall_thread_exit(long code);
long syscall_join(handle_t handle, nsec_t deadline);
long syscall_thread_kill(handle_t handle);
long syscall_thread_migrate(uint64_t cpu);
long syscall_thread_set_priority(handle_t handle, uint64_t priority);
long syscall_message_page(vaddr_t address);
long syscall_sleep(nsec_t deadline);
long syscall_domain_exit(long code);

long syscall_port_create(uint64_t kind, vaddr_t entry, vaddr_t stack_top, vaddr_t tp,
                         uint64_t cookie, vaddr_t page);
long syscall_port_create_concurrent(vaddr_t entry, vaddr_t stacks, uint64_t runs, uint64_t cookie);
long syscall_port_close(handle_t handle);
long syscall_port_configure(handle_t handle, uint64_t capacity, uint64_t low, uint64_t high,
                            uint64_t priority);
long syscall_port_bind(handle_t handle, handle_t notification, uint64_t bits, uint64_t event);
long syscall_handle_close(handle_t handle);
long syscall_handle_revoke(handle_t handle);
long syscall_handle_duplicate(handle_t handle, uint64_t rights, uint64_t badge);

long syscall_memory_create(uint64_t bytes, uint64_t kind);
long syscall_memory_map(vaddr_t address, uint64_t bytes, uint64_t protection, handle_t handle,
                        uint64_t offset, uint64_t alignment);
long syscall_memory_protect(vaddr_t address, uint64_t bytes, uint64_t protection);
long syscall_memory_clone(handle_t handle);
long syscall_memory_pin(handle_t handle, uint64_t offset, uint64_t bytes);
long syscall_memory_unpin(handle_t handle, uint64_t offset, uint64_t bytes);
long syscall_memory_slice(handle_t handle, uint64_t offset, uint64_t bytes);
long syscall_memory_info(handle_t handle, vaddr_t address);
long syscall_domain_set_pager(handle_t handle, handle_t port);
long syscall_memory_unmap(vaddr_t address, uint64_t bytes);
long syscall_debug_write(vaddr_t address, uint64_t bytes);

/* What comes back in a0 and a1; user code sees both. */
struct syscall_pair {
    long status;
    uint64_t value;
};

long syscall_notification_create(void);
long syscall_signal(handle_t handle, uint64_t bits);
struct syscall_pair syscall_wait(handle_t handle, uint64_t mask, nsec_t deadline);

long syscall_interrupt_bind(uint64_t line, handle_t notification, uint64_t bits, handle_t devices);
long syscall_interrupt_acknowledge(uint64_t line, handle_t notification);

struct syscall_pair syscall_send(handle_t handle, uint64_t tag, uint64_t word0, uint64_t word1,
                                 uint64_t word2, uint64_t word3, nsec_t deadline);
void syscall_result(struct syscall_frame *frame);

/* The protection that a handle's rights allow. */
uint32_t syscall_memory_allowed(rights_t rights);

/* The domain whose code made the call. */
static inline struct domain *syscall_domain(void)
{
    return activation_current()->domain;
}
