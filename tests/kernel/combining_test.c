/* SPDX-License-Identifier: MIT */
/* A holder that serves those who wait. */
#include "ipc/baton.h"

#include "ipc/call.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define WAITING (BATON_SNAPSHOT + 4U)

struct run {
    uint64_t badge;
    struct thread *thread;
};

static struct run runs[WAITING + 2];
static unsigned ran;
static uint32_t go;    /* lets the run with badge 0 end */
static uint32_t begun; /* it is in the service */
static uint64_t naps;  /* the badge whose run sleeps for a moment */

/* The run of badge 0 does not wait: it keeps its core until it is told to go. */
static void note_run(struct request *request)
{
    runs[ran++] = (struct run){request->badge, thread_current()};
    if (request->badge == 0) {
        /* relaxed, both: only signs */
        atomic_store_relaxed(&begun, 1U);
        while (atomic_load_relaxed(&go) == 0) {
            arch_relax();
        }
    }
    if (request->badge == naps && naps != 0) {
        uint64_t blocks = thread_current()->blocks;

        while (thread_current()->blocks == blocks) { /* the time may pass before it sleeps */
            EXPECT_OK(sched_sleep_until(timer_now_ns() + 100000));
        }
    }
    request->message->word[0] += request->badge;
    request_reply(request, OK, 1);
}

struct asker {
    struct port *port;
    uint64_t badge;
    struct message message;
    status_t status;
    nsec_t deadline;
    struct thread *thread;
};

static void ask(void *argument)
{
    struct asker *asker = argument;

    asker->message = (struct message){.tag = MESSAGE_TAG(1, 1), .word = {1000}};
    asker->status = call_port(asker->port, asker->badge, &asker->message, asker->deadline);
}

static void start(struct asker *asker, struct port *port, uint64_t badge)
{
    *asker = (struct asker){.port = port, .badge = badge};
    asker->thread = crew_start(crew_core((unsigned)badge), ask, asker);
}

static struct asker askers[WAITING + 1];

/* Asker 0 is inside, the others wait in the order of their numbers. */
static struct port *begin(bool combining)
{
    struct port *port =
        combining ? ports_make_combining(note_run, NULL) : ports_make_service(note_run, NULL);

    ran = 0;
    go = begun = 0;
    naps = 0;
    start(&askers[0], port, 0);
    EXPECT_SOON(atomic_load_relaxed(&begun) != 0);
    for (unsigned i = 1; i <= WAITING; i++) {
        start(&askers[i], port, i);
        EXPECT_SOON(port_queued(port) == i);
    }
    return port;
}

static void end(struct port *port)
{
    /* relaxed: only a sign */
    atomic_store_relaxed(&go, 1U);
    for (unsigned i = 0; i <= WAITING; i++) {
        crew_join(askers[i].thread);
        EXPECT_OK(askers[i].status);
        EXPECT_EQ(askers[i].message.word[0], 1000 + i);
    }
    EXPECT_EQ(ran, WAITING + 1);
    for (unsigned i = 0; i <= WAITING; i++) {
        EXPECT_EQ(runs[i].badge, i); /* the order of arrival */
    }
    EXPECT_EQ(port->word, 0);
    EXPECT_EQ(port->calls, WAITING + 1);
}

TEST(combining, a_holder_serves_a_bounded_prefix_of_those_who_wait)
{
    struct port *port = begin(true);

    end(port);
    for (unsigned i = 0; i <= BATON_SNAPSHOT; i++) {
        EXPECT_TRUE(runs[i].thread == askers[0].thread);
    }
    /* The next one got the baton, and served the rest. */
    for (unsigned i = BATON_SNAPSHOT + 1; i <= WAITING; i++) {
        EXPECT_TRUE(runs[i].thread == askers[BATON_SNAPSHOT + 1].thread);
    }
    ports_close(port);
}

TEST(combining, an_ordinary_service_is_run_by_each_caller_itself)
{
    struct port *port = begin(false);

    end(port);
    for (unsigned i = 0; i <= WAITING; i++) {
        EXPECT_TRUE(runs[i].thread == askers[i].thread);
    }
    ports_close(port);
}

