/* SPDX-License-Identifier: MIT */
/*
 * The stacks that services run on: one, or one a slot; those of kernel services are the port's own.
 */
#include <string.h>

#include "ipc/port_priv.h"
#include "kernel/abi/limits.h"
#include "mm/kstack.h"
#include "mm/spmalloc.h"

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
        if (attributes->mode == PORT_MODE_USER_SERVICE) {
            port->slots[i].stack = attributes->stacks[i];
        } else {
            status = kernel_stack_make(account, &port->slots[i].stack.top);
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
        port->stack = attributes->stacks[0];
    } else if (attributes->mode == PORT_MODE_KERNEL_SERVICE && attributes->leaf == NULL) {
        status = kernel_stack_make(port->domain->account, &port->stack.top);
    }
    return status;
}

void port_free_stacks(struct port *port)
{
    struct account *account = port->domain->account;

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
