/* SPDX-License-Identifier: MIT */
/*
 * Notifications: the word. A waiter polls, or says that it waits and takes, until it has the bits of all signallers; what
 * they signal about is a plain variable. A signal that is overlooked leaves it waiting for ever.
 *
 * COVERS ipc/signal_word.h
 *
 * Pretended: the list of waiters in ipc/notification.c, which has one place here.
 */
#include "ipc/signal_word.h"
#include "kernel/sync/spinlock.h"
#include "tests/relacy/machine.h"
#include "tests/relacy/model.h"

#define SIGNALLERS 2U
#define ALL ((1UL << SIGNALLERS) - 1)

static struct signal_word word;
static struct spinlock lock;
static bool listed;        /* the lock */
static uint64_t delivered; /* before the outcome */
static uint32_t outcome;
static uint64_t content[SIGNALLERS];

static void set_up(void)
{
    machine_set_up(NULL);
    word = (struct signal_word){0, 0};
    lock.held = 0;
    listed = false;
    delivered = 0;
    outcome = 0;
    for (unsigned i = 0; i < SIGNALLERS; i++) {
        content[i] = 0;
    }
}

/* As notification_wait_found. */
static uint64_t wait(void)
{
    uint64_t state = spin_lock_save(&lock);

    listed = true;
    signal_word_announce(&word, true);
    uint64_t bits = signal_word_take(&word, ALL);
    if (bits != 0) {
        listed = false;
        signal_word_announce(&word, false);
    }
    spin_unlock_restore(&lock, state);
    if (bits != 0) {
        return bits;
    }
    /* acquire: what was delivered; pairs with the release in deliver */
    while (atomic_load_acquire(&outcome) == 0) {
        model_yield();
    }
    atomic_store_relaxed(&outcome, 0U); /* relaxed: the lock orders the next one */
    return delivered;
}

/* As notification_signal. */
static void deliver(void)
{
    uint64_t state = spin_lock_save(&lock);
    uint64_t bits = listed ? signal_word_poll(&word, ALL) : 0;

    if (bits != 0) {
        listed = false;
        signal_word_announce(&word, false);
        delivered = bits;
        /* release: what is delivered; pairs with the acquire in wait */
        atomic_store_release(&outcome, 1U);
    }
    spin_unlock_restore(&lock, state);
}

static void signal_or_wait(unsigned self)
{
    if (self < SIGNALLERS) {
        content[self] = self + 1;
        if (signal_word_raise(&word, 1UL << self)) {
            deliver();
        }
        return;
    }
    for (uint64_t seen = 0; seen != ALL;) {
        uint64_t bits = model_choose(2) == 0 ? signal_word_poll(&word, ALL) : wait();

        MODEL_CHECK((seen & bits) == 0);
        for (unsigned i = 0; i < SIGNALLERS; i++) {
            MODEL_CHECK((bits & 1UL << i) == 0 || content[i] == i + 1);
        }
        seen |= bits;
        model_yield();
    }
}

static void nothing_is_left(void)
{
    MODEL_CHECK(word.bits == 0 && word.waiting == 0 && !listed);
}

MODEL_TEST(signal_is_seen, .threads = SIGNALLERS + 1, .rounds = 30000, .before = set_up,
           .thread = signal_or_wait, .after = nothing_is_left, .resume = machine_resume);
