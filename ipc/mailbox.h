/* SPDX-License-Identifier: MIT */
/*
 * Mailboxes: send without waiting, receive with waiting.
 *
 * Rules: messages that wait are letters (ipc/letter.h), charged to their sender. Messages of one sender arrive in order. Thread context, interrupts on.
 */
#pragma once

#include "ipc/port.h"

/* Queue a message. ERR_INVALID (tag), ERR_WRONG_TYPE (a service), ERR_STALE or ERR_PEER_DIED
 * (closed), ERR_WOULD_BLOCK (full), ERR_NO_MEMORY. */
WARN_UNUSED status_t mailbox_send(struct port *port, uint64_t badge, const struct message *message);

/* Take the oldest message, waiting for one until `deadline`. ERR_WRONG_TYPE, ERR_STALE or
 * ERR_PEER_DIED (closed), ERR_WOULD_BLOCK (DEADLINE_NOW and none), ERR_TIMED_OUT,
 * ERR_CANCELLED; *message and *badge are untouched on error. */
WARN_UNUSED status_t mailbox_receive(struct port *port, nsec_t deadline, struct message *message,
                                     uint64_t *badge);
