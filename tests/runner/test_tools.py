# SPDX-License-Identifier: MIT
"""The tools of the build: the archive, the checks on the image, the build id."""

import os
import subprocess
import sys

import check_image
import checker
import elffile
import mkarchive
import mkbuildid
import paths
import patterns


class FakeImage:
    """As much of an ELF file as check_image looks at."""

    def __init__(self, entry, segments):
        self.entry, self.segments = entry, segments

    def load_segments(self):
        loads = [segment for segment in self.segments if segment.type == elffile.PT_LOAD]
        return sorted(loads, key=lambda segment: segment.paddr)


def segment(kind, flags, address):
    return elffile.Segment(kind, flags, 0, address + 0xffffffff00000000, address, 16, 16, 4096)


def test_image_with_a_tls_segment_is_refused():
    good = [segment(elffile.PT_LOAD, 5, 0x80200000), segment(elffile.PT_LOAD, 6, 0x80400000)]
    assert not check_image.problems(FakeImage(0x80200000, good))
    assert not check_image.problems(FakeImage(0xffffffff80200000, good))
    found = check_image.problems(FakeImage(0x80200000, good + [segment(elffile.PT_TLS, 4, 0x80400000)]))
    assert len(found) == 1 and "TLS" in found[0]


def test_image_with_something_below_its_entry_is_refused():
    segments = [segment(elffile.PT_LOAD, 5, 0x80200000), segment(elffile.PT_LOAD, 6, 0x80100000)]
    assert check_image.problems(FakeImage(0x80200000, segments))


def test_image_with_a_writable_executable_segment_is_refused():
    assert check_image.problems(FakeImage(0x80200000, [segment(elffile.PT_LOAD, 7, 0x80200000)]))


def test_built_kernel_passes_the_image_check():
    assert not check_image.problems(elffile.ElfFile(paths.kernel("release")))


def test_archive_is_the_same_for_any_order_of_its_members():
    members = [("b", b"12345"), ("a", b"")]
    assert mkarchive.archive(members) == mkarchive.archive(members[::-1])


def test_archive_fields_follow_the_newc_format():
    data = mkarchive.archive([("name", b"12345")])
    assert data[:6] == b"070701" and len(data) % 4 == 0
    fields = [int(data[6 + 8 * index:14 + 8 * index], 16) for index in range(13)]
    assert fields[1] == 0o100644 and fields[6] == 5 and fields[11] == 5
    assert data[110:115] == b"name\0" and data[116:121] == b"12345"
    assert b"TRAILER!!!\0" in data


def test_build_id_changes_with_a_source_and_with_nothing_else():
    with checker.sample_tree({"mm/a.c": "int x;\n", "README.md": "1"}) as root:
        first = mkbuildid.source_hash(root)
        with open(f"{root}/README.md", "w", encoding="utf-8") as file:
            file.write("2")
        assert mkbuildid.source_hash(root) == first
        with open(f"{root}/mm/a.c", "w", encoding="utf-8") as file:
            file.write("int y;\n")
        assert mkbuildid.source_hash(root) != first


def test_setup_with_nothing_missing_prints_nothing():
    done = subprocess.run([f"{paths.ROOT}/tools/setup"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0 and done.stdout == b"", done.stdout


def test_pattern_that_matchers_read_differently_is_refused():
    """Sets in brackets, blanks and what the kernel would cut off; each program says so in one line."""
    for pattern in ("p[ab]*", "p]", "two words", "tab\there", "x" * (patterns.LENGTH_MAX + 1)):
        assert patterns.complaint(pattern), pattern
    for pattern in ("", "*", "port.a_?*", "x" * patterns.LENGTH_MAX):
        assert patterns.complaint(pattern) is None, pattern
    for program, variable in (("test", "T"), ("torture", "T"), ("mutants", "T"), ("bench", "B"), ("bench_host", "B")):
        done = subprocess.run([sys.executable, "-B", f"{paths.ROOT}/tools/{program}.py"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, text=True, timeout=60,
                              env={**os.environ, variable: "p[ab]*"})
        assert done.returncode == 1 and "no sets like [ab]" in done.stdout, (program, done.stdout)
        assert done.stdout.count("\n") == 1, (program, done.stdout)
