/* SPDX-License-Identifier: MIT */
/* Callers that would wait for each other. */
#include "ipc/deadlock.h"

#include "ipc/call.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define RING_MAX 4U
#define ROUNDS 40U

/* A service that waits until all of its ring are inside theirs, then calls the next one. */
static struct place {
    struct port *port;
    struct place *next;
    status_t inner; /* what the call of the next one said */
    struct thread *thread;
} places[RING_MAX];
static uint32_t arrived;
static uint32_t ring;

static void meet_and_call(struct request *request)
{
    struct place *place = (struct place *)request->cookie;
    struct message message = {.tag = MESSAGE_TAG(1, 1)};
    nsec_t since = timer_now_ns();

    if (request->message->word[0] == 1) { /* from outside */
        /* relaxed, both: a meeting */
        atomic_add_relaxed(&arrived, 1U);
        while (atomic_load_relaxed(&arrived) < ring && crew_wait_on(since)) {
        }
        place->inner = call_port(place->next->port, 0, &message, DEADLINE_NONE);
    }
    request_reply(request, OK, 1);
}

static void enter(void *argument)
{
    uint64_t word = 1;

    EXPECT_OK(ports_call(((struct place *)argument)->port, 1, &word, DEADLINE_NONE));
}

static void close_ring(unsigned count)
{
    unsigned refused = 0;

    ring = count;
    arrived = 0;
    for (unsigned i = 0; i < count; i++) {
        places[i] = (struct place){.next = &places[(i + 1) % count]};
        places[i].port = ports_make_service(meet_and_call, &places[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        places[i].thread = crew_start(crew_core(i), enter, &places[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        crew_join(places[i].thread);
        EXPECT_TRUE(places[i].inner == OK || places[i].inner == ERR_DEADLOCK);
        refused += places[i].inner == ERR_DEADLOCK;
    }
    EXPECT_EQ(refused, 1);
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQ(places[i].port->word, 0);
        ports_close(places[i].port);
    }
}

TEST(deadlock, one_caller_of_a_ring_is_refused_and_the_others_go_on)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        close_ring(2 + i % (RING_MAX - 1));
    }
}

#define TIERS 6U
#define CALLERS 6U
#define CALLS 200U

static struct port *tiers[TIERS];

/* Calls any service of a higher number: no ring is possible. */
static void call_upwards(struct request *request)
{
    unsigned mine = (unsigned)request->cookie;
    uint32_t random = (uint32_t)request->message->word[0];
    unsigned next = mine + 1 + crew_random(&random) % TIERS;

    if (next < TIERS) {
        uint64_t word = random;

        EXPECT_OK(ports_call(tiers[next], 1, &word, DEADLINE_NONE));
    }
    request_reply(request, OK, 1);
}

static void call_any(void *member)
{
    struct crew_member *me = member;
    uint32_t random = me->index + 17;

    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t word = crew_random(&random);

        EXPECT_OK(ports_call(tiers[word % TIERS], 1, &word, DEADLINE_NONE));
    }
}

TEST(deadlock, calls_in_one_direction_are_never_refused)
{
    for (unsigned i = 0; i < TIERS; i++) {
        tiers[i] = ports_make_service(call_upwards, (void *)(uintptr_t)i);
    }
    crew_run(CALLERS, call_any, NULL);
    for (unsigned i = 0; i < TIERS; i++) {
        EXPECT_EQ(tiers[i]->word, 0);
        ports_close(tiers[i]);
    }
}

static uint32_t finished;
static uint32_t victims;

/* Calls any other service: rings come and go. */
static void call_anywhere(struct request *request)
{
    unsigned mine = (unsigned)request->cookie;
    uint32_t random = (uint32_t)request->message->word[0];
    unsigned next = crew_random(&random) % (2 * TIERS);

    if (next < TIERS && next != mine) {
        uint64_t word = random;
        status_t status = ports_call(tiers[next], 1, &word, DEADLINE_NONE);

        EXPECT_TRUE(status == OK || status == ERR_DEADLOCK);
        /* relaxed: a count */
        atomic_add_relaxed(&victims, status == ERR_DEADLOCK ? 1U : 0U);
    }
    request_reply(request, OK, 1);
}

static void call_any_and_count(void *member)
{
    call_any(member);
    /* relaxed: a count */
    atomic_add_relaxed(&finished, 1U);
}

TEST(deadlock, rings_at_random_leave_nobody_waiting)
{
    finished = victims = 0;
    for (unsigned i = 0; i < TIERS; i++) {
        tiers[i] = ports_make_service(call_anywhere, (void *)(uintptr_t)i);
    }
    crew_run(CALLERS, call_any_and_count, NULL);
    EXPECT_EQ(finished, CALLERS);
    for (unsigned i = 0; i < TIERS; i++) {
        EXPECT_EQ(tiers[i]->word, 0);
        ports_close(tiers[i]);
    }
}

/*
 * A ring through a request that another thread runs: `first` holds the combining port and serves the
 * request of `second`, which holds `inner`; that run calls `inner`.
 */
static struct port *combining;
static struct port *inner;
static uint32_t first_is_inside;
static status_t back;

static void call_back(struct request *request)
{
    uint64_t word = 0;

    if (request->badge == 1) {
        nsec_t since = timer_now_ns();

        /* relaxed, both: only signs */
        atomic_store_relaxed(&first_is_inside, 1U);
        while (port_queued(combining) == 0 && crew_wait_on(since)) {
        }
    } else {
        back = ports_call(inner, 1, &word, DEADLINE_NONE);
    }
    request_reply(request, OK, 1);
}

static void call_combining(struct request *request)
{
    struct message message = {.tag = MESSAGE_TAG(1, 1)};

    EXPECT_OK(call_port(combining, 2, &message, DEADLINE_NONE));
    request_reply(request, OK, 1);
}

static void ask_combining(void *argument)
{
    struct message message = {.tag = MESSAGE_TAG(1, 1)};

    (void)argument;
    EXPECT_OK(call_port(combining, 1, &message, DEADLINE_NONE));
}

static void ask_inner(void *argument)
{
    uint64_t word = 0;

    (void)argument;
    EXPECT_OK(ports_call(inner, 1, &word, DEADLINE_NONE));
}

TEST(deadlock, a_ring_through_a_request_that_another_runs_is_refused)
{
    struct thread *first;
    struct thread *second;

    combining = ports_make_combining(call_back, NULL);
    inner = ports_make_service(call_combining, NULL);
    first_is_inside = 0;
    back = OK;
    first = crew_start(crew_core(0), ask_combining, NULL);
    EXPECT_SOON(atomic_load_relaxed(&first_is_inside) != 0);
    second = crew_start(crew_core(1), ask_inner, NULL);
    crew_join(first);
    crew_join(second);
    EXPECT_EQ(back, ERR_DEADLOCK);
    ports_close(inner);
    ports_close(combining);
}
