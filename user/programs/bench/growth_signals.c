/* SPDX-License-Identifier: MIT */
/*
 * Rows: one thread waits for N sources at once, which become ready in turn: signallers, and mailboxes that get
 * a message, which it takes.
 */
#include <inttypes.h>
#include <stdio.h>

#include "user/lib/baton.h"
#include "user/lib/glob.h"
#include "user/lib/notification.h"
#include "user/lib/wait_any.h"
#include "user/programs/bench/growth.h"
#include "user/programs/bench/measure.h"

static struct wait_any any;
static handle_t ports[WAIT_ANY_SOURCES];

static bool one_signal(unsigned at)
{
    unsigned source;

    return notification_signal(any.notification, 1UL << at) == OK &&
           wait_any_next(&any, DEADLINE_NONE, &source) == OK && source == at;
}

static bool one_message(unsigned at)
{
    struct message message = {.tag = MESSAGE_TAG(at, 1)};
    uint64_t badge;
    unsigned source;

    return port_send(ports[at], &message) == OK &&
           wait_any_next(&any, DEADLINE_NONE, &source) == OK && source == at &&
           port_receive(ports[at], &message, &badge, DEADLINE_NOW) == OK;
}

static uint64_t turns(unsigned count, bool (*one)(unsigned at), bool *failed)
{
    unsigned at = 0;
    uint64_t start = measure_count();

    for (int turn = 0; turn < MEASURE_LOOPS; turn++) {
        *failed |= !one(at);
        at = at + 1 == count ? 0 : at + 1;
    }
    return measure_count() - start;
}

static void measure(const char *id, unsigned count, bool (*one)(unsigned at))
{
    bool failed = false;
    uint64_t idles = 1;
    uint64_t total = turns(count, one, &failed); /* warm-up */

    for (int attempt = 0; idles != 0 && attempt < MEASURE_ATTEMPTS; attempt++) {
        idles = measure_idles();
        total = turns(count, one, &failed);
        idles = measure_idles() - idles;
    }
    if (failed || idles != 0) {
        measure_fail(id, failed ? "a source is missing" : "a core went idle");
        return;
    }
    printf("bench %s %" PRIu64 " instructions\n", id, (total + MEASURE_LOOPS / 2) / MEASURE_LOOPS);
}

/* Sources are numbered from 0 on: nothing is ever taken out. */
static bool add_sources(unsigned count, bool are_ports)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned source;
        int64_t port = are_ports ? port_create(PORT_MAILBOX, NULL, NULL, 0, 0) : 0;

        if (port < 0) {
            return false;
        }
        ports[i] = (handle_t)port;
        status_t status = are_ports ? wait_any_add_port(&any, ports[i], false, &source)
                                    : wait_any_add(&any, false, &source);
        if (status != OK || source != i) {
            return false;
        }
    }
    return true;
}

static unsigned measure_size(const char *pattern, const char *kind, unsigned count, bool are_ports)
{
    char id[40];

    (void)snprintf(id, sizeof(id), GROWTH_PREFIX "%s_%u", kind, count);
    if (!glob_match(pattern, id)) {
        return 0;
    }
    if (wait_any_init(&any) != OK || !add_sources(count, are_ports)) {
        measure_fail(id, "no sources");
        return 1;
    }
    measure(id, count, are_ports ? one_message : one_signal);
    for (unsigned i = 0; are_ports && i < count; i++) {
        port_close(ports[i]);
    }
    wait_any_end(&any);
    return 1;
}

unsigned bench_growth_signals(const char *pattern)
{
    unsigned matched = 0;

    for (unsigned count = 1; count <= WAIT_ANY_SOURCES; count *= 4) {
        matched += measure_size(pattern, "wait_signals", count, false);
        matched += measure_size(pattern, "wait_mailboxes", count, true);
    }
    return matched;
}
