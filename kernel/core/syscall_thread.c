/* SPDX-License-Identifier: MIT */
/*
 * System calls about threads, domains and time.
 */
#include "kernel/abi/exit.h"
#include "kernel/abi/limits.h"
#include "kernel/core/syscall_priv.h"
#include "mm/vspace_direct.h"
#include "sched/sched.h"

#define THREAD_HANDLE_RIGHTS (RIGHT_WAIT | RIGHT_MANAGE | RIGHT_DUPLICATE | RIGHT_TRANSFER)

long syscall_yield(void)
{
    sched_yield();
    return OK;
}

static bool user_address(vaddr_t address)
{
    return address >= USER_BASE && address < USER_TOP;
}

long syscall_thread_create(vaddr_t entry, vaddr_t stack_top, uint64_t argument, vaddr_t tp)
{
    struct domain *domain = syscall_domain();
    const uint64_t arguments[4] = {argument};
    struct thread *thread;
    handle_t handle;
    status_t status;

    if (!user_address(entry) || !user_address(stack_top - 1) || stack_top % 16 != 0) {
        return ERR_INVALID;
    }
    status = thread_create_user(domain, domain->name, entry, stack_top, tp, arguments, &thread);
    if (status != OK) {
        return status;
    }
    status = handle_open(&domain->handles, &thread->object, THREAD_HANDLE_RIGHTS, 0, &handle);
    if (status == OK) {
        status = thread_start(thread, THREAD_ANY_CORE);
        if (status != OK) {
            (void)handle_close(&domain->handles, handle); /* just opened */
        }
    }
    object_release(&thread->object);
    return status == OK ? (long)handle : status;
}

long syscall_thread_exit(long code)
{
    if (activation_current()->port != NULL) {
        return ERR_INVALID; /* this is a service's run on somebody else's thread */
    }
    thread_exit(code & EXIT_CODE_MASK);
}

static struct thread *thread_of(struct object *object)
{
    return container_of(object, struct thread, object);
}

static struct domain *domain_of(struct object *object)
{
    return container_of(object, struct domain, object);
}

/* What handles to the calling thread name; NULL for an orphan. */
static struct object *syscall_own_thread(void)
{
    struct thread *identity = thread_current()->identity;

    return identity != NULL ? &identity->object : NULL;
}

long syscall_join(handle_t handle, nsec_t deadline)
{
    struct object *object;
    long code = 0;
    status_t status = handle_get(&syscall_domain()->handles, handle, OBJECT_NONE, 0, &object, NULL);

    if (status != OK) {
        return status;
    }
    if (object->kind != OBJECT_THREAD && object->kind != OBJECT_DOMAIN) {
        status = ERR_WRONG_TYPE;
    } else if (object == syscall_own_thread() || object == &syscall_domain()->object) {
        status = ERR_DEADLOCK;
    } else {
        object_release(object);
        status =
            handle_get(&syscall_domain()->handles, handle, OBJECT_NONE, RIGHT_WAIT, &object, NULL);
        if (status != OK) {
            return status;
        }
        status = object->kind == OBJECT_THREAD ? thread_join(thread_of(object), deadline, &code)
                                               : domain_join(domain_of(object), deadline, &code);
    }
    object_release(object);
    return status == OK ? code : status;
}

long syscall_thread_kill(handle_t handle)
{
    struct object *object;
    status_t status =
        handle_get(&syscall_domain()->handles, handle, OBJECT_THREAD, RIGHT_MANAGE, &object, NULL);

    if (status == OK) {
        thread_kill(thread_of(object));
        object_release(object);
    }
    return status;
}

long syscall_thread_set_priority(handle_t handle, uint64_t priority)
{
    struct object *object;
    status_t status =
        handle_get(&syscall_domain()->handles, handle, OBJECT_THREAD, RIGHT_MANAGE, &object, NULL);

    if (status == OK) {
        status = thread_set_priority(thread_of(object), priority);
        object_release(object);
    }
    return status;
}

long syscall_thread_migrate(uint64_t cpu)
{
    return cpu < MAX_CORES ? sched_migrate((cpu_t)cpu) : ERR_INVALID;
}

long syscall_message_page(vaddr_t address)
{
    struct memory *memory = NULL;
    void *page = NULL;
    status_t status = OK;

    if (activation_current()->port != NULL) {
        return ERR_INVALID; /* a service's run on somebody else's thread: its page is its stack's */
    }
    if (address != 0) {
        status = vspace_hold_page(syscall_domain()->vspace, address, &memory, &page);
    }
    if (status == OK) {
        thread_set_page(page, memory);
    }
    return status;
}

long syscall_sleep(nsec_t deadline)
{
    return sched_sleep_until(deadline);
}

long syscall_domain_exit(long code)
{
    domain_kill(syscall_domain(), code & EXIT_CODE_MASK);
    return OK; /* not reached by the user: exit work ends the thread or the run */
}
