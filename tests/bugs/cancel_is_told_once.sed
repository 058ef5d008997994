# SPDX-License-Identifier: MIT
# wait_begin: the first await is told of a cancellation, and the next one waits again.
# file: src/task/wait.c
# test: unit.scope
s/\treturn magi_cancelled\(f\) \? MAG_ECANCELED : 0;/\tif (!magi_cancelled(f))\n\t\treturn 0;\n\tmagi_store_rlx(\&f->scope->cancelled, 0);\n\tmagi_and_ar(\&leader->state, ~(uint32_t)MAGI_CANCEL);\n\treturn MAG_ECANCELED;/
