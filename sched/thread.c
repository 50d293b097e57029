/* SPDX-License-Identifier: MIT */
/*
 * The life of a thread: made on a stack slot, started, ended, reclaimed.
 */
#include "sched/thread.h"

#include <string.h>

#include "arch/context.h"
#include "arch/upcall.h"
#include "arch/layout.h"
#include "arch/irq.h"
#include "kernel/abi/exit.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/fail.h"
#include "mm/kstack.h"
#include "mm/spmalloc.h"
#include "sched/domain.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"
#include "sched/thread_table.h"

static struct long_list all_threads = LONG_LIST_INIT(all_threads, "all threads");
static uint32_t thread_last_id;
static uint32_t threads_in_use;

static vaddr_t thread_stack_slot_top(const struct thread *thread)
{
    return ALIGN_UP((vaddr_t)thread + sizeof(struct thread), KSTACK_SLOT_BYTES);
}

/* After a grace period: nobody who saw the thread in an epoch section is left. */
static void thread_reclaim(struct epoch_callback *callback)
{
    struct thread *thread = container_of(callback, struct thread, reclaim);
    struct domain *domain = thread->domain;

    kstack_free(thread_stack_slot_top(thread));
    /* relaxed: a count for listings */
    atomic_sub_relaxed(&threads_in_use, 1);
    account_uncharge_pages(domain->account, KSTACK_MAPPED_PAGES);
    object_release(&domain->object);
}

static void thread_destroy(struct object *object)
{
    struct thread *thread = container_of(object, struct thread, object);

    thread_table_remove(thread);
    epoch_defer(&thread->reclaim, thread_reclaim);
}

/* A block for a thread of `domain`, on a stack that is charged already. */
static struct thread *thread_fill(struct domain *domain, const char *name, vaddr_t top)
{
    struct thread *thread = (struct thread *)ALIGN_DOWN(top - sizeof(struct thread), 64);
    memset(thread, 0, sizeof(*thread));
    object_init(&thread->object, OBJECT_THREAD, thread_destroy);
    object_retain(&domain->object);
    thread->domain = domain;
    thread->identity = thread;
    thread->body = thread;
    /* relaxed: only the number matters */
    thread->id = atomic_add_relaxed(&thread_last_id, 1) + 1;
    thread->base.kind = ACTIVATION_BASE;
    thread->base.calls_left = MAX_CALL_DEPTH;
    thread->base.domain = domain;
    thread->base.satp_entry = asid_entries(domain->vspace); /* as `cpu`, which is 0 */
    thread->activation = &thread->base;
    thread->state = THREAD_NEW;
    thread->rank = thread->own_rank = RANK_SHARING;
    affinity_set_all(&thread->affinity);
    list_init(&thread->run_link);
    list_init(&thread->domain_link);
    long_list_link_init(&thread->all_link);
    list_init(&thread->reap_link);
    wait_queue_init(&thread->ended_queue);
    strlcpy(thread->name, name, sizeof(thread->name));
    thread_table_add(thread);
    /* relaxed: a count for listings */
    atomic_add_relaxed(&threads_in_use, 1);
    return thread;
}

status_t thread_make(struct domain *domain, const char *name, struct thread **out)
{
    vaddr_t top;
    status_t status = account_charge_pages(domain->account, KSTACK_MAPPED_PAGES);

    if (status != OK) {
        return status;
    }
    status = kstack_alloc(&top);
    if (status != OK) {
        account_uncharge_pages(domain->account, KSTACK_MAPPED_PAGES);
        return status;
    }
    *out = thread_fill(domain, name, top);
    return OK;
}

status_t thread_make_heir(struct domain *domain, struct thread **out)
{
    vaddr_t top;
    status_t status = fail_this_allocation() ? ERR_NO_MEMORY : kstack_alloc(&top);

    if (status == OK) {
        account_charge_pages_always(domain->account, KSTACK_MAPPED_PAGES);
        *out = thread_fill(domain, thread_current()->name, top);
    }
    return status;
}

void thread_set_core(struct thread *thread, cpu_t cpu)
{
    ptrdiff_t moved = (ptrdiff_t)cpu - (ptrdiff_t)thread->cpu;

    for (struct activation *activation = thread->activation; activation != NULL;
         activation = activation->previous) {
        activation->satp_entry += moved;
    }
    thread->cpu = cpu;
}

/* The first code of every thread, on its own stack, with the run queue locked. */
static void thread_first_code(void *carry, void *argument)
{
    struct thread *thread = argument;

    sched_finish_switch(carry);
    if (thread->start_kernel != NULL) {
        irq_enable();
        thread->start_kernel(thread->start_argument);
        thread_exit(0);
    }
    upcall_exit_work(); /* it may have been killed before it ran at all */
    context_enter_user(thread->start_pc, thread->start_sp, thread->start_tp,
                       thread->start_arguments[0], thread->start_arguments[1],
                       thread->start_arguments[2], thread->start_arguments[3]);
}

status_t thread_create_kernel(const char *name, void (*entry)(void *argument), void *argument,
                              struct thread **out)
{
    struct thread *thread;
    status_t status = thread_make(&kernel_domain, name, &thread);

    if (status != OK) {
        return status;
    }
    thread->start_kernel = entry;
    thread->start_argument = argument;
    *out = thread;
    return OK;
}

