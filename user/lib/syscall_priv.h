/* SPDX-License-Identifier: MIT */
/*
 * System call numbers for assembly, which cannot read an enum.
 *
 * Rules: syscall_check.c compares each with kernel/abi/syscall.h.
 */
#pragma once

#define STUB_NULL 6
#define STUB_YIELD 7
#define STUB_THREAD_CREATE 8
#define STUB_THREAD_EXIT 9
#define STUB_JOIN 10
#define STUB_THREAD_KILL 11
#define STUB_THREAD_MIGRATE 12
#define STUB_THREAD_CORE 13
#define STUB_SLEEP 14
#define STUB_DOMAIN_EXIT 15
#define STUB_PORT_CREATE 16
#define STUB_PORT_CLOSE 17
#define STUB_HANDLE_CLOSE 18
#define STUB_HANDLE_DUPLICATE 19
#define STUB_MEMORY_MAP 20
#define STUB_MEMORY_UNMAP 21
#define STUB_DEBUG_WRITE 22
#define STUB_CLOCK 23
#define STUB_MEMORY_CREATE 24
#define STUB_MEMORY_PROTECT 25
#define STUB_MEMORY_CLONE 26
#define STUB_MEMORY_PIN 27
#define STUB_MEMORY_UNPIN 28
#define STUB_MEMORY_SLICE 29
#define STUB_MEMORY_INFO 30
#define STUB_DOMAIN_SET_PAGER 31
#define STUB_PORT_CREATE_CONCURRENT 32
#define STUB_THREAD_SET_PRIORITY 33
#define STUB_MESSAGE_PAGE 34
#define STUB_NOTIFICATION_CREATE 35
#define STUB_SIGNAL 36
#define STUB_PORT_BIND 38
#define STUB_PORT_CONFIGURE 42
#define STUB_HANDLE_REVOKE 43
