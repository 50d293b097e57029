/* SPDX-License-Identifier: MIT */
/*
 * Services: ports of this domain whose calls run a C function.
 *
 * Rules: the function runs on the caller's thread, one call at a time unless the service is concurrent, on a
 * stack and with thread-local data of the service, which are the same for every call. It keeps what it wants to
 * remember in `context`. It may call other services and may block; the caller waits. A reply
 * that is not allowed (message.h) reaches the caller as an empty one with the status that port_return would give.
 * What a message has beyond four words is in message_page(), which is the service's own, one a run; a reply leaves it there.
 * It says there where the segments of the next call shall go; for the first one service_create_windows does.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

/* Serves one call: `message` is the request and, when it returns, the reply; `badge` is that of
 * the handle that the caller used. */
typedef void (*service_fn)(void *context, uint64_t badge, struct message *message);

/*
 * Makes an exclusive service; `*port` gets its handle, with all rights. It lives until the port
 * is closed; its stack stays for the life of the program. ERR_NO_SPACE, ERR_NO_MEMORY.
 */
status_t service_create(service_fn fn, void *context, handle_t *port);

/* The same for a service that gets segments: where the first call's go, `count` windows (MAX_MESSAGE_SEGMENTS at most). They
 * stay until a run changes them with message_set_window. ERR_INVALID: `count`. */
status_t service_create_windows(service_fn fn, void *context, const struct message_segment *windows,
                                uint32_t count, handle_t *port);

/*
 * The same for a service whose runs are short and never wait: a caller that has its answer may run
 * it for up to 16 others before its call returns, which spares each of them a switch. The service
 * sees no difference. One that waits all the same becomes an ordinary one.
 */
status_t service_create_combining(service_fn fn, void *context, handle_t *port);

/*
 * The same for a service that runs for up to `runs` callers at once, 1 to MAX_RUNS; the next one waits. Each
 * run has a stack and thread-local data that no other run uses meanwhile; what they share through
 * `context` they guard themselves. ERR_INVALID: `runs`.
 */
status_t service_create_concurrent(service_fn fn, void *context, uint32_t runs, handle_t *port);

/* What the kernel enters for a call: the arguments are as they come in registers. It ends by
 * service_leave. */
typedef void (*service_entry_fn)(uint64_t badge, uint64_t tag, uint64_t word0, uint64_t word1,
                                 uint64_t word2, uint64_t word3, void *context);

/*
 * Makes a service of `kind` (PORT_EXCLUSIVE or PORT_COMBINING) whose calls enter `entry` itself, as
 * SERVICE_ENTRY defines it: without the copy of the message in memory that service_create makes.
 */
status_t service_create_entry(uint64_t kind, service_entry_fn entry, void *context, handle_t *port);

/* The same with windows for the segments of its calls; errors as service_create_windows. */
status_t service_create_entry_windows(uint64_t kind, service_entry_fn entry, void *context,
                                      const struct message_segment *windows, uint32_t count,
                                      handle_t *port);

/* Ends this run with `message` as the reply. */
_Noreturn static inline void service_leave(const struct message *message)
{
    register uint64_t a1 __asm__("a1") = message->tag;
    register uint64_t a2 __asm__("a2") = message->word[0];
    register uint64_t a3 __asm__("a3") = message->word[1];
    register uint64_t a4 __asm__("a4") = message->word[2];
    register uint64_t a5 __asm__("a5") = message->word[3];
    register uint64_t a7 __asm__("a7") = SYS_RETURN;

    /* It comes back only if the reply is not allowed: then it is an empty one that says why. */
    __asm__ volatile("ecall\n\t"
                     "slli a1, a0, 32\n\t"
                     "li a7, %6\n\t"
                     "ecall\n\t"
                     "ebreak"
                     : "+r"(a1)
                     : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7), "i"(SYS_RETURN)
                     : "memory");
    __builtin_unreachable();
}

/* Defines the entry of a service with a service_fn that is inlined into it: the compiler keeps what it
 * can of the message in registers. */
#define SERVICE_ENTRY(entry_, fn_)                                                                 \
    static void entry_(uint64_t badge, uint64_t tag, uint64_t word0, uint64_t word1,               \
                       uint64_t word2, uint64_t word3, void *context)                              \
    {                                                                                              \
        struct message message = {.tag = tag, .word = {word0, word1, word2, word3}};               \
        fn_(context, badge, &message);                                                             \
        service_leave(&message);                                                                   \
    }

/* Makes a reply that is only a status. */
static inline void service_reply(struct message *message, status_t status, uint32_t words)
{
    message->tag = MESSAGE_TAG((uint32_t)status, words);
}
