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
    assert ports["lookup"]["KIND"] == "concurrent kernel service" and ports["lookup"]["WORD"] == "idle", ports["lookup"]
    assert int(ports["lookup"]["CALLS"]) > 0, ports["lookup"]
    console = ports["console.input"]
    assert console["WORD"] == "run", console
    assert console["HOLDER"] == f"{shell['ID']} shell", console
    text = gdb.run(f"baton port {console['INDEX']}")
    assert f"held by: {shell['ID']} shell" in text and "1." not in text, text
    assert gdb.run("baton waits").strip() == "nobody waits for a baton"


def test_names_lists_each_name_with_its_port_and_owner(gdb):
    names = {row["NAME"]: row for row in rows(gdb.run("baton names"))}
    ports = {row["INDEX"]: row for row in rows(gdb.run("baton ports"))}
    assert names["lookup"]["DOMAIN"] == "0 kernel" and "echo" in names, names
    assert names["console.input"]["PORT"] == next(
        index for index, row in ports.items() if row["NAMES"] == "console.input"), names
    assert list(names) == sorted(names), names


def test_domains_lists_programs_and_the_kernel(gdb):
    domains = {row["NAME"]: row for row in rows(gdb.run("baton domains"))}
    assert domains["kernel"]["ID"] == "0" and int(domains["kernel"]["PORTS"]) >= 6, domains["kernel"]
    assert domains["shell"]["STATE"] == "alive" and domains["shell"]["THREADS"] == "1", domains["shell"]
    assert int(domains["shell"]["PAGES"]) > 0, domains["shell"]


def test_bt_goes_from_the_kernel_to_main_of_the_shell(gdb):
    """A thread that blocks inside a kernel service: its kernel frames, the call, its user frames."""
    text = gdb.run(f"baton bt {shell_thread(gdb)['ID']}")
    assert_in_order(frames(text), ["runqueue_switch", "wait_queue_wait", "input_read", "operation_dispatch",
                                   "ipc_fastpath_call", "-- called through port", "(shell)",
                                   "console_read", "editor_read", "main", "startup_run", "_start"])
    assert "(console.input)" in text and "user/programs/shell/main.c:" in text, text
    assert "no further" not in text, text