TEST(combining, a_service_that_waits_becomes_an_ordinary_one)
{
    struct port *port = begin(true);

    naps = 3;
    end(port);
    EXPECT_FALSE(port->combines);
    for (unsigned i = 0; i <= 3; i++) {
        EXPECT_TRUE(runs[i].thread == askers[0].thread);
    }
    for (unsigned i = 4; i <= WAITING; i++) {
        EXPECT_TRUE(runs[i].thread == askers[i].thread);
    }
    ports_close(port);
}

static void call_through(struct request *request)
{
    struct message message = *request->message;

    EXPECT_OK(call_port((struct port *)request->cookie, 0, &message, DEADLINE_NONE));
    request_reply(request, OK, 1);
}

/* Its caller's service would stand still meanwhile. */
TEST(combining, a_caller_inside_a_service_serves_nobody)
{
    struct port *port = ports_make_combining(note_run, NULL);
    struct port *outer = ports_make_service(call_through, port);
    struct asker inner;

    ran = 0;
    go = begun = 0;
    naps = 0;
    inner = (struct asker){.port = outer};
    inner.thread = crew_start(crew_core(1), ask, &inner);
    EXPECT_SOON(atomic_load_relaxed(&begun) != 0);
    start(&askers[1], port, 1);
    EXPECT_SOON(port_queued(port) == 1);
    /* relaxed: only a sign */
    atomic_store_relaxed(&go, 1U);
    crew_join(inner.thread);
    crew_join(askers[1].thread);
    EXPECT_OK(askers[1].status);
    EXPECT_TRUE(runs[1].thread == askers[1].thread);
    ports_close(outer);
    ports_close(port);
}

/* Killed, it ends as soon as its own call is over. */
TEST(combining, a_holder_that_is_to_end_hands_over)
{
    struct port *port = begin(true);

    thread_kill(askers[0].thread);
    end(port);
    EXPECT_TRUE(runs[1].thread == askers[1].thread);
    ports_close(port);
}

/* The holder has taken a request off to serve it, and does not begin. */
static void take_off(struct port *port, struct baton_work *work)
{
    ran = 0;
    EXPECT_TRUE(baton_try_take(port));
    start(&askers[1], port, 1);
    EXPECT_SOON(port_queued(port) == 1);
    EXPECT_TRUE(baton_next(port, BATON_SERVES_CALLERS, work));
}

TEST(combining, a_request_that_is_not_begun_is_handed_over_if_the_port_is_open)
{
    struct port *port = ports_make_combining(note_run, NULL);
    struct baton_work work;

    take_off(port, &work);
    EXPECT_TRUE(baton_hand_over(port, &work));
    crew_join(askers[1].thread);
    EXPECT_OK(askers[1].status);
    EXPECT_TRUE(ran == 1 && runs[0].thread == askers[1].thread);
    ports_close(port);
}

/* Else its caller would run in a domain that dies, after all inside were told to leave. */
TEST(combining, a_request_that_is_not_begun_is_refused_if_the_port_was_closed)
{
    struct port *port = ports_make_combining(note_run, NULL);
    struct baton_work work;

    take_off(port, &work);
    port_close(port, ERR_STALE);
    EXPECT_FALSE(baton_hand_over(port, &work));
    EXPECT_FALSE(baton_next(port, BATON_SERVES_NOBODY, NULL));
    crew_join(askers[1].thread);
    EXPECT_EQ(askers[1].status, ERR_STALE);
    EXPECT_EQ(ran, 0);
    ports_close(port);
}

static uint32_t held_up; /* the run that is served has begun */
static uint32_t let_on;  /* lets it end */

/* The run of badge 1 is served by another, and does not end for a long time. */
static void hold_up(struct request *request)
{
    if (request->badge == 1) {
        /* relaxed, both: only signs */
        atomic_store_relaxed(&held_up, 1U);
        while (atomic_load_relaxed(&let_on) == 0) {
            arch_relax();
        }
    }
    note_run(request);
}

