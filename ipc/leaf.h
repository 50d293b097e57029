/* SPDX-License-Identifier: MIT */
/*
 * Leaves: services in the kernel whose runs are a few instructions.
 *
 * Rules: a run never waits, calls no service, and does not touch its caller's memory; called by user code it
 * has interrupts off, the rest of its caller's kernel stack, and the message in registers. So it needs no
 * activation and no stack of its own, and nothing of it is saved or restored. A source that
 * includes this is built with the s registers reserved (baton_kernel_leaf): `enter` has nowhere to restore them, and what a
 * run left there would go to user code. Functions that it calls restore them as ever.
 */
#pragma once

#include "ipc/port.h"
#include "kernel/abi/message.h"

/* clang refuses these unless the registers are reserved; GCC reserves them. */
#define SERVICE_RESERVE(name_) register uint64_t service_reserved_##name_ __asm__(#name_)
SERVICE_RESERVE(s0);
SERVICE_RESERVE(s1);
SERVICE_RESERVE(s2);
SERVICE_RESERVE(s3);
SERVICE_RESERVE(s4);
SERVICE_RESERVE(s5);
SERVICE_RESERVE(s6);
SERVICE_RESERVE(s7);
SERVICE_RESERVE(s8);
SERVICE_RESERVE(s9);
SERVICE_RESERVE(s10);
SERVICE_RESERVE(s11);

/* Ends a run that began at `enter`, with `message` as the reply. */
_Noreturn static inline void service_leave(const struct message *message)
{
    register uint64_t a1 __asm__("a1") = message->tag;
    register uint64_t a2 __asm__("a2") = message->word[0];
    register uint64_t a3 __asm__("a3") = message->word[1];
    register uint64_t a4 __asm__("a4") = message->word[2];
    register uint64_t a5 __asm__("a5") = message->word[3];

    __asm__ volatile("j ipc_fastpath_leave" ::"r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
                     : "memory");
    __builtin_unreachable();
}

/* Makes the leaf `leaf_` of fn_(void *context, uint64_t badge, struct message *message), which is inlined into both. */
#define SERVICE_LEAF(leaf_, context_, fn_)                                                         \
    static void leaf_##_run(struct message *message, uint64_t badge)                               \
    {                                                                                              \
        fn_(context_, badge, message);                                                             \
    }                                                                                              \
    static void leaf_##_enter(uint64_t badge, uint64_t tag, uint64_t word0, uint64_t word1,        \
                              uint64_t word2, uint64_t word3)                                      \
    {                                                                                              \
        struct message message = {.tag = tag, .word = {word0, word1, word2, word3}};               \
        fn_(context_, badge, &message);                                                            \
        service_leave(&message);                                                                   \
    }                                                                                              \
    static const struct service_leaf leaf_ = {.run = leaf_##_run, .enter = leaf_##_enter}
