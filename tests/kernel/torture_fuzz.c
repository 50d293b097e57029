/* SPDX-License-Identifier: MIT */
/*
 * Programs that make random system calls (user/programs/fuzz-user), again and again, on all cores. The kernel goes
 * on, each of them ends in a way that a program may end, and nothing is left of it.
 */
#include "arch/platform.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/torture.h"
#include "tests/kernel/torture_domain.h"

#define CALLS 30000U
#define LIMIT_MIN (1UL << 20)
#define LIMIT_RANGE (8UL << 20)

/* Relaxed, both: counts. */
static uint64_t lives;
static uint64_t full_lives; /* that made all their calls */

static void one_life(struct torture_member *member)
{
    char arguments[48];
    struct domain *domain;
    long code = -1;
    uint64_t limit = LIMIT_MIN + crew_random(&member->random) % LIMIT_RANGE;
    int length = format_string(arguments, sizeof(arguments), "fuzz-user%c%u%c%u", 0,
                               crew_random(&member->random), 0, CALLS);
    status_t status = torture_start("fuzz-user", limit, arguments, length + 1, &domain);

    if (status != OK) {
        EXPECT_EQ(status, ERR_NO_MEMORY);
        torture_refuse(member);
        return;
    }
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    EXPECT_TRUE(code != 1); /* a call gave what no call may give */
    atomic_add_relaxed(&lives, 1UL);
    atomic_add_relaxed(&full_lives, code == 0 ? 1UL : 0UL);
    /* acquire: its memory is gone; pairs with the release in domain_finish */
    EXPECT_SOON(atomic_load_acquire(&domain->state) == DOMAIN_DEAD);
    EXPECT_EQ(account_pages(domain->account), 0);
    object_release(&domain->object);
    torture_count(member, 0);
}

static void fuzz(struct torture_member *member)
{
    while (torture_goes_on()) {
        one_life(member);
    }
}

TORTURE(fuzz, "random system calls from programs that come and go")
{
    uint32_t count = sched_online_count();

    lives = full_lives = 0;
    if (!torture_has_archive()) {
        print("torture fuzz: needs the boot archive\n");
        return;
    }
    torture_begin_crew(count);
    for (unsigned i = 0; i < count; i++) {
        torture_add_member(i, "fuzzer", fuzz);
    }
    (void)torture_run_crew();
    print("torture fuzz: %lu programs, of which %lu made all of their %u calls\n", lives,
          full_lives, CALLS);
}
