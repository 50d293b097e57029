/* SPDX-License-Identifier: MIT */
/*
 * A domain: an address space, a handle table, an account and threads; what others call a process.
 *
 * Rules: the first three words are read by ipc/riscv/fastpath.S. A domain lives until its last
 * reference is gone; it *ends* (domain_kill) when asked or when its last thread exits: its
 * threads are killed, its ports closed (upcall_domain_closing), its callers released, then its
 * memory goes back. The kernel is a domain too; it never ends.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "kernel/abi/status.h"
#include "kernel/base/atomic.h"
#include "kernel/object/handle.h"
#include "kernel/object/object.h"
#include "kernel/sync/long_list.h"
#include "mm/account.h"
#include "mm/vspace.h"
#include "sched/thread.h"

#define DOMAIN_NAME_BYTES 32

enum domain_state {
    DOMAIN_ALIVE,
    DOMAIN_DYING, /* being torn down; nothing new starts in it */
    DOMAIN_DEAD,  /* its memory is gone, its exit code is left */
};

struct domain {
    struct object object;
    struct handle_table handles; /* offset pinned for the fast path */
    struct vspace *vspace;       /* NULL for the kernel */
    struct account *account;     /* own_account, or the kernel's */
    struct account own_account;
    uint32_t id;
    uint32_t state; /* enum domain_state; written under lock, read anywhere (acquire) */
    struct spinlock
        lock; /* guards threads, ports, notifications and state changes; run queue locks inside */
    struct list threads GUARDED_BY(lock);
    uint32_t thread_count GUARDED_BY(lock);
    uint32_t orphan_count GUARDED_BY(lock); /* see domain_keep */
    struct list ports GUARDED_BY(lock);     /* struct port, linked by domain_link */
    uint32_t port_count GUARDED_BY(lock);
    struct list notifications GUARDED_BY(lock); /* struct notification; no references */
    struct result_chunk *results;               /* ipc/result.c; atomic */
    uint32_t result_chunks;                     /* its lock */
    struct long_list_link all_link;             /* the list of all domains */
    struct list reap_link;                      /* the reaper's: dying, or no longer used */
    struct letter_stock *letters;               /* ipc/letter_fast.h; or NULL; atomic */
    bool has_sent;                              /* letters may wait that are its own; atomic */
    bool ended;                                 /* ended_queue.lock */
    long exit_code;
    struct wait_queue ended_queue;
    char name[DOMAIN_NAME_BYTES];
    char may_register[MAX_REGISTER_BYTES]; /* ipc/name_rule.h; constant */
};

extern struct domain kernel_domain;

/* Make the kernel's own domain. Boot, once. ERR_NO_MEMORY. */
status_t domain_init_kernel(void);

/* A new empty domain with at most `memory_limit` bytes (0: no limit). ERR_NO_MEMORY,
 * ERR_NO_SPACE. */
status_t domain_create(const char *name, uint64_t memory_limit, struct domain **out);

/* End it: threads, ports, memory. Returns at once; the first caller's exit code stays. */
void domain_kill(struct domain *domain, long exit_code);

/* True once it is dying or dead. */
bool domain_is_dying(const struct domain *domain);

/* Wait until it has ended: its memory has gone back, but for what orphans of it may still need. ERR_TIMED_OUT, ERR_CANCELLED. */
status_t domain_join(struct domain *domain, nsec_t deadline, long *code);

/* What works in its name after its threads have gone on or ended (an orphan of heir.h, a run that its caller
 * did not wait for) may still need its memory: from keep to let go that stays, and nobody waits for it. The
 * domain must be sure to live when it is kept. Any context. */
void domain_keep(struct domain *domain);
void domain_let_go(struct domain *domain);

/* It sends a letter. */
static inline void domain_note_letters(struct domain *domain)
{
    /* relaxed, both: its threads have ended when it is looked at */
    if (!atomic_load_relaxed(&domain->has_sent)) {
        atomic_store_relaxed(&domain->has_sent, true);
    }
}

/* Find a living domain by number and take a reference. ERR_NOT_FOUND. */
status_t domain_find(uint32_t id, struct domain **out);

/* Visit every domain that is not dead, kernel first, until it returns false. A lock is held, interrupts
 * are let in now and then (kernel/sync/long_list.h): visit must not block. */
void domain_visit_all(bool (*visit)(struct domain *domain, void *argument), void *argument);
