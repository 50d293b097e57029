/* SPDX-License-Identifier: MIT */
/*
 * Before kernel_main(): moving to the hart that bootcpu= names, and the messages of early boot.
 *
 * Rules: boot_main() changes no .data and leaves nothing in .bss that the next hart needs: the
 * successor of a hand-over starts at _start as if it had been first.
 */
#include "arch/riscv/boot_priv.h"

#include <stdarg.h>

#include "arch/console.h"
#include "arch/layout.h"
#include "arch/power.h"
#include "arch/riscv/bootarg_priv.h"
#include "arch/riscv/platform_priv.h"
#include "kernel/base/fdt.h"
#include "kernel/base/print.h"

#define BOOT_LINE_BYTES 512

void boot_main(hart_id_t hart, paddr_t tree)
{
    struct fdt fdt;
    char word[24];
    uint64_t wanted;
    if (platform_open_tree(&fdt, tree) != NULL) {
        return; /* platform_read() says what is wrong */
    }
    const char *arguments = fdt_string(&fdt, fdt_find_path(&fdt, "/chosen"), "bootargs");
    if (arguments == NULL || !bootarg_find_in(arguments, "bootcpu", word, sizeof(word)) ||
        !bootarg_parse_number(word, &wanted) || wanted == hart) {
        return;
    }
    /* On failure this hart goes on and platform_read() says so. */
    boot_hand_over(wanted, kernel_image_paddr((const void *)&_start), tree);
}

static void note_list(const char *text, va_list arguments)
{
    char line[BOOT_LINE_BYTES];
    format_string_list(line, sizeof(line), text, arguments);
    size_t n = 0;
    while (line[n] != '\0') {
        n++;
    }
    console_write("baton: ", 7);
    console_write(line, n);
    console_write("\n", 1);
}

void boot_note(const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    note_list(text, arguments);
    va_end(arguments);
}

void boot_fail(const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    note_list(text, arguments);
    va_end(arguments);
    power_exit(EXIT_PANIC);
}

void boot_trap(uint64_t cause, uint64_t pc, uint64_t value)
{
    static bool again; /* a fault while reporting one: nothing can be said any more */
    if (!again) {
        again = true;
        console_panic();
        boot_note("trap before traps are handled: scause %lx sepc %lx stval %lx", cause, pc, value);
    }
    power_exit(EXIT_PANIC);
}
