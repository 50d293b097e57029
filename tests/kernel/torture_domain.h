/* SPDX-License-Identifier: MIT */
/*
 * Programs of the archive that come and go during a torture.
 *
 * Rules: thread context; needs the boot archive (torture_has_archive), and does nothing without.
 */
#pragma once

#include "kernel/abi/status.h"
#include "tests/kernel/torture.h"

struct domain;

bool torture_has_archive(void);

/* Start a program of the archive with at most `limit` bytes (0: no limit); `arguments` are `length` bytes of
 * strings with their zeros. What program_start and archive_find say. */
status_t torture_start(const char *name, uint64_t limit, const char *arguments, int length,
                       struct domain **domain);

/* Wait for its end and give up the reference. A program may end by itself, be killed, or run out of memory;
 * nothing else. `all_home`: nothing stays charged to it; ports that others have handles of do. */
void torture_expect_end(struct domain *domain, bool all_home);

/* Member: starts domains that use memory, lets them run or kills them, and demands that each ends
 * in a way that it may end and with nothing charged to it. */
void torture_domains_member(struct torture_member *member);

/* Start a program that keeps the least loaded core busy in user mode, rest, and kill it. */
void torture_busy_core(struct torture_member *member, nsec_t most_ns);
