/* SPDX-License-Identifier: MIT */
/*
 * The baton: callers that meet at a service, serve each other, give up and are refused; rings of callers
 * that wait for each other; services that run for two at once. What a service has done lies in plain variables, as do the requests and
 * their answers: whoever runs without the baton, or sees a request or an answer too early, races.
 *
 * COVERS ipc/line.c
 * COVERS ipc/line.h
 * COVERS ipc/baton.c
 * COVERS ipc/baton.h
 * COVERS ipc/handover.c
 * COVERS ipc/concurrent.c
 * COVERS ipc/concurrent.h
 * COVERS ipc/deadlock.c
 * EXCEPT ipc/deadlock.c: (&port->holder): deadlock.pml; a false ring needs the fourth newest value
 * EXCEPT ipc/deadlock.c: (&holder->waits): the same
 * EXCEPT ipc/deadlock.c: (&holder->waiting_for): the same
 * EXCEPT ipc/handover.c: release(&port->word, ~WORD_RUN: who takes the baton next has the lock first, but after a
 * purge, which is not here
 * EXCEPT ipc/baton.c: release(&request->thread->waiting_for: the same
 *
 * Pretended: threads, the close of a port (ipc/port.c) and the loop of ipc/call.c that serves. A wake-up
 * is a token with the order that the lock of a run queue gives.
 */
#include "ipc/baton.h"

#include "arch/core.h"
#include "ipc/concurrent.h"
#include "ipc/deadlock.h"
#include "ipc/lending.h"
#include "ipc/port_priv.h"
#include "kernel/base/atomic.h"
#include "tests/relacy/baton_world.h"
#include "tests/relacy/machine.h"
#include "tests/relacy/model.h"

struct port baton_ports[PORTS];
static struct thread threads[CALLERS];
static struct baton_request requests[CALLERS][2]; /* by depth */
static struct message messages[CALLERS][2];
static uint32_t tokens[CALLERS];
static uint64_t runs[PORTS]; /* of the services; in each, only the holder of its baton */
uint64_t baton_ran[CALLERS];
static uint32_t retired;
static uint32_t kept;             /* runs whose callers may have gone on */
static uint32_t let_go;           /* that are over */
static unsigned refused[CALLERS]; /* with ERR_DEADLOCK */

/* --- what ipc/baton.c calls --- */

static unsigned index_of(const struct thread *thread)
{
    return (unsigned)(thread - threads);
}

void sched_wake_thread(struct thread *thread)
{
    /* release: what was before it; pairs with the swap in take_token */
    atomic_store_release(&tokens[index_of(thread)], 1U);
}

static bool take_token(void)
{
    /* acquire: what was before the wake-up; pairs with sched_wake_thread */
    return atomic_swap_acquire(&tokens[core_index()], 0U) != 0;
}

status_t sched_block_until(nsec_t deadline)
{
    while (!take_token()) {
        if (deadline != DEADLINE_NONE && model_choose(2) == 1) {
            return ERR_TIMED_OUT;
        }
        model_yield();
    }
    return OK;
}

void sched_block(void)
{
    (void)sched_block_until(DEADLINE_NONE);
}

/* Nobody has a rank here, so nobody lends: tests/models/lending.pml. */
void lending_lend(struct port *port)
{
    (void)port;
}

bool lending_pass_locked(struct port *port, struct thread *next)
{
    (void)port;
    (void)next;
    return false;
}

void lending_serve_locked(struct port *port, struct thread *asker)
{
    (void)port;
    (void)asker;
}

void lending_settle(void)
{
}

uint32_t lending_rank_of_line_locked(struct port *port)
{
    (void)port;
    return RANK_IDLE;
}

/* Whom a run belongs to that goes on without its caller. */
void domain_keep(struct domain *domain)
{
    (void)domain;
    /* relaxed: a count */
    atomic_add_relaxed(&kept, 1U);
}

