/* SPDX-License-Identifier: MIT */
/*
 * A thread: a scheduling context and a chain of activations; what run queues hold.
 *
 * Rules: the block lies at the top of its kernel stack's slot (mm/kstack.h), so block and stack are
 * found from one another without a search. A thread starts suspended; thread_start makes it
 * ready. It ends itself (thread_exit); others ask (thread_kill), and it complies at its next
 * return to its own user code or at a wait. Every waiting function returns ERR_CANCELLED once
 * thread_must_stop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/status.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/object/object.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/long_list.h"
#include "kernel/sync/spinlock.h"
#include "sched/activation.h"
#include "sched/affinity.h"
#include "sched/inbox.h"
#include "sched/rendezvous.h"
#include "sched/timeout.h"

struct domain;
struct thread;

#define THREAD_NAME_BYTES 32

enum thread_state {
    THREAD_NEW,     /* made, never started */
    THREAD_READY,   /* on a run queue, or on its way there */
    THREAD_RUNNING, /* current on a core */
    THREAD_BLOCKED, /* waits for a wake-up */
    THREAD_MOVING,  /* leaves one core for another */
    THREAD_DEAD,    /* has ended; only its exit code is left */
};

/* Bits of thread.flags; set by anyone with an atomic or. */
enum thread_flag {
    THREAD_KILL = 1 << 0,   /* end at the next chance */
    THREAD_UNWIND = 1 << 1, /* something of its chain is to be left, or its domain dies: look */
    /* Who called its first activation has gone on without it. Stays, so that every way out looks. */
    THREAD_ORPHAN = 1 << 2,
};

/* What the ranks of two threads say to each other: a higher one runs first. */
#define RANK_IDLE 0U
#define RANK_SHARING 1U
#define RANK_REALTIME 2U /* and up: a real-time priority more */

/* A queue of threads that wait for one thing. */
struct wait_queue {
    struct spinlock lock; /* guards the list; run queue locks may be taken inside */
    struct list waiters GUARDED_BY(lock);
};

struct thread {
    struct activation base; /* first level; the room for its registers lies below the block */
    struct object object;
    vaddr_t context;               /* saved kernel context while not running */
    struct activation *activation; /* innermost, while not running */
    struct domain *domain;         /* owns a reference */
    /* Whose end its own end is: itself; an heir's first owner; NULL: an orphan. */
    struct thread *identity;
    struct thread *body;      /* who runs what handles to this block mean; ended_queue.lock */
    uint32_t id;              /* from 1 up, never reused in one boot; an heir takes it over */
    uint32_t flags;           /* enum thread_flag; atomic */
    struct list run_link;     /* in a ready queue; its lock */
    struct list domain_link;  /* in domain->threads; the domain's lock */
    enum thread_state state;  /* the lock of its core's run queue; of a blocked one, who wakes it */
    cpu_t cpu;                /* home core */
    cpu_t next_cpu;           /* MOVING: where to */
    uint16_t rank;            /* who runs first (sched/runqueue_priv.h); its queue's lock */
    uint16_t own_rank;        /* its own, ... */
    uint16_t lent_rank;       /* ... and what it was lent; `rank` is the higher one */
    uint32_t wake;            /* sched/wake.h; atomic */
    struct affinity affinity; /* where it may run; written by itself */
    struct inbox_node inbox_node; /* in an inbox, or among the woken ones */
    bool ended;                   /* exit code is valid; ended_queue.lock */
    long exit_code;
    struct wait_queue ended_queue; /* who waits for the end */
    uint64_t run_ticks;            /* time on a core (arch/timer.h) */
    uint64_t run_since;
    uint32_t loans;               /* times that it was lent a rank; its queue's lock */
    struct port *waiting_for;     /* the port in whose line it is (ipc/deadlock.c); atomic */
    uint64_t waits;               /* such waits begun; written by itself */
    struct rendezvous rendezvous; /* at a mailbox */
    uint64_t blocks;              /* times it gave up its core to wait; written by itself */
    struct memory *page_memory;   /* keeps base.page; written by itself, an heir takes it over */
    struct timeout split_retry;   /* looks again when there was no memory for a split */
    char name[THREAD_NAME_BYTES];
    vaddr_t start_pc, start_sp, start_tp; /* user threads: the first context */
    uint64_t start_arguments[4];
    void (*start_kernel)(void *argument); /* kernel threads */
    void *start_argument;
    struct long_list_link all_link; /* the list of all threads */
    struct list reap_link;          /* waits for the reaper */
    struct epoch_callback reclaim;
} __attribute__((aligned(16)));

