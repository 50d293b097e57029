/* SPDX-License-Identifier: MIT */
/* The table of names. */
#include "ipc/name.h"

#include <string.h>

#include "ipc/name_watch.h"
#include "kernel/base/print.h"
#include "sched/domain.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static status_t add(const char *name, struct port *port)
{
    return name_register(name, strlen(name), port);
}

static status_t drop(const char *name)
{
    return name_unregister(name, strlen(name), &kernel_domain);
}

/* What name_find says; the reference is given back. */
static status_t look_for(const char *name, const struct port *wanted)
{
    struct port *found = NULL;
    status_t status = name_find(name, strlen(name), &found);

    if (status == OK) {
        EXPECT_TRUE(found == wanted);
        object_release(&found->object);
    }
    return status;
}

TEST(name, finds_what_was_registered_until_it_is_unregistered)
{
    struct port *port = ports_make_mailbox();
    struct port *other = ports_make_mailbox();

    EXPECT_EQ(look_for("test.a", port), ERR_NOT_FOUND);
    EXPECT_OK(add("test.a", port));
    EXPECT_OK(add("test.ab", other));
    EXPECT_OK(look_for("test.a", port));
    EXPECT_OK(look_for("test.ab", other));
    EXPECT_EQ(look_for("test.", port), ERR_NOT_FOUND);
    EXPECT_EQ(add("test.a", other), ERR_EXISTS);
    EXPECT_OK(look_for("test.a", port));
    EXPECT_OK(drop("test.a"));
    EXPECT_EQ(look_for("test.a", port), ERR_NOT_FOUND);
    EXPECT_EQ(drop("test.a"), ERR_NOT_FOUND);
    EXPECT_OK(drop("test.ab"));
    ports_close(port);
    ports_close(other);
}

TEST(name, of_a_closed_port_is_gone_and_may_be_taken_again)
{
    struct port *port = ports_make_mailbox();
    struct port *successor = ports_make_mailbox();

    EXPECT_OK(add("test.service", port));
    port_close(port, ERR_STALE);
    EXPECT_EQ(look_for("test.service", port), ERR_NOT_FOUND);
    EXPECT_EQ(add("test.other", port), ERR_STALE);
    EXPECT_OK(add("test.service", successor));
    EXPECT_OK(look_for("test.service", successor));
    EXPECT_OK(drop("test.service"));
    object_release(&port->object);
    ports_close(successor);
}

TEST(name, is_1_to_64_printable_characters)
{
    struct port *port = ports_make_mailbox();
    struct port *found;
    char name[MAX_NAME_BYTES + 1];

    memset(name, 'x', sizeof(name));
    EXPECT_EQ(name_register(name, 0, port), ERR_INVALID);
    EXPECT_EQ(name_register(name, MAX_NAME_BYTES + 1, port), ERR_INVALID);
    EXPECT_EQ(name_find(name, MAX_NAME_BYTES + 1, &found), ERR_INVALID);
    EXPECT_EQ(name_register("a b", 3, port), ERR_INVALID);
    EXPECT_EQ(name_register("a\n", 2, port), ERR_INVALID);
    EXPECT_EQ(name_register("a\0b", 3, port), ERR_INVALID);
    EXPECT_EQ(name_register("\xc3\xa4", 2, port), ERR_INVALID);
    EXPECT_OK(name_register(name, MAX_NAME_BYTES, port));
    EXPECT_OK(name_find(name, MAX_NAME_BYTES, &found));
    object_release(&found->object);
    EXPECT_OK(name_unregister(name, MAX_NAME_BYTES, &kernel_domain));
    ports_close(port);
}

TEST(name, can_be_dropped_by_the_ports_owner_only)
{
    struct port *port = ports_make_mailbox();
    struct domain other;

    EXPECT_OK(add("test.mine", port));
    EXPECT_EQ(name_unregister("test.mine", 9, &other), ERR_DENIED);
    EXPECT_OK(look_for("test.mine", port));
    EXPECT_OK(drop("test.mine"));
    ports_close(port);
}

TEST(name, every_one_is_listed_once_in_order)
{
    struct port *port = ports_make_mailbox();
    struct name_row row = {.name = ""};
    char name[MAX_NAME_BYTES + 1] = "";
    unsigned lookups = 0, ours = 0;

    EXPECT_OK(add("test.listed", port));
    EXPECT_OK(add("test.listed.too", port));
    while (name_next(name, strlen(name), &row) == OK) {
        EXPECT_TRUE(strcmp(name, row.name) < 0);
        memcpy(name, row.name, sizeof(name));
        lookups += strcmp(name, "lookup") == 0;
        if (strncmp(name, "test.listed", 11) == 0) {
            ours++;
            EXPECT_EQ(row.port, port->index);
            EXPECT_EQ(row.domain, kernel_domain.id);
        }
    }
    EXPECT_EQ(ours, 2);
    EXPECT_EQ(lookups, 1);
    name_of_port(port, name);
    EXPECT_TEXT(name, "test.listed");
    EXPECT_OK(drop("test.listed"));
    name_of_port(port, name);
    EXPECT_TEXT(name, "test.listed.too");
    EXPECT_OK(drop("test.listed.too"));
    name_of_port(port, name);
    EXPECT_TEXT(name, "");
    ports_close(port);
}

