# SPDX-License-Identifier: MIT
"""Reads, changes and writes flattened device trees, to boot machines that QEMU would not describe."""

import os
import struct
import subprocess
import tempfile

import qemu

MAGIC = 0xd00dfeed
BEGIN_NODE, END_NODE, PROPERTY, NOP, END = 1, 2, 3, 4, 9


class Node:
    """A node: its properties (name -> bytes) and its children, in order."""

    def __init__(self, name):
        self.name, self.properties, self.children = name, {}, []

    def child(self, name):
        return next(child for child in self.children if child.name == name)

    def find(self, path):
        """The node at a path like "/cpus/cpu@0"."""
        node = self
        for part in path.strip("/").split("/"):
            node = node.child(part)
        return node

    def remove(self, name):
        self.children = [child for child in self.children if child.name != name]


def parse(blob):
    """(root node, boot hart) of a device tree blob."""
    magic, _, structure, strings, _, _, _, boot, _, _ = struct.unpack_from(">10I", blob, 0)
    assert magic == MAGIC, "not a device tree"
    stack, position = [Node("")], structure

    def text(start):
        return blob[start:blob.index(b"\0", start)].decode()
    while True:
        token, = struct.unpack_from(">I", blob, position)
        position += 4
        if token == BEGIN_NODE:
            node = Node(text(position))
            position += (len(node.name) + 4) & ~3
            stack[-1].children.append(node)
            stack.append(node)
        elif token == END_NODE:
            stack.pop()
        elif token == PROPERTY:
            size, name = struct.unpack_from(">II", blob, position)
            stack[-1].properties[text(strings + name)] = blob[position + 8:position + 8 + size]
            position += 8 + ((size + 3) & ~3)
        elif token == END:
            return stack[0].children[0], boot


def write(root, boot=0):
    """The blob of a tree."""
    strings, offsets, body = b"", {}, b""

    def emit(node):
        nonlocal strings, body
        name = node.name.encode() + b"\0"
        body += struct.pack(">I", BEGIN_NODE) + name + b"\0" * (-len(name) % 4)
        for key, value in node.properties.items():
            if key not in offsets:
                offsets[key] = len(strings)
                strings += key.encode() + b"\0"
            body += struct.pack(">III", PROPERTY, len(value), offsets[key])
            body += value + b"\0" * (-len(value) % 4)
        for child in node.children:
            emit(child)
        body += struct.pack(">I", END_NODE)
    emit(root)
    body += struct.pack(">I", END)
    reserve = b"\0" * 16
    header_size = 40
    structure = header_size + len(reserve)
    total = structure + len(body) + len(strings)
    header = struct.pack(">10I", MAGIC, total, structure, structure + len(body), header_size, 17, 16,
                         boot, len(strings), len(body))
    return header + reserve + body + strings


def of_machine(smp, mem="512M"):
    """The root node of the tree that QEMU makes for a machine."""
    with tempfile.TemporaryDirectory(prefix="baton-dtb-") as folder:
        path = os.path.join(folder, "machine.dtb")
        subprocess.run([qemu.program(), "-machine", f"virt,dumpdtb={path}", "-cpu", "rv64", "-smp",
                        str(smp), "-m", mem, "-display", "none"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(path, "rb") as file:
            return parse(file.read())[0]
