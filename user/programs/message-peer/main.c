/* SPDX-License-Identifier: MIT */
/* A server for tests of long messages: message-peer NAME [RUNS] serves NAME, for RUNS callers at once. */
#include <stdio.h>
#include <stdlib.h>

#include "user/lib/baton.h"
#include "user/programs/message-peer/protocol.h"

#define READ_WRITE (PROTECT_READ | PROTECT_WRITE)
#define QUARTER (MESSAGE_PEER_BUFFER / 4)
#define SHIFT 4093

static char buffer[MESSAGE_PEER_BUFFER + PAGE_BYTES];
static char *half;
static handle_t memory;

static uint32_t invert(struct message *message)
{
    struct message_page *page = message_page();
    uint32_t words = message_words(message->tag);

    for (uint32_t i = 0; i < words; i++) {
        uint64_t *word = i < MESSAGE_REGISTER_WORDS ? &message->word[i] : &page->word[i];

        *word = ~*word;
    }
    return words;
}

static uint32_t fill(struct message *message)
{
    uint32_t words = (uint32_t)message->word[0];

    for (uint32_t i = 0; i < MAX_MESSAGE_WORDS; i++) {
        message_page()->word[i] = 3 * (uint64_t)i;
        if (i < MESSAGE_REGISTER_WORDS) {
            message->word[i] = 3 * (uint64_t)i;
        }
    }
    return words;
}

static status_t map(struct message *message)
{
    handle_t handle = message_page()->handle[0].handle;
    int64_t mapped = memory_map_object(NULL, PAGE_BYTES, message->word[0], handle, 0, 0);
    uint64_t write = message->word[1];

    message->word[1] = message_page()->handle[0].rights;
    message->word[2] = message_page()->handle[0].kind;
    handle_close(handle);
    if (mapped < 0) {
        return mapped;
    }
    volatile uint64_t *word = (volatile uint64_t *)mapped;

    message->word[0] = *word;
    if (write != 0) {
        *word = write;
    }
    return memory_unmap((void *)mapped, PAGE_BYTES);
}

static void give(struct message *message)
{
    uint32_t count = (uint32_t)message->word[0];

    for (uint32_t i = 0; i < MAX_MESSAGE_HANDLES; i++) {
        message_put_handle(i, memory, (rights_t)message->word[1]);
    }
    message->tag = MESSAGE_TAG_LONG(OK, 0, count, 0);
}

static uint32_t sum(struct message *message)
{
    struct message_page *page = message_page();
    uint32_t count = message_segments(message->tag);

    message->word[0] = count;
    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *bytes = (const unsigned char *)(uintptr_t)page->received[i].address;
        uint64_t total = 0;

        for (uint64_t at = 0; at < page->received[i].bytes; at++) {
            total += bytes[at] * (at % 251 + 1);
        }
        page->word[4 + 2 * i] = total;
        page->word[5 + 2 * i] = page->received[i].bytes;
    }
    return 4 + 2 * count;
}

static void send(struct message *message)
{
    uint32_t count = (uint32_t)message->word[0];

    for (uint32_t i = 0; i < count && i < MAX_MESSAGE_SEGMENTS; i++) {
        message_put_segment(i, buffer + i * QUARTER + message->word[2], message->word[1]);
    }
    message->tag = MESSAGE_TAG_LONG(OK, 0, 0, count);
}

static void set_window(const struct message *message)
{
    uint32_t n = (uint32_t)message->word[0] % MAX_MESSAGE_SEGMENTS;
    uint64_t bytes = message->word[2];

    switch (message->word[1]) {
    case WINDOW_UNMAPPED:
        message_set_window(n, half + 4 * PAGE_BYTES, bytes);
        break;
    case WINDOW_READ_ONLY:
        message_set_window(n, (void *)(uintptr_t)&give, bytes);
        break;
    case WINDOW_HALF:
        message_set_window(n, half, bytes);
        break;
    case WINDOW_SHIFTED:
        message_set_window(n, buffer + n * QUARTER + SHIFT, bytes);
        break;
    default:
        message_set_window(n, buffer + n * QUARTER, bytes);
        break;
    }
}

static status_t call_back(void)
{
    struct message message = {.tag = MESSAGE_TAG(1, 0)};
    handle_t port = message_page()->handle[0].handle;
    status_t status = port_request(port, &message);

    handle_close(port);
    return status;
}

static void serve(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    switch (message_label(message->tag)) {
    case MESSAGE_PEER_INVERT:
        service_reply(message, OK, invert(message));
        break;
    case MESSAGE_PEER_FILL:
        service_reply(message, OK, fill(message));
        break;
    case MESSAGE_PEER_MAP:
        service_reply(message, map(message), 3);
        break;
    case MESSAGE_PEER_GIVE:
        give(message);
        break;
    case MESSAGE_PEER_SUM:
        service_reply(message, OK, sum(message));
        break;
    case MESSAGE_PEER_SEND:
        send(message);
        break;
    case MESSAGE_PEER_WINDOW:
        set_window(message);
        service_reply(message, OK, 0);
        break;
    case MESSAGE_PEER_CALL:
        service_reply(message, call_back(), 0);
        break;
    case MESSAGE_PEER_TAG:
        message->tag = message->word[0];
        break;
    case MESSAGE_PEER_NAP:
        service_reply(message, thread_sleep(message->word[0]), 0);
        break;
    default:
        service_reply(message, ERR_UNKNOWN_CALL, 0);
        break;
    }
}

int main(int argc, char **argv)
{
    uint32_t runs = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    handle_t port;
    status_t status;

    memory = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);
    half = (char *)memory_map(NULL, 8 * PAGE_BYTES, READ_WRITE);
    status = memory_unmap(half + PAGE_BYTES, 7 * PAGE_BYTES);
    for (uint64_t i = 0; i < MESSAGE_PEER_BUFFER; i++) {
        buffer[i] = (char)(i % 253);
    }
    if (status == OK) {
        status = runs != 0 ? service_create_concurrent(serve, NULL, runs, &port)
                           : service_create(serve, NULL, &port);
    }
    if (status == OK) {
        status = lookup_register(argv[1], port);
    }
    if (status != OK) {
        printf("message-peer: %s\n", status_text(status));
        return 1;
    }
    thread_sleep(DEADLINE_NONE);
    return 0;
}
