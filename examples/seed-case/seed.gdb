# SPDX-License-Identifier: BSD-2-Clause
# The seed case with GDB: preflight, explanation, repair by hand, boot, undo.
# GDB has loader.elf as its file and is connected to baton (see README.md).
set pagination off
set confirm off
set width 0
set trace-commands on
# `monitor handoff run` arms; GDB runs the machine, so GDB's continue does it.
monitor handoff run
continue
# The jump has not been taken. What does the table look like, and what is missing?
monitor pt-walk 0xffffff8040000000
x/i $pc
p boot_lvl0_upper[0x1ff]
monitor why
# The repair, in the terms of the tables (`monitor fix -y` would do the same).
monitor pt-set 0xffffff8040000000 L0 boot_lvl1_upper+3
p/x boot_lvl0_upper[0x1ff]
monitor patches
# The kernel's last stop, behind its task's end, by the kernel's own symbols.
tbreak stop
continue
monitor pt-walk $pc
monitor undo
monitor patches
kill
