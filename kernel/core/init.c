/* SPDX-License-Identifier: MIT */
/*
 * From the boot archive to the first program.
 */
#include "kernel/core/init.h"

#include "arch/console.h"
#include "arch/layout.h"
#include "arch/platform.h"
#include "arch/power.h"
#include "ipc/name.h"
#include "kernel/base/print.h"
#include "mm/memory.h"
#include "sched/archive.h"
#include "sched/program.h"

#define EXIT_BAD_BOOT 2

_Noreturn static void init_give_up(const char *what, const char *why)
{
    print("boot: %s: %s\n", what, why);
    print("boot: nothing to run. Give a boot archive with a program `init` (qemu -initrd).\n");
    console_flush();
    power_exit(EXIT_BAD_BOOT);
}

const char *init_open_archive(void)
{
    const char *why = NULL;

    if (platform.archive_bytes == 0) {
        return "there is none";
    }
    if (archive_init(direct_map(platform.archive_base), platform.archive_bytes, &why) != OK) {
        return why;
    }
    return NULL;
}

void init_start(const char *archive_fault)
{
    static const char name[] = "init";
    const char *why = "the archive has no such file";
    struct program_start start = {
        .name = name,
        .arguments = name,
        .argument_bytes = sizeof(name),
        .may_register = "*",
    };
    struct memory *devices;
    struct port *lookup;
    struct domain *domain;

    if (archive_fault != NULL) {
        init_give_up("boot archive", archive_fault);
    }
    if (archive_find(name, &start.image, &start.image_bytes) != OK) {
        init_give_up("program init", why);
    }
    if (name_find("lookup", 6, &lookup) != OK) {
        init_give_up("service lookup", "it is not in this kernel");
    }
    start.grant = (struct program_grant){.object = &lookup->object, .rights = RIGHT_CALL};
    if (memory_create_device(&kernel_account, NULL, 0, MEMORY_PHYSICAL_PAGES, &devices) != OK) {
        init_give_up("device memory", "out of memory");
    }
    start.device = (struct program_grant){.object = &devices->object, .rights = RIGHTS_MEMORY};
    if (program_start(&start, &domain, &why) != OK) {
        init_give_up("program init", why);
    }
    object_release(&devices->object);
    object_release(&lookup->object);
    object_release(&domain->object);
}
