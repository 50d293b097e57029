/* SPDX-License-Identifier: MIT */
/*
 * Thread blocks by index: the number of the stack's slot (mm/kstack.h) that the block lies in.
 *
 * Rules: any context, O(1), no lock. What thread_of_index answers stays a thread's block while interrupts
 * stay off: blocks go back after a grace period (kernel/sync/epoch.h). Source: L4's thread control blocks
 * in an array (seed 001), with tokens in place of bare numbers.
 */
#pragma once

#include "arch/layout.h"
#include "kernel/base/atomic.h"
#include "kernel/base/types.h"
#include "sched/rendezvous.h"

struct thread;

struct thread_slot {
    struct thread *thread; /* NULL: none; atomic */
    uint64_t last_token;   /* where the tokens of the next block here go on */
};

extern struct thread_slot thread_table[KSTACK_SLOTS];

_Static_assert(KSTACK_SLOTS == TOKEN_INDEX + 1, "an index fits into a token");

/* The block, or NULL. Interrupts are off. */
static inline struct thread *thread_of_index(uint64_t index)
{
    /* acquire: the block was filled before; pairs with the release in thread_table_add */
    return atomic_load_acquire(&thread_table[index & TOKEN_INDEX].thread);
}

/* A block enters, complete but for its tokens, which it gets; and leaves, before its grace period. */
void thread_table_add(struct thread *thread);
void thread_table_remove(struct thread *thread);
