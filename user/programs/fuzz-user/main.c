/* SPDX-License-Identifier: MIT */
/*
 * Random system calls with random arguments: fuzz-user SEED CALLS.
 *
 * Three threads make the calls side by side: with handles that were opened here, that were closed, and that
 * never were; with addresses inside and outside of what is mapped; with lengths and moments at every edge.
 * All that blocks has a deadline soon. What would only end the program at once is drawn rarely.
 *
 * Ends with 0 after so many calls, 1 when a call gave back what no call may; or as the calls have it: a
 * thread killed, its own code unmapped. Prints nothing else: what must hold afterwards is that the machine
 * is as it was (tests/kernel/torture_fuzz.c).
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/abi/limits.h"
#include "user/lib/baton.h"

#define THREADS 3U
#define HANDLES 128U
#define WINDOW 0x3000000000UL /* of memory that is mapped and unmapped at random */
#define WINDOW_BYTES (1UL << 20)
#define STACK_BYTES 8192U
#define SOON_NS 100000UL
#define WILD 256U /* one argument of so many is drawn without regard to what it is for */

void raw_call(uint64_t registers[8]);
void raw_service(void);

/* What an argument is for. */
enum kind {
    ANY,
    HANDLE,
    ADDRESS,
    BYTES,
    DEADLINE, /* never without an end */
    SMALL,
    FLAGS,
    ENTRY, /* of a service */
    TAG,
    STACK, /* the top of one */
};

/* The arguments of each call; of one that is not here all are drawn at random, but none is 0, which may be
 * a deadline. */
static const uint8_t kinds[SYS_COUNT][8] = {
    [SYS_CALL] = {HANDLE, TAG, ANY, ANY, ANY, ANY, DEADLINE},
    [SYS_RETURN] = {ANY, TAG, ANY, ANY, ANY, ANY, DEADLINE},
    [SYS_SEND] = {HANDLE, TAG, ANY, ANY, ANY, ANY, DEADLINE},
    [SYS_RECEIVE] = {HANDLE, ANY, ANY, ANY, ANY, ANY, DEADLINE},
    [SYS_JOIN] = {HANDLE, DEADLINE},
    [SYS_THREAD_KILL] = {HANDLE},
    [SYS_THREAD_MIGRATE] = {SMALL},
    [SYS_SLEEP] = {DEADLINE},
    [SYS_PORT_CREATE] = {SMALL, ENTRY, STACK, ADDRESS, ANY},
    [SYS_PORT_CLOSE] = {HANDLE},
    [SYS_HANDLE_CLOSE] = {HANDLE},
    [SYS_HANDLE_DUPLICATE] = {HANDLE, FLAGS, SMALL},
    [SYS_MEMORY_MAP] = {ADDRESS, BYTES, FLAGS, HANDLE, BYTES, BYTES},
    [SYS_MEMORY_UNMAP] = {ADDRESS, BYTES},
    [SYS_MEMORY_CREATE] = {BYTES, SMALL},
    [SYS_MEMORY_PROTECT] = {ADDRESS, BYTES, FLAGS},
    [SYS_MEMORY_CLONE] = {HANDLE},
    [SYS_MEMORY_PIN] = {HANDLE, BYTES, BYTES},
    [SYS_MEMORY_UNPIN] = {HANDLE, BYTES, BYTES},
    [SYS_MEMORY_SLICE] = {HANDLE, BYTES, BYTES},
    [SYS_MEMORY_INFO] = {HANDLE, ADDRESS},
    [SYS_DOMAIN_SET_PAGER] = {HANDLE, HANDLE},
    [SYS_PORT_CREATE_CONCURRENT] = {ENTRY, ADDRESS, SMALL, ANY},
    [SYS_SIGNAL] = {HANDLE, ANY},
    [SYS_WAIT] = {HANDLE, ANY, DEADLINE},
    [SYS_PORT_BIND] = {HANDLE, HANDLE, ANY, SMALL},
    [SYS_MESSAGE_PAGE] = {ADDRESS},
    [SYS_REPLY_RECEIVE] = {HANDLE, TAG, ANY, ANY, ANY, ANY, DEADLINE},
    [SYS_REPLY] = {ANY, TAG, ANY, ANY, ANY, ANY},
    [SYS_INTERRUPT_BIND] = {HANDLE, HANDLE, SMALL},
    [SYS_INTERRUPT_ACKNOWLEDGE] = {HANDLE},
    [SYS_RESULT] = {HANDLE, DEADLINE, DEADLINE},
    [SYS_PORT_CONFIGURE] = {HANDLE, SMALL, SMALL, SMALL, SMALL},
    [SYS_HANDLE_REVOKE] = {HANDLE},
};

/* Not drawn: they end the program or a thread at once, write to the log, or start a thread anywhere (test-thread
 * and test-syscall do that); a real-time thread that only makes calls would starve the others. */
static bool is_left_out(uint64_t number)
{
    return number == SYS_THREAD_EXIT || number == SYS_DOMAIN_EXIT || number == SYS_DEBUG_WRITE ||
           number == SYS_THREAD_CREATE || number == SYS_THREAD_SET_PRIORITY;
}

/* Shared without a lock: whatever is read there is as good as any other number. */
static volatile uint64_t handles[HANDLES];
static volatile uint64_t wrong;
static uint64_t calls_each;
static uint32_t seed;
static _Alignas(16) char service_stacks[4][STACK_BYTES];

