/* SPDX-License-Identifier: MIT */
#include "tests/kernel/torture_domain.h"

#include "arch/platform.h"
#include "ipc/name.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "sched/archive.h"
#include "sched/domain.h"
#include "sched/program.h"
#include "tests/kernel/crew.h"

#define LIFE_NS 60000000UL
#define LIMIT_MIN (128UL << 10)
#define LIMIT_RANGE (4UL << 20)

bool torture_has_archive(void)
{
    const void *image;
    size_t bytes;

    return archive_find("memory-user", &image, &bytes) == OK;
}

status_t torture_start(const char *name, uint64_t limit, const char *arguments, int length,
                       struct domain **domain)
{
    struct program_start start = {.name = name,
                                  .arguments = arguments,
                                  .argument_bytes = (size_t)length,
                                  .memory_limit = limit,
                                  .may_register = "*"};
    const char *why = "";
    struct port *lookup;
    status_t status = archive_find(name, &start.image, &start.image_bytes);

    if (status == OK) {
        status = name_find("lookup", 6, &lookup);
    }
    if (status == OK) {
        start.grant = (struct program_grant){.object = &lookup->object, .rights = RIGHT_CALL};
        status = program_start(&start, domain, &why);
        object_release(&lookup->object);
    }
    return status;
}

void torture_expect_end(struct domain *domain, bool all_home)
{
    long code = -1;

    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    if (code != 0 && code != EXIT_KILLED && code != EXIT_KILLED + EXIT_REASON_NO_MEMORY) {
        print("# %s ended with %ld\n", domain->name, code);
        EXPECT_EQ(code, 0);
    }
    if (all_home) {
        /* Services may still run for it when its end is announced.
         * acquire: its memory is gone; pairs with the release in domain_finish */
        EXPECT_SOON(atomic_load_acquire(&domain->state) == DOMAIN_DEAD);
        EXPECT_EQ(account_pages(domain->account), 0);
    }
    object_release(&domain->object);
}

static void one_life(struct torture_member *member)
{
    char arguments[48];
    struct domain *domain;
    uint64_t limit = LIMIT_MIN + crew_random(&member->random) % LIMIT_RANGE;
    int length = format_string(arguments, sizeof(arguments), "memory-user%c%u", 0,
                               crew_random(&member->random));
    status_t status = torture_start("memory-user", limit, arguments, length + 1, &domain);

    if (status != OK) {
        EXPECT_EQ(status, ERR_NO_MEMORY);
        torture_refuse(member);
        torture_rest(member, LIFE_NS);
        return;
    }
    if (crew_random(&member->random) % 3 != 0) {
        torture_rest(member, LIFE_NS);
        domain_kill(domain, EXIT_KILLED);
    }
    torture_expect_end(domain, true);
    torture_count(member, 0);
}

void torture_domains_member(struct torture_member *member)
{
    while (torture_goes_on()) {
        one_life(member);
    }
}

void torture_busy_core(struct torture_member *member, nsec_t most_ns)
{
    static const char arguments[] = "spin";
    struct domain *domain;

    if (torture_start("spin", 0, arguments, sizeof(arguments), &domain) != OK) {
        torture_refuse(member);
        torture_rest(member, most_ns);
        return;
    }
    torture_rest(member, most_ns);
    domain_kill(domain, EXIT_KILLED);
    torture_expect_end(domain, true);
}
