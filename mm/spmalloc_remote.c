/* SPDX-License-Identifier: MIT */
/*
 * Objects that are freed on another core than the one they came from, and their way home.
 *
 * Problem: the free list of a slab is its core's alone. Choice: the free is a message. The sender
 * marks the object, chains it to others for the same core and pushes the chain, when it is long
 * enough, to the owner's inbox (mm/remote.h). The owner puts the objects into their slabs when it
 * runs out of them, and mm/drain sees to it when the owner sleeps or does not get there.
 *
 * An object on its way: word 0 is MARK_TRAVELLING, encoded; word 1 is the chain. Its slab cannot
 * go away, since the object counts as used. A second free, here or at home, finds the mark.
 *
 * Each object's line comes from the sender's cache, and the chain alone would have the owner wait
 * for one after the other. So word 2 names the object OUTGOING_AHEAD places further on, in this
 * batch or the one sent before, which the owner prefetches. That costs five instructions an object
 * and halves the time of objects that do not share lines.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "mm/drain.h"
#include "mm/spmalloc_priv.h"

#define COLLECT_PART 256U
#define BACKLOG_OBJECTS 512U /* that wait at a core before somebody sees to it */

struct ahead {
    struct remote_node *node[OUTGOING_AHEAD];
};

static void outgoing_send(struct outgoing *out)
{
    cpu_t cpu = out->cpu;
    uint32_t index = (uint32_t)out->place / sizeof(out->node[0]);
    uint32_t count = OUTGOING_OBJECTS - index;
    uint64_t before = remote_push_chain(&spmalloc_cores[cpu].inbox, out->node[index],
                                        out->node[OUTGOING_OBJECTS - 1], count);

    /* The owner comes to this batch after the next one. */
    *(struct ahead *)&out->node[OUTGOING_OBJECTS] = *(struct ahead *)out->node;
    out->place = OUTGOING_EMPTY;
    /* Once each time so many have come together: the owner may sleep, or never allocate again. */
    if ((before + count) / BACKLOG_OBJECTS != before / BACKLOG_OBJECTS) {
        drain_backlog(cpu);
    }
}

/* The batch in its place is for another core. */
void spmalloc_free_first(void *pointer, uint64_t state)
{
    struct frame *slab = frame_of_pointer(pointer);
    struct spmalloc_core *core = core_heaps();
    cpu_t cpu = slab_owner(slab);
    struct outgoing *out = &core->outgoing[cpu % OUTGOING_SLOTS];

    if (out->place != OUTGOING_EMPTY) {
        outgoing_send(out);
    }
    out->cpu = cpu;
    (void)outgoing_add(out, slab, pointer); /* a batch holds more than one */
    irq_restore_whole(state);
}

/* The batch is full. */
void spmalloc_free_send(void *pointer, uint64_t state)
{
    struct spmalloc_core *core = core_heaps();
    cpu_t cpu = slab_owner(frame_of_pointer(pointer));

    outgoing_send(&core->outgoing[cpu % OUTGOING_SLOTS]);
    irq_restore_whole(state);
}

void spmalloc_flush_core(cpu_t cpu)
{
    for (unsigned i = 0; i < OUTGOING_SLOTS; i++) {
        struct outgoing *out = &spmalloc_cores[cpu].outgoing[i];

        if (out->place != OUTGOING_EMPTY) {
            outgoing_send(out);
        }
    }
}

/* The slab has been given `came` objects in one go: what slab_put_home does for one. */
static void run_end(struct frame *slab, uint32_t came)
{
    slab->used -= came;
    if (slab->id != FRAME_ID(FRAME_SLAB, 0, slab->heap->cpu)) {
        BUG_ON(slab_state(slab) != FRAME_SLAB_FULL);
        frame_set_state(slab, FRAME_SLAB);
        list_push_front(&slab->heap->partial[slab->size_class], &slab->link);
    }
    if (slab->used == 0) {
        list_remove(&slab->link);
        slab_give_back(slab);
    }
}

/*
 * Puts objects of one slab back, from `node` on, at most `n`; returns the first that is of another
 * one. Those that were freed together often are of one slab, and then each costs half as much.
 */
static struct remote_node *collect_run(struct remote_node *node, uint64_t n, uint64_t *done)
{
    struct frame *slab = frame_of_pointer(node);
    const uint64_t key = slab->key;
    uint64_t differs = slab->free ^ node_object(node);
    uint64_t left = n;
    struct remote_node *next;

    for (;;) {
        uintptr_t object = node_object(node);

        if (UNLIKELY(*object_word(object) != (MARK_TRAVELLING ^ key))) {
            panic_travelling_written(slab, object);
        }
        next = node->next;
        node_prefetch_ahead(node);
        *object_word(object) = differs << 52 ^ key;
        if (BATON_DEBUG) {
            debug_come_home(object);
        }
        left--;
        differs = (uintptr_t)node ^ (uintptr_t)next; /* as that of the objects */
        if (differs / PAGE_BYTES != 0 || left == 0) {
            break;
        }
        node = next;
    }
    slab->free = node_object(node);
    run_end(slab, (uint32_t)(n - left));
    *done += n - left;
    return next;
}

bool spmalloc_collect_some(cpu_t cpu, unsigned n)
{
    struct spmalloc_core *core = &spmalloc_cores[cpu];
    struct remote_node *node = core->rest;
    uint64_t done = 0;

    if (node == NULL) {
        node = remote_take_all(&core->inbox);
    }
    while (node != NULL && done < n) {
        node = collect_run(node, n - done, &done);
    }
    core->rest = node;
    if (done != 0) {
        remote_settle(&core->inbox, done);
    }
    return node != NULL || spmalloc_waiting(cpu) != 0;
}

void spmalloc_empty_core(void)
{
    cpu_t cpu = core_index();
    uint64_t left = spmalloc_waiting(cpu);

    if (spmalloc_cores[cpu].makes_slab) {
        return;
    }
    for (; left != 0; left -= min_u64(left, COLLECT_PART)) {
        (void)spmalloc_collect_some(cpu, COLLECT_PART);
    }
    spmalloc_trim_core(cpu);
}

uint64_t spmalloc_waiting(cpu_t cpu)
{
    return remote_waiting(&spmalloc_cores[cpu].inbox);
}