TEST(name, a_list_goes_on_behind_a_name_that_has_gone)
{
    struct port *port = ports_make_mailbox();
    struct name_row row;

    EXPECT_OK(add("test.b", port));
    EXPECT_OK(add("test.d", port));
    EXPECT_OK(name_next("test.a", 6, &row));
    EXPECT_TEXT(row.name, "test.b");
    EXPECT_OK(drop("test.b"));
    EXPECT_OK(add("test.c", port));
    EXPECT_OK(name_next("test.b", 6, &row));
    EXPECT_TEXT(row.name, "test.c");
    EXPECT_OK(name_next("test.c", 6, &row));
    EXPECT_TEXT(row.name, "test.d");
    EXPECT_EQ(name_next("~", 1, &row), ERR_NOT_FOUND);
    ports_close(port);
}

#define STORM_ROUNDS 100U

/* Each registers, looks up and closes ports under one name, which never leads to a closed one. */
static void storm(void *member)
{
    (void)member;
    for (unsigned i = 0; i < STORM_ROUNDS; i++) {
        struct port *port = ports_make_mailbox();
        status_t status = add("test.storm", port);
        struct port *found = NULL;

        if (status == OK) {
            EXPECT_OK(look_for("test.storm", port));
        } else {
            EXPECT_EQ(status, ERR_EXISTS);
            status = name_find("test.storm", 10, &found);
            EXPECT_TRUE(status == OK || status == ERR_STALE || status == ERR_NOT_FOUND);
            if (status == OK) {
                object_release(&found->object);
            }
        }
        ports_close(port);
    }
}

TEST(name, a_storm_of_registrations_keeps_the_table_whole)
{
    crew_run(4, storm, NULL);
    EXPECT_EQ(drop("test.storm"), ERR_NOT_FOUND); /* each name went with its port */
    EXPECT_EQ(look_for("test.storm", NULL), ERR_NOT_FOUND);
}

TEST(name, one_port_has_eight_names_at_most)
{
    struct port *port = ports_make_mailbox();
    char text[16];

    for (unsigned i = 0; i < MAX_PORT_NAMES; i++) {
        format_string(text, sizeof(text), "test.%u", i);
        EXPECT_OK(add(text, port));
    }
    EXPECT_EQ(add("test.more", port), ERR_NO_SPACE);
    EXPECT_OK(drop("test.0"));
    EXPECT_OK(add("test.more", port));
    ports_close(port); /* and takes its names along: the baseline sees it */
}

#define MANY_PORTS 150U /* names enough for the table to grow three times */

static void many_names(void (*visit)(struct port *port, const char *name), struct port **ports)
{
    char text[24];

    for (unsigned i = 0; i < MANY_PORTS * MAX_PORT_NAMES; i++) {
        format_string(text, sizeof(text), "test.many.%u", i);
        visit(ports[i / MAX_PORT_NAMES], text);
    }
}

static void expect_added(struct port *port, const char *name)
{
    EXPECT_OK(add(name, port));
}

static void expect_found(struct port *port, const char *name)
{
    EXPECT_OK(look_for(name, port));
}

static void expect_gone(struct port *port, const char *name)
{
    (void)port;
    EXPECT_EQ(look_for(name, NULL), ERR_NOT_FOUND);
}

TEST(name, many_are_found_while_the_table_grows_and_shrinks)
{
    static struct port *ports[MANY_PORTS];

    for (unsigned i = 0; i < MANY_PORTS; i++) {
        ports[i] = ports_make_mailbox();
    }
    many_names(expect_added, ports);
    many_names(expect_found, ports);
    for (unsigned i = 0; i < MANY_PORTS; i++) {
        port_close(ports[i], ERR_STALE);
    }
    many_names(expect_gone, ports);
    for (unsigned i = 0; i < MANY_PORTS; i++) {
        object_release(&ports[i]->object);
    }
}

static struct notification *watcher;

/* Names come and go while watches do, and notifications end. */
static void watch_storm(void *argument)
{
    const struct crew_member *member = argument;

    for (unsigned i = 0; i < STORM_ROUNDS; i++) {
        struct notification *own;
        struct port *port = ports_make_mailbox();

        EXPECT_OK(notification_create(&kernel_domain, &own));
        if (member->index % 2 == 0) {
            EXPECT_OK(name_watch("test.storm*", 11, own, 1));
        }
        (void)add("test.storm", port);
        ports_close(port);
        notification_close(own, ERR_STALE);
        EXPECT_EQ(name_watch("test.storm", 10, own, 1), ERR_STALE);
        object_release(&own->object);
    }
    notification_signal(watcher, 2);
}

TEST(name, a_storm_of_watches_ends_whole)
{
    ASSERT_OK(notification_create(&kernel_domain, &watcher));
    EXPECT_OK(name_watch("test.storm", 10, watcher, 1));
    crew_run(4, watch_storm, NULL);
    EXPECT_EQ(signal_word_poll(&watcher->word, 3), 3);
    object_release(&watcher->object); /* and takes its watch along: the baseline sees it */
}
