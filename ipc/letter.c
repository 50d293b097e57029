/* SPDX-License-Identifier: MIT */
/*
 * Sending, delivering and dropping letters.
 *
 * Problem: a message outlives the call that sends it, and must be paid for, found and freed when either end
 * dies, at a price of a few instructions. Choice: it is an object of the sender's own account, whose heap on this core has
 * one ready, and nobody keeps a reference: while it lies in a line its sender lives, because the sender's end takes it
 * out; when it is taken off, it is copied and freed at once, with interrupts off, which is an epoch section.
 * So the charge is the sender's until delivery, and then what is delivered lies in memory of who gets it.
 *
 * A schedule to beat: a courier takes a letter off, its sender's domain ends and is torn down, the courier reads the letter.
 * The reaper purges, waits for a grace period, and only then frees; a run that needs the sender's memory has kept
 * the domain by then (domain_keep), and the reaper looks for that after the grace period.
 */
#include "ipc/letter.h"

#include "arch/irq.h"
#include "ipc/call_priv.h"
#include "ipc/courier.h"
#include "ipc/letter_fast.h"
#include "ipc/line.h"
#include "ipc/port_event.h"
#include "ipc/port_priv.h"
#include "ipc/result.h"
#include "ipc/room.h"
#include "kernel/abi/syscall.h"
#include "sched/upcall.h"

struct want_room {
    struct port *port;
    uint32_t count;
};

/* There is room, which is ours, or there will be none. The lock of the port is not taken: who has it may give
 * room back, and wakes. */
static bool room_or_closed(void *argument)
{
    struct want_room *want = argument;

    want->count = room_take(want->port, true);
    /* relaxed: who closes it wakes all afterwards, and they look again */
    return want->count != 0 || (atomic_load_relaxed(&want->port->word) & WORD_CLOSED) != 0;
}

/* Wait for room until the deadline; the count with ours is in *count. */
static status_t wait_for_room(struct port *port, nsec_t deadline, uint32_t *count)
{
    struct want_room want = {.port = port};
    status_t status = port_close_reason(port);

    if (status == OK) {
        status = deadline == DEADLINE_NOW
                     ? ERR_WOULD_BLOCK
                     : wait_queue_wait(&port->senders, deadline, room_or_closed, &want);
    }
    *count = want.count;
    return status == OK && want.count == 0 ? port_close_reason(port) : status;
}

/*
 * A schedule that must not be: the last one that waits leaves, we are about to clear the bit, and another one finds no room,
 * sets the bit and waits. So after clearing it is looked again: who set the bit before that is on the list.
 */
static void wake_sender(struct port *port)
{
    if (!wait_queue_wake_one(&port->senders)) {
        /* acq_rel: whoever set the bit before is on the list; pairs with nothing but the lock of the list,
         * under which the bit is set */
        (void)atomic_and_acq_rel(&port->unserved, ~ROOM_WANTED);
        (void)wait_queue_wake_one(&port->senders);
    }
}

/* Who takes the bit off says so, once. */
static void fall_to_low(struct port *port)
{
    /* relaxed, all: as in room_take */
    uint32_t seen = atomic_load_relaxed(&port->unserved);

    while ((seen & ROOM_HIGH) != 0 && (seen & ROOM_COUNT) <= atomic_load_relaxed(&port->low)) {
        if (atomic_cas_relaxed(&port->unserved, &seen, seen & ~ROOM_HIGH)) { /* relaxed: as above */
            port_raise_event(port, PORT_EVENT_LOW);
            return;
        }
    }
}

/* It waits for couriers too long: the owner is told, and this core's courier comes next. */
static void rise_to_high(struct port *port)
{
    port_raise_event(port, PORT_EVENT_HIGH);
    if (port->mode != PORT_MODE_MAILBOX) {
        sched_end_slice();
    }
}

status_t letter_configure(struct port *port, const struct port_limits *limits)
{
    if (limits->capacity > MAX_PORT_CAPACITY || limits->high > limits->capacity ||
        limits->low >= limits->high || limits->priority > PRIORITY_SHARING) {
        return ERR_INVALID;
    }
    /* relaxed, all: each letter looks at what is there */
    atomic_store_relaxed(&port->capacity, (uint32_t)limits->capacity);
    atomic_store_relaxed(&port->low, (uint32_t)limits->low);
    atomic_store_relaxed(&port->high, (uint32_t)limits->high);
    atomic_store_relaxed(&port->rank, limits->priority == PRIORITY_SHARING
                                          ? RANK_SHARING
                                          : RANK_REALTIME + (uint32_t)limits->priority);
    fall_to_low(port);
    wait_queue_wake_all(&port->senders);
    return OK;
}

void room_left(struct port *port, uint32_t before)
{
    if ((before & ROOM_HIGH) != 0) {
        fall_to_low(port);
    }
    if ((before & ROOM_WANTED) != 0) {
        wake_sender(port);
    }
}

