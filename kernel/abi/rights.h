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

#define RIGHT_CALL (1U << 0)        /* call a service */
#define RIGHT_SEND (1U << 1)        /* send to a mailbox, signal a notification */
#define RIGHT_RECEIVE (1U << 2)     /* receive from a mailbox, poll or wait for a notification */
#define RIGHT_DUPLICATE (1U << 3)   /* make another handle to the object */
#define RIGHT_TRANSFER (1U << 4)    /* pass the handle to another domain */
#define RIGHT_MANAGE (1U << 5)      /* close, kill, register under a name */
#define RIGHT_WAIT (1U << 6)        /* wait for the end of a thread */
#define RIGHT_MAP_READ (1U << 7)    /* map a memory object */
#define RIGHT_MAP_WRITE (1U << 8)   /* map it writable */
#define RIGHT_MAP_EXECUTE (1U << 9) /* map it executable */
#define RIGHTS_ALL 0x3ffU

/* The rights that mean something for each kind; a handle has no others. */
#define RIGHTS_COMMON (RIGHT_DUPLICATE | RIGHT_TRANSFER | RIGHT_MANAGE)
#define RIGHTS_PORT (RIGHTS_COMMON | RIGHT_CALL | RIGHT_SEND | RIGHT_RECEIVE)
#define RIGHTS_MEMORY (RIGHTS_COMMON | RIGHT_MAP_READ | RIGHT_MAP_WRITE | RIGHT_MAP_EXECUTE)
#define RIGHTS_NOTIFICATION (RIGHTS_COMMON | RIGHT_SEND | RIGHT_RECEIVE)
#define RIGHTS_RUNNABLE (RIGHTS_COMMON | RIGHT_WAIT) /* a thread, a domain */

enum object_kind {
    OBJECT_NONE = 0,
    OBJECT_PORT = 1,
    OBJECT_THREAD = 2,
    OBJECT_DOMAIN = 3,
    OBJECT_MEMORY = 4,
    OBJECT_NOTIFICATION = 5,
};

/* A handle: bits 0..15 slot, 16..62 generation of the slot, bit 63 zero. 0 is never valid. */
typedef uint64_t handle_t;
#define HANDLE_NONE 0UL
