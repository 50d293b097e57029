/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of user code: a page that can be made be there is; anything else ends the domain whose
 * code it was.
 */
#include "arch/trap.h"
#include "arch/upcall.h"
#include "arch/usercopy.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/elf_symbol.h"
#include "kernel/base/print.h"
#include "kernel/core/pager.h"
#include "kernel/core/panic.h"
#include "mm/vspace.h"
#include "sched/activation.h"
#include "sched/archive.h"
#include "sched/domain.h"
#include "sched/upcall.h"

#define FAULT_BACKTRACE_MAX 16

/* RISC-V privileged specification 1.12, table 4.2: exception codes of scause. */
static const uint8_t fault_reason[16] = {
    [0] = EXIT_FAULT_MISALIGNED, [1] = EXIT_FAULT_ACCESS,     [2] = EXIT_FAULT_ILLEGAL,
    [3] = EXIT_FAULT_BREAKPOINT, [4] = EXIT_FAULT_MISALIGNED, [5] = EXIT_FAULT_ACCESS,
    [6] = EXIT_FAULT_MISALIGNED, [7] = EXIT_FAULT_ACCESS,     [12] = EXIT_FAULT_EXECUTE,
    [13] = EXIT_FAULT_LOAD,      [15] = EXIT_FAULT_STORE,
};

/* One line of the way there; the function's name comes from the program's file in the archive. */
static void fault_print_address(const struct domain *domain, vaddr_t pc)
{
    const void *file;
    size_t bytes;
    uint64_t offset = 0;
    const char *name = NULL;

    if (archive_find(domain->name, &file, &bytes) == OK) {
        name = elf_symbol_find(file, bytes, pc, &offset);
    }
    if (name != NULL) {
        print("    0x%016lx %s+0x%lx\n", pc, name, offset);
    } else {
        print("    0x%016lx\n", pc);
    }
}

/* User code keeps frame pointers: below s0 lie the caller's s0 and the return address. The chain
 * is the user's, so it is only followed upwards and a few steps. */
static void fault_print_backtrace(struct domain *domain, const struct trap_frame *frame)
{
    uint64_t record[2]; /* s0 and ra of the caller */
    vaddr_t fp = frame->x[8];

    print("  backtrace\n");
    fault_print_address(domain, frame->sepc);
    for (unsigned i = 0; i < FAULT_BACKTRACE_MAX; i++) {
        if (usercopy_in_try(domain->vspace, record, user_addr(fp - sizeof(record)),
                            sizeof(record)) != OK ||
            record[1] == 0) {
            break;
        }
        fault_print_address(domain, record[1]);
        if (record[0] <= fp) {
            break;
        }
        fp = record[0];
    }
}

/* The access that the page did not allow, or 0: the exception is not about a page. */
static uint32_t fault_access(uint64_t scause)
{
    switch (scause) {
    case 12:
        return PROTECT_EXECUTE;
    case 13:
        return PROTECT_READ;
    case 15:
        return PROTECT_WRITE;
    default:
        return 0;
    }
}

static void fault_end_domain(struct trap_frame *frame, struct domain *domain, status_t status)
{
    long reason = frame->scause < 16 ? fault_reason[frame->scause] : 0;
    const char *what = "fault";
    char who[64];

    if (status == ERR_NO_MEMORY) {
        reason = EXIT_REASON_NO_MEMORY;
        what = "out of memory";
    } else if (reason == 0) {
        reason = EXIT_FAULT_OTHER;
    }
    format_string(who, sizeof(who), "%s in domain %u (%s)", what, domain->id, domain->name);
    report_trap(frame, who);
    fault_print_backtrace(domain, frame);
    domain_kill(domain, EXIT_KILLED + reason);
}

status_t upcall_user_touch(vaddr_t address, uint64_t scause)
{
    uint32_t access = fault_access(scause);

    return access == 0 ? ERR_STALE
                       : vspace_touch_page(activation_current()->domain->vspace, address, access);
}

/* A thread that is to end does so on its way out; when the pager's run has become an orphan nobody waits
 * for the page. */
static void fault_finish(struct trap_frame *frame, struct domain *domain, status_t status)
{
    if (__builtin_expect(status != OK && status != ERR_CANCELLED, 0) && !thread_is_spent()) {
        fault_end_domain(frame, domain, status);
    }
}

void upcall_user_absent(struct trap_frame *frame)
{
    struct domain *domain = activation_current()->domain;
    uint32_t access = fault_access(frame->scause);

    fault_finish(frame, domain, pager_ask(domain->vspace, frame->stval, access, frame->sepc));
}

void upcall_user_fault(struct trap_frame *frame)
{
    struct domain *domain = activation_current()->domain;
    uint32_t access = fault_access(frame->scause);
    status_t status = ERR_FAULT;

    if (access != 0) {
        status = vspace_fault(domain->vspace, frame->stval, access);
        if (status == ERR_FAULT) {
            status = pager_ask(domain->vspace, frame->stval, access, frame->sepc);
        }
    }
    fault_finish(frame, domain, status);
}

void upcall_panic(const char *why)
{
    panic("%s", why);
}
