/* SPDX-License-Identifier: MIT */
/*
 * Floating-point state of activations.
 *
 * The registers belong to the innermost user-mode activation of the running thread. They go to
 * that activation's save area when another thread or another domain needs the unit, and come
 * back by a trap at the next use.
 */
#include "sched/activation.h"

#include <string.h>

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/upcall.h"
#include "kernel/base/assert.h"
#include "sched/domain.h"

static struct activation *activation_fpu_owner(void)
{
    struct activation *activation = core_current()->activation;

    while (activation != NULL && activation->domain == &kernel_domain) {
        activation = activation->previous;
    }
    return activation;
}

void activation_save_fpu(void)
{
    if (fpu_is_off()) {
        return;
    }
    if (fpu_is_dirty()) {
        struct activation *owner = activation_fpu_owner();

        BUG_ON(owner == NULL); /* the kernel itself never uses the unit */
        fpu_save(activation_fpu(owner));
        owner->fpu_saved = 1;
    }
    fpu_disable();
}

void upcall_fpu_first_use(void)
{
    struct activation *owner = activation_fpu_owner();
    struct fpu_state *state = activation_fpu(owner);

    if (owner->fpu_saved == 0) {
        memset(state, 0, sizeof(*state));
        owner->fpu_saved = 1;
    }
    fpu_load(state);
}
