/* SPDX-License-Identifier: MIT */
/*
 * The NUMA nodes and banks: what each has, and in which order a core asks them.
 *
 * Each node keeps back a reserve. Without it, a machine whose memory is used up could not get out:
 * to unmap the middle of a region takes a new region record, to end a domain takes messages.
 */
#include "arch/core.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "mm/frame_priv.h"

#define NODES PLATFORM_MAX_NUMA_NODES
/* A node keeps one page in so many for the reserve, within the bounds. */
#define RESERVE_DIVISOR 256U
#define RESERVE_MIN_PAGES 32U
#define RESERVE_MAX_PAGES 1024U
/* A small node keeps at most one page in so many. */
#define RESERVE_SHARE_MAX 16U
/* A node is low when it has fewer than so many times its reserve. */
#define LOW_RESERVES 4U

struct bank frame_banks[FRAME_MAX_BANKS]; /* fixed after boot */
unsigned frame_bank_count;
paddr_t frame_first_bank_base;
uint64_t frame_first_bank_bytes;

struct frame_node frame_nodes[NODES];
unsigned frame_node_count;
/* For each node all nodes, itself first, then the nearest: fixed after boot. */
static uint8_t nearest[NODES][NODES];

const struct bank *frame_find_bank(paddr_t address)
{
    for (unsigned i = 0; i < frame_bank_count; i++) {
        const struct bank *bank = &frame_banks[i];

        if (address >= bank->base && (address - bank->base) / PAGE_BYTES < bank->pages) {
            return bank;
        }
    }
    return NULL;
}

const uint8_t *frame_nearest_nodes(void)
{
    return nearest[platform.numa_node[core_index()]];
}

void frame_reset(void)
{
    for (unsigned i = 0; i < NODES; i++) {
        spin_lock_init(&frame_nodes[i].lock, "frame");
        buddy_reset(&frame_nodes[i]);
    }
    frame_bank_count = 0;
    frame_first_bank_bytes = 0;
}

/* Inserts node `other` where its distance from `node` puts it among the first `count`. */
static void insert_nearest(unsigned node, unsigned count, unsigned other)
{
    const uint32_t *distance = platform.numa_distance[node];
    unsigned at = count;

    while (at > 0 && nearest[node][at - 1] != node &&
           (other == node || distance[nearest[node][at - 1]] > distance[other])) {
        nearest[node][at] = nearest[node][at - 1];
        at--;
    }
    nearest[node][at] = (uint8_t)other;
}

void frame_settle(void)
{
    frame_node_count = (unsigned)max_u64(platform.numa_count, 1);
    for (unsigned i = 0; i < frame_node_count; i++) {
        uint64_t total = frame_nodes[i].total_pages;
        uint64_t reserve = max_u64(total / RESERVE_DIVISOR, RESERVE_MIN_PAGES);

        reserve = min_u64(reserve, RESERVE_MAX_PAGES);
        frame_nodes[i].reserve = min_u64(reserve, total / RESERVE_SHARE_MAX);
        frame_nodes[i].low_pages = LOW_RESERVES * frame_nodes[i].reserve;
        for (unsigned other = 0; other < frame_node_count; other++) {
            insert_nearest(i, other, other);
        }
    }
}

static uint64_t node_free_pages(struct frame_node *node)
{
    uint64_t state = spin_lock_save(&node->lock);
    uint64_t pages = node->free_pages;

    spin_unlock_restore(&node->lock, state);
    return pages;
}

uint64_t frame_node_free_pages(uint32_t number)
{
    return number < frame_node_count ? node_free_pages(&frame_nodes[number]) : 0;
}

uint64_t frame_free_pages(void)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < frame_node_count; i++) {
        pages += node_free_pages(&frame_nodes[i]);
    }
    return pages;
}

uint64_t frame_total_pages(void)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < frame_node_count; i++) {
        pages += frame_nodes[i].total_pages;
    }
    return pages;
}

bool frame_is_low(void)
{
    struct frame_node *node = &frame_nodes[frame_nearest_nodes()[0]];

    /* relaxed: advice */
    return atomic_load_relaxed(&node->free_pages) < node->low_pages;
}

uint64_t frame_reserve_pages(void)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < frame_node_count; i++) {
        pages += frame_nodes[i].reserve;
    }
    return pages;
}

/* The records of [start, end) in one bank; no block reaches across either. */
static void visit_span(uint32_t number, struct frame *at, const struct frame *end,
                       void (*visit)(struct frame *frame, void *argument), void *argument)
{
    struct spinlock *lock = &frame_nodes[number].lock;
    uint64_t state = spin_lock_save(lock);

    while (at < end) {
        /* relaxed: an owner may change the state, not the order, and FREE is the lock's */
        uint32_t id = atomic_load_relaxed(&at->id);

        if ((id & 0xff) != FRAME_FREE) {
            visit(at, argument);
        }
        at += 1UL << (id >> 8 & 0xff);
    }
    spin_unlock_restore(lock, state);
}

void frame_visit_used(void (*visit)(struct frame *frame, void *argument), void *argument)
{
    uint64_t step = (uint64_t)PAGE_BYTES << FRAME_MAX_ORDER;

    for (unsigned i = 0; i < frame_bank_count; i++) {
        const struct bank *bank = &frame_banks[i];
        paddr_t end = bank->base + bank->pages * PAGE_BYTES;
        paddr_t next;

        for (paddr_t at = bank->base; at < end; at = next) {
            next = min_u64(ALIGN_DOWN(at, step) + step, end);
            visit_span(bank->node, frame_of(at), frame_of(at) + (next - at) / PAGE_BYTES, visit,
                       argument);
        }
    }
}

uint64_t frame_free_blocks(unsigned order)
{
    uint64_t blocks = 0;

    for (unsigned i = 0; i < frame_node_count; i++) {
        uint64_t state = spin_lock_save(&frame_nodes[i].lock);

        blocks += frame_nodes[i].blocks[order];
        spin_unlock_restore(&frame_nodes[i].lock, state);
    }
    return blocks;
}
