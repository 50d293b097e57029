/* SPDX-License-Identifier: MIT */
/*
 * The frame of the tortures: crew, clock, progress, verdict.
 */
#include "tests/kernel/torture.h"

#include <string.h>

#include "arch/power.h"
#include "arch/timer.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"
#include "tests/kernel/baseline.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/suite.h"
#include "tests/kernel/watch.h"
#include "tests/plan.h"

#define SECOND_NS 1000000000UL
#define PROGRESS_NS (10 * SECOND_NS)
#define LOOK_NS SECOND_NS
/* A member that does nothing for so long is named. */
#define IDLE_NS (10 * SECOND_NS)
#define HANG_NS (60 * SECOND_NS)
#define SELFTEST_HANG_NS (4 * SECOND_NS)
#define DEFAULT_SECONDS 10UL

extern const struct torture __start_baton_tortures[];
extern const struct torture __stop_baton_tortures[];

static const struct torture *running;
static nsec_t started;
static nsec_t end;
static uint32_t seed;
static uint64_t seconds;
static struct torture_member *members;
static unsigned member_count;
static unsigned member_most;
/* Nobody begins before all are there: they would keep the last ones from being made. */
static uint32_t gate;

bool torture_goes_on(void)
{
    return timer_now_ns() < end;
}

void torture_rest(struct torture_member *member, nsec_t most_ns)
{
    nsec_t until = timer_now_ns() + crew_random(&member->random) % most_ns;

    (void)sched_sleep_until(until < end ? until : end);
}

void torture_begin_crew(unsigned most)
{
    atomic_store_relaxed(&gate, 0U); /* relaxed: no member is there */
    members = spmalloc_zeroed(&kernel_account, most * sizeof(*members));
    BUG_ON(members == NULL);
    member_count = 0;
    member_most = most;
}

void torture_add_member(cpu_t cpu, const char *name, void (*run)(struct torture_member *member))
{
    struct torture_member *member = &members[member_count];

    BUG_ON(member_count == member_most);
    member->random = seed * 2654435761U + member_count * 40503U;
    member->index = member_count++;
    member->cpu = cpu;
    member->name = name;
    member->run = run;
}

static void open_gate(void)
{
    started = timer_now_ns();
    end = started + seconds * SECOND_NS;
    /* release: pairs with the acquire in member_entry */
    atomic_store_release(&gate, 1U);
    for (unsigned i = 0; i < member_count; i++) {
        sched_wake_thread(members[i].thread);
    }
}

static void member_entry(void *argument)
{
    struct torture_member *member = argument;

    /* acquire: begin and end of the time are set; pairs with the release in open_gate */
    while (atomic_load_acquire(&gate) == 0) {
        sched_block();
    }
    member->run(member);
}

struct totals {
    uint64_t operations;
    uint64_t refused;
    int64_t bytes;
};

static struct totals sum(void)
{
    struct totals totals = {0};

    for (unsigned i = 0; i < member_count; i++) {
        /* relaxed: a snapshot */
        totals.operations += atomic_load_relaxed(&members[i].operations);
        totals.refused += atomic_load_relaxed(&members[i].refused);
        totals.bytes += atomic_load_relaxed(&members[i].bytes);
    }
    return totals;
}

static void print_progress(void)
{
    struct totals totals = sum();

    print("torture %s: %lu s, %lu operations, %lu refused, %ld KiB in flight\n", running->name,
          (timer_now_ns() - started) / SECOND_NS, totals.operations, totals.refused,
          totals.bytes / 1024);
}

/* What members of one name, one after the other, have done together. */
static void print_members(void)
{
    uint64_t operations = 0;

    for (unsigned i = 0; i < member_count; i++) {
        operations += members[i].operations;
        if (i + 1 == member_count || members[i + 1].name != members[i].name) {
            print("torture %s: %lu operations of kind %s\n", running->name, operations,
                  members[i].name);
            operations = 0;
        }
    }
}

/* What the overseer saw of a member. */
struct seen {
    uint64_t operations;
    nsec_t since; /* it has done as many */
};

