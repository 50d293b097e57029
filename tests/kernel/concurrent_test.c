/* SPDX-License-Identifier: MIT */
/* Concurrent services: N callers inside at once, the next one waits. */
#include "ipc/concurrent.h"

#include "arch/timer.h"
#include "ipc/call.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define RUNS_MAX 8U
#define CALLERS 8U
#define CALLS 60U

/* A caller that stops inside, or waits; `word` tells the service who it is. */
struct caller {
    struct port *port;
    uint64_t word;
    nsec_t deadline;
    status_t status; /* what the call said */
    status_t inside; /* what ended the stop in the service */
    const struct run_stack *stack;
    struct ports_stop stop;
    struct thread *thread;
};

static uint32_t inside; /* atomic, as all that runs at once share */
static uint64_t order[16];
static uint32_t came;

static void stop_inside(struct request *request)
{
    struct caller *caller = (struct caller *)request->message->word[0];

    order[atomic_add_relaxed(&came, 1U) % 16] = caller->word;
    atomic_add_relaxed(&inside, 1U);
    caller->stack = activation_current()->stack;
    caller->inside = ports_stop(&caller->stop);
    atomic_sub_relaxed(&inside, 1U);
    request->message->word[0] = ~caller->word;
    request_reply(request, OK, 1);
}

static void make_call(void *argument)
{
    struct caller *caller = argument;
    uint64_t word = (uint64_t)caller;

    caller->status = ports_call(caller->port, 1, &word, caller->deadline);
    EXPECT_TRUE(caller->status != OK || word == ~caller->word);
}

static struct port *port;
static struct caller callers[RUNS_MAX + 4];

static void start(unsigned index, nsec_t deadline)
{
    callers[index] = (struct caller){.port = port, .word = index, .deadline = deadline};
    callers[index].thread = crew_start(crew_core(index), make_call, &callers[index]);
}

/* A port with `runs` callers inside. */
static void fill(uint32_t runs)
{
    inside = came = 0;
    port = ports_make_concurrent(stop_inside, NULL, runs);
    for (unsigned i = 0; i < runs; i++) {
        start(i, DEADLINE_NONE);
        EXPECT_SOON(ports_is_stopped(&callers[i].stop));
    }
}

/* One more that waits behind those who wait already. */
static void queue(unsigned index)
{
    start(index, DEADLINE_NONE);
    EXPECT_SOON(callers[index].thread->waiting_for == port && port_queued(port) != 0);
}

static void finish(unsigned index)
{
    EXPECT_SOON(ports_is_stopped(&callers[index].stop));
    ports_let_go(&callers[index].stop);
    crew_join(callers[index].thread);
    EXPECT_OK(callers[index].status);
    EXPECT_OK(callers[index].inside);
}

TEST(concurrent, n_callers_are_inside_at_once_each_on_a_stack_of_its_own)
{
    for (uint32_t runs = 1; runs <= RUNS_MAX; runs += 3) {
        fill(runs);
        EXPECT_EQ(inside, runs);
        EXPECT_EQ(word_runs(port->word), runs);
        for (unsigned i = 0; i < runs; i++) {
            for (unsigned j = 0; j < i; j++) {
                EXPECT_TRUE(callers[i].stack != callers[j].stack);
            }
            EXPECT_TRUE(container_of(callers[i].stack, struct run_slot, stack)->holder ==
                        callers[i].thread);
        }
        for (unsigned i = 0; i < runs; i++) {
            finish(i);
        }
        EXPECT_EQ(port->word, 0);
        ports_close(port);
    }
}

