/* SPDX-License-Identifier: MIT */
/*
 * Protocol of the `echo` service, which exists to measure and to test calls.
 *
 * Rules: the label of the reply is the service's status (int32). The same service runs in the
 * kernel as `echo` and in user space as `echo.user`.
 */
#pragma once

enum echo_call {
    ECHO_WORDS = 1, /* words -> the same words; in user space up to MAX_MESSAGE_WORDS, else 4 */
    ECHO_COUNT = 2, /* no words -> w0 the calls served before this one */
};

/* Room for a segment that comes with a call, in user space; nothing is done with it. */
#define ECHO_SEGMENT_BYTES 4096
