/* SPDX-License-Identifier: MIT */
/*
 * Benchmarks inside the kernel, and starting those in user space.
 */
#include "tests/kernel/bench.h"

#include <string.h>

#include "arch/console.h"
#include "arch/core.h"
#include "arch/power.h"
#include "ipc/call.h"
#include "ipc/name.h"
#include "ipc/service.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/print.h"
#include "mm/nexus.h"
#include "sched/archive.h"
#include "sched/program.h"
#include "services/echo/echo.h"
#include "tests/plan.h"

#define WARM_UP 100
#define ROUNDS BENCH_ROUNDS
#define STACKED "echo.stacked" /* the user half knows it */
#define NO_ROW_MATCHES 2       /* what the user half ends with */

void bench_print(const char *id, uint64_t total, uint64_t empty)
{
    uint64_t hundredths = (total - empty) * 100 / ROUNDS;

    print("bench %s %lu.%02lu instructions\n", id, hundredths / 100, hundredths % 100);
}

void bench_print_bytes(const char *id, uint64_t bytes, uint64_t parts)
{
    uint64_t hundredths = (bytes * 100 + parts / 2) / parts;

    print("bench %s %lu.%02lu bytes\n", id, hundredths / 100, hundredths % 100);
}

void bench_print_ns(const char *id, nsec_t total)
{
    print("bench %s %lu ns\n", id, (total + ROUNDS / 2) / ROUNDS);
}

uint64_t bench_empty_loop(void)
{
    uint64_t start = bench_instructions();

    for (int i = 0; i < ROUNDS; i++) {
        __asm__ volatile("" ::: "memory");
    }
    return bench_instructions() - start;
}

/* The echo service once more, not as a leaf: with a stack and an activation of its own, as services have that may wait. */
static void stacked_serve(struct request *request)
{
    static struct echo echo;

    echo_handle(&echo, request->badge, request->message);
}

static status_t start_stacked(void)
{
    const struct port_attributes attributes = {.mode = PORT_MODE_KERNEL_SERVICE,
                                               .entry = (vaddr_t)stacked_serve};
    struct port *port;
    status_t status = port_create(&kernel_domain, &attributes, &port);

    if (status == OK) {
        status = name_register(STACKED, strlen(STACKED), port);
        object_release(&port->object);
    }
    return status;
}

/* Calls the service by turns, and prints the row. */
static void measure_call(const char *id, struct port *port)
{
    struct message message;
    uint64_t start = 0;
    uint64_t idles = core_current()->idles;
    status_t status = OK;

    for (int i = -WARM_UP; status == OK && i < ROUNDS; i++) {
        if (i == 0) {
            start = bench_instructions();
        }
        message.tag = MESSAGE_TAG(ECHO_WORDS, 4);
        status = call_port(port, 0, &message, DEADLINE_NONE);
    }
    if (status != OK) {
        print("# %s: status %ld\n", id, status);
    } else if (core_current()->idles != idles) {
        print("# %s: the core went idle, so there is no figure\n", id);
    } else {
        bench_print(id, bench_instructions() - start, bench_empty_loop());
    }
}

static void bench_call(const char *id, const char *service)
{
    struct port *port;
    status_t status = name_find(service, strlen(service), &port);

    if (status != OK) {
        print("# %s: status %ld\n", id, status);
        return;
    }
    measure_call(id, port);
    object_release(&port->object);
}

/* The service of call_stacked_from_kernel, with four slots. */
static void bench_call_concurrent(void)
{
    const struct port_attributes attributes = {
        .mode = PORT_MODE_KERNEL_SERVICE, .entry = (vaddr_t)stacked_serve, .runs = 4};
    struct port *port;
    status_t status = port_create(&kernel_domain, &attributes, &port);

    if (status != OK) {
        print("# call_concurrent_kernel: status %ld\n", status);
        return;
    }
    measure_call("call_concurrent_kernel", port);
    port_close(port, ERR_STALE);
    object_release(&port->object);
}

