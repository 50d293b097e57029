/* SPDX-License-Identifier: MIT */
/*
 * Programs: an ELF image becomes a domain with one thread.
 *
 * Rules: thread context, may allocate. Everything of the image is validated before the domain
 * exists; on error nothing is left behind and `why` names what is wrong.
 */
#pragma once

#include <stddef.h>

#include "kernel/abi/status.h"
#include "sched/domain.h"

/* A handle that the new domain starts with; passed in a1.. of its first thread in this order. */
struct program_grant {
    struct object *object;
    rights_t rights;
    uint64_t badge;
};

struct program_start {
    const char *name;  /* for listings */
    const void *image; /* the ELF file */
    size_t image_bytes;
    const char *arguments; /* argc strings, each with its zero, one after the other */
    size_t argument_bytes;
    struct program_grant grant;  /* the lookup port */
    struct program_grant device; /* device memory; for init alone */
    uint64_t memory_limit;       /* bytes; 0 for none */
    const char *may_register;    /* a list of ipc/name_rule.h; NULL: no names */
};

/* Load and start. *out gets a reference. ERR_BAD_FORMAT with a sentence in *why, ERR_NO_MEMORY,
 * ERR_NO_SPACE, ERR_INVALID (more than MAX_ARGUMENTS or MAX_ARGUMENT_BYTES). */
status_t program_start(const struct program_start *start, struct domain **out, const char **why);
