/* SPDX-License-Identifier: MIT */
/*
 * Programs of the archive that come and go during a torture.
 *
 * Rules: thread context; needs the boot archive (torture_has_archive), and does nothing without.
 */
#pragma once

#include "tests/kernel/torture.h"

bool torture_has_archive(void);

/* Member: starts domains that use memory, lets them run or kills them, and demands that each ends
 * in a way that it may end and with nothing charged to it. */
void torture_domains_member(struct torture_member *member);

/* Start a program that keeps the least loaded core busy in user mode, rest, and kill it. */
void torture_busy_core(struct torture_member *member, nsec_t most_ns);
