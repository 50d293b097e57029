/* SPDX-License-Identifier: MIT */
/*
 * Protocol of the program mailbox-server, for tests and benchmarks.
 *
 * Rules: each reply's label is a status (int32).
 */
#pragma once

enum mailbox_server_call {
    MAILBOX_ECHO = 1,    /* words -> the same words */
    MAILBOX_KEEP = 2,    /* keeps the call; no reply before MAILBOX_LET_GO */
    MAILBOX_LET_GO = 3,  /* replies to the one that was kept, then -> the status of that */
    MAILBOX_EXIT = 4,    /* ends its domain without a reply */
    MAILBOX_REPLY = 5,   /* w0 token: replies to it -> the status of that */
    MAILBOX_CLOSE = 6,   /* closes the mailbox, replies, and ends */
    MAILBOX_MIGRATE = 7, /* w0 core: goes there -> the status */
    MAILBOX_BADGE = 8,   /* -> w0 the badge of the caller's handle, w1 the token of this call */
};
