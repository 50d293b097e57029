/* SPDX-License-Identifier: MIT */
/*
 * Protocol of message-peer, which exists to test long messages.
 *
 * Rules: the label of the reply is a status. What a reply of words alone does not mention stays undefined.
 */
#pragma once

enum {
    MESSAGE_PEER_INVERT = 1, /* words -> as many, each inverted */
    MESSAGE_PEER_FILL = 2,   /* w0 how many -> so many words, of number i the value 3 * i */
    MESSAGE_PEER_MAP =
        3, /* w0 protection, w1 word to write; a memory object -> w0 its first word */
    MESSAGE_PEER_GIVE = 4, /* w0 how many, w1 rights -> so many handles of one memory object */
    MESSAGE_PEER_SUM =
        5, /* segments -> w0 how many, then the sum of the bytes of each, and their number */
    MESSAGE_PEER_SEND = 6, /* w0 how many, w1 bytes of each, w2 offset of the first -> segments */
    MESSAGE_PEER_WINDOW =
        7, /* w0 number, w1 enum message_peer_window, w2 bytes: for the calls that follow */
    MESSAGE_PEER_CALL = 8, /* a port -> status of a call of it without words */
    MESSAGE_PEER_TAG = 9,  /* w0 tag -> a reply with that tag */
    MESSAGE_PEER_NAP = 10, /* w0 until when -> nothing */
};

enum message_peer_window {
    WINDOW_BUFFER, /* where MESSAGE_PEER_SUM reads and MESSAGE_PEER_SEND sends from */
    WINDOW_UNMAPPED,
    WINDOW_READ_ONLY,
    WINDOW_HALF,    /* only the first page is mapped */
    WINDOW_SHIFTED, /* the buffer from an odd address on */
};

#define MESSAGE_PEER_BUFFER 0x400000UL /* bytes, a quarter for each window */
