/* SPDX-License-Identifier: MIT */
/* Tests the balanced tree against a sorted array, with the largest weight of each subtree. */

#include "kernel/base/tree.h"

#include <stdlib.h>

#include "tests/test.h"

#define ENTRIES 300U

struct entry {
    struct tree_node node;
    uint64_t key;
    bool in;
};

static struct entry entries[ENTRIES];
static struct tree tree;

static struct entry *entry_of(struct tree_node *node)
{
    return tree_entry(node, struct entry, node);
}

static uint64_t heaviest_of(const struct tree_node *node)
{
    return node == NULL ? 0 : node->heaviest;
}

/* The node that follows, whose weight changes with its neighbour, as gaps between regions do. */
static struct tree_node *change_next(struct tree_node *next)
{
    if (next != NULL) {
        next->weight = (uint64_t)rand() % 1000;
    }
    return next;
}

static void add(struct entry *entry)
{
    struct tree_node *parent = NULL;
    struct tree_node **place = &tree.root;
    struct tree_node *next = NULL;

    while (*place != NULL) {
        parent = *place;
        if (entry->key < entry_of(parent)->key) {
            next = parent;
            place = &parent->left;
        } else {
            place = &parent->right;
        }
    }
    entry->in = true;
    tree_insert(&tree, &entry->node, parent, place, change_next(next));
}

static void take_out(struct entry *entry)
{
    tree_remove(&tree, &entry->node, change_next(tree_next(&entry->node)));
    entry->in = false;
}

/* Height of the subtree; notes what is wrong with it. */
static uint64_t check_subtree(struct tree_node *node, struct tree_node *parent)
{
    if (node == NULL) {
        return 0;
    }
    uint64_t left = check_subtree(node->left, node);
    uint64_t right = check_subtree(node->right, node);

    EXPECT_TRUE(node->parent == parent);
    EXPECT_TRUE(left <= right + 1 && right <= left + 1);
    EXPECT_EQ(node->height, 1 + max_u64(left, right));
    EXPECT_EQ(node->heaviest,
              max_u64(node->weight, max_u64(heaviest_of(node->left), heaviest_of(node->right))));
    return node->height;
}

/* The tree holds exactly what is `in`, in order, seen from both ends. */
static void check_order(void)
{
    struct tree_node *up = tree_first(&tree);
    struct tree_node *down = tree_last(&tree);

    for (unsigned i = 0; i < ENTRIES; i++) {
        if (entries[i].in) {
            ASSERT_TRUE(up != NULL);
            EXPECT_EQ(entry_of(up)->key, i);
            up = tree_next(up);
        }
        if (entries[ENTRIES - 1 - i].in) {
            ASSERT_TRUE(down != NULL);
            EXPECT_EQ(entry_of(down)->key, ENTRIES - 1 - i);
            down = tree_previous(down);
        }
    }
    EXPECT_TRUE(up == NULL && down == NULL);
}

static void start(void)
{
    tree_init(&tree);
    for (unsigned i = 0; i < ENTRIES; i++) {
        entries[i] = (struct entry){.key = i, .node.weight = i + 1};
    }
}

TEST(tree, empty_tree_has_no_first_and_no_last)
{
    start();
    EXPECT_TRUE(tree_first(&tree) == NULL);
    EXPECT_TRUE(tree_last(&tree) == NULL);
}

TEST(tree, rising_and_falling_keys_stay_balanced)
{
    start();
    for (unsigned i = 0; i < ENTRIES / 2; i++) {
        add(&entries[ENTRIES / 2 + i]);
        add(&entries[ENTRIES / 2 - 1 - i]);
    }
    EXPECT_TRUE(check_subtree(tree.root, NULL) <= 11); /* 1.44 log2(302) */
    check_order();
    for (unsigned i = 0; i < ENTRIES; i++) {
        take_out(&entries[i]);
        (void)check_subtree(tree.root, NULL);
    }
    EXPECT_TRUE(tree.root == NULL);
}

TEST(tree, random_changes_keep_order_balance_and_maximum)
{
    start();
    srand(3);
    for (unsigned round = 0; round < 20000; round++) {
        struct entry *entry = &entries[(unsigned)rand() % ENTRIES];

        if (!entry->in) {
            add(entry);
        } else if (rand() % 4 == 0) {
            entry->node.weight = (uint64_t)rand() % 1000;
            tree_update(&tree, &entry->node);
        } else {
            take_out(entry);
        }
        (void)check_subtree(tree.root, NULL);
        if (round % 64 == 0) {
            check_order();
        }
    }
}
