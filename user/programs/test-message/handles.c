/* SPDX-License-Identifier: MIT */
/* Handles in messages. */
#include <stddef.h>

#include "user/programs/test-message/peer.h"

#define ALL_OF_MEMORY (RIGHTS_MEMORY & ~RIGHT_MANAGE)

/* A call with `count` handles, which are in the page. */
static status_t ask_with(uint32_t label, uint32_t count, uint64_t word0, uint64_t word1,
                         struct message *reply)
{
    *reply = (struct message){.tag = MESSAGE_TAG_LONG(label, 2, count, 0), .word = {word0, word1}};
    return port_request(peer_port(), reply);
}

static handle_t make_memory(uint64_t **word)
{
    handle_t memory = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);

    *word = (uint64_t *)memory_map_object(NULL, PAGE_BYTES, READ_WRITE, memory, 0, 0);
    **word = 4711;
    return memory;
}

static void end_memory(handle_t memory, uint64_t *word)
{
    EXPECT_EQUAL(memory_unmap(word, PAGE_BYTES), OK);
    EXPECT_EQUAL(handle_close(memory), OK);
}

TEST(user_message, a_memory_object_is_mapped_by_the_receiver)
{
    uint64_t handles;
    uint64_t *word;
    handle_t memory = make_memory(&word);
    struct message reply;

    (void)peer_port();
    handles = peer_handles();
    message_put_handle(0, memory, RIGHT_MAP_READ | RIGHT_MAP_WRITE);
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_MAP, 1, READ_WRITE, 99, &reply), OK);
    EXPECT_EQUAL(reply.word[0], 4711);
    EXPECT_EQUAL(reply.word[1], RIGHT_MAP_READ | RIGHT_MAP_WRITE);
    EXPECT_EQUAL(reply.word[2], OBJECT_MEMORY);
    EXPECT_EQUAL(*word, 99);
    EXPECT_EQUAL(peer_handles(), handles);
    EXPECT_EQUAL(message_page()->handle[0].handle, memory);
    end_memory(memory, word);
}

TEST(user_message, a_handle_that_is_read_only_stays_so)
{
    uint64_t *word;
    handle_t memory = make_memory(&word);
    struct message reply;

    message_put_handle(0, memory, RIGHT_MAP_READ);
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_MAP, 1, READ_WRITE, 0, &reply), ERR_NO_RIGHT);
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_MAP, 1, PROTECT_READ, 0, &reply), OK);
    EXPECT_EQUAL(reply.word[0], 4711);
    /* The write faults and ends the peer. */
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_MAP, 1, PROTECT_READ, 5, &reply), ERR_PEER_DIED);
    EXPECT_EQUAL(*word, 4711);
    peer_forget();
    end_memory(memory, word);
}

/* What fails in the middle moves nothing. */
TEST(user_message, nobody_sends_more_than_the_handle_allows)
{
    uint64_t *word;
    handle_t memory = make_memory(&word);
    handle_t readable = (handle_t)handle_duplicate(memory, RIGHT_TRANSFER | RIGHT_MAP_READ, 0);
    handle_t fixed = (handle_t)handle_duplicate(memory, RIGHT_MAP_READ | RIGHT_MAP_WRITE, 0);
    handle_t closed = (handle_t)handle_duplicate(memory, ALL_OF_MEMORY, 0);
    struct message reply;
    uint64_t handles;

    (void)peer_port();
    handles = peer_handles();
    EXPECT_EQUAL(handle_close(closed), OK);
    const struct {
        handle_t handle;
        rights_t rights;
        status_t status;
    } cases[] = {
        {readable, RIGHT_MAP_READ | RIGHT_MAP_WRITE, ERR_NO_RIGHT},
        {readable, RIGHT_MAP_EXECUTE, ERR_NO_RIGHT},
        {readable, RIGHT_MANAGE, ERR_NO_RIGHT},
        {readable, ~0U, ERR_NO_RIGHT},
        {fixed, RIGHT_MAP_READ, ERR_NO_RIGHT},
        {fixed, 0, ERR_NO_RIGHT},
        {closed, RIGHT_MAP_READ, ERR_BAD_HANDLE},
        {HANDLE_NONE, RIGHT_MAP_READ, ERR_BAD_HANDLE},
        {~0UL, RIGHT_MAP_READ, ERR_BAD_HANDLE},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (uint32_t at = 0; at < MAX_MESSAGE_HANDLES; at++) {
            for (uint32_t n = 0; n < MAX_MESSAGE_HANDLES; n++) {
                message_put_handle(n, readable, RIGHT_MAP_READ);
            }
            message_put_handle(at, cases[i].handle, cases[i].rights);
            EXPECT_EQUAL(ask_with(MESSAGE_PEER_INVERT, MAX_MESSAGE_HANDLES, 0, 0, &reply),
                         cases[i].status);
        }
    }
    EXPECT_EQUAL(peer_handles(), handles);
    EXPECT_EQUAL(handle_close(readable), OK);
    EXPECT_EQUAL(handle_close(fixed), OK);
    end_memory(memory, word);
}

