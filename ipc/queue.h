/* SPDX-License-Identifier: MIT */
/*
 * The list behind a port: first in, first out, intrusive.
 *
 * Rules: the caller holds the port's lock. A record is in at most one queue and is owned by the
 * queue while linked; it never allocates. Callers arrive without the lock and come in here when they
 * are absorbed (ipc/line.h); messages of a mailbox are pushed under it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_record {
    struct queue_record *next;
    bool linked;
    bool is_letter; /* ipc/letter.h; else a caller */
    bool posted; /* run by a courier: a letter, or asked by a caller that goes on at its deadline */
};

struct queue {
    struct queue_record *first;
    struct queue_record *last;
    uint32_t count;
};

void queue_init(struct queue *queue);

/* Append; the record must not be linked. */
void queue_push(struct queue *queue, struct queue_record *record);

/* Put a record that was taken off back to where it was; it must not be linked. */
void queue_push_front(struct queue *queue, struct queue_record *record);

/* Append `count` records, at least one, that are chained and marked as linked. */
void queue_append(struct queue *queue, struct queue_record *first, struct queue_record *last,
                  uint32_t count);

/* Take the oldest, or NULL. */
static inline struct queue_record *queue_pop(struct queue *queue)
{
    struct queue_record *record = queue->first;

    if (record == NULL) {
        return NULL;
    }
    queue->first = record->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    record->next = NULL;
    record->linked = false;
    queue->count--;
    return record;
}

/* Take a particular record out; false if it is not linked. O(n): for cancels only. */
bool queue_remove(struct queue *queue, struct queue_record *record);