TEST(concurrent, the_next_one_waits_until_somebody_leaves)
{
    uint64_t word = 0;

    fill(2);
    queue(2);
    EXPECT_EQ(ports_call(port, 1, &word, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQ(inside, 2);
    finish(1);
    EXPECT_SOON(ports_is_stopped(&callers[2].stop));
    EXPECT_TRUE(callers[2].stack == callers[1].stack);
    EXPECT_EQ(inside, 2);
    finish(2);
    finish(0);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

TEST(concurrent, callers_are_let_in_in_the_order_of_their_arrival)
{
    fill(2);
    for (unsigned i = 2; i < 8; i++) {
        queue(i);
        EXPECT_SOON(port_queued(port) == i - 1);
    }
    for (unsigned i = 0; i < 8; i++) {
        finish(i);
        if (i + 2 < 8) {
            EXPECT_SOON(ports_is_stopped(&callers[i + 2].stop));
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        EXPECT_EQ(order[i], i);
    }
    ports_close(port);
}

TEST(concurrent, who_times_out_or_is_killed_leaves_the_line)
{
    fill(2);
    start(2, timer_now_ns() + 2000000);
    crew_join(callers[2].thread);
    EXPECT_EQ(callers[2].status, ERR_TIMED_OUT);
    queue(3);
    queue(4);
    EXPECT_SOON(port_queued(port) == 2);
    thread_kill(callers[3].thread);
    crew_join(callers[3].thread);
    EXPECT_EQ(callers[3].status, ERR_CANCELLED);
    finish(0);
    finish(4);
    finish(1);
    EXPECT_EQ(came, 3);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

TEST(concurrent, close_refuses_who_waits_and_the_last_to_leave_retires)
{
    struct port_id id;
    struct port *found;

    fill(3);
    id = (struct port_id){port->index, port->generation};
    queue(3);
    queue(4);
    port_close(port, ERR_STALE);
    for (unsigned i = 3; i < 5; i++) {
        crew_join(callers[i].thread);
        EXPECT_EQ(callers[i].status, ERR_STALE);
    }
    uint64_t word = 0;
    EXPECT_EQ(ports_call(port, 1, &word, DEADLINE_NONE), ERR_STALE);
    EXPECT_EQ(ports_call(port, 1, &word, DEADLINE_NOW), ERR_STALE);
    object_release(&port->object);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_OK(port_find(id, &found)); /* somebody runs in it, so it is still there */
        object_release(&found->object);
        finish(i);
    }
    EXPECT_EQ(port_find(id, &found), ERR_STALE);
}

TEST(concurrent, all_who_are_inside_are_told_that_the_domain_dies)
{
    struct port_attributes attributes = {
        .mode = PORT_MODE_KERNEL_SERVICE, .entry = (vaddr_t)stop_inside, .runs = 3};
    struct domain *domain;
    long code;

    inside = came = 0;
    ASSERT_OK(domain_create("concurrent", 0, &domain));
    ASSERT_OK(port_create(domain, &attributes, &port));
    for (unsigned i = 0; i < 3; i++) {
        start(i, DEADLINE_NONE);
        EXPECT_SOON(ports_is_stopped(&callers[i].stop));
    }
    queue(3);
    domain_kill(domain, 3);
    for (unsigned i = 0; i < 4; i++) {
        crew_join(callers[i].thread);
    }
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(callers[i].inside, ERR_CANCELLED);
    }
    EXPECT_EQ(callers[3].status, ERR_PEER_DIED);
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    object_release(&port->object);
    object_release(&domain->object);
}

/* Calls itself as often as the word says; the innermost answer comes back. */
static void call_itself(struct request *request)
{
    uint64_t word = request->message->word[0];

    if (word > 0) {
        uint64_t deeper = word - 1;
        status_t status = ports_call(port, 1, &deeper, DEADLINE_NONE);

        word = status == OK ? deeper : (uint64_t)status;
    }
    request->message->word[0] = word;
    request_reply(request, OK, 1);
}

TEST(concurrent, a_thread_may_be_in_every_slot_but_not_wait_for_itself)
{
    uint64_t word = 2;

    port = ports_make_concurrent(call_itself, NULL, 3);
    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(word, 0);
    word = 3;
    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(word, (uint64_t)ERR_DEADLOCK);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

TEST(concurrent, a_holder_may_be_changed)
{
    struct activation activation = {.stack = NULL};

    fill(2);
    queue(2);
    activation.stack = callers[1].stack;
    uint64_t state = spin_lock_save(&port->lock);
    port_change_holder(port, &activation, thread_current());
    spin_unlock_restore(&port->lock, state);
    EXPECT_TRUE(container_of(callers[1].stack, struct run_slot, stack)->holder == thread_current());
    EXPECT_TRUE(container_of(callers[0].stack, struct run_slot, stack)->holder ==
                callers[0].thread);
    finish(1);
    finish(2);
    finish(0);
    ports_close(port);
}

TEST(concurrent, what_cannot_be_made_leaves_nothing)
{
    struct port_attributes attributes = {
        .mode = PORT_MODE_KERNEL_SERVICE, .entry = (vaddr_t)call_itself, .runs = MAX_RUNS + 1};
    struct domain *domain;
    struct port *none = NULL;
    long code;

    EXPECT_EQ(port_create(&kernel_domain, &attributes, &none), ERR_INVALID);
    attributes.runs = 2;
    attributes.combines = true;
    EXPECT_EQ(port_create(&kernel_domain, &attributes, &none), ERR_INVALID);
    attributes.combines = false;
    attributes.runs = MAX_RUNS;
    ASSERT_OK(domain_create("small", 32 * PAGE_BYTES, &domain));
    EXPECT_EQ(port_create(domain, &attributes, &none), ERR_NO_MEMORY);
    EXPECT_TRUE(none == NULL);
    domain_kill(domain, 0);
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    object_release(&domain->object);
}

/* --- many callers --- */

static struct load {
    struct port *port;
    uint32_t runs;
    uint32_t begun, ended;
    uint32_t most;                 /* inside at once */
    uint32_t overlaps;             /* on one stack */
    uint32_t on_stack[RUNS_MAX];   /* not atomic: a stack is one run's */
    uint32_t answered, refused[2]; /* by the callers: runs; closed, others */
} load;

static void run_briefly(struct request *request)
{
    struct run_slot *slot = container_of(activation_current()->stack, struct run_slot, stack);
    uint32_t *here = &load.on_stack[slot - load.port->slots];
    uint32_t now = atomic_add_relaxed(&inside, 1U) + 1;

    atomic_add_relaxed(&load.begun, 1U);
    if (now > atomic_load_relaxed(&load.most)) {
        atomic_store_relaxed(&load.most, now);
    }
    if (++*here != 1) {
        atomic_add_relaxed(&load.overlaps, 1U);
    }
    if (request->message->word[0] % 5 == 0) {
        sched_yield();
    }
    if (request->message->word[0] % 41 == 0) {
        (void)sched_sleep_until(timer_now_ns() + 20000);
    }
    fence_compiler();
    --*here;
    atomic_sub_relaxed(&inside, 1U);
    atomic_add_relaxed(&load.ended, 1U);
    request->message->word[0] = ~request->message->word[0];
    request_reply(request, OK, 1);
}

static void call_often(void *member)
{
    struct crew_member *me = member;

    for (uint64_t i = 0; i < CALLS; i++) {
        uint64_t asked = (uint64_t)me->index << 32 | i;
        uint64_t word = asked;
        nsec_t deadline = i % 7 == 0   ? DEADLINE_NOW
                          : i % 3 == 0 ? timer_now_ns() + 10000 + i * 100
                                       : DEADLINE_NONE;
        status_t status = ports_call(load.port, 1, &word, deadline);

        EXPECT_EQ(word, status == OK ? ~asked : asked);
        if (status == OK) {
            atomic_add_relaxed(&load.answered, 1U);
        } else {
            EXPECT_TRUE(status == ERR_STALE || status == ERR_CANCELLED ||
                        (deadline == DEADLINE_NOW && status == ERR_WOULD_BLOCK) ||
                        (deadline != DEADLINE_NONE && status == ERR_TIMED_OUT));
            atomic_add_relaxed(&load.refused[status != ERR_STALE], 1U);
        }
        if (status == ERR_STALE || thread_must_stop()) {
            break;
        }
    }
}

static void begin_load(uint32_t runs)
{
    inside = 0;
    load = (struct load){.port = ports_make_concurrent(run_briefly, NULL, runs), .runs = runs};
}

/* Each run was begun once, ended, and told to its own caller. */
static void check_load(void)
{
    EXPECT_EQ(load.begun, load.ended);
    EXPECT_EQ(load.answered, load.ended);
    EXPECT_EQ(load.overlaps, 0);
    EXPECT_EQ(inside, 0);
    EXPECT_TRUE(load.most <= load.runs);
}

TEST(concurrent, each_call_is_run_once_on_a_free_stack_and_answered)
{
    for (uint32_t runs = 1; runs <= 3; runs++) {
        uint64_t calls = 0;

        begin_load(runs);
        crew_run(CALLERS, call_often, NULL);
        check_load();
        EXPECT_EQ(load.answered + load.refused[1], CALLERS * CALLS);
        for (uint32_t i = 0; i < runs; i++) {
            calls += load.port->slots[i].calls;
        }
        EXPECT_EQ(calls, load.answered);
        EXPECT_EQ(load.port->word, 0);
        ports_close(load.port);
    }
}

static struct crew_member members[CALLERS];

TEST(concurrent, close_and_kill_under_load_lose_nobody)
{
    for (unsigned round = 0; round < 12; round++) {
        struct thread *threads[CALLERS];

        begin_load(1 + round % 3);
        for (unsigned i = 0; i < CALLERS; i++) {
            members[i] = (struct crew_member){.index = i};
            threads[i] = crew_start(crew_core(i), call_often, &members[i]);
        }
        EXPECT_SOON(atomic_load_relaxed(&load.ended) > 5 * round);
        thread_kill(threads[round % CALLERS]);
        thread_kill(threads[(round + 3) % CALLERS]);
        EXPECT_SOON(atomic_load_relaxed(&load.ended) > 6 * round);
        port_close(load.port, ERR_STALE);
        for (unsigned i = 0; i < CALLERS; i++) {
            crew_join(threads[i]);
        }
        check_load();
        EXPECT_EQ(load.port->word, WORD_CLOSED);
        object_release(&load.port->object);
    }
}
