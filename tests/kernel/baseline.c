/* SPDX-License-Identifier: MIT */
#include "tests/kernel/baseline.h"

#include <string.h>

#include "arch/layout.h"
#include "ipc/port.h"
#include "kernel/abi/limits.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/kstack.h"
#include "mm/spmalloc.h"
#include "sched/domain.h"
#include "tests/kernel/crew.h"

/* How long deferred frees may take before they count as leaks. */
#define SETTLE_NS 5000000000UL
/* Stack pages that share one page of page tables. */
#define PAGES_A_TABLE (0x200000UL / KSTACK_SLOT_BYTES * KSTACK_MAPPED_PAGES)

static bool count_port(struct port *port, void *argument)
{
    (void)port;
    ++*(uint64_t *)argument;
    return true;
}

static bool count_domain(struct domain *domain, void *argument)
{
    (void)domain;
    ++*(uint64_t *)argument;
    return true;
}

void baseline_take(struct baseline *baseline)
{
    drain_all();
    uint64_t stacks = kstack_count();
    uint64_t cached = kstack_cached_pages();
    uint64_t mapped = stacks * KSTACK_MAPPED_PAGES + cached;
    uint64_t tables = (mapped + PAGES_A_TABLE - 1) / PAGES_A_TABLE;

    *baseline = (struct baseline){
        .pages = frame_free_pages() + cached + tables,
        .objects = spmalloc_objects(),
        .stacks = stacks,
        .threads = thread_count(),
        .handles = handle_count(&kernel_domain.handles),
    };
    port_visit_all(count_port, &baseline->ports);
    domain_visit_all(count_domain, &baseline->domains);
}

bool baseline_expect(const struct baseline *before)
{
    nsec_t since = timer_now_ns();
    struct baseline now;

    do {
        baseline_take(&now);
    } while (memcmp(&now, before, sizeof(now)) != 0 && crew_wait_on(since) &&
             timer_now_ns() - since < SETTLE_NS);
    EXPECT_EQ(now.threads, before->threads);
    EXPECT_EQ(now.ports, before->ports);
    EXPECT_EQ(now.domains, before->domains);
    EXPECT_EQ(now.handles, before->handles);
    EXPECT_EQ(now.stacks, before->stacks);
    EXPECT_EQ(now.objects, before->objects);
    EXPECT_EQ(now.pages, before->pages);
    return memcmp(&now, before, sizeof(now)) == 0;
}
