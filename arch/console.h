/* SPDX-License-Identifier: MIT */
/*
 * The serial line: output from any context, input by interrupt.
 *
 * Rules: safe from the first instruction in C: polled until console_init(), interrupt driven
 * with rings after it, polled again after console_panic(). Never blocks; a writer that finds
 * the output ring full waits for the line. Writes of one call come out together. A line feed is
 * sent as carriage return and line feed.
 */
#pragma once

#include "kernel/base/types.h"

/* The sink of kernel/base/print.h and of the console service. */
void console_write(const char *bytes, size_t n);

/* The oldest input byte, or -1 when there is none. Input beyond 1024 waiting bytes is dropped. */
int console_read_byte(void);

/* Boot core, after mmu_init() and irqchip_init(): from here on by interrupt, taken on `cpu`. */
void console_init(cpu_t cpu);

/* Writes out what is in the ring, polled. */
void console_flush(void);

/* For the panic path: the lock is ignored from here on, everything is polled. */
void console_panic(void);

/*
 * The serial line's interrupt; the trap path calls it for source platform.uart.irq, between
 * irqchip_claim() and irqchip_complete(). Calls upcall_console_input() when bytes arrived.
 */
void uart_handle_interrupt(void);
