/* SPDX-License-Identifier: MIT */
/*
 * Size classes and slabs.
 *
 * A slab is one page cut into equal objects. Its record is the page's `struct frame`: a bit for
 * each object in use, so that nothing lies in freed memory that a stray write could destroy, a
 * second free is seen for certain, and objects of a power of two need no header. A slab with a
 * free object is on the list of its class; a full one is on none; an empty one is given back.
 */
#include "mm/spmalloc.h"

#include <string.h>

#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"
#include "mm/fail.h"
#include "mm/frame.h"
#include "mm/nexus.h"

/* Multiples of 64 but the first, so that cache-aligned structures are. */
static const uint16_t class_bytes[] = {32, 64, 128, 192, 256, 320, 448, 576, 768, 1024, 1344, 2048};
#define CLASS_COUNT ARRAY_SIZE(class_bytes)
#define SMALL_MAX_BYTES 2048U

_Static_assert(PAGE_BYTES / 32 <= 8 * sizeof(((struct frame *)NULL)->used_bits), "a bit an object");

/* Guards the lists, the slabs' records and the count. The frame lock may be taken inside. */
static struct spinlock spmalloc_lock = SPINLOCK_INIT("spmalloc");
static struct list partial[CLASS_COUNT] GUARDED_BY(spmalloc_lock);
static uint64_t objects GUARDED_BY(spmalloc_lock);
static uint64_t pages GUARDED_BY(spmalloc_lock); /* in slabs and large objects */

void spmalloc_init(void)
{
    uint64_t state = spin_lock_save(&spmalloc_lock);

    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        list_init(&partial[i]);
    }
    objects = 0;
    pages = 0;
    spin_unlock_restore(&spmalloc_lock, state);
}

static unsigned class_of(size_t bytes)
{
    unsigned size_class = 0;

    while (class_bytes[size_class] < bytes) {
        size_class++;
    }
    return size_class;
}

static unsigned order_of(size_t bytes)
{
    unsigned order = 0;

    while (order <= FRAME_MAX_ORDER && ((size_t)PAGE_BYTES << order) < bytes) {
        order++;
    }
    return order;
}

static unsigned slab_capacity(unsigned size_class)
{
    return PAGE_BYTES / class_bytes[size_class];
}

static void set_state_locked(struct frame *frame, enum frame_state state) REQUIRES(spmalloc_lock)
{
    /* relaxed: mm/frame may look at it as a buddy, and any value but FREE tells it the same */
    atomic_store_relaxed(&frame->id, FRAME_ID(state, frame_order(frame), frame_owner(frame)));
}

/* A fresh slab on the list of its class, or NULL. */
static struct frame *add_slab_locked(unsigned size_class) REQUIRES(spmalloc_lock)
{
    paddr_t page = nexus_alloc_page();
    struct frame *slab;

    if (page == FRAME_NONE) {
        return NULL;
    }
    slab = frame_find(page);
    pages++;
    set_state_locked(slab, FRAME_SLAB);
    slab->size_class = (uint8_t)size_class;
    slab->used = 0;
    slab->used_bits[0] = 0;
    slab->used_bits[1] = 0;
    list_push_front(&partial[size_class], &slab->link);
    return slab;
}

/* Takes the first free object of a slab that has one. */
static void *take_object_locked(struct frame *slab) REQUIRES(spmalloc_lock)
{
    unsigned word = ~slab->used_bits[0] != 0 ? 0 : 1;
    unsigned bit = (unsigned)__builtin_ctzl(~slab->used_bits[word]);
    unsigned index = word * 64 + bit;

    ASSERT(index < slab_capacity(slab->size_class));
    slab->used_bits[word] |= 1UL << bit;
    slab->used++;
    if (slab->used == slab_capacity(slab->size_class)) {
        list_remove(&slab->link);
    }
    return (char *)direct_map(frame_address(slab)) + (size_t)index * class_bytes[slab->size_class];
}

