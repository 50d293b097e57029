/* SPDX-License-Identifier: MIT */
/*
 * System calls about ports and handles.
 */
#include "ipc/port.h"
#include "kernel/abi/syscall.h"
#include "kernel/core/syscall_priv.h"

long syscall_port_create(uint64_t kind, vaddr_t entry, vaddr_t stack_top, vaddr_t tp,
                         uint64_t cookie)
{
    struct domain *domain = syscall_domain();
    struct port_attributes attributes = {
        .mode = kind == PORT_MAILBOX ? PORT_MODE_MAILBOX : PORT_MODE_USER_SERVICE,
        .entry = entry,
        .stack_top = stack_top,
        .service_tp = tp,
        .cookie = cookie,
        .combines = kind == PORT_COMBINING,
    };
    struct port *port;
    handle_t handle;
    status_t status;

    if (kind > PORT_COMBINING) {
        return ERR_INVALID;
    }
    status = port_create(domain, &attributes, &port);
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

long syscall_port_close(handle_t handle)
{
    struct object *object;
    status_t status =
        handle_get(&syscall_domain()->handles, handle, OBJECT_PORT, RIGHT_MANAGE, &object, NULL);

    if (status == OK) {
        port_close(port_of_object(object), ERR_STALE);
        object_release(object);
        status = handle_close(&syscall_domain()->handles, handle);
    }
    return status;
}

long syscall_handle_close(handle_t handle)
{
    return handle_close(&syscall_domain()->handles, handle);
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
