/* SPDX-License-Identifier: MIT */
/*
 * The calls that scheduling makes upwards (defined in ipc/).
 */
#pragma once

struct domain;

/* The domain is dying: close its ports, release every caller inside. Thread context. */
void upcall_domain_closing(struct domain *domain);

/* True when no activation is left inside the domain and none can start. Any context. */
_Bool upcall_domain_is_quiet(struct domain *domain);

/* No thread of it runs any more: take back what it sent and nobody has got. A grace period later nothing of it is
 * looked at. Thread context. */
void upcall_domain_take_letters(struct domain *domain);

/*
 * The running thread is asked for something: do what concerns who is above its innermost activation. True:
 * the innermost one is to end, or the thread. Interrupts off; they are let in meanwhile when there is
 * something to do.
 */
_Bool upcall_settle_thread(void);

/* Somebody with the right to do so asks for a panic (kernel/core/panic.c). */
_Noreturn void upcall_panic(const char *why);
