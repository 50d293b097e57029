/* SPDX-License-Identifier: MIT */
/*
 * A port: a named destination with a queue, a policy and an identity.
 *
 * Rules: the first lines are laid out for ipc/riscv/fastpath.S. A port is made by its owner
 * domain and closed once, by anyone with RIGHT_MANAGE or by the owner's death. It is freed when
 * it is closed, nobody runs in it, and no reference is left, after a grace period. Its id is
 * (index, generation): an index is reused, a generation never.
 */
#pragma once

#include <stdbool.h>

#include "ipc/queue.h"
#include "ipc/word.h"
#include "kernel/abi/message.h"
#include "kernel/abi/port.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"
#include "kernel/object/object.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/spinlock.h"
#include "sched/domain.h"
#include "sched/sched.h"

struct port_binding;
struct request;

/* How a leaf is entered; see ipc/leaf.h. */
struct service_leaf {
    /* As a function: calls by the kernel, and requests that waited. */
    void (*run)(struct message *message, uint64_t badge);
    /* Where ipc/riscv/fastpath.S goes; ends by service_leave. */
    void (*enter)(uint64_t badge, uint64_t tag, uint64_t word0, uint64_t word1, uint64_t word2,
                  uint64_t word3);
};

/* How the fast path treats a port. */
enum port_mode {
    PORT_MODE_KERNEL_SERVICE = -1, /* exclusive, in the kernel */
    PORT_MODE_USER_SERVICE = 0,    /* exclusive, in another domain */
    PORT_MODE_USER_FLUSH = 1,      /* a user service on a machine without ASIDs: never fast */
    PORT_MODE_MAILBOX = 2,         /* no call; what follows is not exclusive */
    PORT_MODE_CONCURRENT_USER = 3,
    PORT_MODE_CONCURRENT_KERNEL = 4,
};

/* Where a run begins; its message page lies elsewhere, since that is rarely looked at. */
struct run_stack {
    vaddr_t top;
    vaddr_t tp;
};

/* Where one run of a concurrent service goes on. In a line of its own: slots belong to cores. */
struct run_slot {
    _Alignas(64) struct run_stack stack;
    struct thread *holder;        /* who runs on it, or NULL; atomic */
    uint64_t calls;               /* runs so far; written by the holder */
    struct baton_request *served; /* as that of a port */
    struct message_page *page;    /* constant */
    struct memory *page_memory;
};

struct port {
    struct object object;
    /* Read-mostly line: what entering the service needs. */
    struct domain *domain;
    vaddr_t entry;
    struct run_stack stack;
    uint64_t cookie;
    uint64_t
        *satps; /* of a user service that the fast path may enter: entries by cpu (mm/asid.h) */
    /* Written at every call by whoever takes and gives the baton. */
    _Alignas(64) uint64_t word; /* ipc/word.h */
    struct thread *holder;      /* who runs the service: for close, rings of waiting and gdb */
    uint64_t calls;             /* runs so far; written by the holder */
    uint64_t kernel_fast;       /* a kernel service that fastpath.S may enter; constant */
    struct service_leaf leaf;   /* of a leaf (ipc/leaf.h), else both are NULL; constant */
    struct message_page *page;  /* of an exclusive service, or NULL; constant */
    struct run_slot *slots;     /* of a concurrent service, else NULL; constant */
    /* Contention and mailboxes. */
    _Alignas(64) struct spinlock lock;   /* guards queue and receivers; run queue locks inside */
    struct queue queue GUARDED_BY(lock); /* the line of callers, or messages of a mailbox */
    struct wait_queue receivers; /* threads in receive; its lock is taken outside this one */
    uint64_t front;              /* of a mailbox: who waits there (ipc/mailbox.c); atomic */
    struct wait_queue
        senders; /* threads that wait for room (ipc/room.h); its lock inside this one */
    struct baton_request *served; /* that the holder runs for its caller, or NULL; atomic */
    uint32_t unserved;            /* letters that wait, with bits (ipc/room.h); atomic */
    uint32_t capacity;            /* at most so many; atomic, as the next three */
    uint32_t high;                /* marks */
    uint32_t low;
    uint32_t rank; /* what the courier gives it (RANK_ in sched/thread.h) */
    status_t close_reason;
    struct port_binding *bindings[PORT_EVENTS]; /* ipc/port_event.c; atomic */
    struct list domain_link;                    /* the owner domain's lock */
    int64_t mode;                               /* enum port_mode; constant */
    uint32_t slot_count;
    uint32_t index;
    struct memory *page_memory; /* keeps the page */
    struct list names;          /* under which it is registered; the lock of ipc/name.c */
    uint32_t name_count;
    bool takes_long; /* a kernel service that gets long messages (ipc/service.h); constant */
    bool combines;   /* who holds the baton serves others, too; cleared when a run has waited */
    uint64_t generation;
    struct epoch_callback reclaim;
};

