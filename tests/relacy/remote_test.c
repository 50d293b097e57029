/* SPDX-License-Identifier: MIT */
/*
 * Chains pushed by several cores, taken by any.
 *
 * COVERS mm/remote.h
 */

#include "mm/remote.h"
#include "tests/relacy/model.h"

#define PUSHERS 2U
#define CHAIN 2U

/* Something that goes home: the chain's node, and what its last user wrote. */
struct item {
    struct remote_node node; /* first: an item is found by its node */
    uint64_t content;
    uint64_t taken;
};

static struct remote_list list;
static struct item items[PUSHERS][CHAIN];
static uint64_t taken[4];

static void set_up(void)
{
    list = (struct remote_list){NULL, 0};
    for (unsigned i = 0; i < PUSHERS; i++) {
        for (unsigned k = 0; k < CHAIN; k++) {
            items[i][k] = (struct item){{NULL}, 0, 0};
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(taken); i++) {
        taken[i] = 0;
    }
}

/* The last use of each item, then one chain. */
static void push(unsigned self)
{
    struct item *mine = items[self];

    for (unsigned k = 0; k < CHAIN; k++) {
        mine[k].content = self + 1;
        mine[k].node.next = k + 1 < CHAIN ? &mine[k + 1].node : NULL;
    }
    (void)remote_push_chain(&list, &mine[0].node, &mine[CHAIN - 1].node, CHAIN);
}

/* Takes what is there and gives each item out again: to itself. */
static void take(unsigned self)
{
    uint64_t n = 0;

    for (struct remote_node *node = remote_take_all(&list); node != NULL;) {
        struct item *item = container_of(node, struct item, node);

        node = node->next;
        MODEL_CHECK(item->content != 0);
        MODEL_CHECK(item->taken == 0);
        item->content = 0;
        item->taken = 1;
        n++;
    }
    remote_settle(&list, n);
    taken[self] = n;
}

static void push_or_take(unsigned self)
{
    if (self < PUSHERS) {
        push(self);
    } else {
        take(self);
    }
}

static void nothing_is_lost(void)
{
    uint64_t sum = 0;

    take(0); /* the rest */
    for (unsigned i = 0; i < ARRAY_SIZE(taken); i++) {
        sum += taken[i];
    }
    MODEL_CHECK(sum == PUSHERS * CHAIN);
    MODEL_CHECK(list.count == 0);
    for (unsigned i = 0; i < PUSHERS; i++) {
        for (unsigned k = 0; k < CHAIN; k++) {
            MODEL_CHECK(items[i][k].taken == 1);
        }
    }
}

MODEL_TEST(remote_two_push_one_takes, .threads = 3, .rounds = 20000, .exhaustive = true,
           .before = set_up, .thread = push_or_take, .after = nothing_is_lost);

MODEL_TEST(remote_two_push_two_take, .threads = 4, .rounds = 20000, .before = set_up,
           .thread = push_or_take, .after = nothing_is_lost);
