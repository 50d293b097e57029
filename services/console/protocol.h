/* SPDX-License-Identifier: MIT */
/*
 * Protocol of the `console` and `console.input` services: the serial line.
 *
 * Rules: two ports, because a reader blocks inside its service and would keep writers out.
 * Bytes are raw: no echo, no editing, no change of line ends on input; on output `\n` is sent
 * as `\r\n`. The label of the reply is the service's status (int32).
 * Errors of every operation: ERR_FAULT (the buffer is not mapped with the access needed),
 * ERR_INVALID (length 0 on input), ERR_UNKNOWN_CALL (no such label).
 */
#pragma once

/* Labels of the port `console`. */
enum console_call {
    /* w0 address, w1 bytes -> w0 bytes written: all of them, up to CONSOLE_WRITE_MAX. The
     * bytes of one call come out together. */
    CONSOLE_WRITE = 1,
};

/* Labels of the port `console.input`. */
enum console_input_call {
    /* w0 address, w1 bytes -> w0 bytes read, at least 1. Blocks until a byte has come. */
    CONSOLE_INPUT_READ = 1,
};

#define CONSOLE_WRITE_MAX 4096 /* bytes of one write; the caller goes on with the rest */
