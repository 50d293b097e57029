/* SPDX-License-Identifier: MIT */
/*
 * Driver of the ns16550 at register level (National Semiconductor PC16550D data sheet).
 *
 * Rules: as in the header. Register spacing and width come from the device tree.
 */
#include "arch/riscv/uart_priv.h"

#include "arch/platform.h"
#include "arch/riscv/devices_priv.h"
#include "arch/riscv/sbi_priv.h"

#define REG_DATA 0U
#define REG_INTERRUPT_ENABLE 1U
#define REG_INTERRUPT_ID 2U /* read */
#define REG_FIFO 2U         /* write */
#define REG_LINE_CONTROL 3U
#define REG_MODEM_CONTROL 4U
#define REG_LINE_STATUS 5U

#define INTERRUPT_RECEIVE 1U
#define INTERRUPT_TRANSMIT 2U
#define FIFO_ENABLE 1U
#define LINE_8N1 3U
#define MODEM_READY 0x0bU /* DTR, RTS, OUT2: the last lets the interrupt out of the chip */
#define STATUS_DATA 0x01U
#define STATUS_SEND_EMPTY 0x20U

#define SEND_POLLS 1000000U

static volatile uint8_t *uart;

void uart_attach(volatile void *registers)
{
    uart = registers;
}

static uint8_t read_register(uint32_t index)
{
    volatile uint8_t *address = uart + (index << platform.uart.reg_shift);
    if (platform.uart.io_width == 4) {
        return (uint8_t) * (volatile uint32_t *)(volatile void *)address;
    }
    return *address;
}

static void write_register(uint32_t index, uint32_t value)
{
    volatile uint8_t *address = uart + (index << platform.uart.reg_shift);
    if (platform.uart.io_width == 4) {
        *(volatile uint32_t *)(volatile void *)address = value;
    } else {
        *address = (uint8_t)value;
    }
}

void uart_init(void)
{
    write_register(REG_INTERRUPT_ENABLE, 0);
    write_register(REG_LINE_CONTROL, LINE_8N1);
    write_register(REG_FIFO, FIFO_ENABLE);
    write_register(REG_MODEM_CONTROL, MODEM_READY);
}

int uart_receive(void)
{
    if (uart == NULL || (read_register(REG_LINE_STATUS) & STATUS_DATA) == 0) {
        return -1;
    }
    return read_register(REG_DATA);
}

bool uart_can_send(void)
{
    return uart == NULL || (read_register(REG_LINE_STATUS) & STATUS_SEND_EMPTY) != 0;
}

void uart_send(char byte)
{
    if (uart == NULL) {
        sbi_putchar(byte);
    } else {
        write_register(REG_DATA, (uint8_t)byte);
    }
}

void uart_send_polled(char byte)
{
    for (uint32_t i = 0; i < SEND_POLLS && !uart_can_send(); i++) {
    }
    uart_send(byte);
}

void uart_acknowledge(void)
{
    (void)read_register(REG_INTERRUPT_ID);
}

void uart_set_interrupts(bool receive, bool transmit)
{
    write_register(REG_INTERRUPT_ENABLE,
                   (receive ? INTERRUPT_RECEIVE : 0) | (transmit ? INTERRUPT_TRANSMIT : 0));
}
