/* SPDX-License-Identifier: MIT */
#include "ipc/transfer.h"

#include <string.h>

#include "ipc/segment.h"

static uint64_t *words_of(const struct side *side)
{
    return side->buffer != NULL ? side->buffer->word : side->page->word;
}

static bool can_carry(const struct side *side)
{
    return side->buffer != NULL || side->page != NULL;
}

/* Keeps what the sender's handles name; on error none. */
static status_t take_handles(struct transfer *transfer, const struct side *from)
{
    uint32_t count = message_handles(transfer->tag);

    for (uint32_t i = 0; i < count; i++) {
        status_t status = OK;

        if (from->buffer != NULL) {
            handle_copy_again(&from->buffer->handle[i], &transfer->handle[i]);
        } else {
            /* volatile: fetched once; the user may change it */
            const volatile struct message_handle *sent = &from->page->handle[i];

            status = handle_take_out(&from->domain->handles, sent->handle, sent->rights,
                                     &transfer->handle[i]);
        }
        if (status != OK) {
            transfer_end(transfer);
            return status;
        }
        transfer->handles++;
    }
    return OK;
}

/* Reads where the sender's segments lie and makes their pages be there. */
static status_t take_segments(struct transfer *transfer, const struct side *from)
{
    uint32_t count = message_segments(transfer->tag);
    status_t status = OK;

    if (from->buffer != NULL) { /* they are where they are to go */
        memcpy(transfer->window, from->buffer->segment, sizeof(transfer->window));
        return OK;
    }
    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct message_segment *segment = &transfer->segment[i];

        *segment = message_fetch_segment(&from->page->send[i]);
        if (segment->bytes > MAX_SEGMENT_BYTES) {
            return ERR_INVALID;
        }
        transfer->spans |= segment_spans(segment);
        status = segment_settle(from->domain->vspace, segment, PROTECT_READ);
    }
    return status;
}

status_t transfer_begin(struct transfer *transfer, const struct side *from, uint64_t tag)
{
    status_t status;

    if (!message_tag_is_valid(tag) || (!message_is_short(tag) && !can_carry(from))) {
        return ERR_INVALID;
    }
    transfer->tag = tag;
    transfer->segments = from->buffer != NULL ? 0 : message_segments(tag);
    if (!transfer_has_extras(tag)) {
        return OK;
    }
    transfer->handles = transfer->opened = 0;
    transfer->spans = false;
    status = take_segments(transfer, from);
    return status == OK ? take_handles(transfer, from) : status;
}

status_t transfer_meet(struct transfer *transfer, const struct side *to)
{
    status_t status = OK;

    if (message_is_short(transfer->tag)) {
        return OK;
    }
    if (!can_carry(to)) {
        return ERR_TOO_LONG;
    }
    for (uint32_t i = 0; i < transfer->segments && to->buffer == NULL && status == OK; i++) {
        struct message_segment *window = &transfer->window[i];

        *window = message_fetch_segment(&to->page->receive[i]);
        if (window->bytes < transfer->segment[i].bytes) {
            return ERR_TOO_LONG;
        }
        window->bytes = transfer->segment[i].bytes;
        transfer->spans |= segment_spans(window);
        status = segment_is_in_range(window) ? OK : ERR_FAULT;
    }
    return status;
}

status_t transfer_settle(const struct transfer *transfer, const struct side *to)
{
    status_t status = OK;

    for (uint32_t i = 0; i < transfer->segments && status == OK; i++) {
        status =
            segment_settle(to->domain->vspace, &transfer->window[i], PROTECT_READ | PROTECT_WRITE);
    }
    return status;
}

/* A handle for each in the receiver's table; on error none. */
static status_t give_handles(struct transfer *transfer, const struct side *to)
{
    for (uint32_t i = 0; i < message_handles(transfer->tag); i++) {
        struct handle_copy *copy = &transfer->handle[i];
        handle_t handle;
        status_t status = handle_put_in(&to->domain->handles, copy, &handle);

        if (status != OK) {
            transfer_undo(transfer, to);
            return status;
        }
        transfer->given[i] = (struct message_handle){
            .handle = handle,
            .rights =
                copy->rights, /* no more than its sender's handle has, so all mean something */
            .kind = copy->object->kind,
        };
        transfer->opened++;
    }
    return OK;
}

static status_t copy_segments(const struct transfer *transfer, const struct side *from,
                              const struct side *to)
{
    status_t status = OK;

    for (uint32_t i = 0; i < transfer->segments && status == OK; i++) {
        status =
            segment_copy(from->domain->vspace, transfer->segment[i].address, to->domain->vspace,
                         transfer->window[i].address, transfer->segment[i].bytes);
    }
    return status;
}

static status_t deliver_to_user(struct transfer *transfer, const struct side *from,
                                const struct side *to)
{
    status_t status = copy_segments(transfer, from, to);

    if (status == OK) {
        status = give_handles(transfer, to);
    }
    if (status != OK) {
        return status;
    }
    for (uint32_t i = 0; i < message_handles(transfer->tag); i++) {
        to->page->handle[i] = transfer->given[i];
    }
    for (uint32_t i = 0; i < message_segments(transfer->tag); i++) {
        to->page->received[i] = transfer->window[i];
    }
    return OK;
}

/* The references go to the buffer; segments stay where they are. */
static void deliver_to_buffer(struct transfer *transfer, struct message_buffer *buffer)
{
    for (uint32_t i = 0; i < message_handles(transfer->tag); i++) {
        handle_copy_again(&transfer->handle[i], &buffer->handle[i]);
        handle_copy_drop(&transfer->handle[i]);
    }
    transfer->handles = 0;
    memcpy(buffer->segment, transfer->segment,
           message_segments(transfer->tag) * sizeof(buffer->segment[0]));
}

status_t transfer_deliver(struct transfer *transfer, const struct side *from, const struct side *to)
{
    status_t status = OK;

    if (message_is_short(transfer->tag)) {
        return OK;
    }
    if (!can_carry(to)) {
        return ERR_TOO_LONG;
    }
    if (!can_carry(from)) {
        return ERR_CANCELLED; /* the sender has gone on without this thread */
    }
    if (transfer_has_extras(transfer->tag)) {
        if (to->buffer != NULL) {
            deliver_to_buffer(transfer, to->buffer);
        } else {
            status = deliver_to_user(transfer, from, to);
        }
    }
    if (status == OK) {
        transfer_words(words_of(from), words_of(to), message_words(transfer->tag));
    }
    return status;
}

void transfer_undo(const struct transfer *transfer, const struct side *to)
{
    for (uint32_t i = 0; transfer_has_extras(transfer->tag) && i < transfer->opened; i++) {
        /* The receiver's other threads may have guessed and closed it. */
        (void)handle_close(&to->domain->handles, transfer->given[i].handle);
    }
}

void transfer_end(struct transfer *transfer)
{
    while (transfer_has_extras(transfer->tag) && transfer->handles > 0) {
        handle_copy_drop(&transfer->handle[--transfer->handles]);
    }
}

void message_buffer_drop(struct message_buffer *buffer)
{
    for (uint32_t i = 0; i < MAX_MESSAGE_HANDLES; i++) {
        handle_copy_drop(&buffer->handle[i]);
    }
}
