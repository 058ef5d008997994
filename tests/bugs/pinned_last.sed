# SPDX-License-Identifier: MIT
# pick: pinned tasks come when there is nothing else.
# file: src/run/worker.c
# test: unit.worker_fair worker/pinned_task_has_its_turn_beside_endless_ones
s/if \(!f && w->pinned_head && \(w->picks & 1\)\)/if (false)/
