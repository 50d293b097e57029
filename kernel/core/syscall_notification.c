/* SPDX-License-Identifier: MIT */
/*
 * System calls about notifications, and what is bound to them.
 */
#include "arch/irq.h"
#include "ipc/interrupt.h"
#include "ipc/notification.h"
#include "ipc/port_event.h"
#include "kernel/abi/syscall.h"
#include "kernel/core/syscall_priv.h"
#include "mm/memory.h"

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

/* With interrupts off, and until they are on again; NULL: the ways below say why. */
static inline struct notification *peek_notification(handle_t handle, rights_t rights)
{
    struct object *object =
        handle_peek(&syscall_domain()->handles, handle, OBJECT_NOTIFICATION, rights);

    return object != NULL ? notification_of_object(object) : NULL;
}

/* Why a handle cannot be used. It may be fit by now, if it was opened a moment ago. */
__attribute__((noinline)) static long why_refused(handle_t handle, rights_t rights)
{
    struct object *object;

    irq_enable();
    status_t status = get_notification(handle, rights, &object);
    if (status == OK) {
        object_release(object);
        status = ERR_BAD_HANDLE;
    }
    return status;
}

long syscall_signal(handle_t handle, uint64_t bits)
{
    irq_disable();
    struct notification *notification = peek_notification(handle, RIGHT_SEND);

    if (__builtin_expect(notification == NULL, 0)) {
        return why_refused(handle, RIGHT_SEND);
    }
    status_t status = notification_close_reason(notification);

    if (__builtin_expect(status == OK, 1)) {
        notification_signal_directly(notification, bits);
    }
    irq_enable();
    return status;
}

struct syscall_pair syscall_wait(handle_t handle, uint64_t mask, nsec_t deadline)
{
    uint64_t bits = 0;

    irq_disable();
    struct notification *notification = peek_notification(handle, RIGHT_RECEIVE);

    if (__builtin_expect(notification == NULL, 0)) {
        return (struct syscall_pair){.status = why_refused(handle, RIGHT_RECEIVE)};
    }
    if (mask == 0) {
        mask = ~0UL;
    }
    status_t status = notification_close_reason(notification);

    if (__builtin_expect(status == OK, 1)) {
        bits = signal_word_poll(&notification->word, mask);
        if (bits == 0 && deadline == DEADLINE_NOW) {
            status = ERR_WOULD_BLOCK;
        } else if (bits == 0) {
            status = notification_wait_found(notification, mask, deadline, &bits);
        }
    }
    irq_enable();
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

/* Only who was given all device memory, as init is by the kernel, decides about devices. */
static status_t may_manage_devices(handle_t devices)
{
    struct object *object;
    status_t status =
        handle_get(&syscall_domain()->handles, devices, OBJECT_MEMORY, RIGHT_MANAGE, &object, NULL);

    if (status == OK) {
        status = memory_is_all_devices(memory_of_object(object)) ? OK : ERR_DENIED;
        object_release(object);
    }
    return status;
}

long syscall_interrupt_bind(uint64_t line, handle_t notification, uint64_t bits, handle_t devices)
{
    struct object *object = NULL;
    status_t status = may_manage_devices(devices);

    if (status == OK && notification != HANDLE_NONE) {
        status = get_notification(notification, RIGHT_SEND, &object);
    }
    if (status == OK) {
        status = interrupt_bind(line, object != NULL ? notification_of_object(object) : NULL, bits);
    }
    if (object != NULL) {
        object_release(object);
    }
    return status;
}

long syscall_interrupt_acknowledge(uint64_t line, handle_t notification)
{
    struct object *object;
    status_t status = get_notification(notification, RIGHT_RECEIVE, &object);

    if (status == OK) {
        status = interrupt_acknowledge(line, notification_of_object(object));
        object_release(object);
    }
    return status;
}
