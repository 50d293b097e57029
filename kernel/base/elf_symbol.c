/* SPDX-License-Identifier: MIT */
/*
 * Looking a function up in the symbol table of an ELF64 file that nobody has validated.
 */
#include "kernel/base/elf_symbol.h"

#include <string.h>

#define SECTION_SYMBOLS 2
#define SYMBOL_FUNCTION 2

struct elf_section {
    uint32_t name, type;
    uint64_t flags, address, offset, size;
    uint32_t link, info;
    uint64_t alignment, entry_size;
};

struct elf_symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
};

struct elf_file {
    const uint8_t *base;
    size_t bytes;
    uint64_t sections; /* file offset of the section headers */
    uint16_t section_count;
};

static bool file_read(const struct elf_file *file, uint64_t offset, void *to, size_t bytes)
{
    if (offset > file->bytes || bytes > file->bytes - offset) {
        return false;
    }
    memcpy(to, file->base + offset, bytes);
    return true;
}

static bool file_open(struct elf_file *file)
{
    static const uint8_t magic[5] = {0x7f, 'E', 'L', 'F', 2};
    uint8_t header[64];

    if (!file_read(file, 0, header, sizeof(header)) || memcmp(header, magic, sizeof(magic)) != 0) {
        return false;
    }
    memcpy(&file->sections, header + 40, sizeof(file->sections));           /* e_shoff */
    memcpy(&file->section_count, header + 60, sizeof(file->section_count)); /* e_shnum */
    return true;
}

static bool file_section(const struct elf_file *file, uint32_t index, struct elf_section *section)
{
    return index < file->section_count && file->sections <= file->bytes &&
           file_read(file, file->sections + (uint64_t)index * sizeof(*section), section,
                     sizeof(*section));
}

static bool file_find_symbols(const struct elf_file *file, struct elf_section *symbols)
{
    for (uint32_t i = 0; i < file->section_count; i++) {
        if (file_section(file, i, symbols) && symbols->type == SECTION_SYMBOLS) {
            return true;
        }
    }
    return false;
}

/* The text at `name` of a string section, if it ends inside it. */
static const char *file_text(const struct elf_file *file, uint32_t section, uint32_t name)
{
    struct elf_section strings;

    if (!file_section(file, section, &strings) || strings.offset > file->bytes ||
        strings.size > file->bytes - strings.offset || name >= strings.size) {
        return NULL;
    }
    const char *text = (const char *)file->base + strings.offset + name;
    return memchr(text, '\0', strings.size - name) == NULL ? NULL : text;
}

const char *elf_symbol_find(const void *base, size_t bytes, vaddr_t address, uint64_t *offset)
{
    struct elf_file file = {.base = base, .bytes = bytes};
    struct elf_section symbols;
    struct elf_symbol symbol;

    if (!file_open(&file) || !file_find_symbols(&file, &symbols)) {
        return NULL;
    }
    for (uint64_t at = 0; at + sizeof(symbol) <= symbols.size; at += sizeof(symbol)) {
        if (!file_read(&file, symbols.offset + at, &symbol, sizeof(symbol))) {
            return NULL;
        }
        if ((symbol.info & 0xf) == SYMBOL_FUNCTION && address - symbol.value < symbol.size) {
            *offset = address - symbol.value;
            return file_text(&file, symbols.link, symbol.name);
        }
    }
    return NULL;
}
