/* SPDX-License-Identifier: MIT */
/*
 * The row of two cores that wait for each other: a call of a mailbox whose thread is at home on another core,
 * which is idle.
 *
 * Kernel threads on both sides, each kept to its core, since a thread that may go elsewhere would come to its
 * caller's core. The figure is the time of a round trip, in nanoseconds of guest time, of which each
 * instruction takes one: while one core works the other one sleeps.
 */
#include "arch/timer.h"
#include "ipc/mailbox.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/print.h"
#include "sched/sched.h"
#include "tests/kernel/bench.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define CORES 2U
#define WARM_UP 100U

static void serve(void *port)
{
    struct delivery delivery = {.token = 0};
    struct message reply = {.tag = 0};

    while (mailbox_reply_receive(delivery.token, &reply, port, DEADLINE_NONE, &delivery) == OK) {
        reply = delivery.message;
    }
}

static void keep_to(struct thread *thread, cpu_t cpu)
{
    struct affinity affinity = {{0}};

    affinity_add(&affinity, cpu);
    BUG_ON(thread_set_affinity(thread, &affinity) != OK);
}

static void call_often(struct port *port, unsigned calls)
{
    for (unsigned i = 0; i < calls; i++) {
        struct message message = {.tag = MESSAGE_TAG(1, 4), .word = {i, 2, 3, 4}};

        BUG_ON(mailbox_call(port, 1, &message, DEADLINE_NONE) != OK || message.word[0] != i);
    }
}

void bench_xcore_mailbox(void)
{
    struct affinity all;
    struct thread *server;
    struct port *port;

    if (sched_online_count() != CORES) {
        return; /* tools/bench.py runs this row on two harts */
    }
    port = ports_make_mailbox();
    keep_to(thread_current(), 0);
    BUG_ON(thread_create_kernel("server", serve, port, &server) != OK);
    keep_to(server, 1);
    BUG_ON(thread_start(server, 1) != OK);
    call_often(port, WARM_UP);
    nsec_t start = timer_now_ns();

    call_often(port, BENCH_ROUNDS);
    bench_print_ns("xcore_mailbox_rt", timer_now_ns() - start);
    affinity_set_all(&all);
    BUG_ON(thread_set_affinity(thread_current(), &all) != OK);
    ports_close(port);
    BUG_ON(crew_join(server) != 0);
}