/* Identity for names and listings. */
struct port_id {
    uint32_t index;
    uint64_t generation;
};

struct port_attributes {
    enum port_mode mode;             /* concurrent ones follow from `runs` */
    vaddr_t entry;                   /* user: pc; kernel: void (*)(struct request *) */
    const struct port_stack *stacks; /* user service: one a run; kernel service: they are made */
    uint64_t cookie;
    uint32_t runs;   /* at once; 0 or, with MAX_RUNS at most, of a concurrent service */
    bool combines;   /* runs are short and never wait; exclusive services only */
    bool takes_long; /* a kernel service that knows messages with more than register words */
    const struct service_leaf
        *leaf; /* of a kernel service that is one, which then needs no `entry`; or NULL */
};

/* Make a port owned by `domain`; the caller gets the one reference. ERR_NO_MEMORY, ERR_NO_SPACE,
 * ERR_INVALID (addresses outside user space), ERR_PEER_DIED (domain is dying). */
status_t port_create(struct domain *domain, const struct port_attributes *attributes,
                     struct port **out);

/* Refuse everything from now on: each waiter returns once with `reason` (ERR_STALE or
 * ERR_PEER_DIED). Idempotent; does not wait for a running service. */
void port_close(struct port *port, status_t reason);

/* OK while it is open; else what its callers are told: ERR_STALE or ERR_PEER_DIED. */
status_t port_close_reason(struct port *port);

/* Find a port by identity and take a reference. ERR_STALE, ERR_NOT_FOUND. */
status_t port_find(struct port_id id, struct port **out);

/* Visit every open port until visit answers false; a lock is held: visit must not block. What opens or
 * closes meanwhile may be missed. */
void port_visit_all(bool (*visit)(struct port *port, void *argument), void *argument);

/* The port with this index, or NULL. It stays memory while interrupts are off, which they are. */
struct port *port_peek(uint32_t index);

/* Indices are smaller. */
#define PORT_TABLE_COUNT 16384U

/* Callers or messages that wait. A snapshot. */
uint32_t port_queued(struct port *port);

/* The run that `activation` is goes on in `thread`, which is told when the port's domain dies. */
void port_change_holder(struct port *port, const struct activation *activation,
                        struct thread *thread) REQUIRES(port->lock);

static inline struct port *port_of_object(struct object *object)
{
    return (struct port *)object;
}

/* Its runs are user code. */
static inline bool port_is_user(const struct port *port)
{
    return port->mode == PORT_MODE_USER_SERVICE || port->mode == PORT_MODE_USER_FLUSH ||
           port->mode == PORT_MODE_CONCURRENT_USER;
}

/* The message page of an activation that user code runs in, or NULL. */
static inline struct message_page *activation_page(const struct activation *activation)
{
    const struct port *port = activation->port;

    if (port == NULL) {
        return activation->page;
    }
    return port->slots != NULL ? container_of(activation->stack, struct run_slot, stack)->page
                               : port->page;
}
