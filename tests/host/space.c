/* SPDX-License-Identifier: MIT */
/* The address space that tests share. */

#include "tests/host/space.h"

#include "arch/irq.h"
#include "arch/usercopy.h"
#include "mm/frame.h"
#include "mm/spmalloc.h"
#include "mm/upcall.h"
#include "tests/host/machine.h"
#include "tests/test.h"

struct account space_account;
struct vspace *space;

static uint64_t baseline;

void space_start(void)
{
    machine_init(SPACE_RAM_PAGES);
    vspace_init();
    for (cpu_t cpu = MACHINE_CORES; cpu-- > 0;) {
        space_run_core(cpu, NULL);
    }
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

/* There are no pagers here. */
status_t upcall_page_fault(struct vspace *asking, vaddr_t address, uint32_t access)
{
    (void)asking;
    (void)address;
    (void)access;
    return ERR_FAULT;
}

void space_run_core(cpu_t cpu, struct vspace *where)
{
    machine_be_core(cpu);
    irq_disable();
    vspace_activate(where);
    irq_enable();
}

status_t space_map(vaddr_t address, uint64_t pages)
{
    vaddr_t mapped;

    return vspace_map_anonymous(space, address, pages * PAGE_BYTES, SPACE_RW, &mapped);
}

status_t space_map_object(vaddr_t address, struct memory *memory, uint64_t first, uint64_t pages)
{
    const struct vspace_mapping mapping = {
        .address = address,
        .bytes = pages * PAGE_BYTES,
        .protection = SPACE_RW,
        .allowed = PROTECT_ALL,
        .memory = memory,
        .offset = first * PAGE_BYTES,
    };
    vaddr_t mapped;

    return vspace_map(space, &mapping, &mapped);
}

bool space_is_mapped(vaddr_t address)
{
    return vspace_fault(space, address, PROTECT_READ) == OK;
}

void space_touch(vaddr_t address, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        EXPECT_OK(vspace_fault(space, address + i * PAGE_BYTES, PROTECT_READ));
    }
}

bool space_is_entered(vaddr_t address, uint32_t access)
{
    paddr_t physical;

    return vspace_translate(space, address, access, &physical) == OK;
}

status_t space_store(vaddr_t address, uint64_t word)
{
    return usercopy_out(space, user_addr(address), &word, sizeof word);
}

uint64_t space_load(vaddr_t address)
{
    uint64_t word = ~0UL;

    EXPECT_OK(usercopy_in(space, &word, user_addr(address), sizeof word));
    return word;
}
