/* SPDX-License-Identifier: MIT */
/*
 * Wake words and inboxes with many threads at once: wakers, and cores that run sleepers and wait for an
 * interrupt when there are none. BATON_OPERATIONS and BATON_SEED as in threads_test.c.
 *
 * A sleeper is a record, not a thread: the core at which it is at home takes it out of its inbox, "runs" it,
 * and lets it wait again, or moves it to another core. A wake-up that gets lost, or an interrupt that is
 * missing, is a hang; an order that is missing is a data race on what is plain here:
 *   - where a sleeper lies: written by who runs it, read by the waker that hands it over;
 *   - the letter of a private sleeper, which one waker at a time may wake: there when its wake-up is;
 *   - who pushed it and when: for the order in which a core gets what one thread pushed.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernel/base/atomic.h"
#include "sched/inbox.h"
#include "sched/wake.h"
#include "tests/test.h"

#define CORES 2U
#define WAKERS 3U
#define PUSHERS (CORES + WAKERS + 1U) /* the last one is the test */
#define SLEEPERS 96U
#define PRIVATE 48U /* of them; the others are woken by anybody at any time */
#define LEVELS 8U
#define PATIENCE 32U /* wake-ups without an effect, of a waker, before it lets others run */
#define OPERATIONS 1000000U
#define HANG_SECONDS_A_MILLION 120U
#define LAST_LETTER UINT64_MAX

struct sleeper {
    _Alignas(64) struct inbox_node node;
    uint32_t wake;
    uint32_t asked;           /* private: a letter is on its way or being read; atomic */
    uint64_t posted[PUSHERS]; /* others: by each waker; atomic */
    uint64_t seen[PUSHERS];   /* of them, by the sleeper; atomic */
    uint64_t letter;
    uint64_t letters; /* that were read */
    unsigned home;
    unsigned pusher;
    uint64_t number; /* of its pusher's pushes to this core */
    bool lies;       /* in an inbox */
    bool is_private;
    bool over;
};

struct pusher {
    _Alignas(64) pthread_t thread;
    unsigned index;
    uint64_t random;
    uint64_t pushed[CORES];
    uint64_t letters;
    uint64_t interrupts; /* that it sent */
};

static struct core_here {
    _Alignas(64) struct inbox inbox;
    _Alignas(64) uint32_t interrupted; /* atomic */
    uint64_t newest[PUSHERS];          /* the number of each one's last push that came out */
    uint64_t runs;
} cores[CORES];

static struct sleeper sleepers[SLEEPERS];
static struct pusher pushers[PUSHERS];
static uint32_t ended; /* sleepers that are over; atomic */
static uint32_t stop;  /* the others may end; atomic */

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static uint64_t next_random(struct pusher *pusher)
{
    pusher->random = pusher->random * 6364136223846793005UL + 1442695040888963407UL;
    return pusher->random >> 24;
}

/* As sched_deliver: the sleeper is ours alone. */
static void deliver(struct pusher *pusher, struct sleeper *sleeper)
{
    unsigned home = sleeper->home;

    EXPECT_FALSE(sleeper->lies);
    sleeper->lies = true;
    sleeper->pusher = pusher->index;
    sleeper->number = ++pusher->pushed[home];
    if (inbox_push(&cores[home].inbox, &sleeper->node, 1 + next_random(pusher) % LEVELS)) {
        /* relaxed: the inbox orders what comes */
        atomic_store_relaxed(&cores[home].interrupted, 1U);
        pusher->interrupts++;
    }
}

/* True when it was ours to hand over. */
static bool wake(struct pusher *pusher, struct sleeper *sleeper)
{
    bool ours = wake_signal(&sleeper->wake);

    if (ours) {
        deliver(pusher, sleeper);
    }
    return ours;
}

/* False: somebody else's letter is on its way. */
static bool send_letter(struct pusher *pusher, struct sleeper *sleeper, uint64_t letter)
{
    uint32_t nobody = 0;

    /* acquire: the last letter was read; pairs with the release in read_letter */
    if (!atomic_cas_acquire(&sleeper->asked, &nobody, 1U)) {
        return false;
    }
    sleeper->letter = letter;
    pusher->letters++;
    (void)wake(pusher, sleeper);
    return true;
}

