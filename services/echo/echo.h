/* SPDX-License-Identifier: MIT */
/*
 * The echo service: a handler without any knowledge of where it is placed.
 *
 * Rules: it runs as an exclusive service, so its state needs no lock. It cannot fail and does
 * not block.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/message.h"

struct echo {
    uint64_t served; /* calls so far; only the baton's holder touches it */
};

/* Serves one call: `context` is the struct echo, `message` the request and then the reply. */
void echo_handle(void *context, uint64_t badge, struct message *message);
