/* SPDX-License-Identifier: MIT */
/* What was unmapped last stays in the tree for what is mapped next, and nobody may see it there. */
#include <stdlib.h>

#include "kernel/abi/limits.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "tests/host/machine.h"
#include "tests/host/space.h"
#include "tests/test.h"

#define AT SPACE_BASE
#define CHOSEN_BASE 0x1000000000UL /* places are chosen from here on */

static struct memory *memory;
static struct vspace_mapping mapping;
static vaddr_t mapped;

/* A space, an object of four pages with their number in them, and what is to be mapped of it. */
static void begin(void)
{
    space_start();
    EXPECT_OK(memory_create(&space_account, NULL, 4, &memory));
    EXPECT_OK(space_map_object(AT, memory, 0, 4));
    for (uint64_t i = 0; i < 4; i++) {
        EXPECT_OK(space_store(AT + i * PAGE_BYTES, i));
    }
    EXPECT_OK(space_map(AT + 8 * PAGE_BYTES, 1)); /* keeps the table */
    space_touch(AT + 8 * PAGE_BYTES, 1);
    mapping = (struct vspace_mapping){
        .address = AT,
        .bytes = PAGE_BYTES,
        .protection = SPACE_RW,
        .flags = MEMORY_POPULATE,
        .allowed = PROTECT_ALL,
        .memory = memory,
    };
    EXPECT_OK(vspace_unmap(space, AT, 4 * PAGE_BYTES));
}

static uint64_t mappings_of(struct memory *object)
{
    struct memory_info info;

    memory_describe(object, &info);
    return info.mappings;
}

static void end(void)
{
    EXPECT_EQ(memory->object.references, 1 + mappings_of(memory));
    object_release(&memory->object);
    space_finish();
}

/* Maps what `mapping` says and unmaps it, so that there is an idle region of the same place. */
static struct vspace_region *make_idle(void)
{
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_OK(vspace_unmap(space, mapped, mapping.bytes));
    EXPECT_TRUE(space->idle != NULL);
    return space->idle;
}

TEST(vspace_idle, what_was_unmapped_is_not_there)
{
    begin();
    (void)make_idle();
    EXPECT_EQ(space->region_count, 1);
    EXPECT_EQ(space->pages, 1);
    EXPECT_EQ(mappings_of(memory), 0);
    EXPECT_EQ(memory->object.references, 1);
    EXPECT_FALSE(space_is_entered(AT, 0));
    EXPECT_EQ(vspace_fault(space, AT, 0), ERR_FAULT);
    EXPECT_EQ(vspace_fault(space, AT, PROTECT_READ), ERR_FAULT);
    EXPECT_EQ(space_store(AT, 1), ERR_FAULT);
    EXPECT_EQ(vspace_write(space, AT, "x", 1), ERR_FAULT);
    EXPECT_EQ(vspace_unmap(space, AT, PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_EQ(vspace_protect(space, AT, PAGE_BYTES, PROTECT_READ), ERR_NOT_FOUND);
    EXPECT_OK(space_map(AT + PAGE_BYTES, 1));
    end();
}

TEST(vspace_idle, nothing_can_be_claimed_across_it)
{
    begin();
    EXPECT_OK(space_map(AT + PAGE_BYTES, 1));
    EXPECT_OK(space_map(AT - PAGE_BYTES, 1));
    (void)make_idle();
    EXPECT_EQ(vspace_unmap(space, AT - PAGE_BYTES, 3 * PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_EQ(vspace_protect(space, AT, 2 * PAGE_BYTES, PROTECT_READ), ERR_NOT_FOUND);
    EXPECT_TRUE(space->idle != NULL);
    EXPECT_TRUE(space_is_mapped(AT + PAGE_BYTES));
    EXPECT_EQ(space->region_count, 3);
    EXPECT_OK(vspace_unmap(space, AT + PAGE_BYTES, PAGE_BYTES)); /* and that is the idle one now */
    EXPECT_OK(vspace_unmap(space, AT - PAGE_BYTES, PAGE_BYTES));
    end();
}

TEST(vspace_idle, the_same_addresses_take_its_record_for_any_plain_mapping)
{
    struct vspace_region *idle;
    struct memory *other;

    begin();
    idle = make_idle();
    mapping.offset = 2 * PAGE_BYTES;
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_TRUE(space->idle == NULL);
    EXPECT_EQ(mapped, AT);
    EXPECT_TRUE(space_is_entered(AT, SPACE_RW));
    EXPECT_EQ(space_load(AT), 2);
    EXPECT_EQ(idle->memory, memory);
    EXPECT_EQ(mappings_of(memory), 1);
    EXPECT_EQ(memory->object.references, 2);
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));
    EXPECT_EQ(space->idle, idle);

    mapping.protection = PROTECT_READ;
    mapping.allowed = PROTECT_READ;
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(space_store(AT, 1), ERR_FAULT);
    EXPECT_EQ(vspace_protect(space, AT, PAGE_BYTES, SPACE_RW), ERR_NO_RIGHT);
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));

    /* its pages are not there yet: they come with the general way, or with the fault */
    EXPECT_OK(memory_create(&space_account, NULL, 1, &other));
    mapping = (struct vspace_mapping){.address = AT,
                                      .bytes = PAGE_BYTES,
                                      .protection = SPACE_RW,
                                      .allowed = SPACE_RW,
                                      .memory = other};
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_FALSE(space_is_entered(AT, 0));
    EXPECT_EQ(space_load(AT), 0);
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));
    EXPECT_EQ(other->object.references, 1);
    object_release(&other->object);
    end();
}

