/* SPDX-License-Identifier: MIT */
/*
 * The boot argument bench=<pattern>: print the figures of the rows that match, then end the machine.
 *
 * Rules: rows of the kernel are measured here, rows of user space by the archive's program
 * `bench`. Lines are "bench <id> <value> <unit>" (tools/bench.py). Thread context.
 */
#pragma once

#include "kernel/base/types.h"

NORETURN void bench_run(const char *pattern);

#define BENCH_ROUNDS 10000

/* For the rows: one instruction counter for all harts under -icount. */
static inline uint64_t bench_instructions(void)
{
    uint64_t count;

    __asm__ volatile("rdinstret %0" : "=r"(count)::"memory");
    return count;
}

/* Prints (total - empty) / BENCH_ROUNDS. */
void bench_print(const char *id, uint64_t total, uint64_t empty);

/* Prints a row of memory: bytes / parts. */
void bench_print_bytes(const char *id, uint64_t bytes, uint64_t parts);

/* Prints a row of time: total / BENCH_ROUNDS. */
void bench_print_ns(const char *id, nsec_t total);

/* What a loop of BENCH_ROUNDS rounds costs. */
uint64_t bench_empty_loop(void);

/* bench_memory.c */
void bench_spmalloc_64(void);
void bench_remote_free_pair(void);
void bench_frame_overhead(void);
void bench_object_overhead_8(void);
void bench_object_overhead_64(void);
void bench_object_overhead_2048(void);

/* Start a program of the archive, with one argument unless it is empty; false, and a line, if it cannot be. */
struct domain;
bool bench_start_program(const char *name, const char *argument, struct domain **domain);

/* bench_contended.c */
void bench_call_contended(void);
void bench_call_contended_exclusive(void);
void bench_call_contended_apart(void);
void bench_call_contended_user(void);
void bench_call_contended_user_exclusive(void);

/* bench_mailbox.c */
void bench_xcore_mailbox(void);

/* bench_timeout.c */
void bench_timeout(void);
void bench_timeout_1k(void);
void bench_timeout_100k(void);
void bench_timeout_alone(void);

/* bench_ready.c */
void bench_realtime_choose(void);
void bench_realtime_choose_10k(void);
