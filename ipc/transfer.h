/* SPDX-License-Identifier: MIT */
/*
 * Moving what a message has beyond its registers from one side to the other: words, handles, segments.
 *
 * Rules: thread context, interrupts on, nothing locked. Each side is user code with its message page, or a
 * message in the kernel; four steps, of which a message that is short, or of words alone, needs the last only.
 *   1. transfer_begin   the sender's page is read, once: it may change at any moment. Its handles are
 *                       checked and kept, its segments are made to be there. May block (on a pager).
 *   2. transfer_meet    the receiver's windows are read, once, and transfer_settle, if any spans pages,
 *                       makes them be there. That may block.
 *   3. transfer_deliver segments are copied, once; then handles opened; then words, and what says that
 *                       all that has come. Does not block.
 *   4. transfer_end     always, after transfer_begin has said OK.
 * A step that fails leaves both sides as they were, but for bytes in windows that nobody is told about. While a step
 * blocks, this thread's chain may be split and the sides' pages go to its heir: so who calls looks them up again
 * before the next one.
 *
 * A letter, which waits in the kernel, is sent as begin, deliver and end with a buffer as receiver; it is received as
 * the same with the buffer as sender, which keeps its references until message_buffer_drop. A
 * letter has no segments (its sender's tag is looked at): their pages are there only as long as their sender waits.
 *
 * Errors: ERR_INVALID: the tag, the sender has no page, or a segment is larger than MAX_SEGMENT_BYTES. ERR_BAD_HANDLE,
 * ERR_NO_RIGHT: a handle (handle_take_out). ERR_TOO_LONG: the receiver has no page, or a window that is too
 * small. ERR_FAULT: a segment or its window is not mapped with the access needed, or was unmapped meanwhile.
 * ERR_NO_SPACE, ERR_NO_MEMORY: the receiver's table of handles, or pages that have to be made.
 * ERR_CANCELLED, ERR_DEPTH: a pager cannot be asked.
 */
#pragma once

#include <stdbool.h>

#include "kernel/abi/message.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"
#include "kernel/object/handle.h"
#include "sched/domain.h"

/* A message in the kernel: what lies in a message page, and the objects themselves. */
struct message_buffer {
    uint64_t word[MAX_MESSAGE_WORDS]; /* by number; the first four are not used */
    struct handle_copy handle[MAX_MESSAGE_HANDLES];
    /* Sent to the kernel: where they are in the sender's space, while it waits. Sent by a service in the kernel: what
     * it has copied to its caller's windows (ipc/service.h). */
    struct message_segment segment[MAX_MESSAGE_SEGMENTS];
    struct message_segment window[MAX_MESSAGE_SEGMENTS]; /* of the caller of such a service */
};

/* One end of a message. */
struct side {
    struct domain *domain;         /* user code: whose space and handles */
    struct message_page *page;     /* user code: its message page, or NULL */
    struct message_buffer *buffer; /* or a message in the kernel */
};

/* A message on its way. */
struct transfer {
    uint64_t tag;
    uint32_t segments; /* that are to be copied */
    uint32_t handles;  /* that are kept */
    uint32_t opened;   /* in the receiver's table */
    bool spans;        /* a segment or a window lies in more than one page */
    struct message_segment segment[MAX_MESSAGE_SEGMENTS];
    struct message_segment window[MAX_MESSAGE_SEGMENTS];
    struct handle_copy handle[MAX_MESSAGE_HANDLES];
    struct message_handle given[MAX_MESSAGE_HANDLES]; /* in the receiver's table */
};

/* Does it need more than registers and words? */
static inline bool transfer_has_extras(uint64_t tag)
{
    return (tag & 0xff00) != 0;
}

/* Are windows to be settled before anything is copied? */
static inline bool transfer_must_settle(const struct transfer *transfer)
{
    return transfer_has_extras(transfer->tag) && transfer->spans;
}

WARN_UNUSED status_t transfer_begin(struct transfer *transfer, const struct side *from,
                                    uint64_t tag);
WARN_UNUSED status_t transfer_meet(struct transfer *transfer, const struct side *to);
WARN_UNUSED status_t transfer_settle(const struct transfer *transfer, const struct side *to);
WARN_UNUSED status_t transfer_deliver(struct transfer *transfer, const struct side *from,
                                      const struct side *to);

/* Takes back what was delivered to user code that did not get to see it: its handles. */
void transfer_undo(const struct transfer *transfer, const struct side *to);

void transfer_end(struct transfer *transfer);

/* A segment or window as its user gave it, read once: it may change at any moment. */
static inline struct message_segment message_fetch_segment(const struct message_segment *from)
{
    const volatile struct message_segment *once = from;

    return (struct message_segment){.address = once->address, .bytes = once->bytes};
}

/* Copies words from 4 on between pages or buffers; the tag has no more than `count` words. */
static inline void transfer_words(const uint64_t *from, uint64_t *to, uint32_t count)
{
    for (uint32_t i = MESSAGE_REGISTER_WORDS; i < count; i++) {
        to[i] = from[i];
    }
}

/* Releases what a buffer keeps. */
void message_buffer_drop(struct message_buffer *buffer);
