/* SPDX-License-Identifier: MIT */
/*
 * A message: a tag and up to four register words (the message page comes with more words).
 *
 * Rules: the tag says what is there and the kernel checks it; the words mean whatever the
 * service's protocol says. Register assignment, the same for call, send, receive and return:
 *   a1 tag   a2..a5 words 0..3
 * A call puts the handle in a0 and the deadline in a6; a service finds in a0 the badge of the
 * caller's handle and in a6 the cookie of the port. Source: seed 001 (messages in registers),
 * seed 000 (dispatch by type behind one port).
 *
 * Tag layout: bits 0..6 words, 8..11 handles, 12..15 segments, 63..32 label; the rest is zero.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/limits.h"

struct message {
    uint64_t tag;
    uint64_t word[MESSAGE_REGISTER_WORDS];
};

#define MESSAGE_TAG(label, words) (((uint64_t)(label) << 32) | (uint64_t)(words))
/* In the tag of SYS_SEND only: the sender wants a result (SYS_RESULT). */
#define MESSAGE_TAG_RESULT (1UL << 16)
#define MESSAGE_TAG_RESERVED 0xffff0080UL

static inline uint32_t message_label(uint64_t tag)
{
    return (uint32_t)(tag >> 32);
}

static inline uint32_t message_words(uint64_t tag)
{
    return (uint32_t)(tag & 0x7f);
}
