/* SPDX-License-Identifier: MIT */
/*
 * Turning the machine off through QEMU's test device, else through the firmware.
 *
 * Rules: QEMU's test device takes 0x5555 for exit code 0 and (code << 16) | 0x3333 else (QEMU,
 * hw/misc/sifive_test.c).
 */
#include "arch/power.h"

#include "arch/console.h"
#include "arch/irq.h"
#include "arch/riscv/devices_priv.h"
#include "arch/riscv/sbi_priv.h"

#define TEST_PASS 0x5555U
#define TEST_FAIL 0x3333U

static volatile uint32_t *test_device;

void power_attach(volatile void *registers)
{
    test_device = registers;
}

void power_exit(unsigned code)
{
    irq_disable();
    console_flush();
    if (test_device != NULL) {
        *test_device = code == 0 ? TEST_PASS : ((code & 0xff) << 16) | TEST_FAIL;
    } else if (code != 0) {
        static const char lost[] = "baton: no test device, so the exit code is lost\n";
        console_write(lost, sizeof(lost) - 1);
        console_flush();
    }
    sbi_shutdown(code != 0);
    for (;;) {
        arch_wait_for_interrupt();
    }
}
