/* SPDX-License-Identifier: MIT */
/*
 * What comes home from other cores: a lock-free list, pushed in chains and taken as a whole.
 *
 * Rules: any number of cores push, any core takes. Interrupts on or off; never blocks, never
 * fails; a push is one compare-and-swap loop whatever the chain's length. Nodes lie in the memory
 * that goes home (a free object, the record of a free page). Batch what you push: one chain costs
 * two atomic operations. Compiled unchanged for the kernel, the host's tests (thread sanitizer)
 * and the model checker (tests/models), which defines REMOTE_MODEL and its own atomics.
 *
 * Protocol
 *   A node is  OURS -> PUSHED -> THEIRS.
 *     OURS    the pusher's alone: it builds the chain first -> ... -> last by plain stores
 *     PUSHED  reachable from `head`; nobody may read or write it
 *     THEIRS  in a chain that one remote_take_all() returned; the taker's alone
 *   OURS -> PUSHED is the compare-and-swap in remote_push_chain, PUSHED -> THEIRS the swap in
 *   remote_take_all. The list is  head -> chain of the last push -> chain of the push before ...
 *
 *   Two cores, and what would break without the orders:
 *       pusher                                 taker
 *       a: object's last use, n->next = x
 *       b: cas(head, x -> n)      release      c: swap(head, NULL) -> n    acquire
 *                                              d: reads n->next, gives the object out again
 *   b without release: a may come after b, and d follows an old link, or the late write lands in
 *   an object that has a new owner. c without acquire: d's read may have been done before c.
 *   Two pushers: the second one's compare-and-swap reads the first one's, so it continues the
 *   first one's release sequence, and c, reading the second one, sees both chains complete.
 *
 *   ABA: a single node is never popped. A pusher may find `head` equal to what it read although
 *   the list was taken and filled again meanwhile; the node that `head` names is then pushed,
 *   which is all that last->next has to say. A swap cannot be fooled at all.
 *
 *   Reclamation: none needed, for only the taker of a chain reads its nodes. A pusher reads the
 *   address of the old head, never its contents.
 *
 *   Count: added before the push and taken off after the take, so it is never below the number
 *   of nodes in the list, and exact when the list is quiet.
 */
#pragma once

#ifndef REMOTE_MODEL

#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

#define REMOTE_ATOMIC(type) type
#define REMOTE_PLAIN(type) type
#define remote_plain_get(field) (field)
#define remote_plain_set(field, value) ((field) = (value))

#endif

struct remote_node {
    REMOTE_PLAIN(struct remote_node *) next; /* NULL in the last one of a taken chain */
};

/* Written by every core that sends, read by the owner: a cache line of its own. */
struct remote_list {
    REMOTE_ATOMIC(struct remote_node *) head;
    REMOTE_ATOMIC(uint64_t) count;
} __attribute__((aligned(64)));

/* Pushes first -> ... -> last, `n` nodes linked by `next`; last->next is overwritten. Returns how
 * many nodes were waiting before. */
static inline uint64_t remote_push_chain(struct remote_list *list, struct remote_node *first,
                                         struct remote_node *last, uint64_t n)
{
    /* relaxed: a number on its own */
    uint64_t before = atomic_add_relaxed(&list->count, n);
    /* relaxed: only compared, never followed */
    struct remote_node *head = atomic_load_relaxed(&list->head);

    do {
        remote_plain_set(last->next, head);
        /* release: the chain and all uses of what it holds come before; pairs with the swap in
         * remote_take_all */
    } while (!atomic_cas_release(&list->head, &head, first));
    return before;
}

/* Takes everything, the last push first; NULL when there is nothing. Then call remote_settle. */
static inline struct remote_node *remote_take_all(struct remote_list *list)
{
    /* relaxed: spares the write when nothing is there; what comes later is found next time */
    if (atomic_load_relaxed(&list->head) == NULL) {
        return NULL;
    }
    /* acquire: the chains are complete, and their memory has seen its last use; pairs with the
     * compare-and-swap in remote_push_chain */
    return atomic_swap_acquire(&list->head, (struct remote_node *)NULL);
}

/* `n` nodes that were taken have been counted by the taker. */
static inline void remote_settle(struct remote_list *list, uint64_t n)
{
    /* relaxed: a number on its own */
    (void)atomic_sub_relaxed(&list->count, n);
}

/* How many nodes are waiting, or a little more; advice. */
static inline uint64_t remote_waiting(struct remote_list *list)
{
    /* relaxed: advice */
    return atomic_load_relaxed(&list->count);
}
