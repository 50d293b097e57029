/* SPDX-License-Identifier: MIT */
/*
 * Tables of results.
 *
 * Problem: who answers a letter must find the sender's place for it, when the sender may be gone, without a
 * reference that every letter would have to count. Choice: ids name places of one table of the whole kernel, whose chunks
 * belong to domains. Chunks are found with interrupts off, which is an epoch section, and freed a grace period after
 * they were taken out; what is in one is behind its lock.
 *
 *   id: bit 62, bits 17..61 generation of the place, bits 5..16 the chunk, bits 0..4 the place in it
 *
 * A place is free, pending, or done; its generation rises when it becomes free, so that no id is used twice.
 */
#include "ipc/result.h"

#include "arch/irq.h"
#include "arch/timer.h"
#include "ipc/call_priv.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/epoch.h"
#include "mm/spmalloc.h"
#include "sched/domain.h"
#include "sched/sched.h"

#define CHUNKS 4096U
#define SLOT_BITS 5U
#define CHUNK_BITS 12U
#define GENERATION_SHIFT (SLOT_BITS + CHUNK_BITS)

_Static_assert(RESULT_CHUNK == 1U << SLOT_BITS && CHUNKS == 1U << CHUNK_BITS, "the id");

enum result_state { RESULT_FREE, RESULT_PENDING, RESULT_DONE };

struct result_slot {
    uint64_t generation;
    enum result_state state;
    uint32_t receiver; /* number of the domain that may reply to it, plus 1; 0: none */
    status_t status;
    struct message reply;
    struct thread *waiter;
};

struct result_chunk {
    struct spinlock lock; /* guards all below but the domain; run queue locks inside */
    struct domain *domain;
    struct result_chunk *next; /* of the same domain; constant */
    uint32_t index;
    uint32_t free; /* a bit a free slot; written under the lock */
    struct epoch_callback reclaim;
    struct result_slot slot[RESULT_CHUNK];
};

static struct spinlock chunks_lock = SPINLOCK_INIT("results"); /* guards entries; innermost */
static struct result_chunk *chunks[CHUNKS];                    /* read with interrupts off */

static uint64_t id_of(const struct result_chunk *chunk, uint32_t number)
{
    return RESULT_TOKEN | chunk->slot[number].generation << GENERATION_SHIFT |
           (uint64_t)chunk->index << SLOT_BITS | number;
}

/* The place that the id names, with its chunk locked and interrupts off; or NULL, and they are as before. */
static struct result_slot *find(uint64_t id, struct result_chunk **out,
                                uint64_t *irq) NO_THREAD_SAFETY
{
    struct result_chunk *chunk;
    uint32_t number = (uint32_t)id % RESULT_CHUNK;

    *irq = irq_save();
    /* acquire: what it is; pairs with the release in enter */
    chunk = atomic_load_acquire(&chunks[id >> SLOT_BITS & (CHUNKS - 1)]);
    if (chunk != NULL) {
        spin_lock(&chunk->lock);
        if (chunk->slot[number].state != RESULT_FREE && id_of(chunk, number) == id) {
            *out = chunk;
            return &chunk->slot[number];
        }
        spin_unlock(&chunk->lock);
    }
    irq_restore(*irq);
    return NULL;
}

static void leave(struct result_chunk *chunk, uint64_t irq) NO_THREAD_SAFETY
{
    spin_unlock_restore(&chunk->lock, irq);
}

static void free_slot(struct result_chunk *chunk, struct result_slot *slot)
{
    slot->state = RESULT_FREE;
    slot->generation++;
    /* relaxed: it is looked at again under the lock */
    atomic_store_relaxed(&chunk->free, chunk->free | 1U << (slot - chunk->slot));
}

/* A free place of this chunk becomes a pending one. */
static bool take(struct result_chunk *chunk, uint64_t *id)
{
    uint64_t irq = spin_lock_save(&chunk->lock);
    bool found = chunk->free != 0;

    if (found) {
        uint32_t number = (uint32_t)__builtin_ctz(chunk->free);
        struct result_slot *slot = &chunk->slot[number];

        /* relaxed: as in free_slot */
        atomic_store_relaxed(&chunk->free, chunk->free & (chunk->free - 1));
        slot->state = RESULT_PENDING;
        slot->receiver = 0;
        slot->waiter = NULL;
        *id = id_of(chunk, number);
    }
    spin_unlock_restore(&chunk->lock, irq);
    return found;
}

/* Enter the chunk into the table and into its domain's list. ERR_NO_SPACE. */
static status_t enter(struct result_chunk *chunk)
{
    struct domain *domain = chunk->domain;
    uint64_t irq = spin_lock_save(&chunks_lock);
    status_t status = ERR_NO_SPACE;

    for (uint32_t i = 0; i < CHUNKS && domain->result_chunks < MAX_RESULTS / RESULT_CHUNK; i++) {
        /* relaxed: written under this lock */
        if (atomic_load_relaxed(&chunks[i]) == NULL) {
            chunk->index = i;
            chunk->next = domain->results;
            domain->result_chunks++;
            /* release, both: the chunk is complete; pairs with the acquire in find and result_make */
            atomic_store_release(&chunks[i], chunk);
            atomic_store_release(&domain->results, chunk);
            status = OK;
            break;
        }
    }
    spin_unlock_restore(&chunks_lock, irq);
    return status;
}

static status_t grow(struct domain *domain)
{
    struct result_chunk *chunk = spmalloc_zeroed(domain->account, sizeof(*chunk));
    status_t status;

    if (chunk == NULL) {
        return ERR_NO_MEMORY;
    }
    spin_lock_init(&chunk->lock, "result");
    chunk->domain = domain;
    chunk->free = ~0U;
    for (unsigned i = 0; i < RESULT_CHUNK; i++) {
        /* The place may have had another chunk: the time makes its ids others. */
        chunk->slot[i].generation = 1 + (timer_now_ns() >> 10) % (1UL << 44);
    }
    domain_note_letters(domain); /* its end takes the chunk back, even if nothing was sent */
    status = enter(chunk);
    if (status != OK) {
        spmalloc_free(chunk);
    }
    return status;
}