status_t thread_create_user(struct domain *domain, const char *name, vaddr_t pc, vaddr_t sp,
                            vaddr_t tp, const uint64_t arguments[4], struct thread **out)
{
    struct thread *thread;
    status_t status = thread_make(domain, name, &thread);

    if (status != OK) {
        return status;
    }
    thread->start_pc = pc;
    thread->start_sp = sp;
    thread->start_tp = tp;
    memcpy(thread->start_arguments, arguments, sizeof(thread->start_arguments));
    *out = thread;
    return OK;
}

static cpu_t thread_choose_core(const struct thread *thread)
{
    cpu_t best = core_index();
    uint32_t best_load = UINT32_MAX;

    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        /* acquire: the core is ready for work; pairs with sched_run_core */
        if (atomic_load_acquire(&cores[cpu].online) == 0 || !affinity_has(&thread->affinity, cpu)) {
            continue;
        }
        uint32_t load = sched_ready_count(cpu) + (cores[cpu].current != runqueues[cpu].idle);
        if (load < best_load) {
            best_load = load;
            best = cpu;
        }
    }
    return best;
}

void thread_make_ready(struct thread *thread)
{
    long_list_add(&all_threads, &thread->all_link);
    thread->context =
        context_make((vaddr_t)activation_fpu(thread->activation), thread_first_code, thread);
    uint64_t state = irq_save();
    sched_deliver(thread);
    irq_restore(state);
}

/* Who has a handle may change its priority meanwhile, under the lock of the queue where it is at home. */
static void set_first_core(struct thread *thread, cpu_t cpu) NO_THREAD_SAFETY
{
    struct runqueue *home = runqueue_lock_home(thread);

    thread_set_core(thread, cpu);
    spin_unlock(&home->lock);
}

status_t thread_start(struct thread *thread, cpu_t cpu)
{
    struct domain *domain = thread->domain;
    cpu_t home = cpu == THREAD_ANY_CORE ? thread_choose_core(thread) : cpu;

    if (!affinity_has(&thread->affinity, home)) {
        return ERR_INVALID;
    }
    uint64_t state = spin_lock_save(&domain->lock);

    if (domain->state != DOMAIN_ALIVE) {
        spin_unlock_restore(&domain->lock, state);
        return ERR_PEER_DIED;
    }
    set_first_core(thread, home);
    list_push_back(&domain->threads, &thread->domain_link);
    domain->thread_count++;
    spin_unlock_restore(&domain->lock, state);

    object_retain(&thread->object); /* the running thread's own; the reaper releases it */
    thread_make_ready(thread);
    return OK;
}

static void thread_announce_end(struct thread *identity, long code)
{
    uint64_t state = spin_lock_save(&identity->ended_queue.lock);

    identity->exit_code = code;
    identity->ended = true;
    identity->body = NULL;
    spin_unlock_restore(&identity->ended_queue.lock, state);
    wait_queue_wake_all(&identity->ended_queue);
}

void thread_set_page(struct message_page *page, struct memory *memory)
{
    struct thread *thread = thread_current();
    struct memory *old = thread->page_memory;

    thread->base.page = page;
    thread->page_memory = memory;
    if (old != NULL) {
        object_release(&old->object);
    }
}

void thread_exit(long code)
{
    struct thread *thread = thread_current();
    struct runqueue *runqueue;

    BUG_ON(activation_current() != &thread->base);
    long_list_remove(&all_threads, &thread->all_link);
    thread_set_page(NULL, NULL);
    if (thread->split_retry.wheel != NULL) {
        timeout_cancel(&thread->split_retry);
    }
    if (thread->identity != NULL) {
        thread_announce_end(thread->identity, code);
    }

    if (thread->rendezvous.mailbox != NULL) {
        object_release(thread->rendezvous.mailbox);
    }

    irq_disable();
    runqueue = &runqueues[core_index()];
    spin_lock(&runqueue->lock);
    thread->state = THREAD_DEAD;
    sched_switch_away(runqueue);
    BUG_ON(true); /* a dead thread is never chosen */
    for (;;) {
    }
}

void thread_kill(struct thread *thread)
{
    uint64_t state = spin_lock_save(&thread->ended_queue.lock);

    if (thread->body != NULL) {
        thread_raise(thread->body, THREAD_KILL);
    }
    spin_unlock_restore(&thread->ended_queue.lock, state);
}

static bool thread_has_ended(void *argument)
{
    return ((struct thread *)argument)->ended;
}

status_t thread_join(struct thread *thread, nsec_t deadline, long *code)
{
    status_t status = wait_queue_wait(&thread->ended_queue, deadline, thread_has_ended, thread);

    if (status == OK) {
        *code = thread->exit_code;
    }
    return status;
}

struct thread_visit {
    bool (*visit)(struct thread *thread, void *argument);
    void *argument;
};

static bool visit_one(struct long_list_link *link, void *argument)
{
    const struct thread_visit *how = argument;

    return how->visit(container_of(link, struct thread, all_link), how->argument);
}

void thread_visit_all(bool (*visit)(struct thread *thread, void *argument), void *argument)
{
    struct thread_visit how = {visit, argument};

    long_list_visit(&all_threads, visit_one, &how);
}

uint32_t thread_count(void)
{
    /* relaxed: a count for listings */
    return atomic_load_relaxed(&threads_in_use);
}