/* None of these may be mapped, and an idle region in that place must not help. */
TEST(vspace_idle, what_may_not_be_mapped_is_refused)
{
    struct vspace_mapping good;

    begin();
    (void)make_idle();
    good = mapping;
    mapped = 77;
    mapping.allowed = PROTECT_READ;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_NO_RIGHT);
    mapping = good;
    (void)make_idle();
    mapped = 77;
    mapping.allowed = PROTECT_WRITE; /* to read is part of every access */
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_NO_RIGHT);
    mapping = good;
    mapping.protection = SPACE_RW | PROTECT_EXECUTE;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping = good;
    mapping.offset = 4 * PAGE_BYTES;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping.offset = 1;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping = good;
    mapping.alignment = 3;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping = good;
    mapping.address = AT + 1;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping.address = USER_TOP - PAGE_BYTES;
    mapping.bytes = 2 * PAGE_BYTES;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping = good;
    mapping.bytes = 0;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping.bytes = ~0UL;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    EXPECT_EQ(mapped, 77);
    EXPECT_EQ(mappings_of(memory), 0);
    EXPECT_FALSE(space_is_mapped(AT));
    end();
}

TEST(vspace_idle, another_place_is_as_good_and_the_old_one_is_free)
{
    struct vspace_region *idle;

    begin();
    idle = make_idle();
    mapping.address = AT + 2 * PAGE_BYTES;
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(mapped, AT + 2 * PAGE_BYTES);
    EXPECT_EQ(idle->memory, memory); /* the record */
    EXPECT_FALSE(space_is_mapped(AT));
    EXPECT_TRUE(space_is_mapped(AT + 2 * PAGE_BYTES));
    EXPECT_OK(space_map(AT, 1));
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_EXISTS); /* is there already */
    EXPECT_EQ(space->region_count, 2);
    EXPECT_OK(vspace_unmap(space, AT + 2 * PAGE_BYTES, PAGE_BYTES));
    /* what is idle is in nobody's way */
    mapping.address = AT + PAGE_BYTES;
    mapping.bytes = 3 * PAGE_BYTES;
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(space->region_count, 2);
    EXPECT_OK(vspace_unmap(space, AT + 2 * PAGE_BYTES, PAGE_BYTES));
    EXPECT_EQ(space->region_count, 3);
    end();
}

TEST(vspace_idle, chosen_places_are_the_lowest_as_ever)
{
    begin();
    (void)make_idle();
    mapping.address = 0;
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(mapped, CHOSEN_BASE);
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(mapped, CHOSEN_BASE + 2 * PAGE_BYTES);
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(mapped, CHOSEN_BASE + 4 * PAGE_BYTES);
    EXPECT_OK(vspace_unmap(space, CHOSEN_BASE + 2 * PAGE_BYTES, PAGE_BYTES));
    mapping.bytes = 2 * PAGE_BYTES; /* does not fit there */
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(mapped, CHOSEN_BASE + 6 * PAGE_BYTES);
    EXPECT_OK(vspace_unmap(space, CHOSEN_BASE, PAGE_BYTES));
    mapping.bytes = 3 * PAGE_BYTES; /* fits where the two were */
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(mapped, CHOSEN_BASE);
    EXPECT_OK(vspace_unmap(space, mapped, 3 * PAGE_BYTES));
    EXPECT_OK(vspace_map_anonymous(space, 0, PAGE_BYTES, SPACE_RW, &mapped));
    EXPECT_EQ(mapped, CHOSEN_BASE);
    EXPECT_OK(vspace_unmap(space, mapped, PAGE_BYTES));
    end();
}