static uint64_t seen_badge;

static void note_badge(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    seen_badge = badge;
    service_reply(message, OK, 0);
}

TEST(user_message, a_badge_goes_with_the_handle)
{
    struct message reply;
    handle_t badged;
    handle_t port;

    ASSERT_EQUAL(service_create(note_badge, NULL, &port), OK);
    badged = (handle_t)handle_duplicate(port, RIGHT_CALL | RIGHT_TRANSFER, 77);
    message_put_handle(0, badged, RIGHT_CALL);
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_CALL, 1, 0, 0, &reply), OK);
    EXPECT_EQUAL(seen_badge, 77);
    message_put_handle(0, badged, 0);
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_CALL, 1, 0, 0, &reply), ERR_NO_RIGHT);
    EXPECT_EQUAL(handle_close(badged), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_message, a_reply_brings_handles)
{
    struct message reply;

    ASSERT(message_page() != NULL);
    for (uint32_t count = 1; count <= MAX_MESSAGE_HANDLES; count++) {
        ASSERT_EQUAL(ask_with(MESSAGE_PEER_GIVE, 0, count, RIGHT_MAP_READ, &reply), OK);
        ASSERT_EQUAL(message_handles(reply.tag), count);
        for (uint32_t i = 0; i < count; i++) {
            handle_t handle = message_page()->handle[i].handle;

            EXPECT_EQUAL(message_page()->handle[i].rights, RIGHT_MAP_READ);
            EXPECT_EQUAL(memory_map_object(NULL, PAGE_BYTES, READ_WRITE, handle, 0, 0),
                         ERR_NO_RIGHT);
            EXPECT_EQUAL(handle_close(handle), OK);
        }
    }
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_GIVE, 0, 2, RIGHTS_ALL, &reply), ERR_NO_RIGHT);
    EXPECT_EQUAL(message_handles(reply.tag), 0);
}

/* The peer is told, nothing has come, and it is as before when there is room again. */
TEST(user_message, a_full_table_takes_no_handle)
{
    uint64_t *word;
    handle_t memory = make_memory(&word);
    static handle_t copies[MAX_HANDLES];
    struct message reply;
    unsigned count = 0;

    (void)peer_port();
    ASSERT(message_page() != NULL);
    for (;;) {
        int64_t handle = handle_duplicate(memory, RIGHT_MAP_READ, 0);

        if (handle < 0) {
            EXPECT(handle == ERR_NO_SPACE || handle == ERR_NO_MEMORY);
            break;
        }
        copies[count++] = (handle_t)handle;
    }
    EXPECT_EQUAL(handle_close(copies[--count]), OK);
    EXPECT_EQUAL(handle_close(copies[--count]), OK);
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_GIVE, 0, 3, RIGHT_MAP_READ, &reply), ERR_NO_SPACE);
    EXPECT_EQUAL(ask_with(MESSAGE_PEER_GIVE, 0, 2, RIGHT_MAP_READ, &reply), OK);
    EXPECT_EQUAL(handle_close(message_page()->handle[0].handle), OK);
    EXPECT_EQUAL(handle_close(message_page()->handle[1].handle), OK);
    while (count > 0) {
        handle_close(copies[--count]);
    }
    end_memory(memory, word);
}
