/* SPDX-License-Identifier: MIT */
/*
 * The per-core block: what the trap path, the fast path and the scheduler share about one hart.
 *
 * Rules: in kernel mode `tp` holds the address of this core's block; in user mode `sscratch`
 * does and `tp` is the user's. Fields are written by their own core with interrupts off; the one
 * exception, `ipi_reasons`, has a cache line of its own. `cpu` is the dense index, `hart_id` the
 * machine's number: never mix them. Offsets used by assembly are the CORE_* macros, each pinned
 * by an assertion in arch/riscv/offsets.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/limits.h"
#include "kernel/base/types.h"

struct thread;
struct activation;
struct wheel;
struct runqueue;

/* Bits of core.work: what must be done before the next return to user mode. */
enum core_work {
    WORK_RESCHEDULE = 1 << 0, /* the scheduler wants to choose again */
    WORK_THREAD = 1 << 1,     /* the current thread has flags to look at */
};

/* Bits of core.ipi_reasons. */
enum ipi_reason {
    IPI_RESCHEDULE = 1 << 0, /* look at the run queue and at the current thread's flags */
    IPI_EPOCH = 1 << 1,      /* acknowledge a grace period */
    IPI_STOP = 1 << 2,       /* a panic: stop and show a backtrace */
    IPI_DRAIN = 1 << 3,      /* bring memory home: mm/drain.h */
    IPI_SHOOTDOWN = 1 << 4,  /* forget translations: mm/shootdown.h */
};

struct core {
    struct activation *activation; /* running activation; user traps start below it */
    uint64_t user_sp;              /* trap.S: the user's sp while its registers are saved */
    uint64_t scratch;              /* trap.S: one register */
    struct thread *current;
    uint32_t work;
    cpu_t cpu;
    hart_id_t hart_id;
    vaddr_t boot_sp;         /* first stack of a hart that is being started */
    vaddr_t emergency_stack; /* top of the stack that reports a kernel stack overflow */
    uint64_t satp_offset;    /* 8 * cpu: this core's entry in an array of satp values (mm/asid.h) */

    uint64_t switches;
    uint64_t interrupts;
    uint64_t ipis_sent;
    uint64_t idles; /* times it had nothing to do */
    uint32_t online;
    int32_t slab_id;      /* mm/spmalloc: the frame id of this core's slabs with a free object */
    uint64_t heap_offset; /* mm/spmalloc: where struct account points to this core's heap */
    void *heaps;          /* mm/spmalloc: what else it has for this core */
    struct wheel *wheel;  /* sched/timeout: this core's time-outs */
    struct runqueue *runqueue; /* sched/runqueue */

    /* Written by other cores (ipi_request), read and cleared by this one (trap_handle_ipi). */
    _Alignas(64) uint32_t ipi_reasons;
    /* Grace periods acknowledged: written by this core, read by epoch_synchronize. */
    _Alignas(64) uint64_t epoch_seen;
    nsec_t idle_ns;    /* in this line for its room: also written by this core only */
    nsec_t idle_since; /* 0 while busy */
} __attribute__((aligned(256)));

extern struct core cores[MAX_CORES];

#ifdef __riscv

/* Advice that a line will be written soon. Any pointer: nothing is read, nothing faults. Zicbop's
 * prefetch.w, which is an ORI without effect on a core that does not know it. */
static inline void arch_prefetch_write(const void *pointer)
{
    __asm__ volatile("ori zero, %0, 3" ::"r"(pointer));
}

/* This core's block. The answer is stale after a migration: hold interrupts off while using it. */
static inline struct core *core_current(void)
{
    struct core *core;
    __asm__ volatile("mv %0, tp" : "=r"(core));
    return core;
}

/* The running thread; one load, so right even while preemptible. */
static inline struct thread *core_thread(void)
{
    struct thread *thread;
    __asm__ volatile("ld %0, %1(tp)" : "=r"(thread) : "i"(offsetof(struct core, current)));
    return thread;
}

/* Index of the core that runs this instruction; advice only while preemptible. */
static inline cpu_t core_index(void)
{
    cpu_t cpu;
    __asm__ volatile("lwu %0, %1(tp)" : "=r"(cpu) : "i"(offsetof(struct core, cpu)));
    return cpu;
}

/* For mm/spmalloc.c, one load each; interrupts are off. */
static inline uint64_t core_heap_offset(void)
{
    uint64_t offset;
    __asm__ volatile("ld %0, %1(tp)" : "=r"(offset) : "i"(offsetof(struct core, heap_offset)));
    return offset;
}

static inline int64_t core_slab_id(void)
{
    int64_t id;
    __asm__ volatile("lw %0, %1(tp)" : "=r"(id) : "i"(offsetof(struct core, slab_id)));
    return id;
}

static inline void *core_heaps(void)
{
    void *heaps;
    __asm__ volatile("ld %0, %1(tp)" : "=r"(heaps) : "i"(offsetof(struct core, heaps)));
    return heaps;
}

/* For sched/timeout.c; interrupts are off. */
static inline struct wheel *core_wheel(void)
{
    struct wheel *wheel;
    __asm__ volatile("ld %0, %1(tp)" : "=r"(wheel) : "i"(offsetof(struct core, wheel)));
    return wheel;
}

/* The same as core_index, to index an array with: the compiler need not extend it. */
static inline uint64_t core_index_wide(void)
{
    uint64_t cpu;
    __asm__ volatile("lwu %0, %1(tp)" : "=r"(cpu) : "i"(offsetof(struct core, cpu)));
    return cpu;
}

#else /* the host: each thread of a unit test says which core it is (tests/host/machine.h) */

extern _Thread_local struct core *host_core;

static inline void arch_prefetch_write(const void *pointer)
{
    __builtin_prefetch(pointer, 1);
}

static inline struct core *core_current(void)
{
    return host_core;
}

static inline struct thread *core_thread(void)
{
    return host_core->current;
}

static inline cpu_t core_index(void)
{
    return host_core->cpu;
}

static inline uint64_t core_heap_offset(void)
{
    return __atomic_load_n(&host_core->heap_offset, __ATOMIC_RELAXED);
}

static inline int64_t core_slab_id(void)
{
    return host_core->slab_id;
}

static inline void *core_heaps(void)
{
    return host_core->heaps;
}

static inline struct wheel *core_wheel(void)
{
    return host_core->wheel;
}

static inline uint64_t core_index_wide(void)
{
    return host_core->cpu;
}

#endif
