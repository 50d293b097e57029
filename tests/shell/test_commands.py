# SPDX-License-Identifier: MIT
"""The shell's commands, typed on the serial line of a live machine."""

import re
import time

COMMANDS = ("help", "ps", "threads", "ports", "cores", "mem", "run", "call", "waits", "test", "kill", "panic",
            "poweroff")


def test_help_names_every_command(shell):
    """help lists each command that there is."""
    words = shell.run("help").split()
    missing = [command for command in COMMANDS if command not in words]
    assert not missing, f"help does not name {missing}"


def test_call_reaches_echo_through_lookup(shell):
    """`call echo 1 2 3` prints the words that the service sent back."""
    answer = shell.run("call echo 1 2 3")
    assert [word in answer for word in ("1", "2", "3")] == [True] * 3, answer


def test_call_to_an_unknown_name_is_refused_by_name(shell):
    answer = shell.run("call no-such-service 1")
    assert "no-such-service" in answer or "NOT_FOUND" in answer.upper(), answer
    assert shell.run("help"), "the shell did not go on"


def test_waits_says_that_nobody_waits(shell):
    assert "nobody waits" in shell.run("waits")


def test_ports_counts_the_slots_of_a_concurrent_service(shell):
    shell.run("run call-peer shell.slots - 3 &")
    end = time.monotonic() + 30
    while "shell.slots" not in (text := shell.run("ports")):
        assert time.monotonic() < end, text
    row = next(line.split() for line in text.splitlines() if "shell.slots" in line)
    assert "concurrent" in row and "0/3" in row, row
    shell.run(f"kill {row[2]}")


def test_unknown_command_is_told(shell):
    assert "frobnicate" in shell.run("frobnicate 1 2")


def test_history_brings_the_last_command_back(shell):
    shell.run("call echo 41 42")
    shell.send("\x1b[A")
    shell.send("\r")
    assert "41" in shell.until_prompt()


def test_editing_moves_and_deletes_inside_the_line(shell):
    """Left twice, then a letter: it lands before the last two."""
    shell.send("hlp\x1b[D\x1b[De\x1b[C\x1b[C\r")
    assert "poweroff" in shell.until_prompt()


def test_interrupt_key_drops_the_line(shell):
    shell.send("panic\x03")
    shell.until_prompt()
    assert "poweroff" in shell.run("help")


def test_every_core_is_listed(shell):
    """`cores` has a line for each hart of the machine."""
    text = shell.run("cores")
    numbers = [line.split()[0] for line in text.splitlines() if line.split() and line.split()[0].isdigit()]
    assert numbers == ["0", "1"], text


def cells(shell, view):
    """The words of each row of a view of mem, without its titles."""
    return [line.split() for line in shell.run(f"mem {view}").splitlines()[1:]]


def test_mem_shows_every_view_one_after_the_other(shell):
    text = shell.run("mem")
    parts = [part.splitlines() for part in text.split("\n\n")]
    assert [part[0].split()[0] for part in parts] == ["total", "node", "core", "bytes", "domain"], text


def test_mem_counts_each_nodes_free_blocks(shell):
    """Blocks of each order add up to the free memory of the node."""
    rows = cells(shell, "nodes")
    assert len(rows) == 1, rows
    node, total, free, reserve, *blocks = map(int, rows[0])
    assert node == 0 and 0 < reserve < free < total, rows
    assert free == sum(4 * count << order for order, count in enumerate(blocks)), rows


def test_mem_counts_the_pages_of_each_core(shell):
    """What a core took from its node it gave back, has in stock or waiting, or has handed out."""
    rows = cells(shell, "nexuses")
    assert [row[0] for row in rows] == ["0", "1"], rows
    for _, cached, in_use, waiting, _, refills, taken, given, _, _ in (map(int, row) for row in rows):
        assert 0 < refills <= taken and taken - given == cached + in_use + waiting, rows


def test_mem_counts_the_objects_of_each_size(shell):
    """Objects fit into their slabs, and what no object takes is waste; accounts pay for all of them."""
    *rows, larger = cells(shell, "classes")
    assert rows[0][0] == "32" and rows[-1][0] == "2048" and larger[0] == "larger", rows
    for size, pages, objects, capacity, waste in (map(int, row) for row in rows):
        assert objects <= capacity == pages * (4096 // size), rows
        assert waste == pages * 4096 - objects * size, rows
    total = sum(int(row[2]) for row in rows + [larger])
    assert total > 10 and total == sum(int(row[-1]) for row in cells(shell, "accounts")), rows


def test_mem_names_who_pays(shell):
    rows = {row[1]: row for row in cells(shell, "accounts")}
    assert rows["kernel"][0] == "0" and rows["kernel"][3] == "-" and int(rows["kernel"][4]) > 0, rows
    assert int(rows["shell"][2]) <= int(rows["shell"][3]), rows


def test_mem_with_odd_words_tells_its_usage(shell):
    for words in ("mem ?", "mem nodes nodes", "mem -1", "mem totalsx", "mem tota"):
        answer = shell.run(words)
        assert answer.startswith("usage: mem [totals|nodes|"), f"{words}: {answer}"


def test_mem_titles_stand_above_their_columns(shell):
    """A number ends where its title ends; the last word of each title counts."""
    for view, last in (("nodes", "4M"), ("nexuses", "out"), ("classes", "waste"), ("accounts", "objects")):
        title, *rows = shell.run(f"mem {view}").splitlines()
        assert title.endswith(last) and {len(row) for row in rows} == {len(title)}, (title, rows)


def test_names_tells_port_and_owner(shell):
    lines = shell.run("names").splitlines()
    assert any(re.fullmatch(r" *\d+ +0  echo", line) for line in lines), lines


def test_watch_shows_what_matches_until_its_time_is_over(shell):
    text = shell.run("watch console* 1")
    assert "console" in text and "console.input" in text and "echo" not in text.replace("watch", ""), text
