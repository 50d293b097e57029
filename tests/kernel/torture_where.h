/* SPDX-License-Identifier: MIT */
/*
 * Where a thread is at this moment, for histograms: found from outside, without a trace in the kernel.
 */
#pragma once

#include "kernel/base/types.h"

struct thread;

enum where {
    WHERE_USER,    /* in user code: interrupted there and off the core */
    WHERE_KERNEL,  /* interrupted in the kernel */
    WHERE_COPY,    /* interrupted while it copies from or to user memory */
    WHERE_RUNNING, /* runs on another core */
    WHERE_BLOCKED, /* waits */
    WHERE_QUEUED,  /* waits for a service that somebody else runs */
    WHERE_COUNT,
};

extern const char *const where_names[WHERE_COUNT];

/* A guess if the thread runs on meanwhile. The caller has a reference. */
enum where where_is(const struct thread *thread);
