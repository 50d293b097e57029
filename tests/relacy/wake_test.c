/* SPDX-License-Identifier: MIT */
/*
 * Blocking and waking: the wake word of a thread and the inbox of its core. A sleeper waits until all
 * wakers have come, and may move to another core before; the cores run it or sleep until an interrupt.
 * What a waker has done and where the sleeper lies are plain variables, the conditions relaxed ones: who
 * looks too early races, or sleeps for ever.
 *
 * COVERS sched/wake.h
 * COVERS sched/inbox.h
 *
 * Pretended: the rest of sched/runqueue.c. A core has one thread and its idle thread, with levels 1 and 0.
 */
#include "arch/core.h"
#include "arch/ipi.h"
#include "sched/inbox.h"
#include "sched/wake.h"
#include "tests/relacy/machine.h"
#include "tests/relacy/model.h"

#define CORES 2U
#define WAKERS 2U
#define NODE_LEVEL 2U /* outranks both levels that a core has here */

static struct {
    struct inbox_node node; /* first: found by its node */
    uint32_t wake;
    uint64_t cpu;
    uint64_t running; /* whoever runs it writes here */
} sleeper;

static struct inbox inboxes[CORES];
static uint32_t condition[WAKERS];
static uint64_t payload; /* of the one waker of a test that has one */
static unsigned wakers;
static uint32_t over;
static bool interrupted[CORES]; /* each its own core's */

static void set_up_for(unsigned count)
{
    machine_set_up(NULL);
    sleeper.node.next = NULL;
    sleeper.wake = 0;
    sleeper.cpu = 0;
    sleeper.running = 0;
    for (unsigned i = 0; i < CORES; i++) {
        inboxes[i].word = i == 0 ? 1 : 0;
        interrupted[i] = false;
    }
    for (unsigned i = 0; i < WAKERS; i++) {
        condition[i] = i < count ? 0 : 1;
    }
    payload = 0;
    wakers = count;
    over = 0;
}

static void set_up_one(void)
{
    set_up_for(1);
}

static void set_up_two(void)
{
    set_up_for(2);
}

/* As sched_deliver. */
static void deliver(void)
{
    uint64_t cpu = sleeper.cpu;

    if (inbox_push(&inboxes[cpu], &sleeper.node, NODE_LEVEL) && cpu != core_index()) {
        ipi_request((cpu_t)cpu, IPI_RESCHEDULE);
    }
}

static void note_interrupt(void)
{
    interrupted[core_index()] = true;
}

static bool all_came(void)
{
    bool all = true;

    for (unsigned i = 0; i < wakers; i++) {
        all &= atomic_load_relaxed(&condition[i]) != 0; /* relaxed: the wake-up orders it */
    }
    return all;
}

/* What a core does without a thread: true when it has the sleeper, false when all is over. */
static bool idle(void)
{
    struct inbox *inbox = &inboxes[core_index()];

    for (;;) {
        if (inbox_has_some(inbox)) {
            MODEL_CHECK(inbox_take(inbox) == &sleeper.node && sleeper.node.next == NULL);
            wake_take(&sleeper.wake);
            MODEL_CHECK(inbox_settle(inbox, 1));
            return true;
        }
        if (model_choose(2) == 1 && inbox_settle(inbox, INBOX_LEVEL)) { /* as poll in idle.c */
            for (unsigned looks = 0; looks < 2 && !inbox_has_some(inbox); looks++) {
                model_yield();
            }
        }
        if (!inbox_settle(inbox, 0)) {
            continue;
        }
        while (!interrupted[core_index()]) { /* wfi */
            if (atomic_load_relaxed(&over) != 0) {
                return false;
            }
            machine_take_interrupt(note_interrupt);
            model_yield();
        }
        interrupted[core_index()] = false;
    }
}

/* The sleeper on this core, until it waits, moves away, or has seen all wakers. */
static void run_sleeper(bool may_move)
{
    sleeper.running++;
    for (;;) {
        if (all_came()) {
            atomic_store_relaxed(&over, 1U);
            return;
        }
        if (may_move && model_choose(2) == 1) {
            sleeper.cpu = 1 - sleeper.cpu;
            deliver();
            return;
        }
        if (wake_prepare(&sleeper.wake)) {
            return;
        }
        if (wakers == 1) {
            payload++; /* it has come */
        }
    }
}

static void run_core(bool may_move)
{
    bool here = core_index() == 0;

    for (unsigned moves = 0;; moves++) {
        if (here) {
            run_sleeper(may_move && moves < 2);
        }
        if (!idle()) {
            return;
        }
        here = true;
    }
}

static void wake(unsigned waker)
{
    if (wakers == 1) {
        payload = 1;
    }
    atomic_store_relaxed(&condition[waker], 1U); /* relaxed: the wake-up orders it */
    if (wake_signal(&sleeper.wake)) {
        deliver();
    }
}

static void one_core_two_wakers(unsigned self)
{
    if (self == 0) {
        run_core(false);
    } else {
        wake(self - 1);
    }
}

static void two_cores_one_waker(unsigned self)
{
    if (self < CORES) {
        run_core(true);
    } else {
        wake(0);
    }
}

static void nobody_lies_about(void)
{
    MODEL_CHECK(over == 1);
    for (unsigned i = 0; i < CORES; i++) {
        MODEL_CHECK(!inbox_has_some(&inboxes[i]));
    }
}

MODEL_TEST(wake_by_two, .threads = 3, .rounds = 30000, .before = set_up_two,
           .thread = one_core_two_wakers, .after = nobody_lies_about, .resume = machine_resume);

MODEL_TEST(wake_while_moving, .threads = 3, .rounds = 30000, .before = set_up_one,
           .thread = two_cores_one_waker, .after = nobody_lies_about, .resume = machine_resume);

/* --- several nodes --- */

#define PUSHERS 2U

struct item {
    struct inbox_node node; /* first: found by its node */
    uint64_t content;
};

static struct inbox pushed;
static struct item items[PUSHERS];
static uint32_t told;

static void set_up_push(void)
{
    pushed.word = 1;
    told = 0;
    for (unsigned i = 0; i < PUSHERS; i++) {
        items[i] = (struct item){{NULL}, 0};
    }
}

static void push_or_take(unsigned self)
{
    if (self < PUSHERS) {
        items[self].content = self + 1;
        if (inbox_push(&pushed, &items[self].node, 2 + 2 * self)) {
            atomic_add_relaxed(&told, 1U); /* relaxed: a number */
        }
        return;
    }
    for (unsigned sum = 0; sum != 3;) {
        struct inbox_node *node = inbox_has_some(&pushed) ? inbox_take(&pushed) : NULL;

        for (; node != NULL; node = node->next) {
            sum += (unsigned)container_of(node, struct item, node)->content;
        }
        (void)inbox_settle(&pushed, 1);
        model_yield();
    }
}

/* The one that outranks what runs is always told of, the other unless a higher one came before. */
static void told_of_the_highest(void)
{
    MODEL_CHECK(told >= 1);
}

MODEL_TEST(wake_inbox_loses_nothing, .threads = 3, .rounds = 30000, .before = set_up_push,
           .thread = push_or_take, .after = told_of_the_highest);
