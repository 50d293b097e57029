/* SPDX-License-Identifier: MIT */
/*
 * System calls that call nothing; compiled without frame pointers, which they do not need.
 */
#include "arch/core.h"
#include "arch/timer.h"
#include "kernel/core/syscall_priv.h"

long syscall_null(void)
{
    return OK;
}

long syscall_reserved(void)
{
    return ERR_UNKNOWN_CALL;
}

long syscall_thread_core(void)
{
    return core_index();
}

long syscall_clock(void)
{
    return (long)timer_now_ns();
}
