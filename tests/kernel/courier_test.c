/* SPDX-License-Identifier: MIT */
/* Couriers and classes of ports; letters and results of domains that end. */
#include "ipc/courier.h"

#include "arch/irq.h"
#include "ipc/baton.h"
#include "ipc/call.h"
#include "ipc/letter.h"
#include "ipc/mailbox.h"
#include "ipc/result.h"
#include "ipc/room.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static const struct message plain = {.tag = MESSAGE_TAG(1, 1), .word = {1}};

/* The cookies of the ports that were served, in order. */
static uint64_t order[64];
static uint32_t served;

static void note_order(struct request *request)
{
    /* relaxed: all run on one core, one after the other, and the test reads it when all is over */
    order[atomic_add_relaxed(&served, 1U) % 64] = request->cookie;
    request_reply(request, OK, 0);
}

#define REALTIME_PORTS 20U

static void set_priority(struct port *port, uint64_t priority)
{
    const struct port_limits limits = {64, 16, 48, priority};

    EXPECT_OK(letter_configure(port, &limits));
}

TEST(courier, realtime_ports_come_first_but_a_normal_one_gets_its_share_of_visits)
{
    struct port *realtime[REALTIME_PORTS];
    struct port *normal = ports_make_service(note_order, (void *)1000);
    unsigned at = 0;

    served = 0;
    for (unsigned i = 0; i < REALTIME_PORTS; i++) {
        realtime[i] = ports_make_service(note_order, (void *)(uint64_t)i);
        set_priority(realtime[i], 100);
    }
    uint64_t irq = irq_save(); /* all are posted before a courier looks */
    EXPECT_OK(letter_send(normal, 0, &plain, DEADLINE_NOW));
    for (unsigned i = 0; i < REALTIME_PORTS; i++) {
        EXPECT_OK(letter_send(realtime[i], 0, &plain, DEADLINE_NOW));
    }
    irq_restore(irq);
    EXPECT_SOON(atomic_load_relaxed(&served) == REALTIME_PORTS + 1);
    while (at < REALTIME_PORTS && order[at] != 1000) {
        at++;
    }
    EXPECT_TRUE(at > 0);
    EXPECT_TRUE(at < COURIER_FAIR);
    EXPECT_SOON(courier_idle(core_index()) == COURIERS);
    for (unsigned i = 0; i < REALTIME_PORTS; i++) {
        ports_close(realtime[i]);
    }
    ports_close(normal);
}

struct flood {
    struct port *port;
    uint32_t stop;
};

static void flood(void *argument)
{
    struct flood *flood = argument;

    /* relaxed: only a sign */
    while (atomic_load_relaxed(&flood->stop) == 0) {
        if (letter_send(flood->port, 0, &plain, DEADLINE_NOW) != OK) {
            sched_yield();
        }
    }
}

static uint32_t lone_served;

static void note_lone(struct request *request)
{
    /* release: pairs with nothing; it is only counted */
    atomic_add_relaxed(&lone_served, 1U);
    request_reply(request, OK, 0);
}

TEST(courier, a_flood_of_one_port_does_not_keep_another_waiting)
{
    struct port *flooded = ports_make_service(note_order, NULL);
    struct port *lone = ports_make_service(note_lone, NULL);
    struct flood flooding = {flooded, 0};
    struct thread *thread = crew_start(core_index(), flood, &flooding);

    lone_served = 0;
    for (uint32_t i = 1; i <= 20; i++) {
        nsec_t sent = timer_now_ns();

        EXPECT_OK(letter_send(lone, 0, &plain, DEADLINE_NOW));
        EXPECT_SOON(atomic_load_relaxed(&lone_served) == i);
        /* A few slices: that of the flood, that of the courier, and what a simulated machine is late by. */
        EXPECT_TRUE(timer_now_ns() - sent < 10 * SCHED_SLICE_NS);
    }
    atomic_store_relaxed(&flooding.stop, 1U); /* relaxed: only a sign */
    crew_join(thread);
    EXPECT_SOON(atomic_load_relaxed(&flooded->word) == 0);
    ports_close(flooded);
    ports_close(lone);
}

