/* SPDX-License-Identifier: MIT */
/*
 * Ports for tests.
 *
 * Rules: owned by the kernel's domain; no memory for one is a panic. Who makes one closes it.
 */
#pragma once

#include "ipc/service.h"

/* An exclusive kernel service; its requests carry `cookie`. */
struct port *ports_make_service(void (*handle)(struct request *request), void *cookie);

/* The same, which may run for others than who holds the baton. */
struct port *ports_make_combining(void (*handle)(struct request *request), void *cookie);

/* A concurrent one, for `runs` callers at once. */
struct port *ports_make_concurrent(void (*handle)(struct request *request), void *cookie,
                                   uint32_t runs);

struct port *ports_make_mailbox(void);

/* Receive a letter. As mailbox_receive; both are untouched on error. */
status_t ports_receive(struct port *port, nsec_t deadline, struct message *message,
                       uint64_t *badge);

/* Close with ERR_STALE and give up the reference. */
void ports_close(struct port *port);

/* Call with a label and one word; *word becomes the first word of the reply. */
status_t ports_call(struct port *port, uint32_t label, uint64_t *word, nsec_t deadline);

/* A place where a service stops until it is let go; wake-ups come from ports_let_go. */
struct ports_stop {
    uint32_t reached; /* how many threads have stopped here so far */
    uint32_t let_go;  /* how many were told to go on */
    struct thread *thread;
};

/* In a service: stop here until let go; OK, or ERR_CANCELLED. */
status_t ports_stop(struct ports_stop *stop);

/* Has somebody stopped here who was not let go? */
bool ports_is_stopped(const struct ports_stop *stop);

void ports_let_go(struct ports_stop *stop);

/* Start the program call-peer with these arguments, its name the first; NULL, and the test is skipped: there is no archive. */
struct domain *ports_start_peer(const char *arguments, size_t bytes);
