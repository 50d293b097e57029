/* SPDX-License-Identifier: MIT */
/*
 * Copies of handles: duplicates, what is sent from table to table, and ending all that was made from one.
 *
 * A copy is in the forest before anybody can use it, and the handle it is made from is looked up under the
 * forest's lock; so a revoke that comes before finds no handle, and one that comes after finds the copy.
 * The schedule to beat: the original is looked up, then revoked with all its copies, and then the new one is entered.
 */
#include "kernel/base/atomic.h"
#include "kernel/object/handle_priv.h"

/* What a copy is made from. */
struct source {
    struct object *object; /* a reference */
    uint64_t badge;
    rights_t rights;
    grant_ref_t ref;
};

static status_t find_source(struct handle_table *table, handle_t handle, rights_t rights,
                            struct source *source) REQUIRES(grant_lock)
{
    status_t status = OK;

    spin_lock(&table->lock);
    const struct handle_entry *entry = handle_lookup(table, handle);

    if (entry == NULL) {
        status = ERR_BAD_HANDLE;
    } else if ((entry->rights & rights) != rights) {
        status = ERR_NO_RIGHT;
    } else {
        object_retain(entry->object);
        *source = (struct source){
            .object = entry->object,
            .badge = entry->badge,
            .rights = entry->rights,
            .ref = grant_ref_of_slot(table, (uint32_t)(handle & HANDLE_SLOT_MASK)),
        };
    }
    spin_unlock(&table->lock);
    return status;
}

/* A badge says who the sender is, so only who manages the port may give one, once. */
static bool may_badge(const struct source *source, uint64_t badge)
{
    return badge == 0 || (source->badge == 0 && (source->rights & RIGHT_MANAGE) != 0);
}

/*
 * Enter a copy of the handle that find_source found, unless it was closed meanwhile. A schedule that must not be: as
 * long as it has no copies it is closed without the forest's lock; then the copy hangs below a free slot, and a
 * revoke of the next handle there ends it. Once it has one, whoever closes it waits for us.
 */
static status_t add_below(struct handle_table *table, handle_t handle, grant_ref_t parent,
                          grant_ref_t copy) REQUIRES(grant_lock)
{
    grant_add(parent, copy);
    spin_lock(&table->lock);
    bool closed = handle_lookup(table, handle) == NULL;
    spin_unlock(&table->lock);
    if (closed) {
        grant_remove(copy);
    }
    return closed ? ERR_BAD_HANDLE : OK;
}

/* Fill a reserved slot with a copy that is in the forest. */
static handle_t fill_copy(struct handle_table *table, uint32_t slot, struct object *object,
                          rights_t rights, uint64_t badge) REQUIRES(grant_lock)
{
    spin_lock(&table->lock);
    handle_t handle = handle_fill(table, slot, object, rights | HANDLE_IS_COPY, badge);
    spin_unlock(&table->lock);
    return handle;
}

/* The first look, so that a full table is no answer to a bad handle. */
static status_t check_source(struct handle_table *table, handle_t handle, rights_t rights)
{
    struct object *object;
    status_t status = handle_get(table, handle, OBJECT_NONE, rights, &object, NULL);

    if (status == OK) {
        object_release(object);
    }
    return status;
}

status_t handle_duplicate(struct handle_table *table, handle_t handle, rights_t rights,
                          uint64_t badge, handle_t *out)
{
    struct source source = {.object = NULL};
    uint32_t slot;
    status_t status = check_source(table, handle, rights | RIGHT_DUPLICATE);

    if (status == OK) {
        status = handle_reserve(table, &slot);
    }
    if (status != OK) {
        return status;
    }
    uint64_t state = spin_lock_save(&grant_lock);
    status = find_source(table, handle, rights | RIGHT_DUPLICATE, &source);
    if (status == OK && !may_badge(&source, badge)) {
        status = ERR_NO_RIGHT;
    }
    if (status == OK) {
        status = add_below(table, handle, source.ref, grant_ref_of_slot(table, slot));
    }
    if (status == OK) {
        *out =
            fill_copy(table, slot, source.object, rights, source.badge != 0 ? source.badge : badge);
    }
    spin_unlock_restore(&grant_lock, state);
    if (status != OK) {
        handle_unreserve(table, slot);
    }
    if (source.object != NULL) {
        object_release(source.object);
    }
    return status;
}

