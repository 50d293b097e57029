/* SPDX-License-Identifier: MIT */
/*
 * The public interface of Baton for user programs: include this one.
 *
 * Rules: the headers below document every system call, one paragraph each with every
 * error; the rest of the library is built on them. A function that returns status_t returns OK
 * or a negative ERR_*; one that returns int64_t returns a value that is never negative (a
 * handle, an address, a code) or a negative ERR_*. Any number that is no system call gets
 * ERR_UNKNOWN_CALL. A pointer that is not the caller's own memory gets ERR_FAULT or
 * ERR_INVALID, never more.
 *
 *   message.h  SYS_CALL SYS_RETURN SYS_RECEIVE
 *   message_page.h  SYS_MESSAGE_PAGE
 *   send.h     SYS_SEND SYS_RESULT
 *   object.h   SYS_PORT_CREATE SYS_PORT_CREATE_CONCURRENT SYS_PORT_CONFIGURE SYS_PORT_CLOSE
 *              SYS_HANDLE_CLOSE SYS_HANDLE_DUPLICATE SYS_HANDLE_REVOKE SYS_JOIN
 *   notification.h  SYS_NOTIFICATION_CREATE SYS_SIGNAL SYS_WAIT SYS_PORT_BIND SYS_INTERRUPT_*
 *   thread.h   SYS_THREAD_* SYS_YIELD SYS_SLEEP SYS_DOMAIN_EXIT
 *   memory.h   SYS_MEMORY_* SYS_DOMAIN_SET_PAGER
 *   system.h   SYS_NULL SYS_DEBUG_WRITE SYS_CLOCK
 */
#pragma once

#include "kernel/abi/exit.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/memory.h"
#include "kernel/abi/message.h"
#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"
#include "user/lib/console.h"
#include "user/lib/lookup.h"
#include "user/lib/memory.h"
#include "user/lib/mailbox.h"
#include "user/lib/message.h"
#include "user/lib/message_page.h"
#include "user/lib/send.h"
#include "user/lib/notification.h"
#include "user/lib/object.h"
#include "user/lib/program.h"
#include "user/lib/service.h"
#include "user/lib/system.h"
#include "user/lib/thread.h"
#include "user/lib/wait_any.h"
