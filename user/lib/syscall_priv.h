/* SPDX-License-Identifier: MIT */
/*
 * System call numbers for assembly, which cannot read an enum.
 *
 * Rules: syscall_check.c compares each with kernel/abi/syscall.h.
 */
#pragma once

#define STUB_NULL 4
#define STUB_YIELD 5
#define STUB_THREAD_CREATE 6
#define STUB_THREAD_EXIT 7
#define STUB_JOIN 8
#define STUB_THREAD_KILL 9
#define STUB_THREAD_MIGRATE 10
#define STUB_THREAD_CORE 11
#define STUB_SLEEP 12
#define STUB_DOMAIN_EXIT 13
#define STUB_PORT_CREATE 14
#define STUB_PORT_CLOSE 15
#define STUB_HANDLE_CLOSE 16
#define STUB_HANDLE_DUPLICATE 17
#define STUB_MEMORY_MAP 18
#define STUB_MEMORY_UNMAP 19
#define STUB_DEBUG_WRITE 20
#define STUB_CLOCK 21
#define STUB_MEMORY_CREATE 22
#define STUB_MEMORY_PROTECT 23
#define STUB_MEMORY_CLONE 24
#define STUB_MEMORY_PIN 25
#define STUB_MEMORY_UNPIN 26
#define STUB_MEMORY_SLICE 27
#define STUB_MEMORY_INFO 28
#define STUB_DOMAIN_SET_PAGER 29
#define STUB_PORT_CREATE_CONCURRENT 30
#define STUB_THREAD_SET_PRIORITY 31
