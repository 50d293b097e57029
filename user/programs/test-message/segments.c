/* SPDX-License-Identifier: MIT */
/* Segments: sizes, places, and memory that is not what it should be. */
#include <stddef.h>
#include <string.h>

#include "user/programs/test-message/peer.h"

#define ROOM MAX_SEGMENT_BYTES
#define ROUNDS 200

static unsigned char text[ROOM + 2 * PAGE_BYTES];

static uint64_t sum_of(const unsigned char *bytes, uint64_t count)
{
    uint64_t total = 0;

    for (uint64_t at = 0; at < count; at++) {
        total += bytes[at] * (at % 251 + 1);
    }
    return total;
}

/* Sends what the page says. */
static status_t send(uint32_t segments, struct message *reply)
{
    *reply = (struct message){.tag = MESSAGE_TAG_LONG(MESSAGE_PEER_SUM, 0, 0, segments)};
    return port_request(peer_port(), reply);
}

/* One segment. */
static status_t send_one(const void *from, uint64_t bytes)
{
    struct message reply;

    message_put_segment(0, from, bytes);
    return send(1, &reply);
}

/* Arrives what was sent, all of it and nothing else. */
static bool arrives(const unsigned char *from, uint64_t bytes)
{
    return send_one(from, bytes) == OK && message_page()->word[4] == sum_of(from, bytes) &&
           message_page()->word[5] == bytes;
}

static void fill_text(void)
{
    for (unsigned i = 0; i < sizeof(text); i++) {
        text[i] = (unsigned char)(i * 7 + i / 256);
    }
}

TEST(user_message, a_segment_of_every_size_arrives)
{
    static const uint64_t sizes[] = {0,    1,    2,    7,    8,     9,     255,    960,
                                     4095, 4096, 4097, 8191, 65536, 70001, 1 << 20};

    ASSERT(message_page() != NULL);
    fill_text();
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (unsigned shift = 0; shift < 3; shift++) {
            peer_set_window(0, shift == 1 ? WINDOW_SHIFTED : WINDOW_BUFFER, ROOM);
            ASSERT(arrives(text + shift * 1021, sizes[i]));
        }
    }
}

TEST(user_message, segments_are_scattered_in_order)
{
    struct message reply;

    ASSERT(message_page() != NULL);
    fill_text();
    for (uint32_t i = 0; i < MAX_MESSAGE_SEGMENTS; i++) {
        peer_set_window(i, i % 2 == 0 ? WINDOW_BUFFER : WINDOW_SHIFTED, ROOM / 2);
        message_put_segment(i, text + 5000 * i + i, 3000 + 1000 * i);
    }
    for (uint32_t count = 1; count <= MAX_MESSAGE_SEGMENTS; count++) {
        ASSERT_EQUAL(send(count, &reply), OK);
        EXPECT_EQUAL(reply.word[0], count);
        for (uint32_t i = 0; i < count; i++) {
            EXPECT_EQUAL(message_page()->word[4 + 2 * i],
                         sum_of(text + 5000 * i + i, 3000 + 1000 * i));
        }
    }
}

TEST(user_message, a_long_call_of_who_has_ended_is_told_so)
{
    struct message reply = {.tag = MESSAGE_TAG_LONG(MESSAGE_PEER_SUM, 0, 0, 2)};
    int64_t copy = handle_duplicate(peer_port(), RIGHT_CALL, 0);
    status_t status = ERR_PEER_DIED;

    ASSERT(message_page() != NULL && copy > 0);
    message_put_segment(0, text, 8);
    message_put_segment(1, text, 8);
    peer_forget();
    /* At once, and when nothing is left of its memory. */
    for (unsigned i = 0; i < 3000 && status == ERR_PEER_DIED; i++) {
        status = port_request((handle_t)copy, &reply);
        thread_yield();
    }
    EXPECT_EQUAL(status, ERR_PEER_DIED);
    handle_close((handle_t)copy);
}

