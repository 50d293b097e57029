/* SPDX-License-Identifier: MIT */
/*
 * The registers of the ns16550 serial line.
 *
 * Rules: no lock here; the console's lock covers every call. Before the line is known, output
 * goes through the firmware and there is no input.
 */
#pragma once

#include "kernel/base/types.h"

#define UART_FIFO_BYTES 16

/* Line settings are the firmware's; FIFOs on, all interrupts off. */
void uart_init(void);

/* The next received byte, or -1. */
int uart_receive(void);

/* True when the transmitter takes UART_FIFO_BYTES bytes without waiting. */
bool uart_can_send(void);

/* Only after uart_can_send(). */
void uart_send(char byte);

/* Waits for the transmitter. Bounded: a dead line loses bytes, it does not stop the kernel. */
void uart_send_polled(char byte);

/* Acknowledges the interrupt and chooses which events raise the next. */
void uart_acknowledge(void);
void uart_set_interrupts(bool receive, bool transmit);
