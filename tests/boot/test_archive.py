# SPDX-License-Identifier: MIT
"""Boots with a bad boot archive: a clear message, never a panic."""

import struct

import paths
from machine import archive_file, archive_members, ends_with, machine, power_off


def test_machine_without_an_archive_is_refused():
    ends_with(2, "archive", initrd="")


def test_archive_with_a_bad_magic_is_refused():
    with open(paths.archive("release"), "rb") as file:
        data = bytearray(file.read())
    data[0:6] = b"070700"
    with archive_file(data=bytes(data)) as path:
        assert "panic" not in ends_with(2, "archive", initrd=path)


def test_truncated_archive_is_refused():
    with open(paths.archive("release"), "rb") as file:
        data = file.read()
    with archive_file(data=data[:len(data) // 2]) as path:
        assert "panic" not in ends_with(2, "archive", initrd=path)


def test_archive_without_init_is_refused():
    members = archive_members()
    del members["init"]
    with archive_file(members) as path:
        assert "panic" not in ends_with(2, "init", initrd=path)


def test_init_that_is_no_program_is_refused():
    members = archive_members()
    members["init"] = b"this is text\n" * 100
    with archive_file(members) as path:
        assert "panic" not in ends_with(2, "init", initrd=path)


def test_manifest_with_a_missing_program_names_it_and_goes_on():
    members = archive_members()
    members["manifest"] = b"start no-such-program\n" + members["manifest"]
    with archive_file(members) as path, machine(initrd=path) as shell:
        assert "no-such-program" in shell.tail(), shell.tail()
        power_off(shell)


def test_manifest_lines_that_are_wrong_are_named_by_number():
    members = archive_members()
    members["manifest"] = (b"register a\n# fine\nstart\nstop shell\n" + members["manifest"] +
                           b"register a*b\nregister\nregister " + b"x" * 65 + b"\n")
    with archive_file(members) as path, machine(initrd=path) as shell:
        text = shell.tail()
        for line, why in ((1, "`register` without a program above"), (3, "`start` without a program"),
                          (4, "the first word is neither"), (10, "a `*` is not at the end"),
                          (11, "`register` without a name"), (12, "a name is too long")):
            assert f"manifest line {line}: not understood: {why}" in text, text
        power_off(shell)


def test_program_registers_only_what_the_manifest_says():
    members = archive_members()
    members["manifest"] = (b"start echo-server echo.one\nstart echo-server echo.two\nregister a echo.two\n"
                           b"start echo-server echo.three\nregister echo.t*\n"
                           b"start echo-server echo.four\nregister echo.fourth\n" + members["manifest"])
    with archive_file(members) as path, machine(initrd=path) as shell:
        names = shell.run("names")
        assert "echo.two" in names and "echo.three" in names, names
        assert "echo.one" not in names and "echo.four" not in names, names
        power_off(shell)


# Offsets of the fields of the ELF header and of the first program header: (name, offset, format, bad value).
HEADER = (
    ("magic", 0, "B", 0), ("class", 4, "B", 1), ("data", 5, "B", 2), ("version", 6, "B", 0),
    ("type", 16, "H", 3), ("machine", 18, "H", 62), ("version2", 20, "I", 0),
    ("entry", 24, "Q", 0xffffffff80200000), ("phoff", 32, "Q", 1 << 40), ("flags", 48, "I", 0xffff),
    ("ehsize", 52, "H", 0), ("phentsize", 54, "H", 1), ("phnum", 56, "H", 0xffff),
)
PROGRAM = (
    ("p_flags", 4, "I", 7), ("p_offset", 8, "Q", 1 << 50), ("p_vaddr", 16, "Q", 0xffffffff80000000),
    ("p_filesz", 32, "Q", 1 << 60), ("p_memsz", 40, "Q", 0),
)


def corrupted(program, offset, kind, value):
    data = bytearray(program)
    struct.pack_into("<" + kind, data, offset, value)
    return bytes(data)


def first_load(program):
    """The offset of the first LOAD program header."""
    table, = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    for index in range(count):
        kind, = struct.unpack_from("<I", program, table + index * size)
        if kind == 1:
            return table + index * size
    raise AssertionError("no LOAD segment")


def test_program_with_any_header_field_corrupted_is_refused():
    """Each field in turn: the shell is told, the kernel and the shell go on."""
    members = archive_members()
    good = members["test-libc"]
    names = []
    for base, fields in ((0, HEADER), (first_load(good), PROGRAM)):
        for name, offset, kind, value in fields:
            names.append(f"bad-{name.replace('_', '-')}")
            members[names[-1]] = corrupted(good, base + offset, kind, value)
    with archive_file(members) as path, machine(initrd=path) as shell:
        for name in names:
            answer = shell.run(f"run {name}")
            assert "KTAP" not in answer, f"{name} was started"
            assert answer.strip(), f"{name}: nothing was said"
        assert "poweroff" in shell.run("help")
        power_off(shell)
