/* SPDX-License-Identifier: MIT */
/* Calls that a courier runs: their callers go on at a deadline, whatever the service does. */
#include <string.h>

#include "ipc/call.h"
#include "ipc/courier.h"
#include "ipc/letter.h"
#include "ipc/name.h"
#include "kernel/abi/exit.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"
#include "user/programs/call-peer/protocol.h"

static const struct message plain = {.tag = MESSAGE_TAG(1, 1), .word = {5}};
static struct ports_stop stop;

struct patient {
    struct port *port;
    struct message message;
    nsec_t deadline;
    status_t status;
};

static void ask_patiently(void *argument)
{
    struct patient *patient = argument;

    patient->message = plain;
    patient->status = call_posted(patient->port, 0, &patient->message, patient->deadline);
}

static void hold_and_answer(struct request *request)
{
    (void)ports_stop(&stop);
    request->message->word[0] = 77;
    request_reply(request, OK, 1);
}

/* The caller leaves a run that does not end; the run ends later, and its answer is nobody's. */
static void leave_a_run(struct port *port, bool kill, status_t expected)
{
    struct patient patient = {.port = port};
    struct thread *thread;

    stop = (struct ports_stop){0};
    patient.deadline = kill ? (nsec_t)DEADLINE_NONE : timer_now_ns() + 500000000UL;
    thread = crew_start(crew_core(1), ask_patiently, &patient);
    EXPECT_SOON(ports_is_stopped(&stop));
    if (kill) {
        thread_kill(thread);
    }
    crew_join(thread);
    EXPECT_EQ(patient.status, expected);
    EXPECT_EQ(patient.message.word[0], plain.word[0]);
    EXPECT_TRUE(word_is_busy(atomic_load_relaxed(&port->word)));
    ports_let_go(&stop);
    EXPECT_SOON(atomic_load_relaxed(&port->word) == 0);
    EXPECT_SOON(kernel_domain.orphan_count == 0);
}

TEST(posted_call, a_caller_goes_on_at_its_deadline_and_the_run_without_it)
{
    struct port *port = ports_make_service(hold_and_answer, NULL);

    leave_a_run(port, false, ERR_TIMED_OUT);
    leave_a_run(port, true, ERR_CANCELLED);
    ports_close(port);
}

TEST(posted_call, the_same_of_a_concurrent_service)
{
    struct port *port = ports_make_concurrent(hold_and_answer, NULL, 2);

    leave_a_run(port, false, ERR_TIMED_OUT);
    leave_a_run(port, true, ERR_CANCELLED);
    ports_close(port);
}

static void answer(struct request *request)
{
    request->message->word[0] = 77;
    request_reply(request, OK, 1);
}

TEST(posted_call, is_answered_after_letters_that_were_there_and_while_others_call)
{
    struct port *port = ports_make_service(answer, NULL);
    struct patient patient = {.port = port, .deadline = DEADLINE_NONE};
    struct thread *thread;
    uint64_t word = 0;

    EXPECT_OK(letter_send(port, 0, &plain, DEADLINE_NOW));
    thread = crew_start(crew_core(1), ask_patiently, &patient);
    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    crew_join(thread);
    EXPECT_OK(patient.status);
    EXPECT_EQ(patient.message.word[0], 77);
    EXPECT_EQ(port->calls, 3);
    port_close(port, ERR_STALE);
    ask_patiently(&patient);
    EXPECT_EQ(patient.status, ERR_STALE);
    object_release(&port->object);
}

static uint32_t post_runs;
static uint32_t post_answers;
static uint32_t post_others;

/* Takes about as long as its callers wait, so all orders of answer and leave come up. */
static void answer_late(struct request *request)
{
    uint32_t random = (uint32_t)request->message->word[0];
    nsec_t until = timer_now_ns() + crew_random(&random) % 40000;

    while (timer_now_ns() < until) {
        arch_relax();
    }
    /* relaxed: a count */
    atomic_add_relaxed(&post_runs, 1U);
    request->message->word[0] = ~request->message->word[0];
    request_reply(request, OK, 1);
}

static void post_often(void *member)
{
    struct crew_member *me = member;
    uint32_t random = me->index + 1;

    for (uint64_t i = 0; i < 200; i++) {
        uint64_t asked = (uint64_t)me->index << 32 | i;
        struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {asked}};
        nsec_t deadline = timer_now_ns() + crew_random(&random) % 200000;
        status_t status = i % 8 == 7 ? call_port(me->shared, 0, &message, DEADLINE_NONE)
                                     : call_posted(me->shared, 0, &message, deadline);

        EXPECT_EQ(message.word[0], status == OK ? ~asked : asked);
        EXPECT_TRUE(status == OK || status == ERR_TIMED_OUT);
        /* relaxed: counts */
        atomic_add_relaxed(status == OK ? &post_answers : &post_others, 1U);
    }
}

static void race(struct port *port)
{
    post_runs = post_answers = post_others = 0;
    crew_run(8, post_often, port);
    EXPECT_SOON(atomic_load_relaxed(&port->word) == 0);
    EXPECT_EQ(post_answers + post_others, 8 * 200);
    EXPECT_TRUE(post_runs >= post_answers);
    EXPECT_TRUE(post_answers >= 8 * 25);
    EXPECT_SOON(kernel_domain.orphan_count == 0);
    ports_close(port);
}

TEST(posted_call, every_call_is_answered_or_times_out_whoever_comes_first)
{
    race(ports_make_service(answer_late, NULL));
    race(ports_make_concurrent(answer_late, NULL, 2));
}

#define PEER "test.posted"

/* A user service gets no more patience than its caller's deadline, in a call of the ordinary kind. */
static void expect_left(const char *arguments, size_t bytes)
{
    struct domain *domain = ports_start_peer(arguments, bytes);
    struct message message = {.tag = MESSAGE_TAG(PEER_SLEEP, 0), .word = {5}};
    struct port *port = NULL;
    long code;

    if (domain == NULL) {
        return;
    }
    EXPECT_SOON(name_find(PEER, strlen(PEER), &port) == OK);
    EXPECT_EQ(call_port(port, 0, &message, timer_now_ns() + 500000000UL), ERR_TIMED_OUT);
    EXPECT_EQ(message.word[0], 5);
    EXPECT_TRUE(word_is_busy(atomic_load_relaxed(&port->word))); /* it sleeps on */
    domain_kill(domain, EXIT_KILLED);
    EXPECT_OK(domain_join(domain, timer_now_ns() + CREW_PATIENCE_NS, &code));
    EXPECT_EQ(call_port(port, 0, &message, timer_now_ns() + 500000000UL), ERR_PEER_DIED);
    object_release(&port->object);
    object_release(&domain->object);
    EXPECT_SOON(courier_idle(core_index()) == COURIERS);
}

TEST(posted_call, a_user_service_that_never_returns_is_left)
{
    static const char exclusive[] = "call-peer\0" PEER;
    static const char concurrent[] = "call-peer\0" PEER "\0-\0"
                                     "2";

    expect_left(exclusive, sizeof(exclusive));
    expect_left(concurrent, sizeof(concurrent));
}
