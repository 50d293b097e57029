/* SPDX-License-Identifier: MIT */
/*
 * Offsets that assembly uses into structures of arch/.
 *
 * Rules: numbers only, so that both C and assembly can include it; each is pinned by an assertion
 * in offsets.c.
 */
#pragma once

/* struct core */
#define CORE_ACTIVATION 0
#define CORE_USER_SP 8
#define CORE_SCRATCH 16
#define CORE_CURRENT 24
#define CORE_WORK 32
#define CORE_CPU 36
#define CORE_BOOT_SP 48
#define CORE_EMERGENCY_STACK 56
#define CORE_SATP_OFFSET 64
#define CORE_SWITCHES 72

/* struct syscall_frame */
#define SYSCALL_PC 0
#define SYSCALL_SP 8
#define SYSCALL_TP 16
#define SYSCALL_RA 24
#define SYSCALL_A0 32
#define SYSCALL_TOKEN 96
#define SYSCALL_FRAME_BYTES 112

/* struct trap_frame: register n is at 8 * n */
#define TRAP_SEPC 256
#define TRAP_SSTATUS 264
#define TRAP_SCAUSE 272
#define TRAP_STVAL 280
#define TRAP_FRAME_BYTES 288

/* The room below an activation for its floating-point registers (sched/activation.h). */
#define FPU_STATE_BYTES 272

/* sstatus */
#define SSTATUS_SIE_BIT 0x2
#define SSTATUS_SPIE_BIT 0x20
#define SSTATUS_SPP_BIT 0x100
#define SSTATUS_FS_BITS 0x6000

#define SCAUSE_USER_ECALL 8
#define SCAUSE_PAGE_FAULT_FIRST 12 /* of fetches, loads, (reserved), stores */
#define SCAUSE_PAGE_FAULTS 4

/* kernel/abi, pinned in kernel/core/syscall.c */
#define SYSCALL_NUMBER_RETURN 1
#define SYSCALL_NUMBER_REPLY_RECEIVE 2
#define SYSCALL_NUMBER_COUNT 44
#define STATUS_UNKNOWN_CALL -17
#define STATUS_FAULT -8
