/* SPDX-License-Identifier: MIT */
/* Translations that are gone are gone on every core, and only cores that may have them are asked. */
#include "mm/shootdown.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/tlb_record.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

/* A domain of the test: code, a page that the kernel and its threads talk through, a page to probe. */
#define CODE 0x100000UL
#define SHARED 0x200000UL
#define PROBED 0x300000UL
#define RW (PROTECT_READ | PROTECT_WRITE)
#define STALE 77

/*
 * User code: a0 is the shared page, a1 the probed one, a2 the address of a counter.
 * prober_code: reads the probed page again and again, and counts; ends its domain with STALE when a
 * read goes well that comes after the first word of the shared page was set.
 * revoker_code: unmaps the probed page, sets that word, and sleeps.
 * sleeper_code: reads it once, counts, and sleeps for ever.
 */
__asm__(".pushsection .rodata\n"
        ".balign 4\n"
        "prober_code:\n"
        "1:  ld    t0, 0(a0)\n"
        "    fence r, r\n" /* pairs with the fence in revoker_code */
        "    ld    t1, 0(a1)\n"
        "    ld    t2, 0(a2)\n"
        "    addi  t2, t2, 1\n"
        "    sd    t2, 0(a2)\n"
        "    beqz  t0, 1b\n"
        "    li    a0, 77\n"
        "    li    a7, 15\n"
        "    ecall\n"
        "revoker_code:\n"
        "    mv    s0, a0\n"
        "    mv    a0, a1\n"
        "    li    a1, 4096\n"
        "    li    a7, 21\n"
        "    ecall\n"
        "    fence rw, rw\n" /* pairs with the fence in prober_code */
        "    li    t0, 1\n"
        "    sd    t0, 0(s0)\n"
        "    j     2f\n"
        "sleeper_code:\n"
        "    ld    t1, 0(a1)\n"
        "    li    t2, 1\n"
        "    sd    t2, 0(a2)\n"
        "2:  li    a0, 0\n"
        "    li    a7, 14\n"
        "    ecall\n"
        "    j     2b\n"
        "prober_end:\n"
        ".popsection\n");
extern const char prober_code[], revoker_code[], sleeper_code[], prober_end[];

_Static_assert(SYS_DOMAIN_EXIT == 15 && SYS_SLEEP == 14 && SYS_MEMORY_UNMAP == 21, "prober_code");

struct victim {
    struct domain *domain;
    uint64_t *shared; /* word 0: the probed page is gone; 1 + cpu: counters */
};

/* The probed page is the first of so many in its region. */
static void victim_make_pages(struct victim *victim, unsigned pages)
{
    struct vspace *space;
    paddr_t shared = 0;
    vaddr_t at;

    ASSERT_OK(domain_create("victim", 0, &victim->domain));
    space = victim->domain->vspace;
    EXPECT_OK(vspace_map_anonymous(space, CODE, PAGE_BYTES, PROTECT_EXECUTE, &at));
    EXPECT_OK(vspace_write(space, CODE, prober_code, (size_t)(prober_end - prober_code)));
    EXPECT_OK(vspace_map_anonymous(space, SHARED, PAGE_BYTES, RW, &at));
    EXPECT_OK(vspace_map_anonymous(space, PROBED, pages * PAGE_BYTES, RW, &at));
    EXPECT_OK(vspace_fault(space, SHARED, PROTECT_WRITE));
    EXPECT_OK(vspace_translate(space, SHARED, RW, &shared));
    victim->shared = direct_map(shared);
}

static void victim_make(struct victim *victim)
{
    victim_make_pages(victim, 1);
}

/* A thread of the victim on core `cpu`. */
static void victim_start(struct victim *victim, const char *code, cpu_t cpu)
{
    const uint64_t arguments[4] = {SHARED, PROBED, SHARED + 8 * (1 + cpu)};
    struct thread *thread;

    ASSERT_OK(thread_create_user(victim->domain, "victim", CODE + (vaddr_t)(code - prober_code), 0,
                                 0, arguments, &thread));
    EXPECT_OK(thread_start(thread, cpu));
    object_release(&thread->object);
}

static uint64_t victim_count(const struct victim *victim, cpu_t cpu)
{
    /* relaxed: only that it moves matters */
    return atomic_load_relaxed(&victim->shared[1 + cpu]);
}

static long victim_join(struct victim *victim)
{
    long code = -1;

    EXPECT_OK(domain_join(victim->domain, DEADLINE_NONE, &code));
    object_release(&victim->domain->object);
    return code;
}

static long victim_end(struct victim *victim)
{
    domain_kill(victim->domain, 0);
    return victim_join(victim);
}

static bool skip_below(uint32_t needed)
{
    if (sched_online_count() < needed) {
        test_skip("needs more cores");
        return true;
    }
    return false;
}

/* A thread of the domain takes the probed page away, here: so the space lasts until that is done. */
static long victim_revoke(struct victim *victim)
{
    victim_start(victim, revoker_code, core_index());
    return victim_join(victim);
}

