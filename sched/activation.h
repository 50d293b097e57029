/* SPDX-License-Identifier: MIT */
/*
 * An activation: one run of a service for one caller, pushed on the caller's thread.
 *
 * Rules: records lie on kernel stacks, newest lowest; the innermost is core.activation. Below
 * each record the stack keeps room for its floating-point state, and a trap from user mode starts
 * below that, so pushing and popping allocate nothing. Only the thread that runs the chain writes
 * it; a thread that is off the core may be read by a debugger. Source: LRPC's linkage records
 * (seed 002), the context problem of seed 000.
 */
#pragma once

#include "arch/core.h"
#include "arch/fpu.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

struct domain;
struct port;
struct message;
struct message_page;
struct run_stack;

enum activation_kind {
    /* Odd: returning resumes kernel code behind activation_enter_user (fastpath.S looks at that bit). */
    ACTIVATION_FROM_USER = 0,   /* returning goes straight to the caller's user code */
    ACTIVATION_FROM_KERNEL = 1, /* the kernel code above this record is the caller */
    ACTIVATION_BASE = 2,        /* the thread's own first level */
    /* The kernel code above works for user code that faulted, or whose call is over: who ends may leave it. */
    ACTIVATION_FROM_FAULT = 3,
    ACTIVATION_SLOW = 4, /* FROM_USER, but its end has more to do: a deadline, a slot */
    /* A kernel service; the kernel code above is a system call that did nothing else: who goes on without it
     * finds its context here. */
    ACTIVATION_FROM_SYSCALL = 6,
    /* FROM_KERNEL, by a courier: `message` is that of a struct baton_work, and the next letter may follow at once. */
    ACTIVATION_FROM_COURIER = 8,
};

struct call_deadline;

struct activation {
    struct activation *previous;
    struct domain *domain; /* whose code runs in this activation */
    struct port *port;     /* what was called; NULL for the base */
    vaddr_t return_pc;     /* FROM_USER, SLOW, FROM_SYSCALL: the caller's context */
    vaddr_t return_sp;
    vaddr_t return_tp;
    uint16_t
        calls_left;    /* that may be nested in this one; these four are one word for fastpath.S */
    uint8_t kind;      /* enum activation_kind */
    uint8_t fpu_saved; /* the save area below holds this activation's registers */
    uint32_t unused;
    uint64_t *satp_entry; /* address space while it runs: the entry for its core (mm/asid.h) */
    union {
        struct message *
            message; /* FROM_KERNEL, FROM_FAULT, FROM_COURIER, of a user service: where the reply goes */
        struct call_deadline *deadline; /* SLOW, FROM_SYSCALL: or NULL (ipc/split.h) */
        struct message_page *page;      /* BASE: the thread's, or NULL */
    };
    const struct run_stack *stack; /* not FROM_USER, or a concurrent service: what it runs on */
};

#define ACTIVATION_BYTES 80
#define ACTIVATION_FPU_BYTES 272

_Static_assert(sizeof(struct activation) == ACTIVATION_BYTES, "ipc/riscv/fastpath.S");
_Static_assert(sizeof(struct fpu_state) == ACTIVATION_FPU_BYTES, "arch/riscv/trap.S");

/* Calls below the thread's base. */
static inline unsigned activation_depth(const struct activation *activation)
{
    /* relaxed: a listing may look at what another core is just popping */
    return MAX_CALL_DEPTH - (unsigned)atomic_load_relaxed(&activation->calls_left);
}

/* The room below a record for its floating-point registers. */
static inline struct fpu_state *activation_fpu(struct activation *activation)
{
    return (struct fpu_state *)(void *)((char *)activation - ACTIVATION_FPU_BYTES);
}

/* Save the running activation's floating-point registers if they are newer than its save area, and
 * turn the unit off; it comes back on first use. Interrupts off. */
void activation_save_fpu(void);

/* Make `activation` the running one of this thread. One store, right while preemptible. */
static inline void activation_set(struct activation *activation)
{
    __asm__ volatile("sd %0, %1(tp)" ::"r"(activation), "i"(offsetof(struct core, activation))
                     : "memory");
}

/* The same for a run in the caller's address space. In one piece: who is preempted may be moved, and then
 * the entries of what is in the chain change. Interrupts are on. */
static inline void activation_push(struct activation *activation)
{
    uint64_t *entry;

    __asm__ volatile("csrci sstatus, 2\n\t"
                     "ld %0, %c3(%2)\n\t"
                     "sd %0, %c3(%1)\n\t"
                     "sd %1, %c4(tp)\n\t"
                     "csrsi sstatus, 2"
                     : "=&r"(entry)
                     : "r"(activation), "r"(activation->previous),
                       "i"(offsetof(struct activation, satp_entry)),
                       "i"(offsetof(struct core, activation))
                     : "memory");
}

static inline struct activation *activation_current(void)
{
    struct activation *activation;
    __asm__ volatile("ld %0, %1(tp)"
                     : "=r"(activation)
                     : "i"(offsetof(struct core, activation))
                     : "memory");
    return activation;
}
