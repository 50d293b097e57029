/* SPDX-License-Identifier: MIT */
/*
 * The table of names: who may add and remove, what belongs to which port, how large the table is.
 *
 * An entry owns a reference to its port until its grace period is over: who finds it in an epoch section may
 * take one of its own, and the domain that pays for the entry stays. Whoever makes the table too full or
 * too empty resizes it, in steps that let interrupts and others in.
 */
#include "ipc/name.h"

#include <string.h>

#include "arch/timer.h"
#include "ipc/name_table.h"
#include "ipc/name_watch.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "kernel/base/list.h"
#include "kernel/base/tree.h"
#include "mm/spmalloc.h"

struct name {
    struct tree_node order; /* of all names, by their bytes */
    struct list port_link;  /* of those of the port */
    struct port *port;      /* owns a reference */
    struct epoch_callback reclaim;
    struct name_entry entry; /* last: the text is behind it */
};

static struct spinlock name_lock = SPINLOCK_INIT("names"); /* guards all below; innermost */
static struct name_table names;                            /* read without the lock */
static struct tree name_order GUARDED_BY(name_lock);
static uint64_t name_seed; /* constant */

static void name_table_fit(void);

status_t name_init(void)
{
    struct name_array *array = spmalloc_zeroed(&kernel_account, name_array_bytes(NAME_ARRAY_FIRST));

    if (array == NULL) {
        return ERR_NO_MEMORY;
    }
    name_table_init(&names, array, NAME_ARRAY_FIRST);
    name_seed = timer_now_ns(); /* so that nobody can choose names that meet in one chain */
    return OK;
}

