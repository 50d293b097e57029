/* SPDX-License-Identifier: MIT */
/*
 * Insertion and removal in an AVL tree, with parent pointers instead of a recursion.
 */
#include "kernel/base/tree.h"

static uint64_t height_of(const struct tree_node *node)
{
    return node == NULL ? 0 : node->height;
}

static uint64_t heaviest_of(const struct tree_node *node)
{
    return node == NULL ? 0 : node->heaviest;
}

/* Recomputes what the node keeps about its subtree; true when something changed. */
static inline bool refresh(struct tree_node *node)
{
    uint64_t height = 1 + max_u64(height_of(node->left), height_of(node->right));
    uint64_t heaviest =
        max_u64(node->weight, max_u64(heaviest_of(node->left), heaviest_of(node->right)));
    bool changed = height != node->height || heaviest != node->heaviest;

    node->height = height;
    node->heaviest = heaviest;
    return changed;
}

/* The pointer that leads to the node. */
static struct tree_node **place_of(struct tree *tree, const struct tree_node *node)
{
    struct tree_node *parent = node->parent;

    if (parent == NULL) {
        return &tree->root;
    }
    return parent->left == node ? &parent->left : &parent->right;
}

/* The right child takes the node's place, the node becomes its left child. Returns the new top. */
static struct tree_node *rotate_left(struct tree *tree, struct tree_node *node)
{
    struct tree_node *top = node->right;

    *place_of(tree, node) = top;
    top->parent = node->parent;
    node->right = top->left;
    if (node->right != NULL) {
        node->right->parent = node;
    }
    top->left = node;
    node->parent = top;
    (void)refresh(node);
    (void)refresh(top);
    return top;
}

/* The mirror image. */
static struct tree_node *rotate_right(struct tree *tree, struct tree_node *node)
{
    struct tree_node *top = node->left;

    *place_of(tree, node) = top;
    top->parent = node->parent;
    node->left = top->right;
    if (node->left != NULL) {
        node->left->parent = node;
    }
    top->right = node;
    node->parent = top;
    (void)refresh(node);
    (void)refresh(top);
    return top;
}

/* Levels a node whose children's heights differ by two; returns the top of the subtree. */
static struct tree_node *level(struct tree *tree, struct tree_node *node)
{
    if (height_of(node->left) > height_of(node->right)) {
        if (height_of(node->left->left) < height_of(node->left->right)) {
            (void)rotate_left(tree, node->left);
        }
        return rotate_right(tree, node);
    }
    if (height_of(node->right->right) < height_of(node->right->left)) {
        (void)rotate_right(tree, node->right);
    }
    return rotate_left(tree, node);
}

static bool is_level(const struct tree_node *node)
{
    uint64_t left = height_of(node->left);
    uint64_t right = height_of(node->right);

    return left <= right + 1 && right <= left + 1;
}

/* The maxima alone, from `node` upwards; as repair, for where no height changes any more. */
static void repair_maxima(struct tree_node *node, const struct tree_node *least)
{
    for (; node != NULL; node = node->parent) {
        uint64_t heaviest =
            max_u64(node->weight, max_u64(heaviest_of(node->left), heaviest_of(node->right)));

        if (node == least) {
            least = NULL;
        }
        if (heaviest == node->heaviest && least == NULL) {
            return;
        }
        node->heaviest = heaviest;
    }
}

/*
 * Repairs heights, balance and maxima from `node` upwards until nothing changes any more, but
 * not before `least` (NULL: none), an ancestor or the node itself, has been repaired.
 */
static void repair(struct tree *tree, struct tree_node *node, const struct tree_node *least)
{
    for (; node != NULL; node = node->parent) {
        uint64_t height = node->height; /* what those above know of this place */
        bool changed = true;
        bool is_least = node == least;

        if (is_level(node)) {
            changed = refresh(node);
        } else {
            node = level(tree, node);
        }
        if (is_least) {
            least = NULL;
        }
        if (!changed && least == NULL) {
            return;
        }
        if (node->height == height) {
            repair_maxima(node->parent, least);
            return;
        }
    }
}

void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent,
                 struct tree_node **place, const struct tree_node *also)
{
    node->parent = parent;
    node->left = NULL;
    node->right = NULL;
    node->height = 1;
    node->heaviest = node->weight;
    *place = node;
    repair(tree, parent, also); /* the next in order is an ancestor of a node without children */
}

/* A node with two children changes places with the one that follows it, which has no left one. */
static void remove_inner(struct tree *tree, struct tree_node *node)
{
    struct tree_node *next = node->right;
    struct tree_node *from;

    while (next->left != NULL) {
        next = next->left;
    }
    from = next->parent == node ? next : next->parent;
    if (from != next) {
        from->left = next->right;
        if (next->right != NULL) {
            next->right->parent = from;
        }
        next->right = node->right;
        next->right->parent = next;
    }
    next->left = node->left;
    next->left->parent = next;
    *place_of(tree, node) = next;
    next->parent = node->parent;
    next->height = node->height; /* what those above know of this place */
    next->heaviest = node->heaviest;
    /* Not ending before the new place, whatever changes below; it is `also`. */
    repair(tree, from, next);
}

/* With a right child, which then has no children, that is the next in order; without one, an ancestor is. */
void tree_remove(struct tree *tree, struct tree_node *node, const struct tree_node *also)
{
    struct tree_node *child = node->left != NULL ? node->left : node->right;

    if (node->left != NULL && node->right != NULL) {
        remove_inner(tree, node);
        return;
    }
    *place_of(tree, node) = child;
    if (child != NULL) {
        child->parent = node->parent;
    }
    if (child != NULL && child == also) {
        (void)refresh(child);
        also = NULL;
    }
    repair(tree, node->parent, also);
}

void tree_update(struct tree *tree, struct tree_node *node)
{
    (void)tree;
    repair_maxima(node, NULL);
}

struct tree_node *tree_first(const struct tree *tree)
{
    struct tree_node *node = tree->root;

    while (node != NULL && node->left != NULL) {
        node = node->left;
    }
    return node;
}

struct tree_node *tree_last(const struct tree *tree)
{
    struct tree_node *node = tree->root;

    while (node != NULL && node->right != NULL) {
        node = node->right;
    }
    return node;
}

struct tree_node *tree_previous(const struct tree_node *node)
{
    struct tree_node *previous = node->left;

    if (previous != NULL) {
        while (previous->right != NULL) {
            previous = previous->right;
        }
        return previous;
    }
    for (previous = node->parent; previous != NULL && previous->left == node;
         previous = previous->parent) {
        node = previous;
    }
    return previous;
}