void domain_let_go(struct domain *domain)
{
    (void)domain;
    /* relaxed: a count */
    atomic_sub_relaxed(&kept, 1U);
    atomic_add_relaxed(&let_go, 1U); /* relaxed: a count */
}

/* All cores have something to do. */
uint32_t sched_ready_count(cpu_t cpu)
{
    (void)cpu;
    return 1;
}

bool sched_pull(struct thread *thread)
{
    (void)thread;
    return false;
}

void port_retire(struct port *closed)
{
    /* relaxed: only looked at in the end */
    MODEL_CHECK(atomic_load_relaxed(&closed->word) == WORD_CLOSED);
    MODEL_CHECK(atomic_add_relaxed(&retired, 1U) == 0);
}

status_t port_close_reason(struct port *closed)
{
    uint64_t state = spin_lock_save(&closed->lock);
    /* relaxed: closed is set under this lock */
    bool is_closed = (atomic_load_relaxed(&closed->word) & WORD_CLOSED) != 0;
    status_t reason = is_closed ? closed->close_reason : OK;

    spin_unlock_restore(&closed->lock, state);
    return reason;
}

/* As port_close does. */
static void close_port(struct port *port)
{
    uint64_t state = spin_lock_save(&port->lock);
    /* relaxed: all else is under the lock */
    uint64_t before = atomic_or_relaxed(&port->word, WORD_CLOSED);

    port->close_reason = ERR_STALE;
    baton_refuse_all_locked(port, ERR_STALE);
    spin_unlock_restore(&port->lock, state);
    if (!word_is_busy(before)) {
        port_retire(port);
    }
}

/* --- the services and their callers, as in ipc/call.c --- */

void baton_set_up(void)
{
    machine_set_up(NULL);
    for (unsigned i = 0; i < PORTS; i++) {
        baton_ports[i] = (struct port){.lock = SPINLOCK_INIT("port")};
        queue_init(&baton_ports[i].queue);
        runs[i] = 0;
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        threads[i].state = THREAD_BLOCKED;
        threads[i].waiting_for = NULL;
        threads[i].waits = 0;
        cores[i].current = &threads[i];
        for (unsigned depth = 0; depth < 2; depth++) {
            requests[i][depth] =
                (struct baton_request){.message = &messages[i][depth], .nested = depth != 0};
        }
        tokens[i] = 0;
        baton_ran[i] = 0;
        refused[i] = 0;
    }
    retired = kept = let_go = 0;
}

void baton_run(struct port *port, struct message *message)
{
    MODEL_CHECK(message->word[1] == 0);
    runs[port - baton_ports]++;
    message->word[1] = message->word[0] + 1;
}

static void give(struct port *port)
{
    struct baton_work work;

    if (baton_try_give(port)) {
        return;
    }
    while (baton_next(port, model_choose(2) == 1 ? BATON_SERVES_CALLERS : BATON_SERVES_NOBODY,
                      &work)) {
        if (model_choose(4) != 0) {
            baton_run(port, &work.message);
            baton_answer(&work, OK);
        } else if (baton_hand_over(port, &work)) {
            return;
        }
    }
}

/* True when the baton is ours and our request was run. */
static bool take(struct port *port, unsigned self, unsigned depth, nsec_t deadline)
{
    struct baton_request *request = &requests[self][depth];
    uint64_t *word = messages[self][depth].word;
    status_t status = OK;

    word[0] += 10 * self;
    word[1] = 0;
    if (depth != 0 || !baton_try_take(port)) { /* baton_take may come alone: it orders less */
        status = baton_take(port, request, deadline);
    }
    if (status == OK) {
        /* relaxed: as in call_port */
        atomic_store_relaxed(&port->holder, thread_current());
        baton_run(port, request->message);
        baton_ran[self]++;
        return true;
    }
    if (status == BATON_ANSWERED) {
        status = request->status;
    }
    MODEL_CHECK(word[1] == (status == OK ? word[0] + 1 : 0));
    baton_ran[self] += status == OK;
    refused[self] += status == ERR_DEADLOCK;
    return false;
}