status_t handle_open_from(struct handle_table *table, handle_t handle, struct object *object,
                          rights_t rights, handle_t *out)
{
    struct source source = {.object = NULL};
    uint32_t slot;
    status_t status = handle_reserve(table, &slot);

    if (status != OK) {
        return status;
    }
    uint64_t state = spin_lock_save(&grant_lock);
    status = find_source(table, handle, 0, &source);
    if (status == OK) {
        status = add_below(table, handle, source.ref, grant_ref_of_slot(table, slot));
    }
    if (status == OK) {
        *out = fill_copy(table, slot, object, rights, 0);
    }
    spin_unlock_restore(&grant_lock, state);
    if (status != OK) {
        handle_unreserve(table, slot);
    }
    if (source.object != NULL) {
        object_release(source.object);
    }
    return status;
}

status_t handle_take_out(struct handle_table *table, handle_t handle, rights_t rights,
                         struct handle_copy *copy)
{
    struct source source = {.object = NULL};
    uint64_t state = spin_lock_save(&grant_lock);
    status_t status = find_source(table, handle, rights | RIGHT_TRANSFER, &source);

    if (status == OK) {
        *copy = (struct handle_copy){
            .object = source.object,
            .badge = source.badge,
            .rights = rights,
        };
        status = add_below(table, handle, source.ref, grant_ref_of_leaf(&copy->leaf));
    }
    spin_unlock_restore(&grant_lock, state);
    if (status != OK && source.object != NULL) {
        object_release(source.object);
    }
    return status;
}

status_t handle_put_in(struct handle_table *table, struct handle_copy *copy, handle_t *out)
{
    uint32_t slot;
    status_t status = handle_reserve(table, &slot);

    if (status != OK) {
        return status;
    }
    uint64_t state = spin_lock_save(&grant_lock);
    if (copy->leaf.revoked) {
        status = ERR_STALE;
    } else {
        grant_add(grant_ref_of_leaf(&copy->leaf), grant_ref_of_slot(table, slot));
        *out = fill_copy(table, slot, copy->object, copy->rights, copy->badge);
    }
    spin_unlock_restore(&grant_lock, state);
    if (status != OK) {
        handle_unreserve(table, slot);
    }
    return status;
}

void handle_copy_again(struct handle_copy *copy, struct handle_copy *other)
{
    *other = (struct handle_copy){
        .object = copy->object,
        .badge = copy->badge,
        .rights = copy->rights,
    };
    object_retain(other->object);
    grant_split_leaf(&copy->leaf, &other->leaf);
}

void handle_copy_drop(struct handle_copy *copy)
{
    if (copy->object != NULL) {
        grant_drop_leaf(&copy->leaf);
        object_release(copy->object);
        copy->object = NULL;
    }
}

status_t handle_attach_leaf(struct handle_table *table, handle_t handle, struct grant_leaf *leaf)
{
    uint64_t state = spin_lock_save(&grant_lock);

    uint32_t slot = (uint32_t)(handle & HANDLE_SLOT_MASK);

    spin_lock(&table->lock);
    bool found = handle_lookup(table, handle) != NULL;
    bool is_copy = found && handle_node(table->array, slot)->next != 0;
    spin_unlock(&table->lock);
    if (is_copy) {
        grant_add_beside(grant_ref_of_slot(table, slot), grant_ref_of_leaf(leaf));
    }
    spin_unlock_restore(&grant_lock, state);
    return found ? OK : ERR_BAD_HANDLE;
}