status_t result_make(uint64_t *id)
{
    struct domain *domain = activation_current()->domain;
    status_t status;

    do {
        /* acquire: what it is; pairs with the release in enter. Chunks stay as long as the domain runs. */
        for (struct result_chunk *chunk = atomic_load_acquire(&domain->results); chunk != NULL;
             chunk = chunk->next) {
            /* relaxed: looked at again under the lock */
            if (atomic_load_relaxed(&chunk->free) != 0 && take(chunk, id)) {
                return OK;
            }
        }
        status = grow(domain);
    } while (status == OK);
    return status;
}

void result_cancel(uint64_t id)
{
    struct result_chunk *chunk;
    uint64_t irq;
    struct result_slot *slot = find(id, &chunk, &irq);

    BUG_ON(slot == NULL);
    free_slot(chunk, slot);
    leave(chunk, irq);
}

void result_deliver(uint64_t id, const struct domain *domain)
{
    struct result_chunk *chunk;
    uint64_t irq;
    struct result_slot *slot = find(id, &chunk, &irq);

    if (slot != NULL) {
        slot->receiver = domain->id + 1;
        leave(chunk, irq);
    }
}

static void settle_locked(struct result_slot *slot, status_t status, const struct message *reply)
{
    slot->state = RESULT_DONE;
    slot->status = status;
    if (status == OK) {
        slot->reply = *reply;
    }
    if (slot->waiter != NULL) {
        sched_wake_thread_quietly(slot->waiter); /* it takes this lock before it goes */
    }
}

void result_settle(uint64_t id, status_t status, const struct message *reply)
{
    struct result_chunk *chunk;
    uint64_t irq;
    struct result_slot *slot = find(id, &chunk, &irq);

    if (slot != NULL) {
        if (slot->state == RESULT_PENDING) {
            settle_locked(slot, status, reply);
        }
        leave(chunk, irq);
        sched_settle_wakeups(irq != 0);
    }
}

status_t letter_reply(uint64_t token, const struct message *reply)
{
    struct result_chunk *chunk;
    uint64_t irq;
    struct result_slot *slot;
    status_t status = OK;

    if (!message_is_valid(reply)) {
        return ERR_INVALID;
    }
    slot = find(token, &chunk, &irq);
    if (slot == NULL) {
        return ERR_STALE;
    }
    if (slot->state != RESULT_PENDING || slot->receiver == 0) {
        status = ERR_STALE;
    } else if (slot->receiver != activation_current()->domain->id + 1) {
        status = ERR_DENIED;
    } else {
        settle_locked(slot, OK, reply);
    }
    leave(chunk, irq);
    sched_settle_wakeups(irq != 0);
    return status;
}

/* One look. With `waits` we are noted as who is to be woken, or with NULL not any more. */
static status_t look(uint64_t id, struct thread *waits, struct message *reply, bool *done)
{
    struct result_chunk *chunk;
    uint64_t irq;
    struct result_slot *slot = find(id, &chunk, &irq);
    status_t status = ERR_WOULD_BLOCK;

    *done = true;
    if (slot == NULL) {
        return ERR_STALE;
    }
    if (chunk->domain != activation_current()->domain) {
        status = ERR_STALE;
    } else if (slot->waiter == NULL || slot->waiter == thread_current()) {
        slot->waiter = waits;
        *done = slot->state == RESULT_DONE;
        if (*done) {
            status = slot->status;
            if (status == OK) {
                *reply = slot->reply;
            }
            free_slot(chunk, slot);
        }
    }
    leave(chunk, irq);
    return status;
}

status_t result_collect(uint64_t id, nsec_t deadline, struct message *reply)
{
    struct thread *waits = deadline == DEADLINE_NOW ? NULL : thread_current();
    status_t why = OK;
    bool done;

    for (;;) {
        status_t status = look(id, why == OK ? waits : NULL, reply, &done);

        if (done || waits == NULL) {
            return status;
        }
        if (why != OK) {
            return why;
        }
        why = sched_block_until(deadline);
    }
}

static void chunk_reclaim(struct epoch_callback *callback)
{
    spmalloc_free(container_of(callback, struct result_chunk, reclaim));
}

void result_drop_all(struct domain *domain)
{
    struct result_chunk *chunk;
    uint64_t irq = spin_lock_save(&chunks_lock);

    chunk = domain->results;
    domain->results = NULL;
    domain->result_chunks = 0;
    for (struct result_chunk *at = chunk; at != NULL; at = at->next) {
        /* relaxed: who has found it already has interrupts off */
        atomic_store_relaxed(&chunks[at->index], (struct result_chunk *)NULL);
    }
    spin_unlock_restore(&chunks_lock, irq);
    while (chunk != NULL) {
        struct result_chunk *next = chunk->next;

        epoch_defer(&chunk->reclaim, chunk_reclaim);
        chunk = next;
    }
}

uint32_t result_count(const struct domain *domain)
{
    uint32_t count = 0;

    /* acquire: as in result_make; pairs with enter */
    for (const struct result_chunk *chunk = atomic_load_acquire(&domain->results); chunk != NULL;
         chunk = chunk->next) {
        /* relaxed: a snapshot */
        for (uint32_t free = atomic_load_relaxed(&chunk->free), i = 0; i < RESULT_CHUNK; i++) {
            count += (free >> i & 1) == 0;
        }
    }
    return count;
}
