/* SPDX-License-Identifier: MIT */
/* The baton: callers that meet at one service. */
#include "ipc/baton.h"

#include "arch/irq.h"
#include "ipc/call.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define CALLERS 8U
#define CALLS 200U

/* State of the service; without locks and atomics: only the baton protects it. */
static uint32_t inside;
static uint32_t overlaps;
static uint32_t served;

static void count_exclusively(struct request *request)
{
    overlaps += ++inside != 1;
    served++;
    fence_compiler();
    inside--;
    request->message->word[0] = ~request->message->word[0];
    request_reply(request, OK, 1);
}

static void call_often(void *member)
{
    struct crew_member *me = member;

    for (uint64_t i = 0; i < CALLS; i++) {
        uint64_t asked = (uint64_t)me->index << 32 | i;
        uint64_t word = asked;

        EXPECT_OK(ports_call(me->shared, 1, &word, DEADLINE_NONE));
        EXPECT_EQ(word, ~asked);
    }
}

TEST(baton, one_caller_at_a_time_and_each_gets_its_own_answer)
{
    struct port *port = ports_make_service(count_exclusively, NULL);

    inside = overlaps = served = 0;
    crew_run(CALLERS, call_often, port);
    EXPECT_EQ(overlaps, 0);
    EXPECT_EQ(served, CALLERS * CALLS);
    EXPECT_EQ(port->calls, CALLERS * CALLS);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

/* A service that stops in the run of whoever asks with word 0, and notes who comes. */
static struct ports_stop stop;
static uint64_t order[16];
static unsigned came;

static void stop_for_zero(struct request *request)
{
    order[came++] = request->message->word[0];
    if (request->message->word[0] == 0) {
        request->message->word[0] = (uint64_t)ports_stop(&stop);
    }
    request_reply(request, OK, 1);
}

struct caller {
    struct port *port;
    uint64_t word;
    nsec_t deadline;
    status_t status; /* what the call said */
    struct thread *thread;
};

static void make_call(void *argument)
{
    struct caller *caller = argument;

    caller->status = ports_call(caller->port, 1, &caller->word, caller->deadline);
}

static struct port *busy_port;
static struct caller holder;

/* A port whose baton is held by a caller inside the service. */
static void begin_busy(void)
{
    stop = (struct ports_stop){0};
    came = 0;
    busy_port = ports_make_service(stop_for_zero, NULL);
    holder = (struct caller){.port = busy_port, .word = 0};
    holder.thread = crew_start(crew_core(1), make_call, &holder);
    EXPECT_SOON(ports_is_stopped(&stop));
}

static void start_caller(struct caller *caller, uint64_t word, nsec_t deadline)
{
    *caller = (struct caller){.port = busy_port, .word = word, .deadline = deadline};
    caller->thread = crew_start(crew_core((unsigned)word), make_call, caller);
}

/* One more that waits behind those who wait already. */
static void queue_caller(struct caller *caller, uint64_t word)
{
    start_caller(caller, word, DEADLINE_NONE);
    EXPECT_SOON(caller->thread->waiting_for == busy_port);
}

static void end_busy(status_t wanted)
{
    ports_let_go(&stop);
    crew_join(holder.thread);
    EXPECT_EQ(holder.status, OK);
    EXPECT_EQ(holder.word, wanted);
}

TEST(baton, callers_are_served_in_the_order_of_their_arrival)
{
    struct caller callers[6];

    begin_busy();
    for (unsigned i = 0; i < 6; i++) {
        queue_caller(&callers[i], i + 1);
    }
    end_busy(OK);
    for (unsigned i = 0; i < 6; i++) {
        crew_join(callers[i].thread);
        EXPECT_OK(callers[i].status);
        EXPECT_EQ(order[i + 1], i + 1);
    }
    EXPECT_EQ(came, 7);
    EXPECT_EQ(busy_port->word, 0);
    ports_close(busy_port);
}

/* As if the other port's domain had begun to die while the baton was passed on unused. */
static void call_busy_after_a_raise(struct request *request)
{
    uint64_t word = 1;

    thread_raise(thread_current(), THREAD_UNWIND);
    EXPECT_EQ(ports_call(busy_port, 1, &word, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQ(thread_current()->flags, 0);
    request_reply(request, OK, 1);
}

TEST(baton, a_call_without_a_run_leaves_no_order_to_unwind)
{
    struct port *outer = ports_make_service(call_busy_after_a_raise, NULL);
    uint64_t word = 0;

    begin_busy();
    EXPECT_OK(ports_call(outer, 1, &word, DEADLINE_NONE));
    end_busy(OK);
    ports_close(busy_port);
    ports_close(outer);
}

TEST(baton, close_sends_each_waiter_away_once_and_lets_the_holder_finish)
{
    struct caller callers[4];

    begin_busy();
    for (unsigned i = 0; i < 4; i++) {
        queue_caller(&callers[i], i + 1);
    }
    port_close(busy_port, ERR_STALE);
    for (unsigned i = 0; i < 4; i++) {
        crew_join(callers[i].thread);
        EXPECT_EQ(callers[i].status, ERR_STALE);
        EXPECT_EQ(callers[i].word, i + 1);
    }
    EXPECT_EQ(port_queued(busy_port), 0);
    uint64_t word = 7;
    EXPECT_EQ(ports_call(busy_port, 1, &word, DEADLINE_NONE), ERR_STALE);
    end_busy(OK);
    EXPECT_EQ(came, 1);
    object_release(&busy_port->object);
}

static void close_own_port(struct request *request)
{
    port_close(*(struct port **)request->cookie, ERR_STALE);
    request->message->word[0]++;
    request_reply(request, OK, 1);
}

TEST(baton, a_service_may_close_its_own_port)
{
    static struct port *port;
    uint64_t word = 1;

    port = ports_make_service(close_own_port, &port);
    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(word, 2);
    EXPECT_EQ(ports_call(port, 1, &word, DEADLINE_NONE), ERR_STALE);
    object_release(&port->object);
}

TEST(baton, who_times_out_leaves_the_line)
{
    struct caller late, patient;
    uint64_t word = 3;

    begin_busy();
    EXPECT_EQ(ports_call(busy_port, 1, &word, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQ(ports_call(busy_port, 1, &word, timer_now_ns() + 100000), ERR_TIMED_OUT);
    EXPECT_EQ(word, 3);
    start_caller(&late, 1, timer_now_ns() + 20000000);
    queue_caller(&patient, 2);
    crew_join(late.thread);
    EXPECT_EQ(late.status, ERR_TIMED_OUT);
    EXPECT_EQ(port_queued(busy_port), 1);
    end_busy(OK);
    crew_join(patient.thread);
    EXPECT_OK(patient.status);
    EXPECT_EQ(came, 2);
    EXPECT_EQ(busy_port->word, 0);
    ports_close(busy_port);
}

TEST(baton, who_is_killed_in_the_line_leaves_it_to_the_next)
{
    struct caller killed, next;

    begin_busy();
    queue_caller(&killed, 1);
    queue_caller(&next, 2);
    thread_kill(killed.thread);
    crew_join(killed.thread);
    EXPECT_EQ(killed.status, ERR_CANCELLED);
    EXPECT_EQ(port_queued(busy_port), 1);
    end_busy(OK);
    crew_join(next.thread);
    EXPECT_OK(next.status);
    EXPECT_EQ(order[1], 2);
    EXPECT_EQ(came, 2);
    ports_close(busy_port);
}

TEST(baton, killing_the_holder_ends_its_wait_and_the_next_is_served)
{
    struct caller next;

    begin_busy();
    queue_caller(&next, 1);
    thread_kill(holder.thread);
    crew_join(holder.thread);
    EXPECT_EQ(holder.word, ERR_CANCELLED); /* from inside the service */
    crew_join(next.thread);
    EXPECT_OK(next.status);
    EXPECT_EQ(busy_port->word, 0);
    ports_close(busy_port);
}

/* Chains of services in which each level stops before and after it calls the next one. */
#define CHAINS 3U
#define LEVELS 8U

static struct level {
    struct port *port;
    struct level *next;
    struct ports_stop stop;
} levels[CHAINS][LEVELS];

static void stop_and_call_next(struct request *request)
{
    struct level *level = (struct level *)request->cookie;
    uint64_t word = request->message->word[0];
    volatile uint64_t local[16];

    for (unsigned i = 0; i < ARRAY_SIZE(local); i++) {
        local[i] = word * 31 + i;
    }
    EXPECT_OK(ports_stop(&level->stop));
    if (level->next != NULL) {
        uint64_t deeper = word + 1;

        EXPECT_OK(ports_call(level->next->port, 1, &deeper, DEADLINE_NONE));
        EXPECT_OK(ports_stop(&level->stop));
        request->message->word[0] = deeper;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(local); i++) {
        EXPECT_EQ(local[i], word * 31 + i);
    }
    request_reply(request, OK, 1);
}

/* Lets a random level go on; false when it was not stopped. */
static bool let_random_level_go(uint32_t *random)
{
    uint32_t draw = crew_random(random);
    struct level *level = &levels[draw % CHAINS][draw / CHAINS % LEVELS];

    if (!ports_is_stopped(&level->stop)) {
        return false;
    }
    ports_let_go(&level->stop);
    return true;
}

TEST(baton, services_may_block_at_every_depth_and_wake_in_any_order)
{
    struct caller callers[CHAINS];
    uint32_t random = 7;
    unsigned stops = 0;

    for (unsigned c = 0; c < CHAINS; c++) {
        for (unsigned l = LEVELS; l-- > 0;) {
            levels[c][l] = (struct level){.next = l + 1 < LEVELS ? &levels[c][l + 1] : NULL};
            levels[c][l].port = ports_make_service(stop_and_call_next, &levels[c][l]);
        }
        callers[c] = (struct caller){.port = levels[c][0].port, .word = 100 * c};
        callers[c].thread = crew_start(crew_core(c), make_call, &callers[c]);
    }
    nsec_t since = timer_now_ns();
    while (stops < CHAINS * (2 * LEVELS - 1) && crew_wait_on(since)) {
        stops += let_random_level_go(&random);
    }
    EXPECT_EQ(stops, CHAINS * (2 * LEVELS - 1));
    for (unsigned c = 0; c < CHAINS; c++) {
        crew_join(callers[c].thread);
        EXPECT_OK(callers[c].status);
        EXPECT_EQ(callers[c].word, 100 * c + LEVELS - 1);
        for (unsigned l = 0; l < LEVELS; l++) {
            ports_close(levels[c][l].port);
        }
    }
}

static uint32_t answered; /* calls that returned OK */
static uint32_t refused;

static void call_with_deadlines(void *member)
{
    struct crew_member *me = member;
    uint32_t random = me->index + 1;

    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t word = i;
        nsec_t deadline = timer_now_ns() + crew_random(&random) % 20000;
        status_t status = ports_call(me->shared, 1, &word, deadline);

        /* relaxed: counts */
        if (status == OK) {
            EXPECT_EQ(word, ~(uint64_t)i);
            atomic_add_relaxed(&answered, 1);
        } else {
            EXPECT_EQ(status, ERR_TIMED_OUT);
            atomic_add_relaxed(&refused, 1);
        }
    }
}

TEST(baton, every_call_is_either_run_once_or_timed_out)
{
    struct port *port = ports_make_service(count_exclusively, NULL);

    inside = overlaps = served = answered = refused = 0;
    crew_run(CALLERS, call_with_deadlines, port);
    EXPECT_EQ(overlaps, 0);
    EXPECT_EQ(answered + refused, CALLERS * CALLS);
    EXPECT_EQ(served, answered);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

static struct port *shared_port; /* replaced when it is closed; shared_lock */
static struct spinlock shared_lock = SPINLOCK_INIT("test port");

static struct port *get_shared_port(void)
{
    uint64_t state = spin_lock_save(&shared_lock);
    struct port *port = shared_port;

    object_retain(&port->object);
    spin_unlock_restore(&shared_lock, state);
    return port;
}

static void replace_shared_port(void)
{
    struct port *fresh = ports_make_service(count_exclusively, NULL);
    uint64_t state = spin_lock_save(&shared_lock);
    struct port *old = shared_port;

    shared_port = fresh;
    spin_unlock_restore(&shared_lock, state);
    ports_close(old);
}

static void call_and_close(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;

    for (unsigned i = 0; i < CALLS; i++) {
        struct port *port = get_shared_port();
        uint64_t word = i;
        status_t status = ports_call(port, 1, &word, DEADLINE_NONE);

        /* relaxed: counts */
        if (status == OK) {
            atomic_add_relaxed(&answered, 1);
        } else {
            EXPECT_EQ(status, ERR_STALE);
            atomic_add_relaxed(&refused, 1);
        }
        object_release(&port->object);
        if (index == 0 && i % 8 == 0) {
            replace_shared_port();
        }
    }
}

TEST(baton, closing_under_load_answers_or_refuses_every_call_once)
{
    inside = overlaps = served = answered = refused = 0;
    shared_port = ports_make_service(count_exclusively, NULL);
    crew_run(CALLERS, call_and_close, NULL);
    EXPECT_EQ(answered + refused, CALLERS * CALLS);
    ports_close(shared_port);
}
