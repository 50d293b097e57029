/* SPDX-License-Identifier: MIT */
/* Several threads make calls about the same memory at random: whatever they hit, the system stays whole. */
#include <stdatomic.h>
#include <string.h>

#include "user/lib/test.h"

#define AREA 0x3400000000UL
#define AREA_PAGES 2048U /* four megapages */
#define THREADS 4U
#define CALLS 800U
#define OBJECTS 6U
#define LAST_STATUS (-64)

static _Atomic handle_t objects[OBJECTS];

struct storm {
    struct thread thread;
    uint32_t state;
    unsigned strange; /* results that are no result */
};

static uint32_t next_random(struct storm *storm)
{
    storm->state = storm->state * 1664525U + 1013904223U;
    return storm->state >> 8;
}

static uint32_t below(struct storm *storm, uint32_t limit)
{
    return next_random(storm) % limit;
}

/* Mostly a good one. */
static char *some_address(struct storm *storm)
{
    static const uint32_t limits[] = {1, 4, 16, 16, AREA_PAGES};
    uint64_t page = below(storm, limits[below(storm, 5)]);

    switch (below(storm, 50)) {
    case 0:
        return (char *)(USER_TOP + below(storm, 3) * PAGE_BYTES);
    case 1:
        return (char *)(AREA + page * PAGE_BYTES + 1 + below(storm, 4000));
    default:
        return (char *)(AREA + page * PAGE_BYTES);
    }
}

static size_t some_bytes(struct storm *storm)
{
    switch (below(storm, 12)) {
    case 0:
        return 2UL << 20;
    case 1:
        return below(storm, 1024) * PAGE_BYTES;
    case 2:
        return ~0UL - below(storm, 9000);
    default:
        return (1 + below(storm, 4)) * PAGE_BYTES;
    }
}

static uint64_t some_protection(struct storm *storm)
{
    static const uint64_t values[] = {
        PROTECT_READ, PROTECT_READ | PROTECT_WRITE,    PROTECT_WRITE, PROTECT_EXECUTE,
        PROTECT_NONE, PROTECT_WRITE | PROTECT_EXECUTE, 0x40};

    return values[below(storm, sizeof(values) / sizeof(values[0]))];
}

static _Atomic handle_t *some_object(struct storm *storm)
{
    return &objects[below(storm, OBJECTS)];
}

static int64_t keep(struct storm *storm, int64_t handle)
{
    if (handle > 0) {
        handle_t old = atomic_exchange(some_object(storm), (handle_t)handle);

        if (old != HANDLE_NONE) {
            return handle_close(old);
        }
    }
    return handle;
}

static int64_t call(struct storm *storm)
{
    handle_t object = *some_object(storm);
    uint64_t offset = below(storm, 3) == 0 ? below(storm, 600) * PAGE_BYTES : 0;

    switch (below(storm, 11)) {
    case 0:
        return keep(
            storm, memory_create(below(storm, 3) == 0 ? 2UL << 20 : some_bytes(storm) % (8UL << 20),
                                 below(storm, 3)));
    case 1:
    case 2:
        return memory_map_object(some_address(storm), some_bytes(storm),
                                 some_protection(storm) |
                                     (below(storm, 2) == 0 ? MEMORY_POPULATE : 0UL) |
                                     (below(storm, 4) == 0 ? MEMORY_GUARDED : 0UL),
                                 object, offset, 0);
    case 3:
        return memory_map(some_address(storm), some_bytes(storm) % (4UL << 20),
                          some_protection(storm));
    case 4:
    case 5:
        return memory_unmap(some_address(storm), some_bytes(storm));
    case 6:
        return memory_protect(some_address(storm), some_bytes(storm), some_protection(storm));
    case 7:
        return keep(storm, memory_clone(object));
    case 8:
        return memory_pin(object, offset, some_bytes(storm));
    case 9:
        return memory_unpin(object, offset, some_bytes(storm));
    default:
        return memory_info(object,
                           (struct memory_info *)(some_address(storm) + below(storm, 4096)));
    }
}

static int run_storm(void *argument)
{
    struct storm *storm = argument;

    for (unsigned i = 0; i < CALLS; i++) {
        int64_t status = call(storm);

        storm->strange += status < LAST_STATUS;
        if (i % 256 == 0) {
            thread_migrate(below(storm, 8));
        }
    }
    return 0;
}

/* A pager that answers whatever comes to its mind. */
static void serve_storm(void *context, uint64_t badge, struct message *message)
{
    struct storm *storm = context;

    (void)badge;
    message->tag = MESSAGE_TAG(below(storm, 4) == 0 ? 1 : OK, below(storm, 3) == 0 ? 2 : 4);
    message->word[0] = below(storm, 3) == 0 ? HANDLE_NONE : *some_object(storm);
    message->word[1] = below(storm, 3) == 0 ? next_random(storm) : below(storm, 64) * PAGE_BYTES;
    message->word[2] = some_protection(storm);
    message->word[3] = below(storm, 3) == 0 ? some_bytes(storm) : 0;
}

static void clear_area(void)
{
    for (uint64_t page = 0; page < AREA_PAGES + 1024; page++) {
        memory_unmap((char *)AREA + page * PAGE_BYTES, PAGE_BYTES);
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        handle_close(atomic_exchange(&objects[i], HANDLE_NONE));
    }
}

TEST(user_memory_storm, random_calls_of_many_threads_break_nothing)
{
    static struct storm storms[THREADS];
    static struct storm liar = {.state = 99};
    handle_t pager;

    ASSERT_EQUAL(service_create(serve_storm, &liar, &pager), OK);
    ASSERT_EQUAL(domain_set_pager(program_own_domain(), pager), OK);
    for (unsigned i = 0; i < THREADS; i++) {
        storms[i].state = 7 + i;
        ASSERT_EQUAL(thread_start(&storms[i].thread, run_storm, &storms[i]), OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT_EQUAL(thread_join(&storms[i].thread), 0);
        EXPECT_EQUAL(storms[i].strange, 0);
    }
    EXPECT_EQUAL(domain_set_pager(program_own_domain(), HANDLE_NONE), OK);
    EXPECT_EQUAL(port_close(pager), OK);
    clear_area();
    int64_t again = memory_map((void *)AREA, AREA_PAGES * PAGE_BYTES, PROTECT_READ);

    EXPECT_EQUAL(again, (int64_t)AREA);
    EXPECT_EQUAL(memory_unmap((void *)AREA, AREA_PAGES * PAGE_BYTES), OK);
}
