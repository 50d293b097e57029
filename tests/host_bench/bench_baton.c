/* SPDX-License-Identifier: MIT */
/*
 * Measures a section that two callers on two processors want at once: under a lock, or as an exclusive
 * service that combines, called through ipc/baton.c.
 *
 * Rules:
 * - Usage: bench-baton baton|ck_ticket|ck_mcs|mutex short|long <operations>. Prints the nanoseconds of an
 *   operation of either caller, and the share of the one that got less, in percent.
 * - short: the section changes 4 cache lines; long: 64. Between two operations each caller thinks, for
 *   about as long as a short section takes alone.
 * - The figure is the median of parts in each eighth of which both have done something: on a busy machine
 *   they often run one after the other, when there is nothing to compare.
 * - Pretended around the baton: threads, which sleep by futex; the loop of ipc/call.c that serves.
 */
#define _GNU_SOURCE
#include "tests/host_bench/pair.h"

#include <ck_spinlock.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/core.h"
#include "ipc/baton.h"
#include "ipc/courier.h"
#include "ipc/lending.h"
#include "ipc/letter.h"
#include "ipc/port_priv.h"
#include "kernel/base/assert.h"

#define CALLERS 2U
#define SHORT_LINES 4U
#define LONG_LINES 64U
#define THOUGHTS 24U
#define LOOKS 8U
#define TRIES 100000U

struct core cores[MAX_CORES];
_Thread_local struct core *host_core = &cores[0];
_Thread_local bool host_irq_enabled = true;

static struct thread threads[CALLERS];
static struct {
    _Alignas(64) uint32_t value;
} tokens[CALLERS];
static struct port port = {.lock = SPINLOCK_INIT("port"), .combines = true};

static struct {
    _Alignas(64) uint64_t value;
} lines[LONG_LINES];
static unsigned line_count;

/* --- what ipc/baton.c calls --- */

static uint32_t *token_of(const struct thread *thread)
{
    return &tokens[thread - threads].value;
}

