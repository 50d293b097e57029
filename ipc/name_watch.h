/* SPDX-License-Identifier: MIT */
/*
 * Watches: notifications that are signalled when a name comes or goes.
 *
 * Rules: a pattern is a name, or the beginning of names with a `*` behind it. A change is there to be looked up
 * before the signal, so who watches first and looks then misses nothing. Bounded: MAX_NAME_WATCHES in all,
 * MAX_DOMAIN_WATCHES for the notifications of one domain, which is charged. A watch ends with its notification.
 */
#pragma once

#include <stddef.h>

#include "ipc/notification.h"

/* Signal `bits` at each change. ERR_INVALID (the pattern, no bits), ERR_STALE or ERR_PEER_DIED (the notification is
 * closed), ERR_EXISTS (that notification watches that pattern), ERR_NO_SPACE, ERR_NO_MEMORY. The caller has a reference. Thread context. */
WARN_UNUSED status_t name_watch(const char *pattern, size_t bytes,
                                struct notification *notification, uint64_t bits);

/* ERR_NOT_FOUND. Thread context. */
WARN_UNUSED status_t name_unwatch(const char *pattern, size_t bytes,
                                  struct notification *notification);

/* The notification is closed: its watches end. */
void name_watch_forget(struct notification *notification);

/* A name has come or gone. No lock is held. */
void name_watch_signal(const char *name, size_t bytes);