/* A private sleeper has used up a wake-up, so the letter is there. */
static void read_letter(struct sleeper *sleeper)
{
    sleeper->letters++;
    sleeper->over = sleeper->letter == LAST_LETTER;
    sleeper->letter = 0;
    /* release: it was read; pairs with the acquire in send_letter */
    atomic_store_release(&sleeper->asked, 0U);
}

static void look_at_posts(struct sleeper *sleeper)
{
    /* relaxed, all: the wake-ups order it */
    for (unsigned i = 0; i < PUSHERS; i++) {
        atomic_store_relaxed(&sleeper->seen[i], atomic_load_relaxed(&sleeper->posted[i]));
    }
    sleeper->over = atomic_load_relaxed(&stop) != 0;
}

/* Until the sleeper waits, moves away or is over; `woken`: it comes with a wake-up. */
static void run(struct pusher *core, struct sleeper *sleeper, bool woken)
{
    cores[core->index].runs++;
    for (;; woken = true) {
        if (sleeper->is_private && woken) {
            read_letter(sleeper);
        } else if (!sleeper->is_private) {
            look_at_posts(sleeper);
        }
        if (sleeper->over) {
            atomic_add_relaxed(&ended, 1U); /* relaxed: a count */
            return;
        }
        if (next_random(core) % 8 == 0) {
            sleeper->home = (unsigned)(next_random(core) % CORES);
            deliver(core, sleeper);
            return;
        }
        if (wake_prepare(&sleeper->wake)) {
            return;
        }
    }
}

/* Take all, the oldest first, and say that the core runs something of this level. */
static struct inbox_node *collect(struct core_here *here, uint64_t level)
{
    struct inbox_node *all = NULL;
    struct inbox_node **end = &all;

    do {
        for (*end = inbox_oldest_first(inbox_take(&here->inbox)); *end != NULL;
             end = &(*end)->next) {
            struct sleeper *sleeper = container_of(*end, struct sleeper, node);

            EXPECT_TRUE(sleeper->lies);
            EXPECT_EQ(sleeper->number, ++here->newest[sleeper->pusher]);
        }
    } while (!inbox_settle(&here->inbox, level));
    return all;
}

static void run_all(struct pusher *core, struct inbox_node *node)
{
    while (node != NULL) {
        struct inbox_node *next = node->next;
        struct sleeper *sleeper = container_of(node, struct sleeper, node);
        /* relaxed: WAITS does not change while it lies here. One that moved comes without. */
        bool woken = (atomic_load_relaxed(&sleeper->wake) & WAKE_WAITS) != 0;

        wake_take(&sleeper->wake);
        sleeper->lies = false;
        run(core, sleeper, woken);
        node = next;
    }
}

/* Nobody interrupts a core that polls; then it looks whether it may sleep. */
static void poll_inbox(struct core_here *here, uint64_t patience)
{
    if (inbox_settle(&here->inbox, INBOX_LEVEL)) {
        while (!inbox_has_some(&here->inbox) && patience-- != 0) {
            (void)sched_yield();
        }
        if (!inbox_settle(&here->inbox, 0)) {
            atomic_store_relaxed(&here->interrupted, 1U); /* relaxed: its own */
        }
    }
}

/* Runs what comes. In between it pretends to run something of any level for a while, or is idle: level 0,
 * until an interrupt; it may poll before. */
static void *be_core(void *argument)
{
    struct pusher *core = argument;
    struct core_here *here = &cores[core->index];

    /* relaxed: a count */
    while (atomic_load_relaxed(&ended) != SLEEPERS) {
        uint64_t level = next_random(core) % 4 == 0 ? next_random(core) % LEVELS : 0;
        uint64_t patience = next_random(core) % 16;

        /* relaxed: as in deliver, and the hosts are x86: it is cleared before the inbox is looked at */
        atomic_store_relaxed(&here->interrupted, 0U);
        run_all(core, collect(here, level));
        if (level == 0 && patience % 2 == 0) {
            poll_inbox(here, patience);
        }
        while (atomic_load_relaxed(&here->interrupted) == 0 && (level == 0 || patience-- != 0) &&
               atomic_load_relaxed(&ended) != SLEEPERS) {
            (void)sched_yield();
        }
    }
    return NULL;
}

