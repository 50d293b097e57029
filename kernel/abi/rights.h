/* SPDX-License-Identifier: MIT */
/*
 * Rights of a handle and the kinds of object it can name.
 *
 * Rules: a right is a bit; duplicating a handle can only clear bits (features.md: never
 * amplifies). Kinds are part of the contract: a number is never reused.
 */
#pragma once

#include <stdint.h>

typedef uint32_t rights_t;

#define RIGHT_CALL (1U << 0)      /* call a service */
#define RIGHT_SEND (1U << 1)      /* send to a mailbox */
#define RIGHT_RECEIVE (1U << 2)   /* receive from a mailbox */
#define RIGHT_DUPLICATE (1U << 3) /* make another handle to the object */
#define RIGHT_TRANSFER (1U << 4)  /* pass the handle to another domain */
#define RIGHT_MANAGE (1U << 5)    /* close, kill, register under a name */
#define RIGHT_WAIT (1U << 6)      /* wait for the end of a thread */
#define RIGHTS_ALL 0x7fU

enum object_kind {
    OBJECT_NONE = 0,
    OBJECT_PORT = 1,
    OBJECT_THREAD = 2,
    OBJECT_DOMAIN = 3,
};

/* A handle: bits 0..15 slot, 16..62 generation of the slot, bit 63 zero. 0 is never valid. */
typedef uint64_t handle_t;
#define HANDLE_NONE 0UL
