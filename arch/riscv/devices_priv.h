/* SPDX-License-Identifier: MIT */
/*
 * Telling the drivers where their registers are: twice, before and after mmu_init().
 *
 * Rules: boot core only. devices_attach() uses arch_map_device() with what `platform` knows so
 * far, so it may be called as soon as one device was found, and must be called again when the
 * page table changes.
 */
#pragma once

#include "kernel/base/types.h"

void uart_attach(volatile void *registers);
void power_attach(volatile void *registers);
void irqchip_attach(volatile void *registers);

void devices_attach(void);
