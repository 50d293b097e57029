/* SPDX-License-Identifier: MIT */
/*
 * Arrivals without a lock, order behind one.
 *
 * Problem: many cores ask for one baton at once, and who asks must be in the line, counted and in
 * order, by one step: a holder that saw the count without the record, or the record without the count,
 * would leave somebody behind. Choice: the word has count and newest arrival side by side; arrivals
 * are a stack linked from it, and only who has the lock takes the whole stack off and turns it round.
 * So a record is never popped from the stack alone, and the stack has no ABA problem: a record
 * that is linked is on the stack or in the queue, and comes again only after it left.
 *
 * Reclamation: a record lies on its caller's stack; the caller leaves only after it was popped or
 * removed under the lock. Who absorbs reads links of records that are all still linked.
 *
 * A schedule that must not be: the holder looks, finds nobody, and lets go, while a caller joins and
 * goes to sleep. The caller's compare-and-swap changes the word, so the holder's release, which
 * expects exactly "run", fails (baton.c).
 */
#include "ipc/line.h"

#include "ipc/word.h"
#include "kernel/base/atomic.h"

enum line_outcome line_take_or_join(uint64_t *word, struct queue_record *record)
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
        /* release: the record is complete; pairs with the acquire in absorb_locked */
        if (atomic_cas_release(word, &seen, word_with_arrival(seen, record) | WORD_RUN)) {
            return LINE_JOINED;
        }
    }
}

/* Moves all arrivals to the end of the queue. */
static void absorb_locked(uint64_t *word, struct queue *line)
{
    struct queue_record *oldest = NULL;
    struct queue_record *record;

    /* relaxed: who arrives after this look is absorbed by the next one */
    if (word_newest(atomic_load_relaxed(word)) == NULL) {
        return;
    }
    /* acquire: the records of all whose compare-and-swap came before, each of which continues the
     * release of the one below; pairs with the release in line_take_or_join */
    record = word_newest(atomic_and_acquire(word, WORD_LOW));
    while (record != NULL) {
        struct queue_record *next = record->next;

        record->next = oldest;
        oldest = record;
        record = next;
    }
    while (oldest != NULL) {
        struct queue_record *next = oldest->next;

        queue_push(line, oldest);
        oldest = next;
    }
}

struct queue_record *line_pop_locked(uint64_t *word, struct queue *line)
{
    struct queue_record *record;

    absorb_locked(word, line);
    record = queue_pop(line);
    if (record != NULL) {
        /* relaxed: the count is only ever looked at as part of the word */
        (void)atomic_sub_relaxed(word, WORD_ONE_WAITER);
    }
    return record;
}

struct queue_record *line_first_locked(uint64_t *word, struct queue *line)
{
    absorb_locked(word, line);
    return line->first;
}

bool line_remove_locked(uint64_t *word, struct queue *line, struct queue_record *record)
{
    absorb_locked(word, line);
    if (!queue_remove(line, record)) {
        return false;
    }
    /* relaxed: as above */
    (void)atomic_sub_relaxed(word, WORD_ONE_WAITER);
    return true;
}
