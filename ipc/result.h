/* SPDX-License-Identifier: MIT */
/*
 * Results: what became of letters whose senders want to know, kept until they are collected.
 *
 * Rules: an id names a place in the sender's own table and the use of that place, so it is answered once,
 * collected once, by its own domain, and then names nothing ever again. A table grows by RESULT_CHUNK places, charged
 * to the domain, up to MAX_RESULTS, and goes with it. Any context for what settles, and any lock may be
 * held; thread context for the rest. Ids have bit 62 set, so nobody takes one for another kind of token.
 */
#pragma once

#include <stdbool.h>

#include "kernel/abi/message.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"

struct domain;

#define RESULT_TOKEN (1UL << 62)
#define RESULT_CHUNK 32U

/* Is the reply token one of a letter? */
static inline bool result_is_token(uint64_t token)
{
    return (token & RESULT_TOKEN) != 0;
}

/* A result of the calling domain is to come. ERR_NO_SPACE (MAX_RESULTS are not collected yet), ERR_NO_MEMORY. */
WARN_UNUSED status_t result_make(uint64_t *id);

/* Nobody will answer it, and nobody knows the id: its letter was not sent. */
void result_cancel(uint64_t id);

/* A receiver in `domain` has the letter, and only it may answer from now on. */
void result_deliver(uint64_t id, const struct domain *domain);

/* The answer, the first one or none: the status, and with OK the reply. Of an id that names nothing, nothing happens. */
void result_settle(uint64_t id, status_t status, const struct message *reply);

/*
 * Reply to a letter that a receiver of the calling domain took out of a mailbox. ERR_INVALID (tag), ERR_STALE (no
 * such letter: answered already, its sender gone or no longer interested), ERR_DENIED (another domain has it).
 */
WARN_UNUSED status_t letter_reply(uint64_t token, const struct message *reply);

/* Collect the result of a letter of the calling domain: what its answer says, and *reply if that is OK. ERR_STALE: no such id;
 * or its port was closed. ERR_WOULD_BLOCK (DEADLINE_NOW and none yet, or somebody waits for it already), ERR_TIMED_OUT,
 * ERR_CANCELLED. */
WARN_UNUSED status_t result_collect(uint64_t id, nsec_t deadline, struct message *reply);

/* The domain ends: all its ids name nothing. Its memory goes after a grace period. */
void result_drop_all(struct domain *domain);

/* Results of a domain that were not collected yet; a snapshot. */
uint32_t result_count(const struct domain *domain);
