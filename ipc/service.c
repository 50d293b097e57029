/* SPDX-License-Identifier: MIT */
/*
 * Starting the services that are linked into the kernel, and their view of the caller's memory.
 */
#include "ipc/service.h"

#include <string.h>

#include "arch/usercopy.h"
#include "ipc/name.h"
#include "kernel/base/print.h"
#include "sched/domain.h"

/* The linker collects the entries of SERVICE(). */
extern const struct service *const __services_start[];
extern const struct service *const __services_end[];

static status_t service_start(const struct service *service)
{
    struct port_attributes attributes = {
        .mode = PORT_MODE_KERNEL_SERVICE,
        .entry = (vaddr_t)service->handle,
        .runs = service->runs,
        .combines = service->combines,
        .takes_long = service->takes_long,
        .leaf = service->leaf,
    };
    struct port *port;
    status_t status;

    if (service->start != NULL) {
        service->start();
    }
    status = port_create(&kernel_domain, &attributes, &port);
    if (status == OK) {
        status = name_register(service->name, strlen(service->name), port);
        object_release(&port->object);
    }
    if (status != OK) {
        print("service %s cannot start: status %ld\n", service->name, status);
    }
    return status;
}

status_t service_start_all(void)
{
    status_t ready = name_init();

    if (ready != OK) {
        return ready;
    }
    for (const struct service *const *entry = __services_start; entry < __services_end; entry++) {
        status_t status = service_start(*entry);

        if (status != OK) {
            return status;
        }
    }
    return OK;
}

status_t request_copy_in(const struct request *request, void *to, uint64_t address, size_t bytes)
{
    if (request->caller->vspace == NULL) {
        memcpy(to, (const void *)address, bytes);
        return OK;
    }
    return usercopy_in(request->caller->vspace, to, (user_addr_t){address}, bytes);
}

status_t request_copy_out(const struct request *request, uint64_t address, const void *from,
                          size_t bytes)
{
    if (request->caller->vspace == NULL) {
        memcpy((void *)address, from, bytes);
        return OK;
    }
    return usercopy_out(request->caller->vspace, (user_addr_t){address}, from, bytes);
}

status_t request_place_segment(const struct request *request, uint32_t n, const void *from,
                               size_t bytes)
{
    struct message_buffer *buffer = request->buffer;
    status_t status;

    if (buffer == NULL || buffer->window[n].bytes < bytes) {
        return ERR_TOO_LONG;
    }
    status = request_copy_out(request, buffer->window[n].address, from, bytes);
    if (status == OK) {
        buffer->segment[n] =
            (struct message_segment){.address = buffer->window[n].address, .bytes = bytes};
    }
    return status;
}
