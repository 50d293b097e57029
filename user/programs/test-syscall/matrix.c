/* SPDX-License-Identifier: MIT */
/*
 * The matrix of rights: each system call, with each of its handles of each wrong kind, without each right that it
 * needs, closed, revoked, and with another handle in its slot.
 *
 * A new system call is one row in `rows`; without one `every_system_call_has_a_row` fails.
 */
#include <stdio.h>
#include <string.h>

#include "user/lib/test.h"

#define ARGUMENTS 7U
#define HANDLES 2U
#define KINDS (OBJECT_NOTIFICATION + 1U)
#define KIND(kind) (1U << (kind))
#define EVERY_KIND (~0U)

/* One handle argument. */
struct handle_argument {
    uint8_t at;     /* a0..a6 */
    uint32_t kinds; /* that are right; 0: there is no such argument */
    rights_t rights;
};

struct row {
    const char *name;
    struct handle_argument handle[HANDLES];
    uint64_t argument[ARGUMENTS]; /* the others, so that the call would go through */
    bool harmless;                /* so it is tried with just the rights that it needs */
};

#define PORT KIND(OBJECT_PORT)
#define THREAD KIND(OBJECT_THREAD)
#define DOMAIN KIND(OBJECT_DOMAIN)
#define MEMORY KIND(OBJECT_MEMORY)
#define NOTIFICATION KIND(OBJECT_NOTIFICATION)
#define NO_HANDLE(name_)                                                                           \
    {                                                                                              \
        .name = name_                                                                              \
    }

static const struct row rows[SYS_COUNT] = {
    [SYS_CALL] = {"call", {{0, PORT, RIGHT_CALL}}, {0}, false},
    [SYS_RETURN] = NO_HANDLE("return"),
    [SYS_REPLY_RECEIVE] = {"reply_receive", {{0, PORT, RIGHT_RECEIVE}}, {[6] = DEADLINE_NOW}, true},
    [SYS_SEND] = {"send", {{0, PORT, RIGHT_SEND}}, {[6] = DEADLINE_NOW}, false},
    [SYS_RECEIVE] = {"receive", {{0, PORT, RIGHT_RECEIVE}}, {[6] = DEADLINE_NOW}, true},
    [SYS_REPLY] = NO_HANDLE("reply"),
    [SYS_NULL] = NO_HANDLE("null"),
    [SYS_YIELD] = NO_HANDLE("yield"),
    [SYS_THREAD_CREATE] = NO_HANDLE("thread_create"),
    [SYS_THREAD_EXIT] = NO_HANDLE("thread_exit"),
    [SYS_JOIN] = {"join", {{0, THREAD | DOMAIN, RIGHT_WAIT}}, {[1] = DEADLINE_NOW}, true},
    [SYS_THREAD_KILL] = {"thread_kill", {{0, THREAD, RIGHT_MANAGE}}, {0}, false},
    [SYS_THREAD_MIGRATE] = NO_HANDLE("thread_migrate"),
    [SYS_THREAD_CORE] = NO_HANDLE("thread_core"),
    [SYS_SLEEP] = NO_HANDLE("sleep"),
    [SYS_DOMAIN_EXIT] = NO_HANDLE("domain_exit"),
    [SYS_PORT_CREATE] = NO_HANDLE("port_create"),
    [SYS_PORT_CLOSE] = {"port_close", {{0, PORT | NOTIFICATION, RIGHT_MANAGE}}, {0}, false},
    [SYS_HANDLE_CLOSE] = {"handle_close", {{0, EVERY_KIND, 0}}, {0}, false},
    [SYS_HANDLE_DUPLICATE] = {"handle_duplicate", {{0, EVERY_KIND, RIGHT_DUPLICATE}}, {0}, true},
    [SYS_MEMORY_MAP] = {"memory_map",
                        {{3, MEMORY, RIGHT_MAP_READ}},
                        {[1] = PAGE_BYTES, [2] = PROTECT_READ},
                        true},
    [SYS_MEMORY_UNMAP] = NO_HANDLE("memory_unmap"),
    [SYS_DEBUG_WRITE] = NO_HANDLE("debug_write"),
    [SYS_CLOCK] = NO_HANDLE("clock"),
    [SYS_MEMORY_CREATE] = NO_HANDLE("memory_create"),
    [SYS_MEMORY_PROTECT] = NO_HANDLE("memory_protect"),
    [SYS_MEMORY_CLONE] = {"memory_clone", {{0, MEMORY, RIGHT_MAP_READ}}, {0}, true},
    [SYS_MEMORY_PIN] = {"memory_pin", {{0, MEMORY, RIGHT_MAP_WRITE}}, {0}, true},
    [SYS_MEMORY_UNPIN] = {"memory_unpin", {{0, MEMORY, RIGHT_MAP_WRITE}}, {0}, true},
    [SYS_MEMORY_SLICE] = {"memory_slice", {{0, MEMORY, 0}}, {[2] = PAGE_BYTES}, true},
    [SYS_MEMORY_INFO] = {"memory_info", {{0, MEMORY, 0}}, {0}, true},
    [SYS_DOMAIN_SET_PAGER] = {"domain_set_pager",
                              {{0, DOMAIN, RIGHT_MANAGE}, {1, PORT, RIGHT_CALL}},
                              {0},
                              false},
    [SYS_PORT_CREATE_CONCURRENT] = NO_HANDLE("port_create_concurrent"),
    [SYS_THREAD_SET_PRIORITY] = {"thread_set_priority",
                                 {{0, THREAD, RIGHT_MANAGE}},
                                 {[1] = PRIORITY_SHARING},
                                 true},
    [SYS_MESSAGE_PAGE] = NO_HANDLE("message_page"),
    [SYS_NOTIFICATION_CREATE] = NO_HANDLE("notification_create"),
    [SYS_SIGNAL] = {"signal", {{0, NOTIFICATION, RIGHT_SEND}}, {[1] = 1}, true},
    [SYS_WAIT] = {"wait", {{0, NOTIFICATION, RIGHT_RECEIVE}}, {[2] = DEADLINE_NOW}, true},
    [SYS_PORT_BIND] = {"port_bind",
                       {{0, PORT, RIGHT_RECEIVE}, {1, NOTIFICATION, RIGHT_SEND}},
                       {[2] = 1},
                       true},
    /* Its notification in a1 is looked at only with all device memory in a3, which test programs do not have. */
    [SYS_INTERRUPT_BIND] = {"interrupt_bind", {{3, MEMORY, RIGHT_MANAGE}}, {[2] = 1}, true},
    [SYS_INTERRUPT_ACKNOWLEDGE] = {"interrupt_acknowledge",
                                   {{1, NOTIFICATION, RIGHT_RECEIVE}},
                                   {0},
                                   true},
    [SYS_RESULT] = NO_HANDLE("result"),
    [SYS_PORT_CONFIGURE] = {"port_configure", {{0, PORT, RIGHT_MANAGE}}, {0}, true},
    [SYS_HANDLE_REVOKE] = {"handle_revoke", {{0, EVERY_KIND, 0}}, {0}, true},
};

