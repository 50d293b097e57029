/* SPDX-License-Identifier: MIT */
/*
 * The wheel's slower half: what an interrupt does, and arming for a moment that has passed.
 *
 * The obvious wheel has a finest slot of a tick or a microsecond and fires late or in the wrong
 * order within it, and it wakes the core at the start of each slot of a higher level, only to move
 * entries down. Here the levels go down to the nanosecond, and each slot knows its earliest moment:
 * the timer is set for that, the clock jumps there, and the entry that was waited for is the first
 * to fire out of `moving`. So an entry that nobody disturbs takes one interrupt, however far it was.
 * Beside those that go on with a batch (sched/timeout.c), an interrupt finds nothing to fire only
 * after a cancel, when slot.first is earlier than what is left in the slot. Such a look moves all of
 * the slot down and makes the new slots' `first` right; so there are no more of them than cancels,
 * and at most ten for each entry that fires.
 *
 * An entry moves down at most ten times in its life, so inserting, moving and firing are O(1) each.
 * What no constant bounds is the lateness while many entries move: an entry that is due comes after
 * all that share its slot have been looked at. To fire it first would take its moment out of order,
 * or a heap with its O(log n) in every arming.
 */
#include "sched/wheel.h"

#include "arch/timer.h"
#include "kernel/base/atomic.h"

void wheel_init(struct wheel *wheel)
{
    ASSERT(IS_ALIGNED((uintptr_t)wheel, _Alignof(struct wheel)));
    spin_lock_init(&wheel->lock, "time-outs");
    wheel->first = TIMER_NEVER;
    wheel->open = TIMER_NEVER;
    wheel->clock = 0;
    wheel->is_moving = false;
    wheel->no_level = 0;
    wheel->moving = (struct wheel_slot){.first = 0, .occupied = &wheel->no_level};
    list_init(&wheel->moving.entries);
    wheel->occupied[WHEEL_LEVELS] = 1;
    for (unsigned i = 0; i < WHEEL_ALL_SLOTS; i++) {
        unsigned level = i / WHEEL_SLOTS;

        wheel->occupied[level] = 0;
        wheel->slots[i] = (struct wheel_slot){.first = 0, .occupied = &wheel->occupied[level]};
        list_init(&wheel->slots[i].entries);
    }
}

/* The lowest level that has an entry, or WHEEL_LEVELS. */
static unsigned wheel_lowest_level(const struct wheel *wheel)
{
    unsigned level = 0;

    while (wheel->occupied[level] == 0) {
        level++;
    }
    return level;
}

/* The first slot of a level that has an entry. */
static unsigned wheel_first_slot(const struct wheel *wheel, unsigned level)
{
    return level * WHEEL_SLOTS + (unsigned)__builtin_ctzl(wheel->occupied[level]);
}

static void wheel_set_first(struct wheel *wheel, nsec_t first) REQUIRES(wheel->lock)
{
    /* relaxed: the core reads its own store, or a remote cancel's, which at worst comes late and
     * costs one early interrupt */
    atomic_store_relaxed(&wheel->first, first);
    wheel->open = wheel->is_moving ? TIMER_NEVER : max_u64(wheel->clock, first - 1);
}

void wheel_update(struct wheel *wheel)
{
    unsigned level = wheel_lowest_level(wheel);

    if (wheel->is_moving) {
        wheel_set_first(wheel, wheel->clock);
    } else if (level == WHEEL_LEVELS) {
        wheel_set_first(wheel, TIMER_NEVER);
    } else {
        wheel_set_first(wheel, wheel->slots[wheel_first_slot(wheel, level)].first);
    }
}

void wheel_insert_slow(struct wheel *wheel, struct timeout *timeout)
{
    nsec_t moment = max_u64(timeout->when, wheel->clock);

    if (wheel->is_moving) {
        list_push_back(&wheel->moving.entries, &timeout->link);
        return;
    }
    if (moment == wheel->clock) {
        /* It is due, behind all that are: as if it was armed for now. */
        wheel_put(wheel_slot_at(wheel, moment, 0), timeout, moment);
    } else {
        wheel_insert(wheel, timeout, moment);
    }
    if (moment < wheel->first) {
        wheel_set_first(wheel, moment);
    }
}

/* The first of the slot's entries. */
static struct timeout *wheel_take(struct wheel *wheel, struct wheel_slot *slot)
    REQUIRES(wheel->lock)
{
    struct list *link = list_first(&slot->entries);
    struct timeout *timeout = link == NULL ? NULL : container_of(link, struct timeout, link);

    if (timeout != NULL) {
        (void)wheel_remove(wheel, timeout);
    }
    return timeout;
}

/* One entry of `moving` goes to its slot, or is due. The list may be empty, after a cancel. */
static struct timeout *wheel_move(struct wheel *wheel) REQUIRES(wheel->lock)
{
    struct timeout *timeout = wheel_take(wheel, &wheel->moving);

    if (list_is_empty(&wheel->moving.entries)) {
        wheel->is_moving = false;
    }
    if (timeout != NULL && timeout->when > wheel->clock) {
        wheel_insert(wheel, timeout, timeout->when);
        timeout = NULL;
    }
    return timeout;
}

bool wheel_step(struct wheel *wheel, nsec_t now, struct timeout **due)
{
    unsigned level = wheel_lowest_level(wheel);
    struct wheel_slot *slot;

    *due = NULL;
    if (wheel->is_moving) {
        *due = wheel_move(wheel);
        return true;
    }
    now = max_u64(now, wheel->clock);
    slot = level == WHEEL_LEVELS ? NULL : &wheel->slots[wheel_first_slot(wheel, level)];
    if (slot == NULL || slot->first >> level * WHEEL_DIGIT_BITS > now >> level * WHEEL_DIGIT_BITS) {
        wheel->clock = now; /* enters no slot that has an entry */
        return false;
    }
    wheel->clock = min_u64(slot->first, now);
    if (level == 0) {
        *due = wheel_take(wheel, slot);
    } else {
        list_splice_back(&wheel->moving.entries, &slot->entries);
        *slot->occupied ^= wheel_bit(slot);
        wheel->is_moving = true;
    }
    return true;
}
