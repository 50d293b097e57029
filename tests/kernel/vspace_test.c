/* SPDX-License-Identifier: MIT */
/* Address spaces and copies to and from them. */
#include "mm/vspace.h"

#include <string.h>

#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/usercopy.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "tests/kernel/crew.h"

#define AT 0x100000UL
#define RW (PROTECT_READ | PROTECT_WRITE)
#define RX (PROTECT_READ | PROTECT_EXECUTE)

static struct account account;
static struct vspace *space;

static bool begin(uint64_t limit)
{
    account_init(&account, limit);
    status_t status = vspace_create(&account, &space);

    EXPECT_OK(status);
    return status == OK;
}

static void end(void)
{
    vspace_destroy(space);
    EXPECT_EQ(account_finish(&account), 0);
    EXPECT_EQ(account_pages(&account), 0);
}

static status_t map(vaddr_t address, uint64_t pages, uint32_t protection)
{
    vaddr_t mapped = 0;
    status_t status = vspace_map_anonymous(space, address, pages * PAGE_BYTES, protection, &mapped);

    EXPECT_EQ(mapped, status == OK ? address : 0);
    return status;
}

static pte_t entry_of(vaddr_t address)
{
    return mmu_lookup(direct_map(space->root), address, NULL);
}

TEST(vspace, pages_have_the_protection_they_were_mapped_with)
{
    pte_t mask = PTE_VALID | PTE_READ | PTE_WRITE | PTE_EXECUTE | PTE_USER | PTE_GLOBAL;
    pte_t readable = PTE_VALID | PTE_READ | PTE_USER;
    paddr_t page;

    ASSERT_TRUE(begin(ACCOUNT_UNLIMITED));
    EXPECT_OK(map(AT, 1, PROTECT_READ));
    EXPECT_OK(map(AT + PAGE_BYTES, 1, RW));
    EXPECT_OK(map(AT + 2 * PAGE_BYTES, 1, RX));
    EXPECT_EQ(entry_of(AT) & mask, readable);
    EXPECT_EQ(entry_of(AT + PAGE_BYTES) & mask, readable | PTE_WRITE);
    EXPECT_EQ(entry_of(AT + 2 * PAGE_BYTES) & mask, readable | PTE_EXECUTE);
    EXPECT_OK(vspace_translate(space, AT + PAGE_BYTES + 5, RW, &page));
    EXPECT_EQ(page, pte_address(entry_of(AT + PAGE_BYTES)) + 5);
    EXPECT_EQ(vspace_translate(space, AT, RW, &page), ERR_FAULT);
    EXPECT_EQ(vspace_translate(space, AT - 1, PROTECT_READ, &page), ERR_FAULT);
    EXPECT_OK(vspace_unmap(space, AT + PAGE_BYTES, PAGE_BYTES));
    EXPECT_EQ(vspace_translate(space, AT + PAGE_BYTES, PROTECT_READ, &page), ERR_FAULT);
    EXPECT_OK(vspace_translate(space, AT, PROTECT_READ, &page));
    end();
}

