# SPDX-License-Identifier: MIT
# pick: the newest first, always: the oldest of the deque starves.
# file: src/run/worker.c
# test: unit.worker_fair worker/oldest_of_the_deque_is_not_buried
s/if \(MAGI_UNLIKELY\(w->picks % FAIR_EVERY == FAIR_EVERY - 1\)\)/if (false)/
