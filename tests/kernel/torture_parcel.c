/* SPDX-License-Identifier: MIT */
#include "tests/kernel/torture_parcel.h"

#include <string.h>

#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "tests/kernel/crew.h"

#define SMALL_MAX 2048U
#define LARGE_MAX 32768U
#define BLOCK_ORDERS 5U
/* What is filled and checked at each end of a page of something large. */
#define EDGE_BYTES 32U

enum parcel_kind {
    PARCEL_SMALL,
    PARCEL_ZEROED,
    PARCEL_ALIGNED,
    PARCEL_LARGE,
    PARCEL_PAGE,
    PARCEL_SHARED_PAGE, /* with a second reference until its end */
    PARCEL_BLOCK,
};

/* Of a hundred parcels, how many are of a kind. */
static const uint8_t share[] = {
    [PARCEL_SMALL] = 60, [PARCEL_ZEROED] = 12,     [PARCEL_ALIGNED] = 6, [PARCEL_LARGE] = 5,
    [PARCEL_PAGE] = 12,  [PARCEL_SHARED_PAGE] = 2, [PARCEL_BLOCK] = 3,
};

static uint8_t choose_kind(uint32_t *random)
{
    unsigned left = crew_random(random) % 100;
    uint8_t kind = 0;

    while (left >= share[kind]) {
        left -= share[kind++];
    }
    return kind;
}

/* Small sizes are as frequent as large ones are in bytes. */
static size_t choose_small(uint32_t *random)
{
    size_t most = SMALL_MAX >> crew_random(random) % 8;

    return 1 + crew_random(random) % most;
}

static uint64_t word_at(uint32_t tag, size_t index)
{
    return (tag * 0x9e3779b97f4a7c15UL) ^ (index * 0xd1b54a32d192ed03UL);
}

static void fill(uint8_t *memory, size_t bytes, uint32_t tag)
{
    size_t i = 0;

    for (; i + 8 <= bytes; i += 8) {
        *(uint64_t *)(memory + i) = word_at(tag, i);
    }
    for (; i < bytes; i++) {
        memory[i] = (uint8_t)word_at(tag, i);
    }
}

/* The first byte that is not as filled, or `bytes`. */
static size_t first_wrong(const uint8_t *memory, size_t bytes, uint32_t tag)
{
    size_t i = 0;

    for (; i + 8 <= bytes; i += 8) {
        if (*(const uint64_t *)(memory + i) != word_at(tag, i)) {
            return i;
        }
    }
    for (; i < bytes; i++) {
        if (memory[i] != (uint8_t)word_at(tag, i)) {
            return i;
        }
    }
    return bytes;
}

/* What is small is filled as a whole, what is large at both ends of each page. */
static void parcel_fill(struct parcel *parcel)
{
    if (parcel->bytes <= PAGE_BYTES) {
        fill(parcel->memory, parcel->bytes, parcel->tag);
        return;
    }
    for (size_t at = 0; at < parcel->bytes; at += PAGE_BYTES) {
        size_t left = parcel->bytes - at < PAGE_BYTES ? parcel->bytes - at : PAGE_BYTES;

        if (left >= 2 * EDGE_BYTES) {
            fill(parcel->memory + at, EDGE_BYTES, parcel->tag);
            fill(parcel->memory + at + left - EDGE_BYTES, EDGE_BYTES, parcel->tag + 1);
        }
    }
}

static void parcel_check(const struct parcel *parcel)
{
    if (parcel->bytes <= PAGE_BYTES) {
        EXPECT_EQ(first_wrong(parcel->memory, parcel->bytes, parcel->tag), parcel->bytes);
        return;
    }
    for (size_t at = 0; at < parcel->bytes; at += PAGE_BYTES) {
        size_t left = parcel->bytes - at < PAGE_BYTES ? parcel->bytes - at : PAGE_BYTES;

        if (left >= 2 * EDGE_BYTES) {
            const uint8_t *tail = parcel->memory + at + left - EDGE_BYTES;

            EXPECT_EQ(first_wrong(parcel->memory + at, EDGE_BYTES, parcel->tag), EDGE_BYTES);
            EXPECT_EQ(first_wrong(tail, EDGE_BYTES, parcel->tag + 1), EDGE_BYTES);
        }
    }
}

