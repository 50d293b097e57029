/* SPDX-License-Identifier: MIT */
/* Prints the figures of the system calls and calls, a row each; the first argument chooses rows by a pattern. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "services/echo/protocol.h"
#include "user/lib/baton.h"
#include "user/lib/glob.h"
#include "user/programs/bench/growth.h"
#include "user/programs/bench/measure.h"
#include "user/programs/bench/memory.h"
#include "user/programs/bench/pager.h"
#include "user/programs/bench/signal.h"
#include "user/programs/mailbox-server/protocol.h"

_Static_assert((int)ECHO_WORDS == (int)MAILBOX_ECHO, "measure_call asks either");

#define START_NS 10000000000UL

static void null_entry(const char *id)
{
    MEASURE(id, 1, system_null());
}

/* A call whose words are made for it and whose reply words are not kept, as in the peer's loop. */
static inline status_t send_fresh(handle_t port, uint64_t tag)
{
    struct message message = {.tag = tag, .word = {1, 2, 3, 4}};

    return port_call(port, &message);
}

/* One row of calls with an echo service; the replies are checked once. */
static void measure_call(const char *id, handle_t port, unsigned words)
{
    struct message message = {.tag = MESSAGE_TAG(ECHO_WORDS, words), .word = {1, 2, 3, 4}};
    status_t status = port_request(port, &message);
    uint64_t tag = MESSAGE_TAG(ECHO_WORDS, words);
    bool failed = false;

    if (status != OK || message_words(message.tag) != words || message.word[0] != 1) {
        measure_fail(id, status_text(status));
        return;
    }
    MEASURE(
        id, 1, if (send_fresh(port, tag) != OK) { failed = true; });
    if (failed) {
        measure_fail(id, "a call failed");
    }
}

static void call_in_kernel(const char *id, const char *name)
{
    handle_t port;
    status_t status = lookup_find(name, &port);

    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    measure_call(id, port, 4);
    handle_close(port);
}

static void call_kernel(const char *id)
{
    call_in_kernel(id, "echo");
}

static void call_stacked(const char *id)
{
    call_in_kernel(id, "echo.stacked"); /* tests/kernel/bench.c makes it */
}

/* The echo service in a domain of its own, which is started when it is not there. */
static status_t find_echo(handle_t *port)
{
    static const char *const server[] = {"echo-server"};
    struct program program;
    status_t status = lookup_find("echo.user", port);

    if (status != OK) {
        status = program_start(server[0], 1, server, &program);
        if (status == OK) {
            status = lookup_wait("echo.user", port, clock_ns() + START_NS);
        }
    }
    return status;
}

static void call_user(const char *id, unsigned words)
{
    handle_t port;
    status_t status = find_echo(&port);

    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    measure_call(id, port, words);
    handle_close(port);
}

/*
 * The same with more words. Those beyond registers stay in the message pages of the caller and of the service, where each
 * side finds what it was sent: neither loads or stores them in the loop, as the row of seL4 does not do so with its message
 * registers in memory. Each round copies them there and back.
 */
static void call_user_long(const char *id, unsigned words)
{
    struct message message = {.tag = MESSAGE_TAG(ECHO_WORDS, words)};
    struct message_page *page = message_page();
    handle_t port;
    status_t status = page == NULL ? ERR_NO_MEMORY : find_echo(&port);
    bool right;

    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    for (unsigned i = 0; i < MAX_MESSAGE_WORDS; i++) {
        page->word[i] = ~(uint64_t)i;
    }
    status = port_request(port, &message);
    right = status == OK && page->word[words - 1] == ~(uint64_t)(words - 1);
    page->word[words - 1] = 0;
    message.tag = MESSAGE_TAG(ECHO_WORDS, words);
    right = right && port_request(port, &message) == OK && page->word[words - 1] == 0;
    if (right) {
        measure_call(id, port, words);
    } else {
        measure_fail(id, "the words are not those that were sent");
    }
    handle_close(port);
}

static void call_user_10w(const char *id)
{
    call_user_long(id, 10);
}

static void call_user_64w(const char *id)
{
    call_user_long(id, 64);
}

/* A segment of 960 bytes there, and nothing back; where it lies is said once. */
static void call_user_seg960(const char *id)
{
    static char text[960];
    struct message message = {.tag = MESSAGE_TAG_LONG(ECHO_WORDS, 0, 0, 1)};
    uint64_t tag = message.tag;
    handle_t port;
    status_t status = message_page() == NULL ? ERR_NO_MEMORY : find_echo(&port);
    bool failed = false;

    if (status == OK) {
        message_put_segment(0, text, sizeof(text));
        status = port_request(port, &message);
    }
    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    MEASURE(
        id, 1, if (send_fresh(port, tag) != OK) { failed = true; });
    if (failed) {
        measure_fail(id, "a call failed");
    }
    handle_close(port);
}

static void call_user_0w(const char *id)
{
    call_user(id, 0);
}

static void call_user_4w(const char *id)
{
    call_user(id, 4);
}

