# SPDX-License-Identifier: MIT
# drop_one: the handler stays when nobody listens any more.
# file: src/process/trap.c
# test: unit.signal signal/what_was_there_before_is_there_after_the_last_one_is_closed
s/\tmagi_trap_put_back\(&traps.trap\[number - 1\], number, on_signal\);\n\}/}/
