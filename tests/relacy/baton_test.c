/* SPDX-License-Identifier: MIT */
/*
 * The baton: callers that meet at one service, serve each other, give up and are refused. What the
 * service has done lies in plain variables, as do the requests and their answers: whoever runs without
 * the baton, or sees a request or an answer too early, races.
 *
 * COVERS ipc/line.c
 * COVERS ipc/baton.c
 * COVERS ipc/baton.h
 *
 * Pretended: threads, the close of a port (ipc/port.c) and the loop of ipc/call.c that serves. A wake-up
 * is a token with the order that the lock of a run queue gives.
 */
#include "ipc/baton.h"

#include "arch/core.h"
#include "ipc/deadlock.h"
#include "ipc/port_priv.h"
#include "kernel/base/atomic.h"
#include "tests/relacy/machine.h"
#include "tests/relacy/model.h"

#define CALLERS 3U
#define SOME_DEADLINE 1UL /* it passes at any moment */

static struct port port;
static struct thread threads[CALLERS];
static struct baton_request requests[CALLERS];
static struct message messages[CALLERS];
static uint32_t tokens[CALLERS];
static uint64_t runs;     /* of the service */
static uint64_t ran[CALLERS];
static uint32_t retired;
static bool refuses; /* some callers are told that they would wait for themselves */

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

bool deadlock_leave(struct port *waited, bool (*leave)(void *argument), void *argument)
{
    (void)waited;
    return refuses && model_choose(2) == 1 && leave(argument);
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
static void close_port(void)
{
    uint64_t state = spin_lock_save(&port.lock);
    /* relaxed: all else is under the lock */
    uint64_t before = atomic_or_relaxed(&port.word, WORD_CLOSED);

    port.close_reason = ERR_STALE;
    baton_refuse_all_locked(&port, ERR_STALE);
    spin_unlock_restore(&port.lock, state);
    if ((before & WORD_RUN) == 0) {
        port_retire(&port);
    }
}

/* --- the service and its callers, as in ipc/call.c --- */

static void set_up(void)
{
    machine_set_up(NULL);
    port = (struct port){.lock = SPINLOCK_INIT("port")};
    queue_init(&port.queue);
    for (unsigned i = 0; i < CALLERS; i++) {
        threads[i].state = THREAD_BLOCKED;
        threads[i].waiting_for = NULL;
        threads[i].waits = 0;
        cores[i].current = &threads[i];
        requests[i] = (struct baton_request){.message = &messages[i]};
        messages[i] = (struct message){0};
        tokens[i] = 0;
        ran[i] = 0;
    }
    runs = 0;
    retired = 0;
    refuses = false;
}

static void set_up_refusing(void)
{
    set_up();
    refuses = true;
    for (unsigned i = 0; i < CALLERS; i++) {
        requests[i].nested = true;
    }
}

static void run(const struct baton_request *request)
{
    MODEL_CHECK(request->message->word[1] == 0);
    runs++;
    request->message->word[1] = request->message->word[0] + 1;
}

static void give(void)
{
    struct baton_request *request;

    if (baton_try_give(&port)) {
        return;
    }
    while ((request = baton_next(&port, model_choose(2) == 1)) != NULL) {
        if (model_choose(4) != 0) {
            run(request);
            baton_answer(request, OK);
        } else if (baton_hand_over(&port, request)) {
            return;
        }
    }
}

static void call(unsigned self, uint64_t word, nsec_t deadline)
{
    struct baton_request *request = &requests[self];
    status_t status = OK;

    messages[self].word[0] = word;
    messages[self].word[1] = 0;
    if (!baton_try_take(&port)) {
        status = baton_take(&port, request, deadline);
    }
    if (status == OK) {
        /* relaxed: as in call_port */
        atomic_store_relaxed(&port.holder, thread_current());
        run(request);
        give();
    } else if (status == BATON_ANSWERED) {
        status = request->status;
    }
    MODEL_CHECK(messages[self].word[1] == (status == OK ? word + 1 : 0));
    ran[self] += status == OK;
}

static void settled(void)
{
    MODEL_CHECK((port.word & ~WORD_CLOSED) == 0 && port.holder == NULL);
    MODEL_CHECK(port.queue.count == 0 && port.lock.held == 0);
    MODEL_CHECK(retired == (port.word == WORD_CLOSED));
    MODEL_CHECK(runs == ran[0] + ran[1] + ran[2]);
    for (unsigned i = 0; i < CALLERS; i++) {
        MODEL_CHECK(threads[i].waiting_for == NULL);
    }
}

static void all_ran(void)
{
    settled();
    MODEL_CHECK(runs == 2 * CALLERS);
}

static void call_twice(unsigned self)
{
    call(self, 10 * self, DEADLINE_NONE);
    call(self, 10 * self + 1, DEADLINE_NONE);
}

static void call_with_deadlines(unsigned self)
{
    call(self, 10 * self, self == 0 ? DEADLINE_NONE : SOME_DEADLINE);
    call(self, 10 * self + 1, self == 0 ? DEADLINE_NONE : SOME_DEADLINE);
}

static void call_while_one_closes(unsigned self)
{
    call(self, 10 * self, DEADLINE_NONE);
    if (self == 0) {
        close_port();
    } else {
        call(self, 10 * self + 1, self == 1 ? DEADLINE_NONE : SOME_DEADLINE);
    }
}

MODEL_TEST(baton_each_call_is_run_once, .threads = CALLERS, .rounds = 20000, .before = set_up,
           .thread = call_twice, .after = all_ran, .resume = machine_resume);

MODEL_TEST(baton_with_deadlines, .threads = CALLERS, .rounds = 20000, .before = set_up,
           .thread = call_with_deadlines, .after = settled, .resume = machine_resume);

MODEL_TEST(baton_with_refusals, .threads = CALLERS, .rounds = 10000, .before = set_up_refusing,
           .thread = call_with_deadlines, .after = settled, .resume = machine_resume);

MODEL_TEST(baton_close_refuses_or_answers, .threads = CALLERS, .rounds = 20000, .before = set_up,
           .thread = call_while_one_closes, .after = settled, .resume = machine_resume);