void sched_wake_thread(struct thread *thread)
{
    /* release: what was before it; pairs with the swap in sched_block_until */
    atomic_store_release(token_of(thread), 1U);
    (void)syscall(SYS_futex, token_of(thread), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

status_t sched_block_until(nsec_t deadline)
{
    uint32_t *token = token_of(thread_current());

    (void)deadline;
    /* acquire: what was before the wake-up; pairs with sched_wake_thread */
    while (atomic_swap_acquire(token, 0U) == 0) {
        (void)syscall(SYS_futex, token, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    }
    return OK;
}

void sched_block(void)
{
    (void)sched_block_until(DEADLINE_NONE);
}

/* Both have the same rank, so nobody lends; the looks are those of ipc/lending.c. */
void lending_lend(struct port *waited_for)
{
    (void)waited_for;
    /* full: what the kernel pays here; pairs with the one in lend_one of ipc/lending.c */
    fence_seq_cst();
}

static bool is_lent(struct port *held)
{
    /* relaxed: as in ipc/lending.c */
    return (atomic_load_relaxed(&held->word) & WORD_LENT) != 0;
}

bool lending_pass_locked(struct port *held, struct thread *next)
{
    (void)next;
    return is_lent(held);
}

/* Nobody here goes on without its answer. */
void domain_keep(struct domain *domain)
{
    (void)domain;
}

void domain_let_go(struct domain *domain)
{
    (void)domain;
}

void lending_serve_locked(struct port *held, struct thread *asker)
{
    (void)asker;
    if (is_lent(held)) {
        abort();
    }
}

void lending_settle(void)
{
    abort();
}

/* Nobody sends letters here. */
uint32_t lending_rank_of_line_locked(struct port *of)
{
    (void)of;
    abort();
}

void courier_post(struct port *of)
{
    (void)of;
    abort();
}

void courier_hurry(struct port *of, uint32_t rank)
{
    (void)of;
    (void)rank;
    abort();
}

void letter_begin(struct port *of, struct letter *letter, struct baton_work *work)
{
    (void)of;
    (void)letter;
    (void)work;
    abort();
}

void letter_end(const struct baton_work *work, status_t status)
{
    (void)work;
    (void)status;
    abort();
}

void letter_refuse(struct port *of, struct letter *letter, status_t reason)
{
    (void)of;
    (void)letter;
    (void)reason;
    abort();
}

/* Each core has something to do. */
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
    (void)closed;
    abort();
}

status_t port_close_reason(struct port *closed)
{
    (void)closed;
    return OK;
}

void assert_fail(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, expression);
    abort();
}

/* --- the section, and the ways to it --- */

static inline void section(uint64_t *word)
{
    uint64_t sum = *word;

    for (unsigned i = 0; i < line_count; i++) {
        sum += ++*(volatile uint64_t *)&lines[i].value;
    }
    *word = sum;
}

static void serve_others(void)
{
    struct baton_work work;
    unsigned budget = BATON_SNAPSHOT;

    while (baton_next(&port, budget != 0 ? BATON_SERVES_CALLERS : BATON_SERVES_NOBODY, &work)) {
        section(work.message.word);
        baton_answer(&work, OK);
        budget--;
    }
}

static void by_baton(unsigned self, struct message *message)
{
    struct baton_request request = {.message = message};
    struct thread *thread = &threads[self];

    if (baton_try_take(&port) || baton_take(&port, &request, DEADLINE_NONE) == OK) {
        /* relaxed: as in ipc/call.c */
        atomic_store_relaxed(&port.holder, thread);
        section(message->word);
        if (!baton_try_give(&port)) {
            serve_others();
        }
    }
}

static _Alignas(64) ck_spinlock_ticket_t ticket = CK_SPINLOCK_TICKET_INITIALIZER;

static void by_ticket(unsigned self, struct message *message)
{
    (void)self;
    ck_spinlock_ticket_lock(&ticket);
    section(message->word);
    ck_spinlock_ticket_unlock(&ticket);
}

static _Alignas(64) ck_spinlock_mcs_t mcs = CK_SPINLOCK_MCS_INITIALIZER;

static void by_mcs(unsigned self, struct message *message)
{
    _Alignas(64) ck_spinlock_mcs_context_t node;

    (void)self;
    ck_spinlock_mcs_lock(&mcs, &node);
    section(message->word);
    ck_spinlock_mcs_unlock(&mcs, &node);
}

static void by_mutex(unsigned self, struct message *message)
{
    (void)self;
    pair_mutex_lock();
    section(message->word);
    pair_mutex_unlock();
}

static const struct candidate {
    const char *name;
    void (*call)(unsigned self, struct message *message);
} candidates[] = {
    {"baton", by_baton}, {"ck_ticket", by_ticket}, {"ck_mcs", by_mcs}, {"mutex", by_mutex}};

/* --- the callers --- */

static const struct candidate *chosen;
static uint32_t stop;
static struct {
    _Alignas(64) uint64_t done;
} counts[CALLERS];

static void operate(unsigned self, uint64_t *random)
{
    struct message message = {.word = {*random}};
    uint64_t x = *random;

    chosen->call(self, &message);
    for (unsigned i = 0; i < THOUGHTS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    *random = x;
    /* relaxed: a count of its own */
    atomic_store_relaxed(&counts[self].done, counts[self].done + 1);
}

static void begin(unsigned self)
{
    pair_bind(self);
    cores[self].cpu = self;
    cores[self].current = &threads[self];
    threads[self].cpu = self;
    threads[self].state = THREAD_RUNNING;
    host_core = &cores[self];
}

static void *operate_on_and_on(void *unused)
{
    uint64_t random = 88172645463325252UL;

    begin(1);
    /* relaxed: only a sign */
    while (atomic_load_relaxed(&stop) == 0) {
        operate(1, &random);
    }
    return unused;
}

/* A part of n operations of this thread; false when the other one did not run all the time. */
static bool measure_part(uint64_t n, uint64_t *random, double *ns)
{
    /* relaxed, here and below: counts of another */
    uint64_t before = atomic_load_relaxed(&counts[1].done);
    uint64_t seen = before;
    double start = pair_now_ns();
    bool together = true;

    for (unsigned look = 0; look < LOOKS; look++) {
        for (uint64_t i = 0; i < n / LOOKS; i++) {
            operate(0, random);
        }
        uint64_t now = atomic_load_relaxed(&counts[1].done);

        together &= now != seen || chosen->call == by_mutex; /* it lets one run for long */
        seen = now;
    }
    *ns = (pair_now_ns() - start) / (double)(n / LOOKS * LOOKS + seen - before);
    return together;
}

static void measure(uint64_t n)
{
    uint64_t random = 1181783497276652981UL;
    double ns[PAIR_PARTS];

    begin(0);
    pair_start(operate_on_and_on);
    /* relaxed, here and below: counts of another */
    while (atomic_load_relaxed(&counts[1].done) == 0) {
        pair_yield();
    }
    uint64_t first[CALLERS] = {counts[0].done, atomic_load_relaxed(&counts[1].done)};
    uint64_t tries = 0;
    unsigned parts = 0;

    while (parts < PAIR_PARTS && tries++ < TRIES) {
        parts += measure_part(n, &random, &ns[parts]);
    }
    double mine = (double)(counts[0].done - first[0]);
    double its = (double)(atomic_load_relaxed(&counts[1].done) - first[1]);

    atomic_store_relaxed(&stop, 1U);
    pair_join();
    if (lines[0].value != counts[0].done + counts[1].done) {
        abort(); /* the section was not exclusive */
    }
    if (parts < PAIR_PARTS) {
        (void)fprintf(stderr, "the two did not run at the same time: %u parts\n", parts);
        exit(1);
    }
    (void)printf("%.3f %.1f\n", pair_percentile(ns, 50),
                 100.0 * (mine < its ? mine : its) / (mine + its));
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        line_count = strcmp(argv[2], "long") == 0 ? LONG_LINES : SHORT_LINES;
        pair_init();
        for (unsigned i = 0; i < ARRAY_SIZE(candidates); i++) {
            if (strcmp(argv[1], candidates[i].name) == 0) {
                chosen = &candidates[i];
                measure(strtoull(argv[3], NULL, 10) / PAIR_PARTS);
                return 0;
            }
        }
    }
    (void)fprintf(stderr, "usage: see the head of tests/host_bench/bench_baton.c\n");
    return 2;
}
