/* SPDX-License-Identifier: MIT */
/*
 * What the files of test-call share.
 *
 * Rules: a peer is a domain of its own (program call-peer); each test ends those it started.
 */
#pragma once

#include "user/lib/test.h"
#include "user/programs/call-peer/protocol.h"

struct peer {
    struct program program;
    handle_t port;
};

/* Starts a peer that serves `name` and forwards to `next` (NULL: to nobody). */
status_t peer_start(struct peer *peer, const char *name, const char *next);

/* Starts one that runs for up to `runs` callers at once. */
status_t peer_start_concurrent(struct peer *peer, const char *name, const char *runs);

/* Kills it and waits until it has ended, and gives its handles back. */
void peer_stop(struct peer *peer);

struct peer_ask {
    handle_t port;
    uint32_t label;
    uint64_t word;
};

/* A thread's function: the exit code is the negated status of one call. */
int peer_ask_once(void *ask);

/* Waits until somebody runs the service: a call that does not wait is refused. */
bool peer_wait_busy(handle_t port);

/* Waits until so many runs of the service with that name have begun. */
bool peer_wait_runs(const char *name, uint64_t runs);

/* Ends the naps and spins of the peer that serves `name`. */
void peer_let_go(const char *name);

/* Is the service being run? */
bool peer_is_busy(handle_t port);

/* One call with one word; the reply's word goes to *word. */
status_t peer_ask(handle_t port, uint32_t label, uint64_t *word);
