/* SPDX-License-Identifier: MIT */
/* The synchronous call: one caller at a time. */
#include "ipc/call.h"

#include <string.h>

#include "arch/core.h"
#include "arch/irq.h"
#include "ipc/name.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"
#include "services/echo/protocol.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

TEST(call, the_echo_service_answers_every_number_of_words)
{
    struct port *echo;

    ASSERT_OK(name_find("echo", 4, &echo));
    for (unsigned words = 0; words <= MESSAGE_REGISTER_WORDS; words++) {
        struct message message = {.tag = MESSAGE_TAG(ECHO_WORDS, words),
                                  .word = {11, 22, 33, ~0UL}};

        ASSERT_OK(call_port(echo, 0, &message, DEADLINE_NONE));
        EXPECT_EQ(message.tag, MESSAGE_TAG(OK, words));
        for (unsigned i = 0; i < words; i++) {
            EXPECT_EQ(message.word[i], i == 3 ? ~0UL : 11 * (i + 1));
        }
    }
    object_release(&echo->object);
}

TEST(call, a_label_chooses_the_operation_and_an_unknown_one_is_refused)
{
    struct message count = {.tag = MESSAGE_TAG(ECHO_COUNT, 0)};
    struct message again = count;
    struct message unknown = {.tag = MESSAGE_TAG(0x7777, 1)};
    struct port *echo;

    ASSERT_OK(name_find("echo", 4, &echo));
    EXPECT_OK(call_port(echo, 0, &count, DEADLINE_NONE));
    EXPECT_OK(call_port(echo, 0, &unknown, DEADLINE_NONE));
    EXPECT_EQ((int32_t)message_label(unknown.tag), ERR_UNKNOWN_CALL);
    EXPECT_OK(call_port(echo, 0, &again, DEADLINE_NONE));
    EXPECT_EQ(again.word[0], count.word[0] + 2);
    object_release(&echo->object);
}

