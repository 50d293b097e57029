/* SPDX-License-Identifier: MIT */
/* The life and identity of ports. */
#include "ipc/port.h"

#include "mm/spmalloc.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static struct port_id id_of(const struct port *port)
{
    return (struct port_id){.index = port->index, .generation = port->generation};
}

/* What port_find says; the reference is given back. */
static status_t look_for(struct port_id id, const struct port *wanted)
{
    struct port *found = NULL;
    status_t status = port_find(id, &found);

    if (status == OK) {
        EXPECT_TRUE(found == wanted);
        object_release(&found->object);
    } else {
        EXPECT_TRUE(found == NULL);
    }
    return status;
}

TEST(port, is_found_by_identity_until_it_is_closed)
{
    struct port *port = ports_make_mailbox();
    struct port_id id = id_of(port);
    struct port_id future = {.index = id.index, .generation = id.generation + 1};
    struct port_id never = {.index = id.index, .generation = 0};
    struct port_id outside = {.index = ~0U, .generation = 1};

    EXPECT_OK(look_for(id, port));
    EXPECT_EQ(look_for(future, port), ERR_NOT_FOUND);
    EXPECT_EQ(look_for(never, port), ERR_NOT_FOUND);
    EXPECT_EQ(look_for(outside, port), ERR_NOT_FOUND);
    port_close(port, ERR_STALE);
    EXPECT_EQ(look_for(id, port), ERR_STALE);
    port_close(port, ERR_STALE); /* again: no harm */
    EXPECT_EQ(look_for(id, port), ERR_STALE);
    object_release(&port->object);
    EXPECT_EQ(look_for(id, port), ERR_STALE);
}

TEST(port, the_successor_at_an_index_is_never_reached_by_an_old_id)
{
    struct port *port = ports_make_mailbox();
    struct port_id old = id_of(port);
    unsigned tries = 0;

    do {
        ports_close(port);
        port = ports_make_mailbox();
    } while (port->index != old.index && ++tries < 100000);
    EXPECT_EQ(port->index, old.index);
    EXPECT_TRUE(port->generation > old.generation);
    EXPECT_EQ(look_for(old, port), ERR_STALE);
    EXPECT_OK(look_for(id_of(port), port));
    ports_close(port);
}

#define PORTS_MAX 16384U

static bool count_all(struct port *port, void *count)
{
    (void)port;
    ++*(unsigned *)count;
    return true;
}

TEST(port, a_full_table_refuses_and_takes_the_slot_that_came_free)
{
    struct port **ports = spmalloc(&kernel_account, PORTS_MAX * sizeof(*ports));
    const struct port_attributes mailbox = {.mode = PORT_MODE_MAILBOX};
    unsigned count = 0;
    status_t status = OK;

    ASSERT_TRUE(ports != NULL);
    while (count < PORTS_MAX) {
        status = port_create(&kernel_domain, &mailbox, &ports[count]);
        if (status != OK) {
            break;
        }
        count++;
    }
    EXPECT_EQ(status, ERR_NO_SPACE);
    unsigned visited = 0;
    port_visit_all(count_all, &visited);
    EXPECT_EQ(visited, PORTS_MAX);
    for (unsigned i = 1; i < count; i += count / 7) {
        struct port_id old = id_of(ports[i]);

        ports_close(ports[i]);
        EXPECT_OK(port_create(&kernel_domain, &mailbox, &ports[i]));
        EXPECT_EQ(ports[i]->index, old.index);
        EXPECT_EQ(ports[i]->generation, old.generation + 1);
        EXPECT_EQ(look_for(old, NULL), ERR_STALE);
    }
    while (count > 0) {
        ports_close(ports[--count]);
    }
    spmalloc_free(ports);
}

static bool is_wanted(struct port *port, void *wanted)
{
    if (port == *(struct port **)wanted) {
        *(struct port **)wanted = NULL;
        return false;
    }
    return true;
}

TEST(port, open_ones_are_listed)
{
    struct port *port = ports_make_mailbox();
    struct port *wanted = port;

    port_visit_all(is_wanted, &wanted);
    EXPECT_TRUE(wanted == NULL);
    wanted = port;
    ports_close(port);
    port_visit_all(is_wanted, &wanted);
    EXPECT_TRUE(wanted == port);
}

TEST(port, a_user_service_needs_addresses_of_its_own_domain)
{
    const struct port_stack stack = {.top = 0x20000};
    const struct port_attributes attributes = {
        .mode = PORT_MODE_USER_SERVICE, .entry = 0x10000, .stacks = &stack};
    struct port *port = NULL;

    EXPECT_EQ(port_create(&kernel_domain, &attributes, &port), ERR_INVALID);
    EXPECT_TRUE(port == NULL);
}