/* The entry goes if it is the one whose node was removed; NULL: somebody else was faster. */
static struct object *clear_slot(struct handle_table *table, handle_t handle) REQUIRES(grant_lock)
{
    spin_lock(&table->lock);
    struct handle_entry *entry = handle_lookup(table, handle);
    struct object *object = entry == NULL ? NULL : handle_entry_clear(table, entry);
    spin_unlock(&table->lock);
    return object;
}

struct object *handle_close_copied(struct handle_table *table, handle_t handle)
{
    struct object *object = NULL;
    uint64_t state = spin_lock_save(&grant_lock);

    spin_lock(&table->lock);
    bool found = handle_lookup(table, handle) != NULL;
    spin_unlock(&table->lock);
    if (found) { /* from here on it may also be closed as one that is no copy */
        grant_remove(grant_ref_of_slot(table, (uint32_t)(handle & HANDLE_SLOT_MASK)));
        object = clear_slot(table, handle);
    }
    spin_unlock_restore(&grant_lock, state);
    return object;
}

/* What has come to its end while the forest was locked. */
struct ended {
    struct {
        struct object *object; /* a reference, or NULL */
        void (*settle)(struct object *object);
    } each[GRANT_ENDED_LOCKED];
    unsigned count;
};

static void end_node(grant_ref_t ref, struct ended *ended) REQUIRES(grant_lock)
{
    struct grant_leaf *leaf = grant_leaf_of(ref);
    struct object *object = NULL;
    void (*settle)(struct object *) = NULL;
    uint32_t slot;

    if (leaf != NULL) {
        leaf->revoked = true;
        if (leaf->class != NULL) {
            object = leaf->class->revoke(leaf);
            settle = leaf->class->settle;
        }
        grant_remove(ref);
    } else {
        struct handle_table *table = grant_table_of(ref, &slot);

        spin_lock(&table->lock);
        handle_t handle = table->array->entry[slot].handle;
        spin_unlock(&table->lock);
        grant_remove(ref);
        object = clear_slot(table, handle);
    }
    ended->each[ended->count].object = object;
    ended->each[ended->count].settle = settle;
    ended->count++;
}

/* Settling is once for all that is of one object; it is dear. */
static bool is_settled_later(const struct ended *ended, unsigned i)
{
    for (unsigned later = i + 1; later < ended->count; later++) {
        if (ended->each[later].object == ended->each[i].object &&
            ended->each[later].settle == ended->each[i].settle) {
            return true;
        }
    }
    return false;
}

static void finish_ended(struct ended *ended)
{
    for (unsigned i = 0; i < ended->count; i++) {
        struct object *object = ended->each[i].object;

        if (object != NULL && ended->each[i].settle != NULL && !is_settled_later(ended, i)) {
            ended->each[i].settle(object);
        }
        if (object != NULL) {
            object_release(object);
        }
    }
    ended->count = 0;
}

status_t handle_revoke(struct handle_table *table, handle_t handle)
{
    struct grant_leaf root = {.class = NULL};
    struct ended ended = {.count = 0};
    uint64_t state = spin_lock_save(&grant_lock);

    spin_lock(&table->lock);
    bool found = handle_lookup(table, handle) != NULL;
    spin_unlock(&table->lock);
    if (found) {
        grant_take_copies(grant_ref_of_slot(table, (uint32_t)(handle & HANDLE_SLOT_MASK)), &root);
    }
    while (root.node.first != 0) {
        /* The copies of who ends take its place in the list, so it ends with the last of them. */
        while (root.node.first != 0 && ended.count < GRANT_ENDED_LOCKED) {
            end_node(root.node.first, &ended);
        }
        spin_unlock_restore(&grant_lock, state);
        finish_ended(&ended);
        state = spin_lock_save(&grant_lock);
    }
    spin_unlock_restore(&grant_lock, state);
    return found ? OK : ERR_BAD_HANDLE;
}