/* Into the line of a service. A courier is told if nobody else knows. */
static status_t push_to_service(struct port *port, struct letter *letter)
{
    uint64_t irq = irq_save(); /* the port stays memory, and this core's, until a courier is told */
    enum line_outcome outcome = line_add_letter(&port->word, &letter->record);

    if (outcome == LINE_BEHIND) {
        courier_post(port);
    }
    irq_restore(irq);
    return outcome == LINE_CLOSED ? port_close_reason(port) : OK;
}

status_t letter_send_for(struct port *port, uint64_t badge, const struct message *message,
                         nsec_t deadline, uint64_t result)
{
    struct domain *sender = activation_current()->domain;
    struct letter *letter;
    status_t status = OK;
    uint32_t count;

    if (__builtin_expect(!message_is_valid(message), 0)) {
        return ERR_INVALID;
    }
    count = room_take(port, false);
    if (__builtin_expect(count == 0, 0)) {
        status = wait_for_room(port, deadline, &count);
        if (status != OK) {
            return status;
        }
    }
    letter = spmalloc(sender->account, sizeof(*letter));
    if (__builtin_expect(letter == NULL, 0)) {
        room_give(port);
        status = port_close_reason(port);
        return status != OK ? status : ERR_NO_MEMORY;
    }
    letter->record.linked = false;
    letter->record.is_letter = true;
    letter->record.posted = true;
    letter->message = *message;
    letter->badge = badge;
    letter->sender = sender;
    letter->result = result;
    domain_note_letters(sender);
    letter_stock_need(sender);
    status = port->mode == PORT_MODE_MAILBOX ? mailbox_push_letter(port, &letter->record)
                                             : push_to_service(port, letter);
    if (__builtin_expect(status != OK, 0)) {
        letter_free(port, letter);
    } else if (__builtin_expect((count & ROOM_HIGH) != 0, 0)) {
        rise_to_high(port);
    }
    return status;
}

status_t letter_send(struct port *port, uint64_t badge, const struct message *message,
                     nsec_t deadline)
{
    return letter_send_for(port, badge, message, deadline, 0);
}

void letter_free(struct port *port, struct letter *letter)
{
    spmalloc_free(letter);
    room_give(port);
}

/* Only services in the kernel look at who asks. */
static bool run_needs_sender(const struct port *port)
{
    return port->mode == PORT_MODE_CONCURRENT_KERNEL ||
           (port->mode == PORT_MODE_KERNEL_SERVICE && port->leaf.run == NULL);
}

void letter_begin(struct port *port, struct letter *letter, struct baton_work *work)
{
    work->message = letter->message;
    work->badge = letter->badge;
    work->result = letter->result;
    work->is_letter = true;
    work->caller = NULL;
    if (run_needs_sender(port)) {
        work->caller = letter->sender;
        domain_keep(work->caller);
    }
    letter_stock_put(letter);
    room_give(port);
}

void letter_end(const struct baton_work *work, status_t status)
{
    if (work->caller != NULL) {
        domain_let_go(work->caller);
    }
    if (work->result != 0) {
        result_settle(work->result, status, &work->message);
    }
}

void letter_refuse(struct port *port, struct letter *letter, status_t reason)
{
    if (letter->result != 0) {
        result_settle(letter->result, reason, NULL);
    }
    letter_free(port, letter);
}

/* Take the letters of one domain out of a line, or a mailbox. The word shows a backlog as long as somebody is
 * left: an idle word in between would be taken for a port without work. */
static void purge_port(struct port *port, const struct domain *domain)
{
    struct queue_record *record;
    struct queue kept;

    queue_init(&kept);
    spin_lock(&port->lock);
    if (port->mode != PORT_MODE_MAILBOX) {
        (void)line_first_locked(&port->word, &port->queue);
    }
    while ((record = queue_pop(&port->queue)) != NULL) {
        if (record->is_letter && letter_of(record)->sender == domain) {
            letter_refuse(port, letter_of(record), ERR_PEER_DIED);
        } else {
            queue_push(&kept, record);
        }
    }
    port->queue = kept;
    if (port->mode == PORT_MODE_MAILBOX) {
        mailbox_settle_locked(port);
    } else if (kept.first == NULL) {
        line_ran_empty_locked(&port->word);
    }
    spin_unlock(&port->lock);
}

void letter_purge(struct domain *domain)
{
    for (uint32_t index = 0; index < PORT_TABLE_COUNT; index++) {
        uint64_t irq = irq_save();
        struct port *port = port_peek(index);

        /* relaxed: what the domain sent was counted by threads that have ended */
        if (port != NULL && (atomic_load_relaxed(&port->unserved) & ROOM_COUNT) != 0) {
            purge_port(port, domain);
        }
        irq_restore(irq);
    }
}

void upcall_domain_take_letters(struct domain *domain)
{
    letter_purge(domain);
    letter_stock_drop(domain);
    result_drop_all(domain);
}
