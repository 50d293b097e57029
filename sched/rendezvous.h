/* SPDX-License-Identifier: MIT */
/*
 * What a thread has of the mailbox at which it waits; ipc/mailbox_call.c and ipc/riscv/mailbox.S fill it.
 *
 * Rules: a thread makes one call of a mailbox at a time. `token` names the call to whoever serves it. It is
 * not 0 just while the call is being served; who changes it from that to 0, in one step, decides how
 * the call ends: a reply, the caller itself (deadline, end), or the end of the server's domain. A token
 * never comes again, in whatever thread gets the block next (sched/thread_table.h).
 */
#pragma once

#include "kernel/abi/message.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"

struct domain;
struct object;

/* A token: the index of the block, the number of the call, and: the caller waits as ipc/riscv/mailbox.S
 * wants it. */
#define TOKEN_INDEX_BITS 14
#define TOKEN_INDEX ((1UL << TOKEN_INDEX_BITS) - 1)
#define TOKEN_STEP (1UL << TOKEN_INDEX_BITS)
#define TOKEN_PARKED (1UL << 63)

struct rendezvous {
    uint64_t token;        /* atomic */
    uint64_t last_token;   /* of the last call, TOKEN_PARKED set; written by the thread */
    struct domain *server; /* who has received the call; valid while it has a token */
    /* A receiver that may wait in the mailbox's front: its mailbox, with a reference. Written by the thread. */
    struct object *mailbox;
    uint32_t answered; /* status and reply are there; else 0, also while no call is made; atomic */
    status_t status;
    struct message reply;
};
