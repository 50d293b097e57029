/* SPDX-License-Identifier: MIT */
/* Out of memory is an error and leaves nothing behind: each allocation fails in turn. */
#include "mm/fail.h"

#include <string.h>

#include "ipc/mailbox.h"
#include "ipc/name.h"
#include "kernel/abi/syscall.h"
#include "sched/domain.h"
#include "tests/kernel/baseline.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

/* Runs `work` with its n-th allocation failing, for every n until it passes. */
static void fail_each(status_t (*work)(void))
{
    struct baseline before;
    status_t status = ERR_NO_MEMORY;
    uint64_t n = 0;

    baseline_take(&before);
    while (status != OK && n < 100) {
        fail_nth_allocation(++n);
        status = work();
        bool pending = fail_is_pending();

        fail_nth_allocation(0);
        if (!baseline_expect(&before)) {
            return;
        }
        if (status == OK) {
            EXPECT_TRUE(pending);
        } else {
            EXPECT_EQ(status, ERR_NO_MEMORY);
            EXPECT_FALSE(pending);
        }
    }
    EXPECT_OK(status);
    EXPECT_TRUE(n > 1);
}

static status_t make_domain(void)
{
    struct domain *domain;
    vaddr_t mapped;
    long code;
    status_t status = domain_create("test", 0, &domain);

    if (status != OK) {
        return status;
    }
    status = vspace_map_anonymous(domain->vspace, 0, 3 * PAGE_BYTES, PROTECT_WRITE, &mapped);
    domain_kill(domain, 0);
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    EXPECT_EQ(account_pages(domain->account), 0);
    object_release(&domain->object);
    return status;
}

TEST(memory_failure, of_a_domain_and_its_mappings)
{
    fail_each(make_domain);
}

static status_t make_mailbox_with_a_name(void)
{
    struct port_attributes attributes = {.mode = PORT_MODE_MAILBOX};
    struct message message = {.tag = 0};
    struct port *port;
    status_t status = port_create(&kernel_domain, &attributes, &port);

    if (status != OK) {
        return status;
    }
    status = mailbox_send(port, 0, &message);
    if (status == OK) {
        status = name_register("test.failure", 12, port);
    }
    if (status == OK) {
        status = name_unregister("test.failure", 12, &kernel_domain);
    }
    ports_close(port);
    return status;
}

TEST(memory_failure, of_a_mailbox_its_message_and_its_name)
{
    fail_each(make_mailbox_with_a_name);
}

#define STACKS 70U

/* Enough new stacks that pages and a table page are needed. */
static status_t make_services(void)
{
    static struct port *ports[STACKS];
    struct port_attributes attributes = {.mode = PORT_MODE_KERNEL_SERVICE,
                                         .entry = (vaddr_t)make_services};
    status_t status = OK;
    unsigned count = 0;

    while (status == OK && count < STACKS) {
        status = port_create(&kernel_domain, &attributes, &ports[count]);
        count += status == OK;
    }
    for (unsigned i = 0; i < count; i++) {
        ports_close(ports[i]);
    }
    return status;
}

TEST(memory_failure, of_the_stacks_of_services)
{
    struct baseline before;
    status_t status = ERR_NO_MEMORY;

    baseline_take(&before);
    for (uint64_t n = 1; status != OK && n < 1000; n += n < 10 ? 1 : 17) {
        fail_nth_allocation(n);
        status = make_services();
        fail_nth_allocation(0);
        EXPECT_TRUE(status == OK || status == ERR_NO_MEMORY);
    }
    EXPECT_OK(status);
    (void)baseline_expect(&before);
}