static void *pages_pointer(paddr_t address)
{
    return address == FRAME_NONE ? NULL : direct_map(address);
}

static void *take_zeroed(size_t bytes)
{
    uint8_t *memory = spmalloc_zeroed(&kernel_account, bytes);

    for (size_t i = 0; memory != NULL && i < bytes; i++) {
        if (memory[i] != 0) {
            EXPECT_EQ(memory[i], 0);
            break;
        }
    }
    return memory;
}

static void *take_aligned(uint32_t *random, size_t bytes)
{
    size_t alignment = 32UL << crew_random(random) % 9;
    void *memory = spmalloc_aligned(&kernel_account, bytes, alignment);

    EXPECT_EQ((uintptr_t)memory % alignment, 0);
    return memory;
}

static void *take_page(bool shared)
{
    paddr_t page = nexus_alloc_page();

    if (page != FRAME_NONE && shared) {
        nexus_retain_page(page);
    }
    return pages_pointer(page);
}

/* Fills in size and memory for the parcel's kind. */
static void take_memory(struct parcel *parcel, uint32_t *random)
{
    parcel->bytes = choose_small(random);
    switch ((enum parcel_kind)parcel->kind) {
    case PARCEL_SMALL:
        parcel->memory = spmalloc(&kernel_account, parcel->bytes);
        break;
    case PARCEL_ZEROED:
        parcel->memory = take_zeroed(parcel->bytes);
        break;
    case PARCEL_ALIGNED:
        parcel->memory = take_aligned(random, parcel->bytes);
        break;
    case PARCEL_LARGE:
        parcel->bytes = SMALL_MAX + crew_random(random) % (LARGE_MAX - SMALL_MAX);
        parcel->memory = spmalloc(&kernel_account, parcel->bytes);
        break;
    case PARCEL_PAGE:
    case PARCEL_SHARED_PAGE:
        parcel->bytes = PAGE_BYTES;
        parcel->memory = take_page(parcel->kind == PARCEL_SHARED_PAGE);
        break;
    case PARCEL_BLOCK:
        parcel->order = (uint8_t)(crew_random(random) % BLOCK_ORDERS);
        parcel->bytes = (size_t)PAGE_BYTES << parcel->order;
        parcel->memory = pages_pointer(frame_alloc(parcel->order));
        break;
    }
}

struct parcel *parcel_make(struct torture_member *member)
{
    struct parcel *parcel = spmalloc(&kernel_account, sizeof(*parcel));

    if (parcel == NULL) {
        torture_refuse(member);
        return NULL;
    }
    parcel->kind = choose_kind(&member->random);
    parcel->tag = crew_random(&member->random);
    take_memory(parcel, &member->random);
    if (parcel->memory == NULL) {
        spmalloc_free(parcel);
        torture_refuse(member);
        return NULL;
    }
    parcel_fill(parcel);
    torture_count(member, (int64_t)parcel->bytes);
    return parcel;
}

void parcel_end(struct torture_member *member, struct parcel *parcel)
{
    paddr_t page = direct_unmap(parcel->memory);

    parcel_check(parcel);
    switch ((enum parcel_kind)parcel->kind) {
    case PARCEL_SMALL:
    case PARCEL_ZEROED:
    case PARCEL_ALIGNED:
    case PARCEL_LARGE:
        spmalloc_free(parcel->memory);
        break;
    case PARCEL_PAGE:
        nexus_free_page(page);
        break;
    case PARCEL_SHARED_PAGE:
        nexus_release_page(page);
        EXPECT_EQ(nexus_page_references(page), 1);
        nexus_release_page(page);
        break;
    case PARCEL_BLOCK:
        frame_free(page, parcel->order);
        break;
    }
    torture_count(member, -(int64_t)parcel->bytes);
    spmalloc_free(parcel);
}