TEST(user_message, a_reply_brings_segments)
{
    struct message message;

    ASSERT(message_page() != NULL);
    (void)peer_port();
    peer_forget(); /* its buffer as it began */
    for (uint64_t bytes = 1; bytes <= ROOM / 4; bytes = bytes * 3 + 1) {
        memset(text, 0, sizeof(text));
        for (uint32_t i = 0; i < MAX_MESSAGE_SEGMENTS; i++) {
            message_set_window(i, text + i * (ROOM / 4) + i, bytes);
        }
        message = (struct message){.tag = MESSAGE_TAG(MESSAGE_PEER_SEND, 3), .word = {4, bytes, 3}};
        ASSERT_EQUAL(port_request(peer_port(), &message), OK);
        ASSERT_EQUAL(message_segments(message.tag), 4);
        for (uint32_t i = 0; i < MAX_MESSAGE_SEGMENTS; i++) {
            const unsigned char *part = text + i * (ROOM / 4) + i;
            uint64_t first = i * (MESSAGE_PEER_BUFFER / 4) + 3;

            EXPECT_EQUAL(message_page()->received[i].bytes, bytes);
            EXPECT_EQUAL(message_page()->received[i].address, (uintptr_t)part);
            EXPECT_EQUAL(part[0], first % 253);
            EXPECT_EQUAL(part[bytes - 1], (first + bytes - 1) % 253);
            EXPECT_EQUAL(part[bytes], i < 3 && bytes == ROOM / 4 ? part[bytes] : 0);
        }
    }
    message_set_window(1, text, 99);
    message = (struct message){.tag = MESSAGE_TAG(MESSAGE_PEER_SEND, 3), .word = {2, 100, 0}};
    EXPECT_EQUAL(port_request(peer_port(), &message), ERR_TOO_LONG);
}

TEST(user_message, a_window_that_is_too_small_gets_nothing)
{
    struct message reply;

    ASSERT(message_page() != NULL);
    peer_set_window(0, WINDOW_BUFFER, 100);
    peer_set_window(1, WINDOW_BUFFER, 100);
    EXPECT(arrives(text, 100));
    EXPECT_EQUAL(send_one(text, 101), ERR_TOO_LONG);
    message_put_segment(0, text, 100);
    message_put_segment(1, text, 101);
    EXPECT_EQUAL(send(2, &reply), ERR_TOO_LONG);
    peer_set_window(0, WINDOW_BUFFER, ~0UL);
    EXPECT_EQUAL(send_one(text, MAX_SEGMENT_BYTES + 1), ERR_INVALID);
    EXPECT_EQUAL(send_one(text, ~0UL), ERR_INVALID);
    EXPECT(arrives(text, MAX_SEGMENT_BYTES));
}

TEST(user_message, a_source_must_be_readable)
{
    char *area = (char *)memory_map(NULL, 4 * PAGE_BYTES, READ_WRITE);

    ASSERT(message_page() != NULL);
    peer_set_window(0, WINDOW_BUFFER, ROOM);
    EXPECT_EQUAL(send_one(area, 4 * PAGE_BYTES), OK); /* pages that nobody has touched */
    EXPECT_EQUAL(send_one(area + 4 * PAGE_BYTES, 1), ERR_FAULT);
    EXPECT_EQUAL(send_one(area + 1, 4 * PAGE_BYTES), ERR_FAULT);
    EXPECT_EQUAL(memory_protect(area + PAGE_BYTES, PAGE_BYTES, PROTECT_NONE), OK);
    EXPECT_EQUAL(send_one(area, PAGE_BYTES), OK);
    EXPECT_EQUAL(send_one(area, PAGE_BYTES + 1), ERR_FAULT);
    EXPECT_EQUAL(send_one(area + PAGE_BYTES, 1), ERR_FAULT);
    EXPECT_EQUAL(send_one(area + 2 * PAGE_BYTES, 2 * PAGE_BYTES), OK);
    EXPECT_EQUAL(send_one(NULL, 1), ERR_FAULT);
    EXPECT_EQUAL(send_one(NULL, 0), OK);
    EXPECT_EQUAL(send_one((char *)USER_TOP - 1, 2), ERR_FAULT);
    EXPECT_EQUAL(send_one((char *)USER_TOP, 1), ERR_FAULT);
    EXPECT_EQUAL(send_one((char *)~0UL, 2), ERR_FAULT);
    EXPECT_EQUAL(send_one((char *)0xffffffc080000000UL, 8), ERR_FAULT);
    /* The same page, were the upper bits not looked at. */
    EXPECT_EQUAL(send_one((char *)((uintptr_t)area + (1UL << 39)), 8), ERR_FAULT);
    EXPECT_EQUAL(memory_unmap(area, 4 * PAGE_BYTES), OK);
}