void baton_call(struct port *port, unsigned self, unsigned depth, nsec_t deadline)
{
    if (take(port, self, depth, deadline)) {
        give(port);
    }
}

void baton_settled(void)
{
    uint64_t closed = 0;

    for (unsigned i = 0; i < PORTS; i++) {
        MODEL_CHECK((baton_ports[i].word & ~WORD_CLOSED) == 0 && baton_ports[i].holder == NULL);
        MODEL_CHECK(baton_ports[i].queue.count == 0 && baton_ports[i].lock.held == 0);
        MODEL_CHECK(baton_ports[i].served == NULL);
        closed += baton_ports[i].word == WORD_CLOSED;
    }
    MODEL_CHECK(retired == closed);
    MODEL_CHECK(kept == 0);
    MODEL_CHECK(runs[0] + runs[1] + runs[2] >= baton_ran[0] + baton_ran[1] + baton_ran[2]);
    MODEL_CHECK(runs[0] + runs[1] + runs[2] <= baton_ran[0] + baton_ran[1] + baton_ran[2] + let_go);
    for (unsigned i = 0; i < CALLERS; i++) {
        MODEL_CHECK(threads[i].waiting_for == NULL);
    }
}

static void all_ran(void)
{
    baton_settled();
    MODEL_CHECK(runs[0] == 2 * CALLERS);
}

static void one_ring_at_most(void)
{
    baton_settled();
    MODEL_CHECK(refused[0] + refused[1] <= 1);
}

static void nobody_refused(void)
{
    baton_settled();
    MODEL_CHECK(refused[0] + refused[1] + refused[2] == 0);
}

static void call_twice(unsigned self)
{
    baton_call(&baton_ports[0], self, 0, DEADLINE_NONE);
    baton_call(&baton_ports[0], self, 0, DEADLINE_NONE);
}

static void call_with_deadlines(unsigned self)
{
    baton_call(&baton_ports[0], self, 0, self == 0 ? DEADLINE_NONE : SOME_DEADLINE);
    baton_call(&baton_ports[0], self, 0, self == 0 ? DEADLINE_NONE : SOME_DEADLINE);
}

static void call_while_one_closes(unsigned self)
{
    baton_call(&baton_ports[0], self, 0, DEADLINE_NONE);
    if (self == 0) {
        close_port(&baton_ports[0]);
    } else {
        baton_call(&baton_ports[0], self, 0, self == 1 ? DEADLINE_NONE : SOME_DEADLINE);
    }
}

/* The service `outer` calls `inner`. */
static void call_through(unsigned outer, unsigned inner, unsigned self)
{
    if (take(&baton_ports[outer], self, 0, DEADLINE_NONE)) {
        baton_call(&baton_ports[inner], self, 1, DEADLINE_NONE);
        give(&baton_ports[outer]);
    }
}

/* Without the walks two of them may wait for ever. */
static void close_a_ring(unsigned self)
{
    call_through(self, 1 - self, self);
}

/* 0 -> 1 -> 2, and a thread that asks for 0 when it has left 2: nobody can wait for itself, but who
 * looks at an old word may think so. */
static void look_like_a_ring(unsigned self)
{
    if (self < 2) {
        call_through(self, self + 1, self);
    } else {
        baton_call(&baton_ports[2], self, 0, DEADLINE_NONE);
        baton_call(&baton_ports[0], self, 0, SOME_DEADLINE);
    }
}

MODEL_TEST(baton_each_call_is_run_once, .threads = CALLERS, .rounds = 20000, .before = baton_set_up,
           .thread = call_twice, .after = all_ran, .resume = machine_resume);

MODEL_TEST(baton_with_deadlines, .threads = CALLERS, .rounds = 20000, .before = baton_set_up,
           .thread = call_with_deadlines, .after = baton_settled, .resume = machine_resume);

MODEL_TEST(baton_close_refuses_or_answers, .threads = CALLERS, .rounds = 20000,
           .before = baton_set_up, .thread = call_while_one_closes, .after = baton_settled,
           .resume = machine_resume);

