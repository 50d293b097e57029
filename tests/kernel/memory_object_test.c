/* SPDX-License-Identifier: MIT */
/* Memory objects in the kernel: what two who use one at once, or a strange one, must not break. */
#include "mm/memory.h"

#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/usercopy.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "mm/nexus.h"
#include "mm/vspace_mapped.h"
#include "tests/kernel/crew.h"

#define AT 0x40000000UL
#define MEGAPAGE 0x200000UL
#define RW (PROTECT_READ | PROTECT_WRITE)
#define PINS_MAX 1023U
#define PINNED 64U

static struct account account;
static struct vspace *space;
static struct memory *memory;

static void begin(void)
{
    account_init(&account, ACCOUNT_UNLIMITED);
    BUG_ON(vspace_create(&account, &space) != OK);
}

static void end(void)
{
    vspace_destroy(space);
    object_release(&memory->object);
    EXPECT_EQ(account_finish(&account), 0);
}

static status_t map(vaddr_t address, uint64_t pages, uint32_t flags)
{
    const struct vspace_mapping mapping = {
        .address = address,
        .bytes = pages * PAGE_BYTES,
        .protection = RW,
        .flags = flags,
        .allowed = RW,
        .memory = memory,
    };
    vaddr_t mapped;

    return vspace_map(space, &mapping, &mapped);
}

/* This core may remember what is entered from now on. */
static void run_in_space(void)
{
    uint64_t state = irq_save();

    vspace_activate(space);
    vspace_activate(NULL);
    irq_restore(state);
}

static void pin_in_vain(void *member)
{
    struct crew_member *me = member;

    for (unsigned i = 0; i < 500; i++) {
        if (me->index % 2 == 0) {
            paddr_t physical;

            EXPECT_EQ(memory_pin(memory, 0, PINNED, &physical), ERR_NO_SPACE);
        } else {
            status_t status = memory_unpin(memory, i % (PINNED - 1), 1);

            EXPECT_TRUE(status == OK || status == ERR_NOT_FOUND);
        }
    }
}

/* A pin that fails takes its pins back; somebody may have done so already. */
TEST(memory_object, a_failed_pin_survives_that_another_unpins_its_pages)
{
    paddr_t physical;

    begin();
    ASSERT_OK(memory_create(&account, NULL, PINNED, &memory));
    for (unsigned i = 0; i < PINS_MAX; i++) {
        ASSERT_OK(memory_pin(memory, PINNED - 1, 1, &physical));
    }
    crew_run(4, pin_in_vain, NULL);
    EXPECT_OK(memory_unpin(memory, PINNED - 1, 1));
    end();
}

/* A TLB may hold a megapage in pieces. A debug build panics when the block is freed too early. */
TEST(memory_object, a_megapage_that_is_unmapped_in_part_is_flushed_as_a_whole)
{
    paddr_t physical;
    vaddr_t other;

    begin();
    ASSERT_OK(memory_create_contiguous(&account, NULL, MEGAPAGE / PAGE_BYTES, &memory));
    run_in_space();
    ASSERT_OK(vspace_map_anonymous(space, AT + 2 * MEGAPAGE, PAGE_BYTES, RW, &other));
    ASSERT_OK(vspace_fault(space, AT + 2 * MEGAPAGE, PROTECT_READ)); /* keeps the table above */
    ASSERT_OK(map(AT, MEGAPAGE / PAGE_BYTES, MEMORY_POPULATE));
    EXPECT_OK(vspace_translate(space, AT + 9 * PAGE_BYTES, RW, &physical));
    EXPECT_OK(vspace_unmap(space, AT + 100 * PAGE_BYTES, PAGE_BYTES));
    EXPECT_EQ(vspace_translate(space, AT, RW, &physical), ERR_FAULT);
    EXPECT_OK(vspace_unmap(space, AT, 100 * PAGE_BYTES));
    EXPECT_OK(vspace_unmap(space, AT + 101 * PAGE_BYTES, MEGAPAGE - 101 * PAGE_BYTES));
    object_release(&memory->object);
    ASSERT_OK(memory_create(&account, NULL, 1, &memory));
    end();
}

