/* SPDX-License-Identifier: MIT */
/*
 * Rows: calls to N ports in turn, calls to N domains in turn, and calls to a service in the kernel while so
 * many are there. The loop that goes round is not part of a figure; grow_loop says what it costs.
 */
#include "user/programs/bench/growth.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "services/echo/protocol.h"
#include "user/lib/baton.h"
#include "user/lib/glob.h"
#include "user/lib/stack_priv.h"
#include "user/programs/bench/measure.h"

#define PORTS_MOST 10000U
#define DOMAINS_MOST 1000U
#define START_NS 60000000000UL

/* Answers with no words. */
static void answer(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    service_reply(message, OK, 0);
}

SERVICE_ENTRY(answer_entry, answer)

static handle_t ports[PORTS_MOST];
static uint64_t loop_count; /* instructions of MEASURE_LOOPS turns without a call */
static const char *chosen;
static unsigned matched;

/* The next of `count` places, round and round. */
#define NEXT(at, count) ((at) + 1 == (count) ? 0 : (at) + 1)

static uint64_t empty_turns(unsigned count)
{
    unsigned at = 0;
    uint64_t start = measure_count();

    for (int turn = 0; turn < MEASURE_LOOPS; turn++) {
        __asm__ volatile("" ::"r"(ports[at]) : "memory");
        at = NEXT(at, count);
    }
    return measure_count() - start;
}

/* Calls each in turn; the instructions of MEASURE_LOOPS calls, without those of the loop. */
static uint64_t calls_in_turn(unsigned count, bool *failed)
{
    unsigned at = 0;
    uint64_t start = measure_count();

    for (int turn = 0; turn < MEASURE_LOOPS; turn++) {
        struct message message = {.tag = MESSAGE_TAG(ECHO_WORDS, 0)};

        *failed |= port_call(ports[at], &message) != OK;
        at = NEXT(at, count);
    }
    return measure_count() - start - loop_count;
}

/* Is there a row of this size or a larger one to measure? */
static bool is_wanted(const char *kind, unsigned size, unsigned most)
{
    bool wanted = false;

    for (; size <= most && !wanted; size *= 10) {
        char id[2][40];

        (void)snprintf(id[0], sizeof(id[0]), GROWTH_PREFIX "%s_%u", kind, size);
        (void)snprintf(id[1], sizeof(id[1]), GROWTH_PREFIX "kernel_%s_%u", kind, size);
        wanted = glob_match(chosen, id[0]) || glob_match(chosen, id[1]);
    }
    return wanted;
}

static void measure(const char *kind, unsigned size, unsigned count)
{
    char id[40];
    bool failed = false;
    uint64_t idles = 1;
    uint64_t total = 0;

    (void)snprintf(id, sizeof(id), GROWTH_PREFIX "%s_%u", kind, size);
    if (!glob_match(chosen, id)) {
        return;
    }
    matched++;
    (void)calls_in_turn(count, &failed); /* warm-up: each is called at least twice */
    for (int attempt = 0; idles != 0 && attempt < MEASURE_ATTEMPTS; attempt++) {
        idles = measure_idles();
        total = calls_in_turn(count, &failed);
        idles = measure_idles() - idles;
    }
    if (failed || idles != 0) {
        measure_fail(id, failed ? "a call failed" : "a core went idle");
        return;
    }
    total += MEASURE_LOOPS / 2;
    printf("bench %s %" PRIu64 " instructions\n", id, total / MEASURE_LOOPS);
}

/* The same for the service in the kernel, whose port takes the first place meanwhile. */
static void measure_kernel(const char *kind, unsigned size, handle_t kernel)
{
    handle_t first = ports[0];

    ports[0] = kernel;
    measure(kind, size, 1);
    ports[0] = first;
}

static void grow_ports(handle_t kernel)
{
    struct stack stack;
    unsigned made = 0;

    if (stack_alloc(&stack) != OK) {
        measure_fail("grow_ports", "no memory");
        return;
    }
    for (unsigned size = 1; is_wanted("ports", size, PORTS_MOST); size *= 10) {
        for (; made < size; made++) {
            int64_t handle = port_create(PORT_COMBINING, (const void *)(uintptr_t)answer_entry,
                                         (void *)stack.top, stack.tp, 0);

            if (handle < 0) {
                measure_fail("grow_ports", status_text(handle));
                return;
            }
            ports[made] = (handle_t)handle;
        }
        measure("ports", size, size);
        measure_kernel("kernel_ports", size, kernel);
    }
    for (unsigned i = 0; i < made; i++) {
        port_close(ports[i]);
    }
}

static status_t start_server(unsigned number, handle_t *port)
{
    char name[24];
    const char *argv[] = {"echo-server", name};
    struct program program;

    (void)snprintf(name, sizeof(name), "grow.%u", number);
    status_t status = program_start(argv[0], 2, argv, &program);

    if (status == OK) {
        status = lookup_wait(name, port, clock_ns() + START_NS);
        handle_close(program.domain);
    }
    return status;
}

static void grow_domains(handle_t kernel)
{
    unsigned made = 0;

    for (unsigned size = 1; is_wanted("domains", size, DOMAINS_MOST); size *= 10) {
        for (; made < size; made++) {
            status_t status = start_server(made, &ports[made]);

            if (status != OK) {
                measure_fail("grow_domains", status_text(status));
                return;
            }
        }
        measure("domains", size, size);
        measure_kernel("kernel_domains", size, kernel);
    }
}

unsigned bench_growth(const char *pattern)
{
    handle_t kernel;

    chosen = pattern;
    loop_count = empty_turns(PORTS_MOST);
    printf("bench grow_loop %" PRIu64 " instructions\n",
           (loop_count + MEASURE_LOOPS / 2) / MEASURE_LOOPS);
    if (lookup_find("echo", &kernel) != OK) {
        measure_fail("grow", "no echo in the kernel");
        return 1;
    }
    grow_ports(kernel);
    grow_domains(kernel);
    matched += bench_growth_signals(pattern);
    return matched + bench_growth_names(pattern);
}
