/* SPDX-License-Identifier: MIT */
/*
 * What the files of test-message share.
 *
 * Rules: one peer serves them all, in a domain of its own; a test that ends it forgets it.
 */
#pragma once

#include "user/lib/test.h"
#include "user/programs/message-peer/protocol.h"

#define READ_WRITE (PROTECT_READ | PROTECT_WRITE)

/* The peer's port; it is started when it is not there. HANDLE_NONE: it cannot be. */
handle_t peer_port(void);

/* The next peer_port starts another one. */
void peer_forget(void);

/* A call of the peer with up to three words, of which the reply's are not kept. Both statuses in one. */
status_t peer_ask(uint32_t label, uint64_t word0, uint64_t word1, uint64_t word2);

/* Windows of the peer for the calls that follow, and segments of this side. */
void peer_set_window(uint32_t n, enum message_peer_window kind, uint64_t bytes);

/* The domain in which the peer runs. */
handle_t peer_domain(void);

/* Handles of the domain in which the peer runs. */
uint64_t peer_handles(void);
