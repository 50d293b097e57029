/* SPDX-License-Identifier: MIT */
/*
 * Torture of letters where none may be lost: each member sends numbered letters to a service and to a mailbox of its own,
 * that nobody closes. What was taken in arrives, once, in order; what was refused never does.
 */
#include "arch/timer.h"
#include "ipc/letter.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"
#include "tests/kernel/torture.h"

#define MEMBERS_A_CORE 2U
#define BURST 40U
#define CAPACITY 16U
#define PATIENCE_NS 300000UL

/* One sender and what its letters come to. */
struct line_of_letters {
    uint64_t sent;    /* taken in */
    uint64_t arrived; /* atomic: the runs are elsewhere */
    uint64_t refused;
};

/* Relaxed: counts. */
static uint64_t all_sent;
static uint64_t all_refused;

static void arrive(struct line_of_letters *line, uint64_t number)
{
    /* relaxed: one run at a time, and the sender only waits for the number */
    EXPECT_EQ(number, atomic_load_relaxed(&line->arrived));
    atomic_store_relaxed(&line->arrived, line->arrived + 1);
}

static void serve(struct request *request)
{
    arrive((struct line_of_letters *)request->cookie, request->message->word[0]);
    request_reply(request, OK, 0);
}

static void send(struct torture_member *member, struct line_of_letters *line, struct port *port)
{
    struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {line->sent}};
    bool waits = crew_random(&member->random) % 2 == 0;
    status_t status = letter_send(
        port, 0, &message,
        waits ? timer_now_ns() + crew_random(&member->random) % PATIENCE_NS : DEADLINE_NOW);

    if (status == OK) {
        line->sent++;
    } else {
        EXPECT_TRUE(status == ERR_WOULD_BLOCK || status == ERR_TIMED_OUT);
        line->refused++;
    }
}

static void empty(struct line_of_letters *line, struct port *mailbox)
{
    struct message message;
    uint64_t badge;

    while (ports_receive(mailbox, DEADLINE_NOW, &message, &badge) == OK) {
        arrive(line, message.word[0]);
    }
    EXPECT_EQ(line->arrived, line->sent);
}

static struct port *limit(struct port *port)
{
    const struct port_limits limits = {CAPACITY, CAPACITY / 4, CAPACITY / 2, PRIORITY_SHARING};

    EXPECT_OK(letter_configure(port, &limits));
    return port;
}

static void send_letters(struct torture_member *member)
{
    struct line_of_letters to_service = {0}, to_mailbox = {0};
    struct port *service = limit(ports_make_service(serve, &to_service));
    struct port *mailbox = limit(ports_make_mailbox());

    while (torture_goes_on()) {
        uint32_t burst = crew_random(&member->random) % BURST;

        for (uint32_t i = 0; i < burst; i++) {
            send(member, &to_service, service);
            send(member, &to_mailbox, mailbox);
        }
        if (crew_random(&member->random) % 4 == 0) {
            EXPECT_OK(sched_migrate(crew_core(crew_random(&member->random))));
        }
        empty(&to_mailbox, mailbox);
        torture_count(member, 0);
    }
    EXPECT_SOON(atomic_load_relaxed(&to_service.arrived) == to_service.sent);
    atomic_add_relaxed(&all_sent, to_service.sent + to_mailbox.sent);
    atomic_add_relaxed(&all_refused, to_service.refused + to_mailbox.refused);
    ports_close(service);
    ports_close(mailbox);
}

TORTURE(letter, "letters at full ports: each that is taken in arrives once and in order")
{
    unsigned count = sched_online_count() * MEMBERS_A_CORE;

    all_sent = all_refused = 0;
    torture_begin_crew(count);
    for (unsigned i = 0; i < count; i++) {
        torture_add_member(i % sched_online_count(), "sender", send_letters);
    }
    (void)torture_run_crew();
    print("torture letter: %lu letters arrived, %lu were refused\n", all_sent, all_refused);
    EXPECT_TRUE(all_sent > 0);
    EXPECT_TRUE(all_refused > 0);
}