static void bench_call_kernel(void)
{
    bench_call("call_kernel_from_kernel", "echo");
}

static void bench_call_stacked(void)
{
    bench_call("call_stacked_from_kernel", STACKED);
}

static void bench_pages(void)
{
    uint64_t start = 0;
    uint64_t end;

    for (int i = -WARM_UP; i < ROUNDS; i++) {
        if (i == 0) {
            start = bench_instructions();
        }
        nexus_free_page(nexus_alloc_page());
    }
    end = bench_instructions();
    bench_print("page_alloc_free", end - start, bench_empty_loop());
}

bool bench_start_program(const char *name, const char *argument, struct domain **domain)
{
    char arguments[128];
    struct program_start start = {.name = name, .arguments = arguments, .may_register = "*"};
    struct port *lookup;
    const char *why = "not in the archive";
    status_t status = archive_find(name, &start.image, &start.image_bytes);

    if (status == OK) {
        status = name_find("lookup", 6, &lookup);
    }
    if (status == OK) {
        int length = format_string(arguments, sizeof(arguments), "%s%c%s", name, 0, argument);

        start.argument_bytes = (size_t)length + (argument[0] != '\0');
        start.grant = (struct program_grant){.object = &lookup->object, .rights = RIGHT_CALL};
        status = program_start(&start, domain, &why);
        object_release(&lookup->object);
    }
    if (status != OK) {
        print("# program %s: %s (status %ld)\n", name, why, status);
    }
    return status == OK;
}

/* Start the user half and wait for its end; its exit code. */
static long bench_run_program(const char *pattern)
{
    struct domain *domain;
    long code = 1;

    if (bench_start_program("bench", pattern, &domain)) {
        if (domain_join(domain, DEADLINE_NONE, &code) != OK) {
            code = 1;
        }
        object_release(&domain->object);
    }
    return code;
}

static const struct {
    const char *id;
    void (*run)(void);
} rows[] = {
    {"call_kernel_from_kernel", bench_call_kernel},
    {"page_alloc_free", bench_pages},
    {"spmalloc_64", bench_spmalloc_64},
    {"remote_free_pair", bench_remote_free_pair},
    {"timeout_arm_cancel", bench_timeout},
    {"timeout_arm_cancel_1k", bench_timeout_1k},
    {"timeout_arm_cancel_100k", bench_timeout_100k},
    {"timeout_arm_cancel_alone", bench_timeout_alone},
    {"realtime_choose", bench_realtime_choose},
    {"realtime_choose_10k", bench_realtime_choose_10k},
    {"frame_overhead", bench_frame_overhead},
    {"object_overhead_8", bench_object_overhead_8},
    {"object_overhead_64", bench_object_overhead_64},
    {"object_overhead_2048", bench_object_overhead_2048},
    /* Other cores are busy for a while with what these leave behind. */
    {"xcore_mailbox_rt", bench_xcore_mailbox},
    {"call_contended_2", bench_call_contended},
    {"call_contended_2_exclusive", bench_call_contended_exclusive},
    {"call_contended_2_apart", bench_call_contended_apart},
    {"call_contended_2_user", bench_call_contended_user},
    {"call_contended_2_user_exclusive", bench_call_contended_user_exclusive},
    {"call_stacked_from_kernel", bench_call_stacked},
    {"call_concurrent_kernel", bench_call_concurrent},
};

void bench_run(const char *pattern)
{
    bool matched = false;

    if (start_stacked() != OK) {
        print("# the service %s cannot start\n", STACKED);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (test_pattern_matches(pattern, rows[i].id)) {
            matched = true;
            rows[i].run();
        }
    }
    long code = bench_run_program(pattern);
    console_flush();
    power_exit(code == 0 || (code == NO_ROW_MATCHES && matched) ? 0 : 1);
}
