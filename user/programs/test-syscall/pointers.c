/* SPDX-License-Identifier: MIT */
/* Each system call and service that takes an address, with addresses that are not the caller's. */
#include <string.h>

#include "services/archive/protocol.h"
#include "services/console/protocol.h"
#include "services/echo/protocol.h"
#include "services/lookup/protocol.h"
#include "services/monitor/protocol.h"
#include "services/procmgr/protocol.h"
#include "user/lib/test.h"

/* Kernel image, direct map, device registers, the hole, just below the top, null, wrapping. */
static const uint64_t bad_addresses[] = {
    0xffffffff80200000UL,
    0xffffffc080000000UL,
    0xfffffff800000000UL,
    USER_TOP,
    USER_TOP - 8,
    0,
    8,
    ~0UL - 15,
    1UL << 63,
};

#define BAD_ADDRESSES (sizeof(bad_addresses) / sizeof(bad_addresses[0]))
#define BAD_BYTES 16UL

/* One call to a named service; a missing service fails the test. */
static status_t ask(const char *name, struct message message)
{
    handle_t port;
    status_t status = lookup_find(name, &port);

    EXPECT_EQUAL(status, OK);
    if (status == OK) {
        status = port_request(port, &message);
        handle_close(port);
    }
    return status;
}

TEST(user_syscall, debug_write_refuses_bad_addresses)
{
    for (unsigned i = 0; i < BAD_ADDRESSES; i++) {
        EXPECT_EQUAL(debug_write((const void *)bad_addresses[i], BAD_BYTES), ERR_FAULT);
    }
}

TEST(user_syscall, debug_write_refuses_overflowing_lengths)
{
    static const char text[] = "text";

    EXPECT(debug_write(text, ~0UL) < 0);
    EXPECT(debug_write(text, 1UL << 63) < 0);
    EXPECT(debug_write(text, -(uintptr_t)text) < 0);
    EXPECT_EQUAL(debug_write(text, 0), OK);
}

TEST(user_syscall, debug_write_refuses_a_range_that_ends_outside)
{
    char *page = (char *)memory_map(NULL, PAGE_BYTES, PROTECT_READ | PROTECT_WRITE);

    ASSERT((int64_t)page > 0);
    EXPECT_EQUAL(debug_write(page + PAGE_BYTES - 8, BAD_BYTES), ERR_FAULT);
    EXPECT_EQUAL(debug_write(page - 8, BAD_BYTES), ERR_FAULT);
    EXPECT_EQUAL(memory_unmap(page, PAGE_BYTES), OK);
}

TEST(user_syscall, port_create_refuses_bad_addresses)
{
    static char stack[256] __attribute__((aligned(16)));
    const void *entry = (const void *)(uintptr_t)ask;

    for (unsigned i = 0; i < 4; i++) {
        void *bad = (void *)(bad_addresses[i] + (bad_addresses[i] == USER_TOP ? 16 : 0));

        EXPECT_EQUAL(port_create(PORT_EXCLUSIVE, bad, stack + 256, stack, 0), ERR_INVALID);
        EXPECT_EQUAL(port_create(PORT_EXCLUSIVE, entry, bad, stack, 0), ERR_INVALID);
    }
    EXPECT_EQUAL(port_create(PORT_EXCLUSIVE, entry, stack + 8, stack, 0), ERR_INVALID);
}

TEST(user_syscall, console_refuses_bad_addresses)
{
    for (unsigned i = 0; i < BAD_ADDRESSES; i++) {
        struct message message = {
            .tag = MESSAGE_TAG(CONSOLE_WRITE, 2),
            .word = {bad_addresses[i], BAD_BYTES},
        };

        EXPECT_EQUAL(ask("console", message), ERR_FAULT);
    }
}

TEST(user_syscall, lookup_refuses_bad_addresses)
{
    for (unsigned i = 0; i < BAD_ADDRESSES; i++) {
        struct message find = {
            .tag = MESSAGE_TAG(LOOKUP_FIND, 2),
            .word = {bad_addresses[i], BAD_BYTES},
        };
        struct message list = {
            .tag = MESSAGE_TAG(LOOKUP_LIST, 4),
            .word = {bad_addresses[i], 1},
        };
        struct message list_after = {
            .tag = MESSAGE_TAG(LOOKUP_LIST, 4),
            .word = {0, 0, bad_addresses[i], BAD_BYTES},
        };

        EXPECT_EQUAL(port_request(program_lookup_port(), &find), ERR_FAULT);
        EXPECT_EQUAL(port_request(program_lookup_port(), &list), ERR_FAULT);
        EXPECT_EQUAL(port_request(program_lookup_port(), &list_after), ERR_FAULT);
    }
}

TEST(user_syscall, lookup_refuses_bad_names)
{
    static char name[MAX_NAME_BYTES + 2];
    static const uint64_t lengths[] = {0, MAX_NAME_BYTES + 1, 1UL << 32, ~0UL};

    memset(name, 'x', MAX_NAME_BYTES + 1);
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct message find = {
            .tag = MESSAGE_TAG(LOOKUP_FIND, 2),
            .word = {(uintptr_t)name, lengths[i]},
        };

        EXPECT_EQUAL(port_request(program_lookup_port(), &find), ERR_INVALID);
    }
}

