/* SPDX-License-Identifier: MIT */
/*
 * System calls about ports and handles.
 */
#include "arch/usercopy.h"
#include "ipc/notification.h"
#include "ipc/letter.h"
#include "ipc/port.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/core/syscall_priv.h"

/* Makes a port of the calling domain and a handle for it. */
static long make_port(const struct port_attributes *attributes)
{
    struct domain *domain = syscall_domain();
    struct port *port;
    handle_t handle;
    status_t status = port_create(domain, attributes, &port);

    if (status != OK) {
        return status;
    }
    status = handle_open(&domain->handles, &port->object, RIGHTS_ALL, 0, &handle);
    if (status != OK) {
        port_close(port, ERR_STALE);
    }
    object_release(&port->object);
    return status == OK ? (long)handle : status;
}

long syscall_port_create(uint64_t kind, vaddr_t entry, vaddr_t stack_top, vaddr_t tp,
                         uint64_t cookie, vaddr_t page)
{
    const struct port_stack stack = {.top = stack_top, .tp = tp, .page = page};
    const struct port_attributes attributes = {
        .mode = kind == PORT_MAILBOX ? PORT_MODE_MAILBOX : PORT_MODE_USER_SERVICE,
        .entry = entry,
        .stacks = &stack,
        .cookie = cookie,
        .combines = kind == PORT_COMBINING,
    };

    return kind > PORT_COMBINING ? ERR_INVALID : make_port(&attributes);
}

long syscall_port_create_concurrent(vaddr_t entry, vaddr_t stacks, uint64_t runs, uint64_t cookie)
{
    struct port_stack copy[MAX_RUNS];
    struct port_attributes attributes = {
        .mode = PORT_MODE_USER_SERVICE,
        .entry = entry,
        .stacks = copy,
        .cookie = cookie,
    };
    status_t status;

    if (runs == 0 || runs > MAX_RUNS) {
        return ERR_INVALID;
    }
    attributes.runs = (uint32_t)runs;
    status = usercopy_in(syscall_domain()->vspace, copy, user_addr(stacks), runs * sizeof(copy[0]));
    return status != OK ? status : make_port(&attributes);
}

long syscall_port_configure(handle_t handle, uint64_t capacity, uint64_t low, uint64_t high,
                            uint64_t priority)
{
    const struct port_limits limits = {capacity, low, high, priority};
    struct object *object;
    status_t status =
        handle_get(&syscall_domain()->handles, handle, OBJECT_PORT, RIGHT_MANAGE, &object, NULL);

    if (status != OK) {
        return status;
    }
    status = letter_configure(port_of_object(object), &limits);
    object_release(object);
    return status;
}

long syscall_port_close(handle_t handle)
{
    struct object *object;
    status_t status = handle_get(&syscall_domain()->handles, handle, OBJECT_NONE, 0, &object, NULL);

    if (status != OK) {
        return status;
    }
    enum object_kind kind = object->kind;

    object_release(object);
    if (kind != OBJECT_PORT && kind != OBJECT_NOTIFICATION) {
        return ERR_WRONG_TYPE;
    }
    status = handle_get(&syscall_domain()->handles, handle, kind, RIGHT_MANAGE, &object, NULL);
    if (status != OK) {
        return status;
    }
    if (kind == OBJECT_PORT) {
        port_close(port_of_object(object), ERR_STALE);
    } else {
        notification_close(notification_of_object(object), ERR_STALE);
    }
    object_release(object);
    return handle_close(&syscall_domain()->handles, handle);
}

long syscall_handle_close(handle_t handle)
{
    return handle_close(&syscall_domain()->handles, handle);
}

long syscall_handle_revoke(handle_t handle)
{
    return handle_revoke(&syscall_domain()->handles, handle);
}

long syscall_handle_duplicate(handle_t handle, uint64_t rights, uint64_t badge)
{
    handle_t copy;
    status_t status;

    if ((rights & ~(uint64_t)RIGHTS_ALL) != 0) {
        return ERR_INVALID;
    }
    status = handle_duplicate(&syscall_domain()->handles, handle, (rights_t)rights, badge, &copy);
    return status == OK ? (long)copy : status;
}
