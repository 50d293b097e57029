/* SPDX-License-Identifier: MIT */
/*
 * What calls and returns of user code carry beyond registers.
 *
 * Who asks pagers when: that of the caller before the service is taken, so that it keeps nobody else from it; that
 * of the service while it is taken; that of the caller never for a reply, since the service would wait for it.
 */
#include "ipc/call_message_priv.h"

#include "ipc/segment.h"
#include "mm/spmalloc.h"

/* The user code that runs in an activation. */
static struct side side_of(const struct activation *activation)
{
    return (struct side){.domain = activation->domain, .page = activation_page(activation)};
}

/* The service that is to be entered. */
static struct side side_of_callee(const struct user_call *call)
{
    const struct port *port = call->port;

    return (struct side){.domain = port->domain,
                         .page = call->slot != NULL ? call->slot->page : port->page};
}

/*
 * The short way: one segment and no handle, both ends in one page that is there. Nothing is looked at before the service is
 * taken; so whatever is unusual lets go of it again, and the call is made in full.
 */
static bool is_quick(const struct user_call *call)
{
    return !call->slowly && call->port->domain->vspace != NULL &&
           (call->message.tag & (MESSAGE_TAG_RESERVED | 0xff00)) == 0x1000 &&
           message_words(call->message.tag) <= MAX_MESSAGE_WORDS;
}

static bool carry_quickly(const struct user_call *call, const struct side *to)
{
    const struct activation *caller = activation_current();
    struct message_page *page = activation_page(caller);
    struct message_segment segment;
    struct message_segment window;

    if (page == NULL || to->page == NULL) {
        return false;
    }
    segment = message_fetch_segment(&page->send[0]);
    window = message_fetch_segment(&to->page->receive[0]);
    if (segment.bytes > window.bytes) {
        return false;
    }
    window.bytes = segment.bytes;
    if (!segment_copy_page(caller->domain->vspace, &segment, to->domain->vspace, &window)) {
        return false;
    }
    to->page->received[0] = window;
    transfer_words(page->word, to->page->word, message_words(call->message.tag));
    return true;
}

void call_end_carry(struct user_call *call)
{
    transfer_end(call->transfer);
    call->carries = false;
}

/* Makes the service's windows be there. Its own pager may be asked about them, in its name: when its domain dies,
 * this thread finds it in its chain. */
static status_t call_settle_windows(const struct user_call *call, const struct side *to)
{
    struct activation activation = call_record(call, ACTIVATION_FROM_KERNEL);
    status_t status;

    activation_push(&activation);
    status = transfer_settle(call->transfer, to);
    activation_set(activation.previous);
    return status;
}

static status_t call_deliver(const struct user_call *call, const struct side *to)
{
    struct side from = side_of(activation_current()); /* looked up again: see transfer.h */

    return transfer_deliver(call->transfer, &from, to);
}

/* What the message has beyond registers, to a user service whose run is ours. A window in one page is mostly there:
 * only when it is not is it settled. */
status_t call_carry(struct user_call *call)
{
    struct side to = side_of_callee(call);
    bool settled = false;
    status_t status;

    if (is_quick(call)) {
        call->slowly = !carry_quickly(call, &to);
        return call->slowly ? CALL_AGAIN : OK;
    }
    status = transfer_meet(call->transfer, &to);
    if (status == OK && transfer_must_settle(call->transfer)) {
        settled = true;
        status = call_settle_windows(call, &to);
    }
    if (status == OK) {
        status = call_deliver(call, &to);
    }
    if (status == ERR_FAULT && !settled) {
        status = call_settle_windows(call, &to);
        if (status == OK) {
            status = call_deliver(call, &to);
        }
    }
    if (status != OK && port_close_reason(call->port) != OK) {
        status = port_close_reason(call->port);
    }
    call_end_carry(call);
    return status;
}

void call_take_back(const struct user_call *call)
{
    struct side to = side_of_callee(call);

    transfer_undo(call->transfer, &to);
}

status_t call_begin_carry(struct user_call *call)
{
    struct port *port = call->port;
    struct side from = side_of(activation_current());
    status_t status;

    if (port->mode == PORT_MODE_MAILBOX) {
        return ERR_WRONG_TYPE;
    }
    if (is_quick(call)) {
        return OK;
    }
    status = transfer_begin(call->transfer, &from, call->message.tag);
    if (status == OK) {
        call->carries = true;
        /* One that was closed may be of a program that has no memory any more, and is no service of the kernel's. */
        if (port->domain->vspace == NULL && !port->takes_long) {
            status = port_close_reason(port);
            status = status != OK ? status : ERR_TOO_LONG;
        }
    }
    return status;
}

status_t call_make_buffer(struct user_call *call, struct message_buffer **out)
{
    struct side from = side_of(activation_current());
    struct message_buffer *buffer;
    status_t status = OK;

    *out = NULL;
    if (from.page == NULL) {
        return OK;
    }
    buffer = spmalloc_zeroed(from.domain->account, sizeof(*buffer));
    if (buffer == NULL) {
        return ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < MAX_MESSAGE_SEGMENTS; i++) {
        buffer->window[i] = from.page->receive[i];
    }
    if (call->carries) {
        status = transfer_deliver(call->transfer, &from, &(struct side){.buffer = buffer});
        call_end_carry(call);
    }
    if (status != OK) {
        spmalloc_free(buffer);
        buffer = NULL;
    }
    *out = buffer;
    return status;
}

status_t call_answer(struct user_call *call, struct message_buffer *buffer)
{
    struct side from = {.buffer = buffer};
    struct side to = side_of(activation_current());
    status_t status = OK;

    if (!message_is_short(call->message.tag)) {
        status = transfer_begin(call->transfer, &from, call->message.tag);
        if (status == OK) {
            status = transfer_deliver(call->transfer, &from, &to);
            transfer_end(call->transfer);
        }
    }
    if (buffer != NULL) {
        message_buffer_drop(buffer);
        spmalloc_free(buffer);
    }
    return status;
}

/* Does the reply go to somebody who has gone on without it? */
static bool is_orphaned(const struct activation *activation)
{
    return activation->previous->port == NULL && thread_current()->identity == NULL;
}

status_t call_return_long(struct activation *activation, uint64_t tag)
{
    struct side from = side_of(activation);
    struct transfer transfer;
    status_t status;

    if (activation_resumes_kernel(activation)) {
        return message_tag_is_valid(tag) ? ERR_TOO_LONG : ERR_INVALID;
    }
    status = transfer_begin(&transfer, &from, tag);
    if (status != OK) {
        return status;
    }
    if (!is_orphaned(activation)) { /* looked at after the service's pager may have been asked */
        struct side to = side_of(activation->previous);

        status = transfer_meet(&transfer, &to);
        if (status == OK && transfer_must_settle(&transfer)) {
            status = transfer_settle(&transfer, &to);
        }
        if (status == OK) {
            status = transfer_deliver(&transfer, &from, &to);
        }
    }
    transfer_end(&transfer);
    return status;
}
