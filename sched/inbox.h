/* SPDX-License-Identifier: MIT */
/*
 * The inbox of a core: threads that others make ready there, and when to interrupt it for them.
 *
 * Rules: any core pushes, the owner takes everything; interrupts are off, nothing blocks or fails. A
 * node is the inbox's from its push until it was taken. Compiled unchanged for the kernel, the host's
 * tests (thread sanitizer) and the model checker (tests/relacy).
 *
 * Problem: the core must be interrupted when it sleeps, when what comes outranks what runs, or when
 * nobody waited so far and a time slice has to begin, and only then. Who pushes has to know that
 * without a lock, and a look at another variable needs a full fence on both sides, at every switch of
 * the owner. Choice: what the core runs stands in the same word as the newest node, so each push sees
 * what its predecessors and the owner have said, in one order for all.
 *
 * Protocol
 *   word:  bits 0..9     level: what comes with more than this must interrupt
 *          bits 10..24   how many nodes there are, or as many as fit: a hint
 *          bits 25..63   the newest node, as in ipc/word.h, or 0
 *
 *   push:    CAS: the node is the newest, the level at least its own. It interrupts
 *            when it raised the level.                                              [release]
 *   take:    swap: no node; nobody interrupts, for the owner looks.                 [acquire]
 *   settle:  CAS: the level of what it runs, if there is no node. The owner does so after each take and
 *            whenever it runs something else, before that runs; where it fails it takes what came
 *            and thinks again.
 *   poll:    settle with the highest level, which is what a take leaves, too: nobody interrupts, for the owner
 *            looks again and again. It settles to what it runs, the idle thread, before it sleeps.
 *
 *   Not lost, not late: when the owner runs something, its level stands in the word and no node that
 *   came before. A later push either raises the level, and interrupts, or finds one that is not below
 *   its own: the owner's, so the core has nothing to do before its next switch or the end of the slice
 *   that runs, when it looks; or that of an earlier push, whose interrupt is on its way and makes
 *   the owner take all.
 *
 *   Two cores: the owner is about to run its idle thread while another pushes
 *       owner                                   pusher
 *       a: settle: CAS (1, none) -> (0, none)   b: CAS (1, none) -> (2, node)
 *   a first: b finds level 0 and interrupts. b first: a fails, for there is a node.
 *
 *   Order of the woken: a chain is newest first; the owner reverses it. ABA: only the owner takes, and
 *   takes everything; a push links to the address in the word, whatever node that is by now.
 *   Reclamation: none; a node lies in its thread.
 */
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

#if defined(__riscv)
#define INBOX_SHIFT 25
#define INBOX_EXPAND(word) ((int64_t)(word) >> INBOX_SHIFT)
#else
#define INBOX_SHIFT 17 /* the host's tests: addresses of 47 bits, so a smaller number */
#define INBOX_EXPAND(word) ((uint64_t)(word) >> INBOX_SHIFT)
#endif

#define INBOX_LEVEL 0x3ffUL
#define INBOX_ONE 0x400UL
#define INBOX_COUNT ((1UL << INBOX_SHIFT) - INBOX_ONE)

struct inbox_node {
    struct inbox_node *next;
};

/* Written by every core that wakes a thread here. */
struct inbox {
    uint64_t word;
} __attribute__((aligned(64)));

/* The newest node, or NULL. */
static inline struct inbox_node *inbox_newest(uint64_t word)
{
    return (struct inbox_node *)INBOX_EXPAND(word);
}

/* True when the core has to be interrupted. */
static inline bool inbox_push(struct inbox *inbox, struct inbox_node *node, uint64_t level)
{
    /* relaxed: only compared; the node in it is never followed */
    uint64_t seen = atomic_load_relaxed(&inbox->word);
    uint64_t word;

    do {
        uint64_t told = seen & INBOX_LEVEL;
        uint64_t count = seen & INBOX_COUNT;

        node->next = inbox_newest(seen);
        word = (uint64_t)(uintptr_t)node << INBOX_SHIFT | (told < level ? level : told) |
               (count == INBOX_COUNT ? count : count + INBOX_ONE);
        /* release: the node and its thread; pairs with the swap in inbox_take. Who pushes next continues
         * it, so the owner sees every node of the chain. */
    } while (!atomic_cas_release(&inbox->word, &seen, word));
    return (seen & INBOX_LEVEL) < level;
}

/* Is anything there; the owner asks. */
static inline bool inbox_has_some(struct inbox *inbox)
{
    /* relaxed: inbox_take looks again, and settle does before the core runs on */
    return inbox_newest(atomic_load_relaxed(&inbox->word)) != NULL;
}

/* How many lie there; a hint. */
static inline uint32_t inbox_count(struct inbox *inbox)
{
    /* relaxed: a hint */
    return (uint32_t)((atomic_load_relaxed(&inbox->word) & INBOX_COUNT) / INBOX_ONE);
}

/* Take everything, the newest first; inbox_settle must follow. */
static inline struct inbox_node *inbox_take(struct inbox *inbox)
{
    /* acquire: the nodes; pairs with the compare-and-swap in inbox_push */
    return inbox_newest(atomic_swap_acquire(&inbox->word, INBOX_LEVEL));
}

/* A chain that was taken, turned round. */
static inline struct inbox_node *inbox_oldest_first(struct inbox_node *newest)
{
    struct inbox_node *oldest = NULL;

    while (newest != NULL) {
        struct inbox_node *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

/* The owner runs something of this level now. False: there are nodes, which it must look at first. */
static inline bool inbox_settle(struct inbox *inbox, uint64_t level)
{
    /* relaxed: one variable, so all agree on its order; nothing else is published */
    uint64_t seen = atomic_load_relaxed(&inbox->word);

    while (seen != level) {
        /* relaxed: as above */
        if (inbox_newest(seen) != NULL || atomic_cas_relaxed(&inbox->word, &seen, level)) {
            break;
        }
    }
    return inbox_newest(seen) == NULL;
}