/* A handle of each kind with all rights that it can have and be copied with. */
static handle_t good[KINDS];
static const rights_t has[KINDS] = {
    [OBJECT_PORT] = RIGHTS_PORT,
    [OBJECT_THREAD] = RIGHT_WAIT | RIGHT_MANAGE | RIGHT_DUPLICATE,
    [OBJECT_DOMAIN] = RIGHT_WAIT | RIGHT_MANAGE | RIGHT_DUPLICATE,
    [OBJECT_MEMORY] = RIGHTS_MEMORY,
    [OBJECT_NOTIFICATION] = RIGHTS_NOTIFICATION,
};
static struct thread sleeper;
static struct program spinner;
static uint64_t go_on;

static int sleep_on(void *argument)
{
    (void)argument;
    while (__atomic_load_n(&go_on, __ATOMIC_RELAXED) != 0) { /* relaxed: only ends the loop */
        thread_sleep(clock_ns() + 1000000);
    }
    return 0;
}

static bool begin(void)
{
    static const char *const argv[] = {"spin"};

    go_on = 1;
    bool made = thread_start(&sleeper, sleep_on, NULL) == OK &&
                program_start(argv[0], 1, argv, &spinner) == OK;

    good[OBJECT_PORT] = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    good[OBJECT_THREAD] = sleeper.handle;
    good[OBJECT_DOMAIN] = spinner.domain;
    good[OBJECT_MEMORY] = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);
    good[OBJECT_NOTIFICATION] = (handle_t)notification_create();
    return made;
}

static void end(void)
{
    __atomic_store_n(&go_on, 0, __ATOMIC_RELAXED); /* relaxed: as in sleep_on */
    (void)thread_join(&sleeper);
    EXPECT_EQUAL(program_kill(spinner.id), OK);
    (void)program_wait(&spinner);
    EXPECT_EQUAL(port_close(good[OBJECT_PORT]), OK);
    EXPECT_EQUAL(handle_close(good[OBJECT_MEMORY]), OK);
    EXPECT_EQUAL(port_close(good[OBJECT_NOTIFICATION]), OK);
}

