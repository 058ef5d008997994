# SPDX-License-Identifier: MIT
# look: nobody says that a step lasts, only that it has lasted.
# file: src/run/stall.c
# test: unit.stall stall/is_told_while_the_step_lasts_and_at_its_end
s/(\tmagi_store_rel\(&d->told\[i\]\.began, step\.began\);[^\n]*\n)\tsay\([^\n]*\n/\1\t(void)w;\n/
