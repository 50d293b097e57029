/* SPDX-License-Identifier: MIT */
/* Kernel stacks and their guards. */
#include "mm/kstack.h"

#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/status.h"
#include "sched/thread.h"
#include "tests/kernel/crew.h"

static void expect_guarded(vaddr_t top)
{
    vaddr_t slot = top - KSTACK_SLOT_BYTES;

    for (vaddr_t at = slot; at < top; at += PAGE_BYTES) {
        pte_t entry = mmu_lookup(mmu_kernel_root(), at, NULL);

        if (at < slot + KSTACK_GUARD_BYTES) {
            EXPECT_EQ(entry, 0);
        } else {
            EXPECT_EQ(entry & (PTE_VALID | PTE_WRITE | PTE_EXECUTE | PTE_USER),
                      PTE_VALID | PTE_WRITE);
        }
    }
}

TEST(kstack, below_each_stack_lies_an_unmapped_guard)
{
    vaddr_t tops[8];

    for (unsigned i = 0; i < ARRAY_SIZE(tops); i++) {
        ASSERT_OK(kstack_alloc(&tops[i]));
        EXPECT_TRUE(IS_ALIGNED(tops[i], KSTACK_SLOT_BYTES));
        expect_guarded(tops[i]);
        *(volatile uint64_t *)(tops[i] - KSTACK_MAPPED_PAGES * PAGE_BYTES) = 1;
        *(volatile uint64_t *)(tops[i] - sizeof(uint64_t)) = 1;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(tops); i++) {
        kstack_free(tops[i]);
    }
    expect_guarded(ALIGN_UP((vaddr_t)thread_current(), KSTACK_SLOT_BYTES));
}

TEST(kstack, a_freed_stack_is_handed_out_again)
{
    uint64_t count = kstack_count();
    vaddr_t first, second;

    ASSERT_OK(kstack_alloc(&first));
    EXPECT_EQ(kstack_count(), count + 1);
    kstack_free(first);
    EXPECT_EQ(kstack_count(), count);
    ASSERT_OK(kstack_alloc(&second));
    EXPECT_EQ(second, first);
    kstack_free(second);
}

static void use_own_stack(void *argument)
{
    volatile uint64_t here = (uint64_t)argument;

    EXPECT_EQ(ALIGN_DOWN(&here, KSTACK_SLOT_BYTES),
              ALIGN_DOWN(thread_current(), KSTACK_SLOT_BYTES));
    EXPECT_TRUE((vaddr_t)&here < (vaddr_t)thread_current());
}

TEST(kstack, a_thread_and_its_stack_are_found_from_one_another)
{
    for (unsigned i = 0; i < 4; i++) {
        crew_join(crew_start(crew_core(i), use_own_stack, NULL));
    }
}

TEST(kstack, the_check_of_the_kernel_table_finds_nothing)
{
    const char *wrong = mmu_check_kernel_table();

    EXPECT_TEXT(wrong == NULL ? "nothing" : wrong, "nothing");
}

/* What the check says about one guard page with this entry. */
static const char *check_with(pte_t entry)
{
    vaddr_t guard = ALIGN_DOWN(thread_current(), KSTACK_SLOT_BYTES);
    pte_t *place = mmu_walk(mmu_kernel_root(), guard, 0, NULL);

    if (place == NULL || *place != 0) {
        return NULL;
    }
    *place = entry;
    const char *wrong = mmu_check_kernel_table();
    *place = 0;
    tlb_flush_all_cores(guard, PAGE_BYTES, TLB_EVERY_SPACE);
    return wrong;
}

TEST(kstack, the_check_of_the_kernel_table_sees_what_is_wrong)
{
    pte_t page = pte_make_table(kernel_image_paddr(__data_start)) | PTE_READ | PTE_GLOBAL;

    EXPECT_TRUE(check_with(page) != NULL);
    EXPECT_TRUE(check_with(page | PTE_WRITE | PTE_EXECUTE) != NULL);
    EXPECT_TRUE(check_with(page | PTE_USER) != NULL);
    EXPECT_TRUE(mmu_check_kernel_table() == NULL);
}
