/* SPDX-License-Identifier: MIT */
/*
 * Connects the drivers to the registers that the device tree named.
 *
 * Rules: as in the header.
 */
#include "arch/riscv/devices_priv.h"

#include "arch/platform.h"
#include "kernel/abi/limits.h"

void devices_attach(void)
{
    if (platform.test_device != 0) {
        power_attach(arch_map_device(platform.test_device, PAGE_BYTES));
    }
    if (platform.uart.bytes != 0) {
        uart_attach(arch_map_device(platform.uart.base, platform.uart.bytes));
    }
    if (platform.plic.bytes != 0) {
        irqchip_attach(arch_map_device(platform.plic.base, platform.plic.bytes));
    }
}