/*
 * One thread has taken an entry out, as for a copy of a shared page, and has not flushed yet; another
 * unmaps the page and finds no entry. It must flush all the same: then the region is off the list, and
 * nobody else will. A debug build panics when the frame is freed too early.
 */
TEST(memory_object, unmapping_flushes_what_another_thread_has_just_taken_out)
{
    uint64_t state;
    vaddr_t other;

    begin();
    ASSERT_OK(memory_create(&account, NULL, 1, &memory));
    run_in_space();
    ASSERT_OK(vspace_map_anonymous(space, AT + 2 * PAGE_BYTES, PAGE_BYTES, RW, &other));
    ASSERT_OK(vspace_fault(space, AT + 2 * PAGE_BYTES, PROTECT_READ)); /* keeps the table */
    ASSERT_OK(map(AT, 1, MEMORY_POPULATE));
    state = memory_lock_save(memory);
    list_for_each_entry(struct vspace_region, region, &memory->mappings, mapping_link)
    {
        vspace_narrow_mapping(region, 0, 1, true);
    }
    memory_unlock_restore(memory, state);
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));
    for (unsigned i = 0; i < 4; i++) { /* the next ones, maybe in the same record, owe nothing */
        ASSERT_OK(map(AT + (4 + i) * PAGE_BYTES, 1, 0));
    }
    list_for_each_entry(struct vspace_region, region, &memory->mappings, mapping_link)
    {
        EXPECT_FALSE(region->narrowed_outside);
    }
    EXPECT_OK(vspace_unmap(space, AT + 4 * PAGE_BYTES, 4 * PAGE_BYTES));
    object_release(&memory->object);
    ASSERT_OK(memory_create(&account, NULL, 1, &memory));
    end();
}

static void clone_or_remap(void *member)
{
    struct crew_member *me = member;
    vaddr_t mine = AT + (me->index / 2) * PAGE_BYTES;

    run_in_space();
    for (unsigned i = 0; i < 300; i++) {
        status_t status;

        if (me->index % 2 == 0) {
            struct memory *clone;

            ASSERT_OK(memory_clone(memory, &account, NULL, &clone));
            status = vspace_fault(space, mine, PROTECT_WRITE);
            EXPECT_TRUE(status == OK || status == ERR_FAULT);
            object_release(&clone->object);
        } else {
            status = vspace_fault(space, mine, PROTECT_READ);
            EXPECT_TRUE(status == OK || status == ERR_FAULT);
            status = vspace_protect(space, mine, PAGE_BYTES, PROTECT_READ);
            EXPECT_TRUE(status == OK || status == ERR_NOT_FOUND);
            EXPECT_OK(vspace_unmap(space, mine, PAGE_BYTES));
            EXPECT_OK(map(mine, 1, 0));
        }
    }
}

TEST(memory_object, cloning_copying_and_remapping_at_once_leaves_no_frame_in_a_tlb)
{
    begin();
    ASSERT_OK(memory_create(&account, NULL, 1, &memory));
    ASSERT_OK(map(AT, 1, 0));
    ASSERT_OK(map(AT + PAGE_BYTES, 1, 0));
    crew_run(4, clone_or_remap, NULL);
    end();
}

/* In a space that no core runs, so that whoever unmaps needs nobody else and leaves an idle region. */
static void map_and_unmap(void *member)
{
    struct crew_member *me = member;
    vaddr_t mine = AT + 2 * me->index * PAGE_BYTES;

    for (unsigned i = 0; i < 300; i++) {
        vaddr_t place = mine + i % 2 * PAGE_BYTES;

        ASSERT_OK(map(place, 1, i % 3 == 0 ? 0 : MEMORY_POPULATE));
        EXPECT_OK(vspace_fault(space, place, PROTECT_WRITE));
        EXPECT_OK(vspace_unmap(space, place, PAGE_BYTES));
        EXPECT_EQ(vspace_fault(space, place, PROTECT_READ), ERR_FAULT);
        EXPECT_OK(map(mine, 2, 0));
        EXPECT_OK(vspace_unmap(space, mine + i % 2 * PAGE_BYTES, PAGE_BYTES)); /* splits */
        EXPECT_OK(vspace_unmap(space, mine + (i + 1) % 2 * PAGE_BYTES, PAGE_BYTES));
    }
}