TEST(user_syscall, archive_refuses_bad_addresses)
{
    for (unsigned i = 0; i < BAD_ADDRESSES; i++) {
        struct archive_read read = {
            .name_address = (uintptr_t) "manifest",
            .name_bytes = 8,
            .buffer_address = bad_addresses[i],
            .buffer_bytes = BAD_BYTES,
        };
        struct message whole = {.tag = MESSAGE_TAG(ARCHIVE_READ, 1), .word = {bad_addresses[i]}};
        struct message buffer = {.tag = MESSAGE_TAG(ARCHIVE_READ, 1), .word = {(uintptr_t)&read}};
        struct message size = {
            .tag = MESSAGE_TAG(ARCHIVE_SIZE, 2),
            .word = {bad_addresses[i], 8},
        };

        EXPECT_EQUAL(ask("archive", whole), ERR_FAULT);
        EXPECT_EQUAL(ask("archive", buffer), ERR_FAULT);
        EXPECT_EQUAL(ask("archive", size), ERR_FAULT);
    }
}

TEST(user_syscall, procmgr_refuses_bad_addresses)
{
    for (unsigned i = 0; i < BAD_ADDRESSES; i++) {
        struct procmgr_start start = {.name_address = bad_addresses[i], .name_bytes = 5};
        struct procmgr_start arguments = {
            .name_address = (uintptr_t) "hello",
            .name_bytes = 5,
            .argument_address = bad_addresses[i],
            .argument_bytes = BAD_BYTES,
            .argument_count = 1,
        };
        struct message whole = {.tag = MESSAGE_TAG(PROCMGR_START, 1), .word = {bad_addresses[i]}};
        struct message name = {.tag = MESSAGE_TAG(PROCMGR_START, 1), .word = {(uintptr_t)&start}};
        struct message list = {
            .tag = MESSAGE_TAG(PROCMGR_START, 1),
            .word = {(uintptr_t)&arguments},
        };

        EXPECT_EQUAL(ask("procmgr", whole), ERR_FAULT);
        EXPECT_EQUAL(ask("procmgr", name), ERR_FAULT);
        EXPECT_EQUAL(ask("procmgr", list), ERR_FAULT);
    }
}

TEST(user_syscall, procmgr_refuses_bad_arguments)
{
    static const char text[] = "one\0two";
    struct procmgr_start start = {
        .name_address = (uintptr_t) "hello",
        .name_bytes = 5,
        .argument_address = (uintptr_t)text,
        .argument_bytes = sizeof(text),
    };
    struct message message = {.tag = MESSAGE_TAG(PROCMGR_START, 1), .word = {(uintptr_t)&start}};
    static const uint64_t counts[] = {0, 1, 3, MAX_ARGUMENTS + 1, ~0UL};

    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        start.argument_count = counts[i];
        EXPECT_EQUAL(ask("procmgr", message), ERR_INVALID);
    }
    start.argument_count = 2;
    start.argument_bytes = sizeof(text) - 1; /* the last one is not terminated */
    EXPECT_EQUAL(ask("procmgr", message), ERR_INVALID);
    start.argument_bytes = ~0UL;
    EXPECT_EQUAL(ask("procmgr", message), ERR_INVALID);
}

TEST(user_syscall, missing_program_is_not_found)
{
    struct program program;
    const char *const argv[] = {"no-such-program"};

    EXPECT_EQUAL(program_start(argv[0], 1, argv, &program), ERR_NOT_FOUND);
    EXPECT_EQUAL(program_start("manifest", 1, argv, &program), ERR_BAD_FORMAT);
}

static const uint32_t tables[] = {MONITOR_DOMAIN, MONITOR_THREAD,  MONITOR_PORT,  MONITOR_CORE,
                                  MONITOR_NODE,   MONITOR_ACCOUNT, MONITOR_NEXUS, MONITOR_CLASS};

TEST(user_syscall, monitor_refuses_bad_addresses)
{
    for (unsigned i = 0; i < BAD_ADDRESSES; i++) {
        for (unsigned table = 0; table < sizeof(tables) / sizeof(tables[0]); table++) {
            struct message message = {
                .tag = MESSAGE_TAG(tables[table], 3),
                .word = {0, bad_addresses[i], 4096},
            };

            EXPECT_EQUAL(ask("monitor", message), ERR_FAULT);
        }
    }
}

TEST(user_syscall, monitor_ends_every_table_and_refuses_short_buffers)
{
    char row[1024]; /* more than the longest of them */

    for (unsigned table = 0; table < sizeof(tables) / sizeof(tables[0]); table++) {
        EXPECT_EQUAL(monitor_read(tables[table], 0, row, sizeof(row)), OK);
        EXPECT_EQUAL(monitor_read(tables[table], 0, row, 8), ERR_INVALID);
        EXPECT_EQUAL(monitor_read(tables[table], 1UL << 20, row, sizeof(row)), ERR_NOT_FOUND);
        EXPECT_EQUAL(monitor_read(tables[table], 1UL << 32, row, sizeof(row)), ERR_NOT_FOUND);
        EXPECT_EQUAL(monitor_read(tables[table], ~0UL, row, sizeof(row)), ERR_NOT_FOUND);
    }
}

TEST(user_syscall, services_refuse_unknown_labels)
{
    /* Not console.input: the shell runs in it while it waits for a line. */
    static const char *const names[] = {"lookup",  "console", "archive",
                                        "procmgr", "monitor", "echo"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        EXPECT_EQUAL(ask(names[i], (struct message){.tag = MESSAGE_TAG(999, 0)}), ERR_UNKNOWN_CALL);
        EXPECT_EQUAL(ask(names[i], (struct message){.tag = MESSAGE_TAG(0, 0)}), ERR_UNKNOWN_CALL);
    }
}
