/* SPDX-License-Identifier: MIT */
/*
 * A hierarchical timing wheel that is exact to the nanosecond (after Varghese and Lauck, 1987).
 *
 * Rules: the wheel's lock is held, interrupts off, unless a function says otherwise. Nothing
 * allocates or fails. Each function takes a constant number of steps.
 *
 * Time is a number of eleven digits of six bits (the highest has four). An entry lies at the level
 * of the highest digit in which its moment differs from `clock`, in the slot of its moment's digit
 * there. So
 *  - all of a level comes before all of the next one, and in a level a lower slot before a higher;
 *  - entries of one moment are always in the same list, in the order in which they were armed;
 *  - a slot of level 0 holds one moment only: there is no rounding, and no horizon.
 * When `clock` enters a slot of a higher level, its entries belong to lower ones. The slot becomes
 * `moving` as a whole, and wheel_step takes one entry after the other from there. Until that is
 * done, what is armed joins `moving` at its end, which keeps the order.
 *
 * Equations, with the lock free:
 *  - bit d of occupied[l] is set if and only if slot d of level l has an entry;
 *  - slot.first <= the moment of each entry of the slot, and lies in the slot. It is the earliest
 *    moment since the slot was empty: it is less than any that is left only after a cancel;
 *  - all moments > clock, but for those in `moving` and in level 0's slot of `clock`, which are due;
 *  - first is what wheel_update says; a moment > open is > clock and >= first.
 */
#pragma once

#include "kernel/base/assert.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/sync/spinlock.h"
#include "sched/timeout.h"

#define WHEEL_DIGIT_BITS 6U
#define WHEEL_SLOTS 64U
#define WHEEL_LEVELS 11U
#define WHEEL_TOP_SLOTS 16U /* 10 * 6 + 4 bits */
#define WHEEL_ALL_SLOTS ((WHEEL_LEVELS - 1) * WHEEL_SLOTS + WHEEL_TOP_SLOTS)

struct wheel_slot {
    struct list entries;
    nsec_t first;
    uint64_t *occupied; /* of its level */
};

struct wheel {
    struct spinlock lock; /* run queue locks may be taken inside */
    nsec_t first;         /* see wheel_update; its core reads it without the lock */
    nsec_t open;          /* what is armed for later goes to its slot, and needs no update */
    nsec_t clock;
    bool is_moving;           /* then all goes to `moving` */
    struct wheel_slot moving; /* its bit is in `no_level` and means nothing */
    uint64_t no_level;
    uint64_t occupied[WHEEL_LEVELS + 1]; /* the last one is never 0: it ends a search */
    /* Aligned so that a slot's address has its digit in it. */
    _Alignas(WHEEL_SLOTS * sizeof(struct wheel_slot)) struct wheel_slot slots[WHEEL_ALL_SLOTS];
};

_Static_assert(sizeof(struct wheel_slot) == 32, "wheel_bit");

/* An empty wheel at moment 0, aligned to what the structure says. */
void wheel_init(struct wheel *wheel);

/*
 * Set `first`: when wheel_step has something to do next. That is no later than the first moment,
 * `clock` while entries move, and TIMER_NEVER if there is no entry. Due before the lock is released,
 * after wheel_step and after wheel_remove when it says so.
 */
void wheel_update(struct wheel *wheel) REQUIRES(wheel->lock);

/*
 * One step at the moment `now`: true if there may be more to do. An entry that is due is taken out
 * and given to *due, else that becomes NULL.
 */
bool wheel_step(struct wheel *wheel, nsec_t now, struct timeout **due) REQUIRES(wheel->lock);

/* The slot's bit in *slot->occupied; the shift takes the lowest six bits of the slot's number. */
static inline uint64_t wheel_bit(const struct wheel_slot *slot)
{
    return 1UL << ((uintptr_t)slot / sizeof(*slot) % WHEEL_SLOTS);
}

static inline struct wheel_slot *wheel_slot_at(struct wheel *wheel, nsec_t when, unsigned level)
{
    return &wheel->slots[level * WHEEL_SLOTS + (when >> level * WHEEL_DIGIT_BITS) % WHEEL_SLOTS];
}

/* Where a moment after `clock` belongs. A search of two to four questions: the base instruction set
 * cannot count leading zeros. */
static inline struct wheel_slot *wheel_slot_of(struct wheel *wheel, nsec_t when)
{
    uint64_t difference = when ^ wheel->clock;

    if (difference >> 24 == 0) {
        if (difference >> 12 == 0) {
            return wheel_slot_at(wheel, when, difference >> 6 == 0 ? 0 : 1);
        }
        return difference >> 18 == 0 ? wheel_slot_at(wheel, when, 2)
                                     : wheel_slot_at(wheel, when, 3);
    }
    if (difference >> 36 == 0) {
        return difference >> 30 == 0 ? wheel_slot_at(wheel, when, 4)
                                     : wheel_slot_at(wheel, when, 5);
    }
    if (difference >> 48 == 0) {
        return wheel_slot_at(wheel, when, difference >> 42 == 0 ? 6 : 7);
    }
    if (difference >> 60 == 0) {
        return wheel_slot_at(wheel, when, difference >> 54 == 0 ? 8 : 9);
    }
    return wheel_slot_at(wheel, when, 10);
}

/* At the end of a slot; `moment` lies in it. */
static inline void wheel_put(struct wheel_slot *slot, struct timeout *timeout, nsec_t moment)
{
    if (list_is_empty(&slot->entries)) {
        *slot->occupied |= wheel_bit(slot);
        slot->first = moment;
    } else if (moment < slot->first) {
        slot->first = moment;
    }
    list_push_back(&slot->entries, &timeout->link);
}

/* Put in an entry for timeout->when, which is `when`, > wheel->open. */
static inline void wheel_insert(struct wheel *wheel, struct timeout *timeout, nsec_t when)
    REQUIRES(wheel->lock)
{
    wheel_put(wheel_slot_of(wheel, when), timeout, when);
}

/* The same for any moment, with the update. */
void wheel_insert_slow(struct wheel *wheel, struct timeout *timeout) REQUIRES(wheel->lock);

/*
 * Take out an entry, if it is in the wheel. True if `first` may be later now.
 * When the list has lost its last entry, both neighbours are its head, which begins the slot.
 */
static inline bool wheel_remove(struct wheel *wheel, struct timeout *timeout) REQUIRES(wheel->lock)
{
    struct list *next = timeout->link.next;
    struct list *prev = timeout->link.prev;

    if (next == NULL) {
        return false;
    }
    next->prev = prev;
    prev->next = next;
    timeout->link.next = NULL;
    if (next != prev) {
        return false;
    }
    struct wheel_slot *slot = container_of(next, struct wheel_slot, entries);

    *slot->occupied ^= wheel_bit(slot);
    return slot->first <= wheel->first;
}
