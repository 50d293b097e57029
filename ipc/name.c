/* SPDX-License-Identifier: MIT */
/*
 * The table of names: a list under one lock.
 */
#include "ipc/name.h"

#include <string.h>

#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "kernel/base/list.h"
#include "mm/spmalloc.h"

struct name {
    struct list link;
    struct port *port; /* owns a reference */
    char text[MAX_NAME_BYTES + 1];
};

static struct spinlock name_lock = SPINLOCK_INIT("names"); /* guards the list */
static struct list names GUARDED_BY(name_lock) = LIST_INIT(names);
static uint32_t name_count GUARDED_BY(name_lock); /* bounds how long the list is walked */

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

static struct name *name_lookup(const char *text, size_t bytes) REQUIRES(name_lock)
{
    for (struct list *link = list_first(&names); link != NULL; link = list_next(&names, link)) {
        struct name *name = container_of(link, struct name, link);

        if (strlen(name->text) == bytes && memcmp(name->text, text, bytes) == 0) {
            return name;
        }
    }
    return NULL;
}

static void name_remove(struct name *name) REQUIRES(name_lock)
{
    list_remove(&name->link);
    name->port->names--;
    name_count--;
}

static void name_add(struct name *name, const char *text, size_t bytes, struct port *port)
    REQUIRES(name_lock)
{
    memcpy(name->text, text, bytes);
    object_retain(&port->object);
    name->port = port;
    port->names++;
    name_count++;
    list_push_back(&names, &name->link);
}

status_t name_register(const char *text, size_t bytes, struct port *port)
{
    struct port *replaced = NULL;
    struct name *unused = NULL;
    status_t status = OK;

    if (!name_is_valid(text, bytes)) {
        return ERR_INVALID;
    }
    if (port_is_closed(port)) {
        return ERR_STALE;
    }
    struct name *fresh = spmalloc_zeroed(port->domain->account, sizeof(*fresh));
    if (fresh == NULL) {
        return ERR_NO_MEMORY;
    }
    uint64_t state = spin_lock_save(&name_lock);
    struct name *name = name_lookup(text, bytes);
    if (port_is_closed(port)) { /* looked at under the lock: name_forget comes after the closing */
        status = ERR_STALE;
    } else if (name != NULL && !port_is_closed(name->port)) {
        status = ERR_EXISTS;
    } else if (port->names >= MAX_PORT_NAMES || (name == NULL && name_count >= MAX_NAMES)) {
        status = ERR_NO_SPACE;
    }
    if (status != OK) {
        unused = fresh;
    } else {
        if (name != NULL) { /* its memory is charged to its port's domain, so it cannot be reused */
            replaced = name->port;
            unused = name;
            name_remove(name);
        }
        name_add(fresh, text, bytes, port);
    }
    spin_unlock_restore(&name_lock, state);
    if (unused != NULL) {
        spmalloc_free(unused);
    }
    if (replaced != NULL) {
        object_release(&replaced->object);
    }
    return status;
}

status_t name_unregister(const char *text, size_t bytes, const struct domain *domain)
{
    bool removed = false;
    status_t status = OK;
    uint64_t state = spin_lock_save(&name_lock);
    struct name *name = name_lookup(text, bytes);

    if (name == NULL) {
        status = ERR_NOT_FOUND;
    } else if (name->port->domain != domain) {
        status = ERR_DENIED;
    } else {
        name_remove(name);
        removed = true;
        status = port_is_closed(name->port) ? ERR_NOT_FOUND : OK; /* it named nothing any more */
    }
    spin_unlock_restore(&name_lock, state);
    if (removed) {
        object_release(&name->port->object);
        spmalloc_free(name);
    }
    return status;
}

void name_forget(struct port *port)
{
    for (;;) {
        struct name *found = NULL;
        uint64_t state = spin_lock_save(&name_lock);

        for (struct list *link = list_first(&names); link != NULL; link = list_next(&names, link)) {
            struct name *name = container_of(link, struct name, link);

            if (name->port == port) {
                found = name;
                name_remove(name);
                break;
            }
        }
        spin_unlock_restore(&name_lock, state);
        if (found == NULL) {
            return;
        }
        object_release(&port->object);
        spmalloc_free(found);
    }
}

status_t name_find(const char *text, size_t bytes, struct port **out)
{
    status_t status = OK;

    if (!name_is_valid(text, bytes)) {
        return ERR_INVALID;
    }
    uint64_t state = spin_lock_save(&name_lock);
    struct name *name = name_lookup(text, bytes);

    if (name == NULL) {
        status = ERR_NOT_FOUND;
    } else if (port_is_closed(name->port)) {
        status = ERR_STALE;
    } else {
        object_retain(&name->port->object);
        *out = name->port;
    }
    spin_unlock_restore(&name_lock, state);
    return status;
}

status_t name_list(unsigned i, char text[MAX_NAME_BYTES + 1], struct port_id *id)
{
    status_t status = ERR_NOT_FOUND;
    uint64_t state = spin_lock_save(&name_lock);

    for (struct list *link = list_first(&names); link != NULL; link = list_next(&names, link)) {
        if (i-- == 0) {
            struct name *name = container_of(link, struct name, link);

            memcpy(text, name->text, sizeof(name->text));
            id->index = name->port->index;
            id->generation = name->port->generation;
            status = OK;
            break;
        }
    }
    spin_unlock_restore(&name_lock, state);
    return status;
}

void name_of_port(struct port_id id, char text[MAX_NAME_BYTES + 1])
{
    uint64_t state = spin_lock_save(&name_lock);

    text[0] = '\0';
    for (struct list *link = list_first(&names); link != NULL; link = list_next(&names, link)) {
        struct name *name = container_of(link, struct name, link);

        if (name->port->index == id.index && name->port->generation == id.generation) {
            memcpy(text, name->text, sizeof(name->text));
            break;
        }
    }
    spin_unlock_restore(&name_lock, state);
}
