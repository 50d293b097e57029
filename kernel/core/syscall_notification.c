/* SPDX-License-Identifier: MIT */
/*
 * System calls about notifications.
 */
#include "ipc/notification.h"
#include "ipc/port_event.h"
#include "kernel/core/syscall_priv.h"

long syscall_notification_create(void)
{
    struct domain *domain = syscall_domain();
    struct notification *notification;
    handle_t handle;
    status_t status = notification_create(domain, &notification);

    if (status != OK) {
        return status;
    }
    status = handle_open(&domain->handles, &notification->object, RIGHTS_ALL, 0, &handle);
    object_release(&notification->object);
    return status == OK ? (long)handle : status;
}

static status_t get_notification(handle_t handle, rights_t rights, struct object **object)
{
    return handle_get(&syscall_domain()->handles, handle, OBJECT_NOTIFICATION, rights, object,
                      NULL);
}

long syscall_signal(handle_t handle, uint64_t bits)
{
    struct object *object;
    status_t status = get_notification(handle, RIGHT_SEND, &object);

    if (status == OK) {
        struct notification *notification = notification_of_object(object);

        notification_signal(notification, bits);
        status = notification_close_reason(notification);
        object_release(object);
    }
    return status;
}

struct syscall_pair syscall_wait(handle_t handle, uint64_t mask, nsec_t deadline)
{
    struct object *object;
    uint64_t bits = 0;
    status_t status = get_notification(handle, RIGHT_RECEIVE, &object);

    if (status == OK) {
        status = notification_wait(notification_of_object(object), mask != 0 ? mask : ~0UL,
                                   deadline, &bits);
        object_release(object);
    }
    return (struct syscall_pair){.status = status, .value = bits};
}

long syscall_port_bind(handle_t handle, handle_t notification, uint64_t bits, uint64_t event)
{
    struct object *port;
    struct object *object = NULL;
    status_t status =
        handle_get(&syscall_domain()->handles, handle, OBJECT_PORT, RIGHT_RECEIVE, &port, NULL);

    if (status != OK) {
        return status;
    }
    if (notification != HANDLE_NONE) {
        status = get_notification(notification, RIGHT_SEND, &object);
    }
    if (status == OK) {
        status = port_bind(port_of_object(port),
                           object != NULL ? notification_of_object(object) : NULL, bits, event);
    }
    if (object != NULL) {
        object_release(object);
    }
    object_release(port);
    return status;
}
