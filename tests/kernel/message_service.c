/* SPDX-License-Identifier: MIT */
/*
 * A service in the kernel that knows long messages, for user/programs/test-message: `test.long`.
 *
 * Words come back inverted, handles as they are with RIGHT_MAP_READ alone, and of each segment the first bytes with 1 added.
 */
#include "ipc/service.h"

#define TEXT_BYTES 256

static void invert(struct request *request, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++) {
        uint64_t *word =
            i < MESSAGE_REGISTER_WORDS ? &request->message->word[i] : &request->buffer->word[i];

        *word = ~*word;
    }
}

static status_t turn_segment(struct request *request, uint32_t n)
{
    const struct message_segment *segment = &request->buffer->segment[n];
    uint64_t bytes = min_u64(segment->bytes, TEXT_BYTES);
    uint8_t text[TEXT_BYTES];
    status_t status = request_copy_in(request, text, segment->address, bytes);

    for (uint64_t i = 0; i < bytes; i++) {
        text[i]++;
    }
    return status == OK ? request_place_segment(request, n, text, bytes) : status;
}

static void handle(struct request *request)
{
    uint64_t tag = request->message->tag;
    status_t status = OK;

    invert(request, message_words(tag));
    for (uint32_t i = 0; i < message_handles(tag); i++) {
        request->buffer->handle[i].rights &= RIGHT_MAP_READ;
    }
    for (uint32_t i = 0; i < message_segments(tag) && status == OK; i++) {
        status = turn_segment(request, i);
    }
    request->message->tag = status == OK ? tag & UINT32_MAX : MESSAGE_TAG((uint32_t)status, 0);
}

SERVICE(test_long_service) = {
    .name = "test.long",
    .handle = handle,
    .takes_long = true,
};
