# SPDX-License-Identifier: MIT
"""The debugger's helpers against a live kernel that waits in its shell."""

import re
import time

SETTLE_S = 60


def rows(text):
    """A printed table as a list of {title: cell}; cells are found by two blanks or more."""
    lines = [line for line in text.splitlines() if line.strip()]
    titles = lines[0].split()
    cells = [re.split(r"\s{2,}", line.strip()) for line in lines[1:]]
    bad = [row for row in cells if len(row) != len(titles)]
    assert not bad, f"a row does not fit its titles {titles}: {bad}"
    return [dict(zip(titles, row)) for row in cells]


def stop_again(gdb):
    gdb.send("continue\n")
    gdb.expect("Continuing")
    gdb.send("\x03")
    gdb.until_prompt()


def shell_thread(gdb):
    """The row of the shell, once it waits for input."""
    end = time.monotonic() + SETTLE_S
    while True:
        shell = next((row for row in rows(gdb.run("baton threads")) if row["NAME"] == "shell"), None)
        if shell and shell["STATE"] == "blocked" and shell["DEPTH"] == "1":
            return shell
        assert time.monotonic() < end, f"the shell never waited for input: {shell}"
        stop_again(gdb)


def frames(text):
    """The functions of a backtrace, the innermost first, inlined ones included; headings as they are."""
    found = []
    for line in text.splitlines():
        match = re.match(r"#\d+ +0x[0-9a-f]+ in (\S+)(?: \(inlined in ([^)]*)\))?", line)
        if match:
            found += [match.group(1)] + (match.group(2) or "").split(", ")
        elif line.startswith("-- "):
            found.append(line)
    return [name for name in found if name]


def assert_in_order(found, wanted):
    rest = iter(found)
    missing = [name for name in wanted if not any(name in one for one in rest)]
    assert not missing, f"not there, or not in this order: {missing}; frames: {found}"


def test_cores_lists_each_core_with_its_thread(gdb):
    """Two cores, each with its hart (any of them can be core 0); idle where the idle thread runs."""
    shell_thread(gdb)
    cores = rows(gdb.run("baton cores"))
    assert [row["CORE"] for row in cores] == ["0", "1"], cores
    assert sorted(row["HART"] for row in cores) == ["0", "1"], cores
    for row in cores:
        idle = row["NAME"] == f"idle/{row['CORE']}"
        assert idle == (row["STATE"] == "idle"), row
    assert any(row["STATE"] == "idle" for row in cores), cores


def test_threads_lists_kernel_and_user_threads(gdb):
    threads = {row["NAME"]: row for row in rows(gdb.run("baton threads"))}
    assert {"reaper", "init", "shell"} <= set(threads), threads
    assert threads["reaper"]["DOMAIN"] == "0 kernel", threads["reaper"]
    assert threads["init"]["DOMAIN"].endswith(" init"), threads["init"]
    assert threads["shell"]["DOMAIN"].endswith(" shell"), threads["shell"]


def test_ports_decodes_the_baton_of_the_console(gdb):
    """While the shell waits it runs the console's input service: it holds that baton and no other."""
    shell = shell_thread(gdb)
    ports = {row["NAMES"]: row for row in rows(gdb.run("baton ports"))}
    assert ports["lookup"]["KIND"] == "kernel service" and ports["lookup"]["WORD"] == "idle", ports["lookup"]
    assert int(ports["lookup"]["CALLS"]) > 0, ports["lookup"]
    console = ports["console.input"]
    assert console["WORD"] == "run", console
    assert console["HOLDER"] == f"{shell['ID']} shell", console


def test_domains_lists_programs_and_the_kernel(gdb):
    domains = {row["NAME"]: row for row in rows(gdb.run("baton domains"))}
    assert domains["kernel"]["ID"] == "0" and int(domains["kernel"]["PORTS"]) >= 6, domains["kernel"]
    assert domains["shell"]["STATE"] == "alive" and domains["shell"]["THREADS"] == "1", domains["shell"]
    assert int(domains["shell"]["PAGES"]) > 0, domains["shell"]


