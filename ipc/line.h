/* SPDX-License-Identifier: MIT */
/*
 * The line of a port: callers that wait, oldest first.
 *
 * Rules: a caller arrives without a lock, by one compare-and-swap on the baton word that links its
 * record and counts it. All else is done with the port's lock held, by the holder of the baton, a
 * caller that leaves, or the closer: absorbing takes the arrivals off the word, newest first, and appends
 * them to the queue in their order. A record is the line's from its arrival until it was popped or
 * removed. Any context; nothing blocks, allocates or fails.
 */
#pragma once

#include "ipc/queue.h"
#include "kernel/base/types.h"

/* What asking for the baton led to. */
enum line_outcome {
    LINE_IDLE,   /* nobody ran and nobody waited: the baton is ours */
    LINE_JOINED, /* the record waits */
    LINE_CLOSED, /* refused */
};

/* Takes the idle baton or joins the line. */
enum line_outcome line_take_or_join(uint64_t *word, struct queue_record *record);

/* Takes the oldest off the line and the count, or answers NULL. */
struct queue_record *line_pop_locked(uint64_t *word, struct queue *line);

/* The oldest, which stays in the line, as do those behind it; or NULL. */
struct queue_record *line_first_locked(uint64_t *word, struct queue *line);

/* Takes a record off the line and the count; false when it is not in it. O(waiting callers). */
bool line_remove_locked(uint64_t *word, struct queue *line, struct queue_record *record);
