/* SPDX-License-Identifier: MIT */
/*
 * An intrusive balanced search tree (AVL) that knows the largest weight in each subtree.
 *
 * Rules: a `struct tree_node` lies inside the entry; the caller keeps the order by choosing the
 * place of each new node himself, so there is no comparison function. Not safe against another
 * core: the owner's lock guards it. Never allocates, never recurses. Inserting, removing and
 * stepping cost O(log n); the height is at most 1.44 log2(n + 2). Source: Knuth, The Art of
 * Computer Programming 3, 6.2.3 (balanced trees).
 *
 * To insert, walk down from &tree->root, remembering the last node and the address of the
 * pointer that is NULL:
 *
 *     struct tree_node *parent = NULL, **place = &tree->root;
 *     while (*place != NULL) {
 *         parent = *place;
 *         place = key < key_of(parent) ? &parent->left : &parent->right;
 *     }
 *     tree_insert(tree, node, parent, place, NULL);
 *
 * A node's weight is whatever the owner wants to search for (0 if nothing): `heaviest` is the largest in
 * its subtree. The weight is set before the node is inserted. Who changes it later says so: with
 * tree_update, or, when it is that of the neighbour above a node that is inserted or removed, by naming
 * that neighbour as `also`, which costs less.
 */
#pragma once

#include "kernel/base/types.h"

struct tree_node {
    struct tree_node *parent;
    struct tree_node *left;
    struct tree_node *right;
    uint64_t height;   /* 1 + the larger of the children's; 0 for none */
    uint64_t weight;   /* the owner's */
    uint64_t heaviest; /* the largest weight in the subtree */
};

struct tree {
    struct tree_node *root;
};

static inline void tree_init(struct tree *tree)
{
    tree->root = NULL;
}

/* Puts `node` where the caller's walk ended; see above. `also`: the next in order or NULL. */
void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent,
                 struct tree_node **place, const struct tree_node *also);

/* Takes the node out; it stays the caller's. `also`: the next in order or NULL. */
void tree_remove(struct tree *tree, struct tree_node *node, const struct tree_node *also);

/* Brings `heaviest` up to date after the node's weight has changed. */
void tree_update(struct tree *tree, struct tree_node *node);

/* The first, the last; NULL when the tree is empty. */
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_last(const struct tree *tree);

/* The neighbours in order, or NULL at the end. */
static inline struct tree_node *tree_next(const struct tree_node *node)
{
    struct tree_node *next = node->right;

    if (next != NULL) {
        while (next->left != NULL) {
            next = next->left;
        }
        return next;
    }
    for (next = node->parent; next != NULL && next->right == node; next = next->parent) {
        node = next;
    }
    return next;
}

struct tree_node *tree_previous(const struct tree_node *node);

/* The entry of `type` whose node is `member`. */
#define tree_entry(node, type, member) container_of(node, type, member)
