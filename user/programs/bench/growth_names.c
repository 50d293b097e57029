/* SPDX-License-Identifier: MIT */
/*
 * Rows: a look-up by name and closing the handle that it gives, while so many names are there.
 */
#include <inttypes.h>
#include <stdio.h>

#include "user/lib/baton.h"
#include "user/lib/glob.h"
#include "user/programs/bench/growth.h"
#include "user/programs/bench/measure.h"

#define NAMES_LEAST 10U
#define NAMES_MOST 100000U
#define SAMPLE 1000U /* names that are looked up in turn, spread over all of them */

static char sample[SAMPLE][16];

static void name_text(unsigned number, char text[16])
{
    (void)snprintf(text, 16, "grow.%07u", number); /* all of one length */
}

/* Makes names [from, to), MAX_PORT_NAMES a port. */
static status_t make_names(unsigned from, unsigned to)
{
    static int64_t port; /* the one that has still room */
    status_t status = OK;

    for (unsigned i = from; status == OK && i < to; i++) {
        char text[16];

        if (i % MAX_PORT_NAMES == 0) {
            port = port_create(PORT_MAILBOX, NULL, NULL, 0, 0);
            if (port < 0) {
                return port;
            }
        }
        name_text(i, text);
        status = lookup_register(text, (handle_t)port);
    }
    return status;
}

static status_t find_in_turn(unsigned count, uint64_t *total)
{
    status_t status = OK;
    unsigned at = 0;
    uint64_t start = measure_count();

    for (int turn = 0; turn < MEASURE_LOOPS && status == OK; turn++) {
        handle_t port;

        status = lookup_find(sample[at], &port);
        if (status == OK) {
            status = handle_close(port);
        }
        at = at + 1 == count ? 0 : at + 1;
    }
    *total = measure_count() - start;
    return status;
}

static void measure_names(const char *id, unsigned size)
{
    unsigned count = size < SAMPLE ? size : SAMPLE;
    uint64_t idles = 1;
    uint64_t total;
    status_t status;

    for (unsigned i = 0; i < count; i++) {
        name_text((unsigned)((uint64_t)i * size / count), sample[i]);
    }
    status = find_in_turn(count, &total); /* warm-up */
    for (int attempt = 0; status == OK && idles != 0 && attempt < MEASURE_ATTEMPTS; attempt++) {
        idles = measure_idles();
        status = find_in_turn(count, &total);
        idles = measure_idles() - idles;
    }
    if (status != OK || idles != 0) {
        measure_fail(id, status != OK ? status_text(status) : "a core went idle");
        return;
    }
    printf("bench %s %" PRIu64 " instructions\n", id, (total + MEASURE_LOOPS / 2) / MEASURE_LOOPS);
}

unsigned bench_growth_names(const char *pattern)
{
    unsigned matched = 0;
    unsigned made = 0;

    for (unsigned size = NAMES_LEAST; size <= NAMES_MOST; size *= 10) {
        char id[40];

        (void)snprintf(id, sizeof(id), GROWTH_PREFIX "names_%u", size);
        if (!glob_match(pattern, id)) {
            continue;
        }
        status_t status = make_names(made, size);
        if (status != OK) {
            measure_fail(id, status_text(status));
            return matched;
        }
        made = size;
        matched++;
        measure_names(id, size);
    }
    return matched;
}