static int64_t raw(uint64_t number, const uint64_t argument[ARGUMENTS])
{
    register uint64_t a0 __asm__("a0") = argument[0];
    register uint64_t a1 __asm__("a1") = argument[1];
    register uint64_t a2 __asm__("a2") = argument[2];
    register uint64_t a3 __asm__("a3") = argument[3];
    register uint64_t a4 __asm__("a4") = argument[4];
    register uint64_t a5 __asm__("a5") = argument[5];
    register uint64_t a6 __asm__("a6") = argument[6];
    register uint64_t a7 __asm__("a7") = number;

    if (number == SYS_CALL) { /* which preserves less */
        struct message message = {.tag = 0};

        return port_call(argument[0], &message);
    }
    if (number == SYS_REPLY_RECEIVE) { /* likewise */
        struct delivery delivery = {.token = 0};

        return mailbox_reply_receive(argument[0], &delivery, argument[6]);
    }
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (int64_t)a0;
}

/* The call with `handle` as its argument number `which`, and a good one as the other. */
static int64_t call_with(uint64_t number, unsigned which, handle_t handle)
{
    const struct row *row = &rows[number];
    uint64_t argument[ARGUMENTS];

    memcpy(argument, row->argument, sizeof(argument));
    for (unsigned i = 0; i < HANDLES; i++) {
        if (row->handle[i].kinds != 0) {
            uint32_t kind = (uint32_t)__builtin_ctz(row->handle[i].kinds & ~1U);

            argument[row->handle[i].at] = i == which ? handle : good[kind];
        }
    }
    return raw(number, argument);
}

static void expect(uint64_t number, unsigned which, const char *what, handle_t handle,
                   int64_t wanted)
{
    int64_t status = call_with(number, which, handle);

    if (status != wanted) {
        printf("# %s, handle %u, %s\n", rows[number].name, which, what);
        EXPECT_EQUAL(status, wanted);
    }
}

/* Handles that name nothing any more, or never did. */
static void check_dead(uint64_t number, unsigned which, uint32_t kind)
{
    handle_t copy = (handle_t)handle_duplicate(good[kind], has[kind], 0);

    EXPECT_EQUAL(handle_close(copy), OK);
    expect(number, which, "closed", copy, ERR_BAD_HANDLE);
    handle_t successor = (handle_t)handle_duplicate(good[kind], has[kind], 0);
    EXPECT_EQUAL(successor & 0xffff, copy & 0xffff);
    expect(number, which, "whose slot is used again", copy, ERR_BAD_HANDLE);
    EXPECT_EQUAL(handle_revoke(good[kind]), OK);
    expect(number, which, "revoked", successor, ERR_BAD_HANDLE);
    expect(number, which, "never made", ~0UL, ERR_BAD_HANDLE);
    expect(number, which, "of a slot out of the table", good[kind] ^ 0x8000, ERR_BAD_HANDLE);
}

static void check_rights(uint64_t number, unsigned which, uint32_t kind)
{
    const struct handle_argument *argument = &rows[number].handle[which];

    for (rights_t right = 1; right <= RIGHTS_ALL; right <<= 1) {
        if ((argument->rights & right) != 0) {
            handle_t weak = (handle_t)handle_duplicate(good[kind], has[kind] & ~right, 0);

            expect(number, which, "without a right that it needs", weak, ERR_NO_RIGHT);
            EXPECT_EQUAL(handle_close(weak), OK);
        }
    }
    if (rows[number].harmless) {
        handle_t enough = (handle_t)handle_duplicate(good[kind], argument->rights, 0);
        int64_t status = call_with(number, which, enough);

        if (status == ERR_BAD_HANDLE || status == ERR_WRONG_TYPE || status == ERR_NO_RIGHT) {
            printf("# %s, handle %u, with just its rights\n", rows[number].name, which);
            EXPECT_EQUAL(status, OK);
        }
        (void)handle_close(enough);
    }
}

static void check_handle(uint64_t number, unsigned which)
{
    const struct handle_argument *argument = &rows[number].handle[which];

    for (uint32_t kind = OBJECT_PORT; kind < KINDS; kind++) {
        if ((argument->kinds & KIND(kind)) == 0) {
            expect(number, which, "of a wrong kind", good[kind], ERR_WRONG_TYPE);
        } else {
            check_rights(number, which, kind);
            check_dead(number, which, kind);
        }
    }
}

TEST(user_matrix, every_handle_of_every_call_is_checked)
{
    ASSERT(begin());
    for (uint64_t number = 0; number < SYS_COUNT; number++) {
        for (unsigned i = 0; i < HANDLES; i++) {
            if (rows[number].handle[i].kinds != 0) {
                check_handle(number, i);
            }
        }
    }
    end();
}

TEST(user_matrix, every_system_call_has_a_row)
{
    static const uint64_t nothing[ARGUMENTS];

    for (uint64_t number = 0; number < SYS_COUNT; number++) {
        if (rows[number].name == NULL && raw(number, nothing) != ERR_UNKNOWN_CALL) {
            printf("# system call %u has no row in matrix.c\n", (unsigned)number);
            EXPECT(false);
        }
    }
}
