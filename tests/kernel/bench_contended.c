/* SPDX-License-Identifier: MIT */
/*
 * Rows of calls that meet: two callers on two cores, one service.
 *
 * Under -icount QEMU runs its harts in turns that end when the next timer is due, so two cores that are
 * busy would hardly ever meet inside a call. So a third core ticks: its timer is due every few hundred nanoseconds,
 * a turn is at most a third of that, and a tick costs it some 30 instructions. The counter is shared by all harts:
 * a figure is the instructions of both callers together, waiting included, and those of the ticks, for each
 * call that either made. The row `apart` shows what all that is when they do not meet.
 */
#include "arch/irq.h"
#include "arch/timer.h"
#include "ipc/call.h"
#include "ipc/name.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/bench.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define CORES 3U
#define TICK_NS_MIN 200UL
#define TICK_NS_RANGE 400UL
#define WARM_UP 100U

static uint32_t ticking; /* the third core is to tick; relaxed, as all signs here */

/* Ticks of various lengths: calls and turns must not fall into step. Nothing else is served here meanwhile. */
static void tick(void *argument)
{
    uint64_t state = irq_save();
    uint32_t random = 1;

    (void)argument;
    while (atomic_load_relaxed(&ticking) != 0) {
        timer_set_deadline(timer_now_ns() + TICK_NS_MIN + crew_random(&random) % TICK_NS_RANGE);
        arch_wait_for_interrupt();
    }
    timer_set_deadline(timer_now_ns());
    irq_restore(state);
}

static void echo(struct request *request)
{
    request_reply(request, OK, 1);
}

struct caller {
    struct port *port;
    uint64_t calls; /* so far; written by itself */
    uint32_t stop;
};

static void call_once(struct caller *caller)
{
    uint64_t word = 1;

    BUG_ON(ports_call(caller->port, 1, &word, DEADLINE_NONE) != OK);
    atomic_store_relaxed(&caller->calls, caller->calls + 1);
}

static void call_on_and_on(void *argument)
{
    struct caller *caller = argument;

    while (atomic_load_relaxed(&caller->stop) == 0) {
        call_once(caller);
    }
}

/* This thread on core 0 calls `mine`, another one on core 1 calls `its`. */
static void call_both(const char *id, struct port *mine, struct port *its)
{
    static struct caller other;
    struct caller self = {.port = mine};

    other = (struct caller){.port = its};
    struct thread *thread = crew_start(1, call_on_and_on, &other);

    while (atomic_load_relaxed(&other.calls) < WARM_UP || self.calls < WARM_UP) {
        call_once(&self);
    }
    uint64_t calls = atomic_load_relaxed(&other.calls);
    uint64_t start = bench_instructions();

    for (unsigned i = 0; i < BENCH_ROUNDS; i++) {
        call_once(&self);
    }
    uint64_t total = bench_instructions() - start;

    calls = atomic_load_relaxed(&other.calls) - calls + BENCH_ROUNDS;
    atomic_store_relaxed(&other.stop, 1U);
    BUG_ON(crew_join(thread) != 0);
    bench_print(id, total * BENCH_ROUNDS / calls, 0);
}

static void measure(const char *id, struct port *mine, struct port *its)
{
    atomic_store_relaxed(&ticking, 1U);
    struct thread *ticker = crew_start(CORES - 1, tick, NULL);

    call_both(id, mine, its);
    atomic_store_relaxed(&ticking, 0U);
    BUG_ON(crew_join(ticker) != 0);
}

static void measure_kernel(const char *id, bool combining, bool apart)
{
    if (sched_online_count() != CORES) {
        return; /* tools/bench.py runs these rows on three harts */
    }
    struct port *port =
        combining ? ports_make_combining(echo, NULL) : ports_make_service(echo, NULL);
    struct port *other = ports_make_service(echo, NULL);

    measure(id, port, apart ? other : port);
    ports_close(port);
    ports_close(other);
}

void bench_call_contended(void)
{
    measure_kernel("call_contended_2", true, false);
}

void bench_call_contended_exclusive(void)
{
    measure_kernel("call_contended_2_exclusive", false, false);
}

void bench_call_contended_apart(void)
{
    measure_kernel("call_contended_2_apart", false, true);
}

/* The echo server of the archive; its first call also waits until it is there. */
static void measure_user(const char *id, bool combining)
{
    struct domain *domain;
    struct port *port;
    long code;

    if (sched_online_count() != CORES || !bench_start_program("echo-server", "", &domain)) {
        return;
    }
    while (name_find("echo.user", 9, &port) != OK) {
        sched_yield();
    }
    port->combines = combining;
    measure(id, port, port);
    object_release(&port->object);
    domain_kill(domain, 0);
    BUG_ON(domain_join(domain, DEADLINE_NONE, &code) != OK);
    object_release(&domain->object);
}

void bench_call_contended_user(void)
{
    measure_user("call_contended_2_user", true);
}

void bench_call_contended_user_exclusive(void)
{
    measure_user("call_contended_2_user_exclusive", false);
}
