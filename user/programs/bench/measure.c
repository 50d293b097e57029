/* SPDX-License-Identifier: MIT */
#include "user/programs/bench/measure.h"

#include <inttypes.h>
#include <stdio.h>

#include "services/monitor/protocol.h"
#include "user/lib/baton.h"

static unsigned failures;

uint64_t measure_empty(void)
{
    uint64_t start = measure_count();

    for (int turn = 0; turn < MEASURE_LOOPS; turn++) {
        __asm__ volatile("" ::: "memory");
    }
    return measure_count() - start;
}

uint64_t measure_idles(void)
{
    struct monitor_core core;
    uint64_t sum = 0;

    for (uint64_t i = 0; monitor_read(MONITOR_CORE, i, &core, sizeof(core)) == OK; i++) {
        sum += core.idles;
    }
    return sum;
}

void measure_report_bare(const char *id, uint64_t count, uint64_t parts, uint64_t idles)
{
    uint64_t turns = MEASURE_LOOPS * parts;

    if (idles != 0) {
        measure_fail(id, "a core went idle");
        return;
    }
    printf("bench %s %" PRIu64 " instructions\n", id, (count + turns / 2) / turns);
}

void measure_report(const char *id, uint64_t count, uint64_t parts, uint64_t idles)
{
    measure_report_bare(id, count - measure_empty(), parts, idles);
}

void measure_fail(const char *id, const char *why)
{
    printf("bench %s failed: %s\n", id, why);
    failures++;
}

unsigned measure_failures(void)
{
    return failures;
}
