/* SPDX-License-Identifier: MIT */
/*
 * The stacks that services run on: one, or one a slot; those of kernel services are the port's own.
 */
#include <string.h>

#include "ipc/port_priv.h"
#include "kernel/abi/limits.h"
#include "mm/kstack.h"
#include "mm/memory.h"
#include "mm/spmalloc.h"
#include "mm/vspace_direct.h"

static bool user_address(vaddr_t address)
{
    return address >= USER_BASE && address < USER_TOP;
}

/* No two runs may meet on one stack. */
static bool is_used_before(const struct port_stack *stacks, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (stacks[i].top == stacks[index].top) {
            return true;
        }
    }
    return false;
}

status_t port_check_stacks(const struct port_attributes *attributes)
{
    uint32_t count = attributes->runs == 0 ? 1 : attributes->runs;

    if (attributes->runs > MAX_RUNS || (attributes->runs != 0 && attributes->combines)) {
        return ERR_INVALID;
    }
    if (attributes->mode != PORT_MODE_USER_SERVICE) {
        return OK;
    }
    if (!user_address(attributes->entry)) {
        return ERR_INVALID;
    }
    for (uint32_t i = 0; i < count; i++) {
        vaddr_t top = attributes->stacks[i].top;

        if (!user_address(top - 1) || top % 16 != 0 || is_used_before(attributes->stacks, i)) {
            return ERR_INVALID;
        }
    }
    return OK;
}

static status_t kernel_stack_make(struct account *account, vaddr_t *top)
{
    status_t status = account_charge_pages(account, KSTACK_MAPPED_PAGES);

    if (status != OK) {
        return status;
    }
    status = kstack_alloc(top);
    if (status != OK) {
        *top = 0;
        account_uncharge_pages(account, KSTACK_MAPPED_PAGES);
    }
    return status;
}

static void kernel_stack_free(struct account *account, vaddr_t top)
{
    if (top != 0) {
        kstack_free(top);
        account_uncharge_pages(account, KSTACK_MAPPED_PAGES);
    }
}

/* A stack as its user gave it, with its message page, which stays until the port is retired. */
static status_t user_stack_take(struct domain *domain, const struct port_stack *given,
                                struct run_stack *stack, struct message_page **page,
                                struct memory **memory)
{
    void *held;
    status_t status = OK;

    *stack = (struct run_stack){.top = given->top, .tp = given->tp};
    if (given->page != 0) {
        status = vspace_hold_page(domain->vspace, given->page, memory, &held);
        *page = status == OK ? held : NULL;
    }
    return status;
}

static void page_drop(struct message_page **page, struct memory *memory)
{
    if (*page != NULL) {
        *page = NULL;
        object_release(&memory->object);
    }
}

void port_drop_pages(struct port *port)
{
    page_drop(&port->page, port->page_memory);
    for (uint32_t i = 0; i < port->slot_count; i++) {
        page_drop(&port->slots[i].page, port->slots[i].page_memory);
    }
}

static status_t make_slots(struct port *port, const struct port_attributes *attributes)
{
    struct account *account = port->domain->account;
    size_t bytes = attributes->runs * sizeof(*port->slots);
    status_t status = OK;

    port->slots = spmalloc_aligned(account, bytes, sizeof(*port->slots));
    if (port->slots == NULL) {
        return ERR_NO_MEMORY;
    }
    memset(port->slots, 0, bytes);
    port->slot_count = attributes->runs;
    for (uint32_t i = 0; status == OK && i < port->slot_count; i++) {
        struct run_slot *slot = &port->slots[i];

        if (attributes->mode == PORT_MODE_USER_SERVICE) {
            status = user_stack_take(port->domain, &attributes->stacks[i], &slot->stack,
                                     &slot->page, &slot->page_memory);
        } else {
            status = kernel_stack_make(account, &slot->stack.top);
        }
    }
    return status;
}

status_t port_make_stacks(struct port *port, const struct port_attributes *attributes)
{
    status_t status = OK;

    if (attributes->runs != 0) {
        status = make_slots(port, attributes);
    } else if (attributes->mode == PORT_MODE_USER_SERVICE) {
        status = user_stack_take(port->domain, &attributes->stacks[0], &port->stack, &port->page,
                                 &port->page_memory);
    } else if (attributes->mode == PORT_MODE_KERNEL_SERVICE && attributes->leaf == NULL) {
        status = kernel_stack_make(port->domain->account, &port->stack.top);
    }
    return status;
}

void port_free_stacks(struct port *port)
{
    struct account *account = port->domain->account;

    port_drop_pages(port);
    if (port->mode == PORT_MODE_KERNEL_SERVICE) {
        kernel_stack_free(account, port->stack.top);
    }
    if (port->slots == NULL) {
        return;
    }
    for (uint32_t i = 0; i < port->slot_count && port->mode == PORT_MODE_CONCURRENT_KERNEL; i++) {
        kernel_stack_free(account, port->slots[i].stack.top);
    }
    spmalloc_free(port->slots);
}