def test_bt_of_a_system_call_reaches_main(gdb):
    """init waits for its watchers: a plain system call, through a stub that has no frame."""
    first = min(int(row["ID"]) for row in rows(gdb.run("baton threads")) if row["NAME"] == "init")
    text = gdb.run(f"baton bt {first}")
    assert_in_order(frames(text), ["thread_join", "syscall_join", "syscall_entry", "(init)", "handle_join", "thread_join",
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
    gdb.run("break call_from_user if ((struct core *)$tp)->activation->calls_left == 0")
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


def tables(text):
    """{first title: rows} of several tables with empty lines between."""
    return {part.split()[0]: rows(part) for part in text.strip("\n").split("\n\n")}


def test_mem_shows_nodes_nexuses_and_accounts(gdb):
    """Free blocks add up to the free memory; a core's pages are in stock, waiting or in use."""
    shell_thread(gdb)
    found = tables(gdb.run("baton mem"))
    node, = found["NODE"]
    kib = {"4K": 4, "8K": 8, "16K": 16, "32K": 32, "64K": 64, "128K": 128, "256K": 256, "512K": 512,
           "1M": 1024, "2M": 2048, "4M": 4096}
    assert int(node["FREE-KIB"]) == sum(int(node[title]) * size for title, size in kib.items()), node
    assert 0 < int(node["RESERVE"]) < int(node["FREE-KIB"]) < int(node["TOTAL-KIB"]), node
    assert [row["CORE"] for row in found["CORE"]] == ["0", "1"], found["CORE"]
    held = [int(row["TAKEN"]) - int(row["GIVEN"]) for row in found["CORE"]]  # a core may have given all back
    assert all(pages >= int(row["CACHED"]) for pages, row in zip(held, found["CORE"])), found["CORE"]
    assert min(held) >= 0 < max(held), found["CORE"]
    accounts = {row["NAME"]: row for row in found["DOMAIN"]}
    assert accounts["kernel"]["LIMIT"] == "-" and int(accounts["shell"]["PAGES"]) > 0, accounts
    objects = sum(int(row["IN-USE"]) for row in found["BYTES"])
    assert objects == sum(int(row["OBJECTS"]) for row in accounts.values()) > 10, found


def page(gdb, address):
    """{first word of a line: the rest} of `baton page`."""
    lines = gdb.run(f"baton page {address}").splitlines()
    return {line.split()[0].rstrip(":"): line.split(maxsplit=1)[1] for line in lines}


def test_page_tells_a_single_page_by_each_of_its_addresses(gdb):
    """A user's address, the kernel's pointer and the physical address lead to one record."""
    shell = shell_thread(gdb)["DOMAIN"].split()[0]
    by_user = page(gdb, f"0x10000 {shell}")
    assert by_user.pop("0x10000") == f"user address of domain {shell} (shell)", by_user
    assert by_user["state"] == "single page in use" and by_user["references"] == "1", by_user
    address = int(by_user["physical"].split()[0], 16)
    pointer = 0xffffffc000000000 + address
    for text, what in ((hex(address), "physical address"), (hex(pointer), "kernel pointer into the direct map")):
        found = page(gdb, text)
        assert found.pop(text) == what, found
        assert found == by_user, (found, by_user)


def test_page_tells_the_kernels_stock_and_its_free_blocks(gdb):
    """A page in stock is found through the record of its nexus; the pages behind a free block's first are in it."""
    shell_thread(gdb)
    stocked = [row["CORE"] for row in tables(gdb.run("baton mem"))["CORE"] if row["CACHED"] != "0"]
    for core in stocked:  # a domain that ended just now may have drained them all
        gdb.run(f"set $stock = (unsigned long)nexuses[{core}].free")
        found = page(gdb, "($stock-0xffffffff00000000)/64*4096")
        assert found["state"] == "free, in stock" and found["owner"] == f"core {core}", found
    gdb.run("set $big = (unsigned long)frame_nodes[0].free[10].next")
    found = page(gdb, "($big-0xffffffff00000000)/64*4096+0x123456")
    assert found["state"] == "free" and found["block"].startswith("order 10, 4096 KiB"), found
    assert "not under management" in page(gdb, "&cores")["state"]


def number(gdb, expression):
    return int(gdb.run(f"print/x (unsigned long)({expression})").split("=")[1], 16)


def free_objects(gdb):
    """(core, record, first free object) of each slab that the kernel allocates from."""
    for core in (0, 1):
        for slot in range(number(gdb, "sizeof(kernel_account.heap[0]->slot)/8")):
            record = number(gdb, f"kernel_account.heap[{core}]->slot[{slot}]")
            free = number(gdb, f"((struct frame *){record})->free")
            if record != number(gdb, "&slab_none") and free % 2 == 0:
                yield core, record, free


def test_page_tells_the_object_and_who_pays_for_it(gdb):
    """The shell's record is the kernel's object, its handles are the shell's, a slab's next object is free."""
    shell_thread(gdb)
    gdb.run("set $last = (struct domain *)((char *)all_domains.entries.prev - (long)&((struct domain *)0)->all_link)")
    seen = page(gdb, "(char*)$last+8")
    assert seen["object"].endswith("byte 8 of it, in use") and seen["account"] == "the kernel's", seen
    seen = page(gdb, "$last->handles.array")
    assert seen["object"].endswith("byte 0 of it, in use") and "(shell)" in seen["account"], seen
    core, record, free = next(free_objects(gdb))
    seen = page(gdb, f"{free + 9:#x}")
    assert f"from {free:#x}," in seen["object"] and seen["object"].endswith("byte 9 of it, free"), seen
    assert "the one that its heap allocates from" in seen["slab"] and seen["owner"] == f"core {core}", seen
    assert f"record {record:#x}" in seen["physical"], seen


def test_page_says_what_is_wrong_with_its_words(gdb):
    for words, answer in (("", "Usage: baton page ADDR [DOMAIN]"), ("1 2 3", "Usage"), ("0x12", "no memory"),
                          ("nothing_like_this", "No symbol"), ("kernel_domain", "put & before"),
                          ("0x10000 99", "there is no domain 99; there are 0 (kernel)"),
                          ("0x10000 shell", "there is no domain shell"), ("0x10000 0", "no memory of its own"),
                          ("&cores 1", "no user address"), ("0x7000 1", "nothing is mapped at 0x7000"),
                          ("-1", "nothing is mapped"), ("1/0", "Division by zero")):
        text = gdb.run(f"baton page {words}")
        assert text.startswith("baton: ") and answer in text, f"{words}: {text}"
    assert "takes no argument" in gdb.run("baton mem 1")


def test_shell_goes_on_after_detach(gdb):
    """The machine is none the worse: commands are answered, and gdb comes back."""
    shell_thread(gdb)
    gdb.run("detach")
    assert "poweroff" in gdb.machine.run("help")
    assert "not attached" in gdb.run("baton threads")
    gdb.run(f"target remote {gdb.folder}/socket")
    shell_thread(gdb)
