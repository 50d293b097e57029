# SPDX-License-Identifier: MIT
"""Boots of machines of all shapes, to the prompt and off again."""

from machine import boots, changed_tree, ends_with, machine, power_off
from testing.stage_functions import only_long


def test_poweroff_ends_with_code_0():
    with machine() as shell:
        power_off(shell)


def test_poweroff_passes_its_code_on():
    with machine() as shell:
        shell.send("poweroff 7\r")
        code = shell.wait_exit(30)
        assert code == 7, f"the exit code is {code}"


def test_panic_reports_and_ends_with_code_2():
    """Cause, thread, functions by name and the other core, and the exit code is 2."""
    with machine(preset="debug") as shell:
        shell.send("panic\r")
        code = shell.wait_exit(30)
        text = shell.tail(20000)  # the whole report, on whatever core the shell ran
        assert code == 2, f"panic ended with {code}"
        for word in ("kernel panic", "(shell)", "backtrace", "+0x", "core 1"):
            assert word in text, f"{word} is not in the report"


def test_panic_names_a_foreign_pointer():
    """A page that has no record, because it is in no memory bank, is freed."""
    ends_with(2, "foreign pointer, into 0xffffffc000001000", "nexus_free_page", preset="debug",
              append="test=selftest.foreign")


def test_killed_shell_comes_back():
    with machine() as shell:
        rows = [line.split() for line in shell.run("ps").splitlines()]
        number = next(row[0] for row in rows if len(row) > 1 and row[1] == "shell")
        shell.run(f"kill {number}")
        assert "shell" in shell.run("ps")
        power_off(shell)


def test_poweroff_with_a_word_is_refused():
    with machine() as shell:
        assert "one number" in shell.run("poweroff now")
        power_off(shell)


def test_1_hart():
    boots(smp=1)


def test_3_harts():
    boots(smp=3)


def test_8_harts():
    boots(smp=8)


def test_64_harts():
    boots(smp=64)


@only_long
def test_32_harts():
    boots(smp=32)


def test_64_megabytes():
    boots(mem="64M")


def test_4_gigabytes():
    boots(mem="4G")


def test_debug_build():
    boots(preset="debug", smp=4)


def test_each_hart_can_be_the_boot_hart():
    for hart in range(4):
        with machine(smp=4, append=f"bootcpu={hart}") as shell:
            assert len(shell.run("cores").splitlines()) >= 4
            power_off(shell)


def test_harts_that_come_to_the_first_instruction_late_go_on_as_secondary_ones():
    """As OpenSBI 1.1 sends them there now and then; harts=late does it on purpose."""
    boots(smp=4, append="harts=late")


@only_long
def test_50_boots_in_a_row():
    for _ in range(50):
        boots(smp=8)


def two_nodes():
    """QEMU's arguments for 256 MiB and two harts on each of two NUMA nodes."""
    memory = []
    for node in (0, 1):
        memory += ["-object", f"memory-backend-ram,id=m{node},size=256M",
                   "-numa", f"node,nodeid={node},cpus={2 * node}-{2 * node + 1},memdev=m{node}"]
    return memory


def test_mem_shows_both_nodes():
    """Each node's free blocks add up to its free memory, and cores say which node is theirs."""
    with machine(smp=4, extra=two_nodes()) as shell:
        rows = [list(map(int, line.split())) for line in shell.run("mem nodes").splitlines()[1:]]
        assert [row[0] for row in rows] == [0, 1], rows
        for _, total, free, reserve, *blocks in rows:
            assert 0 < reserve < free <= total, rows
            assert free == sum(4 * count << order for order, count in enumerate(blocks)), rows
        power_off(shell)


def test_memory_comes_from_the_near_node():
    """The tests inside the kernel that skip where there is one node."""
    for pattern, count in (("frame.*", 6), ("nexus.pages*", 1)):
        text = ends_with(0, smp=4, append=f"test={pattern}", extra=two_nodes())
        assert text.count("\nok ") == count and "SKIP" not in text, text


def test_two_numa_nodes():
    """Both nodes are used, and each core is told its own."""
    with machine(smp=4, extra=two_nodes()) as shell:
        text = shell.run("cores")
        header, *rows = [line.split() for line in text.splitlines() if line.split()]
        hart, node = header.index("hart"), header.index("node")
        nodes = {row[hart]: row[node] for row in rows}
        assert nodes == {"0": "0", "1": "0", "2": "1", "3": "1"}, f"node of each hart: {nodes}"
        power_off(shell)


def test_disabled_harts_are_left_out():
    def disable(root):
        for hart in (1, 2):
            root.find(f"/cpus/cpu@{hart}").properties["status"] = b"disabled\0"
    with changed_tree(disable, smp=4) as extra, machine(smp=4, extra=extra) as shell:
        rows = [line.split() for line in shell.run("cores").splitlines()[1:]]
        harts = sorted(row[1] for row in rows if row)
        assert harts == ["0", "3"], f"the harts are {harts}"
        power_off(shell)


def test_tree_without_memory_is_refused():
    def forget(root):
        root.children = [node for node in root.children if not node.name.startswith("memory@")]
    with changed_tree(forget) as extra:
        ends_with(2, "memory", extra=extra)


def test_tree_with_a_hart_without_isa_is_refused():
    def forget(root):
        del root.find("/cpus/cpu@1").properties["riscv,isa"]
    with changed_tree(forget) as extra:
        ends_with(2, "isa", extra=extra)


def test_tree_without_interrupt_controller_is_refused():
    def forget(root):
        soc = root.child("soc")
        soc.children = [node for node in soc.children if not node.name.startswith("plic@")]
    with changed_tree(forget) as extra:
        ends_with(2, "plic", extra=extra)
