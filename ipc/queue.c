/* SPDX-License-Identifier: MIT */
/*
 * A first-in first-out list of records under the port's lock.
 */
#include "ipc/queue.h"

#include <stddef.h>

#include "kernel/base/assert.h"

void queue_init(struct queue *queue)
{
    *queue = (struct queue){0};
}

void queue_push(struct queue *queue, struct queue_record *record)
{
    BUG_ON(record->linked);
    record->next = NULL;
    record->linked = true;
    if (queue->last == NULL) {
        queue->first = record;
    } else {
        queue->last->next = record;
    }
    queue->last = record;
    queue->count++;
}

void queue_push_front(struct queue *queue, struct queue_record *record)
{
    BUG_ON(record->linked);
    record->next = queue->first;
    record->linked = true;
    queue->first = record;
    if (queue->last == NULL) {
        queue->last = record;
    }
    queue->count++;
}

void queue_append(struct queue *queue, struct queue_record *first, struct queue_record *last,
                  uint32_t count)
{
    if (queue->last == NULL) {
        queue->first = first;
    } else {
        queue->last->next = first;
    }
    queue->last = last;
    queue->count += count;
}

bool queue_remove(struct queue *queue, struct queue_record *record)
{
    struct queue_record *before = NULL;
    struct queue_record *at = queue->first;

    if (!record->linked) {
        return false;
    }
    while (at != record) {
        BUG_ON(at == NULL); /* linked, but in another queue */
        before = at;
        at = at->next;
    }
    if (before == NULL) {
        queue->first = record->next;
    } else {
        before->next = record->next;
    }
    if (queue->last == record) {
        queue->last = before;
    }
    record->next = NULL;
    record->linked = false;
    queue->count--;
    return true;
}
