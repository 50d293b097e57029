/* SPDX-License-Identifier: MIT */
/* Does one forbidden thing, chosen by the first argument; without one it lists them. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "user/lib/baton.h"

#define KERNEL_ADDRESS 0xffffffff80200000UL
#define DIRECT_MAP_ADDRESS 0xffffffc080200000UL
#define PAGED_ADDRESS 0x3800000000UL /* nothing is there */
#define HOLE_ADDRESS 0x4000000000UL  /* neither user nor kernel in Sv39 */

/* Hides where an address comes from, so that the compiler does not refuse what is meant. */
static uintptr_t opaque(uintptr_t address)
{
    __asm__("" : "+r"(address));
    return address;
}

static void jump(uintptr_t address)
{
    ((void (*)(void))opaque(address))();
}

static void read_at(uintptr_t address)
{
    (void)*(volatile uint64_t *)opaque(address);
}

static void write_at(uintptr_t address)
{
    *(volatile uint64_t *)opaque(address) = 1;
}

static void null_read(void)
{
    read_at(0);
}

static void null_write(void)
{
    write_at(8);
}

static void null_jump(void)
{
    jump(0);
}

static void kernel_read(void)
{
    read_at(KERNEL_ADDRESS);
}

static void kernel_write(void)
{
    write_at(DIRECT_MAP_ADDRESS);
}

static void kernel_jump(void)
{
    jump(KERNEL_ADDRESS);
}

static void hole_read(void)
{
    read_at(HOLE_ADDRESS);
}

static void exec_data(void)
{
    static uint32_t code[] = {0x00008067}; /* ret */

    jump((uintptr_t)code);
}

static void exec_stack(void)
{
    volatile uint32_t code[] = {0x00008067}; /* ret */

    jump((uintptr_t)code);
}

static void write_text(void)
{
    write_at((uintptr_t)write_text & ~7UL);
}

static void write_constant(void)
{
    static const uint64_t constant = 5;

    write_at((uintptr_t)&constant);
}

/* The volatile array keeps the compiler from turning the recursion into a loop. */
static uint64_t recurse(uint64_t depth)
{
    volatile uint64_t frame[64];

    frame[depth % 64] = depth;
    if (depth == UINT64_MAX) {
        return 0;
    }
    return recurse(depth + 1) + frame[depth % 64];
}

static void stack_overflow(void)
{
    recurse(0);
}

static void illegal(void)
{
    __asm__ volatile(".4byte 0xffffffff");
}

static void privileged(void)
{
    __asm__ volatile("csrr t0, sstatus" ::: "t0");
}

static void supervisor_return(void)
{
    __asm__ volatile("sret");
}

static void breakpoint(void)
{
    __asm__ volatile("ebreak");
}

/* Refused, so this one ends well too. */
static void forged_return(void)
{
    struct message message = {.tag = MESSAGE_TAG(0, 0)};

    if (port_return(&message) != ERR_INVALID) {
        domain_exit(1);
    }
}

/* The machine does misaligned accesses by itself, so this one ends well. */
static void misaligned(void)
{
    static volatile char bytes[16];

    *(volatile uint64_t *)(uintptr_t)(bytes + 1) = 0x0102030405060708UL;
    if (bytes[1] != 8 || bytes[8] != 1) {
        domain_exit(1);
    }
}

/* Waits for a name, so that its starter can set a pager first; then touches memory that has to come
 * from that. */
static void page_late(void)
{
    handle_t go;

    if (lookup_wait("test-memory.go", &go, clock_ns() + 10000000000UL) != OK) {
        domain_exit(1);
    }
    *(volatile uint64_t *)opaque(PAGED_ADDRESS) = 4711;
}

/* Touches more than this domain may have. */
static void all_memory(void)
{
    const uint64_t bytes = 64UL << 20;
    int64_t memory = memory_create(bytes, MEMORY_ANONYMOUS);
    char *area = (char *)memory_map_object(NULL, bytes, PROTECT_READ | PROTECT_WRITE,
                                           (handle_t)memory, 0, 0);

    for (uint64_t at = 0; (int64_t)area > 0 && at < bytes; at += PAGE_BYTES) {
        area[at] = 1;
    }
}

#define PAGERS 24U

static struct {
    handle_t port[PAGERS];
    unsigned depth;
    bool by_call; /* a system call touches the page */
} pagers;

/* Of the pager `depth`: makes the next one the domain's and faults, too. */
static void fault_deeper(void)
{
    uintptr_t address = PAGED_ADDRESS + pagers.depth * PAGE_BYTES;
    int64_t memory;

    if (pagers.depth == PAGERS) {
        return;
    }
    if (domain_set_pager(program_own_domain(), pagers.port[pagers.depth++]) != OK) {
        domain_exit(1);
    }
    if (!pagers.by_call) {
        read_at(address);
        return;
    }
    memory = memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);
    if (memory < 0 || memory_info((handle_t)memory, (struct memory_info *)opaque(address)) >= 0) {
        domain_exit(1);
    }
}

static void serve_fault(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    fault_deeper();
    message->tag = MESSAGE_TAG(1, 0);
}

/* Each of many pagers needs the next one. */
static void pager_depth(void)
{
    for (unsigned i = 0; i < PAGERS; i++) {
        if (service_create(serve_fault, NULL, &pagers.port[i]) != OK) {
            domain_exit(1);
        }
    }
    fault_deeper();
}

/* The same by system calls, which give an error in the end, so this one ends well. */
static void pager_depth_by_call(void)
{
    pagers.by_call = true;
    pager_depth();
}

static void serve_own_fault(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    read_at(PAGED_ADDRESS);
    message->tag = MESSAGE_TAG(1, 0);
}

/* A pager that needs itself. */
static void pager_own_fault(void)
{
    handle_t port;

    if (service_create(serve_own_fault, NULL, &port) != OK ||
        domain_set_pager(program_own_domain(), port) != OK) {
        domain_exit(1);
    }
    write_at(PAGED_ADDRESS);
}

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"null-read", null_read},
    {"null-write", null_write},
    {"null-jump", null_jump},
    {"kernel-read", kernel_read},
    {"kernel-write", kernel_write},
    {"kernel-jump", kernel_jump},
    {"hole-read", hole_read},
    {"exec-data", exec_data},
    {"exec-stack", exec_stack},
    {"write-text", write_text},
    {"write-constant", write_constant},
    {"stack-overflow", stack_overflow},
    {"illegal", illegal},
    {"privileged", privileged},
    {"supervisor-return", supervisor_return},
    {"breakpoint", breakpoint},
    {"misaligned-ok", misaligned},
    {"forged-return-ok", forged_return},
    {"page-late", page_late},
    {"all-memory", all_memory},
    {"pager-depth", pager_depth},
    {"pager-depth-by-call-ok", pager_depth_by_call},
    {"pager-own-fault", pager_own_fault},
};

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (argc < 2) {
            printf("%s\n", modes[i].name);
        } else if (strcmp(argv[1], modes[i].name) == 0) {
            modes[i].run();
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}
