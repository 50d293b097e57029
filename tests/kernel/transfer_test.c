/* SPDX-License-Identifier: MIT */
/* Moving what a message has beyond registers, between messages in the kernel and tables of handles. */
#include "ipc/transfer.h"

#include <string.h>

#include "kernel/object/handle.h"
#include "mm/memory.h"
#include "sched/domain.h"
#include "tests/kernel/ports.h"
#include "tests/test.h"

static struct message_page page;
static struct message_buffer letter;

/* A port with a handle in the kernel's own table. */
static handle_t open(struct port *port, rights_t rights, uint64_t badge)
{
    handle_t handle = HANDLE_NONE;

    EXPECT_OK(handle_open(&kernel_domain.handles, &port->object, rights, badge, &handle));
    return handle;
}

/* As a letter is sent: from a page to a buffer that waits. */
static status_t post(uint64_t tag)
{
    struct side from = {.domain = &kernel_domain, .page = &page};
    struct side to = {.buffer = &letter};
    struct transfer transfer;
    status_t status = transfer_begin(&transfer, &from, tag);

    if (status == OK) {
        status = transfer_deliver(&transfer, &from, &to);
        transfer_end(&transfer);
    }
    return status;
}

/* And received. */
static status_t take(uint64_t tag)
{
    struct side from = {.buffer = &letter};
    struct side to = {.domain = &kernel_domain, .page = &page};
    struct transfer transfer;
    status_t status = transfer_begin(&transfer, &from, tag);

    if (status == OK) {
        status = transfer_deliver(&transfer, &from, &to);
        transfer_end(&transfer);
    }
    return status;
}

TEST(transfer, a_letter_keeps_words_and_objects_until_it_is_received)
{
    uint64_t tag = MESSAGE_TAG_LONG(1, 64, 2, 0);
    struct port *port = ports_make_mailbox();
    handle_t handle = open(port, RIGHT_SEND | RIGHT_TRANSFER, 5);
    uint32_t references = port->object.references;
    struct object *object;
    uint64_t badge;

    memset(&letter, 0, sizeof(letter));
    for (uint64_t i = 0; i < MAX_MESSAGE_WORDS; i++) {
        page.word[i] = i * i;
    }
    page.handle[0] = page.handle[1] =
        (struct message_handle){.handle = handle, .rights = RIGHT_SEND};
    ASSERT_OK(post(tag));
    EXPECT_EQ(port->object.references, references + 2);
    EXPECT_OK(handle_close(&kernel_domain.handles, handle));
    memset(&page, 0, sizeof(page));
    ASSERT_OK(take(tag));
    for (uint64_t i = MESSAGE_REGISTER_WORDS; i < MAX_MESSAGE_WORDS; i++) {
        EXPECT_EQ(page.word[i], i * i);
    }
    EXPECT_EQ(page.handle[1].kind, OBJECT_PORT);
    ASSERT_OK(handle_get(&kernel_domain.handles, page.handle[1].handle, OBJECT_PORT, RIGHT_SEND,
                         &object, &badge));
    EXPECT_TRUE(object == &port->object && badge == 5);
    object_release(object);
    EXPECT_EQ(handle_get(&kernel_domain.handles, page.handle[1].handle, OBJECT_PORT, RIGHT_TRANSFER,
                         &object, &badge),
              ERR_NO_RIGHT);
    message_buffer_drop(&letter);
    EXPECT_OK(handle_close(&kernel_domain.handles, page.handle[0].handle));
    EXPECT_OK(handle_close(&kernel_domain.handles, page.handle[1].handle));
    ports_close(port);
}

TEST(transfer, what_cannot_be_sent_leaves_nothing_behind)
{
    struct port *port = ports_make_mailbox();
    handle_t good = open(port, RIGHT_SEND | RIGHT_TRANSFER, 0);
    handle_t bad = open(port, RIGHT_SEND, 0);
    uint32_t references = port->object.references;
    struct side nowhere = {.domain = &kernel_domain};
    struct transfer transfer;

    page.handle[0] = (struct message_handle){.handle = good, .rights = RIGHT_SEND};
    page.handle[1] = (struct message_handle){.handle = good, .rights = RIGHT_SEND | RIGHT_CALL};
    page.handle[2] = (struct message_handle){.handle = bad, .rights = RIGHT_SEND};
    EXPECT_EQ(post(MESSAGE_TAG_LONG(1, 0, 2, 0)), ERR_NO_RIGHT);
    page.handle[1] = page.handle[2];
    EXPECT_EQ(post(MESSAGE_TAG_LONG(1, 0, 2, 0)), ERR_NO_RIGHT);
    EXPECT_EQ(post(MESSAGE_TAG(1, 65)), ERR_INVALID);
    EXPECT_EQ(post(MESSAGE_TAG_LONG(1, 0, 5, 0)), ERR_INVALID);
    EXPECT_EQ(transfer_begin(&transfer, &nowhere, MESSAGE_TAG(1, 5)), ERR_INVALID);
    EXPECT_EQ(port->object.references, references);
    EXPECT_OK(handle_close(&kernel_domain.handles, good));
    EXPECT_OK(handle_close(&kernel_domain.handles, bad));
    ports_close(port);
}

TEST(transfer, what_was_not_seen_is_taken_back)
{
    struct port *port = ports_make_mailbox();
    handle_t handle = open(port, RIGHT_SEND | RIGHT_TRANSFER, 0);
    struct side side = {.domain = &kernel_domain, .page = &page};
    uint32_t count = handle_count(&kernel_domain.handles);
    struct transfer transfer;

    page.handle[0] = page.handle[1] =
        (struct message_handle){.handle = handle, .rights = RIGHT_SEND};
    ASSERT_OK(transfer_begin(&transfer, &side, MESSAGE_TAG_LONG(1, 0, 2, 0)));
    ASSERT_OK(transfer_deliver(&transfer, &side, &side));
    transfer_end(&transfer);
    EXPECT_EQ(handle_count(&kernel_domain.handles), count + 2);
    transfer_undo(&transfer, &side);
    EXPECT_EQ(handle_count(&kernel_domain.handles), count);
    EXPECT_OK(handle_close(&kernel_domain.handles, handle));
    ports_close(port);
}
