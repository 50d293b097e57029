/* SPDX-License-Identifier: MIT */
/* Letters to services, and the couriers that deliver them. */
#include "ipc/letter.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "ipc/baton.h"
#include "ipc/call.h"
#include "ipc/courier.h"
#include "ipc/mailbox.h"
#include "ipc/room.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static status_t send(struct port *port, uint64_t word)
{
    struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {word}};

    return letter_send(port, 7, &message, DEADLINE_NOW);
}

/* What a service saw, in the order in which it did. */
struct diary {
    uint32_t count; /* atomic */
    uint64_t word[256];
    struct thread *thread[256];
    uint64_t badge[256];
    struct ports_stop stop;
    uint64_t stop_at; /* the word at which the run stops until it is let go; 0: none */
};

static void note(struct request *request)
{
    struct diary *diary = (struct diary *)request->cookie;
    uint32_t at = diary->count;
    uint64_t word = request->message->word[0];

    EXPECT_TRUE(at < 256);
    diary->word[at % 256] = word;
    diary->badge[at % 256] = request->badge;
    diary->thread[at % 256] = thread_current();
    if (diary->stop_at != 0 && word == diary->stop_at) {
        (void)ports_stop(&diary->stop);
    }
    /* release: the notes first; pairs with the acquire in noted */
    atomic_store_release(&diary->count, at + 1);
    request_reply(request, OK, 1);
}

static uint32_t noted(struct diary *diary)
{
    /* acquire: what it saw; pairs with note */
    return atomic_load_acquire(&diary->count);
}

static struct diary diaries[COURIERS + 2];

static struct diary *fresh(unsigned i)
{
    diaries[i] = (struct diary){0};
    return &diaries[i];
}

static void expect_quiet(void)
{
    EXPECT_SOON(courier_idle(core_index()) == COURIERS);
    EXPECT_EQ(courier_pending(core_index()), 0);
}

TEST(letter, a_letter_is_served_once_by_a_courier_with_its_badge)
{
    struct diary *diary = fresh(0);
    struct port *port = ports_make_service(note, diary);

    EXPECT_OK(send(port, 5));
    EXPECT_SOON(noted(diary) == 1);
    EXPECT_EQ(diary->word[0], 5);
    EXPECT_EQ(diary->badge[0], 7);
    EXPECT_TRUE(diary->thread[0] != thread_current());
    EXPECT_SOON(atomic_load_relaxed(&port->word) == 0);
    EXPECT_EQ(port->unserved & ROOM_COUNT, 0);
    EXPECT_EQ(port->calls, 1);
    expect_quiet();
    ports_close(port);
}

TEST(letter, a_sender_goes_on_before_its_letters_are_served_and_their_order_stays)
{
    struct diary *diary = fresh(0);
    struct port *port = ports_make_service(note, diary);
    uint64_t irq = irq_save(); /* a slice must not end between */

    for (uint64_t i = 0; i < 40; i++) {
        EXPECT_OK(send(port, i));
        EXPECT_EQ(noted(diary), 0);
    }
    irq_restore(irq);
    EXPECT_EQ(port_queued(port), 40 - noted(diary));
    EXPECT_SOON(noted(diary) == 40);
    for (uint64_t i = 0; i < 40; i++) {
        EXPECT_EQ(diary->word[i], i);
    }
    ports_close(port);
}

TEST(letter, the_capacity_is_exact)
{
    struct diary *diary = fresh(0);
    struct port *port = ports_make_service(note, diary);
    uint64_t irq = irq_save();

    for (uint64_t i = 0; i < PORT_QUEUE_CAPACITY; i++) {
        EXPECT_OK(send(port, i));
    }
    EXPECT_EQ(send(port, 99), ERR_WOULD_BLOCK);
    irq_restore(irq);
    EXPECT_SOON(noted(diary) == PORT_QUEUE_CAPACITY);
    EXPECT_OK(send(port, 100));
    EXPECT_SOON(noted(diary) == PORT_QUEUE_CAPACITY + 1);
    ports_close(port);
}

