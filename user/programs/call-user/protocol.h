/* SPDX-License-Identifier: MIT */
/*
 * What the torture of calls and its programs say to each other.
 *
 * Rules: only tests use it. A request is numbered by who makes it: the number of a life (an instance) and a
 * number that grows by one with each request of that life. The ledger notes each run and each outcome.
 */
#pragma once

#include <stdint.h>

#define LEDGER_NAME "torture/ledger"
#define LEDGER_SLOTS 64U      /* lives at one time */
#define LEDGER_REQUESTS 8192U /* of one life */

/* Servers are torture/s0 ... in user space and torture/k0 ... in the kernel. */
#define TORTURE_USER_SERVERS 6U
#define TORTURE_KERNEL_SERVERS 3U
#define TORTURE_NAME_BYTES 24U

enum ledger_call {
    LEDGER_RUN = 1, /* w0 request: it is being run. ERR_EXISTS: a second time */
    LEDGER_OUTCOME =
        2, /* w0 request, w1 status, w2 first word of the reply, w3 enum request_kind */
};

/* What a request is, and so what its outcome says about its run. */
enum request_kind {
    REQUEST_CALL,    /* of a service */
    REQUEST_MAILBOX, /* a call of a mailbox */
    REQUEST_LONG,    /* a call with words, a handle and a segment in message pages */
    REQUEST_LETTER,  /* left at a port: OK, it was taken in, an error, it was not */
    REQUEST_RESULT,  /* the result of a letter at a service that was taken in */
    REQUEST_ANSWER,  /* the same at a mailbox */
    REQUEST_KINDS,
};

enum server_call {
    /* w0 request, w1 calls to be nested below, w2 a random number -> w0 request ^ SERVER_SEAL */
    SERVER_WORK = 1,
};

#define SERVER_SEAL 0x5ea1ed5ea1ed5ea1UL

static inline uint64_t request_number(uint32_t life, uint32_t count)
{
    return (uint64_t)life << 32 | count;
}

static inline uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

/* How deep to nest: mostly not at all, now and then as deep as it goes and deeper. */
static inline uint64_t random_depth(uint32_t *state)
{
    uint32_t choice = next_random(state) % 16;

    return choice < 8 ? 0 : choice < 12 ? 1 : choice < 15 ? 2 + next_random(state) % 3 : 20;
}

/* Nanoseconds that a caller has patience for: 0 for not at all, UINT64_MAX for ever. */
static inline uint64_t random_patience(uint32_t *state)
{
    uint32_t choice = next_random(state) % 8;

    return choice < 3 ? UINT64_MAX : choice == 3 ? 0 : 1000 + next_random(state) % 400000;
}
