# SPDX-License-Identifier: MIT
"""What the tests of booting share: a machine that is ended whatever happens, and changed inputs."""

import contextlib
import glob
import os
import tempfile

import mkarchive
import paths
from testing import devicetree
from testing.session import Shell


@contextlib.contextmanager
def machine(**options):
    """A booted shell; ended when the block ends."""
    shell = Shell(**options)
    try:
        yield shell
    finally:
        shell.close()


def power_off(shell):
    """Ends the machine from its shell; the exit code must be 0."""
    shell.send("poweroff\r")
    code = shell.wait_exit(30)
    assert code == 0, f"poweroff ended with {code}"


def boots(**options):
    """The machine boots to the prompt, lists as many cores as it has, and powers off."""
    smp = options.get("smp", 2)
    with machine(**options) as shell:
        lines = [line.split() for line in shell.run("cores").splitlines()]
        cores = [words[0] for words in lines if words and words[0].isdigit()]
        assert cores == [str(core) for core in range(smp)], f"the cores are {cores}"
        power_off(shell)


def ends_with(code, *words, **options):
    """The machine ends by itself with this code, having printed each of the words."""
    with machine(wait_for_prompt=False, **options) as shell:
        got = shell.wait_exit(30)
        text = shell.tail()
        assert got == code, f"the exit code is {got}, not {code}\n{text}"
        missing = [word for word in words if word.lower() not in text.lower()]
        assert not missing, f"{missing} is not in what it printed\n{text}"
        return text


def archive_members(preset="release"):
    """{name: bytes} of the boot archive of a preset."""
    members = {}
    for path in glob.glob(os.path.join(paths.build_dir(preset), "user", "stripped", "*")):
        with open(path, "rb") as file:
            members[os.path.basename(path)] = file.read()
    with open(os.path.join(paths.ROOT, "user", "manifest"), "rb") as file:
        members["manifest"] = file.read()
    return members


@contextlib.contextmanager
def archive_file(members=None, data=None):
    """A file with an archive of the members, or with the given bytes."""
    with tempfile.NamedTemporaryFile(prefix="baton-archive-") as file:
        file.write(mkarchive.archive(list(members.items())) if data is None else data)
        file.flush()
        yield file.name


@contextlib.contextmanager
def changed_tree(change, smp=2, mem="512M"):
    """QEMU's arguments for a device tree on which change(root) was called."""
    root = devicetree.of_machine(smp, mem)
    change(root)
    with tempfile.NamedTemporaryFile(prefix="baton-tree-", suffix=".dtb") as file:
        file.write(devicetree.write(root))
        file.flush()
        yield ["-dtb", file.name]
