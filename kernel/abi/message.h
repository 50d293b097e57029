/* SPDX-License-Identifier: MIT */
/*
 * A message: a tag, up to four register words, and what is in the message page: more words, handles, segments.
 *
 * Rules: the tag says what is there and the kernel checks it; the words mean whatever the
 * service's protocol says. Register assignment, the same for call, send, receive and return:
 *   a1 tag   a2..a5 words 0..3
 * A call puts the handle in a0 and the deadline in a6; a service finds in a0 the badge of the
 * caller's handle and in a6 the cookie of the port. Words from 4 on, handles and segments lie in the
 * sender's message page and arrive in the receiver's; who has none can neither send nor get them.
 * Only what the tag says is read from the one and written to the other. Source: seed 001 (messages in
 * registers, page, segments), seed 000 (dispatch by type behind one port).
 *
 * Tag layout: bits 0..6 words, 8..11 handles, 12..15 segments, 63..32 label; the rest is zero.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/limits.h"
#include "kernel/abi/rights.h"

struct message {
    uint64_t tag;
    uint64_t word[MESSAGE_REGISTER_WORDS];
};

/* A handle in a message: the receiver gets a handle of its own to the same object, the sender keeps its. */
struct message_handle {
    handle_t handle;
    uint32_t rights; /* sent: those that are to arrive; received: those that did */
    uint32_t kind;   /* received: enum object_kind; sent: any */
};

/* A range of somebody's memory. */
struct message_segment {
    uint64_t address;
    uint64_t bytes; /* up to MAX_SEGMENT_BYTES are sent; of a window, as many as have room */
};

/*
 * One page of a contiguous memory object (MEMORY_CONTIGUOUS), at its start; each thread and each stack of a
 * service has its own or none. The n-th segment that is sent is copied into the n-th window of the
 * receiver: of a service, as it finds them when a call comes; of a caller, when the reply comes.
 */
struct message_page {
    uint64_t word[MAX_MESSAGE_WORDS];                  /* by number; the first four are not used */
    struct message_handle handle[MAX_MESSAGE_HANDLES]; /* to be sent, or received */
    struct message_segment send[MAX_MESSAGE_SEGMENTS]; /* to be sent */
    struct message_segment receive[MAX_MESSAGE_SEGMENTS];  /* windows, where segments may arrive */
    struct message_segment received[MAX_MESSAGE_SEGMENTS]; /* those that did */
};

#define MESSAGE_TAG(label, words) (((uint64_t)(label) << 32) | (uint64_t)(words))
#define MESSAGE_TAG_LONG(label, words, handles, segments)                                          \
    (MESSAGE_TAG(label, words) | (uint64_t)(handles) << 8 | (uint64_t)(segments) << 12)
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

static inline uint32_t message_handles(uint64_t tag)
{
    return (uint32_t)(tag >> 8 & 0xf);
}

static inline uint32_t message_segments(uint64_t tag)
{
    return (uint32_t)(tag >> 12 & 0xf);
}

/* All of it is in registers. */
static inline _Bool message_is_short(uint64_t tag)
{
    return (uint32_t)tag <= MESSAGE_REGISTER_WORDS;
}

static inline _Bool message_tag_is_valid(uint64_t tag)
{
    return (tag & MESSAGE_TAG_RESERVED) == 0 && message_words(tag) <= MAX_MESSAGE_WORDS &&
           message_handles(tag) <= MAX_MESSAGE_HANDLES &&
           message_segments(tag) <= MAX_MESSAGE_SEGMENTS;
}