static bool name_is_valid(const char *name, size_t bytes)
{
    if (bytes == 0 || bytes > MAX_NAME_BYTES) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (name[i] <= ' ' || name[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool port_is_closed(const struct port *port)
{
    /* relaxed: who uses the port finds out again */
    return (atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0;
}

static struct name *name_of_entry(struct name_entry *entry)
{
    return entry == NULL ? NULL : container_of(entry, struct name, entry);
}

/* --- the order of the names --- */

static int name_compare(const char *text, size_t bytes, const struct name *name)
{
    size_t common = min_u64(bytes, name->entry.bytes);
    int difference = memcmp(text, name->entry.text, common);

    if (difference != 0 || bytes == name->entry.bytes) {
        return difference;
    }
    return bytes < name->entry.bytes ? -1 : 1;
}

static void name_order_add(struct name *name) REQUIRES(name_lock)
{
    struct tree_node *parent = NULL, **place = &name_order.root;

    while (*place != NULL) {
        const struct name *other = tree_entry(*place, struct name, order);

        parent = *place;
        place = name_compare(name->entry.text, name->entry.bytes, other) < 0 ? &parent->left
                                                                             : &parent->right;
    }
    tree_insert(&name_order, &name->order, parent, place, NULL);
}

/* The first one behind a text. */
static struct name *name_order_behind(const char *text, size_t bytes) REQUIRES(name_lock)
{
    struct tree_node *node = name_order.root;
    struct name *found = NULL;

    while (node != NULL) {
        struct name *name = tree_entry(node, struct name, order);

        if (name_compare(text, bytes, name) < 0) {
            found = name;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return found;
}

status_t name_next(const char *after, size_t bytes, struct name_row *row)
{
    uint64_t state = spin_lock_save(&name_lock);
    const struct name *name = name_order_behind(after, bytes);

    if (name != NULL) {
        memcpy(row->name, name->entry.text, name->entry.bytes + 1);
        row->port = name->port->index;
        row->domain = name->port->domain->id;
    }
    spin_unlock_restore(&name_lock, state);
    return name == NULL ? ERR_NOT_FOUND : OK;
}

/* --- coming and going --- */

static void name_add(struct name *name) REQUIRES(name_lock)
{
    object_retain(&name->port->object);
    list_push_back(&name->port->names, &name->port_link);
    name->port->name_count++;
    name_order_add(name);
}

static void name_remove(struct name *name) REQUIRES(name_lock)
{
    name_table_remove(&names, &name->entry);
    list_remove(&name->port_link);
    name->port->name_count--;
    tree_remove(&name_order, &name->order, NULL);
}

/* No look-up can still see it. */
static void name_reclaim(struct epoch_callback *callback)
{
    struct name *name = container_of(callback, struct name, reclaim);
    struct port *port = name->port;

    spmalloc_free(name); /* before its domain may go */
    object_release(&port->object);
}

/* It has been removed; no lock is held. */
static void name_discard(struct name *name)
{
    name_watch_signal(name->entry.text, name->entry.bytes);
    epoch_defer(&name->reclaim, name_reclaim);
    name_table_fit();
}

static struct name *name_make(const char *text, size_t bytes, struct port *port)
{
    struct name *name = spmalloc(port->domain->account, sizeof(*name) + bytes + 1);

    if (name != NULL) {
        name->port = port;
        list_init(&name->port_link);
        name->order.weight = 0;
        name->entry.hash = name_hash(text, bytes, name_seed);
        name->entry.bytes = bytes;
        memcpy(name->entry.text, text, bytes);
        name->entry.text[bytes] = '\0';
    }
    return name;
}

/* `old`: who has the name now, or NULL. */
static status_t name_may_be_added(const struct name *name, const struct name *old)
    REQUIRES(name_lock)
{
    if (port_is_closed(
            name->port)) { /* looked at under the lock: name_forget comes after the closing */
        return ERR_STALE;
    }
    if (old != NULL && !port_is_closed(old->port)) {
        return ERR_EXISTS;
    }
    return name->port->name_count >= MAX_PORT_NAMES || (old == NULL && names.count >= MAX_NAMES)
               ? ERR_NO_SPACE
               : OK;
}

status_t name_register(const char *text, size_t bytes, struct port *port)
{
    if (!name_is_valid(text, bytes)) {
        return ERR_INVALID;
    }
    if (port_is_closed(port)) {
        return ERR_STALE;
    }
    struct name *name = name_make(text, bytes, port);
    if (name == NULL) {
        return ERR_NO_MEMORY;
    }
    uint64_t state = spin_lock_save(&name_lock);
    struct name *old = name_of_entry(name_table_find(&names, text, bytes, name->entry.hash));
    status_t status = name_may_be_added(name, old);

    if (status == OK) {
        if (old != NULL) {
            name_remove(old);
        }
        if (name_table_add(&names, &name->entry)) {
            name_add(name);
        } else {
            status = ERR_NO_SPACE;
        }
    } else {
        old = NULL;
    }
    spin_unlock_restore(&name_lock, state);
    if (status != OK) {
        spmalloc_free(name);
    }
    if (old != NULL) {
        name_discard(old);
    } else {
        name_table_fit();
    }
    if (status == OK) {
        name_watch_signal(text, bytes);
    }
    return status;
}

status_t name_unregister(const char *text, size_t bytes, const struct domain *domain)
{
    status_t status = OK;
    uint64_t hash = name_hash(text, bytes, name_seed);
    uint64_t state = spin_lock_save(&name_lock);
    struct name *name = name_of_entry(name_table_find(&names, text, bytes, hash));

    if (name == NULL) {
        status = ERR_NOT_FOUND;
    } else if (name->port->domain != domain) {
        status = ERR_DENIED;
        name = NULL;
    } else {
        name_remove(name);
        status = port_is_closed(name->port) ? ERR_NOT_FOUND : OK; /* it named nothing any more */
    }
    spin_unlock_restore(&name_lock, state);
    if (name != NULL) {
        name_discard(name);
    }
    return status;
}

void name_forget(struct port *port)
{
    for (;;) {
        uint64_t state = spin_lock_save(&name_lock);
        struct list *link = list_first(&port->names);
        struct name *name = link == NULL ? NULL : container_of(link, struct name, port_link);

        if (name != NULL) {
            name_remove(name);
        }
        spin_unlock_restore(&name_lock, state);
        if (name == NULL) {
            return;
        }
        name_discard(name);
    }
}

/* --- looking up --- */

status_t name_find(const char *text, size_t bytes, struct port **out)
{
    status_t status = OK;

    if (!name_is_valid(text, bytes)) {
        return ERR_INVALID;
    }
    uint64_t hash = name_hash(text, bytes, name_seed);
    uint64_t state = irq_save(); /* an epoch section */
    const struct name *name = name_of_entry(name_table_find(&names, text, bytes, hash));

    if (name == NULL) {
        status = ERR_NOT_FOUND;
    } else if (port_is_closed(name->port)) {
        status = ERR_STALE;
    } else {
        object_retain(&name->port->object);
        *out = name->port;
    }
    irq_restore(state);
    return status;
}

void name_of_port(struct port *port, char text[MAX_NAME_BYTES + 1])
{
    uint64_t state = spin_lock_save(&name_lock);
    const struct list *link = list_first(&port->names);

    text[0] = '\0';
    if (link != NULL) {
        const struct name *name = container_of(link, struct name, port_link);

        memcpy(text, name->entry.text, name->entry.bytes + 1);
    }
    spin_unlock_restore(&name_lock, state);
}

/* --- the size of the table --- */

/* Nobody reads it any more. Its end may have been waited for. */
static void array_reclaim(struct epoch_callback *callback)
{
    spmalloc_free(container_of(callback, struct name_array, reclaim));
    uint64_t state = spin_lock_save(&name_lock);

    name_table_settled(&names);
    spin_unlock_restore(&name_lock, state);
    name_table_fit();
}

static uint64_t name_table_ask(void)
{
    uint64_t state = spin_lock_save(&name_lock);
    uint64_t buckets = name_table_wanted_buckets(&names);

    spin_unlock_restore(&name_lock, state);
    return buckets;
}

/* False if somebody else was faster, or the table need not be resized any more. */
static bool name_table_try_begin(struct name_array *array, uint64_t buckets)
{
    uint64_t state = spin_lock_save(&name_lock);
    bool begin = name_table_wanted_buckets(&names) == buckets;

    if (begin) {
        name_table_begin(&names, array, buckets);
    }
    spin_unlock_restore(&name_lock, state);
    return begin;
}

/* Resizes the table if it has to be. Without memory its chains are longer for now. No lock is held. */
static void name_table_fit(void)
{
    uint64_t buckets = name_table_ask();
    struct name_array *old = NULL;

    if (buckets == 0) {
        return;
    }
    struct name_array *array = spmalloc_zeroed(&kernel_account, name_array_bytes(buckets));
    if (array == NULL) {
        return;
    }
    if (!name_table_try_begin(array, buckets)) {
        spmalloc_free(array);
        return;
    }
    while (old == NULL) {
        uint64_t state = spin_lock_save(&name_lock);

        old = name_table_step(&names);
        spin_unlock_restore(&name_lock, state);
    }
    epoch_defer(&old->reclaim, array_reclaim);
}
