/* SPDX-License-Identifier: MIT */
/*
 * Names by which startup.c pulls the library's versions of picolibc's hooks into the link.
 *
 * Rules: nothing else uses them.
 */
#pragma once

struct __lock;

extern struct __lock __lock___libc_recursive_mutex;
