/* SPDX-License-Identifier: MIT */
/*
 * One thread becomes two.
 *
 * Who may look meanwhile: thread_kill, under the lock of the identity's ended_queue, finds the body;
 * domain_kill, under the domain's lock, finds whoever is in its list. Both locks are held while body, list
 * and the order to end that came before change hands, so an order reaches the heir once, and the
 * orphan never. The orphan is in no list of threads: it is counted in its asker, whose memory stays
 * until the last orphan has ended, but whose end is announced before (reaper.c).
 */
#include "sched/heir.h"

#include <string.h>

#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "mm/asid.h"
#include "sched/domain.h"
#include "sched/runqueue_priv.h"

status_t heir_make(struct domain *asker, struct thread **out)
{
    const struct thread *self = thread_current();
    status_t status = thread_make_heir(asker, out);

    if (status == OK) {
        (*out)->affinity = self->affinity;
        (*out)->own_rank = self->own_rank; /* nobody knows it yet, so no lock */
        (*out)->rank = self->own_rank;
    }
    return status;
}

/* Listings and the debugger know the heir by what the thread was called. */
static void exchange_names(struct thread *self, struct thread *heir)
{
    uint32_t id = heir->id;

    heir->id = self->id;
    heir->run_ticks = self->run_ticks;
    self->id = id;
    self->run_ticks = 0;
    if (self->identity != NULL) {
        strlcpy(heir->name, self->name, sizeof(heir->name));
        format_string(self->name, sizeof(self->name), "orphan of %u", heir->id);
    }
}

/* Handles mean the heir, and it obeys. */
static void take_over_body_locked(struct thread *self, struct thread *heir)
{
    struct thread *identity = self->identity;
    uint32_t orders;

    spin_lock(&identity->ended_queue.lock);
    identity->body = heir;
    if (identity == self) {
        object_retain(&identity->object);
    } else {
        self->body = NULL; /* nobody has a handle to an heir */
    }
    /* relaxed: orders come under the locks that are held */
    orders = atomic_and_relaxed(&self->flags, ~(uint32_t)THREAD_KILL) & THREAD_KILL;
    atomic_or_relaxed(&heir->flags, orders);
    sched_take_over_rank(heir, self);
    self->identity = NULL;
    spin_unlock(&identity->ended_queue.lock);
    heir->identity = identity;
}

/* An orphan's heir is an orphan. */
static void take_over_identity(struct thread *self, struct thread *heir)
{
    struct domain *domain = self->domain;
    uint64_t state = spin_lock_save(&domain->lock);

    if (self->identity != NULL) {
        list_push_back(&domain->threads, &heir->domain_link);
        list_remove(&self->domain_link);
        take_over_body_locked(self, heir);
    } else {
        heir->identity = NULL;
        /* relaxed: it starts after this */
        atomic_or_relaxed(&heir->flags, THREAD_ORPHAN);
    }
    spin_unlock_restore(&domain->lock, state);
}

/* The thread's domain and its charge go to the heir, the asker's, which heir_make took, to the orphan. */
static void exchange_domains(struct thread *self, struct thread *heir, struct activation *first,
                             struct domain *asker)
{
    uint64_t state = irq_save();

    ASSERT(heir->domain == asker);
    heir->page_memory = self->page_memory; /* the page itself went with the base's record */
    self->page_memory = NULL;
    self->base.page = NULL;
    heir->domain = self->domain;
    self->domain = asker;
    self->base.domain = asker;
    self->base.satp_entry = &asid_entries(asker->vspace)[core_index()];
    self->base.fpu_saved = 0;
    first->previous = &self->base;
    /* relaxed: only this thread acts on it */
    atomic_or_relaxed(&self->flags, THREAD_ORPHAN);
    core_current()->work |= WORK_THREAD;
    irq_restore(state);
}

void heir_succeed(struct thread *heir, struct activation *first, struct domain *asker)
{
    struct thread *self = thread_current();

    ASSERT(irq_enabled());
    domain_keep(asker);
    exchange_names(self, heir);
    take_over_identity(self, heir);
    exchange_domains(self, heir, first, asker);
}

void heir_start(struct thread *heir, void (*entry)(void *argument), void *argument)
{
    heir->start_kernel = entry;
    heir->start_argument = argument;
    thread_make_ready(heir);
}
