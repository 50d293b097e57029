/* SPDX-License-Identifier: MIT */
/*
 * The stock of letters, and the next letter of a run that has just ended.
 *
 * Problem: a letter costs as much in the allocator, in the courier's loop and on the way in and out of the kernel as
 * in the service. Choice: letters are used again where they were delivered, and a courier's service that returns
 * is entered again from there, in the same record and address space, while letters are next in line and its budget
 * lasts. What the way in looks at otherwise needs no second look: work for this core comes by an interrupt and is
 * seen at the return, and who closes the port tells its holder, which has not changed.
 *
 * A schedule to beat: the port is closed between two letters. Closed is looked at under the lock under which it is
 * set; if it comes later, the closer finds us as the holder and raises our thread, as in any run.
 */
#include "ipc/letter_fast.h"

#include "ipc/line.h"
#include "ipc/room.h"
#include "mm/asid.h"

void letter_stock_put(struct letter *letter)
{
    if (!letter_stock_try_put(letter)) {
        spmalloc_free(letter);
    }
}

void letter_stock_need(struct domain *domain)
{
    struct letter_stock *stock;
    struct letter_stock *none = NULL;

    /* relaxed: looked at again below */
    if (atomic_load_relaxed(&domain->letters) != NULL || domain == &kernel_domain) {
        return;
    }
    stock = spmalloc_zeroed(domain->account,
                            sizeof(*stock) + asid_core_count() * sizeof(stock->list[0]));
    /* release: the lists are there; pairs with the acquire in letter_stock_here */
    if (stock != NULL && !atomic_cas_release(&domain->letters, &none, stock)) {
        spmalloc_free(stock);
    }
}

static void stock_reclaim(struct epoch_callback *callback)
{
    struct letter_stock *stock = container_of(callback, struct letter_stock, reclaim);

    for (cpu_t cpu = 0; cpu < asid_core_count(); cpu++) {
        struct queue_record *record = stock->list[cpu].first;

        while (record != NULL) {
            struct queue_record *next = record->next;

            spmalloc_free(letter_of(record));
            record = next;
        }
    }
    spmalloc_free(stock);
}

void letter_stock_drop(struct domain *domain)
{
    /* relaxed: who has found it already has interrupts off */
    struct letter_stock *stock = atomic_swap_relaxed(&domain->letters, (struct letter_stock *)NULL);

    if (stock != NULL) {
        epoch_defer(&stock->reclaim, stock_reclaim);
    }
}

const struct message *letter_next(struct baton_work *work, struct port *port)
{
    const struct message *message;
    struct queue_record *record;
    struct letter *letter;

    if (work->follow == 0) {
        return NULL;
    }
    spin_lock(&port->lock);
    record = port->queue.first;
    /* relaxed: closed is set under this lock */
    if (record == NULL || !record->is_letter ||
        (atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0) {
        spin_unlock(&port->lock);
        return NULL;
    }
    (void)queue_pop(&port->queue);
    if (port->queue.first == NULL) {
        line_ran_empty_locked(&port->word);
    }
    spin_unlock(&port->lock);
    letter = letter_of(record);
    work->follow--;
    work->result = letter->result;
    port->calls++;
    message = &letter->message;
    if (__builtin_expect(!letter_stock_try_put(letter), 0)) {
        work->message = letter->message;
        work->badge = letter->badge;
        message = &work->message;
        spmalloc_free(letter);
    }
    room_give(port);
    return message;
}
