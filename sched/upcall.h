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

/* Somebody with the right to do so asks for a panic (kernel/core/panic.c). */
_Noreturn void upcall_panic(const char *why);