def test_bt_goes_from_the_kernel_to_main_of_the_shell(gdb):
    """A thread that blocks inside a kernel service: its kernel frames, the call, its user frames."""
    text = gdb.run(f"baton bt {shell_thread(gdb)['ID']}")
    assert_in_order(frames(text), ["sched_switch_away", "wait_queue_wait", "input_read", "operation_dispatch",
                                   "ipc_fastpath_call", "-- called through port", "(shell)",
                                   "console_read", "editor_read", "main", "startup_run", "_start"])
    assert "(console.input)" in text and "user/programs/shell/main.c:" in text, text
    assert "no further" not in text, text


def test_bt_of_a_system_call_reaches_main(gdb):
    """init waits for its watchers: a plain system call, through a stub that has no frame."""
    first = min(int(row["ID"]) for row in rows(gdb.run("baton threads")) if row["NAME"] == "init")
    text = gdb.run(f"baton bt {first}")
    assert_in_order(frames(text), ["thread_join", "syscall_join", "syscall_entry", "(init)", "handle_join",
                                   "main", "_start"])
    assert "no further" not in text, text


def test_bt_of_a_kernel_thread_ends_at_its_start(gdb):
    ids = {row["NAME"]: row["ID"] for row in rows(gdb.run("baton threads"))}
    text = gdb.run(f"baton bt {ids['reaper']}")
    assert_in_order(frames(text), ["sched_block", "reaper_loop", "thread_first_code", "context_start"])
    assert "no further" not in text, text


def test_unknown_thread_is_named_with_the_known_ones(gdb):
    answer = gdb.run("baton bt 987654")
    assert "987654" in answer and "(shell)" in answer and "(init)" in answer, answer
    answer = gdb.run("baton bt shell")
    assert "number" in answer and "baton threads" in answer, answer


def test_unknown_program_is_named_with_the_known_ones(gdb):
    answer = gdb.run("baton symbols no-such-program")
    assert "no-such-program" in answer and "echo-server" in answer and "shell" in answer, answer


def test_symbols_gives_gdb_one_program(gdb):
    assert "editor.c" not in gdb.run("info functions -q ^editor_read$")
    gdb.run("baton symbols shell")
    assert "editor.c" in gdb.run("info functions -q ^editor_read$")
    gdb.run("baton symbols echo-server")
    assert "editor.c" not in gdb.run("info functions -q ^editor_read$")
    gdb.run("baton symbols")


def test_bt_crosses_sixteen_nested_calls(gdb):
    """The deepest chain there may be, stopped where its next call is refused, on a core."""
    shell_thread(gdb)
    gdb.run("break call_port if ((struct core *)$tp)->activation->depth == 16")
    gdb.send("continue\n")
    gdb.expect("Continuing")
    gdb.machine.send("test call *deeper*\r")
    gdb.until_prompt()
    busy = [row for row in rows(gdb.run("baton cores")) if row["DEPTH"] == "16"]
    assert len(busy) == 1 and busy[0]["STATE"] == "busy, in kernel", busy
    text = gdb.run(f"baton bt {busy[0]['THREAD']}")
    assert f"runs on core {busy[0]['CORE']}" in text, text
    found = frames(text)
    assert sum(line.startswith("-- called through") for line in found) == 16, text
    assert found.count("call_next") == 16 and found.count("service_entry") == 16, text
    assert_in_order(found[-8:], ["main", "startup_run", "_start"])
    gdb.run("delete")
    gdb.send("continue\n")
    gdb.expect("Continuing")
    assert "1 passed, 0 failed" in gdb.machine.until_prompt()
    gdb.send("\x03")
    gdb.until_prompt()


def test_shell_goes_on_after_detach(gdb):
    """The machine is none the worse: commands are answered, and gdb comes back."""
    shell_thread(gdb)
    gdb.run("detach")
    assert "poweroff" in gdb.machine.run("help")
    assert "not attached" in gdb.run("baton threads")
    gdb.run(f"target remote {gdb.folder}/socket")
    shell_thread(gdb)