TEST(shootdown, an_unmapped_page_is_gone_at_once_for_a_thread_that_runs_elsewhere)
{
    struct victim victim;

    if (skip_below(2)) {
        return;
    }
    for (unsigned i = 1; i < sched_online_count(); i++) {
        cpu_t cpu = crew_core(i);

        victim_make(&victim);
        victim_start(&victim, prober_code, cpu);
        EXPECT_SOON(victim_count(&victim, cpu) > 1000);
        EXPECT_EQ(victim_revoke(&victim), EXIT_KILLED + EXIT_FAULT_LOAD);
    }
}

/* A region of one page goes the short way, a part of a larger one the general way. */
TEST(shootdown, an_unmapped_page_is_gone_for_a_thread_of_the_same_core)
{
    struct victim victim;
    cpu_t cpu = core_index();

    for (unsigned pages = 1; pages <= 2; pages++) {
        victim_make_pages(&victim, pages);
        victim_start(&victim, prober_code, cpu);
        EXPECT_SOON(victim_count(&victim, cpu) != 0);
        EXPECT_EQ(victim_revoke(&victim), EXIT_KILLED + EXIT_FAULT_LOAD);
    }
}

TEST(shootdown, only_a_core_that_runs_the_space_is_interrupted)
{
    struct victim victim;
    struct shootdown_counts before;
    cpu_t self = core_index();
    cpu_t cpu = crew_core(1);

    if (skip_below(2)) {
        return;
    }
    victim_make(&victim);
    victim_start(&victim, prober_code, cpu);
    EXPECT_SOON(victim_count(&victim, cpu) > 1000);
    before = shootdown_counts(self);
    shootdown(victim.domain->vspace, CODE, PAGE_BYTES);
    EXPECT_EQ(shootdown_counts(self).asked, before.asked + 1);
    EXPECT_EQ(shootdown_counts(self).emptied, before.emptied);
    for (cpu_t other = 0; other < sched_online_count(); other++) {
        EXPECT_EQ(victim.domain->vspace->satp[other] != 0, other == cpu);
    }
    EXPECT_EQ(victim_end(&victim), 0);
}

/* Cores whose entry for the space is not empty. */
static unsigned entries(const struct vspace *space)
{
    unsigned count = 0;

    for (cpu_t cpu = 0; cpu < asid_core_count(); cpu++) {
        count += atomic_load_relaxed(&space->satp[cpu]) != 0;
    }
    return count;
}

/* True when all other cores, which ran the space before, slept while its page was unmapped. */
static bool nobody_was_woken(void)
{
    struct shootdown_counts before;
    struct shootdown_counts after;
    struct victim victim;
    unsigned others = sched_online_count() - 1;
    nsec_t since = timer_now_ns();

    victim_make(&victim);
    for (unsigned i = 1; i <= others; i++) {
        victim_start(&victim, sleeper_code, crew_core(i));
    }
    for (unsigned i = 1; i <= others; i++) {
        EXPECT_SOON(victim_count(&victim, crew_core(i)) != 0);
        while (atomic_load_relaxed(&cores[crew_core(i)].idle_since) == 0 && crew_wait_on(since)) {
        }
    }
    before = shootdown_counts(core_index());
    EXPECT_OK(vspace_unmap(victim.domain->vspace, PROBED, PAGE_BYTES));
    after = shootdown_counts(core_index());
    EXPECT_EQ(entries(victim.domain->vspace), 0);
    EXPECT_EQ(after.asked - before.asked + after.emptied - before.emptied, others);
    EXPECT_EQ(victim_end(&victim), 0);
    return after.asked == before.asked;
}

/* A core may be up for something else at that moment, so more than one try is given. */
TEST(shootdown, cores_that_sleep_are_not_woken)
{
    if (skip_below(2)) {
        return;
    }
    EXPECT_SOON(nobody_was_woken());
}

#define ASKERS 4U
#define UNMAPS 50U

/* Maps, touches and unmaps pages of its own, in a space that runs on every core. */
static void map_and_unmap(void *member)
{
    const struct crew_member *me = member;
    struct vspace *space = me->shared;
    vaddr_t mine = 0x1000000UL * (me->index + 1);
    vaddr_t at;

    for (unsigned i = 0; i < UNMAPS; i++) {
        EXPECT_OK(vspace_map_anonymous(space, mine, 2 * PAGE_BYTES, RW, &at));
        EXPECT_OK(vspace_fault(space, mine, PROTECT_WRITE));
        EXPECT_OK(vspace_unmap(space, mine, 2 * PAGE_BYTES));
    }
}

TEST(shootdown, cores_may_ask_one_another_at_once)
{
    struct victim victim;
    uint64_t missed = tlb_record_missed();

    victim_make(&victim);
    for (unsigned i = 0; i < sched_online_count(); i++) {
        victim_start(&victim, prober_code, crew_core(i));
    }
    crew_run(ASKERS, map_and_unmap, victim.domain->vspace);
    for (unsigned i = 0; i < sched_online_count(); i++) {
        EXPECT_SOON(victim_count(&victim, crew_core(i)) != 0);
    }
    EXPECT_EQ(victim_end(&victim), 0);
    EXPECT_EQ(tlb_record_missed(), missed);
}