TEST(call, a_bad_tag_or_a_mailbox_that_must_not_wait_is_refused_and_the_message_stays)
{
    struct port *mailbox = ports_make_mailbox();
    struct message message = {.tag = MESSAGE_TAG(1, 5), .word = {1, 2, 3, 4}};
    struct message before = message;
    struct port *echo;

    ASSERT_OK(name_find("echo", 4, &echo));
    EXPECT_EQ(call_port(echo, 0, &message, DEADLINE_NONE), ERR_INVALID);
    message.tag = before.tag = MESSAGE_TAG(1, 1) | 0x100; /* a handle: not yet */
    EXPECT_EQ(call_port(echo, 0, &message, DEADLINE_NONE), ERR_INVALID);
    message.tag = before.tag = MESSAGE_TAG(1, 1);
    EXPECT_EQ(call_port(mailbox, 0, &message, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQ(memcmp(&message, &before, sizeof(message)), 0);
    object_release(&echo->object);
    ports_close(mailbox);
}

/* What a run of the service saw. */
struct seen {
    struct thread *thread;
    struct domain *caller;
    vaddr_t local;
    uint64_t badge;
    cpu_t cpu;
    unsigned depth;
};

static void look_around(struct request *request)
{
    struct seen *seen = (struct seen *)request->cookie;
    volatile char local = 0;

    (void)local;
    *seen = (struct seen){
        .thread = thread_current(),
        .caller = request->caller,
        .local = (vaddr_t)&local,
        .badge = request->badge,
        .cpu = core_index(),
        .depth = activation_depth(activation_current()),
    };
    EXPECT_TRUE(irq_enabled());
    request_reply(request, OK, 0);
}

TEST(call, the_caller_stays_the_current_thread_on_its_core)
{
    static struct seen seen;
    struct port *port = ports_make_service(look_around, &seen);
    struct activation *before = activation_current();

    for (unsigned i = 0; i < sched_online_count(); i++) {
        struct message message = {.tag = MESSAGE_TAG(1, 0)};

        EXPECT_OK(sched_migrate(i));
        ASSERT_OK(call_port(port, 42 + i, &message, DEADLINE_NONE));
        EXPECT_TRUE(seen.thread == thread_current());
        EXPECT_TRUE(seen.caller == &kernel_domain);
        EXPECT_EQ(seen.badge, 42 + i);
        EXPECT_EQ(seen.cpu, i);
        EXPECT_EQ(seen.depth, 1);
        EXPECT_TRUE(activation_current() == before);
    }
    EXPECT_EQ(port->calls, sched_online_count());
    ports_close(port);
}

TEST(call, an_uncontended_call_touches_no_run_queue)
{
    struct port *echo;
    uint64_t word = 5;

    ASSERT_OK(name_find("echo", 4, &echo));
    uint64_t operations = runqueues[core_index()].operations;
    uint64_t switches = cores[core_index()].switches;
    for (unsigned i = 0; i < 20; i++) {
        EXPECT_OK(ports_call(echo, ECHO_WORDS, &word, DEADLINE_NONE));
    }
    EXPECT_EQ(runqueues[core_index()].operations, operations);
    EXPECT_EQ(cores[core_index()].switches, switches);
    EXPECT_EQ(word, 5);
    object_release(&echo->object);
}

/* Label 1 fills its stack with rubbish; label 2 answers from fresh variables. */
static void scribble(struct request *request)
{
    volatile uint64_t rubbish[128];
    volatile uint64_t sum = 0;

    *(vaddr_t *)request->cookie = (vaddr_t)rubbish;
    if (message_label(request->message->tag) == 1) {
        for (unsigned i = 0; i < ARRAY_SIZE(rubbish); i++) {
            rubbish[i] = ~0UL;
        }
    } else {
        sum = sum + request->message->word[0];
    }
    request->message->word[0] = sum;
    request_reply(request, OK, 1);
}

TEST(call, every_run_starts_on_the_same_fresh_stack)
{
    static vaddr_t place;
    struct port *port = ports_make_service(scribble, &place);
    vaddr_t first = 0;

    for (unsigned i = 0; i < 6; i++) {
        uint64_t word = 1000 + i;

        EXPECT_OK(ports_call(port, 1 + i % 2, &word, DEADLINE_NONE));
        EXPECT_EQ(word, i % 2 == 0 ? 0 : 1000 + i);
        first = i == 0 ? place : first;
        EXPECT_EQ(place, first);
    }
    ports_close(port);
}

#define CHAIN_MAX (MAX_CALL_DEPTH + 2U)

/* A row of services, each calling the next one. */
struct link {
    struct port *port;
    unsigned place;
};

static struct link chain[CHAIN_MAX];
static unsigned chain_length;
static char chain_trace[2 * CHAIN_MAX + 1];
static unsigned chain_traced;
static status_t chain_end; /* what the last call of the row said */

static void call_next(struct request *request)
{
    const struct link *link = (const struct link *)request->cookie;
    uint64_t word = request->message->word[0];

    chain_trace[chain_traced++] = (char)('A' + link->place);
    EXPECT_EQ(activation_depth(activation_current()), link->place + 1);
    if (link->place + 1 < chain_length) {
        status_t status = ports_call(chain[link->place + 1].port, 1, &word, DEADLINE_NONE);

        if (status != OK) {
            chain_end = status;
        }
    }
    chain_trace[chain_traced++] = (char)('a' + link->place);
    request->message->word[0] = word + 1;
    request_reply(request, OK, 1);
}

static void chain_make(unsigned length)
{
    chain_length = length;
    chain_traced = 0;
    chain_end = OK;
    memset(chain_trace, 0, sizeof(chain_trace));
    for (unsigned i = 0; i < length; i++) {
        chain[i] = (struct link){.port = ports_make_service(call_next, &chain[i]), .place = i};
    }
}

static void chain_close(void)
{
    for (unsigned i = 0; i < chain_length; i++) {
        ports_close(chain[i].port);
    }
}

TEST(call, nested_calls_unwind_in_order)
{
    uint64_t word = 10;

    chain_make(3);
    EXPECT_OK(ports_call(chain[0].port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(word, 13);
    EXPECT_TEXT(chain_trace, "ABCcba");
    chain_close();
}

TEST(call, more_than_sixteen_nested_calls_are_refused)
{
    uint64_t word = 0;

    chain_make(MAX_CALL_DEPTH);
    EXPECT_OK(ports_call(chain[0].port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(word, MAX_CALL_DEPTH);
    EXPECT_OK(chain_end);
    chain_close();

    word = 0;
    chain_make(MAX_CALL_DEPTH + 1);
    EXPECT_OK(ports_call(chain[0].port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(word, MAX_CALL_DEPTH); /* the seventeenth never ran */
    EXPECT_EQ(chain_end, ERR_DEPTH);
    chain_close();
}

TEST(call, a_call_that_would_wait_for_itself_is_refused)
{
    uint64_t word = 0;

    chain_make(3);
    struct port *last = chain[2].port;
    chain[2].port = chain[0].port; /* A -> B -> A */
    EXPECT_OK(ports_call(chain[0].port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(chain_end, ERR_DEADLOCK);
    EXPECT_EQ(word, 2);
    EXPECT_TEXT(chain_trace, "ABba");
    chain[2].port = last;
    chain_end = OK;
    EXPECT_OK(ports_call(chain[0].port, 1, &word, DEADLINE_NONE)); /* nothing is stuck */
    EXPECT_OK(chain_end);
    chain_close();
}

static void burn_time(struct request *request)
{
    nsec_t begin = timer_now_ns();

    while (timer_now_ns() - begin < request->message->word[0]) {
        arch_relax();
    }
    request_reply(request, OK, 0);
}

#define BURNT_NS 2000000UL

static void call_to_burn(void *port)
{
    uint64_t word = BURNT_NS;

    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
}

TEST(call, the_time_of_the_service_is_the_callers)
{
    struct port *port = ports_make_service(burn_time, NULL);
    struct thread *thread = crew_start(crew_core(1), call_to_burn, port);

    object_retain(&thread->object);
    crew_join(thread);
    /* Time that was lost to a preemption counts for the clock and not for the thread. */
    EXPECT_SOON(timer_ticks_to_ns(atomic_load_relaxed(&thread->run_ticks)) >= BURNT_NS / 4);
    object_release(&thread->object);
    ports_close(port);
}

TEST(call, a_closed_port_answers_stale)
{
    static struct seen seen;
    struct port *port = ports_make_service(look_around, &seen);
    uint64_t word = 9;

    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NOW)); /* idle: needs no wait */
    port_close(port, ERR_STALE);
    word = 9;
    EXPECT_EQ(ports_call(port, 1, &word, DEADLINE_NONE), ERR_STALE);
    EXPECT_EQ(word, 9);
    EXPECT_EQ(port->calls, 1);
    object_release(&port->object);
}