TEST(memory_object, cores_share_the_idle_region_of_a_space)
{
    begin();
    ASSERT_OK(memory_create(&account, NULL, 2, &memory));
    crew_run(4, map_and_unmap, NULL);
    EXPECT_EQ(space->region_count, 0);
    EXPECT_EQ(space->pages, 0);
    EXPECT_TRUE(list_is_empty(&memory->mappings));
    EXPECT_EQ(memory->object.references, 1);
    end();
}

/* The kernel's direct map has RAM only, and above it other things. */
TEST(memory_object, kernel_copies_keep_off_devices)
{
    static const paddr_t bases[] = {0x10000000UL, 0x3f80200000UL, (1UL << 55)};
    uint64_t word = 0;

    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        vaddr_t other;

        begin();
        ASSERT_OK(memory_create_device(&account, NULL, bases[i], 1, &memory));
        ASSERT_OK(vspace_map_anonymous(space, AT - PAGE_BYTES, PAGE_BYTES, RW, &other));
        ASSERT_OK(map(AT, 1, i == 0 ? MEMORY_POPULATE : 0));
        EXPECT_EQ(usercopy_in(space, &word, user_addr(AT), sizeof(word)), ERR_FAULT);
        EXPECT_EQ(usercopy_in_try(space, &word, user_addr(AT), sizeof(word)), ERR_FAULT);
        EXPECT_EQ(usercopy_out(space, user_addr(AT - 4), &word, sizeof(word)), ERR_FAULT);
        end();
    }
}

/* Nothing is lost at its limits. */
TEST(memory_object, sizes_and_ranges_at_their_limits_are_refused)
{
    struct memory *slice;
    paddr_t physical;
    vaddr_t mapped;

    begin();
    EXPECT_EQ(memory_create(&account, NULL, MEMORY_MAX_PAGES + 1, &memory), ERR_INVALID);
    EXPECT_EQ(memory_create_device(&account, NULL, 0, 0, &memory), ERR_INVALID);
    EXPECT_EQ(memory_create_device(&account, NULL, 1UL << 56, 1, &memory), ERR_INVALID);
    ASSERT_OK(memory_create_device(&account, NULL, 0, 1UL << 44, &memory));
    const struct vspace_mapping of_kernel = {
        .bytes = PAGE_BYTES,
        .protection = PROTECT_READ,
        .allowed = PROTECT_READ,
        .memory = memory,
        .offset = ALIGN_DOWN(kernel_image_paddr(__text_start), PAGE_BYTES),
    };
    EXPECT_EQ(memory_slice(memory, 0, 1UL << 44, &account, NULL, &slice), ERR_DENIED);
    EXPECT_EQ(vspace_map(space, &of_kernel, &mapped), ERR_DENIED);
    EXPECT_EQ(memory_slice(memory, 1, 1UL << 44, &account, NULL, &slice), ERR_INVALID);
    EXPECT_EQ(memory_slice(memory, ~0UL, 2, &account, NULL, &slice), ERR_INVALID);
    EXPECT_EQ(memory_slice(memory, kernel_image_paddr(__text_start) / PAGE_BYTES, 1, &account, NULL,
                           &slice),
              ERR_DENIED);
    EXPECT_EQ(memory_slice(memory, 0x80000000UL / PAGE_BYTES, 1, &account, NULL, &slice),
              ERR_DENIED); /* the firmware's */
    EXPECT_EQ(memory_pin(memory, 0, ~0UL, &physical), ERR_INVALID);
    EXPECT_EQ(memory_unpin(memory, ~0UL, 1), ERR_INVALID);
    end();
}
