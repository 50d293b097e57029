/* SPDX-License-Identifier: MIT */
/* Tests the ELF validator: a good file, and each field of it damaged in turn. */

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/elf.h"
#include "kernel/base/types.h"
#include "tests/test.h"

/* The file: headers, text at page 1, data (with bss) at page 2. */
struct file {
    Elf64_Ehdr header;
    Elf64_Phdr program[4];
    Elf64_Shdr section[2];
    uint8_t rest[3 * PAGE_BYTES];
};

static struct file file;

static void build(void)
{
    memset(&file, 0, sizeof file);
    file.header = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_RISCV,
        .e_version = EV_CURRENT,
        .e_entry = 0x11010,
        .e_phoff = offsetof(struct file, program),
        .e_shoff = offsetof(struct file, section),
        .e_flags = 5,
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 4,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = 2,
        .e_shstrndx = 1,
    };
    file.program[0] = (Elf64_Phdr){
        .p_type = 0x70000003, .p_flags = PF_R, .p_offset = 0x1000, .p_filesz = 16, .p_align = 1};
    file.program[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                   .p_flags = PF_R | PF_X,
                                   .p_offset = 0x1000,
                                   .p_vaddr = 0x11000,
                                   .p_filesz = 0x800,
                                   .p_memsz = 0x800,
                                   .p_align = 0x1000};
    file.program[2] = (Elf64_Phdr){.p_type = PT_LOAD,
                                   .p_flags = PF_R | PF_W,
                                   .p_offset = 0x2010,
                                   .p_vaddr = 0x13010,
                                   .p_filesz = 0x100,
                                   .p_memsz = 0x4000,
                                   .p_align = 0x1000};
    file.program[3] = (Elf64_Phdr){.p_type = PT_TLS,
                                   .p_flags = PF_R,
                                   .p_offset = 0x2010,
                                   .p_vaddr = 0x13010,
                                   .p_filesz = 8,
                                   .p_memsz = 64,
                                   .p_align = 8};
}

/* Checks an exact copy at an odd address, so that stray and misaligned reads are seen. */
static status_t check_first(size_t bytes, struct elf_image *image, const char **why)
{
    uint8_t *copy = malloc(bytes + 1);
    status_t status;

    memcpy(copy + 1, &file, bytes);
    status = elf_check(copy + 1, bytes, image, why);
    free(copy);
    return status;
}

static void expect_refused(const char *field, int line)
{
    struct elf_image image = {.entry = 1234};
    const char *why = "";

    if (check_first(sizeof file, &image, &why) != ERR_BAD_FORMAT || strstr(why, field) == NULL ||
        image.entry != 1234) {
        test_fail(__FILE__, line, field, false, 0, 0);
    }
    build();
}

/* Sets one field of a good file and expects a complaint that names it. */
#define EXPECT_REFUSED(field, value, complaint)                                                    \
    do {                                                                                           \
        build();                                                                                   \
        file.field = (value);                                                                      \
        expect_refused(complaint, __LINE__);                                                       \
    } while (0)

TEST(elf, good_file_is_described)
{
    struct elf_image image;
    const char *why = "";

    build();
    ASSERT_TRUE(check_first(sizeof file, &image, &why) == OK);
    EXPECT_EQ(image.entry, 0x11010);
    ASSERT_TRUE(image.segment_count == 2);
    EXPECT_EQ(image.segment[0].vaddr, 0x11000);
    EXPECT_EQ(image.segment[0].file_offset, 0x1000);
    EXPECT_EQ(image.segment[0].protection, PROTECT_READ | PROTECT_EXECUTE);
    EXPECT_EQ(image.segment[1].vaddr, 0x13010);
    EXPECT_EQ(image.segment[1].memory_bytes, 0x4000);
    EXPECT_EQ(image.segment[1].file_bytes, 0x100);
    EXPECT_EQ(image.segment[1].protection, PROTECT_READ | PROTECT_WRITE);
}

TEST(elf, soft_float_and_stripped_files_are_accepted)
{
    struct elf_image image;
    const char *why = "";

    build();
    file.header.e_flags = 0;
    file.header.e_shoff = 0;
    file.header.e_shnum = 0;
    file.header.e_shstrndx = 0;
    EXPECT_OK(check_first(sizeof file, &image, &why));
}

TEST(elf, each_damaged_identification_byte_is_named)
{
    for (unsigned i = 0; i < 16; i++) {
        EXPECT_REFUSED(header.e_ident[i], (uint8_t)(file.header.e_ident[i] ^ 0x40), "e_ident");
    }
}

TEST(elf, each_damaged_header_field_is_named)
{
    EXPECT_REFUSED(header.e_type, ET_DYN, "e_type");
    EXPECT_REFUSED(header.e_type, ET_REL, "e_type");
    EXPECT_REFUSED(header.e_machine, EM_X86_64, "e_machine");
    EXPECT_REFUSED(header.e_version, 2, "e_version");
    EXPECT_REFUSED(header.e_flags, 0x15, "e_flags");
    EXPECT_REFUSED(header.e_flags, 0x7, "e_flags");
    EXPECT_REFUSED(header.e_ehsize, 52, "e_ehsize");
    EXPECT_REFUSED(header.e_phentsize, 32, "e_phentsize");
    EXPECT_REFUSED(header.e_phnum, 0, "e_phnum");
    EXPECT_REFUSED(header.e_phnum, 0xffff, "e_phnum");
    EXPECT_REFUSED(header.e_phoff, 0, "e_phoff");
    EXPECT_REFUSED(header.e_phoff, 68, "e_phoff");
    EXPECT_REFUSED(header.e_phoff, sizeof file - 56, "e_phoff");
    EXPECT_REFUSED(header.e_phoff, UINT64_MAX - 7, "e_phoff");
    EXPECT_REFUSED(header.e_shentsize, 40, "e_shentsize");
    EXPECT_REFUSED(header.e_shnum, 0xffff, "e_shnum");
    EXPECT_REFUSED(header.e_shnum, 0, "e_shoff");
    EXPECT_REFUSED(header.e_shoff, UINT64_MAX - 7, "e_shoff");
    EXPECT_REFUSED(header.e_shstrndx, 2, "e_shstrndx");
}

