/* SPDX-License-Identifier: MIT */
/*
 * Services that live in the kernel: how they are declared, and what a request looks like.
 *
 * Rules: handle() runs on a stack of the port's own, in the caller's thread, with interrupts on, one
 * request at a time (exclusive), or up to `runs` of them. It may block; the caller waits where it stands. Who asks is
 * read from the request, never from `current`. It changes *request->message into the reply.
 */
#pragma once

#include <stddef.h>

#include "ipc/port.h"
#include "ipc/transfer.h"

/* Layout known to ipc/riscv/fastpath.S. */
struct request {
    struct message *message; /* in: what was sent; out: the reply */
    uint64_t badge;          /* of the handle that the caller used */
    uint64_t cookie;         /* of the port */
    struct domain *caller;   /* whose code made the call */
    /* Of a service that `takes_long`, else undefined: what else the message has, copied from the caller's message
     * page, and what else the reply has. NULL: the caller has no page, and can neither send nor get that. */
    struct message_buffer *buffer;
};

struct service {
    const char *name; /* the port's name in the lookup service */
    void (*handle)(struct request *request);
    void (*start)(void); /* once, at boot, in thread context, before any call; or NULL */
    uint32_t runs;       /* at once, up to MAX_RUNS; 0: the service is exclusive */
    bool combines;       /* runs are short and never wait, not even for the caller's memory */
    bool takes_long;     /* knows request.buffer; others never see more than register words */
    const struct service_leaf
        *leaf; /* instead of `handle`: runs are a few instructions (ipc/leaf.h) */
};

/* Register a kernel service; the port is made at boot. */
#define SERVICE(symbol_)                                                                           \
    static const struct service symbol_;                                                           \
    static const struct service *const symbol_##_entry                                             \
        __attribute__((used, section(".service.table"))) = &symbol_;                               \
    static const struct service symbol_

/* Start every registered service: make its port, give it its name. Boot, thread context. */
status_t service_start_all(void);

/* The reply of a service: its own status as the label, and `words` words already in place. */
static inline void request_reply(struct request *request, status_t status, unsigned words)
{
    request->message->tag = MESSAGE_TAG((uint32_t)status, words);
}

/* Copy from and to the caller's memory. ERR_FAULT. For a caller in the kernel: plain memory. */
status_t request_copy_in(const struct request *request, void *to, uint64_t address, size_t bytes);
status_t request_copy_out(const struct request *request, uint64_t address, const void *from,
                          size_t bytes);

/*
 * The n-th segment of the reply: copied to the caller's n-th window; the reply's tag then says how many there are.
 * ERR_TOO_LONG: it has no room for so much. ERR_FAULT, ERR_NO_MEMORY: the window's memory. Handles of the reply go into
 * request->buffer->handle, with a reference; what the caller sent is there until then, and released when the run ends.
 */
WARN_UNUSED status_t request_place_segment(const struct request *request, uint32_t n,
                                           const void *from, size_t bytes);
