/* SPDX-License-Identifier: MIT */
/*
 * An intrusive balanced search tree (AVL) with an optional summary of each subtree.
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
 *     tree_insert(tree, node, parent, place);
 *
 * The summary: update(node) computes what the entry keeps about its subtree from the entry itself
 * and its two children, and says whether that changed. The tree calls it bottom-up for every node
 * whose subtree has changed; tree_update does so when the entry's own part has changed.
 */
#pragma once

#include "kernel/base/types.h"

struct tree_node {
    struct tree_node *parent;
    struct tree_node *left;
    struct tree_node *right;
    uint64_t height; /* 1 + the larger of the children's; 0 for none */
};

struct tree {
    struct tree_node *root;
    bool (*update)(struct tree_node *node); /* NULL: no summary */
};

static inline void tree_init(struct tree *tree, bool (*update)(struct tree_node *node))
{
    tree->root = NULL;
    tree->update = update;
}

/* Puts `node` where the caller's walk ended; see above. */
void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent,
                 struct tree_node **place);

/* Takes the node out; it stays the caller's. */
void tree_remove(struct tree *tree, struct tree_node *node);

/* Brings the summaries up to date after the node's own part has changed. */
void tree_update(struct tree *tree, struct tree_node *node);

/* The first, the last; NULL when the tree is empty. */
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_last(const struct tree *tree);

/* The neighbours in order, or NULL at the end. */
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_previous(const struct tree_node *node);

/* The entry of `type` whose node is `member`. */
#define tree_entry(node, type, member) container_of(node, type, member)
