/* SPDX-License-Identifier: MIT */
/* More spaces than numbers: each core finds the memory of the space that it is in. */
#include "mm/asid.h"

#include "arch/irq.h"
#include "arch/usercopy.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

#define SPACES 40U
#define NUMBERS 16U
#define ROUNDS 5U
#define AT 0x100000UL
#define SSTATUS_SUM (1UL << 18)

static struct account account;
static struct vspace *spaces[SPACES];

static uint16_t fewer(uint16_t wanted)
{
    return mmu_max_asid() < wanted ? mmu_max_asid() : wanted;
}

static void begin(void)
{
    account_init(&account, ACCOUNT_UNLIMITED);
    for (uint64_t i = 0; i < SPACES; i++) {
        vaddr_t at;

        ASSERT_OK(vspace_create(&account, &spaces[i]));
        EXPECT_OK(
            vspace_map_anonymous(spaces[i], AT, PAGE_BYTES, PROTECT_READ | PROTECT_WRITE, &at));
        EXPECT_OK(usercopy_out(spaces[i], user_addr(AT), &i, sizeof(i)));
    }
}

static void finish(void)
{
    for (unsigned i = 0; i < SPACES; i++) {
        vspace_destroy(spaces[i]);
    }
    EXPECT_EQ(account_finish(&account), 0);
    EXPECT_EQ(account_pages(&account), 0);
}

/* What this core's TLB finds at AT in the space. */
static uint64_t read_in(struct vspace *space)
{
    uint64_t state = irq_save();
    uint64_t value;

    vspace_activate(space);
    EXPECT_EQ(mmu_loaded_satp(), space->satp[core_index()]);
    __asm__ volatile("csrs sstatus, %1\n\t"
                     "ld   %0, 0(%2)\n\t"
                     "csrc sstatus, %1"
                     : "=&r"(value)
                     : "r"(SSTATUS_SUM), "r"(AT)
                     : "memory");
    vspace_activate(NULL);
    irq_restore(state);
    return value;
}

static void read_all(void *member)
{
    unsigned first = ((struct crew_member *)member)->index;

    for (unsigned i = 0; i < ROUNDS * SPACES; i++) {
        unsigned which = (first + i * 7) % SPACES;

        EXPECT_EQ(read_in(spaces[which]), which);
    }
}

static uint64_t roll_overs(void)
{
    uint64_t sum = 0;

    for (cpu_t cpu = 0; cpu < asid_core_count(); cpu++) {
        sum += asid_roll_overs(cpu);
    }
    return sum;
}

TEST(asid, spaces_beyond_the_numbers_keep_their_memory_apart)
{
    uint64_t before = roll_overs();

    begin();
    if (mmu_max_asid() != 0) {
        asid_limit(fewer(NUMBERS));
    }
    crew_run(2 * sched_online_count() < CREW_MAX ? 2 * sched_online_count() : CREW_MAX, read_all,
             NULL);
    if (mmu_max_asid() != 0) {
        EXPECT_TRUE(roll_overs() - before >= sched_online_count() * ROUNDS);
        asid_limit(mmu_max_asid());
    }
    finish();
}

TEST(asid, a_space_made_where_another_ended_has_memory_of_its_own)
{
    begin();
    for (unsigned i = 0; i < SPACES; i++) {
        EXPECT_EQ(read_in(spaces[i]), i);
    }
    finish();
    begin();
    for (unsigned i = 0; i < SPACES; i++) {
        EXPECT_EQ(read_in(spaces[SPACES - 1 - i]), SPACES - 1 - i);
    }
    finish();
}