/* Names a member that has done nothing for long; true when there is none. */
static bool look_at(struct torture_member *member, struct seen *seen)
{
    nsec_t now = timer_now_ns();
    uint64_t operations = atomic_load_relaxed(&member->operations); /* relaxed: a snapshot */

    if (operations != seen->operations || seen->since == 0) {
        *seen = (struct seen){operations, now};
    } else if (now - seen->since > IDLE_NS) {
        print("torture %s: %s on core %u has done nothing for %lu s\n", running->name, member->name,
              member->cpu, (now - seen->since) / SECOND_NS);
        return false;
    }
    return true;
}

/* Have all members gone on? */
static bool look_at_all(struct seen *seen)
{
    bool all = true;

    for (unsigned i = 0; i < member_count; i++) {
        all &= look_at(&members[i], &seen[i]);
    }
    return all;
}

/* Until the end: progress for people every ten seconds, for the watch whenever all went on. */
static void oversee(void)
{
    struct seen *seen = spmalloc_zeroed(&kernel_account, member_count * sizeof(*seen));
    nsec_t next = started + PROGRESS_NS;

    BUG_ON(seen == NULL);
    while (torture_goes_on()) {
        (void)sched_sleep_until(timer_now_ns() + LOOK_NS);
        if (look_at_all(seen)) {
            watch_note_progress("torture", running->name);
        }
        if (timer_now_ns() >= next) {
            print_progress();
            next += PROGRESS_NS;
        }
    }
    spmalloc_free(seen);
}

uint64_t torture_run_crew(void)
{
    for (unsigned i = 0; i < member_count; i++) {
        members[i].thread = crew_start(members[i].cpu, member_entry, &members[i]);
    }
    open_gate();
    oversee();
    watch_note_progress("torture", running->name);
    for (unsigned i = 0; i < member_count; i++) {
        EXPECT_EQ(crew_join(members[i].thread), 0);
        EXPECT_TRUE(members[i].operations > 0);
    }
    print_progress();
    print_members();
    struct totals totals = sum();

    spmalloc_free(members);
    return totals.refused;
}

/* One torture; true when it ended balanced. */
static bool torture_run_one(const struct torture *torture)
{
    struct baseline before;

    running = torture;
    suite_forget_failures();
    print("torture %s: seed %u, %lu s, %u cores\n", torture->name, seed, seconds,
          sched_online_count());
    watch_note_progress("torture", torture->name);
    baseline_take(&before);
    torture->run();
    EXPECT_OK(sched_migrate(0));
    watch_note_progress("torture", torture->name);
    bool balanced = baseline_expect(&before);

    print("torture %s: %s, %u checks failed\n", torture->name,
          balanced ? "balanced" : "not balanced", suite_failures());
    return suite_failures() == 0;
}

/* Those fail on purpose: only a pattern that begins like their names chooses them. */
static bool is_selftest(const char *text)
{
    return strncmp(text, "selftest", 8) == 0;
}

static bool torture_is_chosen(const struct torture *torture, const char *pattern)
{
    return test_pattern_matches(pattern, torture->name) &&
           (!is_selftest(torture->name) || is_selftest(pattern));
}

void torture_run(const char *pattern)
{
    unsigned count = 0;
    unsigned failed = 0;

    seconds = suite_argument("torture_seconds", DEFAULT_SECONDS);
    seed = (uint32_t)suite_argument("torture_seed", 1);
    suite_wait_for_cores();
    watch_start(is_selftest(pattern) ? SELFTEST_HANG_NS : HANG_NS);
    for (const struct torture *torture = __start_baton_tortures; torture < __stop_baton_tortures;
         torture++) {
        if (torture_is_chosen(torture, pattern)) {
            count++;
            failed += !torture_run_one(torture);
        }
    }
    if (count == 0) {
        print("torture: none matches %s\n", pattern);
    }
    suite_end(count > 0 && failed == 0 ? EXIT_OK : EXIT_TEST_FAILED);
}
