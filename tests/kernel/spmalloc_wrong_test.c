/* SPDX-License-Identifier: MIT */
/* Wrong uses of the allocator, each of which ends the machine; tools/testing/stage_kernel.py knows
 * what each must say. Only a pattern that begins with "selftest" runs them. */
#include "kernel/abi/syscall.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

/* Keeps the compiler from knowing what is done to the memory. */
static char *hide(void *pointer)
{
    __asm__("" : "+r"(pointer));
    return pointer;
}

TEST(selftest, double_free)
{
    char *object = hide(spmalloc(&kernel_account, 64));

    spmalloc_free(object);
    spmalloc_free(hide(object));
}

/* The second free is on another core than the first; the object is on its way or home. */
TEST(selftest, double_free_elsewhere)
{
    char *object = hide(spmalloc(&kernel_account, 64));

    EXPECT_OK(sched_migrate(1));
    spmalloc_free(object);
    spmalloc_free(hide(object));
}

TEST(selftest, free_of_the_inside)
{
    spmalloc_free(hide(spmalloc(&kernel_account, 320)) + 32);
}

TEST(selftest, free_of_a_page)
{
    spmalloc_free(direct_map(nexus_alloc_page()));
}

TEST(selftest, free_of_the_image)
{
    static uint64_t here[8];

    spmalloc_free(hide(here));
}

TEST(selftest, free_of_the_stack)
{
    uint64_t here[8];

    spmalloc_free(hide(here));
}

TEST(selftest, free_of_a_user_address)
{
    spmalloc_free(hide((void *)0x10000));
}

static void allocate_a_page_full(void)
{
    for (unsigned i = 0; i < PAGE_BYTES / 256; i++) {
        (void)!spmalloc(&kernel_account, 256);
    }
}

TEST(selftest, write_after_free)
{
    char *object = hide(spmalloc(&kernel_account, 256));

    spmalloc_free(object);
    object[0] ^= 1;
    allocate_a_page_full();
}

/* Debug builds find it when the object is freed, release ones when the neighbour is taken. */
TEST(selftest, overflow_by_one_byte)
{
    for (unsigned i = 0; i < PAGE_BYTES / 256; i++) {
        char *object = hide(spmalloc(&kernel_account, 256));

        object[256] ^= 1;
        spmalloc_free(object);
        (void)!spmalloc(&kernel_account, 256);
    }
}

TEST(selftest, leak_of_a_domain)
{
    struct domain *domain;
    long code;

    ASSERT_OK(domain_create("leaky", 0, &domain));
    EXPECT_TRUE(spmalloc(domain->account, 100) != NULL);
    domain_kill(domain, 0);
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    object_release(&domain->object);
}