TEST(user_message, a_window_must_be_writable)
{
    struct message message;

    ASSERT(message_page() != NULL);
    peer_set_window(0, WINDOW_READ_ONLY, ROOM);
    EXPECT_EQUAL(send_one(text, 1), ERR_FAULT);
    peer_set_window(0, WINDOW_UNMAPPED, ROOM);
    EXPECT_EQUAL(send_one(text, 1), ERR_FAULT);
    peer_set_window(0, WINDOW_HALF, ROOM);
    EXPECT_EQUAL(send_one(text, PAGE_BYTES), OK);
    EXPECT_EQUAL(send_one(text, PAGE_BYTES + 1), ERR_FAULT);
    /* And here, where the peer is told. */
    message_set_window(0, (void *)(uintptr_t)&sum_of, 8);
    message = (struct message){.tag = MESSAGE_TAG(MESSAGE_PEER_SEND, 3), .word = {1, 8, 0}};
    EXPECT_EQUAL(port_request(peer_port(), &message), ERR_FAULT);
    message_set_window(0, (void *)(USER_TOP - 4), 8);
    message = (struct message){.tag = MESSAGE_TAG(MESSAGE_PEER_SEND, 3), .word = {1, 8, 0}};
    EXPECT_EQUAL(port_request(peer_port(), &message), ERR_FAULT);
}

/* What is copied to a clone is not in the original. */
TEST(user_message, a_window_may_be_copied_on_write)
{
    handle_t memory = (handle_t)memory_create(4 * PAGE_BYTES, MEMORY_ANONYMOUS);
    unsigned char *original =
        (unsigned char *)memory_map_object(NULL, 4 * PAGE_BYTES, READ_WRITE, memory, 0, 0);
    struct message message;
    handle_t clone;
    unsigned char *copy;

    memset(original, 0xee, 4 * PAGE_BYTES);
    clone = (handle_t)memory_clone(memory);
    copy = (unsigned char *)memory_map_object(NULL, 4 * PAGE_BYTES, READ_WRITE, clone, 0, 0);
    EXPECT_EQUAL(copy[100], 0xee); /* entered, read-only */
    (void)peer_port();
    peer_forget();
    for (unsigned i = 0; i < 2; i++) {
        uint64_t bytes = i == 0 ? 200 : 3 * PAGE_BYTES;

        message_set_window(0, copy + 50, bytes);
        message = (struct message){.tag = MESSAGE_TAG(MESSAGE_PEER_SEND, 3), .word = {1, bytes, 0}};
        ASSERT_EQUAL(port_request(peer_port(), &message), OK);
        EXPECT_EQUAL(copy[50 + 199], 199);
        EXPECT_EQUAL(copy[49], 0xee);
        EXPECT_EQUAL(copy[50 + bytes], 0xee);
        EXPECT_EQUAL(original[50 + 199], 0xee);
        EXPECT_EQUAL(original[PAGE_BYTES], 0xee);
    }
    EXPECT_EQUAL(memory_unmap(copy, 4 * PAGE_BYTES), OK);
    EXPECT_EQUAL(memory_unmap(original, 4 * PAGE_BYTES), OK);
    EXPECT_EQUAL(handle_close(clone), OK);
    EXPECT_EQUAL(handle_close(memory), OK);
}

#define PAGED ((unsigned char *)0x3800000000UL)
#define PAGED_BYTES (8 * PAGE_BYTES)

static uint64_t paged;

/* A pager that maps what is asked for, filled with the page's number. */
static void page_in(void *context, uint64_t badge, struct message *message)
{
    char *page = (char *)(message->word[0] / PAGE_BYTES * PAGE_BYTES);

    (void)context;
    (void)badge;
    paged++;
    memory_map(page, PAGE_BYTES, READ_WRITE);
    memset(page, (int)((uintptr_t)page / PAGE_BYTES % 256), PAGE_BYTES);
    message->word[0] = HANDLE_NONE;
    message->tag = MESSAGE_TAG(OK, 4);
}

static void take_segment(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    message->word[0] = message_page()->received[0].bytes;
    service_reply(message, OK, 1);
}

