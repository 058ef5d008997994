# SPDX-License-Identifier: MIT
# start: what was cancelled early does not run, and what its arguments name is lost.
# file: src/life/keeper.c
# test: simulated.life life/each_background_task_runs_and_is_awaited
s/\tmemcpy\(\(char \*\)child/\tif (magi_cancelled(\&k->frame)) {\n\t\tmagi_frame_give(w, child, e->cls);\n\t\treturn 0;\n\t}\n\tmemcpy((char *)child/