TEST(letter, a_caller_comes_after_the_letters_that_were_there_and_before_later_ones)
{
    struct diary *diary = fresh(0);
    struct port *port = ports_make_service(note, diary);
    uint64_t word = 50;
    uint64_t irq = irq_save();

    for (uint64_t i = 0; i < 20; i++) {
        EXPECT_OK(send(port, i));
    }
    irq_restore(irq);
    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(noted(diary), 21);
    EXPECT_EQ(diary->word[20], 50);
    EXPECT_TRUE(diary->thread[20] == thread_current());
    EXPECT_TRUE(diary->thread[0] != thread_current());
    EXPECT_OK(send(port, 60));
    EXPECT_SOON(noted(diary) == 22);
    ports_close(port);
}

TEST(letter, a_caller_does_not_sleep_with_a_letter_that_it_did_not_send)
{
    struct diary *diary = fresh(0);
    struct port *port = ports_make_service(note, diary);
    uint64_t word = 50;

    /* Its own run is over when letters come next: it goes on, and a courier sleeps with them. */
    diary->stop_at = 1;
    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    EXPECT_OK(send(port, 1));
    EXPECT_SOON(ports_is_stopped(&diary->stop));
    EXPECT_OK(send(port, 2));
    EXPECT_EQ(ports_call(port, 1, &word, timer_now_ns() + 1000000), ERR_TIMED_OUT);
    EXPECT_EQ(ports_call(port, 1, &word, DEADLINE_NOW), ERR_WOULD_BLOCK);
    ports_let_go(&diary->stop);
    EXPECT_SOON(noted(diary) == 3);
    EXPECT_EQ(diary->word[2], 2);
    expect_quiet();
    ports_close(port);
}

TEST(letter, a_service_that_sleeps_stops_no_other_port_until_all_couriers_do)
{
    struct port *port[COURIERS + 1];

    for (unsigned i = 0; i <= COURIERS; i++) {
        port[i] = ports_make_service(note, fresh(i));
        diaries[i].stop_at = 1;
    }
    for (unsigned i = 0; i < COURIERS; i++) {
        EXPECT_OK(send(port[i], 1));
        EXPECT_SOON(ports_is_stopped(&diaries[i].stop));
    }
    EXPECT_EQ(courier_idle(core_index()), 0);
    diaries[COURIERS].stop_at = 0;
    EXPECT_OK(send(port[COURIERS], 9));
    sched_yield();
    EXPECT_EQ(noted(&diaries[COURIERS]), 0);
    EXPECT_EQ(courier_pending(core_index()), 1);
    ports_let_go(&diaries[0].stop); /* one comes back, and finds it */
    EXPECT_SOON(noted(&diaries[COURIERS]) == 1);
    for (unsigned i = 1; i < COURIERS; i++) {
        ports_let_go(&diaries[i].stop);
    }
    expect_quiet();
    for (unsigned i = 0; i <= COURIERS; i++) {
        ports_close(port[i]);
    }
}

static void keep_core_busy(void *stop)
{
    /* relaxed: only a sign */
    while (atomic_load_relaxed((uint32_t *)stop) == 0) {
        arch_relax();
    }
}

struct sending {
    struct port *port;
    uint64_t switches;
    uint32_t stop;
};

static void send_and_stay(void *argument)
{
    struct sending *sending = argument;

    sending->switches = core_current()->switches;
    EXPECT_OK(send(sending->port, 1));
    keep_core_busy(&sending->stop);
}

static uint64_t switches_then;

static void note_switches(struct request *request)
{
    switches_then = core_current()->switches;
    note(request);
}