TEST(user_message, a_source_may_come_from_a_pager)
{
    handle_t port;

    ASSERT(message_page() != NULL);
    ASSERT_EQUAL(service_create(page_in, NULL, &port), OK);
    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    peer_set_window(0, WINDOW_BUFFER, ROOM);
    paged = 0;
    EXPECT_EQUAL(send_one(PAGED, 1), OK);
    EXPECT_EQUAL(paged, 1);
    EXPECT(arrives(PAGED, PAGED_BYTES));
    EXPECT_EQUAL(paged, 8);
    EXPECT_EQUAL(domain_set_pager(program_own_domain(), HANDLE_NONE), OK);
    EXPECT_EQUAL(memory_unmap(PAGED, PAGED_BYTES), OK);
    EXPECT_EQUAL(send_one(PAGED, 1), ERR_FAULT);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_message, the_window_of_a_service_may_come_from_its_pager)
{
    const struct message_segment window = {(uintptr_t)PAGED, PAGED_BYTES};
    struct message message = {.tag = MESSAGE_TAG_LONG(1, 0, 0, 1)};
    handle_t service;
    handle_t port;

    ASSERT(message_page() != NULL);
    ASSERT_EQUAL(service_create(page_in, NULL, &port), OK);
    ASSERT_EQUAL(service_create_windows(take_segment, NULL, &window, 1, &service), OK);
    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    fill_text();
    paged = 0;
    message_put_segment(0, text, 10);
    EXPECT_EQUAL(port_request(service, &message), OK);
    EXPECT_EQUAL(paged, 1);
    message.tag = MESSAGE_TAG_LONG(1, 0, 0, 1);
    message_put_segment(0, text, PAGED_BYTES);
    EXPECT_EQUAL(port_request(service, &message), OK);
    EXPECT_EQUAL(message.word[0], PAGED_BYTES);
    EXPECT_EQUAL(paged, 8);
    EXPECT(memcmp(PAGED, text, PAGED_BYTES) == 0);
    EXPECT_EQUAL(domain_set_pager(program_own_domain(), HANDLE_NONE), OK);
    EXPECT_EQUAL(memory_unmap(PAGED, PAGED_BYTES), OK);
    EXPECT_EQUAL(port_close(service), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

/* A pager of another domain: it gives the first page of an object, whatever was touched. */
static void page_out(void *context, uint64_t badge, struct message *message)
{
    (void)badge;
    paged++;
    *message = (struct message){.tag = MESSAGE_TAG(OK, 4),
                                .word = {*(handle_t *)context, 0, READ_WRITE, 0}};
}

TEST(user_message, another_domain_pages_in_the_windows_of_a_service)
{
    handle_t memory = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);
    unsigned char *page =
        (unsigned char *)memory_map_object(NULL, PAGE_BYTES, READ_WRITE, memory, 0, 0);
    handle_t port;

    ASSERT(message_page() != NULL);
    ASSERT_EQUAL(service_create(page_out, &memory, &port), OK);
    fill_text();
    peer_set_window(0, WINDOW_UNMAPPED, ROOM);
    ASSERT_EQUAL(domain_set_pager(peer_domain(), port), OK);
    paged = 0;
    EXPECT(arrives(text, 1000));
    EXPECT_EQUAL(paged, 1);
    EXPECT(memcmp(page, text, 1000) == 0);
    EXPECT_EQUAL(domain_set_pager(peer_domain(), HANDLE_NONE), OK);
    peer_forget();
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT_EQUAL(memory_unmap(page, PAGE_BYTES), OK);
    EXPECT_EQUAL(handle_close(memory), OK);
}

#define MOVING ((char *)0x3900000000UL)
#define MOVING_BYTES (16 * PAGE_BYTES)

static uint32_t stop_moving; /* relaxed: only that it ends */

/* Maps and unmaps what the other thread sends and receives. */
static int move(void *argument)
{
    unsigned turn = 0;

    (void)argument;
    thread_migrate(1);
    while (__atomic_load_n(&stop_moving, __ATOMIC_RELAXED) == 0) {
        char *part = MOVING + (turn++ % 15 + 1) * PAGE_BYTES;

        memory_unmap(part, PAGE_BYTES);
        memory_map(part, PAGE_BYTES, READ_WRITE);
        memory_protect(part - PAGE_BYTES, PAGE_BYTES, PROTECT_READ);
        memory_protect(part - PAGE_BYTES, PAGE_BYTES, READ_WRITE);
        if (thread_core() == 0) {
            thread_yield();
        }
    }
    return 0;
}

TEST(user_message, what_another_thread_unmaps_meanwhile_is_an_error_or_arrives)
{
    struct thread thread;
    struct message message;

    ASSERT(message_page() != NULL);
    ASSERT(memory_map(MOVING, MOVING_BYTES, READ_WRITE) >= 0);
    peer_set_window(0, WINDOW_SHIFTED, ROOM);
    stop_moving = 0;
    ASSERT_EQUAL(thread_start(&thread, move, NULL), OK);
    for (unsigned i = 0; i < ROUNDS; i++) {
        status_t status = send_one(MOVING, MOVING_BYTES);

        EXPECT(status == OK || status == ERR_FAULT);
        message_set_window(0, MOVING, MOVING_BYTES);
        message = (struct message){.tag = MESSAGE_TAG(MESSAGE_PEER_SEND, 3),
                                   .word = {1, MOVING_BYTES, 1}};
        status = port_request(peer_port(), &message);
        EXPECT(status == OK || status == ERR_FAULT);
        if (thread_core() == 0) {
            thread_yield();
        }
    }
    __atomic_store_n(&stop_moving, 1, __ATOMIC_RELAXED);
    EXPECT_EQUAL(thread_join(&thread), 0);
    EXPECT_EQUAL(memory_unmap(MOVING, MOVING_BYTES), OK);
}
