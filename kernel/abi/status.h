/* SPDX-License-Identifier: MIT */
/*
 * Status codes: what every system call and every fallible kernel function returns.
 *
 * Rules: OK is 0 and every error is negative, so that a value that is either a handle or an
 * error fits in one register. Numbers are part of the contract with user space: a code is
 * never reused. A caller must look at every status.
 */
#pragma once

typedef long status_t;

enum status {
    OK = 0,
    ERR_INVALID = -1,       /* an argument is outside its documented range */
    ERR_BAD_HANDLE = -2,    /* no such handle in this domain, or it was closed */
    ERR_WRONG_TYPE = -3,    /* the handle names an object of another kind */
    ERR_NO_RIGHT = -4,      /* the handle lacks the right that the operation needs */
    ERR_STALE = -5,         /* the object was closed; its successor is never reached */
    ERR_NO_MEMORY = -6,     /* no memory, or the domain's quota is used up */
    ERR_NO_SPACE = -7,      /* a table (handles, ports, threads, names) is full */
    ERR_FAULT = -8,         /* a user address is not mapped with the access needed */
    ERR_PEER_DIED = -9,     /* the domain that served the call has died */
    ERR_TIMED_OUT = -10,    /* the deadline passed first */
    ERR_CANCELLED = -11,    /* the wait was ended because this thread is to end or unwind */
    ERR_WOULD_BLOCK = -12,  /* not possible now, and the caller did not want to wait */
    ERR_DEADLOCK = -13,     /* the call would wait for itself */
    ERR_DEPTH = -14,        /* more than MAX_CALL_DEPTH nested calls */
    ERR_EXISTS = -15,       /* the name or the address range is taken */
    ERR_NOT_FOUND = -16,    /* no such name, file, program, thread or domain */
    ERR_UNKNOWN_CALL = -17, /* no such system call, or no such operation label */
    ERR_BAD_FORMAT = -18,   /* a file or message does not have the form it must have */
    ERR_DENIED = -19,       /* the manifest does not allow it */
    ERR_TOO_LONG = -20,     /* the receiver has no message page, or no window large enough */
    ERR_LAST = -20,
};
