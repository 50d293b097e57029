/* SPDX-License-Identifier: MIT */
/*
 * Offsets that the call paths use into structures of kernel/object, sched and ipc.
 *
 * Rules: numbers only; each is pinned by an assertion in offsets.c.
 */
#pragma once

/* struct activation; a new record lies CALL_PUSH_BYTES below the old one */
#define ACTIVATION_PREVIOUS 0
#define ACTIVATION_DOMAIN 8
#define ACTIVATION_PORT 16
#define ACTIVATION_PC 24
#define ACTIVATION_SP 32
#define ACTIVATION_TP 40
#define ACTIVATION_META 48 /* calls left, kind << 16, fpu_saved << 24 */
#define ACTIVATION_CALLS_LEFT 48
#define ACTIVATION_KIND 50
#define ACTIVATION_FPU_SAVED 51
#define ACTIVATION_SATP_ENTRY 56
#define ACTIVATION_MESSAGE 64
#define ACTIVATION_PAGE 64 /* of a base */
#define ACTIVATION_STACK 72
#define ACTIVATION_SIZE 80
#define CALL_PUSH_BYTES 352 /* record and floating-point room */

#define META_KIND_SHIFT 16 /* FROM_USER is 0 */
#define ACTIVATION_KIND_KERNEL_BIT 1
#define ACTIVATION_KIND_COURIER 8

/* struct domain, struct handle_array, struct handle_entry */
#define DOMAIN_HANDLES 16
#define HANDLES_MASK 0
#define ENTRY_VALUE 32
#define ENTRY_OBJECT 40
#define ENTRY_BADGE 48
#define ENTRY_RIGHTS 56
#define ENTRY_SHIFT 5
#define ENTRY_RIGHT_CALL 1
#define ENTRY_RIGHT_RECEIVE 4

/* struct port */
#define PORT_DOMAIN 16
#define PORT_ENTRY 24
#define PORT_STACK_TOP 32
#define PORT_SERVICE_TP 40
#define PORT_COOKIE 48
#define PORT_SATPS 56
#define PORT_WORD 64
#define PORT_HOLDER 72
#define PORT_CALLS 80
#define PORT_KERNEL_FAST 88
#define PORT_LEAF_RUN 96
#define PORT_LEAF_ENTER 104
#define PORT_PAGE 112
#define PORT_FRONT 200
#define WAKE_WAITS_BIT 2

/* struct thread; struct thread_slot */
#define THREAD_CPU 180
#define THREAD_RANK 188
#define THREAD_WAKE 196
#define THREAD_ACTIVATION 104
#define THREAD_CONTEXT 96
#define THREAD_RUN_TICKS 272
#define THREAD_RUN_SINCE 280
#define THREAD_STATE 176
#define THREAD_FLAGS 140
#define THREAD_BLOCKS 400
#define THREAD_TOKEN 312
#define THREAD_LAST_TOKEN 320
#define THREAD_SERVER 328
#define THREAD_MAILBOX 336
#define THREAD_SLOT_SHIFT 4
#define THREAD_STATE_BLOCKED 3

/* Tokens of calls (sched/rendezvous.h) */
#define TOKEN_INDEX_WIDTH 14
#define TOKEN_ONE 16384

/* struct run_stack */
#define STACK_TOP 0
#define STACK_TP 8

/* struct request */
#define REQUEST_MESSAGE 0
#define REQUEST_BADGE 8
#define REQUEST_COOKIE 16
#define REQUEST_CALLER 24
#define REQUEST_BYTES 40

/* struct message; the room for one, which with a request keeps the stack aligned */
#define MESSAGE_TAG_WORD 0
#define MESSAGE_WORD0 8
#define MESSAGE_ROOM 40

/* struct baton_work, which begins with its message */
#define WORK_BADGE 40
#define WORK_RESULT 56

/* struct user_entry, after the record */
#define USER_ENTRY_MESSAGE 80
#define USER_ENTRY_BADGE 120

#define REGISTER_WORDS 4
#define MESSAGE_WORDS 64

/* Below an activation's floating-point room, while a leaf runs: the port. */
#define LEAF_BYTES 16