MODEL_TEST(baton_ring_of_two_is_opened, .threads = 2, .rounds = 20000, .before = baton_set_up,
           .thread = close_a_ring, .after = one_ring_at_most, .resume = machine_resume);

MODEL_TEST(baton_no_ring_no_refusal, .threads = CALLERS, .rounds = 20000, .before = baton_set_up,
           .thread = look_like_a_ring, .after = nobody_refused, .resume = machine_resume);

/* --- a concurrent service: what a run writes to its stack is a plain variable of the slot --- */

#define SLOTS 2U

static struct run_slot slots[SLOTS];
static uint64_t on_stack[SLOTS];

static void set_up_slots(uint32_t count)
{
    baton_set_up();
    baton_ports[0].mode = PORT_MODE_CONCURRENT_KERNEL;
    baton_ports[0].slots = slots;
    baton_ports[0].slot_count = count;
    for (unsigned i = 0; i < SLOTS; i++) {
        slots[i].holder = NULL;
        on_stack[i] = 0;
    }
}

static void set_up_one_slot(void)
{
    set_up_slots(1);
}

static void set_up_two_slots(void)
{
    set_up_slots(2);
}

/* As call_concurrent does. */
static status_t call_slot(unsigned self, nsec_t deadline)
{
    struct baton_request *request = &requests[self][0];
    struct run_slot *slot = concurrent_try_enter(&baton_ports[0]);

    if (slot == NULL) {
        status_t status = concurrent_enter(&baton_ports[0], request, deadline);

        if (status != OK) {
            return status == BATON_ANSWERED ? request->status : status;
        }
        slot = request->slot;
    }
    /* relaxed: while we are in it stays ours */
    MODEL_CHECK(atomic_load_relaxed(&slot->holder) == thread_current());
    on_stack[slot - slots]++;
    baton_ran[self]++;
    concurrent_leave(&baton_ports[0], slot);
    return OK;
}

static void slots_settled(void)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        MODEL_CHECK(slots[i].holder == NULL);
    }
    runs[0] = on_stack[0] + on_stack[1];
    baton_settled();
}

static void slots_all_ran(void)
{
    slots_settled();
    MODEL_CHECK(runs[0] == 2 * CALLERS);
}

static void call_slot_twice(unsigned self)
{
    (void)call_slot(self, DEADLINE_NONE);
    (void)call_slot(self, DEADLINE_NONE);
}

static void call_slot_with_deadlines(unsigned self)
{
    (void)call_slot(self, self == 0 ? DEADLINE_NONE : SOME_DEADLINE);
    (void)call_slot(self, self == 0 ? DEADLINE_NONE : SOME_DEADLINE);
}

static void call_slot_while_one_closes(unsigned self)
{
    (void)call_slot(self, DEADLINE_NONE);
    if (self == 0) {
        close_port(&baton_ports[0]);
    } else {
        (void)call_slot(self, self == 1 ? DEADLINE_NONE : SOME_DEADLINE);
    }
}

MODEL_TEST(concurrent_one_slot_each_call_is_run_once, .threads = CALLERS, .rounds = 20000,
           .before = set_up_one_slot, .thread = call_slot_twice, .after = slots_all_ran,
           .resume = machine_resume);

MODEL_TEST(concurrent_two_slots_each_call_is_run_once, .threads = CALLERS, .rounds = 20000,
           .before = set_up_two_slots, .thread = call_slot_twice, .after = slots_all_ran,
           .resume = machine_resume);

MODEL_TEST(concurrent_with_deadlines, .threads = CALLERS, .rounds = 20000,
           .before = set_up_two_slots, .thread = call_slot_with_deadlines, .after = slots_settled,
           .resume = machine_resume);

MODEL_TEST(concurrent_close_refuses_or_runs, .threads = CALLERS, .rounds = 20000,
           .before = set_up_two_slots, .thread = call_slot_while_one_closes, .after = slots_settled,
           .resume = machine_resume);
