/* SPDX-License-Identifier: MIT */
/*
 * What the parts of ipc-user share, and what the torture of messages knows of it.
 *
 * Rules: only that torture uses it. Requests are numbered, and noted in the ledger, as call-user/protocol.h has it.
 * A request carries its number and a random number; its answer is the number with a seal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/lib/baton.h"
#include "user/programs/call-user/protocol.h"

/* Ports have the names torture/i0 ...; each server serves the one of its number, the watching one a second. */
enum ipc_port {
    IPC_REPLYING,  /* mailbox: threads that receive, and then reply */
    IPC_TURNING,   /* mailbox: threads that reply and receive in one step */
    IPC_WATCHED,   /* mailbox: one thread that waits for several by a notification */
    IPC_FULL,      /* mailbox with little room, emptied now and then */
    IPC_EXCLUSIVE, /* service with little room for letters */
    IPC_COMBINING, /* service */
    IPC_LONG,      /* service that gets long messages, too */
    IPC_SERVERS,
    IPC_WATCHED_TOO = IPC_SERVERS,
    IPC_PORTS,
};

#define IPC_LITTLE_ROOM 2U

enum ipc_label { IPC_SHORT = 1, IPC_WITH_PAGE = 2 };

/* A long message: word 4 the number, word 5 the sum of the segment; a handle of a notification to signal. */
#define IPC_LONG_WORDS 6U
#define IPC_SEGMENT_MOST 9000U
#define IPC_RETURNED_MOST 100U

static inline bool ipc_is_mailbox(uint32_t port)
{
    return port <= IPC_FULL || port == IPC_WATCHED_TOO;
}

static inline uint64_t ipc_sum(const unsigned char *bytes, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        sum = sum * 31 + bytes[i];
    }
    return sum;
}

/* main.c: what both sides need. */
_Noreturn void complain(const char *what, int64_t status);
void port_name(uint32_t port, char name[TORTURE_NAME_BYTES]);
status_t note_run(uint64_t request);
void note_outcome(enum request_kind kind, uint64_t request, status_t status, uint64_t reply);
void dawdle(uint32_t *random);

/* Run one request that came as *message, which becomes the reply. mailbox.c and server.c. */
void run_request(struct message *message);

/* Serve a mailbox from opening to closing. */
void serve_mailbox(uint32_t server, uint32_t *random);

/* Open the port with its names, and close it after a while. */
void register_port(uint32_t number, handle_t port);
void rest_open(uint32_t *random);

void be_server(uint32_t server, uint32_t seed);
void be_client(uint32_t life, uint32_t seed);
