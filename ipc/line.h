/* SPDX-License-Identifier: MIT */
/*
 * The line of a port: callers that wait, and letters, oldest first.
 *
 * Rules: a caller arrives without a lock, by one compare-and-swap on the baton word that links its
 * record and counts it. All else is done with the port's lock held, by the holder of the baton, a
 * caller that leaves, or the closer: absorbing takes the arrivals off the word, newest first, and appends
 * them to the queue in their order; then the word says that there is a backlog. A record is the line's
 * from its arrival until it was popped or removed. Any context; nothing blocks, allocates or fails.
 */
#pragma once

#include "ipc/queue.h"
#include "ipc/word.h"
#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

/* What asking for the baton led to. */
enum line_outcome {
    LINE_IDLE,   /* nobody ran and nobody waited: the baton is ours */
    LINE_JOINED, /* the record waits */
    LINE_BEHIND, /* the same, behind letters, and nobody runs: a courier is to come */
    LINE_CLOSED, /* refused */
};

/* Takes the idle baton or joins the line. */
static inline enum line_outcome line_take_or_join(uint64_t *word, struct queue_record *record)
{
    /* relaxed: the compare-and-swap looks again */
    uint64_t seen = atomic_load_relaxed(word);

    for (;;) {
        if ((seen & WORD_CLOSED) != 0) {
            return LINE_CLOSED;
        }
        if (seen == 0) {
            /* acquire: what the last holder wrote; pairs with the release in baton_try_give and
             * fastpath.S */
            if (atomic_cas_acquire(word, &seen, WORD_RUN)) {
                return LINE_IDLE;
            }
            continue;
        }
        record->next = word_newest(seen);
        /* release: the record is complete; pairs with the acquire in line_take_arrivals_locked */
        if (atomic_cas_release(word, &seen, word_with_arrival(seen, record))) {
            return (seen & WORD_RUN) != 0 ? LINE_JOINED : LINE_BEHIND;
        }
    }
}

/* Adds a letter; it never takes the baton. LINE_JOINED: somebody knows that letters wait. LINE_BEHIND: it is
 * the first, and nobody runs; or of a concurrent service, the first. */
static inline enum line_outcome line_add_letter(uint64_t *word, struct queue_record *record)
{
    /* relaxed: the compare-and-swap looks again */
    uint64_t seen = atomic_load_relaxed(word);

    do {
        struct queue_record *newest = word_newest(seen);

        if ((seen & WORD_CLOSED) != 0) {
            return LINE_CLOSED;
        }
        record->next = newest;
        /* release: the letter is complete; pairs with the acquire in line_take_arrivals_locked */
    } while (!atomic_cas_release(word, &seen, word_with_arrival(seen, record)));
    return (seen & ~WORD_RUNS) == 0 ? LINE_BEHIND : LINE_JOINED;
}

/* Only for line_pop_locked: the queue is empty. */
struct queue_record *line_pop_arrival_locked(uint64_t *word, struct queue *line);

/* The queue has become empty. */
static inline void line_ran_empty_locked(uint64_t *word)
{
    /* relaxed: who arrives after this look finds no backlog, and shows itself */
    if (word_newest(atomic_load_relaxed(word)) == NULL) {
        /* relaxed: the bit is changed under the lock only */
        (void)atomic_and_relaxed(word, ~WORD_BACKLOG);
    }
}

/* Takes the oldest off the line, or answers NULL. */
static inline struct queue_record *line_pop_locked(uint64_t *word, struct queue *line)
{
    struct queue_record *record = queue_pop(line);

    if (record == NULL) {
        return line_pop_arrival_locked(word, line);
    }
    if (line->first == NULL) {
        line_ran_empty_locked(word);
    }
    return record;
}

/* The oldest, which stays in the line, as do those behind it; or NULL. */
struct queue_record *line_first_locked(uint64_t *word, struct queue *line);

/* Takes a record off the line; false when it is not in it. O(waiting callers). */
bool line_remove_locked(uint64_t *word, struct queue *line, struct queue_record *record);

/* Callers that wait. */
uint32_t line_count_locked(const uint64_t *word, const struct queue *line);
