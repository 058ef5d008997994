# SPDX-License-Identifier: MIT
# steal: woken tasks stay with their waker, however long its step is.
# file: src/run/steal.c
# test: unit.steal steal/task_that_a_busy_one_has_woken_does_not_wait_for_its_end
s/\tif \(take_woken\(w, v\)\)[^\n]*\n\t\treturn true;[^\n]*\n/\t(void)take_woken;\n/
