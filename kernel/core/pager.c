/* SPDX-License-Identifier: MIT */
/*
 * The pager: a port that is called about faults. What it says is checked as a user's system call would
 * be, with the rights of the handle in its own table.
 */
#include "kernel/core/pager.h"

#include "ipc/call.h"
#include "kernel/abi/memory.h"
#include "kernel/core/syscall_priv.h"
#include "mm/kstack.h"
#include "mm/upcall.h"
#include "sched/activation.h"
#include "sched/domain.h"

/* What a call from here, the pager's own trap and a system call of its may need. */
#define STACK_RESERVE_BYTES 8192UL

/* The space's pager with a reference, or NULL. */
static struct object *pager_of(struct vspace *space, uint64_t *badge)
{
    uint64_t state = spin_lock_save(&space->lock);
    struct object *pager = space->pager;

    if (pager != NULL) {
        object_retain(pager);
        *badge = space->pager_badge;
    }
    spin_unlock_restore(&space->lock, state);
    return pager;
}

/* What the reply's protection can ever become. */
static uint32_t reply_protection(const struct message *reply)
{
    uint32_t protection = (uint32_t)reply->word[2] & PROTECT_ALL;

    return protection == 0 ? 0 : protection | PROTECT_READ;
}

/* Maps what the reply names. */
static status_t map_reply(struct vspace *space, vaddr_t address, struct domain *pager,
                          const struct message *reply)
{
    struct vspace_mapping mapping = {
        .address = ALIGN_DOWN(address, PAGE_BYTES),
        .bytes = reply->word[3] == 0 ? PAGE_BYTES : reply->word[3],
        .protection = (uint32_t)reply->word[2],
        .offset = reply->word[1],
    };
    struct object *object;
    rights_t rights;
    vaddr_t mapped;
    status_t status = handle_get_rights(&pager->handles, reply->word[0], OBJECT_MEMORY,
                                        RIGHT_MAP_READ, &object, &rights);

    if (status != OK) {
        return status;
    }
    mapping.memory = memory_of_object(object);
    /* Never more than the pager says, whatever its own handle allows. */
    mapping.allowed = syscall_memory_allowed(rights) & reply_protection(reply);
    if (reply->word[2] > UINT32_MAX) {
        object_release(object);
        return ERR_INVALID;
    }
    return (rights & HANDLE_IS_COPY) != 0
               ? vspace_map_copy(space, &mapping, &pager->handles, reply->word[0], &mapped)
               : vspace_map_given(space, &mapping, &mapped);
}

/* Without a memory object the access is just tried again: the pager has mapped something, or wants to be
 * asked again. With one the page is there if the reply was any good, or if another thread was faster. */
static status_t use_reply(struct vspace *space, vaddr_t address, uint32_t access,
                          struct domain *pager, const struct message *reply)
{
    if (reply->tag != MESSAGE_TAG(OK, 4)) {
        return ERR_FAULT;
    }
    if (reply->word[0] == HANDLE_NONE) {
        return OK;
    }
    if (map_reply(space, address, pager, reply) == ERR_NO_MEMORY) {
        return ERR_NO_MEMORY;
    }
    return vspace_fault(space, address, access);
}

status_t pager_ask(struct vspace *space, vaddr_t address, uint32_t access, vaddr_t pc)
{
    struct message message = {
        .tag = MESSAGE_TAG(PAGER_FAULT, 3),
        .word = {address, (access & PROTECT_WRITE) != 0 ? PROTECT_WRITE : access, pc},
    };
    uint64_t badge;
    struct object *pager;
    status_t status;

    if (address < USER_BASE || address >= USER_TOP) {
        return ERR_FAULT;
    }
    if (thread_is_spent()) {
        return ERR_CANCELLED; /* a pager that says "try again" might do so for ever */
    }
    if (kstack_room() < STACK_RESERVE_BYTES) {
        return ERR_DEPTH;
    }
    pager = pager_of(space, &badge);
    if (pager == NULL) {
        return ERR_FAULT;
    }
    status = call_for_fault(port_of_object(pager), badge, &message);
    if (status == OK) {
        status = use_reply(space, address, access, port_of_object(pager)->domain, &message);
    } else if (status != ERR_CANCELLED) {
        status = ERR_FAULT;
    }
    object_release(pager);
    return status;
}

status_t upcall_page_fault(struct vspace *space, vaddr_t address, uint32_t access)
{
    /* A service in the kernel touches its caller's memory: a pager that does not answer would keep the
     * service from everybody else. */
    if (activation_current()->domain->vspace != space) {
        return ERR_FAULT;
    }
    return pager_ask(space, address, access, 0);
}

/* The domain's space while it cannot end: domain.lock, then vspace.lock. */
static status_t set_pager(struct domain *domain, struct object *pager, uint64_t badge,
                          struct object **old)
{
    uint64_t state = spin_lock_save(&domain->lock);
    status_t status = ERR_PEER_DIED;

    if (domain->state == DOMAIN_ALIVE) {
        spin_lock(&domain->vspace->lock);
        *old = domain->vspace->pager;
        domain->vspace->pager = pager;
        domain->vspace->pager_badge = badge;
        spin_unlock(&domain->vspace->lock);
        status = OK;
    }
    spin_unlock_restore(&domain->lock, state);
    return status;
}

long syscall_domain_set_pager(handle_t handle, handle_t port)
{
    struct handle_table *handles = &syscall_domain()->handles;
    struct object *domain;
    struct object *pager = NULL;
    struct object *old = NULL;
    uint64_t badge = 0;
    status_t status = handle_get(handles, handle, OBJECT_DOMAIN, RIGHT_MANAGE, &domain, NULL);

    if (status != OK) {
        return status;
    }
    if (port != HANDLE_NONE) {
        status = handle_get(handles, port, OBJECT_PORT, RIGHT_CALL, &pager, &badge);
    }
    if (status == OK && pager != NULL && port_of_object(pager)->mode == PORT_MODE_MAILBOX) {
        status = ERR_WRONG_TYPE;
    }
    if (status == OK && (struct domain *)domain == &kernel_domain) {
        status = ERR_DENIED;
    }
    if (status == OK) {
        status = set_pager((struct domain *)domain, pager, badge, &old);
    }
    if (status != OK) {
        old = pager; /* it was not taken over */
    }
    if (old != NULL) {
        object_release(old);
    }
    object_release(domain);
    return status;
}
