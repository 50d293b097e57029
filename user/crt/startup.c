/* SPDX-License-Identifier: MIT */
#include "user/crt/startup.h"

#include <stdlib.h>
#include <unistd.h>

#include "user/lib/baton.h"
#include "user/lib/libc_priv.h"
#include "user/lib/tls_priv.h"

extern char __first_tls[];
extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

int main(int argc, char **argv);

/* Pulls these files of the library into the link before picolibc is searched; nothing refers to
 * the table itself, so it is dropped again. */
static const void *const hooks[] __attribute__((used)) = {
    (const void *)(uintptr_t)_exit,
    &__lock___libc_recursive_mutex,
};

static handle_t lookup_handle;
static handle_t domain_handle;
static handle_t device_handle;

handle_t program_lookup_port(void)
{
    return lookup_handle;
}

handle_t program_own_domain(void)
{
    return domain_handle;
}

handle_t program_device_memory(void)
{
    return device_handle;
}

_Noreturn void startup_run(struct startup_block *block, handle_t lookup, handle_t domain,
                           handle_t device)
{
    tls_fill(__first_tls);
    lookup_handle = lookup;
    domain_handle = domain;
    device_handle = device;
    for (void (*const *run)(void) = __init_array_start; run < __init_array_end; run++) {
        (*run)();
    }
    exit(main((int)block->argc, block->argv));
}
