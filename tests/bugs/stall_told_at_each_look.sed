# SPDX-License-Identifier: MIT
# look: the same step is told of again and again.
# file: src/run/stall.c
# test: unit.stall stall/look_tells_once_of_a_step_that_is_over_the_threshold
s/\tif \(magi_load_rlx\(&d->told\[i\]\.began\) == step\.began\)[^\n]*\n\t\treturn;\n//
