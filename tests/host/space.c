/* SPDX-License-Identifier: MIT */
/* The address space that tests share. */

#include "tests/host/space.h"

#include "mm/frame.h"
#include "mm/spmalloc.h"
#include "tests/host/machine.h"
#include "tests/test.h"

struct account space_account;
struct vspace *space;

static uint64_t baseline;

void space_start(void)
{
    machine_init(SPACE_RAM_PAGES);
    vspace_init();
    baseline = machine_free_pages();
    account_init(&space_account, SPACE_QUOTA_PAGES);
    EXPECT_OK(vspace_create(&space_account, &space));
}

void space_finish(void)
{
    vspace_destroy(space);
    EXPECT_EQ(account_finish(&space_account), 0);
    EXPECT_EQ(account_pages(&space_account), 0);
    EXPECT_EQ(machine_free_pages(), baseline);
    EXPECT_EQ(spmalloc_objects(), 0);
}

status_t space_map(vaddr_t address, uint64_t pages)
{
    vaddr_t mapped;

    return vspace_map_anonymous(space, address, pages * PAGE_BYTES, SPACE_RW, &mapped);
}

bool space_is_mapped(vaddr_t address)
{
    paddr_t physical;

    return vspace_translate(space, address, PROTECT_READ, &physical) == OK;
}