static void *alloc_small(size_t bytes)
{
    unsigned size_class = class_of(bytes);
    void *object = NULL;
    struct frame *slab;
    uint64_t state = spin_lock_save(&spmalloc_lock);

    if (list_is_empty(&partial[size_class])) {
        slab = add_slab_locked(size_class);
    } else {
        slab = list_entry(list_first(&partial[size_class]), struct frame, link);
    }
    if (slab != NULL) {
        object = take_object_locked(slab);
        objects++;
    }
    spin_unlock_restore(&spmalloc_lock, state);
    return object;
}

static void *alloc_large(size_t bytes)
{
    unsigned order = order_of(bytes);
    paddr_t block = order > FRAME_MAX_ORDER ? FRAME_NONE : frame_alloc(order);
    uint64_t state;

    if (block == FRAME_NONE) {
        return NULL;
    }
    state = spin_lock_save(&spmalloc_lock);
    set_state_locked(frame_find(block), FRAME_LARGE);
    objects++;
    pages += 1UL << order;
    spin_unlock_restore(&spmalloc_lock, state);
    return direct_map(block);
}

void *spmalloc(struct account *account, size_t bytes)
{
    (void)account;
    if (bytes == 0 || fail_this_allocation()) {
        return NULL;
    }
    return bytes <= SMALL_MAX_BYTES ? alloc_small(bytes) : alloc_large(bytes);
}

void *spmalloc_zeroed(struct account *account, size_t bytes)
{
    void *object = spmalloc(account, bytes);

    if (object != NULL) {
        memset(object, 0, bytes);
    }
    return object;
}

static void free_small_locked(struct frame *slab, uint64_t offset) REQUIRES(spmalloc_lock)
{
    unsigned size = class_bytes[slab->size_class];
    unsigned index = (unsigned)offset / size;
    uint64_t bit = 1UL << (index % 64);

    BUG_ON(offset % size != 0 || (slab->used_bits[index / 64] & bit) == 0);
    if (slab->used == slab_capacity(slab->size_class)) {
        list_push_front(&partial[slab->size_class], &slab->link);
    }
    slab->used_bits[index / 64] &= ~bit;
    slab->used--;
    if (slab->used == 0) {
        list_remove(&slab->link);
        set_state_locked(slab, FRAME_PAGE);
        pages--;
        nexus_free_page(frame_address(slab));
    }
}

void spmalloc_free(void *object)
{
    paddr_t address;
    struct frame *frame;
    uint64_t state;

    if (object == NULL) {
        return;
    }
    address = direct_unmap(object);
    frame = frame_find(address);
    state = spin_lock_save(&spmalloc_lock);
    BUG_ON(frame == NULL ||
           (frame_state(frame) != FRAME_SLAB && frame_state(frame) != FRAME_LARGE));
    objects--;
    if (frame_state(frame) == FRAME_SLAB) {
        free_small_locked(frame, address % PAGE_BYTES);
    } else {
        BUG_ON(!IS_ALIGNED(address, PAGE_BYTES));
        set_state_locked(frame, FRAME_ALLOCATED);
        pages -= 1UL << frame_order(frame);
        frame_free(address, frame_order(frame));
    }
    spin_unlock_restore(&spmalloc_lock, state);
}

size_t spmalloc_usable_bytes(size_t bytes)
{
    return bytes <= SMALL_MAX_BYTES ? class_bytes[class_of(bytes)]
                                    : (size_t)PAGE_BYTES << order_of(bytes);
}

uint64_t spmalloc_objects(void)
{
    uint64_t state = spin_lock_save(&spmalloc_lock);
    uint64_t count = objects;

    spin_unlock_restore(&spmalloc_lock, state);
    return count;
}

uint64_t spmalloc_pages(void)
{
    uint64_t state = spin_lock_save(&spmalloc_lock);
    uint64_t count = pages;

    spin_unlock_restore(&spmalloc_lock, state);
    return count;
}

/* One lock, one heap: nothing travels. */
void spmalloc_flush_core(cpu_t cpu)
{
    (void)cpu;
}

bool spmalloc_collect_some(cpu_t cpu, unsigned n)
{
    (void)cpu;
    (void)n;
    return false;
}

void spmalloc_trim_core(cpu_t cpu)
{
    (void)cpu;
}