TEST(vspace, bad_mappings_are_refused)
{
    ASSERT_TRUE(begin(ACCOUNT_UNLIMITED));
    EXPECT_OK(map(AT, 4, RW));
    EXPECT_EQ(map(AT + 8 * PAGE_BYTES, 1, RW | PROTECT_EXECUTE), ERR_INVALID);
    EXPECT_EQ(map(AT + 8 * PAGE_BYTES, 1, 8), ERR_INVALID);
    EXPECT_EQ(map(AT + 3 * PAGE_BYTES, 2, RW), ERR_EXISTS);
    EXPECT_EQ(map(AT + 1, 1, RW), ERR_INVALID);
    EXPECT_EQ(map(AT + 8 * PAGE_BYTES, 0, RW), ERR_INVALID);
    EXPECT_EQ(map(USER_TOP - PAGE_BYTES, 2, RW), ERR_INVALID);
    EXPECT_EQ(map(KERNEL_HALF_BASE, 1, RW), ERR_INVALID);
    EXPECT_EQ(map(AT, UINT64_MAX / PAGE_BYTES, RW), ERR_INVALID);
    EXPECT_EQ(vspace_unmap(space, AT + 3 * PAGE_BYTES, 2 * PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_EQ(space->pages, 4);
    end();
}

TEST(vspace, every_space_has_the_kernels_upper_half_and_nothing_of_a_user_in_it)
{
    ASSERT_TRUE(begin(ACCOUNT_UNLIMITED));
    EXPECT_OK(map(AT, 1, RW));
    const pte_t *root = direct_map(space->root);
    for (unsigned i = 256; i < 512; i++) {
        EXPECT_EQ(root[i], mmu_kernel_root()[i]);
        EXPECT_EQ(root[i] & PTE_USER, 0);
    }
    EXPECT_EQ(mmu_lookup(mmu_kernel_root(), AT, NULL), 0);
    end();
}

TEST(vspace, copies_fault_where_the_user_has_no_access)
{
    char buffer[2 * PAGE_BYTES];
    vaddr_t last = AT + PAGE_BYTES - 4;

    ASSERT_TRUE(begin(ACCOUNT_UNLIMITED));
    EXPECT_OK(map(AT, 1, RW));
    EXPECT_OK(map(AT + 4 * PAGE_BYTES, 1, PROTECT_READ));
    EXPECT_OK(usercopy_out(space, user_addr(last), "abcd", 4));
    EXPECT_OK(usercopy_in(space, buffer, user_addr(last), 4));
    EXPECT_EQ(memcmp(buffer, "abcd", 4), 0);
    /* not mapped; straddling into what is not mapped; read-only; nothing of these arrives */
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(AT - 8), 8), ERR_FAULT);
    EXPECT_EQ(usercopy_out(space, user_addr(last), "wxyz!", 5), ERR_FAULT);
    EXPECT_EQ(usercopy_out(space, user_addr(AT + 4 * PAGE_BYTES), "wxyz", 4), ERR_FAULT);
    EXPECT_OK(usercopy_in(space, buffer, user_addr(last), 4));
    EXPECT_EQ(memcmp(buffer, "abcd", 4), 0);
    EXPECT_OK(usercopy_in(space, buffer, user_addr(AT + 4 * PAGE_BYTES), 4));
    /* overflow and kernel addresses */
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(AT), SIZE_MAX - 16), ERR_FAULT);
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(~0UL - 3), 8), ERR_FAULT);
    EXPECT_EQ(usercopy_in(space, buffer, user_addr((vaddr_t)__text_start), 4), ERR_FAULT);
    EXPECT_EQ(usercopy_out(space, user_addr((vaddr_t)buffer), "wxyz", 4), ERR_FAULT);
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(0), 1), ERR_FAULT);
    EXPECT_OK(usercopy_in(space, buffer, user_addr(0), 0));
    end();
}

TEST(vspace, the_quota_is_exact_and_refusals_change_nothing)
{
    /* the root, one table at each of two levels, the slabs of space and regions, 4 pages */
    ASSERT_TRUE(begin(1 + 2 + 2 + 4));
    EXPECT_EQ(map(AT, 5, RW), ERR_NO_MEMORY);
    EXPECT_EQ(space->pages, 0);
    EXPECT_EQ(entry_of(AT), 0);
    EXPECT_OK(map(AT, 4, RW));
    EXPECT_EQ(account_pages(&account), 9);
    EXPECT_EQ(map(AT + 8 * PAGE_BYTES, 1, RW), ERR_NO_MEMORY);
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));
    EXPECT_OK(map(AT + 8 * PAGE_BYTES, 1, RW));
    end();
}

static void map_and_unmap(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;
    vaddr_t mine = AT + index * 0x400000UL;

    for (unsigned i = 0; i < 5; i++) {
        uint64_t word = (uint64_t)index << 32 | i;
        uint64_t back = 0;

        EXPECT_OK(map(mine, 3, RW));
        EXPECT_OK(usercopy_out(space, user_addr(mine + 2 * PAGE_BYTES - 4), &word, 8));
        EXPECT_OK(usercopy_in(space, &back, user_addr(mine + 2 * PAGE_BYTES - 4), 8));
        EXPECT_EQ(back, word);
        EXPECT_OK(vspace_unmap(space, mine, 3 * PAGE_BYTES));
    }
}

TEST(vspace, cores_may_map_in_one_space_at_once)
{
    ASSERT_TRUE(begin(ACCOUNT_UNLIMITED));
    crew_run(3, map_and_unmap, NULL);
    EXPECT_EQ(space->pages, 0);
    EXPECT_EQ(space->region_count, 0);
    end();
}