static bool post(struct pusher *waker, struct sleeper *sleeper)
{
    uint64_t *posted = &sleeper->posted[waker->index];

    /* relaxed, all: the wake-up orders it */
    if (atomic_load_relaxed(&sleeper->seen[waker->index]) == atomic_load_relaxed(posted)) {
        atomic_store_relaxed(posted, *posted + 1);
    }
    return wake(waker, sleeper);
}

/* Only what had an effect is counted: letters, and sleepers that it handed to their core. */
static void *be_waker(void *argument)
{
    struct pusher *waker = argument;
    uint64_t operations = from_environment("BATON_OPERATIONS", OPERATIONS) / WAKERS;
    unsigned in_vain = 0;

    while (operations != 0) {
        struct sleeper *sleeper = &sleepers[next_random(waker) % SLEEPERS];

        if (sleeper->is_private ? send_letter(waker, sleeper, operations) : post(waker, sleeper)) {
            operations--;
        } else if (++in_vain % PATIENCE == 0) {
            (void)sched_yield();
        }
    }
    return NULL;
}

/* No further wake-up is needed for what was posted to be seen; then all end. */
static void end_sleepers(struct pusher *pusher)
{
    for (unsigned i = 0; i < SLEEPERS; i++) {
        for (unsigned waker = 0; waker < PUSHERS; waker++) {
            /* relaxed: counts */
            while (atomic_load_relaxed(&sleepers[i].seen[waker]) !=
                   atomic_load_relaxed(&sleepers[i].posted[waker])) {
                (void)sched_yield();
            }
        }
    }
    atomic_store_relaxed(&stop, 1U); /* relaxed: the wake-up orders it */
    for (unsigned i = 0; i < SLEEPERS; i++) {
        if (!sleepers[i].is_private) {
            (void)wake(pusher, &sleepers[i]);
        }
        while (sleepers[i].is_private && !send_letter(pusher, &sleepers[i], LAST_LETTER)) {
            (void)sched_yield();
        }
    }
}

static void start_all(void)
{
    uint64_t seed = from_environment("BATON_SEED", 1);

    for (unsigned i = 0; i < SLEEPERS; i++) {
        sleepers[i].is_private = i < PRIVATE;
        sleepers[i].home = i % CORES;
        sleepers[i].wake = WAKE_WAITS;
    }
    for (unsigned i = 0; i < PUSHERS; i++) {
        pushers[i].index = i;
        pushers[i].random = seed * PUSHERS + i;
        if (i < CORES + WAKERS) {
            ASSERT_TRUE(pthread_create(&pushers[i].thread, NULL, i < CORES ? be_core : be_waker,
                                       &pushers[i]) == 0);
        }
    }
}

TEST(threads, wake_ups_reach_sleepers_through_the_inboxes_of_their_cores)
{
    uint64_t sent = 0;
    uint64_t read = 0;

    (void)alarm((unsigned)(60 + from_environment("BATON_OPERATIONS", OPERATIONS) *
                                    HANG_SECONDS_A_MILLION / 1000000));
    start_all();
    for (unsigned i = CORES; i < CORES + WAKERS; i++) {
        ASSERT_TRUE(pthread_join(pushers[i].thread, NULL) == 0);
    }
    end_sleepers(&pushers[PUSHERS - 1]);
    for (unsigned i = 0; i < CORES; i++) {
        ASSERT_TRUE(pthread_join(pushers[i].thread, NULL) == 0);
        EXPECT_TRUE(cores[i].runs != 0);
        EXPECT_TRUE(inbox_newest(cores[i].inbox.word) == NULL);
    }
    for (unsigned i = 0; i < PUSHERS; i++) {
        sent += pushers[i].letters;
    }
    for (unsigned i = 0; i < SLEEPERS; i++) {
        EXPECT_TRUE(sleepers[i].over);
        read += sleepers[i].letters;
    }
    EXPECT_EQ(read, sent);
}
