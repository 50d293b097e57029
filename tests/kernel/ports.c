/* SPDX-License-Identifier: MIT */
#include "tests/kernel/ports.h"

#include "arch/layout.h"
#include "arch/platform.h"
#include "ipc/name.h"
#include "sched/archive.h"
#include "sched/program.h"
#include "tests/test.h"
#include "ipc/call.h"
#include "ipc/mailbox.h"
#include "ipc/result.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"

static struct port *make(enum port_mode mode, void (*handle)(struct request *request), void *cookie,
                         bool combines)
{
    struct port_attributes attributes = {
        .mode = mode, .entry = (vaddr_t)handle, .cookie = (uint64_t)cookie, .combines = combines};
    struct port *port;

    BUG_ON(port_create(&kernel_domain, &attributes, &port) != OK);
    return port;
}

struct port *ports_make_concurrent(void (*handle)(struct request *request), void *cookie,
                                   uint32_t runs)
{
    struct port_attributes attributes = {.mode = PORT_MODE_KERNEL_SERVICE,
                                         .entry = (vaddr_t)handle,
                                         .cookie = (uint64_t)cookie,
                                         .runs = runs};
    struct port *port;

    BUG_ON(port_create(&kernel_domain, &attributes, &port) != OK);
    return port;
}

struct port *ports_make_service(void (*handle)(struct request *request), void *cookie)
{
    return make(PORT_MODE_KERNEL_SERVICE, handle, cookie, false);
}

struct port *ports_make_combining(void (*handle)(struct request *request), void *cookie)
{
    return make(PORT_MODE_KERNEL_SERVICE, handle, cookie, true);
}

struct port *ports_make_mailbox(void)
{
    return make(PORT_MODE_MAILBOX, NULL, NULL, false);
}

status_t ports_receive(struct port *port, nsec_t deadline, struct message *message, uint64_t *badge)
{
    struct delivery delivery;
    status_t status = mailbox_receive(port, deadline, &delivery);

    if (status == OK) {
        BUG_ON(delivery.token != 0 && (delivery.token & RESULT_TOKEN) == 0); /* a call */
        *message = delivery.message;
        *badge = delivery.badge;
    }
    return status;
}

void ports_close(struct port *port)
{
    port_close(port, ERR_STALE);
    object_release(&port->object);
}

status_t ports_call(struct port *port, uint32_t label, uint64_t *word, nsec_t deadline)
{
    struct message message = {.tag = MESSAGE_TAG(label, 1), .word = {*word}};
    status_t status = call_port(port, 0, &message, deadline);

    if (status == OK) {
        *word = message.word[0];
    }
    return status;
}

status_t ports_stop(struct ports_stop *stop)
{
    uint32_t mine = stop->reached + 1;
    status_t status = OK;

    stop->thread = thread_current();
    /* release: who it is first; pairs with the acquire in ports_is_stopped */
    atomic_store_release(&stop->reached, mine);
    /* acquire: what was done before it was let go; pairs with the release in ports_let_go */
    while (status == OK && atomic_load_acquire(&stop->let_go) < mine) {
        status = sched_block_until(DEADLINE_NONE);
    }
    return status;
}

bool ports_is_stopped(const struct ports_stop *stop)
{
    /* acquire: who it is; pairs with the release in ports_stop */
    return atomic_load_acquire(&stop->reached) > atomic_load_relaxed(&stop->let_go);
}

void ports_let_go(struct ports_stop *stop)
{
    struct thread *thread = stop->thread;

    object_retain(&thread->object); /* it may end before it is woken */
    /* release: publish, then wake; pairs with the acquire in ports_stop */
    atomic_add_release(&stop->let_go, 1);
    sched_wake_thread(thread);
    object_release(&thread->object);
}

struct domain *ports_start_peer(const char *arguments, size_t bytes)
{
    struct program_start start = {
        .name = "call-peer", .arguments = arguments, .argument_bytes = bytes, .may_register = "*"};
    struct domain *domain = NULL;
    const char *why = "";
    struct port *lookup;

    if (platform.archive_bytes == 0) {
        test_skip("needs the boot archive");
        return NULL;
    }
    EXPECT_OK(archive_init(direct_map(platform.archive_base), platform.archive_bytes, &why));
    EXPECT_OK(archive_find(start.name, &start.image, &start.image_bytes));
    EXPECT_OK(name_find("lookup", 6, &lookup));
    start.grant = (struct program_grant){.object = &lookup->object, .rights = RIGHT_CALL};
    EXPECT_OK(program_start(&start, &domain, &why));
    object_release(&lookup->object);
    return domain;
}
