/* SPDX-License-Identifier: MIT */
/*
 * Protocol of the test servers made by the program call-peer.
 *
 * Rules: only tests use it. The label of the reply is the service's status (int32).
 */
#pragma once

#define PEER_STAYS "test-call.stays"

enum peer_call {
    PEER_ECHO = 1,    /* words -> the same words */
    PEER_SLEEP = 2,   /* sleeps until it is cancelled; -> the status of the sleep */
    PEER_EXIT = 3,    /* ends its domain while it serves */
    PEER_FORWARD = 4, /* w0 -> what the next peer, if any, makes of it, + 1 */
    PEER_FAULT = 5,   /* writes to address 0 while it serves */
    PEER_FPU = 6,     /* -> w0 bits of all floating-point registers at entry; scribbles them */
    PEER_BADGE = 7,   /* -> w0 the badge of the caller's handle */
    PEER_MIGRATE = 8, /* w0 core: goes there; -> the status, w0 the core it is on */
    /* w0 moment: sleeps until then or until NAME.go is called; -> the status, w0 naps and spins so far */
    PEER_NAP = 9,
    PEER_SPIN = 10,  /* w0 moment: computes as long; -> w0 naps and spins so far */
    PEER_RELAY = 11, /* w0, w1 label, w2 deadline: asks the next peer; -> the status of that, w0 */
    PEER_COUNT = 12, /* -> w0 naps and spins that have ended */
    PEER_STAY = 13,  /* as RELAY, then takes the name PEER_STAYS, too, and sleeps until cancelled */
};
