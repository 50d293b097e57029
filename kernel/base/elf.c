/* SPDX-License-Identifier: MIT */
/*
 * The ELF validator. The order of the checks matters: no field is used before the fields that
 * say where it is have been checked.
 */
#include "kernel/base/elf.h"

#include <string.h>

#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"

/* File layout; names as in the specification. Images may be unaligned: copied, never cast. */
struct elf_header {
    uint8_t e_ident[16];
    uint16_t e_type;
    uint16_t e_machine;
    uint32_t e_version;
    uint64_t e_entry;
    uint64_t e_phoff;
    uint64_t e_shoff;
    uint32_t e_flags;
    uint16_t e_ehsize;
    uint16_t e_phentsize;
    uint16_t e_phnum;
    uint16_t e_shentsize;
    uint16_t e_shnum;
    uint16_t e_shstrndx;
};

struct elf_program_header {
    uint32_t p_type;
    uint32_t p_flags;
    uint64_t p_offset;
    uint64_t p_vaddr;
    uint64_t p_paddr;
    uint64_t p_filesz;
    uint64_t p_memsz;
    uint64_t p_align;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF-64 file header");
_Static_assert(sizeof(struct elf_program_header) == 56, "ELF-64 program header");

#define SECTION_HEADER_BYTES 64U
#define MAX_PROGRAM_HEADERS 32U

#define TYPE_EXECUTABLE 2U
#define MACHINE_RISCV 243U

/* e_flags: compressed code, the floating-point convention, and what the kernel cannot run. */
#define FLAG_COMPRESSED 0x1U
#define FLAG_FLOAT_MASK 0x6U
#define FLAG_FLOAT_SOFT 0x0U
#define FLAG_FLOAT_DOUBLE 0x4U
#define FLAG_TOTAL_STORE_ORDER 0x10U
#define FLAGS_KNOWN (FLAG_COMPRESSED | FLAG_FLOAT_MASK)

enum segment_type {
    SEGMENT_NULL = 0,
    SEGMENT_LOAD = 1,
    SEGMENT_DYNAMIC = 2,
    SEGMENT_INTERPRETER = 3,
    SEGMENT_NOTE = 4,
    SEGMENT_TLS = 7,
    SEGMENT_GNU_FIRST = 0x6474e550, /* EH_FRAME; STACK, RELRO and PROPERTY follow */
    SEGMENT_GNU_LAST = 0x6474e553,  /* PROPERTY */
    SEGMENT_RISCV_ATTRIBUTES = 0x70000003,
};

#define SEGMENT_EXECUTE 1U
#define SEGMENT_WRITE 2U
#define SEGMENT_READ 4U

static bool is_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool is_inside(uint64_t offset, uint64_t length, size_t bytes)
{
    return offset <= bytes && length <= bytes - offset;
}

static const char *check_ident(const uint8_t *ident)
{
    if (memcmp(ident, "\177ELF", 4) != 0) {
        return "e_ident: the magic is not 7f 45 4c 46";
    }
    if (ident[4] != 2) {
        return "e_ident: the class is not 64-bit";
    }
    if (ident[5] != 1) {
        return "e_ident: the data encoding is not little-endian";
    }
    if (ident[6] != 1) {
        return "e_ident: the version is not 1";
    }
    if (ident[7] != 0 || ident[8] != 0) {
        return "e_ident: the OS ABI is not System V, version 0";
    }
    if (!is_zero(ident + 9, 7)) {
        return "e_ident: the padding is not zero";
    }
    return NULL;
}

/* The section headers are not used, but a wrong table is a sign of a damaged file. */
static const char *check_section_table(const struct elf_header *header, size_t bytes)
{
    if (header->e_shnum == 0) {
        if (header->e_shoff != 0) {
            return "e_shoff is not zero without section headers";
        }
        return header->e_shstrndx != 0 ? "e_shstrndx is not zero without section headers" : NULL;
    }
    if (header->e_shentsize != SECTION_HEADER_BYTES) {
        return "e_shentsize is not 64";
    }
    if (header->e_shoff < sizeof *header || header->e_shoff % 8 != 0 ||
        !is_inside(header->e_shoff, (uint64_t)header->e_shnum * SECTION_HEADER_BYTES, bytes)) {
        return "e_shoff or e_shnum: the section headers are not within the file";
    }
    if (header->e_shstrndx >= header->e_shnum) {
        return "e_shstrndx is not below e_shnum";
    }
    return NULL;
}

static const char *check_header(const struct elf_header *header, size_t bytes)
{
    uint32_t convention = header->e_flags & FLAG_FLOAT_MASK;

    if (header->e_type != TYPE_EXECUTABLE) {
        return "e_type is not an executable";
    }
    if (header->e_machine != MACHINE_RISCV) {
        return "e_machine is not RISC-V";
    }
    if (header->e_version != 1) {
        return "e_version is not 1";
    }
    if ((header->e_flags & ~FLAGS_KNOWN) != 0 ||
        (convention != FLAG_FLOAT_SOFT && convention != FLAG_FLOAT_DOUBLE)) {
        return "e_flags asks for something other than RVC with soft or double floating point";
    }
    if (header->e_ehsize != sizeof *header) {
        return "e_ehsize is not 64";
    }
    if (header->e_phentsize != sizeof(struct elf_program_header)) {
        return "e_phentsize is not 56";
    }
    if (header->e_phnum == 0 || header->e_phnum > MAX_PROGRAM_HEADERS) {
        return "e_phnum is not between 1 and 32";
    }
    if (header->e_phoff < sizeof *header || header->e_phoff % 8 != 0 ||
        !is_inside(header->e_phoff, header->e_phnum * sizeof(struct elf_program_header), bytes)) {
        return "e_phoff: the program headers are not within the file";
    }
    return check_section_table(header, bytes);
}

static const char *check_type(const struct elf_program_header *program)
{
    if (program->p_type == SEGMENT_INTERPRETER) {
        return "p_type: the program wants an interpreter";
    }
    if (program->p_type == SEGMENT_DYNAMIC) {
        return "p_type: the program is dynamically linked";
    }
    if (program->p_type == SEGMENT_NULL || program->p_type == SEGMENT_LOAD ||
        program->p_type == SEGMENT_NOTE || program->p_type == SEGMENT_TLS ||
        program->p_type == SEGMENT_RISCV_ATTRIBUTES ||
        (program->p_type >= SEGMENT_GNU_FIRST && program->p_type <= SEGMENT_GNU_LAST)) {
        return NULL;
    }
    return "p_type is not known";
}

static const char *check_load(const struct elf_program_header *program)
{
    const uint32_t flags = program->p_flags;

    if ((flags & ~(SEGMENT_READ | SEGMENT_WRITE | SEGMENT_EXECUTE)) != 0) {
        return "p_flags has unknown bits";
    }
    if ((flags & SEGMENT_READ) == 0) {
        return "p_flags: a segment is not readable";
    }
    if ((flags & SEGMENT_WRITE) != 0 && (flags & SEGMENT_EXECUTE) != 0) {
        return "p_flags: a segment is writable and executable";
    }
    if (program->p_memsz == 0) {
        return "p_memsz is zero";
    }
    if (program->p_filesz > program->p_memsz) {
        return "p_filesz is larger than p_memsz";
    }
    if (program->p_vaddr < USER_BASE || program->p_vaddr >= USER_TOP ||
        program->p_memsz > USER_TOP - program->p_vaddr) {
        return "p_vaddr or p_memsz: a segment is outside the user's addresses";
    }
    if (program->p_align > 1 && !is_power_of_two(program->p_align)) {
        return "p_align is not a power of two";
    }
    if (program->p_align > 1 && (program->p_vaddr - program->p_offset) % program->p_align != 0) {
        return "p_align: p_vaddr and p_offset disagree";
    }
    return NULL;
}

/* Adds a checked segment; they must rise and share no page (their protections would mix). */
static const char *add_segment(struct elf_image *image, const struct elf_program_header *program)
{
    unsigned count = image->segment_count;

    if (count == ELF_MAX_SEGMENTS) {
        return "e_phnum: there are more than 8 segments to load";
    }
    if (count > 0) {
        const struct elf_segment *last = &image->segment[count - 1];

        if (ALIGN_DOWN(program->p_vaddr, PAGE_BYTES) <
            ALIGN_UP(last->vaddr + last->memory_bytes, PAGE_BYTES)) {
            return "p_vaddr: a segment overlaps or precedes the one before it";
        }
    }
    image->segment[count] = (struct elf_segment){
        .vaddr = program->p_vaddr,
        .memory_bytes = program->p_memsz,
        .file_offset = program->p_offset,
        .file_bytes = program->p_filesz,
        .protection = PROTECT_READ |
                      ((program->p_flags & SEGMENT_WRITE) != 0 ? PROTECT_WRITE : 0U) |
                      ((program->p_flags & SEGMENT_EXECUTE) != 0 ? PROTECT_EXECUTE : 0U),
    };
    image->segment_count = count + 1;
    return NULL;
}

static const char *check_program(struct elf_image *image, const struct elf_program_header *program,
                                 size_t bytes)
{
    const char *wrong = check_type(program);

    if (wrong == NULL && program->p_type != SEGMENT_NULL &&
        !is_inside(program->p_offset, program->p_filesz, bytes)) {
        wrong = "p_offset or p_filesz: a segment is not within the file";
    }
    if (wrong == NULL && program->p_type == SEGMENT_LOAD) {
        wrong = check_load(program);
        if (wrong == NULL) {
            wrong = add_segment(image, program);
        }
    }
    return wrong;
}

static const char *check_entry(const struct elf_image *image)
{
    if (image->segment_count == 0) {
        return "p_type: there is no segment to load";
    }
    if (image->entry % 2 != 0) {
        return "e_entry is odd";
    }
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segment[i];

        if ((segment->protection & PROTECT_EXECUTE) != 0 && image->entry >= segment->vaddr &&
            image->entry - segment->vaddr < segment->file_bytes) {
            return NULL;
        }
    }
    return "e_entry is not inside an executable segment";
}

status_t elf_check(const void *base, size_t bytes, struct elf_image *image, const char **why)
{
    struct elf_header header;
    struct elf_image result;
    const char *wrong;

    if (bytes < sizeof header) {
        *why = "the file is shorter than an ELF header";
        return ERR_BAD_FORMAT;
    }
    memcpy(&header, base, sizeof header);
    wrong = check_ident(header.e_ident);
    if (wrong == NULL) {
        wrong = check_header(&header, bytes);
    }
    result = (struct elf_image){.entry = header.e_entry};
    for (unsigned i = 0; wrong == NULL && i < header.e_phnum; i++) {
        struct elf_program_header program;

        memcpy(&program, (const uint8_t *)base + header.e_phoff + i * sizeof program,
               sizeof program);
        wrong = check_program(&result, &program, bytes);
    }
    if (wrong == NULL) {
        wrong = check_entry(&result);
    }
    if (wrong != NULL) {
        *why = wrong;
        return ERR_BAD_FORMAT;
    }
    *image = result;
    return OK;
}
