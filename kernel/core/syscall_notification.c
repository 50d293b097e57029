/* SPDX-License-Identifier: MIT */
/*
 * System calls about notifications.
 */
#include "ipc/notification.h"
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