/* --- senders that are not the kernel: a service of a domain, whose run is the kernel's code --- */

struct errand {
    struct port *to;
    status_t status;
    uint64_t id;
    uint32_t letters;
    bool wants_result;
};

static void run_errand(struct request *request)
{
    struct errand *errand = (struct errand *)request->cookie;

    errand->status = errand->wants_result ? result_make(&errand->id) : OK;
    for (uint32_t i = 0; i < errand->letters && errand->status == OK; i++) {
        errand->status = letter_send_for(errand->to, 5, &plain, DEADLINE_NOW, errand->id);
    }
    request_reply(request, OK, 0);
}

/* A domain whose service sends `letters` letters, which it has done. */
static struct domain *send_from_domain(struct errand *errand)
{
    struct port_attributes attributes = {
        .mode = PORT_MODE_KERNEL_SERVICE, .entry = (vaddr_t)run_errand, .cookie = (uint64_t)errand};
    struct domain *domain;
    struct port *port;
    uint64_t word = 0;

    EXPECT_OK(domain_create("sender", 0, &domain));
    EXPECT_OK(port_create(domain, &attributes, &port));
    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    EXPECT_OK(errand->status);
    object_release(&port->object);
    return domain;
}

static void end_domain(struct domain *domain)
{
    long code;

    domain_kill(domain, 0);
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
}

static void check_empty(struct domain *domain)
{
    EXPECT_SOON(account_pages(domain->account) == 0);
    object_release(&domain->object);
}

TEST(letter_domain, its_letters_are_purged_and_others_stay_in_order)
{
    struct port *port = ports_make_mailbox();
    struct errand errand = {.to = port, .letters = 10};
    struct message message = plain;
    struct domain *domain;
    uint64_t badge;

    EXPECT_OK(mailbox_send(port, 1, &message));
    domain = send_from_domain(&errand);
    message.word[0] = 2;
    EXPECT_OK(mailbox_send(port, 2, &message));
    EXPECT_EQ(port_queued(port), 12);
    EXPECT_TRUE(account_pages(domain->account) > 0);
    end_domain(domain);
    EXPECT_EQ(port_queued(port), 2);
    EXPECT_EQ(port->unserved & ROOM_COUNT, 2);
    for (uint64_t i = 1; i <= 2; i++) {
        EXPECT_OK(ports_receive(port, DEADLINE_NOW, &message, &badge));
        EXPECT_EQ(badge, i);
    }
    check_empty(domain);
    ports_close(port);
}

static struct ports_stop stop;

static void stop_for_ever(struct request *request)
{
    if (request->badge == 9) {
        (void)ports_stop(&stop);
    }
    request_reply(request, OK, 0);
}

TEST(letter_domain, its_letters_in_the_line_of_a_busy_service_are_purged)
{
    struct port *port = ports_make_service(stop_for_ever, NULL);
    struct errand errand = {.to = port, .letters = 10};
    struct domain *domain;

    stop = (struct ports_stop){0};
    EXPECT_OK(letter_send(port, 9, &plain, DEADLINE_NOW));
    EXPECT_SOON(ports_is_stopped(&stop));
    domain = send_from_domain(&errand);
    EXPECT_EQ(port_queued(port), 10);
    end_domain(domain);
    EXPECT_EQ(port_queued(port), 0);
    ports_let_go(&stop);
    EXPECT_SOON(atomic_load_relaxed(&port->word) == 0);
    EXPECT_EQ(port->calls, 1);
    check_empty(domain);
    ports_close(port);
}

static void stop_each_run(struct request *request)
{
    (void)ports_stop(&stop);
    request_reply(request, OK, 0);
}

TEST(letter_domain, a_run_that_needs_its_memory_keeps_it)
{
    struct port *port = ports_make_service(stop_each_run, NULL);
    struct errand errand = {.to = port, .letters = 1};
    struct domain *domain;

    stop = (struct ports_stop){0};
    domain = send_from_domain(&errand);
    EXPECT_SOON(ports_is_stopped(&stop));
    end_domain(domain);
    EXPECT_TRUE(domain->vspace != NULL); /* the run may copy from it */
    ports_let_go(&stop);
    EXPECT_SOON(atomic_load_relaxed(&domain->state) == DOMAIN_DEAD);
    check_empty(domain);
    ports_close(port);
}

