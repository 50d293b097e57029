/* SPDX-License-Identifier: MIT */
/* Tests finding functions in the symbol table of an ELF file, and surviving a broken one. */
#include "kernel/base/elf_symbol.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

/* A file with two functions: "first" at 0x1000 of 0x10 bytes, "second" at 0x1010 of 8 bytes. */
struct file {
    struct {
        uint8_t ident[16];
        uint8_t skipped[24];
        uint64_t sections;
        uint8_t skipped2[12];
        uint16_t section_count, names;
    } header;
    struct {
        uint32_t name, type;
        uint64_t flags, address, offset, size;
        uint32_t link, info;
        uint64_t alignment, entry_size;
    } section[3];
    struct {
        uint32_t name;
        uint8_t info, other;
        uint16_t section;
        uint64_t value, size;
    } symbol[3];
    char text[16];
};

static struct file make_file(void)
{
    struct file file = {
        .header = {.ident = {0x7f, 'E', 'L', 'F', 2},
                   .sections = offsetof(struct file, section),
                   .section_count = 3},
        .symbol = {{0},
                   {.name = 1, .info = 2, .value = 0x1000, .size = 0x10},
                   {.name = 7, .info = 2, .value = 0x1010, .size = 8}},
        .text = "\0first\0second",
    };

    file.section[1].type = 2;
    file.section[1].offset = offsetof(struct file, symbol);
    file.section[1].size = sizeof(file.symbol);
    file.section[1].link = 2;
    file.section[2].type = 3;
    file.section[2].offset = offsetof(struct file, text);
    file.section[2].size = sizeof(file.text);
    return file;
}

/* The answer for a copy of exactly `bytes` bytes, so that the sanitizer sees a read beyond them. */
static bool finds(const struct file *file, size_t bytes, vaddr_t address, const char *wanted,
                  uint64_t wanted_offset)
{
    uint8_t *copy = malloc(bytes + 1);
    uint64_t offset = 99;

    memcpy(copy, file, bytes);
    const char *name = elf_symbol_find(copy, bytes, address, &offset);
    bool right = wanted == NULL
                     ? name == NULL
                     : name != NULL && strcmp(name, wanted) == 0 && offset == wanted_offset;
    free(copy);
    return right;
}

TEST(elf_symbol, address_inside_a_function_finds_name_and_distance)
{
    struct file file = make_file();

    EXPECT_TRUE(finds(&file, sizeof(file), 0x1000, "first", 0));
    EXPECT_TRUE(finds(&file, sizeof(file), 0x100f, "first", 15));
    EXPECT_TRUE(finds(&file, sizeof(file), 0x1010, "second", 0));
}

TEST(elf_symbol, address_outside_every_function_finds_nothing)
{
    struct file file = make_file();

    EXPECT_TRUE(finds(&file, sizeof(file), 0xfff, NULL, 0));
    EXPECT_TRUE(finds(&file, sizeof(file), 0x1018, NULL, 0));
}

TEST(elf_symbol, cut_file_is_never_read_beyond_its_end)
{
    struct file file = make_file();

    for (size_t bytes = 0; bytes < sizeof(file); bytes++) {
        EXPECT_TRUE(finds(&file, bytes, 0x1012, NULL, 0));
    }
}

TEST(elf_symbol, broken_offsets_find_nothing)
{
    struct file file = make_file();

    file.section[1].offset = UINT64_MAX - 8;
    EXPECT_TRUE(finds(&file, sizeof(file), 0x1000, NULL, 0));
    file = make_file();
    file.section[1].link = 7;
    EXPECT_TRUE(finds(&file, sizeof(file), 0x1000, NULL, 0));
    file = make_file();
    file.section[2].size = UINT64_MAX;
    EXPECT_TRUE(finds(&file, sizeof(file), 0x1000, NULL, 0));
    file = make_file();
    file.symbol[1].name = 400;
    EXPECT_TRUE(finds(&file, sizeof(file), 0x1000, NULL, 0));
    file = make_file();
    file.header.sections = UINT64_MAX - 64;
    EXPECT_TRUE(finds(&file, sizeof(file), 0x1000, NULL, 0));
}
