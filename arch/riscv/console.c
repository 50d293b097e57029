/* SPDX-License-Identifier: MIT */
/*
 * The console: two rings between the serial line's interrupt and everybody else.
 *
 * Rules: one raw lock, taken with interrupts off, guards both rings and the registers; it is
 * the last lock in the order (print may be called with any other held). Ring indices run freely
 * and are masked on use: head - tail is the fill.
 */
#include "arch/console.h"

#include "arch/irq.h"
#include "arch/irqchip.h"
#include "arch/platform.h"
#include "arch/riscv/uart_priv.h"
#include "arch/upcall.h"
#include "kernel/base/atomic.h"

#define INPUT_BYTES 1024U
#define OUTPUT_BYTES 8192U

static uint32_t lock_word;
static bool ignore_lock;    /* set once, by the panicking core */
static bool by_interrupt;   /* the rings are in use */
static bool transmit_armed; /* a transmit interrupt will come */
static uint32_t input_head, input_tail, output_head, output_tail;
static char input[INPUT_BYTES];
static char output[OUTPUT_BYTES];

static uint64_t lock(void)
{
    uint64_t irq = irq_save();
    /* acquire: sees the rings as the last holder left them; pairs with unlock() */
    while (!ignore_lock && atomic_swap_acquire(&lock_word, 1U) != 0) {
        arch_relax();
    }
    return irq;
}

static void unlock(uint64_t irq)
{
    /* release: publishes the rings; pairs with the swap in lock() */
    atomic_store_release(&lock_word, 0U);
    irq_restore(irq);
}

static void drain_polled(void)
{
    while (output_tail != output_head) {
        uart_send_polled(output[output_tail++ % OUTPUT_BYTES]);
    }
}

/* Moves what the transmitter takes at once; keeps its interrupt on while anything is left. */
static void refill_transmitter(void)
{
    if (uart_can_send()) {
        for (unsigned i = 0; i < UART_FIFO_BYTES && output_tail != output_head; i++) {
            uart_send(output[output_tail++ % OUTPUT_BYTES]);
        }
    }
    bool wanted = output_tail != output_head;
    if (wanted != transmit_armed) {
        transmit_armed = wanted;
        uart_set_interrupts(true, wanted);
    }
}

static void put(char byte)
{
    if (!by_interrupt) {
        uart_send_polled(byte);
        return;
    }
    if (output_head - output_tail == OUTPUT_BYTES) {
        drain_polled();
    }
    output[output_head++ % OUTPUT_BYTES] = byte;
}

void console_write(const char *bytes, size_t n)
{
    uint64_t irq = lock();
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            put('\r');
        }
        put(bytes[i]);
    }
    if (by_interrupt) {
        refill_transmitter();
    }
    unlock(irq);
}

int console_read_byte(void)
{
    int byte = -1;
    uint64_t irq = lock();
    if (input_tail != input_head) {
        byte = (unsigned char)input[input_tail++ % INPUT_BYTES];
    } else if (!by_interrupt) {
        byte = uart_receive();
    }
    unlock(irq);
    return byte;
}

void console_init(cpu_t cpu)
{
    if (platform.uart.irq == 0) {
        return;
    }
    uint64_t irq = lock();
    uart_init();
    by_interrupt = true;
    uart_set_interrupts(true, false);
    unlock(irq);
    (void)irqchip_enable(platform.uart.irq, cpu);
}

void console_flush(void)
{
    uint64_t irq = lock();
    drain_polled();
    unlock(irq);
}

void console_panic(void)
{
    ignore_lock = true;
    drain_polled();
    by_interrupt = false;
}

void uart_handle_interrupt(void)
{
    bool arrived = false;
    uint64_t irq = lock();
    uart_acknowledge();
    for (int byte = uart_receive(); byte >= 0; byte = uart_receive()) {
        if (input_head - input_tail < INPUT_BYTES) {
            input[input_head++ % INPUT_BYTES] = (char)byte;
        }
        arrived = true;
    }
    if (by_interrupt) {
        refill_transmitter();
    }
    unlock(irq);
    if (arrived) {
        upcall_console_input();
    }
}