/* A server with a thread of its own, which waits for us in its mailbox. */
static void call_mailbox(const char *id)
{
    static const char *const server[] = {"mailbox-server", "mailbox.user"};
    struct program program;
    handle_t port;
    status_t status = lookup_find(server[1], &port);

    thread_migrate(0);
    if (status != OK) {
        status = program_start(server[0], 2, server, &program);
        if (status == OK) {
            status = lookup_wait(server[1], &port, clock_ns() + START_NS);
        }
    }
    if (status == OK) {
        struct message message = {.tag = MESSAGE_TAG(MAILBOX_MIGRATE, 1), .word = {0}};

        status = port_request(port, &message);
    }
    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    measure_call(id, port, 4);
    handle_close(port);
}

#define ONEWAY_BATCH 16

/* So many messages, and then this core for whoever delivers them. */
static void send_batch(handle_t port, bool *failed)
{
    for (unsigned i = 0; i < ONEWAY_BATCH; i++) {
        struct message message = {.tag = MESSAGE_TAG(ECHO_WORDS, 4), .word = {1, 2, 3, 4}};

        *failed |= port_send(port, &message) != OK;
    }
    thread_yield();
}

/* A message is sent, delivered and served, a run of the service and its end included; and a sixteenth of a switch to
 * the courier and back. */
static void oneway_message(const char *id)
{
    bool failed = false;
    handle_t port;
    status_t status = find_echo(&port);

    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    thread_migrate(0);
    MEASURE(id, ONEWAY_BATCH, send_batch(port, &failed));
    if (failed) {
        measure_fail(id, "a message was not taken");
    }
    handle_close(port);
}

/* The general path: a service of this program itself, with two stacks. */
static void answer(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    service_reply(message, OK, message_words(message->tag));
}

static void call_concurrent(const char *id)
{
    handle_t port;
    status_t status = service_create_concurrent(answer, NULL, 2, &port);

    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    measure_call(id, port, 4);
    port_close(port);
}

static bool partner_ready;
static bool partner_stop;

/* Relaxed: both threads run on one core and only count. */
static int partner(void *argument)
{
    (void)argument;
    thread_migrate(0);
    __atomic_store_n(&partner_ready, true, __ATOMIC_RELAXED);
    while (!__atomic_load_n(&partner_stop, __ATOMIC_RELAXED)) {
        thread_yield();
    }
    return 0;
}

static void yield_threads(const char *id)
{
    struct thread thread;
    status_t status;

    partner_ready = false;
    partner_stop = false;
    thread_migrate(0);
    status = thread_start(&thread, partner, NULL);
    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    while (!__atomic_load_n(&partner_ready, __ATOMIC_RELAXED)) {
        thread_yield();
    }
    MEASURE(id, 2, thread_yield());
    __atomic_store_n(&partner_stop, true, __ATOMIC_RELAXED);
    thread_join(&thread);
}

/* tools/bench.py runs it on two harts. */
static void xcore_signal_rt(const char *id)
{
    if (thread_migrate(1) == OK) {
        bench_xcore_signal_rt(id);
    }
}

static const struct {
    const char *id;
    void (*run)(const char *id);
} rows[] = {
    {"null_entry", null_entry},
    {"call_kernel_from_user", call_kernel},
    {"call_stacked_from_user", call_stacked},
    {"call_user_0w", call_user_0w},
    {"call_user_4w", call_user_4w},
    {"call_mailbox_4w", call_mailbox},
    {"oneway_message", oneway_message},
    {"yield_threads", yield_threads},
    {"signal_wait_pingpong", bench_signal_wait_pingpong},
    {"signal_to_higher", bench_signal_to_higher},
    {"signal_nobody", bench_signal_nobody},
    {"xcore_signal_rt", xcore_signal_rt},
    {"first_touch", bench_first_touch},
    {"map_unmap_page", bench_map_unmap_page},
    {"map_unmap_moved", bench_map_unmap_moved},
    {"map_touch_unmap", bench_map_touch_unmap},
    /* After those of memory: they leave regions behind. */
    {"call_concurrent_user", call_concurrent},
    {"call_user_10w", call_user_10w},
    {"call_user_64w", call_user_64w},
    {"call_user_seg960", call_user_seg960},
    {"fault_user_pager", bench_fault_user_pager},
};

#define NO_ROW_MATCHES 2 /* tests/kernel/bench.c knows it */

int main(int argc, char **argv)
{
    const char *pattern = argc > 1 ? argv[1] : "*";
    unsigned done = 0;

    if (strncmp(pattern, GROWTH_PREFIX, sizeof(GROWTH_PREFIX) - 1) == 0) {
        done = bench_growth(pattern);
    }
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (glob_match(pattern, rows[i].id)) {
            rows[i].run(rows[i].id);
            done++;
        }
    }
    if (done == 0) {
        printf("bench: no row matches %s\n", pattern);
    }
    return done == 0 ? NO_ROW_MATCHES : measure_failures() != 0;
}