TEST(letter_domain, a_reply_to_a_letter_counts_once_and_only_from_who_has_it)
{
    struct port *port = ports_make_mailbox();
    struct errand errand = {.to = port, .letters = 1, .wants_result = true};
    struct domain *domain = send_from_domain(&errand);
    struct message message;
    uint64_t badge;

    EXPECT_EQ(result_count(domain), 1);
    EXPECT_EQ(letter_reply(errand.id, &plain), ERR_STALE); /* nobody has received it */
    EXPECT_OK(ports_receive(port, DEADLINE_NOW, &message, &badge));
    EXPECT_EQ(letter_reply(errand.id ^ 1UL << 20, &plain), ERR_STALE);
    EXPECT_EQ(letter_reply(0, &plain), ERR_STALE);
    EXPECT_EQ(result_collect(errand.id, DEADLINE_NOW, &message), ERR_STALE); /* it is not ours */
    EXPECT_OK(letter_reply(errand.id, &plain));
    EXPECT_EQ(letter_reply(errand.id, &plain), ERR_STALE);
    end_domain(domain);
    EXPECT_EQ(letter_reply(errand.id, &plain), ERR_STALE);
    check_empty(domain);
    ports_close(port);
}

TEST(letter_domain, a_result_of_a_sender_that_ended_goes_nowhere)
{
    struct port *port = ports_make_service(stop_each_run, NULL);
    struct errand errand = {.to = port, .letters = 1, .wants_result = true};
    struct domain *domain;

    stop = (struct ports_stop){0};
    domain = send_from_domain(&errand);
    EXPECT_SOON(ports_is_stopped(&stop));
    end_domain(domain);
    ports_let_go(&stop);
    EXPECT_SOON(atomic_load_relaxed(&domain->state) == DOMAIN_DEAD);
    check_empty(domain);
    ports_close(port);
}

/* Its letter was refused; the places for results are given back all the same. */
TEST(letter_domain, one_that_ends_with_a_result_but_no_letter_leaves_nothing)
{
    struct errand errand = {.letters = 0, .wants_result = true};
    struct domain *domain = send_from_domain(&errand);

    EXPECT_EQ(result_count(domain), 1);
    end_domain(domain);
    EXPECT_EQ(result_count(domain), 0);
    EXPECT_EQ(letter_reply(errand.id, &plain), ERR_STALE);
    check_empty(domain);
}

static void collect(void *argument)
{
    struct errand *errand = argument;
    struct message reply;

    errand->status = result_collect(errand->id, DEADLINE_NONE, &reply);
}

TEST(letter_domain, one_waits_for_a_result_and_a_second_is_refused)
{
    struct port *port = ports_make_mailbox();
    struct errand errand = {.to = port, .letters = 1};
    struct message message;
    struct thread *thread;
    uint64_t badge;

    EXPECT_OK(result_make(&errand.id));
    EXPECT_OK(letter_send_for(port, 0, &plain, DEADLINE_NOW, errand.id));
    thread = crew_start(crew_core(1), collect, &errand);
    EXPECT_SOON(atomic_load_relaxed(&thread->state) == THREAD_BLOCKED);
    EXPECT_EQ(result_collect(errand.id, timer_now_ns() + 1000000, &message), ERR_WOULD_BLOCK);
    EXPECT_OK(ports_receive(port, DEADLINE_NOW, &message, &badge));
    errand.status = ERR_INVALID;
    EXPECT_OK(letter_reply(errand.id, &message));
    crew_join(thread);
    EXPECT_OK(errand.status);
    EXPECT_EQ(result_collect(errand.id, DEADLINE_NOW, &message), ERR_STALE);
    ports_close(port);
    result_drop_all(&kernel_domain);
    (void)epoch_drain();
}