TEST(elf, entry_must_be_loaded_code)
{
    EXPECT_REFUSED(header.e_entry, 0, "e_entry");
    EXPECT_REFUSED(header.e_entry, 0x11011, "e_entry");
    EXPECT_REFUSED(header.e_entry, 0x10ffe, "e_entry");
    EXPECT_REFUSED(header.e_entry, 0x11800, "e_entry");
    EXPECT_REFUSED(header.e_entry, 0x13010, "e_entry");
    EXPECT_REFUSED(header.e_entry, 0xffffffff80200000, "e_entry");
}

TEST(elf, each_damaged_program_header_field_is_named)
{
    EXPECT_REFUSED(program[0].p_type, PT_INTERP, "p_type");
    EXPECT_REFUSED(program[0].p_type, PT_DYNAMIC, "p_type");
    EXPECT_REFUSED(program[0].p_type, 0x12345678, "p_type");
    EXPECT_REFUSED(program[0].p_filesz, UINT64_MAX, "p_filesz");
    EXPECT_REFUSED(program[1].p_flags, PF_R | PF_W | PF_X, "p_flags");
    EXPECT_REFUSED(program[1].p_flags, PF_X, "p_flags");
    EXPECT_REFUSED(program[1].p_flags, PF_R | PF_X | 8, "p_flags");
    EXPECT_REFUSED(program[1].p_offset, 0x1800, "p_align");
    EXPECT_REFUSED(program[1].p_offset, UINT64_MAX - 0xfff, "p_offset");
    EXPECT_REFUSED(program[1].p_offset, sizeof file, "p_offset");
    EXPECT_REFUSED(program[1].p_filesz, 0x801, "p_filesz");
    EXPECT_REFUSED(program[2].p_filesz, UINT64_MAX, "p_filesz");
    EXPECT_REFUSED(program[1].p_memsz, 0x7ff, "p_filesz");
    EXPECT_REFUSED(program[2].p_memsz, UINT64_MAX, "p_memsz");
    EXPECT_REFUSED(program[1].p_vaddr, 0, "p_vaddr");
    EXPECT_REFUSED(program[2].p_vaddr, USER_TOP - 0x1000 + 0x10, "p_memsz");
    EXPECT_REFUSED(program[2].p_vaddr, 0xffffffff80200010, "p_vaddr");
    EXPECT_REFUSED(program[1].p_align, 0x1001, "p_align");
    EXPECT_REFUSED(program[2].p_align, 0x4000, "p_align");
}

TEST(elf, segments_must_not_share_a_page_or_fall)
{
    build();
    file.program[2].p_vaddr = 0x11810;
    file.program[2].p_offset = 0x2810;
    expect_refused("p_vaddr", __LINE__);
    file.program[2].p_vaddr = 0x3010;
    expect_refused("p_vaddr", __LINE__);
}

TEST(elf, empty_and_unloadable_files_are_refused)
{
    struct elf_image image;
    const char *why = "";

    build();
    file.program[1].p_memsz = 0;
    file.program[1].p_filesz = 0;
    expect_refused("p_memsz", __LINE__);
    file.program[1].p_type = PT_NULL;
    file.program[2].p_type = PT_NULL;
    expect_refused("p_type", __LINE__);
    for (size_t bytes = 0; bytes < sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr); bytes++) {
        EXPECT_EQ(check_first(bytes, &image, &why), ERR_BAD_FORMAT);
    }
}

TEST(elf, more_than_eight_segments_are_refused)
{
    Elf64_Phdr many[9];

    build();
    for (unsigned i = 0; i < 9; i++) {
        many[i] = file.program[1];
        many[i].p_vaddr += (uint64_t)i * PAGE_BYTES;
    }
    file.header.e_phoff = 0x2000;
    file.header.e_phnum = 9;
    memcpy((uint8_t *)&file + 0x2000, many, sizeof many);
    expect_refused("e_phnum", __LINE__);
}

TEST(elf, random_damage_never_reads_outside)
{
    struct elf_image image;
    const char *why = "";

    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        build();
        for (int i = rand() % 3; i >= 0; i--) {
            ((uint8_t *)&file)[(unsigned)rand() % offsetof(struct file, section)] = (uint8_t)rand();
        }
        if (check_first(sizeof file, &image, &why) == OK) {
            for (unsigned i = 0; i < image.segment_count; i++) {
                const struct elf_segment *segment = &image.segment[i];

                EXPECT_TRUE(segment->file_offset + segment->file_bytes <= sizeof file);
                EXPECT_TRUE(segment->vaddr + segment->memory_bytes <= USER_TOP);
            }
        }
    }
}
