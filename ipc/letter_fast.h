/* SPDX-License-Identifier: MIT */
/*
 * The short ways of letters: from a core's stock, through the line of a user service, back to the stock.
 *
 * Rules: interrupts are off. A domain that sends keeps, for each core, up to LETTER_STOCK letters that were delivered
 * there and may be sent again there; they stay charged to it. Only that core touches its list, and when
 * the domain ends, nobody: all are freed a grace period after the domain has let go of them. What the short ways
 * do not know is left for letter.c, before any side effect.
 */
#pragma once

#include "arch/core.h"
#include "ipc/letter.h"
#include "ipc/room.h"
#include "sched/domain.h"

#define LETTER_STOCK 32U

/* Of one domain on one core. */
struct letter_list {
    struct queue_record *first;
    uint64_t count;
};

struct letter_stock {
    struct epoch_callback reclaim;
    struct letter_list list[]; /* by core */
};

/* The domain's list here, or NULL. Interrupts are off. */
static inline struct letter_list *letter_stock_here(const struct domain *domain)
{
    /* acquire: its lists are empty ones; pairs with the release in letter_stock_need */
    struct letter_stock *stock = atomic_load_acquire(&domain->letters);

    return stock == NULL ? NULL : &stock->list[core_index()];
}

/* A letter that nobody needs: into its sender's stock, if there is room. False: it is the caller's still. */
static inline bool letter_stock_try_put(struct letter *letter)
{
    struct letter_list *list = letter_stock_here(letter->sender);

    if (list == NULL || list->count >= LETTER_STOCK) {
        return false;
    }
    letter->record.next = list->first;
    list->first = &letter->record;
    list->count++;
    return true;
}

/* The same, or free it. */
void letter_stock_put(struct letter *letter);

/*
 * Send a short message to an exclusive user service: the letter that is to be pushed, or NULL: letter_send_for knows how.
 */
static inline struct letter *letter_try_take(const struct domain *sender, struct port *port)
{
    struct letter_list *list = letter_stock_here(sender);
    struct queue_record *record = list == NULL ? NULL : list->first;

    /* At a port that has a slot for everybody, or a mailbox, more is to be done. */
    if (__builtin_expect(record == NULL || port->mode > PORT_MODE_USER_FLUSH, 0) ||
        !room_try_take(port)) {
        return NULL;
    }
    list->first = record->next;
    list->count--;
    return letter_of(record);
}

/* Make a stock for a domain that sends, if it has none; without memory it stays so. */
void letter_stock_need(struct domain *domain);

/* The domain ends: no thread of it runs any more. */
void letter_stock_drop(struct domain *domain);

/*
 * For ipc/riscv/fastpath.S: a courier's run of an exclusive user service is over. The next letter's message, with its
 * badge behind it, which is to be run at once; or NULL. It is valid until interrupts are let in.
 */
const struct message *letter_next(struct baton_work *work, struct port *port);
