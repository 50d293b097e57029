/* SPDX-License-Identifier: MIT */
/*
 * The word of a notification with many threads at once: signallers, and waiters with masks that meet. BATON_OPERATIONS as in
 * threads_test.c.
 *
 * A letter lies beside each bit, plain: an order that is missing is a data race on it. Its signaller goes on when
 * it was read, so a signal that is lost is a hang, and one that is taken twice a wrong number. The list of waiters
 * and their sleep are this test's, with a mutex.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/signal_word.h"
#include "tests/test.h"

#define SIGNALLERS 3U
#define WAITERS 2U
#define END_BIT 63
#define OPERATIONS 1000000U
#define HANG_SECONDS 240U

static struct signal_word word;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t rounds;

static struct waiter {
    _Alignas(64) pthread_t thread;
    uint64_t mask;
    uint64_t bits;    /* before the outcome */
    uint32_t outcome; /* atomic */
    bool listed;      /* the lock */
    bool wrong;
    uint64_t woken;
} waiters[WAITERS];

static struct signaller {
    _Alignas(64) pthread_t thread;
    uint64_t letter;
    uint64_t read; /* atomic: letters that were read */
} signallers[SIGNALLERS];

static bool any_listed(void)
{
    return waiters[0].listed || waiters[1].listed;
}

static uint64_t wait_for(struct waiter *self)
{
    pthread_mutex_lock(&lock);
    self->listed = true;
    signal_word_announce(&word, true);
    uint64_t bits = signal_word_take(&word, self->mask);
    if (bits != 0) {
        self->listed = false;
        signal_word_announce(&word, any_listed());
    }
    pthread_mutex_unlock(&lock);
    if (bits != 0) {
        return bits;
    }
    /* acquire: what was delivered; pairs with the release in raise */
    while (atomic_load_acquire(&self->outcome) == 0) {
        sched_yield();
    }
    atomic_store_relaxed(&self->outcome, 0U); /* relaxed: the lock orders the next one */
    self->woken++;
    return self->bits;
}

static void raise_bits(uint64_t bits)
{
    if (!signal_word_raise(&word, bits)) {
        return;
    }
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < WAITERS; i++) {
        struct waiter *waiter = &waiters[i];
        uint64_t got = waiter->listed ? signal_word_poll(&word, waiter->mask) : 0;

        if (got != 0) {
            waiter->listed = false;
            signal_word_announce(&word, any_listed());
            waiter->bits = got;
            /* release: what is delivered; pairs with the acquire in wait_for */
            atomic_store_release(&waiter->outcome, 1U);
        }
    }
    pthread_mutex_unlock(&lock);
}

static void *run_waiter(void *argument)
{
    struct waiter *self = argument;
    uint64_t bits = 0;

    while ((bits >> END_BIT & 1) == 0) {
        bits = signal_word_poll(&word, self->mask);
        if (bits == 0) {
            bits = wait_for(self);
        }
        for (unsigned i = 0; i < SIGNALLERS; i++) {
            if ((bits & 1UL << i) != 0) {
                struct signaller *from = &signallers[i];
                /* relaxed: only who reads a letter writes it */
                uint64_t number = atomic_load_relaxed(&from->read) + 1;

                self->wrong |= from->letter != number;
                /* release: the letter was read; pairs with the acquire in run_signaller */
                atomic_store_release(&from->read, number);
            }
        }
    }
    raise_bits(1UL << END_BIT); /* for the other one */
    return NULL;
}

static void *run_signaller(void *argument)
{
    struct signaller *self = argument;

    for (uint64_t i = 1; i <= rounds; i++) {
        self->letter = i;
        raise_bits(1UL << (self - signallers));
        /* acquire: it was read; pairs with the release in run_waiter */
        while (atomic_load_acquire(&self->read) != i) {
            sched_yield();
        }
    }
    return NULL;
}

TEST(signal_threads, each_signal_is_taken_once_by_one_of_two_waiters)
{
    const char *operations = getenv("BATON_OPERATIONS");

    rounds = (operations != NULL ? strtoul(operations, NULL, 10) : OPERATIONS) / SIGNALLERS;
    alarm(HANG_SECONDS);
    waiters[0].mask = 3 | 1UL << END_BIT;
    waiters[1].mask = 6 | 1UL << END_BIT;
    for (unsigned i = 0; i < WAITERS; i++) {
        ASSERT_EQ(pthread_create(&waiters[i].thread, NULL, run_waiter, &waiters[i]), 0);
    }
    for (unsigned i = 0; i < SIGNALLERS; i++) {
        ASSERT_EQ(pthread_create(&signallers[i].thread, NULL, run_signaller, &signallers[i]), 0);
    }
    for (unsigned i = 0; i < SIGNALLERS; i++) {
        ASSERT_EQ(pthread_join(signallers[i].thread, NULL), 0);
        EXPECT_EQ(signallers[i].read, rounds);
    }
    raise_bits(1UL << END_BIT);
    for (unsigned i = 0; i < WAITERS; i++) {
        ASSERT_EQ(pthread_join(waiters[i].thread, NULL), 0);
        EXPECT_FALSE(waiters[i].wrong);
    }
    EXPECT_EQ(word.bits, 1UL << END_BIT);
}