TEST(vspace_idle, guards_go_with_the_mapping_that_asked_for_them)
{
    begin();
    mapping.flags = MEMORY_GUARDED;
    (void)make_idle();
    EXPECT_OK(space_map(AT + PAGE_BYTES, 1)); /* no guard keeps it away */
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_EXISTS);
    EXPECT_OK(vspace_unmap(space, AT + PAGE_BYTES, PAGE_BYTES));
    (void)make_idle();
    mapping.flags = 0;
    EXPECT_OK(vspace_map(space, &mapping, &mapped)); /* without a guard, where one was */
    EXPECT_OK(space_map(AT + PAGE_BYTES, 1));
    EXPECT_OK(space_map(AT - PAGE_BYTES, 1));
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));
    EXPECT_OK(vspace_unmap(space, AT - PAGE_BYTES, PAGE_BYTES));
    EXPECT_OK(vspace_unmap(space, AT + PAGE_BYTES, PAGE_BYTES));
    end();
}

TEST(vspace_idle, its_record_serves_when_memory_is_used_up)
{
    begin();
    EXPECT_OK(space_map(AT + 16 * PAGE_BYTES, 3));
    (void)make_idle();
    while (nexus_alloc_page() != FRAME_NONE) {
    }
    while (spmalloc_reserve(&space_account, sizeof(struct vspace_region)) != NULL) {
    }
    mapping.flags = MEMORY_GUARDED; /* the general way */
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(space_map(AT + 4 * PAGE_BYTES, 1), ERR_NO_MEMORY);
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));
    EXPECT_OK(vspace_unmap(space, AT + 16 * PAGE_BYTES, PAGE_BYTES)); /* splits */
    EXPECT_EQ(space->region_count, 2);
}

TEST(vspace_idle, it_does_not_count_but_what_takes_it_does)
{
    begin();
    for (unsigned i = 1; i < VSPACE_MAX_REGIONS - 1; i++) {
        EXPECT_OK(space_map(AT + (16 + 4 * i) * PAGE_BYTES, 2));
    }
    (void)make_idle();
    EXPECT_EQ(space->region_count, VSPACE_MAX_REGIONS - 1);
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_OK(vspace_unmap(space, AT, PAGE_BYTES));
    /* taken for one half of a region, and another becomes idle */
    EXPECT_OK(vspace_unmap(space, AT + 20 * PAGE_BYTES, PAGE_BYTES));
    EXPECT_EQ(space->region_count, VSPACE_MAX_REGIONS - 1);
    (void)make_idle();
    EXPECT_OK(vspace_protect(space, AT + 24 * PAGE_BYTES, PAGE_BYTES, PROTECT_READ));
    EXPECT_EQ(space->region_count, VSPACE_MAX_REGIONS);
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_NO_SPACE);
    EXPECT_EQ(space->region_count, VSPACE_MAX_REGIONS);
    EXPECT_EQ(memory->object.references, 1);
    object_release(&memory->object);
    space_finish();
}

/* One step of the test below: 16 slots of a page, of which those in `there` are mapped. */
static void random_step(uint32_t *there)
{
    unsigned first = (unsigned)rand() % 16;
    unsigned count = 1 + (unsigned)rand() % (16 - first > 4 ? 4 : 16 - first);
    uint32_t bits = ((1U << count) - 1) << first;
    unsigned what = (unsigned)rand() % 8;

    mapping.address = AT + (16 + first) * PAGE_BYTES;
    mapping.bytes = count * PAGE_BYTES;
    mapping.flags = what % 2 == 0 ? MEMORY_POPULATE : 0;
    if (what < 4) {
        EXPECT_EQ(vspace_map(space, &mapping, &mapped), (*there & bits) == 0 ? OK : ERR_EXISTS);
        *there |= (*there & bits) == 0 ? bits : 0;
    } else if (what < 7) {
        EXPECT_EQ(vspace_unmap(space, mapping.address, mapping.bytes),
                  (*there & bits) == bits ? OK : ERR_NOT_FOUND);
        *there &= (*there & bits) == bits ? ~bits : ~0U;
    } else { /* the largest gap is known in every subtree: a chosen place is the lowest */
        mapping.address = 0;
        EXPECT_OK(vspace_map(space, &mapping, &mapped));
        EXPECT_EQ(mapped, CHOSEN_BASE);
        EXPECT_OK(vspace_unmap(space, mapped, mapping.bytes));
    }
}

TEST(vspace_idle, random_maps_and_unmaps_match_a_model)
{
    uint32_t there = 0;

    begin();
    srand(3);
    for (unsigned round = 0; round < 20000; round++) {
        random_step(&there);
        for (unsigned i = 0; i < 16 && round % 16 == 0; i++) {
            EXPECT_EQ(space_is_mapped(AT + (16 + i) * PAGE_BYTES), (there >> i & 1) != 0);
        }
        EXPECT_EQ(mappings_of(memory), memory->object.references - 1);
    }
    end();
}
