# SPDX-License-Identifier: MIT
# tick: what the deque holds comes before what was woken, always.
# file: src/run/worker.c
# test: unit.worker_fair worker/tasks_that_spawn_themselves_starve_nobody
s/(\t\tif \(w->round <= 0\)[^\n]*\n)\t\t\tw->round = magi_ready_count\(&w->ready\);/\1\t\t\tw->round = 0;/
