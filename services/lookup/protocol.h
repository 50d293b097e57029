/* SPDX-License-Identifier: MIT */
/*
 * Protocol of the `lookup` service: names of ports.
 *
 * Rules: every domain starts with a handle (RIGHT_CALL) to it. A name is 1 to MAX_NAME_BYTES
 * bytes, each printable ASCII without space; it is passed as address and length in the
 * caller's memory. The label of the reply is the service's status (int32).
 * Errors of every operation: ERR_INVALID (length of the name, or a byte that is not allowed),
 * ERR_FAULT (an address is not mapped), ERR_UNKNOWN_CALL (no such label).
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/limits.h"

enum lookup_call {
    /* w0 name address, w1 name bytes -> w0 a new handle (CALL, SEND, DUPLICATE, TRANSFER) in
     * the caller's domain. ERR_NOT_FOUND: no such name, or its port was closed. ERR_NO_SPACE,
     * ERR_NO_MEMORY: no room for the handle. */
    LOOKUP_FIND = 1,
    /* w0 port handle (with RIGHT_MANAGE), w1 name address, w2 name bytes -> nothing.
     * ERR_DENIED: the caller may not register this name (the manifest says which it may).
     * ERR_EXISTS: a living port has that name. ERR_BAD_HANDLE, ERR_WRONG_TYPE, ERR_NO_RIGHT,
     * ERR_STALE: about the handle. ERR_NO_SPACE: the port or the table has its most names. */
    LOOKUP_REGISTER = 2,
    /* w0 name address, w1 name bytes -> nothing. ERR_NOT_FOUND: no such name. ERR_DENIED: the
     * port belongs to another domain. */
    LOOKUP_UNREGISTER = 3,
    /* w0 address of an array of struct lookup_row, w1 how many there is room for, w2 address and w3 bytes
     * of the name behind which to go on (0 bytes: from the first one) -> w0 rows written, at most LOOKUP_ROWS_MAX;
     * fewer than there is room for only at the end, or after as many. In the order of their bytes: a name that
     * is there all the time comes exactly once, whatever else comes and goes between two calls. */
    LOOKUP_LIST = 4,
    /* w0 notification handle (with RIGHT_SEND), w1 bits, w2 address and w3 bytes of a pattern -> nothing. The bits are
     * signalled when a name comes or goes that is the pattern, or begins like it if the pattern ends with `*`; the
     * change can be looked up by then. The watch ends with the notification. ERR_BAD_HANDLE, ERR_WRONG_TYPE,
     * ERR_NO_RIGHT, ERR_STALE: about the handle. ERR_INVALID: also no bits. ERR_EXISTS: that notification watches that pattern. ERR_NO_SPACE: the
     * domain of the notification, or all together, have most watches. ERR_NO_MEMORY. */
    LOOKUP_WATCH = 5,
    /* w0 notification handle (with RIGHT_SEND), w1 address and w2 bytes of the pattern -> nothing. ERR_NOT_FOUND; about the
     * handle as above. */
    LOOKUP_UNWATCH = 6,
};

#define LOOKUP_ROWS_MAX 64U

struct lookup_row {
    char name[MAX_NAME_BYTES]; /* padded with zeros */
    uint32_t port;             /* its index */
    uint32_t domain;           /* the owner's number */
};
