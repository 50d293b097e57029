/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of user code: each ends the domain whose code it was.
 */
#include "arch/trap.h"
#include "arch/upcall.h"
#include "kernel/abi/exit.h"
#include "kernel/base/assert.h"
#include "kernel/base/print.h"
#include "kernel/core/panic.h"
#include "sched/activation.h"
#include "sched/domain.h"
#include "sched/upcall.h"

/* RISC-V privileged specification 1.12, table 4.2: exception codes of scause. */
static const uint8_t fault_reason[16] = {
    [0] = EXIT_FAULT_MISALIGNED, [1] = EXIT_FAULT_ACCESS,     [2] = EXIT_FAULT_ILLEGAL,
    [3] = EXIT_FAULT_BREAKPOINT, [4] = EXIT_FAULT_MISALIGNED, [5] = EXIT_FAULT_ACCESS,
    [6] = EXIT_FAULT_MISALIGNED, [7] = EXIT_FAULT_ACCESS,     [12] = EXIT_FAULT_EXECUTE,
    [13] = EXIT_FAULT_LOAD,      [15] = EXIT_FAULT_STORE,
};

void upcall_user_fault(struct trap_frame *frame)
{
    struct domain *domain = activation_current()->domain;
    long reason = frame->scause < 16 ? fault_reason[frame->scause] : 0;
    char who[64];

    if (reason == 0) {
        reason = EXIT_FAULT_OTHER;
    }
    format_string(who, sizeof(who), "fault in domain %u (%s)", domain->id, domain->name);
    report_trap(frame, who);
    domain_kill(domain, EXIT_KILLED + reason);
}

void upcall_panic(const char *why)
{
    panic("%s", why);
}
