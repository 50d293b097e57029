/* SPDX-License-Identifier: MIT */
/* Callers that leave services of the kernel while these still run for them. */
#include "ipc/split.h"

#include <string.h>

#include "arch/layout.h"
#include "arch/platform.h"
#include "ipc/name.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "mm/fail.h"
#include "sched/archive.h"
#include "sched/program.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define NAME "test.split"
#define AT_ONCE_NS 5000000000UL /* or the test hangs; a wait that is not to be */

/* What the service sees of the one that asked, after it was let go. */
static struct {
    struct ports_stop stop;
    status_t stopped; /* by what its wait ended */
    status_t copied;  /* the caller's memory */
    unsigned depth;
    bool is_orphan;
} seen;

static void stop_and_look(struct request *request)
{
    uint64_t word;

    seen.stopped = ports_stop(&seen.stop);
    seen.copied = request_copy_in(request, &word, request->message->word[0], sizeof(word));
    seen.depth = activation_depth(activation_current());
    seen.is_orphan = thread_current()->identity == NULL;
    request_reply(request, OK, 0);
}

#define START_CLIENT(arguments) ports_start_peer(arguments, sizeof(arguments))

static struct port *start_service(void)
{
    struct port *port = ports_make_service(stop_and_look, NULL);

    memset(&seen, 0, sizeof(seen));
    EXPECT_OK(name_register(NAME, strlen(NAME), port));
    return port;
}

static void end_service(struct port *port)
{
    EXPECT_OK(name_unregister(NAME, strlen(NAME), &kernel_domain));
    ports_close(port);
}

/* The run that was left goes on as if nothing had been, and the memory goes when it is over. */
static void expect_run_ends(struct domain *domain)
{
    ports_let_go(&seen.stop);
    /* acquire: its memory is gone; pairs with the release in domain_finish */
    EXPECT_SOON(atomic_load_acquire(&domain->state) == DOMAIN_DEAD);
    EXPECT_OK(seen.stopped);
    EXPECT_OK(seen.copied);
    EXPECT_EQ(seen.depth, 1);
    EXPECT_TRUE(seen.is_orphan);
    EXPECT_EQ(domain->orphan_count, 0);
    object_release(&domain->object);
}

TEST(split, a_killed_domain_has_ended_although_a_service_still_works_for_it)
{
    struct port *port = start_service();
    struct domain *domain = START_CLIENT("call-peer\0-\0" NAME "\0ask");
    long code = -1;

    if (domain != NULL) {
        EXPECT_SOON(ports_is_stopped(&seen.stop));
        domain_kill(domain, EXIT_KILLED);
        EXPECT_OK(domain_join(domain, timer_now_ns() + AT_ONCE_NS, &code));
        EXPECT_EQ(code, EXIT_KILLED);
        EXPECT_TRUE(ports_is_stopped(&seen.stop));
        EXPECT_EQ(domain->orphan_count, 1);
        EXPECT_TRUE(domain->vspace != NULL);
        domain_kill(domain, EXIT_KILLED); /* does not reach the orphan */
        EXPECT_TRUE(ports_is_stopped(&seen.stop));
        expect_run_ends(domain);
    }
    end_service(port);
}

TEST(split, a_deadline_ends_the_call_of_a_service_that_sleeps)
{
    struct port *port = start_service();
    struct domain *domain = START_CLIENT("call-peer\0-\0" NAME "\0ask\0"
                                         "5");
    uint64_t word = 0;
    long code = -1;

    if (domain != NULL) {
        EXPECT_OK(domain_join(domain, timer_now_ns() + AT_ONCE_NS, &code));
        EXPECT_EQ(code, -ERR_TIMED_OUT);
        EXPECT_SOON(ports_is_stopped(&seen.stop));
        EXPECT_EQ(ports_call(port, 1, &word, timer_now_ns() + 1000000), ERR_TIMED_OUT);
        expect_run_ends(domain);
    }
    end_service(port);
}

/* Handles to a thread mean who goes on, not who was left. */
TEST(split, who_was_left_does_not_get_a_priority)
{
    struct port *port = start_service();
    struct domain *domain = START_CLIENT("call-peer\0-\0" NAME "\0ask\0"
                                         "5");
    long code = -1;

    if (domain != NULL) {
        EXPECT_OK(domain_join(domain, timer_now_ns() + AT_ONCE_NS, &code));
        EXPECT_SOON(ports_is_stopped(&seen.stop));
        EXPECT_OK(thread_set_priority(seen.stop.thread, 3));
        EXPECT_EQ(thread_priority(seen.stop.thread), PRIORITY_SHARING);
        expect_run_ends(domain);
    }
    end_service(port);
}

/* The order is not lost when there is no memory for the heir: not when the service is woken, nor when it is about to
 * wait again. After that only the time brings it back. */
TEST(split, is_tried_again_when_there_was_no_memory)
{
    struct port *port = start_service();
    struct domain *domain = START_CLIENT("call-peer\0-\0" NAME "\0ask");
    long code = -1;

    if (domain != NULL) {
        EXPECT_SOON(ports_is_stopped(&seen.stop));
        fail_next_allocations(2);
        domain_kill(domain, EXIT_KILLED);
        EXPECT_SOON(!fail_is_pending());
        fail_next_allocations(0);
        EXPECT_OK(domain_join(domain, timer_now_ns() + AT_ONCE_NS, &code));
        EXPECT_TRUE(ports_is_stopped(&seen.stop));
        expect_run_ends(domain);
    }
    end_service(port);
}

/* Says always that the access is to be tried again; the first one waits. */
static void try_again(struct request *request)
{
    if (seen.stop.reached == 1) {
        seen.stopped = ports_stop(&seen.stop);
    }
    *request->message = (struct message){.tag = MESSAGE_TAG(OK, 4)};
}

TEST(split, who_was_left_asks_no_pager_again)
{
    struct port *port = start_service();
    struct port *pager = ports_make_service(try_again, NULL);
    struct domain *domain = START_CLIENT("call-peer\0-\0" NAME "\0write");
    long code = -1;

    if (domain != NULL) {
        EXPECT_SOON(ports_is_stopped(&seen.stop));
        object_retain(&pager->object);
        domain->vspace->pager = &pager->object;
        ports_let_go(&seen.stop);
        EXPECT_SOON(seen.stop.reached == 2 && ports_is_stopped(&seen.stop));
        domain_kill(domain, EXIT_KILLED);
        EXPECT_OK(domain_join(domain, timer_now_ns() + AT_ONCE_NS, &code));
        ports_let_go(&seen.stop);
        /* acquire: its memory is gone; pairs with the release in domain_finish */
        EXPECT_SOON(atomic_load_acquire(&domain->state) == DOMAIN_DEAD);
        EXPECT_EQ(pager->calls, 1);
        object_release(&domain->object);
    }
    ports_close(pager);
    end_service(port);
}

#define ROUNDS 20U

TEST(split, many_come_and_go_on_all_cores)
{
    struct port *port = start_service();

    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct domain *domain = START_CLIENT("call-peer\0-\0" NAME "\0ask");
        long code = -1;

        if (domain == NULL) {
            break;
        }
        EXPECT_OK(sched_migrate(round % sched_online_count()));
        EXPECT_SOON(ports_is_stopped(&seen.stop));
        domain_kill(domain, EXIT_KILLED);
        EXPECT_OK(domain_join(domain, timer_now_ns() + AT_ONCE_NS, &code));
        expect_run_ends(domain);
    }
    end_service(port);
}