TEST(letter, on_a_busy_core_it_is_served_at_the_end_of_the_slice)
{
    struct diary *diary = fresh(0);
    struct port *port = ports_make_service(note_switches, diary);
    struct sending sending = {.port = port};
    struct thread *busy[3];
    struct thread *sender;

    for (unsigned i = 0; i < 3; i++) {
        busy[i] = crew_start(crew_core(1), keep_core_busy, &sending.stop);
    }
    sender = crew_start(crew_core(1), send_and_stay, &sending);
    EXPECT_SOON(noted(diary) == 1);
    EXPECT_EQ(switches_then - sending.switches, 1); /* before all of those that are busy */
    atomic_store_relaxed(&sending.stop, 1U);        /* relaxed: only a sign */
    for (unsigned i = 0; i < 3; i++) {
        crew_join(busy[i]);
    }
    crew_join(sender);
    ports_close(port);
}

static void count_letter(struct request *request)
{
    uint64_t *counts = (uint64_t *)request->cookie;
    uint64_t *last = &counts[request->message->word[0]];

    /* Only the holder of the baton is here, so plain variables do. */
    EXPECT_EQ(request->message->word[1], *last + 1);
    *last = request->message->word[1];
    request_reply(request, OK, 0);
}

#define HAMMER_SENDERS 4U
#define HAMMER_LETTERS 2000U

static uint64_t hammered[HAMMER_SENDERS];

static void hammer(void *argument)
{
    const struct crew_member *member = argument;
    struct port *port = member->shared;

    for (uint64_t i = 1; i <= HAMMER_LETTERS; i++) {
        struct message message = {.tag = MESSAGE_TAG(1, 2), .word = {member->index, i}};

        EXPECT_OK(letter_send(port, 0, &message, DEADLINE_NONE));
        if (i % 7 == 0) {
            sched_yield();
        }
    }
}

TEST(letter, none_is_lost_and_the_order_of_each_sender_stays)
{
    struct port *port = ports_make_service(count_letter, hammered);

    for (unsigned i = 0; i < HAMMER_SENDERS; i++) {
        hammered[i] = 0;
    }
    crew_run(HAMMER_SENDERS, hammer, port);
    for (unsigned i = 0; i < HAMMER_SENDERS; i++) {
        EXPECT_SOON(atomic_load_relaxed(&hammered[i]) == HAMMER_LETTERS);
    }
    EXPECT_SOON(atomic_load_relaxed(&port->word) == 0);
    EXPECT_EQ(atomic_load_relaxed(&port->unserved) & ROOM_COUNT, 0);
    ports_close(port);
}

TEST(letter, closing_a_port_drops_its_letters)
{
    struct diary *diary = fresh(0);
    struct port *port = ports_make_service(note, diary);

    diary->stop_at = 1;
    EXPECT_OK(send(port, 1));
    EXPECT_SOON(ports_is_stopped(&diary->stop));
    for (uint64_t i = 2; i < 10; i++) {
        EXPECT_OK(send(port, i));
    }
    port_close(port, ERR_STALE);
    EXPECT_EQ(send(port, 11), ERR_STALE);
    EXPECT_EQ(port->unserved & ROOM_COUNT, 0);
    ports_let_go(&diary->stop);
    expect_quiet();
    EXPECT_EQ(noted(diary), 1);
    object_release(&port->object);
}

struct waiting_sender {
    struct port *port;
    nsec_t deadline;
    status_t status;
};

static void send_waiting(void *argument)
{
    struct waiting_sender *sender = argument;
    struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {77}};

    sender->status = letter_send(sender->port, 0, &message, sender->deadline);
}

static void fill(struct port *port)
{
    while (send(port, 3) == OK) {
    }
}

