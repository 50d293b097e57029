/* SPDX-License-Identifier: MIT */
/*
 * Lines of the interrupt controller, and whom they signal.
 */
#include "ipc/interrupt.h"

#include "arch/core.h"
#include "arch/irqchip.h"
#include "arch/platform.h"
#include "arch/upcall.h"
#include "kernel/abi/limits.h"
#include "sched/domain.h"

struct interrupt_line {
    struct notification *notification; /* owns a reference; NULL: not bound */
    uint64_t bits;
    cpu_t cpu; /* where it is enabled */
    bool masked;
};

/* Guards the lines and what the controller is told about them; the notification's lock is not taken inside. */
static struct spinlock lines_lock = SPINLOCK_INIT("interrupt lines");
static struct interrupt_line lines[MAX_INTERRUPTS] GUARDED_BY(lines_lock);
static uint32_t bound_count; /* lines_lock; read without it as a hint */

static bool line_exists(uint64_t line)
{
    return line != 0 && line < MAX_INTERRUPTS && line <= platform.plic.sources;
}

/* Whose reference the caller gets. */
static struct notification *unbind_locked(uint32_t line) REQUIRES(lines_lock)
{
    struct notification *old = lines[line].notification;

    if (old != NULL) {
        irqchip_disable(line, lines[line].cpu);
        lines[line] = (struct interrupt_line){.notification = NULL};
        atomic_store_relaxed(&bound_count, bound_count - 1); /* relaxed: a hint */
    }
    return old;
}

status_t interrupt_bind(uint64_t line, struct notification *notification, uint64_t bits)
{
    struct notification *old = NULL;
    status_t status = OK;

    if (!line_exists(line) || (notification != NULL && bits == 0)) {
        return ERR_INVALID;
    }
    uint64_t state = spin_lock_save(&lines_lock);

    if (line == platform.uart.irq || (notification != NULL && lines[line].notification != NULL &&
                                      notification_close_reason(lines[line].notification) == OK)) {
        status = ERR_EXISTS;
    } else {
        old = unbind_locked((uint32_t)line);
        if (notification != NULL) {
            object_retain(&notification->object);
            lines[line].notification = notification;
            lines[line].bits = bits;
            lines[line].cpu = irqchip_enable((uint32_t)line, core_index());
            atomic_store_relaxed(&bound_count, bound_count + 1); /* relaxed: a hint */
        }
    }
    spin_unlock_restore(&lines_lock, state);
    if (old != NULL) {
        object_release(&old->object);
    }
    return status;
}

status_t interrupt_acknowledge(uint64_t line, const struct notification *notification)
{
    status_t status = OK;

    if (!line_exists(line)) {
        return ERR_INVALID;
    }
    uint64_t state = spin_lock_save(&lines_lock);

    if (lines[line].notification != notification) {
        status = ERR_NOT_FOUND;
    } else if (lines[line].masked) {
        lines[line].masked = false;
        irqchip_mask((uint32_t)line, false);
    }
    spin_unlock_restore(&lines_lock, state);
    return status;
}

/* On the core that has claimed it, interrupts off: the notification is there until they are on again. */
void upcall_device_interrupt(uint32_t line)
{
    struct notification *notification = NULL;
    uint64_t bits = 0;

    spin_lock(&lines_lock);
    irqchip_mask(line, true); /* or it would come for ever */
    if (line < MAX_INTERRUPTS && lines[line].notification != NULL) {
        lines[line].masked = true;
        notification = lines[line].notification;
        bits = lines[line].bits;
    }
    spin_unlock(&lines_lock);
    if (notification != NULL) {
        notification_signal_quietly(notification, bits);
    }
}

void interrupt_forget(const struct domain *domain)
{
    /* relaxed: who binds for a notification that is closed already may be late; the next to bind finds it closed */
    if (atomic_load_relaxed(&bound_count) == 0) {
        return;
    }
    for (uint32_t line = 1; line < MAX_INTERRUPTS; line++) {
        struct notification *old = NULL;
        uint64_t state = spin_lock_save(&lines_lock);

        if (lines[line].notification != NULL && lines[line].notification->domain == domain) {
            old = unbind_locked(line);
        }
        spin_unlock_restore(&lines_lock, state);
        if (old != NULL) {
            object_release(&old->object);
        }
    }
}

bool interrupt_is_masked(uint64_t line)
{
    uint64_t state = spin_lock_save(&lines_lock);
    bool masked = line_exists(line) && lines[line].masked;

    spin_unlock_restore(&lines_lock, state);
    return masked;
}