struct fuzzer {
    uint64_t state;
};

static uint64_t draw(struct fuzzer *self)
{
    /* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" */
    self->state ^= self->state >> 12;
    self->state ^= self->state << 25;
    self->state ^= self->state >> 27;
    return self->state * 0x2545f4914f6cdd1dUL;
}

static uint64_t draw_edge(struct fuzzer *self)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     PAGE_BYTES - 1,
                                     PAGE_BYTES,
                                     PAGE_BYTES + 1,
                                     2 * PAGE_BYTES,
                                     1UL << 16,
                                     1UL << 21,
                                     USER_BASE,
                                     USER_TOP - PAGE_BYTES,
                                     USER_TOP - 1,
                                     USER_TOP,
                                     1UL << 31,
                                     1UL << 32,
                                     1UL << 63,
                                     0xffffffc000000000UL,
                                     0xffffffff80000000UL,
                                     ~0UL - PAGE_BYTES + 1,
                                     ~0UL};

    return edges[draw(self) % (sizeof(edges) / sizeof(edges[0]))];
}

static uint64_t draw_handle(struct fuzzer *self)
{
    uint64_t handle = handles[draw(self) % HANDLES];

    return draw(self) % 16 == 0 ? handle + draw(self) % 3 * 65536 : handle;
}

static uint64_t draw_address(struct fuzzer *self)
{
    uint64_t address = WINDOW + draw(self) % WINDOW_BYTES;

    return draw(self) % 4 == 0 ? address : address / PAGE_BYTES * PAGE_BYTES;
}

static uint64_t draw_bytes(struct fuzzer *self)
{
    return draw(self) % 8 == 0 ? draw(self) % (WINDOW_BYTES * 2) : draw(self) % 32 * PAGE_BYTES;
}

static uint64_t draw_argument(struct fuzzer *self, enum kind kind)
{
    if (kind != DEADLINE && draw(self) % WILD == 0) {
        uint64_t value = draw(self) % 2 == 0 ? draw_edge(self) : draw(self) >> draw(self) % 64;

        /* There lies this program. */
        return kind == ADDRESS && value >= USER_BASE && value < WINDOW ? 0 : value;
    }
    switch (kind) {
    case HANDLE:
        return draw_handle(self);
    case ADDRESS:
        return draw_address(self);
    case BYTES:
        return draw_bytes(self);
    case DEADLINE:
        return draw(self) % 4 == 0 ? DEADLINE_NOW : (uint64_t)clock_ns() + 1 + draw(self) % SOON_NS;
    case SMALL:
        return draw(self) % 8;
    case FLAGS:
        return draw(self) % 2 == 0 ? draw(self) % 16 : draw(self) % 0x800;
    case ENTRY:
        return (uint64_t)(uintptr_t)raw_service;
    case TAG:
        return MESSAGE_TAG(draw(self) % 16, draw(self) % 6);
    case STACK:
        return (uint64_t)(uintptr_t)service_stacks[draw(self) % 4] + STACK_BYTES;
    default:
        return draw_handle(self) + (draw(self) >> draw(self) % 64);
    }
}

/* What came back of a call is a status, or no negative number. */
static bool is_allowed(uint64_t number, int64_t result)
{
    return result >= ERR_LAST && (number < SYS_COUNT || result == ERR_UNKNOWN_CALL);
}

static void make_call(struct fuzzer *self)
{
    uint64_t registers[8];
    uint64_t number = draw(self) % 64 == 0 ? draw_edge(self) : draw(self) % SYS_COUNT;
    bool is_known = number < SYS_COUNT;

    if (is_left_out(number)) {
        return;
    }
    for (unsigned i = 0; i < 7; i++) {
        enum kind kind = is_known ? kinds[number][i] : ANY;

        registers[i] = draw_argument(self, kind);
        if (kind == ANY && registers[i] == 0) {
            registers[i] = 1;
        }
    }
    registers[7] = number;
    raw_call(registers);
    if (!is_allowed(number, (int64_t)registers[0])) {
        printf("fuzz-user: call %lu gave %ld\n", number, (long)registers[0]);
        wrong = 1;
    }
    if ((int64_t)registers[0] > 65536 && is_known) {
        handles[draw(self) % HANDLES] = registers[0];
    }
}

static int fuzz(void *argument)
{
    struct fuzzer self = {(uint64_t)seed << 8 | (uint64_t)(uintptr_t)argument};

    for (uint64_t i = 0; i < calls_each; i++) {
        make_call(&self);
    }
    return 0;
}

/* What the calls begin with; the rest they make themselves. */
static void open_handles(void)
{
    handles[0] = program_lookup_port();
    handles[1] = program_own_domain();
    for (unsigned i = 2; i < 8; i++) {
        int64_t handle = i % 2 == 0 ? memory_create(i * PAGE_BYTES, MEMORY_ANONYMOUS)
                                    : port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);

        handles[i] = handle > 0 ? (uint64_t)handle : 0;
    }
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS];
    unsigned count = 0;

    seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    calls_each = (argc > 2 ? strtoul(argv[2], NULL, 10) : 30000) / THREADS;
    open_handles();
    while (count < THREADS &&
           thread_start(&threads[count], fuzz, (void *)(uintptr_t)(count + 1)) == OK) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        (void)thread_join(&threads[i]);
    }
    return wrong != 0;
}
