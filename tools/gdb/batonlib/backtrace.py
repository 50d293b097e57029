# SPDX-License-Identifier: MIT
"""The whole chain of a thread: kernel frames, and across each activation the frames of the caller.

Rules: the walk starts in the innermost activation, in kernel code or (on a core) in user code. Kernel frames
end in the entry code, which leads to user frames of the activation's domain, or, for a kernel service that
the fast path entered, across its activation to the caller. User frames end at the top of their stack;
below lies the activation that brought them, until the thread's own first level.
"""

from . import entry, kernel
from .constants import constant
from .core import all_registers
from .memory import KernelSpace, ReadError
from .port import Port
from .symbols import kernel_image, program_folder, program_image
from .thread import Activation
from .unwind import Registers, caller, instruction_of

FRAMES_MAX = 200
ENDS = ("context_start", "_start")
# core.current changes in the one before the stack does; the other runs after both.
SWITCH, SWITCHED = "runqueue_switch", "finish_switch"


# Kinds of activations whose caller is kernel code.
FROM_KERNEL = ("from kernel", "from courier")


class Backtrace:
    """Collects the lines of one thread's chain."""

    def __init__(self, thread):
        self.thread = thread
        self.activation = thread.activation()
        self.memory, self.image = KernelSpace(), kernel_image()
        self.lines = []
        self.count = 0

    def run(self):
        core = self.thread.core()
        if core:
            self.lines.append(f"It runs on core {core.cpu} now; the registers are the core's.")
            self.walk_running(all_registers().get(core.hart))
            functions = [line.split()[3] for line in self.lines if line.startswith("#")]
            if SWITCH in functions and SWITCHED not in functions:
                self.lines.append("     (the core is switching threads: the frames may be the other one's)")
        else:
            context = int(self.thread.structure["context"])
            if context == 0:
                self.lines.append("It has not been started.")
                return
            ra, fp = self.memory.word(context), self.memory.word(context + 8)
            fresh = ra == kernel.address_of("context_start")
            self.kernel_frames(Registers(ra, context + 112, fp, None, fresh))

    def walk_running(self, registers):
        if registers is None or registers.mode == "firmware":
            self.lines.append("The core is in the firmware: `continue` and stop again.")
            return
        start = Registers(registers.pc, registers.sp, registers.fp, registers.ra, True)
        if registers.mode == "user":
            self.user_frames(entry.after_call(start, registers.tp, self.activation.domain.space()))
        else:
            self.kernel_frames(start)

    def frame(self, image, registers):
        """Adds one frame; answers its Place."""
        place = image.place(instruction_of(registers)) if image else None
        where = "??"
        if place:
            where = place.names[0]
            if len(place.names) > 1:
                where += " (inlined in " + ", ".join(place.names[1:]) + ")"
            where += f" at {place.line}" if place.line else ""
        self.lines.append(f"#{self.count:<3} {registers.pc:#018x} in {where}")
        self.count += 1
        if self.count > FRAMES_MAX:
            raise ReadError("too many frames")
        return place

    def heading(self, text):
        self.lines.append(f"-- {text}")

    def broken(self, error):
        self.lines.append(f"     (no further: {str(error).removeprefix('baton: ')})")

    def kernel_frames(self, registers):
        self.heading("kernel")
        while True:
            place = self.frame(self.image, registers)
            if registers.exact and place and place.name == "context_start":
                self.never_ran()
                return
            if place is None or place.name in ENDS:
                return
            if place.name in entry.ALL:
                self.lines.append("     (in the kernel's entry code, whose registers are not saved yet)")
                return
            try:
                registers = caller(self.memory, self.image, registers)
            except ReadError as error:
                self.broken(error)
                return
            if registers.pc == 0:
                return
            came_from = self.image.place(registers.pc - 1)
            name = came_from.name if came_from else ""
            if name == "context_call_on" and self.activation.kind in FROM_KERNEL:
                self.frame(self.image, registers)
                registers = caller(self.memory, self.image, registers)
                self.pop()
            elif name in entry.ALL:
                registers = self.leave_kernel(name, registers)
                if registers is None:
                    return

    def leave_kernel(self, name, registers):
        """Across the entry code; answers kernel registers to go on with, or None."""
        self.frame(self.image, registers)
        if name in entry.TRAP_KERNEL:
            self.heading("interrupted")
            return entry.from_trap_frame(registers.sp)
        self.pop_below(registers.sp)
        space = self.activation.domain.space()
        if name in entry.FASTPATH and not self.on_own_stack(registers.sp):
            self.cross()
        elif name in entry.TRAP_USER:
            self.user_frames(entry.from_user_trap_frame(registers.sp, space))
        else:
            self.user_frames(entry.from_syscall_frame(registers.sp, registers.fp, space))
        return None

    def user_frames(self, registers):
        domain = self.activation.domain
        space, image = domain.space(), program_image(domain.name)
        self.heading(str(domain))
        if image is None:
            self.lines.append(f"     (there is no program {domain.name} in {program_folder()})")
        if space is None:
            self.lines.append("     (its memory is gone)")
        else:
            self.user_chain(space, image, registers, self.stack_top())
        self.cross()

    def user_chain(self, space, image, registers, top):
        """Up to the frame that begins at the top of the stack."""
        while True:
            place = self.frame(image, registers)
            if registers.sp >= top:
                return
            try:
                registers = caller(space, image, registers)
            except ReadError as error:
                if registers.fp != 0:  # 0 marks the first frame of a stack
                    self.broken(error)
                return
            function = image.place(registers.pc - 1) if image else None
            is_first = registers.sp >= top and (function is None or function.start == place.start)
            if registers.pc == 0 or is_first:
                return

    def stack_top(self):
        """Where the user stack of the running activation begins."""
        if self.activation.port:
            port = Port(self.activation.port)
            if port.slots:
                return int(kernel.load("struct run_stack", self.activation.stack)["top"])
            return port.stack_top
        return int(self.thread.structure["start_sp"])

    def cross(self):
        """From an activation, whose frames are done, to the code that made the call."""
        activation = self.activation
        if activation.kind == "base":
            return
        self.lines.append(f"-- called through {Port(activation.port)}")
        self.pop()
        if activation.kind in FROM_KERNEL:
            self.kernel_frames(entry.from_kernel_activation(activation, self.memory))
        else:
            self.user_frames(entry.from_activation(activation, self.activation.domain.space()))

    def pop(self):
        self.activation = Activation(self.activation.previous)

    def on_own_stack(self, address):
        slot = constant("KSTACK_SLOT_BYTES")
        return address // slot == self.thread.address // slot

    def pop_below(self, address):
        """Records below a frame of the entry code belong to kernel code that is already done with."""
        while self.activation.kind != "base" and self.on_own_stack(address) \
                and self.on_own_stack(self.activation.address) and self.activation.address < address:
            self.pop()

    def never_ran(self):
        structure = self.thread.structure
        start = int(structure["start_pc"])
        if start:
            self.heading(f"{self.thread.domain}: it has not run yet and starts here")
            registers = Registers(start, int(structure["start_sp"]), 0, None, True)
            self.frame(program_image(self.thread.domain.name), registers)


def describe(thread):
    """The lines that `baton bt` prints."""
    trace = Backtrace(thread)
    head = f"Thread {thread.id} ({thread.name}) of {thread.domain}: {thread.state}, core {thread.cpu}, " \
           f"{thread.depth()} calls deep"
    waiting = int(thread.structure["waiting_for"])
    if waiting:
        head += f", waits for the baton of {Port(waiting)}"
    try:
        trace.run()
    except ReadError as error:
        trace.broken(error)
    return [head] + trace.lines
