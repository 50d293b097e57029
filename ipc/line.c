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
 * The word, which all callers write, is changed once for each batch of arrivals, not for each of them:
 * who takes them off takes their count off with them, and the queue behind the lock has its own. That the
 * word shows nobody while the queue has somebody is what the backlog bit is for: it is set by the
 * step that takes the arrivals, unless that leaves nobody behind, and taken back when the queue has run empty.
 * Who then sees arrivals leaves that to the next one who takes them.
 *   Invariant, while nobody has the lock: nobody waits, exactly if the word has no arrivals and no backlog.
 *
 * Reclamation: a record lies on its caller's stack; the caller leaves only after it was popped or
 * removed under the lock. Who absorbs reads links of records that are all still linked.
 *
 * Schedules that must not be: (1) the holder looks, finds nobody, and lets go, while a caller joins and
 * goes to sleep. The caller's compare-and-swap changes the word, so the holder's release, which
 * expects exactly "run", fails (baton.c). (2) A caller that leaves absorbs the others, and the holder lets go
 * without the lock before they are in the queue: the word is never without both.
 */
#include "ipc/line.h"

#include "kernel/base/assert.h"

/* Takes all arrivals off: the newest one, or NULL. *seen is what the word was. `popped` of those who wait then
 * are taken off the queue at once by the caller, whose queue is empty if that is not 0. */
static struct queue_record *line_take_arrivals_locked(uint64_t *word, uint32_t popped,
                                                      uint64_t *seen)
{
    uint64_t left;

    /* relaxed: who arrives after this look is absorbed by the next one */
    *seen = atomic_load_relaxed(word);
    do {
        if (word_newest(*seen) == NULL) {
            return NULL;
        }
        left = *seen & WORD_STATE & ~WORD_BACKLOG;
        if (word_arrivals(*seen) > popped) {
            left |= WORD_BACKLOG;
        }
        /* acquire: the records of all whose compare-and-swap came before, each of which continues the
         * release of the one below; pairs with the release in line_take_or_join */
    } while (!atomic_cas_acquire(word, seen, left));
    return word_newest(*seen);
}

/* The arrivals from the newest on to the end of the queue. */
static void append_locked(struct queue *line, struct queue_record *newest, uint32_t count)
{
    struct queue_record *newer = NULL;
    struct queue_record *record = newest;

    while (record != NULL) {
        struct queue_record *older = record->next;

        BUG_ON(record->linked);
        record->linked = true;
        record->next = newer;
        newer = record;
        record = older;
    }
    queue_append(line, newer, newest, count);
}

/* Moves all arrivals to the end of the queue. */
static void absorb_locked(uint64_t *word, struct queue *line)
{
    uint64_t seen;
    struct queue_record *newest = line_take_arrivals_locked(word, 0, &seen);

    if (newest != NULL) {
        append_locked(line, newest, word_arrivals(seen));
    }
}

struct queue_record *line_pop_arrival_locked(uint64_t *word, struct queue *line)
{
    uint64_t seen;
    struct queue_record *newest = line_take_arrivals_locked(word, 1, &seen);

    if (newest == NULL || newest->next == NULL) {
        return newest;
    }
    append_locked(line, newest, word_arrivals(seen));
    return queue_pop(line);
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
    if (line->first == NULL) {
        line_ran_empty_locked(word);
    }
    return true;
}

uint32_t line_count_locked(const uint64_t *word, const struct queue *line)
{
    /* relaxed: more may arrive */
    return word_arrivals(atomic_load_relaxed(word)) + line->count;
}
