# SPDX-License-Identifier: MIT
# A thin front: each target checks the tools, then calls a program in tools/.
#
#   make run          boot to the shell (Ctrl-A X ends QEMU; so does the command poweroff)
#   make test         the default suite     make test T='port*'   a part     make test SEED=7   a replay
#   make test-long    what takes longer     make bench B='call*'  the table of figures
#   make bench-host   the allocator, the port queue and the baton beside their peers on this machine
#   make gdb          boot and attach the debugger                make mutants  prove that tests can fail
#   make torture T=mem SECONDS=600 SMP=8 SEED=7      work without an end (T=? lists what there is)
#   make format       clang-format          make clean            make setup    install what is missing
#
# Variables: SMP and MEM (the machine), APPEND (boot arguments), QEMU (another QEMU program),
# PRESET (release, debug, release-clang, debug-clang), SEED and SECONDS.
SMP ?= 4
MEM ?= 512M
APPEND ?=
PRESET ?= release
QEMU ?= qemu-system-riscv64
T ?=
B ?=
SEED ?=
SECONDS ?=

# Debian's own Python has the modules that set-up installs; another one in PATH may lack them.
PYTHON := /usr/bin/python3 -B
export SMP MEM APPEND PRESET QEMU T B SEED SECONDS

.PHONY: run build test test-long gdb bench bench-host torture mutants format clean setup
.DEFAULT_GOAL := build

build: .setup
	@$(PYTHON) tools/build.py $(PRESET)

run: .setup
	@$(PYTHON) tools/run.py

gdb: .setup
	@$(PYTHON) tools/run.py --gdb

test: .setup
	@$(PYTHON) tools/test.py

test-long: .setup
	@$(PYTHON) tools/test.py --long

bench: .setup
	@$(PYTHON) tools/bench.py

bench-host: .setup
	@$(PYTHON) tools/bench_host.py

torture: .setup
	@$(PYTHON) tools/torture.py

mutants: .setup
	@$(PYTHON) tools/mutants.py

format: .setup
	@$(PYTHON) tools/check_format.py --fix

clean:
	@find build -mindepth 1 -maxdepth 1 ! -name toolchain -exec rm -rf {} + 2>/dev/null || true

setup:
	@rm -f build/toolchain/qemu10/state
	@tools/setup

.PHONY: .setup
.setup:
	@tools/setup