/* Asker 0 serves asker 1 in a run that goes on. */
static struct port *begin_held_up(nsec_t deadline)
{
    struct port *port = ports_make_combining(hold_up, NULL);

    ran = 0;
    go = begun = held_up = let_on = 0;
    naps = 0;
    start(&askers[0], port, 0);
    EXPECT_SOON(atomic_load_relaxed(&begun) != 0);
    askers[1] = (struct asker){.port = port, .badge = 1, .deadline = deadline};
    askers[1].thread = crew_start(crew_core(1), ask, &askers[1]);
    EXPECT_SOON(port_queued(port) == 1);
    /* relaxed: only a sign */
    atomic_store_relaxed(&go, 1U);
    EXPECT_SOON(atomic_load_relaxed(&held_up) != 0);
    return port;
}

static void end_held_up(struct port *port, status_t expected)
{
    crew_join(askers[1].thread);
    EXPECT_EQ(askers[1].status, expected);
    EXPECT_EQ(askers[1].message.word[0], 1000); /* as it was */
    EXPECT_EQ(ran, 1);                          /* the other run goes on */
    /* relaxed: only a sign */
    atomic_store_relaxed(&let_on, 1U);
    crew_join(askers[0].thread);
    EXPECT_OK(askers[0].status);
    EXPECT_TRUE(ran == 2 && runs[1].thread == askers[0].thread);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

TEST(combining, a_deadline_ends_the_wait_for_a_run_that_another_one_does)
{
    struct port *port = begin_held_up(timer_now_ns() + 500000000UL);

    end_held_up(port, ERR_TIMED_OUT);
}

TEST(combining, who_is_to_end_does_not_wait_for_a_run_that_another_one_does)
{
    struct port *port = begin_held_up(DEADLINE_NONE);

    thread_kill(askers[1].thread);
    end_held_up(port, ERR_CANCELLED);
}

#define CALLERS 8U
#define CALLS 500U

static uint32_t inside;
static uint32_t overlaps;
static uint64_t sum;

static void add(struct request *request)
{
    overlaps += ++inside != 1;
    fence_compiler();
    sum += request->message->word[0];
    request->message->word[0] ^= request->badge;
    inside--;
    request_reply(request, OK, 1);
}

static uint32_t answered;
static uint64_t answered_sum;

/* With deadlines, some of which pass while the request waits or is being run by another. */
static void call_often(void *member)
{
    struct crew_member *me = member;
    uint32_t random = me->index + 1;

    for (uint64_t i = 1; i <= CALLS; i++) {
        uint64_t asked = (uint64_t)me->index << 32 | i;
        struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {asked}};
        nsec_t deadline =
            i % 4 == 0 ? timer_now_ns() + crew_random(&random) % 30000 : (nsec_t)DEADLINE_NONE;
        status_t status = call_port(me->shared, me->index, &message, deadline);

        if (status == OK) {
            EXPECT_EQ(message.word[0], asked ^ me->index);
            /* relaxed: counts */
            atomic_add_relaxed(&answered, 1U);
            atomic_add_relaxed(&answered_sum, asked);
        } else {
            EXPECT_EQ(status, ERR_TIMED_OUT);
            EXPECT_EQ(message.word[0], asked);
        }
    }
}

TEST(combining, every_call_is_run_once_for_its_own_caller_or_times_out)
{
    struct port *port = ports_make_combining(add, NULL);

    inside = overlaps = answered = 0;
    sum = answered_sum = 0;
    crew_run(CALLERS, call_often, port);
    EXPECT_EQ(overlaps, 0);
    EXPECT_TRUE(port->calls >= answered); /* the end of some was not waited for */
    EXPECT_TRUE(sum >= answered_sum);
    EXPECT_EQ(port->word, 0);
    EXPECT_TRUE(answered >= CALLERS * CALLS * 3 / 4);
    ports_close(port);
}
