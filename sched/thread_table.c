/* SPDX-License-Identifier: MIT */
/*
 * Thread blocks by index.
 */
#include "sched/thread_table.h"

#include "sched/thread.h"

struct thread_slot thread_table[KSTACK_SLOTS];

static struct thread_slot *slot_of(const struct thread *thread)
{
    return &thread_table[((vaddr_t)thread - KSTACK_BASE) / KSTACK_SLOT_BYTES];
}

void thread_table_add(struct thread *thread)
{
    struct thread_slot *slot = slot_of(thread);

    if (slot->last_token == 0) {
        slot->last_token = TOKEN_PARKED | (uint64_t)(slot - thread_table);
    }
    thread->rendezvous.last_token = slot->last_token;
    /* release: the block; pairs with the acquire in thread_of_index */
    atomic_store_release(&slot->thread, thread);
}

void thread_table_remove(struct thread *thread)
{
    struct thread_slot *slot = slot_of(thread);

    slot->last_token = thread->rendezvous.last_token;
    /* relaxed: who finds the block before keeps it until the grace period is over */
    atomic_store_relaxed(&slot->thread, (struct thread *)NULL);
}