static inline struct thread *thread_current(void);

/* Make a suspended kernel thread of the kernel domain. ERR_NO_MEMORY, ERR_NO_SPACE. */
status_t thread_create_kernel(const char *name, void (*entry)(void *argument), void *argument,
                              struct thread **out);

/* Make a suspended user thread of `domain` that will start at pc with sp, tp and a0..a2.
 * ERR_NO_MEMORY, ERR_NO_SPACE. */
status_t thread_create_user(struct domain *domain, const char *name, vaddr_t pc, vaddr_t sp,
                            vaddr_t tp, const uint64_t arguments[4], struct thread **out);

/* Make it ready on core `cpu`, or on the least loaded one for THREAD_ANY_CORE. The creator keeps
 * its reference. ERR_PEER_DIED: its domain is ending; the thread stays as it was. */
#define THREAD_ANY_CORE (~(cpu_t)0)
WARN_UNUSED status_t thread_start(struct thread *thread, cpu_t cpu);

/* End the calling thread with `code`. Its activation chain must be at the base. */
_Noreturn void thread_exit(long code);

/* Where it may run from now on: the caller, which moves if it must, or a thread that was not started.
 * ERR_INVALID: no online core is among them. */
WARN_UNUSED status_t thread_set_affinity(struct thread *thread, const struct affinity *affinity);

/* A real-time priority (higher ones first, above all others), or PRIORITY_SHARING; for who runs what handles
 * to `thread` mean. ERR_INVALID. */
WARN_UNUSED status_t thread_set_priority(struct thread *thread, uint64_t priority);

/* The same back, what it is lent included. */
uint64_t thread_priority(const struct thread *thread);

/* Ask a thread to end, with exit code EXIT_KILLED; returns at once. */
void thread_kill(struct thread *thread);

/* Set flag bits and make the thread look at them soon, wherever it is. */
void thread_raise(struct thread *thread, uint32_t flags);

/* The calling thread's innermost activation is to end: stop waiting. What only concerns who is above it
 * is dealt with here: a split may be done. Thread context, interrupts on, nothing locked. */
bool thread_must_stop(void);

/* Flags of a thread that ask for something. */
#define THREAD_ASKS (~(uint32_t)THREAD_ORPHAN)

/* Wait until `thread` has ended; its exit code in *code. ERR_CANCELLED, ERR_TIMED_OUT. */
status_t thread_join(struct thread *thread, nsec_t deadline, long *code);

/*
 * The calling thread's message page from now on: `page` in the direct map, kept by a reference to `memory`,
 * which becomes the thread's; or none (NULL, NULL). Its activation chain is at the base.
 */
struct message_page;
struct memory;
void thread_set_page(struct message_page *page, struct memory *memory);

/* Visit every living thread with `visit` until it returns false. A lock is held, interrupts are let
 * in now and then (kernel/sync/long_list.h): visit must not block. */
void thread_visit_all(bool (*visit)(struct thread *thread, void *argument), void *argument);

/* Number of thread blocks in use. */
uint32_t thread_count(void);

#include "arch/core.h"

static inline struct thread *thread_current(void)
{
    return core_thread();
}

/* The running thread is an orphan whose run is over: all that is left is its end. */
static inline bool thread_is_spent(void)
{
    return thread_current()->identity == NULL && activation_current()->port == NULL;
}
