/* SPDX-License-Identifier: MIT */
#include "sched/program.h"

#include <string.h>

#include "arch/smp.h"
#include "kernel/abi/exit.h"
#include "kernel/base/elf.h"
#include "sched/sched.h"
#include "sched/startup_priv.h"

static const char *describe_status(status_t status)
{
    switch (status) {
    case ERR_NO_MEMORY:
        return "not enough memory for the program";
    case ERR_NO_SPACE:
        return "no room for another domain, thread or handle";
    case ERR_PEER_DIED:
        return "the domain was killed while it was made";
    default:
        return "the kernel could not build the program's address space";
    }
}

/* The validator knows user addresses in general, not that the top of them holds the stack. */
static bool segments_leave_room_for_stack(const struct elf_image *image)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segment[i];

        if (segment->vaddr + segment->memory_bytes > STARTUP_STACK_GUARD) {
            return false;
        }
    }
    return true;
}

static status_t load_segment(struct vspace *space, const struct elf_segment *segment,
                             const char *file)
{
    vaddr_t start = ALIGN_DOWN(segment->vaddr, PAGE_BYTES);
    vaddr_t end = ALIGN_UP(segment->vaddr + segment->memory_bytes, PAGE_BYTES);
    vaddr_t mapped;
    status_t status = vspace_map_anonymous(space, start, end - start, segment->protection, &mapped);

    if (status == OK && segment->file_bytes > 0) {
        status =
            vspace_write(space, segment->vaddr, file + segment->file_offset, segment->file_bytes);
    }
    return status;
}

static status_t load_image(struct vspace *space, const struct elf_image *image, const void *file)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        status_t status = load_segment(space, &image->segment[i], file);

        if (status != OK) {
            return status;
        }
    }
    icache_flush_all_cores(); /* a service's code may run on any core */
    return OK;
}

static status_t open_grant(struct domain *domain, const struct program_grant *grant,
                           handle_t *handle)
{
    *handle = HANDLE_NONE;
    if (grant->object == NULL) {
        return OK;
    }
    return handle_open(&domain->handles, grant->object, grant->rights, grant->badge, handle);
}

/* The handles of the first thread, in the order of its argument registers from a1 on. */
static status_t open_first_handles(struct domain *domain, const struct program_start *start,
                                   uint64_t arguments[4])
{
    status_t status = open_grant(domain, &start->grant, &arguments[1]);

    if (status == OK) {
        status = handle_open(&domain->handles, &domain->object, RIGHT_MANAGE | RIGHT_WAIT, 0,
                             &arguments[2]);
    }
    if (status == OK) {
        status = open_grant(domain, &start->device, &arguments[3]);
    }
    return status;
}

static status_t fill_domain(struct domain *domain, const struct program_start *start,
                            const struct elf_image *image, uint64_t argument_count)
{
    uint64_t arguments[4] = {0};
    struct thread *thread;
    vaddr_t sp;
    status_t status = load_image(domain->vspace, image, start->image);

    if (status == OK) {
        status = startup_make_stack(domain->vspace, start->arguments, start->argument_bytes,
                                    argument_count, &sp);
    }
    if (status == OK) {
        status = open_first_handles(domain, start, arguments);
    }
    if (status == OK) {
        arguments[0] = sp;
        status = thread_create_user(domain, start->name, image->entry, sp, 0, arguments, &thread);
    }
    if (status == OK) {
        status = thread_start(thread, THREAD_ANY_CORE);
        object_release(&thread->object);
    }
    return status;
}

status_t program_start(const struct program_start *start, struct domain **out, const char **why)
{
    struct elf_image image;
    struct domain *domain;
    uint64_t argument_count;
    status_t status;

    if (!startup_count_arguments(start->arguments, start->argument_bytes, &argument_count)) {
        *why = "too many arguments, or a string without its end";
        return ERR_INVALID;
    }
    status = elf_check(start->image, start->image_bytes, &image, why);
    if (status != OK) {
        return status;
    }
    if (!segments_leave_room_for_stack(&image)) {
        *why = "p_vaddr: a segment lies where the stack has to be";
        return ERR_BAD_FORMAT;
    }
    status = domain_create(start->name, start->memory_limit, &domain);
    if (status == OK) {
        if (start->may_register != NULL) { /* nothing runs in it yet */
            strlcpy(domain->may_register, start->may_register, sizeof(domain->may_register));
        }
        status = fill_domain(domain, start, &image, argument_count);
        if (status != OK) {
            /* The first thread never ran: ending the domain gives back all that it got. */
            domain_kill(domain, EXIT_KILLED);
            object_release(&domain->object);
        }
    }
    if (status != OK) {
        *why = describe_status(status);
        return status;
    }
    *out = domain;
    return OK;
}