TEST(letter, a_sender_waits_for_room_until_its_deadline_or_the_end_of_the_port)
{
    struct port *port = ports_make_mailbox();
    struct waiting_sender timed = {port, timer_now_ns() + 2000000, OK};
    struct waiting_sender patient = {port, DEADLINE_NONE, OK};
    struct waiting_sender closed = {port, DEADLINE_NONE, OK};
    struct message message;
    struct thread *thread;
    uint64_t badge;

    fill(port);
    send_waiting(&timed);
    EXPECT_EQ(timed.status, ERR_TIMED_OUT);
    thread = crew_start(crew_core(1), send_waiting, &patient);
    EXPECT_SOON((atomic_load_relaxed(&port->unserved) & ROOM_WANTED) != 0);
    EXPECT_OK(ports_receive(port, DEADLINE_NOW, &message, &badge));
    crew_join(thread);
    EXPECT_OK(patient.status);
    EXPECT_EQ(port->unserved & ROOM_COUNT, PORT_QUEUE_CAPACITY);
    thread = crew_start(crew_core(1), send_waiting, &closed);
    EXPECT_SOON(thread->state == THREAD_BLOCKED);
    port_close(port, ERR_STALE);
    crew_join(thread);
    EXPECT_EQ(closed.status, ERR_STALE);
    object_release(&port->object);
}

TEST(letter, a_sender_that_is_to_end_waits_for_room_no_longer)
{
    struct port *port = ports_make_mailbox();
    struct waiting_sender killed = {port, DEADLINE_NONE, OK};
    struct thread *thread;

    fill(port);
    thread = crew_start(crew_core(1), send_waiting, &killed);
    EXPECT_SOON(thread->state == THREAD_BLOCKED);
    thread_kill(thread);
    crew_join(thread);
    EXPECT_EQ(killed.status, ERR_CANCELLED);
    EXPECT_EQ(port->unserved & ROOM_COUNT, PORT_QUEUE_CAPACITY);
    ports_close(port);
}

#define MANY_LETTERS 100000U

static void add_up(struct request *request)
{
    *(uint64_t *)request->cookie += request->message->word[0];
}

/* As many as there is room for at a time; 10^7 of them with MANY_LETTERS changed take some minutes. */
TEST(letter, memory_after_many_letters_is_that_of_before)
{
    static uint64_t sum;
    struct port *port = ports_make_service(add_up, &sum);
    struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {1}};
    uint64_t objects, pages;

    sum = 0;
    fill(port); /* slabs that any use of a port needs */
    EXPECT_SOON(atomic_load_relaxed(&port->word) == 0);
    sum = 0;
    objects = spmalloc_objects();
    pages = spmalloc_pages();
    for (uint32_t i = 0; i < MANY_LETTERS; i++) {
        EXPECT_OK(letter_send(port, 0, &message, DEADLINE_NONE));
    }
    EXPECT_SOON(atomic_load_relaxed(&port->word) == 0);
    EXPECT_EQ(sum, MANY_LETTERS);
    EXPECT_EQ(spmalloc_objects(), objects);
    EXPECT_EQ(spmalloc_pages(), pages);
    ports_close(port);
}

static void stop_each(struct request *request)
{
    struct ports_stop *stops = (struct ports_stop *)request->cookie;

    (void)ports_stop(&stops[request->message->word[0]]);
    request_reply(request, OK, 0);
}

TEST(letter, a_concurrent_service_runs_several_at_once)
{
    static struct ports_stop stops[3];
    struct port *port = ports_make_concurrent(stop_each, stops, 2);

    for (unsigned i = 0; i < 3; i++) {
        stops[i] = (struct ports_stop){0};
        EXPECT_OK(send(port, i));
    }
    EXPECT_SOON(ports_is_stopped(&stops[0]));
    EXPECT_SOON(ports_is_stopped(&stops[1])); /* by another courier, in another slot */
    sched_yield();
    EXPECT_FALSE(ports_is_stopped(&stops[2]));
    ports_let_go(&stops[1]);
    EXPECT_SOON(ports_is_stopped(&stops[2]));
    ports_let_go(&stops[0]);
    ports_let_go(&stops[2]);
    expect_quiet();
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}
